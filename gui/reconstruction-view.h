/* reconstruction-view.h: a reconstruction as it grows: the density of a generation, one conformation or two side by side that turn
 * together, and beside it what the generations say of themselves. The newest is followed until a person goes back; level and camera
 * stay. Thread: main. */
#pragma once

#include "gui/context.h"
#include "gui/density-pair.h"

#define FLG_TYPE_RECONSTRUCTION_VIEW (flg_reconstruction_view_get_type ())
G_DECLARE_FINAL_TYPE (FlgReconstructionView, flg_reconstruction_view, FLG, RECONSTRUCTION_VIEW, GtkBox)

/* `lead`: stands first among its tools; taken. */
GtkWidget *flg_reconstruction_view_new (FlgContext *context, GtkWidget *lead);
/* The records have changed. */
void flg_reconstruction_view_update (FlgReconstructionView *self);
gboolean flg_reconstruction_view_is_settled (FlgReconstructionView *self);
/* There is a reconstruct job that has been submitted. */
gboolean flg_reconstruction_view_has_any (FlgReconstructionView *self);

void flg_reconstruction_view_show_dataset (FlgReconstructionView *self, gint64 dataset);
void flg_reconstruction_view_show_job (FlgReconstructionView *self, gint64 job); /* 0: the newest */
/* 0: live. */
void flg_reconstruction_view_show_generation (FlgReconstructionView *self, guint32 number);
void flg_reconstruction_view_step (FlgReconstructionView *self, int by);
/* `second` −1: one alone. */
void flg_reconstruction_view_show_conformations (FlgReconstructionView *self, guint first, int second);

/* What is shown, in a line; "" when nothing is. */
const char *flg_reconstruction_view_facts (FlgReconstructionView *self);
/* 0, or 1 where two are side by side; NULL: it is not shown. */
FlwDensityView *flg_reconstruction_view_density (FlgReconstructionView *self, guint i);
char *flg_reconstruction_view_summary (FlgReconstructionView *self); /* of its plots, a line each */
