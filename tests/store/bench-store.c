/* bench-store: journal and store at the size of a long beamtime. Prints one line a figure; fails when Live, Weather or Cells
 * would take 2 s or more to open. Run by mariadb.py: the same on that server.
 *   bench-store [SHOTS (10^7)] */
#include "tests/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/base/journal.h"
#include "engine/store/ingest.h"
#include "engine/store/stats.h"

#define RANKS            64
#define ROWS             256
#define SHOTS_A_JOB      100000
#define LATTICE_EVERY    20
#define LATTICES_A_FRAME 64
#define PORTION          200 /* slices that the Cells page asks for at once */

static double
seconds_since (guint64 begin)
{
  return (double) (fl_tick_ns () - begin) * 1e-9;
}

static double
cpu_seconds (void)
{
  return (double) clock () / CLOCKS_PER_SEC;
}

static FlShotRow
some_shot (FlRandom *random, guint64 id, guint64 start)
{
  gboolean hit = fl_random_unit (random) < 0.25;
  FlShotRow row = make_shot (fl_hash64 (&id, sizeof id, 1) | 1, hit ? FL_OUTCOME_HIT : FL_OUTCOME_MISS,
                             (guint32) (fl_random_unit (random) * (hit ? 200 : 15)), start);
  row.duration[0] = (guint32) (2000 + fl_random_unit (random) * 1000);
  row.duration[1] = (guint32) (8000 + fl_random_unit (random) * 3000);
  row.resolution = (float) (1.5 + fl_random_unit (random));
  row.energy = (float) (9500 + fl_random_unit (random) * 20);
  row.solvent = (float) fl_random_unit (random);
  return row;
}

static void
bench_journal (FlStore *store, gint64 attempt, guint n)
{
  g_autofree char *dir = fl_store_attempt_folder (store, attempt, NULL);
  g_assert_cmpint (g_mkdir_with_parents (dir, 0777), ==, 0);
  g_autoptr (FlJournalWriter) writer = fl_journal_writer_open (dir, 0, NULL);
  g_autoptr (FlBatch) batch = fl_batch_new (FL_KIND_SHOT);
  FlRandom random = fl_random (1);
  guint64 begin = fl_tick_ns ();
  for (guint i = 0; i < n; i++)
    {
      FlShotRow row = some_shot (&random, i, 1000000000ull * i);
      fl_batch_append (batch, &row);
      if (fl_batch_rows (batch) < ROWS && i + 1 < n)
        continue;
      g_assert_true (fl_journal_writer_append (writer, &batch, 1, NULL));
      fl_batch_clear (batch);
    }
  double wrote = seconds_since (begin);
  printf ("journal written: %.0f shots/s (%u shots, one writer, %u a frame)\n", n / wrote, n, ROWS);
  g_autoptr (FlIngest) ingest = fl_ingest_new (store, attempt, dir);
  FlIngested news = { 0 };
  begin = fl_tick_ns ();
  g_assert_true (fl_ingest_update (ingest, &news, NULL));
  g_assert_cmpuint (news.shots, ==, n);
  printf ("journal ingested: %.0f shots/s (%.0f MB/s)\n", n / seconds_since (begin),
          (double) news.bytes / 1e6 / seconds_since (begin));
}

static void
fill_job (FlStore *store, gint64 attempt, guint64 first, guint n, FlRandom *random)
{
  FlShotRow rows[ROWS];
  guint64 sequence = 0;
  g_assert_true (fl_store_begin (store, NULL));
  for (guint done = 0; done < n; done += ROWS)
    {
      guint m = MIN (ROWS, n - done);
      for (guint i = 0; i < m; i++)
        rows[i] =
            some_shot (random, first + done + i, 1700000000000000000ull + (first + done + i) * 1000000ull);
      add_shots (store, attempt, (guint32) (done / ROWS % RANKS), ++sequence, rows, m);
    }
  g_assert_true (fl_store_commit (store, NULL));
}

/* One lattice of every LATTICE_EVERY shots. */
static void
add_lattices (FlStore *store, gint64 attempt, guint64 first, guint n, FlRandom *random)
{
  g_autoptr (FlBatch) batch = fl_batch_new (FL_KIND_LATTICE);
  guint64 sequence = SHOTS_A_JOB;
  g_assert_true (fl_store_begin (store, NULL));
  for (guint i = 0; i < n; i += LATTICE_EVERY)
    {
      guint64 id = first + i;
      FlLatticeRow row = { .shot = fl_hash64 (&id, sizeof id, 1) | 1, .centring = 'P', .space_group = 96 };
      for (guint p = 0; p < 6; p++)
        row.cell[p] = (float) (p < 3 ? 79 + fl_random_unit (random) : G_PI / 2);
      fl_batch_append (batch, &row);
      if (fl_batch_rows (batch) < LATTICES_A_FRAME && i + LATTICE_EVERY < n)
        continue;
      g_autoptr (GByteArray) bytes = g_byte_array_new ();
      fl_batch_encode (batch, bytes);
      g_assert_true (fl_store_add_slice (store, attempt, (guint32) (sequence % RANKS), sequence,
                                         FL_KIND_LATTICE, bytes->data, bytes->len, NULL, NULL));
      fl_batch_clear (batch);
      sequence++;
    }
  g_assert_true (fl_store_commit (store, NULL));
}

static void
fill (FlStore *store, gint64 trial, guint shots)
{
  FlRandom random = fl_random (2);
  double adding = 0, compacting = 0;
  for (guint64 first = 0; first < shots; first += SHOTS_A_JOB)
    {
      guint n = (guint) MIN (SHOTS_A_JOB, shots - first);
      g_autofree char *name = g_strdup_printf ("r%04u", (guint) (first / SHOTS_A_JOB) + 1);
      gint64 attempt = add_attempt (store, add_job (store, trial, add_run (store, name, "complete")), 1);
      guint64 begin = fl_tick_ns ();
      fill_job (store, attempt, first, n, &random);
      add_lattices (store, attempt, first, n, &random);
      adding += seconds_since (begin);
      begin = fl_tick_ns ();
      compact (store, attempt);
      compacting += seconds_since (begin);
    }
  printf ("slices added: %.0f shots/s, lattices too; compacted: %.0f shots/s\n", shots / adding,
          shots / compacting);
}

/* What a page does when it is opened. */
static double
open_page (const char *folder, const char *page, FlShotColumns columns, guint shots)
{
  guint64 begin = fl_tick_ns (), n = 0, sum = 0;
  double cpu = cpu_seconds ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_READ_ONLY);
  gint64 cursor = 0;
  g_autoptr (GPtrArray) blocks = fl_store_shots (store, 0, columns, 0, &cursor, NULL);
  for (guint i = 0; i < blocks->len; i++)
    {
      const FlShotBlock *block = blocks->pdata[i];
      n += block->n;
      sum += block->outcome[block->n / 2];
    }
  double took = seconds_since (begin);
  g_assert_cmpuint (n, >=, shots);
  printf ("%s opened on %" G_GUINT64_FORMAT " shots: %.2f s, %.2f CPU-s%s\n", page, n, took,
          cpu_seconds () - cpu, sum == 0 ? " " : "");
  return took;
}

/* Lattices of all jobs, portion by portion, as the page reads them; *first: until the first portion is there. */
static double
open_cells (const char *folder, guint shots, double *first)
{
  guint64 begin = fl_tick_ns (), n = 0;
  double cpu = cpu_seconds ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_READ_ONLY);
  g_autoptr (GPtrArray) jobs = fl_store_list (store, FL_TABLE_JOB, NULL);
  *first = 0;
  for (guint j = 0; j < jobs->len; j++)
    {
      gint64 cursor = 0;
      for (guint got = PORTION; got == PORTION;)
        {
          g_autoptr (GPtrArray) slices = fl_store_slices (
              store, FL_KIND_LATTICE, ((const FlJob *) jobs->pdata[j])->id, cursor, PORTION, NULL);
          got = slices->len;
          for (guint i = 0; i < got; i++)
            {
              const FlSlice *slice = slices->pdata[i];
              g_autoptr (FlBatch) batch = fl_batch_decode (g_bytes_get_data (slice->packed, NULL),
                                                           g_bytes_get_size (slice->packed), NULL);
              n += fl_batch_rows (batch);
              cursor = slice->row;
            }
          *first = *first > 0 ? *first : seconds_since (begin);
        }
    }
  double took = seconds_since (begin);
  g_assert_cmpuint (n, ==, shots / LATTICE_EVERY);
  printf ("Cells opened on %" G_GUINT64_FORMAT " lattices: %.2f s, %.2f CPU-s; the first after %.3f s\n", n,
          took, cpu_seconds () - cpu, *first);
  return took;
}

int
main (int argc, char **argv)
{
  guint shots = argc > 1 ? (guint) atoi (argv[1]) : 10000000;
  g_autofree char *folder = temporary_folder ();
  {
    g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
    gint64 trial = add_trial (store, 1);
    fill (store, trial, shots);
    bench_journal (store,
                   add_attempt (store, add_job (store, trial, add_run (store, "journal", "complete")), 1),
                   shots / 10);
  }
  guint64 begin = fl_tick_ns ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_READ_ONLY);
  g_autoptr (FlStats) stats = fl_stats_new ();
  FlOverview overview;
  g_assert_true (fl_stats_update (stats, store, NULL, NULL));
  fl_stats_overview (stats, fl_now_ns (), &overview);
  fl_overview_clear (&overview);
  printf ("counts and sparklines of all runs: %.3f s\n", seconds_since (begin));
  begin = fl_tick_ns ();
  for (guint i = 0; i < 1000; i++)
    g_assert_true (fl_stats_update (stats, store, NULL, NULL));
  printf ("poll without news: %.1f us\n", seconds_since (begin) * 1e3);
  double weather =
      open_page (folder, "Weather",
                 FL_SHOT_START | FL_SHOT_DURATION | FL_SHOT_RANK | FL_SHOT_OUTCOME | FL_SHOT_STAGE, shots);
  double live = open_page (folder, "Live",
                           FL_SHOT_START | FL_SHOT_OUTCOME | FL_SHOT_SPOTS | FL_SHOT_RESOLUTION
                               | FL_SHOT_ENERGY | FL_SHOT_SOLVENT,
                           shots);
  double first, cells = open_cells (folder, shots, &first), longest = MAX (MAX (weather, live), cells);
  fl_store_close (g_steal_pointer (&store));
  remove_folder (folder);
  if (longest < 2)
    return 0;
  printf ("opening takes %.2f s, expected less than 2 s\n", longest);
  return 1;
}
