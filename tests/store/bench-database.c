/* bench-database: results of many shots into a server's database, ways of doing it side by side; many who ingest at once; how
 * many commits a server takes. Under mariadb.py; prints one line a figure.
 *   bench-database [SHOTS AN INGESTER (250000)] */
#include "tests/store/fixture.h"

#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/journal.h"
#include "engine/store/ingest.h"
#include "engine/store/store-private.h"

#define EVENTS    50000
#define CHILDREN  40000 /* that belong to one event each, by its number */
#define COLUMNS   7
#define ROWS      256
#define INGESTERS 8
#define WRITERS   16
#define SECONDS   2

static double
seconds_since (guint64 begin)
{
  return (double) (fl_tick_ns () - begin) * 1e-9;
}

static void
say (const char *what, guint64 begin, guint commits)
{
  double took = seconds_since (begin);
  printf ("%-66s %7.3f s  %6u commits  %8.0f shots/s\n", what, took, commits, EVENTS / took);
  fflush (stdout);
}

static void
run_sql (FlDb *db, const char *sql)
{
  g_autoptr (GError) error = NULL;
  fl_db_exec_values (db, sql, NULL, 0, &error);
  g_assert_no_error (error);
}

static void
begin (FlDb *db)
{
  g_assert_true (fl_db_begin (db, TRUE, NULL));
}

static void
commit (FlDb *db)
{
  g_assert_true (fl_db_commit (db, NULL));
}

/* --- 50 000 shots, four ways --- */

static void
make_tables (FlDb *db)
{
  run_sql (db, "DROP TABLE IF EXISTS bench_child");
  run_sql (db, "DROP TABLE IF EXISTS bench_event");
  run_sql (db, "CREATE TABLE bench_event (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, run BIGINT NOT "
               "NULL, shot BIGINT "
               "NOT NULL, start BIGINT NOT NULL, outcome BIGINT NOT NULL, spots BIGINT NOT NULL, resolution "
               "DOUBLE NOT NULL, "
               "path VARCHAR(64) NOT NULL, KEY (run, shot)) ENGINE=InnoDB");
  run_sql (db, "CREATE TABLE bench_child (event BIGINT NOT NULL, a DOUBLE NOT NULL, b DOUBLE NOT NULL, c "
               "DOUBLE NOT NULL, "
               "KEY (event)) ENGINE=InnoDB");
}

#define INSERT_EVENT                                                                                         \
  "INSERT INTO bench_event (run, shot, start, outcome, spots, resolution, path) VALUES (?, ?, ?, ?, ?, ?, "  \
  "?)"

static FlValue *
event_rows (void)
{
  FlValue *values = g_new (FlValue, EVENTS * COLUMNS);
  for (guint i = 0; i < EVENTS; i++)
    {
      const FlValue row[COLUMNS] = { FL_INT (7),
                                     FL_INT (i),
                                     FL_INT (i * 8333333),
                                     FL_INT (i % 4),
                                     FL_INT (i % 100),
                                     FL_REAL (1.5 + (double) (i % 1000) / 1000),
                                     FL_TEXT ("/data/run0007/shots-0001.h5//entry/data") };
      memcpy (values + (gsize) i * COLUMNS, row, sizeof row);
    }
  return values;
}

static void
one_by_one (FlDb *db, const FlValue *values, gboolean whole)
{
  make_tables (db);
  guint64 start = fl_tick_ns ();
  if (whole)
    begin (db);
  for (guint i = 0; i < EVENTS; i++)
    g_assert_true (fl_db_exec_values (db, INSERT_EVENT, values + (gsize) i * COLUMNS, COLUMNS, NULL));
  if (whole)
    commit (db);
  say (whole ? "(a) one statement a row, one transaction"
             : "(a) one statement a row, each its own transaction",
       start, whole ? 1 : EVENTS);
}

static MYSQL *
connect_raw (const FlDatabase *where)
{
  MYSQL *handle = mysql_init (NULL);
  gulong packet = 1ul << 30;
  mysql_options (handle, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
  g_assert_nonnull (mysql_real_connect (handle, NULL, where->user, NULL, where->name, 0, where->socket,
                                        CLIENT_MULTI_STATEMENTS));
  return handle;
}

/* One text of all statements, children naming the event before them by LAST_INSERT_ID(). */
static void
one_text (FlDb *db, const FlDatabase *where)
{
  make_tables (db);
  MYSQL *handle = connect_raw (where);
  guint64 start = fl_tick_ns ();
  GString *text = g_string_new ("START TRANSACTION;");
  for (guint i = 0; i < EVENTS; i++)
    {
      g_string_append_printf (
          text,
          "INSERT INTO bench_event (run, shot, start, outcome, spots, resolution, path) VALUES "
          "(7, %u, %u, %u, %u, %.3f, '/data/run0007/shots-0001.h5//entry/data');",
          i, i * 8333, i % 4, i % 100, 1.5 + (double) (i % 1000) / 1000);
      if (i < CHILDREN)
        g_string_append (text, "INSERT INTO bench_child VALUES (LAST_INSERT_ID(), 79.1, 79.1, 38.2);");
    }
  g_string_append (text, "COMMIT");
  g_assert_cmpint (mysql_real_query (handle, text->str, text->len), ==, 0);
  int next;
  do
    mysql_free_result (mysql_store_result (handle));
  while ((next = mysql_next_result (handle)) == 0);
  g_assert_cmpint (next, ==, -1);
  say ("(b) one text of 90 000 statements, LAST_INSERT_ID(), one transaction", start, 1);
  g_string_free (text, TRUE);
  mysql_close (handle);
}

static void
arrays (FlDb *db, const FlValue *values)
{
  make_tables (db);
  guint64 start = fl_tick_ns ();
  begin (db);
  g_assert_true (fl_db_exec_rows (db, INSERT_EVENT, values, EVENTS, COLUMNS, NULL));
  commit (db);
  say ("(c) rows bound as arrays, one transaction", start, 1);
}

/* --- journals --- */

static void
write_journal (const char *dir, guint shots, guint seed)
{
  g_assert_cmpint (g_mkdir_with_parents (dir, 0777), ==, 0);
  g_autoptr (FlJournalWriter) writer = fl_journal_writer_open (dir, 0, NULL);
  g_autoptr (FlBatch) batch = fl_batch_new (FL_KIND_SHOT);
  FlRandom random = fl_random (seed);
  for (guint i = 0; i < shots; i++)
    {
      guint64 id = (guint64) seed << 32 | i;
      gboolean hit = fl_random_unit (&random) < 0.25;
      FlShotRow row = make_shot (fl_hash64 (&id, sizeof id, 1) | 1, hit ? FL_OUTCOME_HIT : FL_OUTCOME_MISS,
                                 (guint32) (fl_random_unit (&random) * 200), i * 8333333ull);
      row.resolution = (float) (1.5 + fl_random_unit (&random));
      row.energy = (float) (9500 + fl_random_unit (&random) * 20);
      fl_batch_append (batch, &row);
      if (fl_batch_rows (batch) < ROWS && i + 1 < shots)
        continue;
      g_assert_true (fl_journal_writer_append (writer, &batch, 1, NULL));
      fl_batch_clear (batch);
    }
}

static gint64
new_attempt (FlStore *store, gint64 trial, const char *run)
{
  return add_attempt (store, add_job (store, trial, add_run (store, run, "complete")), 1);
}

static void
ingest (FlStore *store, gint64 attempt, const char *dir, guint shots)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlIngest) all = fl_ingest_new (store, attempt, dir);
  FlIngested news = { 0 };
  fl_ingest_update (all, &news, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (news.shots, ==, shots);
}

static void
ours (FlStore *store, gint64 trial, const char *folder)
{
  g_autofree char *dir = g_build_filename (folder, "jobs", "one", NULL);
  gint64 attempt = new_attempt (store, trial, "one");
  write_journal (dir, EVENTS, 1);
  guint64 start = fl_tick_ns ();
  ingest (store, attempt, dir, EVENTS);
  say ("(d) slices from a journal's frames, all columns of a shot", start, 1);
}

/* --- many at once --- */

static void
many (FlStore *store, gint64 trial, const char *folder, guint shots, guint ingesters)
{
  gint64 attempts[INGESTERS];
  char *dirs[INGESTERS];
  pid_t children[INGESTERS];
  int gate[2];
  g_assert_cmpint (pipe (gate), ==, 0);
  for (guint i = 0; i < ingesters; i++)
    {
      g_autofree char *name = g_strdup_printf ("many-%u-%u", ingesters, i);
      attempts[i] = new_attempt (store, trial, name);
      dirs[i] = g_build_filename (folder, "jobs", name, NULL);
      write_journal (dirs[i], shots, 100 * ingesters + i);
      children[i] = fork ();
      if (children[i] != 0)
        continue;
      char byte;
      close (gate[1]);
      FlStore *own = open_store (folder, FL_STORE_WRITE);
      if (read (gate[0], &byte, 1) == 0)
        ingest (own, attempts[i], dirs[i], shots);
      fl_store_close (own);
      _exit (0);
    }
  close (gate[0]);
  g_usleep (500000); /* all have connected */
  guint64 start = fl_tick_ns ();
  close (gate[1]);
  for (guint i = 0; i < ingesters; i++)
    {
      int status;
      g_assert_cmpint (waitpid (children[i], &status, 0), ==, children[i]);
      g_assert_cmpint (status, ==, 0);
      g_free (dirs[i]);
    }
  double took = seconds_since (start);
  printf ("%u ingesters at once: %.0f shots/s (%u shots each, %u a frame, %.2f s)\n", ingesters,
          ingesters * shots / took, shots, ROWS, took);
  fflush (stdout);
}

/* --- commits --- */

typedef struct
{
  const FlDatabase *where;
  guint commits;
} Committer;

static gpointer
commit_on (gpointer data)
{
  Committer *committer = data;
  g_autoptr (FlDb) db = fl_db_open (committer->where, FL_DB_WRITE, NULL);
  for (guint64 start = fl_tick_ns (); seconds_since (start) < SECONDS; committer->commits++)
    g_assert_true (fl_db_exec (db, INSERT_EVENT, NULL, FL_INT (1), FL_INT (2), FL_INT (3), FL_INT (4),
                               FL_INT (5), FL_REAL (6), FL_TEXT ("p")));
  return NULL;
}

static void
commits (FlDb *db, const FlDatabase *where)
{
  Committer committers[WRITERS];
  GThread *threads[WRITERS];
  guint sum = 0;
  make_tables (db);
  for (guint i = 0; i < WRITERS; i++)
    {
      committers[i] = (Committer){ where, 0 };
      threads[i] = g_thread_new ("commit", commit_on, &committers[i]);
    }
  for (guint i = 0; i < WRITERS; i++)
    {
      g_thread_join (threads[i]);
      sum += committers[i].commits;
    }
  printf ("%u connections, one row a commit: %u commits/s\n", WRITERS, sum / SECONDS);
}

int
main (int argc, char **argv)
{
  guint shots = argc > 1 ? (guint) atoi (argv[1]) : 250000;
  if (!on_mysql ())
    {
      printf ("is about a server; run it by mariadb.py\n");
      return 77;
    }
  g_autofree char *folder = temporary_folder ();
  FlStore *store = open_store (folder, FL_STORE_CREATE);
  const FlDatabase *where = store->database;
  gint64 trial = add_trial (store, 1);
  g_autofree FlValue *values = event_rows ();
  printf ("%u shots:\n", EVENTS);
  one_by_one (store->db, values, FALSE);
  one_by_one (store->db, values, TRUE);
  one_text (store->db, where);
  arrays (store->db, values);
  ours (store, trial, folder);
  commits (store->db, where);
  make_tables (store->db);
  many (store, trial, folder, shots, 1);
  many (store, trial, folder, shots, INGESTERS);
  fl_store_close (store);
  remove_folder (folder);
  return 0;
}
