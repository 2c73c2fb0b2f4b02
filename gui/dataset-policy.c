#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/dataset-policy.h"

#include <glib/gi18n.h>

#include "gui/people.h"

struct _FlgDatasetPolicy
{
  GtkPopover parent_instance;
  FlgExperiment *experiment;
  GtkDropDown *backlog;
  GtkSpinButton *fraction, *undo, *approve;
  gboolean filling;
};

G_DEFINE_FINAL_TYPE (FlgDatasetPolicy, flg_dataset_policy, GTK_TYPE_POPOVER)

static const char *const backlogs[] = { "newest", "thin" };

const FlExperiment *
flg_experiment_policy (FlgExperiment *experiment)
{
  FlgRecordModel *model = flg_experiment_table (experiment, FL_TABLE_EXPERIMENT);
  return flg_record_model_count (model) ? flg_record_any (flg_record_model_at (model, 0)) : NULL;
}

static void
fill (FlgDatasetPolicy *self)
{
  const FlExperiment *policy = flg_experiment_policy (self->experiment);
  gtk_widget_set_sensitive (gtk_popover_get_child (GTK_POPOVER (self)),
                            policy && flg_may_own (self->experiment));
  if (!policy)
    return;
  self->filling = TRUE;
  gtk_drop_down_set_selected (self->backlog, g_str_equal (policy->backlog, backlogs[1]));
  gtk_spin_button_set_value (self->fraction, 100 * policy->thin_fraction);
  gtk_widget_set_sensitive (GTK_WIDGET (self->fraction), g_str_equal (policy->backlog, backlogs[1]));
  gtk_spin_button_set_value (self->undo, policy->undo_seconds);
  gtk_spin_button_set_value (self->approve, policy->approve_above);
  self->filling = FALSE;
}

static void
on_edited (FlgDatasetPolicy *self)
{
  if (self->filling)
    return;
  gtk_widget_activate_action (
      GTK_WIDGET (self), "datasets.set-policy", "(sdii)",
      backlogs[gtk_drop_down_get_selected (self->backlog)], gtk_spin_button_get_value (self->fraction) / 100,
      gtk_spin_button_get_value_as_int (self->undo), gtk_spin_button_get_value_as_int (self->approve));
}

static void
on_changed (FlgDatasetPolicy *self, guint what)
{
  if (what & FLG_CHANGED (FL_TABLE_EXPERIMENT))
    fill (self);
}

static void
add_row (GtkWidget *grid, int row, const char *title, GtkWidget *field, const char *unit)
{
  const struct
  {
    const char *text;
    int column;
  } labels[] = { { title, 0 }, { unit, 2 } };
  for (guint i = 0; i < G_N_ELEMENTS (labels); i++)
    {
      GtkWidget *label = gtk_label_new (labels[i].text);
      gtk_label_set_xalign (GTK_LABEL (label), 0);
      gtk_widget_add_css_class (label, "dim-label");
      gtk_grid_attach (GTK_GRID (grid), label, labels[i].column, row, 1, 1);
    }
  gtk_grid_attach (GTK_GRID (grid), field, 1, row, 1, 1);
}

static GtkSpinButton *
spin_new (FlgDatasetPolicy *self, double least, double most)
{
  GtkWidget *spin = gtk_spin_button_new_with_range (least, most, 1);
  g_signal_connect_object (spin, "value-changed", G_CALLBACK (on_edited), self, G_CONNECT_SWAPPED);
  return GTK_SPIN_BUTTON (spin);
}

static void
flg_dataset_policy_dispose (GObject *object)
{
  g_clear_object (&FLG_DATASET_POLICY (object)->experiment);
  G_OBJECT_CLASS (flg_dataset_policy_parent_class)->dispose (object);
}

static void
flg_dataset_policy_class_init (FlgDatasetPolicyClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = flg_dataset_policy_dispose;
}

static void
flg_dataset_policy_init (FlgDatasetPolicy *self)
{
  const char *const choices[] = { _ ("newest run first, whole runs"),
                                  _ ("newest run first, part of its shots"), NULL };
  GtkWidget *grid = gtk_grid_new ();
  gtk_grid_set_column_spacing (GTK_GRID (grid), 10);
  gtk_grid_set_row_spacing (GTK_GRID (grid), 8);
  self->backlog = GTK_DROP_DOWN (gtk_drop_down_new_from_strings (choices));
  g_signal_connect_object (self->backlog, "notify::selected", G_CALLBACK (on_edited), self,
                           G_CONNECT_SWAPPED);
  self->fraction = spin_new (self, 1, 100);
  self->undo = spin_new (self, 0, 60);
  self->approve = spin_new (self, 0, 100000);
  add_row (grid, 0, _ ("When processing lags"), GTK_WIDGET (self->backlog), NULL);
  add_row (grid, 1, _ ("Part of the shots"), GTK_WIDGET (self->fraction), _ ("%, until there is room again"));
  add_row (grid, 2, _ ("Time to undo a plan"), GTK_WIDGET (self->undo),
           _ ("s, before anything is submitted"));
  add_row (grid, 3, _ ("Ask a person above"), GTK_WIDGET (self->approve), _ ("new jobs; 0 = never"));
  gtk_popover_set_child (GTK_POPOVER (self), grid);
}

GtkWidget *
flg_dataset_policy_new (FlgExperiment *experiment)
{
  FlgDatasetPolicy *self = g_object_new (FLG_TYPE_DATASET_POLICY, NULL);
  self->experiment = g_object_ref (experiment);
  g_signal_connect_object (experiment, "changed", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  fill (self);
  return GTK_WIDGET (self);
}
