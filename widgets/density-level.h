/* density-level.h: the level of one map of a density view, as a mark on the histogram of its values.
 *
 * Counts are drawn on a logarithmic scale; what the surface encloses is coloured. The mark is dragged, or moved by the wheel and
 * the arrow keys by 0.1 σ (Shift: 1 σ); it follows the view and the view follows it. A difference has two marks, at ± its
 * level. Property: "summary" (string, read-only). Thread: main. */
#pragma once

#include "widgets/density-view.h"

G_BEGIN_DECLS

#define FLW_TYPE_DENSITY_LEVEL (flw_density_level_get_type ())
G_DECLARE_FINAL_TYPE (FlwDensityLevel, flw_density_level, FLW, DENSITY_LEVEL, GtkWidget)

/* Holds no reference to the view; lives at most as long as it. */
GtkWidget *flw_density_level_new (FlwDensityView *view, guint map);

G_END_DECLS
