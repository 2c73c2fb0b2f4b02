/* Forecasts: laws that hold exactly are found again, and of simulated shifts' outcomes 80 of 100 lie in the interval. With a number:
 * that many shifts. */
#include "engine/control/forecast.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "simulated-shift.h"

static guint n_shifts = 120;

/* --- honest --- */

typedef struct
{
  guint n, inside, below;
} Tally;

static void
tally (Tally *t, double value, double low, double high)
{
  t->n++;
  t->inside += value >= low && value <= high;
  t->below += value < low;
}

static void
ask (FlDataset *dataset, const SimulatedShift *shift, FlMetric metric, double share)
{
  double now = shift->value[metric][0];
  *dataset = (FlDataset){ .goal_d_min = shift->d_min };
  if (metric == FL_METRIC_COMPLETENESS)
    dataset->goal_completeness = 1 - (1 - now) * (1 - share);
  else if (metric == FL_METRIC_MULTIPLICITY)
    dataset->goal_multiplicity = now * (1.3 + 6 * share);
  else if (metric == FL_METRIC_CC_HALF)
    dataset->goal_cc_half = MAX (now + (1 - now) * share, 0.05);
  else
    dataset->goal_cc_ano = MAX (now + (1 - now) * share, 0.05);
}

/* When the goal was reached for good measure: the first step of the ladder with it, between the steps; INFINITY: not in all of it. */
static double
reached_at (const SimulatedShift *shift, FlMetric metric, double goal)
{
  const double *value = shift->value[metric];
  for (guint i = 1; i < SHIFT_LADDER; i++)
    if (value[i] >= goal)
      return shift->lattices[i - 1]
             * pow (shift->lattices[i] / shift->lattices[i - 1],
                    (goal - value[i - 1]) / (value[i] - value[i - 1]));
  return INFINITY;
}

static void
tally_shift (guint number, Tally values[], Tally needs[], Tally *never)
{
  SimulatedShift shift;
  simulated_shift_make (1000 + number, &shift);
  double end = shift.lattices[SHIFT_LADDER - 1];
  for (guint metric = 0; metric < FL_METRIC_LAST; metric++)
    {
      FlDataset dataset;
      FlForecast forecast;
      double value, low, high;
      ask (&dataset, &shift, metric, 0.05 + 0.55 * ((number * 37 + metric * 11) % 100) / 100.0);
      if (!fl_forecast_curve (&dataset, shift.versions, 2, metric, 1, &shift.lattices[8], &value, &low,
                              &high))
        continue;
      tally (&values[metric], shift.value[metric][8], low, high);
      fl_forecast_make (&dataset, shift.versions, 2, 1, &forecast);
      g_assert_cmpuint (forecast.n, ==, 1);
      const FlForecastItem *item = &forecast.items[0];
      double at = reached_at (&shift, metric, item->goal);
      /* after the end of what is simulated nobody knows when */
      if (isfinite (at))
        tally (&needs[metric], at, item->low, item->high);
      else
        tally (&needs[metric], end, MIN (item->low, end), item->high > end ? end : 0);
      if (forecast.verdict == FL_VERDICT_NOT_IMPROVING)
        tally (never, at, end, INFINITY);
      fl_forecast_clear (&forecast);
    }
}

static void
test_honest (void)
{
  Tally values[FL_METRIC_LAST] = { 0 }, needs[FL_METRIC_LAST] = { 0 }, never = { 0 };
  for (guint i = 0; i < n_shifts; i++)
    tally_shift (i, values, needs, &never);
  gboolean honest = TRUE;
  g_test_message ("not improving: %u of %u were not reached with 16 times the lattices", never.inside,
                  never.n);
  for (guint metric = 0; metric < FL_METRIC_LAST; metric++)
    for (guint kind = 0; kind < 2; kind++)
      {
        const Tally *t = kind == 0 ? &values[metric] : &needs[metric];
        double share = (double) t->inside / t->n;
        g_test_message ("%s, %s: %.0f %% of %u inside, %.0f %% below", fl_metric_name (metric),
                        kind == 0 ? "value at 4 n" : "lattices needed", 100 * share, t->n,
                        100.0 * t->below / t->n);
        honest = honest && t->n >= 50 && share >= 0.7 && share <= 0.9;
      }
  g_assert_true (honest);
}

/* --- laws that hold exactly --- */

#define EXACT_SUBSETS 5

typedef struct
{
  FlTrendRow trend[EXACT_SUBSETS];
  FlShellRow shell;
  FlForecastVersion version;
} Exact;

/* 20000 reflections that are seen independently and equally often, `rate` observations each a lattice; CC = ceiling/(1 + noise/m), m
 * being the observations in a half. */
static void
exact_make (Exact *e, double lattices, double rate, double ceiling, double noise)
{
  for (guint i = 0; i < EXACT_SUBSETS; i++)
    {
      double n = lattices / exp2 (EXACT_SUBSETS - 1 - i), x = n * rate, seen = -expm1 (-x);
      float cc = (float) (ceiling / (1 + noise / (x / 2)));
      e->trend[i] = (FlTrendRow){ .lattices = (guint64) n,
                                  .possible = 20000,
                                  .pairs = 20000,
                                  .completeness = (float) seen,
                                  .multiplicity = (float) (x / seen),
                                  .cc_half = cc,
                                  .cc_ano = cc };
    }
  const FlTrendRow *last = &e->trend[EXACT_SUBSETS - 1];
  e->shell = (FlShellRow){ .possible = last->possible,
                           .pairs = last->pairs,
                           .completeness = last->completeness,
                           .multiplicity = last->multiplicity,
                           .cc_half = last->cc_half,
                           .cc_ano = last->cc_ano };
  e->version = (FlForecastVersion){ .trend = e->trend,
                                    .n_trend = EXACT_SUBSETS,
                                    .shells = &e->shell,
                                    .n_shells = 1,
                                    .lattices = (guint64) lattices };
}

static void
assert_near (double value, double expected, double relative)
{
  g_assert_cmpfloat (fabs (value - expected), <=, relative * expected);
}

static void
check (const FlDataset *dataset, const Exact *e, double rate, FlGoalVerdict verdict, double needed)
{
  FlForecast f;
  fl_forecast_make (dataset, &e->version, 1, rate, &f);
  g_test_message ("%s: %s", fl_verdict_name (f.verdict), f.reason);
  g_assert_cmpstr (fl_verdict_name (f.verdict), ==, fl_verdict_name (verdict));
  g_assert_true (f.n == 0 || (f.low <= f.needed && f.needed <= f.high));
  if (needed > 0)
    {
      g_assert_cmpfloat (f.low, <=, needed);
      g_assert_cmpfloat (f.high, >=, needed);
      assert_near (f.needed, needed, 0.1);
      assert_near (f.seconds, (f.needed - (double) e->version.lattices) / rate, 1e-9);
    }
  g_assert_null (strchr (f.reason, '\n'));
  fl_forecast_clear (&f);
}

static void
test_exact (void)
{
  Exact e;
  exact_make (&e, 1600, 0.001, 1, 3); /* 1.6 observations, 80 % complete */
  check (&(FlDataset){ .goal_completeness = 0.95 }, &e, 2, FL_VERDICT_KEEP_GOING, -log (0.05) / 0.001);
  check (&(FlDataset){ .goal_multiplicity = 4 }, &e, 2, FL_VERDICT_KEEP_GOING, 3921); /* x/(1 − e⁻ˣ) = 4 */
  exact_make (&e, 1600, 0.05, 1, 40);                                                 /* CC½ 0.5 */
  check (&(FlDataset){ .goal_cc_half = 0.7 }, &e, 2, FL_VERDICT_KEEP_GOING, 2 * 40 / 0.05 * 0.7 / 0.3);
  check (&(FlDataset){ .goal_cc_ano = 0.7 }, &e, 2, FL_VERDICT_KEEP_GOING, 2 * 40 / 0.05 * 0.7 / 0.3);
  check (&(FlDataset){ .goal_cc_half = 0.4, .goal_multiplicity = 20 }, &e, 2, FL_VERDICT_ENOUGH, 1600);
  check (&(FlDataset){ .goal_cc_half = 0.4, .goal_multiplicity = 160 }, &e, 2, FL_VERDICT_KEEP_GOING, 3200);
}

static void
test_verdicts (void)
{
  Exact e;
  FlForecast f;
  exact_make (&e, 16000, 0.05, 0.4, 5); /* 0.395 of 0.4 */
  check (&(FlDataset){ .goal_cc_half = 0.6 }, &e, 1, FL_VERDICT_NOT_IMPROVING, 0);
  check (&(FlDataset){ .goal_cc_half = 0.3 }, &e, 1, FL_VERDICT_ENOUGH, 16000);
  exact_make (&e, 64, 0.05, 1, 100); /* 0.016 */
  check (&(FlDataset){ .goal_cc_half = 0.9 }, &e, 1, FL_VERDICT_TOO_EARLY, 0);
  check (&(FlDataset){ .goal_cc_half = 0.5, .goal_d_min = 1.5 }, &e, 1, FL_VERDICT_TOO_EARLY,
         0); /* not merged to there */
  check (&(FlDataset){ .id = 1 }, &e, 1, FL_VERDICT_NO_GOAL, 0);
  fl_forecast_make (&(FlDataset){ .goal_cc_half = 0.5 }, NULL, 0, 1, &f);
  g_assert_cmpint (f.verdict, ==, FL_VERDICT_NO_DATA);
  fl_forecast_clear (&f);
  exact_make (&e, 383, 0.05, 1, 1); /* what there is, is said to the last lattice */
  fl_forecast_make (&(FlDataset){ .goal_multiplicity = 8 }, &e.version, 1, 1, &f);
  g_assert_cmpstr (f.reason, ==, "all goals are reached with 383 lattices");
  fl_forecast_clear (&f);
  fl_forecast_make (&(FlDataset){ .goal_multiplicity = 50 }, &e.version, 1, 0, &f);
  g_assert_true (isnan (f.seconds));
  fl_forecast_clear (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (argc > 1)
    n_shifts = (guint) atoi (argv[1]);
  g_test_add_func ("/forecast/exact", test_exact);
  g_test_add_func ("/forecast/verdicts", test_verdicts);
  g_test_add_func ("/forecast/honest", test_honest);
  return g_test_run ();
}
