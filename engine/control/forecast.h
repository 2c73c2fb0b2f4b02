/* forecast.h: do I have enough? From how the quality of a dataset's versions has grown to when its goal will be reached, with an
 * interval that is meant: 80 of 100 outcomes lie inside.
 *
 * Completeness, multiplicity and correlations of half sets grow with the number of lattices n by laws with one or two parameters
 * (completeness of partial, unevenly bright reflections; multiplicity ∝ n; CC½ = n/(n + a) of signal and noise, with a ceiling
 * where data do not improve any more). They are fitted to the trend that each merge writes (FlTrendRow) and to the versions
 * before it. Thread: any. */
#pragma once

#include "engine/base/batch.h"
#include "engine/store/records.h"

typedef enum
{
  FL_METRIC_COMPLETENESS,
  FL_METRIC_MULTIPLICITY,
  FL_METRIC_CC_HALF,
  FL_METRIC_CC_ANO,
  FL_METRIC_LAST
} FlMetric;

typedef enum
{
  FL_VERDICT_NO_GOAL, /* nothing is asked for */
  FL_VERDICT_NO_DATA, /* nothing has been merged */
  FL_VERDICT_ENOUGH,
  FL_VERDICT_KEEP_GOING,
  FL_VERDICT_NOT_IMPROVING, /* more of the same will not reach it */
  FL_VERDICT_TOO_EARLY      /* the interval is so wide that nothing can be said */
} FlGoalVerdict;

/* One goal of a dataset. */
typedef struct
{
  FlMetric metric;
  double goal, now; /* now: NaN = not known */
  gboolean reached;
  double needed, low,
      high; /* lattices in all at which it will be reached: likely, 80 % interval; INFINITY: never */
} FlForecastItem;

typedef struct
{
  FlGoalVerdict verdict;
  char *reason; /* one line: "CC½ at 2.0 Å is 0.31 of 0.50: about 2,100 more lattices (1,500–3,200)" */
  char *state,
      *advice; /* what comes before and after its colon; where all is reached, only the advice is the reason; may be "" */
  guint64 lattices; /* in the newest version */
  double d_min;     /* Å, that the goal is for */
  guint n;
  FlForecastItem items[FL_METRIC_LAST];
  guint decisive;                            /* the item that the reason is about */
  double needed, low, high;                  /* lattices in all until everything is reached */
  double seconds, seconds_low, seconds_high; /* from now, at the present rate; NaN: none are coming */
} FlForecast;

/* The trend of one version: FlTrendRow of all shells and subsets, and its FlShellRow as the last point. */
typedef struct
{
  const FlTrendRow *trend;
  guint n_trend;
  const FlShellRow *shells;
  guint n_shells;
  guint64 lattices; /* used in it */
} FlForecastVersion;

/* `versions`: oldest first. `rate`: lattices/s that are being added now, 0 = none. */
void fl_forecast_make (const FlDataset *dataset, const FlForecastVersion *versions, guint n, double rate,
                       FlForecast *out);
void fl_forecast_clear (FlForecast *forecast);
const char *fl_verdict_name (FlGoalVerdict verdict); /* "enough", "keep going" … */
const char *fl_metric_name (FlMetric metric);        /* "completeness", "CC1/2" … */

/* What versions say of a metric, to the goal's resolution: what a curve is drawn over. */
typedef struct
{
  double lattices, value; /* value: NaN = not known, or a correlation of a few pairs */
  gboolean earlier;       /* an earlier version as a whole; else a subset of the newest one, or all of it */
} FlForecastPointOf;

#define FL_FORECAST_MOST_POINTS 24

/* `points`: room for FL_FORECAST_MOST_POINTS; by number of lattices, the newest version last. Returns how many. */
guint fl_forecast_points_of (const FlDataset *dataset, const FlForecastVersion *versions, guint n_versions,
                             FlMetric metric, FlForecastPointOf *points);

/* The values of a metric at lattices[n] by the same fit, with their 80 % intervals: for drawing the band. Below the newest version's
 * lattices: as at them. FALSE: too little is known. */
gboolean fl_forecast_curve (const FlDataset *dataset, const FlForecastVersion *versions, guint n_versions,
                            FlMetric metric, guint n, const double *lattices, double *value, double *low,
                            double *high);
