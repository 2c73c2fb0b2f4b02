/* dataset-columns.h: the list of datasets, with numbers that are counted one dataset at a time while nothing else is to be done.
 * Thread: main. */
#pragma once

#include "gui/columns.h"
#include "gui/dataset-preview.h"

#include <gtk/gtk.h>

typedef struct
{
  FlgExperiment *experiment;
  GHashTable *previews; /* dataset's id -> FlgDatasetPreview */
  GHashTable *stale;    /* set of ids */
  guint idle;
  void (*counted) (gint64 dataset, gpointer data);
  gpointer data;
} FlgDatasetColumns;

/* `counted` is called when a dataset's preview is new. */
void flg_dataset_columns_init (FlgDatasetColumns *self, FlgExperiment *experiment,
                               void (*counted) (gint64 dataset, gpointer data), gpointer data);
void flg_dataset_columns_clear (FlgDatasetColumns *self);
GListModel *flg_dataset_columns_set_up (FlgDatasetColumns *self, GtkColumnView *view);
/* The records have changed: count anew. */
void flg_dataset_columns_refresh (FlgDatasetColumns *self);
gboolean flg_dataset_columns_is_settled (FlgDatasetColumns *self);
/* NULL: not counted yet. Valid until it is counted anew. */
const FlgDatasetPreview *flg_dataset_columns_preview (FlgDatasetColumns *self, gint64 dataset);
