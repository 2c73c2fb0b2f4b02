/* test-calibration.c: raw pixels to photons and keV by closed forms, for every kind of detector and every place that
 * constants lie in; a real Jungfrau module as its authors converted it; what is wrong with constants is told in a line. */
#include <glib.h>
#include <glib/gstdio.h>
#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/params.h"
#include "engine/shots/calibration-constants.h"
#include "engine/shots/calibration.h"
#include "tests/shots/data.h"

static char *folder;

/* --- files of constants --- */

static char *
in_folder (const char *name)
{
  char *path = g_build_filename (folder, name, NULL);
  g_autofree char *above = g_path_get_dirname (path);
  g_mkdir_with_parents (above, 0700);
  return path;
}

/* psana's text: `stages` × n. */
static void
write_text (const char *name, guint stages, gsize n, const float *values)
{
  g_autofree char *path = in_folder (name);
  g_autoptr (GString) text = g_string_new ("# TITLE      constants\n#\n# DTYPE float64\n# NDIM 2\n");
  g_string_append_printf (text, "# DIM:1 %u\n# DIM:2 %" G_GSIZE_FORMAT "\n\n", stages, n);
  for (gsize i = 0; i < stages * n; i++)
    g_string_append_printf (text, "%.9g%c", (double) values[i], (i + 1) % n == 0 ? '\n' : ' ');
  g_assert_true (g_file_set_contents (path, text->str, -1, NULL));
}

static void
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

static void
write_h5 (const char *name, const char *dataset, guint n_dims, const hsize_t *dims, const float *values)
{
  write_typed (name, dataset, H5T_IEEE_F32LE, n_dims, dims, values);
}

/* --- shots --- */

typedef struct
{
  FlDetector *detector;
  FlCalibration *calibration;
  FlShot shot;
  FlParams *params;
} Case;

static void
case_clear (Case *c)
{
  fl_shot_clear (&c->shot);
  g_clear_pointer (&c->calibration, fl_calibration_close);
  fl_detector_unref (c->detector);
  fl_params_free (c->params);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Case, case_clear)

static FlDetector *
new_detector (guint n_fs, guint n_ss)
{
  FlDetector *detector = fl_detector_new (1, (gsize) n_fs * n_ss);
  detector->panels[0].n_fs = n_fs;
  detector->panels[0].n_ss = n_ss;
  detector->panels[0].stride = n_fs;
  return detector;
}

/* `settings`: "name=value" of detector.*, up to NULL. */
static gboolean
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

static void
open_case (Case *c, guint n_fs, guint n_ss, const char *constants, const char *const *settings)
{
  g_autoptr (GError) error = NULL;
  try_open (c, n_fs, n_ss, constants, settings, &error);
  g_assert_no_error (error);
}

/* Settings that fail, and a part of the line that says so. */
static void
refuse (guint n_fs, guint n_ss, const char *constants, const char *const *settings, const char *part)
{
  g_autoptr (GError) error = NULL;
  g_auto (Case) c = { 0 };
  g_assert_false (try_open (&c, n_fs, n_ss, constants, settings, &error));
  g_assert_nonnull (error);
  if (strstr (error->message, part) == NULL || strchr (error->message, '\n') != NULL)
    g_error ("'%s' lacks '%s'", error->message, part);
}

static const float *
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

#define SET(...) ((const char *const[]){ __VA_ARGS__ __VA_OPT__ (, ) NULL })

static void
assert_near (double a, double b)
{
  if (!(fabs (a - b) <= 2e-6 * MAX (fabs (b), 1)))
    g_error ("%.9g is not %.9g", a, b);
}

/* --- jungfrau --- */

#define N 16 /* 8 × 2 pixels */

static const double jungfrau_gain[] = { 41.5, -1.39, -0.11 };

static float
jungfrau_pedestal (guint stage, gsize i)
{
  return (stage == 0 ? 2500.0f : stage == 1 ? 13600.0f : 14200.0f) + 1.5f * (float) i;
}

static void
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

/* What a pixel is worth, keV. */
static double
jungfrau_kev (guint16 raw, gsize i)
{
  guint stage = raw >> 14 == 3 ? 2 : raw >> 14;
  return ((double) (raw & 0x3fff) - (double) jungfrau_pedestal (stage, i) - 3.0 * stage)
         / (jungfrau_gain[stage] * (1 + 0.01 * (double) i));
}

static void
test_jungfrau (void)
{
  guint16 raw[N];
  write_jungfrau ("calib/Jungfrau::CalibV1/CxiDs1.0:Jungfrau.0");
  for (gsize i = 0; i < N; i++)
    raw[i] = (guint16) (i % 4 << 14 | (3000 + 100 * i));
  raw[4] = 3000;
  raw[5] = 3 << 14 | 3000;
  for (guint kev = 0; kev < 2; kev++)
    {
      g_auto (Case) c = { 0 };
      c.shot.energy = 9000;
      open_case (&c, 8, 2, "calib", SET (kev ? "unit=kev" : "photon_energy=8000"));
      const float *value = apply (&c, FL_PIXEL_U16, raw, NULL);
      for (gsize i = 0; i < N; i++)
        {
          gboolean bad = raw[i] >> 14 == 2 || i == 4 || i == 5;
          g_assert_cmpint (c.shot.mask[i], ==, bad);
          assert_near ((double) value[i], bad ? 0 : jungfrau_kev (raw[i], i) / (kev ? 1 : 8));
          g_assert_cmpint (c.detector->mask[i], ==, i == 4);
          /* The lowest gain's end: raw 0, since it counts downwards. */
          if (i == 5)
            g_assert_true (isinf (c.detector->saturation[i]));
          else
            assert_near ((double) c.detector->saturation[i], 0.98 * jungfrau_kev (0xc000, i) / (kev ? 1 : 8));
        }
      g_assert_cmpfloat (c.detector->panels[0].gain, ==, 1);
      g_assert_cmpfloat (c.detector->panels[0].counts_per_ev, ==, kev ? 1e-3 : 0);
    }
}

static void
test_photon_energy (void)
{
  guint16 raw[N] = { 0 };
  g_autoptr (GError) error = NULL;
  write_jungfrau ("energy");
  raw[2] = 6000;
  g_auto (Case) c = { 0 };
  g_assert_false (try_open (&c, 8, 2, "energy", SET (), &error));
  g_assert_nonnull (strstr (error->message, "shots.h5: tells no photon energy"));
  /* Each shot has its own. */
  g_auto (Case) own = { 0 };
  FlCalibrationOptions options;
  g_clear_error (&error);
  own.params = fl_params_new ();
  own.detector = new_detector (8, 2);
  g_autofree char *path = in_folder ("energy");
  fl_params_set (own.params, "detector.calibration", path, NULL);
  fl_params_set (own.params, "detector.kind", "jungfrau", NULL);
  g_assert_true (fl_calibration_options (own.params, &options, NULL));
  own.calibration = fl_calibration_open (&options, own.detector, "shots.h5", 9000, &error);
  g_assert_no_error (error);
  own.shot.energy = 12000;
  assert_near ((double) apply (&own, FL_PIXEL_U16, raw, NULL)[2], jungfrau_kev (6000, 2) / 12);
  own.shot.energy = 0;
  assert_near ((double) apply (&own, FL_PIXEL_U16, raw, NULL)[2], jungfrau_kev (6000, 2) / 9);
}

static void
test_masks (void)
{
  write_jungfrau ("masks");
  g_auto (Case) c = { 0 };
  open_case (&c, 8, 2, "masks", SET ("unit=kev", "mask_edges=1", "noise_high=4", "noise_low=0.2"));
  for (gsize i = 0; i < N; i++)
    g_assert_cmpint (c.detector->mask[i], ==, 1); /* two rows are all edge */
  g_auto (Case) noise = { 0 };
  open_case (&noise, 8, 2, "masks", SET ("unit=kev", "noise_high=4", "noise_low=0.2"));
  for (gsize i = 0; i < N; i++)
    g_assert_cmpint (noise.detector->mask[i], ==, i == 4 || i == 9 || i == 10);
  /* ASICs of 256 × 256. */
  g_autofree float *zero = g_new (float, 3 * 512 * 512);
  for (gsize i = 0; i < 3 * 512 * 512; i++)
    zero[i] = 1000;
  const hsize_t dims[] = { 3, 512, 512 };
  write_h5 ("large.h5", "pedestals", 3, dims, zero);
  g_auto (Case) inner = { 0 };
  open_case (&inner, 512, 512, "large.h5", SET ("unit=kev", "gain=40,-1,-0.1", "mask_inner_edges=2"));
  guint n = 0;
  for (guint y = 0; y < 512; y++)
    for (guint x = 0; x < 512; x++)
      {
        gboolean border = (x >= 254 && x < 258) || (y >= 254 && y < 258);
        g_assert_cmpint (inner.detector->mask[512 * y + x], ==, border);
        n += border;
      }
  g_assert_cmpuint (n, ==, 2 * 4 * 512 - 16);
}

/* --- where constants lie --- */

static void
check_first (const char *constants, const char *const *settings, double kev)
{
  guint16 raw[N] = { 5000, 0x4000 | 5000, 0xc000 | 5000 };
  g_auto (Case) c = { 0 };
  open_case (&c, 8, 2, constants, settings);
  assert_near ((double) apply (&c, FL_PIXEL_U16, raw, NULL)[0], kev);
}

static void
test_runs (void)
{
  static const char *const names[] = { "runs/pedestals/0-end.data", "runs/pedestals/10-20.data",
                                       "runs/pedestals/15-end.data", "runs/pedestals/notes.txt" };
  float values[3 * N];
  for (guint f = 0; f < G_N_ELEMENTS (names); f++)
    {
      for (gsize i = 0; i < 3 * N; i++)
        values[i] = 1000 + 1000 * (float) f;
      write_text (names[f], 3, N, values);
    }
  check_first ("runs", SET ("kind=jungfrau", "gain=40,-1,-0.1", "unit=kev"), 2000 / 40.0);
  check_first ("runs", SET ("kind=jungfrau", "gain=40,-1,-0.1", "unit=kev", "run=12"), 3000 / 40.0);
  check_first ("runs", SET ("kind=jungfrau", "gain=40,-1,-0.1", "unit=kev", "run=3"), 4000 / 40.0);
  check_first ("runs", SET ("kind=jungfrau", "gain=40,-1,-0.1", "unit=kev", "run=21"), 2000 / 40.0);
  g_autofree char *all = in_folder ("runs/pedestals/0-end.data");
  g_remove (all);
  refuse (8, 2, "runs", SET ("gain=40,-1,-0.1", "run=3"), "no constants of run 3");
}

static void
test_several_detectors (void)
{
  write_jungfrau ("two/Jungfrau::CalibV1/Jungfrau.0");
  write_jungfrau ("two/Jungfrau::CalibV1/Jungfrau.1");
  check_first ("two", SET ("source=Jungfrau.1", "unit=kev"), jungfrau_kev (5000, 0));
  refuse (8, 2, "two", SET ("unit=kev"), "expected detector.source to name one");
  refuse (8, 2, "two", SET ("unit=kev", "source=Epix"), "0 of its detectors");
}

static void
test_arrays (void)
{
  /* Two modules, f64 and u16 beside each other, gains in .npy. */
  for (guint module = 0; module < 2; module++)
    for (guint s = 0; s < 3; s++)
      {
        g_autofree char *name = g_strdup_printf ("arrays/mod%u_pedeG%u.bin", 8 + 2 * module, s);
        g_autofree char *path = in_folder (name);
        double wide[N / 2];
        guint16 narrow[N / 2];
        for (guint i = 0; i < N / 2; i++)
          wide[i] = narrow[i] = (guint16) jungfrau_pedestal (s, module * N / 2 + i);
        g_assert_true (g_file_set_contents (path, s == 1 ? (char *) narrow : (char *) wide,
                                            s == 1 ? sizeof narrow : sizeof wide, NULL));
      }
  g_autofree char *path = in_folder ("arrays/gains.npy");
  char npy[128 + 3 * 4] =
      "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }";
  float gain[] = { 40, -1, -0.1f };
  memset (npy + strlen (npy + 10) + 10, ' ', 128 - 10 - strlen (npy + 10));
  memcpy (npy + 128, gain, sizeof gain);
  g_assert_true (g_file_set_contents (path, npy, sizeof npy, NULL));
  guint16 raw[N];
  for (guint i = 0; i < N; i++)
    raw[i] = 5000;
  g_auto (Case) c = { 0 };
  open_case (&c, 8, 2, "arrays", SET ("kind=jungfrau", "unit=kev"));
  const float *value = apply (&c, FL_PIXEL_U16, raw, NULL);
  for (gsize i = 0; i < N; i++)
    assert_near ((double) value[i], (5000 - floor ((double) jungfrau_pedestal (0, i))) / 40);
}

static void
test_hdf5 (void)
{
  float pedestal[4 * N], gain[4 * N], mask[N] = { 0 }, dark[N];
  for (guint s = 0; s < 4; s++)
    for (gsize i = 0; i < N; i++)
      {
        pedestal[s * N + i] = s < 3 ? jungfrau_pedestal (s, i) : 2500;
        gain[s * N + i] = s < 3 ? (float) jungfrau_gain[s] : 120;
        dark[i] = 7;
      }
  mask[3] = 2;
  const hsize_t dims[] = { 4, 2, 8 }, flat[] = { 2, 8 };
  write_h5 ("psi.h5", "gainPedestals", 3, dims, pedestal);
  write_h5 ("psi.h5", "gains", 3, dims, gain);
  write_h5 ("psi.h5", "pixel_mask", 2, flat, mask);
  check_first ("psi.h5", SET ("unit=kev"), (5000.0 - 2500) / (double) (float) 41.5);
  g_auto (Case) c = { 0 };
  open_case (&c, 8, 2, "psi.h5", SET ("unit=kev"));
  g_assert_cmpint (c.detector->mask[3], ==, 1);
  g_assert_cmpint (c.detector->mask[2], ==, 0);
  /* Cheetah's dark; the gain is the geometry's. */
  write_h5 ("dark.h5", "data/data", 2, flat, dark);
  gint16 raw[N] = { 107, -93 };
  g_auto (Case) plain = { 0 };
  plain.shot.energy = 1;
  open_case (&plain, 8, 2, "dark.h5", SET ("gain=25", "gain_unit=adu/photon"));
  const float *value = apply (&plain, FL_PIXEL_I16, raw, NULL);
  assert_near ((double) value[0], 4);
  assert_near ((double) value[1], -4);
}

/* A size that nothing stands behind is no reason to ask for so much memory. */
static void
test_claims (void)
{
  g_autofree char *path = in_folder ("claims.h5");
  hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT),
        create = H5Pcreate (H5P_DATASET_CREATE);
  hid_t space = H5Screate_simple (3, (const hsize_t[]){ 3, 1 << 14, 1 << 15 }, NULL);
  H5Pset_chunk (create, 3, (const hsize_t[]){ 1, 64, 64 });
  H5Dclose (H5Dcreate2 (file, "gains", H5T_IEEE_F32LE, space, H5P_DEFAULT, create, H5P_DEFAULT));
  H5Sclose (space);
  H5Pclose (create);
  H5Fclose (file);
  refuse (8, 2, "claims.h5", SET (), "gains claims more values than it holds");
}

/* --- the other kinds --- */

static void
test_epix10k (void)
{
  enum
  {
    PIXELS = 12
  };
  /* The configuration's bits 2 and 3, the trbit as 4: which range with bit 14 clear, and set; 7: none. */
  static const guint8 word[] = { 28, 12, 8, 24, 16, 0, 4, 20 };
  static const guint8 range[][2] = { { 0, 0 }, { 1, 1 }, { 2, 2 }, { 2, 2 },
                                     { 3, 5 }, { 4, 6 }, { 7, 7 }, { 7, 7 } };
  static const double gain[] = { 16.4, 5.466, 0.164, 16.4, 5.466, 0.164, 0.164 };
  float pedestal[7 * PIXELS], config[PIXELS];
  for (guint s = 0; s < 7; s++)
    for (guint i = 0; i < PIXELS; i++)
      pedestal[s * PIXELS + i] = 1000 * (float) (s + 1) + (float) i;
  for (guint i = 0; i < PIXELS; i++)
    config[i] = word[i % 8];
  write_text ("calib2/Epix10ka2M::CalibV1/MfxEndstation.0:Epix10ka2M.0/pedestals/5-end.data", 7, PIXELS,
              pedestal);
  write_text ("calib2/Epix10ka2M::CalibV1/MfxEndstation.0:Epix10ka2M.0/pixel_config/5-end.data", 1, PIXELS,
              config);
  for (guint bit = 0; bit < 2; bit++)
    {
      guint16 raw[PIXELS];
      for (guint i = 0; i < PIXELS; i++)
        raw[i] = (guint16) (bit << 14 | 9000);
      g_auto (Case) c = { 0 };
      open_case (&c, PIXELS, 1, "calib2", SET ("unit=kev"));
      const float *value = apply (&c, FL_PIXEL_U16, raw, NULL);
      for (guint i = 0; i < PIXELS; i++)
        {
          guint r = range[i % 8][bit];
          g_assert_cmpint (c.shot.mask[i], ==, r == 7);
          assert_near ((double) value[i], r == 7 ? 0 : (9000 - 1000.0 * (r + 1) - i) / gain[r]);
        }
      g_auto (Case) medium = { 0 };
      open_case (&medium, PIXELS, 1, "calib2", SET ("unit=kev", "epix_mode=AML"));
      assert_near ((double) apply (&medium, FL_PIXEL_U16, raw, NULL)[3],
                   bit ? (9000 - 7003) / 0.164 : (9000 - 5003) / 5.466);
    }
}

static void
test_agipd (void)
{
  enum
  {
    CELLS = 5
  };
  float pedestal[3 * CELLS * N], gain[3 * CELLS * N], threshold[2 * CELLS * N];
  for (guint s = 0; s < 3; s++)
    for (guint k = 0; k < CELLS * N; k++)
      {
        pedestal[s * CELLS * N + k] = 4000 + 100 * (float) s + (float) (k / N) * 10 + (float) (k % N);
        gain[s * CELLS * N + k] = s == 0 ? 8 : s == 1 ? 0.25f : 0.0625f;
        if (s < 2)
          threshold[s * CELLS * N + k] = 6000 + 2000 * (float) s + (float) (k / N) * 100;
      }
  const hsize_t dims[] = { 3, CELLS, 2, 8 }, pairs[] = { 2, CELLS, 2, 8 };
  write_h5 ("agipd.h5", "AnalogOffset", 4, dims, pedestal);
  write_h5 ("agipd.h5", "pixel_gain", 4, dims, gain);
  write_h5 ("agipd.h5", "pixel_threshold", 4, pairs, threshold);
  g_auto (Case) c = { 0 };
  open_case (&c, 8, 2, "agipd.h5", SET ("unit=kev"));
  FlCellNames names;
  g_assert_true (fl_calibration_needs_cell (c.calibration, &names));
  g_assert_cmpuint (names.cells, ==, CELLS);
  guint16 raw[N], second[N];
  for (guint i = 0; i < N; i++)
    {
      raw[i] = 6000;
      second[i] = (guint16) (5000 + 500 * i);
    }
  for (guint cell = 0; cell < CELLS; cell++)
    {
      const FlCellData data = { second, cell };
      const float *value = apply (&c, FL_PIXEL_U16, raw, &data);
      for (guint i = 0; i < N; i++)
        {
          guint stage = (second[i] > 6000 + 100 * cell) + (second[i] > 8000 + 100 * cell);
          double unit = stage == 0 ? 8 : stage == 1 ? 0.25 : 0.0625;
          assert_near ((double) value[i], (6000 - 4000 - 100.0 * stage - 10.0 * cell - i) / unit);
        }
    }
  g_autoptr (GError) error = NULL;
  c.shot.type = FL_PIXEL_U16;
  g_assert_false (fl_calibration_apply (c.calibration, &c.shot, NULL, &error));
  g_assert_nonnull (strstr (error->message, "expected detector.gain_data"));
  g_clear_error (&error);
  g_assert_false (fl_calibration_apply (c.calibration, &c.shot, &(FlCellData){ second, CELLS }, &error));
  g_assert_nonnull (strstr (error->message, "memory cell 5, expected one below 5"));
}

/* A file with the gains' values beside the pixels, its cells told or counted; the geometry says where. */
static void
test_agipd_source (void)
{
  enum
  {
    FRAMES = 4,
    CELLS = 2,
    EACH = 2 * N
  };
  float pedestal[3 * CELLS * N], threshold[2 * CELLS * N], raw[FRAMES * EACH], cells[FRAMES] = { 1, 1, 0, 7 };
  for (guint s = 0; s < 3; s++)
    for (guint k = 0; k < CELLS * N; k++)
      {
        pedestal[s * CELLS * N + k] = 1000 * (float) (s + 1) + 100 * (float) (k / N);
        if (s < 2)
          threshold[s * CELLS * N + k] = 50 + 50 * (float) s;
      }
  for (guint f = 0; f < FRAMES; f++)
    for (guint i = 0; i < N; i++)
      {
        raw[f * EACH + i] = 4000 + (float) i;
        raw[f * EACH + N + i] = i < 6 ? 20 : i < 12 ? 80 : 120;
      }
  const hsize_t constants[] = { 3, CELLS, N }, pairs[] = { 2, CELLS, N }, data[] = { FRAMES, 2, 2, 8 },
                line[] = { FRAMES };
  write_h5 ("cells.h5", "AnalogOffset", 3, constants, pedestal);
  write_h5 ("cells.h5", "DigitalGainLevel", 3, pairs, threshold);
  g_autofree char *path = in_folder ("agipd-raw.h5"), *geometry = in_folder ("agipd.geom"),
                  *where = in_folder ("cells.h5");
  write_typed ("agipd-raw.h5", "image", H5T_STD_U16LE, 4, data, raw);
  write_h5 ("agipd-raw.h5", "cellId", 1, line, cells);
  g_assert_true (g_file_set_contents (geometry,
                                      "clen = 0.1\nphoton_energy = 5000\nadu_per_photon = 1\nres = 5000\n"
                                      "data = /image\ndim0 = %\ndim1 = 0\ndim2 = ss\ndim3 = fs\n"
                                      "p0/min_fs = 0\np0/max_fs = 7\np0/min_ss = 0\np0/max_ss = 1\n"
                                      "p0/corner_x = 0\np0/corner_y = 0\np0/fs = x\np0/ss = y\n",
                                      -1, NULL));
  for (guint told = 0; told < 2; told++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (FlParams) params = fl_params_new ();
      g_auto (FlShot) shot = { 0 };
      FlCalibrationOptions calibration;
      fl_params_set (params, "detector.calibration", where, NULL);
      fl_params_set (params, "detector.gain", "10,1,0.1", NULL);
      if (told)
        fl_params_set (params, "detector.cell_data", "/cellId", NULL);
      g_assert_true (fl_calibration_options (params, &calibration, NULL));
      const FlSourceOptions options = { .geometry = geometry, .calibration = &calibration };
      g_autoptr (FlSource) source = fl_source_open (path, &options, &error);
      g_assert_no_error (error);
      for (guint f = 0; f < FRAMES; f++)
        {
          guint cell = told ? (guint) cells[f] : f % CELLS;
          gboolean ok = fl_source_read (source, f, &shot, &error);
          if (cell >= CELLS)
            {
              g_assert_false (ok);
              g_assert_nonnull (strstr (error->message, "memory cell 7"));
              continue;
            }
          g_assert_no_error (error);
          for (guint i = 0; i < N; i++)
            {
              guint stage = i < 6 ? 0 : i < 12 ? 1 : 2;
              double gain = stage == 0 ? 10 : stage == 1 ? 1 : 0.1;
              assert_near (fl_shot_value (&shot, i),
                           (4000.0 + i - 1000 * (stage + 1) - 100 * cell) / gain / 5);
            }
        }
    }
}

/* Constants in psana's order, data in Cheetah's. */
static void
test_cspad (void)
{
  enum
  {
    FS = 1552,
    SS = 1480
  };
  g_autofree float *pedestal = g_new (float, FS *SS);
  g_autofree gint32 *raw = g_new (gint32, FS * SS);
  for (gsize i = 0; i < FS * SS; i++)
    pedestal[i] = (float) (i % 50021);
  for (gsize sensor = 0; sensor < 32; sensor++)
    for (gsize y = 0; y < 185; y++)
      for (gsize x = 0; x < 388; x++)
        raw[(sensor % 8 * 185 + y) * FS + sensor / 8 * 388 + x] =
            (gint32) ((sensor * 185 + y) * 388 + x) % 50021 + 60;
  const hsize_t dims[] = { 32, 185, 388 };
  write_h5 ("cspad.h5", "pedestals", 3, dims, pedestal);
  g_auto (Case) c = { 0 };
  open_case (&c, FS, SS, "cspad.h5", SET ("kind=cspad", "gain=30", "gain_unit=adu/photon"));
  const float *value = apply (&c, FL_PIXEL_I32, raw, NULL);
  for (gsize i = 0; i < FS * SS; i++)
    assert_near ((double) value[i], 2);
}

/* --- common mode --- */

static int
compare_floats (const void *a, const void *b)
{
  float x = *(const float *) a, y = *(const float *) b;
  return x < y ? -1 : x > y;
}

/* Against sorting, with few values and many. */
static void
test_median (void)
{
  FlRandom random = fl_random (3);
  float values[200], sorted[200];
  for (guint round = 0; round < 20000; round++)
    {
      gsize n = fl_random_u64 (&random) % 200;
      guint64 kinds = round % 2 == 0 ? 1 + fl_random_u64 (&random) % 5 : 100000;
      for (gsize i = 0; i < n; i++)
        values[i] = sorted[i] = (float) (fl_random_u64 (&random) % kinds) - 20;
      qsort (sorted, n, sizeof *sorted, compare_floats);
      float expected = n == 0 ? 0 : n % 2 == 1 ? sorted[n / 2] : 0.5f * (sorted[n / 2 - 1] + sorted[n / 2]);
      g_assert_true (fl_median (values, n) == expected);
    }
}

/* What is added to a unit goes away; pixels of signal and switched ones do not tell it; those that switched keep theirs. */
static void
test_common_mode (void)
{
  enum
  {
    FS = 512,
    SS = 256
  };
  static const char *const modes[] = { "common_mode=asic", "common_mode=banks", "common_mode=rows",
                                       "common_mode=columns", "common_mode=rows_columns" };
  g_autofree float *pedestal = g_new (float, 3 * FS * SS);
  g_autofree guint16 *raw = g_new (guint16, FS * SS);
  for (gsize i = 0; i < 3 * FS * SS; i++)
    pedestal[i] = 1000;
  const hsize_t dims[] = { 3, SS, FS };
  write_h5 ("common.h5", "pedestals", 3, dims, pedestal);
  for (guint mode = 0; mode < G_N_ELEMENTS (modes); mode++)
    {
      g_auto (Case) c = { 0 };
      open_case (&c, FS, SS, "common.h5",
                 SET ("kind=jungfrau", "gain=10,-1,-1", "unit=kev", modes[mode], "common_mode_limit=190"));
      for (guint y = 0; y < SS; y++)
        for (guint x = 0; x < FS; x++)
          {
            guint asic = x / 256, shift = mode == 0   ? 7 + 5 * asic
                                          : mode == 1 ? x / 64 * 3
                                          : mode == 2 ? (y % 16) * 4 + asic
                                          : mode == 3 ? x % 100
                                                      : (y % 16) * 4 + (x % 5) * 2;
            gsize i = (gsize) y * FS + x;
            raw[i] = (guint16) (1000 + shift + (i % 7 == 0 ? 5000 : 0));
            if (i % 11 == 0)
              raw[i] = 0x4000 | 1200;
          }
      const float *value = apply (&c, FL_PIXEL_U16, raw, NULL);
      for (gsize i = 0; i < FS * SS; i++)
        {
          double expected = i % 11 == 0 ? -200 : i % 7 == 0 ? 500 : 0;
          /* Rows first, then columns: each takes away its own part up to a constant of the columns. */
          if (mode < 4 || i % 11 == 0)
            assert_near ((double) value[i], expected);
          else
            g_assert_cmpfloat (fabs ((double) value[i] - expected), <, 0.21);
        }
    }
  /* Too few that tell it: nothing is taken away. */
  g_auto (Case) few = { 0 };
  open_case (
      &few, FS, SS, "common.h5",
      SET ("kind=jungfrau", "gain=10,-1,-1", "unit=kev", "common_mode=rows", "common_mode_pixels=257"));
  raw[1] = 1020;
  assert_near ((double) apply (&few, FL_PIXEL_U16, raw, NULL)[1], 2);
}

/* --- what is wrong --- */

static void
write_file (const char *name, const char *text)
{
  g_autofree char *path = in_folder (name);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
test_refusals (void)
{
  write_jungfrau ("bad");
  refuse (9, 2, "bad", SET ("unit=kev", "kind=jungfrau"),
          "0-end.data: has 48 numbers, expected 3 gains of 18 pixels");
  refuse (8, 2, "bad", SET ("unit=kev", "kind=epix10k", "epix_mode=FH"), "expected 7 gains of 16");
  refuse (8, 2, "bad", SET ("unit=kev", "kind=jungfrau", "gain=1,2"),
          "detector.gain has 2 numbers, expected 3");
  refuse (8, 2, "bad", SET ("gain=1,two,3"), "detector.gain '1,two,3' is wrong");
  refuse (8, 2, "bad", SET ("gain=1,0,3"), "is wrong");
  refuse (8, 2, "nowhere", SET (), "nowhere");
  write_file ("empty/readme", "nothing");
  refuse (8, 2, "empty", SET (), "has no pedestals");
  write_file ("text/pedestals/0-end.data", "# NDIM 1\n# DIM:1 3\n1 2 three\n");
  refuse (8, 2, "text", SET (), "0-end.data:3: not a number");
  write_file ("text/pedestals/0-end.data", "# NDIM 1\n# DIM:1 4\n1 2 3\n");
  refuse (8, 2, "text", SET (), "has 3 numbers, expected 4");
  write_file ("text/pedestals/0-end.data", "# NDIM 9\n1 2 3\n");
  refuse (8, 2, "text", SET (), "NDIM is wrong");
  write_file ("text/pedestals/0-end.data", "# a header alone\n");
  refuse (8, 2, "text", SET (), "holds no numbers");
  write_file ("binary/pedeG0.bin", "0123456789");
  refuse (8, 2, "binary", SET ("kind=jungfrau", "gain=1,1,1"),
          "pedeG0.bin: has 10 bytes, expected 2, 4 or 8");
  write_file ("nogain/pedestals/0-end.data", "1 2 3 4 5 6");
  refuse (2, 1, "nogain", SET ("kind=jungfrau"), "no gains beside the pedestals");
  write_file ("nogain/pedestals/0-end.data", "1 2 3 4 5 6 7 8 9 10 11 12 13 14");
  refuse (2, 1, "nogain", SET ("unit=kev"), "expected pixel_config or detector.epix_mode");
  write_file ("broken.h5", "\x89HDF\r\n\x1a\n");
  refuse (8, 2, "broken.h5", SET (), "broken.h5: ");
  write_file ("npy/pede.npy", "\x93NUMPY\x01 of nothing");
  refuse (8, 2, "npy", SET (), "pede.npy: ");
  /* Pixels that are calibrated already. */
  g_autoptr (GError) error = NULL;
  g_auto (Case) c = { 0 };
  open_case (&c, 8, 2, "bad", SET ("unit=kev", "kind=jungfrau"));
  c.shot.type = FL_PIXEL_F32;
  g_assert_false (fl_calibration_apply (c.calibration, &c.shot, NULL, &error));
  g_assert_cmpstr (
      error->message, ==,
      "shots.h5: pixels are f32, expected the raw u16 of a jungfrau, which detector.calibration is for");
}

/* --- the real module --- */

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return x < y ? -1 : x > y;
}

/* Its authors had a map of gains; we have the mean of each: medians agree within 3 %, 95 % of the pixels within 6 %. */
static void
test_real_module (void)
{
  enum
  {
    PIXELS = 512 * 1024
  };
  g_autofree char *where = test_data ("jungfrau"), *raw = NULL, *converted = NULL;
  gsize length;
  if (where == NULL)
    return;
  g_autofree char *raw_path = g_build_filename (where, "mod5_raw0.bin", NULL),
                  *converted_path = g_build_filename (where, "mod5_conv0.bin", NULL);
  /* The folder holds the raw and the converted frame as well: their names are no constants'. */
  g_auto (Case) c = { 0 };
  open_case (&c, 1024, 512, where, SET ("kind=jungfrau", "gain=513,-17.97,-1.43", "gain_unit=adu/photon"));
  g_assert_true (g_file_get_contents (raw_path, &raw, &length, NULL));
  g_assert_cmpuint (length, ==, PIXELS * 2);
  g_assert_true (g_file_get_contents (converted_path, &converted, &length, NULL));
  g_assert_cmpuint (length, ==, PIXELS * 4);
  const guint16 *adu = (const guint16 *) (void *) raw;
  const float *photons = (const float *) (void *) converted, *value = apply (&c, FL_PIXEL_U16, adu, NULL);
  for (guint stage = 0; stage < 3; stage++)
    {
      g_autofree double *difference = g_new (double, PIXELS);
      gsize n = 0;
      for (gsize i = 0; i < PIXELS; i++)
        if (adu[i] >> 14 == (stage == 2 ? 3 : stage) && !c.shot.mask[i] && photons[i] > 5
            && value[i] < c.detector->saturation[i])
          difference[n++] = (double) (value[i] / photons[i]) - 1;
      g_assert_cmpuint (n, >=, 30);
      qsort (difference, n, sizeof *difference, compare_doubles);
      double median = difference[n / 2];
      for (gsize i = 0; i < n; i++)
        difference[i] = fabs (difference[i]);
      qsort (difference, n, sizeof *difference, compare_doubles);
      g_test_message ("gain %u: %" G_GSIZE_FORMAT " pixels, median %+.4f, 95 %% within %.4f", stage, n,
                      median, difference[n * 95 / 100]);
      g_assert_cmpfloat (fabs (median), <, 0.03);
      g_assert_cmpfloat (difference[n * 95 / 100], <, 0.06);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("fl-calibration-XXXXXX", NULL);
  g_test_add_func ("/calibration/jungfrau", test_jungfrau);
  g_test_add_func ("/calibration/photon-energy", test_photon_energy);
  g_test_add_func ("/calibration/masks", test_masks);
  g_test_add_func ("/calibration/runs", test_runs);
  g_test_add_func ("/calibration/several-detectors", test_several_detectors);
  g_test_add_func ("/calibration/arrays", test_arrays);
  g_test_add_func ("/calibration/hdf5", test_hdf5);
  g_test_add_func ("/calibration/claims", test_claims);
  g_test_add_func ("/calibration/epix10k", test_epix10k);
  g_test_add_func ("/calibration/agipd", test_agipd);
  g_test_add_func ("/calibration/agipd-source", test_agipd_source);
  g_test_add_func ("/calibration/cspad", test_cspad);
  g_test_add_func ("/calibration/median", test_median);
  g_test_add_func ("/calibration/common-mode", test_common_mode);
  g_test_add_func ("/calibration/refusals", test_refusals);
  g_test_add_func ("/calibration/real-module", test_real_module);
  int status = g_test_run ();
  g_autofree char *command = g_strdup_printf ("rm -r %s", folder);
  if (system (command) != 0)
    status = 1;
  g_free (folder);
  return status;
}
