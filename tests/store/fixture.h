/* fixture.h: a store in a folder of its own, and shots to put into it. */
#pragma once

#include <glib/gstdio.h>

#include "engine/base/batch.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/store/shots.h"

static inline char *
temporary_folder (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("firstlight-store-XXXXXX", &error);
  g_assert_no_error (error);
  return folder;
}

static inline void
remove_folder (const char *folder)
{
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
