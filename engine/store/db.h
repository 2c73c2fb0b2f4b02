/* db.h: the little of a database that the store needs; sqlite.c and mysql.c are its drivers. Inside the store only.
 *
 * Statements are prepared once a handle and kept. Values only ever go through placeholders. A query that has been read
 * to its end or is given back with fl_query_done() may be used again; the same statement is never open twice.
 *
 * A database in the network may be lost: what was under way then fails with FL_ERROR_LOST, a transaction is gone as a
 * whole, and later calls connect anew, no oftener than a growing pause allows; until then they fail at once. Whether a
 * commit that was lost had happened cannot be known: write so that doing it again does no harm. */
#pragma once

#include <glib.h>

#include "engine/store/database.h"
#include "engine/store/statements.h"

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

FlDb *fl_db_open (const FlDatabase *where, FlDbMode mode, GError **error);
void fl_db_close (FlDb *db);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlDb, fl_db_close)

/* A statement of the driver's table. */
const char *fl_db_sql (FlDb *db, FlSql sql);

/* A script of the schema, its {words} replaced by the driver's. May be run again over its own result, also when that is
 * only a part of it (MySQL commits each of its statements): CREATE … IF NOT EXISTS, ALTER TABLE t ADD COLUMN {new} c …, and
 * changes of rows that do nothing the second time. Keys are of {int} and {name} alone; REFERENCES only in CREATE TABLE; a
 * default of {text} is a plain literal. */
gboolean fl_db_script (FlDb *db, const char *script, GError **error);

/* `write`: writers wait here for each other, so that the numbers of the locked counters are committed in order and what a
 * writer reads is what there is. Not: one snapshot for all that is read until the end. */
gboolean fl_db_begin (FlDb *db, gboolean write, GError **error);
/* For scripts: nobody else runs any meanwhile. What is written behind the last one is committed as a whole. */
gboolean fl_db_begin_schema (FlDb *db, GError **error);
gboolean fl_db_commit (FlDb *db, GError **error);
void fl_db_rollback (FlDb *db);

/* TEXT and BLOB values must live until the query is done. MySQL's client holds the whole result: page through what is
 * large. */
FlQuery *fl_db_query_values (FlDb *db, const char *sql, const FlValue *values, guint n, GError **error);
gboolean fl_db_exec_values (FlDb *db, const char *sql, const FlValue *values, guint n, GError **error);
/* One statement for `rows` rows of `columns` values, row by row: all or, with error, the caller rolls back. */
gboolean fl_db_exec_rows (FlDb *db, const char *sql, const FlValue *values, guint rows, guint columns,
                          GError **error);
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
/* The next record of the table that numbers itself gets last + 1, or what follows the greatest that there is. As a script. */
gboolean fl_db_set_last_id (FlDb *db, const char *table, gint64 last, GError **error);
guint fl_db_changed_rows (FlDb *db); /* that the statement met, changed or not */
guint fl_db_pulse (FlDb *db);

/* Which rule the statement that failed last was against. */
typedef enum
{
  FL_DB_BROKE_NONE,
  FL_DB_BROKE_UNIQUE,
  FL_DB_BROKE_REFERENCE
} FlDbBroken;
FlDbBroken fl_db_broken (FlDb *db);

/* ns UTC by the clock that all who share the database share. */
gboolean fl_db_now (FlDb *db, gint64 *ns, GError **error);
/* Who the server says we are: name of the SQL account, or of the user of this machine. Free it. */
char *fl_db_account (FlDb *db, GError **error);

/* What is in it: names of tables, sorted (frees them); FlDbColumn, in order. */
typedef struct
{
  char *name;
  int type; /* of FlValue */
} FlDbColumn;
GPtrArray *fl_db_tables (FlDb *db, GError **error);
GArray *fl_db_columns (FlDb *db, const char *table, GError **error);
gboolean fl_db_has_table (FlDb *db, const char *table, gboolean *has, GError **error);
/* Whether a record may name one that is not there (yet). Outside transactions. */
gboolean fl_db_check_references (FlDb *db, gboolean check, GError **error);
