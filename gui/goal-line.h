/* goal-line.h: a dataset's verdict with its reason and age in a line, and the button that changes its goals. Saved, it activates
 * merging.set-goal (FLG_GOALS). Thread: main. */
#pragma once

#include "engine/control/outlook.h"
#include "gui/experiment.h"
#include "gui/goal-editor.h"

#define FLG_TYPE_GOAL_LINE (flg_goal_line_get_type ())
G_DECLARE_FINAL_TYPE (FlgGoalLine, flg_goal_line, FLG, GOAL_LINE, GtkBox)

GtkWidget *flg_goal_line_new (FlgExperiment *experiment);
/* Either may be NULL. */
void flg_goal_line_show (FlgGoalLine *self, const FlDataset *dataset, const FlOutlook *outlook);
/* What it says: "keep going  CC½ at 2.0 Å is 0.31 of 0.50 …". Valid until it is shown again. */
const char *flg_goal_line_words (FlgGoalLine *self);
FlgGoalEditor *flg_goal_line_editor (FlgGoalLine *self);
/* The dataset as it was when its goals began to be edited; NULL: they are not. */
const FlDataset *flg_goal_line_begun (FlgGoalLine *self);
/* As the button in the popover does; nothing where a field is wrong. */
void flg_goal_line_save (FlgGoalLine *self);
