/* A mirror of a store that is written to: whatever is done to the store, in whatever batches it is followed, killed and
 * begun again, in the end both hold the same, and readers of the mirror have counted what readers of the store have.
 *
 *   test-mirror --write FOLDER SEED ROUNDS    writes to a store in FOLDER, for tests of `follow`
 *   test-mirror --shots FOLDER SEED SHOTS     the same many shots in jobs of 100,000, every other one compacted */
#include <sqlite3.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/store/feed.h"
#include "engine/store/mirror.h"
#include "engine/store/stats.h"

#include "tests/store/writer.h"

/* --- what a store holds, as text --- */

static void
dump_rows (sqlite3 *db, const char *sql, GString *out)
{
  sqlite3_stmt *s;
  g_assert_cmpint (sqlite3_prepare_v2 (db, sql, -1, &s, NULL), ==, SQLITE_OK);
  while (sqlite3_step (s) == SQLITE_ROW)
    {
      for (int i = 0; i < sqlite3_column_count (s); i++)
        {
          int length = sqlite3_column_bytes (s, i);
          gconstpointer bytes = sqlite3_column_blob (s, i);
          if (length > 200)
            g_string_append_printf (out, "%d bytes %016lx|", length,
                                    (unsigned long) fl_hash64 (bytes, (gsize) length, 0));
          else
            for (int k = 0; k < length; k++)
              g_string_append_printf (out, g_ascii_isprint (((const char *) bytes)[k]) ? "%c" : "\\%02x",
                                      ((const guint8 *) bytes)[k]);
          g_string_append_c (out, '|');
        }
      g_string_append_c (out, '\n');
    }
  sqlite3_finalize (s);
}

static char *
dump (const char *folder)
{
  static const char *const left_out[] = { "counter", "slice_key", "journal", "sqlite_sequence", NULL };
  g_autofree char *path = g_build_filename (folder, FL_STORE_FILE, NULL);
  GString *out = g_string_new (NULL);
  sqlite3 *db;
  sqlite3_stmt *tables;
  g_assert_cmpint (sqlite3_open_v2 (path, &db, SQLITE_OPEN_READONLY, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_prepare_v2 (db,
                                       "SELECT name FROM sqlite_master WHERE type = 'table' "
                                       "ORDER BY name",
                                       -1, &tables, NULL),
                   ==, SQLITE_OK);
  while (sqlite3_step (tables) == SQLITE_ROW)
    {
      const char *table = (const char *) sqlite3_column_text (tables, 0);
      if (g_strv_contains (left_out, table))
        continue;
      /* A mirror's roots are absolute. */
      g_autofree char *sql = strcmp (table, "root") == 0
                                 ? g_strdup ("SELECT id, revision, name FROM root ORDER BY id")
                                 : g_strdup_printf ("SELECT * FROM %s ORDER BY 1", table);
      g_string_append_printf (out, "-- %s\n", table);
      dump_rows (db, sql, out);
    }
  sqlite3_finalize (tables);
  dump_rows (
      db, "SELECT name, value FROM counter WHERE name IN ('revision', 'stamp', 'schema') ORDER BY name", out);
  sqlite3_close (db);
  return g_string_free (out, FALSE);
}

static void
assert_same (const char *folder, const char *mirror)
{
  g_autofree char *a = dump (folder), *b = dump (mirror);
  g_auto (GStrv) la = g_strsplit (a, "\n", -1), lb = g_strsplit (b, "\n", -1);
  for (guint i = 0; la[i] != NULL && lb[i] != NULL; i++)
    g_assert_cmpstr (la[i], ==, lb[i]);
  g_assert_cmpuint (g_strv_length (la), ==, g_strv_length (lb));
}

static void
assert_same_stats (FlStats *a, FlStats *b, FlStore *store)
{
  g_autoptr (GPtrArray) jobs = fl_store_list (store, FL_TABLE_JOB, NULL);
  for (guint i = 0; i < jobs->len; i++)
    {
      const FlJob *job = jobs->pdata[i];
      const FlJobStats *sa = fl_stats_job (a, job->id), *sb = fl_stats_job (b, job->id);
      g_assert_true ((sa == NULL) == (sb == NULL));
      if (sa == NULL)
        continue;
      g_assert_cmpint (sa->shots, ==, sb->shots);
      g_assert_cmpint (sa->hits, ==, sb->hits);
      g_assert_cmpint (sa->indexed, ==, sb->indexed);
      g_assert_cmpint (sa->failed, ==, sb->failed);
      g_assert_cmpint (sa->spots, ==, sb->spots);
    }
}

/* --- following --- */

/* One batch; TRUE while there is more. */
static gboolean
follow_once (FlStore *far, FlMirror *mirror, gsize most, gboolean twice)
{
  g_autoptr (GError) error = NULL;
  FlMirrorNews news;
  g_autoptr (GBytes) position = fl_mirror_position (mirror, &error);
  g_assert_no_error (error);
  gsize length;
  const void *bytes = g_bytes_get_data (position, &length);
  g_autoptr (GBytes) batch = fl_feed_collect (far, bytes, length, most, &error);
  g_assert_no_error (error);
  for (int i = 0; i < 1 + twice; i++)
    {
      fl_mirror_apply (mirror, batch, &news, &error);
      g_assert_no_error (error);
    }
  return news.more;
}

static FlMirror *
open_mirror (const char *folder)
{
  g_autoptr (GError) error = NULL;
  FlMirror *mirror = fl_mirror_open (folder, &error);
  g_assert_no_error (error);
  return mirror;
}

static void
test_random (gconstpointer seed)
{
  static const gsize sizes[] = { 1, 300, 3000, 30000, 10000000 };
  g_autofree char *folder = temporary_folder (), *copy = temporary_folder ();
  Writer w;
  writer_begin (&w, folder, (guint64) GPOINTER_TO_UINT (seed));
  g_autoptr (FlStore) far = open_store (folder, FL_STORE_READ_ONLY);
  g_autoptr (FlMirror) mirror = open_mirror (copy);
  g_autoptr (FlStore) here = open_store (copy, FL_STORE_READ_ONLY);
  g_autoptr (FlStats) stats = fl_stats_new (), far_stats = fl_stats_new ();
  g_autoptr (GError) error = NULL;
  for (guint round = 0; round < 1200; round++)
    {
      writer_work (&w);
      if (writer_any (&w, 3) == 0)
        follow_once (far, mirror, sizes[writer_any (&w, G_N_ELEMENTS (sizes))], writer_any (&w, 4) == 0);
      if (writer_any (&w, 5) == 0)
        g_assert_true (fl_stats_update (stats, here, NULL, &error));
      if (writer_any (&w, 40) == 0)
        {
          fl_mirror_close (g_steal_pointer (&mirror));
          mirror = open_mirror (copy);
        }
    }
  while (follow_once (far, mirror, sizes[writer_any (&w, G_N_ELEMENTS (sizes))], FALSE))
    g_assert_true (fl_stats_update (stats, here, NULL, &error));
  assert_same (folder, copy);
  g_assert_true (fl_stats_update (stats, here, NULL, &error));
  g_assert_true (fl_stats_update (far_stats, far, NULL, &error));
  assert_same_stats (stats, far_stats, far);
  writer_end (&w);
  remove_folder (folder);
  remove_folder (copy);
}

/* A mirror of a mirror is one too. */
static void
test_chain (void)
{
  g_autofree char *folder = temporary_folder (), *copy = temporary_folder (), *third = temporary_folder ();
  Writer w;
  writer_begin (&w, folder, 77);
  for (guint i = 0; i < 300; i++)
    writer_work (&w);
  writer_end (&w);
  g_autoptr (FlStore) far = open_store (folder, FL_STORE_READ_ONLY);
  g_autoptr (FlMirror) mirror = open_mirror (copy), other = open_mirror (third);
  while (follow_once (far, mirror, 5000, FALSE))
    ;
  g_autoptr (FlStore) here = open_store (copy, FL_STORE_READ_ONLY);
  while (follow_once (here, other, 5000, FALSE))
    ;
  assert_same (folder, third);
  /* Places are still those of the far end. */
  g_autofree char *real = g_strdup (fl_store_folder (far));
  g_autoptr (FlStore) there = open_store (third, FL_STORE_READ_ONLY);
  g_autofree char *path = fl_store_resolve (there, "experiment", "jobs/x", NULL);
  g_autofree char *want = g_build_filename (real, "jobs/x", NULL);
  g_assert_cmpstr (path, ==, want);
  remove_folder (folder);
  remove_folder (copy);
  remove_folder (third);
}

/* More shots than one part of a compacted attempt holds. */
static void
add_large_attempt (Writer *w, gint64 attempt, guint64 sequence)
{
  g_assert_true (fl_store_begin (w->store, NULL));
  for (guint i = 0; i < 150000; i += 1000)
    {
      g_autofree FlShotRow *shots = g_new (FlShotRow, 1000);
      for (guint k = 0; k < 1000; k++)
        shots[k] = make_shot (1 + sequence * 1000000 + i + k, FL_OUTCOME_HIT, writer_any (w, 50),
                              FL_NS_PER_S * (1000 + (guint64) writer_any (w, 100000)));
      add_shots (w->store, attempt, 1, sequence++, shots, 1000);
    }
  g_assert_true (fl_store_commit (w->store, NULL));
}

static gboolean
hides_something (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, FL_STORE_FILE, NULL);
  GString *rows = g_string_new (NULL);
  sqlite3 *db;
  g_assert_cmpint (sqlite3_open_v2 (path, &db, SQLITE_OPEN_READONLY, NULL), ==, SQLITE_OK);
  dump_rows (db, "SELECT id FROM slice WHERE kind > 100", rows);
  sqlite3_close (db);
  gboolean any = rows->len > 0;
  g_string_free (rows, TRUE);
  return any;
}

/* A large attempt comes in parts: until it is whole readers see it as it was; compacted again meanwhile, it begins again. */
static void
test_parts (void)
{
  g_autofree char *folder = temporary_folder (), *copy = temporary_folder ();
  g_autoptr (GError) error = NULL;
  Writer w;
  writer_begin (&w, folder, 9);
  writer_add_job (&w);
  Open open = g_array_index (w.attempts, Open, 0);
  g_autoptr (FlStore) far = open_store (folder, FL_STORE_READ_ONLY);
  g_autoptr (FlMirror) mirror = open_mirror (copy);
  g_autoptr (FlStore) here = open_store (copy, FL_STORE_READ_ONLY);
  g_autoptr (FlStats) stats = fl_stats_new ();
  add_large_attempt (&w, open.attempt, 0);
  while (follow_once (far, mirror, 100000, FALSE))
    ;
  gint64 known = 150000;
  guint seen_in_parts = 0;
  for (guint round = 0; round < 3; round++)
    {
      compact (w.store, open.attempt);
      guint left = round == 1 ? 2 : 1000; /* in the middle of it there is something new */
      for (gboolean more = TRUE; more && left > 0; left--)
        {
          more = follow_once (far, mirror, 100000, FALSE);
          g_assert_true (fl_stats_update (stats, here, NULL, &error));
          g_assert_no_error (error);
          if (more && round == 1)
            g_assert_cmpint (fl_stats_job (stats, open.job)->shots, ==, known);
          seen_in_parts += more && hides_something (copy);
        }
      if (round == 0)
        add_large_attempt (&w, open.attempt, 1000);
      if (round == 1)
        add_large_attempt (&w, open.attempt, 2000);
    }
  g_assert_cmpuint (seen_in_parts, >=, 5);
  assert_same (folder, copy);
  g_assert_true (fl_stats_update (stats, here, NULL, &error));
  g_assert_cmpint (fl_stats_job (stats, open.job)->shots, ==, 450000);
  writer_end (&w);
  remove_folder (folder);
  remove_folder (copy);
}

static void
refuse (FlStore *far, FlMirror *mirror, int code, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) position = fl_mirror_position (mirror, &error);
  g_assert_no_error (error);
  gsize length;
  const void *bytes = g_bytes_get_data (position, &length);
  g_autoptr (GBytes) batch = fl_feed_collect (far, bytes, length, 1000, &error);
  g_assert_null (batch);
  g_assert_error (error, FL_ERROR, code);
  g_assert_nonnull (strstr (error->message, words));
  g_assert_null (strchr (error->message, '\n'));
}

static void
set_counter (const char *folder, const char *name, int value)
{
  g_autofree char *path = g_build_filename (folder, FL_STORE_FILE, NULL);
  g_autofree char *sql = g_strdup_printf ("UPDATE counter SET value = %d WHERE name = '%s'", value, name);
  sqlite3 *db;
  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (db);
}

static void
test_refused (void)
{
  g_autofree char *folder = temporary_folder (), *other = temporary_folder (), *copy = temporary_folder ();
  g_autoptr (GError) error = NULL;
  fl_store_close (open_store (other, FL_STORE_CREATE));
  g_assert_null (fl_mirror_open (other, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  g_assert_nonnull (strstr (error->message, "of its own"));
  g_clear_error (&error);

  Writer w;
  writer_begin (&w, folder, 5);
  for (guint i = 0; i < 20; i++)
    writer_work (&w);
  writer_end (&w);
  g_autoptr (FlStore) far = open_store (folder, FL_STORE_READ_ONLY),
                      stranger = open_store (other, FL_STORE_READ_ONLY);
  g_autoptr (FlMirror) mirror = open_mirror (copy);
  while (follow_once (far, mirror, 100000, FALSE))
    ;
  refuse (stranger, mirror, FL_ERROR_INPUT, "not the experiment");
  set_counter (folder, "revision", 3);
  refuse (far, mirror, FL_ERROR_INPUT, "gone back");
  set_counter (folder, "schema", 99);
  refuse (far, mirror, FL_ERROR_UNSUPPORTED, "database version 99");
  remove_folder (folder);
  remove_folder (other);
  remove_folder (copy);
}

/* Bytes from an enemy: an error or not, the mirror is whole and no statement is made of them. */
static void
test_damaged (void)
{
  g_autofree char *folder = temporary_folder (), *copy = temporary_folder ();
  Writer w;
  writer_begin (&w, folder, 6);
  for (guint i = 0; i < 60; i++)
    writer_work (&w);
  writer_end (&w);
  g_autoptr (FlStore) far = open_store (folder, FL_STORE_READ_ONLY);
  g_autoptr (FlMirror) mirror = open_mirror (copy);
  g_autoptr (GBytes) good = fl_feed_collect (far, NULL, 0, 10000000, NULL);
  FlRandom random = fl_random (3);
  guint refused = 0;
  for (guint round = 0; round < 3000; round++)
    {
      gsize length;
      g_autoptr (GError) error = NULL;
      FlMirrorNews news;
      const void *whole = g_bytes_get_data (good, &length);
      g_autofree guint8 *bytes = g_memdup2 (whole, length);
      for (guint n = 1 + (guint) (fl_random_u64 (&random) % 3); n > 0; n--)
        bytes[fl_random_u64 (&random) % length] ^= (guint8) (1u << fl_random_u64 (&random) % 8);
      if (round % 4 == 0)
        length = (gsize) (fl_random_u64 (&random) % length);
      g_autoptr (GBytes) batch = g_bytes_new (bytes, length);
      refused += !fl_mirror_apply (mirror, batch, &news, &error);
      g_assert_true (error == NULL || strchr (error->message, '\n') == NULL);
      g_autoptr (GError) no = NULL;
      g_autoptr (GBytes) none = fl_feed_collect (far, bytes, MIN (length, 300), 100, &no);
      g_assert_true (none != NULL || no != NULL);
    }
  g_assert_cmpuint (refused, >, 3000 / 4); /* more than all those that are cut short */
  remove_folder (folder);
  remove_folder (copy);
}

static void
test_origin (void)
{
  g_autofree char *folder = temporary_folder (), *store = NULL, *none = NULL;
  g_autoptr (GError) error = NULL;
  const char *command[] = { "ssh", "-o", "a;b=\\", "beam line", "serve", NULL };
  g_assert_null (fl_mirror_read_origin (folder, &none, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (fl_mirror_whole_at (folder), ==, 0);
  g_assert_true (fl_mirror_write_origin (folder, command, "/far/away; really", &error));
  g_auto (GStrv) back = fl_mirror_read_origin (folder, &store, &error);
  g_assert_no_error (error);
  g_assert_true (g_strv_equal ((const char *const *) back, command));
  g_assert_cmpstr (store, ==, "/far/away; really");
  guint64 first = fl_mirror_whole_at (folder);
  g_usleep (20000);
  fl_mirror_set_whole (folder);
  g_assert_cmpuint (fl_mirror_whole_at (folder), >, first);
  g_assert_cmpuint (fl_mirror_whole_at (folder), <=, fl_now_ns () + FL_NS_PER_S);
  g_autofree char *path = g_build_filename (folder, FL_MIRROR_FILE, NULL);
  g_assert_true (g_file_set_contents (path, "[follow]\nstore=x\n", -1, NULL));
  g_assert_null (fl_mirror_read_origin (folder, &none, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  remove_folder (folder);
}

int
main (int argc, char **argv)
{
  if (argc == 5 && strcmp (argv[1], "--shots") == 0)
    return writer_shots_main (argv + 2);
  if (argc == 5 && strcmp (argv[1], "--write") == 0)
    return writer_main (argv + 2);
  g_test_init (&argc, &argv, NULL);
  for (guint seed = 1; seed <= 4; seed++)
    {
      g_autofree char *name = g_strdup_printf ("/store/mirror/random/%u", seed);
      g_test_add_data_func (name, GUINT_TO_POINTER (seed), test_random);
    }
  g_test_add_func ("/store/mirror/chain", test_chain);
  g_test_add_func ("/store/mirror/parts", test_parts);
  g_test_add_func ("/store/mirror/refused", test_refused);
  g_test_add_func ("/store/mirror/damaged", test_damaged);
  g_test_add_func ("/store/mirror/origin", test_origin);
  return g_test_run ();
}
