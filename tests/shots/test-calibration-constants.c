/* test-calibration-constants.c: every place that constants lie in. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "tests/shots/calibration-case.h"

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

int
main (int argc, char **argv)
{
  static const CalibrationTest tests[] = {
    { "/calibration/runs", test_runs },     { "/calibration/several-detectors", test_several_detectors },
    { "/calibration/arrays", test_arrays }, { "/calibration/hdf5", test_hdf5 },
    { "/calibration/claims", test_claims }, { 0 },
  };
  return calibration_run (argc, argv, tests);
}
