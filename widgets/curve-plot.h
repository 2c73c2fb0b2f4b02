/* curve-plot.h: a few curves over one axis: correlations over |s| with the levels that decide a resolution, traces over generations
 * with the stages of a schedule behind them.
 *
 * Where a curve first falls below its level is marked. Pointing at the plot reads all curves; a click tells where. Property
 * "summary" (string, read-only). Signal "picked" (double x). Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "widgets/axis.h"

G_BEGIN_DECLS

typedef struct
{
  double x, y; /* y NaN: the line is broken */
} FlwCurvePoint;

typedef struct
{
  const char *name;
  guint32 colour;
  gboolean dashed;
  double level; /* its first fall below this is marked; NaN: none is looked for */
  guint n;
  const FlwCurvePoint *points; /* by x */
} FlwCurve;

typedef struct
{
  double value;
  const char *label;
} FlwCurveMark;

typedef struct
{
  const char *title, *unit; /* of y; unit may be "" */
  guint n_curves;
  const FlwCurve *curves;
  guint n_levels;
  const FlwCurveMark *levels; /* lines across */
  guint n_stages;
  const FlwCurveMark *stages; /* x at which each begins, ascending */
  double lower, upper;        /* of y; equal: what the values need */
  double cursor;              /* x of a line down; NaN: none */
} FlwCurveChart;

#define FLW_TYPE_CURVE_PLOT (flw_curve_plot_get_type ())
G_DECLARE_FINAL_TYPE (FlwCurvePlot, flw_curve_plot, FLW, CURVE_PLOT, GtkWidget)

GtkWidget *flw_curve_plot_new (FlwAxisKind kind, const char *x_title);
/* Copies. NULL: there is nothing to show. */
void flw_curve_plot_set (FlwCurvePlot *plot, const FlwCurveChart *chart);
/* x at which the curve first falls below the level, between the point before and that after; NaN: it never does, or begins there. */
double flw_curve_fall (guint n, const FlwCurvePoint *points, double level);

G_END_DECLS
