/* Jobs of datasets: the sheet before many, holding, taking back, versions; read back from the store by another handle. */
#include <string.h>

#include "gui/dataset-writes.h"
#include "gui/datasets-page.h"
#include "tests/gui/datasets-room.h"
#include "tests/widgets/display.h"

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

int
main (int argc, char *argv[])
{
  display_init (&argc, &argv);
  g_test_add_func ("/dataset-jobs/sheet-and-undo", test_sheet_and_undo);
  g_test_add_func ("/dataset-jobs/waiting", test_waiting);
  g_test_add_func ("/dataset-jobs/undo-change", test_undo_change);
  g_test_add_func ("/dataset-jobs/versions", test_versions);
  return g_test_run ();
}
