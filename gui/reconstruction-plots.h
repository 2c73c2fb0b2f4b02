/* reconstruction-plots.h: what a reconstruction says of itself beside its density: correlations over resolution, likelihood over
 * generations, orientations on the sphere, occupancies (of one conformation: the resolution over generations). Signal
 * "generation-picked" (guint number): by a person, in a trace. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "engine/store/generations.h"

#define FLG_TYPE_RECONSTRUCTION_PLOTS (flg_reconstruction_plots_get_type ())
G_DECLARE_FINAL_TYPE (FlgReconstructionPlots, flg_reconstruction_plots, FLG, RECONSTRUCTION_PLOTS, GtkBox)

/* `generations`: FlGeneration by number, `shown` one of them; −1: there are none. `first`, `second`: conformations; −1: no second. What
 * a generation has not been asked for (curves, directions) is that of the last one before it. */
void flg_reconstruction_plots_show (FlgReconstructionPlots *self, GPtrArray *generations, int shown,
                                    guint first, int second);
/* "A". Static for as many as there may be in a picture. */
const char *flg_conformation_name (guint conformation);
/* The charts' summaries, a line each: for tests and the log. */
char *flg_reconstruction_plots_summary (FlgReconstructionPlots *self);
