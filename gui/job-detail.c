#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/job-detail.h"

#include <glib/gi18n.h>

#include "gui/job-attempts.h"
#include "gui/job-columns.h"
#include "gui/job-row.h"
#include "gui/job-wishes.h"
#include "gui/text.h"
#include "widgets/status-chip.h"

#define SCRIPT_MOST (256u << 10)

struct _FlgJobDetail
{
  GtkBox parent_instance;
  GtkStack *stack, *part_stack;
  GtkLabel *title, *facts, *reason;
  FlwStatusChip *chip;
  GtkWidget *approve, *undo, *density, *weather, *images;
  GtkBox *parts, *attempts;
  GtkLabel *attempt_facts;
  FlgJobLog *log;
  FlgJobAttempts *table;
  FlgJobParams *params;
  FlgContext *context;
  FlgExperiment *experiment;
  FlgJobIndex *index;
  FlgRecord *job; /* NULL: none */
  gint64 attempt; /* chosen; 0 = the newest */
  GCancellable *script;
};

G_DEFINE_FINAL_TYPE (FlgJobDetail, flg_job_detail, GTK_TYPE_BOX)

static const struct
{
  const char *name, *title;
} parts[] = { { "log", N_ ("Log") }, { "attempts", N_ ("Attempts") }, { "parameters", N_ ("Parameters") } };

/* --- the attempts --- */

static const FlAttempt *
shown_attempt (FlgJobDetail *self, GPtrArray *attempts)
{
  for (guint i = 0; i < attempts->len; i++)
    if (flg_record_id (attempts->pdata[i]) == self->attempt)
      return flg_record_attempt (attempts->pdata[i]);
  return attempts->len ? flg_record_attempt (attempts->pdata[attempts->len - 1]) : NULL;
}

static void show_attempts (FlgJobDetail *self);

static void
choose_attempt (FlgJobDetail *self, gint64 attempt)
{
  self->attempt = attempt;
  show_attempts (self);
}

static void
on_attempt_toggled (GtkToggleButton *button, FlgJobDetail *self)
{
  if (gtk_toggle_button_get_active (button))
    choose_attempt (self, *(gint64 *) g_object_get_data (G_OBJECT (button), "attempt"));
}

static void
on_attempt_chosen (FlgJobAttempts *table, gint64 attempt, FlgJobDetail *self)
{
  choose_attempt (self, attempt);
}

static GtkWidget *
attempt_button (const FlAttempt *attempt)
{
  GtkWidget *button = gtk_toggle_button_new (), *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6),
            *chip = flw_status_chip_new ();
  g_autofree char *number = g_strdup_printf ("%d", attempt->number);
  g_autofree char *detail = flg_text_line (attempt->reason);
  gtk_box_append (GTK_BOX (box), gtk_label_new (number));
  flw_status_chip_set_state (FLW_STATUS_CHIP (chip), fl_job_state_name (attempt->state), detail);
  gtk_box_append (GTK_BOX (box), chip);
  gtk_button_set_child (GTK_BUTTON (button), box);
  g_object_set_data_full (G_OBJECT (button), "attempt", g_memdup2 (&attempt->id, sizeof attempt->id), g_free);
  return button;
}

/* The buttons are made again only when what they show has changed. */
static void
show_buttons (FlgJobDetail *self, GPtrArray *attempts, const FlAttempt *shown)
{
  g_autoptr (GString) key = g_string_new (NULL);
  guint first_shown = attempts->len > 6 ? attempts->len - 6 : 0; /* the table has them all */
  for (guint i = first_shown; i < attempts->len; i++)
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
  for (guint i = first_shown; i < attempts->len; i++)
    {
      const FlAttempt *a = flg_record_attempt (attempts->pdata[i]);
      GtkWidget *button = attempt_button (a);
      if (first)
        gtk_toggle_button_set_group (GTK_TOGGLE_BUTTON (button), first);
      else
        first = GTK_TOGGLE_BUTTON (button);
      gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (button), a == shown);
      g_signal_connect_object (button, "toggled", G_CALLBACK (on_attempt_toggled), self, 0);
      gtk_box_append (self->attempts, button);
    }
}

static void
show_attempt_facts (FlgJobDetail *self, const FlAttempt *attempt)
{
  if (!attempt)
    {
      gtk_label_set_label (self->attempt_facts, _ ("not submitted yet: no log"));
      return;
    }
  guint64 now = flg_experiment_now (self->experiment);
  g_autofree char *started = flg_format_time (attempt->started ? attempt->started : attempt->submitted, now);
  g_autofree char *elapsed = flg_format_elapsed (attempt->started, attempt->ended, now);
  g_autofree char *ended = flg_attempt_exit (attempt), *remote = flg_text_line (attempt->remote_id);
  g_autofree char *facts =
      g_strdup_printf (attempt->exit_code < 0 ? _ ("%s · %s%s%s") : _ ("%s · %s%s%s · exit %s"), started,
                       elapsed, *remote ? _ (" · id ") : "", remote, ended);
  gtk_label_set_label (self->attempt_facts, facts);
}

static void
show_attempts (FlgJobDetail *self)
{
  if (!self->job)
    return;
  const FlJob *job = flg_record_job (self->job);
  g_autoptr (GPtrArray) attempts = flg_experiment_attempts (self->experiment, job->id);
  const FlAttempt *attempt = shown_attempt (self, attempts);
  show_buttons (self, attempts, attempt);
  show_attempt_facts (self, attempt);
  flg_job_attempts_show (self->table, attempts, attempt ? attempt->id : 0);
  flg_job_params_show (self->params, job, attempt);
  flg_job_log_show (self->log, job, attempt);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "jobs.copy-script", attempt != NULL);
}

/* --- the job --- */

static void
show_facts (FlgJobDetail *self, const FlJob *job)
{
  const FlTrial *trial = flg_experiment_trial (self->experiment, job->trial);
  const FlTask *task = flg_job_index_task (self->index, job);
  const FlJobStats *stats = flg_experiment_job_stats (self->experiment, job->id);
  g_autofree char *what = flg_job_of_what (self->index, job),
                  *name = flg_text_line (trial ? trial->name : "");
  g_autoptr (GString) facts = g_string_new (NULL);
  g_string_append_printf (facts, job->run ? _ ("run %s · trial %d %s · %s") : _ ("%s · trial %d %s · %s"),
                          what, trial ? trial->number : 0, name, task ? task->name : "–");
  if (stats && stats->shots > 0)
    {
      g_autofree char *shots = flg_format_count (stats->shots),
                      *hits = flg_format_percent (stats->hits, stats->shots);
      g_string_append_printf (facts, _ (" · %s shots · %s hits"), shots, hits);
      if (stats->failed + stats->set_aside)
        {
          g_autofree char *failed = flg_format_count (stats->failed + stats->set_aside);
          g_string_append_printf (facts, _ (" · %s failed shots"), failed);
        }
    }
  g_autofree char *line = flg_text_line (facts->str);
  gtk_label_set_label (self->facts, line);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->facts), line);
}

/* Where there is something of it to see. */
static void
show_places (FlgJobDetail *self, const FlJob *job)
{
  const FlTask *task = flg_job_index_task (self->index, job);
  gboolean density = task && (g_str_equal (task->type, "map") || g_str_equal (task->type, "reconstruct"));
  gtk_widget_set_visible (self->density, density);
  gtk_widget_set_visible (self->weather, job->run != 0);
  gtk_widget_set_visible (self->images, job->run != 0);
}

static void
show_state (FlgJobDetail *self, const FlJob *job)
{
  guint64 now = flg_experiment_now (self->experiment);
  FlgShownState state = flg_job_shown_state (job, now);
  FlwShape shape;
  FlwTone tone;
  flg_shown_state_look (state, &shape, &tone);
  flw_status_chip_set (self->chip, shape, tone, flg_shown_state_name (state));
  g_autofree char *reason = flg_job_explain (self->index, job);
  gtk_label_set_label (self->reason, reason);
  gtk_widget_set_visible (GTK_WIDGET (self->reason), *reason != '\0');
  gboolean bad = state == FLG_SHOWN_FAILED || state == FLG_SHOWN_TIMED_OUT; /* to wait is nothing bad */
  gtk_widget_set_css_classes (GTK_WIDGET (self->reason),
                              (const char *[]){ "job-reason", bad ? "reason" : "waits", NULL });
  show_places (self, job);
  gtk_widget_set_visible (self->approve, flg_wish_fits (FLG_WISH_APPROVE, job, now));
  gtk_widget_set_visible (self->undo, flg_wish_fits (FLG_WISH_UNDO, job, now));
}

void
flg_job_detail_show (FlgJobDetail *self, FlgRecord *record, guint selected)
{
  gboolean another = !record || !self->job || flg_record_id (record) != flg_record_id (self->job);
  g_set_object (&self->job, record);
  gtk_stack_set_visible_child_name (self->stack, record ? "job" : "none");
  if (another)
    {
      self->attempt = 0;
      g_cancellable_cancel (self->script);
    }
  if (!record)
    {
      flg_job_log_show (self->log, NULL, NULL);
      gtk_label_set_label (self->reason, "");
      return;
    }
  const FlJob *job = flg_record_job (record);
  g_autofree char *title = selected > 1
                               ? g_strdup_printf (_ ("Job %d (and %u more)"), (int) job->id, selected - 1)
                               : g_strdup_printf (_ ("Job %d"), (int) job->id);
  gtk_label_set_label (self->title, title);
  show_facts (self, job);
  show_state (self, job);
  show_attempts (self);
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

FlgJobLog *
flg_job_detail_log (FlgJobDetail *self)
{
  return self->log;
}

FlgJobParams *
flg_job_detail_params (FlgJobDetail *self)
{
  return self->params;
}

gboolean
flg_job_detail_is_settled (FlgJobDetail *self)
{
  return flg_job_log_is_settled (self->log);
}

/* --- actions --- */

/* The request outlives the widget: it is touched only when it was not cancelled. */
static void
on_script (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  FlViewLog *log = fl_view_client_log_finish (FL_VIEW_CLIENT (source), result, &error);
  if (!log)
    {
      if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        gtk_label_set_label (FLG_JOB_DETAIL (data)->attempt_facts, error->message);
      return;
    }
  gsize length;
  const char *bytes = g_bytes_get_data (log->bytes, &length);
  g_autofree char *text = g_utf8_make_valid (bytes, (gssize) length);
  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (data)), text);
  gtk_label_set_label (FLG_JOB_DETAIL (data)->attempt_facts, _ ("the script is in the clipboard"));
  fl_view_log_unref (log);
}

static void
act_copy_script (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgJobDetail *self = FLG_JOB_DETAIL (widget);
  if (!self->job)
    return;
  const FlJob *job = flg_record_job (self->job);
  g_autoptr (GPtrArray) attempts = flg_experiment_attempts (self->experiment, job->id);
  const FlAttempt *attempt = shown_attempt (self, attempts);
  FlViewClient *view = flg_context_view_for_job (self->context, job);
  g_autofree char *path = attempt ? flg_experiment_attempt_path (self->experiment, attempt, ".sh") : NULL;
  if (!path || !view)
    return;
  g_cancellable_cancel (self->script);
  g_clear_object (&self->script);
  self->script = g_cancellable_new ();
  FlViewLogRequest request = { path, 0, SCRIPT_MOST };
  fl_view_client_log_async (view, &request, self->script, on_script, self);
}

static void
show_part (FlgJobDetail *self, guint part)
{
  gtk_stack_set_visible_child_name (self->part_stack, parts[part].name);
}

static void
on_part (GtkToggleButton *button, FlgJobDetail *self)
{
  if (gtk_toggle_button_get_active (button))
    show_part (self, GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (button), "part")));
}

static void
act_part (GtkWidget *widget, const char *action, GVariant *target)
{
  GtkWidget *button = gtk_widget_get_first_child (GTK_WIDGET (FLG_JOB_DETAIL (widget)->parts));
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++, button = gtk_widget_get_next_sibling (button))
    if (g_str_equal (parts[i].name, g_variant_get_string (target, NULL)))
      gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (button), TRUE);
}

static void
act_attempt (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgJobDetail *self = FLG_JOB_DETAIL (widget);
  if (!self->job)
    return;
  g_autoptr (GPtrArray) attempts = flg_experiment_attempts (self->experiment, flg_record_id (self->job));
  for (guint i = 0; i < attempts->len; i++)
    if (flg_record_attempt (attempts->pdata[i])->number == g_variant_get_int64 (target))
      choose_attempt (self, flg_record_id (attempts->pdata[i]));
}

/* --- the widget --- */

void
flg_job_detail_set_context (FlgJobDetail *self, FlgContext *context, FlgJobIndex *index)
{
  self->context = g_object_ref (context);
  self->experiment = g_object_ref (flg_context_experiment (context));
  self->index = index;
  flg_job_log_set_context (self->log, context);
  flg_job_attempts_set_experiment (self->table, self->experiment);
  flg_job_params_set_experiment (self->params, self->experiment);
  g_signal_connect_object (self->table, "chosen", G_CALLBACK (on_attempt_chosen), self, 0);
}

static void
flg_job_detail_dispose (GObject *object)
{
  FlgJobDetail *self = FLG_JOB_DETAIL (object);
  g_cancellable_cancel (self->script);
  g_clear_object (&self->script);
  g_clear_object (&self->job);
  g_clear_object (&self->experiment);
  g_clear_object (&self->context);
  gtk_widget_dispose_template (GTK_WIDGET (self), FLG_TYPE_JOB_DETAIL);
  G_OBJECT_CLASS (flg_job_detail_parent_class)->dispose (object);
}

static void
bind_children (GtkWidgetClass *widget_class)
{
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, stack);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, part_stack);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, title);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, facts);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, reason);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, chip);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, approve);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, density);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, weather);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, images);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, undo);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, parts);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, attempts);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, attempt_facts);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, log);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, table);
  gtk_widget_class_bind_template_child (widget_class, FlgJobDetail, params);
}

static void
flg_job_detail_class_init (FlgJobDetailClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = flg_job_detail_dispose;
  g_type_ensure (FLW_TYPE_STATUS_CHIP);
  g_type_ensure (FLG_TYPE_JOB_LOG);
  g_type_ensure (FLG_TYPE_JOB_ATTEMPTS);
  g_type_ensure (FLG_TYPE_JOB_PARAMS);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/job-detail.ui");
  bind_children (widget_class);
  gtk_widget_class_install_action (widget_class, "jobs.copy-script", NULL, act_copy_script);
  gtk_widget_class_install_action (widget_class, "job.part", "s", act_part);
  gtk_widget_class_install_action (widget_class, "job.attempt", "x", act_attempt);
}

static void
flg_job_detail_init (FlgJobDetail *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  GtkWidget *first = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      GtkWidget *button = gtk_toggle_button_new_with_label (_ (parts[i].title));
      if (first)
        gtk_toggle_button_set_group (GTK_TOGGLE_BUTTON (button), GTK_TOGGLE_BUTTON (first));
      else
        first = button;
      g_object_set_data (G_OBJECT (button), "part", GUINT_TO_POINTER (i));
      gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (button), i == 0);
      g_signal_connect_object (button, "toggled", G_CALLBACK (on_part), self, 0);
      gtk_box_append (self->parts, button);
    }
}
