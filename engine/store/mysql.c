/* The driver of MySQL and MariaDB: handles, transactions, what the server says of itself. */
#include <string.h>

#include "engine/base/error.h"
#include "engine/store/mysql-private.h"

#define WRITER_TRIES 3 /* of innodb_lock_wait_timeout = 20 s */

static void
driver_close (FlDb *base)
{
  FlMysql *db = (FlMysql *) base;
  g_hash_table_unref (db->statements);
  if (db->handle != NULL)
    mysql_close (db->handle);
  fl_database_free (db->where);
  g_free (db);
}

static FlDb *
driver_open (const FlDatabase *where, FlDbMode mode, GError **error)
{
  static gsize once;
  if (g_once_init_enter (&once))
    {
      mysql_library_init (0, NULL, NULL);
      g_once_init_leave (&once, 1);
    }
  FlMysql *db = g_new0 (FlMysql, 1);
  db->base.driver = &fl_mysql_driver;
  db->where = fl_database_copy (where);
  db->mode = mode;
  db->statements = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, fl_mysql_statement_free);
  if (fl_mysql_ready (db, error))
    return &db->base;
  driver_close (&db->base);
  return NULL;
}

/* --- transactions --- */

static void
end (FlMysql *db)
{
  db->transaction = db->gone = FALSE;
  if (db->schema)
    fl_mysql_drop (db); /* the server's lock goes with the connection */
  db->schema = FALSE;
}

static void
driver_rollback (FlDb *base)
{
  FlMysql *db = (FlMysql *) base;
  if (!db->transaction)
    return;
  if (db->handle != NULL && mysql_real_query (db->handle, "ROLLBACK", strlen ("ROLLBACK")) != 0)
    fl_mysql_drop (db);
  end (db);
}

static gboolean
driver_commit (FlDb *base, GError **error)
{
  FlMysql *db = (FlMysql *) base;
  if (fl_mysql_run (db, "COMMIT", error))
    {
      end (db);
      return TRUE;
    }
  driver_rollback (base);
  return FALSE;
}

/* All writers of a database wait for each other at one row. It is read for update before anything else is read, so that the
 * snapshot of the transaction is taken when it is our turn. */
static gboolean
wait_for_turn (FlMysql *db, GError **error)
{
  for (guint tries = 1;; tries++)
    {
      g_autoptr (GError) failed = NULL;
      FlQuery *query = fl_mysql_query (
          &db->base, "SELECT value FROM counter WHERE name = 'revision' FOR UPDATE", NULL, 0, &failed);
      if (query != NULL)
        {
          fl_mysql_done (query);
          return TRUE;
        }
      if (tries == WRITER_TRIES || db->gone || !g_error_matches (failed, FL_ERROR, FL_ERROR_BUSY))
        {
          g_propagate_error (error, g_steal_pointer (&failed));
          return FALSE;
        }
    }
}

static gboolean
begin_once (FlMysql *db, gboolean write, GError **error)
{
  if (!fl_mysql_run (
          db, write ? "START TRANSACTION" : "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", error))
    return FALSE;
  db->transaction = TRUE;
  if (!write || wait_for_turn (db, error))
    return TRUE;
  driver_rollback (&db->base);
  return FALSE;
}

static gboolean
driver_begin (FlDb *base, gboolean write, GError **error)
{
  FlMysql *db = (FlMysql *) base;
  g_autoptr (GError) failed = NULL;
  if (begin_once (db, write, &failed)
      || (fl_mysql_may_repeat (db, failed) && begin_once (db, write, (g_clear_error (&failed), &failed))))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failed));
  return FALSE;
}

static gboolean
read_number (FlMysql *db, const char *sql, gint64 *number, GError **error)
{
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlQuery) query = fl_mysql_query (&db->base, sql, NULL, 0, error);
  if (query == NULL)
    return FALSE;
  if (fl_mysql_next (query, &failed))
    {
      *number = fl_mysql_int (query, 0);
      return TRUE;
    }
  if (failed != NULL)
    g_propagate_error (error, g_steal_pointer (&failed));
  else
    g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: the server gives no answer", db->where->shown);
  return FALSE;
}

/* Changes of tables are committed one by one; who changes them holds a lock of the server's. What is written behind the
 * last of them is one transaction. */
static gboolean
driver_begin_schema (FlDb *base, GError **error)
{
  FlMysql *db = (FlMysql *) base;
  gint64 got = 0;
  gboolean ok =
      fl_mysql_reconnect_patiently (db, error)
      && read_number (db, "SELECT GET_LOCK(LEFT(CONCAT('firstlight:', DATABASE()), 64), 60)", &got, error);
  if (ok && got != 1)
    g_set_error (error, FL_ERROR, FL_ERROR_BUSY,
                 "%s: another program is bringing the database up to date; try again", db->where->shown);
  ok = ok && got == 1 && fl_mysql_run (db, "SET SESSION autocommit = 0", error);
  if (!ok)
    fl_mysql_drop (db); /* not one to be patient with any more */
  db->transaction = db->schema = ok;
  return ok;
}

/* --- what it is --- */

static gint64
driver_last_id (FlDb *base)
{
  return ((FlMysql *) base)->last_id;
}

static guint
driver_changed_rows (FlDb *base)
{
  return ((FlMysql *) base)->changed;
}

/* Whatever anybody writes leaves one of these greater than it was. */
#define PULSE                                                                                                \
  "SELECT (SELECT SUM(value) FROM counter) + COALESCE((SELECT MAX(id) FROM edit), 0) "                       \
  "+ COALESCE((SELECT SUM(expires DIV 1000000 + fencing) FROM lease), 0) "                                   \
  "+ (SELECT COALESCE(MAX(changed) DIV 1000000, 0) + COUNT(*) FROM presence)"

static guint
driver_pulse (FlDb *base)
{
  gint64 sum = 0;
  return read_number ((FlMysql *) base, PULSE, &sum, NULL) ? (guint) sum : 0;
}

static gboolean
driver_now (FlDb *base, gint64 *ns, GError **error)
{
  gint64 microseconds;
  if (!read_number ((FlMysql *) base, "SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)",
                    &microseconds, error))
    return FALSE;
  *ns = microseconds * 1000;
  return TRUE;
}

static char *
driver_account (FlDb *base, GError **error)
{
  g_autoptr (FlQuery) query = fl_mysql_query (base, "SELECT CURRENT_USER()", NULL, 0, error);
  if (query == NULL || !fl_mysql_next (query, error))
    return NULL;
  char *account = fl_query_text (query, 0), *at = strrchr (account, '@');
  if (at != NULL)
    *at = '\0';
  return account;
}

static gboolean
driver_check_references (FlDb *base, gboolean check, GError **error)
{
  FlMysql *db = (FlMysql *) base;
  if (!fl_mysql_run (db, check ? "SET SESSION foreign_key_checks = 1" : "SET SESSION foreign_key_checks = 0",
                     error))
    return FALSE;
  db->unchecked_references = !check;
  return TRUE;
}

const FlDriver fl_mysql_driver = {
  .statements = fl_mysql_statements,
  .open = driver_open,
  .close = driver_close,
  .script = fl_mysql_script,
  .begin = driver_begin,
  .begin_schema = driver_begin_schema,
  .commit = driver_commit,
  .rollback = driver_rollback,
  .query = fl_mysql_query,
  .exec = fl_mysql_exec,
  .exec_rows = fl_mysql_exec_rows,
  .next = fl_mysql_next,
  .get_int = fl_mysql_int,
  .get_real = fl_mysql_real,
  .get_bytes = fl_mysql_bytes,
  .done = fl_mysql_done,
  .last_id = driver_last_id,
  .changed_rows = driver_changed_rows,
  .pulse = driver_pulse,
  .now = driver_now,
  .tables = fl_mysql_tables,
  .columns = fl_mysql_columns,
  .check_references = driver_check_references,
  .account = driver_account,
};
