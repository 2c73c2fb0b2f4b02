/* colour-bar.h: histogram of the values on screen, the palette along it, and two handles for the range.
 *
 * Bound to a FlwColourMap, and so to every image view that shares it. Drag a handle or the band between
 * them; wheel over a handle moves it; double click: automatic range. The context menu (also Menu key,
 * Shift+F10) chooses palette and scale. Keys: Tab or Space changes the handle, ← → moves it (Shift: ten
 * times), A automatic, L next scale, C next palette. Property "summary". Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "widgets/colour-map.h"
#include "widgets/image-view.h"

G_BEGIN_DECLS

#define FLW_TYPE_COLOUR_BAR (flw_colour_bar_get_type ())
G_DECLARE_FINAL_TYPE (FlwColourBar, flw_colour_bar, FLW, COLOUR_BAR, GtkWidget)

GtkWidget *flw_colour_bar_new (FlwColourMap *map);
/* The values whose histogram is shown (NaN and −infinity are left out). Copies nothing but the counts. */
void flw_colour_bar_set_values (FlwColourBar *bar, gsize n, const float *values);
/* Shares the view's colour map and shows the histogram of each raster that it gets. */
void flw_colour_bar_follow_image (FlwColourBar *bar, FlwImageView *view);

G_END_DECLS
