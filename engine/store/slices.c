/* Taking in journal frames. */
#include <string.h>

#include "engine/base/error.h"
#include "engine/store/store-private.h"

/* --- a shot counts once: what the job's shots were counted as, while there is more than one attempt --- */

typedef struct
{
  gint64 attempt; /* ids grow with the attempt's number */
  guint32 spots;
  guint8 outcome;
} Counted;

typedef struct
{
  gint64 cursor;
  GHashTable *shots; /* id -> Counted */
} CountedJob;

void
fl_counted_free (gpointer data)
{
  CountedJob *job = data;
  g_hash_table_unref (job->shots);
  g_free (job);
}

static void
remember (CountedJob *job, guint64 id, const Counted *shot)
{
  g_hash_table_insert (job->shots, g_memdup2 (&id, sizeof id), g_memdup2 (shot, sizeof *shot));
}

/* Up to date with all that is in the store. */
static CountedJob *
counted_job (FlStore *store, gint64 id, GError **error)
{
  CountedJob *job = g_hash_table_lookup (store->counted, &id);
  if (job == NULL)
    {
      job = g_new0 (CountedJob, 1);
      job->shots = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
      g_hash_table_insert (store->counted, g_memdup2 (&id, sizeof id), job);
    }
  g_autoptr (GPtrArray) blocks =
      fl_store_shots (store, id, FL_SHOT_ID | FL_SHOT_OUTCOME | FL_SHOT_SPOTS, 0, &job->cursor, error);
  if (blocks == NULL)
    return NULL;
  for (guint b = 0; b < blocks->len; b++)
    {
      const FlShotBlock *block = blocks->pdata[b];
      for (guint i = 0; i < block->n; i++)
        {
          const Counted *before = g_hash_table_lookup (job->shots, &block->id[i]);
          Counted now = { block->attempt, block->spots[i], block->outcome[i] };
          if (before == NULL || before->attempt <= now.attempt)
            remember (job, block->id[i], &now);
        }
    }
  return job;
}

/* Replaces the counts of `sum` by what this slice adds to those of the other attempts. */
static gboolean
count_difference (FlStore *store, const FlShotBlock *block, gint64 stamp, FlShotSummary *sum, GError **error)
{
  CountedJob *job = counted_job (store, sum->job, error);
  if (job == NULL)
    return FALSE;
  sum->shots = sum->hits = sum->indexed = sum->failed = sum->set_aside = sum->spots = 0;
  for (guint i = 0; i < block->n; i++)
    {
      const Counted *before = g_hash_table_lookup (job->shots, &block->id[i]);
      if (before != NULL && before->attempt > sum->attempt)
        continue;
      if (before != NULL)
        fl_summary_count (sum, before->outcome, before->spots, -1);
      fl_summary_count (sum, block->outcome[i], block->spots[i], 1);
      Counted now = { sum->attempt, block->spots[i], block->outcome[i] };
      remember (job, block->id[i], &now);
    }
  job->cursor = stamp;
  return TRUE;
}

static gboolean
has_other_attempts (FlStore *store, gint64 job, gint64 attempt, gboolean *has, GError **error)
{
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlQuery) query =
      fl_db_query (store->db, SQL (store->db, OTHER_ATTEMPTS), error, FL_INT (job), FL_INT (attempt));
  if (query == NULL)
    return FALSE;
  *has = fl_query_next (query, &failed);
  if (failed == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failed));
  return FALSE;
}

/* --- inserting --- */

gboolean
fl_store_insert_slice (FlStore *store, const FlNewSlice *slice, gint64 *id, GError **error)
{
  const FlShotSummary *sum = &slice->sum;
  if (!fl_db_exec (store->db, SQL (store->db, SLICE_ADD), error, FL_INT (slice->stamp), FL_INT (sum->job),
                   FL_INT (sum->attempt), FL_INT (sum->run), FL_INT (slice->kind), FL_INT (slice->writer),
                   FL_INT (slice->sequence), FL_INT (slice->writer < 0), FL_INT (slice->length),
                   FL_INT (sum->first), FL_INT (sum->last), FL_INT (sum->shots), FL_INT (sum->hits),
                   FL_INT (sum->indexed), FL_INT (sum->failed), FL_INT (sum->set_aside), FL_INT (sum->spots),
                   FL_REAL ((double) sum->resolution), FL_REAL ((double) sum->energy),
                   FL_REAL ((double) sum->solvent)))
    return FALSE;
  *id = fl_db_last_id (store->db);
  return TRUE;
}

gboolean
fl_store_insert_column (FlStore *store, gint64 slice, guint column, const GByteArray *data, GError **error)
{
  return fl_db_exec (store->db, SQL (store->db, COLUMN_ADD), error,
                     FL_INT (slice * FL_PARTS + (gint64) column), FL_BLOB (data->data, data->len));
}

static gboolean
find_attempt (FlStore *store, gint64 attempt, FlShotSummary *sum, GError **error)
{
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlQuery) query = fl_db_query (store->db, SQL (store->db, ATTEMPT_JOB), error, FL_INT (attempt));
  if (query == NULL)
    return FALSE;
  if (fl_query_next (query, &failed))
    {
      sum->attempt = attempt;
      sum->job = fl_query_int (query, 0);
      sum->run = fl_query_int (query, 1);
      return TRUE;
    }
  if (failed != NULL)
    g_propagate_error (error, g_steal_pointer (&failed));
  else
    g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: has no attempt with number %" G_GINT64_FORMAT,
                 store->path, attempt);
  return FALSE;
}

static gboolean
sum_up (FlStore *store, const FlBatch *batch, FlNewSlice *slice, GError **error)
{
  g_autoptr (FlShotBlock) block = fl_shot_block_new (FL_SUMMARY_COLUMNS | FL_SHOT_ID, slice->length);
  gboolean others = FALSE;
  fl_shot_block_fill (block, 0, batch, (guint32) slice->writer, NULL);
  fl_summarise (block, 0, block->n, &slice->sum);
  return has_other_attempts (store, slice->sum.job, slice->sum.attempt, &others, error)
         && (!others || count_difference (store, block, slice->stamp, &slice->sum, error));
}

static gboolean
insert_frame (FlStore *store, FlNewSlice *slice, const FlBatch *batch, gconstpointer payload, gsize length,
              gboolean *inserted, GError **error)
{
  if (!find_attempt (store, slice->sum.attempt, &slice->sum, error)
      || !fl_db_exec (store->db, SQL (store->db, KEY_ADD), error, FL_INT (slice->sum.attempt),
                      FL_INT (slice->writer), FL_INT (slice->sequence)))
    return FALSE;
  *inserted = fl_db_changed_rows (store->db) == 1;
  if (!*inserted)
    return TRUE;
  slice->stamp = fl_store_count (store, "stamp", error);
  gint64 id;
  return slice->stamp > 0 && (slice->kind != FL_KIND_SHOT || sum_up (store, batch, slice, error))
         && fl_store_insert_slice (store, slice, &id, error)
         && fl_db_exec (store->db, SQL (store->db, COLUMN_ADD), error,
                        FL_INT (id * FL_PARTS + FL_PART_PACKED), FL_BLOB (payload, length));
}

gboolean
fl_store_add_slice (FlStore *store, gint64 attempt, guint32 writer, guint64 sequence, int kind,
                    gconstpointer payload, gsize length, gboolean *inserted, GError **error)
{
  gboolean is_new = FALSE;
  if (inserted != NULL)
    *inserted = FALSE;
  if (kind == FL_KIND_SCHEMA || kind == FL_KIND_SPOT || kind == FL_KIND_REFLECTION
      || fl_schema (kind) == NULL)
    return TRUE;
  g_autoptr (FlBatch) batch = fl_batch_decode (payload, length, error);
  if (batch == NULL)
    return FALSE;
  if (fl_batch_kind (batch) != (FlKind) kind)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "a frame of kind %d holds %s records", kind,
                   fl_schema (fl_batch_kind (batch))->name);
      return FALSE;
    }
  FlNewSlice slice = { .kind = kind,
                       .writer = writer,
                       .sequence = (gint64) sequence,
                       .length = fl_batch_rows (batch),
                       .sum = { .attempt = attempt } };
  if (!fl_store_enter (store, error))
    return FALSE;
  gboolean ok = insert_frame (store, &slice, batch, payload, length, &is_new, error);
  if (!fl_store_leave (store, ok, error))
    return FALSE;
  if (inserted != NULL)
    *inserted = is_new;
  return TRUE;
}

/* --- kinds other than shots --- */

GPtrArray *
fl_store_slices (FlStore *store, int kind, gint64 job, gint64 after, guint limit, GError **error)
{
  g_return_val_if_fail (kind != FL_KIND_SHOT, NULL);
  gint64 most = limit > 0 ? (gint64) limit : G_MAXINT64;
  g_autoptr (GError) failed = NULL;
  g_autoptr (GPtrArray) slices = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_slice_free);
  g_autoptr (FlQuery) query = job == 0
                                  ? fl_db_query (store->db, SQL (store->db, SLICES_KIND), error,
                                                 FL_INT (kind), FL_INT (after), FL_INT (most))
                                  : fl_db_query (store->db, SQL (store->db, SLICES_KIND_JOB), error,
                                                 FL_INT (job), FL_INT (kind), FL_INT (after), FL_INT (most));
  if (query == NULL)
    return NULL;
  while (fl_query_next (query, &failed))
    {
      FlSlice *slice = g_new0 (FlSlice, 1);
      *slice = (FlSlice){ .row = fl_query_int (query, 1),
                          .job = fl_query_int (query, 2),
                          .attempt = fl_query_int (query, 3),
                          .run = fl_query_int (query, 4),
                          .writer = (guint32) fl_query_int (query, 5),
                          .sequence = (guint64) fl_query_int (query, 6),
                          .kind = kind,
                          .rows = (guint32) fl_query_int (query, 7) };
      gsize length;
      gconstpointer data = fl_query_blob (query, 8, &length);
      slice->packed = g_bytes_new (data, length);
      g_ptr_array_add (slices, slice);
    }
  if (failed == NULL)
    return g_steal_pointer (&slices);
  g_propagate_error (error, g_steal_pointer (&failed));
  return NULL;
}
