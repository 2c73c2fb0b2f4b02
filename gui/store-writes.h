/* store-writes.h: what pages ask of the store. Each returns non-NULL, or NULL with error; for flg_page_write().
 * Thread: the store's. */
#pragma once

#include "engine/store/store.h"

typedef struct
{
  char *name;
  GArray *runs; /* gint64 */
  gboolean add; /* else remove */
} FlgTagging;

FlgTagging *flg_tagging_new (const char *name, GArray *runs, gboolean add); /* takes the array */
void flg_tagging_free (FlgTagging *tagging);
/* A tag of a new name is made. */
gpointer flg_tagging_write (FlStore *store, gpointer tagging, GError **error);

/* One column of one record. */
typedef struct
{
  FlTable table;
  gint64 id;
  const char *column; /* static */
  gint64 number;
} FlgEdit;

FlgEdit *flg_edit_new (FlTable table, gint64 id, const char *column, gint64 number); /* g_free() it */
gpointer flg_edit_write (FlStore *store, gpointer edit, GError **error);

/* What is enough of a dataset: a GVariant (xddddd): its id, resolution in Å, completeness, multiplicity, CC½, CC of anomalous
 * differences; 0: not asked for. */
#define FLG_GOALS "(xddddd)"
GVariant *flg_goals_of (const FlDataset *dataset); /* floating */
void flg_goals_set (FlDataset *dataset, GVariant *goals);
gpointer flg_goals_write (FlStore *store, gpointer goals, GError **error);

/* A trial of the next number, active. */
typedef struct
{
  char *name, *params;
} FlgNewTrial;

void flg_new_trial_free (FlgNewTrial *fresh);
gpointer flg_new_trial_write (FlStore *store, gpointer fresh, GError **error);
