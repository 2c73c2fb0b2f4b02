/* histogram-private.h: the inside of FlwHistogram, shared by histogram.c (the widget, its brush and keys) and histogram-draw.c
 * (what it shows, in pictures and words). */
#pragma once

#include "widgets/chrome.h"
#include "widgets/histogram.h"

struct _FlwHistogram
{
  GtkWidget parent_instance;
  char *title, *unit;
  int decimals;
  guint32 colours[FLW_HISTOGRAM_SERIES];
  FlwHistogramCounts counts; /* its arrays are ours */
  guint32 *all, *shown;
  double median, spread;
  FlwHistogramFit fit; /* centre NaN: none */
  double from, to;     /* brush; equal: none */
  double anchor;       /* where it was begun */
  double hover;        /* px; NaN: none */
  FlwAxis *x, *y;
  GskRenderNode *under, *picture; /* axes; bars, fit and words */
};

/* histogram-draw.c */

/* Where the bars are, px of the widget. */
FlwBox flw_histogram_box (FlwHistogram *self);
/* Sets both axes' ranges for the counts. */
void flw_histogram_update_scale (FlwHistogram *self);
void flw_histogram_snapshot (GtkWidget *widget, GtkSnapshot *snapshot);
/* Free it. */
char *flw_histogram_summary (FlwHistogram *self);
