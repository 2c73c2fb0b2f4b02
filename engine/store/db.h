/* db.h: the little of a database that the store needs; sqlite.c is one driver of it. Inside the store only.
 *
 * Statements are prepared once a handle and kept. Values only ever go through placeholders. A query that has been read
 * to its end or is given back with fl_query_done() may be used again; the same statement is never open twice. */
#pragma once

#include <glib.h>

typedef struct FlDb FlDb;
typedef struct FlQuery FlQuery;

typedef struct
{
  enum
  {
    FL_VALUE_INT,
    FL_VALUE_REAL,
    FL_VALUE_TEXT,
    FL_VALUE_BLOB
  } type;
  gint64 integer;
  double real;
  gconstpointer data;
  gsize length;
} FlValue;

#define FL_INT(x)     ((FlValue){ .type = FL_VALUE_INT, .integer = (gint64) (x) })
#define FL_REAL(x)    ((FlValue){ .type = FL_VALUE_REAL, .real = (x) })
#define FL_TEXT(x)    ((FlValue){ .type = FL_VALUE_TEXT, .data = (x) })
#define FL_BLOB(x, n) ((FlValue){ .type = FL_VALUE_BLOB, .data = (x), .length = (n) })

typedef enum
{
  FL_DB_CREATE,
  FL_DB_WRITE,
  FL_DB_READ
} FlDbMode;

FlDb *fl_db_open (const char *path, FlDbMode mode, GError **error);
void fl_db_close (FlDb *db);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlDb, fl_db_close)

/* A script of the schema, its {words} replaced by the driver's. */
gboolean fl_db_script (FlDb *db, const char *script, GError **error);

gboolean fl_db_begin (FlDb *db, gboolean write, GError **error);
gboolean fl_db_commit (FlDb *db, GError **error);
void fl_db_rollback (FlDb *db);

/* TEXT and BLOB values must live until the query is done. */
FlQuery *fl_db_query_values (FlDb *db, const char *sql, const FlValue *values, guint n, GError **error);
gboolean fl_db_exec_values (FlDb *db, const char *sql, const FlValue *values, guint n, GError **error);
#define FL_VALUES(...)                                                                                       \
  (const FlValue[]){ __VA_ARGS__ }, sizeof ((const FlValue[]){ __VA_ARGS__ }) / sizeof (FlValue)
#define fl_db_query(db, sql, error, ...) fl_db_query_values (db, sql, FL_VALUES (__VA_ARGS__), error)
#define fl_db_exec(db, sql, error, ...)  fl_db_exec_values (db, sql, FL_VALUES (__VA_ARGS__), error)

/* TRUE with a row; FALSE at the end, or with error. */
gboolean fl_query_next (FlQuery *query, GError **error);
gint64 fl_query_int (FlQuery *query, int column);
double fl_query_real (FlQuery *query, int column);
char *fl_query_text (FlQuery *query, int column); /* a copy, never NULL */
/* Valid until the next row. */
gconstpointer fl_query_blob (FlQuery *query, int column, gsize *length);
void fl_query_done (FlQuery *query);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlQuery, fl_query_done)

gint64 fl_db_last_id (FlDb *db);
guint fl_db_changed_rows (FlDb *db);
guint fl_db_pulse (FlDb *db);
/* FALSE: there is no such table. */
gboolean fl_db_has_table (FlDb *db, const char *table, gboolean *has, GError **error);
