/* Outlooks of a made store: which merges are a trend, what is read again, how fast lattices come; and what the program prints. */
#include "engine/control/outlook.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "engine/base/units.h"
#include "simulated-shift.h"

#define SECOND G_GUINT64_CONSTANT (1000000000)

typedef struct
{
  char *folder;
  FlStore *store;
  FlOutlooks *outlooks;
  gint64 trial, stills, merge, dataset, tag;
  guint64 now, sequence;
  SimulatedShift shift;
} Place;

static void
must (gboolean good, GError **error)
{
  if (!good)
    g_error ("test: %s", *error != NULL ? (*error)->message : "failed");
}

static gint64
save (Place *p, FlTable table, gpointer record)
{
  GError *error = NULL;
  must (fl_store_save (p->store, table, record, &error), &error);
  return *(gint64 *) record;
}

static gint64
add_attempt (Place *p, gint64 job, int number)
{
  FlAttempt attempt = { .job = job, .number = number, .state = FL_JOB_DONE };
  return save (p, FL_TABLE_ATTEMPT, &attempt);
}

static void
add_batch (Place *p, gint64 attempt, FlBatch *batch)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  GError *error = NULL;
  fl_batch_encode (batch, bytes);
  must (fl_store_add_slice (p->store, attempt, 0, ++p->sequence, (int) fl_batch_kind (batch), bytes->data,
                            bytes->len, NULL, &error),
        &error);
  fl_batch_free (batch);
}

/* A run's job with so many indexed shots, one a second until `ago` s before now. */
static gint64
add_stills (Place *p, const char *name, FlJobState state, guint indexed, guint ago)
{
  FlRun run = {
    .name = (char *) name, .root = (char *) "data", .path = (char *) name, .state = (char *) "complete"
  };
  FlRunTag tag = { .run = save (p, FL_TABLE_RUN, &run), .tag = p->tag };
  save (p, FL_TABLE_RUN_TAG, &tag);
  FlJob job = { .trial = p->trial, .run = run.id, .task = p->stills, .state = state };
  gint64 attempt = add_attempt (p, save (p, FL_TABLE_JOB, &job), 1);
  FlBatch *shots = fl_batch_new (FL_KIND_SHOT);
  for (guint i = 0; i < indexed; i++)
    {
      FlShotRow row = { .id = (guint64) run.id << 32 | i,
                        .start = p->now - (ago + indexed - i) * SECOND,
                        .outcome = FL_OUTCOME_INDEXED,
                        .lattices = 1 };
      fl_batch_append (shots, &row);
    }
  add_batch (p, attempt, shots);
  return job.id;
}

static void
add_rows (Place *p, gint64 attempt, FlKind kind, gconstpointer rows, guint n)
{
  FlBatch *batch = fl_batch_new (kind);
  for (guint i = 0; i < n; i++)
    fl_batch_append (batch, (const char *) rows + i * fl_schema (kind)->row_size);
  add_batch (p, attempt, batch);
}

/* One attempt's merge of the simulated shift's version (0 or 1). */
static void
add_merge (Place *p, gint64 job, int number, const FlForecastVersion *version)
{
  gint64 attempt = add_attempt (p, job, number);
  FlMergeRow row = { .time = p->now, .lattices = version->lattices, .used = version->lattices };
  add_rows (p, attempt, FL_KIND_MERGE, &row, 1);
  add_rows (p, attempt, FL_KIND_SHELL, version->shells, version->n_shells);
  if (version->n_trend > 0)
    add_rows (p, attempt, FL_KIND_TREND, version->trend, version->n_trend);
}

static gint64
add_version (Place *p, int number, gint64 trial, const gint64 *inputs, guint n)
{
  FlDatasetVersion version = { .dataset = p->dataset, .number = number };
  save (p, FL_TABLE_DATASET_VERSION, &version);
  for (guint i = 0; i < n; i++)
    {
      FlVersionJob use = { .version = version.id, .job = inputs[i] };
      save (p, FL_TABLE_VERSION_JOB, &use);
    }
  FlJob job = {
    .trial = trial, .task = p->merge, .dataset = p->dataset, .version = version.id, .state = FL_JOB_DONE
  };
  return save (p, FL_TABLE_JOB, &job);
}

static void
place_open (Place *p, gconstpointer unused)
{
  GError *error = NULL;
  (void) unused;
  memset (p, 0, sizeof *p);
  p->now = fl_now_ns ();
  p->folder = g_dir_make_tmp ("firstlight-outlook-XXXXXX", NULL);
  p->store = fl_store_open (p->folder, FL_STORE_CREATE, &error);
  must (p->store != NULL, &error);
  p->outlooks = fl_outlooks_new ();
  simulated_shift_make (7, &p->shift);
  FlTrial trial = { .number = 1, .params = (char *) "", .active = TRUE };
  FlTask stills = { .name = (char *) "find", .type = (char *) "all" },
         merge = { .name = (char *) "all together", .type = (char *) "merge" };
  FlTag tag = { .name = (char *) "lysozyme" };
  FlDataset dataset = { .name = (char *) "lyso", .expression = (char *) "lysozyme", .active = TRUE };
  p->trial = save (p, FL_TABLE_TRIAL, &trial);
  p->stills = save (p, FL_TABLE_TASK, &stills);
  p->merge = save (p, FL_TABLE_TASK, &merge);
  p->tag = save (p, FL_TABLE_TAG, &tag);
  p->dataset = save (p, FL_TABLE_DATASET, &dataset);
  g_autofree char *after = g_strdup_printf ("%" G_GINT64_FORMAT, p->stills);
  FlDatasetTask steps[] = { { .dataset = p->dataset, .task = p->stills, .number = 1 },
                            { .dataset = p->dataset, .task = p->merge, .number = 2, .after = after } };
  save (p, FL_TABLE_DATASET_TASK, &steps[0]);
  save (p, FL_TABLE_DATASET_TASK, &steps[1]);
}

static void
place_close (Place *p, gconstpointer unused)
{
  (void) unused;
  fl_outlooks_free (p->outlooks);
  g_autofree char *where = g_strdup (fl_store_path (p->store));
  fl_store_close (p->store);
  static const char *const ends[] = { "", "-wal", "-shm" };
  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    {
      g_autofree char *file = g_strconcat (where, ends[i], NULL);
      g_unlink (file);
    }
  g_assert_cmpint (g_rmdir (p->folder), ==, 0);
  g_free (p->folder);
}

static const FlOutlook *
look (Place *p, gboolean expect_change)
{
  GError *error = NULL;
  gboolean changed;
  must (fl_outlooks_update (p->outlooks, p->store, p->now, &changed, &error), &error);
  g_assert_cmpint (changed, ==, expect_change);
  return fl_outlooks_find (p->outlooks, p->dataset);
}

static void
set_goal (Place *p, double cc_half)
{
  GError *error = NULL;
  FlDataset *dataset = fl_store_get (p->store, FL_TABLE_DATASET, p->dataset, &error);
  must (dataset != NULL, &error);
  dataset->goal_cc_half = cc_half;
  dataset->goal_d_min = p->shift.d_min;
  save (p, FL_TABLE_DATASET, dataset);
  fl_record_free (FL_TABLE_DATASET, dataset);
}

static void
test_grows (Place *p, gconstpointer unused)
{
  (void) unused;
  g_assert_null (look (p, FALSE)); /* neither goal nor merge */
  set_goal (p, 0.99);
  const FlOutlook *outlook = look (p, TRUE);
  g_assert_cmpint (outlook->forecast.verdict, ==, FL_VERDICT_NO_DATA);
  g_assert_cmpint (outlook->job, ==, 0);
  look (p, FALSE);

  gint64 inputs[2] = { add_stills (p, "r0001", FL_JOB_DONE, 200, 5000) };
  gint64 first = add_version (p, 1, p->trial, inputs, 1);
  add_merge (p, first, 1, &p->shift.versions[0]);
  g_autoptr (FlOutlook) old = fl_outlook_ref ((FlOutlook *) look (p, TRUE));
  g_assert_cmpint (old->version, ==, 1);
  g_assert_cmpuint (old->forecast.lattices, ==, p->shift.versions[0].lattices);
  g_assert_cmpfloat (old->rate, ==, 0); /* long ago */
  g_assert_true (isnan (old->forecast.seconds));

  gint64 second = add_version (p, 2, p->trial, inputs, 1);
  add_merge (p, second, 1, &p->shift.versions[0]); /* ended too early: the next attempt counts */
  add_merge (p, second, 2, &p->shift.versions[1]);
  outlook = look (p, TRUE);
  g_assert_cmpint (outlook->job, ==, second);
  g_assert_cmpint (outlook->version, ==, 2);
  g_assert_cmpuint (outlook->versions->len, ==, 2);
  g_assert_cmpint (g_array_index (outlook->numbers, int, 0), ==, 1);
  g_assert_cmpuint (g_array_index (outlook->versions, FlForecastVersion, 1).n_shells, ==,
                    p->shift.versions[1].n_shells);
  g_assert_cmpint (old->version, ==, 1); /* what has been handed out stays as it was */

  FlForecast direct;
  FlDataset dataset = { .goal_cc_half = 0.99, .goal_d_min = p->shift.d_min };
  fl_forecast_make (&dataset, p->shift.versions, 2, 0, &direct);
  g_assert_cmpstr (outlook->forecast.reason, ==, direct.reason);
  g_assert_cmpint (outlook->forecast.verdict, ==, direct.verdict);
  fl_forecast_clear (&direct);

  set_goal (p, 0);
  g_assert_cmpint (look (p, TRUE)->forecast.verdict, ==, FL_VERDICT_NO_GOAL);
}

/* Another trial's merges are another trend. */
static void
test_chain (Place *p, gconstpointer unused)
{
  (void) unused;
  FlTrial other = { .number = 2, .params = (char *) "[spots]\nsigma_strong = 4\n", .active = TRUE };
  save (p, FL_TABLE_TRIAL, &other);
  add_merge (p, add_version (p, 1, p->trial, NULL, 0), 1, &p->shift.versions[0]);
  add_merge (p, add_version (p, 2, other.id, NULL, 0), 1, &p->shift.versions[0]);
  add_merge (p, add_version (p, 3, other.id, NULL, 0), 1, &p->shift.versions[1]);
  const FlOutlook *outlook = look (p, TRUE);
  g_assert_cmpuint (outlook->versions->len, ==, 2);
  g_assert_cmpint (g_array_index (outlook->numbers, int, 0), ==, 2);
  g_assert_cmpint (g_array_index (outlook->numbers, int, 1), ==, 3);
}

/* Two of three indexed shots give a lattice of the merge. 300 of them came in the last 300 s, 150 of which the merge has already. */
static void
test_rate (Place *p, gconstpointer unused)
{
  (void) unused;
  double used = (double) p->shift.versions[1].lattices;
  guint indexed = (guint) (1.5 * used);
  gint64 inputs[2] = { add_stills (p, "r0001", FL_JOB_DONE, indexed - 150, 2000),
                       add_stills (p, "r0002", FL_JOB_DONE, 150, 150) };
  set_goal (p, 0.9999);
  add_merge (p, add_version (p, 1, p->trial, inputs, 2), 1, &p->shift.versions[1]);
  add_stills (p, "r0003", FL_JOB_RUNNING, 150, 0);
  add_stills (p, "r0004", FL_JOB_FAILED, 500, 0); /* will not be merged */
  const FlOutlook *outlook = look (p, TRUE);
  double share = used / indexed;
  g_assert_cmpfloat_with_epsilon (outlook->rate, share * 300 / 300, 1e-9);
  g_assert_cmpfloat_with_epsilon (outlook->waiting, share * 150, 1e-6);
  const FlForecast *f = &outlook->forecast;
  if (isfinite (f->needed))
    g_assert_cmpfloat_with_epsilon (f->seconds, (f->needed - used - outlook->waiting) / outlook->rate,
                                    1e-6 * f->seconds);
  p->now += 1000 * SECOND; /* the beam is off */
  outlook = look (p, TRUE);
  g_assert_cmpfloat (outlook->rate, ==, 0);
  g_assert_null (fl_outlook_when (outlook));
}

/* 3 000 jobs with a merge in 100 versions: what has been read is not read again. */
static void
test_speed (Place *p, gconstpointer unused)
{
  (void) unused;
  GError *error = NULL;
  set_goal (p, 0.9999);
  must (fl_store_begin (p->store, &error), &error);
  gint64 inputs[1] = { 0 };
  for (guint i = 0; i < 3000; i++)
    {
      g_autofree char *name = g_strdup_printf ("r%04u", i);
      inputs[0] = add_stills (p, name, FL_JOB_DONE, 1, 5000);
    }
  for (int i = 1; i <= 100; i++)
    add_merge (p, add_version (p, i, p->trial, inputs, 1), 1, &p->shift.versions[i == 100]);
  must (fl_store_commit (p->store, &error), &error);
  gint64 before = g_get_monotonic_time ();
  look (p, TRUE);
  gint64 between = g_get_monotonic_time ();
  look (p, FALSE);
  gint64 after = g_get_monotonic_time ();
  g_test_message ("first %.1f ms, again %.1f ms", (double) (between - before) / 1e3,
                  (double) (after - between) / 1e3);
}

static void
test_program (Place *p, gconstpointer unused)
{
  (void) unused;
  const char *program = g_getenv ("FIRSTLIGHT_CONTROL");
  GError *error = NULL;
  if (program == NULL)
    {
      g_test_skip ("FIRSTLIGHT_CONTROL is not set");
      return;
    }
  set_goal (p, 0.001);
  add_merge (p, add_version (p, 1, p->trial, NULL, 0), 1, &p->shift.versions[1]);
  const FlOutlook *outlook = look (p, TRUE);
  g_autofree char *expected = g_strdup_printf ("\tenough\t%s\t\n", outlook->forecast.reason), *output = NULL;
  const char *argv[] = { program, "dataset", "--store", p->folder, NULL };
  int status;
  must (g_spawn_sync (NULL, (char **) argv, NULL, 0, NULL, NULL, &output, NULL, &status, &error), &error);
  must (g_spawn_check_wait_status (status, &error), &error);
  g_assert_true (g_str_has_prefix (output, "lyso\tactive\tversion 1\tlysozyme\td_min="));
  g_assert_true (g_str_has_suffix (output, expected));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/outlook/grows", Place, NULL, place_open, test_grows, place_close);
  g_test_add ("/outlook/chain", Place, NULL, place_open, test_chain, place_close);
  g_test_add ("/outlook/rate", Place, NULL, place_open, test_rate, place_close);
  g_test_add ("/outlook/speed", Place, NULL, place_open, test_speed, place_close);
  g_test_add ("/outlook/program", Place, NULL, place_open, test_program, place_close);
  return g_test_run ();
}
