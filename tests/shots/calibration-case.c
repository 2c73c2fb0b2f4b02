/* What tests of calibration stand on. */
#include "tests/shots/calibration-case.h"

#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static char *folder;

int
calibration_run (int argc, char **argv, const CalibrationTest *tests)
{
  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("fl-calibration-XXXXXX", NULL);
  for (; tests->path != NULL; tests++)
    g_test_add_func (tests->path, tests->func);
  int status = g_test_run ();
  g_autofree char *command = g_strdup_printf ("rm -r %s", folder);
  if (system (command) != 0)
    status = 1;
  g_free (folder);
  return status;
}

/* --- files of constants --- */

char *
in_folder (const char *name)
{
  char *path = g_build_filename (folder, name, NULL);
  g_autofree char *above = g_path_get_dirname (path);
  g_mkdir_with_parents (above, 0700);
  return path;
}

void
write_text (const char *name, guint stages, gsize n, const float *values)
{
  g_autofree char *path = in_folder (name);
  g_autoptr (GString) text = g_string_new ("# TITLE      constants\n#\n# DTYPE float64\n# NDIM 2\n");
  g_string_append_printf (text, "# DIM:1 %u\n# DIM:2 %" G_GSIZE_FORMAT "\n\n", stages, n);
  for (gsize i = 0; i < stages * n; i++)
    g_string_append_printf (text, "%.9g%c", (double) values[i], (i + 1) % n == 0 ? '\n' : ' ');
  g_assert_true (g_file_set_contents (path, text->str, -1, NULL));
}

void
write_typed (const char *name, const char *dataset, hid_t type, guint n_dims, const hsize_t *dims,
             const float *values)
{
  g_autofree char *path = in_folder (name);
  hid_t file = g_file_test (path, G_FILE_TEST_EXISTS)
                   ? H5Fopen (path, H5F_ACC_RDWR, H5P_DEFAULT)
                   : H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  hid_t space = H5Screate_simple ((int) n_dims, dims, NULL), link = H5Pcreate (H5P_LINK_CREATE);
  H5Pset_create_intermediate_group (link, 1);
  hid_t set = H5Dcreate2 (file, dataset, type, space, link, H5P_DEFAULT, H5P_DEFAULT);
  g_assert_cmpint (H5Dwrite (set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), >=, 0);
  H5Dclose (set);
  H5Sclose (space);
  H5Pclose (link);
  H5Fclose (file);
}

void
write_h5 (const char *name, const char *dataset, guint n_dims, const hsize_t *dims, const float *values)
{
  write_typed (name, dataset, H5T_IEEE_F32LE, n_dims, dims, values);
}

/* --- shots --- */

void
case_clear (Case *c)
{
  fl_shot_clear (&c->shot);
  g_clear_pointer (&c->calibration, fl_calibration_close);
  fl_detector_unref (c->detector);
  fl_params_free (c->params);
}
FlDetector *
new_detector (guint n_fs, guint n_ss)
{
  FlDetector *detector = fl_detector_new (1, (gsize) n_fs * n_ss);
  detector->panels[0].n_fs = n_fs;
  detector->panels[0].n_ss = n_ss;
  detector->panels[0].stride = n_fs;
  return detector;
}

gboolean
try_open (Case *c, guint n_fs, guint n_ss, const char *constants, const char *const *settings, GError **error)
{
  FlCalibrationOptions options;
  g_autofree char *path =
      g_path_is_absolute (constants) ? g_strdup (constants) : g_build_filename (folder, constants, NULL);
  c->detector = new_detector (n_fs, n_ss);
  c->params = fl_params_new ();
  fl_params_set (c->params, "detector.calibration", path, error);
  for (; *settings != NULL; settings++)
    {
      g_autofree char *name = g_strconcat ("detector.", *settings, NULL);
      if (!fl_params_set_assignment (c->params, name, error))
        return FALSE;
    }
  if (!fl_calibration_options (c->params, &options, error))
    return FALSE;
  c->calibration = fl_calibration_open (&options, c->detector, "shots.h5", 0, error);
  return c->calibration != NULL;
}

void
open_case (Case *c, guint n_fs, guint n_ss, const char *constants, const char *const *settings)
{
  g_autoptr (GError) error = NULL;
  try_open (c, n_fs, n_ss, constants, settings, &error);
  g_assert_no_error (error);
}

void
refuse (guint n_fs, guint n_ss, const char *constants, const char *const *settings, const char *part)
{
  g_autoptr (GError) error = NULL;
  g_auto (Case) c = { 0 };
  g_assert_false (try_open (&c, n_fs, n_ss, constants, settings, &error));
  g_assert_nonnull (error);
  if (strstr (error->message, part) == NULL || strchr (error->message, '\n') != NULL)
    g_error ("'%s' lacks '%s'", error->message, part);
}

const float *
apply (Case *c, FlPixelType type, gconstpointer raw, const FlCellData *cell)
{
  g_autoptr (GError) error = NULL;
  gsize n = c->detector->n_pixels;
  g_free (c->shot.pixels);
  c->shot.allocated = n * fl_pixel_size (type);
  c->shot.pixels = g_malloc (c->shot.allocated);
  memcpy (c->shot.pixels, raw, c->shot.allocated);
  c->shot.n_pixels = n;
  c->shot.type = type;
  g_clear_pointer (&c->shot.mask, g_free);
  fl_calibration_apply (c->calibration, &c->shot, cell, &error);
  g_assert_no_error (error);
  g_assert_cmpint (c->shot.type, ==, FL_PIXEL_F32);
  return c->shot.pixels;
}

void
assert_near (double a, double b)
{
  if (!(fabs (a - b) <= 2e-6 * MAX (fabs (b), 1)))
    g_error ("%.9g is not %.9g", a, b);
}

/* --- a Jungfrau --- */

const double jungfrau_gain[3] = { 41.5, -1.39, -0.11 };

float
jungfrau_pedestal (guint stage, gsize i)
{
  return (stage == 0 ? 2500.0f : stage == 1 ? 13600.0f : 14200.0f) + 1.5f * (float) i;
}

void
write_jungfrau (const char *detector)
{
  float pedestal[3 * N], gain[3 * N], offset[3 * N], status[3 * N] = { 0 }, rms[3 * N];
  for (guint s = 0; s < 3; s++)
    for (gsize i = 0; i < N; i++)
      {
        pedestal[s * N + i] = jungfrau_pedestal (s, i);
        gain[s * N + i] = (float) (jungfrau_gain[s] * (1 + 0.01 * (double) i));
        offset[s * N + i] = 3 * (float) s;
        rms[s * N + i] = i == 9 ? 80 : i == 10 ? 0.5f : 5;
      }
  status[4] = 1;         /* in g0: bad altogether */
  status[2 * N + 5] = 2; /* in g2 */
  const struct
  {
    const char *type;
    const float *values;
  } files[] = { { "pedestals", pedestal },
                { "pixel_gain", gain },
                { "pixel_offset", offset },
                { "pixel_status", status },
                { "pixel_rms", rms } };
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *name = g_strdup_printf ("%s/%s/0-end.data", detector, files[i].type);
      write_text (name, 3, N, files[i].values);
    }
}

double
jungfrau_kev (guint16 raw, gsize i)
{
  guint stage = raw >> 14 == 3 ? 2 : raw >> 14;
  return ((double) (raw & 0x3fff) - (double) jungfrau_pedestal (stage, i) - 3.0 * stage)
         / (jungfrau_gain[stage] * (1 + 0.01 * (double) i));
}
