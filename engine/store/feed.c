#include "engine/store/feed.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/store/feed-wire.h"

#define LARGER_GROUP 8 /* times the bytes asked for, for what should not be taken apart */

typedef struct
{
  gint64 schema, created, revision, stamp, slice;
  gint64 part, part_attempt; /* newest slice that has come of an attempt that has not come whole */
  guint64 digest;
  GHashTable *grown; /* table → gint64 */
} Position;

typedef struct
{
  gint64 revision;
  guint table;
  gsize offset, length; /* in the rows collected */
} Revised;

typedef struct
{
  FlStore *store;
  GPtrArray *tables;
  Position since;
  gsize most;
  gint64 schema, created, revision, stamp; /* that the batch leads up to */
  GByteArray *rows;
  gboolean *used;   /* of each table: it is in the batch */
  GHashTable *told; /* attempts whose older slices have been said to be gone */
  guint told_at;    /* where in `rows` it says that the last of them comes whole */
  gboolean more;
} Feed;

static void
feed_clear (Feed *feed)
{
  g_clear_pointer (&feed->tables, g_ptr_array_unref);
  g_clear_pointer (&feed->since.grown, g_hash_table_unref);
  g_clear_pointer (&feed->rows, g_byte_array_unref);
  g_clear_pointer (&feed->told, g_hash_table_unref);
  g_free (feed->used);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Feed, feed_clear)

/* --- where the reader is --- */

static gboolean
read_position (Position *p, gconstpointer bytes, gsize length, GError **error)
{
  p->grown = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (length == 0)
    return TRUE;
  FlFeedReader r = { bytes, (const guint8 *) bytes + length, TRUE };
  gboolean marked = length > 4 && memcmp (bytes, "FLP1", 4) == 0;
  r.at += marked ? 4 : 0;
  p->schema = fl_feed_take_int (&r);
  p->created = fl_feed_take_int (&r);
  p->revision = fl_feed_take_int (&r);
  p->stamp = fl_feed_take_int (&r);
  p->slice = fl_feed_take_int (&r);
  p->part = fl_feed_take_int (&r);
  p->part_attempt = fl_feed_take_int (&r);
  p->digest = (guint64) fl_feed_take_int (&r);
  for (gint64 n = fl_feed_take_int (&r); n > 0 && r.good; n--)
    {
      char *name = fl_feed_take_string (&r);
      gint64 id = fl_feed_take_int (&r);
      g_hash_table_insert (p->grown, name, g_memdup2 (&id, sizeof id));
    }
  if (marked && r.good && p->revision >= 0 && p->stamp >= 0)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "change feed: the reader's position of %zu bytes is damaged",
               length);
  return FALSE;
}

static gboolean
check_position (const Feed *f, GError **error)
{
  const Position *p = &f->since;
  const char *path = fl_store_path (f->store);
  if (p->schema != 0 && p->schema != f->schema)
    g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                 "%s: has database version %" G_GINT64_FORMAT
                 ", the one who follows it knows %" G_GINT64_FORMAT "; use the same Firstlight at both ends",
                 path, f->schema, p->schema);
  else if (p->created != 0 && p->created != f->created)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                 "%s: is not the experiment that was followed so far; follow it into another folder", path);
  else if (p->revision > f->revision)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                 "%s: has gone back to an earlier state; follow it into another folder", path);
  else
    return TRUE;
  return FALSE;
}

/* --- records --- */

static gboolean
collect_table (Feed *f, guint index, GByteArray *bytes, GArray *found, gint64 *complete_to, GError **error)
{
  const FlFeedTable *table = f->tables->pdata[index];
  g_autofree char *columns = fl_feed_column_list (table);
  g_autofree char *sql = g_strdup_printf ("SELECT %s, revision FROM %s WHERE revision > ? ORDER BY revision",
                                          columns, table->name);
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlQuery) query = fl_db_query (f->store->db, sql, error, FL_INT (f->since.revision));
  if (query == NULL)
    return FALSE;
  gsize begin = bytes->len;
  gint64 last = 0;
  while (fl_query_next (query, &failed))
    {
      gint64 revision = fl_query_int (query, (int) table->n_columns);
      if (bytes->len - begin > f->most && revision != last)
        {
          *complete_to = MIN (*complete_to, last);
          break;
        }
      Revised row = { .revision = revision, .table = index, .offset = bytes->len };
      fl_feed_put_row (bytes, table, query);
      row.length = bytes->len - row.offset;
      g_array_append_val (found, row);
      last = revision;
    }
  if (failed == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failed));
  return FALSE;
}

static int
compare_revised (gconstpointer a, gconstpointer b)
{
  const Revised *ra = a, *rb = b;
  return ra->revision != rb->revision ? (ra->revision < rb->revision ? -1 : 1)
                                      : (ra->table > rb->table) - (ra->table < rb->table);
}

static void
put_row (Feed *f, guint table, const guint8 *bytes, gsize length)
{
  guint8 index = (guint8) table;
  f->used[table] = TRUE;
  g_byte_array_append (f->rows, &index, 1);
  if (length > 0)
    g_byte_array_append (f->rows, bytes, (guint) length);
}

/* Records in the order of their revisions, so that a name that has changed hands is free when it is taken. */
static gboolean
collect_records (Feed *f, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (Revised));
  gint64 complete_to = f->revision, done = f->since.revision;
  for (guint i = 0; i < f->tables->len; i++)
    {
      FlFeedHow how = ((const FlFeedTable *) f->tables->pdata[i])->how;
      /* A reader that begins has nothing to remove. It keeps the tombstones all the same: others read from it. */
      if ((how == FL_FEED_REVISED || how == FL_FEED_TOMBSTONES)
          && !collect_table (f, i, bytes, found, &complete_to, error))
        return FALSE;
    }
  g_array_sort (found, compare_revised);
  guint i = 0;
  for (; i < found->len; i++)
    {
      const Revised *row = &g_array_index (found, Revised, i);
      if (row->revision > complete_to || (f->rows->len > f->most && row->revision != done))
        break;
      put_row (f, row->table, bytes->data + row->offset, row->length);
      done = row->revision;
    }
  f->more = i < found->len || complete_to < f->revision;
  f->revision = f->more ? done : f->revision;
  return TRUE;
}

static gboolean
collect_whole (Feed *f, guint index, GError **error)
{
  const FlFeedTable *table = f->tables->pdata[index];
  g_autofree char *columns = fl_feed_column_list (table);
  gint64 *seen = table->how == FL_FEED_GROWS ? g_hash_table_lookup (f->since.grown, table->name) : NULL;
  g_autofree char *sql =
      table->how == FL_FEED_GROWS
          ? g_strdup_printf ("SELECT %s FROM %s WHERE id > ? ORDER BY id", columns, table->name)
          : g_strdup_printf ("SELECT %s FROM %s WHERE ? = 0", columns, table->name);
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlQuery) query = fl_db_query (f->store->db, sql, error, FL_INT (seen != NULL ? *seen : 0));
  if (query == NULL)
    return FALSE;
  f->used[index] |= table->how == FL_FEED_WHOLE; /* also when it is empty now */
  while (!f->more && fl_query_next (query, &failed))
    {
      put_row (f, index, NULL, 0);
      fl_feed_put_row (f->rows, table, query);
      f->more = table->how == FL_FEED_GROWS && f->rows->len > f->most;
    }
  if (failed == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failed));
  return FALSE;
}

static gboolean
collect_others (Feed *f, GError **error)
{
  guint64 digest = fl_feed_digest (f->store, f->tables, error);
  if (digest == 0)
    return FALSE;
  for (guint i = 0; i < f->tables->len; i++)
    {
      FlFeedHow how = ((const FlFeedTable *) f->tables->pdata[i])->how;
      if ((how == FL_FEED_GROWS || (how == FL_FEED_WHOLE && digest != f->since.digest))
          && !collect_whole (f, i, error))
        return FALSE;
    }
  return TRUE;
}

/* --- slices --- */

static guint
table_of (const Feed *f, FlFeedHow how)
{
  for (guint i = 0; i < f->tables->len; i++)
    if (((const FlFeedTable *) f->tables->pdata[i])->how == how)
      return i;
  g_assert_not_reached ();
}

static gboolean
put_slice (Feed *f, gint64 id, GError **error)
{
  static const FlFeedHow hows[] = { FL_FEED_SLICES, FL_FEED_SLICE_COLUMNS };
  for (guint i = 0; i < G_N_ELEMENTS (hows); i++)
    {
      guint index = table_of (f, hows[i]);
      const FlFeedTable *table = f->tables->pdata[index];
      g_autofree char *columns = fl_feed_column_list (table);
      g_autofree char *sql =
          g_strdup_printf ("SELECT %s FROM %s WHERE id >= ? AND id < ? ORDER BY id", columns, table->name);
      gint64 each = hows[i] == FL_FEED_SLICES ? 1 : FL_PARTS;
      g_autoptr (GError) failed = NULL;
      g_autoptr (FlQuery) query =
          fl_db_query (f->store->db, sql, error, FL_INT (id * each), FL_INT ((id + 1) * each));
      if (query == NULL)
        return FALSE;
      while (fl_query_next (query, &failed))
        {
          put_row (f, index, NULL, 0);
          fl_feed_put_row (f->rows, table, query);
        }
      if (failed != NULL)
        {
          g_propagate_error (error, g_steal_pointer (&failed));
          return FALSE;
        }
    }
  return TRUE;
}

/* Once an attempt: its shot slices before the oldest that it has now are gone. */
static gboolean
put_gone (Feed *f, gint64 attempt, GError **error)
{
  static const guint8 mark = FL_FEED_GONE, whole = 1;
  if (!g_hash_table_add (f->told, g_memdup2 (&attempt, sizeof attempt)))
    return TRUE;
  g_autofree char *sql =
      g_strdup_printf ("SELECT min(id) FROM slice WHERE attempt = ? AND kind = %d", FL_KIND_SHOT);
  g_autoptr (FlQuery) query = fl_db_query (f->store->db, sql, error, FL_INT (attempt));
  if (query == NULL || !fl_query_next (query, error))
    return FALSE;
  g_byte_array_append (f->rows, &mark, 1);
  fl_feed_put_int (f->rows, attempt);
  fl_feed_put_int (f->rows, fl_query_int (query, 0));
  f->told_at = f->rows->len;
  g_byte_array_append (f->rows, &whole, 1);
  return TRUE;
}

/* The slices that the statement names (id, stamp, attempt, compacted). Those of one stamp are a whole: a batch breaks off
 * between two stamps or, when it has grown far too large, says that more of them follows. */
static gboolean
collect_slices (Feed *f, const char *sql, gboolean advances, GError **error)
{
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlQuery) query =
      fl_db_query (f->store->db, sql, error, FL_INT (f->since.stamp), FL_INT (f->since.slice));
  gint64 last = f->since.stamp, complete = last;
  gboolean first = TRUE;
  if (query == NULL)
    return FALSE;
  while (fl_query_next (query, &failed))
    {
      gint64 id = fl_query_int (query, 0), stamp = fl_query_int (query, 1), attempt = fl_query_int (query, 2);
      gboolean begins = first || stamp != last;
      if (f->rows->len > f->most * (begins ? 1 : LARGER_GROUP))
        {
          f->more = TRUE;
          if (!begins)
            f->rows->data[f->told_at] = 0;
          complete = begins ? last : complete;
          break;
        }
      complete = begins ? last : complete;
      first = FALSE;
      last = stamp;
      if (fl_query_int (query, 3) != 0 && !put_gone (f, attempt, error))
        return FALSE;
      gboolean has_come = attempt == f->since.part_attempt && id <= f->since.part;
      if (!has_come && !put_slice (f, id, error))
        return FALSE;
    }
  if (advances)
    f->stamp = f->more ? complete : last;
  if (failed == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failed));
  return FALSE;
}

#define VISIBLE "kind < 1000"
G_STATIC_ASSERT (FL_FEED_HIDDEN == 1000);

/* What has been put in the place of slices that the reader has, by the order in which that was done; then what is new,
 * by stamp. A reader's reader goes by stamps alone: it must not see a later one before it has been given all earlier ones,
 * and of those that are put in place later it need not know (shots.h). */
static gboolean
collect_all_slices (Feed *f, GError **error)
{
  f->told = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  return collect_slices (f,
                         "SELECT id, stamp, attempt, compacted FROM slice WHERE stamp <= ? AND id > ? "
                         "AND " VISIBLE " ORDER BY id",
                         FALSE, error)
         && (f->more
             || collect_slices (f,
                                "SELECT id, stamp, attempt, compacted FROM slice WHERE stamp > ? AND ? >= 0 "
                                "AND " VISIBLE " ORDER BY stamp, id",
                                TRUE, error));
}

/* --- the batch --- */

static GBytes *
finish (Feed *f)
{
  GByteArray *out = g_byte_array_new ();
  const char *folder = fl_store_folder (f->store);
  g_byte_array_append (out, (const guint8 *) "FLB1", 4);
  fl_feed_put_int (out, f->schema);
  fl_feed_put_int (out, f->created);
  fl_feed_put_int (out, f->revision);
  fl_feed_put_int (out, f->stamp);
  fl_feed_put_text (out, folder, strlen (folder));
  fl_feed_put_int (out, f->more);
  /* All tables are numbered, those that are not in the batch have no name. */
  fl_feed_put_int (out, f->tables->len);
  for (guint i = 0; i < f->tables->len; i++)
    {
      const FlFeedTable *table = f->tables->pdata[i];
      fl_feed_put_text (out, table->name, f->used[i] ? strlen (table->name) : 0);
      if (!f->used[i])
        continue;
      fl_feed_put_int (out, table->how);
      fl_feed_put_int (out, table->n_columns);
      for (guint c = 0; c < table->n_columns; c++)
        fl_feed_put_text (out, table->columns[c], strlen (table->columns[c]));
    }
  g_byte_array_append (out, f->rows->data, f->rows->len);
  guint8 end = FL_FEED_END;
  g_byte_array_append (out, &end, 1);
  return g_byte_array_free_to_bytes (out);
}

static GBytes *
collect (Feed *f, GError **error)
{
  f->schema = fl_store_counted (f->store, "schema", error);
  f->revision = f->schema >= 0 ? fl_store_counted (f->store, "revision", error) : -1;
  f->created = f->revision >= 0 ? fl_feed_created (f->store, error) : -1;
  if (f->created < 0 || !check_position (f, error))
    return NULL;
  f->tables = fl_feed_tables (f->store, error);
  if (f->tables == NULL)
    return NULL;
  f->used = g_new0 (gboolean, f->tables->len);
  f->stamp = f->since.stamp;
  if (!collect_records (f, error) || (!f->more && !collect_others (f, error))
      || (!f->more && !collect_all_slices (f, error)))
    return NULL;
  return finish (f);
}

GBytes *
fl_feed_collect (FlStore *store, gconstpointer position, gsize length, gsize most, GError **error)
{
  g_auto (Feed) feed = { .store = store, .most = most, .rows = g_byte_array_new () };
  if (!read_position (&feed.since, position, length, error) || !fl_db_begin (store->db, FALSE, error))
    return NULL;
  GBytes *batch = collect (&feed, error);
  fl_db_rollback (store->db); /* only read */
  return batch;
}
