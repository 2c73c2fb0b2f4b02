/* skopi's HDF5 files: what they hold, in either order of axes, and refusals. */
#include <glib.h>
#include <glib/gstdio.h>
#include <hdf5.h>
#include <string.h>

#include "engine/shots/skopi.h"

#define FRAMES 5
#define PIXELS 12 /* 1 panel of 3 × 4 */

static char *folder, *path;

static void
put (hid_t file, const char *name, int rank, const hsize_t *dims, const double *values)
{
  hid_t space = H5Screate_simple (rank, dims, NULL);
  hid_t set = H5Dcreate (file, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  g_assert_true (H5Dwrite (set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  H5Dclose (set);
  H5Sclose (space);
}

/* s of pixel p: (p, 100 + p, −p) · 10⁷ m⁻¹; frame d, pixel p: 100 d + p. */
static void
write_file (gboolean components_first, gboolean with_truth, double first_value)
{
  hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  double frames[FRAMES * PIXELS], s[3 * PIXELS], solid[PIXELS], q[4 * FRAMES], conformations[FRAMES];
  for (int i = 0; i < FRAMES * PIXELS; i++)
    frames[i] = 100 * (i / PIXELS) + i % PIXELS;
  frames[0] = first_value;
  for (int p = 0; p < PIXELS; p++)
    {
      const double v[3] = { p * 1e7, (100 + p) * 1e7, -p * 1e7 };
      solid[p] = 0.25 * (p + 1);
      for (int c = 0; c < 3; c++)
        s[components_first ? c * PIXELS + p : 3 * p + c] = v[c];
    }
  for (int d = 0; d < FRAMES; d++)
    {
      const double v[4] = { 0.5, d, -d, 2 };
      memcpy (q + 4 * d, v, sizeof v);
      conformations[d] = d % 2;
    }
  put (file, "intensities", 4, (hsize_t[]){ FRAMES, 1, 3, 4 }, frames);
  put (file, "pixel_position_reciprocal", 4,
       components_first ? (hsize_t[]){ 3, 1, 3, 4 } : (hsize_t[]){ 1, 3, 4, 3 }, s);
  if (with_truth)
    {
      put (file, "solid_angle", 3, (hsize_t[]){ 1, 3, 4 }, solid);
      put (file, "orientations", 3, (hsize_t[]){ FRAMES, 1, 4 }, q);
      put (file, "conformation", 1, (hsize_t[]){ FRAMES }, conformations);
    }
  H5Fclose (file);
}

static void
check (gboolean components_first, gboolean with_truth)
{
  g_autoptr (GError) error = NULL;
  write_file (components_first, with_truth, 0);
  g_autoptr (FlSkopi) skopi = fl_skopi_open (path, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (fl_skopi_n_frames (skopi), ==, FRAMES);
  g_assert_cmpuint (fl_skopi_n_pixels (skopi), ==, PIXELS);
  for (int p = 0; p < PIXELS; p++)
    {
      FlVec3 s = fl_skopi_s (skopi)[p];
      g_assert_cmpfloat (fabs (s.x - p * 1e-3) + fabs (s.y - 0.1 - p * 1e-3) + fabs (s.z + p * 1e-3), <,
                         1e-7);
      g_assert_cmpfloat (fl_skopi_factor (skopi)[p], ==, with_truth ? 0.25 * (p + 1) : 1);
    }
  g_assert_true ((fl_skopi_orientations (skopi) != NULL) == with_truth);
  g_assert_true ((fl_skopi_conformations (skopi) != NULL) == with_truth);
  if (with_truth)
    {
      g_assert_cmpfloat (fl_skopi_orientations (skopi)[3].y, ==, -3);
      g_assert_cmpint (fl_skopi_conformations (skopi)[3], ==, 1);
    }
  float values[2 * PIXELS];
  g_assert_true (fl_skopi_read (skopi, 3, 2, values, &error));
  for (int i = 0; i < 2 * PIXELS; i++)
    g_assert_cmpfloat (values[i], ==, (float) (100 * (3 + i / PIXELS) + i % PIXELS));
}

static void
test_contents (void)
{
  check (FALSE, TRUE);
  check (TRUE, TRUE);
  check (TRUE, FALSE);
}

static void
check_refused (const char *words)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (fl_skopi_open (path, &error));
  g_assert_true (g_str_has_prefix (error->message, path));
  g_assert_nonnull (strstr (error->message, words));
  g_assert_null (strchr (error->message, '\n'));
}

static void
spoil (const char *name, const hsize_t n)
{
  static const double values[64] = { 0 };
  write_file (FALSE, TRUE, 0);
  hid_t file = H5Fopen (path, H5F_ACC_RDWR, H5P_DEFAULT);
  H5Ldelete (file, name, H5P_DEFAULT);
  if (n > 0)
    put (file, name, 1, &n, values);
  H5Fclose (file);
}

static void
test_refusals (void)
{
  spoil ("intensities", 0);
  check_refused ("/intensities");
  spoil ("intensities", 12);
  check_refused ("no stack of frames");
  spoil ("pixel_position_reciprocal", 0);
  check_refused ("pixel_position_reciprocal");
  spoil ("pixel_position_reciprocal", 35);
  check_refused ("another size");
  spoil ("orientations", 3);
  check_refused ("another size");
  g_file_set_contents (path, "no HDF5", -1, NULL);
  check_refused ("");
  g_unlink (path);
  check_refused ("");

  g_autoptr (GError) error = NULL;
  float values[PIXELS];
  write_file (FALSE, FALSE, NAN);
  g_autoptr (FlSkopi) skopi = fl_skopi_open (path, &error);
  g_assert_no_error (error);
  g_assert_false (fl_skopi_read (skopi, 0, 1, values, &error));
  g_assert_nonnull (strstr (error->message, "not finite"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("fl-skopi-XXXXXX", NULL);
  path = g_build_filename (folder, "frames.h5", NULL);
  g_test_add_func ("/shots/skopi/contents", test_contents);
  g_test_add_func ("/shots/skopi/refusals", test_refusals);
  int status = g_test_run ();
  g_unlink (path);
  g_rmdir (folder);
  g_free (path);
  g_free (folder);
  return status;
}
