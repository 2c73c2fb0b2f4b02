/* Opening: new, old, newer, damaged, copied, read-only; several processes at once. */
#include "tests/store/fixture.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/store/stats.h"

extern const char fl_schema_scripts[];

/* --- migrations --- */

static void
refuse (const char *where, FlStoreMode mode, int code, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlStore) store = fl_store_open (where, mode, &error);
  g_assert_null (store);
  g_assert_error (error, FL_ERROR, code);
  if (strstr (error->message, expected) == NULL)
    g_error ("'%s' does not say '%s'", error->message, expected);
  g_assert_null (strchr (error->message, '\n'));
}

static void
run_sql (const char *where, const char *sql)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlDatabase) database = fl_database_find (where, TRUE, &error);
  g_assert_no_error (error);
  g_autoptr (FlDb) db = fl_db_open (database, FL_DB_CREATE, &error);
  g_assert_no_error (error);
  g_assert_true (fl_db_begin_schema (db, &error) && fl_db_script (db, sql, &error)
                 && fl_db_commit (db, &error));
}

/* The schema as it was at version 1, made by its own script. */
static char *
script_of_version_1 (void)
{
  g_autoptr (GString) text = g_string_new (fl_schema_scripts);
  char *next = strstr (text->str, "-- migration 2");
  g_assert_nonnull (next);
  g_string_truncate (text, (gsize) (next - text->str));
  g_string_append (
      text, "INSERT INTO counter VALUES ('schema', 1), ('revision', 5), ('stamp', 0);"
            "INSERT INTO site VALUES (1, 2, 'local', 'local', '', '', '', '', '', '', 2);"
            "INSERT INTO dataset VALUES (3, 2, 'all', 'kept', '', 1);"
            "INSERT INTO tag VALUES (7, 3, 'kept', 'through it all', '', 1);"
            "INSERT INTO run VALUES (4, 5, 'r0004', '', '', 1, 2, 3, 4, 5, 'complete', '', '');"
            "INSERT INTO job VALUES (2, 5, 0, 0, 4, 0, 0, 0, 3, '', '', '', 1, 0, 0, 0, 0, 0);"
            "INSERT INTO attempt VALUES (9, 5, 2, 0, 1, 3, '', '', '', '', '', '', '', 0, -1, 0, 0, 0);");
  return g_strdup (text->str);
}

static void
check_migrated (const char *folder)
{
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_WRITE);
  FlTag *tag = fl_store_find (store, FL_TABLE_TAG, "kept", NULL);
  g_assert_cmpstr (tag->comment, ==, "through it all");
  g_assert_cmpint (tag->id, ==, 7);
  fl_record_free (FL_TABLE_TAG, tag);
  FlSite *site = fl_store_get (store, FL_TABLE_SITE, 1, NULL);
  g_assert_true (site->active && site->cores == 2 && site->nodes == 1 && site->minutes == 30);
  g_assert_cmpstr (site->transport, ==, "auto");
  fl_record_free (FL_TABLE_SITE, site);
  FlDataset *dataset = fl_store_get (store, FL_TABLE_DATASET, 3, NULL);
  g_assert_true (dataset->active && dataset->min_interval == 300);
  fl_record_free (FL_TABLE_DATASET, dataset);
  FlShotRow row = make_shot (1, FL_OUTCOME_HIT, 20, 5);
  add_shots (store, 9, 0, 1, &row, 1);
  FlRun run = { .name = (char *) "r5", .state = (char *) "complete" };
  save (store, FL_TABLE_RUN, &run);
  g_assert_cmpint (run.revision, >, 5);
  fl_store_remove (store, FL_TABLE_RUN, run.id, NULL);
}

static void
test_migrations (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autofree char *script = script_of_version_1 ();
  run_sql (folder, script);
  if (on_mysql ())
    refuse (folder, FL_STORE_READ_ONLY, FL_ERROR_UNSUPPORTED, "older Firstlight");
  check_migrated (folder);
  check_migrated (folder); /* frames are not taken in twice, nothing is migrated twice */
  remove_folder (folder);
}

/* A migration that was cut off leaves what was: and its scripts can be run over their own result. */
static void
test_again (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autofree char *script = script_of_version_1 ();
  run_sql (folder, script);
  check_migrated (folder);
  run_sql (folder, "UPDATE counter SET value = 1 WHERE name = 'schema'");
  check_migrated (folder);
  remove_folder (folder);
}

/* --- what cannot be opened --- */

static void
test_refusals (void)
{
  SKIP_ON_MYSQL
  g_autofree char *folder = temporary_folder ();
  g_autofree char *path = g_build_filename (folder, FL_STORE_FILE, NULL);
  g_autofree char *empty = g_build_filename (folder, "empty", NULL);
  refuse (folder, FL_STORE_WRITE, FL_ERROR_MISSING, "there is no experiment here");
  refuse ("/nowhere/at/all", FL_STORE_READ_ONLY, FL_ERROR_MISSING, "there is no experiment here");
  refuse ("/proc/nothing", FL_STORE_CREATE, FL_ERROR_FAILED, "cannot be made");
  g_assert_true (g_file_set_contents (empty, "", 0, NULL));
  refuse (empty, FL_STORE_WRITE, FL_ERROR_INPUT, "holds no experiment");
  g_assert_true (g_file_set_contents (path,
                                      "This is a letter, not a database. It is rather long, too: "
                                      "long enough to hold a header of a hundred bytes and more.",
                                      -1, NULL));
  for (FlStoreMode mode = FL_STORE_CREATE; mode <= FL_STORE_READ_ONLY; mode++)
    refuse (folder, mode, FL_ERROR_INPUT, "damaged or not a database");
  remove_folder (folder);
}

static void
test_newer (void)
{
  g_autofree char *folder = temporary_folder ();
  fl_store_close (open_store (folder, FL_STORE_CREATE));
  run_sql (folder, "UPDATE counter SET value = 99 WHERE name = 'schema'");
  for (FlStoreMode mode = FL_STORE_CREATE; mode <= FL_STORE_READ_ONLY; mode++)
    refuse (folder, mode, FL_ERROR_UNSUPPORTED, "newer Firstlight (database version 99");
  run_sql (folder, "DELETE FROM counter WHERE name = 'schema'");
  refuse (folder, FL_STORE_WRITE, FL_ERROR_INPUT, "is damaged");
  remove_folder (folder);
}

/* Bytes turned over anywhere: an error in words or an answer, never a crash, and never a store made anew. */
static void
test_damage (void)
{
  SKIP_ON_MYSQL
  g_autofree char *folder = temporary_folder ();
  g_autofree char *path = g_build_filename (folder, FL_STORE_FILE, NULL);
  g_autofree char *good = NULL;
  gsize length;
  FlRandom random = fl_random (5);
  {
    g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
    gint64 attempt = add_attempt (store, add_job (store, 1, add_run (store, "r1", "complete")), 1);
    for (guint i = 0; i < 40; i++)
      {
        FlShotRow row = make_shot (i + 1, FL_OUTCOME_HIT, 20, i);
        add_shots (store, attempt, 0, i + 1, &row, 1);
      }
    compact (store, attempt);
  }
  g_assert_true (g_file_get_contents (path, &good, &length, NULL));
  guint refusals = 0;
  for (guint pass = 0; pass < 120; pass++)
    {
      g_autofree char *bad = g_memdup2 (good, length);
      gsize cut = pass % 3 == 0 ? fl_random_u64 (&random) % length : length;
      for (guint i = 0; i < 30 && pass % 3 != 0; i++)
        bad[fl_random_u64 (&random) % length] ^= (char) (1 + fl_random_u64 (&random) % 255);
      g_assert_true (g_file_set_contents (path, bad, (gssize) cut, NULL));
      g_autoptr (GError) error = NULL;
      g_autoptr (FlStore) store = fl_store_open (folder, FL_STORE_READ_ONLY, &error);
      gint64 revision = 0, cursor = 0, again = 0;
      g_autoptr (GPtrArray) changes = store != NULL ? fl_store_changes (store, 0, &revision, &error) : NULL;
      g_autoptr (GPtrArray) blocks =
          changes != NULL ? fl_store_shots (store, 0, FL_SHOT_ALL, 0, &cursor, &error) : NULL;
      g_autoptr (GArray) sums = blocks != NULL ? fl_store_summaries (store, 0, &again, &error) : NULL;
      g_assert_true ((sums != NULL) == (error == NULL));
      refusals += error != NULL;
      if (error != NULL)
        g_assert_null (strchr (error->message, '\n'));
    }
  g_assert_cmpuint (refusals, >, 20);
  remove_folder (folder);
}

/* --- copies --- */

/* In a process of an ordinary user, for whom a read-only folder is one; root reads and writes everything. */
static void
as_ordinary_user (void (*check) (const char *), const char *folder)
{
  pid_t child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      if (getuid () == 0 && (setgid (65534) != 0 || setuid (65534) != 0))
        _exit (3);
      check (folder);
      _exit (0);
    }
  int status;
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
}

static void
read_copy (const char *folder)
{
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_READ_ONLY);
  gint64 cursor = 0;
  g_autoptr (GPtrArray) blocks = fl_store_shots (store, 0, FL_SHOT_ALL, 0, &cursor, NULL);
  g_assert_cmpuint (blocks->len, ==, 1);
  g_assert_cmpuint (((FlShotBlock *) blocks->pdata[0])->n, ==, 3);
  g_autofree char *data = fl_store_resolve (store, "data", "r1", NULL);
  g_autofree char *expected = g_build_filename (fl_store_folder (store), "raw", "r1", NULL);
  g_assert_cmpstr (data, ==, expected);
  refuse (folder, FL_STORE_WRITE, FL_ERROR_INPUT, "cannot be written");
}

static void
refuse_cut_copy (const char *folder)
{
  refuse (folder, FL_STORE_READ_ONLY, FL_ERROR_INPUT, "copied while it was in use");
}

static void
copy_to (const char *folder, const char *copy, mode_t mode)
{
  g_autofree char *command = g_strdup_printf ("cp -r '%s' '%s'", folder, copy);
  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
  g_assert_cmpint (chmod (copy, mode), ==, 0);
  g_autoptr (GDir) dir = g_dir_open (copy, 0, NULL);
  const char *name;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (copy, name, NULL);
      g_assert_cmpint (chmod (path, 0444), ==, 0);
    }
}

static void
test_copy (void)
{
  SKIP_ON_MYSQL
  g_autofree char *base = temporary_folder ();
  g_autofree char *folder = g_build_filename (base, "experiment", NULL);
  g_autofree char *copy = g_build_filename (base, "a copy", NULL);
  g_autofree char *cut = g_build_filename (base, "cut", NULL);
  g_assert_cmpint (chmod (base, 0755), ==, 0);
  {
    g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
    FlRoot root = { .name = (char *) "data", .path = (char *) "raw" };
    save (store, FL_TABLE_ROOT, &root);
    gint64 attempt = add_attempt (store, add_job (store, 1, add_run (store, "r1", "complete")), 1);
    FlShotRow rows[] = { make_shot (1, FL_OUTCOME_HIT, 20, 5), make_shot (2, FL_OUTCOME_MISS, 0, 6),
                         make_shot (3, FL_OUTCOME_MISS, 0, 7) };
    add_shots (store, attempt, 0, 1, rows, 3);
    copy_to (folder, cut, 0555); /* while it is open: with its -wal */
  }
  g_autofree char *shm = g_build_filename (cut, FL_STORE_FILE "-shm", NULL);
  chmod (cut, 0755);
  g_unlink (shm);
  chmod (cut, 0555);
  copy_to (folder, copy, 0555);
  as_ordinary_user (read_copy, copy);
  as_ordinary_user (refuse_cut_copy, cut);
  /* Where it may be written, the cut copy is made whole. */
  g_autofree char *command = g_strdup_printf ("chmod -R u+w '%s'", cut);
  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
  g_autoptr (FlStore) whole = open_store (cut, FL_STORE_WRITE);
  gint64 cursor = 0;
  g_autoptr (GPtrArray) blocks = fl_store_shots (whole, 0, FL_SHOT_ID, 0, &cursor, NULL);
  g_assert_cmpuint (blocks->len, ==, 1);
  chmod (copy, 0755);
  remove_folder (base);
}

/* --- several processes --- */

#define WRITERS 3
#define FRAMES  120

/* Makes the store where it is not there yet, then writes frames: some that others write, too. */
static void
write_much (const char *folder, guint which)
{
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  for (guint i = 0; i < FRAMES; i++)
    {
      FlShotRow rows[] = { make_shot (2 * i + 1, FL_OUTCOME_HIT, 10, i),
                           make_shot (2 * i + 2, FL_OUTCOME_MISS, 0, i) };
      g_autofree char *name = g_strdup_printf ("w%u-%u", which, i);
      add_shots (store, 1, 0, i + 1, rows, 2); /* all write these */
      FlTag tag = { .name = name };
      save (store, FL_TABLE_TAG, &tag);
    }
}

static void
test_processes (void)
{
  g_autofree char *folder = temporary_folder ();
  {
    g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
    g_assert_cmpint (add_attempt (store, add_job (store, 1, add_run (store, "r1", "complete")), 1), ==, 1);
  }
  pid_t children[WRITERS];
  for (guint i = 0; i < WRITERS; i++)
    if ((children[i] = fork ()) == 0)
      {
        write_much (folder, i);
        _exit (0);
      }
  for (guint i = 0; i < WRITERS; i++)
    {
      int status;
      g_assert_cmpint (waitpid (children[i], &status, 0), ==, children[i]);
      g_assert_cmpint (status, ==, 0);
    }
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_READ_ONLY);
  g_autoptr (FlStats) stats = fl_stats_new ();
  g_assert_true (fl_stats_update (stats, store, NULL, NULL));
  g_assert_cmpint (fl_stats_job (stats, 1)->shots, ==, 2 * FRAMES);
  g_assert_cmpint (fl_stats_job (stats, 1)->hits, ==, FRAMES);
  g_autoptr (GPtrArray) tags = fl_store_list (store, FL_TABLE_TAG, NULL);
  g_assert_cmpuint (tags->len, ==, WRITERS * FRAMES);
  /* Every change has a revision of its own. */
  g_autoptr (GHashTable) revisions = g_hash_table_new (g_int64_hash, g_int64_equal);
  for (guint i = 0; i < tags->len; i++)
    g_assert_true (g_hash_table_add (revisions, &((FlTag *) tags->pdata[i])->revision));
  remove_folder (folder);
}

static void
test_made_at_once (void)
{
  for (guint pass = 0; pass < 10; pass++)
    {
      g_autofree char *folder = temporary_folder ();
      pid_t children[WRITERS];
      for (guint i = 0; i < WRITERS; i++)
        if ((children[i] = fork ()) == 0)
          {
            fl_store_close (open_store (folder, FL_STORE_CREATE));
            _exit (0);
          }
      for (guint i = 0; i < WRITERS; i++)
        {
          int status;
          waitpid (children[i], &status, 0);
          g_assert_cmpint (status, ==, 0);
        }
      g_autoptr (FlStore) store = open_store (folder, FL_STORE_WRITE);
      g_autoptr (GPtrArray) sites = fl_store_list (store, FL_TABLE_SITE, NULL);
      g_assert_cmpuint (sites->len, ==, 1);
      remove_folder (folder);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/store/open/migrations", test_migrations);
  g_test_add_func ("/store/open/again", test_again);
  g_test_add_func ("/store/open/refusals", test_refusals);
  g_test_add_func ("/store/open/newer", test_newer);
  g_test_add_func ("/store/open/damage", test_damage);
  g_test_add_func ("/store/open/copy", test_copy);
  g_test_add_func ("/store/open/processes", test_processes);
  g_test_add_func ("/store/open/made-at-once", test_made_at_once);
  return g_test_run ();
}
