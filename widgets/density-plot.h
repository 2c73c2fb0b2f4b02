/* density-plot.h: counts of two quantities in bins, on a logarithmic colour scale, with clusters as ellipses.
 *
 * The caller counts; the widget draws. Drag brushes a rectangle, a click drops it. Keys: Escape drops the brush, + − F ask for
 * another range. Properties: "summary" (string, read-only). Signals: "brush-changed" (double x from, x to, y from, y to; equal when
 * dropped), "zoom" (int: 1 to the selection, 0 all). Thread: main. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

typedef struct
{
  double lower[2], width[2]; /* of x and y: where the first bin begins; of a bin */
  guint n_bins[2];
  const guint32 *shown; /* n_bins[1] rows of n_bins[0], y upwards */
  guint64 outside;      /* shown ones outside the bins */
} FlwDensityCounts;

/* Drawn where 95 % of its members lie, as two of normal variates. */
typedef struct
{
  double x, y, xx, xy, yy; /* mean and covariance */
  guint32 colour;
  const char *label;
} FlwDensityEllipse;

#define FLW_TYPE_DENSITY_PLOT (flw_density_plot_get_type ())
G_DECLARE_FINAL_TYPE (FlwDensityPlot, flw_density_plot, FLW, DENSITY_PLOT, GtkWidget)

/* Both quantities have the unit. `decimals` of written values. */
GtkWidget *flw_density_plot_new (const char *x_title, const char *y_title, const char *unit, guint decimals);
/* Copies. NULL: nothing to show. */
void flw_density_plot_set_counts (FlwDensityPlot *plot, const FlwDensityCounts *counts);
/* Copies, labels too. */
void flw_density_plot_set_ellipses (FlwDensityPlot *plot, const FlwDensityEllipse *ellipses, guint n);
/* x from, x to, y from, y to; the range of one that is equal is not limited. Emits "brush-changed" when that changes anything. */
void flw_density_plot_set_brush (FlwDensityPlot *plot, const double brush[4]);

G_END_DECLS
