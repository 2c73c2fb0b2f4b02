/* goal-editor.h: what is enough of a dataset, as five fields; an empty one is not asked for. It changes nothing but itself.
 *
 * Signal "changed" (): by a person. Thread: main. */
#pragma once

#include "engine/store/records.h"

#include <gtk/gtk.h>

#define FLG_TYPE_GOAL_EDITOR (flg_goal_editor_get_type ())
G_DECLARE_FINAL_TYPE (FlgGoalEditor, flg_goal_editor, FLG, GOAL_EDITOR, GtkGrid)

/* Shows the dataset's goals; no "changed". */
void flg_goal_editor_set (FlgGoalEditor *self, const FlDataset *dataset);
/* Puts what the fields say into the dataset's goals. FALSE: a field is wrong; nothing is put. */
gboolean flg_goal_editor_get (FlgGoalEditor *self, FlDataset *dataset);
/* What is wrong, one line; NULL: nothing. Valid until the next change. */
const char *flg_goal_editor_complaint (FlgGoalEditor *self);
/* As if typed: "goal-d-min" (Å), "goal-completeness" (%), "goal-multiplicity", "goal-cc-half", "goal-cc-ano"; FALSE: no such field. */
gboolean flg_goal_editor_type (FlgGoalEditor *self, const char *field, const char *text);
