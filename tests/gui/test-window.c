/* The control room driven in-process through its actions; what it did is read back from the store by another handle. */
#include <string.h>

#include "engine/base/batch.h"
#include "engine/base/hash.h"
#include "gui/columns.h"
#include "gui/header-strip.h"
#include "gui/images-page.h"
#include "gui/jobs-page.h"
#include "gui/live-page.h"
#include "gui/runs-page.h"
#include "gui/trials-page.h"
#include "gui/weather-page.h"
#include "tests/gui/made.h"
#include "tests/gui/room.h"
#include "tests/widgets/display.h"
#include "widgets/tag-chips.h"

#define SECOND G_GUINT64_CONSTANT (1000000000)

static GVariant *
run_ids (gint64 first, gint64 last)
{
  GVariantBuilder builder;
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("ax"));
  for (gint64 id = first; id <= last; id++)
    g_variant_builder_add (&builder, "x", id);
  return g_variant_builder_end (&builder);
}

static guint
audit_lines (Room *room)
{
  g_autoptr (FlStore) store = room_look (room);
  gint64 revision = 0;
  g_autoptr (GPtrArray) changes = fl_store_changes (store, 0, &revision, NULL);
  return (guint) revision + changes->len;
}

static void
test_pages (void)
{
  static const char *const names[] = { "runs", "trials", "jobs", "live", "weather", "cells", "images" };
  Room *room = room_new (4, FL_STORE_WRITE, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      room_page (room, names[i]);
      g_autofree char *path = g_strdup_printf ("%s/%s.png", room->folder, names[i]);
      g_autoptr (GError) error = NULL;
      display_wait_drawn (GTK_WIDGET (room->window)); /* a picture is of what was drawn last */
      flg_window_save_picture (room->window, path, &error);
      g_assert_no_error (error);
      g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
      room_do (GTK_WIDGET (room->window), "win.step", "i", 1);
      room_do (GTK_WIDGET (room->window), "win.filter", NULL);
    }
  FlgPage *live = flg_window_page (room->window, "live");
  g_autofree char *summary = flg_live_page_summary (FLG_LIVE_PAGE (live));
  g_assert_cmpstr (summary, !=, "");
  room_free (room);
}

/* What is drawn is what is in the store: every shot of the job once. */
static void
test_plots_count (void)
{
  Room *room = room_new (3, FL_STORE_WRITE, FALSE);
  FlgPage *weather = room_page (room, "weather");
  FlgExperiment *experiment = flg_context_experiment (room->context);
  g_assert_cmpuint (flg_weather_page_n_events (FLG_WEATHER_PAGE (weather)), ==, 300);
  room_do (GTK_WIDGET (weather), "weather.show-job", "x", G_GINT64_CONSTANT (-1)); /* all of trial 1 */
  room_settle (room);
  g_assert_cmpuint (flg_weather_page_n_events (FLG_WEATHER_PAGE (weather)), ==, 300 + 100 + 300);
  const FlJobStats *stats = flg_experiment_run_stats (experiment, 1);
  g_assert_cmpint (stats->shots, ==, 300);
  /* Shots that arrive while the page is shown. */
  g_autoptr (FlStore) store = fl_store_open (room->folder, FL_STORE_WRITE, NULL);
  g_autoptr (FlBatch) batch = fl_batch_new (FL_KIND_SHOT);
  for (guint32 i = 0; i < 10; i++)
    {
      FlShotRow row = { .id = 7000 + i,
                        .frame = 1000 + i,
                        .start = room->newest + i * SECOND,
                        .duration = { 5, 5 },
                        .outcome = FL_OUTCOME_HIT,
                        .stage = FL_STAGE_FIND,
                        .spots = 50,
                        .message = "" };
      fl_batch_append (batch, &row);
    }
  made_add_slice (store, 3, 6, 900, batch);
  g_assert_true (g_str_has_prefix (flg_weather_page_facts (FLG_WEATHER_PAGE (weather)), "4 ranks "));
  room_settle (room);
  room_settle (room);
  /* Rank 6 has left shots, but no record of itself. */
  g_assert_true (g_str_has_prefix (flg_weather_page_facts (FLG_WEATHER_PAGE (weather)), "7 ranks "));
  g_assert_cmpuint (flg_weather_page_n_events (FLG_WEATHER_PAGE (weather)), ==, 710);
  g_assert_cmpint (flg_experiment_glance (experiment)->overview.shots, ==, 710);
  /* Compaction at the end of an attempt draws nothing twice. */
  g_assert_true (fl_store_compact (store, 1, NULL));
  room_settle (room);
  room_settle (room);
  g_assert_cmpuint (flg_weather_page_n_events (FLG_WEATHER_PAGE (weather)), ==, 710);
  room_free (room);
}

static void
test_tags (void)
{
  Room *room = room_new (4, FL_STORE_WRITE, FALSE);
  GtkWidget *page = GTK_WIDGET (room_page (room, "runs"));
  room_do (page, "runs.select", "@ax", run_ids (1, 3));
  g_autoptr (GArray) selected = flg_runs_page_selected (FLG_RUNS_PAGE (page));
  g_assert_cmpuint (selected->len, ==, 3);
  room_do (page, "runs.add-tag", "s", "good");
  room_settle (room);
  g_assert_cmpuint (room_n_tagged (room, "good"), ==, 3);
  g_auto (GStrv) tags = flg_experiment_run_tags (flg_context_experiment (room->context), 1);
  g_assert_true (g_strv_contains ((const char *const *) tags, "good"));
  /* Again does no harm; what some have and some lack is completed. */
  room_do (page, "runs.select", "@ax", run_ids (2, 4));
  room_do (page, "runs.add-tag", "s", " good ");
  room_settle (room);
  g_assert_cmpuint (room_n_tagged (room, "good"), ==, 4);
  room_do (page, "runs.remove-tag", "s", "good");
  room_settle (room);
  g_assert_cmpuint (room_n_tagged (room, "good"), ==, 1);
  /* Nothing selected, nothing named: nothing done. */
  room_do (page, "runs.select", "@ax", run_ids (1, 0));
  room_do (page, "runs.add-tag", "s", "nobody");
  room_do (page, "runs.select", "@ax", run_ids (1, 1));
  room_do (page, "runs.add-tag", "s", "  ");
  room_settle (room);
  g_assert_cmpuint (room_n_tagged (room, "nobody"), ==, 0);
  /* The tag itself. */
  room_do (page, "runs.save-tag", "(xssb)", G_GINT64_CONSTANT (2), "blank", "#123456", TRUE);
  room_settle (room);
  g_autoptr (FlStore) store = room_look (room);
  FlTag *tag = fl_store_get (store, FL_TABLE_TAG, 2, NULL);
  g_assert_cmpstr (tag->name, ==, "blank");
  g_assert_cmpstr (tag->colour, ==, "#123456");
  g_assert_true (tag->persistent);
  fl_record_free (FL_TABLE_TAG, tag);
  room_do (page, "runs.comment", "(xs)", G_GINT64_CONSTANT (3), "jet was off");
  room_settle (room);
  FlRun *run = fl_store_get (store, FL_TABLE_RUN, 3, NULL);
  g_assert_cmpstr (run->comment, ==, "jet was off");
  fl_record_free (FL_TABLE_RUN, run);
  room_free (room);
}

/* The tag chips in the row of a run, somewhere below `widget`. */
static GtkWidget *
find_chips (GtkWidget *widget, gint64 run)
{
  FlgRecord *record = FLW_IS_TAG_CHIPS (widget) ? flg_cell_record (widget) : NULL;
  if (record && flg_record_id (record) == run)
    return widget;
  GtkWidget *found = NULL;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child && !found;
       child = gtk_widget_get_next_sibling (child))
    found = find_chips (child, run);
  return found;
}

/* From a row among the selected ones all of these are tagged, from another one only that. */
static void
test_row_tags (void)
{
  Room *room = room_new (4, FL_STORE_WRITE, FALSE);
  GtkWidget *page = GTK_WIDGET (room_page (room, "runs"));
  room_do (page, "runs.select", "@ax", run_ids (1, 3));
  g_signal_emit_by_name (find_chips (page, 2), "tag-added", "wet");
  g_signal_emit_by_name (find_chips (page, 4), "tag-added", "dry");
  room_settle (room);
  g_assert_cmpuint (room_n_tagged (room, "wet"), ==, 3);
  g_assert_cmpuint (room_n_tagged (room, "dry"), ==, 1);
  g_signal_emit_by_name (find_chips (page, 4), "tag-removed", "wet");
  g_signal_emit_by_name (find_chips (page, 4), "tag-removed", "dry");
  room_settle (room);
  g_assert_cmpuint (room_n_tagged (room, "wet"), ==, 3);
  g_assert_cmpuint (room_n_tagged (room, "dry"), ==, 0);
  g_signal_emit_by_name (find_chips (page, 2), "tag-activated", "wet");
  /* The entry pauses before it speaks of a search. */
  gint64 end = g_get_monotonic_time () + 5 * G_USEC_PER_SEC;
  while (flg_runs_page_n_shown (FLG_RUNS_PAGE (page)) != 3 && g_get_monotonic_time () < end)
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpuint (flg_runs_page_n_shown (FLG_RUNS_PAGE (page)), ==, 3);
  room_free (room);
}

static guint
n_trials (Room *room)
{
  g_autoptr (FlStore) store = room_look (room);
  g_autoptr (GPtrArray) trials = fl_store_list (store, FL_TABLE_TRIAL, NULL);
  return trials->len;
}

static void
test_trials (void)
{
  Room *room = room_new (2, FL_STORE_WRITE, FALSE);
  GtkWidget *page = GTK_WIDGET (room_page (room, "trials"));
  FlgTrialsPage *trials = FLG_TRIALS_PAGE (page);
  g_assert_false (flg_trials_page_is_drafting (trials));
  /* A trial that exists cannot be changed. */
  room_do (page, "trials.set", "(ss)", "spots.sigma_strong", "9");
  room_do (page, "trials.show", "x", G_GINT64_CONSTANT (2));
  room_do (page, "trials.draft", NULL);
  g_assert_true (flg_trials_page_is_drafting (trials));
  g_assert_true (flg_trials_page_may_create (trials));
  /* Bad values and names. */
  room_do (page, "trials.set", "(ss)", "spots.min_size", "many");
  g_assert_nonnull (flg_trials_page_complaint (trials, "spots.min_size"));
  g_assert_false (flg_trials_page_may_create (trials));
  room_do (page, "trials.set", "(ss)", "spots.min_size", "0");
  g_assert_false (flg_trials_page_may_create (trials));
  room_do (page, "trials.set", "(ss)", "spots.min_size", "4");
  g_assert_true (flg_trials_page_may_create (trials));
  room_do (page, "trials.set-name", "s", "");
  g_assert_false (flg_trials_page_may_create (trials));
  room_do (page, "trials.set-name", "s", "defaults");
  g_assert_false (flg_trials_page_may_create (trials));
  g_assert_cmpuint (n_trials (room), ==, 2);
  room_do (page, "trials.set-name", "s", "size four");
  g_assert_true (flg_trials_page_may_create (trials));
  room_do (page, "trials.create", NULL);
  room_settle (room);
  g_assert_false (flg_trials_page_is_drafting (trials));
  g_assert_cmpuint (n_trials (room), ==, 3);
  g_autoptr (FlStore) store = room_look (room);
  FlTrial *made = fl_store_get (store, FL_TABLE_TRIAL, 3, NULL);
  g_assert_cmpstr (made->name, ==, "size four");
  g_assert_cmpint (made->number, ==, 3);
  g_assert_true (made->active);
  g_assert_cmpstr (made->params_version, ==, fl_param_table_version ());
  g_autoptr (FlParams) params = fl_params_new ();
  g_assert_true (fl_params_read (params, made->params, "test", NULL));
  g_assert_cmpint (fl_params_int (params, "spots.min_size"), ==, 4);
  g_assert_cmpfloat (fl_params_real (params, "spots.sigma_strong"), ==,
                     4); /* from the trial that it began with */
  fl_record_free (FL_TABLE_TRIAL, made);
  /* A draft thrown away leaves nothing. */
  room_do (page, "trials.draft", NULL);
  room_do (page, "trials.discard", NULL);
  room_settle (room);
  g_assert_cmpuint (n_trials (room), ==, 3);
  room_do (page, "trials.set-active", "(xb)", G_GINT64_CONSTANT (1), FALSE);
  room_do (page, "trials.save-block", "(xssssb)", G_GINT64_CONSTANT (0), "eiger", "r0002", "", "", TRUE);
  room_settle (room);
  FlTrial *first = fl_store_get (store, FL_TABLE_TRIAL, 1, NULL);
  g_assert_false (first->active);
  fl_record_free (FL_TABLE_TRIAL, first);
  FlBlock *block = fl_store_find (store, FL_TABLE_BLOCK, "eiger", NULL);
  g_assert_cmpstr (block->first_run, ==, "r0002");
  fl_record_free (FL_TABLE_BLOCK, block);
  room_free (room);
}

static void
assert_flags (Room *room, gint64 id, gboolean stop, gboolean retry)
{
  g_autoptr (FlStore) store = room_look (room);
  FlJob *job = fl_store_get (store, FL_TABLE_JOB, id, NULL);
  g_assert_cmpint (job->stop_wanted, ==, stop);
  g_assert_cmpint (job->retry_wanted, ==, retry);
  fl_record_free (FL_TABLE_JOB, job);
}

static void
test_jobs (void)
{
  Room *room = room_new (4, FL_STORE_WRITE, FALSE);
  GtkWidget *page = GTK_WIDGET (room_page (room, "jobs"));
  /* From the header: the failed one. It is asked for in place before anything happens. */
  room_do (GTK_WIDGET (room->window), "win.show-failed", NULL);
  gint64 failed = flg_jobs_page_shown (FLG_JOBS_PAGE (page));
  g_assert_cmpint (failed, ==, 3);
  room_do (page, "jobs.retry", NULL);
  room_settle (room);
  assert_flags (room, failed, FALSE, FALSE);
  room_do (page, "jobs.cancel", NULL);
  room_do (page, "jobs.confirm", NULL);
  room_settle (room);
  assert_flags (room, failed, FALSE, FALSE);
  room_do (page, "jobs.retry", NULL);
  room_do (page, "jobs.confirm", NULL);
  room_settle (room);
  assert_flags (room, failed, FALSE, TRUE);
  /* A running one, hidden by a filter when it is asked for. */
  room_do (page, "jobs.filter-state", "s", "failed");
  room_do (GTK_WIDGET (room->window), "win.show-job", "x", G_GINT64_CONSTANT (7));
  g_assert_cmpint (flg_jobs_page_shown (FLG_JOBS_PAGE (page)), ==, 7);
  room_do (page, "jobs.stop", NULL);
  room_do (page, "jobs.confirm", NULL);
  room_settle (room);
  assert_flags (room, 7, TRUE, FALSE);
  /* A question belongs to the job for which it was asked. */
  room_do (GTK_WIDGET (room->window), "win.show-job", "x", G_GINT64_CONSTANT (8));
  room_do (page, "jobs.stop", NULL);
  room_do (GTK_WIDGET (room->window), "win.show-job", "x", G_GINT64_CONSTANT (6));
  room_do (page, "jobs.confirm", NULL);
  room_settle (room);
  assert_flags (room, 6, FALSE, FALSE);
  /* Why a planned job waits, and why a failed one failed. */
  g_assert_nonnull (strstr (flg_jobs_page_reason (FLG_JOBS_PAGE (page)), "nobody submits jobs"));
  room_do (GTK_WIDGET (room->window), "win.show-job", "x", failed);
  g_assert_nonnull (strstr (flg_jobs_page_reason (FLG_JOBS_PAGE (page)), "retry asked for"));
  room_do (GTK_WIDGET (room->window), "win.show-job", "x", G_GINT64_CONSTANT (1));
  g_assert_cmpstr (flg_jobs_page_reason (FLG_JOBS_PAGE (page)), ==, "");
  room_free (room);
}

static char *
strip_summary (Room *room)
{
  char *summary = NULL;
  flg_header_strip_refresh (FLG_HEADER_STRIP (flg_window_strip (room->window)));
  g_object_get (flg_window_strip (room->window), "summary", &summary, NULL);
  return summary;
}

static FlgFreshness
freshness (Room *room)
{
  flg_header_strip_refresh (FLG_HEADER_STRIP (flg_window_strip (room->window)));
  return flg_header_strip_freshness (FLG_HEADER_STRIP (flg_window_strip (room->window)));
}

static void
test_strip (void)
{
  Room *room = room_new (3, FL_STORE_WRITE, FALSE);
  room_page (room, "runs");
  g_assert_cmpint (freshness (room), ==, FLG_FRESH);
  g_autofree char *fresh = strip_summary (room);
  g_assert_nonnull (strstr (fresh, "hits "));
  g_assert_nonnull (strstr (fresh, "1 failed jobs: r0002.cxi: bitshuffle data are damaged"));
  g_assert_nonnull (strstr (fresh, "no conductor"));
  /* The clock jumps while the store's thread has not been heard: lost; heard again: old, since a job is running. */
  room->now += 600 * SECOND;
  g_assert_cmpint (freshness (room), ==, FLG_LOST);
  g_autofree char *lost = strip_summary (room);
  g_assert_nonnull (strstr (lost, "store lost"));
  room_settle (room);
  g_assert_cmpint (freshness (room), ==, FLG_STALE);
  g_autofree char *stale = strip_summary (room);
  g_assert_nonnull (strstr (stale, "stale"));
  g_assert_null (strstr (stale, "lost"));
  /* A conductor takes the lease. */
  g_autoptr (FlStore) store = fl_store_open (room->folder, FL_STORE_WRITE, NULL);
  gint64 fencing;
  g_assert_true (fl_store_lease (store, "conductor", "somebody", 60, &fencing, NULL, NULL));
  room_settle (room);
  g_autofree char *conducted = strip_summary (room);
  g_assert_nonnull (strstr (conducted, "conductor up"));
  room_free (room);
}

static void
test_strip_nothing_yet (void)
{
  Room *room = room_new (0, FL_STORE_WRITE, FALSE);
  room_page (room, "runs");
  g_assert_cmpint (freshness (room), ==, FLG_NONE);
  g_autofree char *summary = strip_summary (room);
  g_assert_nonnull (strstr (summary, "no shots processed yet"));
  g_assert_null (strstr (summary, "0.0 %"));
  room_page (room, "live");
  room_page (room, "weather");
  room_page (room, "images");
  room_free (room);
}

static void
test_read_only (void)
{
  Room *room = room_new (2, FL_STORE_READ_ONLY, FALSE);
  guint before = audit_lines (room);
  GtkWidget *runs = GTK_WIDGET (room_page (room, "runs"));
  room_do (runs, "runs.select", "@ax", run_ids (1, 2));
  room_do (runs, "runs.add-tag", "s", "good");
  room_do (runs, "runs.comment", "(xs)", G_GINT64_CONSTANT (1), "x");
  GtkWidget *trials = GTK_WIDGET (room_page (room, "trials"));
  room_do (trials, "trials.draft", NULL);
  g_assert_false (flg_trials_page_is_drafting (FLG_TRIALS_PAGE (trials)));
  GtkWidget *jobs = GTK_WIDGET (room_page (room, "jobs"));
  room_do (jobs, "jobs.retry", NULL);
  room_do (jobs, "jobs.confirm", NULL);
  room_settle (room);
  g_assert_cmpuint (audit_lines (room), ==, before);
  g_assert_cmpuint (room_n_tagged (room, "good"), ==, 0);
  /* Old shots are no alarm where nothing is expected. */
  room->now += 9000 * SECOND;
  room_settle (room);
  g_assert_cmpint (freshness (room), ==, FLG_FRESH);
  room_free (room);
}

/* From a dot of a plot to its image: the file is not there, which is said and harms nothing. */
static void
test_missing_image (void)
{
  Room *room = room_new (2, FL_STORE_READ_ONLY, TRUE);
  room_do (GTK_WIDGET (room->window), "win.show-shot", "(xxtuu)", G_GINT64_CONSTANT (1),
           G_GINT64_CONSTANT (1), fl_shot_id ("r0001.cxi", 12), 0u, 12u);
  room_settle (room);
  g_assert_cmpstr (flg_window_shown_page (room->window), ==, "images");
  guint32 frame;
  FlgPage *page = flg_window_page (room->window, "images");
  const char *path = flg_images_page_shown (FLG_IMAGES_PAGE (page), &frame);
  g_autofree char *expected = g_build_filename (room->folder, "data/r0001/r0001.cxi", NULL);
  g_assert_cmpstr (path, ==, expected); /* where this copy of the experiment would have it */
  g_assert_cmpuint (frame, ==, 12);
  room_do (GTK_WIDGET (page), "images.next-hit", NULL);
  room_settle (room);
  flg_images_page_shown (FLG_IMAGES_PAGE (page), &frame);
  g_assert_cmpuint (frame, >, 12);
  room_do (GTK_WIDGET (page), "images.back", NULL);
  room_settle (room);
  flg_images_page_shown (FLG_IMAGES_PAGE (page), &frame);
  g_assert_cmpuint (frame, ==, 12);
  room_do (GTK_WIDGET (page), "images.random", NULL);
  room_do (GTK_WIDGET (page), "images.previous-hit", NULL);
  room_settle (room);
  room_free (room);
}

/* Pages that go away while they wait for something. */
static void
test_leave_early (void)
{
  static const char *const names[] = { "images", "weather", "live", "jobs" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      Room *room = room_new (2, FL_STORE_WRITE, TRUE);
      room_do (GTK_WIDGET (room->window), "win.show-page", "s", names[i]);
      room_free (room);
    }
}

int
main (int argc, char *argv[])
{
  display_init (&argc, &argv);
  g_test_add_func ("/gui/window/pages", test_pages);
  g_test_add_func ("/gui/window/plots-count", test_plots_count);
  g_test_add_func ("/gui/window/tags", test_tags);
  g_test_add_func ("/gui/window/row-tags", test_row_tags);
  g_test_add_func ("/gui/window/trials", test_trials);
  g_test_add_func ("/gui/window/jobs", test_jobs);
  g_test_add_func ("/gui/window/strip", test_strip);
  g_test_add_func ("/gui/window/strip-nothing-yet", test_strip_nothing_yet);
  g_test_add_func ("/gui/window/read-only", test_read_only);
  g_test_add_func ("/gui/window/missing-image", test_missing_image);
  g_test_add_func ("/gui/window/leave-early", test_leave_early);
  return g_test_run ();
}
