/* test-calibration.c: a Jungfrau's raw pixels to photons and keV by closed forms, its masks; a real module as its authors
 * converted it; what is wrong with constants is told in a line. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/shots/calibration-case.h"
#include "tests/shots/data.h"

/* --- jungfrau --- */

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
  static const CalibrationTest tests[] = {
    { "/calibration/jungfrau", test_jungfrau },
    { "/calibration/photon-energy", test_photon_energy },
    { "/calibration/masks", test_masks },
    { "/calibration/refusals", test_refusals },
    { "/calibration/real-module", test_real_module },
    { 0 },
  };
  return calibration_run (argc, argv, tests);
}
