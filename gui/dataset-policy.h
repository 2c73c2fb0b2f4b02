/* dataset-policy.h: what holds for all of the experiment: what is done first when processing lags behind, how long a plan can be
 * taken back, and which plans wait for a person. A popover; each change is datasets.set-policy (sdii). Thread: main. */
#pragma once

#include "gui/experiment.h"

#include <gtk/gtk.h>

#define FLG_TYPE_DATASET_POLICY (flg_dataset_policy_get_type ())
G_DECLARE_FINAL_TYPE (FlgDatasetPolicy, flg_dataset_policy, FLG, DATASET_POLICY, GtkPopover)

GtkWidget *flg_dataset_policy_new (FlgExperiment *experiment);
/* NULL: the store has none yet. */
const FlExperiment *flg_experiment_policy (FlgExperiment *experiment);
