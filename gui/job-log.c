#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/job-log.h"

#include <glib/gi18n.h>

#include "gui/log-tail.h"

struct _FlgJobLog
{
  GtkBox parent_instance;
  FlgContext *context;
  FlgLogTail *tail;
  GtkWidget *log, *files[3] /* errors, output, script */, *note;
  gint64 job, attempt; /* 0: none */
};

G_DEFINE_FINAL_TYPE (FlgJobLog, flg_job_log, GTK_TYPE_BOX)

enum
{
  ERRORS,
  OUTPUT,
  SCRIPT,
  N_FILES
};

/* Beside the attempt's folder (engine/control/site.h). */
static const struct
{
  const char *name, *suffix, *title;
} files[N_FILES] = { { "errors", ".err", N_ ("Errors") },
                     { "output", ".out", N_ ("Output") },
                     { "script", ".sh", N_ ("Script") } };

static void
on_told (gpointer data)
{
  FlgJobLog *self = data;
  gtk_label_set_label (GTK_LABEL (self->note), flg_log_tail_note (self->tail));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "log-file.end", !flg_log_tail_is_at_end (self->tail));
}

static const char *
chosen_suffix (FlgJobLog *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    if (gtk_toggle_button_get_active (GTK_TOGGLE_BUTTON (self->files[i])))
      return files[i].suffix;
  return files[0].suffix;
}

static void
follow (FlgJobLog *self)
{
  FlgExperiment *experiment = flg_context_experiment (self->context);
  FlgRecord *record =
      flg_record_model_find (flg_experiment_table (experiment, FL_TABLE_ATTEMPT), self->attempt);
  const FlJob *job = flg_experiment_job (experiment, self->job);
  if (!record || !job)
    {
      flg_log_tail_follow (self->tail, NULL, NULL, FALSE);
      return;
    }
  const FlAttempt *attempt = flg_record_attempt (record);
  g_autofree char *path = flg_experiment_attempt_path (experiment, attempt, chosen_suffix (self));
  flg_log_tail_follow (self->tail, flg_context_view_for_job (self->context, job), path,
                       !fl_job_state_is_final (attempt->state));
}

static void
on_file (GtkToggleButton *button, FlgJobLog *self)
{
  if (gtk_toggle_button_get_active (button))
    follow (self);
}

/* What is most worth reading: why it went wrong, or what it has to say. */
static guint
first_choice (const FlAttempt *attempt)
{
  return attempt->state > FL_JOB_DONE && attempt->state < FL_JOB_STATE_LAST ? ERRORS : OUTPUT;
}

void
flg_job_log_show (FlgJobLog *self, const FlJob *job, const FlAttempt *attempt)
{
  gboolean another = attempt && attempt->id != self->attempt;
  self->job = job ? job->id : 0;
  self->attempt = attempt ? attempt->id : 0;
  if (another)
    gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (self->files[first_choice (attempt)]), TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    gtk_widget_set_sensitive (self->files[i], attempt != NULL);
  follow (self);
}

char *
flg_job_log_text (FlgJobLog *self)
{
  return flw_log_view_get_text (FLW_LOG_VIEW (self->log));
}

char *
flg_job_log_selected (FlgJobLog *self)
{
  return flw_log_view_get_selected (FLW_LOG_VIEW (self->log));
}

const char *
flg_job_log_note (FlgJobLog *self)
{
  return flg_log_tail_note (self->tail);
}

gboolean
flg_job_log_is_settled (FlgJobLog *self)
{
  return flg_log_tail_is_settled (self->tail);
}

/* --- actions --- */

static void
act_find (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgJobLog *self = FLG_JOB_LOG (widget);
  const char *text = flw_log_view_get_searched (FLW_LOG_VIEW (self->log));
  if (*text)
    flg_log_tail_find (self->tail, text, FALSE);
  else
    flw_log_view_begin_search (FLW_LOG_VIEW (self->log), NULL);
}

static void
act_search (GtkWidget *widget, const char *action, GVariant *target)
{
  flw_log_view_begin_search (FLW_LOG_VIEW (FLG_JOB_LOG (widget)->log),
                             target ? g_variant_get_string (target, NULL) : NULL);
}

static void
act_first_error (GtkWidget *widget, const char *action, GVariant *target)
{
  flg_log_tail_find (FLG_JOB_LOG (widget)->tail, "", TRUE);
}

static void
act_end (GtkWidget *widget, const char *action, GVariant *target)
{
  flg_log_tail_show_end (FLG_JOB_LOG (widget)->tail);
}

static void
act_show (GtkWidget *widget, const char *action, GVariant *target)
{
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    if (g_str_equal (files[i].name, g_variant_get_string (target, NULL)))
      gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (FLG_JOB_LOG (widget)->files[i]), TRUE);
}

static gboolean
on_error_asked (FlwLogView *log, gboolean last, FlgJobLog *self)
{
  if (last || !self->attempt)
    return FALSE; /* the last one is in what is loaded */
  act_first_error (GTK_WIDGET (self), NULL, NULL);
  return TRUE;
}

/* --- the widget --- */

void
flg_job_log_set_context (FlgJobLog *self, FlgContext *context)
{
  self->context = g_object_ref (context);
  self->tail = flg_log_tail_new (FLW_LOG_VIEW (self->log), on_told, self);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "log-file.end", FALSE);
}

static void
flg_job_log_dispose (GObject *object)
{
  FlgJobLog *self = FLG_JOB_LOG (object);
  g_clear_pointer (&self->tail, flg_log_tail_free);
  g_clear_object (&self->context);
  G_OBJECT_CLASS (flg_job_log_parent_class)->dispose (object);
}

static void
flg_job_log_class_init (FlgJobLogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = flg_job_log_dispose;
  gtk_widget_class_install_action (widget_class, "log-file.find", NULL, act_find);
  gtk_widget_class_install_action (widget_class, "log-file.search", NULL, act_search);
  gtk_widget_class_install_action (widget_class, "log-file.search-for", "s", act_search);
  gtk_widget_class_install_action (widget_class, "log-file.first-error", NULL, act_first_error);
  gtk_widget_class_install_action (widget_class, "log-file.end", NULL, act_end);
  gtk_widget_class_install_action (widget_class, "log-file.show", "s", act_show);
}

static GtkWidget *
button_new (const char *label, const char *action, const char *tooltip)
{
  GtkWidget *button = gtk_button_new_with_label (label);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), action);
  gtk_widget_set_tooltip_text (button, tooltip);
  return button;
}

static void
add_files (FlgJobLog *self, GtkBox *row)
{
  GtkWidget *linked = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);
  gtk_widget_add_css_class (linked, "linked");
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      self->files[i] = gtk_toggle_button_new_with_label (_ (files[i].title));
      if (i > 0)
        gtk_toggle_button_set_group (GTK_TOGGLE_BUTTON (self->files[i]), GTK_TOGGLE_BUTTON (self->files[0]));
      gtk_box_append (GTK_BOX (linked), self->files[i]);
    }
  gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (self->files[0]), TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    g_signal_connect_object (self->files[i], "toggled", G_CALLBACK (on_file), self, 0);
  gtk_box_append (row, linked);
}

static void
flg_job_log_init (FlgJobLog *self)
{
  GtkBox *row = GTK_BOX (gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0));
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  gtk_widget_add_css_class (GTK_WIDGET (row), "tools");
  add_files (self, row);
  self->note = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (self->note), 0);
  gtk_label_set_ellipsize (GTK_LABEL (self->note), PANGO_ELLIPSIZE_END);
  gtk_widget_set_hexpand (self->note, TRUE);
  gtk_widget_add_css_class (self->note, "dim-label");
  gtk_box_append (row, self->note);
  gtk_box_append (row, button_new (_ ("First error"), "log-file.first-error",
                                   _ ("The first line of the whole file that looks like an error (E)")));
  gtk_box_append (row, button_new (_ ("Search"), "log-file.search", _ ("Search (Ctrl+F)")));
  gtk_box_append (row, button_new (_ ("End"), "log-file.end", _ ("Follow the end of the file again")));
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (row));
  self->log = flw_log_view_new ();
  gtk_widget_set_vexpand (self->log, TRUE);
  flw_log_view_add_to_search (FLW_LOG_VIEW (self->log),
                              button_new (_ ("Next in whole file"), "log-file.find",
                                          _ ("Looks for it in all of the file, where it lies")));
  g_signal_connect_object (self->log, "error-asked", G_CALLBACK (on_error_asked), self, 0);
  gtk_box_append (GTK_BOX (self), self->log);
}
