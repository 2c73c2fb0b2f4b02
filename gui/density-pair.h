/* density-pair.h: one density view, or two side by side that turn together and have the same levels. Signal "peak-selected" (guint) as
 * of the first view. Thread: main. */
#pragma once

#include "widgets/density-view.h"

#define FLG_TYPE_DENSITY_PAIR (flg_density_pair_get_type ())
G_DECLARE_FINAL_TYPE (FlgDensityPair, flg_density_pair, FLG, DENSITY_PAIR, GtkBox)

/* 0, or 1 where there are two; else NULL. */
FlwDensityView *flg_density_pair_view (FlgDensityPair *self, guint i);
void flg_density_pair_set_beside (FlgDensityPair *self, gboolean beside);
/* Maps are put into the views between these: that does not turn or level the other one; at the end the second follows the first. */
void flg_density_pair_begin (FlgDensityPair *self);
void flg_density_pair_end (FlgDensityPair *self);
gboolean flg_density_pair_is_settled (FlgDensityPair *self);
