/* Geometry files rewritten: places come back as they were meant, and all else stays. */
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/sfx/geometry-file.h"
#include "engine/sfx/geometry-levels.h"
#include "engine/shots/geom-layout.h"

#define PANEL(name, first)                                                                                   \
  name "/min_fs = 0\n" name "/max_fs = 99\n" name "/min_ss = " first "\n" name "/max_ss = " first "\n" name  \
       "/fs = +1x +0.001y\n" name "/ss = -0.001x +1y\n" name "/corner_x = 12.5 ; mounted\n" name             \
       "/corner_y=-7\n"

static FlDetector *
detector_of (const char *text, double clen_elsewhere)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlGeom) geom = fl_geom_parse ("test.geom", text, strlen (text), &error);
  g_assert_no_error (error);
  g_autoptr (FlGeomLayout) layout = fl_geom_layout_new (geom, &error);
  g_assert_no_error (error);
  return fl_geom_detector (geom, layout, geom->clen.path == NULL ? geom->clen.value : clen_elsewhere, 0);
}

static double
apart (const FlDetector *a, const FlDetector *b)
{
  double most = 0;
  for (guint i = 0; i < a->n_panels; i++)
    for (guint corner = 0; corner < 4; corner++)
      {
        const FlPanel *p = &a->panels[i];
        double fs = corner % 2 * p->n_fs, ss = corner / 2 * p->n_ss;
        FlVec3 d = fl_vec3_sub (fl_panel_position (p, fs, ss), fl_panel_position (&b->panels[i], fs, ss));
        most = MAX (most, fl_vec3_norm (d) / fl_vec3_norm (p->fs));
      }
  return most;
}

/* All may move as they like (`flat`: in the plane, and the whole along the beam); the rewritten text. */
static char *
move (const char *text, gboolean flat, guint64 seed)
{
  g_autoptr (FlDetector) before = detector_of (text, 80);
  g_autofree guint *group = g_new0 (guint, before->n_panels);
  const FlGeometryFreedom freedom = { FL_GEOMETRY_PANELS, TRUE, !flat, !flat, 0 };
  g_autoptr (FlGeometryLevels) levels = fl_geometry_levels_new (before, group, &freedom, NULL, 0);
  g_autofree double *step = g_new (double, levels->n);
  FlRandom random = fl_random (seed);
  for (guint i = 0; i < levels->n; i++)
    step[i] = 0.01 * levels->parameters[i].sigma * fl_random_normal (&random);
  g_autoptr (FlDetector) after = fl_geometry_moved (levels, before, step);
  g_autoptr (GError) error = NULL;
  char *moved = fl_geometry_file_move ("test.geom", text, before, after, &error);
  g_assert_no_error (error);
  g_autoptr (FlDetector) back = detector_of (moved, 80);
  g_assert_cmpfloat (apart (before, after), >, 1e-3);
  g_assert_cmpfloat (apart (after, back), <, 1e-4);
  return moved;
}

/* How many lines `text` has more than `than`, in which that is no other line than one of these keys. */
static int
lines_added (const char *text, const char *than)
{
  static const char *const keys[] = { "corner_x", "corner_y", "fs", "ss", "coffset", "clen", NULL };
  g_auto (GStrv) a = g_strsplit (text, "\n", -1), b = g_strsplit (than, "\n", -1);
  int n = (int) g_strv_length (a) - (int) g_strv_length (b);
  for (guint i = 0; b[i] != NULL; i++)
    {
      g_autofree char *start = g_strndup (b[i], strcspn (b[i], "=;"));
      const char *slash = strrchr (start, '/');
      g_strchomp (start);
      if (!g_strv_contains (keys, slash != NULL ? slash + 1 : start))
        g_assert_true (g_strv_contains ((const char *const *) a, b[i]));
    }
  return n;
}

static void
test_forms (void)
{
  static const struct
  {
    const char *text, *flat; /* a line that says where all are, moved in the plane */
    int added, added_flat;
  } cases[] = {
    { "clen = 80 mm ; measured\nres = 10000\n; panels\n" PANEL ("a", "0") PANEL ("b", "100"),
      "mm ; measured\n", 2, 0 },
    { "clen = 0.08\nres = 10000\n" PANEL ("a", "0") "a/coffset = 0.001\n" PANEL (
          "b", "100") "rigid_group_q = a,b\n",
      "clen = 0.0", 1, 0 },
    { "clen = /LCLS/distance\ncoffset = 0.5\nres = 10000\n" PANEL ("a", "0") PANEL ("b", "100"),
      "clen = /LCLS/distance\ncoffset = 0.", 2, 0 },
    { "clen = /LCLS/distance\nres = 10000\n" PANEL ("a", "0") PANEL ("b", "100"),
      "res = 10000\ncoffset = ", 3, 1 },
    { "clen = /LCLS/distance\nres = 10000\n" PANEL ("a", "0") "a/coffset = 0.1\n" PANEL (
          "b", "100") "b/coffset = 0.2",
      "a/coffset = 0.", 0, 0 },
    { "res = 10000\n" PANEL ("a", "0") "a/clen = 0.08\n" PANEL ("b", "100") "b/clen = 0.081\n",
      "b/clen = 0.081\n", 2, 2 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *flat = move (cases[i].text, TRUE, i), *free = move (cases[i].text, FALSE, i);
      g_assert_nonnull (strstr (flat, cases[i].flat));
      g_assert_nonnull (strstr (flat, " ; mounted\n"));
      g_assert_cmpint (lines_added (flat, cases[i].text), ==, cases[i].added_flat);
      g_assert_cmpint (lines_added (free, cases[i].text), <=, cases[i].added + 1);
    }
}

static void
test_line_ends (void)
{
  g_auto (GStrv) lines =
      g_strsplit ("clen = 0.08\nres = 10000\n" PANEL ("a", "0") PANEL ("b", "100"), "\n", -1);
  g_autofree char *text = g_strjoinv ("\r\n", lines);
  g_autofree char *moved = move (text, FALSE, 3);
  for (const char *c = strchr (moved, '\n'); c != NULL; c = strchr (c + 1, '\n'))
    g_assert_cmpint (c[-1], ==, '\r');
}

static void
test_same (void)
{
  const char *text = "clen = 80 mm\nres = 10000\n" PANEL ("a", "0") PANEL ("b", "100");
  g_autoptr (FlDetector) detector = detector_of (text, 0);
  g_autofree char *same = fl_geometry_file_move ("test.geom", text, detector, detector, NULL);
  g_assert_cmpstr (same, ==, text);
  g_autoptr (GError) error = NULL;
  g_assert_null (fl_geometry_file_move ("x.geom", "res = 1\n", detector, detector, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
}

static void
test_real_files (void)
{
  const char *data = g_getenv ("FIRSTLIGHT_TEST_DATA");
  static const struct
  {
    const char *name, *groups;
    guint n_groups;
  } files[] = { { "agipd_mar18_v11.geom", "rigid_group_collection_quadrants", 4 },
                { "cspad-cxib2313-v9.geom", "quadrants, as the geometry names no groups", 4 },
                { "cxi_jungfrau4M.geom", "rigid_group_collection_quadrants", 4 },
                { "mfx_epix10k2M.geom", "rigid_group_collection_quadrants", 4 } };
  if (data == NULL || !g_file_test (data, G_FILE_TEST_IS_DIR))
    {
      g_test_skip ("no test data: FIRSTLIGHT_TEST_DATA");
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = g_build_filename (data, "geom", files[i].name, NULL);
      g_autofree char *text = NULL;
      g_auto (FlGeometryGroups) groups = { 0 };
      g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
      g_autofree char *flat = move (text, TRUE, i), *free = move (text, FALSE, i);
      g_assert_cmpint (lines_added (flat, text), <=, 1);
      g_assert_cmpint (lines_added (free, text), >=, 0);
      g_autoptr (FlDetector) detector = detector_of (text, 80);
      g_assert_true (fl_geometry_groups_find (path, text, "auto", detector, &groups, NULL));
      g_assert_cmpstr (groups.source, ==, files[i].groups);
      g_assert_cmpuint (groups.n, ==, files[i].n_groups);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/geometry-file/forms", test_forms);
  g_test_add_func ("/geometry-file/line-ends", test_line_ends);
  g_test_add_func ("/geometry-file/same", test_same);
  g_test_add_func ("/geometry-file/real-files", test_real_files);
  return g_test_run ();
}
