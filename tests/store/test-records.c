/* Control records: what goes in comes out, whatever it is called; what must not go in is refused in words. */
#include "tests/store/fixture.h"

#include <string.h>

#include "engine/base/error.h"

static const char *const nasty[] = {
  "Robert'); DROP TABLE run;--",
  "\"; DELETE FROM tag; --",
  "' OR '1'='1",
  "%s%n%d",
  "?1",
  ":name",
  "@a",
  "$1",
  "\\",
  "a\\'b",
  "é — 光",
  "100% \"sure\"",
  "NULL",
  "{id}",
  "--",
  "/* comment */",
  "'",
  "\"",
};

static void
test_nasty_names (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  for (guint i = 0; i < G_N_ELEMENTS (nasty); i++)
    {
      FlTag tag = { .name = (char *) nasty[i], .comment = (char *) nasty[(i + 1) % G_N_ELEMENTS (nasty)] };
      save (store, FL_TABLE_TAG, &tag);
      FlTag *found = fl_store_find (store, FL_TABLE_TAG, nasty[i], NULL);
      g_assert_nonnull (found);
      g_assert_cmpstr (found->name, ==, nasty[i]);
      g_assert_cmpstr (found->comment, ==, tag.comment);
      g_assert_cmpint (found->id, ==, tag.id);
      fl_record_free (FL_TABLE_TAG, found);
      g_assert_true (fl_store_set_text (store, FL_TABLE_TAG, tag.id, "comment", nasty[i], NULL));
      g_autofree char *holder = NULL;
      gint64 fencing;
      g_assert_true (fl_store_lease (store, nasty[i], nasty[i], 10, &fencing, &holder, NULL));
    }
  g_autoptr (GPtrArray) tags = fl_store_list (store, FL_TABLE_TAG, NULL);
  g_assert_cmpuint (tags->len, ==, G_N_ELEMENTS (nasty));
  for (guint i = 0; i < tags->len; i++)
    g_assert_cmpstr (((FlTag *) tags->pdata[i])->comment, ==, nasty[i]);
  /* Column names come from the tables of fields and from nowhere else. */
  g_autoptr (GError) error = NULL;
  g_assert_false (fl_store_set_text (store, FL_TABLE_TAG, 1, "comment = 'x', name", "y", &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  remove_folder (folder);
}

static void
refused (FlStore *store, FlTable table, gpointer record, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (fl_store_save (store, table, record, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  g_assert_nonnull (strstr (error->message, expected));
  g_assert_null (strchr (error->message, '\n'));
}

static void
test_refusals (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  gint64 run = add_run (store, "r0001", "complete"), trial = add_trial (store, 1);
  FlRun again = { .name = (char *) "r0001", .state = (char *) "complete" };
  FlRun unnamed = { .state = (char *) "complete" },
        broken = { .name = (char *) "a\nb", .state = (char *) "complete" };
  FlRun latin = { .name = (char *) "caf\xe9", .state = (char *) "complete" };
  FlTrial same = { .number = 1 };
  FlRunTag lost = { .run = run, .tag = 77 };
  FlJob first = { .trial = trial, .run = run }, second = first, odd = { .trial = 9, .state = 99 };
  refused (store, FL_TABLE_RUN, &again, "a run called 'r0001' is there already");
  refused (store, FL_TABLE_RUN, &unnamed, "needs a name");
  refused (store, FL_TABLE_RUN, &broken, "line breaks");
  refused (store, FL_TABLE_RUN, &latin, "UTF-8");
  refused (store, FL_TABLE_TRIAL, &same, "trial 1 is there already");
  refused (store, FL_TABLE_RUN_TAG, &lost, "not there");
  save (store, FL_TABLE_JOB, &first);
  refused (store, FL_TABLE_JOB, &second, "the same job is there already");
  refused (store, FL_TABLE_JOB, &odd, "no state 99");
  remove_folder (folder);
}

/* A trial's parameters are frozen once there are jobs; its comment is not. */
static void
test_frozen (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  g_autoptr (GError) error = NULL;
  FlTrial trial = { .number = 3, .params = (char *) "spots.sigma_strong = 3\n" };
  save (store, FL_TABLE_TRIAL, &trial);
  trial.params = (char *) "spots.sigma_strong = 4\n";
  save (store, FL_TABLE_TRIAL, &trial);
  add_job (store, trial.id, add_run (store, "r1", "complete"));
  trial.comment = (char *) "good";
  save (store, FL_TABLE_TRIAL, &trial);
  trial.params = (char *) "";
  refused (store, FL_TABLE_TRIAL, &trial, "trial 3 has jobs");
  g_assert_false (fl_store_set_text (store, FL_TABLE_TRIAL, trial.id, "params", "x", &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  g_clear_error (&error);
  g_assert_false (fl_store_remove (store, FL_TABLE_TRIAL, trial.id, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  remove_folder (folder);
}

static void
test_removal (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  g_autoptr (GError) error = NULL;
  gint64 run = add_run (store, "r1", "complete"), other = add_run (store, "r2", "complete"), revision;
  FlTag tag = { .name = (char *) "dark" };
  save (store, FL_TABLE_TAG, &tag);
  FlRunTag uses[] = { { .run = run, .tag = tag.id }, { .run = other, .tag = tag.id } };
  save (store, FL_TABLE_RUN_TAG, &uses[0]);
  save (store, FL_TABLE_RUN_TAG, &uses[1]);
  g_autoptr (GPtrArray) all = fl_store_changes (store, 0, &revision, NULL);
  gint64 seen = revision;
  g_assert_true (fl_store_remove (store, FL_TABLE_TAG, tag.id, NULL));
  g_autoptr (GPtrArray) changes = fl_store_changes (store, seen, &revision, NULL);
  g_assert_cmpuint (changes->len, ==, 3); /* two uses, then the tag */
  for (guint i = 0; i < 3; i++)
    g_assert_true (((FlChange *) changes->pdata[i])->removed);
  g_assert_cmpint (((FlChange *) changes->pdata[2])->table, ==, FL_TABLE_TAG);
  g_assert_false (fl_store_remove (store, FL_TABLE_TAG, tag.id, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_MISSING);
  g_clear_error (&error);
  tag.comment = (char *) "too late";
  g_assert_false (fl_store_save (store, FL_TABLE_TAG, &tag, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_MISSING);
  remove_folder (folder);
}

/* A site that jobs ran at stays; an unused one goes with its roots and workers, a dataset with its steps. */
static void
test_parts (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  g_autoptr (GError) error = NULL;
  FlSite site = {
    .name = (char *) "far", .kind = (char *) "ssh", .scratch = (char *) "experiment", .max_node_hours = 1.5
  };
  save (store, FL_TABLE_SITE, &site);
  FlSiteRoot root = { .site = site.id, .root = (char *) "experiment", .path = (char *) "/scratch/ada" };
  save (store, FL_TABLE_SITE_ROOT, &root);
  FlWorker worker = { .name = (char *) "link:far", .site = site.id, .state = (char *) "up" };
  save (store, FL_TABLE_WORKER, &worker);
  g_autofree char *there = fl_store_resolve_at (store, site.id, "experiment", "jobs/a", NULL);
  g_autofree char *here = fl_store_resolve_at (store, 1, "experiment", "jobs/a", NULL);
  g_autofree char *job_folder = g_build_filename (folder, "jobs/a", NULL);
  g_assert_cmpstr (there, ==, "/scratch/ada/jobs/a");
  g_assert_cmpstr (here, ==, job_folder);
  FlDataset dataset = { .name = (char *) "all", .expression = (char *) "good" };
  save (store, FL_TABLE_DATASET, &dataset);
  FlDatasetTask step = { .dataset = dataset.id, .task = 1, .number = 1 };
  save (store, FL_TABLE_DATASET_TASK, &step);
  gint64 run = add_run (store, "r1", "complete"), trial = add_trial (store, 1);
  FlJob job = { .run = run, .trial = trial, .task = 1 };
  save (store, FL_TABLE_JOB, &job);
  FlAttempt attempt = { .job = job.id, .site = site.id, .number = 1 };
  save (store, FL_TABLE_ATTEMPT, &attempt);
  g_assert_false (fl_store_remove (store, FL_TABLE_SITE, site.id, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  g_assert_true (fl_store_remove (store, FL_TABLE_ATTEMPT, attempt.id, NULL));
  g_assert_true (fl_store_remove (store, FL_TABLE_SITE, site.id, NULL));
  g_assert_true (fl_store_remove (store, FL_TABLE_DATASET, dataset.id, NULL));
  static const FlTable gone[] = { FL_TABLE_SITE_ROOT, FL_TABLE_WORKER, FL_TABLE_DATASET_TASK };
  for (guint i = 0; i < G_N_ELEMENTS (gone); i++)
    {
      g_autoptr (GPtrArray) left = fl_store_list (store, gone[i], NULL);
      g_assert_cmpuint (left->len, ==, 0);
    }
  remove_folder (folder);
}

static void
test_jobs (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  FlJob identity = { .trial = 1, .run = 2, .task = 3, .path = (char *) "jobs/a" };
  gboolean made = FALSE;
  FlJob *a = fl_store_ensure_job (store, &identity, &made, NULL);
  g_assert_true (made);
  FlJob *b = fl_store_ensure_job (store, &identity, &made, NULL);
  g_assert_false (made);
  g_assert_cmpint (a->id, ==, b->id);
  g_assert_true (fl_store_want_stop (store, a->id, NULL));
  FlJob *c = fl_store_get (store, FL_TABLE_JOB, a->id, NULL);
  g_assert_true (c->stop_wanted);
  g_assert_cmpint (c->revision, >, b->revision);
  fl_record_free (FL_TABLE_JOB, a);
  fl_record_free (FL_TABLE_JOB, b);
  fl_record_free (FL_TABLE_JOB, c);
  remove_folder (folder);
}

static void
test_roots (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  FlRoot inside = { .name = (char *) "data", .path = (char *) "raw" };
  FlRoot outside = { .name = (char *) "far", .path = (char *) "/far/away" };
  save (store, FL_TABLE_ROOT, &inside);
  save (store, FL_TABLE_ROOT, &outside);
  g_autoptr (GError) error = NULL;
  g_autofree char *a = fl_store_resolve (store, "data", "r1/x.cxi", NULL);
  g_autofree char *b = fl_store_resolve (store, "far", "r1", NULL);
  g_autofree char *c = fl_store_resolve (store, "experiment", "", NULL);
  g_autofree char *d = fl_store_resolve (store, "", "a", NULL);
  g_autofree char *e = fl_store_resolve (store, "nowhere", "a", &error);
  g_autofree char *expected = g_build_filename (fl_store_folder (store), "raw", "r1", "x.cxi", NULL);
  g_autofree char *beside = g_build_filename (fl_store_folder (store), "a", NULL);
  g_assert_cmpstr (a, ==, expected);
  g_assert_cmpstr (b, ==, "/far/away/r1");
  g_assert_cmpstr (c, ==, fl_store_folder (store));
  g_assert_cmpstr (d, ==, beside);
  g_assert_null (e);
  g_assert_error (error, FL_ERROR, FL_ERROR_MISSING);
  remove_folder (folder);
}

static void
test_lease (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) a = open_store (folder, FL_STORE_CREATE);
  g_autoptr (FlStore) b = open_store (folder, FL_STORE_WRITE);
  g_autoptr (GError) error = NULL;
  g_autofree char *holder = NULL;
  gint64 first = 0, again = 0, second = 0;
  g_assert_true (fl_store_lease (a, "conductor", "ana", 60, &first, &holder, NULL));
  fl_store_fence (a, "conductor", first);
  g_assert_true (fl_store_lease (a, "conductor", "ana", 60, &again, &holder, NULL));
  g_assert_cmpint (again, ==, first);
  g_assert_false (fl_store_lease (b, "conductor", "ben", 60, &second, &holder, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (holder, ==, "ana");
  g_clear_pointer (&holder, g_free);
  add_run (a, "r1", "complete");
  /* Released by somebody who has seen that ana is dead – she is not, and writes too late. */
  g_assert_true (fl_store_release (b, "conductor", "ana", NULL));
  g_assert_null (fl_store_lease_holder (b, "conductor", NULL));
  g_assert_true (fl_store_lease (b, "conductor", "ben", 1, &second, &holder, NULL));
  g_assert_cmpint (second, >, first);
  FlRun run = { .name = (char *) "r2", .state = (char *) "complete" };
  g_assert_false (fl_store_save (a, FL_TABLE_RUN, &run, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_BUSY);
  g_clear_error (&error);
  g_assert_true (fl_store_release (b, "conductor", "somebody else", NULL)); /* does nothing */
  g_autofree char *now = fl_store_lease_holder (a, "conductor", NULL);
  g_assert_cmpstr (now, ==, "ben");
  /* An expired lease is free, and its old holder gets a new number too. */
  g_usleep (1100000);
  g_assert_true (fl_store_lease (b, "conductor", "ben", 60, &again, &holder, NULL));
  g_assert_cmpint (again, >, second);
  remove_folder (folder);
}

/* Two handles on one store: what each has put in is there, and the pulse tells. */
static void
test_pulse (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) a = open_store (folder, FL_STORE_CREATE);
  g_autoptr (FlStore) b = open_store (folder, FL_STORE_READ_ONLY);
  guint before = fl_store_pulse (b);
  g_assert_cmpuint (fl_store_pulse (b), ==, before);
  add_run (a, "r1", "complete");
  g_assert_cmpuint (fl_store_pulse (b), !=, before);
  FlRun run = { .name = (char *) "r2", .state = (char *) "complete" };
  g_autoptr (GError) error = NULL;
  g_assert_false (fl_store_save (b, FL_TABLE_RUN, &run, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  remove_folder (folder);
}

/* A bracket is one transaction: all of it or nothing. */
static void
test_bracket (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  gint64 before, after;
  g_autoptr (GPtrArray) all = fl_store_changes (store, 0, &before, NULL);
  g_assert_true (fl_store_begin (store, NULL));
  add_run (store, "r1", "complete");
  add_run (store, "r2", "complete");
  fl_store_rollback (store);
  g_autoptr (GPtrArray) none = fl_store_changes (store, before, &after, NULL);
  g_assert_cmpuint (none->len, ==, 0);
  g_assert_cmpint (after, ==, before);
  g_assert_true (fl_store_begin (store, NULL));
  add_run (store, "r1", "complete");
  g_assert_true (fl_store_commit (store, NULL));
  g_autoptr (GPtrArray) one = fl_store_changes (store, before, &after, NULL);
  g_assert_cmpuint (one->len, ==, 1);
  remove_folder (folder);
}

static void
test_run_names (void)
{
  static const char *const sorted[] = { "", "a", "r1", "r2", "r9", "r10", "r0011", "r11b", "r100", "s1" };
  for (guint i = 0; i < G_N_ELEMENTS (sorted); i++)
    for (guint k = 0; k < G_N_ELEMENTS (sorted); k++)
      {
        int order = fl_run_name_compare (sorted[i], sorted[k]);
        g_assert_cmpint ((order > 0) - (order < 0), ==, (i > k) - (i < k));
      }
  g_assert_cmpint (fl_run_name_compare ("r0009", "r9"), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/store/records/nasty-names", test_nasty_names);
  g_test_add_func ("/store/records/refusals", test_refusals);
  g_test_add_func ("/store/records/frozen", test_frozen);
  g_test_add_func ("/store/records/removal", test_removal);
  g_test_add_func ("/store/records/parts", test_parts);
  g_test_add_func ("/store/records/jobs", test_jobs);
  g_test_add_func ("/store/records/roots", test_roots);
  g_test_add_func ("/store/records/lease", test_lease);
  g_test_add_func ("/store/records/pulse", test_pulse);
  g_test_add_func ("/store/records/bracket", test_bracket);
  g_test_add_func ("/store/records/run-names", test_run_names);
  return g_test_run ();
}
