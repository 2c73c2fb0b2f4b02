/* goal-chip.h: do I have enough, on every page: the foremost dataset's verdict, its deciding goal, how many lattices and how long to
 * go; all in words as a tooltip. Pressed, it shows that dataset on the Merging page (win.show-merging). Without any goal it is not
 * there. The verdict is a shape and a word before it is a colour. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/experiment.h"

#define FLG_TYPE_GOAL_CHIP (flg_goal_chip_get_type ())
G_DECLARE_FINAL_TYPE (FlgGoalChip, flg_goal_chip, FLG, GOAL_CHIP, GtkButton)

GtkWidget *flg_goal_chip_new (FlgExperiment *experiment);
/* What it says: "lyso-01: keep going · CC½ 0.31 of 0.50 to 2.0 Å · 2,100 more · 25 min"; "": nothing. */
const char *flg_goal_chip_words (FlgGoalChip *self);
