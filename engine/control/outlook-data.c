/* What the store says that outlooks need. */
#include <string.h>

#include "engine/control/outlook-private.h"
#include "engine/control/outlook.h"
#include "engine/store/shots.h"

#define WINDOW_NS     (FL_OUTLOOK_WINDOW_S * G_GUINT64_CONSTANT (1000000000))
#define LEAST_SECONDS 60.0 /* what has just begun would seem faster than it is */

static const FlTable needed[] = { FL_TABLE_RUN,         FL_TABLE_TAG,          FL_TABLE_RUN_TAG,
                                  FL_TABLE_BLOCK,       FL_TABLE_TRIAL,        FL_TABLE_TASK,
                                  FL_TABLE_DATASET,     FL_TABLE_DATASET_TASK, FL_TABLE_DATASET_VERSION,
                                  FL_TABLE_VERSION_JOB, FL_TABLE_JOB };
static const FlKind kinds[] = { FL_KIND_MERGE, FL_KIND_SHELL, FL_KIND_TREND };

/* How many of one attempt's shots are indexed. */
typedef struct
{
  gint64 attempt, job, indexed;
} Count;

typedef struct
{
  gint64 attempt, job, indexed;
  guint64 first, last; /* ns UTC */
} Recent;

static void
merged_free (gpointer data)
{
  FlMerged *merged = data;
  g_array_unref (merged->shells);
  g_array_unref (merged->trend);
  g_free (merged);
}

void
fl_outlook_data_init (FlOutlookData *data)
{
  memset (data, 0, sizeof *data);
  for (guint i = 0; i < G_N_ELEMENTS (needed); i++)
    data->tables[needed[i]] =
        g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, (GDestroyNotify) fl_change_free);
  data->merges = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, merged_free);
  data->counts = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
  data->recent = g_array_new (FALSE, FALSE, sizeof (Recent));
}

void
fl_outlook_data_clear (FlOutlookData *data)
{
  for (guint i = 0; i < G_N_ELEMENTS (needed); i++)
    g_hash_table_unref (data->tables[needed[i]]);
  g_hash_table_unref (data->merges);
  g_hash_table_unref (data->counts);
  g_array_unref (data->recent);
}

/* --- records --- */

static gboolean
read_records (FlOutlookData *data, FlStore *store, GError **error)
{
  GPtrArray *changes = fl_store_changes (store, data->revision, &data->revision, error);
  if (changes == NULL)
    return FALSE;
  g_ptr_array_set_free_func (changes, NULL); /* each is kept or freed here */
  for (guint i = 0; i < changes->len; i++)
    {
      FlChange *change = changes->pdata[i];
      GHashTable *table = data->tables[change->table];
      if (table != NULL && change->removed)
        g_hash_table_remove (table, &change->id);
      if (table != NULL && !change->removed)
        g_hash_table_replace (table, &change->id, change);
      else
        fl_change_free (change);
    }
  g_ptr_array_unref (changes);
  return TRUE;
}

static int
by_id (gconstpointer a, gconstpointer b)
{
  gint64 x = **(gint64 *const *) a, y = **(gint64 *const *) b; /* every record begins with it */
  return (x > y) - (x < y);
}

GPtrArray *
fl_outlook_data_table (const FlOutlookData *data, FlTable table)
{
  GPtrArray *records = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer change;
  g_hash_table_iter_init (&iter, data->tables[table]);
  while (g_hash_table_iter_next (&iter, NULL, &change))
    g_ptr_array_add (records, ((FlChange *) change)->record);
  g_ptr_array_sort (records, by_id);
  return records;
}

/* --- merges --- */

static FlMerged *
merged_of (FlOutlookData *data, const FlSlice *slice)
{
  FlMerged *merged = g_hash_table_lookup (data->merges, &slice->job);
  if (merged == NULL)
    {
      merged = g_new0 (FlMerged, 1);
      merged->job = slice->job;
      merged->shells = g_array_new (FALSE, FALSE, sizeof (FlShellRow));
      merged->trend = g_array_new (FALSE, FALSE, sizeof (FlTrendRow));
      g_hash_table_insert (data->merges, &merged->job, merged);
    }
  if (slice->attempt > merged->attempt)
    {
      merged->whole = FALSE;
      g_array_set_size (merged->shells, 0);
      g_array_set_size (merged->trend, 0);
      merged->attempt = slice->attempt;
    }
  return merged;
}

static void
take_rows (FlOutlookData *data, const FlSlice *slice)
{
  g_autoptr (FlBatch) batch =
      fl_batch_decode (g_bytes_get_data (slice->packed, NULL), g_bytes_get_size (slice->packed), NULL);
  FlMerged *merged = batch != NULL ? merged_of (data, slice) : NULL;
  if (merged == NULL || slice->attempt < merged->attempt)
    return;
  merged->stamp = ++data->changes;
  for (guint i = 0; i < fl_batch_rows (batch); i++)
    if (slice->kind == FL_KIND_MERGE)
      {
        fl_batch_row (batch, i, &merged->row);
        const char **texts[] = { &merged->row.ambiguity, &merged->row.error_model, &merged->row.reference,
                                 &merged->row.lattice_sum, &merged->row.parent_sum };
        for (guint k = 0; k < G_N_ELEMENTS (texts); k++)
          *texts[k] = NULL; /* the batch's */
        merged->whole = TRUE;
      }
    else
      {
        GArray *rows = slice->kind == FL_KIND_SHELL ? merged->shells : merged->trend;
        g_array_set_size (rows, rows->len + 1);
        fl_batch_row (batch, i, rows->data + (rows->len - 1) * g_array_get_element_size (rows));
      }
}

static gboolean
read_merges (FlOutlookData *data, FlStore *store, GError **error)
{
  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
    {
      g_autoptr (GPtrArray) slices = fl_store_slices (store, (int) kinds[k], 0, data->stamps[k], 0, error);
      if (slices == NULL)
        return FALSE;
      for (guint i = 0; i < slices->len; i++)
        {
          const FlSlice *slice = slices->pdata[i];
          data->stamps[k] = slice->row;
          take_rows (data, slice);
        }
    }
  return TRUE;
}

/* --- shots --- */

static void
forget_recent (FlOutlookData *data, gint64 attempt, guint64 before)
{
  guint n = 0;
  for (guint i = 0; i < data->recent->len; i++)
    {
      const Recent *recent = &g_array_index (data->recent, Recent, i);
      if (recent->attempt != attempt && recent->last >= before)
        g_array_index (data->recent, Recent, n++) = *recent;
    }
  g_array_set_size (data->recent, n);
}

static void
take_summary (FlOutlookData *data, const FlShotSummary *sum, guint64 since)
{
  Count *count = g_hash_table_lookup (data->counts, &sum->attempt);
  if (count == NULL)
    {
      count = g_new0 (Count, 1);
      *count = (Count){ .attempt = sum->attempt, .job = sum->job };
      g_hash_table_insert (data->counts, &count->attempt, count);
    }
  if (sum->replaces)
    {
      count->indexed = 0;
      forget_recent (data, sum->attempt, since);
    }
  count->indexed += sum->indexed;
  Recent recent = { sum->attempt, sum->job, sum->indexed, sum->first, sum->last };
  if (sum->last >= since)
    g_array_append_val (data->recent, recent);
}

static gboolean
read_shots (FlOutlookData *data, FlStore *store, guint64 now, GError **error)
{
  guint64 since = now > WINDOW_NS ? now - WINDOW_NS : 0;
  g_autoptr (GArray) summaries = fl_store_summaries (store, 0, &data->shots, error);
  for (guint i = 0; summaries != NULL && i < summaries->len; i++)
    take_summary (data, &g_array_index (summaries, FlShotSummary, i), since);
  forget_recent (data, 0, since);
  return summaries != NULL;
}

gboolean
fl_outlook_data_update (FlOutlookData *data, FlStore *store, guint64 now, GError **error)
{
  return read_records (data, store, error) && read_merges (data, store, error)
         && read_shots (data, store, now, error);
}

void
fl_outlook_data_count (const FlOutlookData *data, GHashTable *jobs, guint64 now, gint64 *all, gint64 *of_late,
                       double *seconds)
{
  GHashTableIter iter;
  gpointer value;
  guint64 first = now;
  *all = *of_late = 0;
  g_hash_table_iter_init (&iter, data->counts);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (g_hash_table_contains (jobs, &((Count *) value)->job))
      *all += ((Count *) value)->indexed;
  for (guint i = 0; i < data->recent->len; i++)
    {
      const Recent *recent = &g_array_index (data->recent, Recent, i);
      if (!g_hash_table_contains (jobs, &recent->job))
        continue;
      *of_late += recent->indexed;
      first = MIN (first, recent->first);
    }
  *seconds = CLAMP ((double) (now - first) / 1e9, LEAST_SECONDS, FL_OUTLOOK_WINDOW_S);
}
