/* histogram.h: counts of one quantity in bins, stacked by series, one of several that are brushed together.
 *
 * The caller counts; the widget draws. `all` stands dim behind what the other histograms' brushes let through, on a scale
 * of the latter. A fit (a Gaussian on a floor) is drawn over the bars, its values written in the header. What lies
 * outside the bins is told at the edges.
 *
 * Drag brushes a range, a click drops it. Keys: ← → move the cursor by a bin, Shift + ← → brush, Escape drops the brush,
 * + − F ask for another range. Properties: "summary" (string, read-only). Signals: "brush-changed" (double from, double
 * to; equal when dropped), "zoom" (int: 1 to the selection, 0 all). Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "widgets/palette.h"

G_BEGIN_DECLS

#define FLW_HISTOGRAM_SERIES 5

typedef struct
{
  double lower, width; /* where the first bin begins; of a bin */
  guint n_bins;
  const guint32 *all;   /* n_bins */
  const guint32 *shown; /* FLW_HISTOGRAM_SERIES × n_bins */
  guint64 below, above; /* shown ones outside the bins */
} FlwHistogramCounts;

/* count/(spread √2π) exp(−(x − centre)²/2 spread²) + floor, a bin's width being `width`. */
typedef struct
{
  double centre, spread; /* in the quantity's unit */
  double count;          /* in the peak */
  double floor;          /* a bin */
} FlwHistogramFit;

#define FLW_TYPE_HISTOGRAM (flw_histogram_get_type ())
G_DECLARE_FINAL_TYPE (FlwHistogram, flw_histogram, FLW, HISTOGRAM, GtkWidget)

/* `unit` follows numbers with a space, except "°". `decimals` of written values. */
GtkWidget *flw_histogram_new (const char *title, const char *unit, guint decimals);
void flw_histogram_set_colours (FlwHistogram *histogram, const guint32 colours[FLW_HISTOGRAM_SERIES]);
/* Copies. NULL: nothing to show. */
void flw_histogram_set_counts (FlwHistogram *histogram, const FlwHistogramCounts *counts);
/* The robust centre and spread of what is selected, NaN: none; and its peak, NULL: none. */
void flw_histogram_set_fit (FlwHistogram *histogram, double median, double spread,
                            const FlwHistogramFit *fit);
/* FALSE when there is no brush. */
gboolean flw_histogram_get_brush (FlwHistogram *histogram, double *from, double *to);
/* Equal: drops it. Emits "brush-changed" when that changes anything. */
void flw_histogram_set_brush (FlwHistogram *histogram, double from, double to);

G_END_DECLS
