/* test-fft.c: the transform against sums of exponentials and known transforms; the same bits on every device. */
#include <math.h>
#include <string.h>

#include "kernels/fft.h"
#include "tests/kernels/on-devices.h"

/* Volume of uniform random parts in double, of which a float one is made. */
static double *
volume_new (const guint32 n[3], guint32 seed)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  gsize count = (gsize) n[0] * n[1] * n[2] * 2;
  double *volume = g_new (double, count);
  for (gsize i = 0; i < count; i++)
    volume[i] = (double) (float) g_rand_double_range (random, -1, 1);
  return volume;
}

/* The transform on a device, of a copy; always given back as double. */
static double *
transformed (FlkDevice *device, const double *volume, const guint32 n[3], FlkPrecision precision,
             gboolean inverse)
{
  gsize count = (gsize) n[0] * n[1] * n[2] * 2, one = precision == FLK_F32 ? sizeof (float) : sizeof (double);
  g_autofree float *narrow = g_new (float, count);
  for (gsize i = 0; i < count; i++)
    narrow[i] = (float) volume[i];
  FlkFft *fft = flk_fft_new (device, n, precision);
  g_assert_nonnull (fft);
  gpointer memory = flk_alloc (device, count * one);
  g_assert_true (
      flk_upload (device, memory, precision == FLK_F32 ? (gconstpointer) narrow : volume, count * one));
  g_assert_true (flk_fft_run (fft, memory, inverse));
  gpointer result = fetched (device, memory, count * one);
  flk_free (device, memory);
  flk_fft_free (fft);
  if (precision == FLK_F64)
    return result;
  double *wide = g_new (double, count);
  for (gsize i = 0; i < count; i++)
    wide[i] = (double) ((float *) result)[i];
  g_free (result);
  return wide;
}

/* One axis after the other by sums. */
static double *
naive (const double *volume, const guint32 n[3], gboolean inverse)
{
  gsize count = (gsize) n[0] * n[1] * n[2], stride = 1;
  double *now = g_memdup2 (volume, count * 2 * sizeof (double));
  for (guint axis = 0; axis < 3; stride *= n[axis++])
    {
      double *next = g_new0 (double, count * 2);
      for (gsize i = 0; i < count; i++)
        {
          gsize k = i / stride % n[axis], first = i - k * stride;
          for (gsize j = 0; j < n[axis]; j++)
            {
              double angle = (inverse ? 2 : -2) * G_PI * (double) (j * k % n[axis]) / n[axis];
              const double *x = now + 2 * (first + j * stride);
              next[2 * i] += x[0] * cos (angle) - x[1] * sin (angle);
              next[2 * i + 1] += x[0] * sin (angle) + x[1] * cos (angle);
            }
        }
      g_free (now);
      now = next;
    }
  return now;
}

static double
relative_error (const double *a, const double *b, gsize count)
{
  double off = 0, all = 0;
  for (gsize i = 0; i < count; i++)
    {
      off += (a[i] - b[i]) * (a[i] - b[i]);
      all += b[i] * b[i];
    }
  return sqrt (off / all);
}

static const guint32 sizes[][3] = { { 8, 8, 8 },   { 2, 3, 5 },   { 30, 4, 9 }, { 15, 27, 25 },
                                    { 640, 2, 3 }, { 3, 512, 2 }, { 11, 0, 0 }, { 5, 6, 486 } };

static void
test_sums (FlkDevice *device)
{
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    if (sizes[i][1] == 0)
      g_assert_null (flk_fft_new (device, (guint32[3]){ 2, 2, sizes[i][0] }, FLK_F32));
    else
      for (guint inverse = 0; inverse < 2; inverse++)
        {
          gsize count = (gsize) sizes[i][0] * sizes[i][1] * sizes[i][2] * 2;
          g_autofree double *volume = volume_new (sizes[i], i), *sums = naive (volume, sizes[i], inverse > 0);
          for (FlkPrecision precision = FLK_F32; precision <= FLK_F64; precision++)
            {
              g_autofree double *fast = transformed (device, volume, sizes[i], precision, inverse > 0);
              double error = relative_error (fast, sums, count);
              g_test_message ("%u x %u x %u: %g", sizes[i][0], sizes[i][1], sizes[i][2], error);
              g_assert_cmpfloat (error, <, precision == FLK_F32 ? 4e-7 : 1e-14);
            }
        }
}

/* A wave becomes one peak, there and back is n times the same. */
static void
test_known (FlkDevice *device)
{
  const guint32 n[3] = { 20, 18, 16 }, k[3] = { 3, 17, 9 };
  const guint count = 20 * 18 * 16;
  g_autofree double *wave = g_new (double, 2 * count);
  for (guint i = 0; i < count; i++)
    {
      double angle = 2 * G_PI
                     * ((double) (i % 20 * k[0]) / 20 + (double) (i / 20 % 18 * k[1]) / 18
                        + (double) (i / 360 * k[2]) / 16);
      wave[2 * i] = cos (angle);
      wave[2 * i + 1] = sin (angle);
    }
  g_autofree double *peak = transformed (device, wave, n, FLK_F64, FALSE);
  for (guint i = 0; i < count; i++)
    {
      double expected = i == (k[2] * 18 + k[1]) * 20 + k[0] ? count : 0;
      g_assert_cmpfloat (hypot (peak[2 * i] - expected, peak[2 * i + 1]), <, 1e-9);
    }
  g_autofree double *back = transformed (device, peak, n, FLK_F64, TRUE);
  for (guint i = 0; i < 2 * count; i++)
    g_assert_cmpfloat (fabs (back[i] / count - wave[i]), <, 1e-13);
}

static void
test_bits (FlkDevice *device)
{
  FlkDevice *plain = flk_device_open ("cpu", 0, 1, NULL, 0);
  if (plain == NULL)
    {
      g_test_skip ("no CPU module to compare with");
      return;
    }
  const guint32 n[3] = { 30, 36, 20 };
  gsize size = 30 * 36 * 20 * 2 * sizeof (double);
  g_autofree double *volume = volume_new (n, 5);
  for (FlkPrecision precision = FLK_F32; precision <= FLK_F64; precision++)
    {
      g_autofree double *here = transformed (device, volume, n, precision, FALSE),
                        *there = transformed (plain, volume, n, precision, FALSE);
      assert_same (here, size, there, size);
    }
  flk_device_close (plain);
}

static void
test_good_size (void)
{
  g_assert_cmpuint (flk_fft_good_size (1), ==, 2);
  g_assert_cmpuint (flk_fft_good_size (14), ==, 16);
  g_assert_cmpuint (flk_fft_good_size (255), ==, 256);
  g_assert_cmpuint (flk_fft_good_size (325), ==, 360);
  g_assert_cmpuint (flk_fft_good_size (641), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fft/good-size", test_good_size);
  on_devices ("/fft/sums", test_sums);
  on_devices ("/fft/known", test_known);
  on_devices ("/fft/bits", test_bits);
  on_devices_launched ("fft_f32 fft_f64");
  return g_test_run ();
}
