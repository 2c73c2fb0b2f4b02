/* test-calibration-kinds.c: the other kinds of detectors by closed forms; common mode. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/shots/calibration-constants.h"
#include "tests/shots/calibration-case.h"

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

int
main (int argc, char **argv)
{
  static const CalibrationTest tests[] = {
    { "/calibration/epix10k", test_epix10k },
    { "/calibration/agipd", test_agipd },
    { "/calibration/agipd-source", test_agipd_source },
    { "/calibration/cspad", test_cspad },
    { "/calibration/median", test_median },
    { "/calibration/common-mode", test_common_mode },
    { 0 },
  };
  return calibration_run (argc, argv, tests);
}
