/* The posterior of a law's parameters on a grid, and what follows for other numbers of lattices.
 *
 * Points of nested subsets are not independent: two errors correlate by the lattices that the points share, as for a sum of
 * independent lattices, |A ∩ B|/√(|A| |B|). Correlations are fitted as Fisher's z, completeness C as −ln(1 − C), multiplicity as its
 * logarithm. Once the last point is known it says all that the others do of its own error: a value at n more lattices starts from
 * it. */
#include <math.h>
#include <string.h>

#include "engine/control/forecast-private.h"

/* Laws are no better than that, on the scale of the fit: correlations; completeness, relative, and the worse the further back (per
 * factor e). */
#define MODEL_CC             0.02
#define MODEL_COMPLETENESS   0.04
#define STRETCH_COMPLETENESS 0.03
/* What goes wrong further on, per factor e up to 30: correlations and numbers of observations; completeness, relative, and its growth,
 * relative. */
#define DRIFT              0.03
#define DRIFT_COMPLETENESS 0.04
#define DRIFT_GROWTH       0.1
#define DRIFT_END          30.0
#define HIDDEN             0.2 /* where reflections cannot be seen at all, it is about this fraction */
/* Variance of Fisher's z over 1/(pairs − 3): intensities are no normal deviates (but exponential ones with noise that differs; their
 * anomalous differences have still longer tails). */
#define INFLATION_CC_HALF 2.7
#define INFLATION_CC_ANO  3.5
#define Z_LAST            0.999999

#define N_NOISE   64
#define N_CEILING 40

/* What one observation is worth: log10 of its noise over the signal, as variances: mean and σ before anything is known. Differences
 * of mates are about a tenth of the intensities. */
static const double noise_mean[2] = { 1.3, 3.3 }, noise_sigma = 1;

static const double shapes[] = { 0.5, 0.8, 1.2, 1.8, 2.7, 4, 6, 10, 20, 100 };
static const double hidden[] = { 0, 0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.08, 0.12, 0.18, 0.27, 0.4, 0.6 };

static gboolean
is_cc (FlMetric metric)
{
  return metric == FL_METRIC_CC_HALF || metric == FL_METRIC_CC_ANO;
}

static double
to_scale (FlMetric metric, double possible, double value)
{
  if (is_cc (metric))
    return atanh (CLAMP (value, -Z_LAST, Z_LAST));
  if (metric == FL_METRIC_COMPLETENESS)
    return -log (1 - CLAMP (value, 0, 1 - 0.5 / possible));
  return log (MAX (value, G_MINDOUBLE));
}

static double
from_scale (FlMetric metric, double y)
{
  return is_cc (metric) ? tanh (y) : metric == FL_METRIC_COMPLETENESS ? -expm1 (-y) : exp (y);
}

static double
error_of (FlMetric metric, double possible, const FlForecastPoint *point, double y)
{
  if (is_cc (metric))
    return sqrt ((metric == FL_METRIC_CC_ANO ? INFLATION_CC_ANO : INFLATION_CC_HALF)
                 / MAX (point->pairs - 3, 1));
  return sqrt (MAX (expm1 (y), 1e-3) / possible);
}

/* --- points, freed of their correlation --- */

typedef struct
{
  guint n;
  double y[FL_FORECAST_POINTS], sigma[FL_FORECAST_POINTS];
  double factor[FL_FORECAST_POINTS][FL_FORECAST_POINTS]; /* Cholesky's, of the covariance */
} System;

static void
factorise (System *s)
{
  for (guint i = 0; i < s->n; i++)
    for (guint j = 0; j <= i; j++)
      {
        double sum = s->factor[i][j];
        for (guint k = 0; k < j; k++)
          sum -= s->factor[i][k] * s->factor[j][k];
        s->factor[i][j] = i == j ? sqrt (MAX (sum, 1e-12)) : sum / s->factor[j][j];
      }
}

/* rᵀ Σ⁻¹ r. */
static double
square (const System *s, const double *residual)
{
  double white[FL_FORECAST_POINTS], sum = 0;
  for (guint i = 0; i < s->n; i++)
    {
      double r = residual[i];
      for (guint k = 0; k < i; k++)
        r -= s->factor[i][k] * white[k];
      white[i] = r / s->factor[i][i];
      sum += white[i] * white[i];
    }
  return sum;
}

static double
shared (FlMetric metric, const FlForecastPoints *points, guint i, guint j)
{
  double ni = points->at[i].n, nj = points->at[j].n, both = fl_forecast_overlap (points, i, j);
  if (metric != FL_METRIC_COMPLETENESS)
    return both / sqrt (ni * nj);
  /* Of reflections that neither has seen: by the observations that they have in common. */
  double rate = points->at[points->n - 1].x / points->at[points->n - 1].n;
  double t = expm1 (MIN (rate * ni, 50)) * expm1 (MIN (rate * nj, 50));
  return expm1 (MIN (rate * both, 50)) / sqrt (t);
}

/* TRUE: point i says something of the metric. */
static gboolean
usable (FlMetric metric, const FlForecastPoint *p)
{
  return isfinite (p->value) && (!is_cc (metric) || p->pairs >= 10);
}

static void
system_make (System *s, const FlForecastPoints *points, FlMetric metric, guint *index)
{
  s->n = 0;
  for (guint i = 0; i < points->n; i++)
    if (usable (metric, &points->at[i]))
      {
        s->y[s->n] = to_scale (metric, points->possible, points->at[i].value);
        s->sigma[s->n] = error_of (metric, points->possible, &points->at[i], s->y[s->n]);
        index[s->n++] = i;
      }
  for (guint i = 0; i < s->n; i++)
    for (guint j = 0; j <= i; j++)
      {
        double stretch = log (points->at[points->n - 1].n / points->at[index[i]].n);
        double model = metric == FL_METRIC_COMPLETENESS
                           ? s->y[i] * hypot (MODEL_COMPLETENESS, STRETCH_COMPLETENESS * stretch)
                           : MODEL_CC;
        s->factor[i][j] = i == j ? s->sigma[i] * s->sigma[i] + model * model
                                 : s->sigma[i] * s->sigma[j] * shared (metric, points, index[i], index[j]);
      }
  factorise (s);
}

/* --- grids --- */

static void
normalise (FlForecastFit *fit)
{
  double least = INFINITY, sum = 0;
  for (guint i = 0; i < fit->n; i++)
    least = MIN (least, fit->node[i].weight);
  for (guint i = 0; i < fit->n; i++)
    sum += fit->node[i].weight = exp (least - fit->node[i].weight);
  for (guint i = 0; i < fit->n; i++)
    fit->node[i].weight /= sum;
}

/* The rate at which a law gives the observations that there are. */
static void
set_rate (FlCountLaw *law, double n, double x)
{
  law->rate = x / law->visible / n;
  for (guint i = 0; i < 12 && law->least > 1; i++)
    law->rate *= x / MAX (fl_count_observed (law, n), G_MINDOUBLE);
}

static void
fit_count (const FlForecastPoints *points, FlForecastFit *fit)
{
  System s;
  guint index[FL_FORECAST_POINTS];
  FlForecastPoints copy = *points;
  for (guint i = 0; i < copy.n; i++) /* multiplicity is observations/unique */
    if (fit->metric != FL_METRIC_COMPLETENESS)
      copy.at[i].value = copy.at[i].x / MAX (copy.at[i].value, 1);
  system_make (&s, &copy, FL_METRIC_COMPLETENESS, index);
  fit->n = 0;
  for (guint least = 1; least <= 3; least++)
    for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
      for (guint k = 0; k < G_N_ELEMENTS (hidden); k++)
        {
          FlCountLaw law = { .shape = shapes[i], .visible = 1 - hidden[k], .least = least };
          set_rate (&law, fit->last.n, fit->last.x);
          double residual[FL_FORECAST_POINTS];
          for (guint p = 0; p < s.n; p++)
            residual[p] = s.y[p]
                          - to_scale (FL_METRIC_COMPLETENESS, points->possible,
                                      fl_count_seen (&law, copy.at[index[p]].n));
          /* half of all experiments can see everything; others miss a few per cent */
          double prior = k == 0 ? 0 : log (G_N_ELEMENTS (hidden) - 1) + hidden[k] / HIDDEN;
          fit->node[fit->n++] = (FlForecastNode){ .weight = square (&s, residual) / 2 + prior, .count = law };
        }
  normalise (fit);
  guint best = 0;
  for (guint i = 1; i < fit->n; i++)
    best = fit->node[i].weight > fit->node[best].weight ? i : best;
  fit->count = fit->node[best].count;
}

static double
cc_law (const FlForecastNode *node, double inverse)
{
  return node->a / (1 + node->b * inverse);
}

static void
fit_cc (const FlForecastPoints *points, FlForecastFit *fit)
{
  System s;
  guint index[FL_FORECAST_POINTS];
  double inverse[FL_FORECAST_POINTS], residual[FL_FORECAST_POINTS];
  system_make (&s, points, fit->metric, index);
  for (guint p = 0; p < s.n; p++)
    inverse[p] = fl_count_inverse (&fit->count, points->at[index[p]].n);
  fit->n = 0;
  for (guint i = 0; i < N_CEILING; i++)
    for (guint k = 0; k < N_NOISE; k++)
      {
        double off = 6.0 * k / (N_NOISE - 1) - 3;
        double noise = noise_mean[fit->metric == FL_METRIC_CC_ANO] + off * noise_sigma;
        FlForecastNode node = { .a = 1 - (double) i / N_CEILING, .b = pow (10, noise) };
        for (guint p = 0; p < s.n; p++)
          residual[p] = s.y[p] - to_scale (fit->metric, 0, cc_law (&node, inverse[p]));
        /* a ceiling is as probable as none, and may be anywhere */
        node.weight = square (&s, residual) / 2 + off * off / 2 + (i == 0 ? 0 : log (N_CEILING - 1));
        fit->node[fit->n++] = node;
      }
  normalise (fit);
}

/* How much lattices differ in their number of observations, from how far subsets are from their mean; with 4 observations' worth of
 * a prior of ½. */
static void
fit_variation (const FlForecastPoints *points, FlForecastFit *fit)
{
  System s = { .n = points->n };
  double residual[FL_FORECAST_POINTS];
  for (guint i = 0; i < s.n; i++)
    {
      const FlForecastPoint *p = &points->at[i];
      residual[i] = log (p->x / fl_count_observed (&fit->count, p->n));
      for (guint j = 0; j <= i; j++)
        s.factor[i][j] =
            fl_forecast_overlap (points, i, j) / (p->n * points->at[j].n) * (i == j ? 1.000001 : 1);
    }
  factorise (&s);
  fit->variation = sqrt ((4 * 0.25 + square (&s, residual)) / (4 + s.n - 1));
}

gboolean
fl_forecast_fit (const FlForecastPoints *points, FlMetric metric, FlForecastFit *fit)
{
  if (points->n < 2 || !usable (metric, &points->at[points->n - 1]))
    return FALSE;
  memset (fit, 0, sizeof *fit);
  fit->metric = metric;
  fit->last = points->at[points->n - 1];
  fit->possible = points->possible;
  fit->y = to_scale (metric, points->possible, fit->last.value);
  fit->sigma = error_of (metric, points->possible, &fit->last, fit->y);
  fit_count (points, fit);
  fit_variation (points, fit);
  if (is_cc (metric))
    fit_cc (points, fit);
  return TRUE;
}

/* --- prediction --- */

typedef struct
{
  double inverse, inverse_last; /* fl_count_inverse () */
  double rate_error;            /* relative, of observations at n */
  double stretch;               /* factors of e that it is further on */
} Step;

static double
completeness_at (const FlForecastFit *fit, const FlCountLaw *law, double n)
{
  return to_scale (FL_METRIC_COMPLETENESS, fit->possible, fl_count_seen (law, n));
}

static void
predict (const FlForecastFit *fit, const FlForecastNode *node, const Step *step, double n, double *mean,
         double *variance)
{
  double share = fit->last.n / n;
  if (is_cc (fit->metric))
    {
      double law = to_scale (fit->metric, 0, cc_law (node, step->inverse));
      double law_last = to_scale (fit->metric, 0, cc_law (node, step->inverse_last));
      *mean = law + sqrt (share) * (fit->y - law_last);
      *variance = fit->sigma * fit->sigma * (1 - share) + pow (DRIFT * step->stretch, 2);
    }
  else if (fit->metric == FL_METRIC_COMPLETENESS)
    {
      double y = completeness_at (fit, &node->count, n),
             last = completeness_at (fit, &node->count, fit->last.n);
      double slope = (completeness_at (fit, &node->count, n * 1.05) - y) / log (1.05);
      *mean = y + fit->y - last;
      *variance = MAX (exp (y) - exp (last), 0) / fit->possible + pow (slope * step->rate_error, 2)
                  + pow (step->stretch * DRIFT_GROWTH * (y - last), 2)
                  + pow (step->stretch * DRIFT_COMPLETENESS * y, 2);
    }
  else
    {
      double grown = fl_count_observed (&node->count, n) / fl_count_seen (&node->count, n);
      double last = fl_count_observed (&node->count, fit->last.n) / fl_count_seen (&node->count, fit->last.n);
      *mean = fit->y + log (grown / last);
      *variance = step->rate_error * step->rate_error;
    }
}

/* What the nodes that matter say of n lattices. */
typedef struct
{
  guint n;
  double weight[FL_FORECAST_GRID], mean[FL_FORECAST_GRID], sigma[FL_FORECAST_GRID];
} Spread;

static Spread *
spread_at (const FlForecastFit *fit, double n)
{
  Spread *spread = g_new (Spread, 1);
  double more = MAX (1 - fit->last.n / n, 0);
  Step step = { .stretch = log (MIN (n / fit->last.n, DRIFT_END)) };
  step.rate_error = hypot (fit->variation * sqrt (more / fit->last.n), DRIFT * more);
  if (is_cc (fit->metric))
    {
      step.inverse = fl_count_inverse (&fit->count, n);
      step.inverse_last = fl_count_inverse (&fit->count, fit->last.n);
    }
  spread->n = 0;
  for (guint i = 0; i < fit->n; i++)
    if (fit->node[i].weight > 1e-6)
      {
        double mean, variance;
        predict (fit, &fit->node[i], &step, n, &mean, &variance);
        spread->weight[spread->n] = fit->node[i].weight;
        spread->mean[spread->n] = mean;
        spread->sigma[spread->n++] = sqrt (2 * MAX (variance, 1e-12));
      }
  return spread;
}

static double
chance (const Spread *spread, double y)
{
  double sum = 0;
  for (guint i = 0; i < spread->n; i++)
    sum += spread->weight[i] * erfc ((y - spread->mean[i]) / spread->sigma[i]) / 2;
  return sum;
}

double
fl_forecast_chance (const FlForecastFit *fit, double n, double value)
{
  g_autofree Spread *spread = spread_at (fit, MAX (n, fit->last.n));
  return chance (spread, to_scale (fit->metric, fit->possible, value));
}

double
fl_forecast_value (const FlForecastFit *fit, double n, double p)
{
  g_autofree Spread *spread = spread_at (fit, MAX (n, fit->last.n));
  double low = is_cc (fit->metric) ? -8 : 0, high = is_cc (fit->metric) ? 8 : 20;
  for (guint i = 0; i < 40; i++)
    {
      double middle = (low + high) / 2;
      *(chance (spread, middle) > p ? &low : &high) = middle;
    }
  return from_scale (fit->metric, (low + high) / 2);
}
