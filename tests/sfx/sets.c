#include "tests/sfx/sets.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/units.h"
#include "engine/sfx/spot-finding.h"
#include "engine/shots/geom-layout.h"

gboolean
have_test_data (const char *folder)
{
  const char *root = g_getenv ("FIRSTLIGHT_TEST_DATA");
  g_autofree char *path = g_build_filename (root != NULL ? root : "", folder, NULL);
  if (root != NULL && g_file_test (path, G_FILE_TEST_IS_DIR))
    return TRUE;
  g_test_skip ("no test data: FIRSTLIGHT_TEST_DATA");
  return FALSE;
}

static char *
data_path (const char *name, const char *suffix)
{
  g_autofree char *file = g_strconcat (name, suffix, NULL);
  return g_build_filename (g_getenv ("FIRSTLIGHT_TEST_DATA"), file, NULL);
}

FlDetector *
detector_of_geom (const char *name)
{
  GError *error = NULL;
  g_autofree char *path = data_path (name, ".geom");
  FlGeom *geom = fl_geom_read (path, &error);
  g_assert_no_error (error);
  FlGeomLayout *layout = fl_geom_layout_new (geom, &error);
  g_assert_no_error (error);
  FlDetector *detector =
      fl_geom_detector (geom, layout, geom->clen.path == NULL ? geom->clen.value : 100, 9300);
  fl_geom_layout_free (layout);
  fl_geom_free (geom);
  return detector;
}

double
cpu_seconds (void)
{
  struct timespec t;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t);
  return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

static void
find_spots (Set *set, FlSource *source, const char *name)
{
  GError *error = NULL;
  g_autofree char *path = data_path (name, ".truth.tsv"), *text = NULL;
  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  g_auto (GStrv) lines = g_strsplit (g_strstrip (text), "\n", 0);
  g_autoptr (FlParams) params = fl_params_new ();
  g_assert_true (fl_params_set (params, "engine.device", "cpu", NULL));
  g_autoptr (FlSpotFinder) finder = fl_spot_finder_new (params, 0, NULL, &error);
  g_assert_no_error (error);
  g_auto (FlShot) shot = { 0 };
  guint step = g_getenv ("FIRSTLIGHT_SANITIZED") != NULL ? 4 : 1, crystals = 0;
  for (guint i = 1; lines[i] != NULL; i++)
    {
      g_auto (GStrv) fields = g_strsplit (lines[i], "\t", 0);
      if (g_strv_length (fields) < 17 || fields[8][0] == '\0' || crystals++ % step != 0)
        continue;
      SetFrame frame = { .event = (guint) atoi (fields[0]) };
      frame.kind = g_intern_string (fields[1]);
      for (int j = 0; j < 9; j++)
        frame.star.m[j / 3][j % 3] = 0.1 * g_ascii_strtod (fields[8 + j], NULL);
      FlFound found;
      fl_source_read (source, frame.event, &shot, &error);
      g_assert_no_error (error);
      fl_spot_finder_find (finder, &shot, set->detector, &found, &error);
      g_assert_no_error (error);
      set->wavelength = fl_wavelength_from_energy (shot.energy);
      frame.n_spots = found.n_spots;
      frame.spots = g_new (FlSpotRow, found.n_spots);
      memcpy (frame.spots, found.spots, found.n_spots * sizeof *frame.spots);
      g_array_append_val (set->frames, frame);
    }
}

Set *
set_open (const char *name)
{
  GError *error = NULL;
  Set *set = g_new0 (Set, 1);
  set->frames = g_array_new (FALSE, FALSE, sizeof (SetFrame));
  g_autofree char *path = data_path (name, ".h5"), *geometry = data_path (name, ".geom");
  g_autoptr (FlSource) source = fl_source_open (path, &(FlSourceOptions){ .geometry = geometry }, &error);
  g_assert_no_error (error);
  set->detector = fl_detector_ref (fl_source_detector (source));
  set->finder = fl_panel_finder_new (set->detector);
  fl_cell_from_degrees ((double[6]){ 79.1, 79.1, 37.9, 90, 90, 90 }, &set->known.cell, &error);
  set->known.type = FL_LATTICE_TETRAGONAL;
  set->known.centring = 'P';
  set->known.space_group = 96;
  find_spots (set, source, name);
  return set;
}

void
set_free (Set *set)
{
  for (guint i = 0; i < set->frames->len; i++)
    g_free (g_array_index (set->frames, SetFrame, i).spots);
  g_array_free (set->frames, TRUE);
  fl_panel_finder_free (set->finder);
  fl_detector_unref (set->detector);
  g_free (set);
}

FlShotGeometry
set_geometry (const Set *set)
{
  return (FlShotGeometry){ set->detector, set->finder, { 0, 0, 0 }, set->wavelength };
}

double
set_misorientation (const FlMat3 *truth, const FlMat3 *found)
{
  static const int rotations[8][3][3] = {
    { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } },   { { -1, 0, 0 }, { 0, -1, 0 }, { 0, 0, 1 } },
    { { 0, 1, 0 }, { -1, 0, 0 }, { 0, 0, 1 } },  { { 0, -1, 0 }, { 1, 0, 0 }, { 0, 0, 1 } },
    { { 1, 0, 0 }, { 0, -1, 0 }, { 0, 0, -1 } }, { { -1, 0, 0 }, { 0, 1, 0 }, { 0, 0, -1 } },
    { { 0, 1, 0 }, { 1, 0, 0 }, { 0, 0, -1 } },  { { 0, -1, 0 }, { -1, 0, 0 }, { 0, 0, -1 } },
  };
  return fl_lattice_misorientation (truth, found, rotations, G_N_ELEMENTS (rotations));
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

double
percentile (double *values, guint n, double fraction)
{
  qsort (values, n, sizeof *values, compare_doubles);
  return values[(guint) (fraction * (n - 1) + 0.5)];
}

double
median (double *values, guint n)
{
  return percentile (values, n, 0.5);
}
