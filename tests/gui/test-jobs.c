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

int
main (int argc, char *argv[])
{
  display_init (&argc, &argv);
  g_test_add_func ("/gui/jobs/words", test_words);
  g_test_add_func ("/gui/jobs/spans", test_spans);
  return g_test_run ();
}
