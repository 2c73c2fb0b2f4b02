#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/jobs-page.h"

#include <glib/gi18n.h>

#include "gui/job-columns.h"
#include "gui/job-detail.h"
#include "gui/text.h"
#include "widgets/empty-state.h"

/* Of the page's height, in %; the rest is the chosen job's. */
#define TABLE_SHARE 55

typedef enum
{
  ASK_NOTHING,
  ASK_STOP,
  ASK_RETRY
} Asked;

struct _FlgJobsPage
{
  FlgPage parent_instance;
  GtkColumnView *table;
  GtkStack *stack;
  FlgJobDetail *detail;
  FlwEmptyState *empty;
  GtkSearchEntry *filter;
  GtkDropDown *state_choice;
  GtkLabel *count;
  GtkPaned *paned;
  gboolean divided;
  FlgJobColumns columns;
  GtkCustomFilter *matcher;
  GtkFilterListModel *filtered;
  GtkSingleSelection *selection;
  Asked asked;
  gint64 asked_job;
  gint64 wanted; /* to be selected once it is there */
  guint beat;
};

G_DEFINE_FINAL_TYPE (FlgJobsPage, flg_jobs_page, FLG_TYPE_PAGE)

#define EXPERIMENT(data) flg_page_experiment (FLG_PAGE (data))

/* --- the job in detail --- */

static const FlJob *
selected_job (FlgJobsPage *self)
{
  FlgRecord *record = gtk_single_selection_get_selected_item (self->selection);
  return record ? flg_record_job (record) : NULL;
}

static void
show_detail (FlgJobsPage *self)
{
  FlgRecord *record = gtk_single_selection_get_selected_item (self->selection);
  const FlJob *job = record ? flg_record_job (record) : NULL;
  gboolean writable = job && !flg_experiment_is_read_only (EXPERIMENT (self));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "jobs.stop",
                                 writable && !fl_job_state_is_final (job->state) && !job->stop_wanted);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "jobs.retry",
                                 writable && fl_job_state_is_final (job->state) && job->state != FL_JOB_DONE
                                     && !job->retry_wanted);
  flg_job_detail_show (self->detail, record, job ? flg_job_columns_reason (&self->columns, job) : "");
}

/* --- filter --- */

static gboolean
state_matches (FlgJobsPage *self, FlJobState state)
{
  switch (gtk_drop_down_get_selected (self->state_choice))
    {
    case 1:
      return !fl_job_state_is_final (state);
    case 2:
      return state == FL_JOB_FAILED || state == FL_JOB_TIMED_OUT;
    case 3:
      return state == FL_JOB_DONE;
    default:
      return TRUE;
    }
}

static gboolean
matches (gpointer item, gpointer data)
{
  FlgJobsPage *self = data;
  const FlJob *job = flg_record_job (item);
  if (!state_matches (self, job->state))
    return FALSE;
  const char *wanted = gtk_editable_get_text (GTK_EDITABLE (self->filter));
  if (!*wanted)
    return TRUE;
  const FlTrial *trial = flg_experiment_trial (EXPERIMENT (self), job->trial);
  g_autofree char *all = g_strdup_printf (
      "%d %s trial %d %s %s %s", (int) job->id, flg_job_run_name (EXPERIMENT (self), job),
      trial ? trial->number : 0, trial ? trial->name : "", fl_job_state_name (job->state), job->reason);
  return flg_text_has_words (all, wanted);
}

static void
show_counts (FlgJobsPage *self)
{
  guint all = flg_record_model_count (flg_experiment_table (EXPERIMENT (self), FL_TABLE_JOB));
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->filtered));
  g_autofree char *text = n == all ? g_strdup_printf (ngettext ("%u job", "%u jobs", all), all)
                                   : g_strdup_printf (_ ("%u of %u jobs"), n, all);
  gtk_label_set_label (self->count, text);
  gtk_stack_set_visible_child_name (
      self->stack, all == 0 && flg_experiment_is_filled (EXPERIMENT (self)) ? "empty" : "table");
}

static void
on_filter_changed (FlgJobsPage *self)
{
  gtk_filter_changed (GTK_FILTER (self->matcher), GTK_FILTER_CHANGE_DIFFERENT);
  show_counts (self);
}

static void
on_filter_stopped (FlgJobsPage *self)
{
  gtk_editable_set_text (GTK_EDITABLE (self->filter), "");
  gtk_widget_grab_focus (GTK_WIDGET (self->table));
}

static gboolean
select_job (FlgJobsPage *self, gint64 job)
{
  GListModel *model = G_LIST_MODEL (self->selection);
  for (guint i = 0; i < g_list_model_get_n_items (model); i++)
    {
      g_autoptr (FlgRecord) record = g_list_model_get_item (model, i);
      if (flg_record_id (record) != job)
        continue;
      gtk_single_selection_set_selected (self->selection, i);
      gtk_widget_activate_action (gtk_widget_get_last_child (GTK_WIDGET (self->table)), "list.scroll-to-item",
                                  "u", i);
      return TRUE;
    }
  return FALSE;
}

void
flg_jobs_page_show (FlgJobsPage *self, gint64 job)
{
  self->wanted = 0;
  if (select_job (self, job))
    return;
  gtk_drop_down_set_selected (self->state_choice, 0);
  gtk_editable_set_text (GTK_EDITABLE (self->filter), "");
  on_filter_changed (self);
  if (!select_job (self, job))
    self->wanted = job;
}

const char *
flg_jobs_page_reason (FlgJobsPage *self)
{
  return flg_job_detail_reason (self->detail);
}

gint64
flg_jobs_page_shown (FlgJobsPage *self)
{
  return flg_job_detail_shown (self->detail);
}

/* --- actions --- */

static void
ask (FlgJobsPage *self, Asked asked)
{
  const FlJob *job = selected_job (self);
  if (!job)
    return;
  self->asked = asked;
  self->asked_job = job->id;
  g_autofree char *text = g_strdup_printf (
      asked == ASK_STOP ? _ ("Stop job %d? What it has processed is kept.")
                        : _ ("Run job %d again as a new attempt? It goes on where the last one ended."),
      (int) job->id);
  flg_job_detail_ask (self->detail, text);
}

static void
act_stop (GtkWidget *widget, const char *action, GVariant *target)
{
  ask (FLG_JOBS_PAGE (widget), ASK_STOP);
}

static void
act_retry (GtkWidget *widget, const char *action, GVariant *target)
{
  ask (FLG_JOBS_PAGE (widget), ASK_RETRY);
}

static gpointer
write_stop (FlStore *store, gpointer data, GError **error)
{
  return GINT_TO_POINTER (fl_store_want_stop (store, *(gint64 *) data, error));
}

static gpointer
write_retry (FlStore *store, gpointer data, GError **error)
{
  return GINT_TO_POINTER (fl_store_want_retry (store, *(gint64 *) data, error));
}

static void
act_confirm (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgJobsPage *self = FLG_JOBS_PAGE (widget);
  if (self->asked == ASK_NOTHING)
    return;
  gboolean stop = self->asked == ASK_STOP;
  g_autofree char *what =
      g_strdup_printf ("asked to %s job %" G_GINT64_FORMAT, stop ? "stop" : "retry", self->asked_job);
  flg_page_write (FLG_PAGE (self), what, stop ? write_stop : write_retry,
                  g_memdup2 (&self->asked_job, sizeof self->asked_job), g_free);
  self->asked = ASK_NOTHING;
  flg_job_detail_ask (self->detail, NULL);
}

static void
act_cancel (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgJobsPage *self = FLG_JOBS_PAGE (widget);
  self->asked = ASK_NOTHING;
  flg_job_detail_ask (self->detail, NULL);
}

static void
act_filter_state (GtkWidget *widget, const char *action, GVariant *target)
{
  static const char *const names[] = { "all", "active", "failed", "done" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (names[i], g_variant_get_string (target, NULL)))
      gtk_drop_down_set_selected (FLG_JOBS_PAGE (widget)->state_choice, i);
}

static void
act_show_weather (GtkWidget *widget, const char *action, GVariant *target)
{
  const FlJob *job = selected_job (FLG_JOBS_PAGE (widget));
  if (job)
    gtk_widget_activate_action (widget, "win.show-weather", "x", job->id);
}

static void
act_show_images (GtkWidget *widget, const char *action, GVariant *target)
{
  const FlJob *job = selected_job (FLG_JOBS_PAGE (widget));
  if (job)
    gtk_widget_activate_action (widget, "win.show-run-images", "x", job->run);
}

/* --- page --- */

/* Running times grow by themselves. */
static gboolean
on_beat (gpointer data)
{
  FlgJobsPage *self = data;
  if (!gtk_widget_get_mapped (GTK_WIDGET (self)))
    return G_SOURCE_CONTINUE;
  FlgRecordModel *jobs = flg_experiment_table (EXPERIMENT (self), FL_TABLE_JOB);
  for (guint i = 0; i < flg_record_model_count (jobs); i++)
    {
      FlgRecord *record = flg_record_model_at (jobs, i);
      const FlJob *job = flg_record_job (record);
      if (job->started && !job->ended)
        flg_record_touch (record);
    }
  const FlJob *job = selected_job (self);
  if (job && !fl_job_state_is_final (job->state))
    show_detail (self);
  return G_SOURCE_CONTINUE;
}

static void
flg_jobs_page_update (FlgPage *page, guint what)
{
  FlgJobsPage *self = FLG_JOBS_PAGE (page);
  if (what & (FLG_CHANGED (FL_TABLE_JOB) | FLG_CHANGED (FL_TABLE_SITE) | FLG_CHANGED_HEALTH))
    flg_job_columns_note_waiting (&self->columns);
  if (what & (FLG_CHANGED (FL_TABLE_JOB) | FLG_CHANGED_HEALTH))
    {
      if (gtk_drop_down_get_selected (self->state_choice)
          || *gtk_editable_get_text (GTK_EDITABLE (self->filter)))
        gtk_filter_changed (GTK_FILTER (self->matcher), GTK_FILTER_CHANGE_DIFFERENT);
      show_counts (self);
    }
  if (self->wanted && select_job (self, self->wanted))
    self->wanted = 0;
  if (what
      & (FLG_CHANGED (FL_TABLE_JOB) | FLG_CHANGED (FL_TABLE_ATTEMPT) | FLG_CHANGED (FL_TABLE_RUN)
         | FLG_CHANGED (FL_TABLE_TRIAL) | FLG_CHANGED_COUNTS | FLG_CHANGED_HEALTH))
    show_detail (self);
}

static gboolean
flg_jobs_page_is_settled (FlgPage *page)
{
  return flg_job_detail_is_settled (FLG_JOBS_PAGE (page)->detail);
}

static void
flg_jobs_page_begin_filter (FlgPage *page)
{
  gtk_widget_grab_focus (GTK_WIDGET (FLG_JOBS_PAGE (page)->filter));
}

static void
flg_jobs_page_step (FlgPage *page, int by)
{
  FlgJobsPage *self = FLG_JOBS_PAGE (page);
  int n = (int) g_list_model_get_n_items (G_LIST_MODEL (self->selection));
  if (n > 0)
    gtk_single_selection_set_selected (
        self->selection,
        (guint) CLAMP ((int) gtk_single_selection_get_selected (self->selection) + by, 0, n - 1));
}

static void
flg_jobs_page_focus (FlgPage *page)
{
  gtk_widget_grab_focus (GTK_WIDGET (FLG_JOBS_PAGE (page)->table));
}

/* Once it is known how high the page is. */
static void
on_paned_sized (FlgJobsPage *self)
{
  int most;
  g_object_get (self->paned, "max-position", &most, NULL);
  if (self->divided || most < 200 || most == G_MAXINT)
    return;
  self->divided = TRUE;
  int height = gtk_widget_get_height (GTK_WIDGET (self->paned));
  gtk_paned_set_position (self->paned, MAX (height, most) * TABLE_SHARE / 100);
}

static void
flg_jobs_page_constructed (GObject *object)
{
  FlgJobsPage *self = FLG_JOBS_PAGE (object);
  flg_job_detail_set_context (self->detail, flg_page_context (FLG_PAGE (self)));
  GListModel *jobs = G_LIST_MODEL (flg_experiment_table (EXPERIMENT (self), FL_TABLE_JOB));
  self->matcher = gtk_custom_filter_new (matches, self, NULL);
  self->filtered = gtk_filter_list_model_new (g_object_ref (jobs), GTK_FILTER (self->matcher));
  self->columns.experiment = EXPERIMENT (self);
  self->selection = gtk_single_selection_new (
      flg_job_columns_set_up (&self->columns, self->table, G_LIST_MODEL (self->filtered)));
  g_signal_connect_object (self->selection, "notify::selected-item", G_CALLBACK (show_detail), self,
                           G_CONNECT_SWAPPED);
  gtk_column_view_set_model (self->table, GTK_SELECTION_MODEL (self->selection));
  self->beat = g_timeout_add_seconds (1, on_beat, self);
  show_detail (self);
  G_OBJECT_CLASS (flg_jobs_page_parent_class)->constructed (object);
}

static void
flg_jobs_page_dispose (GObject *object)
{
  FlgJobsPage *self = FLG_JOBS_PAGE (object);
  g_clear_handle_id (&self->beat, g_source_remove);
  if (self->selection)
    g_signal_handlers_disconnect_by_data (self->selection, self);
  if (self->table)
    gtk_column_view_set_model (self->table, NULL);
  g_clear_object (&self->selection);
  gtk_widget_dispose_template (GTK_WIDGET (self), FLG_TYPE_JOBS_PAGE);
  G_OBJECT_CLASS (flg_jobs_page_parent_class)->dispose (object);
}

static void
bind_children (GtkWidgetClass *widget_class)
{
  gtk_widget_class_bind_template_child (widget_class, FlgJobsPage, table);
  gtk_widget_class_bind_template_child (widget_class, FlgJobsPage, stack);
  gtk_widget_class_bind_template_child (widget_class, FlgJobsPage, empty);
  gtk_widget_class_bind_template_child (widget_class, FlgJobsPage, detail);
  gtk_widget_class_bind_template_child (widget_class, FlgJobsPage, filter);
  gtk_widget_class_bind_template_child (widget_class, FlgJobsPage, state_choice);
  gtk_widget_class_bind_template_child (widget_class, FlgJobsPage, count);
  gtk_widget_class_bind_template_callback (widget_class, on_filter_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_filter_stopped);
  gtk_widget_class_bind_template_child (widget_class, FlgJobsPage, paned);
  gtk_widget_class_bind_template_callback (widget_class, on_paned_sized);
}

static void
flg_jobs_page_class_init (FlgJobsPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  FlgPageClass *page_class = FLG_PAGE_CLASS (klass);
  G_OBJECT_CLASS (klass)->constructed = flg_jobs_page_constructed;
  G_OBJECT_CLASS (klass)->dispose = flg_jobs_page_dispose;
  page_class->update = flg_jobs_page_update;
  page_class->is_settled = flg_jobs_page_is_settled;
  page_class->begin_filter = flg_jobs_page_begin_filter;
  page_class->step = flg_jobs_page_step;
  page_class->focus = flg_jobs_page_focus;
  g_type_ensure (FLW_TYPE_EMPTY_STATE);
  g_type_ensure (FLG_TYPE_JOB_DETAIL);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/jobs-page.ui");
  bind_children (widget_class);
  gtk_widget_class_install_action (widget_class, "jobs.stop", NULL, act_stop);
  gtk_widget_class_install_action (widget_class, "jobs.retry", NULL, act_retry);
  gtk_widget_class_install_action (widget_class, "jobs.confirm", NULL, act_confirm);
  gtk_widget_class_install_action (widget_class, "jobs.cancel", NULL, act_cancel);
  gtk_widget_class_install_action (widget_class, "jobs.filter-state", "s", act_filter_state);
  gtk_widget_class_install_action (widget_class, "jobs.show-weather", NULL, act_show_weather);
  gtk_widget_class_install_action (widget_class, "jobs.show-images", NULL, act_show_images);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_r, GDK_CONTROL_MASK, "jobs.retry", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Delete, GDK_CONTROL_MASK, "jobs.stop", NULL);
}

static void
flg_jobs_page_init (FlgJobsPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  flw_empty_state_set (self->empty, "flg-jobs-symbolic", _ ("No jobs yet"),
                       _ ("The conductor makes a job of each active trial and each complete run."));
}
