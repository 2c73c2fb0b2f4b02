/* Statements, prepared once a connection; values are only ever bound. Results are fetched whole, so that another statement
 * may run while one is read. */
#include <errmsg.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/store/mysql-private.h"

#define FIRST_BYTES  256
#define LONGEST_WORD 64 /* a number as text */

typedef struct
{
  char *bytes;
  gsize room;
  unsigned long length;
  gint64 integer;
  double real;
#ifdef FL_HAVE_MY_BOOL
  my_bool null, cut;
#else
  bool null, cut;
#endif
} Cell;

typedef struct
{
  FlQuery base;
  char *sql;
  MYSQL_STMT *statement; /* of `connection`; NULL: to be prepared */
  guint connection;
  gboolean open;
  guint n_cells;
  Cell *cells;
  MYSQL_BIND *out;
} Statement;

static void
forget (Statement *s)
{
  for (guint i = 0; i < s->n_cells; i++)
    g_free (s->cells[i].bytes);
  g_clear_pointer (&s->cells, g_free);
  g_clear_pointer (&s->out, g_free);
  s->n_cells = 0;
  if (s->statement != NULL)
    mysql_stmt_close (s->statement);
  s->statement = NULL;
}

void
fl_mysql_statement_free (gpointer statement)
{
  Statement *s = statement;
  forget (s);
  g_free (s->sql);
  g_free (s);
}

/* --- preparing --- */

static gboolean
fail_statement (FlMysql *db, MYSQL_STMT *statement, GError **error)
{
  return fl_mysql_fail (db, mysql_stmt_errno (statement), mysql_stmt_error (statement), error);
}

static gboolean
make (FlMysql *db, Statement *s, GError **error)
{
  s->statement = mysql_stmt_init (db->handle);
  s->connection = db->connection;
  if (mysql_stmt_prepare (s->statement, s->sql, strlen (s->sql)) == 0)
    return TRUE;
  guint number = mysql_stmt_errno (s->statement);
  g_autofree char *why = g_strdup (mysql_stmt_error (s->statement));
  forget (s);
  return fl_mysql_fail (db, number, why, error);
}

static Statement *
look_up (FlMysql *db, const char *sql, GError **error)
{
  if (!fl_mysql_ready (db, error))
    return NULL;
  Statement *s = g_hash_table_lookup (db->statements, sql);
  if (s == NULL)
    {
      s = g_new0 (Statement, 1);
      s->base.db = &db->base;
      s->sql = g_strdup (sql);
      g_hash_table_insert (db->statements, s->sql, s);
    }
  g_return_val_if_fail (!s->open, NULL);
  if (s->statement != NULL && s->connection != db->connection)
    forget (s);
  return s->statement != NULL || make (db, s, error) ? s : NULL;
}

MYSQL_STMT *
fl_mysql_prepare (FlMysql *db, const char *sql, guint n, GError **error)
{
  Statement *s = look_up (db, sql, error);
  g_return_val_if_fail (s == NULL || mysql_stmt_param_count (s->statement) == n, NULL);
  return s != NULL ? s->statement : NULL;
}

gboolean
fl_mysql_check_size (FlMysql *db, gsize bytes, GError **error)
{
  return bytes < db->max_packet || fl_mysql_fail (db, CR_NET_PACKET_TOO_LARGE, "", error);
}

/* Text is bound as bytes, so that nobody takes it for an encoding. */
static gboolean
bind_values (FlMysql *db, MYSQL_STMT *statement, const FlValue *values, guint n, GError **error)
{
  g_autofree MYSQL_BIND *in = g_new0 (MYSQL_BIND, n + 1);
  gsize bytes = 1024;
  for (guint i = 0; i < n; i++)
    {
      const FlValue *value = &values[i];
      in[i].buffer = (gpointer) value->data;
      switch (value->type)
        {
        case FL_VALUE_INT:
          in[i].buffer_type = MYSQL_TYPE_LONGLONG;
          in[i].buffer = (gpointer) &value->integer;
          break;
        case FL_VALUE_REAL:
          in[i].buffer_type = MYSQL_TYPE_DOUBLE;
          in[i].buffer = (gpointer) &value->real;
          break;
        case FL_VALUE_TEXT:
          in[i].buffer_type = MYSQL_TYPE_BLOB;
          in[i].buffer_length = value->data != NULL ? strlen (value->data) : 0;
          break;
        case FL_VALUE_BLOB:
          in[i].buffer_type = MYSQL_TYPE_BLOB;
          in[i].buffer_length = value->length;
          break;
        }
      if (in[i].buffer == NULL)
        in[i].buffer = (gpointer) "";
      bytes += in[i].buffer_length + 16;
    }
  if (!fl_mysql_check_size (db, bytes, error))
    return FALSE;
  return n == 0 || mysql_stmt_bind_param (statement, in) == 0 || fail_statement (db, statement, error);
}

/* --- running --- */

gboolean
fl_mysql_execute (FlMysql *db, MYSQL_STMT *statement, GError **error)
{
  if (mysql_stmt_execute (statement) != 0)
    return fail_statement (db, statement, error);
  db->last_id = (gint64) mysql_stmt_insert_id (statement);
  db->changed = (guint) mysql_stmt_affected_rows (statement);
  return TRUE;
}

gboolean
fl_mysql_exec (FlDb *base, const char *sql, const FlValue *values, guint n, GError **error)
{
  FlMysql *db = (FlMysql *) base;
  MYSQL_STMT *statement = fl_mysql_prepare (db, sql, n, error);
  if (statement == NULL || !bind_values (db, statement, values, n, error)
      || !fl_mysql_execute (db, statement, error))
    return FALSE;
  if (mysql_stmt_field_count (statement) > 0)
    mysql_stmt_free_result (statement);
  return TRUE;
}

static enum enum_field_types
fetched_as (const MYSQL_FIELD *field)
{
  switch (field->type)
    {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
      return MYSQL_TYPE_LONGLONG;
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL: /* the sum of integers */
      return field->decimals == 0 ? MYSQL_TYPE_LONGLONG : MYSQL_TYPE_DOUBLE;
    case MYSQL_TYPE_FLOAT:
    case MYSQL_TYPE_DOUBLE:
      return MYSQL_TYPE_DOUBLE;
    default:
      return MYSQL_TYPE_BLOB;
    }
}

static void
make_cells (Statement *s, MYSQL_RES *fields)
{
  s->n_cells = mysql_num_fields (fields);
  s->cells = g_new0 (Cell, s->n_cells);
  s->out = g_new0 (MYSQL_BIND, s->n_cells);
  for (guint i = 0; i < s->n_cells; i++)
    {
      Cell *cell = &s->cells[i];
      MYSQL_BIND *out = &s->out[i];
      out->buffer_type = fetched_as (mysql_fetch_field_direct (fields, i));
      out->is_null = &cell->null;
      out->error = &cell->cut;
      out->length = &cell->length;
      if (out->buffer_type == MYSQL_TYPE_LONGLONG)
        out->buffer = &cell->integer;
      else if (out->buffer_type == MYSQL_TYPE_DOUBLE)
        out->buffer = &cell->real;
      else
        {
          cell->room = FIRST_BYTES;
          out->buffer = cell->bytes = g_malloc (cell->room);
          out->buffer_length = cell->room;
        }
    }
}

static gboolean
take_result (FlMysql *db, Statement *s, GError **error)
{
  if (s->cells == NULL)
    {
      MYSQL_RES *fields = mysql_stmt_result_metadata (s->statement);
      if (fields == NULL)
        return mysql_stmt_errno (s->statement) == 0 || fail_statement (db, s->statement, error);
      make_cells (s, fields);
      mysql_free_result (fields);
    }
  if (mysql_stmt_bind_result (s->statement, s->out) == 0 && mysql_stmt_store_result (s->statement) == 0)
    return TRUE;
  return fail_statement (db, s->statement, error);
}

static FlQuery *
query_once (FlMysql *db, const char *sql, const FlValue *values, guint n, GError **error)
{
  MYSQL_STMT *statement = fl_mysql_prepare (db, sql, n, error);
  if (statement == NULL || !bind_values (db, statement, values, n, error)
      || !fl_mysql_execute (db, statement, error))
    return NULL;
  Statement *s = g_hash_table_lookup (db->statements, sql);
  if (!take_result (db, s, error))
    return NULL;
  s->open = TRUE;
  return &s->base;
}

FlQuery *
fl_mysql_query (FlDb *base, const char *sql, const FlValue *values, guint n, GError **error)
{
  FlMysql *db = (FlMysql *) base;
  g_autoptr (GError) failed = NULL;
  FlQuery *query = query_once (db, sql, values, n, &failed);
  if (query == NULL && fl_mysql_may_repeat (db, failed))
    return query_once (db, sql, values, n, error);
  if (query == NULL)
    g_propagate_error (error, g_steal_pointer (&failed));
  return query;
}

/* --- rows --- */

/* Values that were longer than their room. */
static gboolean
fetch_rest (FlMysql *db, Statement *s, GError **error)
{
  gboolean grown = FALSE;
  for (guint i = 0; i < s->n_cells; i++)
    {
      Cell *cell = &s->cells[i];
      if (s->out[i].buffer_type != MYSQL_TYPE_BLOB || cell->null || cell->length <= cell->room)
        continue;
      cell->room = MAX (cell->length, 2 * cell->room);
      g_free (cell->bytes);
      s->out[i].buffer = cell->bytes = g_malloc (cell->room);
      s->out[i].buffer_length = cell->room;
      grown = TRUE;
      if (mysql_stmt_fetch_column (s->statement, &s->out[i], i, 0) != 0)
        return fail_statement (db, s->statement, error);
    }
  return !grown || mysql_stmt_bind_result (s->statement, s->out) == 0
         || fail_statement (db, s->statement, error);
}

gboolean
fl_mysql_next (FlQuery *base, GError **error)
{
  Statement *s = (Statement *) base;
  FlMysql *db = (FlMysql *) base->db;
  if (s->connection != db->connection)
    return fl_mysql_fail (db, CR_SERVER_LOST, "what was being read is lost", error);
  switch (mysql_stmt_fetch (s->statement))
    {
    case 0:
      return TRUE;
    case MYSQL_DATA_TRUNCATED:
      return fetch_rest (db, s, error);
    case MYSQL_NO_DATA:
      return FALSE;
    default:
      return fail_statement (db, s->statement, error);
    }
}

void
fl_mysql_done (FlQuery *base)
{
  Statement *s = (Statement *) base;
  if (s->connection == ((FlMysql *) base->db)->connection)
    mysql_stmt_free_result (s->statement);
  s->open = FALSE;
}

static gconstpointer
word (Cell *cell, gsize *length, const char *format, double real, gint64 integer, gboolean is_real)
{
  if (cell->bytes == NULL)
    cell->bytes = g_malloc (LONGEST_WORD);
  if (is_real)
    g_ascii_formatd (cell->bytes, LONGEST_WORD, format, real);
  else
    g_snprintf (cell->bytes, LONGEST_WORD, "%" G_GINT64_FORMAT, integer);
  *length = strlen (cell->bytes);
  return cell->bytes;
}

/* NULL: nothing is there, or fewer columns than a server gives that means well. */
static Cell *
cell_at (const Statement *s, int column)
{
  Cell *cell = (guint) column < s->n_cells ? &s->cells[column] : NULL;
  return cell != NULL && !cell->null ? cell : NULL;
}

gint64
fl_mysql_int (FlQuery *base, int column)
{
  const Statement *s = (Statement *) base;
  const Cell *cell = cell_at (s, column);
  if (cell == NULL)
    return 0;
  switch ((int) s->out[column].buffer_type)
    {
    case MYSQL_TYPE_LONGLONG:
      return cell->integer;
    case MYSQL_TYPE_DOUBLE:
      return (gint64) cell->real;
    default:
      return 0;
    }
}

double
fl_mysql_real (FlQuery *base, int column)
{
  const Statement *s = (Statement *) base;
  const Cell *cell = cell_at (s, column);
  return cell == NULL                                        ? 0
         : s->out[column].buffer_type == MYSQL_TYPE_DOUBLE   ? cell->real
         : s->out[column].buffer_type == MYSQL_TYPE_LONGLONG ? (double) cell->integer
                                                             : 0;
}

gconstpointer
fl_mysql_bytes (FlQuery *base, int column, gsize *length)
{
  const Statement *s = (Statement *) base;
  Cell *cell = cell_at (s, column);
  *length = 0;
  if (cell == NULL)
    return NULL;
  if (s->out[column].buffer_type == MYSQL_TYPE_LONGLONG)
    return word (cell, length, NULL, 0, cell->integer, FALSE);
  if (s->out[column].buffer_type == MYSQL_TYPE_DOUBLE)
    return word (cell, length, "%.15g", cell->real, 0, TRUE);
  *length = cell->length;
  return cell->bytes;
}
