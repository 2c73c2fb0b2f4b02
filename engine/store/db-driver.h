/* db-driver.h: what a driver is: sqlite.c, mysql.c. Inside the store only, for them and db.c. */
#pragma once

#include "engine/store/db.h"
#include "engine/store/statements.h"

typedef struct
{
  const char *const *statements; /* FL_SQL_LAST of them; NULL: as SQLite says it */
  FlDb *(*open) (const FlDatabase *where, FlDbMode mode, GError **error);
  void (*close) (FlDb *db);
  gboolean (*script) (FlDb *db, const char *script, GError **error);
  gboolean (*begin) (FlDb *db, gboolean write, GError **error);
  gboolean (*begin_schema) (FlDb *db, GError **error);
  gboolean (*commit) (FlDb *db, GError **error);
  void (*rollback) (FlDb *db);
  FlQuery *(*query) (FlDb *db, const char *sql, const FlValue *values, guint n, GError **error);
  gboolean (*exec) (FlDb *db, const char *sql, const FlValue *values, guint n, GError **error);
  gboolean (*exec_rows) (FlDb *db, const char *sql, const FlValue *values, guint rows, guint columns,
                         GError **error);
  gboolean (*next) (FlQuery *query, GError **error);
  gint64 (*get_int) (FlQuery *query, int column);
  double (*get_real) (FlQuery *query, int column);
  gconstpointer (*get_bytes) (FlQuery *query, int column, gsize *length); /* of text and blobs */
  void (*done) (FlQuery *query);
  gint64 (*last_id) (FlDb *db);
  guint (*changed_rows) (FlDb *db);
  guint (*pulse) (FlDb *db);
  gboolean (*now) (FlDb *db, gint64 *ns, GError **error);
  GPtrArray *(*tables) (FlDb *db, GError **error);
  GArray *(*columns) (FlDb *db, const char *table, GError **error);
  gboolean (*check_references) (FlDb *db, gboolean check, GError **error);
  char *(*account) (FlDb *db, GError **error);
} FlDriver;

/* A driver's own begins with these. */
struct FlDb
{
  const FlDriver *driver;
  FlDbBroken broken; /* by the statement that failed last */
};
struct FlQuery
{
  FlDb *db;
};

/* Of FlDbColumn, which it frees. */
GArray *fl_db_columns_new (void);

extern const FlDriver fl_sqlite_driver;
extern const FlDriver fl_mysql_driver; /* where Firstlight is built with it (FL_HAVE_MYSQL) */
