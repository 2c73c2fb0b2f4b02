/* mysql-private.h: what the files of the MySQL driver share. Thread: the handle's. */
#pragma once

#include <mysql.h>

#include "engine/store/db-driver.h"

typedef struct
{
  FlDb base;
  FlDatabase *where;
  FlDbMode mode;
  MYSQL *handle;          /* NULL: lost, or not connected yet */
  gboolean met;           /* there has been a connection */
  guint connection;       /* how many there have been: what was prepared in another is gone */
  GHashTable *statements; /* text -> Statement (mysql-statement.c) */
  GString *list;          /* scratch */
  gboolean transaction;   /* begun; `gone`: with a connection that is lost */
  gboolean gone;
  gboolean schema; /* the transaction is a change of the schema, under a lock of the server's */
  gboolean unchecked_references;
  gint64 next_try; /* of connecting, monotonic, µs */
  guint pause;     /* before that, ms */
  gsize max_packet;
  gboolean arrays; /* the server takes arrays of rows */
  gint64 last_id;
  guint changed;
} FlMysql;

/* --- mysql-connect.c --- */

/* What the handle needs to be used: connects when it is not connected and the pause is over. */
gboolean fl_mysql_ready (FlMysql *db, GError **error);
/* Gives up the connection, and with it the transaction. */
void fl_mysql_drop (FlMysql *db);
/* Sets error by the server's number; drops a connection that is lost. Always FALSE. */
gboolean fl_mysql_fail (FlMysql *db, guint number, const char *why, GError **error);
gboolean fl_mysql_run (FlMysql *db, const char *sql, GError **error);
/* For scripts that take long. */
gboolean fl_mysql_reconnect_patiently (FlMysql *db, GError **error);
/* Whether a call that failed so may be made again at once: the connection is new, nothing was under way. */
gboolean fl_mysql_may_repeat (FlMysql *db, const GError *error);

/* --- mysql-statement.c --- */

void fl_mysql_statement_free (gpointer statement);
FlQuery *fl_mysql_query (FlDb *base, const char *sql, const FlValue *values, guint n, GError **error);
gboolean fl_mysql_exec (FlDb *base, const char *sql, const FlValue *values, guint n, GError **error);
gboolean fl_mysql_next (FlQuery *base, GError **error);
gint64 fl_mysql_int (FlQuery *base, int column);
double fl_mysql_real (FlQuery *base, int column);
gconstpointer fl_mysql_bytes (FlQuery *base, int column, gsize *length);
void fl_mysql_done (FlQuery *base);

/* --- mysql-rows.c --- */

gboolean fl_mysql_exec_rows (FlDb *base, const char *sql, const FlValue *values, guint rows, guint columns,
                             GError **error);
/* mysql-statement.c's for it: the statement ready to be bound; run it. */
MYSQL_STMT *fl_mysql_prepare (FlMysql *db, const char *sql, guint n, GError **error);
gboolean fl_mysql_execute (FlMysql *db, MYSQL_STMT *statement, GError **error);
gboolean fl_mysql_check_size (FlMysql *db, gsize bytes, GError **error);

/* --- mysql-schema.c --- */

gboolean fl_mysql_script (FlDb *base, const char *script, GError **error);
GPtrArray *fl_mysql_tables (FlDb *base, GError **error);
GArray *fl_mysql_columns (FlDb *base, const char *table, GError **error);
