/* trend-plot.h: how a quantity has grown with a number of things, and how it will: points, a line with its band, a goal with when it
 * will be reached.
 *
 * Points of the newest are discs, earlier ones hollow squares. Over the goal's line a bar spans the numbers at which it will probably
 * be reached, with a diamond at the likeliest. Pointing at the plot reads the line. Property "summary" (string, read-only).
 * Thread: main. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

typedef struct
{
  double x, value; /* value: NaN = not known */
  gboolean earlier;
} FlwTrendPoint;

typedef struct
{
  double x, value, low, high;
} FlwTrendStep;

typedef struct
{
  const char *title, *unit;                /* of the quantity; unit may be "" */
  const char *newest, *earlier, *forecast; /* words of the legend; what there is none of is left out */
  guint n_points;
  const FlwTrendPoint *points; /* by x; the last is the newest */
  guint n_steps;
  const FlwTrendStep *steps; /* by x */
  double upper;              /* top of the scale, 0 = what the values need */
  double goal;               /* NaN: none */
  double needed, low, high;  /* x at which it will be reached; not finite: never or nobody knows */
} FlwTrend;

#define FLW_TYPE_TREND_PLOT (flw_trend_plot_get_type ())
G_DECLARE_FINAL_TYPE (FlwTrendPlot, flw_trend_plot, FLW, TREND_PLOT, GtkWidget)

/* `x_title`: what is counted ("Lattices"). */
GtkWidget *flw_trend_plot_new (const char *x_title);
/* Copies. NULL: there is nothing to show. */
void flw_trend_plot_set (FlwTrendPlot *plot, const FlwTrend *trend);

G_END_DECLS
