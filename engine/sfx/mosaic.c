#include "engine/sfx/mosaic.h"

#include <stdlib.h>

#include "engine/base/units.h"

#define EDGE              10.0 /* ν: how steep the sides are */
#define FWHM_PER_SIGMA    2.3548200450309493
#define TYPICAL_DOMAIN    2000.0 /* Å */
#define TYPICAL_MOSAICITY 1e-3   /* rad */
#define TYPICAL_STRAY     0.05
#define SPREAD_TYPICAL    1.0  /* of the logarithms, where nothing was learned */
#define SPREAD_LEARNED    0.35 /* from crystal to crystal of one sample */
#define SMALLEST_STEP     0.01
#define PER_BIN           20 /* spots, of one resolution */
#define MOST_BINS         5
#define MOST_WEIGHT       4.0

/* Variance of the beam's part in the excitation error, 1/Å². */
static double
beam_variance (const FlMosaic *mosaic, double q)
{
  double sine = MIN (0.5 * mosaic->wavelength * q, 1);
  double band = sine * q * mosaic->bandwidth;
  double divergent = 0.25 * q * sqrt (1 - sine * sine) * mosaic->divergence; /* a disc of directions */
  return band * band + divergent * divergent;
}

/* `own` is the half-width of the point itself; a top hat of half-width w has the variance w²/3. */
static double
widen (double own, double variance)
{
  return sqrt (own * own + 3 * variance);
}

double
fl_mosaic_half_width (const FlMosaic *mosaic, double q)
{
  return widen (1 / mosaic->domain_size + 0.5 * mosaic->mosaicity * q, beam_variance (mosaic, q));
}

double
fl_mosaic_most (const FlMosaic *mosaic, double q)
{
  /* All grow with q but the divergence's part, which falls again beyond 90° of 2θ. */
  return fl_mosaic_half_width (mosaic, q) + 0.5 * q * mosaic->divergence;
}

/* 2w P */
static double
profile (double half_width, double excitation)
{
  double x = EDGE * fabs (excitation) / half_width;
  return x < 700 ? (1 + cosh (EDGE)) / (cosh (EDGE) + cosh (x)) : 0;
}

double
fl_mosaic_partiality (const FlMosaic *mosaic, double q, double excitation)
{
  double x = excitation / fl_mosaic_half_width (mosaic, q);
  return exp (-1.5 * x * x);
}

typedef struct
{
  double q, excitation, variance; /* 1/Å; 1/Å² of the beam */
  double weight;
} Sample;

typedef struct
{
  const Sample *samples;
  guint n;
  double window;               /* 1/Å: strays lie anywhere within ± this */
  double middle[3], spread[3]; /* what to expect of ln (1/D), ln η, ln (strays / others) */
  gboolean fixed[3];
} Fit;

static double
log_posterior (const Fit *fit, const double x[3])
{
  double inverse_domain = exp (x[0]), mosaicity = exp (x[1]), stray = 1 / (1 + exp (-x[2])), sum = 0;
  for (guint i = 0; i < fit->n; i++)
    {
      const Sample *s = &fit->samples[i];
      double w = widen (inverse_domain + 0.5 * mosaicity * s->q, s->variance);
      sum += s->weight * log ((1 - stray) * profile (w, s->excitation) / (2 * w) + stray / (2 * fit->window));
    }
  for (int i = 0; i < 3; i++)
    sum -= 0.5 * pow ((x[i] - fit->middle[i]) / fit->spread[i], 2);
  return sum;
}

static int
compare_q (gconstpointer a, gconstpointer b)
{
  double x = ((const Sample *) a)->q, y = ((const Sample *) b)->q;
  return (x > y) - (x < y);
}

/* A spot weighs by its intensity against those of its resolution. How far out spots are still seen depends on how bright
 * the pattern is, where their intensity lies does not: so the widths are those of the crystal, also with side maxima. In
 * all they weigh as the number of equal ones that would tell as much. `weight` comes as the intensity. */
static void
weigh (Sample *samples, guint n)
{
  qsort (samples, n, sizeof *samples, compare_q);
  guint n_bins = CLAMP (n / PER_BIN, 1, MOST_BINS);
  double sum = 0, square = 0;
  for (guint bin = 0; bin < n_bins; bin++)
    {
      guint first = bin * n / n_bins, end = (bin + 1) * n / n_bins;
      double mean = 0;
      for (guint i = first; i < end; i++)
        mean += samples[i].weight / (end - first);
      for (guint i = first; i < end; i++)
        {
          samples[i].weight = MIN (samples[i].weight / mean, MOST_WEIGHT);
          sum += samples[i].weight;
          square += samples[i].weight * samples[i].weight;
        }
    }
  for (guint i = 0; i < n; i++)
    samples[i].weight *= sum / square;
}

/* Compass search from the middle: a few steps along the axes, shorter when none is better. */
static void
search (const Fit *fit, double x[3])
{
  double best = log_posterior (fit, x), step = 0.8;
  while (step > SMALLEST_STEP)
    {
      gboolean better = FALSE;
      for (int i = 0; i < 6; i++)
        {
          double trial[3] = { x[0], x[1], x[2] };
          trial[i / 2] += i % 2 ? -step : step;
          double value = fit->fixed[i / 2] ? -INFINITY : log_posterior (fit, trial);
          if (value > best)
            {
              best = value;
              x[i / 2] = trial[i / 2];
              better = TRUE;
            }
        }
      if (!better)
        step *= 0.5;
    }
}

void
fl_mosaic_fit (const FlParams *params, const FlShotGeometry *geometry, const FlSpotRow *spots,
               const FlPair *pairs, guint n_spots, const FlMosaic *prior, FlMosaic *mosaic)
{
  *mosaic = (FlMosaic){ .bandwidth = fl_params_real (params, "beam.bandwidth") / 100 / FWHM_PER_SIGMA,
                        .divergence = fl_params_real (params, "beam.divergence") / 1000,
                        .wavelength = geometry->wavelength,
                        .widths = fl_params_real (params, "integration.widths") };
  Sample *samples = g_new (Sample, n_spots + 1);
  double spread = prior != NULL ? SPREAD_LEARNED : SPREAD_TYPICAL;
  Fit fit = { .samples = samples, .spread = { spread, spread, 1 } };
  for (guint i = 0; i < n_spots; i++)
    if (pairs[i].used)
      {
        double q = fl_vec3_norm (
            fl_shot_geometry_q (geometry, spots[i].panel, (double) spots[i].fs, (double) spots[i].ss));
        samples[fit.n++] = (Sample){ q, (double) pairs[i].excitation, beam_variance (mosaic, q),
                                     MAX ((double) spots[i].intensity, 1e-3) };
        fit.window = MAX (fit.window, fabs ((double) pairs[i].excitation));
      }
  fit.window = MAX (2 * fit.window, 1e-4);
  weigh (samples, fit.n);

  double domain = fl_params_real (params, "integration.domain_size");
  double mosaicity = fl_params_real (params, "integration.mosaicity");
  fit.fixed[0] = domain > 0;
  fit.fixed[1] = mosaicity >= 0;
  fit.middle[0] = -log (domain > 0 ? domain : prior != NULL ? prior->domain_size : TYPICAL_DOMAIN);
  fit.middle[1] = log (mosaicity >= 0  ? MAX (fl_radians (mosaicity), 1e-12)
                       : prior != NULL ? prior->mosaicity
                                       : TYPICAL_MOSAICITY);
  fit.middle[2] = log (TYPICAL_STRAY);
  double x[3] = { fit.middle[0], fit.middle[1], fit.middle[2] };
  search (&fit, x);
  mosaic->domain_size = exp (-x[0]);
  mosaic->mosaicity = exp (x[1]);
  g_free (samples);
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

FlMosaic
fl_mosaic_middle (const FlMosaic *mosaics, guint n)
{
  FlMosaic middle = mosaics[0];
  double *values = g_new (double, n);
  for (guint i = 0; i < n; i++)
    values[i] = mosaics[i].domain_size;
  qsort (values, n, sizeof *values, compare_doubles);
  middle.domain_size = values[n / 2];
  for (guint i = 0; i < n; i++)
    values[i] = mosaics[i].mosaicity;
  qsort (values, n, sizeof *values, compare_doubles);
  middle.mosaicity = values[n / 2];
  g_free (values);
  return middle;
}
