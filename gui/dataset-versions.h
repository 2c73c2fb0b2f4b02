/* dataset-versions.h: the versions of a dataset, the exact inputs of one of them, and what another had more or less.
 *
 * win.show-job opens a version's or an input's job. Thread: main. */
#pragma once

#include "gui/experiment.h"

#include <gtk/gtk.h>

#define FLG_TYPE_DATASET_VERSIONS (flg_dataset_versions_get_type ())
G_DECLARE_FINAL_TYPE (FlgDatasetVersions, flg_dataset_versions, FLG, DATASET_VERSIONS, GtkBox)

GtkWidget *flg_dataset_versions_new (FlgExperiment *experiment);
void flg_dataset_versions_show (FlgDatasetVersions *self, gint64 dataset);
/* The records have changed. */
void flg_dataset_versions_refresh (FlgDatasetVersions *self);
gboolean flg_dataset_versions_choose (FlgDatasetVersions *self, gint64 version);
/* Another version to compare the chosen one with; 0: the one before. */
void flg_dataset_versions_compare (FlgDatasetVersions *self, gint64 version);
/* "2 runs more: r0003, r0004; 1 less: r0002"; valid until the main loop runs again. */
const char *flg_dataset_versions_difference (FlgDatasetVersions *self);
guint flg_dataset_versions_n_inputs (FlgDatasetVersions *self);
gint64 flg_dataset_versions_job (FlgDatasetVersions *self); /* of the chosen version; 0: none */
