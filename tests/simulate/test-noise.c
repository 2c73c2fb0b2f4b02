/* Random numbers against their distributions: orientations, normal deviates, background. */

#include <glib.h>
#include <math.h>

#include "engine/simulate/background.h"
#include "engine/simulate/noise.h"
#include "engine/simulate/sfx.h"

static void
test_orientations_are_uniform (void)
{
  /* Of a uniform rotation every element has mean 0 and mean square 1/3, and the angle the density (1 − cos ω)/π. */
  enum
  {
    N = 100000,
    BINS = 20
  };
  FlRandom random = fl_random (1);
  double sum[9] = { 0 }, square[9] = { 0 };
  guint angles[BINS] = { 0 };
  for (int n = 0; n < N; n++)
    {
      FlQuat q = fl_random_orientation (&random);
      g_assert_cmpfloat (fabs (q.w * q.w + q.x * q.x + q.y * q.y + q.z * q.z - 1), <, 1e-12);
      FlMat3 r = fl_mat3_from_quat (q);
      for (int i = 0; i < 9; i++)
        {
          sum[i] += r.m[i / 3][i % 3];
          square[i] += r.m[i / 3][i % 3] * r.m[i / 3][i % 3];
        }
      double angle = 2 * acos (MIN (1, fabs (q.w))), share = (angle - sin (angle)) / G_PI;
      angles[MIN ((int) (share * BINS), BINS - 1)]++;
    }
  for (int i = 0; i < 9; i++)
    {
      g_assert_cmpfloat (fabs (sum[i] / N), <, 5 * sqrt (1.0 / 3 / N));
      g_assert_cmpfloat (fabs (square[i] / N - 1.0 / 3), <, 5 * sqrt (4.0 / 45 / N));
    }
  double chi2 = 0;
  for (int i = 0; i < BINS; i++)
    chi2 += pow (angles[i] - N / (double) BINS, 2) / (N / (double) BINS);
  g_assert_cmpfloat (chi2, <, 50); /* 19 degrees of freedom: exceeded once in 10⁴ */
}

static void
test_normal_deviates (void)
{
  enum
  {
    N = 4000000,
    BINS = 60
  };
  FlRandom random = fl_random (2);
  guint bins[BINS] = { 0 }, beyond = 0;
  for (int n = 0; n < N; n++)
    {
      double x = fl_random_normal_fast (&random);
      bins[CLAMP ((int) floor (x * 10) + BINS / 2, 0, BINS - 1)]++;
      beyond += fabs (x) > 4;
    }
  double chi2 = 0;
  for (int i = 0; i < BINS; i++)
    {
      double low = i == 0 ? -40 : (i - BINS / 2) * 0.1, high = i == BINS - 1 ? 40 : (i + 1 - BINS / 2) * 0.1;
      double expected = N * 0.5 * (erfc (-high / G_SQRT2) - erfc (-low / G_SQRT2));
      chi2 += pow (bins[i] - expected, 2) / expected;
    }
  double tail = N * erfc (4 / G_SQRT2);
  g_test_message ("χ² %.1f of 59; beyond 4 σ %u, expected %.1f", chi2, beyond, tail);
  g_assert_cmpfloat (chi2, <, 110);
  g_assert_cmpfloat (fabs (beyond - tail), <, 5 * sqrt (tail));
}

/* Counts of all pixels together against the mixture of Poisson distributions of their means, and the sum of all. */
static void
check_background (double level, double scale)
{
  enum
  {
    SHOTS = 6,
    COUNTS = 400
  };
  g_autoptr (FlParams) params = fl_params_new ();
  g_assert_true (fl_params_set (params, "simulate.beam_stop", "0", NULL));
  g_assert_true (fl_params_set (params, "simulate.bad_fraction", "0", NULL));
  g_autoptr (FlDetectorLayout) layout = fl_detector_layout_new (params, NULL);
  g_autoptr (FlBackground) background =
      fl_background_new (layout, 1.333, level, FL_POLARISATION_HORIZONTAL, 3);
  gsize n = layout->detector->n_pixels;
  g_autofree float *mean = g_new (float, n);
  g_autofree guint16 *photons = g_new (guint16, n);
  g_autofree double *found = g_new0 (double, COUNTS), *expected = g_new0 (double, COUNTS);
  fl_background_mean (background, mean);
  double sum = 0, expected_sum = 0, chi2 = 0, pixel_chi2 = 0;
  FlRandom random = fl_random (4);
  for (int s = 0; s < SHOTS; s++)
    {
      fl_background_draw (background, scale, &random, photons);
      for (gsize i = 0; i < n; i++)
        {
          double m = scale * (double) mean[i];
          found[MIN (photons[i], COUNTS - 1)]++;
          sum += photons[i];
          pixel_chi2 += (photons[i] - m) * (photons[i] - m) / m;
        }
    }
  for (gsize i = 0; i < n; i += 16)
    {
      double m = scale * (double) mean[i], p = exp (-m);
      for (int c = 0; c < COUNTS; p *= m / ++c)
        expected[c] += 16 * SHOTS * p;
    }
  for (gsize i = 0; i < n; i++)
    expected_sum += SHOTS * scale * (double) mean[i];
  guint bins = 0;
  for (int c = 0; c < COUNTS; c++)
    if (expected[c] > 100)
      {
        chi2 += pow (found[c] - expected[c], 2) / (expected[c] * 1.0 + 2e-6 * expected[c] * expected[c]);
        bins++;
      }
  g_test_message ("level %g × %g: sum off by %.2f σ; a pixel's χ² %.5f; counts' χ² %.1f of %u", level, scale,
                  (sum - expected_sum) / sqrt (expected_sum), pixel_chi2 / ((double) n * SHOTS), chi2, bins);
  g_assert_cmpfloat (fabs (sum - expected_sum), <, 5 * sqrt (expected_sum));
  g_assert_cmpfloat (fabs (pixel_chi2 / ((double) n * SHOTS) - 1), <, 0.01);
  g_assert_cmpfloat (chi2, <, bins + 6 * sqrt (2.0 * bins));
}

static void
test_background_is_poisson (void)
{
  check_background (0.02, 1);
  check_background (1, 1.3);
  check_background (40, 0.8);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/simulate/noise/orientations-are-uniform", test_orientations_are_uniform);
  g_test_add_func ("/simulate/noise/normal-deviates", test_normal_deviates);
  g_test_add_func ("/simulate/noise/background-is-poisson", test_background_is_poisson);
  return g_test_run ();
}
