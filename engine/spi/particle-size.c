#include "engine/spi/particle-size.h"

#include <stdlib.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/spi/pair-power.h"

#define SAMPLE       3000 /* patterns */
#define LEVEL        0.01 /* of the maximum: where the particle is said to end … */
#define BEYOND       1.24 /* … and how much further it reaches */
#define SIGMA        5.0
#define MEDIAN_SIGMA 0.6745
#define LEVEL_MOST   0.1 /* noise that would need more than this tells nothing */
#define STEPS        4   /* of x in 1 / (2 s_most) */

/* The same patterns whatever the number of ranks. */
static gboolean
is_chosen (guint64 id, double share)
{
  FlRandom random = fl_random (id ^ 0x73697a65ull);
  return share >= 1 || fl_random_unit (&random) < share;
}

/* Into the mean, or, where `pairs` is not NULL, into the pairs. */
static void
add_sample (FlPairPower *power, const FlPatterns *patterns, double share, guint64 *pairs)
{
  guint64 longest = 1;
  for (guint i = 0; i < patterns->n; i++)
    longest = MAX (longest, patterns->start[i + 1] - patterns->start[i]);
  g_autofree guint32 *pixel = g_new (guint32, longest), *count = g_new (guint32, longest);
  for (guint i = 0; i < patterns->n; i++)
    {
      guint64 total;
      if (!is_chosen (patterns->id[i], share))
        continue;
      guint n = fl_pair_power_take (patterns, i, pixel, count, &total);
      if (pairs != NULL)
        fl_pair_power_add_pairs (power, n, pixel, count, pairs);
      else
        fl_pair_power_add_mean (power, n, pixel, count, total);
    }
}

/* Takes the mean's own pairs off: those of Σ_d |k_d − K_d μ|². */
static void
correlate (const FlPairPower *power, const guint64 *pairs, double *correlation)
{
  g_autofree double *mean = g_new (double, FL_PAIR_BINS), *scaled = g_new (double, FL_PAIR_BINS);
  double square = (double) power->sums[2 * power->n_shells + 1];
  fl_pair_power_mean_pairs (power, mean, scaled);
  for (guint b = 0; b < FL_PAIR_BINS; b++)
    correlation[b] = (double) pairs[b] - scaled[b] + square * mean[b];
}

/* The mean power at the distance x (Å) in the transforms. */
static double
power_at (const FlPairPower *power, const double *correlation, double x)
{
  double sum = 0;
  for (guint b = 0; b < FL_PAIR_BINS; b++)
    sum += correlation[b] * j0 (2 * FL_PI * b * power->bin * x);
  return sum;
}

static int
by_size (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* The last place above the level and the noise; 0: none. Noise is what there is further out than a particle could be
 * resolved (a median: pixels leave marks there); it falls with the square root of the number of directions. */
static double
find_end (const FlPairPower *pairs, const double *correlation)
{
  double dx = 1 / (2 * STEPS * pairs->outer), most = 0, noise;
  guint n = (guint) (1 / (2 * pairs->cell) / dx);
  if (n < 4 * STEPS)
    return 0;
  g_autofree double *power = g_new (double, n), *far = g_new (double, n);
  for (guint i = 0; i < n; i++)
    {
      power[i] = power_at (pairs, correlation, i * dx);
      most = MAX (most, power[i]);
    }
  for (guint i = n / 2; i < n; i++)
    far[i - n / 2] = fabs (power[i]) * sqrt (i);
  qsort (far, n - n / 2, sizeof *far, by_size);
  noise = SIGMA * far[(n - n / 2) / 2] / MEDIAN_SIGMA;
  for (guint i = n / 2; i-- > STEPS;)
    {
      double level = MAX (LEVEL * most, noise / sqrt (i));
      if (power[i] < level)
        continue;
      if (level > LEVEL_MOST * most)
        return 0;
      double next = power[i + 1];
      return dx * (i + CLAMP ((power[i] - level) / (power[i] - next), 0, 1));
    }
  return 0;
}

gboolean
fl_particle_size (FlParallel *parallel, const FlPatterns *mine, double *diameter, GError **error)
{
  guint64 n = mine->n;
  g_autoptr (FlPairPower) power = fl_pair_power_new (mine->pixels);
  g_autofree double *correlation = g_new (double, FL_PAIR_BINS);
  g_autofree guint64 *pairs = g_new0 (guint64, FL_PAIR_BINS);
  fl_parallel_sum_u64 (parallel, &n, 1);
  double share = n > SAMPLE ? SAMPLE / (double) n : 1;
  add_sample (power, mine, share, NULL);
  fl_parallel_sum_u64 (parallel, power->sums, 2 * power->n_shells + 2);
  fl_pair_power_weigh (power);
  add_sample (power, mine, share, pairs);
  fl_parallel_sum_u64 (parallel, pairs, FL_PAIR_BINS);
  correlate (power, pairs, correlation);
  *diameter = BEYOND * find_end (power, correlation);
  if (*diameter > 0)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "%" G_GUINT64_FORMAT
               " patterns do not tell the particle's size: too few photons, or speckles finer than pixels; "
               "expected it as a parameter",
               n);
  return FALSE;
}
