/* What a reconstruction has come to, and what shots of single particles show: rows through the store, as they come, after
 * compaction, and when a later attempt goes on from a checkpoint. */
#include "tests/store/fixture.h"

#include <math.h>
#include <sqlite3.h>
#include <string.h>

#include "engine/store/feed.h"
#include "engine/store/generations.h"
#include "engine/store/mirror.h"
#include "engine/store/particles.h"

static void
add_rows (FlStore *store, gint64 attempt, guint64 sequence, FlKind kind, gconstpointer rows, guint n)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlBatch) batch = fl_batch_new (kind);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  gboolean inserted = FALSE;
  for (guint i = 0; i < n; i++)
    fl_batch_append (batch, (const char *) rows + i * fl_schema (kind)->row_size);
  fl_batch_encode (batch, bytes);
  fl_store_add_slice (store, attempt, 0, sequence, (int) kind, bytes->data, bytes->len, &inserted, &error);
  g_assert_no_error (error);
  g_assert_true (inserted);
}

/* As the program writes it: what it is made of, then the whole. */
static void
add_generation (FlStore *store, gint64 attempt, guint32 number)
{
  const FlOccupancyRow occupancies[] = { { number, 1, 0.25f, NAN, 0 }, { number, 0, 0.75f, 30, number % 2 } };
  const FlCurveRow curves[] = { { number, 0, FL_CURVE_PRTF, 0.02f, 0.5f },
                                { number, 0, FL_CURVE_FSC_HALVES, 0.02f, 0.4f },
                                { number, 0, FL_CURVE_FSC_HALVES, 0.01f, 0.9f } };
  const FlCoverageRow coverage[] = { { number, 0, 0, 1, 3.5f }, { number, 1, 0, 0, 1.25f } };
  const FlGenerationRow row = {
    .number = number, .patterns = 100, .held = (double) attempt, .half_low = NAN
  };
  add_rows (store, attempt, number * 10, FL_KIND_OCCUPANCY, occupancies, G_N_ELEMENTS (occupancies));
  add_rows (store, attempt, number * 10 + 1, FL_KIND_CURVE, curves, G_N_ELEMENTS (curves));
  add_rows (store, attempt, number * 10 + 2, FL_KIND_COVERAGE, coverage, G_N_ELEMENTS (coverage));
  add_rows (store, attempt, number * 10 + 3, FL_KIND_GENERATION, &row, 1);
}

static GPtrArray *
update (FlGenerations *generations, FlStore *store, gboolean expected)
{
  g_autoptr (GError) error = NULL;
  gboolean changed;
  fl_generations_update (generations, store, &changed, &error);
  g_assert_no_error (error);
  g_assert_cmpint (changed, ==, expected);
  return fl_generations_list (generations);
}

static void
assert_whole (const FlGeneration *g, guint32 number, gint64 attempt)
{
  g_assert_cmpuint (g->row.number, ==, number);
  g_assert_cmpint (g->attempt, ==, attempt);
  g_assert_cmpfloat (g->row.held, ==, (double) attempt);
  g_assert_true (isnan (g->row.half_low));
  g_assert_cmpuint (g->occupancies->len, ==, 2);
  g_assert_cmpuint (g->coverage->len, ==, 2);
  g_assert_cmpuint (g->curves->len, ==, 3);
  g_assert_cmpfloat (g_array_index (g->occupancies, FlOccupancyRow, 0).share, ==, 0.75f);
  g_assert_cmpuint (g_array_index (g->curves, FlCurveRow, 0).curve, ==, FL_CURVE_FSC_HALVES);
  g_assert_cmpfloat (g_array_index (g->curves, FlCurveRow, 0).value, ==, 0.9f);
  g_assert_cmpuint (g_array_index (g->curves, FlCurveRow, 2).curve, ==, FL_CURVE_PRTF);
  g_assert_cmpfloat (g_array_index (g->coverage, FlCoverageRow, 0).weight, ==, 3.5f);
  g_autofree char *volume = fl_generation_volume (g, 0), *none = fl_generation_volume (g, 1);
  g_autofree char *expected = number % 2 == 1 ? g_strdup_printf ("volumes/g%04u-c0.mrc", number) : NULL;
  g_assert_cmpstr (volume, ==, expected);
  g_assert_null (none);
}

/* Who follows from far away sees it too. */
static void
assert_mirrored (FlStore *store, gint64 job, gint64 first, gint64 second)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = plain_folder ();
  FlMirror *mirror = fl_mirror_open (folder, &error);
  FlMirrorNews news = { .more = TRUE };
  while (news.more)
    {
      g_autoptr (GBytes) position = fl_mirror_position (mirror, &error);
      g_assert_no_error (error);
      gsize length;
      gconstpointer bytes = g_bytes_get_data (position, &length);
      g_autoptr (GBytes) batch = fl_feed_collect (store, bytes, length, 500, &error);
      g_assert_no_error (error);
      fl_mirror_apply (mirror, batch, &news, &error);
      g_assert_no_error (error);
    }
  fl_mirror_close (mirror);
  FlStore *copy = open_store (folder, FL_STORE_READ_ONLY);
  g_autoptr (FlGenerations) generations = fl_generations_new (job);
  g_autoptr (GPtrArray) three = update (generations, copy, TRUE);
  g_assert_cmpuint (three->len, ==, 3);
  for (guint i = 0; i < 3; i++)
    assert_whole (three->pdata[i], i + 1, i == 2 ? second : first);
  fl_store_close (copy);
  remove_folder (folder);
}

/* A reader that came along, and one that comes at the end, see the same. */
static void
test_attempts (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  gint64 job = add_job (store, add_trial (store, 1), add_run (store, "r1", "complete"));
  gint64 other = add_job (store, add_trial (store, 2), add_run (store, "r2", "complete"));
  gint64 first = add_attempt (store, job, 1), foreign = add_attempt (store, other, 1);
  g_autoptr (FlGenerations) along = fl_generations_new (job);
  g_autoptr (GPtrArray) none = update (along, store, FALSE);
  g_assert_cmpuint (none->len, ==, 0);
  add_generation (store, foreign, 7);
  for (guint32 number = 1; number <= 4; number++)
    add_generation (store, first, number);
  g_autoptr (GPtrArray) four = update (along, store, TRUE);
  g_assert_cmpuint (four->len, ==, 4);
  for (guint i = 0; i < 4; i++)
    assert_whole (four->pdata[i], i + 1, first);

  /* It is killed and goes on from the checkpoint of generation 2. */
  gint64 second = add_attempt (store, job, 2);
  add_generation (store, second, 3);
  compact (store, first);
  g_autoptr (GPtrArray) three = update (along, store, TRUE);
  g_autoptr (FlGenerations) late = fl_generations_new (job);
  g_autoptr (GPtrArray) same = update (late, store, TRUE);
  g_assert_cmpuint (three->len, ==, 3);
  g_assert_cmpuint (same->len, ==, 3);
  for (guint i = 0; i < 3; i++)
    {
      assert_whole (three->pdata[i], i + 1, i == 2 ? second : first);
      assert_whole (same->pdata[i], i + 1, i == 2 ? second : first);
    }
  assert_whole (four->pdata[3], 4, first); /* what was given out stays */
  assert_mirrored (store, job, first, second);
  remove_folder (folder);
}

/* The curves come after their generation has been shown. */
static void
test_late_rows (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  gint64 job = add_job (store, add_trial (store, 1), add_run (store, "r1", "complete"));
  gint64 attempt = add_attempt (store, job, 1);
  g_autoptr (FlGenerations) generations = fl_generations_new (job);
  const FlGenerationRow row = { .number = 1 };
  const FlCurveRow early = { 2, 0, FL_CURVE_PRTF, 0.1f, 1 }, curve = { 1, 0, FL_CURVE_PRTF, 0.1f, 1 };
  add_rows (store, attempt, 1, FL_KIND_GENERATION, &row, 1);
  add_rows (store, attempt, 2, FL_KIND_CURVE, &early, 1); /* of one that is not there yet */
  g_autoptr (GPtrArray) before = update (generations, store, TRUE);
  add_rows (store, attempt, 3, FL_KIND_CURVE, &curve, 1);
  g_autoptr (GPtrArray) after = update (generations, store, TRUE);
  g_assert_cmpuint (before->len, ==, 1);
  g_assert_cmpuint (after->len, ==, 1);
  g_assert_cmpuint (((FlGeneration *) before->pdata[0])->curves->len, ==, 0);
  g_assert_cmpuint (((FlGeneration *) after->pdata[0])->curves->len, ==, 1);
  remove_folder (folder);
}

static void
change_tables (const char *folder, const char *sql)
{
  g_autofree char *path = g_build_filename (folder, FL_STORE_FILE, NULL);
  sqlite3 *db;
  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (db);
}

/* A read that gets as far as the curves: what had come before them is news of the next one, which finds nothing more. */
static void
test_broken_off (void)
{
  SKIP_ON_MYSQL
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  gint64 job = add_job (store, add_trial (store, 1), add_run (store, "r1", "complete"));
  gint64 attempt = add_attempt (store, job, 1);
  g_autoptr (FlGenerations) generations = fl_generations_new (job);
  const FlGenerationRow row = { .number = 1 };
  const FlCurveRow early = { 2, 0, FL_CURVE_PRTF, 0.1f, 1 };
  gboolean changed = FALSE;
  add_rows (store, attempt, 1, FL_KIND_GENERATION, &row, 1);
  add_rows (store, attempt, 2, FL_KIND_CURVE, &early, 1);
  G_STATIC_ASSERT (FL_KIND_CURVE == 16);
  change_tables (
      folder,
      "ALTER TABLE slice_column RENAME TO whole;"
      "CREATE VIEW slice_column AS SELECT whole.id AS id, CASE kind WHEN 16 THEN "
      "abs(-9223372036854775808) ELSE data END AS data FROM whole JOIN slice ON whole.id = 64 * slice.id");
  g_assert_false (fl_generations_update (generations, store, &changed, &error));
  g_assert_nonnull (error);
  g_assert_true (strstr (error->message, "integer overflow") != NULL);
  change_tables (
      folder,
      "DELETE FROM slice WHERE kind = 16; DROP VIEW slice_column; ALTER TABLE whole RENAME TO slice_column");
  g_autoptr (GPtrArray) one = update (generations, store, TRUE);
  g_autoptr (GPtrArray) same = update (generations, store, FALSE);
  g_assert_cmpuint (one->len, ==, 1);
  g_assert_cmpuint (same->len, ==, 1);
  remove_folder (folder);
}

static void
test_particles (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  gint64 run = add_run (store, "r1", "complete");
  gint64 job = add_job (store, add_trial (store, 1), run);
  gint64 attempt = add_attempt (store, job, 1), cursor = 0;
  FlShotRow shots[40];
  FlParticleRow rows[40];
  for (guint i = 0; i < 40; i++)
    {
      guint8 class = (guint8) (i % (FL_PARTICLE_LAST + 1)); /* the last is of a later version */
      rows[i] = (FlParticleRow){ i, class, 10 * i, 2, class == FL_PARTICLE_SINGLE ? 160 : 0, (float) i - 5 };
      shots[i] = make_shot (i, class == FL_PARTICLE_SINGLE ? FL_OUTCOME_HIT : FL_OUTCOME_MISS, 0, i + 1);
    }
  add_rows (store, attempt, 1, FL_KIND_PARTICLE, rows, 25);
  add_rows (store, attempt, 2, FL_KIND_PARTICLE, rows + 25, 15);
  g_assert_true (add_shots (store, attempt, 0, 3, shots, 40));
  compact (store, attempt);
  guint seen = 0;
  for (guint portion = 0; portion < 3; portion++)
    {
      g_autoptr (GPtrArray) blocks = fl_store_particles (store, job, 1, &cursor, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (blocks->len, ==, portion < 2 ? 1 : 0);
      const FlParticleBlock *block = blocks->len > 0 ? blocks->pdata[0] : NULL;
      for (guint i = 0; block != NULL && i < block->n; i++, seen++)
        {
          g_assert_cmpuint (block->shot[i], ==, seen);
          g_assert_cmpuint (block->class[i], ==, MIN (rows[seen].class, FL_PARTICLE_JUNK));
          g_assert_cmpuint (block->photons[i], ==, 10 * seen);
          g_assert_cmpfloat (block->background[i], ==, 2);
          g_assert_cmpfloat (block->diameter[i], ==, rows[seen].diameter);
          g_assert_cmpfloat (block->score[i], ==, rows[seen].score);
        }
      if (block != NULL)
        g_assert_cmpint (block->run, ==, run);
    }
  g_assert_cmpuint (seen, ==, 40);
  remove_folder (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/generations/attempts", test_attempts);
  g_test_add_func ("/generations/late-rows", test_late_rows);
  g_test_add_func ("/generations/broken-off", test_broken_off);
  g_test_add_func ("/particles", test_particles);
  return g_test_run ();
}
