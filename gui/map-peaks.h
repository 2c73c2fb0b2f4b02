/* map-peaks.h: the peaks of a map as a list: height, nearest atom and how far it is. Signal "chosen" (guint): by a person. Thread:
 * main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/map-report.h"

#define FLG_TYPE_MAP_PEAKS (flg_map_peaks_get_type ())
G_DECLARE_FINAL_TYPE (FlgMapPeaks, flg_map_peaks, FLG, MAP_PEAKS, GtkBox)

/* `peaks`: FlgMapPeak, or NULL; `map` "mFo − DFc". */
void flg_map_peaks_fill (FlgMapPeaks *self, GArray *peaks, const char *map);
/* Marks it, and says nothing. */
void flg_map_peaks_select (FlgMapPeaks *self, guint peak);
guint flg_map_peaks_count (FlgMapPeaks *self);
