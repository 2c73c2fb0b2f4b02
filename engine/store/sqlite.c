#include "engine/store/db-driver.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"

#define APPLICATION_ID 0x464c3031 /* "FL01", for file(1) */
#define BUSY_MS        60000
#define OPEN_TRIES     200

typedef struct
{
  FlDb base;
  sqlite3 *handle;
  char *path;
  GHashTable *queries; /* statement's text -> Query */
} Sqlite;

typedef struct
{
  FlQuery base;
  sqlite3_stmt *statement;
  gboolean open;
} Query;

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

static FlDbBroken
which_rule (int code)
{
  return code == SQLITE_CONSTRAINT_FOREIGNKEY                                       ? FL_DB_BROKE_REFERENCE
         : code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ? FL_DB_BROKE_UNIQUE
                                                                                    : FL_DB_BROKE_NONE;
}

static gboolean
fail (Sqlite *db, int code, GError **error)
{
  const char *why = sqlite3_errmsg (db->handle);
  db->base.broken = FL_DB_BROKE_NONE;
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
      db->base.broken = which_rule (sqlite3_extended_errcode (db->handle));
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
run_text (Sqlite *db, const char *sql, GError **error)
{
  int code = sqlite3_exec (db->handle, sql, NULL, NULL, NULL);
  return code == SQLITE_OK || fail (db, code, error);
}

/* While a database is opened or closed elsewhere, or mended after a kill, SQLite can answer "busy" without waiting. */
static gboolean
run_patiently (Sqlite *db, const char *sql, GError **error)
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
open_handle (Sqlite *db, const char *uri, int flags, GError **error)
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
open_immutable (Sqlite *db, GError **error)
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

static void
sqlite_close (FlDb *base)
{
  Sqlite *db = (Sqlite *) base;
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, db->queries);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      sqlite3_finalize (((Query *) value)->statement);
      g_free (value);
    }
  g_hash_table_unref (db->queries);
  sqlite3_close_v2 (db->handle);
  g_free (db->path);
  g_free (db);
}

static gboolean
open_file (Sqlite *db, FlDbMode mode, GError **error)
{
  g_autofree char *uri = make_uri (db->path, "");
  if (mode == FL_DB_READ)
    {
      g_autoptr (GError) first = NULL;
      if (open_handle (db, uri, SQLITE_OPEN_READONLY, &first))
        return TRUE;
      int code = db->handle != NULL ? sqlite3_errcode (db->handle) : SQLITE_NOMEM;
      if (((code == SQLITE_CANTOPEN || code == SQLITE_READONLY)
           && g_file_test (db->path, G_FILE_TEST_EXISTS)))
        return open_immutable (db, error);
      g_propagate_error (error, g_steal_pointer (&first));
      return FALSE;
    }
  int flags = SQLITE_OPEN_READWRITE | (mode == FL_DB_CREATE ? SQLITE_OPEN_CREATE : 0);
  g_autofree char *set_up =
      g_strdup_printf ("PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                       "PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 67108864;"
                       "PRAGMA application_id = %d",
                       APPLICATION_ID);
  if (!open_handle (db, uri, flags, error))
    return FALSE;
  if (sqlite3_db_readonly (db->handle, "main") == 1)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: cannot be written; open it read-only", db->path);
      return FALSE;
    }
  return run_patiently (db, set_up, error);
}

static FlDb *
sqlite_open (const FlDatabase *where, FlDbMode mode, GError **error)
{
  Sqlite *db = g_new0 (Sqlite, 1);
  db->base.driver = &fl_sqlite_driver;
  db->path = g_strdup (where->path);
  db->queries = g_hash_table_new (g_str_hash, g_str_equal);
  if (open_file (db, mode, error))
    return &db->base;
  sqlite_close (&db->base);
  return NULL;
}

static gboolean
has_column (Sqlite *db, const char *table, const char *column)
{
  return sqlite3_table_column_metadata (db->handle, NULL, table, column, NULL, NULL, NULL, NULL, NULL)
         == SQLITE_OK;
}

/* SQLite cannot say "add this column if it is not there": such a line is left out where it is, and {new} where not. */
static GString *
without_old_columns (Sqlite *db, const char *script)
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

static gboolean
sqlite_script (FlDb *base, const char *script, GError **error)
{
  Sqlite *db = (Sqlite *) base;
  g_autoptr (GString) text = without_old_columns (db, script);
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    g_string_replace (text, words[i][0], words[i][1], 0);
  return run_text (db, text->str, error);
}

/* --- transactions --- */

static gboolean
sqlite_begin (FlDb *base, gboolean write, GError **error)
{
  return run_text ((Sqlite *) base, write ? "BEGIN IMMEDIATE" : "BEGIN", error);
}

static gboolean
sqlite_begin_schema (FlDb *base, GError **error)
{
  return sqlite_begin (base, TRUE, error);
}

static void
sqlite_rollback (FlDb *base)
{
  Sqlite *db = (Sqlite *) base;
  if (!sqlite3_get_autocommit (db->handle))
    sqlite3_exec (db->handle, "ROLLBACK", NULL, NULL, NULL);
}

static gboolean
sqlite_commit (FlDb *base, GError **error)
{
  if (run_text ((Sqlite *) base, "COMMIT", error))
    return TRUE;
  sqlite_rollback (base);
  return FALSE;
}

/* --- statements --- */

static Query *
prepare (Sqlite *db, const char *sql, GError **error)
{
  Query *query = g_hash_table_lookup (db->queries, sql);
  if (query != NULL)
    return query;
  sqlite3_stmt *statement;
  int code = sqlite3_prepare_v3 (db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
  if (code != SQLITE_OK)
    {
      fail (db, code, error);
      return NULL;
    }
  query = g_new0 (Query, 1);
  query->base.db = &db->base;
  query->statement = statement;
  g_hash_table_insert (db->queries, (gpointer) sqlite3_sql (statement), query);
  return query;
}

static void
bind (sqlite3_stmt *statement, const FlValue *values, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      const FlValue *value = &values[i];
      int at = (int) i + 1;
      switch (value->type)
        {
        case FL_VALUE_INT:
          sqlite3_bind_int64 (statement, at, value->integer);
          break;
        case FL_VALUE_REAL:
          sqlite3_bind_double (statement, at, value->real);
          break;
        case FL_VALUE_TEXT:
          sqlite3_bind_text (statement, at, value->data != NULL ? value->data : "", -1, SQLITE_STATIC);
          break;
        case FL_VALUE_BLOB:
          sqlite3_bind_blob64 (statement, at, value->length > 0 ? value->data : "", value->length,
                               SQLITE_STATIC);
          break;
        }
    }
}

static FlQuery *
sqlite_query (FlDb *base, const char *sql, const FlValue *values, guint n, GError **error)
{
  Query *query = prepare ((Sqlite *) base, sql, error);
  if (query == NULL)
    return NULL;
  g_return_val_if_fail (!query->open, NULL);
  bind (query->statement, values, n);
  query->open = TRUE;
  return &query->base;
}

static gboolean
sqlite_next (FlQuery *base, GError **error)
{
  int code = sqlite3_step (((Query *) base)->statement);
  if (code == SQLITE_ROW)
    return TRUE;
  if (code != SQLITE_DONE)
    fail ((Sqlite *) base->db, code, error);
  return FALSE;
}

static void
sqlite_done (FlQuery *base)
{
  Query *query = (Query *) base;
  sqlite3_reset (query->statement);
  sqlite3_clear_bindings (query->statement);
  query->open = FALSE;
}

static gboolean
sqlite_exec_rows (FlDb *base, const char *sql, const FlValue *values, guint rows, guint columns,
                  GError **error)
{
  for (guint row = 0; row < rows; row++)
    {
      const FlValue *these = columns > 0 ? values + (gsize) row * columns : NULL;
      g_autoptr (FlQuery) query = sqlite_query (base, sql, these, columns, error);
      if (query == NULL)
        return FALSE;
      int code = sqlite3_step (((Query *) query)->statement);
      if (code != SQLITE_DONE && code != SQLITE_ROW)
        return fail ((Sqlite *) base, code, error);
    }
  return TRUE;
}

static gboolean
sqlite_exec (FlDb *base, const char *sql, const FlValue *values, guint n, GError **error)
{
  return sqlite_exec_rows (base, sql, values, 1, n, error);
}

static gint64
sqlite_int (FlQuery *query, int column)
{
  return sqlite3_column_int64 (((Query *) query)->statement, column);
}

static double
sqlite_real (FlQuery *query, int column)
{
  return sqlite3_column_double (((Query *) query)->statement, column);
}

static gconstpointer
sqlite_bytes (FlQuery *query, int column, gsize *length)
{
  gconstpointer data = sqlite3_column_blob (((Query *) query)->statement, column);
  *length = (gsize) sqlite3_column_bytes (((Query *) query)->statement, column);
  return data;
}

static gint64
sqlite_last_id (FlDb *base)
{
  return sqlite3_last_insert_rowid (((Sqlite *) base)->handle);
}

static guint
sqlite_changed_rows (FlDb *base)
{
  return (guint) sqlite3_changes (((Sqlite *) base)->handle);
}

/* --- what it is --- */

static guint
sqlite_pulse (FlDb *base)
{
  g_autoptr (FlQuery) query = sqlite_query (base, "PRAGMA data_version", NULL, 0, NULL);
  return query != NULL && sqlite_next (query, NULL) ? (guint) sqlite_int (query, 0) : 0;
}

static gboolean
sqlite_now (FlDb *base G_GNUC_UNUSED, gint64 *ns, GError **error G_GNUC_UNUSED)
{
  *ns = (gint64) fl_now_ns ();
  return TRUE;
}

static char *
sqlite_account (FlDb *base G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  return g_strdup (g_get_user_name ());
}

static GPtrArray *
sqlite_tables (FlDb *base, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlQuery) query = sqlite_query (base,
                                            "SELECT name FROM sqlite_master WHERE type = 'table' AND name "
                                            "NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
                                            NULL, 0, error);
  if (query == NULL)
    return NULL;
  while (sqlite_next (query, &failed))
    g_ptr_array_add (names, fl_query_text (query, 0));
  if (failed == NULL)
    return g_steal_pointer (&names);
  g_propagate_error (error, g_steal_pointer (&failed));
  return NULL;
}

static int
type_of (const char *declared)
{
  return strstr (declared, "INT") != NULL    ? FL_VALUE_INT
         : strstr (declared, "REAL") != NULL ? FL_VALUE_REAL
         : strstr (declared, "BLOB") != NULL ? FL_VALUE_BLOB
                                             : FL_VALUE_TEXT;
}

static GArray *
sqlite_columns (FlDb *base, const char *table, GError **error)
{
  g_autoptr (GArray) columns = fl_db_columns_new ();
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlQuery) query =
      fl_db_query (base, "SELECT name, type FROM pragma_table_info (?)", error, FL_TEXT (table));
  if (query == NULL)
    return NULL;
  while (sqlite_next (query, &failed))
    {
      g_autofree char *declared = fl_query_text (query, 1);
      FlDbColumn column = { .name = fl_query_text (query, 0), .type = type_of (declared) };
      g_array_append_val (columns, column);
    }
  if (failed == NULL)
    return g_steal_pointer (&columns);
  g_propagate_error (error, g_steal_pointer (&failed));
  return NULL;
}

static gboolean
sqlite_check_references (FlDb *base, gboolean check, GError **error)
{
  return run_text ((Sqlite *) base, check ? "PRAGMA foreign_keys = ON" : "PRAGMA foreign_keys = OFF", error);
}

const FlDriver fl_sqlite_driver = {
  .statements = fl_sqlite_statements,
  .open = sqlite_open,
  .close = sqlite_close,
  .script = sqlite_script,
  .begin = sqlite_begin,
  .begin_schema = sqlite_begin_schema,
  .commit = sqlite_commit,
  .rollback = sqlite_rollback,
  .query = sqlite_query,
  .exec = sqlite_exec,
  .exec_rows = sqlite_exec_rows,
  .next = sqlite_next,
  .get_int = sqlite_int,
  .get_real = sqlite_real,
  .get_bytes = sqlite_bytes,
  .done = sqlite_done,
  .last_id = sqlite_last_id,
  .changed_rows = sqlite_changed_rows,
  .pulse = sqlite_pulse,
  .now = sqlite_now,
  .tables = sqlite_tables,
  .columns = sqlite_columns,
  .check_references = sqlite_check_references,
  .account = sqlite_account,
};
