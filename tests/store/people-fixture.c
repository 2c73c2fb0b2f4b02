#include "tests/store/people-fixture.h"

#include <sqlite3.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/store/mirror.h"

void
become (FlStore *store, const char *account)
{
  g_free (store->account);
  store->account = g_strdup (account);
}

void
set_role (FlStore *store, const char *who, FlRole role)
{
  g_autoptr (GError) error = NULL;
  fl_store_set_role (store, who, role, &error);
  g_assert_no_error (error);
}

/* --- a record of every table --- */

static gint64
first_of (FlStore *store, FlTable table)
{
  g_autoptr (GPtrArray) all = fl_store_list (store, table, NULL);
  g_assert_cmpuint (all->len, >, 0);
  return *(gint64 *) all->pdata[0];
}

void
make_all (FlStore *store, All *all)
{
  gint64 *ids = all->ids, site = first_of (store, FL_TABLE_SITE), task = first_of (store, FL_TABLE_TASK);
  FlTag tag = { .name = (char *) "good" };
  FlBlock block = { .name = (char *) "night" };
  FlDataset dataset = { .name = (char *) "all" };
  FlWatch watch = { .name = (char *) "incoming", .kind = (char *) "files" };
  FlSiteRoot root = { .site = site, .root = (char *) "data", .path = (char *) "/there" };
  FlWorker worker = { .name = (char *) "runs" };
  g_autoptr (GError) error = NULL;
  gint64 run = add_run (store, "r0001", "complete"), trial = add_trial (store, 1);
  gint64 job = add_job (store, trial, run), attempt = add_attempt (store, job, 1);
  FlShotRow row = make_shot (1, FL_OUTCOME_HIT, 20, 5);
  add_shots (store, attempt, 0, 1, &row, 1);
  save (store, FL_TABLE_TAG, &tag);
  FlRunTag run_tag = { .run = run, .tag = tag.id };
  save (store, FL_TABLE_RUN_TAG, &run_tag);
  save (store, FL_TABLE_BLOCK, &block);
  save (store, FL_TABLE_DATASET, &dataset);
  FlDatasetVersion version = { .dataset = dataset.id, .number = 1 };
  save (store, FL_TABLE_DATASET_VERSION, &version);
  FlVersionJob version_job = { .version = version.id, .job = job };
  save (store, FL_TABLE_VERSION_JOB, &version_job);
  FlDatasetTask step = { .dataset = dataset.id, .task = task, .number = 1 };
  save (store, FL_TABLE_DATASET_TASK, &step);
  save (store, FL_TABLE_WATCH, &watch);
  save (store, FL_TABLE_SITE_ROOT, &root);
  save (store, FL_TABLE_WORKER, &worker);
  set_role (store, fl_store_account (store), FL_ROLE_OWNER);
  for (FlTable table = 0; table < FL_TABLE_LAST; table++)
    ids[table] = first_of (store, table);
  fl_store_act_for_person (store, "hall");
  g_assert_true (fl_store_set_text (store, FL_TABLE_RUN, run, "comment", "so", &error));
  g_assert_true (fl_store_set_text (store, FL_TABLE_TAG, tag.id, "comment", "so", &error));
  all->edit = fl_store_last_undoable (store, &error);
  g_assert_cmpint (all->edit, !=, 0);
}

/* --- changes --- */

static guint
any (FlRandom *random, guint n)
{
  return (guint) (fl_random_u64 (random) % n);
}

static gpointer
any_of (FlStore *store, FlTable table, FlRandom *random)
{
  g_autoptr (GPtrArray) all = fl_store_list (store, table, NULL);
  return all->len > 0 ? fl_store_get (store, table, *(gint64 *) all->pdata[any (random, all->len)], NULL)
                      : NULL;
}

void
prepare_random (FlStore *store, FlRandom *random)
{
  static const char *const names[] = { "r1", "r2", "r3", "r4", "r5" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    add_run (store, names[i], "complete");
  for (int i = 1; i <= 3; i++)
    add_trial (store, i);
  for (guint i = 0; i < 20; i++)
    change_randomly (store, random);
}

static void
make_tag (FlStore *store, FlRandom *random)
{
  g_autofree char *name = g_strdup_printf ("t%u", any (random, 40)); /* sometimes one that there has been */
  FlTag *there = fl_store_find (store, FL_TABLE_TAG, name, NULL);
  FlTag tag = { .name = name, .comment = (char *) "line\nline\\", .persistent = any (random, 2) == 1 };
  if (there == NULL)
    save (store, FL_TABLE_TAG, &tag);
  fl_record_free (FL_TABLE_TAG, there);
}

static void
change_tag (FlStore *store, FlRandom *random)
{
  FlTag *tag = any_of (store, FL_TABLE_TAG, random);
  if (tag == NULL)
    return;
  if (any (random, 3) == 0)
    g_assert_true (fl_store_remove (store, FL_TABLE_TAG, tag->id, NULL));
  else
    {
      g_free (tag->name);
      g_free (tag->colour);
      tag->name = g_strdup_printf ("u%u", any (random, G_MAXINT));
      tag->colour = g_strdup_printf ("#%06x", any (random, 1000));
      tag->persistent = any (random, 2) == 1;
      save (store, FL_TABLE_TAG, tag);
    }
  fl_record_free (FL_TABLE_TAG, tag);
}

static void
put_on_run (FlStore *store, FlRandom *random)
{
  FlTag *tag = any_of (store, FL_TABLE_TAG, random);
  FlRun *run = any_of (store, FL_TABLE_RUN, random);
  FlRunTag put = { .run = run->id, .tag = tag != NULL ? tag->id : 0 };
  g_autoptr (GError) error = NULL; /* it may carry it already */
  if (tag != NULL)
    {
      g_autoptr (GPtrArray) all = fl_store_list (store, FL_TABLE_RUN_TAG, NULL);
      gboolean has = FALSE;
      for (guint i = 0; i < all->len; i++)
        has |= ((FlRunTag *) all->pdata[i])->run == put.run && ((FlRunTag *) all->pdata[i])->tag == put.tag;
      if (!has)
        save (store, FL_TABLE_RUN_TAG, &put);
    }
  fl_record_free (FL_TABLE_TAG, tag);
  fl_record_free (FL_TABLE_RUN, run);
}

static void
take_off_run (FlStore *store, FlRandom *random)
{
  FlRunTag *one = any_of (store, FL_TABLE_RUN_TAG, random);
  if (one != NULL)
    g_assert_true (fl_store_remove (store, FL_TABLE_RUN_TAG, one->id, NULL));
  fl_record_free (FL_TABLE_RUN_TAG, one);
}

static void
comment_run (FlStore *store, FlRandom *random)
{
  FlRun *run = any_of (store, FL_TABLE_RUN, random);
  g_autofree char *text = g_strdup_printf ("%u\n'; --", any (random, 4));
  g_assert_true (fl_store_set_text (store, FL_TABLE_RUN, run->id, "comment", text, NULL));
  fl_record_free (FL_TABLE_RUN, run);
}

static void
activate_trial (FlStore *store, FlRandom *random)
{
  FlTrial *trial = any_of (store, FL_TABLE_TRIAL, random);
  g_assert_true (fl_store_set_int (store, FL_TABLE_TRIAL, trial->id, "active", any (random, 2), NULL));
  fl_record_free (FL_TABLE_TRIAL, trial);
}

void
change_randomly (FlStore *store, FlRandom *random)
{
  static void (*const deeds[]) (FlStore *, FlRandom *) = { make_tag,    make_tag,      change_tag,
                                                           put_on_run,  put_on_run,    take_off_run,
                                                           comment_run, activate_trial };
  g_autoptr (GError) error = NULL;
  g_assert_true (fl_store_begin (store, &error));
  for (guint n = 1 + any (random, 5); n > 0; n--)
    deeds[any (random, G_N_ELEMENTS (deeds))](store, random);
  fl_store_commit (store, &error);
  g_assert_no_error (error);
}

char *
undoable_state (FlStore *store)
{
  static const FlTable tables[] = { FL_TABLE_TAG, FL_TABLE_RUN_TAG, FL_TABLE_RUN, FL_TABLE_TRIAL };
  GString *text = g_string_new (NULL);
  for (guint t = 0; t < G_N_ELEMENTS (tables); t++)
    {
      g_autoptr (GPtrArray) all = fl_store_list (store, tables[t], NULL);
      for (guint i = 0; i < all->len; i++)
        {
          g_autofree char *lines = fl_record_lines (tables[t], all->pdata[i]);
          g_string_append_printf (text, "%s %" G_GINT64_FORMAT "\n%s\n", fl_table_name (tables[t]),
                                  *(gint64 *) all->pdata[i], lines);
        }
    }
  return g_string_free (text, FALSE);
}

/* --- an older store --- */

extern const char fl_schema_scripts[];

static void
make_version_4 (const char *folder)
{
  static const char *const words[][2] = { { "{id}", "INTEGER PRIMARY KEY AUTOINCREMENT" },
                                          { "{int}", "INTEGER" },
                                          { "{text}", "TEXT" },
                                          { "{name}", "TEXT" },
                                          { "{real}", "REAL" },
                                          { "{blob}", "BLOB" },
                                          { "{keyed}", "WITHOUT ROWID" },
                                          { "{new} ", "" } };
  g_autoptr (GString) text = g_string_new (fl_schema_scripts);
  char *next = strstr (text->str, "-- migration 5");
  g_assert_nonnull (next);
  g_string_truncate (text, (gsize) (next - text->str));
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    g_string_replace (text, words[i][0], words[i][1], 0);
  g_string_append (text, "INSERT INTO counter VALUES ('schema', 4), ('revision', 5), ('stamp', 0);"
                         "INSERT INTO tag VALUES (7, 3, 'kept', 'through it all', '', 1);"
                         "INSERT INTO audit VALUES (3, 1000, 'ana', 'made the tag ''kept''');"
                         "INSERT INTO audit VALUES (9, 2000, 'bob', 'looked at it');");
  g_autofree char *path = g_build_filename (folder, FL_STORE_FILE, NULL);
  sqlite3 *db;
  char *message = NULL;
  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  if (sqlite3_exec (db, text->str, NULL, NULL, &message) != SQLITE_OK)
    g_error ("%s", message);
  sqlite3_close (db);
}

static void
check_old (FlStore *store)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) all = fl_store_edits (store, 0, 100, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (all->len, ==, 2);
  const FlEdit *bob = all->pdata[0], *ana = all->pdata[1];
  g_assert_cmpint (bob->id, ==, 9);
  g_assert_cmpint (ana->kind, ==, FL_EDIT_SAID);
  g_assert_cmpstr (ana->who, ==, "ana");
  g_assert_cmpstr (ana->after, ==, "made the tag 'kept'");
  g_assert_cmpuint (ana->time, ==, 1000);
  g_assert_false (ana->undoable);
  g_assert_false (fl_store_undo (store, ana->id, NULL, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  g_assert_cmpint (fl_store_role (store), ==, FL_ROLE_OWNER);
}

void
test_old (void)
{
  SKIP_ON_MYSQL
  g_autofree char *folder = temporary_folder ();
  make_version_4 (folder);
  for (guint i = 0; i < 2; i++) /* what was noted is taken over once */
    {
      g_autoptr (FlStore) store = open_store (folder, FL_STORE_WRITE);
      check_old (store);
      g_assert_true (
          fl_db_exec (store->db, "UPDATE counter SET value = 4 WHERE name = ?", NULL, FL_TEXT ("schema")));
    }
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_WRITE);
  fl_store_act_for_person (store, "hall");
  g_assert_true (fl_store_set_text (store, FL_TABLE_TAG, 7, "comment", "now", NULL));
  g_assert_cmpint (fl_store_last_undoable (store, NULL), ==, 10);
  remove_folder (folder);
}

GPtrArray *
edits (FlStore *store, gint64 before, guint limit)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *all = fl_store_edits (store, before, limit, &error);
  g_assert_no_error (error);
  return all;
}

gint64
newest (FlStore *store)
{
  g_autoptr (GPtrArray) one = edits (store, 0, 1);
  return ((FlEdit *) one->pdata[0])->id;
}

void
undo (FlStore *store, gint64 id)
{
  g_autoptr (GError) error = NULL;
  fl_store_undo (store, id, NULL, &error);
  g_assert_no_error (error);
}

guint
count (FlStore *store, FlTable table)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) all = fl_store_list (store, table, &error);
  g_assert_no_error (error);
  return all->len;
}
