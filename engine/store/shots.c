/* Reading shots: blocks of columns and summaries, from journal frames as they came and from compacted parts. */
#include "engine/store/shots.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/store/store-private.h"

#define COLUMN(COLUMN, PART, type, field, name)                                                              \
  {                                                                                                          \
    FL_SHOT_##COLUMN, FL_PART_##PART, sizeof (type), offsetof (FlShotBlock, field), name                     \
  }

const FlShotColumn fl_shot_columns[] = {
  COLUMN (ID, ID, guint64, id, "id"),
  COLUMN (SOURCE, SOURCE, guint32, source, "source"),
  COLUMN (FRAME, FRAME, guint32, frame, "frame"),
  COLUMN (START, START, guint64, start, "start"),
  COLUMN (DURATION, DURATION, guint32, duration, NULL),
  COLUMN (RANK, RANK, guint32, rank, NULL),
  COLUMN (OUTCOME, OUTCOME, guint8, outcome, "outcome"),
  COLUMN (STAGE, STAGE, guint8, stage, "stage"),
  COLUMN (LATTICES, LATTICES, guint16, lattices, "lattices"),
  COLUMN (SPOTS, SPOTS, guint32, spots, "spots"),
  COLUMN (RESOLUTION, RESOLUTION, float, resolution, "resolution"),
  COLUMN (ENERGY, ENERGY, float, energy, "energy"),
  COLUMN (SOLVENT, SOLVENT, float, solvent, "solvent"),
  COLUMN (DURATIONS, DURATIONS, guint32[5], durations, NULL),
};
const guint fl_n_shot_columns = G_N_ELEMENTS (fl_shot_columns);

FlShotBlock *
fl_shot_block_new (FlShotColumns columns, guint n)
{
  FlShotBlock *block = g_new0 (FlShotBlock, 1);
  block->n = n;
  for (guint i = 0; i < fl_n_shot_columns; i++)
    if (columns & fl_shot_columns[i].column)
      *(gpointer *) ((char *) block + fl_shot_columns[i].offset) =
          g_malloc_n (MAX (n, 1u), fl_shot_columns[i].size);
  return block;
}

void
fl_shot_block_free (FlShotBlock *block)
{
  if (block == NULL)
    return;
  for (guint i = 0; i < fl_n_shot_columns; i++)
    g_free (fl_shot_values (block, &fl_shot_columns[i]));
  g_free (block);
}

/* --- columns --- */

void
fl_column_pack (gconstpointer values, gsize size, guint n, GByteArray *out)
{
  const guint8 *bytes = values;
  /* All the same, if the array equals itself moved on by one value. */
  gboolean constant = n > 1 && memcmp (bytes, bytes + size, (n - 1) * size) == 0;
  g_byte_array_append (out, bytes, (guint) (constant ? size : n * size));
}

gboolean
fl_column_unpack (gconstpointer data, gsize length, gsize size, guint n, gpointer values)
{
  if (length == n * size)
    memcpy (values, data, length);
  else if (length == size)
    for (guint i = 0; i < n; i++)
      memcpy ((char *) values + i * size, data, size);
  else
    return FALSE;
  return TRUE;
}

static gboolean
damaged (FlStore *store, gint64 slice, GError **error)
{
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: is damaged (values of slice %" G_GINT64_FORMAT ")",
               store->path, slice);
  return FALSE;
}

/* The query stands on the value's row; NULL with error. */
static FlQuery *
open_column (FlStore *store, gint64 slice, guint part, GError **error)
{
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlQuery) query =
      fl_db_query (store->db, SQL (store->db, COLUMN_READ), error, FL_INT (slice * FL_PARTS + (gint64) part));
  if (query == NULL)
    return NULL;
  if (fl_query_next (query, &failed))
    return g_steal_pointer (&query);
  if (failed != NULL)
    g_propagate_error (error, g_steal_pointer (&failed));
  else
    damaged (store, slice, error);
  return NULL;
}

/* --- one slice --- */

static void
copy_durations (const FlBatch *batch, FlShotBlock *block, guint at)
{
  static const char *const names[] = { "t_read", "t_find", "t_index", "t_refine", "t_integrate" };
  guint n = fl_batch_rows (batch);
  const guint32 *parts[5];
  for (guint k = 0; k < 5; k++)
    parts[k] = fl_batch_column (batch, names[k]);
  for (guint i = 0; i < n; i++)
    {
      guint64 total = 0;
      for (guint k = 0; k < 5; k++)
        {
          total += parts[k][i];
          if (block->durations != NULL)
            block->durations[at + i][k] = parts[k][i];
        }
      if (block->duration != NULL)
        block->duration[at + i] = (guint32) MIN (total, G_MAXUINT32);
    }
}

void
fl_shot_block_fill (FlShotBlock *block, guint at, const FlBatch *batch, guint32 writer, GPtrArray *messages)
{
  guint n = fl_batch_rows (batch);
  for (guint i = 0; i < fl_n_shot_columns; i++)
    {
      const FlShotColumn *column = &fl_shot_columns[i];
      char *values = fl_shot_values (block, column);
      if (values != NULL && column->name != NULL)
        memcpy (values + at * column->size, fl_batch_column (batch, column->name), n * column->size);
    }
  if (block->duration != NULL || block->durations != NULL)
    copy_durations (batch, block, at);
  for (guint i = 0; block->rank != NULL && i < n; i++)
    block->rank[at + i] = writer;
  const char *const *texts = fl_batch_column (batch, "message");
  for (guint i = 0; messages != NULL && i < n; i++)
    g_ptr_array_add (messages, g_strdup (texts[i]));
}

static gboolean
read_packed (FlStore *store, const FlSliceRow *row, FlShotBlock *block, guint at, GPtrArray *messages,
             GError **error)
{
  g_autoptr (FlQuery) query = open_column (store, row->id, FL_PART_PACKED, error);
  if (query == NULL)
    return FALSE;
  gsize length;
  gconstpointer data = fl_query_blob (query, 0, &length);
  g_autoptr (FlBatch) batch = fl_batch_decode (data, length, NULL);
  if (batch == NULL || fl_batch_kind (batch) != FL_KIND_SHOT || fl_batch_rows (batch) != row->length)
    return damaged (store, row->id, error);
  fl_shot_block_fill (block, at, batch, row->writer, messages);
  return TRUE;
}

static gboolean
read_messages (FlStore *store, const FlSliceRow *row, GPtrArray *messages, GError **error)
{
  g_autoptr (FlQuery) query = open_column (store, row->id, FL_PART_MESSAGE, error);
  if (query == NULL)
    return FALSE;
  gsize length;
  const char *text = fl_query_blob (query, 0, &length), *end = text + length;
  guint before = messages->len;
  for (const char *p = text; p < end && messages->len - before < row->length; p += strlen (p) + 1)
    {
      if (memchr (p, '\0', (gsize) (end - p)) == NULL)
        return damaged (store, row->id, error);
      g_ptr_array_add (messages, g_strdup (p));
    }
  while (messages->len - before == 1 && row->length > 1) /* all the same */
    for (guint i = 1; i < row->length; i++)
      g_ptr_array_add (messages, g_strdup (messages->pdata[before]));
  return messages->len - before == row->length || damaged (store, row->id, error);
}

gboolean
fl_store_read_slice (FlStore *store, const FlSliceRow *row, FlShotBlock *block, guint at, GPtrArray *messages,
                     GError **error)
{
  if (!row->compacted)
    return read_packed (store, row, block, at, messages, error);
  for (guint i = 0; i < fl_n_shot_columns; i++)
    {
      const FlShotColumn *column = &fl_shot_columns[i];
      char *values = fl_shot_values (block, column);
      if (values == NULL)
        continue;
      g_autoptr (FlQuery) query = open_column (store, row->id, column->part, error);
      if (query == NULL)
        return FALSE;
      gsize length;
      gconstpointer data = fl_query_blob (query, 0, &length);
      if (!fl_column_unpack (data, length, column->size, row->length, values + at * column->size))
        return damaged (store, row->id, error);
    }
  return messages == NULL || read_messages (store, row, messages, error);
}

/* --- rows --- */

static GArray *
collect_rows (FlQuery *query, guint limit, GError **error)
{
  g_autoptr (GArray) rows = g_array_new (FALSE, TRUE, sizeof (FlSliceRow));
  g_autoptr (GError) failed = NULL;
  gint64 shots = 0, before = 0;
  while (query != NULL && fl_query_next (query, &failed))
    {
      FlSliceRow row = { .id = fl_query_int (query, 0),
                         .stamp = fl_query_int (query, 1),
                         .writer = (guint32) fl_query_int (query, 5),
                         .length = (guint32) fl_query_int (query, 6),
                         .compacted = fl_query_int (query, 7) != 0 };
      if (limit > 0 && shots >= limit && row.stamp != before)
        break;
      row.sum = (FlShotSummary){
        .job = fl_query_int (query, 2),
        .attempt = fl_query_int (query, 3),
        .run = fl_query_int (query, 4),
        .first = (guint64) fl_query_int (query, 8),
        .last = (guint64) fl_query_int (query, 9),
        .shots = fl_query_int (query, 10),
        .hits = fl_query_int (query, 11),
        .indexed = fl_query_int (query, 12),
        .failed = fl_query_int (query, 13),
        .set_aside = fl_query_int (query, 14),
        .spots = fl_query_int (query, 15),
        .resolution = (float) fl_query_real (query, 16),
        .energy = (float) fl_query_real (query, 17),
        .solvent = (float) fl_query_real (query, 18),
        /* A compacted attempt is a whole: its first part begins it anew. */
        .replaces = row.compacted && row.stamp != before,
      };
      g_array_append_val (rows, row);
      shots += row.length;
      before = row.stamp;
    }
  if (failed == NULL && query != NULL)
    return g_steal_pointer (&rows);
  if (failed != NULL)
    g_propagate_error (error, g_steal_pointer (&failed));
  return NULL;
}

GArray *
fl_store_slice_rows (FlStore *store, gint64 job, gint64 after, guint limit, GError **error)
{
  g_autoptr (FlQuery) query =
      job == 0 ? fl_db_query (store->db, SQL (store->db, SHOTS_ALL), error, FL_INT (after))
               : fl_db_query (store->db, SQL (store->db, SHOTS_JOB), error, FL_INT (job), FL_INT (after));
  return collect_rows (query, limit, error);
}

GArray *
fl_store_attempt_rows (FlStore *store, gint64 attempt, GError **error)
{
  g_autoptr (FlQuery) query =
      fl_db_query (store->db, SQL (store->db, SHOTS_ATTEMPT), error, FL_INT (attempt));
  return collect_rows (query, 0, error);
}

/* --- readers --- */

static GPtrArray *
read_blocks (FlStore *store, gint64 job, FlShotColumns columns, guint limit, gint64 *cursor, GError **error)
{
  g_autoptr (GArray) rows = fl_store_slice_rows (store, job, *cursor, limit, error);
  if (rows == NULL)
    return NULL;
  g_autoptr (GPtrArray) blocks = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_shot_block_free);
  for (guint i = 0; i < rows->len; i++)
    {
      const FlSliceRow *row = &g_array_index (rows, FlSliceRow, i);
      FlShotBlock *block = fl_shot_block_new (columns, row->length);
      g_ptr_array_add (blocks, block);
      block->job = row->sum.job;
      block->attempt = row->sum.attempt;
      block->run = row->sum.run;
      block->replaces = row->sum.replaces;
      block->compacted = row->compacted;
      if (!fl_store_read_slice (store, row, block, 0, NULL, error))
        return NULL;
    }
  if (rows->len > 0)
    *cursor = g_array_index (rows, FlSliceRow, rows->len - 1).stamp;
  return g_steal_pointer (&blocks);
}

GPtrArray *
fl_store_shots (FlStore *store, gint64 job, FlShotColumns columns, guint limit, gint64 *cursor,
                GError **error)
{
  /* One snapshot: a compaction must not take the values away between their row and them. */
  gboolean own = store->depth == 0;
  if (own && !fl_db_begin (store->db, FALSE, error))
    return NULL;
  GPtrArray *blocks = read_blocks (store, job, columns, limit, cursor, error);
  if (own)
    fl_db_rollback (store->db);
  return blocks;
}

static gboolean
add_stored_summaries (FlStore *store, const FlSliceRow *row, GArray *sums, GError **error)
{
  g_autoptr (FlQuery) query = open_column (store, row->id, FL_PART_SUMMARIES, error);
  if (query == NULL)
    return FALSE;
  gsize length;
  const char *data = fl_query_blob (query, 0, &length);
  if (length % sizeof (FlStoredSummary) != 0)
    return damaged (store, row->id, error);
  FlShotSummary sum = row->sum;
  for (gsize at = 0; at < length; at += sizeof (FlStoredSummary))
    {
      FlStoredSummary stored;
      memcpy (&stored, data + at, sizeof stored);
      sum.replaces = row->sum.replaces && at == 0;
      sum.first = stored.first;
      sum.last = stored.last;
      sum.shots = stored.shots;
      sum.hits = stored.hits;
      sum.indexed = stored.indexed;
      sum.failed = stored.failed;
      sum.set_aside = stored.set_aside;
      sum.spots = stored.spots;
      sum.resolution = stored.resolution;
      sum.energy = stored.energy;
      sum.solvent = stored.solvent;
      g_array_append_val (sums, sum);
    }
  return TRUE;
}

static GArray *
read_summaries (FlStore *store, gint64 job, gint64 *cursor, GError **error)
{
  g_autoptr (GArray) rows = fl_store_slice_rows (store, job, *cursor, 0, error);
  if (rows == NULL)
    return NULL;
  g_autoptr (GArray) sums = g_array_new (FALSE, FALSE, sizeof (FlShotSummary));
  for (guint i = 0; i < rows->len; i++)
    {
      const FlSliceRow *row = &g_array_index (rows, FlSliceRow, i);
      if (!row->compacted)
        g_array_append_val (sums, row->sum);
      else if (!add_stored_summaries (store, row, sums, error))
        return NULL;
    }
  if (rows->len > 0)
    *cursor = g_array_index (rows, FlSliceRow, rows->len - 1).stamp;
  return g_steal_pointer (&sums);
}

GArray *
fl_store_summaries (FlStore *store, gint64 job, gint64 *cursor, GError **error)
{
  gboolean own = store->depth == 0;
  if (own && !fl_db_begin (store->db, FALSE, error))
    return NULL;
  GArray *sums = read_summaries (store, job, cursor, error);
  if (own)
    fl_db_rollback (store->db);
  return sums;
}

/* The newest slice that has it wins. */
static char *
find_message (FlStore *store, gint64 job, guint64 shot, GError **error)
{
  g_autoptr (GArray) rows = fl_store_slice_rows (store, job, 0, 0, error);
  if (rows == NULL)
    return NULL;
  for (guint i = rows->len; i-- > 0;)
    {
      const FlSliceRow *row = &g_array_index (rows, FlSliceRow, i);
      g_autoptr (FlShotBlock) block = fl_shot_block_new (FL_SHOT_ID, row->length);
      if (!fl_store_read_slice (store, row, block, 0, NULL, error))
        return NULL;
      for (guint k = 0; k < block->n; k++)
        if (block->id[k] == shot)
          {
            g_autoptr (GPtrArray) messages = g_ptr_array_new_with_free_func (g_free);
            return fl_store_read_slice (store, row, block, 0, messages, error) ? g_strdup (messages->pdata[k])
                                                                               : NULL;
          }
    }
  g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: job %" G_GINT64_FORMAT " has no such shot",
               store->path, job);
  return NULL;
}

char *
fl_store_shot_message (FlStore *store, gint64 job, guint64 shot, GError **error)
{
  gboolean own = store->depth == 0;
  if (own && !fl_db_begin (store->db, FALSE, error))
    return NULL;
  char *message = find_message (store, job, shot, error);
  if (own)
    fl_db_rollback (store->db);
  return message;
}

/* --- summing up --- */

void
fl_summary_count (FlShotSummary *sum, FlOutcome outcome, guint32 spots, int sign)
{
  sum->shots += sign;
  if (outcome == FL_OUTCOME_HIT || outcome == FL_OUTCOME_INDEXED)
    {
      sum->hits += sign;
      sum->spots += sign * (gint64) spots;
    }
  sum->indexed += outcome == FL_OUTCOME_INDEXED ? sign : 0;
  sum->failed += outcome == FL_OUTCOME_FAILED ? sign : 0;
  sum->set_aside += outcome == FL_OUTCOME_SET_ASIDE ? sign : 0;
}

void
fl_summarise (const FlShotBlock *block, guint from, guint to, FlShotSummary *sum)
{
  double energy = 0, solvent = 0;
  guint n_energy = 0, n_solvent = 0;
  for (guint i = from; i < to; i++)
    {
      guint64 end = block->start[i] + block->duration[i] * (guint64) 1000;
      gboolean hit = block->outcome[i] == FL_OUTCOME_HIT || block->outcome[i] == FL_OUTCOME_INDEXED;
      fl_summary_count (sum, block->outcome[i], block->spots[i], 1);
      sum->first = i == from ? block->start[i] : MIN (sum->first, block->start[i]);
      sum->last = MAX (sum->last, end);
      if (hit && block->resolution[i] > 0 && isfinite (block->resolution[i])
          && (sum->resolution == 0 || block->resolution[i] < sum->resolution))
        sum->resolution = block->resolution[i];
      if (block->energy[i] > 0 && isfinite (block->energy[i]))
        energy += (double) block->energy[i], n_energy++;
      if (block->solvent[i] > 0 && isfinite (block->solvent[i]))
        solvent += (double) block->solvent[i], n_solvent++;
    }
  sum->energy = n_energy > 0 ? (float) (energy / n_energy) : 0;
  sum->solvent = n_solvent > 0 ? (float) (solvent / n_solvent) : 0;
}
