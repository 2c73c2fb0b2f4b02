#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/datasets-page.h"

#include <glib/gi18n.h>

#include <string.h>

#include "gui/dataset-columns.h"
#include "gui/dataset-graph.h"
#include "gui/dataset-numbers.h"
#include "gui/dataset-policy.h"
#include "gui/dataset-writes.h"
#include "gui/store-writes.h"
#include "gui/text.h"
#include "widgets/empty-state.h"

/* A save that makes at least so many jobs is asked about. */
#define MANY_JOBS 10

struct _FlgDatasetsPage
{
  FlgPage parent_instance;
  GtkStack *mode, *stack; /* browse | edit; table | empty */
  GtkColumnView *table;
  GtkSingleSelection *selection;
  FlgDatasetColumns columns;
  GtkLabel *count, *editor_title, *editor_hint, *question, *sheet_detail, *sheet_hold;
  FlwEmptyState *empty;
  GtkMenuButton *policy;
  GtkBox *facts_slot, *versions_slot, *editor_slot;
  FlwTaskGraph *graph;
  FlgDatasetNumbers *numbers;
  FlgDatasetVersions *versions;
  FlgDatasetEditor *editor;
  GtkWidget *sheet, *hold_button, *confirm_button;
  FlgDatasetSave *saved; /* may be taken back */
  guint forget;          /* the time for that */
  guint writes;          /* saves on their way */
  gint64 wanted;         /* to be selected once it is there */
};

G_DEFINE_FINAL_TYPE (FlgDatasetsPage, flg_datasets_page, FLG_TYPE_PAGE)

#define EXPERIMENT(data) flg_page_experiment (FLG_PAGE (data))

static const FlDataset *
chosen (FlgDatasetsPage *self)
{
  FlgRecord *record = gtk_single_selection_get_selected_item (self->selection);
  return record ? flg_record_dataset (record) : NULL;
}

/* --- what is shown --- */

static void
show_numbers (FlgDatasetsPage *self)
{
  const FlDataset *dataset = chosen (self);
  const FlgDatasetPreview *preview =
      dataset ? flg_dataset_columns_preview (&self->columns, dataset->id) : NULL;
  gtk_widget_set_visible (GTK_WIDGET (self->numbers), preview != NULL);
  if (!preview)
    {
      flw_task_graph_set (self->graph, 0, NULL);
      return;
    }
  g_autoptr (FlgDatasetDraft) draft = flg_dataset_draft_of (EXPERIMENT (self), dataset);
  flg_dataset_graph_fill (self->graph, draft, preview);
  flg_dataset_numbers_show (self->numbers, preview, dataset);
}

static void
show_chosen (FlgDatasetsPage *self)
{
  const FlDataset *dataset = chosen (self);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "datasets.edit",
                                 dataset && !flg_experiment_is_read_only (EXPERIMENT (self)));
  flg_dataset_versions_show (self->versions, dataset ? dataset->id : 0);
  show_numbers (self);
}

static void
on_counted (gint64 dataset, gpointer data)
{
  const FlDataset *shown = chosen (data);
  if (shown && shown->id == dataset)
    show_numbers (data);
}

static void
show_counts (FlgDatasetsPage *self)
{
  guint n = flg_record_model_count (flg_experiment_table (EXPERIMENT (self), FL_TABLE_DATASET));
  g_autofree char *text = g_strdup_printf (ngettext ("%u dataset", "%u datasets", n), n);
  gtk_label_set_label (self->count, text);
  gtk_stack_set_visible_child_name (
      self->stack, n == 0 && flg_experiment_is_filled (EXPERIMENT (self)) ? "empty" : "table");
}

static gboolean
choose (FlgDatasetsPage *self, gint64 id)
{
  GListModel *model = G_LIST_MODEL (self->selection);
  for (guint i = 0; i < g_list_model_get_n_items (model); i++)
    {
      g_autoptr (FlgRecord) record = g_list_model_get_item (model, i);
      if (flg_record_id (record) != id)
        continue;
      gtk_single_selection_set_selected (self->selection, i);
      return TRUE;
    }
  return FALSE;
}

/* --- the editor --- */

static void
ask_nothing (FlgDatasetsPage *self)
{
  gtk_widget_set_visible (self->sheet, FALSE);
  gtk_widget_set_sensitive (GTK_WIDGET (self->editor_slot), TRUE);
  gtk_label_set_label (self->question, "");
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "datasets.confirm", FALSE);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "datasets.hold", FALSE);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "datasets.cancel", FALSE);
}

static void
show_mode (FlgDatasetsPage *self)
{
  gboolean editing = flg_datasets_page_is_editing (self);
  gboolean writable = !flg_experiment_is_read_only (EXPERIMENT (self));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "datasets.new", writable && !editing);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "datasets.edit", writable && !editing && chosen (self));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "datasets.discard", editing);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "datasets.save",
                                 editing && !flg_dataset_editor_complaint (self->editor));
}

static void
begin_editing (FlgDatasetsPage *self, FlgDatasetDraft *draft)
{
  g_autofree char *title = draft->dataset->id ? g_strdup_printf (_ ("Dataset %s"), draft->dataset->name)
                                              : g_strdup (_ ("New dataset"));
  gtk_label_set_label (self->editor_title, title);
  gtk_stack_set_visible_child_name (self->mode, "edit");
  flg_dataset_editor_set (self->editor, draft);
  flg_dataset_editor_focus (self->editor);
  show_mode (self);
}

static void
end_editing (FlgDatasetsPage *self)
{
  ask_nothing (self);
  gtk_stack_set_visible_child_name (self->mode, "browse");
  flg_dataset_editor_set (self->editor, NULL);
  show_mode (self);
  gtk_widget_grab_focus (GTK_WIDGET (self->table));
}

static void
on_editor_changed (FlgDatasetsPage *self)
{
  const char *complaint = flg_dataset_editor_complaint (self->editor);
  gtk_label_set_label (self->editor_hint, complaint ? _ ("It cannot be saved like this.")
                                                    : _ ("Nothing is done before it is saved."));
  show_mode (self);
}

static void
act_new (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgDatasetsPage *self = FLG_DATASETS_PAGE (widget);
  if (flg_experiment_is_read_only (EXPERIMENT (self)) || flg_datasets_page_is_editing (self))
    {
      flw_banner_show (flg_page_banner (FLG_PAGE (self)), FLW_TONE_WARNING,
                       flg_datasets_page_is_editing (self)
                           ? _ ("Another dataset is being edited: save or discard it first.")
                           : _ ("Opened read-only: no dataset can be made."),
                       NULL, 0);
      return;
    }
  const char *expression = target ? g_variant_get_string (target, NULL) : "";
  /* One tag gives its name. */
  g_autoptr (FlTagExpression) parsed = fl_tag_expression_parse (expression, NULL, NULL);
  g_auto (GStrv) tags = parsed ? fl_tag_expression_tags (parsed) : NULL;
  g_autofree char *name =
      flg_dataset_free_name (EXPERIMENT (self), tags && g_strv_length (tags) == 1 ? tags[0] : _ ("dataset"));
  begin_editing (self, flg_dataset_draft_new (EXPERIMENT (self), name, expression));
}

static void
act_edit (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgDatasetsPage *self = FLG_DATASETS_PAGE (widget);
  const FlDataset *dataset = chosen (self);
  if (dataset && !flg_datasets_page_is_editing (self))
    begin_editing (self, flg_dataset_draft_of (EXPERIMENT (self), dataset));
}

static void
on_row_activated (FlgDatasetsPage *self, guint position)
{
  gtk_widget_activate_action (GTK_WIDGET (self), "datasets.edit", NULL);
}

static void
act_discard (GtkWidget *widget, const char *action, GVariant *target)
{
  end_editing (FLG_DATASETS_PAGE (widget));
}

/* --- save and take back --- */

static void
forget_saved (FlgDatasetsPage *self)
{
  g_clear_handle_id (&self->forget, g_source_remove);
  g_clear_pointer (&self->saved, flg_dataset_save_unref);
}

static gboolean
on_forget (gpointer data)
{
  FlgDatasetsPage *self = data;
  self->forget = 0;
  forget_saved (self);
  return G_SOURCE_REMOVE;
}

typedef struct
{
  FlgDatasetsPage *page;
  FlgDatasetSave *save;
  char *words; /* what the bar says */
} Saving;

static void
offer_undo (Saving *saving)
{
  FlgDatasetsPage *self = saving->page;
  const FlExperiment *policy = flg_experiment_policy (EXPERIMENT (self));
  guint seconds = policy ? (guint) MAX (policy->undo_seconds, 0) : 0;
  forget_saved (self);
  if (seconds)
    {
      self->saved = flg_dataset_save_ref (saving->save);
      self->forget = g_timeout_add_seconds (seconds, on_forget, self);
    }
  flw_banner_show (flg_page_banner (FLG_PAGE (self)), FLW_TONE_ACTIVE, saving->words,
                   seconds ? _ ("Undo") : NULL, seconds ? seconds : 5);
}

static void
on_saved (GObject *source, GAsyncResult *result, gpointer data)
{
  Saving *saving = data;
  FlgDatasetsPage *self = saving->page;
  g_autoptr (GError) error = NULL;
  self->writes--;
  gboolean good = flg_context_write_finish (FLG_CONTEXT (source), result, &error);
  if (!good)
    flg_page_report (FLG_PAGE (self), error);
  else if (self->selection && flg_page_context (FLG_PAGE (self))) /* the page may be gone */
    {
      offer_undo (saving);
      self->wanted = choose (self, saving->save->dataset) ? 0 : saving->save->dataset;
    }
  flg_dataset_save_unref (saving->save);
  g_free (saving->words);
  g_object_unref (self);
  g_free (saving);
}

/* `approve_above` −1: stays. */
static void
save (FlgDatasetsPage *self, int approve_above)
{
  const FlgDatasetDraft *draft = flg_dataset_editor_draft (self->editor);
  const FlgDatasetPreview *preview = flg_dataset_editor_preview (self->editor);
  FlgRecord *record =
      flg_record_model_find (flg_experiment_table (EXPERIMENT (self), FL_TABLE_DATASET), draft->dataset->id);
  FlgDatasetDraft *before =
      record ? flg_dataset_draft_of (EXPERIMENT (self), flg_record_dataset (record)) : NULL;
  Saving *saving = g_new (Saving, 1);
  *saving = (Saving){ g_object_ref (self),
                      flg_dataset_save_new (flg_dataset_draft_copy (draft), before, approve_above), NULL };
  guint n = draft->dataset->active ? preview->n_new : 0;
  saving->words = n ? g_strdup_printf (ngettext ("Saved %s: %u new job.", "Saved %s: %u new jobs.", n),
                                       draft->dataset->name, n)
                    : g_strdup_printf (_ ("Saved %s: no new jobs."), draft->dataset->name);
  g_autofree char *what = g_strdup_printf ("%s dataset %s: %s", record ? "changed" : "made",
                                           draft->dataset->name, draft->dataset->expression);
  self->writes++;
  flg_context_write (flg_page_context (FLG_PAGE (self)), what, flg_dataset_save_write,
                     flg_dataset_save_ref (saving->save), flg_dataset_save_unref, on_saved, saving);
  end_editing (self);
}

/* Holding is the approval limit just below this plan's size: a limit of 0 would be none. */
static int
limit_to_hold (const FlgDatasetPreview *preview)
{
  return MAX ((int) preview->n_new - 1, 1);
}

static void
ask (FlgDatasetsPage *self)
{
  const FlgDatasetPreview *preview = flg_dataset_editor_preview (self->editor);
  g_autofree char *question = flg_dataset_preview_plan (preview);
  g_autofree char *shots = flg_format_count (preview->acquired);
  g_autofree char *detail =
      g_strdup_printf (ngettext ("%u run with %s shots, %u steps. What is there already is not done again.",
                                 "%u runs with %s shots, %u steps. What is there already is not done again.",
                                 preview->runs->len),
                       preview->runs->len, shots, preview->steps->len);
  g_autofree char *hold = g_strdup_printf (_ ("Save and hold: plans of more than %d jobs wait for a person "
                                              "from now on (Policy: ask a person above)."),
                                           limit_to_hold (preview));
  gboolean may_hold = preview->n_waiting < preview->n_new && preview->n_new > 1;
  gtk_label_set_label (self->question, question);
  gtk_label_set_label (self->sheet_detail, detail);
  gtk_label_set_label (self->sheet_hold, hold);
  gtk_widget_set_visible (GTK_WIDGET (self->sheet_hold), may_hold);
  gtk_widget_set_visible (self->hold_button, may_hold);
  gtk_widget_set_visible (self->sheet, TRUE);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "datasets.confirm", TRUE);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "datasets.hold", may_hold);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "datasets.cancel", TRUE);
  gtk_widget_grab_focus (self->confirm_button); /* before what has it cannot have it any more */
  gtk_widget_set_sensitive (GTK_WIDGET (self->editor_slot), FALSE);
}

static void
act_save (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgDatasetsPage *self = FLG_DATASETS_PAGE (widget);
  const FlgDatasetDraft *draft = flg_dataset_editor_draft (self->editor);
  if (!draft || flg_dataset_editor_complaint (self->editor) || flg_datasets_page_is_asking (self))
    return;
  if (draft->dataset->active && flg_dataset_editor_preview (self->editor)->n_new >= MANY_JOBS)
    ask (self);
  else
    save (self, -1);
}

static void
act_answer (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgDatasetsPage *self = FLG_DATASETS_PAGE (widget);
  if (!flg_datasets_page_is_asking (self))
    return;
  if (g_str_equal (action, "datasets.cancel"))
    ask_nothing (self);
  else
    save (self, g_str_equal (action, "datasets.hold")
                    ? limit_to_hold (flg_dataset_editor_preview (self->editor))
                    : -1);
}

static void
act_undo (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgDatasetsPage *self = FLG_DATASETS_PAGE (widget);
  if (!self->saved)
    return;
  FlgDatasetSave *taken = flg_dataset_save_ref (self->saved);
  forget_saved (self);
  g_autofree char *what = g_strdup_printf ("took back dataset %s", taken->draft->dataset->name);
  g_autofree char *words =
      g_strdup_printf (taken->before ? _ ("%s is as it was; jobs that had not begun are stopped.")
                                     : _ ("%s is not active; jobs that had not begun are stopped."),
                       taken->draft->dataset->name);
  flg_page_write (FLG_PAGE (self), what, flg_dataset_save_undo, taken, flg_dataset_save_unref);
  flw_banner_show (flg_page_banner (FLG_PAGE (self)), FLW_TONE_NEUTRAL, words, NULL, 5);
}

static void
on_banner_action (FlgDatasetsPage *self)
{
  gtk_widget_activate_action (GTK_WIDGET (self), "datasets.undo", NULL);
}

/* --- other actions --- */

static void
act_set_active (GtkWidget *widget, const char *action, GVariant *target)
{
  gint64 dataset;
  gboolean active;
  g_variant_get (target, "(xb)", &dataset, &active);
  g_autofree char *what =
      g_strdup_printf ("%s dataset %" G_GINT64_FORMAT, active ? "activated" : "rested", dataset);
  flg_page_write (FLG_PAGE (widget), what, flg_edit_write,
                  flg_edit_int_new (FL_TABLE_DATASET, dataset, "active", active),
                  (GDestroyNotify) flg_edit_free);
}

static void
act_set_policy (GtkWidget *widget, const char *action, GVariant *target)
{
  g_autofree char *fields = g_variant_print (target, FALSE);
  g_autofree char *what = g_strconcat ("set the policy ", fields, NULL);
  flg_page_write (FLG_PAGE (widget), what, flg_dataset_write_policy, g_variant_ref (target),
                  (GDestroyNotify) g_variant_unref);
}

static void
act_show (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgDatasetsPage *self = FLG_DATASETS_PAGE (widget);
  gint64 id = g_variant_get_int64 (target);
  if (g_str_equal (action, "datasets.show"))
    self->wanted = choose (self, id) ? 0 : id;
  else if (g_str_equal (action, "datasets.show-version"))
    flg_dataset_versions_choose (self->versions, id);
  else
    flg_dataset_versions_compare (self->versions, id);
}

static void
act_open_job (GtkWidget *widget, const char *action, GVariant *target)
{
  gint64 job = flg_dataset_versions_job (FLG_DATASETS_PAGE (widget)->versions);
  if (job)
    gtk_widget_activate_action (widget, "win.show-job", "x", job);
}

static void
act_type (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgDatasetEditor *editor = FLG_DATASETS_PAGE (widget)->editor;
  const char *field, *text;
  if (g_str_equal (action, "datasets.add-step"))
    flg_dataset_editor_add_step (editor, g_variant_get_string (target, NULL));
  else if (g_str_equal (action, "datasets.choose-step"))
    flg_dataset_editor_choose_step (editor, g_variant_get_uint32 (target));
  else if (g_str_equal (action, "datasets.move-step"))
    flg_dataset_editor_move_step (editor, g_variant_get_int32 (target));
  else if (g_str_equal (action, "datasets.remove-step"))
    flg_dataset_editor_remove_step (editor);
  else
    {
      g_variant_get (target, "(&s&s)", &field, &text);
      if (g_str_equal (action, "datasets.set"))
        flg_dataset_editor_type (editor, field, text);
      else
        flg_dataset_editor_type_step (editor, field, text);
    }
}

/* --- from outside --- */

gint64
flg_datasets_page_shown (FlgDatasetsPage *self)
{
  const FlDataset *dataset = chosen (self);
  return dataset ? dataset->id : 0;
}

gboolean
flg_datasets_page_is_editing (FlgDatasetsPage *self)
{
  return g_strcmp0 (gtk_stack_get_visible_child_name (self->mode), "edit") == 0;
}

gboolean
flg_datasets_page_is_asking (FlgDatasetsPage *self)
{
  return gtk_widget_get_visible (self->sheet);
}

const char *
flg_datasets_page_question (FlgDatasetsPage *self)
{
  return gtk_label_get_label (self->question);
}

gboolean
flg_datasets_page_may_undo (FlgDatasetsPage *self)
{
  return self->saved != NULL;
}

FlgDatasetEditor *
flg_datasets_page_editor (FlgDatasetsPage *self)
{
  return self->editor;
}

FlgDatasetVersions *
flg_datasets_page_versions (FlgDatasetsPage *self)
{
  return self->versions;
}

char *
flg_datasets_page_summary (FlgDatasetsPage *self)
{
  return flg_dataset_numbers_summary (self->numbers);
}

/* --- page --- */

#define OF_PLANS                                                                                             \
  (FLG_CHANGED (FL_TABLE_RUN) | FLG_CHANGED (FL_TABLE_TAG) | FLG_CHANGED (FL_TABLE_RUN_TAG)                  \
   | FLG_CHANGED (FL_TABLE_BLOCK) | FLG_CHANGED (FL_TABLE_TRIAL) | FLG_CHANGED (FL_TABLE_TASK)               \
   | FLG_CHANGED (FL_TABLE_SITE) | FLG_CHANGED (FL_TABLE_JOB) | FLG_CHANGED (FL_TABLE_ATTEMPT)               \
   | FLG_CHANGED (FL_TABLE_DATASET) | FLG_CHANGED (FL_TABLE_DATASET_TASK)                                    \
   | FLG_CHANGED (FL_TABLE_DATASET_VERSION) | FLG_CHANGED (FL_TABLE_VERSION_JOB)                             \
   | FLG_CHANGED (FL_TABLE_EXPERIMENT) | FLG_CHANGED_COUNTS | FLG_CHANGED_HEALTH)

static void
flg_datasets_page_update (FlgPage *page, guint what)
{
  FlgDatasetsPage *self = FLG_DATASETS_PAGE (page);
  if (!(what & OF_PLANS))
    return;
  show_counts (self);
  if (self->wanted && choose (self, self->wanted))
    self->wanted = 0;
  flg_dataset_columns_refresh (&self->columns);
  if (what & (FLG_CHANGED (FL_TABLE_DATASET) | FLG_CHANGED (FL_TABLE_DATASET_TASK) | FLG_CHANGED_HEALTH))
    show_chosen (self);
  else if (what & (OF_PLANS & ~FLG_CHANGED_COUNTS))
    flg_dataset_versions_refresh (self->versions);
  if (flg_datasets_page_is_editing (self) && !flg_datasets_page_is_asking (self))
    flg_dataset_editor_refresh (self->editor);
  show_mode (self);
}

static gboolean
flg_datasets_page_is_settled (FlgPage *page)
{
  FlgDatasetsPage *self = FLG_DATASETS_PAGE (page);
  return self->writes == 0 && self->wanted == 0 && flg_dataset_columns_is_settled (&self->columns)
         && flg_dataset_numbers_is_settled (self->numbers) && flg_dataset_editor_is_settled (self->editor);
}

static void
flg_datasets_page_step (FlgPage *page, int by)
{
  FlgDatasetsPage *self = FLG_DATASETS_PAGE (page);
  int n = (int) g_list_model_get_n_items (G_LIST_MODEL (self->selection));
  if (n > 0)
    gtk_single_selection_set_selected (
        self->selection,
        (guint) CLAMP ((int) gtk_single_selection_get_selected (self->selection) + by, 0, n - 1));
}

static void
flg_datasets_page_focus (FlgPage *page)
{
  FlgDatasetsPage *self = FLG_DATASETS_PAGE (page);
  if (flg_datasets_page_is_editing (self))
    flg_dataset_editor_focus (self->editor);
  else
    gtk_widget_grab_focus (GTK_WIDGET (self->table));
}

static void
flg_datasets_page_constructed (GObject *object)
{
  FlgDatasetsPage *self = FLG_DATASETS_PAGE (object);
  FlgExperiment *experiment = EXPERIMENT (self);
  flg_dataset_columns_init (&self->columns, experiment, on_counted, self);
  self->numbers = FLG_DATASET_NUMBERS (flg_dataset_numbers_new (experiment));
  self->versions = FLG_DATASET_VERSIONS (flg_dataset_versions_new (experiment));
  self->editor = FLG_DATASET_EDITOR (flg_dataset_editor_new (experiment));
  gtk_box_append (self->facts_slot, GTK_WIDGET (self->numbers));
  gtk_box_append (self->versions_slot, GTK_WIDGET (self->versions));
  gtk_box_append (self->editor_slot, GTK_WIDGET (self->editor));
  gtk_widget_set_vexpand (GTK_WIDGET (self->numbers), TRUE);
  gtk_widget_set_vexpand (GTK_WIDGET (self->versions), TRUE);
  gtk_menu_button_set_popover (self->policy, flg_dataset_policy_new (experiment));
  self->selection = gtk_single_selection_new (flg_dataset_columns_set_up (&self->columns, self->table));
  g_signal_connect_object (self->selection, "notify::selected-item", G_CALLBACK (show_chosen), self,
                           G_CONNECT_SWAPPED);
  gtk_column_view_set_model (self->table, GTK_SELECTION_MODEL (self->selection));
  g_signal_connect_object (self->editor, "changed", G_CALLBACK (on_editor_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (flg_page_banner (FLG_PAGE (self)), "action", G_CALLBACK (on_banner_action), self,
                           G_CONNECT_SWAPPED);
  ask_nothing (self);
  show_chosen (self);
  show_mode (self);
  G_OBJECT_CLASS (flg_datasets_page_parent_class)->constructed (object);
}

static void
flg_datasets_page_dispose (GObject *object)
{
  FlgDatasetsPage *self = FLG_DATASETS_PAGE (object);
  forget_saved (self);
  if (self->selection)
    g_signal_handlers_disconnect_by_data (self->selection, self);
  if (self->table)
    gtk_column_view_set_model (self->table, NULL);
  g_clear_object (&self->selection);
  gtk_widget_dispose_template (GTK_WIDGET (self), FLG_TYPE_DATASETS_PAGE);
  flg_dataset_columns_clear (&self->columns);
  G_OBJECT_CLASS (flg_datasets_page_parent_class)->dispose (object);
}

static void
bind_children (GtkWidgetClass *widget_class)
{
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetsPage, mode);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetsPage, stack);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetsPage, table);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetsPage, count);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetsPage, editor_title);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetsPage, editor_hint);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetsPage, question);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetsPage, sheet_detail);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetsPage, sheet_hold);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetsPage, empty);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetsPage, policy);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetsPage, facts_slot);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetsPage, versions_slot);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetsPage, editor_slot);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetsPage, graph);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetsPage, sheet);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetsPage, hold_button);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetsPage, confirm_button);
  gtk_widget_class_bind_template_callback (widget_class, on_row_activated);
}

static void
install_actions (GtkWidgetClass *widget_class)
{
  static const struct
  {
    const char *name, *target;
    GtkWidgetActionActivateFunc activate;
  } actions[] = {
    { "datasets.new", NULL, act_new },
    { "datasets.new-from", "s", act_new },
    { "datasets.edit", NULL, act_edit },
    { "datasets.discard", NULL, act_discard },
    { "datasets.save", NULL, act_save },
    { "datasets.confirm", NULL, act_answer },
    { "datasets.hold", NULL, act_answer },
    { "datasets.cancel", NULL, act_answer },
    { "datasets.undo", NULL, act_undo },
    { "datasets.set-active", "(xb)", act_set_active },
    { "datasets.set-policy", FLG_POLICY, act_set_policy },
    { "datasets.show", "x", act_show },
    { "datasets.show-version", "x", act_show },
    { "datasets.compare-with", "x", act_show },
    { "datasets.open-job", NULL, act_open_job },
    { "datasets.set", "(ss)", act_type },
    { "datasets.set-step", "(ss)", act_type },
    { "datasets.add-step", "s", act_type },
    { "datasets.choose-step", "u", act_type },
    { "datasets.move-step", "i", act_type },
    { "datasets.remove-step", NULL, act_type },
  };
  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    gtk_widget_class_install_action (widget_class, actions[i].name, actions[i].target, actions[i].activate);
}

static void
flg_datasets_page_class_init (FlgDatasetsPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  FlgPageClass *page_class = FLG_PAGE_CLASS (klass);
  G_OBJECT_CLASS (klass)->constructed = flg_datasets_page_constructed;
  G_OBJECT_CLASS (klass)->dispose = flg_datasets_page_dispose;
  page_class->update = flg_datasets_page_update;
  page_class->is_settled = flg_datasets_page_is_settled;
  page_class->step = flg_datasets_page_step;
  page_class->focus = flg_datasets_page_focus;
  g_type_ensure (FLW_TYPE_EMPTY_STATE);
  g_type_ensure (FLW_TYPE_TASK_GRAPH);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/datasets-page.ui");
  bind_children (widget_class);
  install_actions (widget_class);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_n, GDK_CONTROL_MASK, "datasets.new", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_F2, 0, "datasets.edit", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Return, GDK_CONTROL_MASK, "datasets.save", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "datasets.cancel", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_z, GDK_CONTROL_MASK, "datasets.undo", NULL);
}

static void
flg_datasets_page_init (FlgDatasetsPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  flw_empty_state_set (
      self->empty, "flg-datasets-symbolic", _ ("No datasets yet"),
      _ ("A dataset is a selection of runs by their tags, with the steps that are to be done with them."));
  flw_empty_state_set_action (self->empty, _ ("New dataset"), "datasets.new");
}
