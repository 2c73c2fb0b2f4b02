#include <math.h>

#include "engine/base/error.h"
#include "engine/store/db-driver.h"

FlDb *
fl_db_open (const FlDatabase *where, FlDbMode mode, GError **error)
{
  if (where->driver == FL_DRIVER_SQLITE)
    return fl_sqlite_driver.open (where, mode, error);
#ifdef FL_HAVE_MYSQL
  return fl_mysql_driver.open (where, mode, error);
#else
  g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
               "%s: this Firstlight was built without MySQL (libmariadb-dev, or MySQL's client)",
               where->shown);
  return NULL;
#endif
}

void
fl_db_close (FlDb *db)
{
  if (db != NULL)
    db->driver->close (db);
}

const char *
fl_db_sql (FlDb *db, FlSql sql)
{
  const char *own = db->driver->statements[sql];
  return own != NULL ? own : fl_sqlite_statements[sql];
}

gboolean
fl_db_script (FlDb *db, const char *script, GError **error)
{
  return db->driver->script (db, script, error);
}

gboolean
fl_db_begin (FlDb *db, gboolean write, GError **error)
{
  return db->driver->begin (db, write, error);
}

gboolean
fl_db_begin_schema (FlDb *db, GError **error)
{
  return db->driver->begin_schema (db, error);
}

gboolean
fl_db_commit (FlDb *db, GError **error)
{
  return db->driver->commit (db, error);
}

void
fl_db_rollback (FlDb *db)
{
  db->driver->rollback (db);
}

/* What one driver would take and another not. */
static gboolean
check_values (const FlValue *values, gsize n, GError **error)
{
  for (gsize i = 0; i < n; i++)
    if (values[i].type == FL_VALUE_REAL && !isfinite (values[i].real))
      {
        g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "not allowed: a number that is %s",
                     isnan (values[i].real) ? "not one" : "infinite");
        return FALSE;
      }
    else if (values[i].type == FL_VALUE_TEXT && values[i].data != NULL
             && !g_utf8_validate (values[i].data, -1, NULL))
      {
        g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "not allowed: text that is not UTF-8");
        return FALSE;
      }
  return TRUE;
}

FlQuery *
fl_db_query_values (FlDb *db, const char *sql, const FlValue *values, guint n, GError **error)
{
  return db->driver->query (db, sql, values, n, error);
}

gboolean
fl_db_exec_values (FlDb *db, const char *sql, const FlValue *values, guint n, GError **error)
{
  return check_values (values, n, error) && db->driver->exec (db, sql, values, n, error);
}

gboolean
fl_db_exec_rows (FlDb *db, const char *sql, const FlValue *values, guint rows, guint columns, GError **error)
{
  return rows == 0
         || (check_values (values, (gsize) rows * columns, error)
             && db->driver->exec_rows (db, sql, values, rows, columns, error));
}

gboolean
fl_query_next (FlQuery *query, GError **error)
{
  return query->db->driver->next (query, error);
}

gint64
fl_query_int (FlQuery *query, int column)
{
  return query->db->driver->get_int (query, column);
}

double
fl_query_real (FlQuery *query, int column)
{
  return query->db->driver->get_real (query, column);
}

char *
fl_query_text (FlQuery *query, int column)
{
  gsize length;
  const char *text = fl_query_blob (query, column, &length);
  return text != NULL ? g_strndup (text, length) : g_strdup ("");
}

gconstpointer
fl_query_blob (FlQuery *query, int column, gsize *length)
{
  return query->db->driver->get_bytes (query, column, length);
}

void
fl_query_done (FlQuery *query)
{
  if (query != NULL)
    query->db->driver->done (query);
}

gint64
fl_db_last_id (FlDb *db)
{
  return db->driver->last_id (db);
}

gboolean
fl_db_set_last_id (FlDb *db, const char *table, gint64 last, GError **error)
{
  g_autoptr (GString) script = g_string_new (SQL (db, LAST_ID_SET));
  g_autofree char *this_one = g_strdup_printf ("%" G_GINT64_FORMAT, last);
  g_autofree char *next = g_strdup_printf ("%" G_GINT64_FORMAT, last + 1);
  g_string_replace (script, "{table}", table, 0);
  g_string_replace (script, "{last}", this_one, 0);
  g_string_replace (script, "{next}", next, 0);
  return fl_db_script (db, script->str, error);
}

guint
fl_db_changed_rows (FlDb *db)
{
  return db->driver->changed_rows (db);
}

guint
fl_db_pulse (FlDb *db)
{
  return db->driver->pulse (db);
}

FlDbBroken
fl_db_broken (FlDb *db)
{
  return db->broken;
}

gboolean
fl_db_now (FlDb *db, gint64 *ns, GError **error)
{
  return db->driver->now (db, ns, error);
}

char *
fl_db_account (FlDb *db, GError **error)
{
  return db->driver->account (db, error);
}

GPtrArray *
fl_db_tables (FlDb *db, GError **error)
{
  return db->driver->tables (db, error);
}

static void
column_clear (gpointer column)
{
  g_free (((FlDbColumn *) column)->name);
}

GArray *
fl_db_columns_new (void)
{
  GArray *columns = g_array_new (FALSE, FALSE, sizeof (FlDbColumn));
  g_array_set_clear_func (columns, column_clear);
  return columns;
}

GArray *
fl_db_columns (FlDb *db, const char *table, GError **error)
{
  return db->driver->columns (db, table, error);
}

gboolean
fl_db_has_table (FlDb *db, const char *table, gboolean *has, GError **error)
{
  g_autoptr (GPtrArray) tables = fl_db_tables (db, error);
  if (tables == NULL)
    return FALSE;
  *has = g_ptr_array_find_with_equal_func (tables, table, g_str_equal, NULL);
  return TRUE;
}

gboolean
fl_db_check_references (FlDb *db, gboolean check, GError **error)
{
  return db->driver->check_references (db, check, error);
}
