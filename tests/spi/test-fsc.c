/* Fourier shell correlation: closed forms, a direct sum, the bounds' coverage. */
#include <complex.h>
#include <math.h>

#include "engine/base/hash.h"
#include "engine/spi/fsc.h"

static FlVolume *
noise (guint m, guint64 seed)
{
  FlVolume *v = fl_volume_new (m, 3);
  FlRandom random = fl_random (seed);
  for (gsize i = 0; i < fl_volume_points (v); i++)
    v->data[i] = (float) fl_random_normal (&random);
  return v;
}

static FlFsc *
make (const FlVolume *a, const FlVolume *b, FlFscKind kind)
{
  g_autoptr (GError) error = NULL;
  FlFsc *fsc = fl_fsc_new (a, b, kind, 0, &error);
  g_assert_no_error (error);
  return fsc;
}

/* a + c·noise against a: 1 / √(1 + c²) in every shell; itself: 1. */
static void
test_noise (void)
{
  g_autoptr (FlVolume) a = noise (31, 1), b = noise (31, 2);
  for (gsize i = 0; i < fl_volume_points (a); i++)
    b->data[i] = a->data[i] + 2 * b->data[i];
  g_autoptr (FlFsc) same = make (a, a, FL_FSC_DENSITY);
  g_autoptr (FlFsc) fsc = make (a, b, FL_FSC_DENSITY);
  g_assert_cmpuint (fsc->n, ==, 16);
  g_assert_cmpfloat_with_epsilon (fsc->step, 1 / (32 * 3.0), 1e-12);
  for (guint i = 1; i < fsc->n; i++)
    {
      g_assert_cmpfloat_with_epsilon (same->value[i], 1, 1e-6);
      g_assert_cmpfloat (fabs (fsc->value[i] - 1 / sqrt (5)), <, 4.5 / sqrt (2 * fsc->independent[i]));
    }
  FlFscCrossing none = fl_fsc_crossing (same, 0.5, 0);
  g_assert_false (none.crossed);
  g_assert_cmpfloat_with_epsilon (none.s, 15 * fsc->step, 1e-12);
}

/* Shell by shell from transforms summed directly. */
static void
test_direct (void)
{
  g_autoptr (FlVolume) a = noise (5, 3), b = noise (5, 4);
  g_autoptr (FlFsc) fsc = make (a, b, FL_FSC_DENSITY);
  int n = 6; /* the padded side */
  double both[3] = { 0 }, one[3] = { 0 }, other[3] = { 0 };
  g_assert_cmpuint (fsc->n, ==, 3);
  for (int k = 0; k < n * n * n; k++)
    {
      int kx = k % n - 3, ky = k / n % n - 3, kz = k / (n * n) - 3,
          shell = (int) (sqrt (kx * kx + ky * ky + kz * kz) + 0.5);
      double complex f = 0, g = 0;
      if (shell > 2)
        continue;
      for (int i = 0; i < 125; i++)
        {
          double turns = (kx * (i % 5 - 2) + ky * (i / 5 % 5 - 2) + kz * (i / 25 - 2)) / (double) n;
          f += a->data[i] * cexp (-2 * G_PI * I * turns);
          g += b->data[i] * cexp (-2 * G_PI * I * turns);
        }
      both[shell] += creal (f * conj (g));
      one[shell] += creal (f * conj (f));
      other[shell] += creal (g * conj (g));
    }
  for (int i = 0; i < 3; i++)
    g_assert_cmpfloat_with_epsilon (fsc->value[i], both[i] / sqrt (one[i] * other[i]), 1e-5);
}

/* Autocorrelations that are round and of nothing in common but their radial means: 0. */
static void
test_intensity (void)
{
  g_autoptr (FlVolume) a = noise (31, 5), b = noise (31, 6);
  for (int k = 0; k < 2; k++)
    {
      FlVolume *v = k ? b : a;
      for (gsize i = 0; i < fl_volume_points (v) / 2; i++) /* even */
        v->data[fl_volume_points (v) - 1 - i] = v->data[i];
      v->data[fl_volume_points (v) / 2] += 5000;
    }
  g_autoptr (FlFsc) plain = make (a, b, FL_FSC_DENSITY);
  g_autoptr (FlFsc) fsc = make (a, b, FL_FSC_INTENSITY);
  for (guint i = 3; i < fsc->n; i++)
    {
      g_assert_cmpfloat (plain->value[i], >, 0.9);
      g_assert_cmpfloat (fabs (fsc->value[i]), <, 4.5 / sqrt (2 * fsc->independent[i]));
    }
}

static FlFsc
curve (double *value, double *independent, guint n)
{
  return (FlFsc){ .n = n, .step = 0.01, .value = value, .independent = independent };
}

/* The first fall counts, linearly, and not what comes later or before s_least. */
static void
test_first (void)
{
  double value[] = { 1, 0.3, 0.9, 0.8, 0.4, 0.7, 0.1 }, independent[] = { 1e9, 1e9, 1e9, 1e9, 1e9, 1e9, 1e9 };
  FlFsc fsc = curve (value, independent, 7);
  FlFscCrossing c = fl_fsc_crossing (&fsc, 0.5, 0.015);
  g_assert_true (c.crossed);
  g_assert_cmpfloat_with_epsilon (c.s, 0.0375, 1e-9);
  g_assert_cmpfloat_with_epsilon (c.low, c.s, 1e-5);
  g_assert_cmpfloat_with_epsilon (c.high, c.s, 1e-5);
  c = fl_fsc_crossing (&fsc, 0.5, 0);
  g_assert_cmpfloat_with_epsilon (c.s, 0.01, 1e-9);
}

/* A falling curve measured 400 times with the errors that it claims: the truth lies between the bounds in about 90 %. */
static void
test_bounds (void)
{
  enum
  {
    N = 20
  };
  FlRandom random = fl_random (11);
  guint covered = 0;
  double truth = 0;
  for (guint trial = 0; trial < 400; trial++)
    {
      double value[N], independent[N], real[N];
      for (guint i = 0; i < N; i++)
        {
          independent[i] = 1 + 2 * i * i * 0.3;
          real[i] = 1 / (1 + exp ((i - 11.3) / 1.5));
          value[i] =
              tanh (atanh (MIN (real[i], 0.9999)) + fl_random_normal (&random) / sqrt (2 * independent[i]));
        }
      FlFsc fsc = curve (value, independent, N);
      FlFscCrossing c = fl_fsc_crossing (&fsc, 0.5, 0);
      truth = 0.113;
      covered += c.low <= truth && truth <= c.high;
      g_assert_cmpfloat (c.low, <=, c.s);
      g_assert_cmpfloat (c.s, <=, c.high);
    }
  g_test_message ("crossing at %.3f between its bounds in %u of 400", truth, covered);
  g_assert_cmpuint (covered, >=, 344);
  g_assert_cmpuint (covered, <=, 396);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/spi/fsc/noise", test_noise);
  g_test_add_func ("/spi/fsc/direct", test_direct);
  g_test_add_func ("/spi/fsc/intensity", test_intensity);
  g_test_add_func ("/spi/fsc/first", test_first);
  g_test_add_func ("/spi/fsc/bounds", test_bounds);
  return g_test_run ();
}
