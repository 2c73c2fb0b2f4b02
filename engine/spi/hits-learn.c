/* What the shots of a run tell about themselves. */
#include <stdlib.h>
#include <string.h>

#include "engine/spi/hits-private.h"

#define LOWEST        0.1 /* of the shots, by photons: where the background is looked for first */
#define FACTOR_STEPS  60
#define HEAVY         0.75 /* shots of more photons than so many have count no more than one of these */
#define NARROW        5.0  /* sigma of Poisson's, above the lowest shots */
#define WIDER         1.1  /* a background's photons lie so much further out than a particle's */
#define FLAT_LEAST    0.6  /* of a flat background's mean distance from the middle: less is a particle */
#define FLAT_SURELY   0.85 /* more is none */
#define SPREAD_MOST   0.5  /* of a background's strength from shot to shot */
#define MEDIAN_SIGMA  0.6745
#define JUNK_AT_FIRST 4.0 /* sigma of the misfit */
#define EVIDENCE      12.0
#define SIGMA_BELOW   0.1587 /* of a normal distribution lies more than σ below the middle */

/* Beyond a droplet, nats a photon: */
#define SHARP       0.01  /* sigma of a shot that counts */
#define DROPLET_LOW 0.015 /* a droplet has less; */
#define NEXT_LOW    0.02  /* particles that sometimes do have from this */
#define NEXT_HIGH   0.05  /* to this as well: */
#define NEXT_MOST   0.25  /* so many of those */

typedef struct
{
  const FlPatterns *sample;
  const FlPairPower *power;
  guint n, n_shells;
  guint32 *radial; /* [n][shells] */
  double *photons; /* [n] */
  guint8 *is_hit;  /* [n] */
} Sample;

static int
by_value (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* Sorts. */
static double
quantile (double *values, guint n, double share)
{
  qsort (values, n, sizeof *values, by_value);
  return n > 0 ? values[MIN ((guint) (share * n), n - 1)] : 0;
}

/* Median and σ by the median deviation. Sorts. */
static FlHitSpread
spread_of (double *values, guint n)
{
  FlHitSpread spread = { quantile (values, n, 0.5), 0 };
  g_autofree double *off = g_new (double, MAX (n, 1));
  for (guint i = 0; i < n; i++)
    off[i] = fabs (values[i] - spread.median);
  spread.sigma = quantile (off, n, 0.5) / MEDIAN_SIGMA;
  return spread;
}

/* --- background and particle --- */

static double
mean_shell (const double *profile, guint n)
{
  double up = 0, down = 0;
  for (guint r = 0; r < n; r++)
    {
      up += profile[r] * r;
      down += profile[r];
    }
  return down > 0 ? up / down : 0;
}

/* Starting values: the shots with the fewest photons; those above the median. */
static void
guess (const Sample *of, double *background, double *particle)
{
  g_autofree double *sorted = g_memdup (of->photons, (guint) (of->n * sizeof *sorted));
  double low = quantile (sorted, of->n, LOWEST), middle = quantile (sorted, of->n, 0.5);
  guint n = 0;
  memset (background, 0, of->n_shells * sizeof *background);
  memset (particle, 0, of->n_shells * sizeof *particle);
  for (guint d = 0; d < of->n; d++)
    for (guint r = 0; r < of->n_shells; r++)
      {
        double k = of->radial[d * of->n_shells + r];
        n += r == 0 && of->photons[d] <= low;
        if (of->photons[d] <= low)
          background[r] += k;
        if (of->photons[d] >= middle && of->photons[d] > 0)
          particle[r] += k / of->photons[d];
      }
  for (guint r = 0; r < of->n_shells; r++)
    background[r] /= MAX (n, 1);
}

static void
normalise (double *profile, guint n)
{
  double sum = 0;
  for (guint r = 0; r < n; r++)
    sum += profile[r];
  for (guint r = 0; r < n; r++)
    profile[r] = sum > 0 ? profile[r] / sum : 0;
}

/* Two components, each with a strength of its own in every shot; Kullback and Leibler's divergence falls with each step. */
static void
factorise (const Sample *of, double *first, double *second)
{
  guint m = of->n_shells;
  g_autofree double *sorted = g_memdup (of->photons, (guint) (of->n * sizeof *sorted));
  double heavy = MAX (quantile (sorted, of->n, HEAVY), 1);
  g_autofree double *a = g_new (double, of->n), *b = g_new (double, of->n);
  g_autofree double *new_first = g_new (double, m), *new_second = g_new (double, m);
  normalise (first, m);
  normalise (second, m);
  for (guint d = 0; d < of->n; d++)
    a[d] = b[d] = of->photons[d] / 2;
  for (guint step = 0; step < FACTOR_STEPS; step++)
    {
      memset (new_first, 0, m * sizeof *new_first);
      memset (new_second, 0, m * sizeof *new_second);
      for (guint d = 0; d < of->n; d++)
        {
          double up[2] = { 0, 0 }, share = MIN (1, heavy / MAX (of->photons[d], 1));
          for (guint r = 0; r < m; r++)
            {
              double k = of->radial[d * m + r], x = a[d] * first[r], y = b[d] * second[r];
              if (k == 0 || x + y <= 0)
                continue;
              up[0] += k * x / (x + y);
              up[1] += k * y / (x + y);
              new_first[r] += share * k * x / (x + y);
              new_second[r] += share * k * y / (x + y);
            }
          a[d] = up[0];
          b[d] = up[1];
        }
      memcpy (first, new_first, m * sizeof *first);
      memcpy (second, new_second, m * sizeof *second);
      normalise (first, m);
      normalise (second, m);
    }
}

static void
find_hits (Sample *of, const FlHits *hits)
{
  for (guint d = 0; d < of->n; d++)
    of->is_hit[d] = fl_hits_evidence (hits, of->radial + d * of->n_shells) > EVIDENCE
                    && of->photons[d] - hits->numbers.background > hits->least_photons;
}

/* Mean of what is no hit: its shells, and its tilt, from first moments. */
static void
average_blanks (const Sample *of, FlHits *hits)
{
  const FlPatternPixels *pixels = of->power->pixels;
  double moment[2] = { 0, 0 }, square[2] = { 0, 0 }, all = 0;
  guint n = 0, good = 0;
  memset (hits->background, 0, of->n_shells * sizeof *hits->background);
  for (guint d = 0; d < of->n; d++)
    if (!of->is_hit[d])
      {
        n++;
        for (guint r = 0; r < of->n_shells; r++)
          hits->background[r] += of->radial[d * of->n_shells + r];
        for (guint64 k = of->sample->start[d]; k < of->sample->start[d + 1]; k++)
          {
            FlVec3 s = pixels->s[of->sample->pixel[k]];
            moment[0] += of->sample->count[k] * s.x;
            moment[1] += of->sample->count[k] * s.y;
            all += of->sample->count[k];
          }
      }
  hits->numbers.background = n > 0 ? all / n : 0;
  for (guint r = 0; r < of->n_shells; r++)
    hits->background[r] /= MAX (n, 1);
  for (guint i = 0; i < pixels->n; i++)
    if (pixels->mask[i] != FL_PATTERN_BAD)
      {
        good++;
        square[0] += pixels->s[i].x * pixels->s[i].x;
        square[1] += pixels->s[i].y * pixels->s[i].y;
      }
  for (guint c = 0; c < 2; c++)
    hits->numbers.tilt[c] = all > 0 && square[c] > 0 ? moment[c] / all / (square[c] / good) : 0;
}

/* What is taken for background must be: spread over the detector, and, where it leans towards the middle as particles do,
 * about as strong in every blank. Else it is the weakest hits. */
static gboolean
is_background (const Sample *of, const FlHits *hits)
{
  guint m = of->n_shells, n = 0;
  g_autofree double *blanks = g_new (double, of->n);
  double flat = mean_shell (of->power->area, m), mean = mean_shell (hits->background, m), strength = 0;
  for (guint d = 0; d < of->n; d++)
    if (!of->is_hit[d])
      {
        blanks[n++] = of->photons[d];
        strength += of->photons[d];
      }
  if (n == 0 || mean < FLAT_LEAST * flat || mean < WIDER * mean_shell (hits->particle, m))
    return FALSE;
  FlHitSpread spread = spread_of (blanks, n);
  strength /= n;
  return mean > FLAT_SURELY * flat
         || spread.sigma * spread.sigma < strength + SPREAD_MOST * SPREAD_MOST * strength * strength;
}

/* A particle whose profile is as flat as the background's: blanks are then told by their number of photons, if the
 * shots that have the fewest vary as Poisson's do. */
static gboolean
find_narrow (Sample *of, FlHits *hits)
{
  g_autofree double *low = g_memdup (of->photons, (guint) (of->n * sizeof *low));
  double start = quantile (low, of->n, LOWEST / 2), most = start + NARROW * sqrt (start);
  guint n = 0;
  for (guint d = 0; d < of->n; d++)
    {
      of->is_hit[d] = of->photons[d] > most;
      if (!of->is_hit[d])
        low[n++] = of->photons[d];
    }
  FlHitSpread spread = spread_of (low, n);
  hits->numbers.by_count =
      start >= 1 && n >= LOWEST * of->n && spread.sigma * spread.sigma < 1.5 * spread.median;
  return hits->numbers.by_count > 0;
}

static void
find_background (Sample *of, FlHits *hits)
{
  guint m = of->n_shells;
  hits->background = g_new (double, m);
  hits->particle = g_new (double, m);
  guess (of, hits->background, hits->particle);
  for (guint r = 0; r < m; r++)
    hits->numbers.background += hits->background[r];
  if (hits->numbers.background >= 1)
    {
      factorise (of, hits->background, hits->particle);
      find_hits (of, hits);
      if (is_background (of, hits))
        {
          average_blanks (of, hits);
          find_hits (of, hits);
          return;
        }
    }
  guess (of, hits->background, hits->particle);
  if (find_narrow (of, hits))
    {
      average_blanks (of, hits);
      find_hits (of, hits);
      average_blanks (of, hits);
      return;
    }
  hits->numbers.background = 0;
  memset (hits->background, 0, m * sizeof *hits->background);
  find_hits (of, hits);
}

/* --- the particle's profile --- */

/* The shots' mean profile decides about bins, each shot counting the same. */
static void
average_hits (const Sample *of, FlHits *hits)
{
  guint m = of->n_shells;
  memset (hits->particle, 0, m * sizeof *hits->particle);
  for (guint d = 0; d < of->n; d++)
    for (guint r = 0; r < m && of->is_hit[d]; r++)
      hits->particle[r] +=
          (of->radial[d * m + r] - hits->background[r]) / MAX (of->photons[d] - hits->numbers.background, 1);
  for (guint r = 0; r < m; r++)
    hits->particle[r] = MAX (hits->particle[r], 0);
  normalise (hits->particle, m);
}

/* Medians of fractions, their variance less Poisson's; the misfits' own spread. Junk at first is told by these and left
 * out the second time. */
static void
learn_profile (Sample *of, FlHits *hits)
{
  FlHitNumbers *to = &hits->numbers;
  g_autofree double *fractions = g_new (double, of->n *FL_HIT_BINS), *above = g_new (double, of->n);
  g_autofree double *values = g_new (double, of->n), *misfits = g_new (double, of->n);
  for (guint d = 0; d < of->n; d++)
    fl_hits_fractions (hits, of->radial + d * of->n_shells, fractions + d * FL_HIT_BINS, above + d);
  for (guint pass = 0; pass < 2; pass++)
    {
      guint n = 0;
      for (guint j = 0; j < FL_HIT_BINS; j++)
        {
          n = 0;
          for (guint d = 0; d < of->n; d++)
            if (of->is_hit[d])
              values[n++] = fractions[d * FL_HIT_BINS + j];
          FlHitSpread spread = spread_of (values, n);
          to->profile[j] = spread.median;
          n = 0;
          for (guint d = 0; d < of->n; d++)
            if (of->is_hit[d])
              values[n++] = (MAX (spread.median, 0) + to->bins[j] / above[d]) / above[d];
          to->variance[j] = MAX (spread.sigma * spread.sigma - quantile (values, n, 0.5), 0);
        }
      n = 0;
      for (guint d = 0; d < of->n; d++)
        {
          misfits[d] = fl_hits_misfit (hits, fractions + d * FL_HIT_BINS, above[d]);
          if (of->is_hit[d])
            values[n++] = misfits[d];
        }
      to->misfit = spread_of (values, n);
      for (guint d = 0; d < of->n; d++)
        of->is_hit[d] = of->is_hit[d] && misfits[d] <= to->misfit.median + JUNK_AT_FIRST * to->misfit.sigma;
    }
}

/* --- pairs --- */

static void
add_shots (const Sample *of, FlPairPower *power, guint64 *pairs)
{
  guint64 longest = 1;
  for (guint i = 0; i < of->n; i++)
    longest = MAX (longest, of->sample->start[i + 1] - of->sample->start[i]);
  g_autofree guint32 *pixel = g_new (guint32, longest), *count = g_new (guint32, longest);
  for (guint i = 0; i < of->n; i++)
    {
      guint64 total;
      if (!of->is_hit[i])
        continue;
      guint n = fl_pair_power_take (of->sample, i, pixel, count, &total);
      if (pairs != NULL)
        fl_pair_power_add_pairs (power, n, pixel, count, pairs);
      else
        fl_pair_power_add_mean (power, n, pixel, count, total);
    }
}

static double
find_diameter (const Sample *of, FlHits *hits)
{
  g_autofree guint64 *pairs = g_new0 (guint64, FL_PAIR_BINS);
  g_autofree double *correlation = g_new (double, FL_PAIR_BINS), *mean = g_new (double, FL_PAIR_BINS),
                    *scaled = g_new (double, FL_PAIR_BINS);
  add_shots (of, hits->power, pairs);
  fl_pair_power_mean_pairs (hits->power, mean, scaled);
  double square = (double) hits->power->sums[2 * of->n_shells + 1];
  for (guint b = 0; b < FL_PAIR_BINS; b++)
    correlation[b] = (double) pairs[b] - scaled[b] + square * mean[b];
  return FL_PAIR_BEYOND * fl_pair_power_end (hits->power, correlation);
}

static void
learn_pairs (const Sample *of, FlHits *hits)
{
  g_autofree double *contrast = g_new (double, of->n), *fringes = g_new (double, of->n);
  guint n = 0;
  add_shots (of, hits->power, NULL);
  fl_pair_power_weigh (hits->power);
  hits->numbers.diameter = find_diameter (of, hits);
  fl_hits_lay_out_pairs (hits);
  for (guint d = 0; d < of->n && hits->numbers.diameter > 0; d++)
    if (of->is_hit[d])
      {
        FlHitMeasures m;
        fl_hits_pairs (hits, of->sample, d, &m);
        contrast[n] = m.contrast;
        fringes[n++] = m.fringes;
      }
  /* It is faint ones that matter: the width below the median. */
  hits->numbers.contrast.median = quantile (contrast, n, 0.5);
  hits->numbers.contrast.sigma = hits->numbers.contrast.median - quantile (contrast, n, SIGMA_BELOW);
  hits->numbers.fringes = spread_of (fringes, n);
}

/* --- droplets --- */

/* Whether shots are droplets or not: the median is none, and of those with photons enough there are, near nothing beyond a
 * droplet, many more than a bit further up. Else there are none, or the particle itself looks like one from some sides. */
static void
learn_droplets (const Sample *of, FlHits *hits)
{
  g_autofree double *excess = g_new (double, of->n);
  FlDropletFit fit;
  guint n = 0, low = 0, next = 0;
  for (guint d = 0; d < of->n; d++)
    if (of->is_hit[d] && fl_droplets_fit (hits->droplets, of->sample, d, &fit))
      {
        excess[n++] = fit.excess;
        low += fit.sigma < SHARP && fit.excess < DROPLET_LOW;
        next += fit.sigma < SHARP && fit.excess > NEXT_LOW && fit.excess < NEXT_HIGH;
      }
  hits->numbers.droplets = quantile (excess, n, 0.5) > FL_HIT_DROPLET && next < NEXT_MOST * low;
}

/* Of all junk they are the strongest: nothing is learned with them. */
static void
leave_droplets_out (Sample *of, FlHits *hits)
{
  FlDropletFit fit;
  fl_hits_lay_out_droplets (hits);
  learn_droplets (of, hits);
  for (guint d = 0; d < of->n; d++)
    of->is_hit[d] = of->is_hit[d] && fl_hits_beyond_droplet (hits, of->sample, d, &fit) > 0;
}

FlHits *
fl_hits_learn (const FlPatterns *sample, const FlParams *params)
{
  g_autoptr (FlHits) hits = g_new0 (FlHits, 1);
  hits->power = fl_pair_power_new (sample->pixels);
  fl_hits_take_params (hits, params);
  guint m = hits->power->n_shells;
  Sample of = { .sample = sample, .power = hits->power, .n = sample->n, .n_shells = m };
  g_autofree guint32 *radial = of.radial = g_new (guint32, (gsize) MAX (sample->n, 1) * m);
  g_autofree double *photons = of.photons = g_new (double, MAX (sample->n, 1));
  g_autofree guint8 *is_hit = of.is_hit = g_malloc0 (MAX (sample->n, 1));
  double all = 0;
  for (guint d = 0; d < of.n; d++)
    {
      fl_hits_radial (of.power, sample, d, of.radial + d * m);
      of.photons[d] = (double) fl_patterns_photons (sample, d);
      all += of.photons[d];
    }
  hits->numbers.n_pixels = sample->pixels->n;
  hits->numbers.n_shells = m;
  if (all < 1)
    {
      hits->background = g_new0 (double, m);
      hits->particle = g_new0 (double, m);
      fl_hits_lay_out (hits);
      return g_steal_pointer (&hits);
    }
  find_background (&of, hits);
  average_hits (&of, hits);
  fl_hits_lay_out (hits);
  leave_droplets_out (&of, hits);
  average_hits (&of, hits);
  fl_hits_lay_out (hits);
  learn_profile (&of, hits);
  learn_pairs (&of, hits);
  fl_hits_lay_out_droplets (hits);
  return g_steal_pointer (&hits);
}
