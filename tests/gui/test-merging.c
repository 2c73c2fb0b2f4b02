/* The Merging page: the versions of a dataset, their shells as plot and table, what is new when there is another. */
#include <math.h>
#include <string.h>

#include "engine/base/batch.h"
#include "gui/goal-chip.h"
#include "gui/goal-watch.h"
#include "gui/merging-page.h"
#include "tests/gui/made.h"
#include "tests/gui/made-merges.h"
#include "tests/gui/room.h"
#include "tests/widgets/display.h"

static void
add_batch (FlStore *store, gint64 attempt, guint64 sequence, FlBatch *batch)
{
  made_add_slice (store, attempt, 0, sequence, batch);
  fl_batch_free (batch);
}

static void
add_merge (FlStore *store, gint64 dataset, int number, guint64 now)
{
  FlDatasetVersion version = {
    .dataset = dataset, .number = number, .created = now, .lattices = 1000 * number
  };
  made_save (store, FL_TABLE_DATASET_VERSION, &version);
  FlJob job = { .trial = 1, .dataset = dataset, .version = version.id, .task = 1, .state = FL_JOB_DONE };
  made_save (store, FL_TABLE_JOB, &job);
  FlAttempt attempt = { .job = job.id, .number = 1, .state = FL_JOB_DONE };
  made_save (store, FL_TABLE_ATTEMPT, &attempt);
  FlBatch *whole = fl_batch_new (FL_KIND_MERGE), *shells = fl_batch_new (FL_KIND_SHELL),
          *reasons = fl_batch_new (FL_KIND_REJECTION);
  FlMergeRow row = { .time = now,
                     .lattices = (guint64) (1000 * number),
                     .used = (guint64) (900 * number),
                     .d_min = 2,
                     .cc_half = 1 - 0.2F / (float) number,
                     .completeness = 0.987F,
                     .multiplicity = 12.5F * (float) number,
                     .r_split = 0.2F / (float) number,
                     .wilson_b = 21 };
  fl_batch_append (whole, &row);
  for (guint16 i = 0; i <= 10; i++)
    {
      double low = i <= 1 ? 0.001 : 0.25 * (i - 1) / 10, high = i == 0 ? 0.25 : 0.25 * i / 10;
      float quality = (float) (1 - 0.8 * pow (i / 10., 3) / number);
      FlShellRow shell = { .number = i,
                           .d_max = (float) (1 / sqrt (low)),
                           .d_min = (float) (1 / sqrt (high)),
                           .possible = i == 0 ? 12000 : 1200,
                           .unique = i == 0 ? 11800 : 1180,
                           .completeness = 0.983F,
                           .multiplicity = 12.5F * (float) number,
                           .i_sigma = 9 * quality,
                           .cc_half = quality,
                           .cc_star = sqrtf (2 * quality / (1 + quality)),
                           .r_split = (1 - quality) / 2,
                           .cc_iso = NAN };
      fl_batch_append (shells, &shell);
    }
  FlRejectionRow reason = { "unit cell outside the cluster", (guint64) (100 * number), 0 };
  fl_batch_append (reasons, &reason);
  add_batch (store, attempt.id, 1, whole);
  add_batch (store, attempt.id, 2, shells);
  add_batch (store, attempt.id, 3, reasons);
}

static void
test_page (void)
{
  Room *room = room_new (2, FL_STORE_WRITE, FALSE);
  FlgMergingPage *page = FLG_MERGING_PAGE (room_page (room, "merging"));
  g_assert_cmpstr (flg_merging_page_facts (page), ==, "");
  g_autofree char *nothing = flg_merging_page_summary (page);
  g_assert_cmpstr (nothing, ==, "Nothing merged");

  GError *error = NULL;
  FlStore *store = fl_store_open (room->folder, FL_STORE_WRITE, &error);
  made_must (store != NULL, &error);
  FlDataset dataset = { .name = (char *) "lysozyme", .expression = (char *) "", .goal_cc_half = 0.5 };
  gint64 id = made_save (store, FL_TABLE_DATASET, &dataset);
  add_merge (store, id, 1, room->now);
  room_settle (room);
  g_assert_nonnull (strstr (flg_merging_page_facts (page), "version 1"));
  add_merge (store, id, 2, room->now);
  room_settle (room);
  g_assert_nonnull (strstr (flg_merging_page_facts (page),
                            "1,800 of 2,000 lattices · to 2.00 Å · CC½ 0.900 · 98.7 % complete"));
  g_autofree char *summary = flg_merging_page_summary (page);
  g_assert_cmpstr (summary, ==,
                   "CC½ of half sets, version 2: 1 at low resolution, 0.6 at 2.00 Å; 10 shells, 1 compared");
  g_assert_cmpstr (flg_merging_page_cell (page, 10, 0), ==, "2.11 – 2.00");
  g_assert_cmpstr (flg_merging_page_cell (page, 10, 1), ==, "1,180 of 1,200");
  g_assert_cmpstr (flg_merging_page_cell (page, 10, 2), ==, "0.600");
  g_assert_cmpstr (flg_merging_page_cell (page, 10, 5), ==, "–"); /* no reference */
  g_assert_cmpstr (flg_merging_page_cell (page, 11, 0), ==, "all, 31.62 – 2.00");
  g_assert_cmpstr (flg_merging_page_cell (page, 11, 1), ==, "11,800 of 12,000");
  g_assert_null (flg_merging_page_cell (page, 12, 0));
  g_assert_cmpstr (flg_merging_page_reasons (page), ==, "200 lattices: unit cell outside the cluster");
  room_do (GTK_WIDGET (page), "merging.show-quantity", "s", "completeness");
  g_autofree char *other = flg_merging_page_summary (page);
  g_assert_nonnull (strstr (other, "Completeness, version 2: 98.3\302\240%"));
  fl_store_close (store);
  room_free (room);
}

/* --- whether there is enough --- */

static FlgGoalChip *
chip_in (GtkWidget *widget)
{
  if (FLG_IS_GOAL_CHIP (widget))
    return FLG_GOAL_CHIP (widget);
  FlgGoalChip *chip = NULL;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child && !chip;
       child = gtk_widget_get_next_sibling (child))
    chip = chip_in (child);
  return chip;
}

/* Two are kept going or enough; the chip is of that which was merged last. */
static gint64
add_datasets (Room *room, gint64 *other)
{
  static const MadeMerges
      enough = { "thermolysin", 2, 9000, 6, 1, 0.004, { .goal_d_min = 2, .goal_cc_half = 0.5 } },
      going = {
        "lyso-01", 3, 12300, 28, 1, 0.002, { .goal_d_min = 2, .goal_multiplicity = 20, .goal_cc_half = 0.5 }
      };
  GError *error = NULL;
  FlStore *store = fl_store_open (room->folder, FL_STORE_WRITE, &error);
  made_must (store != NULL && fl_store_begin (store, &error), &error);
  *other = made_merges_add (store, &enough, room->now - G_GUINT64_CONSTANT (600000000000));
  gint64 id = made_merges_add (store, &going, room->now);
  made_must (fl_store_commit (store, &error), &error);
  fl_store_close (store);
  return id;
}

static FlDataset *
dataset_of (Room *room, gint64 id)
{
  g_autoptr (FlStore) store = room_look (room);
  GError *error = NULL;
  FlDataset *dataset = fl_store_get (store, FL_TABLE_DATASET, id, &error);
  made_must (dataset != NULL, &error);
  return dataset;
}

static void
assert_goal (Room *room, gint64 id, double cc_half, double completeness)
{
  FlDataset *dataset = dataset_of (room, id);
  g_assert_cmpfloat_with_epsilon (dataset->goal_cc_half, cc_half, 1e-9);
  g_assert_cmpfloat_with_epsilon (dataset->goal_completeness, completeness, 1e-9);
  fl_record_free (FL_TABLE_DATASET, dataset);
}

static void
test_chip (void)
{
  Room *room = room_new_indexing (4);
  FlgGoalChip *chip = chip_in (GTK_WIDGET (room->window));
  g_assert_nonnull (chip);
  room_page (room, "runs");
  g_assert_cmpstr (flg_goal_chip_words (chip), ==, "");
  g_assert_false (gtk_widget_get_visible (GTK_WIDGET (chip)));
  gint64 other, id = add_datasets (room, &other);
  room_page (room, "merging"); /* which waits until the goals have been looked at */
  room_page (room, "runs");
  g_assert_true (gtk_widget_get_visible (GTK_WIDGET (chip)));
  g_assert_true (g_str_has_prefix (flg_goal_chip_words (chip),
                                   "lyso-01: keep going · CC½ 0.31 of 0.50 at 2.0 Å · 15,500 more · "));
  const char *tip = gtk_widget_get_tooltip_text (GTK_WIDGET (chip));
  g_assert_nonnull (strstr (tip, "about 15,500 more lattices (11,600–41,000) · "));
  g_assert_nonnull (strstr (tip, "by version 3, merged "));
  g_signal_emit_by_name (chip, "clicked");
  g_assert_cmpstr (flg_window_shown_page (room->window), ==, "merging");
  room_settle (room);
  FlgMergingPage *page = FLG_MERGING_PAGE (flg_window_page (room->window, "merging"));
  g_assert_true (
      g_str_has_prefix (flg_merging_page_goal (page), "CC½ at 2.0 Å is 0.31 of 0.50: about 15,500 more"));
  room_do (GTK_WIDGET (room->window), "win.show-merging", "x", other);
  room_settle (room);
  g_assert_true (
      g_str_has_prefix (flg_merging_page_goal (page), "all goals are reached with 9,000 lattices; CC½"));
  g_assert_cmpint (
      flg_goal_watch_foremost (flg_goal_watch_of (flg_context_experiment (room->context)))->dataset, ==, id);
  room_free (room);
}

static void
test_trend (void)
{
  Room *room = room_new_indexing (4);
  gint64 other, id = add_datasets (room, &other);
  FlgMergingPage *page = FLG_MERGING_PAGE (room_page (room, "merging"));
  GtkWidget *widget = GTK_WIDGET (page);
  g_autofree char *first =
      flg_merging_page_trend (page); /* of the chip's dataset, and of the goal that decides */
  g_assert_true (g_str_has_prefix (first, "CC½ at 2.0 Å: 0.305 at 12,300; goal 0.5 at 2"));
  room_do (widget, "merging.show-quantity", "s", "multiplicity");
  room_settle (room);
  g_autofree char *multiplicity = flg_merging_page_trend (page);
  g_assert_cmpstr (multiplicity, ==, "Multiplicity to 2.0 Å: 24.6 at 12,300; goal 20 is reached");
  room_do (widget, "merging.show-quantity", "s", "r-split"); /* which has no forecast */
  room_settle (room);
  g_autofree char *decisive = flg_merging_page_trend (page);
  g_assert_cmpstr (decisive, ==, first);
  room_do (widget, "merging.show-quantity", "s", "completeness");
  room_do (widget, "merging.show-dataset", "x", other);
  room_settle (room);
  g_autofree char *of_other = flg_merging_page_trend (page);
  g_assert_cmpstr (of_other, ==, "CC½ at 2.0 Å: 0.75 at 9,000; goal 0.5 is reached");
  room_do (widget, "merging.show-dataset", "x", id);
  room_settle (room);
  g_autofree char *again = flg_merging_page_trend (page);
  g_assert_cmpstr (again, ==, first);
  room_free (room);
}

static void
test_goal (void)
{
  Room *room = room_new_indexing (4);
  gint64 other, id = add_datasets (room, &other);
  FlgMergingPage *page = FLG_MERGING_PAGE (room_page (room, "merging"));
  GtkWidget *widget = GTK_WIDGET (page);
  room_do (widget, "merging.type-goal", "(ss)", "goal-cc-half", "0.3");
  room_settle (room);
  assert_goal (room, id, 0.3, 0);
  g_assert_true (
      g_str_has_prefix (flg_merging_page_goal (page), "all goals are reached with 12,300 lattices"));
  room_do (widget, "merging.type-goal", "(ss)", "goal-completeness", "99.5");
  room_settle (room);
  assert_goal (room, id, 0.3, 0.995);
  room_do (widget, "merging.undo-goal", NULL);
  room_settle (room);
  assert_goal (room, id, 0.3, 0);
  room_do (widget, "merging.undo-goal", NULL); /* once */
  room_do (widget, "merging.type-goal", "(ss)", "goal-cc-half", "half");
  room_do (widget, "merging.type-goal", "(ss)", "goal-cc-half", "1.5");
  room_do (widget, "merging.type-goal", "(ss)", "goal-cc-half", "nan");
  room_settle (room);
  assert_goal (room, id, 0.3, 0);
  room_do (widget, "merging.type-goal", "(ss)", "goal-cc-half", "");
  room_settle (room);
  assert_goal (room, id, 0, 0);
  room_free (room);
}

int
main (int argc, char **argv)
{
  display_init (&argc, &argv);
  g_test_add_func ("/gui/merging/page", test_page);
  g_test_add_func ("/gui/merging/chip", test_chip);
  g_test_add_func ("/gui/merging/trend", test_trend);
  g_test_add_func ("/gui/merging/goal", test_goal);
  return g_test_run ();
}
