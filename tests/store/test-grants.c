/* What an SQL account may do by the documented grants, tried with raw SQL on every table and by all that a GUI asks for. On
 * MariaDB only. */
#include "tests/store/fixture.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/store/grants.h"
#include "engine/store/store-private.h"

typedef struct
{
  char *folder;
  FlStore *owner;
} Fixture;

static FlStore *
open_as (const Fixture *f, const char *account, FlStoreMode mode)
{
  g_autoptr (GError) error = NULL;
  FlDatabase *where = fl_database_find (f->folder, FALSE, &error);
  g_assert_no_error (error);
  g_free (where->user);
  where->user = g_strdup (account);
  FlStore *store = fl_store_open_database (where, mode, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (fl_store_account (store), ==, account);
  return store;
}

static void
give (const Fixture *f, const char *account, FlRole role, gboolean make)
{
  g_autoptr (GError) error = NULL;
  FlGrant grant = { .account = account, .host = "%", .role = role, .password = make ? "" : NULL };
  fl_store_set_role (f->owner, account, role, &error);
  g_assert_no_error (error);
  fl_grants_give (f->owner, &grant, &error);
  g_assert_no_error (error);
}

static void
set_up (Fixture *f)
{
  f->folder = temporary_folder ();
  f->owner = open_store (f->folder, FL_STORE_CREATE);
  g_assert_true (fl_store_set_role (f->owner, "root", FL_ROLE_OWNER, NULL));
  gint64 run = add_run (f->owner, "r1", "complete");
  add_attempt (f->owner, add_job (f->owner, add_trial (f->owner, 1), run), 1);
}

static void
tear_down (Fixture *f)
{
  static const char *const accounts[] = { "fl_viewer", "fl_operator", "fl_owner" };
  for (guint i = 0; i < G_N_ELEMENTS (accounts); i++)
    {
      g_autofree char *sql = g_strdup_printf ("DROP USER IF EXISTS '%s'@'%%'", accounts[i]);
      g_assert_true (fl_db_exec_values (f->owner->db, sql, NULL, 0, NULL));
    }
  fl_store_close (f->owner);
  remove_folder (f->folder);
  g_free (f->folder);
}

/* Whether the server lets the account change the table in that way. */
static gboolean
may (FlStore *store, const char *table, const char *how)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) columns = fl_db_columns (store->db, table, NULL);
  const char *column = g_array_index (columns, FlDbColumn, 0).name;
  g_autofree char *sql = strcmp (how, "INSERT") == 0
                             ? g_strdup_printf ("INSERT INTO %s SELECT * FROM %s WHERE 1 = 0", table, table)
                         : strcmp (how, "UPDATE") == 0
                             ? g_strdup_printf ("UPDATE %s SET %s = %s WHERE 1 = 0", table, column, column)
                         : strcmp (how, "DELETE") == 0 ? g_strdup_printf ("DELETE FROM %s WHERE 1 = 0", table)
                                                       : g_strdup_printf ("%s %s", how, table);
  if (fl_db_exec_values (store->db, sql, NULL, 0, &error))
    return TRUE;
  g_assert_error (error, FL_ERROR, FL_ERROR_DENIED);
  return FALSE;
}

static void
test_raw (void)
{
  static const char *const ways[] = { "INSERT", "UPDATE", "DELETE", "TRUNCATE TABLE", "DROP TABLE" };
  Fixture f;
  set_up (&f);
  give (&f, "fl_viewer", FL_ROLE_VIEWER, TRUE);
  give (&f, "fl_operator", FL_ROLE_OPERATOR, TRUE);
  FlStore *stores[] = { open_as (&f, "fl_viewer", FL_STORE_WRITE),
                        open_as (&f, "fl_operator", FL_STORE_WRITE) };
  g_autoptr (GPtrArray) tables = fl_db_tables (f.owner->db, NULL);
  g_assert_cmpuint (tables->len, >, 20);
  for (guint i = 0; i < G_N_ELEMENTS (stores); i++)
    for (guint t = 0; t < tables->len; t++)
      for (guint w = 0; w < G_N_ELEMENTS (ways); w++)
        {
          const char *table = tables->pdata[t];
          gboolean presence = strcmp (table, "presence") == 0;
          gboolean kept = strcmp (table, "person") == 0 || strcmp (table, "experiment") == 0;
          gboolean grows = strcmp (table, "edit") == 0 || strcmp (table, "audit") == 0;
          gboolean expected = w < 3 && (presence || (i == 1 && !kept && (!grows || w == 0)));
          if (may (stores[i], table, ways[w]) != expected)
            g_error ("%s: %s %s", i == 0 ? "viewer" : "operator", ways[w], table);
        }
  static const char *const others[] = { "CREATE TABLE fl_new (a INT)", "CREATE USER fl_other",
                                        "GRANT ALL ON *.* TO fl_viewer", "SELECT * FROM mysql.user",
                                        "ALTER TABLE run ADD COLUMN a INT" };
  for (guint i = 0; i < G_N_ELEMENTS (stores); i++)
    for (guint k = 0; k < G_N_ELEMENTS (others); k++)
      g_assert_false (fl_db_exec_values (stores[i]->db, others[k], NULL, 0, NULL));
  fl_store_close (stores[0]);
  fl_store_close (stores[1]);
  tear_down (&f);
}

static void
check_denied (gboolean done, GError **error)
{
  g_assert_false (done);
  g_assert_error (*error, FL_ERROR, FL_ERROR_DENIED);
  g_clear_error (error);
}

static void
test_viewer (void)
{
  Fixture f;
  set_up (&f);
  give (&f, "fl_viewer", FL_ROLE_VIEWER, TRUE);
  g_autoptr (GError) error = NULL;
  g_autoptr (FlStore) store = open_as (&f, "fl_viewer", FL_STORE_WRITE);
  g_assert_cmpint (fl_store_role (store), ==, FL_ROLE_VIEWER);
  FlTag tag = { .name = (char *) "t" };
  check_denied (fl_store_save (store, FL_TABLE_TAG, &tag, &error), &error);
  gint64 fencing;
  g_assert_false (fl_store_lease (store, "conductor", "me", 60, &fencing, NULL, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_DENIED);
  g_clear_error (&error);
  check_denied (fl_store_set_role (store, "fl_viewer", FL_ROLE_OWNER, &error), &error);
  /* Sees everything, and is seen. */
  g_assert_true (fl_store_be_present (store, "s1", "here", "test", "Runs", &error));
  g_assert_no_error (error);
  g_autoptr (GPtrArray) present = fl_store_present (store, &error),
                        runs = fl_store_list (store, FL_TABLE_RUN, &error),
                        edits = fl_store_edits (store, 0, 10, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (present->len, ==, 1);
  g_assert_cmpuint (runs->len, ==, 1);
  g_assert_true (fl_store_go (store, "s1", &error));
  tear_down (&f);
}

/* What the record is, on every table that a person or a conductor writes. */
static void
write_records (FlStore *store)
{
  FlTag tag = { .name = (char *) "tag", .comment = (char *) "c" };
  save (store, FL_TABLE_TAG, &tag);
  gint64 run = add_run (store, "r2", "recording"), trial = add_trial (store, 2);
  FlRunTag both = { .run = run, .tag = tag.id };
  save (store, FL_TABLE_RUN_TAG, &both);
  FlBlock block = { .name = (char *) "b", .active = TRUE };
  save (store, FL_TABLE_BLOCK, &block);
  FlDataset dataset = { .name = (char *) "d", .expression = (char *) "tag", .active = TRUE };
  save (store, FL_TABLE_DATASET, &dataset);
  FlWatch watch = { .name = (char *) "w", .kind = (char *) "folders" };
  save (store, FL_TABLE_WATCH, &watch);
  FlSite site = { .name = (char *) "far", .kind = (char *) "ssh" };
  save (store, FL_TABLE_SITE, &site);
  gint64 job = add_job (store, trial, run), attempt = add_attempt (store, job, 1);
  FlShotRow shots[3];
  for (guint i = 0; i < G_N_ELEMENTS (shots); i++)
    shots[i] = make_shot (i + 1, FL_OUTCOME_HIT, 20, i + 1);
  g_assert_true (add_shots (store, attempt, 0, 1, shots, G_N_ELEMENTS (shots)));
  compact (store, attempt);
  g_autoptr (GError) error = NULL;
  g_assert_true (fl_store_set_text (store, FL_TABLE_RUN, run, "comment", "seen", &error));
  g_assert_true (fl_store_want_stop (store, job, &error));
  g_assert_true (fl_store_want_retry (store, job, &error));
  gint64 fencing;
  g_assert_true (fl_store_lease (store, "conductor", "me", 60, &fencing, NULL, &error));
  g_assert_true (fl_store_release (store, "conductor", "me", &error));
  g_assert_true (fl_store_remove (store, FL_TABLE_TAG, tag.id, &error));
  g_assert_true (fl_store_remove (store, FL_TABLE_SITE, site.id, &error));
  g_assert_true (fl_store_be_present (store, "s", "here", "test", "Runs", &error));
  g_assert_no_error (error);
}

static void
test_operator (void)
{
  Fixture f;
  set_up (&f);
  give (&f, "fl_operator", FL_ROLE_OPERATOR, TRUE);
  g_autoptr (GError) error = NULL;
  g_autoptr (FlStore) store = open_as (&f, "fl_operator", FL_STORE_WRITE);
  fl_store_act_for_person (store, "console 3");
  write_records (store);
  gint64 last = fl_store_last_undoable (store, &error);
  g_assert_cmpint (last, >, 0);
  g_assert_true (fl_store_undo (store, last, NULL, &error));
  g_assert_no_error (error);
  check_denied (fl_store_set_role (store, "fl_operator", FL_ROLE_OWNER, &error), &error);
  FlExperiment *experiment = fl_store_get (store, FL_TABLE_EXPERIMENT, 1, &error);
  check_denied (fl_store_save (store, FL_TABLE_EXPERIMENT, experiment, &error), &error);
  fl_record_free (FL_TABLE_EXPERIMENT, experiment);
  /* Another role takes away what it does not give. */
  give (&f, "fl_operator", FL_ROLE_VIEWER, FALSE);
  g_autoptr (FlStore) now = open_as (&f, "fl_operator", FL_STORE_WRITE);
  g_assert_false (may (now, "run", "INSERT"));
  tear_down (&f);
}

static void
test_owner (void)
{
  Fixture f;
  set_up (&f);
  give (&f, "fl_owner", FL_ROLE_OWNER, TRUE);
  g_autoptr (GError) error = NULL;
  g_autoptr (FlStore) store = open_as (&f, "fl_owner", FL_STORE_WRITE);
  write_records (store);
  g_assert_true (fl_store_set_role (store, "somebody", FL_ROLE_OPERATOR, &error));
  g_assert_no_error (error);
  /* None at all. */
  give (&f, "fl_owner", FL_ROLE_LAST, FALSE);
  FlDatabase *where = fl_database_find (f.folder, FALSE, &error);
  g_free (where->user);
  where->user = g_strdup ("fl_owner");
  g_assert_null (fl_store_open_database (where, FL_STORE_READ_ONLY, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_DENIED);
  tear_down (&f);
}

static void
test_names (void)
{
  Fixture f;
  set_up (&f);
  static const char *const names[] = { "", "o'brien", "a\"b", "back`tick", "a\\b", "line\nbreak", "\xff" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GError) error = NULL;
      FlGrant grant = { .account = names[i], .host = "%", .role = FL_ROLE_VIEWER };
      g_assert_null (fl_grants_sql (f.owner, &grant, &error));
      g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
    }
  tear_down (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (!on_mysql ())
    {
      g_print ("1..0 # SKIP is about a server\n");
      return 0;
    }
  g_test_add_func ("/grants/raw", test_raw);
  g_test_add_func ("/grants/viewer", test_viewer);
  g_test_add_func ("/grants/operator", test_operator);
  g_test_add_func ("/grants/owner", test_owner);
  g_test_add_func ("/grants/names", test_names);
  return g_test_run ();
}
