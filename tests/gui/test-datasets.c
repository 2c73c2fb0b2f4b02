/* The Datasets page's editor, driven through its actions; what it did is read back from the store by another handle. */
#include <string.h>
#include <time.h>

#include "gui/dataset-entry.h"
#include "gui/datasets-page.h"
#include "gui/runs-page.h"
#include "tests/gui/datasets-room.h"
#include "tests/widgets/display.h"

#if defined(__SANITIZE_ADDRESS__) /* the code runs slower, not worse */
#define SLOWER 5
#else
#define SLOWER 1
#endif

/* --- the editor, into records and back --- */

static void
test_round_trip (void)
{
  MadeDatasets made;
  FlgDatasetsPage *page;
  Room *room = datasets_room (&made, &page);
  GtkWidget *widget = GTK_WIDGET (page);
  room_do (widget, "datasets.new-from", "s", "dark");
  g_assert_true (flg_datasets_page_is_editing (page));
  room_do (widget, "datasets.set", "(ss)", "name", "darks of the night");
  room_do (widget, "datasets.set", "(ss)", "comment", "pedestals");
  room_do (widget, "datasets.set", "(ss)", "trial", "2");
  room_do (widget, "datasets.set", "(ss)", "minutes", "2.5");
  room_do (widget, "datasets.set", "(ss)", "lattices", "120");
  room_do (widget, "datasets.set", "(ss)", "goal-d-min", "2.1");
  room_do (widget, "datasets.set", "(ss)", "goal-completeness", "950");
  room_do (widget, "datasets.add-step", "s", "export");
  room_do (widget, "datasets.set-step", "(ss)", "name", "dark stream");
  room_do (widget, "datasets.set-step", "(ss)", "site", "cori");
  room_do (widget, "datasets.set-step", "(ss)", "nodes", "2");
  room_do (widget, "datasets.set-step", "(ss)", "ranks-per-node", "32");
  room_do (widget, "datasets.set-step", "(ss)", "gpus-per-rank", "1");
  room_do (widget, "datasets.set-step", "(ss)", "minutes", "45");
  g_assert_cmpstr (flg_dataset_editor_complaint (flg_datasets_page_editor (page)), ==,
                   "Complete: expected a number from 0 to 100, or nothing.");
  room_do (widget, "datasets.set", "(ss)", "goal-completeness", "95");
  room_do (widget, "datasets.set", "(ss)", "goal-cc-half", "0,5"); /* as it is written elsewhere */
  g_assert_cmpstr (flg_dataset_editor_complaint (flg_datasets_page_editor (page)), ==, NULL);
  room_do (widget, "datasets.save", NULL);
  room_settle (room);
  g_assert_false (flg_datasets_page_is_editing (page));
  FlDataset *dataset = look_for (room, FL_TABLE_DATASET, "darks of the night");
  FlTask *task = look_for (room, FL_TABLE_TASK, "dark stream");
  g_assert_true (dataset && task);
  g_assert_cmpint (flg_datasets_page_shown (page), ==, dataset->id);
  g_assert_cmpstr (dataset->expression, ==, "dark");
  g_assert_cmpstr (dataset->comment, ==, "pedestals");
  g_assert_cmpint (dataset->trial, ==, 2);
  g_assert_cmpfloat (dataset->min_interval, ==, 150);
  g_assert_cmpint (dataset->min_lattices, ==, 120);
  g_assert_true (dataset->active);
  g_assert_cmpfloat (dataset->goal_d_min, ==, 2.1);
  g_assert_cmpfloat (dataset->goal_completeness, ==, 0.95);
  g_assert_cmpfloat (dataset->goal_cc_half, ==, 0.5);
  g_assert_cmpfloat (dataset->goal_multiplicity + dataset->goal_cc_ano, ==, 0);
  g_assert_cmpstr (task->type, ==, "export");
  g_assert_cmpint (task->site, ==, made.far_site);
  g_assert_cmpint (task->nodes * 1000000 + task->ranks_per_node * 1000 + task->minutes, ==, 2032045);
  g_assert_cmpint (task->gpus_per_rank, ==, 1);
  g_autoptr (GPtrArray) links = links_of (room, dataset->id);
  g_assert_cmpuint (links->len, ==, 2);
  g_autofree char *first = g_strdup_printf ("%d", (int) ((FlDatasetTask *) links->pdata[0])->task);
  g_assert_cmpstr (((FlDatasetTask *) links->pdata[0])->after, ==, "");
  g_assert_cmpstr (((FlDatasetTask *) links->pdata[1])->after, ==, first);
  g_assert_cmpint (((FlDatasetTask *) links->pdata[1])->task, ==, task->id);
  /* The same again: nothing is made anew. */
  room_do (widget, "datasets.edit", NULL);
  g_assert_cmpuint (flg_dataset_editor_draft (flg_datasets_page_editor (page))->steps->len, ==, 2);
  room_do (widget, "datasets.save", NULL);
  room_settle (room);
  g_autoptr (GPtrArray) again = links_of (room, dataset->id);
  g_assert_cmpuint (again->len, ==, 2);
  g_assert_cmpint (((FlDatasetTask *) again->pdata[1])->task, ==, task->id);
  fl_record_free (FL_TABLE_TASK, task);
  fl_record_free (FL_TABLE_DATASET, dataset);
  room_free (room);
}

/* Parameters of a task that has jobs are another task's. */
static void
test_fork (void)
{
  MadeDatasets made;
  FlgDatasetsPage *page;
  Room *room = datasets_room (&made, &page);
  GtkWidget *widget = GTK_WIDGET (page);
  FlTask *before = look_for (room, FL_TABLE_TASK, "stills");
  room_do (widget, "datasets.show", "x", made.lysozyme);
  room_do (widget, "datasets.edit", NULL);
  FlgDatasetEditor *editor = flg_datasets_page_editor (page);
  guint wanted = flg_dataset_editor_preview (editor)->n_new;
  room_do (widget, "datasets.choose-step", "u", 0);
  room_do (widget, "datasets.set-step", "(ss)", "spots.sigma_strong", "6.5");
  g_assert_cmpstr (flg_dataset_editor_complaint (editor), ==, NULL);
  g_assert_cmpuint (flg_dataset_editor_preview (editor)->n_new, >, wanted); /* all anew */
  room_do (widget, "datasets.save", NULL);
  if (flg_datasets_page_is_asking (page))
    room_do (widget, "datasets.confirm", NULL);
  room_settle (room);
  FlTask *after = look_for (room, FL_TABLE_TASK, "stills"), *own = look_for (room, FL_TABLE_TASK, "stills-2");
  g_assert_cmpstr (after->params, ==, before->params);
  g_assert_true (own && strstr (own->params, "sigma_strong = 6.5"));
  g_assert_false (own->active);
  g_autoptr (GPtrArray) links = links_of (room, made.lysozyme);
  g_autofree char *waits = g_strdup_printf ("%d", (int) own->id);
  g_assert_cmpuint (links->len, ==, 2);
  g_assert_cmpint (((FlDatasetTask *) links->pdata[0])->task, ==, own->id);
  g_assert_cmpstr (((FlDatasetTask *) links->pdata[1])->after, ==, waits);
  fl_record_free (FL_TABLE_TASK, own);
  fl_record_free (FL_TABLE_TASK, after);
  fl_record_free (FL_TABLE_TASK, before);
  room_free (room);
}

/* --- the preview, against counts by hand --- */

static void
test_preview (void)
{
  MadeDatasets made;
  FlgDatasetsPage *page;
  Room *room = datasets_room (&made, &page);
  GtkWidget *widget = GTK_WIDGET (page);
  FlgDatasetEditor *editor = flg_datasets_page_editor (page);
  /* Run 2 is dark, its job of trial 1 has failed; 3–5 are with laser; the last one is being recorded. Trial 1's jobs are done,
   * trial 2's are planned. */
  static const struct
  {
    const char *expression, *trial;
    guint runs, n_new, n_open, n_done, n_failed;
    gint64 shots;
  } cases[] = {
    { "lysozyme and not dark", "1", RUNS - 1, 0, 0, RUNS - 2, 0, 40 * (RUNS - 2) },
    { "lysozyme", "2", RUNS - 1, 0, RUNS - 2, 0, 0, 40 * (RUNS - 2) },
    { "dark", "1", 1, 0, 0, 0, 1, 40 },
    { "\"laser on\" or dark", "0", 4, 0, 4, 3, 1, 160 },
    { "runs 3-6 and not \"laser on\"", "1", 1, 0, 0, 1, 0, 40 },
    { "runs 100-", "0", 0, 0, 0, 0, 0, 0 },
  };
  room_do (widget, "datasets.new", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      room_do (widget, "datasets.set", "(ss)", "expression", cases[i].expression);
      room_do (widget, "datasets.set", "(ss)", "trial", cases[i].trial);
      const FlgDatasetPreview *preview = flg_dataset_editor_preview (editor);
      g_assert_cmpstr (preview->error, ==, NULL);
      g_assert_cmpuint (preview->runs->len, ==, cases[i].runs);
      g_assert_cmpuint (preview->n_new, ==, cases[i].n_new);
      g_assert_cmpuint (preview->n_open, ==, cases[i].n_open);
      g_assert_cmpuint (preview->n_done, ==, cases[i].n_done);
      g_assert_cmpuint (preview->n_failed, ==, cases[i].n_failed);
      g_assert_cmpint (preview->acquired, ==, cases[i].shots);
    }
  /* Hits and indexed are those of the runs' own counts. */
  room_do (widget, "datasets.set", "(ss)", "expression", "runs 3-6");
  const FlgDatasetPreview *preview = flg_dataset_editor_preview (editor);
  FlgExperiment *experiment = flg_context_experiment (room->context);
  gint64 hits = 0, indexed = 0;
  for (gint64 run = 3; run <= 6; run++)
    {
      hits += flg_experiment_run_stats (experiment, run)->hits;
      indexed += flg_experiment_run_stats (experiment, run)->indexed;
    }
  g_assert_cmpint (preview->hits, ==, hits);
  g_assert_cmpint (preview->indexed, ==, indexed);
  g_assert_cmpint (hits, >, 0);
  /* A task that nobody has run: one job a run and active trial. */
  room_do (widget, "datasets.set", "(ss)", "trial", "0");
  room_do (widget, "datasets.remove-step", NULL);
  room_do (widget, "datasets.add-step", "s", "spots");
  preview = flg_dataset_editor_preview (editor);
  g_assert_cmpuint (preview->n_new, ==, 8);
  g_autofree char *plan = flg_dataset_preview_plan (preview);
  g_assert_true (g_str_has_prefix (plan, "This makes 8 jobs"));
  room_free (room);
}

static void
test_errors (void)
{
  MadeDatasets made;
  FlgDatasetsPage *page;
  Room *room = datasets_room (&made, &page);
  GtkWidget *widget = GTK_WIDGET (page);
  FlgDatasetEditor *editor = flg_datasets_page_editor (page);
  static const struct
  {
    const char *field, *text, *complaint;
  } cases[] = {
    { "expression", "not lysozime", "'lysozime' at character 5: there is no such tag; lysozyme?" },
    { "expression", "(dark", "'(' at character 1: is not closed" },
    { "expression", "", "Which runs? An empty expression takes none." },
    { "expression", "dark", NULL },
    { "name", "", "A dataset needs a name." },
    { "name", "lysozyme", "Another dataset has this name." },
    { "name", "fine", NULL },
  };
  room_do (widget, "datasets.new", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      room_do (widget, "datasets.set", "(ss)", cases[i].field, cases[i].text);
      g_assert_cmpstr (flg_dataset_editor_complaint (editor), ==, cases[i].complaint);
      room_do (widget, "datasets.save", NULL);
      g_assert_true (flg_datasets_page_is_editing (page) || !cases[i].complaint);
      if (!flg_datasets_page_is_editing (page))
        {
          room_settle (room);
          room_do (widget, "datasets.new", NULL);
          room_do (widget, "datasets.set", "(ss)", "expression", "dark");
        }
    }
  room_free (room);
}

static void
assert_offers (FlgDatasetEntry *entry, const char *text, const char *wanted)
{
  flg_dataset_entry_set_text (entry, text);
  g_auto (GStrv) offers = flg_dataset_entry_offers (entry);
  g_autofree char *joined = g_strjoinv (" | ", offers);
  g_assert_cmpstr (joined, ==, wanted);
}

static void
test_completion (void)
{
  MadeDatasets made;
  FlgDatasetsPage *page;
  Room *room = datasets_room (&made, &page);
  FlgDatasetEntry *entry =
      FLG_DATASET_ENTRY (g_object_ref_sink (flg_dataset_entry_new (flg_context_experiment (room->context))));
  assert_offers (entry, "lyso", "lysozyme");
  assert_offers (entry, "lysozyme a", "and");
  assert_offers (entry, "lysozyme and n", "not | \"laser on\"");
  assert_offers (entry, "lysozyme and not d", "dark | \"'; DROP TABLE tag; -- $(reboot) <b>&\\\"\\\\\"");
  assert_offers (entry, "(\"la", "\"laser on\"");
  flg_dataset_entry_take (entry, "\"laser on\"");
  g_assert_cmpstr (flg_dataset_entry_text (entry), ==, "(\"laser on\" ");
  assert_offers (entry, "(\"laser on\" o", "or");
  g_object_unref (entry);
  room_free (room);
}

/* --- words that were chosen to do harm --- */

static void
test_hostile (void)
{
  MadeDatasets made;
  FlgDatasetsPage *page;
  Room *room = datasets_room (&made, &page);
  GtkWidget *widget = GTK_WIDGET (page);
  g_autofree char *longer = g_strnfill (200, 'x');
  g_autofree char *long_name = g_strnfill (140, 'y');
  static const char *const names[] = { "'; DROP TABLE dataset; --", "$(reboot)", "<b>bold</b> & <", "%s%n",
                                       "µ→λ" };
  room_do (widget, "datasets.show", "x", made.hostile);
  room_settle (room);
  g_autofree char *summary = flg_datasets_page_summary (page);
  g_assert_true (g_str_has_prefix (summary, "1 run with 40 shots"));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      room_do (widget, "datasets.new-from", "s", "dark");
      room_do (widget, "datasets.set", "(ss)", "name", names[i]);
      room_do (widget, "datasets.set", "(ss)", "comment", names[i]);
      room_do (widget, "datasets.set-step", "(ss)", "name", names[i]);
      room_do (widget, "datasets.save", NULL);
      room_settle (room);
      FlDataset *dataset = look_for (room, FL_TABLE_DATASET, names[i]);
      g_assert_true (dataset && g_str_equal (dataset->comment, names[i]));
      fl_record_free (FL_TABLE_DATASET, dataset);
    }
  static const char *const refused[] = { "\x1b[2Jred", "two\nlines", "tab\tulator" };
  room_do (widget, "datasets.new-from", "s", "dark");
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      room_do (widget, "datasets.set", "(ss)", "name", refused[i]);
      room_do (widget, "datasets.save", NULL);
      room_settle (room);
      g_assert_true (i == 1 || flg_datasets_page_is_editing (page)); /* an entry has no second line */
      if (!flg_datasets_page_is_editing (page))
        room_do (widget, "datasets.new-from", "s", "dark");
    }
  room_do (widget, "datasets.set", "(ss)", "name", longer);
  g_assert_nonnull (flg_dataset_editor_complaint (flg_datasets_page_editor (page)));
  room_do (widget, "datasets.set", "(ss)", "name", long_name);
  g_assert_null (flg_dataset_editor_complaint (flg_datasets_page_editor (page)));
  room_do (widget, "datasets.save", NULL);
  room_settle (room);
  FlDataset *dataset = look_for (room, FL_TABLE_DATASET, long_name);
  g_assert_nonnull (dataset);
  fl_record_free (FL_TABLE_DATASET, dataset);
  room_free (room);
}

/* --- from the Runs page --- */

static void
test_from_runs (void)
{
  MadeDatasets made;
  FlgDatasetsPage *page;
  Room *room = datasets_room (&made, &page);
  FlgPage *runs = room_page (room, "runs");
  room_do (GTK_WIDGET (runs), "runs.select", "@ax", g_variant_new_parsed ("[int64 7, int64 9]"));
  room_do (GTK_WIDGET (runs), "runs.new-dataset", "s", "odd ones");
  g_assert_cmpstr (flg_window_shown_page (room->window), ==, "datasets");
  room_settle (room);
  FlgDatasetEditor *editor = flg_datasets_page_editor (page);
  const FlDataset *dataset = flg_dataset_editor_draft (editor)->dataset;
  g_assert_cmpstr (dataset->expression, ==, "\"odd ones\"");
  g_assert_cmpstr (dataset->name, ==, "odd ones");
  g_assert_cmpuint (flg_dataset_editor_preview (editor)->runs->len, ==, 2);
  room_do (GTK_WIDGET (page), "datasets.discard", NULL);
  room_page (room, "runs");
  room_do (GTK_WIDGET (runs), "runs.new-dataset", "s", "");
  g_assert_cmpstr (flg_dataset_editor_draft (editor)->dataset->expression, ==, "runs r0007,r0009");
  g_assert_cmpuint (flg_dataset_editor_preview (editor)->runs->len, ==, 2);
  room_free (room);
}

/* --- 2,000 runs and 10,000 jobs: CPU time from key to preview --- */

static gboolean
is_listed (gpointer editor)
{
  return flg_dataset_editor_is_settled (editor);
}

static void
test_quick (void)
{
  char *folder = g_dir_make_tmp ("firstlight-gui-XXXXXX", NULL);
  made_datasets_write_many (folder, 2000, (guint64) g_get_real_time () * 1000);
  Room *room = room_adopt (folder, FL_STORE_WRITE, FALSE);
  FlgDatasetsPage *page = FLG_DATASETS_PAGE (room_page (room, "datasets"));
  GtkWidget *widget = GTK_WIDGET (page);
  FlgDatasetEditor *editor = flg_datasets_page_editor (page);
  room_do (widget, "datasets.new", NULL);
  room_do (widget, "datasets.add-step", "s", "export");
  const char *text = "lysozyme and not dark or runs 100-1999";
  g_autoptr (GString) typed = g_string_new (NULL);
  gint64 worst = 0, sum = 0, listed = 0;
  for (const char *key = text; *key; key++)
    {
      g_string_append_c (typed, *key);
      clock_t before = clock ();
      room_do (widget, "datasets.set", "(ss)", "expression", typed->str);
      gint64 took = (gint64) (clock () - before) * 1000000 / CLOCKS_PER_SEC;
      worst = MAX (worst, took);
      sum += took;
      display_wait (is_listed, editor);
      listed = MAX (listed, (gint64) (clock () - before) * 1000000 / CLOCKS_PER_SEC);
    }
  guint wanted = 0;
  for (guint k = 1; k <= 2000; k++)
    wanted += (k % 3 == 0 && k % 5 != 0) || (k >= 100 && k <= 1999);
  g_assert_cmpuint (flg_dataset_editor_preview (editor)->runs->len, ==, wanted);
  g_assert_cmpuint (flg_dataset_editor_n_listed (editor), ==, wanted);
  g_test_message (
      "a key: %.1f ms at worst, %.1f ms in the mean; with the list of runs %.1f ms at worst; CPU time",
      (double) worst / 1000, (double) sum / 1000 / (double) strlen (text), (double) listed / 1000);
  g_assert_cmpint (worst, <, 100000 * SLOWER);
  room_free (room);
}

int
main (int argc, char *argv[])
{
  display_init (&argc, &argv);
  g_test_add_func ("/datasets/round-trip", test_round_trip);
  g_test_add_func ("/datasets/fork", test_fork);
  g_test_add_func ("/datasets/preview", test_preview);
  g_test_add_func ("/datasets/errors", test_errors);
  g_test_add_func ("/datasets/completion", test_completion);
  g_test_add_func ("/datasets/hostile", test_hostile);
  g_test_add_func ("/datasets/from-runs", test_from_runs);
  g_test_add_func ("/datasets/quick", test_quick);
  return g_test_run ();
}
