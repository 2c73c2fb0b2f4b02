/* A store from one driver to another and back: nothing changed, numbers go on, a killed copy begins anew. */
#include "tests/store/fixture.h"

#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/store/copy.h"
#include "engine/store/people.h"
#include "engine/store/store-private.h"

static const char *const hostile[] = {
  "plain",
  "a ",
  "a",
  "A",
  "ä",
  "\"; DROP TABLE run; --",
  "' OR '1'='1",
  "\\",
  "%s%n",
  "\xf0\x9f\x92\xa5 \xe2\x80\xae reversed",
  "\xef\xbf\xbf",
  "ss\xcc\x81",
  "\xc3\x9f",
};

static char *
moved_folder (const char *folder, const char *name)
{
  char *path = g_build_filename (folder, name, NULL);
  g_assert_cmpint (g_mkdir_with_parents (path, 0777), ==, 0);
  return path;
}

static FlDatabase *
find (const char *where)
{
  g_autoptr (GError) error = NULL;
  FlDatabase *database = fl_database_find (where, TRUE, &error);
  g_assert_no_error (error);
  return database;
}

/* The other side: a database on a server, or one more file. */
static FlDatabase *
other_side (const char *folder)
{
  g_autofree char *other = on_mysql () ? g_strdup (folder) : moved_folder (folder, "other");
  return find (other);
}

static void
empty_other_side (const FlDatabase *other)
{
  if (other->driver == FL_DRIVER_SQLITE)
    return;
  g_autoptr (FlDb) db = fl_db_open (other, FL_DB_CREATE, NULL);
  g_assert_true (fl_db_check_references (db, FALSE, NULL));
  g_autoptr (GPtrArray) tables = fl_db_tables (db, NULL);
  for (guint i = 0; i < tables->len; i++)
    {
      g_autofree char *sql = g_strdup_printf ("DROP TABLE %s", (char *) tables->pdata[i]);
      g_assert_true (fl_db_exec_values (db, sql, NULL, 0, NULL));
    }
}

static void
add_slices (FlStore *store, gint64 attempt, guint n, guint rows)
{
  FlShotRow *shots = g_new (FlShotRow, rows);
  g_assert_true (fl_store_begin (store, NULL));
  for (guint i = 0; i < n; i++)
    {
      for (guint k = 0; k < rows; k++)
        shots[k] = make_shot (i * rows + k + 1, k % 3 == 0 ? FL_OUTCOME_FAILED : FL_OUTCOME_HIT, k, i + 1);
      shots[0].message = (char *) hostile[i % G_N_ELEMENTS (hostile)];
      shots[0].resolution = i % 2 == 0 ? INFINITY : NAN;
      shots[0].energy = i % 2 == 0 ? NAN : -INFINITY;
      shots[0].solvent = INFINITY;
      g_assert_true (add_shots (store, attempt, i % 7, i + 1, shots, rows));
    }
  g_assert_true (fl_store_commit (store, NULL));
  g_free (shots);
}

/* An experiment with something in every table that takes it. */
static void
fill (FlStore *store, guint slices)
{
  for (guint i = 0; i < G_N_ELEMENTS (hostile); i++)
    {
      FlTag tag = { .name = (char *) hostile[i],
                    .comment = (char *) hostile[i],
                    .colour = (char *) "#123456" };
      save (store, FL_TABLE_TAG, &tag);
      FlRun run = {
        .name = (char *) hostile[i], .state = (char *) "complete", .bytes = G_MAXINT64, .shots = 7
      };
      save (store, FL_TABLE_RUN, &run);
      FlRunTag both = { .run = run.id, .tag = tag.id };
      save (store, FL_TABLE_RUN_TAG, &both);
      fl_store_act_for_person (store, hostile[i]);
    }
  FlWatch watch = { .name = (char *) "w", .quiet = 0.1, .quiet_run = 1e-300, .kind = (char *) "folders" };
  save (store, FL_TABLE_WATCH, &watch);
  gint64 trial = add_trial (store, 1);
  gint64 job = add_job (store, trial, 1);
  gint64 first = add_attempt (store, job, 1);
  add_slices (store, first, 40, 5);
  compact (store, first);
  gint64 job2 = add_job (store, trial, 2);
  add_slices (store, add_attempt (store, job2, 1), slices, 2);
  gint64 fencing;
  g_assert_true (fl_store_lease (store, "conductor", "somebody", 60, &fencing, NULL, NULL));
  /* The newest tag and run are gone: their numbers must not come again. */
  FlRun last = { .name = (char *) "last", .state = (char *) "complete" };
  save (store, FL_TABLE_RUN, &last);
  g_assert_true (fl_store_remove (store, FL_TABLE_RUN, last.id, NULL));
}

static int
compare_rows (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* Every row of every table, as text. */
static char *
dump (FlStore *store)
{
  g_autoptr (GPtrArray) tables = fl_db_tables (store->db, NULL);
  GString *text = g_string_new (NULL);
  for (guint t = 0; t < tables->len; t++)
    {
      const char *table = tables->pdata[t];
      if (strcmp (table, "lease") == 0 || strcmp (table, "presence") == 0)
        continue;
      g_autoptr (GArray) columns = fl_db_columns (store->db, table, NULL);
      g_autofree char *sql = g_strdup_printf ("SELECT * FROM %s", table);
      g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func (g_free);
      g_autoptr (FlQuery) query = fl_db_query_values (store->db, sql, NULL, 0, NULL);
      while (fl_query_next (query, NULL))
        {
          GString *row = g_string_new (table);
          for (guint c = 0; c < columns->len; c++)
            {
              const FlDbColumn *column = &g_array_index (columns, FlDbColumn, c);
              gsize length;
              gconstpointer bytes;
              g_string_append_printf (row, " %s:%d=", column->name, column->type);
              if (column->type == FL_VALUE_INT)
                g_string_append_printf (row, "%" G_GINT64_FORMAT, fl_query_int (query, (int) c));
              else if (column->type == FL_VALUE_REAL)
                g_string_append_printf (row, "%.17g", fl_query_real (query, (int) c));
              else
                {
                  bytes = fl_query_blob (query, (int) c, &length);
                  for (gsize i = 0; i < length; i++)
                    g_string_append_printf (row, "%02x", ((const guint8 *) bytes)[i]);
                }
            }
          g_ptr_array_add (rows, g_string_free (row, FALSE));
        }
      g_ptr_array_sort (rows, compare_rows);
      for (guint i = 0; i < rows->len; i++)
        g_string_append_printf (text, "%s\n", (char *) rows->pdata[i]);
    }
  return g_string_free (text, FALSE);
}

static char *
fingerprint (FlStore *store)
{
  g_autoptr (GError) error = NULL;
  char *print = fl_store_fingerprint (store, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (strlen (print), ==, 32);
  return print;
}

static FlStore *
open_at (const FlDatabase *where, FlStoreMode mode)
{
  g_autoptr (GError) error = NULL;
  FlStore *store = fl_store_open_database (fl_database_copy (where), mode, &error);
  g_assert_no_error (error);
  return store;
}

static void
copy (FlStore *from, const FlDatabase *to)
{
  g_autoptr (GError) error = NULL;
  fl_store_copy (from, to, NULL, NULL, &error);
  g_assert_no_error (error);
}

/* Whatever is in the tables: the same rows, and the next number is one that has never been given. */
static void
check_same (FlStore *a, FlStore *b)
{
  g_autofree char *print_a = fingerprint (a), *print_b = fingerprint (b), *text_a = dump (a),
                  *text_b = dump (b);
  g_assert_cmpstr (text_a, ==, text_b);
  g_assert_cmpstr (print_a, ==, print_b);
}

static void
test_round_trip (void)
{
  g_autofree char *folder = temporary_folder (), *here = moved_folder (folder, "here"),
                  *back = moved_folder (folder, "back");
  g_autoptr (FlDatabase) other = other_side (folder), last = find (back);
  g_autoptr (FlStore) store = open_store (here, FL_STORE_CREATE);
  fill (store, 100);
  empty_other_side (other);
  copy (store, other);
  g_autoptr (FlStore) there = open_at (other, FL_STORE_WRITE);
  check_same (store, there);
  g_autofree char *holder = fl_store_lease_holder (there, "conductor", NULL);
  g_assert_null (holder);
  copy (there, last);
  g_autoptr (FlStore) again = open_at (last, FL_STORE_WRITE);
  check_same (store, again);
  /* Each goes on with the same numbers: records, slices, revisions and stamps. */
  FlStore *stores[] = { store, there, again };
  for (guint i = 0; i < G_N_ELEMENTS (stores); i++)
    {
      gint64 run = add_run (stores[i], "next", "complete");
      g_assert_cmpint (run, ==, G_N_ELEMENTS (hostile) + 2);
      FlShotRow shot = make_shot (1, FL_OUTCOME_HIT, 1, 1);
      g_assert_false (add_shots (stores[i], 1, 0, 1, &shot, 1)); /* known already, compacted since */
    }
  g_assert_true (fl_store_remove (store, FL_TABLE_RUN, G_N_ELEMENTS (hostile) + 2, NULL));
  g_autofree char *changed = fingerprint (store), *before = fingerprint (again);
  g_assert_cmpstr (changed, !=, before);
  /* A database that holds an experiment is left alone. */
  g_autoptr (GError) error = NULL;
  g_assert_false (fl_store_copy (store, other, NULL, NULL, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  g_assert_null (strchr (error->message, '\n'));
  remove_folder (folder);
}

static void
test_many_slices (void)
{
  g_autofree char *folder = temporary_folder (), *here = moved_folder (folder, "here"),
                  *back = moved_folder (folder, "back");
  g_autoptr (FlDatabase) other = other_side (folder), last = find (back);
  g_autoptr (FlStore) store = open_store (here, FL_STORE_CREATE);
  fill (store, 100000);
  empty_other_side (other);
  guint64 begin = fl_tick_ns ();
  copy (store, other);
  g_autoptr (FlStore) there = open_at (other, FL_STORE_READ_ONLY);
  g_test_message ("100 000 slices copied in %.2f s", (double) (fl_tick_ns () - begin) * 1e-9);
  copy (there, last);
  g_autoptr (FlStore) again = open_at (last, FL_STORE_READ_ONLY);
  begin = fl_tick_ns ();
  g_autofree char *a = fingerprint (store), *b = fingerprint (there), *c = fingerprint (again);
  g_test_message ("three fingerprints in %.2f s", (double) (fl_tick_ns () - begin) * 1e-9);
  g_assert_cmpstr (a, ==, b);
  g_assert_cmpstr (a, ==, c);
  remove_folder (folder);
}

static void
die_at (const char *table G_GNUC_UNUSED, guint64 rows G_GNUC_UNUSED, guint64 of G_GNUC_UNUSED, gpointer data)
{
  guint *left = data;
  if ((*left)-- == 0)
    kill (getpid (), SIGKILL);
}

static void
test_killed (void)
{
  g_autofree char *folder = temporary_folder (), *here = moved_folder (folder, "here");
  g_autoptr (FlDatabase) other = other_side (folder);
  {
    g_autoptr (FlStore) store = open_store (here, FL_STORE_CREATE);
    fill (store, 5000);
  }
  empty_other_side (other);
  guint killed = 0;
  for (guint calls = 0; calls < 40; calls += 3)
    {
      pid_t child = fork ();
      if (child == 0)
        {
          g_autoptr (FlStore) store = fl_store_open (here, FL_STORE_READ_ONLY, NULL);
          guint left = calls;
          _exit (fl_store_copy (store, other, die_at, &left, NULL) ? 0 : 1);
        }
      int status;
      g_assert_cmpint (waitpid (child, &status, 0), ==, child);
      if (WIFSIGNALED (status))
        killed++;
      else
        {
          g_assert_cmpint (WEXITSTATUS (status), ==, 0);
          break;
        }
    }
  g_assert_cmpuint (killed, >, 3);
  g_autoptr (FlStore) store = open_store (here, FL_STORE_READ_ONLY),
                      there = open_at (other, FL_STORE_READ_ONLY);
  check_same (store, there);
  remove_folder (folder);
}

/* What is not a number, or no text, comes into no store, whatever its driver. */
static void
test_not_allowed (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlDatabase) other = other_side (folder);
  empty_other_side (other);
  g_autoptr (FlStore) store = open_at (other, FL_STORE_CREATE);
  const double values[] = { NAN, INFINITY, -INFINITY };
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autoptr (GError) error = NULL;
      FlWatch watch = { .name = (char *) "w", .quiet = values[i], .kind = (char *) "folders" };
      g_assert_false (fl_store_save (store, FL_TABLE_WATCH, &watch, &error));
      g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
    }
  g_autoptr (GError) error = NULL;
  g_assert_false (fl_store_be_present (store, "\xff\xfe", "", "", "", &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  remove_folder (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/copy/round-trip", test_round_trip);
  g_test_add_func ("/copy/many-slices", test_many_slices);
  g_test_add_func ("/copy/killed", test_killed);
  g_test_add_func ("/copy/not-allowed", test_not_allowed);
  return g_test_run ();
}
