#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/datasets-private.h"

#include <glib/gi18n.h>

#include "gui/dataset-graph.h"
#include "gui/dataset-policy.h"
#include "gui/people.h"

G_DEFINE_FINAL_TYPE (FlgDatasetsPage, flg_datasets_page, FLG_TYPE_PAGE)

#define EXPERIMENT(data) flg_page_experiment (FLG_PAGE (data))

const FlDataset *
flg_datasets_page_chosen (FlgDatasetsPage *self)
{
  FlgRecord *record = gtk_single_selection_get_selected_item (self->selection);
  return record ? flg_record_dataset (record) : NULL;
}

gboolean
flg_datasets_page_choose (FlgDatasetsPage *self, gint64 id)
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

/* --- what is shown --- */

static void
show_numbers (FlgDatasetsPage *self)
{
  const FlDataset *dataset = flg_datasets_page_chosen (self);
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
  const FlDataset *dataset = flg_datasets_page_chosen (self);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "datasets.edit",
                                 dataset && flg_may_change (EXPERIMENT (self)));
  flg_dataset_versions_show (self->versions, dataset ? dataset->id : 0);
  show_numbers (self);
}

static void
on_counted (gint64 dataset, gpointer data)
{
  const FlDataset *shown = flg_datasets_page_chosen (data);
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

static void
on_editor_changed (FlgDatasetsPage *self)
{
  const char *complaint = flg_dataset_editor_complaint (self->editor);
  gtk_label_set_label (self->editor_hint, complaint ? _ ("It cannot be saved like this.")
                                                    : _ ("Nothing is done before it is saved."));
  flg_datasets_show_mode (self);
}

static void
on_row_activated (FlgDatasetsPage *self, guint position)
{
  gtk_widget_activate_action (GTK_WIDGET (self), "datasets.edit", NULL);
}

static void
on_banner_action (FlgDatasetsPage *self)
{
  gtk_widget_activate_action (GTK_WIDGET (self), "datasets.undo", NULL);
}

/* --- from outside --- */

gint64
flg_datasets_page_shown (FlgDatasetsPage *self)
{
  const FlDataset *dataset = flg_datasets_page_chosen (self);
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
  if (self->wanted && flg_datasets_page_choose (self, self->wanted))
    self->wanted = 0;
  flg_dataset_columns_refresh (&self->columns);
  if (what & (FLG_CHANGED (FL_TABLE_DATASET) | FLG_CHANGED (FL_TABLE_DATASET_TASK) | FLG_CHANGED_HEALTH))
    show_chosen (self);
  else if (what & (OF_PLANS & ~FLG_CHANGED_COUNTS))
    flg_dataset_versions_refresh (self->versions);
  if (flg_datasets_page_is_editing (self) && !flg_datasets_page_is_asking (self))
    flg_dataset_editor_refresh (self->editor);
  flg_datasets_show_mode (self);
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
  self->changed =
      FLG_CHANGED_LINE (flg_changed_line_new (flg_page_context (FLG_PAGE (self)), flg_datasets_edited, self));
  gtk_box_append (self->editor_slot, GTK_WIDGET (self->changed));
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
  flg_datasets_ask_nothing (self);
  show_chosen (self);
  flg_datasets_show_mode (self);
  G_OBJECT_CLASS (flg_datasets_page_parent_class)->constructed (object);
}

static void
flg_datasets_page_dispose (GObject *object)
{
  FlgDatasetsPage *self = FLG_DATASETS_PAGE (object);
  flg_datasets_forget (self);
  if (self->selection)
    g_signal_handlers_disconnect_by_data (self->selection, self);
  if (self->table)
    gtk_column_view_set_model (self->table, NULL);
  g_clear_object (&self->selection);
  g_clear_pointer (&self->begun, flg_dataset_draft_free);
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
  flg_datasets_install_actions (widget_class);
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
