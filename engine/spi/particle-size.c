#include "engine/spi/particle-size.h"

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/spi/pair-power.h"

#define SAMPLE 3000 /* patterns */

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
  *diameter = FL_PAIR_BEYOND * fl_pair_power_end (power, correlation);
  if (*diameter > 0)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "%" G_GUINT64_FORMAT
               " patterns do not tell the particle's size: too few photons, or speckles finer than pixels; "
               "expected it as a parameter",
               n);
  return FALSE;
}
