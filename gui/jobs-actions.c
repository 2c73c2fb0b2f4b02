#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/jobs-private.h"

#include <glib/gi18n.h>

#include "gui/people.h"

#define EXPERIMENT(data) flg_page_experiment (FLG_PAGE (data))

/* --- which jobs --- */

GArray *
flg_jobs_page_selected (FlgJobsPage *self)
{
  GArray *ids = self->view == FLG_JOBS_VIEW_LIST ? flg_job_list_selected (FLG_JOB_LIST (self->list))
                                                 : g_array_new (FALSE, FALSE, sizeof (gint64));
  if (ids->len == 0 && self->chosen)
    g_array_append_val (ids, self->chosen);
  return ids;
}

static GArray *
shown_jobs (FlgJobsPage *self)
{
  guint n;
  FlgRecord *const *jobs = flg_job_model_jobs (self->model, &n);
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (guint i = 0; i < n; i++)
    {
      gint64 id = flg_record_id (jobs[i]);
      g_array_append_val (ids, id);
    }
  return ids;
}

/* Keeps those of `ids` that can be asked that. Takes and gives the array. */
static GArray *
that_fit (FlgJobsPage *self, FlgWishKind kind, GArray *ids)
{
  guint64 now = flg_experiment_now (EXPERIMENT (self));
  GArray *fit = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (guint i = 0; i < ids->len; i++)
    {
      gint64 id = g_array_index (ids, gint64, i);
      const FlJob *job = flg_experiment_job (EXPERIMENT (self), id);
      if (job && flg_wish_fits (kind, job, now))
        g_array_append_val (fit, id);
    }
  g_array_unref (ids);
  return fit;
}

static guint
count_fitting (FlgJobsPage *self, FlgWishKind kind, GArray *ids)
{
  g_autoptr (GArray) fit = that_fit (self, kind, ids);
  return fit->len;
}

/* --- what can be asked --- */

static void
enable (FlgJobsPage *self, const char *action, FlgWishKind kind, gboolean writable)
{
  gtk_widget_action_set_enabled (GTK_WIDGET (self), action,
                                 writable && count_fitting (self, kind, flg_jobs_page_selected (self)) > 0);
}

void
flg_jobs_page_enable_selected (FlgJobsPage *self)
{
  gboolean writable = flg_may_change (EXPERIMENT (self));
  enable (self, "jobs.stop", FLG_WISH_STOP, writable);
  enable (self, "jobs.retry", FLG_WISH_RETRY, writable);
  enable (self, "jobs.approve", FLG_WISH_APPROVE, writable);
  enable (self, "jobs.undo", FLG_WISH_UNDO, writable);
}

static guint
count_shown (FlgJobsPage *self, FlgWishKind kind)
{
  guint64 now = flg_experiment_now (EXPERIMENT (self));
  guint n, fit = 0;
  FlgRecord *const *jobs = flg_job_model_jobs (self->model, &n);
  for (guint i = 0; i < n; i++)
    fit += (guint) flg_wish_fits (kind, flg_record_job (jobs[i]), now);
  return fit;
}

static void
show_button (FlgJobsPage *self, GtkWidget *button, const char *action, FlgWishKind kind, const char *label)
{
  guint n = !flg_may_change (EXPERIMENT (self)) ? 0 : count_shown (self, kind);
  g_autofree char *text = g_strdup_printf ("%s %u", label, n);
  gtk_button_set_label (GTK_BUTTON (button), text);
  gtk_widget_set_visible (button, n > 0);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), action, n > 0);
}

void
flg_jobs_page_enable_shown (FlgJobsPage *self)
{
  show_button (self, self->approve_all, "jobs.approve-all", FLG_WISH_APPROVE, _ ("Approve"));
  show_button (self, self->hold_all, "jobs.hold-all", FLG_WISH_HOLD, _ ("Hold"));
  show_button (self, self->stop_all, "jobs.stop-all", FLG_WISH_STOP, _ ("Stop"));
}

/* --- asking --- */

void
flg_jobs_page_withdraw (FlgJobsPage *self)
{
  g_clear_pointer (&self->asked, flg_wish_free);
  gtk_revealer_set_reveal_child (self->confirm, FALSE);
}

const char *
flg_jobs_page_question (FlgJobsPage *self)
{
  return self->asked ? gtk_label_get_label (self->question) : "";
}

static void
write_wish (FlgJobsPage *self, FlgWish *wish)
{
  flg_page_write (FLG_PAGE (self), flg_wish_write, wish, (GDestroyNotify) flg_wish_free);
}

static void
wish_now (FlgJobsPage *self, FlgWishKind kind, GArray *ids)
{
  GArray *fit = that_fit (self, kind, ids);
  if (fit->len)
    write_wish (self, flg_wish_new (kind, fit));
  else
    g_array_unref (fit);
}

static char *
question_of (const FlgWish *wish)
{
  gboolean stop = wish->kind == FLG_WISH_STOP;
  if (wish->jobs->len == 1)
    return g_strdup_printf (
        stop ? _ ("Stop job %d? What it has processed is kept.")
             : _ ("Run job %d again as a new attempt? It goes on where the last one ended."),
        (int) g_array_index (wish->jobs, gint64, 0));
  return g_strdup_printf (stop ? _ ("Stop %u jobs? What they have processed is kept.")
                               : _ ("Run %u jobs again? They go on where they ended."),
                          wish->jobs->len);
}

/* In place: what it is going to do to how many. */
static void
ask (FlgJobsPage *self, FlgWishKind kind, GArray *ids)
{
  flg_jobs_page_withdraw (self);
  GArray *fit = that_fit (self, kind, ids);
  if (fit->len == 0)
    {
      g_array_unref (fit);
      return;
    }
  self->asked = flg_wish_new (kind, fit);
  g_autofree char *text = question_of (self->asked);
  gtk_label_set_label (self->question, text);
  gtk_revealer_set_reveal_child (self->confirm, TRUE);
}

static void
act_wish (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgJobsPage *self = FLG_JOBS_PAGE (widget);
  if (g_str_equal (action, "jobs.stop"))
    ask (self, FLG_WISH_STOP, flg_jobs_page_selected (self));
  else if (g_str_equal (action, "jobs.retry"))
    ask (self, FLG_WISH_RETRY, flg_jobs_page_selected (self));
  else if (g_str_equal (action, "jobs.stop-all"))
    ask (self, FLG_WISH_STOP, shown_jobs (self));
  else if (g_str_equal (action, "jobs.approve"))
    wish_now (self, FLG_WISH_APPROVE, flg_jobs_page_selected (self));
  else if (g_str_equal (action, "jobs.undo"))
    wish_now (self, FLG_WISH_UNDO, flg_jobs_page_selected (self));
  else if (g_str_equal (action, "jobs.approve-all"))
    wish_now (self, FLG_WISH_APPROVE, shown_jobs (self));
  else
    wish_now (self, FLG_WISH_HOLD, shown_jobs (self));
}

static void
act_confirm (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgJobsPage *self = FLG_JOBS_PAGE (widget);
  if (self->asked)
    write_wish (self, g_steal_pointer (&self->asked));
  flg_jobs_page_withdraw (self);
}

static void
act_cancel (GtkWidget *widget, const char *action, GVariant *target)
{
  flg_jobs_page_withdraw (FLG_JOBS_PAGE (widget));
}

void
flg_jobs_page_install_wishes (GtkWidgetClass *widget_class)
{
  static const char *const wishes[] = { "jobs.stop",     "jobs.retry",       "jobs.approve", "jobs.undo",
                                        "jobs.stop-all", "jobs.approve-all", "jobs.hold-all" };
  for (guint i = 0; i < G_N_ELEMENTS (wishes); i++)
    gtk_widget_class_install_action (widget_class, wishes[i], NULL, act_wish);
  gtk_widget_class_install_action (widget_class, "jobs.confirm", NULL, act_confirm);
  gtk_widget_class_install_action (widget_class, "jobs.cancel", NULL, act_cancel);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_r, GDK_CONTROL_MASK, "jobs.retry", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Delete, GDK_CONTROL_MASK, "jobs.stop", NULL);
}
