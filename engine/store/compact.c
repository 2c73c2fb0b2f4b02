/* An ended attempt's slices, put in order: sorted by time, every shot once, few large parts with their columns apart. */
#include <string.h>

#include "engine/base/error.h"
#include "engine/store/store-private.h"

#define PART_SHOTS 65536

typedef struct
{
  FlShotBlock *block;
  GPtrArray *messages;
  guint *order; /* of the shots that stay, by time */
  guint kept;
} Attempt;

static void
attempt_clear (Attempt *attempt)
{
  g_clear_pointer (&attempt->block, fl_shot_block_free);
  g_clear_pointer (&attempt->messages, g_ptr_array_unref);
  g_clear_pointer (&attempt->order, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Attempt, attempt_clear)

static FlShotBlock *
load_rows (FlStore *store, const GArray *rows, FlShotColumns columns, GPtrArray *messages, GError **error)
{
  guint n = 0;
  for (guint i = 0; i < rows->len; i++)
    n += g_array_index (rows, FlSliceRow, i).length;
  g_autoptr (FlShotBlock) block = fl_shot_block_new (columns, n);
  guint at = 0;
  for (guint i = 0; i < rows->len; i++)
    {
      const FlSliceRow *row = &g_array_index (rows, FlSliceRow, i);
      if (!fl_store_read_slice (store, row, block, at, messages, error))
        return NULL;
      at += row->length;
    }
  return g_steal_pointer (&block);
}

static int
compare_start (gconstpointer a, gconstpointer b, gpointer data)
{
  const FlShotBlock *block = data;
  guint ia = *(const guint *) a, ib = *(const guint *) b;
  if (block->start[ia] != block->start[ib])
    return block->start[ia] < block->start[ib] ? -1 : 1;
  return ia < ib ? -1 : ia > ib;
}

/* Which shots stay: not those that a later attempt has done (`later`), and of the same shot twice the last. */
static void
choose (Attempt *attempt, GHashTable *later)
{
  FlShotBlock *block = attempt->block;
  g_autoptr (GHashTable) own = g_hash_table_new (g_int64_hash, g_int64_equal);
  attempt->order = g_new (guint, MAX (block->n, 1u));
  for (guint i = block->n; i-- > 0;)
    if (!g_hash_table_contains (later, &block->id[i]) && g_hash_table_add (own, &block->id[i]))
      attempt->order[attempt->kept++] = i;
  g_qsort_with_data (attempt->order, (int) attempt->kept, sizeof (guint), compare_start, block);
}

/* The shots order[from..to-1] of the attempt as a block of their own. */
static FlShotBlock *
take_part (const Attempt *attempt, guint from, guint to)
{
  FlShotBlock *part = fl_shot_block_new (FL_SHOT_ALL, to - from);
  for (guint c = 0; c < fl_n_shot_columns; c++)
    {
      gsize size = fl_shot_columns[c].size;
      const char *source = fl_shot_values (attempt->block, &fl_shot_columns[c]);
      char *target = fl_shot_values (part, &fl_shot_columns[c]);
      for (guint i = from; i < to; i++)
        memcpy (target + (i - from) * size, source + attempt->order[i] * size, size);
    }
  return part;
}

static gboolean
insert_messages (FlStore *store, gint64 slice, const Attempt *attempt, guint from, guint to, GError **error)
{
  g_autoptr (GByteArray) data = g_byte_array_new ();
  gboolean same = TRUE;
  const char *first = attempt->messages->pdata[attempt->order[from]];
  for (guint i = from + 1; same && i < to; i++)
    same = strcmp (first, attempt->messages->pdata[attempt->order[i]]) == 0;
  for (guint i = from; i < (same ? from + 1 : to); i++)
    {
      const char *text = attempt->messages->pdata[attempt->order[i]];
      g_byte_array_append (data, (const guint8 *) text, (guint) strlen (text) + 1);
    }
  return fl_store_insert_column (store, slice, FL_PART_MESSAGE, data, error);
}

static gboolean
insert_summaries (FlStore *store, gint64 slice, const FlShotBlock *part, GError **error)
{
  g_autoptr (GByteArray) data = g_byte_array_new ();
  for (guint from = 0; from < part->n; from += FL_SUMMARY_SHOTS)
    {
      FlShotSummary sum = { 0 };
      fl_summarise (part, from, MIN (from + FL_SUMMARY_SHOTS, part->n), &sum);
      FlStoredSummary stored = { sum.first,
                                 sum.last,
                                 sum.spots,
                                 (guint32) sum.shots,
                                 (guint32) sum.hits,
                                 (guint32) sum.indexed,
                                 (guint32) sum.failed,
                                 (guint32) sum.set_aside,
                                 sum.resolution,
                                 sum.energy,
                                 sum.solvent };
      g_byte_array_append (data, (const guint8 *) &stored, sizeof stored);
    }
  return fl_store_insert_column (store, slice, FL_PART_SUMMARIES, data, error);
}

static gboolean
insert_part (FlStore *store, const Attempt *attempt, guint from, guint to, const FlSliceRow *like,
             gint64 stamp, GError **error)
{
  g_autoptr (FlShotBlock) part = take_part (attempt, from, to);
  FlNewSlice slice = { .stamp = stamp,
                       .kind = FL_KIND_SHOT,
                       .writer = -1,
                       .sequence = from / PART_SHOTS,
                       .length = part->n,
                       .sum = { .job = like->sum.job, .attempt = like->sum.attempt, .run = like->sum.run } };
  fl_summarise (part, 0, part->n, &slice.sum);
  gint64 id;
  if (!fl_store_insert_slice (store, &slice, &id, error))
    return FALSE;
  for (guint c = 0; c < fl_n_shot_columns; c++)
    {
      g_autoptr (GByteArray) data = g_byte_array_new ();
      fl_column_pack (fl_shot_values (part, &fl_shot_columns[c]), fl_shot_columns[c].size, part->n, data);
      if (!fl_store_insert_column (store, id, fl_shot_columns[c].part, data, error))
        return FALSE;
    }
  return (part->n == 0 || insert_messages (store, id, attempt, from, to, error))
         && insert_summaries (store, id, part, error);
}

static gboolean
same_counts (const GArray *rows, const Attempt *attempt)
{
  FlShotSummary before = { 0 }, after = { 0 };
  for (guint i = 0; i < rows->len; i++)
    {
      const FlShotSummary *sum = &g_array_index (rows, FlSliceRow, i).sum;
      before.shots += sum->shots;
      before.hits += sum->hits;
      before.indexed += sum->indexed;
      before.failed += sum->failed;
      before.set_aside += sum->set_aside;
      before.spots += sum->spots;
    }
  for (guint i = 0; i < attempt->kept; i++)
    fl_summary_count (&after, attempt->block->outcome[attempt->order[i]],
                      attempt->block->spots[attempt->order[i]], 1);
  return attempt->kept == attempt->block->n && before.shots == after.shots && before.hits == after.hits
         && before.indexed == after.indexed && before.failed == after.failed
         && before.set_aside == after.set_aside && before.spots == after.spots;
}

/* Writes the attempt anew. Readers that have seen all of it need not see it again, unless shots or counts changed. */
static gboolean
rewrite (FlStore *store, const GArray *rows, const Attempt *attempt, GError **error)
{
  const FlSliceRow *last = &g_array_index (rows, FlSliceRow, rows->len - 1);
  gint64 stamp = same_counts (rows, attempt) ? last->stamp : fl_store_count (store, "stamp", error);
  if (stamp == 0)
    return FALSE;
  for (guint i = 0; i < rows->len; i++)
    {
      gint64 id = g_array_index (rows, FlSliceRow, i).id;
      if (!fl_db_exec (store->db, SQL (store->db, COLUMNS_REMOVE), error, FL_INT (id * FL_PARTS),
                       FL_INT ((id + 1) * FL_PARTS))
          || !fl_db_exec (store->db, SQL (store->db, SLICE_REMOVE), error, FL_INT (id)))
        return FALSE;
    }
  /* An attempt of which nothing is left keeps an empty part, so that readers learn of it. */
  guint from = 0;
  do
    {
      guint to = MIN (from + PART_SHOTS, attempt->kept);
      if (!insert_part (store, attempt, from, to, last, stamp, error))
        return FALSE;
      from = to;
    }
  while (from < attempt->kept);
  return TRUE;
}

static gboolean
needs_rewrite (const GArray *rows, const FlShotBlock *ids, GHashTable *later)
{
  for (guint i = 0; i < rows->len; i++)
    if (!g_array_index (rows, FlSliceRow, i).compacted)
      return TRUE;
  for (guint i = 0; i < ids->n; i++)
    if (g_hash_table_contains (later, &ids->id[i]))
      return TRUE;
  return FALSE;
}

/* One attempt of the job, the newer ones having been looked at: their shots are in `later`, to which its are added. */
static gboolean
compact_attempt (FlStore *store, gint64 id, GHashTable *later, GPtrArray *keep, GError **error)
{
  g_autoptr (GArray) rows = fl_store_attempt_rows (store, id, error);
  if (rows == NULL)
    return FALSE;
  if (rows->len == 0)
    return TRUE;
  FlShotBlock *ids = load_rows (store, rows, FL_SHOT_ID, NULL, error);
  if (ids == NULL)
    return FALSE;
  g_ptr_array_add (keep, ids); /* `later` points into it */
  if (needs_rewrite (rows, ids, later))
    {
      g_auto (Attempt) attempt = { .messages = g_ptr_array_new_with_free_func (g_free) };
      attempt.block = load_rows (store, rows, FL_SHOT_ALL, attempt.messages, error);
      if (attempt.block == NULL)
        return FALSE;
      choose (&attempt, later);
      if (!rewrite (store, rows, &attempt, error))
        return FALSE;
    }
  for (guint i = 0; i < ids->n; i++)
    g_hash_table_add (later, &ids->id[i]);
  return TRUE;
}

/* Whether an attempt after `number` is still under way: its counts take back what the earlier ones had counted, which
 * must not change under it. */
static gboolean
later_runs (FlStore *store, const GPtrArray *attempts, int number, gboolean *runs, GError **error)
{
  *runs = FALSE;
  for (guint i = 0; i < attempts->len && !*runs; i++)
    {
      const FlAttempt *attempt = attempts->pdata[i];
      if (attempt->number <= number || attempt->compacted)
        continue;
      g_autoptr (GArray) rows = fl_store_attempt_rows (store, attempt->id, error);
      if (rows == NULL)
        return FALSE;
      *runs = rows->len > 0;
    }
  return TRUE;
}

static gboolean
compact_job (FlStore *store, const FlAttempt *ended, GError **error)
{
  g_autoptr (GHashTable) later = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_autoptr (GPtrArray) keep = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_shot_block_free);
  g_autoptr (GPtrArray) attempts = fl_store_list_attempts (store, ended->job, error);
  gboolean wait;
  if (attempts == NULL || !later_runs (store, attempts, ended->number, &wait, error))
    return FALSE;
  if (wait)
    return TRUE;
  for (guint i = attempts->len; i-- > 0;)
    if (!compact_attempt (store, ((const FlAttempt *) attempts->pdata[i])->id, later, keep, error))
      return FALSE;
  return fl_store_set_int (store, FL_TABLE_ATTEMPT, ended->id, "compacted", 1, error);
}

gboolean
fl_store_compact (FlStore *store, gint64 attempt, GError **error)
{
  if (!fl_store_enter (store, error))
    return FALSE;
  FlAttempt *record = fl_store_get (store, FL_TABLE_ATTEMPT, attempt, error);
  gboolean ok = record != NULL && compact_job (store, record, error);
  fl_record_free (FL_TABLE_ATTEMPT, record);
  return fl_store_leave (store, ok, error);
}
