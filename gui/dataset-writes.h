/* dataset-writes.h: what the Datasets page asks of the store; for flg_context_write(), which makes each one transaction.
 * Thread: the store's. */
#pragma once

#include "engine/store/store.h"
#include "gui/conflict.h"
#include "gui/dataset-draft.h"

/* One save, and what is needed to take it back. Shared between the page and the store's thread: g_rc_box. */
typedef struct
{
  FlgDatasetDraft *draft;
  FlgDatasetDraft *before; /* NULL: it was new */
  int approve_above;       /* −1: stays; else the experiment's from now on */
  int approved_before;     /* what it was */
  /* What writing found: */
  gint64 dataset;  /* its id */
  gint64 last_job; /* the newest that was there */
} FlgDatasetSave;

/* Takes the drafts. */
FlgDatasetSave *flg_dataset_save_new (FlgDatasetDraft *draft, FlgDatasetDraft *before, int approve_above);
FlgDatasetSave *flg_dataset_save_ref (FlgDatasetSave *save);
void flg_dataset_save_unref (gpointer save);
/* Of an FlgSave whose data it is: the dataset and its tasks are saved only as they were when their editing began. */
gpointer flg_dataset_save_write (FlStore *store, gpointer save, GError **error);
/* Takes it back: a new dataset becomes inactive, another what it was; jobs of its tasks made since that have not begun are
 * asked to stop, unless something else wants them too. */
gpointer flg_dataset_save_undo (FlStore *store, gpointer save, GError **error);

/* Experiment-wide: a GVariant (sdii): backlog, thin fraction, undo seconds, approve above. */
#define FLG_POLICY "(sdii)"
gpointer flg_dataset_write_policy (FlStore *store, gpointer policy, GError **error);
