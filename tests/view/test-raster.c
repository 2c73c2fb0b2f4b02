/* A raster in few bytes: what comes back is within an eighth of its noise, or exact; damaged bytes are refused. */

#include "engine/view/raster-codec.h"

#include <float.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"

#define WIDTH  203u
#define HEIGHT 117u

static guint
poisson (FlRandom *random, double mean)
{
  if (mean > 60)
    {
      double r = sqrt (-2 * log (1 - fl_random_unit (random))), a = 2 * G_PI * fl_random_unit (random);
      return (guint) fmax (0, floor (mean + sqrt (mean) * r * cos (a) + 0.5));
    }
  double limit = exp (-mean), product = fl_random_unit (random);
  guint n = 0;
  for (; product > limit; n++)
    product *= fl_random_unit (random);
  return n;
}

/* A background that falls off from the middle, with spots: mean photons of a detector pixel. */
static double
scene (double x, double y, double background)
{
  double r2 = x * x + y * y, spot = 0;
  double fx = x * 9 - floor (x * 9) - 0.5, fy = y * 9 - floor (y * 9) - 0.5;
  spot = 300 * background * exp (-(fx * fx + fy * fy) * 400);
  return background * exp (-3 * r2) + spot;
}

/* Means of `k` pixels each, `photon` counts a photon. */
static float *
make_image (guint width, guint height, double background, guint k, double photon, guint64 seed)
{
  FlRandom random = fl_random (seed);
  float *raster = g_new (float, (gsize) width *height);
  for (guint j = 0; j < height; j++)
    for (guint i = 0; i < width; i++)
      {
        double mean = scene (2.0 * i / width - 1, 2.0 * j / height - 1, background), sum = 0;
        for (guint n = 0; n < k; n++)
          sum += photon * poisson (&random, mean);
        raster[j * width + i] = (float) (sum / k);
      }
  return raster;
}

/* Panels apart, lines and single pixels that are bad. */
static void
cut_out (float *raster, guint width, guint height, guint64 seed)
{
  FlRandom random = fl_random (seed);
  for (guint j = 0; j < height; j++)
    for (guint i = 0; i < width; i++)
      {
        float *v = &raster[j * width + i];
        if (i % 67 < 4 || j % 43 < 3)
          *v = NAN;
        else if (i % 31 == 0 || fl_random_unit (&random) < 0.003)
          *v = -INFINITY;
      }
}

static float *
through (const float *raster, guint width, guint height, double photon, double pixels, gsize *bytes)
{
  g_autoptr (GError) error = NULL;
  float *back = g_new (float, (gsize) width *height);
  g_autoptr (GBytes) packed = fl_raster_pack (raster, width, height, photon, pixels);
  gconstpointer data = g_bytes_get_data (packed, bytes);
  g_assert_true (fl_raster_unpack (data, *bytes, width, height, back, &error));
  g_assert_no_error (error);
  return back;
}

/* `q`: a photon's share; `read_out`: r.m.s. noise beside it. 0 and 0: exact. */
static void
assert_close (const float *a, const float *b, gsize n, double q, double read_out)
{
  double worst = 0;
  for (gsize i = 0; i < n; i++)
    {
      if (!isfinite (a[i]))
        {
          g_assert_true (isnan (a[i]) ? isnan (b[i]) : isinf (b[i]) && b[i] < 0);
          continue;
        }
      double sigma = sqrt (q * fmax ((double) a[i], q) + read_out * read_out);
      double wrong = fabs ((double) b[i] - (double) a[i]);
      if (q == 0)
        g_assert_cmpfloat (b[i], ==, a[i]);
      else
        worst = fmax (worst, wrong / sigma);
    }
  g_assert_cmpfloat (worst, <=, 0.125);
}

static void
test_photons (void)
{
  static const struct
  {
    double background, photon;
    guint k;
  } cases[] = { { 0.05, 1, 6 },  { 0.7, 1, 6 }, { 12, 1, 6 },   { 900, 1, 4 },
                { 30000, 1, 1 }, { 3, 140, 6 }, { 0.3, 140, 3 } };
  for (guint c = 0; c < G_N_ELEMENTS (cases); c++)
    for (int gaps = 0; gaps < 2; gaps++)
      {
        gsize bytes;
        g_autofree float *a =
            make_image (WIDTH, HEIGHT, cases[c].background, cases[c].k, cases[c].photon, c + 1);
        if (gaps)
          cut_out (a, WIDTH, HEIGHT, c);
        g_autofree float *b = through (a, WIDTH, HEIGHT, cases[c].photon, cases[c].k, &bytes);
        assert_close (a, b, WIDTH * HEIGHT, cases[c].photon / cases[c].k, 0);
        g_test_message ("%.2g photons of %g counts, mean of %u pixels: %.2f bits a pixel",
                        cases[c].background, cases[c].photon, cases[c].k,
                        8.0 * (double) bytes / (WIDTH * HEIGHT));
      }
}

/* One detector pixel each: exact, also where each is shown as many. */
static void
test_exact (void)
{
  for (guint times = 1; times <= 5; times += 2)
    {
      gsize bytes;
      g_autofree float *small = make_image (WIDTH, HEIGHT, 40, 1, 1, 9);
      g_autofree float *a = g_new (float, WIDTH *HEIGHT);
      cut_out (small, WIDTH, HEIGHT, 2);
      small[WIDTH + 8] = 16000000;
      small[WIDTH + 9] = -16000000;
      for (guint j = 0; j < HEIGHT; j++)
        for (guint i = 0; i < WIDTH; i++)
          a[j * WIDTH + i] = small[j / times * WIDTH + i / times];
      g_autofree float *b = through (a, WIDTH, HEIGHT, 1, 0, &bytes);
      assert_close (a, b, WIDTH * HEIGHT, 0, 0);
    }
}

static void
test_read_out (void)
{
  gsize bytes;
  FlRandom random = fl_random (4);
  g_autofree float *a = make_image (WIDTH, HEIGHT, 2, 1, 513, 11);
  for (gsize i = 0; i < WIDTH * HEIGHT; i++)
    for (int k = 0; k < 12; k++)
      a[i] += (float) (60 * (fl_random_unit (&random) - 0.5));
  cut_out (a, WIDTH, HEIGHT, 1);
  g_autofree float *b = through (a, WIDTH, HEIGHT, 513, 1, &bytes);
  /* It is known from the picture alone, to a tenth. */
  assert_close (a, b, WIDTH * HEIGHT, 513, 66);
  g_assert_cmpuint (bytes, <, WIDTH * HEIGHT);
}

/* Values in units of their own, of which nobody has told how many a photon is. */
static void
test_units (void)
{
  for (double unit = 1e-9; unit < 1; unit *= 100)
    {
      gsize bytes;
      g_autofree float *a = make_image (WIDTH, HEIGHT, 25, 4, 1, 3);
      for (gsize i = 0; i < WIDTH * HEIGHT; i++)
        a[i] = (float) (unit * (double) a[i]);
      g_autofree float *b = through (a, WIDTH, HEIGHT, 1, 4, &bytes);
      assert_close (a, b, WIDTH * HEIGHT, unit, 0);
      g_assert_cmpuint (bytes, <, WIDTH * HEIGHT * 2);
    }
}

static void
test_odd (void)
{
  static const guint sizes[][2] = { { 1, 1 }, { 1, 300 }, { 300, 1 }, { 17, 16 }, { 2, 33 } };
  static const float values[] = { 0,      1,       -1,       NAN,     -INFINITY, INFINITY,    0.1f,
                                  1e-30f, FLT_MAX, -FLT_MAX, FLT_MIN, 1e10f,     16777217.0f, -0.5f };
  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (guint v = 0; v < G_N_ELEMENTS (values); v++)
      for (int mixed = 0; mixed < 2; mixed++)
        for (int pixels = 0; pixels < 3; pixels++)
          {
            gsize bytes, n = (gsize) sizes[s][0] * sizes[s][1];
            g_autofree float *a = g_new (float, n);
            for (gsize i = 0; i < n; i++)
              a[i] = mixed ? values[(i + v) % G_N_ELEMENTS (values)] : values[v];
            g_autofree float *b = through (a, sizes[s][0], sizes[s][1], 1, pixels, &bytes);
            for (gsize i = 0; i < n; i++)
              if (isinf (a[i]) && a[i] > 0)
                g_assert_true (isnan (b[i]));
              else if (!isfinite (a[i]))
                g_assert_true (isnan (a[i]) == isnan (b[i]));
              else
                g_assert_cmpfloat (fabs ((double) a[i] - (double) b[i]), <=,
                                   0.125 * sqrt (fmax (1, fabs ((double) a[i]))));
          }
}

static void
test_damaged (void)
{
  gsize length;
  guint refused = 0;
  FlRandom random = fl_random (8);
  g_autofree float *a = make_image (WIDTH, HEIGHT, 3, 6, 1, 5), *out = g_new (float, WIDTH *HEIGHT);
  cut_out (a, WIDTH, HEIGHT, 3);
  g_autoptr (GBytes) packed = fl_raster_pack (a, WIDTH, HEIGHT, 1, 6);
  const guint8 *good = g_bytes_get_data (packed, &length);
  for (guint round = 0; round < 4000; round++)
    {
      g_autofree guint8 *bytes = g_memdup2 (good, length);
      g_autoptr (GError) error = NULL;
      gsize n = round % 5 == 0 ? (gsize) (fl_random_u64 (&random) % length) : length;
      for (guint k = 0; k < 1 + round % 3; k++)
        bytes[fl_random_u64 (&random) % (round % 2 ? 60 : length)] ^=
            (guint8) (1u << fl_random_u64 (&random) % 8);
      gboolean taken = fl_raster_unpack (bytes, n, WIDTH, HEIGHT, out, &error);
      g_assert_true (taken == (error == NULL));
      refused += !taken;
    }
  g_assert_cmpuint (refused, >, 3000);
  g_assert_false (fl_raster_unpack (good, length, WIDTH + 1, HEIGHT, out, NULL));
}

static double
cpu_ms (void)
{
  struct timespec t;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t);
  return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

/* 1 Mpx; told, not judged: the machine is shared. */
static void
test_speed (void)
{
  static const double backgrounds[] = { 0.02, 1, 10 };
  for (guint c = 0; c < G_N_ELEMENTS (backgrounds); c++)
    {
      g_autofree float *a = make_image (1024, 1024, backgrounds[c], 4, 1, 1), *b = g_new (float, 1 << 20);
      cut_out (a, 1024, 1024, 1);
      double pack = INFINITY, unpack = INFINITY;
      gsize length = 0;
      for (int i = 0; i < 5; i++)
        {
          double begin = cpu_ms ();
          g_autoptr (GBytes) packed = fl_raster_pack (a, 1024, 1024, 1, 4);
          double packed_at = cpu_ms ();
          gconstpointer bytes = g_bytes_get_data (packed, &length);
          g_assert_true (fl_raster_unpack (bytes, length, 1024, 1024, b, NULL));
          pack = fmin (pack, packed_at - begin);
          unpack = fmin (unpack, cpu_ms () - packed_at);
        }
      g_test_message ("1 Mpx, %g photons: %.0f kB, packed in %.1f ms, unpacked in %.1f ms CPU",
                      backgrounds[c], (double) length / 1e3, pack, unpack);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/view/raster/photons", test_photons);
  g_test_add_func ("/view/raster/exact", test_exact);
  g_test_add_func ("/view/raster/read-out", test_read_out);
  g_test_add_func ("/view/raster/units", test_units);
  g_test_add_func ("/view/raster/odd", test_odd);
  g_test_add_func ("/view/raster/damaged", test_damaged);
  g_test_add_func ("/view/raster/speed", test_speed);
  return g_test_run ();
}
