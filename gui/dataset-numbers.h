/* dataset-numbers.h: a preview (dataset-preview.h) as people read it: how many runs, shots, hits, jobs and node-hours, and the
 * runs with their tags. Thread: main. */
#pragma once

#include "gui/dataset-preview.h"

#include <gtk/gtk.h>

#define FLG_TYPE_DATASET_NUMBERS (flg_dataset_numbers_get_type ())
G_DECLARE_FINAL_TYPE (FlgDatasetNumbers, flg_dataset_numbers, FLG, DATASET_NUMBERS, GtkBox)

GtkWidget *flg_dataset_numbers_new (FlgExperiment *experiment);
/* Of what can not be planned the last numbers stay, dimmed. */
void flg_dataset_numbers_show (FlgDatasetNumbers *self, const FlgDatasetPreview *preview,
                               const FlDataset *dataset);
/* The numbers as one line: for tests and the logbook. Free with g_free. */
char *flg_dataset_numbers_summary (FlgDatasetNumbers *self);
/* The runs are listed, too: they come a moment after the numbers. */
gboolean flg_dataset_numbers_is_settled (FlgDatasetNumbers *self);
guint flg_dataset_numbers_n_listed (FlgDatasetNumbers *self);
