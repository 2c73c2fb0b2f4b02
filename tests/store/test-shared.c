/* What several people and programs rely on, whatever the driver: every text as it was, every change once, leases. */
#include "tests/store/fixture.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/store/statements.h"

/* --- texts --- */

static const char *const hostile[] = {
  "'",
  "\"",
  "`",
  "\\",
  "\\'",
  "'; DROP TABLE tag; --",
  "' OR '1'='1",
  "\") ; DELETE FROM run; #",
  "%s%n%x",
  "%_",
  "{id} {text} ?, ?",
  "/* */ -- #",
  "$(touch /tmp/x) `id`",
  "é",
  "e\xcc\x81", /* the same letter in two pieces */
  "ß",
  "ss",
  "ﬁ",
  "fi",
  "Run",
  "run",
  "RUN",
  "ı",
  "I",
  "blank",
  "blank ",
  "blank  ",
  " blank",
  "\xf0\x9f\x94\xac microscope",
  "\xe2\x80\xae"
  "backwards",
  "\xe2\x80\x8f\xe2\x80\x8e marks",
  "\xef\xbb\xbf"
  "byte order",
  "\xc2\xa0",
  "zero\xe2\x80\x8bwidth",
  "\xf4\x8f\xbf\xbf last",
  "NULL",
  "0",
  "-0",
  "1e309",
  "0x41",
  "\x01\x02\x03\x1a\x7f control",
};

static char *
long_text (gsize length)
{
  GString *text = g_string_new (NULL);
  while (text->len < length)
    g_string_append (text, hostile[text->len % G_N_ELEMENTS (hostile)]);
  return g_string_free (text, FALSE);
}

static void
check_texts (FlStore *store, const char *comment)
{
  for (guint i = 0; i < G_N_ELEMENTS (hostile); i++)
    {
      g_autoptr (GError) error = NULL;
      FlTag *tag = fl_store_find (store, FL_TABLE_TAG, hostile[i], &error);
      g_assert_no_error (error);
      g_assert_nonnull (tag);
      g_assert_cmpstr (tag->name, ==, hostile[i]);
      g_assert_cmpstr (tag->comment, ==, hostile[G_N_ELEMENTS (hostile) - 1 - i]);
      g_assert_cmpstr (tag->colour, ==, i == 0 ? comment : hostile[i]);
      fl_record_free (FL_TABLE_TAG, tag);
    }
  g_autoptr (GPtrArray) tags = fl_store_list (store, FL_TABLE_TAG, NULL);
  g_assert_cmpuint (tags->len, ==, G_N_ELEMENTS (hostile));
}

static void
test_texts (void)
{
  g_autofree char *folder = temporary_folder (), *large = long_text (1 << 20);
  {
    g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
    for (guint i = 0; i < G_N_ELEMENTS (hostile); i++)
      {
        FlTag tag = { .name = (char *) hostile[i],
                      .comment = (char *) hostile[G_N_ELEMENTS (hostile) - 1 - i],
                      .colour = (char *) hostile[i] };
        save (store, FL_TABLE_TAG, &tag);
        tag.id = 0;
        g_autoptr (GError) error = NULL;
        g_assert_false (
            fl_store_save (store, FL_TABLE_TAG, &tag, &error)); /* and only this one is the same */
        g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
      }
    g_assert_true (fl_store_set_text (store, FL_TABLE_TAG, 1, "colour", large, NULL));
    check_texts (store, large);
  }
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_READ_ONLY);
  check_texts (store, large);
  remove_folder (folder);
}

static void
test_not_text (void)
{
  static const char *const wrong[] = { "\xff", "a\xc3", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xc0\xaf" };
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_false (fl_store_save (store, FL_TABLE_TAG, &(FlTag){ .name = (char *) wrong[i] }, &error));
      g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
      g_autoptr (GError) audit = NULL;
      g_assert_false (fl_store_set_text (store, FL_TABLE_EXPERIMENT, 1, "comment", wrong[i], &audit));
      g_assert_error (audit, FL_ERROR, FL_ERROR_INPUT);
    }
  g_autoptr (GPtrArray) tags = fl_store_list (store, FL_TABLE_TAG, NULL);
  g_assert_cmpuint (tags->len, ==, 0);
  remove_folder (folder);
}

static FlDb *
open_db (const char *folder)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlDatabase) database = fl_database_find (folder, FALSE, &error);
  g_assert_no_error (error);
  FlDb *db = fl_db_open (database, FL_DB_WRITE, &error);
  g_assert_no_error (error);
  return db;
}

/* Any bytes, few and many, one by one and as rows. */
static void
test_bytes (void)
{
  static const gsize sizes[] = { 0, 1, 255, 256, 257, 70000, 3 << 20 };
  g_autofree char *folder = temporary_folder ();
  fl_store_close (open_store (folder, FL_STORE_CREATE));
  g_autoptr (FlDb) db = open_db (folder);
  g_autoptr (GError) error = NULL;
  g_autofree guint8 *bytes = g_malloc (3 << 20);
  FlRandom random = fl_random (1);
  for (gsize i = 0; i < 3 << 20; i++)
    bytes[i] = i < 256 ? (guint8) i : (guint8) fl_random_u64 (&random);
  const gint64 n = G_N_ELEMENTS (sizes);
  for (gint64 i = 0; i < n; i++)
    g_assert_true (fl_db_exec (db, SQL (db, COLUMN_ADD), &error, FL_INT (i), FL_BLOB (bytes, sizes[i])));
  FlValue rows[2 * G_N_ELEMENTS (sizes)];
  for (gint64 i = 0; i < n; i++)
    {
      rows[2 * i] = FL_INT (100 + i);
      rows[2 * i + 1] = FL_BLOB (bytes, sizes[i]);
    }
  fl_db_exec_rows (db, SQL (db, COLUMN_ADD), rows, (guint) n, 2, &error);
  g_assert_no_error (error);
  for (gint64 i = 0; i < 2 * n; i++)
    {
      gint64 id = i < n ? i : 100 + i - n;
      gsize length;
      g_autoptr (FlQuery) query = fl_db_query (db, SQL (db, COLUMN_READ), &error, FL_INT (id));
      g_assert_no_error (error);
      g_assert_true (fl_query_next (query, NULL));
      gconstpointer data = fl_query_blob (query, 0, &length);
      g_assert_cmpuint (length, ==, sizes[i % n]);
      g_assert_true (length == 0 || memcmp (data, bytes, length) == 0);
    }
  fl_db_close (g_steal_pointer (&db));
  remove_folder (folder);
}

/* The types of columns are the same whatever the driver; so are the extremes of numbers. */
static void
test_values (void)
{
  g_autofree char *folder = temporary_folder ();
  fl_store_close (open_store (folder, FL_STORE_CREATE));
  g_autoptr (FlDb) db = open_db (folder);
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) site = fl_db_columns (db, "site", &error);
  g_autoptr (GArray) column = fl_db_columns (db, "slice_column", &error);
  g_assert_no_error (error);
  static const int types[] = { FL_VALUE_INT,  FL_VALUE_INT,  FL_VALUE_TEXT, FL_VALUE_TEXT,
                               FL_VALUE_TEXT, FL_VALUE_TEXT, FL_VALUE_TEXT, FL_VALUE_TEXT,
                               FL_VALUE_TEXT, FL_VALUE_TEXT, FL_VALUE_INT };
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    g_assert_cmpint (g_array_index (site, FlDbColumn, i).type, ==, types[i]);
  g_assert_cmpstr (g_array_index (site, FlDbColumn, 2).name, ==, "name");
  g_assert_cmpint (g_array_index (column, FlDbColumn, 1).type, ==, FL_VALUE_BLOB);
  static const gint64 integers[] = { 0, 1, -1, G_MAXINT64, G_MININT64, 1LL << 53 };
  static const double reals[] = { 0, 0.1, -1e300, 5e-324, 1.7976931348623157e308, 1.0 / 3 };
  for (guint i = 0; i < G_N_ELEMENTS (integers); i++)
    {
      g_autofree char *name = g_strdup_printf ("w%u", i);
      g_assert_true (
          fl_db_exec (db,
                      "INSERT INTO watch (revision, name, root, path, kind, pattern, files, quiet, "
                      "quiet_run, active) VALUES (?, ?, '', '', '', '', '', ?, 0, 1)",
                      &error, FL_INT (integers[i]), FL_TEXT (name), FL_REAL (reals[i])));
      g_autoptr (FlQuery) query =
          fl_db_query (db, "SELECT revision, quiet FROM watch WHERE name = ?", &error, FL_TEXT (name));
      g_assert_true (fl_query_next (query, &error));
      g_assert_cmpint (fl_query_int (query, 0), ==, integers[i]);
      double real = fl_query_real (query, 1);
      g_assert_cmpmem (&real, sizeof real, &reals[i], sizeof real);
    }
  fl_db_close (g_steal_pointer (&db));
  remove_folder (folder);
}

/* What a database says of values that it does not want is one line, whatever they hold. */
static void
test_messages (void)
{
  static const char sql[] = "INSERT INTO root (revision, name, path) VALUES (1, ?, '')";
  static const char name[] = "\033[31m\r\n\xe2\x80\xae\007 name";
  g_autofree char *folder = temporary_folder ();
  fl_store_close (open_store (folder, FL_STORE_CREATE));
  g_autoptr (FlDb) db = open_db (folder);
  g_autoptr (GError) error = NULL;
  g_assert_true (fl_db_exec (db, sql, NULL, FL_TEXT (name)));
  g_assert_false (fl_db_exec (db, sql, &error, FL_TEXT (name)));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  g_assert_cmpint (fl_db_broken (db), ==, FL_DB_BROKE_UNIQUE);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_null (strpbrk (error->message, "\n\r\033\007"));
  g_assert_null (strstr (error->message, "\xe2\x80\xae"));
  g_clear_error (&error);
  g_assert_false (
      fl_db_exec (db, "INSERT INTO run_tag (revision, run, tag) VALUES (1, ?, 99)", &error, FL_INT (98)));
  g_assert_cmpint (fl_db_broken (db), ==, FL_DB_BROKE_REFERENCE);
  fl_db_close (g_steal_pointer (&db));
  remove_folder (folder);
}

/* --- everybody at once --- */

#define WRITERS 3
#define EACH    60

/* Tags of its own, frames that all write, what is taken back, what fails. */
static void
write_much (const char *folder, guint which)
{
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_WRITE);
  FlRandom random = fl_random (which);
  for (guint i = 0; i < EACH; i++)
    {
      g_autofree char *name = g_strdup_printf ("w%u-%u", which, i);
      g_autofree char *undone = g_strdup_printf ("undone %u-%u", which, i);
      FlShotRow row = make_shot (EACH * which + i + 1, FL_OUTCOME_HIT, 10, i);
      save (store, FL_TABLE_TAG, &(FlTag){ .name = name });
      g_assert_true (add_shots (store, 1, which, i + 1, &row, 1));
      if (fl_random_unit (&random) < 0.3)
        {
          g_assert_true (fl_store_begin (store, NULL));
          save (store, FL_TABLE_TAG, &(FlTag){ .name = undone });
          fl_store_rollback (store);
        }
      if (fl_random_unit (&random) < 0.3)
        g_assert_false (fl_store_save (store, FL_TABLE_TAG, &(FlTag){ .name = name }, NULL));
    }
}

static void
take_news (FlStore *store, gint64 *revision, gint64 *cursor, GHashTable *revisions, GHashTable *shots)
{
  g_autoptr (GError) error = NULL;
  gint64 before = *revision, last = before;
  g_autoptr (GPtrArray) changes = fl_store_changes (store, before, revision, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < changes->len; i++)
    {
      /* Every record begins with id and revision. */
      gint64 of = ((FlRun *) ((FlChange *) changes->pdata[i])->record)->revision;
      g_assert_cmpint (of, ==, last + 1); /* none is left out, none comes twice */
      g_assert_true (g_hash_table_add (revisions, g_memdup2 (&of, sizeof of)));
      last = of;
    }
  g_assert_cmpint (last, ==, *revision);
  g_autoptr (GPtrArray) blocks = fl_store_shots (store, 0, FL_SHOT_ID, 0, cursor, &error);
  g_assert_no_error (error);
  for (guint b = 0; b < blocks->len; b++)
    {
      const FlShotBlock *block = blocks->pdata[b];
      for (guint i = 0; i < block->n; i++)
        g_assert_true (g_hash_table_add (shots, g_memdup2 (&block->id[i], sizeof block->id[i])));
    }
}

static void
test_news (void)
{
  g_autofree char *folder = temporary_folder ();
  gint64 revision, cursor = 0;
  {
    g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
    g_assert_cmpint (add_attempt (store, add_job (store, 1, add_run (store, "r1", "complete")), 1), ==, 1);
    g_autoptr (GPtrArray) changes = fl_store_changes (store, 0, &revision, NULL);
  }
  pid_t children[WRITERS];
  for (guint i = 0; i < WRITERS; i++)
    if ((children[i] = fork ()) == 0)
      {
        write_much (folder, i);
        _exit (0);
      }
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_READ_ONLY);
  g_autoptr (GHashTable) revisions = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  g_autoptr (GHashTable) shots = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  guint working = WRITERS, pulse = fl_store_pulse (store), beats = 0;
  while (working > 0)
    {
      int status;
      pid_t done = waitpid (-1, &status, WNOHANG);
      g_assert_true (done <= 0 || status == 0);
      working -= done > 0;
      beats += pulse != fl_store_pulse (store);
      pulse = fl_store_pulse (store);
      take_news (store, &revision, &cursor, revisions, shots);
    }
  take_news (store, &revision, &cursor, revisions, shots);
  g_assert_cmpuint (g_hash_table_size (revisions), ==, WRITERS * EACH);
  g_assert_cmpuint (g_hash_table_size (shots), ==, WRITERS * EACH);
  g_assert_cmpuint (beats, >, 0);
  remove_folder (folder);
}

/* --- leases --- */

static void
test_lease (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) a = open_store (folder, FL_STORE_CREATE);
  g_autoptr (FlStore) b = open_store (folder, FL_STORE_WRITE);
  g_autofree char *holder = NULL, *seen = NULL;
  gint64 first = 0, second = 0;
  g_autoptr (GError) error = NULL;
  guint pulse = fl_store_pulse (b);
  g_assert_true (fl_store_lease (a, "conductor", "one", 1, &first, &holder, NULL));
  g_assert_cmpuint (fl_store_pulse (b), !=, pulse);
  g_assert_false (fl_store_lease (b, "conductor", "two", 1, &second, &holder, NULL));
  g_assert_cmpstr (holder, ==, "one");
  fl_store_fence (a, "conductor", first);
  g_assert_cmpint (add_run (a, "r1", "complete"), >, 0);
  seen = fl_store_lease_holder (b, "conductor", NULL);
  g_assert_cmpstr (seen, ==, "one");
  gint64 end = g_get_monotonic_time () + 5 * G_USEC_PER_SEC;
  while (!fl_store_lease (b, "conductor", "two", 60, &second, NULL, NULL))
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_usleep (20000);
    }
  g_assert_cmpint (second, >, first);
  g_assert_false (fl_store_save (a, FL_TABLE_RUN,
                                 &(FlRun){ .name = (char *) "r2", .state = (char *) "complete" }, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_BUSY);
  g_autoptr (GPtrArray) runs = fl_store_list (b, FL_TABLE_RUN, NULL);
  g_assert_cmpuint (runs->len, ==, 1);
  fl_store_close (g_steal_pointer (&a));
  fl_store_close (g_steal_pointer (&b));
  remove_folder (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/store/shared/texts", test_texts);
  g_test_add_func ("/store/shared/not-text", test_not_text);
  g_test_add_func ("/store/shared/bytes", test_bytes);
  g_test_add_func ("/store/shared/values", test_values);
  g_test_add_func ("/store/shared/messages", test_messages);
  g_test_add_func ("/store/shared/news", test_news);
  g_test_add_func ("/store/shared/lease", test_lease);
  return g_test_run ();
}
