/* merging-trend.h: how one quality of a dataset grows with its lattices, and whether its goal will be reached: points, forecast and
 * goal as a plot. The forecast is computed beside the main loop. Thread: main. */
#pragma once

#include "gui/goal-watch.h"

#include <gtk/gtk.h>

#define FLG_TYPE_MERGING_TREND (flg_merging_trend_get_type ())
G_DECLARE_FINAL_TYPE (FlgMergingTrend, flg_merging_trend, FLG, MERGING_TREND, GtkBox)

GtkWidget *flg_merging_trend_new (void);
/* `outlook` NULL: there is nothing to show. Its goals are `dataset`'s. */
void flg_merging_trend_show (FlgMergingTrend *self, FlOutlook *outlook, const FlDataset *dataset,
                             FlMetric metric);
gboolean flg_merging_trend_is_settled (FlgMergingTrend *self);
/* What the plot says; free with g_free. */
char *flg_merging_trend_summary (FlgMergingTrend *self);
