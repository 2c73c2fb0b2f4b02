/* What a dataset means, from records alone. */
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/control/dataset-plan.h"

#define S FL_NS_PER_S

/* Records that are freed together. */
typedef struct
{
  FlPlanRecords records;
  GPtrArray *steps;
  FlDataset dataset;
} World;

#define ADD(list, type, ...) g_ptr_array_add ((list), g_memdup2 (&(type) __VA_ARGS__, sizeof (type)))

static FlJob *
add_job (World *w, gint64 trial, gint64 run, gint64 task, FlJobState state, guint64 ended, const char *said)
{
  gint64 id = w->records.jobs->len + 1;
  ADD (w->records.jobs, FlJob,
       { .id = id, .trial = trial, .run = run, .task = task, .state = state, .ended = ended, .attempts = 1 });
  if (said != NULL)
    ADD (w->records.attempts, FlAttempt,
         { .id = id,
           .job = id,
           .number = 1,
           .state = state,
           .reason = (char *) said,
           .started = 1,
           .ended = 1 + 60 * S,
           .n_nodes = 2 });
  return w->records.jobs->pdata[id - 1];
}

/* Five runs: 1–3 are of the sample, 3 is dark, 5 is being recorded and of the sample; task 1 of runs, task 2 after it, task 3
 * of all; trial 1 is active, 2 is not. */
static void
set_up (World *w, gconstpointer data)
{
  static const char *const names[] = { "r0001", "r0002", "r0003", "r0004", "r0005" };
  (void) data;
  GPtrArray **lists[] = { &w->records.runs,     &w->records.tags,         &w->records.run_tags,
                          &w->records.blocks,   &w->records.trials,       &w->records.tasks,
                          &w->records.sites,    &w->records.jobs,         &w->records.attempts,
                          &w->records.versions, &w->records.version_jobs, &w->steps };
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    *lists[i] = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < 5; i++)
    ADD (w->records.runs, FlRun,
         { .id = i + 1,
           .name = (char *) names[i],
           .path = (char *) "data",
           .bytes = 1000 * (i + 1),
           .shots = 10 * (i + 1),
           .state = (char *) (i == 4 ? "recording" : "complete") });
  ADD (w->records.tags, FlTag, { .id = 1, .name = (char *) "sample" });
  ADD (w->records.tags, FlTag, { .id = 2, .name = (char *) "dark" });
  static const gint64 tagged[][2] = { { 1, 1 }, { 2, 1 }, { 3, 1 }, { 3, 2 }, { 5, 1 } };
  for (guint i = 0; i < G_N_ELEMENTS (tagged); i++)
    ADD (w->records.run_tags, FlRunTag, { .id = i + 1, .run = tagged[i][0], .tag = tagged[i][1] });
  for (int i = 1; i <= 2; i++)
    ADD (w->records.trials, FlTrial, { .id = i, .number = i, .active = i == 1 });
  ADD (w->records.tasks, FlTask,
       { .id = 1, .name = (char *) "find", .type = (char *) "spots", .minutes = 20, .nodes = 3 });
  ADD (w->records.tasks, FlTask, { .id = 2, .name = (char *) "index", .type = (char *) "all" });
  ADD (w->records.tasks, FlTask, { .id = 3, .name = (char *) "stream", .type = (char *) "export" });
  ADD (w->records.sites, FlSite, { .id = 1, .active = TRUE, .nodes = 1, .minutes = 30 });
  ADD (w->steps, FlDatasetTask, { .id = 1, .dataset = 1, .task = 1, .number = 1, .after = (char *) "" });
  ADD (w->steps, FlDatasetTask, { .id = 2, .dataset = 1, .task = 2, .number = 2, .after = (char *) "1" });
  ADD (w->steps, FlDatasetTask, { .id = 3, .dataset = 1, .task = 3, .number = 3, .after = (char *) "2" });
  ADD (w->steps, FlDatasetTask,
       { .id = 4, .dataset = 2, .task = 9, .number = 1, .after = (char *) "" }); /* another's */
  w->dataset = (FlDataset){
    .id = 1, .name = (char *) "d", .expression = (char *) "sample and not dark", .min_interval = 100
  };
}

static void
tear_down (World *w, gconstpointer data)
{
  (void) data;
  GPtrArray *lists[] = { w->records.runs,     w->records.tags,     w->records.run_tags,     w->records.blocks,
                         w->records.trials,   w->records.tasks,    w->records.sites,        w->records.jobs,
                         w->records.attempts, w->records.versions, w->records.version_jobs, w->steps };
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    g_ptr_array_unref (lists[i]);
}

static FlDatasetPlan *
plan (World *w, guint64 now)
{
  g_autoptr (GError) error = NULL;
  FlDatasetPlan *made = fl_dataset_plan (&w->records, &w->dataset, w->steps, now, &error);
  g_assert_no_error (error);
  return made;
}

static const FlMeantJob *
meant (const FlDatasetPlan *made, gint64 run, gint64 task)
{
  for (guint i = 0; i < made->jobs->len; i++)
    {
      const FlMeantJob *job = &g_array_index (made->jobs, FlMeantJob, i);
      if (job->run->id == run && job->task->id == task)
        return job;
    }
  return NULL;
}

static void
test_new (World *w, gconstpointer data)
{
  (void) data;
  g_autoptr (FlDatasetPlan) made = plan (w, 1000 * S);
  g_assert_cmpuint (made->runs->len, ==, 3); /* 1, 2 and the one that is being recorded */
  g_assert_cmpuint (made->shots, ==, 10 + 20 + 50);
  g_assert_cmpuint (made->jobs->len, ==, 4);
  g_assert_cmpuint (made->n_new, ==, 4);
  g_assert_true (meant (made, 1, 1)->ready);
  g_assert_false (meant (made, 1, 2)->ready);
  g_assert_cmpuint (made->globals->len, ==, 1);
  g_assert_null (made->note);
  /* Nothing was measured: two jobs of 3 nodes and 20 minutes, two of the site's 1 and 30. */
  g_assert_cmpfloat_with_epsilon (made->node_minutes, 2 * 60 + 2 * 30, 1e-9);
  g_assert_true (made->guessed);
}

static void
test_goes_on (World *w, gconstpointer data)
{
  (void) data;
  add_job (w, 1, 1, 1, FL_JOB_DONE, 5 * S, ""); /* one minute on two nodes for 1000 bytes */
  add_job (w, 1, 2, 1, FL_JOB_RUNNING, 0, NULL);
  add_job (w, 2, 1, 2, FL_JOB_DONE, 5 * S, ""); /* of another trial */
  g_autoptr (FlDatasetPlan) made = plan (w, 1000 * S);
  g_assert_cmpuint (made->n_done, ==, 1);
  g_assert_cmpuint (made->n_open, ==, 1);
  g_assert_cmpuint (made->n_new, ==, 2);
  g_assert_true (meant (made, 1, 2)->ready);
  g_assert_false (meant (made, 2, 2)->ready);
  /* The open one: 2 node-minutes for 1000 bytes × 2000; then task 2 with 2 node-minutes for run 1's 1000 bytes: × 1000, × 2000. */
  g_assert_cmpfloat_with_epsilon (made->node_minutes, 4 + 2 + 4, 1e-9);
  g_assert_false (made->guessed);
}

static void
test_blocks (World *w, gconstpointer data)
{
  (void) data;
  ADD (w->records.blocks, FlBlock,
       { .id = 1, .first_run = (char *) "", .last_run = (char *) "r1", .active = TRUE });
  ADD (w->records.blocks, FlBlock,
       { .id = 2, .first_run = (char *) "", .last_run = (char *) "", .active = FALSE });
  g_autoptr (FlDatasetPlan) made = plan (w, 1000 * S);
  g_assert_cmpuint (made->jobs->len, ==, 2); /* run 2 is in no active block */
  g_assert_cmpint (meant (made, 1, 1)->block->id, ==, 1);
}

static void
test_trials (World *w, gconstpointer data)
{
  (void) data;
  w->dataset.trial = 2;
  g_autoptr (FlDatasetPlan) one = plan (w, 1000 * S);
  g_assert_cmpint (meant (one, 1, 1)->trial->id, ==, 2);
  w->dataset.trial = 0;
  ((FlTrial *) w->records.trials->pdata[1])->active = TRUE;
  ((FlTask *) w->records.tasks->pdata[1])->trial = 2; /* task 2 is of the second trial alone */
  g_autoptr (FlDatasetPlan) both = plan (w, 1000 * S);
  g_assert_cmpuint (both->jobs->len, ==, 4 + 2);
}

static void
test_bad (World *w, gconstpointer data)
{
  const struct
  {
    const char *expression, *after, *said;
  } bad[] = {
    { "sample and (", "", "character" },         { "sampel", "", "sample" }, /* the nearest */
    { "sample", "2", "waits for itself" },       { "sample", "9", "not in the graph" },
    { "sample", "3", "cannot wait for stream" },
  };
  (void) data;
  FlDatasetTask *first = w->steps->pdata[0];
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      w->dataset.expression = (char *) bad[i].expression;
      first->after = (char *) bad[i].after;
      g_assert_null (fl_dataset_plan (&w->records, &w->dataset, w->steps, 0, &error));
      g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
      if (strstr (error->message, bad[i].said) == NULL)
        g_error ("'%s': not said: %s", error->message, bad[i].said);
    }
  first->after = (char *) "";
  ((FlDatasetTask *) w->steps->pdata[2])->after = (char *) "";
  g_autoptr (GError) error = NULL;
  g_assert_null (fl_dataset_plan (&w->records, &w->dataset, w->steps, 0, &error));
  g_assert_nonnull (strstr (error->message, "waits for no other task"));
  w->dataset.expression = (char *) "";
  ((FlDatasetTask *) w->steps->pdata[2])->after = (char *) "2";
  g_autoptr (FlDatasetPlan) nothing = plan (w, 0);
  g_assert_cmpuint (nothing->runs->len, ==, 0);
}

static void
make_version (World *w, int number, guint64 created, const FlDatasetPlan *made)
{
  ADD (w->records.versions, FlDatasetVersion,
       { .id = number, .dataset = 1, .number = number, .created = created });
  for (guint i = 0; i < made->inputs->len; i++)
    ADD (w->records.version_jobs, FlVersionJob,
         { .id = w->records.version_jobs->len + 1,
           .version = number,
           .job = ((FlJob *) made->inputs->pdata[i])->id });
}

static void
test_versions (World *w, gconstpointer data)
{
  (void) data;
  add_job (w, 1, 1, 1, FL_JOB_DONE, 5 * S, "");
  add_job (w, 1, 1, 2, FL_JOB_DONE, 10 * S, "10 shots, 5 hits, 3 indexed, 4 lattices");
  add_job (w, 1, 3, 2, FL_JOB_DONE, 10 * S, "30 shots, 5 hits, 3 indexed, 9 lattices"); /* dark */
  w->dataset.min_lattices = 5;
  g_autoptr (FlDatasetPlan) few = plan (w, 20 * S);
  g_assert_cmpstr (few->note, ==, "1 new job");
  g_assert_cmpstr (few->waits, ==, "4 of 5 new lattices");
  w->dataset.min_lattices = 4;
  g_autoptr (FlDatasetPlan) first = plan (w, 20 * S);
  g_assert_null (first->waits);
  g_assert_cmpint (first->lattices, ==, 4);
  make_version (w, 1, 20 * S, first);
  g_autoptr (FlDatasetPlan) same = plan (w, 900 * S);
  g_assert_null (same->note);

  /* Another job is done; a hundred seconds lie between versions. */
  FlJob *second = add_job (w, 1, 2, 2, FL_JOB_DONE, 30 * S, "20 shots, 9 hits, 9 indexed, 7 lattices");
  g_autoptr (FlDatasetPlan) early = plan (w, 50 * S);
  g_assert_cmpuint (early->due, ==, 120 * S);
  g_assert_nonnull (early->waits);
  g_autoptr (FlDatasetPlan) next = plan (w, 121 * S);
  g_assert_null (next->waits);
  g_assert_cmpuint (next->due, ==, 0);
  g_assert_cmpint (next->lattices, ==, 11);
  g_assert_cmpint (next->news, ==, 7);
  make_version (w, 2, 121 * S, next);

  /* It goes on, and is done again: news. While it runs it is not missed. */
  second->state = FL_JOB_RUNNING;
  g_autoptr (FlDatasetPlan) meanwhile = plan (w, 900 * S);
  g_assert_null (meanwhile->note);
  second->state = FL_JOB_DONE;
  second->ended = 800 * S;
  g_autoptr (FlDatasetPlan) again = plan (w, 900 * S);
  g_assert_cmpstr (again->note, ==, "1 new job");
  second->ended = 30 * S;

  /* A run is taken out: a new version, however few lattices are new. */
  ADD (w->records.run_tags, FlRunTag, { .id = 9, .run = 2, .tag = 2 });
  g_autoptr (FlDatasetPlan) less = plan (w, 900 * S);
  g_assert_cmpstr (less->note, ==, "r0002 is not in the selection any more");
  g_assert_null (less->waits);
  g_assert_cmpuint (less->inputs->len, ==, 1);
}

/* Single particles: hits are counted, and a version waits for the reconstruction of the one before. */
static void
test_particles (World *w, gconstpointer data)
{
  (void) data;
  FlTask *find = w->records.tasks->pdata[0], *all = w->records.tasks->pdata[2];
  FlDatasetTask *middle = w->steps->pdata[1], *last = w->steps->pdata[2];
  g_autoptr (GError) error = NULL;
  all->type = (char *) "reconstruct";
  g_assert_null (fl_dataset_plan (&w->records, &w->dataset, w->steps, 0, &error));
  g_assert_nonnull (strstr (error->message, "takes patterns, index finds lattices"));
  g_clear_error (&error);
  find->type = (char *) "hits";
  last->after = (char *) "1";
  g_autoptr (FlDatasetPlan) none = plan (w, 0);
  g_assert_null (none->note);
  all->type = (char *) "merge";
  g_assert_null (fl_dataset_plan (&w->records, &w->dataset, w->steps, 0, &error));
  g_assert_nonnull (strstr (error->message, "takes lattices, find finds patterns"));
  g_clear_error (&error);
  all->type = (char *) "reconstruct";
  last->after = (char *) "4"; /* a merge beside it */
  ADD (w->records.tasks, FlTask, { .id = 4, .name = (char *) "both", .type = (char *) "merge" });
  ADD (w->steps, FlDatasetTask, { .id = 5, .dataset = 1, .task = 4, .number = 4, .after = (char *) "2" });
  middle->after = (char *) "";
  g_assert_null (fl_dataset_plan (&w->records, &w->dataset, w->steps, 0, &error));
  g_assert_nonnull (strstr (error->message, "waits for no task of type hits"));
  last->after = (char *) "1";
  g_ptr_array_remove_index (w->steps, 4);

  add_job (w, 1, 1, 1, FL_JOB_DONE, 10 * S, "10 shots, 8 hits, 1 blank, 1 several, 0 junk");
  w->dataset.min_lattices = 9;
  g_autoptr (FlDatasetPlan) few = plan (w, 20 * S);
  g_assert_cmpstr (few->waits, ==, "8 of 9 new patterns");
  w->dataset.min_lattices = 8;
  g_autoptr (FlDatasetPlan) first = plan (w, 20 * S);
  g_assert_null (first->waits);
  g_assert_cmpint (first->lattices, ==, 8);
  make_version (w, 1, 20 * S, first);
  FlJob *reconstruction = add_job (w, 1, 0, 3, FL_JOB_RUNNING, 0, NULL);
  reconstruction->dataset = reconstruction->version = 1;
  add_job (w, 1, 2, 1, FL_JOB_DONE, 30 * S, "20 shots, 9 hits, 11 blank, 0 several, 0 junk");
  g_autoptr (FlDatasetPlan) meanwhile = plan (w, 900 * S);
  g_assert_cmpstr (meanwhile->waits, ==, "version 1 is being reconstructed");
  reconstruction->held = TRUE;
  g_autoptr (FlDatasetPlan) held = plan (w, 900 * S);
  g_assert_null (held->waits);
  reconstruction->held = FALSE;
  reconstruction->state = FL_JOB_DONE;
  g_autoptr (FlDatasetPlan) next = plan (w, 900 * S);
  g_assert_null (next->waits);
  g_assert_cmpint (next->lattices, ==, 17);
  g_assert_cmpint (next->news, ==, 9);
}

static void
test_count (void)
{
  g_assert_cmpint (fl_count_lattices ("12 shots, 3 hits, 8 blank, 1 several, 0 junk"), ==, 3);
  g_assert_cmpint (fl_count_lattices ("12 shots, 3 hits, 2 indexed, 5 lattices"), ==, 5);
  g_assert_cmpint (fl_count_lattices ("12 shots, 3 hits, 2 indexed"), ==, 0);
  g_assert_cmpint (fl_count_lattices (""), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  const struct
  {
    const char *path;
    void (*run) (World *, gconstpointer);
  } tests[] = {
    { "/control/dataset-plan/new", test_new },
    { "/control/dataset-plan/goes-on", test_goes_on },
    { "/control/dataset-plan/blocks", test_blocks },
    { "/control/dataset-plan/trials", test_trials },
    { "/control/dataset-plan/bad", test_bad },
    { "/control/dataset-plan/versions", test_versions },
    { "/control/dataset-plan/particles", test_particles },
  };
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, World, NULL, set_up, tests[i].run, tear_down);
  g_test_add_func ("/control/dataset-plan/count", test_count);
  return g_test_run ();
}
