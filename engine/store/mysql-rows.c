/* Many rows by one statement: as arrays, where client and server know them (MariaDB), or as VALUES of many rows. */
#include <string.h>

#include "engine/store/mysql-private.h"

#define ARRAY_BYTES (16u << 20) /* of one statement */
#define ARRAY_ROWS  65536
#define TEXT_ROWS   256

static gsize
size_of (const FlValue *value)
{
  return value->type == FL_VALUE_TEXT   ? (value->data != NULL ? strlen (value->data) : 0)
         : value->type == FL_VALUE_BLOB ? value->length
                                        : sizeof (gint64);
}

/* How many of the rows fit into one statement; at least one. */
static guint
rows_that_fit (FlMysql *db, const FlValue *values, guint rows, guint columns, guint most)
{
  gsize bytes = 4096, room = MIN (ARRAY_BYTES, db->max_packet);
  for (guint row = 0; row < MIN (rows, most); row++)
    {
      for (guint c = 0; c < columns; c++)
        bytes += size_of (&values[(gsize) row * columns + c]) + 10;
      if (bytes > room)
        return MAX (row, 1);
    }
  return MIN (rows, most);
}

#ifdef FL_HAVE_ARRAYS
typedef struct
{
  gpointer numbers; /* of gint64 or double */
  gconstpointer *bytes;
  unsigned long *lengths;
} Column;

static void
fill_column (Column *column, MYSQL_BIND *bind, const FlValue *values, guint rows, guint columns)
{
  gboolean is_bytes = values->type == FL_VALUE_TEXT || values->type == FL_VALUE_BLOB;
  bind->buffer_type = is_bytes                       ? MYSQL_TYPE_BLOB
                      : values->type == FL_VALUE_INT ? MYSQL_TYPE_LONGLONG
                                                     : MYSQL_TYPE_DOUBLE;
  if (!is_bytes)
    {
      gint64 *numbers = column->numbers = g_new (gint64, rows);
      for (guint row = 0; row < rows; row++)
        {
          const FlValue *value = &values[(gsize) row * columns];
          memcpy (&numbers[row],
                  value->type == FL_VALUE_INT ? (gconstpointer) &value->integer
                                              : (gconstpointer) &value->real,
                  sizeof (gint64));
        }
      bind->buffer = numbers;
      return;
    }
  column->bytes = g_new (gconstpointer, rows);
  column->lengths = g_new (unsigned long, rows);
  for (guint row = 0; row < rows; row++)
    {
      const FlValue *value = &values[(gsize) row * columns];
      column->lengths[row] = size_of (value);
      column->bytes[row] = value->data != NULL ? value->data : "";
    }
  bind->buffer = column->bytes;
  bind->length = column->lengths;
}

static gboolean
run_array (FlMysql *db, const char *sql, const FlValue *values, guint rows, guint columns, GError **error)
{
  MYSQL_STMT *statement = fl_mysql_prepare (db, sql, columns, error);
  if (statement == NULL)
    return FALSE;
  g_autofree Column *filled = g_new0 (Column, columns);
  g_autofree MYSQL_BIND *in = g_new0 (MYSQL_BIND, columns);
  guint one = 0;
  for (guint c = 0; c < columns; c++)
    fill_column (&filled[c], &in[c], values + c, rows, columns);
  mysql_stmt_attr_set (statement, STMT_ATTR_ARRAY_SIZE, &rows);
  gboolean ok = mysql_stmt_bind_param (statement, in) == 0
                    ? fl_mysql_execute (db, statement, error)
                    : fl_mysql_fail (db, mysql_stmt_errno (statement), mysql_stmt_error (statement), error);
  if (db->handle != NULL)
    mysql_stmt_attr_set (statement, STMT_ATTR_ARRAY_SIZE, &one);
  for (guint c = 0; c < columns; c++)
    {
      g_free (filled[c].numbers);
      g_free (filled[c].bytes);
      g_free (filled[c].lengths);
    }
  return ok;
}

/* An array's column has one type. */
static gboolean
is_regular (const FlValue *values, guint rows, guint columns)
{
  for (gsize i = columns; i < (gsize) rows * columns; i++)
    if (values[i].type != values[i % columns].type)
      return FALSE;
  return TRUE;
}
#endif

/* "… VALUES (?, ?)" for `rows` rows. NULL: not such a statement. */
static char *
with_rows (const char *sql, guint rows)
{
  const char *values = strstr (sql, "VALUES ("), *open = values != NULL ? strchr (values, '(') : NULL,
             *close = open != NULL ? strchr (open, ')') : NULL;
  if (close == NULL)
    return NULL;
  GString *text = g_string_new_len (sql, open - sql);
  for (guint row = 0; row < rows; row++)
    {
      g_string_append (text, row > 0 ? ", " : "");
      g_string_append_len (text, open, close - open + 1);
    }
  g_string_append (text, close + 1);
  return g_string_free (text, FALSE);
}

static gboolean
run_text (FlMysql *db, const char *sql, const FlValue *values, guint rows, guint columns, GError **error)
{
  g_autofree char *many = rows == TEXT_ROWS ? with_rows (sql, rows) : NULL;
  if (many != NULL)
    return fl_mysql_exec (&db->base, many, values, rows * columns, error);
  for (guint row = 0; row < rows; row++)
    if (!fl_mysql_exec (&db->base, sql, values + (gsize) row * columns, columns, error))
      return FALSE;
  return TRUE;
}

gboolean
fl_mysql_exec_rows (FlDb *base, const char *sql, const FlValue *values, guint rows, guint columns,
                    GError **error)
{
  FlMysql *db = (FlMysql *) base;
  if (!fl_mysql_ready (db, error))
    return FALSE;
#ifdef FL_HAVE_ARRAYS
  gboolean arrays = db->arrays && columns > 0 && rows > 1 && is_regular (values, rows, columns);
#else
  gboolean arrays = FALSE;
#endif
  guint most = arrays ? ARRAY_ROWS : MIN (TEXT_ROWS, 65535 / MAX (columns, 1));
  for (guint done = 0, n; done < rows; done += n)
    {
      const FlValue *at = values + (gsize) done * columns;
      n = rows_that_fit (db, at, rows - done, columns, most);
      gboolean ok;
#ifdef FL_HAVE_ARRAYS
      if (arrays && n > 1)
        ok = run_array (db, sql, at, n, columns, error);
      else
#endif
        ok = run_text (db, sql, at, n, columns, error);
      if (!ok)
        return FALSE;
    }
  return TRUE;
}
