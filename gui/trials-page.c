#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/trials-page.h"

#include <glib/gi18n.h>

#include <string.h>

#include "engine/base/error.h"
#include "gui/block-editor.h"
#include "gui/columns.h"
#include "gui/param-form.h"
#include "gui/people.h"
#include "gui/store-writes.h"
#include "gui/text.h"

struct _FlgTrialsPage
{
  FlgPage parent_instance;
  FlTrial *commented; /* whose comment stands in the entry, as it was then */
  GtkColumnView *table;
  GtkSingleSelection *selection;
  GtkStack *detail;
  GtkLabel *title, *facts;
  GtkEditable *comment, *name;
  GtkLabel *name_complaint;
  GtkWidget *draft_bar, *draft_button, *create_button, *name_box, *comment_box;
  GtkSearchEntry *filter;
  GtkCheckButton *changed_only;
  GtkScrolledWindow *form_slot, *blocks_slot;
  GtkTextView *text;
  FlgParamForm *form;
  gboolean drafting;
};

G_DEFINE_FINAL_TYPE (FlgTrialsPage, flg_trials_page, FLG_TYPE_PAGE)

#define EXPERIMENT(data) flg_page_experiment (FLG_PAGE (data))

static void
fill_number (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  g_autofree char *text = g_strdup_printf ("%d", flg_record_trial (record)->number);
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static int
compare_number (FlgRecord *a, FlgRecord *b, gpointer data)
{
  return flg_record_trial (a)->number - flg_record_trial (b)->number;
}

static void
fill_name (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlTrial *trial = flg_record_trial (record);
  gtk_label_set_label (GTK_LABEL (cell), *trial->name ? trial->name : trial->comment);
  gtk_widget_set_tooltip_text (cell, *trial->comment ? trial->comment : NULL);
}

static void
on_active (GtkSwitch *cell, GParamSpec *pspec, gpointer data)
{
  FlgRecord *record = flg_cell_record (GTK_WIDGET (cell));
  if (record && flg_record_trial (record)->active != gtk_switch_get_active (cell))
    gtk_widget_activate_action (GTK_WIDGET (cell), "trials.set-active", "(xb)", flg_record_id (record),
                                gtk_switch_get_active (cell));
}

static GtkWidget *
make_active (gpointer data)
{
  GtkWidget *cell = gtk_switch_new ();
  gtk_widget_set_valign (cell, GTK_ALIGN_CENTER);
  gtk_widget_set_halign (cell, GTK_ALIGN_START);
  gtk_widget_set_tooltip_text (cell, _ ("The conductor makes jobs of active trials."));
  g_signal_connect (cell, "notify::active", G_CALLBACK (on_active), data);
  return cell;
}

static void
fill_active (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  gtk_switch_set_active (GTK_SWITCH (cell), flg_record_trial (record)->active);
  flg_guard (cell, EXPERIMENT (data));
}

/* Jobs of the trial: how many are done of how many there are, and their shots. */
static void
trial_counts (FlgExperiment *experiment, gint64 trial, guint *jobs, guint *done, gint64 *shots, gint64 *hits)
{
  *jobs = *done = 0;
  *shots = *hits = 0;
  FlgRecordModel *model = flg_experiment_table (experiment, FL_TABLE_JOB);
  for (guint i = 0; i < flg_record_model_count (model); i++)
    {
      const FlJob *job = flg_record_job (flg_record_model_at (model, i));
      if (job->trial != trial)
        continue;
      const FlJobStats *stats = flg_experiment_job_stats (experiment, job->id);
      (*jobs)++;
      *done += job->state == FL_JOB_DONE;
      *shots += stats ? stats->shots : 0;
      *hits += stats ? stats->hits : 0;
    }
}

static void
fill_jobs (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  guint jobs, done;
  gint64 shots, hits;
  trial_counts (EXPERIMENT (data), flg_record_id (record), &jobs, &done, &shots, &hits);
  g_autofree char *text = jobs ? g_strdup_printf ("%u/%u", done, jobs) : g_strdup ("–");
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static void
fill_hits (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  guint jobs, done;
  gint64 shots, hits;
  trial_counts (EXPERIMENT (data), flg_record_id (record), &jobs, &done, &shots, &hits);
  g_autofree char *text = flg_format_percent (hits, shots);
  gtk_label_set_label (GTK_LABEL (cell), text);
}

/* --- one trial --- */

static const FlTrial *
selected_trial (FlgTrialsPage *self)
{
  FlgRecord *record = gtk_single_selection_get_selected_item (self->selection);
  return record ? flg_record_trial (record) : NULL;
}

static FlParams *
params_of (const FlTrial *trial, GError **error)
{
  g_autoptr (FlParams) params = fl_params_new ();
  g_autofree char *origin = trial ? g_strdup_printf ("trial %d", trial->number) : NULL;
  if (trial && !fl_params_read (params, trial->params, origin, error))
    return NULL;
  return g_steal_pointer (&params);
}

static void
show_text (FlgTrialsPage *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlParams) params = flg_param_form_get_params (self->form, &error);
  g_autofree char *changed = params ? fl_params_write_changed (params, NULL) : NULL;
  const char *text = !params ? error->message : *changed ? changed : _ ("; all values are the defaults");
  gtk_text_buffer_set_text (gtk_text_view_get_buffer (self->text), text, -1);
}

static void
show_name_state (FlgTrialsPage *self)
{
  const char *name = gtk_editable_get_text (self->name);
  FlgRecordModel *trials = flg_experiment_table (EXPERIMENT (self), FL_TABLE_TRIAL);
  const char *complaint = NULL;
  if (!*name)
    complaint = _ ("A trial needs a name.");
  for (guint i = 0; i < flg_record_model_count (trials); i++)
    if (*name && g_str_equal (flg_record_trial (flg_record_model_at (trials, i))->name, name))
      complaint = _ ("Another trial has this name.");
  gtk_label_set_label (self->name_complaint, complaint && self->drafting ? complaint : "");
  gboolean good = self->drafting && !complaint && flg_param_form_is_valid (self->form);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "trials.create", good);
}

static void
show_facts (FlgTrialsPage *self, const FlTrial *trial)
{
  FlgExperiment *experiment = EXPERIMENT (self);
  guint jobs, done;
  gint64 shots, hits;
  trial_counts (experiment, trial->id, &jobs, &done, &shots, &hits);
  g_autofree char *made = flg_format_time (trial->created, flg_experiment_now (experiment));
  g_autofree char *count = flg_format_count (shots);
  g_autofree char *rate = flg_format_percent (hits, shots);
  g_autofree char *text = g_strdup_printf (_ ("made %s · %u of %u jobs done · %s shots · %s hits"), made,
                                           done, jobs, count, rate);
  gtk_label_set_label (self->facts, text);
}

/* What is being typed stays: who saves it hears of a change in between. */
static void
show_comment (FlgTrialsPage *self, const FlTrial *trial)
{
  gboolean same = self->commented && self->commented->id == trial->id;
  if (same && strcmp (gtk_editable_get_text (self->comment), self->commented->comment) != 0)
    return;
  fl_record_free (FL_TABLE_TRIAL, self->commented);
  self->commented = fl_record_copy (FL_TABLE_TRIAL, trial);
  if (strcmp (gtk_editable_get_text (self->comment), trial->comment) != 0)
    gtk_editable_set_text (self->comment, trial->comment);
}

static void
show_trial (FlgTrialsPage *self)
{
  const FlTrial *trial = selected_trial (self);
  gboolean drafting = self->drafting;
  gtk_stack_set_visible_child_name (self->detail, trial || drafting ? "trial" : "empty");
  gtk_widget_set_visible (self->draft_bar, drafting);
  gtk_widget_set_visible (self->name_box, drafting);
  gtk_widget_set_visible (self->comment_box, !drafting);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "trials.draft",
                                 !drafting && flg_may_change (EXPERIMENT (self)));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "trials.discard", drafting);
  flg_param_form_set_editable (self->form, drafting);
  flg_param_form_set_about (self->form, flg_trial_science (EXPERIMENT (self), trial ? trial->id : 0));
  if (drafting)
    {
      gtk_label_set_label (self->title, _ ("New trial"));
      gtk_label_set_label (self->facts, _ ("Once created its values cannot be changed."));
    }
  else if (trial)
    {
      g_autofree char *title = g_strdup_printf (_ ("Trial %d  %s"), trial->number, trial->name);
      gtk_label_set_label (self->title, title);
      show_facts (self, trial);
      show_comment (self, trial);
      g_autoptr (GError) error = NULL;
      g_autoptr (FlParams) params = params_of (trial, &error);
      flg_page_report (FLG_PAGE (self), error);
      if (params)
        flg_param_form_set_params (self->form, params);
    }
  show_text (self);
  show_name_state (self);
}

static void
on_selected (FlgTrialsPage *self)
{
  if (!self->drafting)
    show_trial (self);
}

static void
on_form_changed (FlgTrialsPage *self)
{
  show_text (self);
  show_name_state (self);
}

static void
on_filter_changed (FlgTrialsPage *self)
{
  flg_param_form_filter (self->form, gtk_editable_get_text (GTK_EDITABLE (self->filter)),
                         gtk_check_button_get_active (self->changed_only));
}

static void
on_comment_done (FlgTrialsPage *self)
{
  const FlTrial *trial = selected_trial (self);
  const char *text = gtk_editable_get_text (self->comment);
  if (trial && strcmp (trial->comment, text) != 0)
    gtk_widget_activate_action (GTK_WIDGET (self), "trials.comment", "(xs)", trial->id, text);
}

/* --- actions --- */

static char *
free_name (FlgTrialsPage *self)
{
  int highest = 0;
  FlgRecordModel *trials = flg_experiment_table (EXPERIMENT (self), FL_TABLE_TRIAL);
  for (guint i = 0; i < flg_record_model_count (trials); i++)
    highest = MAX (highest, flg_record_trial (flg_record_model_at (trials, i))->number);
  return g_strdup_printf ("trial%d", highest + 1);
}

static void
act_draft (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgTrialsPage *self = FLG_TRIALS_PAGE (widget);
  if (self->drafting)
    return;
  self->drafting = TRUE;
  g_autofree char *name = free_name (self);
  gtk_editable_set_text (self->name, name);
  show_trial (self);
  gtk_widget_grab_focus (GTK_WIDGET (self->name));
}

/* From another page: the trial, and values that differ in the new one. */
static void
act_draft_with (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgTrialsPage *self = FLG_TRIALS_PAGE (widget);
  if (self->drafting || !flg_may_change (EXPERIMENT (self)))
    {
      flw_banner_show (flg_page_banner (FLG_PAGE (self)), FLW_TONE_WARNING,
                       self->drafting ? _ ("Another trial is being drafted: create or discard it first.")
                                      : _ ("Opened read-only: no trial can be made."),
                       NULL, 0);
      return;
    }
  gint64 trial;
  const char *name, *text;
  g_autoptr (GVariantIter) values = NULL;
  g_variant_get (target, "(xa(ss))", &trial, &values);
  gtk_widget_activate_action (widget, "trials.show", "x", trial);
  act_draft (widget, action, NULL);
  while (g_variant_iter_next (values, "(&s&s)", &name, &text))
    gtk_widget_activate_action (widget, "trials.set", "(ss)", name, text);
}

static void
act_discard (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgTrialsPage *self = FLG_TRIALS_PAGE (widget);
  self->drafting = FALSE;
  show_trial (self);
}

static void
act_create (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgTrialsPage *self = FLG_TRIALS_PAGE (widget);
  g_autoptr (GError) error = NULL;
  g_autoptr (FlParams) params = flg_param_form_get_params (self->form, &error);
  if (!params)
    {
      flg_page_report (FLG_PAGE (self), error);
      return;
    }
  FlgNewTrial *fresh = g_new (FlgNewTrial, 1);
  *fresh = (FlgNewTrial){ g_strdup (gtk_editable_get_text (self->name)), fl_params_write (params) };
  flg_page_write (FLG_PAGE (self), flg_new_trial_write, fresh, (GDestroyNotify) flg_new_trial_free);
  self->drafting = FALSE;
  show_trial (self);
}

static void
act_set (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgTrialsPage *self = FLG_TRIALS_PAGE (widget);
  const char *name, *text;
  g_variant_get (target, "(&s&s)", &name, &text);
  if (!self->drafting)
    return;
  if (!flg_param_form_type (self->form, name, text))
    {
      g_autofree char *near = fl_param_suggest (name);
      g_autoptr (GError) error = g_error_new (FL_ERROR, FL_ERROR_INPUT, "there is no parameter %s%s%s", name,
                                              near ? "; " : "", near ? near : "");
      flg_page_report (FLG_PAGE (self), error);
    }
}

static void
act_set_name (GtkWidget *widget, const char *action, GVariant *target)
{
  gtk_editable_set_text (FLG_TRIALS_PAGE (widget)->name, g_variant_get_string (target, NULL));
}

static void
act_set_active (GtkWidget *widget, const char *action, GVariant *target)
{
  gint64 trial;
  gboolean active;
  g_variant_get (target, "(xb)", &trial, &active);
  flg_page_write (FLG_PAGE (widget), flg_edit_write, flg_edit_new (FL_TABLE_TRIAL, trial, "active", active),
                  g_free);
}

/* Decided: what the store has is what is edited from now on. */
static void
on_comment_saved (FlgSaveEnd end, const GError *error, gpointer data)
{
  g_autoptr (FlgTrialsPage) self = data;
  if (end != FLG_SAVE_DONE && end != FLG_SAVE_THEIRS)
    return;
  fl_record_free (FL_TABLE_TRIAL, g_steal_pointer (&self->commented));
  if (flg_page_context (FLG_PAGE (self)) && !self->drafting)
    show_trial (self);
}

static void
act_comment (GtkWidget *widget, const char *action, GVariant *target)
{
  gint64 trial;
  const char *text;
  g_variant_get (target, "(x&s)", &trial, &text);
  FlgTrialsPage *self = FLG_TRIALS_PAGE (widget);
  gboolean begun = self->commented && self->commented->id == trial;
  FlTrial *base = begun ? fl_record_copy (FL_TABLE_TRIAL, self->commented)
                        : flg_copy_known (EXPERIMENT (self), FL_TABLE_TRIAL, trial);
  if (!base)
    return;
  FlTrial *mine = fl_record_copy (FL_TABLE_TRIAL, base);
  g_free (mine->comment);
  mine->comment = g_strdup (text);
  flg_page_save (FLG_PAGE (self), flg_save_new_record (FL_TABLE_TRIAL, base, mine), on_comment_saved,
                 g_object_ref (self));
  fl_record_free (FL_TABLE_TRIAL, base);
}

static void
act_show (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgTrialsPage *self = FLG_TRIALS_PAGE (widget);
  GListModel *model = G_LIST_MODEL (self->selection);
  for (guint i = 0; i < g_list_model_get_n_items (model); i++)
    {
      g_autoptr (FlgRecord) record = g_list_model_get_item (model, i);
      if (flg_record_id (record) == g_variant_get_int64 (target))
        gtk_single_selection_set_selected (self->selection, i);
    }
}

static void
act_save_block (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgTrialsPage *self = FLG_TRIALS_PAGE (widget);
  gint64 id;
  g_variant_get_child (target, 0, "x", &id);
  FlBlock *base = id ? flg_copy_known (EXPERIMENT (self), FL_TABLE_BLOCK, id) : NULL;
  if (!id || base)
    flg_page_save (FLG_PAGE (self), flg_save_new_record (FL_TABLE_BLOCK, base, flg_block_of (base, target)),
                   NULL, NULL);
  fl_record_free (FL_TABLE_BLOCK, base);
}

/* --- page --- */

gboolean
flg_trials_page_is_drafting (FlgTrialsPage *self)
{
  return self->drafting;
}

gboolean
flg_trials_page_may_create (FlgTrialsPage *self)
{
  return gtk_widget_get_sensitive (self->create_button);
}

const char *
flg_trials_page_complaint (FlgTrialsPage *self, const char *parameter)
{
  return flg_param_form_complaint (self->form, parameter);
}

static void
flg_trials_page_update (FlgPage *page, guint what)
{
  FlgTrialsPage *self = FLG_TRIALS_PAGE (page);
  if (what & FLG_CHANGED_HEALTH)
    {
      g_autofree char *refusal = flg_refusal (EXPERIMENT (self));
      gtk_editable_set_editable (self->comment, refusal == NULL);
      gtk_widget_set_tooltip_text (GTK_WIDGET (self->comment), refusal);
    }
  if ((what & (FLG_CHANGED (FL_TABLE_TRIAL) | FLG_CHANGED_HEALTH)) && !self->drafting)
    show_trial (self);
  else if ((what & (FLG_CHANGED_COUNTS | FLG_CHANGED (FL_TABLE_JOB))) && !self->drafting
           && selected_trial (self))
    {
      const FlTrial *trial = selected_trial (self);
      show_facts (self, trial);
      flg_param_form_set_about (self->form, flg_trial_science (EXPERIMENT (self), trial->id));
    }
  if (what & (FLG_CHANGED_COUNTS | FLG_CHANGED (FL_TABLE_JOB)))
    {
      FlgRecordModel *trials = flg_experiment_table (EXPERIMENT (self), FL_TABLE_TRIAL);
      for (guint i = 0; i < flg_record_model_count (trials); i++)
        flg_record_touch (flg_record_model_at (trials, i));
    }
}

static void
flg_trials_page_begin_filter (FlgPage *page)
{
  gtk_widget_grab_focus (GTK_WIDGET (FLG_TRIALS_PAGE (page)->filter));
}

static void
flg_trials_page_step (FlgPage *page, int by)
{
  FlgTrialsPage *self = FLG_TRIALS_PAGE (page);
  int n = (int) g_list_model_get_n_items (G_LIST_MODEL (self->selection));
  if (n > 0)
    gtk_single_selection_set_selected (
        self->selection,
        (guint) CLAMP ((int) gtk_single_selection_get_selected (self->selection) + by, 0, n - 1));
}

static void
flg_trials_page_focus (FlgPage *page)
{
  gtk_widget_grab_focus (GTK_WIDGET (FLG_TRIALS_PAGE (page)->table));
}

static void
flg_trials_page_constructed (GObject *object)
{
  FlgTrialsPage *self = FLG_TRIALS_PAGE (object);
  const FlgColumn columns[] = {
    { _ ("Trial"), NULL, flg_cell_number, fill_number, compare_number, 60 },
    { _ ("Name"), NULL, flg_cell_text, fill_name, NULL, -1 },
    { _ ("Active"), NULL, make_active, fill_active, NULL, 70 },
    { _ ("Jobs"), NULL, flg_cell_number, fill_jobs, NULL, 60 },
    { _ ("Hits"), NULL, flg_cell_number, fill_hits, NULL, 70 },
  };
  GListModel *trials = G_LIST_MODEL (flg_experiment_table (EXPERIMENT (self), FL_TABLE_TRIAL));
  self->selection = gtk_single_selection_new (
      flg_columns_set_up (self->table, G_N_ELEMENTS (columns), columns, self, trials));
  g_signal_connect_object (self->selection, "notify::selected-item", G_CALLBACK (on_selected), self,
                           G_CONNECT_SWAPPED);
  gtk_column_view_set_model (self->table, GTK_SELECTION_MODEL (self->selection));
  self->form = FLG_PARAM_FORM (flg_param_form_new ());
  g_signal_connect_object (self->form, "changed", G_CALLBACK (on_form_changed), self, G_CONNECT_SWAPPED);
  gtk_scrolled_window_set_child (self->form_slot, GTK_WIDGET (self->form));
  gtk_scrolled_window_set_child (self->blocks_slot,
                                 flg_block_editor_new (flg_page_context (FLG_PAGE (self))));
  show_trial (self);
  G_OBJECT_CLASS (flg_trials_page_parent_class)->constructed (object);
}

static void
flg_trials_page_dispose (GObject *object)
{
  FlgTrialsPage *self = FLG_TRIALS_PAGE (object);
  if (self->table)
    gtk_column_view_set_model (self->table, NULL);
  g_clear_object (&self->selection);
  fl_record_free (FL_TABLE_TRIAL, g_steal_pointer (&self->commented));
  gtk_widget_dispose_template (GTK_WIDGET (self), FLG_TYPE_TRIALS_PAGE);
  G_OBJECT_CLASS (flg_trials_page_parent_class)->dispose (object);
}

static void
bind_children (GtkWidgetClass *widget_class)
{
  gtk_widget_class_bind_template_child (widget_class, FlgTrialsPage, table);
  gtk_widget_class_bind_template_child (widget_class, FlgTrialsPage, detail);
  gtk_widget_class_bind_template_child (widget_class, FlgTrialsPage, title);
  gtk_widget_class_bind_template_child (widget_class, FlgTrialsPage, facts);
  gtk_widget_class_bind_template_child (widget_class, FlgTrialsPage, comment);
  gtk_widget_class_bind_template_child (widget_class, FlgTrialsPage, name);
  gtk_widget_class_bind_template_child (widget_class, FlgTrialsPage, name_complaint);
  gtk_widget_class_bind_template_child (widget_class, FlgTrialsPage, draft_bar);
  gtk_widget_class_bind_template_child (widget_class, FlgTrialsPage, draft_button);
  gtk_widget_class_bind_template_child (widget_class, FlgTrialsPage, create_button);
  gtk_widget_class_bind_template_child (widget_class, FlgTrialsPage, name_box);
  gtk_widget_class_bind_template_child (widget_class, FlgTrialsPage, comment_box);
  gtk_widget_class_bind_template_child (widget_class, FlgTrialsPage, filter);
  gtk_widget_class_bind_template_child (widget_class, FlgTrialsPage, changed_only);
  gtk_widget_class_bind_template_child (widget_class, FlgTrialsPage, form_slot);
  gtk_widget_class_bind_template_child (widget_class, FlgTrialsPage, blocks_slot);
  gtk_widget_class_bind_template_child (widget_class, FlgTrialsPage, text);
  gtk_widget_class_bind_template_callback (widget_class, on_filter_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_comment_done);
  gtk_widget_class_bind_template_callback (widget_class, show_name_state);
}

static void
flg_trials_page_class_init (FlgTrialsPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  FlgPageClass *page_class = FLG_PAGE_CLASS (klass);
  G_OBJECT_CLASS (klass)->constructed = flg_trials_page_constructed;
  G_OBJECT_CLASS (klass)->dispose = flg_trials_page_dispose;
  page_class->update = flg_trials_page_update;
  page_class->begin_filter = flg_trials_page_begin_filter;
  page_class->step = flg_trials_page_step;
  page_class->focus = flg_trials_page_focus;
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/trials-page.ui");
  bind_children (widget_class);
  gtk_widget_class_install_action (widget_class, "trials.draft", NULL, act_draft);
  gtk_widget_class_install_action (widget_class, "trials.draft-with", "(xa(ss))", act_draft_with);
  gtk_widget_class_install_action (widget_class, "trials.create", NULL, act_create);
  gtk_widget_class_install_action (widget_class, "trials.discard", NULL, act_discard);
  gtk_widget_class_install_action (widget_class, "trials.set", "(ss)", act_set);
  gtk_widget_class_install_action (widget_class, "trials.set-name", "s", act_set_name);
  gtk_widget_class_install_action (widget_class, "trials.set-active", "(xb)", act_set_active);
  gtk_widget_class_install_action (widget_class, "trials.comment", "(xs)", act_comment);
  gtk_widget_class_install_action (widget_class, "trials.show", "x", act_show);
  gtk_widget_class_install_action (widget_class, "trials.save-block", "(xssssb)", act_save_block);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_n, GDK_CONTROL_MASK, "trials.draft", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Return, GDK_CONTROL_MASK, "trials.create", NULL);
}

static void
flg_trials_page_init (FlgTrialsPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
