#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/dataset-editor.h"

#include <glib/gi18n.h>

#include "gui/chooser.h"
#include "gui/dataset-entry.h"
#include "gui/dataset-graph.h"
#include "gui/dataset-numbers.h"
#include "gui/goal-editor.h"
#include "gui/param-form.h"
#include "gui/task-editor.h"

/* px: fields and the form of parameters side by side. */
#define WIDE 1300

struct _FlgDatasetEditor
{
  GtkBox parent_instance;
  FlgExperiment *experiment;
  FlgDatasetDraft *draft;
  FlgDatasetPreview *preview;
  char *complaint;
  GtkEditable *name, *comment;
  FlgDatasetEntry *expression;
  FlgChooser *trial;
  GtkSwitch *active;
  GtkSpinButton *minutes, *lattices;
  FlgGoalEditor *goal;
  GtkLabel *goal_title, *news; /* what a new version is made for */
  GtkLabel *wrong;
  FlwTaskGraph *graph;
  GtkMenuButton *add;
  FlgTaskEditor *task;
  FlgDatasetNumbers *numbers;
  GtkBox *expression_slot, *task_slot, *numbers_slot;
  GtkStack *side; /* numbers | parameters */
  GtkWidget *fields;
  GtkScrolledWindow *form_slot;
  FlgParamForm *form; /* made when first asked for */
  GtkLabel *form_title;
  FlParams *base; /* what the form's values are on top of */
  gboolean filling;
};

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgDatasetEditor, flg_dataset_editor, GTK_TYPE_BOX)

static FlgDatasetStep *
chosen_step (FlgDatasetEditor *self)
{
  return self->draft ? flg_dataset_draft_step (self->draft, flw_task_graph_chosen (self->graph)) : NULL;
}

/* --- what it means --- */

static void
show_meaning (FlgDatasetEditor *self)
{
  if (!self->draft)
    return;
  g_clear_pointer (&self->preview, flg_dataset_preview_free);
  g_clear_pointer (&self->complaint, g_free);
  self->preview = flg_dataset_preview_new (self->experiment, self->draft);
  const FlgDatasetPreview *preview = self->preview;
  flg_dataset_entry_complain (self->expression, preview->in_expression ? preview->error : NULL,
                              &preview->wrong);
  self->complaint = flg_dataset_draft_complaint (self->draft, self->experiment);
  if (!self->complaint && preview->error)
    self->complaint = g_strdup (preview->error);
  else if (!self->complaint && flg_goal_editor_complaint (self->goal))
    self->complaint = g_strdup (flg_goal_editor_complaint (self->goal));
  else if (!self->complaint && !*self->draft->dataset->expression)
    self->complaint = g_strdup (_ ("Which runs? An empty expression takes none."));
  /* What is wrong in the expression stands there. */
  gboolean elsewhere = self->complaint && !preview->in_expression;
  /* What is enough of single particles nobody can tell by numbers of crystals. */
  gtk_widget_set_visible (GTK_WIDGET (self->goal), !preview->particles);
  gtk_widget_set_visible (GTK_WIDGET (self->goal_title), !preview->particles);
  gtk_label_set_label (self->news, preview->particles ? _ ("new patterns") : _ ("new lattices"));
  gtk_label_set_label (self->wrong, elsewhere ? self->complaint : "");
  gtk_widget_set_visible (GTK_WIDGET (self->wrong), elsewhere);
  flg_dataset_numbers_show (self->numbers, preview, self->draft->dataset);
  flg_dataset_graph_fill (self->graph, self->draft, preview);
  g_signal_emit (self, signals[CHANGED], 0);
}

void
flg_dataset_editor_refresh (FlgDatasetEditor *self)
{
  show_meaning (self);
  flg_task_editor_refresh (self->task);
}

static void
on_edited (FlgDatasetEditor *self)
{
  if (self->filling || !self->draft)
    return;
  FlDataset *dataset = self->draft->dataset;
  flg_set_string (&dataset->name, gtk_editable_get_text (self->name));
  flg_set_string (&dataset->comment, gtk_editable_get_text (self->comment));
  flg_set_string (&dataset->expression, flg_dataset_entry_text (self->expression));
  dataset->trial = flg_chooser_get (self->trial);
  dataset->active = gtk_switch_get_active (self->active);
  dataset->min_interval = 60 * gtk_spin_button_get_value (self->minutes);
  dataset->min_lattices = gtk_spin_button_get_value_as_int (self->lattices);
  flg_goal_editor_get (self->goal, dataset);
  show_meaning (self);
}

/* --- a step's parameters --- */

static FlParams *
params_of_trial (FlgDatasetEditor *self)
{
  FlParams *params = fl_params_new ();
  const FlTrial *trial = flg_experiment_trial (self->experiment, self->draft->dataset->trial);
  if (trial)
    flg_params_overlay (params, trial->params);
  return params;
}

static void
on_form_changed (FlgDatasetEditor *self)
{
  FlgDatasetStep *step = chosen_step (self);
  g_autoptr (FlParams) params = step && !self->filling ? flg_param_form_get_params (self->form, NULL) : NULL;
  if (!params)
    return;
  g_autofree char *text = fl_params_write_changed (params, self->base);
  flg_set_string (&step->task->params, text);
  flg_dataset_editor_refresh (self);
}

static void
fill_form (FlgDatasetEditor *self)
{
  FlgDatasetStep *step = chosen_step (self);
  if (!self->form || !step)
    return;
  g_clear_pointer (&self->base, fl_params_free);
  self->base = params_of_trial (self);
  g_autoptr (FlParams) params = params_of_trial (self);
  flg_params_overlay (params, step->task->params);
  self->filling = TRUE;
  flg_param_form_set_params (self->form, params);
  flg_param_form_set_about (self->form, flg_task_is_of_particles (step->task) ? FLG_SCIENCE_PARTICLES
                                                                              : FLG_SCIENCE_CRYSTALS);
  self->filling = FALSE;
  g_autofree char *title = g_strdup_printf (_ ("Parameters of %s, on top of the trial's"), step->task->name);
  gtk_label_set_label (self->form_title, title);
}

/* The form has many rows: not before it is wanted. */
static void
on_parameters (FlgDatasetEditor *self)
{
  if (!self->form)
    {
      self->form = FLG_PARAM_FORM (flg_param_form_new ());
      flg_param_form_set_editable (self->form, TRUE);
      g_signal_connect_object (self->form, "changed", G_CALLBACK (on_form_changed), self, G_CONNECT_SWAPPED);
      gtk_scrolled_window_set_child (self->form_slot, GTK_WIDGET (self->form));
    }
  fill_form (self);
  gtk_stack_set_visible_child_name (self->side, "parameters");
  gtk_widget_set_visible (self->fields, gtk_widget_get_width (GTK_WIDGET (self)) >= WIDE);
}

static void
on_parameters_done (FlgDatasetEditor *self)
{
  gtk_widget_set_visible (self->fields, TRUE);
  gtk_stack_set_visible_child_name (self->side, "numbers");
}

static void
on_form_filter (GtkSearchEntry *entry, FlgDatasetEditor *self)
{
  if (self->form)
    flg_param_form_filter (self->form, gtk_editable_get_text (GTK_EDITABLE (entry)), FALSE);
}

/* --- the graph --- */

static void
on_chosen (FlgDatasetEditor *self, guint key)
{
  FlgDatasetStep *step = chosen_step (self);
  flg_task_editor_show (self->task, self->draft, key);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "graph.remove", step != NULL);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "graph.move", step != NULL);
  fill_form (self);
  if (!step)
    on_parameters_done (self);
}

static const FlTask *
find_task (FlgDatasetEditor *self, const char *name)
{
  FlgRecordModel *tasks = flg_experiment_table (self->experiment, FL_TABLE_TASK);
  for (guint i = 0; i < flg_record_model_count (tasks); i++)
    if (g_str_equal (flg_record_task (flg_record_model_at (tasks, i))->name, name))
      return flg_record_task (flg_record_model_at (tasks, i));
  return NULL;
}

static gboolean
name_is_used (FlgDatasetEditor *self, const char *name)
{
  gboolean used = find_task (self, name) != NULL;
  for (guint i = 0; i < self->draft->steps->len; i++)
    used = used || g_str_equal (((FlgDatasetStep *) self->draft->steps->pdata[i])->task->name, name);
  return used;
}

void
flg_dataset_editor_add_step (FlgDatasetEditor *self, const char *what)
{
  if (!self->draft)
    return;
  static const char *const types[] = { "spots", "index",       "all",      "hits",   "merge",
                                       "map",   "reconstruct", "geometry", "export", NULL };
  gboolean is_type = g_strv_contains (types, what);
  const FlTask *known = is_type ? NULL : find_task (self, what);
  g_autofree char *name = g_strdup (what);
  for (guint n = 2; is_type && name_is_used (self, name); n++)
    {
      g_free (name);
      name = g_strdup_printf ("%s-%u", what, n);
    }
  FlTask fresh = { .name = name, .type = (char *) what, .params = (char *) "" };
  if (!known && !is_type)
    return;
  guint key = flg_dataset_draft_add (self->draft, known ? known : &fresh);
  show_meaning (self);
  flw_task_graph_choose (self->graph, key);
}

void
flg_dataset_editor_remove_step (FlgDatasetEditor *self)
{
  FlgDatasetStep *step = chosen_step (self);
  if (!step)
    return;
  flg_dataset_draft_remove (self->draft, step->key);
  show_meaning (self);
  if (self->draft->steps->len)
    flw_task_graph_choose (self->graph,
                           ((FlgDatasetStep *) self->draft->steps->pdata[self->draft->steps->len - 1])->key);
}

void
flg_dataset_editor_move_step (FlgDatasetEditor *self, int by)
{
  FlgDatasetStep *step = chosen_step (self);
  if (!step)
    return;
  flg_dataset_draft_move (self->draft, step->key, by);
  show_meaning (self);
}

void
flg_dataset_editor_choose_step (FlgDatasetEditor *self, guint position)
{
  if (self->draft && position < self->draft->steps->len)
    flw_task_graph_choose (self->graph, ((FlgDatasetStep *) self->draft->steps->pdata[position])->key);
}

static void
act_graph (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgDatasetEditor *self = FLG_DATASET_EDITOR (widget);
  if (g_str_equal (action, "graph.add"))
    flg_dataset_editor_add_step (self, g_variant_get_string (target, NULL));
  else if (g_str_equal (action, "graph.move"))
    flg_dataset_editor_move_step (self, g_variant_get_int32 (target));
  else
    flg_dataset_editor_remove_step (self);
}

/* --- from and to the draft --- */

static void
fill_trials (FlgDatasetEditor *self)
{
  FlgRecordModel *trials = flg_experiment_table (self->experiment, FL_TABLE_TRIAL);
  flg_chooser_begin (self->trial);
  flg_chooser_add (self->trial, 0, _ ("all active trials"));
  for (guint i = flg_record_model_count (trials); i-- > 0;)
    {
      const FlTrial *trial = flg_record_trial (flg_record_model_at (trials, i));
      g_autofree char *label = g_strdup_printf (_ ("trial %d  %s%s"), trial->number, trial->name,
                                                trial->active ? "" : _ (" (resting)"));
      flg_chooser_add (self->trial, trial->id, label);
    }
  flg_chooser_end (self->trial);
}

void
flg_dataset_editor_set (FlgDatasetEditor *self, FlgDatasetDraft *draft)
{
  self->filling = TRUE;
  flg_task_editor_show (self->task, NULL, 0);
  flw_task_graph_set (self->graph, 0, NULL);
  flg_dataset_draft_free (self->draft);
  self->draft = draft;
  if (draft)
    {
      const FlDataset *dataset = draft->dataset;
      gtk_editable_set_text (self->name, dataset->name);
      gtk_editable_set_text (self->comment, dataset->comment);
      flg_dataset_entry_set_text (self->expression, dataset->expression);
      fill_trials (self);
      flg_chooser_choose (self->trial, dataset->trial);
      gtk_switch_set_active (self->active, dataset->active);
      gtk_spin_button_set_value (self->minutes, dataset->min_interval / 60);
      gtk_spin_button_set_value (self->lattices, dataset->min_lattices);
      flg_goal_editor_set (self->goal, dataset);
      flg_dataset_graph_fill_menu (self->add, self->experiment);
    }
  self->filling = FALSE;
  show_meaning (self);
  flg_dataset_editor_choose_step (self, 0);
}

const FlgDatasetDraft *
flg_dataset_editor_draft (FlgDatasetEditor *self)
{
  return self->draft;
}

const FlgDatasetPreview *
flg_dataset_editor_preview (FlgDatasetEditor *self)
{
  return self->preview;
}

const char *
flg_dataset_editor_complaint (FlgDatasetEditor *self)
{
  return self->complaint;
}

guint
flg_dataset_editor_n_listed (FlgDatasetEditor *self)
{
  return flg_dataset_numbers_n_listed (self->numbers);
}

gboolean
flg_dataset_editor_is_settled (FlgDatasetEditor *self)
{
  return flg_dataset_numbers_is_settled (self->numbers);
}

void
flg_dataset_editor_focus (FlgDatasetEditor *self)
{
  flg_dataset_entry_focus (self->expression);
}

gboolean
flg_dataset_editor_type (FlgDatasetEditor *self, const char *field, const char *text)
{
  double number = g_ascii_strtod (text, NULL);
  if (g_str_equal (field, "name"))
    gtk_editable_set_text (self->name, text);
  else if (g_str_equal (field, "comment"))
    gtk_editable_set_text (self->comment, text);
  else if (g_str_equal (field, "expression"))
    flg_dataset_entry_set_text (self->expression, text);
  else if (g_str_equal (field, "active"))
    gtk_switch_set_active (self->active, g_str_equal (text, "yes"));
  else if (g_str_equal (field, "minutes"))
    gtk_spin_button_set_value (self->minutes, number);
  else if (g_str_equal (field, "lattices"))
    gtk_spin_button_set_value (self->lattices, number);
  else if (g_str_equal (field, "trial"))
    {
      FlgRecordModel *trials = flg_experiment_table (self->experiment, FL_TABLE_TRIAL);
      gint64 id = 0;
      for (guint i = 0; i < flg_record_model_count (trials); i++)
        if (flg_record_trial (flg_record_model_at (trials, i))->number == (int) number)
          id = flg_record_id (flg_record_model_at (trials, i));
      flg_chooser_choose (self->trial, id);
    }
  else
    return flg_goal_editor_type (self->goal, field, text);
  return TRUE;
}

gboolean
flg_dataset_editor_type_step (FlgDatasetEditor *self, const char *field, const char *text)
{
  if (!chosen_step (self))
    return FALSE;
  if (flg_task_editor_type (self->task, field, text))
    return TRUE;
  on_parameters (self);
  return flg_param_form_type (self->form, field, text);
}

/* --- the type --- */

static void
flg_dataset_editor_dispose (GObject *object)
{
  FlgDatasetEditor *self = FLG_DATASET_EDITOR (object);
  g_clear_object (&self->experiment);
  gtk_widget_dispose_template (GTK_WIDGET (self), FLG_TYPE_DATASET_EDITOR);
  G_OBJECT_CLASS (flg_dataset_editor_parent_class)->dispose (object);
}

static void
flg_dataset_editor_finalize (GObject *object)
{
  FlgDatasetEditor *self = FLG_DATASET_EDITOR (object);
  flg_dataset_draft_free (self->draft);
  flg_dataset_preview_free (self->preview);
  fl_params_free (self->base);
  g_free (self->complaint);
  G_OBJECT_CLASS (flg_dataset_editor_parent_class)->finalize (object);
}

static void
flg_dataset_editor_class_init (FlgDatasetEditorClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = flg_dataset_editor_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_dataset_editor_finalize;
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
  g_type_ensure (FLG_TYPE_CHOOSER);
  g_type_ensure (FLG_TYPE_GOAL_EDITOR);
  g_type_ensure (FLW_TYPE_TASK_GRAPH);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/datasets-editor.ui");
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetEditor, name);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetEditor, comment);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetEditor, trial);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetEditor, active);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetEditor, minutes);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetEditor, lattices);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetEditor, goal);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetEditor, goal_title);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetEditor, news);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetEditor, wrong);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetEditor, graph);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetEditor, add);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetEditor, side);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetEditor, fields);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetEditor, form_slot);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetEditor, form_title);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetEditor, expression_slot);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetEditor, task_slot);
  gtk_widget_class_bind_template_child (widget_class, FlgDatasetEditor, numbers_slot);
  gtk_widget_class_bind_template_callback (widget_class, on_edited);
  gtk_widget_class_bind_template_callback (widget_class, on_chosen);
  gtk_widget_class_bind_template_callback (widget_class, on_parameters_done);
  gtk_widget_class_bind_template_callback (widget_class, on_form_filter);
  gtk_widget_class_install_action (widget_class, "graph.add", "s", act_graph);
  gtk_widget_class_install_action (widget_class, "graph.remove", NULL, act_graph);
  gtk_widget_class_install_action (widget_class, "graph.move", "i", act_graph);
}

static void
flg_dataset_editor_init (FlgDatasetEditor *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

GtkWidget *
flg_dataset_editor_new (FlgExperiment *experiment)
{
  FlgDatasetEditor *self = g_object_new (FLG_TYPE_DATASET_EDITOR, NULL);
  self->experiment = g_object_ref (experiment);
  self->expression = FLG_DATASET_ENTRY (flg_dataset_entry_new (experiment));
  self->task = FLG_TASK_EDITOR (flg_task_editor_new (experiment));
  self->numbers = FLG_DATASET_NUMBERS (flg_dataset_numbers_new (experiment));
  gtk_box_append (self->expression_slot, GTK_WIDGET (self->expression));
  gtk_box_append (self->task_slot, GTK_WIDGET (self->task));
  gtk_box_append (self->numbers_slot, GTK_WIDGET (self->numbers));
  gtk_widget_set_hexpand (GTK_WIDGET (self->expression), TRUE);
  g_signal_connect_object (self->expression, "changed", G_CALLBACK (on_edited), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->task, "changed", G_CALLBACK (show_meaning), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->task, "parameters", G_CALLBACK (on_parameters), self, G_CONNECT_SWAPPED);
  return GTK_WIDGET (self);
}
