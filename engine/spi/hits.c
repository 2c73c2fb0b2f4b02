#include "engine/spi/hits-private.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"

#define FIT_STEPS       20
#define EVIDENCE_LEAST  12.0 /* ln: four and a half sigma and more */
#define DIAMETER_LEVEL  0.1  /* where the power of one shot is taken to end … */
#define DIAMETER_BEYOND 1.75 /* … and how much further the particle reaches then */
#define SPREAD_LEAST    1e-3
#define SAVED           "FLHITS02"
#define FRINGES_SHARE   0.5 /* of the particle's own power */
#define FRINGES_FROM    1.4 /* diameters: one particle has nothing there */
#define SCORE_MOST      1000.0
#define FAINT_SHARE     2.0  /* of the profile's sigmas */
#define DROPLET_SURELY  1.5  /* sigma */
#define HALF_WITHIN     0.86 /* speckles, of a particle's photons */

void
fl_hits_free (FlHits *hits)
{
  if (hits == NULL)
    return;
  fl_pair_power_free (hits->power);
  fl_droplets_free (hits->droplets);
  g_free (hits->background);
  g_free (hits->particle);
  g_free (hits->bin);
  g_free (hits->smooth);
  g_free (hits->x);
  g_free (hits->table);
  g_free (hits->mean);
  g_free (hits);
}

/* --- measuring a shot --- */

void
fl_hits_radial (const FlPairPower *power, const FlPatterns *patterns, guint i, guint32 *radial)
{
  memset (radial, 0, power->n_shells * sizeof *radial);
  for (guint64 k = patterns->start[i]; k < patterns->start[i + 1]; k++)
    radial[power->shell[patterns->pixel[k]]] += patterns->count[k];
}

/* ln likelihood of counts with the best strengths of one or two components, by expectation maximisation. */
static double
best_likelihood (guint n, const guint32 *k, const double *first, const double *second, double total)
{
  double sums[2] = { 0, 0 }, a = 0.5, b = second != NULL ? 0.5 : 0, likelihood = -total;
  for (guint r = 0; r < n; r++)
    {
      sums[0] += first[r];
      sums[1] += second != NULL ? second[r] : 0;
    }
  a = sums[0] > 0 ? (second != NULL ? 0.5 : 1) * total / sums[0] : 0;
  b = sums[1] > 0 ? 0.5 * total / sums[1] : 0;
  for (guint step = 0; second != NULL && step < FIT_STEPS; step++)
    {
      double up[2] = { 0, 0 };
      for (guint r = 0; r < n; r++)
        {
          double mean = a * first[r] + b * second[r];
          if (k[r] == 0 || mean <= 0)
            continue;
          up[0] += k[r] * a * first[r] / mean;
          up[1] += k[r] * b * second[r] / mean;
        }
      a = sums[0] > 0 ? up[0] / sums[0] : 0;
      b = sums[1] > 0 ? up[1] / sums[1] : 0;
    }
  for (guint r = 0; r < n; r++)
    if (k[r] > 0)
      likelihood += k[r] * log (MAX (a * first[r] + (second != NULL ? b * second[r] : 0), 1e-30));
  return likelihood;
}

double
fl_hits_evidence (const FlHits *hits, const guint32 *radial)
{
  guint n = hits->power->n_shells;
  double total = 0;
  for (guint r = 0; r < n; r++)
    total += radial[r];
  if (total == 0)
    return 0;
  /* Without any background every photon is the particle's. */
  if (hits->numbers.background <= 0)
    return total;
  double expected = hits->numbers.background;
  double profile = best_likelihood (n, radial, hits->background, hits->particle, total)
                   - best_likelihood (n, radial, hits->background, NULL, total),
         more = total > expected ? total * log (total / expected) - (total - expected) : 0;
  return hits->numbers.by_count > 0 ? MAX (profile, more) : profile;
}

void
fl_hits_fractions (const FlHits *hits, const guint32 *radial, double *fractions, double *above)
{
  double sum = 0;
  for (guint j = 0; j < FL_HIT_BINS; j++)
    fractions[j] = -hits->numbers.bins[j];
  for (guint r = 0; r < hits->power->n_shells; r++)
    fractions[hits->bin[r]] += radial[r];
  for (guint j = 0; j < FL_HIT_BINS; j++)
    sum += fractions[j];
  *above = sum;
  for (guint j = 0; j < FL_HIT_BINS; j++)
    fractions[j] /= MAX (sum, 1);
}

double
fl_hits_misfit (const FlHits *hits, const double *fractions, double above)
{
  const FlHitNumbers *of = &hits->numbers;
  double sum = 0;
  above = MAX (above, 1);
  for (guint j = 0; j < FL_HIT_BINS; j++)
    {
      double off = fractions[j] - of->profile[j];
      double variance = (of->profile[j] + of->bins[j] / above) / above + of->variance[j];
      sum += off * off / MAX (variance, 1e-12);
    }
  return log (MAX (sum / (FL_HIT_BINS - 1), 1e-6));
}

void
fl_hits_pairs (const FlHits *hits, const FlPatterns *patterns, guint i, FlHitMeasures *measures)
{
  const FlPairPower *power = hits->power;
  double d = hits->numbers.diameter, values[FL_HIT_STEPS], most = 0, inside = 0, beyond = 0;
  guint64 lit = patterns->start[i + 1] - patterns->start[i], total;
  measures->contrast = measures->fringes = measures->diameter = 0;
  if (d <= 0 || lit == 0)
    return;
  g_autofree guint32 *pixel = g_new (guint32, lit), *count = g_new (guint32, lit);
  g_autofree guint64 *pairs = g_new0 (guint64, FL_PAIR_BINS);
  g_autofree float *values_in = g_new (float, FL_PAIR_BINS);
  guint n = fl_pair_power_take (patterns, i, pixel, count, &total);
  double photons = (double) total;
  fl_pair_power_add_pairs (power, n, pixel, count, pairs);
  for (guint b = 0; b < FL_PAIR_BINS; b++)
    values_in[b] = (float) pairs[b];
  for (guint j = 0; j < FL_HIT_STEPS; j++)
    {
      const float *row = hits->table + (gsize) j * FL_PAIR_BINS;
      float sum = 0;
      for (guint b = 0; b < FL_PAIR_BINS; b++)
        sum += row[b] * values_in[b];
      values[j] = (double) sum - photons * photons * hits->mean[j];
      if (hits->x[j] <= d)
        {
          inside += values[j] * hits->x[j];
          most = MAX (most, values[j]);
        }
      else if (hits->x[j] > FRINGES_FROM * d)
        beyond += values[j] * hits->x[j];
    }
  measures->pair_photons = photons;
  measures->contrast = inside / (photons * photons);
  measures->fringes = beyond / photons;
  for (guint j = FL_HIT_STEPS; j-- > 0 && measures->diameter == 0;)
    if (values[j] > DIAMETER_LEVEL * most && hits->x[j] <= d)
      measures->diameter = DIAMETER_BEYOND * hits->x[j];
}

void
fl_hits_measure (const FlHits *hits, const FlPatterns *patterns, guint i, FlHitMeasures *measures)
{
  g_autofree guint32 *radial = g_new (guint32, hits->power->n_shells);
  double fractions[FL_HIT_BINS];
  *measures = (FlHitMeasures){ .photons = fl_patterns_photons (patterns, i) };
  fl_hits_radial (hits->power, patterns, i, radial);
  measures->evidence = fl_hits_evidence (hits, radial);
  fl_hits_fractions (hits, radial, fractions, &measures->above);
  measures->misfit = fl_hits_misfit (hits, fractions, measures->above);
  fl_hits_pairs (hits, patterns, i, measures);
}

double
fl_hits_beyond_droplet (const FlHits *hits, const FlPatterns *patterns, guint i, FlDropletFit *fit)
{
  if (hits->numbers.droplets <= 0 || !fl_droplets_fit (hits->droplets, patterns, i, fit))
    return INFINITY;
  return fit->photons * (fit->excess + DROPLET_SURELY * fit->sigma - FL_HIT_DROPLET);
}

/* --- judging --- */

/* Sigmas by which a number lies above what single particles have. */
static double
above_spread (FlHitSpread spread, double value)
{
  return (value - spread.median) / MAX (spread.sigma, SPREAD_LEAST * (fabs (spread.median) + SPREAD_LEAST));
}

void
fl_hits_judge (const FlHits *hits, const FlPatterns *patterns, guint i, FlParticleRow *row)
{
  const FlHitNumbers *of = &hits->numbers;
  FlHitMeasures m;
  fl_hits_measure (hits, patterns, i, &m);
  double wide = m.diameter > 0 && hits->most_diameter > 0 ? m.diameter / hits->most_diameter - 1 : -1,
         narrow = m.diameter > 0 && hits->least_diameter > 0 ? hits->least_diameter / m.diameter - 1 : -1;
  /* Each by itself: how much is left of what would speak against a single particle. Faint speckles speak with the profile:
   * droplets have none, and a particle with its own profile may happen to. */
  double other = MAX (above_spread (of->misfit, m.misfit), 0), faint = 0, fringes = 0;
  if (of->diameter > 0)
    {
      faint = CLAMP (-above_spread (of->contrast, m.contrast), 0, FAINT_SHARE * other);
      /* What speckles leak there is a small part of them. */
      if (m.fringes > FRINGES_SHARE * m.contrast * m.pair_photons)
        fringes = MAX (above_spread (of->fringes, m.fringes), 0);
    }
  double blank = MIN (m.evidence - EVIDENCE_LEAST, m.above - hits->least_photons),
         profile = 0.5 * (hits->junk * hits->junk - other * other - faint * faint),
         several = 0.5 * (hits->several * hits->several - fringes * fringes);
  if (wide > 0 || narrow > 0)
    profile = MIN (profile, -1);
  FlDropletFit droplet;
  double beyond = blank > 0 && profile > 0 ? fl_hits_beyond_droplet (hits, patterns, i, &droplet) : INFINITY;
  if (beyond <= 0)
    m.diameter = droplet.diameter;
  profile = MIN (profile, beyond);
  row->photons = (guint32) MIN (m.photons, G_MAXUINT32);
  row->background = (float) of->background;
  row->diameter = (float) m.diameter;
  row->score = (float) CLAMP (MIN (blank, MIN (profile, several)), -SCORE_MOST, SCORE_MOST);
  row->class = (guint8) (blank <= 0     ? FL_PARTICLE_BLANK
                         : profile <= 0 ? FL_PARTICLE_JUNK
                         : several <= 0 ? FL_PARTICLE_SEVERAL
                                        : FL_PARTICLE_SINGLE);
}

/* --- what follows from the numbers --- */

/* Flat within a shell but for a tilt. */
static void
spread_background (FlHits *hits)
{
  const FlPatternPixels *pixels = hits->power->pixels;
  g_autofree guint *n = g_new0 (guint, hits->power->n_shells);
  for (guint i = 0; i < pixels->n; i++)
    n[hits->power->shell[i]] += pixels->mask[i] != FL_PATTERN_BAD;
  hits->smooth = g_new0 (float, pixels->n);
  for (guint i = 0; i < pixels->n; i++)
    {
      guint shell = hits->power->shell[i];
      double slope = 1 + hits->numbers.tilt[0] * pixels->s[i].x + hits->numbers.tilt[1] * pixels->s[i].y;
      if (pixels->mask[i] != FL_PATTERN_BAD)
        hits->smooth[i] = (float) MAX (hits->background[shell] / n[shell] * slope, 0);
    }
}

void
fl_hits_lay_out (FlHits *hits)
{
  guint n = hits->power->n_shells;
  double sum = 0;
  g_free (hits->bin);
  hits->bin = g_new0 (guint8, n);
  memset (hits->numbers.bins, 0, sizeof hits->numbers.bins);
  for (guint r = 0; r < n; r++)
    {
      hits->bin[r] = (guint8) CLAMP ((sum + 0.5 * hits->particle[r]) * FL_HIT_BINS, 0, FL_HIT_BINS - 1);
      sum += hits->particle[r];
      hits->numbers.bins[hits->bin[r]] += hits->background[r];
    }
  g_clear_pointer (&hits->smooth, g_free);
  spread_background (hits);
}

void
fl_hits_lay_out_pairs (FlHits *hits)
{
  double d = hits->numbers.diameter, most = MIN (4 * d, 1 / (3 * hits->power->cell));
  if (d <= 0)
    return;
  g_autofree double *mean = g_new (double, FL_PAIR_BINS);
  hits->x = g_new (double, FL_HIT_STEPS);
  hits->mean = g_new0 (double, FL_HIT_STEPS);
  hits->table = g_new (float, FL_HIT_STEPS *FL_PAIR_BINS);
  fl_pair_power_mean_pairs (hits->power, mean, NULL);
  for (guint j = 0; j < FL_HIT_STEPS; j++)
    {
      hits->x[j] = (j + 1) * most / FL_HIT_STEPS;
      for (guint b = 0; b < FL_PAIR_BINS; b++)
        {
          double wave = j0 (2 * FL_PI * b * hits->power->bin * hits->x[j]);
          hits->table[j * FL_PAIR_BINS + b] = (float) wave;
          hits->mean[j] += wave * mean[b];
        }
    }
}

/* Of the particle, from where half of its photons are. */
static double
guess_diameter (const FlHits *hits)
{
  double sum = 0;
  guint r = 0;
  while (r + 1 < hits->power->n_shells && (sum += hits->particle[r]) < 0.5)
    r++;
  return HALF_WITHIN / ((r + 0.5) * hits->power->step);
}

void
fl_hits_lay_out_droplets (FlHits *hits)
{
  double diameter = hits->numbers.diameter > 0 ? hits->numbers.diameter : guess_diameter (hits);
  fl_droplets_free (hits->droplets);
  hits->droplets = fl_droplets_new (hits->power->pixels, hits->smooth, diameter);
}

const float *
fl_hits_background (const FlHits *hits)
{
  return hits->smooth;
}

char *
fl_hits_describe (const FlHits *hits)
{
  g_autofree char *size =
      hits->numbers.diameter > 0 ? g_strdup_printf ("%.0f Å", hits->numbers.diameter) : g_strdup ("not told");
  return g_strdup_printf ("background %.4g photons a shot, particle's diameter %s", hits->numbers.background,
                          size);
}

/* --- keeping --- */

void
fl_hits_take_params (FlHits *hits, const FlParams *params)
{
  hits->least_photons = fl_params_real (params, "hits.min_photons");
  hits->least_diameter = fl_params_real (params, "hits.min_diameter");
  hits->most_diameter = fl_params_real (params, "hits.max_diameter");
  hits->junk = fl_params_real (params, "hits.junk_sigma");
  hits->several = fl_params_real (params, "hits.several_sigma");
}

GBytes *
fl_hits_save (const FlHits *hits)
{
  guint n = hits->power->n_shells;
  GByteArray *bytes = g_byte_array_new ();
  g_byte_array_append (bytes, (const guint8 *) SAVED, 8);
  g_byte_array_append (bytes, (const guint8 *) &hits->numbers, sizeof hits->numbers);
  g_byte_array_append (bytes, (const guint8 *) hits->background, (guint) (n * sizeof (double)));
  g_byte_array_append (bytes, (const guint8 *) hits->particle, (guint) (n * sizeof (double)));
  g_byte_array_append (bytes, (const guint8 *) hits->power->sums, (guint) ((2 * n + 2) * sizeof (guint64)));
  return g_byte_array_free_to_bytes (bytes);
}

FlHits *
fl_hits_restore (GBytes *bytes, const FlPatternPixels *pixels, const FlParams *params, GError **error)
{
  g_autoptr (FlHits) hits = g_new0 (FlHits, 1);
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  hits->power = fl_pair_power_new (pixels);
  guint n = hits->power->n_shells;
  const gsize expected = 8 + sizeof hits->numbers + 2 * n * sizeof (double) + (2 * n + 2) * sizeof (guint64);
  if (length == expected)
    memcpy (&hits->numbers, data + 8, sizeof hits->numbers);
  if (length != expected || memcmp (data, SAVED, 8) != 0 || hits->numbers.n_pixels != pixels->n
      || hits->numbers.n_shells != n)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "what was learned of hits is of another detector, or damaged");
      return NULL;
    }
  data += 8 + sizeof hits->numbers;
  hits->background = g_memdup (data, (guint) (n * sizeof (double)));
  hits->particle = g_memdup (data + n * sizeof (double), (guint) (n * sizeof (double)));
  memcpy (hits->power->sums, data + 2 * n * sizeof (double), (2 * n + 2) * sizeof (guint64));
  fl_hits_take_params (hits, params);
  fl_hits_lay_out (hits);
  fl_pair_power_weigh (hits->power);
  fl_hits_lay_out_pairs (hits);
  fl_hits_lay_out_droplets (hits);
  return g_steal_pointer (&hits);
}
