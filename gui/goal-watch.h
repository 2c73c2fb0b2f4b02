/* goal-watch.h: whether there is enough of each dataset, kept up to date: one for all that show it (engine/control/outlook.h).
 *
 * Read in the store's thread: at once after a change of datasets, versions or jobs, else when shots have come, now and then. Signal
 * "changed" (): some outlook is another one. Thread: main. */
#pragma once

#include "engine/control/outlook.h"
#include "gui/experiment.h"

#define FLG_TYPE_GOAL_WATCH (flg_goal_watch_get_type ())
G_DECLARE_FINAL_TYPE (FlgGoalWatch, flg_goal_watch, FLG, GOAL_WATCH, GObject)

/* The experiment's; made when first asked for; goes with it. */
FlgGoalWatch *flg_goal_watch_of (FlgExperiment *experiment);
/* NULL: there is neither a goal nor a merge. Valid until "changed"; take a reference to keep it. */
FlOutlook *flg_goal_watch_find (FlgGoalWatch *self, gint64 dataset);
/* Of the datasets with goals that whose newest merge is the newest; NULL: no dataset has a goal. */
FlOutlook *flg_goal_watch_foremost (FlgGoalWatch *self);
/* All that the experiment has said has been looked at. */
gboolean flg_goal_watch_is_settled (FlgGoalWatch *self);
