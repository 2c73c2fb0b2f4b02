/* What versions' trends say of one metric. */
#include <math.h>
#include <string.h>

#include "engine/control/forecast-private.h"

#define SAME_D 0.02 /* relative: shells of two versions that end there are one */

/* Sums over the shells to the goal's resolution, or the one shell that the goal is for. */
typedef struct
{
  double possible, unique, observations, pairs, value;
} Sum;

/* The number of the shell that ends nearest to d_min; 0 (all together): none is asked for. -1: the data end before. */
static int
shell_at (const FlForecastVersion *version, double d_min, double *end)
{
  int number = d_min > 0 ? -1 : 0;
  double best = INFINITY;
  *end = 0;
  for (guint i = 0; i < version->n_shells; i++)
    {
      const FlShellRow *shell = &version->shells[i];
      double off = fabs (1 / shell->d_min - 1 / d_min);
      if (d_min > 0 && shell->number > 0 && shell->d_min <= d_min * (1 + SAME_D) && off < best)
        {
          best = off;
          number = shell->number;
          *end = shell->d_min;
        }
    }
  return number;
}

static gboolean
wanted (FlMetric metric, int number, int shell)
{
  if (metric == FL_METRIC_CC_HALF)
    return number == shell;
  if (metric == FL_METRIC_CC_ANO)
    return number == 0;
  return shell == 0 ? number == 0 : number > 0 && number <= shell;
}

static void
sum_add (Sum *sum, FlMetric metric, double possible, double pairs, double completeness, double multiplicity,
         double cc)
{
  double unique = isfinite (completeness) ? completeness * possible : 0;
  sum->possible += possible;
  sum->unique += unique;
  sum->observations += isfinite (multiplicity) ? multiplicity * unique : 0;
  sum->pairs +=
      metric == FL_METRIC_CC_ANO ? pairs / 2 : pairs; /* acentric, both mates in both halves: fewer */
  sum->value = cc;
}

static void
append (FlForecastPoints *points, FlMetric metric, const Sum *sum, double n, gboolean earlier)
{
  if (!(sum->possible > 0) || !(sum->observations > 0) || !(n > 0) || points->n == FL_FORECAST_POINTS)
    return;
  double value = metric == FL_METRIC_COMPLETENESS   ? sum->unique / sum->possible
                 : metric == FL_METRIC_MULTIPLICITY ? sum->observations / sum->unique
                                                    : sum->value;
  points->at[points->n++] = (FlForecastPoint){
    .n = n, .x = sum->observations / sum->possible, .value = value, .pairs = sum->pairs, .earlier = earlier
  };
}

static void
append_version (FlForecastPoints *points, const FlForecastVersion *version, FlMetric metric, int shell,
                gboolean earlier)
{
  Sum sum = { .value = NAN };
  for (guint i = 0; i < version->n_shells; i++)
    {
      const FlShellRow *row = &version->shells[i];
      if (wanted (metric, row->number, shell))
        sum_add (&sum, metric, row->possible, row->pairs, row->completeness, row->multiplicity,
                 metric == FL_METRIC_CC_ANO ? row->cc_ano : row->cc_half);
    }
  append (points, metric, &sum, (double) version->lattices, earlier);
  points->possible = sum.possible;
}

/* One subset of the newest version: all its rows. */
static void
append_subset (FlForecastPoints *points, const FlForecastVersion *version, FlMetric metric, int shell,
               guint64 lattices)
{
  Sum sum = { .value = NAN };
  for (guint i = 0; i < version->n_trend; i++)
    {
      const FlTrendRow *row = &version->trend[i];
      if (row->lattices == lattices && wanted (metric, row->number, shell))
        sum_add (&sum, metric, row->possible, row->pairs, row->completeness, row->multiplicity,
                 metric == FL_METRIC_CC_ANO ? row->cc_ano : row->cc_half);
    }
  append (points, metric, &sum, (double) lattices, FALSE);
}

static int
by_lattices (const void *a, const void *b)
{
  const FlForecastPoint *p = a, *q = b;
  return (p->n > q->n) - (p->n < q->n);
}

gboolean
fl_forecast_points (const FlForecastVersion *versions, guint n_versions, FlMetric metric, double d_min,
                    FlForecastPoints *points)
{
  memset (points, 0, sizeof *points);
  if (n_versions == 0)
    return FALSE;
  const FlForecastVersion *newest = &versions[n_versions - 1];
  int shell = shell_at (newest, d_min, &points->d_min);
  if (shell < 0)
    return FALSE;
  for (guint i = 0; i < newest->n_trend && points->n < FL_FORECAST_POINTS / 2; i++)
    {
      guint64 lattices = newest->trend[i].lattices;
      gboolean there = lattices >= newest->lattices;
      for (guint k = 0; k < i && !there; k++)
        there = newest->trend[k].lattices == lattices;
      if (!there)
        append_subset (points, newest, metric, shell, lattices);
    }
  guint first = n_versions > FL_FORECAST_POINTS / 2 ? n_versions - FL_FORECAST_POINTS / 2 : 0;
  for (guint v = first; v + 1 < n_versions; v++)
    {
      double end;
      int other = shell_at (&versions[v], d_min, &end);
      if (other >= 0 && versions[v].lattices < newest->lattices
          && fabs (end - points->d_min) <= SAME_D * points->d_min)
        append_version (points, &versions[v], metric, other, TRUE);
    }
  guint before = points->n;
  append_version (points, newest, metric, shell, FALSE);
  if (points->n == before)
    return FALSE;
  qsort (points->at, points->n, sizeof points->at[0], by_lattices);
  return TRUE;
}

double
fl_forecast_overlap (const FlForecastPoints *points, guint i, guint j)
{
  const FlForecastPoint *p = &points->at[i], *q = &points->at[j];
  return p->earlier == q->earlier ? MIN (p->n, q->n) : p->n * q->n / points->at[points->n - 1].n;
}
