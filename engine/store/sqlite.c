#include "engine/store/db.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"

#define APPLICATION_ID 0x464c3031 /* "FL01", for file(1) */
#define BUSY_MS        60000
#define OPEN_TRIES     200

struct FlDb
{
  sqlite3 *handle;
  char *path;
  GHashTable *queries; /* statement's text -> FlQuery */
};

struct FlQuery
{
  FlDb *db;
  sqlite3_stmt *statement;
  gboolean open;
};

/* The words of the schema that differ between drivers. */
static const char *const words[][2] = {
  { "{id}", "INTEGER PRIMARY KEY AUTOINCREMENT" },
  { "{int}", "INTEGER" },
  { "{text}", "TEXT" },
  { "{name}", "TEXT" },
  { "{real}", "REAL" },
  { "{blob}", "BLOB" },
  { "{keyed}", "WITHOUT ROWID" },
};

static gboolean
fail (FlDb *db, int code, GError **error)
{
  const char *why = sqlite3_errmsg (db->handle);
  switch (code & 0xff)
    {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      g_set_error (error, FL_ERROR, FL_ERROR_BUSY,
                   "%s: another program holds the database; try again (%s, %d)", db->path, why,
                   sqlite3_extended_errcode (db->handle));
      break;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: is damaged or not a database of Firstlight (%s)",
                   db->path, why);
      break;
    case SQLITE_READONLY:
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: cannot be written (%s)", db->path, why);
      break;
    case SQLITE_CONSTRAINT:
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: not allowed: %s", db->path, why);
      break;
    case SQLITE_CANTOPEN:
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: cannot be opened (%s)", db->path, why);
      break;
    default:
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: %s", db->path, why);
    }
  return FALSE;
}

static gboolean
run_text (FlDb *db, const char *sql, GError **error)
{
  int code = sqlite3_exec (db->handle, sql, NULL, NULL, NULL);
  return code == SQLITE_OK || fail (db, code, error);
}

/* While a database is opened or closed elsewhere, or mended after a kill, SQLite can answer "busy" without waiting. */
static gboolean
run_patiently (FlDb *db, const char *sql, GError **error)
{
  int code = SQLITE_BUSY;
  for (guint tries = 0; tries < OPEN_TRIES && (code & 0xff) == SQLITE_BUSY; tries++)
    {
      if (tries > 0)
        g_usleep (20000);
      code = sqlite3_exec (db->handle, sql, NULL, NULL, NULL);
    }
  return code == SQLITE_OK || fail (db, code, error);
}

static gboolean
open_handle (FlDb *db, const char *uri, int flags, GError **error)
{
  int code = sqlite3_open_v2 (uri, &db->handle, flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
  if (code != SQLITE_OK)
    return fail (db, code, error);
  sqlite3_busy_timeout (db->handle, BUSY_MS);
  /* The first statement that reads finds out whether this is a database at all. */
  return run_patiently (db, "SELECT count(*) FROM sqlite_master", error);
}

static char *
make_uri (const char *path, const char *query)
{
  g_autofree char *escaped = g_uri_escape_string (path, "/", TRUE);
  return g_strconcat ("file:", escaped, query, NULL);
}

/* A copy in a read-only folder: SQLite cannot make its shared-memory file there, but is told that nobody writes. */
static gboolean
open_immutable (FlDb *db, GError **error)
{
  g_autofree char *wal = g_strconcat (db->path, "-wal", NULL);
  g_autofree char *bytes = NULL;
  gsize length = 0;
  if (g_file_get_contents (wal, &bytes, &length, NULL) && length > 0)
    {
      g_set_error (
          error, FL_ERROR, FL_ERROR_INPUT,
          "%s: was copied while it was in use, and its -wal cannot be brought in from a read-only folder; "
          "make the folder writable once, or copy again",
          db->path);
      return FALSE;
    }
  sqlite3_close_v2 (db->handle);
  g_autofree char *uri = make_uri (db->path, "?immutable=1");
  return open_handle (db, uri, SQLITE_OPEN_READONLY, error);
}

FlDb *
fl_db_open (const char *path, FlDbMode mode, GError **error)
{
  g_autoptr (FlDb) db = g_new0 (FlDb, 1);
  db->path = g_strdup (path);
  db->queries = g_hash_table_new (g_str_hash, g_str_equal);
  g_autofree char *uri = make_uri (path, "");
  if (mode == FL_DB_READ)
    {
      g_autoptr (GError) first = NULL;
      if (open_handle (db, uri, SQLITE_OPEN_READONLY, &first))
        return g_steal_pointer (&db);
      int code = db->handle != NULL ? sqlite3_errcode (db->handle) : SQLITE_NOMEM;
      if (((code == SQLITE_CANTOPEN || code == SQLITE_READONLY) && g_file_test (path, G_FILE_TEST_EXISTS)))
        return open_immutable (db, error) ? g_steal_pointer (&db) : NULL;
      g_propagate_error (error, g_steal_pointer (&first));
      return NULL;
    }
  int flags = SQLITE_OPEN_READWRITE | (mode == FL_DB_CREATE ? SQLITE_OPEN_CREATE : 0);
  g_autofree char *set_up =
      g_strdup_printf ("PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                       "PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 67108864;"
                       "PRAGMA application_id = %d",
                       APPLICATION_ID);
  if (!open_handle (db, uri, flags, error))
    return NULL;
  if (sqlite3_db_readonly (db->handle, "main") == 1)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: cannot be written; open it read-only", path);
      return NULL;
    }
  if (!run_patiently (db, set_up, error))
    return NULL;
  return g_steal_pointer (&db);
}

void
fl_db_close (FlDb *db)
{
  if (db == NULL)
    return;
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, db->queries);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      sqlite3_finalize (((FlQuery *) value)->statement);
      g_free (value);
    }
  g_hash_table_unref (db->queries);
  sqlite3_close_v2 (db->handle);
  g_free (db->path);
  g_free (db);
}

static gboolean
has_column (FlDb *db, const char *table, const char *column)
{
  return sqlite3_table_column_metadata (db->handle, NULL, table, column, NULL, NULL, NULL, NULL, NULL)
         == SQLITE_OK;
}

/* SQLite cannot say "add this column if it is not there": such a line is left out where it is, and {new} where not. */
static GString *
without_old_columns (FlDb *db, const char *script)
{
  g_auto (GStrv) lines = g_strsplit (script, "\n", -1);
  GString *text = g_string_new (NULL);
  for (char **line = lines; *line != NULL; line++)
    {
      char table[64], column[64];
      if (sscanf (*line, "ALTER TABLE %63s ADD COLUMN {new} %63s", table, column) != 2
          || !has_column (db, table, column))
        g_string_append_printf (text, "%s\n", *line);
    }
  g_string_replace (text, "{new} ", "", 0);
  return text;
}

gboolean
fl_db_script (FlDb *db, const char *script, GError **error)
{
  g_autoptr (GString) text = without_old_columns (db, script);
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    g_string_replace (text, words[i][0], words[i][1], 0);
  return run_text (db, text->str, error);
}

gboolean
fl_db_begin (FlDb *db, gboolean write, GError **error)
{
  return run_text (db, write ? "BEGIN IMMEDIATE" : "BEGIN", error);
}

gboolean
fl_db_commit (FlDb *db, GError **error)
{
  if (run_text (db, "COMMIT", error))
    return TRUE;
  fl_db_rollback (db);
  return FALSE;
}

void
fl_db_rollback (FlDb *db)
{
  if (!sqlite3_get_autocommit (db->handle))
    sqlite3_exec (db->handle, "ROLLBACK", NULL, NULL, NULL);
}

static FlQuery *
prepare (FlDb *db, const char *sql, GError **error)
{
  FlQuery *query = g_hash_table_lookup (db->queries, sql);
  if (query != NULL)
    return query;
  sqlite3_stmt *statement;
  int code = sqlite3_prepare_v3 (db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
  if (code != SQLITE_OK)
    {
      fail (db, code, error);
      return NULL;
    }
  query = g_new0 (FlQuery, 1);
  query->db = db;
  query->statement = statement;
  g_hash_table_insert (db->queries, (gpointer) sqlite3_sql (statement), query);
  return query;
}

FlQuery *
fl_db_query_values (FlDb *db, const char *sql, const FlValue *values, guint n, GError **error)
{
  FlQuery *query = prepare (db, sql, error);
  if (query == NULL)
    return NULL;
  g_return_val_if_fail (!query->open, NULL);
  for (guint i = 0; i < n; i++)
    {
      const FlValue *value = &values[i];
      int at = (int) i + 1;
      switch (value->type)
        {
        case FL_VALUE_INT:
          sqlite3_bind_int64 (query->statement, at, value->integer);
          break;
        case FL_VALUE_REAL:
          sqlite3_bind_double (query->statement, at, value->real);
          break;
        case FL_VALUE_TEXT:
          sqlite3_bind_text (query->statement, at, value->data != NULL ? value->data : "", -1, SQLITE_STATIC);
          break;
        case FL_VALUE_BLOB:
          sqlite3_bind_blob64 (query->statement, at, value->length > 0 ? value->data : "", value->length,
                               SQLITE_STATIC);
          break;
        }
    }
  query->open = TRUE;
  return query;
}

gboolean
fl_query_next (FlQuery *query, GError **error)
{
  int code = sqlite3_step (query->statement);
  if (code == SQLITE_ROW)
    return TRUE;
  if (code != SQLITE_DONE)
    fail (query->db, code, error);
  return FALSE;
}

void
fl_query_done (FlQuery *query)
{
  if (query == NULL)
    return;
  sqlite3_reset (query->statement);
  sqlite3_clear_bindings (query->statement);
  query->open = FALSE;
}

gboolean
fl_db_exec_values (FlDb *db, const char *sql, const FlValue *values, guint n, GError **error)
{
  g_autoptr (FlQuery) query = fl_db_query_values (db, sql, values, n, error);
  if (query == NULL)
    return FALSE;
  int code = sqlite3_step (query->statement);
  return code == SQLITE_DONE || code == SQLITE_ROW || fail (db, code, error);
}

gint64
fl_query_int (FlQuery *query, int column)
{
  return sqlite3_column_int64 (query->statement, column);
}

double
fl_query_real (FlQuery *query, int column)
{
  return sqlite3_column_double (query->statement, column);
}

char *
fl_query_text (FlQuery *query, int column)
{
  const char *text = (const char *) sqlite3_column_text (query->statement, column);
  return g_strdup (text != NULL ? text : "");
}

gconstpointer
fl_query_blob (FlQuery *query, int column, gsize *length)
{
  gconstpointer data = sqlite3_column_blob (query->statement, column);
  *length = (gsize) sqlite3_column_bytes (query->statement, column);
  return data;
}

gint64
fl_db_last_id (FlDb *db)
{
  return sqlite3_last_insert_rowid (db->handle);
}

guint
fl_db_changed_rows (FlDb *db)
{
  return (guint) sqlite3_changes (db->handle);
}

guint
fl_db_pulse (FlDb *db)
{
  g_autoptr (FlQuery) query = fl_db_query_values (db, "PRAGMA data_version", NULL, 0, NULL);
  return query != NULL && fl_query_next (query, NULL) ? (guint) fl_query_int (query, 0) : 0;
}

gboolean
fl_db_has_table (FlDb *db, const char *table, gboolean *has, GError **error)
{
  g_autoptr (FlQuery) query = fl_db_query (
      db, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", error, FL_TEXT (table));
  g_autoptr (GError) failed = NULL;
  if (query == NULL)
    return FALSE;
  *has = fl_query_next (query, &failed);
  if (failed == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failed));
  return FALSE;
}
