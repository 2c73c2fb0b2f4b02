/* Goals, verdicts and what is said of them. */
#include <math.h>
#include <string.h>

#include "engine/control/forecast-private.h"

#define WIDE 4.0 /* an interval of more than this factor says nothing */
#define FEW  10  /* pairs: a correlation of fewer is chance */

static const char *const labels[FL_METRIC_LAST] = { "completeness", "multiplicity", "CC½",
                                                    "CC of anomalous differences" };

const char *
fl_verdict_name (FlGoalVerdict verdict)
{
  static const char *const names[] = { "no goal",    "no data",       "enough",
                                       "keep going", "not improving", "too early" };
  return (guint) verdict < G_N_ELEMENTS (names) ? names[verdict] : "?";
}

const char *
fl_metric_name (FlMetric metric)
{
  static const char *const names[] = { "completeness", "multiplicity", "CC1/2", "CCano" };
  return (guint) metric < G_N_ELEMENTS (names) ? names[metric] : "?";
}

static double
goal_of (const FlDataset *dataset, FlMetric metric)
{
  const double goals[] = { dataset->goal_completeness, dataset->goal_multiplicity, dataset->goal_cc_half,
                           dataset->goal_cc_ano };
  return goals[metric];
}

/* --- how many lattices --- */

/* The fewest at which the goal is reached with probability p; INFINITY: never. */
static double
lattices_at (const FlForecastFit *fit, double goal, double p)
{
  double low = fit->last.n, high = low;
  while (fl_forecast_chance (fit, high, goal) < p)
    {
      low = high;
      high *= 1.5;
      if (high > FL_FORECAST_FAR * fit->last.n)
        return INFINITY;
    }
  for (guint i = 0; i < 20 && high > low; i++)
    {
      double middle = sqrt (low * high);
      *(fl_forecast_chance (fit, middle, goal) < p ? &low : &high) = middle;
    }
  return high;
}

static FlForecastItem
make_item (const FlForecastVersion *versions, guint n, FlMetric metric, double goal, double d_min)
{
  FlForecastItem item = { .metric = metric, .goal = goal, .now = NAN, .needed = INFINITY, .high = INFINITY };
  item.low = (double) versions[n - 1].lattices;
  FlForecastPoints points;
  if (!fl_forecast_points (versions, n, metric, d_min, &points))
    return item;
  item.now = points.at[points.n - 1].value;
  item.reached = item.now >= goal;
  g_autofree FlForecastFit *fit = g_new (FlForecastFit, 1);
  if (item.reached)
    item.needed = item.high = item.low;
  else if (fl_forecast_fit (&points, metric, fit))
    {
      item.low = lattices_at (fit, goal, 0.1);
      item.needed = lattices_at (fit, goal, 0.5);
      item.high = lattices_at (fit, goal, 0.9);
    }
  return item;
}

/* --- words --- */

/* "12,345" */
static char *
whole_text (guint64 whole)
{
  g_autofree char *digits = g_strdup_printf ("%" G_GUINT64_FORMAT, whole);
  g_autoptr (GString) text = g_string_new (NULL);
  gsize n = strlen (digits);
  for (gsize i = 0; i < n; i++)
    {
      if (i > 0 && (n - i) % 3 == 0)
        g_string_append_c (text, ',');
      g_string_append_c (text, digits[i]);
    }
  return g_strdup (text->str);
}

/* "12,300": two significant digits, or three from 1 to 2. */
static char *
count_text (double count)
{
  double step = count >= 10 ? pow (10, floor (log10 (count / 2)) - 1) : 1;
  return whole_text ((guint64) (round (count / MAX (step, 1)) * MAX (step, 1)));
}

/* "completeness to 2.0 Å is 81.2 % of 95.0 %"; a correlation is that of the shell there: "CC½ at 2.0 Å is 0.31 of 0.50" */
static char *
item_text (const FlForecastItem *item, double d_min)
{
  gboolean tenths = fabs (d_min * 10 - round (d_min * 10)) < 1e-6; /* 2.0, 1.85 */
  g_autofree char *to = d_min > 0 && item->metric != FL_METRIC_CC_ANO
                            ? g_strdup_printf (" %s %.*f Å", item->metric == FL_METRIC_CC_HALF ? "at" : "to",
                                               tenths ? 1 : 2, d_min)
                            : g_strdup ("");
  if (isnan (item->now))
    return g_strdup_printf ("%s%s cannot be told from what has been merged", labels[item->metric], to);
  if (item->metric == FL_METRIC_COMPLETENESS)
    return g_strdup_printf ("%s%s is %.1f %% of %.1f %%", labels[item->metric], to, 100 * item->now,
                            100 * item->goal);
  if (item->metric == FL_METRIC_MULTIPLICITY)
    return g_strdup_printf ("%s%s is %.1f of %.1f", labels[item->metric], to, item->now, item->goal);
  return g_strdup_printf ("%s%s is %.2f of %.2f", labels[item->metric], to, item->now, item->goal);
}

/* The item that decides: what will never be reached, or what takes longest. */
static guint
worst_item (const FlForecast *f)
{
  guint worst = 0;
  for (guint i = 1; i < f->n; i++)
    {
      const FlForecastItem *item = &f->items[i], *than = &f->items[worst];
      gboolean open = !item->reached && than->reached;
      gboolean later = item->low > than->low || (item->low == than->low && item->high > than->high);
      if (open || (item->reached == than->reached && (isinf (than->low) ? FALSE : later)))
        worst = i;
    }
  return worst;
}

static char *
advice_text (const FlForecast *f, const FlForecastItem *item)
{
  double have = (double) f->lattices;
  g_autofree char *low = count_text (isfinite (item->low) ? item->low - have : 0);
  g_autofree char *high = isfinite (item->high) ? count_text (item->high - have) : NULL;
  g_autofree char *needed = isfinite (item->needed) ? count_text (item->needed - have) : NULL;
  g_autofree char *now = whole_text (f->lattices);
  switch (f->verdict)
    {
    case FL_VERDICT_ENOUGH:
      return g_strdup_printf ("all goals are reached with %s lattices", now);
    case FL_VERDICT_NOT_IMPROVING:
      return g_strdup ("more of the same lattices will probably never reach it");
    case FL_VERDICT_KEEP_GOING:
      return g_strdup_printf ("about %s more lattices (%s–%s)", needed, low, high);
    case FL_VERDICT_TOO_EARLY:
      if (isnan (item->now))
        return g_strdup ("");
      if (high == NULL)
        return g_strdup_printf ("%s more lattices or many times that, too early to say with %s", low, now);
      return g_strdup_printf ("between %s and %s more lattices, too early to say with %s", low, high, now);
    default:
      return g_strdup ("");
    }
}

static void
put_words (FlForecast *f)
{
  f->decisive = worst_item (f);
  const FlForecastItem *item = &f->items[f->decisive];
  f->state = item_text (item, f->d_min);
  f->advice = advice_text (f, item);
  f->reason = f->verdict == FL_VERDICT_ENOUGH ? g_strdup (f->advice)
              : *f->advice == '\0'            ? g_strdup (f->state)
                                              : g_strdup_printf ("%s: %s", f->state, f->advice);
}

/* --- the verdict --- */

static void
decide (FlForecast *f)
{
  gboolean all = TRUE, never = FALSE, wide = FALSE;
  f->needed = f->low = f->high = (double) f->lattices;
  for (guint i = 0; i < f->n; i++)
    {
      const FlForecastItem *item = &f->items[i];
      all = all && item->reached;
      never = never || isinf (item->low);
      wide = wide || isinf (item->high) || item->high > WIDE * item->low;
      f->needed = MAX (f->needed, item->needed);
      f->low = MAX (f->low, item->low);
      f->high = MAX (f->high, item->high);
    }
  f->verdict = all     ? FL_VERDICT_ENOUGH
               : never ? FL_VERDICT_NOT_IMPROVING
               : wide  ? FL_VERDICT_TOO_EARLY
                       : FL_VERDICT_KEEP_GOING;
}

void
fl_forecast_make (const FlDataset *dataset, const FlForecastVersion *versions, guint n, double rate,
                  FlForecast *out)
{
  memset (out, 0, sizeof *out);
  out->needed = out->low = out->high = out->seconds = out->seconds_low = out->seconds_high = NAN;
  out->d_min = dataset->goal_d_min;
  out->lattices = n > 0 ? versions[n - 1].lattices : 0;
  gboolean asked = FALSE;
  for (guint metric = 0; metric < FL_METRIC_LAST; metric++)
    {
      double goal = goal_of (dataset, metric);
      asked = asked || goal > 0;
      if (goal > 0 && out->lattices > 0)
        out->items[out->n++] = make_item (versions, n, metric, goal, dataset->goal_d_min);
    }
  if (out->n == 0)
    {
      out->verdict = asked ? FL_VERDICT_NO_DATA : FL_VERDICT_NO_GOAL;
      out->advice = g_strdup (asked ? "nothing has been merged yet" : "no goal has been set");
      out->reason = g_strdup (out->advice);
      out->state = g_strdup ("");
      return;
    }
  decide (out);
  put_words (out);
  if (rate > 0)
    {
      double have = (double) out->lattices;
      out->seconds = (out->needed - have) / rate;
      out->seconds_low = (out->low - have) / rate;
      out->seconds_high = (out->high - have) / rate;
    }
}

void
fl_forecast_clear (FlForecast *forecast)
{
  g_clear_pointer (&forecast->reason, g_free);
  g_clear_pointer (&forecast->state, g_free);
  g_clear_pointer (&forecast->advice, g_free);
  forecast->n = 0;
}

guint
fl_forecast_points_of (const FlDataset *dataset, const FlForecastVersion *versions, guint n_versions,
                       FlMetric metric, FlForecastPointOf *points)
{
  FlForecastPoints found;
  if (!fl_forecast_points (versions, n_versions, metric, dataset->goal_d_min, &found))
    return 0;
  for (guint i = 0; i < found.n; i++)
    {
      gboolean chance =
          (metric == FL_METRIC_CC_HALF || metric == FL_METRIC_CC_ANO) && found.at[i].pairs < FEW;
      points[i] = (FlForecastPointOf){ found.at[i].n, chance ? NAN : found.at[i].value, found.at[i].earlier };
    }
  return found.n;
}

gboolean
fl_forecast_curve (const FlDataset *dataset, const FlForecastVersion *versions, guint n_versions,
                   FlMetric metric, guint n, const double *lattices, double *value, double *low, double *high)
{
  FlForecastPoints points;
  g_autofree FlForecastFit *fit = g_new (FlForecastFit, 1);
  if (!fl_forecast_points (versions, n_versions, metric, dataset->goal_d_min, &points)
      || !fl_forecast_fit (&points, metric, fit))
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      value[i] = fl_forecast_value (fit, lattices[i], 0.5);
      low[i] = fl_forecast_value (fit, lattices[i], 0.9);
      high[i] = fl_forecast_value (fit, lattices[i], 0.1);
    }
  return TRUE;
}
