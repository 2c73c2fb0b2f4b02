/* merge-results.h: what merges came to, read from the store's slices: the newest merge of each version of a dataset.
 *
 * Thread: fl_… of the store's thread; the results are immutable. */
#pragma once

#include "engine/base/batch.h"
#include "engine/store/store.h"

typedef struct
{
  gint64 job;
  int version;
  FlMergeRow row;     /* texts owned here */
  GArray *shells;     /* FlShellRow, by number; 0 is all together */
  GPtrArray *reasons; /* char *: "1,204 lattices: unit cell outside the cluster" */
} FlgMerge;

typedef struct
{
  gint64 dataset;
  guint most; /* versions at most */
} FlgMergeQuestion;

/* FlgStoreFunc; `data`: FlgMergeQuestion. GPtrArray of FlgMerge, the newest version first; it frees them. */
gpointer flg_merges_read (FlStore *store, gpointer data, GError **error);
