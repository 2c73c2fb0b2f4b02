/* forecast-private.h: points of a trend, and the posterior that they leave of a law's parameters. Shared by forecast*.c. */
#pragma once

#include "engine/control/forecast.h"

#define FL_FORECAST_POINTS FL_FORECAST_MOST_POINTS
#define FL_FORECAST_GRID   2560
#define FL_FORECAST_FAR    1e4 /* times the lattices that there are: later is never */

/* What a metric was at n lattices. */
typedef struct
{
  double n;         /* lattices */
  double x;         /* observations/possible reflection */
  double value;     /* NaN: not known */
  double pairs;     /* that a correlation is over */
  gboolean earlier; /* an earlier version, not a subset by key of the newest one */
} FlForecastPoint;

/* By n; the last one is the newest version. */
typedef struct
{
  guint n;
  double possible; /* reflections */
  double d_min;    /* Å, where its shells end; 0: no such shell */
  FlForecastPoint at[FL_FORECAST_POINTS];
} FlForecastPoints;

/* How often a reflection has been observed: negative binomial (Poisson with brightness that is gamma distributed with shape r); a
 * fraction `visible` can be; those with fewer than `least` observations do not count. */
typedef struct
{
  double rate; /* observations per visible reflection and lattice */
  double shape, visible;
  guint least;
} FlCountLaw;

typedef struct
{
  double weight;    /* posterior, sum 1 */
  double a, b;      /* correlations: ceiling and noise */
  FlCountLaw count; /* completeness */
} FlForecastNode;

typedef struct
{
  FlMetric metric;
  FlForecastPoint last;
  double possible, y, sigma; /* of the last point, on the scale that the law is fitted on */
  double variation;          /* from lattice to lattice, of their number of observations: σ/mean */
  FlCountLaw count;          /* most probable */
  guint n;
  FlForecastNode node[FL_FORECAST_GRID];
} FlForecastFit;

/* forecast-points.c: `metric` to the resolution of the goal, from all versions. FALSE: there are none. */
gboolean fl_forecast_points (const FlForecastVersion *versions, guint n_versions, FlMetric metric,
                             double d_min, FlForecastPoints *points);
/* Lattices that two points share (expected, where one is an earlier version). */
double fl_forecast_overlap (const FlForecastPoints *points, guint i, guint j);

/* forecast-laws.c: fraction of all possible reflections that count at n lattices; observations of those a possible one. */
double fl_count_seen (const FlCountLaw *law, double n);
double fl_count_observed (const FlCountLaw *law, double n);
/* Mean of 1/observations in a half set of those that count in it. */
double fl_count_inverse (const FlCountLaw *law, double n);

/* forecast-fit.c. `fit` is large: allocate it. FALSE: too little is known. */
gboolean fl_forecast_fit (const FlForecastPoints *points, FlMetric metric, FlForecastFit *fit);
/* Probability that the metric is at least `value` at n lattices (n not below what there is). */
double fl_forecast_chance (const FlForecastFit *fit, double n, double value);
/* Value that is exceeded with probability p. */
double fl_forecast_value (const FlForecastFit *fit, double n, double p);
