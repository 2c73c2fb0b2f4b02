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

#define SLICE_VALUES 20 /* of SLICE_ADD */

static void
slice_values (const FlNewSlice *slice, FlValue *values)
{
  const FlShotSummary *sum = &slice->sum;
  const FlValue all[] = { FL_INT (slice->stamp),
                          FL_INT (sum->job),
                          FL_INT (sum->attempt),
                          FL_INT (sum->run),
                          FL_INT (slice->kind),
                          FL_INT (slice->writer),
                          FL_INT (slice->sequence),
                          FL_INT (slice->writer < 0),
                          FL_INT (slice->length),
                          FL_INT (sum->first),
                          FL_INT (sum->last),
                          FL_INT (sum->shots),
                          FL_INT (sum->hits),
                          FL_INT (sum->indexed),
                          FL_INT (sum->failed),
                          FL_INT (sum->set_aside),
                          FL_INT (sum->spots),
                          FL_REAL ((double) sum->resolution),
                          FL_REAL ((double) sum->energy),
                          FL_REAL ((double) sum->solvent) };
  G_STATIC_ASSERT (G_N_ELEMENTS (all) == SLICE_VALUES);
  memcpy (values, all, sizeof all);
}

gboolean
fl_store_insert_slice (FlStore *store, const FlNewSlice *slice, gint64 *id, GError **error)
{
  FlValue values[SLICE_VALUES];
  slice_values (slice, values);
  if (!fl_db_exec_values (store->db, SQL (store->db, SLICE_ADD), values, SLICE_VALUES, error))
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

/* --- frames --- */

void
fl_new_frame_free (FlNewFrame *frame)
{
  if (frame == NULL)
    return;
  fl_shot_block_free (frame->block);
  g_free (frame->payload);
  g_free (frame);
}

FlNewFrame *
fl_new_frame (guint32 writer, guint64 sequence, int kind, gconstpointer payload, gsize length, GError **error)
{
  if (kind == FL_KIND_SCHEMA || kind == FL_KIND_SPOT || kind == FL_KIND_REFLECTION
      || fl_schema (kind) == NULL)
    return NULL;
  g_autoptr (FlBatch) batch = fl_batch_decode (payload, length, error);
  if (batch == NULL)
    return NULL;
  if (fl_batch_kind (batch) != (FlKind) kind)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "a frame of kind %d holds %s records", kind,
                   fl_schema (fl_batch_kind (batch))->name);
      return NULL;
    }
  FlNewFrame *frame = g_new0 (FlNewFrame, 1);
  frame->slice = (FlNewSlice){
    .kind = kind, .writer = writer, .sequence = (gint64) sequence, .length = fl_batch_rows (batch)
  };
  frame->payload = g_memdup2 (payload, length);
  frame->payload_length = length;
  if (kind == FL_KIND_SHOT)
    {
      frame->block = fl_shot_block_new (FL_SUMMARY_COLUMNS | FL_SHOT_ID, frame->slice.length);
      fl_shot_block_fill (frame->block, 0, batch, writer, NULL);
      fl_summarise (frame->block, 0, frame->block->n, &frame->slice.sum);
    }
  return frame;
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

/* What of a writer's frames was ever taken in, from its least to its greatest sequence here. */
typedef struct
{
  gint64 writer, least, greatest;
  GHashTable *known; /* sequences */
} Writer;

static void
writer_free (gpointer data)
{
  Writer *writer = data;
  g_hash_table_unref (writer->known);
  g_free (writer);
}

static GHashTable *
list_writers (const GPtrArray *frames)
{
  GHashTable *writers = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, writer_free);
  for (guint i = 0; i < frames->len; i++)
    {
      const FlNewSlice *slice = &((const FlNewFrame *) frames->pdata[i])->slice;
      Writer *writer = g_hash_table_lookup (writers, &slice->writer);
      if (writer == NULL)
        {
          writer = g_new0 (Writer, 1);
          writer->writer = slice->writer;
          writer->least = writer->greatest = slice->sequence;
          writer->known = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
          g_hash_table_insert (writers, &writer->writer, writer);
        }
      writer->least = MIN (writer->least, slice->sequence);
      writer->greatest = MAX (writer->greatest, slice->sequence);
    }
  return writers;
}

static gboolean
read_known (FlStore *store, gint64 attempt, Writer *writer, GError **error)
{
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlQuery) query =
      fl_db_query (store->db, SQL (store->db, KEYS_KNOWN), error, FL_INT (attempt), FL_INT (writer->writer),
                   FL_INT (writer->least), FL_INT (writer->greatest));
  if (query == NULL)
    return FALSE;
  while (fl_query_next (query, &failed))
    {
      gint64 sequence = fl_query_int (query, 0);
      g_hash_table_add (writer->known, g_memdup2 (&sequence, sizeof sequence));
    }
  if (failed == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failed));
  return FALSE;
}

/* Those that have never been taken in; NULL with error. */
static GPtrArray *
choose_new (FlStore *store, gint64 attempt, const GPtrArray *frames, GError **error)
{
  g_autoptr (GHashTable) writers = list_writers (frames);
  g_autoptr (GPtrArray) chosen = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, writers);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (!read_known (store, attempt, value, error))
      return NULL;
  for (guint i = 0; i < frames->len; i++)
    {
      FlNewFrame *frame = frames->pdata[i];
      Writer *writer = g_hash_table_lookup (writers, &frame->slice.writer);
      frame->inserted = g_hash_table_add (writer->known, g_memdup2 (&frame->slice.sequence, sizeof (gint64)));
      if (frame->inserted)
        g_ptr_array_add (chosen, frame);
    }
  return g_steal_pointer (&chosen);
}

/* Attempt and stamps, and what their shots add to those of the job's other attempts. */
static gboolean
complete_slices (FlStore *store, gint64 attempt, const GPtrArray *frames, GError **error)
{
  FlShotSummary of = { 0 };
  gboolean others = FALSE;
  gint64 stamp;
  if (!find_attempt (store, attempt, &of, error)
      || !has_other_attempts (store, of.job, of.attempt, &others, error)
      || !fl_db_exec (store->db, SQL (store->db, COUNTER_ADD_MANY), error, FL_INT (frames->len),
                      FL_TEXT ("stamp"))
      || (stamp = fl_store_counted (store, "stamp", error)) < 0)
    return FALSE;
  stamp -= frames->len;
  for (guint i = 0; i < frames->len; i++)
    {
      FlNewFrame *frame = frames->pdata[i];
      FlShotSummary *sum = &frame->slice.sum;
      frame->slice.stamp = ++stamp;
      sum->attempt = of.attempt;
      sum->job = of.job;
      sum->run = of.run;
      if (others && frame->block != NULL && !count_difference (store, frame->block, stamp, sum, error))
        return FALSE;
    }
  return TRUE;
}

/* The first gives itself a number; nobody else adds slices meanwhile, so that those behind it are free. */
static gboolean
insert_slices (FlStore *store, const GPtrArray *frames, gint64 *first, GError **error)
{
  if (!fl_store_insert_slice (store, &((const FlNewFrame *) frames->pdata[0])->slice, first, error))
    return FALSE;
  guint n = frames->len - 1;
  g_autofree FlValue *values = g_new (FlValue, (gsize) MAX (n, 1) * (SLICE_VALUES + 1));
  for (guint i = 0; i < n; i++)
    {
      FlValue *row = values + (gsize) i * (SLICE_VALUES + 1);
      row[0] = FL_INT (*first + 1 + i);
      slice_values (&((const FlNewFrame *) frames->pdata[i + 1])->slice, row + 1);
    }
  return fl_db_exec_rows (store->db, SQL (store->db, SLICE_ADD_AT), values, n, SLICE_VALUES + 1, error);
}

static gboolean
insert_keys_and_columns (FlStore *store, const GPtrArray *frames, gint64 attempt, gint64 first,
                         GError **error)
{
  guint n = frames->len;
  g_autofree FlValue *keys = g_new (FlValue, (gsize) n * 3), *columns = g_new (FlValue, (gsize) n * 2);
  for (guint i = 0; i < n; i++)
    {
      const FlNewFrame *frame = frames->pdata[i];
      keys[3 * i] = FL_INT (attempt);
      keys[3 * i + 1] = FL_INT (frame->slice.writer);
      keys[3 * i + 2] = FL_INT (frame->slice.sequence);
      columns[2 * i] = FL_INT ((first + i) * FL_PARTS + FL_PART_PACKED);
      columns[2 * i + 1] = FL_BLOB (frame->payload, frame->payload_length);
    }
  return fl_db_exec_rows (store->db, SQL (store->db, KEY_ADD), keys, n, 3, error)
         && fl_db_exec_rows (store->db, SQL (store->db, COLUMN_ADD), columns, n, 2, error);
}

gboolean
fl_store_add_frames (FlStore *store, gint64 attempt, const GPtrArray *frames, GError **error)
{
  g_autoptr (GPtrArray) chosen = choose_new (store, attempt, frames, error);
  gint64 first;
  return chosen != NULL
         && (chosen->len == 0
             || (complete_slices (store, attempt, chosen, error)
                 && insert_slices (store, chosen, &first, error)
                 && insert_keys_and_columns (store, chosen, attempt, first, error)));
}

gboolean
fl_store_add_slice (FlStore *store, gint64 attempt, guint32 writer, guint64 sequence, int kind,
                    gconstpointer payload, gsize length, gboolean *inserted, GError **error)
{
  g_autoptr (GError) why = NULL;
  g_autoptr (GPtrArray) frames = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_new_frame_free);
  FlNewFrame *frame = fl_new_frame (writer, sequence, kind, payload, length, &why);
  if (inserted != NULL)
    *inserted = FALSE;
  if (why != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&why));
      return FALSE;
    }
  if (frame == NULL)
    return TRUE;
  g_ptr_array_add (frames, frame);
  if (!fl_store_enter (store, error)
      || !fl_store_leave (store, fl_store_add_frames (store, attempt, frames, error), error))
    return FALSE;
  if (inserted != NULL)
    *inserted = frame->inserted;
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
