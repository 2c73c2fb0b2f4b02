/* Ingest: what the journals of an attempt say is in the store, once, however they grow, break and are read. */
#include "tests/store/fixture.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/journal.h"
#include "engine/store/ingest.h"
#include "engine/store/stats.h"

typedef struct
{
  char *folder, *dir;
  FlStore *store;
  gint64 job, attempt;
} Fixture;

static Fixture
set_up (void)
{
  Fixture f = { .folder = temporary_folder () };
  f.store = open_store (f.folder, FL_STORE_CREATE);
  f.job = add_job (f.store, add_trial (f.store, 1), add_run (f.store, "r1", "complete"));
  f.attempt = add_attempt (f.store, f.job, 1);
  f.dir = fl_store_attempt_folder (f.store, f.attempt, NULL);
  g_assert_cmpint (g_mkdir_with_parents (f.dir, 0777), ==, 0);
  return f;
}

static void
tear_down (Fixture *f)
{
  fl_store_close (f->store);
  remove_folder (f->folder);
  g_free (f->folder);
  g_free (f->dir);
}

static void
write_shots (FlJournalWriter *writer, guint64 first, guint n)
{
  g_autoptr (FlBatch) batch = fl_batch_new (FL_KIND_SHOT);
  g_autoptr (FlBatch) spots = fl_batch_new (FL_KIND_SPOT);
  FlBatch *both[] = { spots, batch };
  for (guint i = 0; i < n; i++)
    {
      FlShotRow row =
          make_shot (first + i, (first + i) % 4 == 0 ? FL_OUTCOME_HIT : FL_OUTCOME_MISS, 20, first + i);
      FlSpotRow spot = { .shot = row.id };
      fl_batch_append (batch, &row);
      fl_batch_append (spots, &spot);
    }
  g_autoptr (GError) error = NULL;
  fl_journal_writer_append (writer, both, 2, &error);
  g_assert_no_error (error);
}

static void
check_counts (Fixture *f, gint64 shots)
{
  g_autoptr (FlStats) stats = fl_stats_new ();
  g_assert_true (fl_stats_update (stats, f->store, NULL, NULL));
  const FlJobStats *sum = fl_stats_job (stats, f->job);
  g_assert_cmpint (sum != NULL ? sum->shots : 0, ==, shots);
  g_assert_cmpint (sum != NULL ? sum->hits : 0, ==, shots / 4);
}

static FlIngested
ingest (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlIngest) self = fl_ingest_new (f->store, f->attempt, f->dir);
  FlIngested news = { 0 };
  fl_ingest_update (self, &news, &error);
  g_assert_no_error (error);
  return news;
}

static void
test_grows (void)
{
  Fixture f = set_up ();
  FlIngested news = ingest (&f);
  g_assert_cmpuint (news.frames, ==, 0);
  FlJournalWriter *ranks[3];
  for (guint32 r = 0; r < 3; r++)
    ranks[r] = fl_journal_writer_open (f.dir, r, NULL);
  guint64 id = 1;
  for (guint round = 0; round < 20; round++, id += 8)
    {
      write_shots (ranks[round % 3], id, 8);
      news = ingest (&f);
      g_assert_cmpuint (news.shots, ==, 8);
      g_assert_cmpuint (ingest (&f).shots, ==, 0);
      check_counts (&f, (gint64) id + 7);
    }
  compact (f.store, f.attempt);
  g_assert_cmpuint (ingest (&f).shots, ==, 0);
  check_counts (&f, 160);
  for (guint32 r = 0; r < 3; r++)
    fl_journal_writer_close_quietly (ranks[r]);
  tear_down (&f);
}

/* The tail of a frame that is still being written is waited for; damage in the middle costs one frame. */
static void
test_torn (void)
{
  Fixture f = set_up ();
  g_autofree char *away = g_build_filename (f.folder, "away", NULL);
  g_assert_cmpint (g_mkdir (away, 0777), ==, 0);
  g_autoptr (FlJournalWriter) writer = fl_journal_writer_open (away, 0, NULL);
  for (guint i = 0; i < 10; i++)
    write_shots (writer, 1 + 4 * i, 4);
  g_autoptr (GPtrArray) paths = fl_journal_list (away);
  g_autofree char *bytes = NULL;
  g_autofree char *name = g_path_get_basename (paths->pdata[0]);
  g_autofree char *target = g_build_filename (f.dir, name, NULL);
  gsize length, seen = 0;
  g_assert_true (g_file_get_contents (paths->pdata[0], &bytes, &length, NULL));
  FlRandom random = fl_random (3);
  guint64 shots = 0;
  while (seen < length)
    {
      gsize more = 1 + fl_random_u64 (&random) % 900; /* MIN draws twice */
      seen = MIN (length, seen + more);
      /* Appended, as a writer would: g_file_set_contents makes a new file, which must be no different. */
      g_assert_true (g_file_set_contents (target, bytes, (gssize) seen, NULL));
      shots += ingest (&f).shots;
    }
  g_assert_cmpuint (shots, ==, 40);
  check_counts (&f, 40);
  gint64 second = add_attempt (f.store, f.job, 2);
  bytes[length / 2] ^= 0x55;
  g_assert_true (g_file_set_contents (target, bytes, (gssize) length, NULL));
  f.attempt = second;
  FlIngested news = ingest (&f);
  g_assert_cmpuint (news.skipped, >, 0);
  g_assert_cmpuint (news.shots, >=, 36);
  check_counts (&f, 40); /* the first attempt has them all */
  tear_down (&f);
}

/* Several programs take in the same journal while it grows. */
static void
test_at_once (void)
{
  Fixture f = set_up ();
  pid_t children[3];
  for (guint c = 0; c < 3; c++)
    if ((children[c] = fork ()) == 0)
      {
        Fixture own = f;
        own.store = open_store (f.folder, FL_STORE_WRITE);
        for (guint i = 0; i < 60; i++)
          {
            ingest (&own);
            g_usleep (2000);
          }
        fl_store_close (own.store);
        _exit (0);
      }
  g_autoptr (FlJournalWriter) writer = fl_journal_writer_open (f.dir, 0, NULL);
  for (guint i = 0; i < 50; i++)
    {
      write_shots (writer, 1 + 4 * i, 4);
      g_usleep (1000);
    }
  for (guint c = 0; c < 3; c++)
    {
      int status;
      waitpid (children[c], &status, 0);
      g_assert_cmpint (status, ==, 0);
    }
  ingest (&f);
  check_counts (&f, 200);
  tear_down (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/store/ingest/grows", test_grows);
  g_test_add_func ("/store/ingest/torn", test_torn);
  g_test_add_func ("/store/ingest/at-once", test_at_once);
  return g_test_run ();
}
