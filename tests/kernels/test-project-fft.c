/* test-project-fft.c: peaks of projections against sums of cosines, on every device the same to the last bit. */
#include <math.h>

#include "kernels/project-fft.h"
#include "tests/kernels/on-devices.h"

enum
{
  N_SPOTS = 97,
  N_DIRECTIONS = 5 * FLK_PROJECT_TEAM,
  K_MIN = 5,
  K_MAX = FLK_PROJECT_SIZE / 2 - 2
};

static const float bin = 0.004f;

static FlkProjectPeak *
kernel_peaks (FlkDevice *device, const float *q, const float *directions)
{
  FlkBuffer buffers[4] = { { 0 } };
  float turn[FLK_PROJECT_SIZE];
  for (guint j = 0; j < FLK_PROJECT_SIZE / 2; j++)
    {
      turn[j] = (float) cos (2 * G_PI * j / FLK_PROJECT_SIZE);
      turn[FLK_PROJECT_SIZE / 2 + j] = (float) -sin (2 * G_PI * j / FLK_PROJECT_SIZE);
    }
  gsize size = N_DIRECTIONS * FLK_PROJECT_PEAKS * sizeof (FlkProjectPeak);
  FlkProjectFftArgs args = { .q = flk_stage (device, &buffers[0], q, 3 * N_SPOTS * sizeof (float)),
                             .n = N_SPOTS,
                             .direction = flk_stage (device, &buffers[1], directions,
                                                     3 * N_DIRECTIONS * sizeof (float)),
                             .n_directions = N_DIRECTIONS,
                             .bin = bin,
                             .least = 1,
                             .k_min = K_MIN,
                             .k_max = K_MAX,
                             .turn = flk_stage (device, &buffers[2], turn, sizeof turn),
                             .peaks = flk_buffer_need (device, &buffers[3], size) };
  launch (device, "project_fft", N_DIRECTIONS / FLK_PROJECT_TEAM, &args, sizeof args);
  FlkProjectPeak *peaks = fetched (device, args.peaks, size);
  for (guint i = 0; i < G_N_ELEMENTS (buffers); i++)
    flk_buffer_clear (device, &buffers[i]);
  return peaks;
}

/* S at k of one direction, of the projections as they are binned. */
static double
sum_of_cosines (const float *q, const float *directions, guint d, int k)
{
  double sum = 0;
  for (guint j = 0; j < N_SPOTS; j++)
    {
      double x = 0;
      for (guint c = 0; c < 3; c++)
        x += (double) q[c * N_SPOTS + j] * (double) directions[c * N_DIRECTIONS + d];
      sum += cos (2 * G_PI * nearbyint (x / (double) bin) * k / FLK_PROJECT_SIZE);
    }
  return sum;
}

/* Points at random, on planes for the first direction, so that one peak is known; away from the edges of bins. */
static void
fill (float *q, float *directions)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (3);
  for (guint i = 0; i < 3 * N_SPOTS; i++)
    q[i] = (float) g_rand_double_range (random, -0.4, 0.4);
  for (guint j = 0; j < N_SPOTS; j++)
    q[2 * N_SPOTS + j] = (float) g_rand_int_range (random, -12, 13) * 8 * bin;
  for (guint d = 0; d < N_DIRECTIONS; d++)
    {
      double z = d == 0 ? 1 : g_rand_double (random), phi = g_rand_double_range (random, 0, 2 * G_PI);
      directions[d] = (float) (sqrt (1 - z * z) * cos (phi));
      directions[N_DIRECTIONS + d] = (float) (sqrt (1 - z * z) * sin (phi));
      directions[2 * N_DIRECTIONS + d] = (float) z;
    }
}

static void
test_peaks (FlkDevice *device)
{
  float q[3 * N_SPOTS], directions[3 * N_DIRECTIONS];
  fill (q, directions);
  g_autofree FlkProjectPeak *peaks = kernel_peaks (device, q, directions);
  g_assert_cmpfloat (fabs (peaks[0].k - 64), <, 0.01);
  g_assert_cmpfloat (fabs (peaks[0].score - N_SPOTS), <, 0.01);
  guint checked = 0;
  for (guint d = 0; d < N_DIRECTIONS; d++)
    {
      double best = 0, place = 0;
      for (int k = K_MIN; k <= K_MAX; k++)
        {
          double left = sum_of_cosines (q, directions, d, k - 1), here = sum_of_cosines (q, directions, d, k);
          double right = sum_of_cosines (q, directions, d, k + 1), curve = left - 2 * here + right;
          double shift = 0.5 * (left - right) / curve, top = here + 0.25 * (right - left) * shift;
          if (here > left && here >= right && top > best)
            {
              best = top;
              place = k + shift;
            }
        }
      const FlkProjectPeak *peak = &peaks[d * FLK_PROJECT_PEAKS];
      g_assert_cmpfloat (peak[0].score, >=, peak[1].score);
      /* A projection at the edge of a bin may be counted in the next one. */
      checked += fabs (peak[0].score - best) < 1e-3 && fabs (peak[0].k - place) < 1e-3;
    }
  g_test_message ("%u of %u directions", checked, (guint) N_DIRECTIONS);
  g_assert_cmpuint (checked, >=, N_DIRECTIONS * 95 / 100);
}

static void
test_bits (FlkDevice *device)
{
  float q[3 * N_SPOTS], directions[3 * N_DIRECTIONS];
  gsize size = N_DIRECTIONS * FLK_PROJECT_PEAKS * sizeof (FlkProjectPeak);
  fill (q, directions);
  FlkDevice *plain = flk_device_open ("cpu", 0, 1, NULL, 0);
  if (plain == NULL)
    {
      g_test_skip ("no CPU module to compare with");
      return;
    }
  g_autofree FlkProjectPeak *here = kernel_peaks (device, q, directions),
                            *there = kernel_peaks (plain, q, directions);
  assert_same (here, size, there, size);
  flk_device_close (plain);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  on_devices ("/project-fft/peaks", test_peaks);
  on_devices ("/project-fft/bits", test_bits);
  on_devices_launched ("project_fft");
  return g_test_run ();
}
