#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/job-detail.h"

#include <glib/gi18n.h>

#include "gui/job-columns.h"
#include "gui/log-tail.h"
#include "gui/text.h"
#include "widgets/status-chip.h"

struct _FlgJobDetail
{
  GtkBox parent_instance;
  GtkStack *stack;
  GtkLabel *title, *facts, *reason;
  FlwStatusChip *chip;
  GtkRevealer *confirm;
  GtkLabel *question;
  GtkBox *attempts;
  GtkLabel *attempt_facts;
  GtkLabel *script;
  GtkDropDown *file_choice;
  FlwLogView *log;
  FlgExperiment *experiment;
  FlgLogTail *tail;
  FlgRecord *job; /* NULL: none */
  gint64 attempt; /* shown; 0 = the newest */
};

G_DEFINE_FINAL_TYPE (FlgJobDetail, flg_job_detail, GTK_TYPE_BOX)

/* Beside the attempt's folder (engine/control/site.h); in the order of the drop-down. */
static const char *const log_suffixes[] = { ".err", ".out", ".sh" };

static const FlAttempt *
shown_attempt (FlgJobDetail *self, GPtrArray *attempts)
{
  for (guint i = 0; i < attempts->len; i++)
    if (flg_record_id (attempts->pdata[i]) == self->attempt)
      return flg_record_attempt (attempts->pdata[i]);
  return attempts->len ? flg_record_attempt (attempts->pdata[attempts->len - 1]) : NULL;
}

static void show_log (FlgJobDetail *self);

static void
on_attempt_toggled (GtkToggleButton *button, FlgJobDetail *self)
{
  if (!gtk_toggle_button_get_active (button))
    return;
  self->attempt = *(gint64 *) g_object_get_data (G_OBJECT (button), "attempt");
  show_log (self);
}

static GtkWidget *
attempt_button (FlgJobDetail *self, const FlAttempt *attempt)
{
  GtkWidget *button = gtk_toggle_button_new ();
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  g_autofree char *number = g_strdup_printf ("%d", attempt->number);
  gtk_box_append (GTK_BOX (box), gtk_label_new (number));
  GtkWidget *chip = flw_status_chip_new ();
  flw_status_chip_set_state (FLW_STATUS_CHIP (chip), fl_job_state_name (attempt->state), attempt->reason);
  gtk_box_append (GTK_BOX (box), chip);
  gtk_button_set_child (GTK_BUTTON (button), box);
  g_object_set_data_full (G_OBJECT (button), "attempt", g_memdup2 (&attempt->id, sizeof attempt->id), g_free);
  return button;
}

/* The buttons are made again only when what they show has changed. */
static void
show_attempts (FlgJobDetail *self, GPtrArray *attempts, const FlAttempt *shown)
{
  g_autoptr (GString) key = g_string_new (NULL);
  for (guint i = 0; i < attempts->len; i++)
    {
      const FlAttempt *a = flg_record_attempt (attempts->pdata[i]);
      g_string_append_printf (key, "%d:%d:%d ", (int) a->id, (int) a->state, shown == a);
    }
  if (g_strcmp0 (key->str, g_object_get_data (G_OBJECT (self->attempts), "key")) == 0)
    return;
  g_object_set_data_full (G_OBJECT (self->attempts), "key", g_strdup (key->str), g_free);
  GtkWidget *child;
  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->attempts))))
    gtk_box_remove (self->attempts, child);
  GtkToggleButton *first = NULL;
  for (guint i = 0; i < attempts->len; i++)
    {
      const FlAttempt *a = flg_record_attempt (attempts->pdata[i]);
      GtkWidget *button = attempt_button (self, a);
      if (first)
        gtk_toggle_button_set_group (GTK_TOGGLE_BUTTON (button), first);
      else
        first = GTK_TOGGLE_BUTTON (button);
      gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (button), a == shown);
      g_signal_connect_object (button, "toggled", G_CALLBACK (on_attempt_toggled), self, 0);
      gtk_box_append (self->attempts, button);
    }
}

static char *
exit_text (const FlAttempt *attempt)
{
  if (attempt->exit_code < 0)
    return g_strdup ("");
  if (attempt->exit_code > 128)
    return g_strdup_printf (_ (" · ended by signal %d (%s)"), attempt->exit_code - 128,
                            g_strsignal (attempt->exit_code - 128));
  return g_strdup_printf (_ (" · exit code %d"), attempt->exit_code);
}

static void
show_attempt (FlgJobDetail *self, const FlAttempt *attempt)
{
  gtk_widget_set_sensitive (GTK_WIDGET (self->file_choice), attempt != NULL);
  if (!attempt)
    {
      gtk_label_set_label (self->attempt_facts, _ ("Not submitted yet: no log."));
      gtk_label_set_label (self->script, "");
      flg_log_tail_follow (self->tail, NULL, FALSE);
      return;
    }
  guint64 now = flg_experiment_now (self->experiment);
  g_autofree char *started = flg_format_time (attempt->started ? attempt->started : attempt->submitted, now);
  g_autofree char *elapsed = flg_format_elapsed (attempt->started, attempt->ended, now);
  g_autofree char *ended = exit_text (attempt);
  g_autofree char *facts = g_strdup_printf (_ ("attempt %d · %s · %s%s%s%s%s%s"), attempt->number, started,
                                            elapsed, ended, *attempt->nodes ? " · " : "", attempt->nodes,
                                            *attempt->remote_id ? " · id " : "", attempt->remote_id);
  gtk_label_set_label (self->attempt_facts, facts);
  gtk_label_set_label (self->script, attempt->command);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->script), *attempt->script ? attempt->script : NULL);
  g_autofree char *folder = flg_experiment_attempt_folder (self->experiment, attempt);
  guint choice = gtk_drop_down_get_selected (self->file_choice);
  g_autofree char *path = folder ? g_strconcat (folder, log_suffixes[MIN (choice, 2)], NULL) : NULL;
  flg_log_tail_follow (self->tail, path, !fl_job_state_is_final (attempt->state));
}

static void
show_log (FlgJobDetail *self)
{
  if (!self->job)
    return;
  g_autoptr (GPtrArray) attempts = flg_experiment_attempts (self->experiment, flg_record_id (self->job));
  const FlAttempt *attempt = shown_attempt (self, attempts);
  show_attempts (self, attempts, attempt);
  show_attempt (self, attempt);
}

static void
show_facts (FlgJobDetail *self, const FlJob *job)
{
  const FlTrial *trial = flg_experiment_trial (self->experiment, job->trial);
  const FlJobStats *stats = flg_experiment_job_stats (self->experiment, job->id);
  g_autofree char *shots = flg_format_count (stats ? stats->shots : 0);
  g_autofree char *hits = flg_format_percent (stats ? stats->hits : 0, stats ? stats->shots : 0);
  g_autofree char *failed = flg_format_count (stats ? stats->failed + stats->set_aside : 0);
  g_autofree char *facts =
      g_strdup_printf (_ ("run %s · trial %d %s · %s shots · %s hits · %s failed shots"),
                       flg_job_run_name (self->experiment, job), trial ? trial->number : 0,
                       trial ? trial->name : "", shots, hits, failed);
  gtk_label_set_label (self->facts, facts);
}

void
flg_job_detail_show (FlgJobDetail *self, FlgRecord *record, const char *reason)
{
  gboolean another = !record || !self->job || flg_record_id (record) != flg_record_id (self->job);
  g_set_object (&self->job, record);
  gtk_stack_set_visible_child_name (self->stack, record ? "job" : "none");
  if (!record)
    {
      flg_log_tail_follow (self->tail, NULL, FALSE);
      return;
    }
  if (another)
    {
      self->attempt = 0;
      flg_job_detail_ask (self, NULL);
    }
  const FlJob *job = flg_record_job (record);
  g_autofree char *title = g_strdup_printf (_ ("Job %d"), (int) job->id);
  gtk_label_set_label (self->title, title);
  flw_status_chip_set_state (self->chip, fl_job_state_name (job->state), job->reason);
  show_facts (self, job);
  gtk_label_set_label (self->reason, reason);
  gtk_widget_set_visible (GTK_WIDGET (self->reason), *reason != '\0');
  /* To wait is nothing bad. */
  gtk_widget_set_css_classes (
      GTK_WIDGET (self->reason),
      (const char *[]){ fl_job_state_is_final (job->state) ? "reason" : "waits", NULL });
  show_log (self);
}

gint64
flg_job_detail_shown (FlgJobDetail *self)
{
  return self->job ? flg_record_id (self->job) : 0;
}

const char *
flg_job_detail_reason (FlgJobDetail *self)
{
  return gtk_label_get_label (self->reason);
}

void
flg_job_detail_ask (FlgJobDetail *self, const char *question)
{
  if (question)
    gtk_label_set_label (self->question, question);
  gtk_revealer_set_reveal_child (self->confirm, question != NULL);
}

gboolean
flg_job_detail_is_settled (FlgJobDetail *self)
{
  return flg_log_tail_is_settled (self->tail);
}

void
flg_job_detail_set_context (FlgJobDetail *self, FlgContext *context)
{
  self->experiment = g_object_ref (flg_context_experiment (context));
  self->tail = flg_log_tail_new (self->log, flg_context_view (context));
}

static void
flg_job_detail_dispose (GObject *object)
{
  FlgJobDetail *self = FLG_JOB_DETAIL (object);
  g_clear_pointer (&self->tail, flg_log_tail_free);
  g_clear_object (&self->job);
  g_clear_object (&self->experiment);
  gtk_widget_dispose_template (GTK_WIDGET (self), FLG_TYPE_JOB_DETAIL);
  G_OBJECT_CLASS (flg_job_detail_parent_class)->dispose (object);
}

static void
flg_job_detail_class_init (FlgJobDetailClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = flg_job_detail_dispose;
  g_type_ensure (FLW_TYPE_STATUS_CHIP);
  g_type_ensure (FLW_TYPE_LOG_VIEW);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/job-detail.ui");
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, stack);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, title);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, facts);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, reason);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, chip);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, confirm);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, question);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, attempts);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, attempt_facts);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, script);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, file_choice);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, log);
  gtk_widget_class_bind_template_callback (widget_class, show_log);
}

static void
flg_job_detail_init (FlgJobDetail *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
