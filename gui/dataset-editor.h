/* dataset-editor.h: a dataset being made or changed: its fields and graph to the left, what that means to the right, both at every
 * key. It changes nothing but its draft.
 *
 * Signal "changed" (): the draft or what is to be said about it. Thread: main. */
#pragma once

#include "gui/dataset-preview.h"

#include <gtk/gtk.h>

#define FLG_TYPE_DATASET_EDITOR (flg_dataset_editor_get_type ())
G_DECLARE_FINAL_TYPE (FlgDatasetEditor, flg_dataset_editor, FLG, DATASET_EDITOR, GtkBox)

GtkWidget *flg_dataset_editor_new (FlgExperiment *experiment);
/* Takes the draft; NULL: there is nothing to edit. */
void flg_dataset_editor_set (FlgDatasetEditor *self, FlgDatasetDraft *draft);
/* Borrowed until it is changed; NULL: none. */
const FlgDatasetDraft *flg_dataset_editor_draft (FlgDatasetEditor *self);
const FlgDatasetPreview *flg_dataset_editor_preview (FlgDatasetEditor *self);
/* The records have changed. */
void flg_dataset_editor_refresh (FlgDatasetEditor *self);
/* Why it cannot be saved; NULL: it can. Valid until the next change. */
const char *flg_dataset_editor_complaint (FlgDatasetEditor *self);
guint
flg_dataset_editor_n_listed (FlgDatasetEditor *self); /* runs on the screen: a moment after the preview */
gboolean flg_dataset_editor_is_settled (FlgDatasetEditor *self);
void flg_dataset_editor_focus (FlgDatasetEditor *self);

/* --- as if typed --- */

/* "name", "comment", "expression", "trial" (number, 0 = all), "active" (yes, no), "minutes", "lattices",
 * goals (goal-editor.h); FALSE: no such field. */
gboolean flg_dataset_editor_type (FlgDatasetEditor *self, const char *field, const char *text);
/* "spots", "index", "all", "hits", "merge", "map", "reconstruct", "geometry", "export", or the name of a task that is there; it becomes the chosen one. */
void flg_dataset_editor_add_step (FlgDatasetEditor *self, const char *what);
void flg_dataset_editor_remove_step (FlgDatasetEditor *self);       /* the chosen one */
void flg_dataset_editor_move_step (FlgDatasetEditor *self, int by); /* the chosen one */
/* A field of the chosen step: "name", "type", "site", "nodes", "ranks-per-node", "gpus-per-rank", "minutes", or a parameter. */
gboolean flg_dataset_editor_type_step (FlgDatasetEditor *self, const char *field, const char *text);
void flg_dataset_editor_choose_step (FlgDatasetEditor *self, guint position);
