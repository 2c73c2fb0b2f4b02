#include "engine/store/mirror.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/store/feed-wire.h"

#define MARK    "mirror" /* a counter that only a mirror has */
#define VISIBLE "kind < 1000"
G_STATIC_ASSERT (FL_FEED_HIDDEN == 1000);

struct FlMirror
{
  FlStore *store;
  GPtrArray *tables;
  gint64 schema;
};

/* A table of a batch. */
typedef struct
{
  const FlFeedTable *table; /* of ours; NULL: not in the batch */
  char *insert;
} Incoming;

typedef struct
{
  FlMirror *mirror;
  FlFeedReader reader;
  char *folder; /* of the far store */
  gint64 created, revision, stamp;
  gint64 n_tables;
  Incoming *tables;
  gint64 hidden; /* attempt of which more follows, 0 = none */
  FlMirrorNews *news;
} Batch;

static void
batch_clear (Batch *batch)
{
  for (gint64 i = 0; batch->tables != NULL && i < batch->n_tables; i++)
    g_free (batch->tables[i].insert);
  g_free (batch->tables);
  g_free (batch->folder);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Batch, batch_clear)

/* --- making and opening --- */

/* Empty, and known as a mirror. */
static gboolean
make_empty (const char *path, GError **error)
{
  g_autoptr (FlStore) store = fl_store_open (path, FL_STORE_CREATE, error);
  g_autoptr (GPtrArray) tables = store != NULL ? fl_feed_tables (store, error) : NULL;
  if (tables == NULL || !fl_db_check_references (store->db, FALSE, error) || !fl_store_enter (store, error))
    return FALSE;
  gboolean ok = fl_db_exec (store->db, SQL (store->db, COUNTER_SET), error, FL_INT (0), FL_TEXT ("revision"))
                && fl_db_exec (store->db, SQL (store->db, COUNTER_MAKE), error, FL_TEXT (MARK), FL_INT (1));
  for (guint i = 0; i < tables->len && ok; i++)
    {
      g_autofree char *sql = g_strdup_printf ("DELETE FROM %s", ((FlFeedTable *) tables->pdata[i])->name);
      ok = fl_db_exec_values (store->db, sql, NULL, 0, error);
    }
  return fl_store_leave (store, ok, error);
}

static void
remove_with_log (const char *path)
{
  static const char *const endings[] = { "", "-wal", "-shm" };
  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    {
      g_autofree char *file = g_strconcat (path, endings[i], NULL);
      g_unlink (file);
    }
}

/* Under another name until it is whole: whoever is killed on the way leaves nothing that looks like an experiment. */
static gboolean
make_mirror (const char *folder, const char *path, GError **error)
{
  g_autofree char *new_path = g_build_filename (folder, "new-mirror.sqlite", NULL);
  remove_with_log (new_path);
  if (!make_empty (new_path, error))
    return FALSE;
  if (g_rename (new_path, path) == 0)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be made: %s", path, g_strerror (errno));
  return FALSE;
}

static gboolean
is_mirror (FlStore *store)
{
  g_autoptr (FlQuery) query = fl_db_query (store->db, SQL (store->db, COUNTER_READ), NULL, FL_TEXT (MARK));
  return query != NULL && fl_query_next (query, NULL);
}

FlMirror *
fl_mirror_open (const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, FL_STORE_FILE, NULL);
  if (g_mkdir_with_parents (folder, 0777) != 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be made: %s", folder, g_strerror (errno));
      return NULL;
    }
  if (!g_file_test (path, G_FILE_TEST_EXISTS) && !make_mirror (folder, path, error))
    return NULL;
  g_autoptr (FlMirror) mirror = g_new0 (FlMirror, 1);
  /* Brings an older mirror to this program's version too. */
  mirror->store = fl_store_open (path, FL_STORE_WRITE, error);
  if (mirror->store == NULL)
    return NULL;
  mirror->store->is_mirror = TRUE; /* the roles that come are those of the far store */
  if (!is_mirror (mirror->store))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%s: holds an experiment of its own; follow into another folder", folder);
      return NULL;
    }
  mirror->schema = fl_store_counted (mirror->store, "schema", error);
  mirror->tables = mirror->schema >= 0 ? fl_feed_tables (mirror->store, error) : NULL;
  /* Between two batches a record may name one that is still to come. */
  if (mirror->tables == NULL || !fl_db_check_references (mirror->store->db, FALSE, error))
    return NULL;
  return g_steal_pointer (&mirror);
}

void
fl_mirror_close (FlMirror *mirror)
{
  if (mirror == NULL)
    return;
  g_clear_pointer (&mirror->tables, g_ptr_array_unref);
  fl_store_close (mirror->store);
  g_free (mirror);
}

/* --- where it is --- */

static gboolean
put_number (const FlMirror *mirror, const char *sql, GByteArray *out, GError **error)
{
  gint64 number = fl_feed_number (mirror->store, sql, error);
  fl_feed_put_int (out, number);
  return number >= 0;
}

static gboolean
put_slices (const FlMirror *mirror, GByteArray *out, GError **error)
{
  static const char *const numbers[] = {
    "SELECT max(stamp) FROM slice WHERE " VISIBLE,
    "SELECT max(id) FROM slice WHERE " VISIBLE,
    "SELECT max(id) FROM slice WHERE NOT " VISIBLE,
    "SELECT attempt FROM slice WHERE NOT " VISIBLE " ORDER BY id DESC LIMIT 1",
  };
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (!put_number (mirror, numbers[i], out, error))
      return FALSE;
  return TRUE;
}

static gboolean
put_position (const FlMirror *mirror, GByteArray *out, GError **error)
{
  gint64 created = fl_feed_created (mirror->store, error), grows = 0;
  gint64 revision = created >= 0 ? fl_store_counted (mirror->store, "revision", error) : -1;
  guint64 digest = revision >= 0 ? fl_feed_digest (mirror->store, mirror->tables, error) : 0;
  if (digest == 0)
    return FALSE;
  g_byte_array_append (out, (const guint8 *) "FLP1", 4);
  fl_feed_put_int (out, mirror->schema);
  fl_feed_put_int (out, created);
  fl_feed_put_int (out, revision);
  if (!put_slices (mirror, out, error))
    return FALSE;
  fl_feed_put_int (out, (gint64) digest);
  for (guint i = 0; i < mirror->tables->len; i++)
    grows += ((const FlFeedTable *) mirror->tables->pdata[i])->how == FL_FEED_GROWS;
  fl_feed_put_int (out, grows);
  for (guint i = 0; i < mirror->tables->len; i++)
    {
      const FlFeedTable *table = mirror->tables->pdata[i];
      if (table->how != FL_FEED_GROWS)
        continue;
      g_autofree char *sql = g_strdup_printf ("SELECT max(id) FROM %s", table->name);
      fl_feed_put_text (out, table->name, strlen (table->name));
      if (!put_number (mirror, sql, out, error))
        return FALSE;
    }
  return TRUE;
}

GBytes *
fl_mirror_position (FlMirror *mirror, GError **error)
{
  GByteArray *out = g_byte_array_new ();
  gboolean ok = put_position (mirror, out, error);
  GBytes *position = g_byte_array_free_to_bytes (out);
  if (!ok)
    g_clear_pointer (&position, g_bytes_unref);
  return position;
}

/* --- a batch --- */

static gboolean
damaged (const Batch *batch, const char *what, GError **error)
{
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: changes that came over the link are damaged: %s",
               fl_store_folder (batch->mirror->store), what);
  return FALSE;
}

static const FlFeedTable *
find_table (const FlMirror *mirror, const char *name)
{
  for (guint i = 0; i < mirror->tables->len; i++)
    {
      const FlFeedTable *table = mirror->tables->pdata[i];
      if (strcmp (table->name, name) == 0)
        return table;
    }
  return NULL;
}

static char *
insert_sql (const FlFeedTable *table)
{
  g_autofree char *columns = fl_feed_column_list (table);
  GString *sql = g_string_new (NULL);
  g_string_printf (sql, "INSERT OR REPLACE INTO %s (%s) VALUES (", table->name, columns);
  for (guint i = 0; i < table->n_columns; i++)
    g_string_append (sql, i == 0 ? "?" : ", ?");
  return g_string_free (g_string_append_c (sql, ')'), FALSE);
}

/* A table must be one of ours, with the same columns: nothing that comes over the link becomes part of a statement. */
static gboolean
read_table (Batch *batch, Incoming *in, GError **error)
{
  FlFeedReader *r = &batch->reader;
  g_autofree char *name = fl_feed_take_string (r);
  if (*name == '\0')
    return r->good || damaged (batch, "tables", error);
  const FlFeedTable *table = find_table (batch->mirror, name);
  gint64 how = fl_feed_take_int (r), n = fl_feed_take_int (r);
  gboolean same = table != NULL && how == (gint64) table->how && n == (gint64) table->n_columns;
  for (guint i = 0; same && i < table->n_columns; i++)
    {
      g_autofree char *column = fl_feed_take_string (r);
      same = strcmp (column, table->columns[i]) == 0;
    }
  if (!same || !r->good)
    return damaged (batch, "a table that is not known here", error);
  in->table = table;
  in->insert = insert_sql (table);
  return TRUE;
}

static gboolean
read_head (Batch *batch, GError **error)
{
  FlFeedReader *r = &batch->reader;
  if (r->end - r->at < 4 || memcmp (r->at, "FLB1", 4) != 0)
    return damaged (batch, "their beginning", error);
  r->at += 4;
  gint64 schema = fl_feed_take_int (r);
  batch->created = fl_feed_take_int (r);
  batch->revision = fl_feed_take_int (r);
  batch->stamp = fl_feed_take_int (r);
  batch->folder = fl_feed_take_string (r);
  batch->news->more = fl_feed_take_int (r) != 0;
  gint64 n = fl_feed_take_int (r);
  if (!r->good || n < 0 || n >= FL_FEED_GONE || !g_path_is_absolute (batch->folder))
    return damaged (batch, "their beginning", error);
  if (schema != batch->mirror->schema)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                   "%s: the experiment there has database version %" G_GINT64_FORMAT
                   ", here it is %" G_GINT64_FORMAT "; use the same Firstlight at both ends",
                   batch->folder, schema, batch->mirror->schema);
      return FALSE;
    }
  batch->n_tables = n;
  batch->tables = g_new0 (Incoming, n);
  for (gint64 i = 0; i < n; i++)
    if (!read_table (batch, &batch->tables[i], error))
      return FALSE;
  return TRUE;
}

/* Relative roots are relative to the far store's folder. */
static char *
far_path (const Batch *batch, char *path)
{
  char *absolute =
      g_path_is_absolute (path) ? g_strdup (path) : g_canonicalize_filename (path, batch->folder);
  g_free (path);
  return absolute;
}

static void
read_values (Batch *batch, const FlFeedTable *table, FlValue *values, char **texts)
{
  FlFeedReader *r = &batch->reader;
  gboolean is_root = strcmp (table->name, fl_table_name (FL_TABLE_ROOT)) == 0;
  for (guint i = 0; i < table->n_columns; i++)
    {
      guint64 bits = 0;
      double real;
      gsize length;
      gconstpointer bytes;
      switch (table->types[i])
        {
        case FL_FEED_INT:
          values[i] = FL_INT (fl_feed_take_int (r));
          break;
        case FL_FEED_REAL:
          for (guint k = 0; k < sizeof bits; k++)
            bits |= (guint64) fl_feed_take_byte (r) << (8 * k);
          memcpy (&real, &bits, sizeof real);
          values[i] = FL_REAL (real);
          break;
        case FL_FEED_TEXT:
          texts[i] = fl_feed_take_string (r);
          if (is_root && strcmp (table->columns[i], "path") == 0)
            texts[i] = far_path (batch, texts[i]);
          values[i] = FL_TEXT (texts[i]);
          break;
        case FL_FEED_BLOB:
          bytes = fl_feed_take_text (r, &length);
          values[i] = FL_BLOB (bytes, length);
          break;
        }
    }
}

/* A tombstone: revision, table, record. */
static gboolean
bury (const Batch *batch, const FlValue *values, GError **error)
{
  gint64 table = values[1].integer;
  if (table < 0 || table >= FL_TABLE_LAST)
    return damaged (batch, "a removal", error);
  g_autofree char *sql = g_strdup_printf ("DELETE FROM %s WHERE id = ?", fl_table_name ((FlTable) table));
  return fl_db_exec (batch->mirror->store->db, sql, error, values[2]);
}

static FlValue *
value_of (const FlFeedTable *table, FlValue *values, const char *column)
{
  guint i = 0;
  while (strcmp (table->columns[i], column) != 0)
    i++;
  return &values[i];
}

/* A slice of the attempt that has not come whole. */
static void
hide (const Batch *batch, const FlFeedTable *table, FlValue *values)
{
  if (value_of (table, values, "attempt")->integer == batch->hidden)
    value_of (table, values, "kind")->integer += FL_FEED_HIDDEN;
}

static gboolean
take_row (Batch *batch, const Incoming *in, GError **error)
{
  const FlFeedTable *table = in->table;
  g_autofree FlValue *values = g_new0 (FlValue, table->n_columns);
  g_autofree char **texts = g_new0 (char *, table->n_columns);
  read_values (batch, table, values, texts);
  if (table->how == FL_FEED_SLICES && batch->hidden != 0)
    hide (batch, table, values);
  gboolean ok = batch->reader.good || damaged (batch, "a row", error);
  ok = ok && fl_db_exec_values (batch->mirror->store->db, in->insert, values, table->n_columns, error)
       && (table->how != FL_FEED_TOMBSTONES || bury (batch, values, error));
  for (guint i = 0; i < table->n_columns; i++)
    g_free (texts[i]);
  if (table->how == FL_FEED_SLICES)
    batch->news->slices++;
  else if (table->how != FL_FEED_SLICE_COLUMNS && table->how != FL_FEED_WHOLE)
    batch->news->records++;
  return ok;
}

static gboolean
remove_slices (FlDb *db, const GArray *ids, GError **error)
{
  for (guint i = 0; i < ids->len; i++)
    {
      gint64 id = g_array_index (ids, gint64, i);
      if (!fl_db_exec (db, SQL (db, COLUMNS_REMOVE), error, FL_INT (id * FL_PARTS),
                       FL_INT ((id + 1) * FL_PARTS))
          || !fl_db_exec (db, SQL (db, SLICE_REMOVE), error, FL_INT (id)))
        return FALSE;
    }
  return TRUE;
}

/* Shot slices of the attempt older than `first` go, with their columns; when what takes their place is not whole yet,
 * only those that had been hidden for another whole. */
static gboolean
take_gone (Batch *batch, GError **error)
{
  FlDb *db = batch->mirror->store->db;
  gint64 attempt = fl_feed_take_int (&batch->reader), first = fl_feed_take_int (&batch->reader);
  gboolean whole = fl_feed_take_byte (&batch->reader) == 1;
  g_autoptr (GArray) old = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GError) failed = NULL;
  if (!batch->reader.good)
    return damaged (batch, "slices that are gone", error);
  FlQuery *query = fl_db_query (
      db, "SELECT id FROM slice WHERE attempt = ? AND id < ? AND (kind = ? OR (kind = ? AND ? = 1))", error,
      FL_INT (attempt), FL_INT (first), FL_INT (FL_KIND_SHOT + FL_FEED_HIDDEN), FL_INT (FL_KIND_SHOT),
      FL_INT (whole));
  while (query != NULL && fl_query_next (query, &failed))
    {
      gint64 id = fl_query_int (query, 0);
      g_array_append_val (old, id);
    }
  fl_query_done (query);
  if (failed != NULL)
    g_propagate_error (error, g_steal_pointer (&failed));
  else if (query != NULL && remove_slices (db, old, error))
    {
      batch->hidden = whole ? 0 : attempt;
      return !whole
             || fl_db_exec (db, "UPDATE slice SET kind = kind - ? WHERE attempt = ? AND NOT " VISIBLE, error,
                            FL_INT (FL_FEED_HIDDEN), FL_INT (attempt));
    }
  return FALSE;
}

static gboolean
take_rows (Batch *batch, GError **error)
{
  FlDb *db = batch->mirror->store->db;
  for (gint64 i = 0; i < batch->n_tables; i++)
    {
      const FlFeedTable *table = batch->tables[i].table;
      if (table == NULL || table->how != FL_FEED_WHOLE)
        continue;
      g_autofree char *sql = g_strdup_printf ("DELETE FROM %s", table->name);
      if (!fl_db_exec_values (db, sql, NULL, 0, error))
        return FALSE;
    }
  for (guint index; (index = fl_feed_take_byte (&batch->reader)) != FL_FEED_END;)
    {
      gboolean ok;
      if (index == FL_FEED_GONE)
        ok = take_gone (batch, error);
      else if (index < batch->n_tables && batch->tables[index].table != NULL)
        ok = take_row (batch, &batch->tables[index], error);
      else
        ok = damaged (batch, "a row of no table", error);
      if (!ok)
        return FALSE;
    }
  if (!batch->reader.good || batch->reader.at != batch->reader.end)
    return damaged (batch, "their end", error);
  return fl_db_exec (db, SQL (db, COUNTER_SET), error, FL_INT (batch->revision), FL_TEXT ("revision"))
         && fl_db_exec (db, SQL (db, COUNTER_SET), error, FL_INT (batch->stamp), FL_TEXT ("stamp"));
}

/* A batch that is older than what is here would take the mirror back. */
static gboolean
is_older (const Batch *batch, GError **error)
{
  gint64 here = fl_store_counted (batch->mirror->store, "revision", error);
  return here > batch->revision;
}

static gboolean
apply (Batch *batch, GError **error)
{
  g_autoptr (GError) failed = NULL;
  gint64 created = fl_feed_created (batch->mirror->store, &failed);
  if (failed == NULL && created != 0 && created != batch->created)
    return damaged (batch, "they are of another experiment", error);
  if (failed == NULL && is_older (batch, &failed))
    return TRUE;
  if (failed == NULL)
    return take_rows (batch, error);
  g_propagate_error (error, g_steal_pointer (&failed));
  return FALSE;
}

gboolean
fl_mirror_apply (FlMirror *mirror, GBytes *bytes, FlMirrorNews *news, GError **error)
{
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  *news = (FlMirrorNews){ 0 };
  g_auto (Batch)
      batch = { .mirror = mirror, .reader = { data, length > 0 ? data + length : data, TRUE }, .news = news };
  return read_head (&batch, error) && fl_store_enter (mirror->store, error)
         && fl_store_leave (mirror->store, apply (&batch, error), error);
}
