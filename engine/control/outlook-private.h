/* outlook-private.h: what the store says that outlooks need, kept up to date by what is new. Shared by outlook*.c. */
#pragma once

#include "engine/base/batch.h"
#include "engine/store/store.h"

/* What one job has merged: the rows of its newest attempt. */
typedef struct
{
  gint64 job, attempt;
  guint64 stamp;  /* grows with every change */
  FlMergeRow row; /* its texts are not kept */
  gboolean whole; /* `row` is there */
  GArray *shells; /* FlShellRow */
  GArray *trend;  /* FlTrendRow */
} FlMerged;

typedef struct
{
  gint64 revision, stamps[3], shots; /* cursors */
  guint64 changes;
  GHashTable *tables[FL_TABLE_LAST]; /* id -> record; NULL: not needed */
  GHashTable *merges;                /* job -> FlMerged */
  GHashTable *counts;                /* attempt -> how many of its shots are indexed */
  GArray *recent;                    /* summaries that are not older than the window */
} FlOutlookData;

void fl_outlook_data_init (FlOutlookData *data);
void fl_outlook_data_clear (FlOutlookData *data);
gboolean fl_outlook_data_update (FlOutlookData *data, FlStore *store, guint64 now, GError **error);
/* A table's records, by id; borrowed. Free the array. */
GPtrArray *fl_outlook_data_table (const FlOutlookData *data, FlTable table);
/* Indexed shots of these jobs (GHashTable of job ids, gint64 *): all, and those of the window; *seconds: what the window comprises. */
void fl_outlook_data_count (const FlOutlookData *data, GHashTable *jobs, guint64 now, gint64 *all,
                            gint64 *of_late, double *seconds);
