/* The Jobs page, driven by its actions, on a made beamtime with jobs in every state; and what its parts say. */
#include <string.h>

#include "gui/job-row.h"
#include "gui/job-wishes.h"
#include "gui/jobs-page.h"
#include "gui/text.h"
#include "tests/gui/made-jobs.h"
#include "tests/gui/room.h"
#include "tests/widgets/display.h"

#define SECOND G_GUINT64_CONSTANT (1000000000)
#define MINUTE (60 * SECOND)
#define RUNS   12

typedef struct
{
  Room *room;
  MadeJobs made;
  GtkWidget *widget;
  FlgJobsPage *page;
} Jobs;

static Jobs
jobs_new (FlStoreMode mode, gboolean view)
{
  Jobs jobs = { 0 };
  char *folder = g_dir_make_tmp ("firstlight-jobs-XXXXXX", NULL);
  guint64 now = (guint64) g_get_real_time () * 1000;
  made_jobs_write (folder, RUNS, now, &jobs.made);
  jobs.room = room_adopt (folder, mode, view);
  jobs.room->now = now;
  jobs.page = FLG_JOBS_PAGE (room_page (jobs.room, "jobs"));
  jobs.widget = GTK_WIDGET (jobs.page);
  return jobs;
}

static void
assert_says (const char *text, const char *part)
{
  if (!strstr (text, part))
    g_error ("\"%s\" does not say \"%s\"", text, part);
}

static const char *
explain (Jobs *jobs, gint64 job)
{
  flg_jobs_page_show (jobs->page, job);
  g_assert_cmpint (flg_jobs_page_shown (jobs->page), ==, job);
  return flg_jobs_page_reason (jobs->page);
}

/* Why each is as it is, in plain words. */
static void
test_words (void)
{
  Jobs jobs = jobs_new (FL_STORE_WRITE, FALSE);
  assert_says (explain (&jobs, jobs.made.held), "waits for your approval");
  assert_says (explain (&jobs, jobs.made.undo), "will be submitted in 20 s; until then it can be undone");
  const char *queued = explain (&jobs, jobs.made.queued);
  assert_says (queued, "in the queue of maxwell for 6 min");
  assert_says (queued, "2 of our 5 there"); /* three queued, one submitting, one preempted */
  assert_says (queued, "others go first (Priority)");
  assert_says (queued, "the scheduler expects it to begin at");
  assert_says (queued, "in 4 min");
  assert_says (queued, "the last 20 there waited");
  const char *running = explain (&jobs, jobs.made.running);
  assert_says (running, "runs on max-wn[012-015] (maxwell) since");
  assert_says (running, "620 of 1,000 shots, 1.0 a second");
  assert_says (running, "ends at about");
  assert_says (running, "20 min left of its time limit");
  const char *memory = explain (&jobs, jobs.made.memory);
  assert_says (memory, "out of memory");
  assert_says (memory, "the kernel ended rank 31: too little memory");
  assert_says (memory, "the scheduler says OUT_OF_MEMORY");
  g_assert_cmpstr (explain (&jobs, jobs.made.retried), ==, "");
  assert_says (explain (&jobs, jobs.made.exported), "nobody submits jobs");
  room_free (jobs.room);
}

static void
test_spans (void)
{
  static const struct
  {
    guint64 s;
    const char *text;
  } spans[] = { { 0, "0 s" },
                { 89, "89 s" },
                { 90, "2 min" },
                { 5399, "90 min" },
                { 5400, "1 h 30 min" },
                { 7200, "2 h" },
                { 93600 + 600, "26 h 10 min" } };
  for (guint i = 0; i < G_N_ELEMENTS (spans); i++)
    {
      g_autofree char *text = flg_format_span (spans[i].s * SECOND);
      g_assert_cmpstr (text, ==, spans[i].text);
    }
}

/* --- the store, as it is --- */

static FlJob *
stored (Jobs *jobs, gint64 job)
{
  g_autoptr (FlStore) store = room_look (jobs->room);
  g_autoptr (GError) error = NULL;
  FlJob *found = fl_store_get (store, FL_TABLE_JOB, job, &error);
  g_assert_no_error (error);
  return found;
}

static guint
stored_with (Jobs *jobs, gboolean (*is) (const FlJob *job))
{
  g_autoptr (FlStore) store = room_look (jobs->room);
  g_autoptr (GPtrArray) all = fl_store_list (store, FL_TABLE_JOB, NULL);
  guint n = 0;
  for (guint i = 0; i < all->len; i++)
    n += (guint) is (all->pdata[i]);
  return n;
}

static gboolean
is_held (const FlJob *job)
{
  return job->held;
}

static gboolean
is_to_stop (const FlJob *job)
{
  return job->stop_wanted;
}

static gboolean
is_to_retry (const FlJob *job)
{
  return job->retry_wanted;
}

static guint
shown (Jobs *jobs)
{
  guint n;
  flg_job_model_jobs (flg_jobs_page_model (jobs->page), &n);
  return n;
}

/* --- wishes --- */

static void
test_approve_and_hold (void)
{
  Jobs jobs = jobs_new (FL_STORE_WRITE, FALSE);
  assert_says (flg_jobs_page_headline (jobs.page), "69 jobs: 2 running, 5 queued (next in ≈ ");
  assert_says (flg_jobs_page_headline (jobs.page), ", 3 planned, 3 to approve, 3 failed · ≈ ");
  g_assert_cmpuint (stored_with (&jobs, is_held), ==, 3);
  /* One, then those that are shown, then hold what is planned. */
  flg_jobs_page_show (jobs.page, jobs.made.held);
  room_do (jobs.widget, "jobs.approve", NULL);
  room_settle (jobs.room);
  g_assert_cmpuint (stored_with (&jobs, is_held), ==, 2);
  room_do (jobs.widget, "jobs.filter", "s", "strong");
  room_do (jobs.widget, "jobs.approve-all", NULL);
  room_settle (jobs.room);
  g_assert_cmpuint (stored_with (&jobs, is_held), ==, 1); /* trial 3's was not shown */
  room_do (jobs.widget, "jobs.filter", "s", "");
  room_do (jobs.widget, "jobs.approve-all", NULL);
  room_settle (jobs.room);
  g_assert_cmpuint (stored_with (&jobs, is_held), ==, 0);
  assert_says (flg_jobs_page_headline (jobs.page), "6 planned, 3 failed");
  room_do (jobs.widget, "jobs.hold-all", NULL);
  room_settle (jobs.room);
  g_assert_cmpuint (stored_with (&jobs, is_held), ==, 6);
  room_free (jobs.room);
}

static void
test_stop_all (void)
{
  Jobs jobs = jobs_new (FL_STORE_WRITE, FALSE);
  room_do (jobs.widget, "jobs.filter", "s", "r0010"); /* one local, one far, one preempted */
  room_do (jobs.widget, "jobs.stop-all", NULL);
  g_assert_cmpstr (flg_jobs_page_question (jobs.page), ==, "Stop 3 jobs? What they have processed is kept.");
  room_settle (jobs.room);
  g_assert_cmpuint (stored_with (&jobs, is_to_stop), ==, 0);
  room_do (jobs.widget, "jobs.cancel", NULL);
  room_do (jobs.widget, "jobs.confirm", NULL);
  room_settle (jobs.room);
  g_assert_cmpuint (stored_with (&jobs, is_to_stop), ==, 0);
  room_do (jobs.widget, "jobs.stop-all", NULL);
  room_do (jobs.widget, "jobs.confirm", NULL);
  room_settle (jobs.room);
  g_assert_cmpuint (stored_with (&jobs, is_to_stop), ==, 3);
  g_assert_cmpstr (flg_jobs_page_question (jobs.page), ==, "");
  /* Asked for: it says so, and is not asked again. */
  assert_says (explain (&jobs, jobs.made.running), "stop asked for");
  room_do (jobs.widget, "jobs.filter", "s", "");
  room_do (jobs.widget, "jobs.stop-all", NULL);
  g_assert_cmpstr (flg_jobs_page_question (jobs.page), ==, "Stop 10 jobs? What they have processed is kept.");
  room_free (jobs.room);
}

static void
test_undo (void)
{
  Jobs jobs = jobs_new (FL_STORE_WRITE, FALSE);
  flg_jobs_page_show (jobs.page, jobs.made.undo);
  room_do (jobs.widget, "jobs.undo", NULL);
  room_settle (jobs.room);
  FlJob *job = stored (&jobs, jobs.made.undo);
  g_assert_true (job->stop_wanted);
  fl_record_free (FL_TABLE_JOB, job);
  room_free (jobs.room);
  /* Its time is over: the wish no longer fits. */
  FlJob late = { .state = FL_JOB_PLANNED, .not_before = 10 };
  g_assert_true (flg_wish_fits (FLG_WISH_UNDO, &late, 9));
  g_assert_false (flg_wish_fits (FLG_WISH_UNDO, &late, 10));
}

static void
test_selection (void)
{
  Jobs jobs = jobs_new (FL_STORE_WRITE, FALSE);
  FlgJobList *list = flg_jobs_page_list (jobs.page);
  room_do (jobs.widget, "jobs.filter-state", "s", "failed");
  g_assert_cmpuint (shown (&jobs), ==, 3);
  room_do (jobs.widget, "jobs.select-all", NULL);
  g_autoptr (GArray) selected = flg_job_list_selected (list);
  g_assert_cmpuint (selected->len, ==, 3);
  /* They stay selected in another order, and when there are more. */
  room_do (jobs.widget, "jobs.sort", "s", "run");
  room_do (jobs.widget, "jobs.filter-state", "s", "all");
  flg_job_model_complete (flg_jobs_page_model (jobs.page));
  g_autoptr (GArray) still = flg_job_list_selected (list);
  g_assert_cmpuint (still->len, ==, 3);
  for (guint i = 0; i < 3; i++)
    {
      FlJob *job = stored (&jobs, g_array_index (still, gint64, i));
      g_assert_true (job->state == FL_JOB_FAILED || job->state == FL_JOB_TIMED_OUT);
      fl_record_free (FL_TABLE_JOB, job);
    }
  room_do (jobs.widget, "jobs.retry", NULL);
  g_assert_cmpstr (flg_jobs_page_question (jobs.page), ==, "Run 3 jobs again? They go on where they ended.");
  room_do (jobs.widget, "jobs.confirm", NULL);
  room_settle (jobs.room);
  g_assert_cmpuint (stored_with (&jobs, is_to_retry), ==, 3);
  room_free (jobs.room);
}

/* --- which are shown --- */

static void
test_filters (void)
{
  Jobs jobs = jobs_new (FL_STORE_READ_ONLY, FALSE);
  static const struct
  {
    const char *words;
    guint n;
  } cases[] = { { "", 69 },
                { "r0003", 6 },
                { "R0003 STILLS", 3 },
                { "dark", 16 },
                { "<b>jet", 17 },
                { "to approve", 3 },
                { "reboot", 1 },
                { "'; DROP TABLE", 1 },
                { "lysozyme all v2", 1 },
                { "here", 1 },
                { "given spots r0001", 1 },
                { "nowhere", 0 },
                { "\033[2J", 1 } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      room_do (jobs.widget, "jobs.filter", "s", cases[i].words);
      if (shown (&jobs) != cases[i].n)
        g_error ("\"%s\": %u shown, expected %u", cases[i].words, shown (&jobs), cases[i].n);
    }
  room_do (jobs.widget, "jobs.filter", "s", "");
  room_do (jobs.widget, "jobs.filter-state", "s", "held");
  g_assert_cmpuint (shown (&jobs), ==, 3);
  room_do (jobs.widget, "jobs.filter-state", "s", "all");
  room_do (jobs.widget, "jobs.filter-dataset", "x", jobs.made.dataset);
  g_assert_cmpuint (shown (&jobs), ==, 4); /* three versions and their one input */
  room_do (jobs.widget, "jobs.filter-dataset", "x", G_GINT64_CONSTANT (0));
  room_do (jobs.widget, "jobs.filter-site", "x", jobs.made.slurm);
  g_assert_cmpuint (shown (&jobs), ==, 65); /* but the local one and three exports */
  /* What is shown from elsewhere drops filters that hide it. */
  flg_jobs_page_show (jobs.page, jobs.made.exported);
  g_assert_cmpuint (shown (&jobs), ==, 69);
  g_assert_cmpint (flg_jobs_page_shown (jobs.page), ==, jobs.made.exported);
  room_free (jobs.room);
}

static void
assert_order (Jobs *jobs, const char *column, gint64 first)
{
  guint n;
  room_do (jobs->widget, "jobs.sort", "s", column);
  FlgRecord *const *shown = flg_job_model_jobs (flg_jobs_page_model (jobs->page), &n);
  g_assert_cmpint (flg_record_id (shown[0]), ==, first);
  /* The lines are the jobs. */
  GListModel *lines = G_LIST_MODEL (flg_jobs_page_model (jobs->page));
  for (guint i = 0; i < g_list_model_get_n_items (lines); i++)
    {
      g_autoptr (FlgJobSlot) slot = g_list_model_get_item (lines, i);
      g_assert_true (flg_job_slot_job (slot) == shown[i]);
    }
}

static void
test_order (void)
{
  Jobs jobs = jobs_new (FL_STORE_READ_ONLY, FALSE);
  assert_order (&jobs, "job", 1); /* from the newest first to the oldest */
  assert_order (&jobs, "shots", jobs.made.retried);
  assert_order (&jobs, "attempts", jobs.made.retried);
  assert_order (&jobs, "run", jobs.made.exported);
  assert_order (&jobs, "job", jobs.made.exported);
  room_free (jobs.room);
}

/* --- matrix --- */

static void
test_matrix (void)
{
  Jobs jobs = jobs_new (FL_STORE_WRITE, FALSE);
  FlgJobMatrix *matrix = flg_jobs_page_matrix (jobs.page);
  room_do (jobs.widget, "jobs.view", "s", "runs");
  g_autofree char *all = flg_job_matrix_summary (matrix);
  g_assert_cmpstr (
      all, ==,
      "12 rows × 6 columns: 1 planned, 3 to approve, 1 about to go, 1 submitting, 3 queued, 2 running, "
      "50 done, 2 failed, 1 timed out, 1 preempted, 1 cancelled");
  g_assert_true (flg_job_matrix_choose (matrix, jobs.made.running));
  g_assert_false (flg_job_matrix_choose (matrix, jobs.made.exported)); /* not of a run */
  /* Rows that have what is looked for; only the chosen one is asked to stop. */
  room_do (jobs.widget, "jobs.filter", "s", "r0010 defaults");
  g_autofree char *one = flg_job_matrix_summary (matrix);
  assert_says (one, "1 rows × 1 columns: 1 running");
  room_do (jobs.widget, "jobs.filter", "s", "");
  flg_jobs_page_show (jobs.page, jobs.made.running);
  room_do (jobs.widget, "jobs.stop", NULL);
  assert_says (flg_jobs_page_question (jobs.page), "Stop job ");
  room_do (jobs.widget, "jobs.view", "s", "datasets");
  g_autofree char *versions = flg_job_matrix_summary (matrix);
  g_assert_cmpstr (versions, ==, "3 rows × 1 columns: 1 planned, 2 done");
  /* A run is removed from the filter's view and comes back, cursor and all. */
  room_do (jobs.widget, "jobs.view", "s", "runs");
  room_do (jobs.widget, "jobs.filter", "s", "r0001");
  room_do (jobs.widget, "jobs.filter", "s", "");
  g_assert_true (flg_job_matrix_choose (matrix, jobs.made.hostile));
  room_free (jobs.room);
}

/* --- parameters --- */

static void
assert_params (Jobs *jobs, const char *with, const char *expected)
{
  FlgJobParams *params = flg_jobs_page_params (jobs->page);
  g_assert_true (flg_job_params_compare (params, with));
  g_autofree char *text = flg_job_params_text (params);
  g_assert_cmpstr (text, ==, expected);
}

static void
test_params (void)
{
  Jobs jobs = jobs_new (FL_STORE_READ_ONLY, FALSE);
  flg_jobs_page_show (jobs.page, jobs.made.retried); /* its newest attempt, the third */
  assert_params (&jobs, "attempt 2",
                 "nodes: 2 (4)\nranks: 80 (160)\nspots.sigma_strong: 4 (3)\nspots.max_resolution: 0 (2.5)\n");
  assert_params (&jobs, "attempt 1",
                 "nodes: 2 (4)\nranks: 80 (160)\ntime limit: 30 (15)\nspots.sigma_strong: 4 (3)\n");
  assert_params (&jobs, "defaults", "spots.sigma_strong: 4 (3)\n");
  assert_params (&jobs, "trial 2", "");
  g_assert_false (
      flg_job_params_compare (flg_jobs_page_params (jobs.page), "attempt 3")); /* that is this one */
  room_free (jobs.room);
}

/* --- logs --- */

static gboolean
log_is_settled (gpointer log)
{
  return flg_job_log_is_settled (log);
}

static void
log_do (FlgJobLog *log, const char *action, const char *text)
{
  room_do (GTK_WIDGET (log), action, text ? "s" : NULL, text);
  display_wait (log_is_settled, log);
}

static void
assert_harmless (const char *text)
{
  g_assert_true (g_utf8_validate (text, -1, NULL));
  for (const char *c = text; *c; c++)
    g_assert_true ((guchar) *c >= 0x20 || *c == '\n' || *c == '\t');
}

static void
test_log (void)
{
  Jobs jobs = jobs_new (FL_STORE_READ_ONLY, TRUE);
  flg_jobs_page_show (jobs.page, jobs.made.hostile);
  FlgJobLog *log = flg_jobs_page_log (jobs.page);
  display_wait (log_is_settled, log);
  g_autofree char *end = flg_job_log_text (log);
  assert_harmless (end);
  g_assert_true (g_str_has_suffix (end, "rank 003: the last line\n"));
  g_assert_null (strstr (end, "error: bitshuffle")); /* 1 MB further up */
  /* The whole file is looked through where it lies. */
  log_do (log, "log-file.first-error", NULL);
  g_autofree char *selected = flg_job_log_selected (log);
  g_assert_cmpstr (selected, ==,
                   "rank 017: r0003.cxi: error: bitshuffle data are damaged, expected 2 MiB a frame");
  assert_says (flg_job_log_note (log), "line 4,002 of 1.4");
  log_do (log, "log-file.search-for", "DROP TABLE");
  log_do (log, "log-file.find", NULL);
  g_autofree char *harm = flg_job_log_selected (log), *around = flg_job_log_text (log);
  assert_harmless (around);
  g_assert_true (g_str_has_prefix (harm, "'; DROP TABLE job; -- $(reboot) `reboot` <b>bold</b> &amp; "));
  log_do (log, "log-file.search-for", "abcdefghijklmnopqrstuvwxyzabc");
  log_do (log, "log-file.find", NULL);
  g_autofree char *cut = flg_job_log_text (log);
  assert_says (cut, "abcdefgh");
  for (const char *line = cut, *next; line; line = next ? next + 1 : NULL)
    {
      next = strchr (line, '\n');
      g_assert_cmpuint (next ? (gsize) (next - line) : strlen (line), <, 2100);
    }
  log_do (log, "log-file.search-for", "no such words");
  log_do (log, "log-file.find", NULL);
  assert_says (flg_job_log_note (log), "not in all of its 1.4");
  log_do (log, "log-file.end", NULL);
  g_autofree char *again = flg_job_log_text (log);
  g_assert_cmpstr (again, ==, end);
  log_do (log, "log-file.show", "script");
  g_autofree char *script = flg_job_log_text (log);
  assert_says (script, "#SBATCH --nodes=4 --time=30 --partition=upex");
  room_free (jobs.room);
}

/* The log of what is done opens on what it printed, that of what failed on its complaints. */
static void
test_log_first (void)
{
  Jobs jobs = jobs_new (FL_STORE_READ_ONLY, TRUE);
  FlgJobLog *log = flg_jobs_page_log (jobs.page);
  flg_jobs_page_show (jobs.page, jobs.made.retried);
  display_wait (log_is_settled, log);
  g_autofree char *output = flg_job_log_text (log);
  g_assert_cmpstr (output, ==, "900 shots, 90 hits\n");
  flg_jobs_page_show (jobs.page, jobs.made.hostile);
  display_wait (log_is_settled, log);
  g_autofree char *errors = flg_job_log_text (log);
  g_assert_true (g_str_has_suffix (errors, "rank 003: the last line\n"));
  log_do (log, "log-file.show", "script"); /* and stays there while it is this attempt's */
  flg_jobs_page_show (jobs.page, jobs.made.hostile);
  display_wait (log_is_settled, log);
  g_autofree char *script = flg_job_log_text (log);
  g_assert_true (g_str_has_prefix (script, "#!/bin/bash"));
  room_free (jobs.room);
}

/* Words that were chosen to do harm are shown, and that is all. */
static void
test_hostile (void)
{
  Jobs jobs = jobs_new (FL_STORE_WRITE, FALSE);
  const char *reason = explain (&jobs, jobs.made.hostile);
  assert_harmless (reason);
  assert_says (reason, "<b>bold</b> &amp; \357\277\275[2J");
  room_do (jobs.widget, "jobs.view", "s", "runs");
  display_wait_drawn (jobs.widget);
  room_do (jobs.widget, "jobs.view", "s", "list");
  display_wait_drawn (jobs.widget);
  g_autoptr (GString) endless = g_string_new (NULL);
  for (guint i = 0; i < 1000000; i++)
    g_string_append (endless, "x\033");
  g_autofree char *line = flg_text_line (endless->str);
  g_assert_cmpuint (g_utf8_strlen (line, -1), ==, 601);
  assert_harmless (line);
  g_autofree char *turned = flg_text_line ("a\342\200\256b\nc\377");
  g_assert_cmpstr (turned, ==, "a\357\277\275b c\357\277\275");
  g_assert_cmpuint (stored_with (&jobs, is_to_stop), ==, 0);
  room_free (jobs.room);
}

int
main (int argc, char *argv[])
{
  display_init (&argc, &argv);
  g_test_add_func ("/gui/jobs/words", test_words);
  g_test_add_func ("/gui/jobs/spans", test_spans);
  g_test_add_func ("/gui/jobs/approve-and-hold", test_approve_and_hold);
  g_test_add_func ("/gui/jobs/stop-all", test_stop_all);
  g_test_add_func ("/gui/jobs/undo", test_undo);
  g_test_add_func ("/gui/jobs/selection", test_selection);
  g_test_add_func ("/gui/jobs/filters", test_filters);
  g_test_add_func ("/gui/jobs/order", test_order);
  g_test_add_func ("/gui/jobs/matrix", test_matrix);
  g_test_add_func ("/gui/jobs/params", test_params);
  g_test_add_func ("/gui/jobs/log", test_log);
  g_test_add_func ("/gui/jobs/log-first", test_log_first);
  g_test_add_func ("/gui/jobs/hostile", test_hostile);
  return g_test_run ();
}
