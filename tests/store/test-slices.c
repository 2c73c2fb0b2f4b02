/* Slices: every shot counts once by (job, shot), the latest attempt wins, whatever order frames arrive in, how often they
 * are sent, when attempts are compacted and when readers come by. The oracle is a table of shots. */
#include "tests/store/fixture.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/store/stats.h"

/* --- the oracle: what one job's shots are --- */

typedef struct
{
  gint64 attempt;
  guint8 outcome;
  guint32 spots;
} Truth;

static void
truth_add (GHashTable *truth, guint64 id, gint64 attempt, guint8 outcome, guint32 spots)
{
  Truth *before = g_hash_table_lookup (truth, &id);
  Truth now = { attempt, outcome, spots };
  if (before == NULL || before->attempt <= attempt)
    g_hash_table_insert (truth, g_memdup2 (&id, sizeof id), g_memdup2 (&now, sizeof now));
}

static FlJobStats
truth_sum (GHashTable *truth)
{
  FlJobStats sum = { 0 };
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, truth);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Truth *shot = value;
      gboolean hit = shot->outcome == FL_OUTCOME_HIT || shot->outcome == FL_OUTCOME_INDEXED;
      sum.shots++;
      sum.hits += hit;
      sum.spots += hit ? shot->spots : 0;
      sum.indexed += shot->outcome == FL_OUTCOME_INDEXED;
      sum.failed += shot->outcome == FL_OUTCOME_FAILED;
      sum.set_aside += shot->outcome == FL_OUTCOME_SET_ASIDE;
    }
  return sum;
}

static void
assert_same_counts (const FlJobStats *a, const FlJobStats *b)
{
  g_assert_cmpint (a->shots, ==, b->shots);
  g_assert_cmpint (a->hits, ==, b->hits);
  g_assert_cmpint (a->indexed, ==, b->indexed);
  g_assert_cmpint (a->failed, ==, b->failed);
  g_assert_cmpint (a->set_aside, ==, b->set_aside);
  g_assert_cmpint (a->spots, ==, b->spots);
}

/* --- readers that keep what they were given --- */

typedef struct
{
  gint64 cursor;
  GHashTable *attempts; /* id -> GPtrArray of FlShotBlock */
  FlStats *stats;
} Reader;

static void
reader_update (Reader *reader, FlStore *store, guint limit)
{
  g_autoptr (GError) error = NULL;
  for (guint got = 1; got > 0;)
    {
      g_autoptr (GPtrArray) blocks = fl_store_shots (store, 0, FL_SHOT_ALL, limit, &reader->cursor, &error);
      g_assert_no_error (error);
      got = limit > 0 ? blocks->len : 0;
      while (blocks->len > 0)
        {
          FlShotBlock *block = g_ptr_array_steal_index (blocks, 0);
          GPtrArray *list = g_hash_table_lookup (reader->attempts, &block->attempt);
          if (list == NULL)
            {
              list = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_shot_block_free);
              g_hash_table_insert (reader->attempts, g_memdup2 (&block->attempt, sizeof (gint64)), list);
            }
          if (block->replaces)
            g_ptr_array_set_size (list, 0);
          g_ptr_array_add (list, block);
        }
    }
  g_assert_true (fl_stats_update (reader->stats, store, NULL, &error));
  g_assert_no_error (error);
}

/* What the reader holds of one job, the latest attempt winning. `total`: all shots that it holds. */
static GHashTable *
reader_shots (const Reader *reader, gint64 job, guint *total)
{
  GHashTable *found = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  GHashTableIter iter;
  gpointer value;
  *total = 0;
  g_hash_table_iter_init (&iter, reader->attempts);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    for (guint b = 0; b < ((GPtrArray *) value)->len; b++)
      {
        const FlShotBlock *block = ((GPtrArray *) value)->pdata[b];
        if (block->job != job)
          continue;
        *total += block->n;
        for (guint i = 0; i < block->n; i++)
          {
            truth_add (found, block->id[i], block->attempt, block->outcome[i], block->spots[i]);
            g_assert_cmpuint (block->frame[i], ==, (guint32) block->id[i]);
            g_assert_cmpuint (block->duration[i], ==, 65);
            g_assert_cmpuint (block->durations[i][1], ==, 20);
            g_assert_cmpuint (block->rank[i], ==, (guint32) (block->id[i] % 3));
            if (block->compacted && i > 0)
              g_assert_cmpuint (block->start[i - 1], <=, block->start[i]);
          }
      }
  return found;
}

static void
assert_same_shots (GHashTable *a, GHashTable *b)
{
  GHashTableIter iter;
  gpointer key, value;
  g_assert_cmpuint (g_hash_table_size (a), ==, g_hash_table_size (b));
  g_hash_table_iter_init (&iter, a);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      const Truth *x = value, *y = g_hash_table_lookup (b, key);
      g_assert_nonnull (y);
      g_assert_cmpint (x->attempt, ==, y->attempt);
      g_assert_cmpint (x->outcome, ==, y->outcome);
      g_assert_cmpuint (x->spots, ==, y->spots);
    }
}

static void
reader_check (Reader *reader, FlStore *store, GHashTable **truths, const gint64 *jobs, guint n,
              gboolean final)
{
  reader_update (reader, store, 100);
  for (guint j = 0; j < n; j++)
    {
      guint total;
      g_autoptr (GHashTable) held = reader_shots (reader, jobs[j], &total);
      assert_same_shots (held, truths[j]);
      if (final) /* all compacted: nothing is there twice */
        g_assert_cmpuint (total, ==, g_hash_table_size (truths[j]));
      FlJobStats want = truth_sum (truths[j]);
      const FlJobStats *have = fl_stats_job (reader->stats, jobs[j]);
      if (want.shots > 0)
        assert_same_counts (have, &want);
    }
}

/* --- the play --- */

typedef struct
{
  gint64 id;
  guint job;
  guint64 sequence[3];
  gboolean ended;
  GHashTable *own; /* shots that it has done: an attempt does none twice */
} Playing;

static void
play_slice (FlStore *store, Playing *playing, GHashTable *truth, FlRandom *random)
{
  guint32 rank = (guint32) (fl_random_u64 (random) % 3);
  guint n = 1 + (guint) (fl_random_u64 (random) % 12), made = 0;
  FlShotRow rows[12];
  for (guint i = 0; i < n; i++)
    {
      guint64 id = 1 + 3 * (fl_random_u64 (random) % 120) + (rank + 2) % 3; /* id % 3 == rank */
      if (!g_hash_table_add (playing->own, GUINT_TO_POINTER (id)))
        continue;
      rows[made] =
          make_shot (id, (FlOutcome) (fl_random_u64 (random) % FL_OUTCOME_LAST),
                     (guint32) (fl_random_u64 (random) % 100), 1000 + fl_random_u64 (random) % 100000);
      truth_add (truth, id, playing->id, rows[made].outcome, rows[made].spots);
      made++;
    }
  if (made == 0)
    return;
  guint64 sequence = ++playing->sequence[rank];
  g_assert_true (add_shots (store, playing->id, rank, sequence, rows, made));
  if (fl_random_unit (random) < 0.3)
    g_assert_false (add_shots (store, playing->id, rank, sequence, rows, made));
}

static void
test_play (gconstpointer seed)
{
  enum
  {
    JOBS = 3,
    READERS = 4
  };
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  g_autoptr (FlStore) other = open_store (folder, FL_STORE_WRITE);
  FlRandom random = fl_random (GPOINTER_TO_UINT (seed));
  g_autoptr (GArray) attempts = g_array_new (FALSE, FALSE, sizeof (Playing));
  GHashTable *truths[JOBS];
  gint64 jobs[JOBS], trial = add_trial (store, 1);
  int numbers[JOBS] = { 0 };
  Reader readers[READERS];
  for (guint j = 0; j < JOBS; j++)
    {
      g_autofree char *name = g_strdup_printf ("r%u", j);
      truths[j] = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
      jobs[j] = add_job (store, trial, add_run (store, name, "complete"));
    }
  for (guint r = 0; r < READERS; r++)
    readers[r] = (Reader){
      0, g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) g_ptr_array_unref),
      fl_stats_new ()
    };
  for (guint step = 0; step < 250; step++)
    {
      FlStore *writer = fl_random_unit (&random) < 0.5 ? store : other;
      double what = fl_random_unit (&random);
      guint j = (guint) (fl_random_u64 (&random) % JOBS);
      if (what < 0.06 && numbers[j] < 5)
        {
          Playing playing = {
            add_attempt (writer, jobs[j], ++numbers[j]), j, { 0 }, FALSE, g_hash_table_new (NULL, NULL)
          };
          g_array_append_val (attempts, playing);
        }
      else if (attempts->len > 0)
        {
          /* Also of attempts that have been compacted: a frame that was found late. */
          Playing *playing = &g_array_index (attempts, Playing, fl_random_u64 (&random) % attempts->len);
          if (what < 0.12)
            compact (writer, playing->id);
          else
            play_slice (writer, playing, truths[playing->job], &random);
        }
      for (guint r = 0; r < READERS; r++)
        if (fl_random_unit (&random) < 1.0 / (double) (1 << (2 * r)))
          reader_check (&readers[r], r % 2 == 0 ? store : other, truths, jobs, JOBS, FALSE);
    }
  for (guint round = 0; round < 2; round++) /* the second time does nothing */
    for (guint a = 0; a < attempts->len; a++)
      compact (store, g_array_index (attempts, Playing, a).id);
  for (guint a = attempts->len; a-- > 0;)
    compact (store, g_array_index (attempts, Playing, a).id);
  for (guint r = 0; r < READERS; r++)
    {
      reader_check (&readers[r], store, truths, jobs, JOBS, TRUE);
      g_hash_table_unref (readers[r].attempts);
      fl_stats_free (readers[r].stats);
    }
  for (guint a = 0; a < attempts->len; a++)
    g_hash_table_unref (g_array_index (attempts, Playing, a).own);
  for (guint j = 0; j < JOBS; j++)
    g_hash_table_unref (truths[j]);
  remove_folder (folder);
}

/* --- single facts --- */

/* A reader that has seen everything is not bothered by the compaction; one in the middle gets the whole anew. */
static void
test_cursor (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  gint64 attempt =
      add_attempt (store, add_job (store, add_trial (store, 1), add_run (store, "r1", "complete")), 1);
  gint64 all = 0, some = 0;
  for (guint i = 0; i < 10; i++)
    {
      FlShotRow rows[] = { make_shot (2 * i + 1, FL_OUTCOME_MISS, 0, 100 - i),
                           make_shot (2 * i + 2, FL_OUTCOME_HIT, 9, 200 + i) };
      g_assert_true (add_shots (store, attempt, 0, i + 1, rows, 2));
    }
  g_autoptr (GPtrArray) first = fl_store_shots (store, 0, FL_SHOT_ID, 7, &some, NULL);
  g_assert_cmpuint (first->len, ==, 4); /* 8 shots: the limit is a round figure */
  g_autoptr (GPtrArray) whole = fl_store_shots (store, 0, FL_SHOT_ID, 0, &all, NULL);
  g_assert_cmpuint (whole->len, ==, 10);
  compact (store, attempt);
  g_autoptr (GPtrArray) nothing = fl_store_shots (store, 0, FL_SHOT_ID, 0, &all, NULL);
  g_assert_cmpuint (nothing->len, ==, 0);
  g_autoptr (GPtrArray) again = fl_store_shots (store, 0, FL_SHOT_ALL, 0, &some, NULL);
  g_assert_cmpuint (again->len, ==, 1);
  const FlShotBlock *block = again->pdata[0];
  g_assert_true (block->replaces && block->compacted);
  g_assert_cmpuint (block->n, ==, 20);
  g_assert_cmpuint (block->id[0], ==, 19); /* the earliest */
  g_assert_cmpint (some, ==, all);
  /* The frames are known although their slices are gone. */
  FlShotRow row = make_shot (1, FL_OUTCOME_MISS, 0, 1);
  g_assert_false (add_shots (store, attempt, 0, 3, &row, 1));
  remove_folder (folder);
}

static void
test_messages (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  gint64 job = add_job (store, add_trial (store, 1), add_run (store, "r1", "complete"));
  gint64 attempt = add_attempt (store, job, 1);
  FlShotRow rows[] = { make_shot (1, FL_OUTCOME_FAILED, 0, 5), make_shot (2, FL_OUTCOME_HIT, 20, 4),
                       make_shot (3, FL_OUTCOME_MISS, 0, 6) };
  add_shots (store, attempt, 0, 1, rows, 3);
  for (guint pass = 0; pass < 2; pass++)
    {
      g_autofree char *failed = fl_store_shot_message (store, job, 1, NULL);
      g_autofree char *well = fl_store_shot_message (store, job, 2, NULL);
      g_autoptr (GError) error = NULL;
      g_autofree char *none = fl_store_shot_message (store, job, 4, &error);
      g_assert_cmpstr (failed, ==, "it failed");
      g_assert_cmpstr (well, ==, "");
      g_assert_error (error, FL_ERROR, FL_ERROR_MISSING);
      compact (store, attempt);
    }
  remove_folder (folder);
}

static void
test_bad_frames (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  gint64 attempt = add_attempt (store, add_job (store, 1, add_run (store, "r1", "complete")), 1);
  FlShotRow row = make_shot (1, FL_OUTCOME_HIT, 20, 5);
  g_autoptr (GByteArray) bytes = pack_shots (&row, 1);
  for (guint cut = 0; cut < bytes->len; cut++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_false (
          fl_store_add_slice (store, attempt, 0, 1, FL_KIND_SHOT, bytes->data, cut, NULL, &error));
      g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
    }
  g_autoptr (GError) error = NULL;
  g_assert_false (
      fl_store_add_slice (store, attempt, 0, 1, FL_KIND_RANK, bytes->data, bytes->len, NULL, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  g_clear_error (&error);
  g_assert_false (
      fl_store_add_slice (store, attempt + 1, 0, 1, FL_KIND_SHOT, bytes->data, bytes->len, NULL, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_MISSING);
  g_clear_error (&error);
  g_assert_true (add_shots (store, attempt, 0, 1, &row, 1)); /* none of it has left a trace */
  remove_folder (folder);
}

/* --- stats --- */

static void
test_overview (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  g_autoptr (FlStats) stats = fl_stats_new ();
  gint64 old = add_trial (store, 1), new = add_trial (store, 2);
  FlRun run = { .name = (char *) "r1", .state = (char *) "complete", .shots = 300, .completed = 50 };
  FlRun waiting = { .name = (char *) "r2", .state = (char *) "complete", .completed = 1000 };
  save (store, FL_TABLE_RUN, &run);
  save (store, FL_TABLE_RUN, &waiting);
  gint64 jobs[] = { add_job (store, old, run.id), add_job (store, new, run.id), add_job (store, new, 99) };
  gint64 attempts[] = { add_attempt (store, jobs[0], 1), add_attempt (store, jobs[1], 1) };
  for (guint i = 0; i < 200; i++) /* the first half of the run misses, the second hits */
    {
      FlShotRow row = make_shot (i + 1, i < 100 ? FL_OUTCOME_MISS : FL_OUTCOME_HIT, 10, 1000 * (i + 1));
      add_shots (store, attempts[1], 0, i + 1, &row, 1);
      if (i < 50)
        add_shots (store, attempts[0], 0, i + 1, &row, 1);
    }
  g_assert_true (fl_store_set_int (store, FL_TABLE_JOB, jobs[0], "state", FL_JOB_DONE, NULL));
  g_assert_true (fl_store_set_int (store, FL_TABLE_JOB, jobs[1], "state", FL_JOB_DONE, NULL));
  g_assert_true (fl_store_set_int (store, FL_TABLE_JOB, jobs[2], "state", FL_JOB_FAILED, NULL));
  g_assert_true (fl_store_set_text (store, FL_TABLE_JOB, jobs[2], "reason", "x.cxi: damaged", NULL));
  gboolean changed = FALSE;
  g_assert_true (fl_stats_update (stats, store, &changed, NULL));
  g_assert_true (changed);
  g_assert_true (fl_stats_update (stats, store, &changed, NULL));
  g_assert_false (changed);
  FlOverview overview;
  fl_stats_overview (stats, 6000, &overview);
  g_assert_cmpint (overview.trial, ==, new);
  g_assert_cmpint (overview.shots, ==, 200);
  g_assert_cmpint (overview.hits, ==, 100);
  g_assert_cmpuint (overview.newest, ==, 200000 + 65000);
  g_assert_cmpint (overview.acquired, ==, 300);
  g_assert_cmpint (overview.processed, ==, 200);
  g_assert_cmpuint (overview.runs_waiting, ==, 1);
  g_assert_cmpuint (overview.lag, ==, 5000);
  g_assert_cmpuint (overview.jobs_failed, ==, 1);
  g_assert_cmpstr (overview.failed_reason, ==, "x.cxi: damaged");
  g_assert_cmpint (overview.failed_job, ==, jobs[2]);
  fl_overview_clear (&overview);
  FlJobStats of_run;
  g_assert_true (fl_stats_run (stats, run.id, 0, &of_run)); /* the newest trial's */
  g_assert_cmpint (of_run.shots, ==, 200);
  g_assert_cmpuint (of_run.n_bins, ==, FL_SPARKLINE_BINS);
  for (guint i = 0; i < FL_SPARKLINE_BINS / 2 - 1; i++)
    {
      g_assert_cmpfloat (of_run.bins[i], ==, 0);
      g_assert_cmpfloat (of_run.bins[FL_SPARKLINE_BINS - 1 - i], ==, 1);
    }
  g_assert_true (fl_stats_run (stats, run.id, old, &of_run));
  g_assert_cmpint (of_run.shots, ==, 50);
  g_assert_false (fl_stats_run (stats, waiting.id, 0, &of_run));
  g_assert_true (fl_stats_trial (stats, new, &of_run));
  g_assert_cmpint (of_run.hits, ==, 100);
  g_assert_null (fl_stats_job (stats, jobs[2]));
  remove_folder (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint seed = 1; seed <= 4; seed++)
    {
      g_autofree char *name = g_strdup_printf ("/store/slices/play/%u", seed);
      g_test_add_data_func (name, GUINT_TO_POINTER (seed), test_play);
    }
  g_test_add_func ("/store/slices/cursor", test_cursor);
  g_test_add_func ("/store/slices/messages", test_messages);
  g_test_add_func ("/store/slices/bad-frames", test_bad_frames);
  g_test_add_func ("/store/slices/overview", test_overview);
  return g_test_run ();
}
