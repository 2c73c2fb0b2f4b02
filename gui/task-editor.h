/* task-editor.h: one step of a dataset's graph: its name and type, what it waits for, where it runs and with what. Changes go
 * straight into the draft that it was given.
 *
 * Signals: "changed" () after each; "parameters" (): asked to show them. Thread: main. */
#pragma once

#include "gui/dataset-draft.h"

#include <gtk/gtk.h>

#define FLG_TYPE_TASK_EDITOR (flg_task_editor_get_type ())
G_DECLARE_FINAL_TYPE (FlgTaskEditor, flg_task_editor, FLG, TASK_EDITOR, GtkBox)

GtkWidget *flg_task_editor_new (FlgExperiment *experiment);
/* Borrows the draft until it is given another, or NULL. `key` 0: no step. */
void flg_task_editor_show (FlgTaskEditor *self, FlgDatasetDraft *draft, guint key);
/* The same step again: names of others, and whether it will be a task of its own, may have changed. */
void flg_task_editor_refresh (FlgTaskEditor *self);
/* As if typed: "name", "type", "site" (name, "" = the first active), "nodes", "ranks-per-node", "gpus-per-rank", "minutes"; FALSE:
 * there is no such field. */
gboolean flg_task_editor_type (FlgTaskEditor *self, const char *field, const char *text);
