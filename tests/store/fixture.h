/* fixture.h: a store in a folder of its own, and shots to put into it. */
#pragma once

#include <glib/gstdio.h>

#include "engine/base/batch.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/store/db.h"
#include "engine/store/shots.h"

#define TEST_MYSQL "FIRSTLIGHT_TEST_MYSQL" /* mariadb.py's: every test has a database of its own there */

static inline gboolean
on_mysql (void)
{
  return g_getenv (TEST_MYSQL) != NULL;
}

/* What is about SQLite's files alone. */
#define SKIP_ON_MYSQL                                                                                        \
  if (on_mysql ())                                                                                           \
    {                                                                                                        \
      g_test_skip ("is about SQLite's files");                                                               \
      return;                                                                                                \
    }

/* The folder says which database is its own; it is made when the store is. */
static inline void
point_to_mysql (const char *folder)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_path_get_basename (folder);
  g_auto (GStrv) parts = g_strsplit (g_getenv (TEST_MYSQL), "/?", 2);
  g_autofree char *url = g_strdup_printf ("%s/%s?%s", parts[0], name, parts[1]);
  g_autoptr (FlDatabase) database = fl_database_parse (url, folder, &error);
  g_assert_no_error (error);
  fl_database_write (database, folder, NULL, NULL, &error);
  g_assert_no_error (error);
}

/* Of a store that is a file always, such as a mirror. */
static inline char *
plain_folder (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("firstlight-store-XXXXXX", &error);
  g_assert_no_error (error);
  return folder;
}

static inline char *
temporary_folder (void)
{
  char *folder = plain_folder ();
  if (on_mysql ())
    point_to_mysql (folder);
  return folder;
}

static inline void
drop_database (const char *folder)
{
  g_autofree char *ini = g_build_filename (folder, FL_DATABASE_FILE, NULL);
  if (!g_file_test (ini, G_FILE_TEST_EXISTS))
    return;
  g_autoptr (GError) error = NULL;
  g_autoptr (FlDatabase) database = fl_database_find (folder, FALSE, &error);
  g_assert_no_error (error);
  g_autoptr (FlDb) db = fl_db_open (database, FL_DB_CREATE, &error);
  g_assert_no_error (error);
  g_autofree char *sql = g_strdup_printf ("DROP DATABASE \"%s\"", database->name);
  fl_db_exec_values (db, sql, NULL, 0, &error);
  g_assert_no_error (error);
}

static inline void
remove_folder (const char *folder)
{
  drop_database (folder);
  g_autofree char *quoted = g_shell_quote (folder);
  g_autofree char *command = g_strdup_printf ("rm -rf %s", quoted);
  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
}

static inline FlStore *
open_store (const char *where, FlStoreMode mode)
{
  g_autoptr (GError) error = NULL;
  FlStore *store = fl_store_open (where, mode, &error);
  g_assert_no_error (error);
  g_assert_nonnull (store);
  return store;
}

#define save(store, table, record)                                                                           \
  G_STMT_START                                                                                               \
  {                                                                                                          \
    g_autoptr (GError) save_error = NULL;                                                                    \
    fl_store_save (store, table, record, &save_error);                                                       \
    g_assert_no_error (save_error);                                                                          \
  }                                                                                                          \
  G_STMT_END

static inline gint64
add_run (FlStore *store, const char *name, const char *state)
{
  FlRun run = { .name = (char *) name, .state = (char *) state };
  save (store, FL_TABLE_RUN, &run);
  return run.id;
}

static inline gint64
add_trial (FlStore *store, int number)
{
  FlTrial trial = { .number = number, .name = (char *) "", .active = TRUE };
  save (store, FL_TABLE_TRIAL, &trial);
  return trial.id;
}

static inline gint64
add_job (FlStore *store, gint64 trial, gint64 run)
{
  FlJob job = { .trial = trial, .run = run, .task = 1, .path = (char *) "jobs/x" };
  save (store, FL_TABLE_JOB, &job);
  return job.id;
}

static inline gint64
add_attempt (FlStore *store, gint64 job, int number)
{
  FlAttempt attempt = {
    .job = job, .number = number, .path = (char *) "jobs/x/attempt-0001", .exit_code = -1
  };
  save (store, FL_TABLE_ATTEMPT, &attempt);
  return attempt.id;
}

static inline FlShotRow
make_shot (guint64 id, FlOutcome outcome, guint32 spots, guint64 start)
{
  return (FlShotRow){ .id = id,
                      .frame = (guint32) id,
                      .start = start,
                      .duration = { 10, 20, 30, 0, 5 },
                      .outcome = (guint8) outcome,
                      .stage = FL_STAGE_FIND,
                      .spots = spots,
                      .resolution = 2.5f,
                      .energy = 9500,
                      .message = outcome == FL_OUTCOME_FAILED ? "it failed" : "" };
}

static inline GByteArray *
pack_shots (const FlShotRow *shots, guint n)
{
  g_autoptr (FlBatch) batch = fl_batch_new (FL_KIND_SHOT);
  for (guint i = 0; i < n; i++)
    fl_batch_append (batch, &shots[i]);
  GByteArray *bytes = g_byte_array_new ();
  fl_batch_encode (batch, bytes);
  return bytes;
}

static inline gboolean
add_shots (FlStore *store, gint64 attempt, guint32 writer, guint64 sequence, const FlShotRow *shots, guint n)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) bytes = pack_shots (shots, n);
  gboolean inserted = FALSE;
  fl_store_add_slice (store, attempt, writer, sequence, FL_KIND_SHOT, bytes->data, bytes->len, &inserted,
                      &error);
  g_assert_no_error (error);
  return inserted;
}

static inline void
compact (FlStore *store, gint64 attempt)
{
  g_autoptr (GError) error = NULL;
  fl_store_compact (store, attempt, &error);
  g_assert_no_error (error);
}
