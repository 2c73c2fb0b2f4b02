/* strip-plot.h: stacked strips over shot number, runs laid end to end: the Live page.
 *
 * Each strip shows one thing of every shot: dots coloured by class, the share of some classes in a sliding
 * window, or a resolution on a 1/d² scale. Shots are appended to runs, in any order of runs; runs lie in
 * the order in which they were added, each as long as it has shots, so that several runs may grow at once.
 * Rasters and lines are made in a worker thread from all shots (no sampling): each pixel shows the highest
 * class present, its brightness how many. 2 bytes a shot, and 4 for each value.
 *
 * Keys: ← → pan, + − zoom, Home/End first and newest, F fit and follow. Wheel zooms at the pointer, drag
 * pans, click activates the nearest shot. Properties: "summary" (string, read-only), "axis" (FlwAxis, the
 * shot axis). Signals: "shot-activated" (guint run, guint64 index in the run), "run-activated" (guint run).
 * Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "widgets/axis.h"
#include "widgets/palette.h"

G_BEGIN_DECLS

typedef enum
{
  /* a value a shot, from 0 up, robust upper limit; values above it are drawn at the edge as ticks */
  FLW_STRIP_DOTS,
  FLW_STRIP_LOG,   /* the same on a logarithmic scale from 1, to the greatest; less than 1 is drawn as 1 */
  FLW_STRIP_SHARE, /* % of shots whose class is in the mask, in the sliding window; takes no values */
  FLW_STRIP_RESOLUTION /* d in Å a shot on a 1/d² scale, and the windowed mean; 0 or NaN = none */
} FlwStripKind;

#define FLW_STRIP_MAX_COLUMNS 4

#define FLW_TYPE_STRIP_PLOT (flw_strip_plot_get_type ())
G_DECLARE_FINAL_TYPE (FlwStripPlot, flw_strip_plot, FLW, STRIP_PLOT, GtkWidget)

GtkWidget *flw_strip_plot_new (void);
FlwAxis *flw_strip_plot_get_axis (FlwStripPlot *plot); /* transfer none */

/* Strips are declared before the first shot, top to bottom. Those that take values use the columns of
 * append() in the order of declaration. `height` is its share of the widget's height. */
void flw_strip_plot_add_strip (FlwStripPlot *plot, FlwStripKind kind, const char *title, const char *unit,
                               double height);
/* A line in the last SHARE strip: classes in `class_mask` (1 << FlwClass | …) count, out of all shots. */
void flw_strip_plot_add_line (FlwStripPlot *plot, const char *label, guint class_mask, guint32 rgb);
/* The same, out of the shots whose class is in `of_mask`; as they may be few, looks back on so many windows. */
void flw_strip_plot_add_line_of (FlwStripPlot *plot, const char *label, guint class_mask, guint of_mask,
                                 guint windows, guint32 rgb);
/* What the classes are called here, FLW_CLASS_LAST of them; the default is flw_class_name(). Copies. */
void flw_strip_plot_set_class_names (FlwStripPlot *plot, const char *const *names);
void flw_strip_plot_set_window (FlwStripPlot *plot, guint shots); /* sliding window; 200 */

/* Returns the run's number in this plot, from 0. */
guint flw_strip_plot_add_run (FlwStripPlot *plot, const char *label);
/* n shots of `run`: classes[n] (FlwClass), and for each column values[column][n]. Copies. O(n), under 1 ms
 * for 10⁴. */
void flw_strip_plot_append (FlwStripPlot *plot, guint run, guint n, const guint8 *classes,
                            const float *const *values);
/* Forgets all runs and shots, keeps strips. */
/* What has been appended is drawn at once, instead of at the pace of a live plot. */
void flw_strip_plot_show_all (FlwStripPlot *plot);
void flw_strip_plot_clear (FlwStripPlot *plot);

guint64 flw_strip_plot_get_n_shots (FlwStripPlot *plot);
/* Shows (zoomed to) one run. */
void flw_strip_plot_show_run (FlwStripPlot *plot, guint run);
/* TRUE when no worker is busy and everything appended is drawn. */
gboolean flw_strip_plot_get_settled (FlwStripPlot *plot);

G_END_DECLS
