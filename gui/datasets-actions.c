#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/datasets-private.h"

#include <glib/gi18n.h>

#include "gui/dataset-policy.h"
#include "gui/people.h"
#include "gui/store-writes.h"
#include "gui/text.h"

/* A save that makes at least so many jobs is asked about. */
#define MANY_JOBS 10

#define EXPERIMENT(data) flg_page_experiment (FLG_PAGE (data))

/* --- the editor --- */

void
flg_datasets_ask_nothing (FlgDatasetsPage *self)
{
  gtk_widget_set_visible (self->sheet, FALSE);
  gtk_widget_set_sensitive (GTK_WIDGET (self->editor_slot), TRUE);
  gtk_label_set_label (self->question, "");
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "datasets.confirm", FALSE);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "datasets.hold", FALSE);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "datasets.cancel", FALSE);
}

void
flg_datasets_show_mode (FlgDatasetsPage *self)
{
  gboolean editing = flg_datasets_page_is_editing (self);
  gboolean writable = flg_may_change (EXPERIMENT (self));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "datasets.new", writable && !editing);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "datasets.edit",
                                 writable && !editing && flg_datasets_page_chosen (self));
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
  flg_dataset_draft_free (self->begun);
  self->begun = flg_dataset_draft_copy (draft);
  flg_changed_line_watch (self->changed, FL_TABLE_DATASET, draft->dataset->id ? draft->dataset : NULL);
  flg_dataset_editor_set (self->editor, draft);
  flg_dataset_editor_focus (self->editor);
  flg_datasets_show_mode (self);
}

gpointer
flg_datasets_edited (gpointer page)
{
  const FlgDatasetDraft *draft = flg_dataset_editor_draft (FLG_DATASETS_PAGE (page)->editor);
  return draft ? fl_record_copy (FL_TABLE_DATASET, draft->dataset) : NULL;
}

static void
end_editing (FlgDatasetsPage *self)
{
  flg_datasets_ask_nothing (self);
  g_clear_pointer (&self->begun, flg_dataset_draft_free);
  flg_changed_line_watch (self->changed, FL_TABLE_DATASET, NULL);
  gtk_stack_set_visible_child_name (self->mode, "browse");
  flg_dataset_editor_set (self->editor, NULL);
  flg_datasets_show_mode (self);
  gtk_widget_grab_focus (GTK_WIDGET (self->table));
}

static void
act_new (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgDatasetsPage *self = FLG_DATASETS_PAGE (widget);
  if (!flg_may_change (EXPERIMENT (self)) || flg_datasets_page_is_editing (self))
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
  const FlDataset *dataset = flg_datasets_page_chosen (self);
  if (dataset && !flg_datasets_page_is_editing (self))
    begin_editing (self, flg_dataset_draft_of (EXPERIMENT (self), dataset));
}

static void
act_discard (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgDatasetsPage *self = FLG_DATASETS_PAGE (widget);
  if (!self->writes)
    end_editing (self);
}

/* --- save and take back --- */

void
flg_datasets_forget (FlgDatasetsPage *self)
{
  g_clear_handle_id (&self->forget, g_source_remove);
  g_clear_pointer (&self->saved, flg_dataset_save_unref);
}

static gboolean
on_forget (gpointer data)
{
  FlgDatasetsPage *self = data;
  self->forget = 0;
  flg_datasets_forget (self);
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
  flg_datasets_forget (self);
  if (seconds)
    {
      self->saved = flg_dataset_save_ref (saving->save);
      self->forget = g_timeout_add_seconds (seconds, on_forget, self);
    }
  flw_banner_show (flg_page_banner (FLG_PAGE (self)), FLW_TONE_ACTIVE, saving->words,
                   seconds ? _ ("Undo") : NULL, seconds ? seconds : 5);
}

/* Undecided or refused, the editor stays as it is. */
static void
on_saved (FlgSaveEnd end, const GError *error, gpointer data)
{
  Saving *saving = data;
  FlgDatasetsPage *self = saving->page;
  self->writes--;
  if (self->selection && flg_page_context (FLG_PAGE (self))) /* the page may be gone */
    {
      if (end == FLG_SAVE_DONE || end == FLG_SAVE_THEIRS)
        end_editing (self);
      if (end == FLG_SAVE_DONE)
        {
          offer_undo (saving);
          self->wanted = flg_datasets_page_choose (self, saving->save->dataset) ? 0 : saving->save->dataset;
        }
    }
  flg_dataset_save_unref (saving->save);
  g_free (saving->words);
  g_object_unref (self);
  g_free (saving);
}

static FlgSave *
watched_save (FlgDatasetsPage *self, FlgDatasetSave *save)
{
  FlgSave *watched =
      flg_save_new (flg_dataset_save_write, flg_dataset_save_ref (save), flg_dataset_save_unref);
  flg_save_begun_from (watched, FL_TABLE_DATASET, self->begun->dataset);
  for (guint i = 0; i < self->begun->steps->len; i++)
    flg_save_begun_from (watched, FL_TABLE_TASK,
                         ((const FlgDatasetStep *) self->begun->steps->pdata[i])->task);
  return watched;
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
  self->writes++;
  flg_datasets_ask_nothing (self);
  flg_page_save (FLG_PAGE (self), watched_save (self, saving->save), on_saved, saving);
}

/* Holding is the approval limit just below what this plan begins with: a limit of 0 would be none. */
static int
limit_to_hold (const FlgDatasetPreview *preview)
{
  return MAX ((int) preview->n_first - 1, 1);
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
  gboolean may_hold = preview->n_waiting < preview->n_first && preview->n_first > 1;
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
  if (!draft || self->writes || flg_dataset_editor_complaint (self->editor)
      || flg_datasets_page_is_asking (self))
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
    flg_datasets_ask_nothing (self);
  else
    save (self, g_str_equal (action, "datasets.hold")
                    ? limit_to_hold (flg_dataset_editor_preview (self->editor))
                    : -1);
}

static void
act_undo (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgDatasetsPage *self = FLG_DATASETS_PAGE (widget);
  if (!self->saved) /* Ctrl+Z is then everybody's */
    {
      gtk_widget_activate_action (widget, "win.undo", NULL);
      return;
    }
  FlgDatasetSave *taken = flg_dataset_save_ref (self->saved);
  flg_datasets_forget (self);
  g_autofree char *words =
      g_strdup_printf (taken->before ? _ ("%s is as it was; jobs that had not begun are stopped.")
                                     : _ ("%s is not active; jobs that had not begun are stopped."),
                       taken->draft->dataset->name);
  flg_page_write (FLG_PAGE (self), flg_dataset_save_undo, taken, flg_dataset_save_unref);
  flw_banner_show (flg_page_banner (FLG_PAGE (self)), FLW_TONE_NEUTRAL, words, NULL, 5);
}

/* --- other actions --- */

static void
act_set_active (GtkWidget *widget, const char *action, GVariant *target)
{
  gint64 dataset;
  gboolean active;
  g_variant_get (target, "(xb)", &dataset, &active);
  flg_page_write (FLG_PAGE (widget), flg_edit_write,
                  flg_edit_new (FL_TABLE_DATASET, dataset, "active", active), g_free);
}

static void
act_set_policy (GtkWidget *widget, const char *action, GVariant *target)
{
  flg_page_write (FLG_PAGE (widget), flg_dataset_write_policy, g_variant_ref (target),
                  (GDestroyNotify) g_variant_unref);
}

static void
act_show (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgDatasetsPage *self = FLG_DATASETS_PAGE (widget);
  gint64 id = g_variant_get_int64 (target);
  if (g_str_equal (action, "datasets.show"))
    self->wanted = flg_datasets_page_choose (self, id) ? 0 : id;
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

void
flg_datasets_install_actions (GtkWidgetClass *widget_class)
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
