#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/dataset-versions.h"

#include <glib/gi18n.h>

#include "engine/control/dataset-plan.h"
#include "gui/chooser.h"
#include "gui/columns.h"
#include "gui/text.h"
#include "gui/science.h"
#include "widgets/status-chip.h"

#define MOST_NAMED 12 /* runs, in words */

struct _FlgDatasetVersions
{
  GtkBox parent_instance;
  FlgExperiment *experiment;
  gint64 dataset;
  GtkStack *stack; /* tables | none */
  GtkBox *tables;
  GtkLabel *none;
  GtkColumnView *table, *input_table;
  GtkCustomFilter *matcher;
  GtkSingleSelection *selection;
  GListStore *inputs; /* FlgRecord of version_job */
  GtkLabel *title, *difference;
  FlgChooser *other;
  GtkWidget *open, *comparison;
  GHashTable *counts; /* version -> number of inputs */
};

G_DEFINE_FINAL_TYPE (FlgDatasetVersions, flg_dataset_versions, GTK_TYPE_BOX)

static const FlDatasetVersion *
chosen (FlgDatasetVersions *self)
{
  FlgRecord *record = gtk_single_selection_get_selected_item (self->selection);
  return record ? flg_record_dataset_version (record) : NULL;
}

/* --- what belongs to a version --- */

/* Its jobs: one a trial and task of all runs. The one that a person must see first: failed, else not done. */
static const FlJob *
job_of (FlgDatasetVersions *self, const FlDatasetVersion *version, guint *n, guint *done)
{
  const FlJob *first = NULL;
  *n = *done = 0;
  FlgRecordModel *jobs = flg_experiment_table (self->experiment, FL_TABLE_JOB);
  for (guint i = 0; i < flg_record_model_count (jobs); i++)
    {
      const FlJob *job = flg_record_job (flg_record_model_at (jobs, i));
      if (job->version != version->id || job->dataset != version->dataset)
        continue;
      (*n)++;
      *done += job->state == FL_JOB_DONE;
      gboolean worse = !first || (first->state == FL_JOB_DONE && job->state != FL_JOB_DONE)
                       || (job->state == FL_JOB_FAILED && first->state != FL_JOB_FAILED);
      first = worse ? job : first;
    }
  return first;
}

static const FlJob *
input_job (FlgDatasetVersions *self, FlgRecord *record)
{
  return flg_experiment_job (self->experiment, flg_record_version_job (record)->job);
}

static const char *
run_name (FlgDatasetVersions *self, const FlJob *job)
{
  const FlRun *run = job ? flg_experiment_run (self->experiment, job->run) : NULL;
  return run ? run->name : "–";
}

/* The attempt whose results the version took: the last one that had ended by then. */
static const FlAttempt *
attempt_of (FlgDatasetVersions *self, const FlJob *job, guint64 made)
{
  g_autoptr (GPtrArray) attempts = flg_experiment_attempts (self->experiment, job->id);
  const FlAttempt *found = NULL;
  for (guint i = 0; i < attempts->len; i++)
    {
      const FlAttempt *attempt = flg_record_attempt (attempts->pdata[i]);
      if (attempt->ended && attempt->ended <= made)
        found = attempt;
    }
  return found;
}

static void
count_inputs (FlgDatasetVersions *self)
{
  g_hash_table_remove_all (self->counts);
  FlgRecordModel *links = flg_experiment_table (self->experiment, FL_TABLE_VERSION_JOB);
  for (guint i = 0; i < flg_record_model_count (links); i++)
    {
      const FlVersionJob *link = flg_record_version_job (flg_record_model_at (links, i));
      guint n = GPOINTER_TO_UINT (g_hash_table_lookup (self->counts, &link->version));
      g_hash_table_insert (self->counts, g_memdup2 (&link->version, sizeof link->version),
                           GUINT_TO_POINTER (n + 1));
    }
}

/* --- the versions' columns --- */

#define SELF(data) FLG_DATASET_VERSIONS (data)

static void
fill_number (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  g_autofree char *text = g_strdup_printf ("%d", flg_record_dataset_version (record)->number);
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static int
compare_number (FlgRecord *a, FlgRecord *b, gpointer data)
{
  return flg_record_dataset_version (a)->number - flg_record_dataset_version (b)->number;
}

static void
fill_made (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  g_autofree char *text = flg_format_time (flg_record_dataset_version (record)->created,
                                           flg_experiment_now (SELF (data)->experiment));
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static void
fill_why (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  gtk_label_set_label (GTK_LABEL (cell), flg_record_dataset_version (record)->note);
  gtk_widget_set_tooltip_text (cell, flg_record_dataset_version (record)->note);
}

static void
fill_inputs (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  gint64 id = flg_record_id (record);
  g_autofree char *text =
      flg_format_count (GPOINTER_TO_UINT (g_hash_table_lookup (SELF (data)->counts, &id)));
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static void
fill_lattices (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  g_autofree char *text = flg_format_count (flg_record_dataset_version (record)->lattices);
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static GtkWidget *
make_chip (gpointer data)
{
  return flw_status_chip_new ();
}

static void
fill_state (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  guint n, done;
  const FlJob *job = job_of (SELF (data), flg_record_dataset_version (record), &n, &done);
  g_autofree char *tip =
      job ? g_strdup_printf (_ ("%u of %u jobs done%s%s"), done, n, *job->reason ? "\n" : "", job->reason)
          : NULL;
  flw_status_chip_set_state (FLW_STATUS_CHIP (cell), job ? fl_job_state_name (job->state) : _ ("no job"),
                             tip);
}

/* --- the inputs' columns --- */

static void
fill_run (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  gtk_label_set_label (GTK_LABEL (cell), run_name (SELF (data), input_job (SELF (data), record)));
}

static int
compare_run (FlgRecord *a, FlgRecord *b, gpointer data)
{
  return fl_run_name_compare (run_name (SELF (data), input_job (SELF (data), a)),
                              run_name (SELF (data), input_job (SELF (data), b)));
}

static void
fill_job (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlJob *job = input_job (SELF (data), record);
  const FlTrial *trial = job ? flg_experiment_trial (SELF (data)->experiment, job->trial) : NULL;
  FlgRecord *task =
      job ? flg_record_model_find (flg_experiment_table (SELF (data)->experiment, FL_TABLE_TASK), job->task)
          : NULL;
  g_autofree char *text =
      job ? g_strdup_printf (_ ("%d  %s, trial %d"), (int) job->id, task ? flg_record_task (task)->name : "–",
                             trial ? trial->number : 0)
          : g_strdup ("–");
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static const FlAttempt *
input_attempt (FlgDatasetVersions *self, FlgRecord *record)
{
  const FlJob *job = input_job (self, record);
  const FlDatasetVersion *version = chosen (self);
  return job && version ? attempt_of (self, job, version->created) : NULL;
}

static void
fill_attempt (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlAttempt *attempt = input_attempt (SELF (data), record);
  g_autofree char *text = attempt ? g_strdup_printf ("%d", attempt->number) : g_strdup ("–");
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static void
fill_input_lattices (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlAttempt *attempt = input_attempt (SELF (data), record);
  gint64 n = attempt ? fl_count_lattices (attempt->reason) : 0;
  g_autofree char *text = n ? flg_format_count (n) : g_strdup ("–");
  gtk_label_set_label (GTK_LABEL (cell), text);
}

/* --- one version --- */

/* Names of the runs of a version's inputs: a set. */
static GHashTable *
runs_of (FlgDatasetVersions *self, gint64 version)
{
  GHashTable *runs = g_hash_table_new (g_str_hash, g_str_equal);
  FlgRecordModel *links = flg_experiment_table (self->experiment, FL_TABLE_VERSION_JOB);
  for (guint i = 0; i < flg_record_model_count (links); i++)
    {
      FlgRecord *record = flg_record_model_at (links, i);
      if (flg_record_version_job (record)->version == version)
        g_hash_table_add (runs, (gpointer) run_name (self, input_job (self, record)));
    }
  return runs;
}

static int
by_run (gconstpointer a, gconstpointer b)
{
  return fl_run_name_compare (*(const char *const *) a, *(const char *const *) b);
}

/* "2 runs more: r0003, r0004" */
static char *
name_missing (GHashTable *from, GHashTable *in, const char *(*words) (guint n))
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer name;
  g_hash_table_iter_init (&iter, from);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (!g_hash_table_contains (in, name))
      g_ptr_array_add (names, name);
  if (!names->len)
    return NULL;
  g_ptr_array_sort (names, by_run);
  g_autoptr (GString) text = g_string_new (NULL);
  g_string_append_printf (text, words (names->len), names->len);
  for (guint i = 0; i < names->len && i < MOST_NAMED; i++)
    g_string_append_printf (text, "%s%s", i ? ", " : ": ", (char *) names->pdata[i]);
  if (names->len > MOST_NAMED)
    g_string_append (text, " …");
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static const char *
more (guint n)
{
  return ngettext ("%u run more", "%u runs more", n);
}

static const char *
fewer (guint n)
{
  return ngettext ("%u run less", "%u runs less", n);
}

static void
show_difference (FlgDatasetVersions *self)
{
  const FlDatasetVersion *version = chosen (self);
  gint64 other = flg_chooser_get (self->other);
  if (!version || other <= 0)
    {
      gtk_label_set_label (self->difference, version ? _ ("the first version") : "");
      return;
    }
  g_autoptr (GHashTable) here = runs_of (self, version->id), there = runs_of (self, other);
  g_autofree char *plus = name_missing (here, there, more), *minus = name_missing (there, here, fewer);
  g_autofree char *text = g_strconcat (plus ? plus : "", plus && minus ? "; " : "", minus ? minus : "", NULL);
  gtk_label_set_label (self->difference, *text ? text : _ ("the same runs"));
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->difference), *text ? text : NULL);
}

/* Those before it, the newest first; then those after. */
static void
fill_others (FlgDatasetVersions *self, const FlDatasetVersion *version)
{
  GListModel *all = G_LIST_MODEL (self->selection);
  flg_chooser_begin (self->other);
  for (guint pass = 0; version && pass < 2; pass++)
    for (guint i = 0; i < g_list_model_get_n_items (all); i++)
      {
        g_autoptr (FlgRecord) record = g_list_model_get_item (all, i);
        const FlDatasetVersion *other = flg_record_dataset_version (record);
        if (pass == 0 ? other->number >= version->number : other->number <= version->number)
          continue;
        g_autofree char *label = g_strdup_printf (_ ("version %d"), other->number);
        flg_chooser_add (self->other, other->id, label);
      }
  flg_chooser_end (self->other);
  gtk_widget_set_visible (self->comparison, version && g_list_model_get_n_items (all) > 1);
}

/* One of its steps works on all runs together. */
static gboolean
has_global (FlgDatasetVersions *self)
{
  FlgRecordModel *links = flg_experiment_table (self->experiment, FL_TABLE_DATASET_TASK);
  FlgRecordModel *tasks = flg_experiment_table (self->experiment, FL_TABLE_TASK);
  for (guint i = 0; i < flg_record_model_count (links); i++)
    {
      const FlDatasetTask *link = flg_record_dataset_task (flg_record_model_at (links, i));
      FlgRecord *task = link->dataset == self->dataset ? flg_record_model_find (tasks, link->task) : NULL;
      if (task && fl_task_is_global (flg_record_task (task)))
        return TRUE;
    }
  return FALSE;
}

static void
show_version (FlgDatasetVersions *self)
{
  const FlDatasetVersion *version = chosen (self);
  gtk_stack_set_visible_child_name (self->stack, version ? "tables" : "none");
  gtk_label_set_label (
      self->none, has_global (self) ? _ ("No version yet: the first comes with the first job that is done.")
                                    : _ ("No versions: each of its steps works on one run at a time."));
  g_autoptr (GPtrArray) found = g_ptr_array_new ();
  FlgRecordModel *links = flg_experiment_table (self->experiment, FL_TABLE_VERSION_JOB);
  for (guint i = 0; version && i < flg_record_model_count (links); i++)
    if (flg_record_version_job (flg_record_model_at (links, i))->version == version->id)
      g_ptr_array_add (found, flg_record_model_at (links, i));
  g_list_store_splice (self->inputs, 0, g_list_model_get_n_items (G_LIST_MODEL (self->inputs)), found->pdata,
                       found->len);
  g_autofree char *title = version ? g_strdup_printf (ngettext ("Version %d was made of %u job",
                                                                "Version %d was made of %u jobs", found->len),
                                                      version->number, found->len)
                                   : g_strdup ("");
  gtk_label_set_label (self->title, title);
  gtk_widget_set_visible (self->open, flg_dataset_versions_job (self) != 0);
  fill_others (self, version);
  show_difference (self);
}

/* --- from outside --- */

static gboolean
matches (gpointer item, gpointer data)
{
  return flg_record_dataset_version (item)->dataset == SELF (data)->dataset;
}

void
flg_dataset_versions_refresh (FlgDatasetVersions *self)
{
  count_inputs (self);
  gtk_filter_changed (GTK_FILTER (self->matcher), GTK_FILTER_CHANGE_DIFFERENT);
  GListModel *all = G_LIST_MODEL (self->selection);
  for (guint i = 0; i < g_list_model_get_n_items (all); i++)
    {
      g_autoptr (FlgRecord) record = g_list_model_get_item (all, i);
      flg_record_touch (record);
    }
  show_version (self);
}

void
flg_dataset_versions_show (FlgDatasetVersions *self, gint64 dataset)
{
  gboolean other = self->dataset != dataset;
  gboolean particles = flg_dataset_science (self->experiment, dataset) == FLG_SCIENCE_PARTICLES;
  const char *what = particles ? _ ("Patterns") : _ ("Lattices");
  self->dataset = dataset;
  flg_columns_set_title (self->table, 4, what);
  flg_columns_set_title (self->input_table, 3, what);
  flg_dataset_versions_refresh (self);
  if (other) /* the newest is on top */
    gtk_single_selection_set_selected (self->selection, 0);
}

gboolean
flg_dataset_versions_choose (FlgDatasetVersions *self, gint64 version)
{
  GListModel *all = G_LIST_MODEL (self->selection);
  for (guint i = 0; i < g_list_model_get_n_items (all); i++)
    {
      g_autoptr (FlgRecord) record = g_list_model_get_item (all, i);
      if (flg_record_id (record) != version)
        continue;
      gtk_single_selection_set_selected (self->selection, i);
      return TRUE;
    }
  return FALSE;
}

void
flg_dataset_versions_compare (FlgDatasetVersions *self, gint64 version)
{
  if (version)
    flg_chooser_choose (self->other, version);
  show_difference (self);
}

const char *
flg_dataset_versions_difference (FlgDatasetVersions *self)
{
  return gtk_label_get_label (self->difference);
}

guint
flg_dataset_versions_n_inputs (FlgDatasetVersions *self)
{
  return g_list_model_get_n_items (G_LIST_MODEL (self->inputs));
}

gint64
flg_dataset_versions_job (FlgDatasetVersions *self)
{
  guint n, done;
  const FlDatasetVersion *version = chosen (self);
  const FlJob *job = version ? job_of (self, version, &n, &done) : NULL;
  return job ? job->id : 0;
}

static void
on_open (FlgDatasetVersions *self)
{
  gint64 job = flg_dataset_versions_job (self);
  if (job)
    gtk_widget_activate_action (GTK_WIDGET (self), "win.show-job", "x", job);
}

static void
on_input_activated (FlgDatasetVersions *self, guint position)
{
  g_autoptr (FlgRecord) record =
      g_list_model_get_item (G_LIST_MODEL (gtk_column_view_get_model (self->input_table)), position);
  if (record)
    gtk_widget_activate_action (GTK_WIDGET (self), "win.show-job", "x", flg_record_version_job (record)->job);
}

/* --- the type --- */

static GtkColumnView *
table_new (FlgDatasetVersions *self, const char *label, int height)
{
  GtkColumnView *table = GTK_COLUMN_VIEW (gtk_column_view_new (NULL));
  gtk_widget_add_css_class (GTK_WIDGET (table), "data-table");
  gtk_column_view_set_show_row_separators (table, TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (table), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  GtkWidget *scrolled = gtk_scrolled_window_new ();
  gtk_widget_set_vexpand (scrolled, TRUE);
  gtk_widget_set_size_request (scrolled, -1, height);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scrolled), GTK_WIDGET (table));
  gtk_box_append (self->tables, scrolled);
  return table;
}

static void
set_up_versions (FlgDatasetVersions *self)
{
  const FlgColumn columns[] = {
    { _ ("Version"), NULL, flg_cell_number, fill_number, compare_number, 90 },
    { _ ("Made"), NULL, flg_cell_text, fill_made, NULL, 110 },
    { _ ("Why"), NULL, flg_cell_text, fill_why, NULL, -1 },
    { _ ("Inputs"), _ ("jobs"), flg_cell_number, fill_inputs, NULL, 70 },
    { _ ("Lattices"), NULL, flg_cell_number, fill_lattices, NULL, 90 },
    { _ ("Its job"), NULL, make_chip, fill_state, NULL, 110 },
  };
  self->table = table_new (self, _ ("Versions"), 110);
  self->matcher = gtk_custom_filter_new (matches, self, NULL);
  g_autoptr (GListModel) filtered = G_LIST_MODEL (gtk_filter_list_model_new (
      G_LIST_MODEL (g_object_ref (flg_experiment_table (self->experiment, FL_TABLE_DATASET_VERSION))),
      GTK_FILTER (self->matcher)));
  self->selection = gtk_single_selection_new (
      flg_columns_set_up (self->table, G_N_ELEMENTS (columns), columns, self, filtered));
  g_signal_connect_object (self->selection, "notify::selected-item", G_CALLBACK (show_version), self,
                           G_CONNECT_SWAPPED);
  gtk_column_view_set_model (self->table, GTK_SELECTION_MODEL (self->selection));
}

static void
add_chosen (FlgDatasetVersions *self)
{
  GtkWidget *bar = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  gtk_widget_add_css_class (bar, "tools");
  self->title = GTK_LABEL (gtk_label_new (NULL));
  gtk_label_set_xalign (self->title, 0);
  gtk_widget_set_hexpand (GTK_WIDGET (self->title), TRUE);
  gtk_widget_add_css_class (GTK_WIDGET (self->title), "heading");
  self->open = gtk_button_new_with_label (_ ("Open its job"));
  g_signal_connect_object (self->open, "clicked", G_CALLBACK (on_open), self, G_CONNECT_SWAPPED);
  gtk_box_append (GTK_BOX (bar), GTK_WIDGET (self->title));
  gtk_box_append (GTK_BOX (bar), self->open);
  gtk_box_append (self->tables, bar);
  self->comparison = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  gtk_widget_add_css_class (self->comparison, "tools");
  GtkWidget *than = gtk_label_new (_ ("Compared with"));
  gtk_widget_add_css_class (than, "dim-label");
  self->other = FLG_CHOOSER (flg_chooser_new ());
  g_signal_connect_object (self->other, "chosen", G_CALLBACK (show_difference), self, G_CONNECT_SWAPPED);
  self->difference = GTK_LABEL (gtk_label_new (NULL));
  gtk_label_set_xalign (self->difference, 0);
  gtk_label_set_ellipsize (self->difference, PANGO_ELLIPSIZE_END);
  gtk_widget_set_hexpand (GTK_WIDGET (self->difference), TRUE);
  gtk_box_append (GTK_BOX (self->comparison), than);
  gtk_box_append (GTK_BOX (self->comparison), GTK_WIDGET (self->other));
  gtk_box_append (GTK_BOX (self->comparison), GTK_WIDGET (self->difference));
  gtk_box_append (self->tables, self->comparison);
}

static void
set_up_inputs (FlgDatasetVersions *self)
{
  const FlgColumn columns[] = {
    { _ ("Run"), NULL, flg_cell_text, fill_run, compare_run, 90 },
    { _ ("Job"), NULL, flg_cell_text, fill_job, NULL, -1 },
    { _ ("Attempt"), NULL, flg_cell_number, fill_attempt, NULL, 85 },
    { _ ("Lattices"), NULL, flg_cell_number, fill_input_lattices, NULL, 90 },
  };
  self->input_table = table_new (self, _ ("Inputs of the version"), 90);
  self->inputs = g_list_store_new (FLG_TYPE_RECORD);
  g_autoptr (GtkSelectionModel) selection =
      GTK_SELECTION_MODEL (gtk_single_selection_new (flg_columns_set_up (
          self->input_table, G_N_ELEMENTS (columns), columns, self, G_LIST_MODEL (self->inputs))));
  gtk_column_view_set_model (self->input_table, selection);
  g_signal_connect_object (self->input_table, "activate", G_CALLBACK (on_input_activated), self,
                           G_CONNECT_SWAPPED);
}

static void
flg_dataset_versions_dispose (GObject *object)
{
  FlgDatasetVersions *self = SELF (object);
  if (self->selection)
    {
      g_signal_handlers_disconnect_by_data (self->selection, self);
      gtk_column_view_set_model (self->table, NULL);
      gtk_column_view_set_model (self->input_table, NULL);
    }
  g_clear_object (&self->selection);
  g_clear_object (&self->inputs);
  g_clear_object (&self->experiment);
  g_clear_pointer (&self->counts, g_hash_table_unref);
  G_OBJECT_CLASS (flg_dataset_versions_parent_class)->dispose (object);
}

static void
flg_dataset_versions_class_init (FlgDatasetVersionsClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = flg_dataset_versions_dispose;
}

static void
flg_dataset_versions_init (FlgDatasetVersions *self)
{
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  self->counts = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  self->stack = GTK_STACK (gtk_stack_new ());
  self->tables = GTK_BOX (gtk_box_new (GTK_ORIENTATION_VERTICAL, 0));
  self->none = GTK_LABEL (gtk_label_new (NULL));
  gtk_label_set_wrap (self->none, TRUE);
  gtk_widget_add_css_class (GTK_WIDGET (self->none), "dim-label");
  gtk_stack_add_named (self->stack, GTK_WIDGET (self->tables), "tables");
  gtk_stack_add_named (self->stack, GTK_WIDGET (self->none), "none");
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (self->stack));
}

GtkWidget *
flg_dataset_versions_new (FlgExperiment *experiment)
{
  FlgDatasetVersions *self = g_object_new (FLG_TYPE_DATASET_VERSIONS, NULL);
  self->experiment = g_object_ref (experiment);
  set_up_versions (self);
  add_chosen (self);
  set_up_inputs (self);
  show_version (self);
  return GTK_WIDGET (self);
}
