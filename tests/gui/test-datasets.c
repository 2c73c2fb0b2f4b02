/* The Datasets page driven through its actions; what it did is read back from the store by another handle. */
#include <string.h>
#include <time.h>

#include "gui/dataset-entry.h"
#include "gui/dataset-writes.h"
#include "gui/datasets-page.h"
#include "gui/runs-page.h"
#include "tests/gui/made-datasets.h"
#include "tests/gui/room.h"
#include "tests/widgets/display.h"
#include "widgets/task-graph.h"

#define RUNS 14

#if defined(__SANITIZE_ADDRESS__) /* the code runs slower, not worse */
#define SLOWER 5
#else
#define SLOWER 1
#endif

static Room *
datasets_room (MadeDatasets *made, FlgDatasetsPage **page)
{
  char *folder = g_dir_make_tmp ("firstlight-gui-XXXXXX", NULL);
  MadeStore wanted = { RUNS, 40, 2, (guint64) g_get_real_time () * 1000, TRUE };
  made_datasets_write (folder, &wanted, made);
  Room *room = room_adopt (folder, FL_STORE_WRITE, FALSE);
  *page = FLG_DATASETS_PAGE (room_page (room, "datasets"));
  return room;
}

/* A record of the store by its name; free with fl_record_free(). */
static gpointer
look_for (Room *room, FlTable table, const char *name)
{
  g_autoptr (FlStore) store = room_look (room);
  g_autoptr (GError) error = NULL;
  gpointer record = fl_store_find (store, table, name, &error);
  g_assert_no_error (error);
  return record;
}

/* Steps of a dataset, by number; frees its records. */
static GPtrArray *
links_of (Room *room, gint64 dataset)
{
  g_autoptr (FlStore) store = room_look (room);
  GPtrArray *links = fl_store_list (store, FL_TABLE_DATASET_TASK, NULL);
  for (guint i = links->len; i-- > 0;)
    if (((FlDatasetTask *) links->pdata[i])->dataset != dataset)
      g_ptr_array_remove_index (links, i);
  return links;
}

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

/* --- many jobs: the sheet, holding, taking back --- */

/* Jobs as the conductor would make them of the dataset's first step. */
static void
conduct (Room *room, const char *dataset)
{
  g_autoptr (GError) error = NULL;
  FlDataset *record = look_for (room, FL_TABLE_DATASET, dataset);
  g_autoptr (GPtrArray) links = links_of (room, record->id);
  FlStore *store = fl_store_open (room->folder, FL_STORE_WRITE, &error);
  g_assert_no_error (error);
  for (gint64 run = 6; run <= 8; run++)
    {
      FlJob job = { .trial = 1,
                    .run = run,
                    .block = 1,
                    .task = ((FlDatasetTask *) links->pdata[0])->task,
                    .root = (char *) "scratch",
                    .path = (char *) "jobs/none",
                    .state = run == 8 ? FL_JOB_RUNNING : FL_JOB_PLANNED,
                    .started = run == 8 ? room->now : 0 };
      fl_store_save (store, FL_TABLE_JOB, &job, &error);
      g_assert_no_error (error);
    }
  fl_store_close (store);
  fl_record_free (FL_TABLE_DATASET, record);
}

static guint
stops_asked (Room *room, guint *all)
{
  g_autoptr (FlStore) store = room_look (room);
  g_autoptr (GPtrArray) jobs = fl_store_list (store, FL_TABLE_JOB, NULL);
  guint n = 0;
  *all = jobs->len;
  for (guint i = 0; i < jobs->len; i++)
    n += ((FlJob *) jobs->pdata[i])->stop_wanted;
  return n;
}

static int
approval (Room *room)
{
  g_autoptr (FlStore) store = room_look (room);
  g_autoptr (GPtrArray) all = fl_store_list (store, FL_TABLE_EXPERIMENT, NULL);
  return ((FlExperiment *) all->pdata[0])->approve_above;
}

static void
begin_many (FlgDatasetsPage *page, const char *name)
{
  GtkWidget *widget = GTK_WIDGET (page);
  room_do (widget, "datasets.new-from", "s", "lysozyme");
  room_do (widget, "datasets.set", "(ss)", "name", name);
  room_do (widget, "datasets.set", "(ss)", "trial", "1");
  room_do (widget, "datasets.remove-step", NULL);
  room_do (widget, "datasets.add-step", "s", "spots");
  room_do (widget, "datasets.save", NULL);
  g_assert_true (flg_datasets_page_is_asking (page));
}

static void
test_sheet_and_undo (void)
{
  MadeDatasets made;
  FlgDatasetsPage *page;
  Room *room = datasets_room (&made, &page);
  GtkWidget *widget = GTK_WIDGET (page);
  guint jobs;
  begin_many (page, "many");
  g_assert_true (g_str_has_prefix (flg_datasets_page_question (page), "This makes 12 jobs"));
  room_do (widget, "datasets.cancel", NULL);
  g_assert_false (flg_datasets_page_is_asking (page));
  g_assert_true (flg_datasets_page_is_editing (page));
  g_assert_null (look_for (room, FL_TABLE_DATASET, "many"));
  room_do (widget, "datasets.save", NULL);
  room_do (widget, "datasets.confirm", NULL);
  room_settle (room);
  g_assert_true (flg_datasets_page_may_undo (page));
  g_assert_cmpint (approval (room), ==, 0);
  conduct (room, "many");
  room_do (widget, "datasets.undo", NULL);
  room_settle (room);
  g_assert_false (flg_datasets_page_may_undo (page));
  FlDataset *dataset = look_for (room, FL_TABLE_DATASET, "many");
  g_assert_false (dataset->active);
  g_assert_cmpuint (stops_asked (room, &jobs), ==, 2); /* the third has begun */
  fl_record_free (FL_TABLE_DATASET, dataset);
  /* Held: the limit is below the plan, and comes back with the undo. */
  begin_many (page, "held");
  room_do (widget, "datasets.hold", NULL);
  room_settle (room);
  g_assert_cmpint (approval (room), ==, 11);
  room_do (widget, "datasets.undo", NULL);
  room_settle (room);
  g_assert_cmpint (approval (room), ==, 0);
  room_free (room);
}

/* Of a site that holds, all; of a plan above the limit, those of its first step. */
static void
test_waiting (void)
{
  MadeDatasets made;
  FlgDatasetsPage *page;
  Room *room = datasets_room (&made, &page);
  GtkWidget *widget = GTK_WIDGET (page);
  FlgDatasetEditor *editor = flg_datasets_page_editor (page);
  g_autoptr (GError) error = NULL;
  FlStore *store = fl_store_open (room->folder, FL_STORE_WRITE, &error);
  g_assert_no_error (error);
  fl_store_set_int (store, FL_TABLE_SITE, made.far_site, "hold", TRUE, &error);
  g_assert_no_error (error);
  fl_store_close (store);
  room_settle (room);
  room_do (widget, "datasets.new-from", "s", "lysozyme");
  room_do (widget, "datasets.set", "(ss)", "trial", "1");
  room_do (widget, "datasets.remove-step", NULL);
  room_do (widget, "datasets.add-step", "s", "spots");
  room_do (widget, "datasets.add-step", "s", "index");
  room_do (widget, "datasets.set-step", "(ss)", "site", "cori");
  const FlgDatasetPreview *preview = flg_dataset_editor_preview (editor);
  guint runs = RUNS - 2; /* one is dark, one being recorded */
  g_assert_cmpuint (preview->n_new, ==, 2 * runs);
  g_assert_cmpuint (preview->n_first, ==, runs);
  g_assert_cmpuint (preview->n_waiting, ==, runs);
  g_autofree char *plan = flg_dataset_preview_plan (preview);
  g_assert_true (g_str_has_suffix (plan, "; 12 wait for approval"));
  g_assert_nonnull (strstr (plan, "cori"));
  room_do (widget, "datasets.set-policy", "(sdii)", "newest", 1.0, 5, (int) runs - 1);
  room_settle (room);
  preview = flg_dataset_editor_preview (editor);
  g_assert_cmpuint (preview->n_waiting, ==, 2 * runs);
  g_autofree char *all = flg_dataset_preview_plan (preview);
  g_assert_true (g_str_has_suffix (all, "; all wait for approval"));
  room_free (room);
}

static void
test_undo_change (void)
{
  MadeDatasets made;
  FlgDatasetsPage *page;
  Room *room = datasets_room (&made, &page);
  GtkWidget *widget = GTK_WIDGET (page);
  room_do (widget, "datasets.show", "x", made.lysozyme);
  room_do (widget, "datasets.edit", NULL);
  room_do (widget, "datasets.set", "(ss)", "expression", "runs 1-2");
  room_do (widget, "datasets.choose-step", "u", 1);
  room_do (widget, "datasets.remove-step", NULL);
  room_do (widget, "datasets.save", NULL);
  room_settle (room);
  g_autoptr (GPtrArray) one = links_of (room, made.lysozyme);
  g_assert_cmpuint (one->len, ==, 1);
  room_do (widget, "datasets.undo", NULL);
  room_settle (room);
  FlDataset *dataset = look_for (room, FL_TABLE_DATASET, "lysozyme");
  g_assert_cmpstr (dataset->expression, ==, "lysozyme and not dark");
  g_assert_true (dataset->active);
  g_autoptr (GPtrArray) two = links_of (room, made.lysozyme);
  g_assert_cmpuint (two->len, ==, 2);
  g_assert_cmpstr (((FlDatasetTask *) two->pdata[1])->after, !=, "");
  fl_record_free (FL_TABLE_DATASET, dataset);
  /* What came of the time to undo: nothing is offered once it is over. */
  room_do (widget, "datasets.set-policy", "(sdii)", "thin", 0.25, 0, 7);
  room_settle (room);
  g_autoptr (FlStore) store = room_look (room);
  g_autoptr (GPtrArray) all = fl_store_list (store, FL_TABLE_EXPERIMENT, NULL);
  const FlExperiment *policy = all->pdata[0];
  g_assert_cmpstr (policy->backlog, ==, "thin");
  g_assert_cmpfloat (policy->thin_fraction, ==, 0.25);
  g_assert_cmpint (policy->undo_seconds * 100 + policy->approve_above, ==, 7);
  room_do (widget, "datasets.edit", NULL);
  room_do (widget, "datasets.set", "(ss)", "comment", "other");
  room_do (widget, "datasets.save", NULL);
  room_settle (room);
  g_assert_false (flg_datasets_page_may_undo (page));
  room_free (room);
}

/* --- versions --- */

static void
test_versions (void)
{
  MadeDatasets made;
  FlgDatasetsPage *page;
  Room *room = datasets_room (&made, &page);
  GtkWidget *widget = GTK_WIDGET (page);
  FlgDatasetVersions *versions = flg_datasets_page_versions (page);
  room_do (widget, "datasets.show", "x", made.lysozyme);
  room_settle (room);
  /* 1 to 13 but the failed 2nd and 3; the one before: 1 to 12 but the failed 2nd. */
  g_assert_cmpuint (flg_dataset_versions_n_inputs (versions), ==, RUNS - 3);
  g_assert_cmpstr (flg_dataset_versions_difference (versions), ==, "1 run more: r0013; 1 run less: r0003");
  room_do (widget, "datasets.compare-with", "x", made.versions[0]);
  g_assert_cmpstr (flg_dataset_versions_difference (versions), ==,
                   "6 runs more: r0008, r0009, r0010, r0011, r0012, r0013; 1 run less: r0003");
  room_do (widget, "datasets.show-version", "x", made.versions[0]);
  g_assert_cmpuint (flg_dataset_versions_n_inputs (versions), ==, RUNS / 2 - 1);
  room_do (widget, "datasets.show-version", "x", made.versions[2]);
  g_assert_cmpint (flg_dataset_versions_job (versions), ==, made.export_job);
  room_do (widget, "datasets.open-job", NULL);
  g_assert_cmpstr (flg_window_shown_page (room->window), ==, "jobs");
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

/* --- the graph's widget --- */

static void
note_chosen (FlwTaskGraph *graph, guint key, guint *chosen)
{
  *chosen = key;
}

static void
test_graph (void)
{
  const guint of_one[] = { 1 }, of_both[] = { 2, 3 }, circle[] = { 6 }, back[] = { 5 }, self[] = { 7, 99 };
  const FlwGraphNode nodes[] = {
    { 4, "last", "waits", FLW_SHAPE_RING, FLW_TONE_NEUTRAL, of_both, 2 },
    { 1, "first", "done", FLW_SHAPE_DISC, FLW_TONE_GOOD, NULL, 0 },
    { 2, "left", "done", FLW_SHAPE_DISC, FLW_TONE_GOOD, of_one, 1 },
    { 3, "right", "failed", FLW_SHAPE_CROSS, FLW_TONE_BAD, of_one, 1 },
  };
  FlwTaskGraph *graph = FLW_TASK_GRAPH (g_object_ref_sink (flw_task_graph_new ()));
  guint chosen = 0;
  g_signal_connect (graph, "chosen", G_CALLBACK (note_chosen), &chosen);
  flw_task_graph_set (graph, G_N_ELEMENTS (nodes), nodes);
  g_autofree char *summary = flw_task_graph_summary (graph);
  g_assert_cmpstr (summary, ==, "first: done → left: done, right: failed → last: waits");
  flw_task_graph_choose (graph, 3);
  g_assert_cmpuint (chosen, ==, 3);
  flw_task_graph_set (graph, 3, nodes); /* without it */
  g_assert_cmpuint (flw_task_graph_chosen (graph), ==, 0);
  g_assert_cmpuint (chosen, ==, 0);
  const FlwGraphNode round[] = { { 5, "a", "", FLW_SHAPE_RING, FLW_TONE_NEUTRAL, circle, 1 },
                                 { 6, "b", "", FLW_SHAPE_RING, FLW_TONE_NEUTRAL, back, 1 },
                                 { 7, "c", "", FLW_SHAPE_RING, FLW_TONE_NEUTRAL, self, 2 } };
  flw_task_graph_set (graph, G_N_ELEMENTS (round), round); /* ends */
  int width;
  gtk_widget_measure (GTK_WIDGET (graph), GTK_ORIENTATION_HORIZONTAL, -1, NULL, &width, NULL, NULL);
  g_assert_cmpint (width, >, 0);
  g_object_unref (graph);
}

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
  g_test_add_func ("/datasets/sheet-and-undo", test_sheet_and_undo);
  g_test_add_func ("/datasets/waiting", test_waiting);
  g_test_add_func ("/datasets/graph", test_graph);
  g_test_add_func ("/datasets/undo-change", test_undo_change);
  g_test_add_func ("/datasets/versions", test_versions);
  g_test_add_func ("/datasets/from-runs", test_from_runs);
  g_test_add_func ("/datasets/quick", test_quick);
  return g_test_run ();
}
