/* A beamtime on disk: read back through engine/shots it is what was drawn; the same seed gives the same bytes; damage
 * takes the frames that it should; what was interrupted goes on. */

#include <glib.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/shots/source.h"
#include "engine/simulate/beamtime.h"
#include "engine/simulate/sfx.h"

static char *
new_folder (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("firstlight-beamtime-XXXXXX", &error);
  g_assert_no_error (error);
  return folder;
}

static void
remove_folder (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  for (const char *name; dir != NULL && (name = g_dir_read_name (dir)) != NULL;)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);
      if (g_file_test (child, G_FILE_TEST_IS_DIR))
        remove_folder (child);
      else
        g_unlink (child);
    }
  g_rmdir (path);
}

static FlParams *
params_with (const char *detector)
{
  FlParams *params = fl_params_new ();
  g_assert_true (fl_params_set (params, "simulate.detector", detector, NULL));
  g_assert_true (fl_params_set (params, "simulate.hit_fraction", "0.5", NULL));
  return params;
}

static void
play (const FlBeamtime *plan, const FlParams *params)
{
  g_autoptr (GError) error = NULL;
  fl_beamtime_play (plan, params, &error);
  g_assert_no_error (error);
}

static FlSource *
open_run (const char *folder, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *geometry = g_build_filename (folder, "detector.geom", NULL);
  FlSource *source = fl_source_open (path, &(FlSourceOptions){ .geometry = geometry }, &error);
  g_assert_no_error (error);
  return source;
}

static void
assert_same_place (FlVec3 a, FlVec3 b, double within)
{
  g_assert_cmpfloat (fl_vec3_norm (fl_vec3_sub (a, b)), <, within);
}

static void
assert_same_detector (const FlDetector *read, const FlDetector *made)
{
  g_assert_cmpuint (read->n_panels, ==, made->n_panels);
  g_assert_cmpuint (read->n_pixels, ==, made->n_pixels);
  g_assert_true (memcmp (read->mask, made->mask, made->n_pixels) == 0);
  for (guint p = 0; p < made->n_panels; p++)
    {
      const FlPanel *a = &read->panels[p], *b = &made->panels[p];
      g_assert_cmpstr (a->name, ==, b->name);
      g_assert_cmpuint (a->n_fs, ==, b->n_fs);
      g_assert_cmpuint (a->n_ss, ==, b->n_ss);
      g_assert_cmpuint (a->offset, ==, b->offset);
      assert_same_place (a->origin, b->origin, 1e-6);
      /* Across 1,000 pixels that makes 1e-6 mm, too. */
      assert_same_place (a->fs, b->fs, 1e-9);
      assert_same_place (a->ss, b->ss, 1e-9);
      g_assert_cmpfloat (fabs (a->gain - b->gain), <, 1e-9);
    }
}

static void
test_reads_back (gconstpointer detector)
{
  g_autofree char *folder = new_folder ();
  g_autoptr (FlParams) params = params_with (detector);
  FlBeamtime plan = {
    .out = folder, .first_run = 7, .n_runs = 1, .shots = 3, .shots_per_file = 2, .quiet = TRUE
  };
  play (&plan, params);
  g_autoptr (FlSfxSimulator) simulator = fl_sfx_simulator_new (params, NULL);
  const FlDetectorLayout *layout = fl_sfx_simulator_layout (simulator);
  /* The last shot first: none depends on those before it. */
  for (int n = 2; n >= 0; n--)
    {
      g_autoptr (GError) error = NULL;
      g_auto (FlShot) read = { 0 };
      FlSfxShot drawn;
      g_autoptr (FlSource) source = open_run (folder, n < 2 ? "r0007/r0007_c00.cxi" : "r0007/r0007_c01.cxi");
      g_assert_cmpuint (fl_source_n_frames (source), ==, n < 2 ? 2 : 1);
      assert_same_detector (fl_source_detector (source), layout->detector);
      fl_source_read (source, (guint32) n % 2, &read, &error);
      g_assert_no_error (error);
      fl_sfx_simulator_draw (simulator, 7, (guint) n, &drawn);
      gsize bytes = layout->detector->n_pixels * fl_pixel_size (layout->type);
      g_assert_cmpint (read.type, ==, layout->type);
      g_assert_cmpuint (read.n_pixels, ==, layout->detector->n_pixels);
      g_assert_true (memcmp (read.pixels, drawn.pixels, bytes) == 0);
      g_assert_cmpfloat (fabs (read.energy - drawn.energy), <, 1e-3);
    }
  remove_folder (folder);
}

static void
test_compressions (void)
{
  static const char *const names[] = { "none", "deflate", "bitshuffle" };
  static const char *const detectors[] = { "jungfrau-1m", "eiger-1m" };
  for (gsize i = 0; i < 6; i++)
    {
      g_autofree char *folder = new_folder ();
      g_autoptr (FlParams) params = params_with (detectors[i / 3]);
      g_assert_true (fl_params_set (params, "simulate.compression", names[i % 3], NULL));
      FlBeamtime plan = {
        .out = folder, .first_run = 1, .n_runs = 1, .shots = 2, .shots_per_file = 2, .quiet = TRUE
      };
      play (&plan, params);
      g_autoptr (FlSfxSimulator) simulator = fl_sfx_simulator_new (params, NULL);
      g_autoptr (FlSource) source = open_run (folder, "r0001/r0001_c00.cxi");
      for (guint n = 0; n < 2; n++)
        {
          g_auto (FlShot) read = { 0 };
          FlSfxShot drawn;
          g_assert_true (fl_source_read (source, n, &read, NULL));
          fl_sfx_simulator_draw (simulator, 1, n, &drawn);
          g_assert_true (memcmp (read.pixels, drawn.pixels, read.n_pixels * fl_pixel_size (read.type)) == 0);
        }
      remove_folder (folder);
    }
}

/* Lengths of crystals scatter as they are told to; a and b are equal, angles right, and nothing else of the shot changes. */
static void
test_cells_scatter (void)
{
  enum
  {
    SHOTS = 400
  };
  g_autoptr (FlParams) params = params_with ("jungfrau-1m");
  fl_params_set (params, "simulate.hit_fraction", "1", NULL);
  fl_params_set (params, "simulate.resolution", "20", NULL);
  g_autoptr (FlSfxSimulator) plain = fl_sfx_simulator_new (params, NULL);
  fl_params_set (params, "simulate.cell_spread", "0.002", NULL);
  g_autoptr (FlSfxSimulator) simulator = fl_sfx_simulator_new (params, NULL);
  const FlCell *mean = &fl_sfx_simulator_intensities (simulator)->cell;
  double sum = 0, square = 0;
  for (guint n = 0; n < SHOTS; n++)
    {
      FlSfxShot shot, same;
      fl_sfx_simulator_draw (plain, 1, n, &same);
      fl_sfx_simulator_draw (simulator, 1, n, &shot);
      g_assert_cmpuint (shot.n_crystals, ==, same.n_crystals);
      g_assert_cmpfloat (shot.crystals[0].fluence, ==, same.crystals[0].fluence);
      g_assert_cmpfloat (shot.crystals[0].orientation.w, ==, same.crystals[0].orientation.w);
      const FlMat3 *rows = &shot.crystals[0].a_star;
      FlVec3 axes[3];
      for (int i = 0; i < 3; i++)
        axes[i] = fl_vec3 (rows->m[i][0], rows->m[i][1], rows->m[i][2]);
      double a = 1 / fl_vec3_norm (axes[0]), b = 1 / fl_vec3_norm (axes[1]), c = 1 / fl_vec3_norm (axes[2]);
      g_assert_cmpfloat (fabs (a - b), <, 1e-9);
      g_assert_cmpfloat (fabs (fl_vec3_dot (axes[0], axes[2])), <, 1e-12);
      sum += log (c / mean->c);
      square += log (c / mean->c) * log (c / mean->c);
    }
  g_assert_cmpfloat (fabs (sum / SHOTS), <, 5 * 0.002 / sqrt (SHOTS));
  g_assert_cmpfloat (fabs (sqrt (square / SHOTS) / 0.002 - 1), <, 5 / sqrt (2 * SHOTS));
}

static void
assert_same_file (const char *a, const char *b, const char *name)
{
  g_autofree char *path_a = g_build_filename (a, name, NULL), *path_b = g_build_filename (b, name, NULL);
  g_autofree char *text_a = NULL, *text_b = NULL;
  gsize n_a = 0, n_b = 0;
  g_assert_true (g_file_get_contents (path_a, &text_a, &n_a, NULL));
  g_assert_true (g_file_get_contents (path_b, &text_b, &n_b, NULL));
  g_assert_cmpuint (n_a, ==, n_b);
  g_assert_true (memcmp (text_a, text_b, n_a) == 0);
}

static void
test_same_seed_same_bytes (void)
{
  g_autofree char *a = new_folder (), *b = new_folder ();
  g_autoptr (FlParams) params = params_with ("eiger-1m");
  FlBeamtime plan = { .out = a, .first_run = 1, .n_runs = 2, .shots = 4, .shots_per_file = 2, .quiet = TRUE };
  play (&plan, params);
  /* The other one is stopped after one run, a file of it is lost, and it goes on. */
  gboolean stop = TRUE;
  g_autoptr (GError) error = NULL;
  plan.out = b;
  plan.n_runs = 1;
  play (&plan, params);
  g_autofree char *lost = g_build_filename (b, "r0001/r0001_c01.cxi", NULL);
  g_unlink (lost);
  plan.n_runs = 2;
  plan.stop = &stop;
  g_assert_false (fl_beamtime_play (&plan, params, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_STOPPED);
  stop = FALSE;
  play (&plan, params);
  static const char *const names[] = { "detector.geom",       "r0001/r0001_c00.cxi",
                                       "r0001/r0001_c01.cxi", "r0002/r0002_c00.cxi",
                                       "r0002/r0002_c01.cxi", "r0001/r0001_c01.truth.tsv" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    assert_same_file (a, b, names[i]);
  remove_folder (a);
  remove_folder (b);
}

static void
test_damage_takes_its_frames (void)
{
  g_autofree char *folder = new_folder ();
  g_autoptr (FlParams) params = params_with ("jungfrau-1m");
  FlBeamtime plan = { .out = folder,
                      .first_run = 1,
                      .n_runs = 2,
                      .shots = 12,
                      .shots_per_file = 10,
                      .damaged_run = 2,
                      .quiet = TRUE };
  play (&plan, params);
  g_autoptr (FlSource) good = open_run (folder, "r0001/r0001_c00.cxi");
  g_autoptr (FlSource) damaged = open_run (folder, "r0002/r0002_c00.cxi");
  g_auto (FlShot) shot = { 0 };
  for (guint32 i = 0; i < 10; i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_true (fl_source_read (good, i, &shot, NULL));
      gboolean ok = fl_source_read (damaged, i, &shot, &error);
      g_assert_cmpint (ok, ==, i != 3); /* a tenth, from a third on */
      if (!ok)
        g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
    }
  remove_folder (folder);
}

static void
test_rate_is_kept (void)
{
  g_autofree char *folder = new_folder ();
  g_autoptr (FlParams) params = params_with ("jungfrau-1m");
  FlBeamtime plan = {
    .out = folder, .first_run = 1, .n_runs = 1, .shots = 11, .shots_per_file = 20, .rate = 10, .quiet = TRUE
  };
  guint64 before = fl_now_ns ();
  play (&plan, params);
  guint64 after = fl_now_ns ();
  g_autoptr (FlSource) source = open_run (folder, "r0001/r0001_c00.cxi");
  g_auto (FlShot) first = { 0 }, last = { 0 };
  g_assert_true (fl_source_read (source, 0, &first, NULL));
  g_assert_true (fl_source_read (source, 10, &last, NULL));
  /* Ten steps of a tenth of a second; a busy machine may be late, never early. */
  g_assert_cmpuint (after - before, >, 990 * 1000 * 1000);
  if (first.time != 0)
    {
      g_assert_cmpuint (first.time, >=, before);
      g_assert_cmpuint (last.time, <=, after);
      g_assert_cmpuint (last.time - first.time, >, 900 * 1000 * 1000);
    }
  remove_folder (folder);
}

static void
expect_error (const char *name, const char *value, int code)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlParams) params = fl_params_new ();
  g_assert_true (fl_params_set (params, name, value, &error));
  g_autoptr (FlSfxSimulator) simulator = fl_sfx_simulator_new (params, &error);
  g_assert_null (simulator);
  g_assert_error (error, FL_ERROR, code);
  g_assert_null (strchr (error->message, '\n'));
}

static void
test_bad_input_is_one_line (void)
{
  expect_error ("simulate.cell", "10,10,100,20,20,170", FL_ERROR_INPUT);
  expect_error ("simulate.cell", "9000,9000,9000,90,90,90", FL_ERROR_INPUT);
  expect_error ("simulate.cell", "", FL_ERROR_INPUT);
  expect_error ("simulate.space_group", "Q4", FL_ERROR_UNSUPPORTED);
  expect_error ("simulate.model", "/nowhere/at/all.pdb", FL_ERROR_MISSING);
  expect_error ("simulate.intensities", "/nowhere/at/all.hkl", FL_ERROR_MISSING);
  expect_error ("simulate.shape", "lattice", FL_ERROR_INPUT); /* with mosaic spread */
}

int
main (int argc, char **argv)
{
  static const char *const detectors[] = { "jungfrau-1m", "jungfrau-4m", "eiger-1m", "eiger-4m" };
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (detectors); i++)
    {
      g_autofree char *name = g_strconcat ("/simulate/beamtime/reads-back/", detectors[i], NULL);
      g_test_add_data_func (name, detectors[i], test_reads_back);
    }
  g_test_add_func ("/simulate/beamtime/cells-scatter", test_cells_scatter);
  g_test_add_func ("/simulate/beamtime/compressions", test_compressions);
  g_test_add_func ("/simulate/beamtime/same-seed-same-bytes", test_same_seed_same_bytes);
  g_test_add_func ("/simulate/beamtime/damage-takes-its-frames", test_damage_takes_its_frames);
  g_test_add_func ("/simulate/beamtime/rate-is-kept", test_rate_is_kept);
  g_test_add_func ("/simulate/beamtime/bad-input-is-one-line", test_bad_input_is_one_line);
  return g_test_run ();
}
