#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/jobs-private.h"

#include <glib/gi18n.h>

#include "gui/record-choice.h"

/* Of the page's height, in %; the rest is the chosen job's. */
#define TABLE_SHARE 50

G_DEFINE_FINAL_TYPE (FlgJobsPage, flg_jobs_page, FLG_TYPE_PAGE)

#define EXPERIMENT(data) flg_page_experiment (FLG_PAGE (data))
#define JOBS(self)       flg_experiment_table (EXPERIMENT (self), FL_TABLE_JOB)

static const struct
{
  const char *name, *title, *tooltip;
} views[FLG_JOBS_N_VIEWS] = { { "list", N_ ("List"), N_ ("Every job a line") },
                              { "runs", N_ ("Runs × tasks"), N_ ("A line a run, a column a trial's task") },
                              { "datasets", N_ ("Datasets"), N_ ("A line a version of a dataset") } };

/* --- what is shown --- */

static void
show_detail (FlgJobsPage *self)
{
  FlgRecord *record = flg_record_model_find (JOBS (self), self->chosen);
  g_autoptr (GArray) selected = flg_jobs_page_selected (self);
  flg_jobs_page_enable_selected (self);
  flg_job_detail_show (self->detail, record, record ? selected->len : 0);
}

static void
show_headline (FlgJobsPage *self)
{
  guint n, all = flg_record_model_count (JOBS (self));
  FlgRecord *const *jobs = flg_job_model_jobs (self->model, &n);
  g_autofree char *text = flg_jobs_headline (self->index, jobs, n, all);
  gtk_label_set_label (self->headline, text);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->headline), text);
  flg_jobs_page_enable_shown (self);
  gtk_stack_set_visible_child_name (
      self->stack, all == 0 && flg_experiment_is_filled (EXPERIMENT (self)) ? "empty" : "table");
}

static void
show_matrix (FlgJobsPage *self)
{
  if (self->view == FLG_JOBS_VIEW_LIST)
    return;
  flg_job_matrix_refresh (FLG_JOB_MATRIX (self->matrix));
  flg_job_matrix_choose (FLG_JOB_MATRIX (self->matrix), self->chosen);
}

static void
choose (FlgJobsPage *self, gint64 job)
{
  if (job != self->chosen)
    flg_jobs_page_withdraw (self);
  self->chosen = job;
  show_detail (self);
}

static void
on_list_chosen (FlgJobsPage *self)
{
  choose (self, flg_job_list_chosen (FLG_JOB_LIST (self->list)));
}

static void
on_matrix_chosen (FlgJobMatrix *matrix, gint64 job, FlgJobsPage *self)
{
  if (!flg_job_list_choose (FLG_JOB_LIST (self->list), job))
    choose (self, job); /* dim: not among those of the list */
}

static void
on_matrix_activated (FlgJobMatrix *matrix, gint64 job, FlgJobsPage *self)
{
  choose (self, job);
  gtk_widget_child_focus (GTK_WIDGET (self->detail), GTK_DIR_TAB_FORWARD);
}

/* --- filter, view and order --- */

static const char *
site_name (gconstpointer record)
{
  return ((const FlSite *) record)->name;
}

static const char *
dataset_name (gconstpointer record)
{
  return ((const FlDataset *) record)->name;
}

static void
fill_choices (FlgJobsPage *self)
{
  self->filling = TRUE;
  flg_record_choice_fill (self->site_choice, _ ("All sites"),
                          flg_experiment_table (EXPERIMENT (self), FL_TABLE_SITE), site_name, 2);
  flg_record_choice_fill (self->dataset_choice, _ ("All datasets"),
                          flg_experiment_table (EXPERIMENT (self), FL_TABLE_DATASET), dataset_name, 1);
  self->filling = FALSE;
}

static void
on_filter_changed (FlgJobsPage *self)
{
  static const FlgJobStates states[] = { FLG_JOBS_ALL, FLG_JOBS_ACTIVE, FLG_JOBS_HELD, FLG_JOBS_FAILED,
                                         FLG_JOBS_DONE };
  if (!self->model || self->filling)
    return;
  FlgJobFilter filter = { gtk_editable_get_text (GTK_EDITABLE (self->filter)),
                          states[MIN (gtk_drop_down_get_selected (self->state_choice), FLG_JOBS_DONE)],
                          flg_record_choice_get (self->site_choice),
                          flg_record_choice_get (self->dataset_choice) };
  flg_job_model_set_filter (self->model, &filter);
  show_matrix (self);
  show_headline (self);
}

static void
on_filter_stopped (FlgJobsPage *self)
{
  gtk_editable_set_text (GTK_EDITABLE (self->filter), "");
  flg_page_focus (FLG_PAGE (self));
}

static void
clear_filter (FlgJobsPage *self)
{
  self->filling = TRUE;
  gtk_drop_down_set_selected (self->state_choice, 0);
  gtk_editable_set_text (GTK_EDITABLE (self->filter), "");
  flg_record_choice_set (self->site_choice, 0);
  flg_record_choice_set (self->dataset_choice, 0);
  self->filling = FALSE;
  on_filter_changed (self);
}

static void
set_view (FlgJobsPage *self, guint view)
{
  self->view = view;
  flg_job_model_set_listed (self->model, view == FLG_JOBS_VIEW_LIST);
  gtk_stack_set_visible_child (self->view_stack, view == FLG_JOBS_VIEW_LIST ? self->list : self->matrix);
  if (view != FLG_JOBS_VIEW_LIST)
    flg_job_matrix_show_versions (FLG_JOB_MATRIX (self->matrix), view == FLG_JOBS_VIEW_DATASETS);
  show_matrix (self);
  show_detail (self);
}

static void
on_view (GtkToggleButton *button, FlgJobsPage *self)
{
  if (gtk_toggle_button_get_active (button))
    set_view (self, GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (button), "view")));
}

static void
act_view (GtkWidget *widget, const char *action, GVariant *target)
{
  GtkWidget *button = gtk_widget_get_first_child (GTK_WIDGET (FLG_JOBS_PAGE (widget)->views));
  for (guint i = 0; i < FLG_JOBS_N_VIEWS; i++, button = gtk_widget_get_next_sibling (button))
    if (g_str_equal (views[i].name, g_variant_get_string (target, NULL)))
      gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (button), TRUE);
}

static void
act_sort (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgJobsPage *self = FLG_JOBS_PAGE (widget);
  gboolean descending;
  FlgJobColumn order = flg_job_model_order (self->model, &descending);
  for (FlgJobColumn c = 0; c < FLG_JOB_COLUMN_LAST; c++)
    if (g_str_equal (flg_job_column (c)->name, g_variant_get_string (target, NULL)))
      flg_job_model_set_order (self->model, c, c == order ? !descending : TRUE);
  flg_job_list_show_order (FLG_JOB_LIST (self->list));
}

static void
act_filter (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgJobsPage *self = FLG_JOBS_PAGE (widget);
  gtk_editable_set_text (GTK_EDITABLE (self->filter), g_variant_get_string (target, NULL));
  on_filter_changed (self); /* at once: the entry waits for more keys */
}

static void
act_filter_state (GtkWidget *widget, const char *action, GVariant *target)
{
  static const char *const names[] = { "all", "active", "held", "failed", "done" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (names[i], g_variant_get_string (target, NULL)))
      gtk_drop_down_set_selected (FLG_JOBS_PAGE (widget)->state_choice, i);
}

static void
act_filter_record (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgJobsPage *self = FLG_JOBS_PAGE (widget);
  flg_record_choice_set (g_str_equal (action, "jobs.filter-site") ? self->site_choice : self->dataset_choice,
                         g_variant_get_int64 (target));
}

static void
act_select_all (GtkWidget *widget, const char *action, GVariant *target)
{
  flg_job_list_select_all (FLG_JOB_LIST (FLG_JOBS_PAGE (widget)->list));
}

void
flg_jobs_page_show (FlgJobsPage *self, gint64 job)
{
  self->wanted = 0;
  if (!flg_record_model_find (JOBS (self), job))
    self->wanted = job;
  else if (!flg_job_list_choose (FLG_JOB_LIST (self->list), job))
    {
      clear_filter (self);
      flg_job_list_choose (FLG_JOB_LIST (self->list), job);
    }
  if (!self->wanted)
    choose (self, job);
  show_matrix (self);
}

/* --- elsewhere --- */

static void
act_elsewhere (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgJobsPage *self = FLG_JOBS_PAGE (widget);
  const FlJob *job = flg_experiment_job (EXPERIMENT (self), self->chosen);
  if (job && g_str_equal (action, "jobs.show-weather"))
    gtk_widget_activate_action (widget, "win.show-weather", "x", job->id);
  else if (job && g_str_equal (action, "jobs.show-density"))
    gtk_widget_activate_action (widget, "win.show-density", "x", job->dataset);
  else if (job && job->run)
    gtk_widget_activate_action (widget, "win.show-run-images", "x", job->run);
}

/* --- page --- */

/* Running times grow, and pauses shrink, by themselves. */
static gboolean
on_beat (gpointer data)
{
  FlgJobsPage *self = data;
  if (!gtk_widget_get_mapped (GTK_WIDGET (self)))
    return G_SOURCE_CONTINUE;
  guint64 now = flg_experiment_now (EXPERIMENT (self));
  guint n;
  FlgRecord *const *jobs = flg_job_model_jobs (self->model, &n);
  for (guint i = 0; i < n; i++)
    {
      const FlJob *job = flg_record_job (jobs[i]);
      if ((job->started && !job->ended) || job->not_before > now)
        flg_record_touch (jobs[i]);
    }
  const FlJob *job = flg_experiment_job (EXPERIMENT (self), self->chosen);
  if (job && !fl_job_state_is_final (job->state))
    show_detail (self);
  show_headline (self);
  return G_SOURCE_CONTINUE;
}

/* What planned jobs wait for hangs on more than their own records. */
static void
touch_planned (FlgJobsPage *self)
{
  guint n;
  FlgRecord *const *jobs = flg_job_model_jobs (self->model, &n);
  for (guint i = 0; i < n; i++)
    if (flg_record_job (jobs[i])->state == FL_JOB_PLANNED)
      flg_record_touch (jobs[i]);
}

static void
flg_jobs_page_update (FlgPage *page, guint what)
{
  FlgJobsPage *self = FLG_JOBS_PAGE (page);
  const guint named = FLG_CHANGED (FL_TABLE_RUN) | FLG_CHANGED (FL_TABLE_TRIAL) | FLG_CHANGED (FL_TABLE_TASK)
                      | FLG_CHANGED (FL_TABLE_SITE) | FLG_CHANGED (FL_TABLE_DATASET)
                      | FLG_CHANGED (FL_TABLE_DATASET_VERSION) | FLG_CHANGED (FL_TABLE_VERSION_JOB)
                      | FLG_CHANGED (FL_TABLE_RUN_TAG) | FLG_CHANGED (FL_TABLE_TAG);
  const guint jobs = FLG_CHANGED (FL_TABLE_JOB) | FLG_CHANGED (FL_TABLE_ATTEMPT) | FLG_CHANGED_HEALTH;
  flg_job_index_update (self->index, what);
  if (what & (FLG_CHANGED (FL_TABLE_SITE) | FLG_CHANGED (FL_TABLE_DATASET)))
    fill_choices (self);
  if (what & (jobs | named))
    {
      flg_job_model_refresh (self->model);
      touch_planned (self);
      show_headline (self);
    }
  if (what & (jobs | named | FLG_CHANGED_COUNTS))
    show_matrix (self);
  if (self->wanted && flg_record_model_find (JOBS (self), self->wanted))
    flg_jobs_page_show (self, self->wanted);
  if (!self->chosen && flg_record_model_count (JOBS (self)))
    {
      guint n;
      FlgRecord *const *shown = flg_job_model_jobs (self->model, &n);
      if (n)
        flg_job_list_choose (FLG_JOB_LIST (self->list), flg_record_id (shown[0]));
    }
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
  guint n, at = flg_job_model_position (self->model, self->chosen);
  FlgRecord *const *jobs = flg_job_model_jobs (self->model, &n);
  if (n == 0)
    return;
  guint to = at == G_MAXUINT ? 0 : (guint) CLAMP ((int) at + by, 0, (int) n - 1);
  flg_job_list_choose (FLG_JOB_LIST (self->list), flg_record_id (jobs[to]));
  show_matrix (self);
}

static void
flg_jobs_page_focus (FlgPage *page)
{
  FlgJobsPage *self = FLG_JOBS_PAGE (page);
  if (self->view == FLG_JOBS_VIEW_LIST)
    flg_job_list_focus (FLG_JOB_LIST (self->list));
  else
    flg_job_matrix_focus (FLG_JOB_MATRIX (self->matrix));
}

/* Once it is known how high the page is. */
static void
on_paned_sized (FlgJobsPage *self)
{
  int most;
  g_object_get (self->paned, "max-position", &most, NULL);
  if (self->divided || most < 160 || most == G_MAXINT)
    return;
  self->divided = TRUE;
  int height = gtk_widget_get_height (GTK_WIDGET (self->paned));
  gtk_paned_set_position (self->paned, MAX (height, most) * TABLE_SHARE / 100);
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

const char *
flg_jobs_page_headline (FlgJobsPage *self)
{
  return gtk_label_get_label (self->headline);
}

FlgJobModel *
flg_jobs_page_model (FlgJobsPage *self)
{
  return self->model;
}

FlgJobList *
flg_jobs_page_list (FlgJobsPage *self)
{
  return FLG_JOB_LIST (self->list);
}

FlgJobMatrix *
flg_jobs_page_matrix (FlgJobsPage *self)
{
  return FLG_JOB_MATRIX (self->matrix);
}

FlgJobLog *
flg_jobs_page_log (FlgJobsPage *self)
{
  return flg_job_detail_log (self->detail);
}

FlgJobParams *
flg_jobs_page_params (FlgJobsPage *self)
{
  return flg_job_detail_params (self->detail);
}

static void
flg_jobs_page_constructed (GObject *object)
{
  FlgJobsPage *self = FLG_JOBS_PAGE (object);
  self->index = flg_job_index_new (EXPERIMENT (self));
  self->model = flg_job_model_new (self->index);
  flg_job_detail_set_context (self->detail, flg_page_context (FLG_PAGE (self)), self->index);
  self->list = flg_job_list_new (self->model, self->index);
  self->matrix = flg_job_matrix_new (self->model, self->index);
  gtk_stack_add_named (self->view_stack, self->list, "list");
  gtk_stack_add_named (self->view_stack, self->matrix, "matrix");
  g_signal_connect_object (self->list, "chosen", G_CALLBACK (on_list_chosen), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->matrix, "chosen", G_CALLBACK (on_matrix_chosen), self, 0);
  g_signal_connect_object (self->matrix, "activated", G_CALLBACK (on_matrix_activated), self, 0);
  self->beat = g_timeout_add_seconds (1, on_beat, self);
  fill_choices (self);
  show_detail (self);
  show_headline (self);
  G_OBJECT_CLASS (flg_jobs_page_parent_class)->constructed (object);
}

static void
flg_jobs_page_dispose (GObject *object)
{
  FlgJobsPage *self = FLG_JOBS_PAGE (object);
  g_clear_handle_id (&self->beat, g_source_remove);
  gtk_widget_dispose_template (GTK_WIDGET (self), FLG_TYPE_JOBS_PAGE);
  g_clear_object (&self->model);
  g_clear_pointer (&self->asked, flg_wish_free);
  G_OBJECT_CLASS (flg_jobs_page_parent_class)->dispose (object);
}

static void
flg_jobs_page_finalize (GObject *object)
{
  flg_job_index_free (FLG_JOBS_PAGE (object)->index);
  G_OBJECT_CLASS (flg_jobs_page_parent_class)->finalize (object);
}

static void
bind_children (GtkWidgetClass *widget_class)
{
  gtk_widget_class_bind_template_child (widget_class, FlgJobsPage, stack);
  gtk_widget_class_bind_template_child (widget_class, FlgJobsPage, view_stack);
  gtk_widget_class_bind_template_child (widget_class, FlgJobsPage, views);
  gtk_widget_class_bind_template_child (widget_class, FlgJobsPage, empty);
  gtk_widget_class_bind_template_child (widget_class, FlgJobsPage, detail);
  gtk_widget_class_bind_template_child (widget_class, FlgJobsPage, filter);
  gtk_widget_class_bind_template_child (widget_class, FlgJobsPage, state_choice);
  gtk_widget_class_bind_template_child (widget_class, FlgJobsPage, site_choice);
  gtk_widget_class_bind_template_child (widget_class, FlgJobsPage, dataset_choice);
  gtk_widget_class_bind_template_child (widget_class, FlgJobsPage, headline);
  gtk_widget_class_bind_template_child (widget_class, FlgJobsPage, question);
  gtk_widget_class_bind_template_child (widget_class, FlgJobsPage, confirm);
  gtk_widget_class_bind_template_child (widget_class, FlgJobsPage, approve_all);
  gtk_widget_class_bind_template_child (widget_class, FlgJobsPage, hold_all);
  gtk_widget_class_bind_template_child (widget_class, FlgJobsPage, stop_all);
  gtk_widget_class_bind_template_child (widget_class, FlgJobsPage, paned);
  gtk_widget_class_bind_template_callback (widget_class, on_filter_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_filter_stopped);
  gtk_widget_class_bind_template_callback (widget_class, on_paned_sized);
}

static void
install_actions (GtkWidgetClass *widget_class)
{
  flg_jobs_page_install_wishes (widget_class);
  gtk_widget_class_install_action (widget_class, "jobs.view", "s", act_view);
  gtk_widget_class_install_action (widget_class, "jobs.sort", "s", act_sort);
  gtk_widget_class_install_action (widget_class, "jobs.filter", "s", act_filter);
  gtk_widget_class_install_action (widget_class, "jobs.filter-state", "s", act_filter_state);
  gtk_widget_class_install_action (widget_class, "jobs.filter-site", "x", act_filter_record);
  gtk_widget_class_install_action (widget_class, "jobs.filter-dataset", "x", act_filter_record);
  gtk_widget_class_install_action (widget_class, "jobs.select-all", NULL, act_select_all);
  gtk_widget_class_install_action (widget_class, "jobs.show-weather", NULL, act_elsewhere);
  gtk_widget_class_install_action (widget_class, "jobs.show-density", NULL, act_elsewhere);
  gtk_widget_class_install_action (widget_class, "jobs.show-images", NULL, act_elsewhere);
}

static void
flg_jobs_page_class_init (FlgJobsPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  FlgPageClass *page_class = FLG_PAGE_CLASS (klass);
  G_OBJECT_CLASS (klass)->constructed = flg_jobs_page_constructed;
  G_OBJECT_CLASS (klass)->dispose = flg_jobs_page_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_jobs_page_finalize;
  page_class->update = flg_jobs_page_update;
  page_class->is_settled = flg_jobs_page_is_settled;
  page_class->begin_filter = flg_jobs_page_begin_filter;
  page_class->step = flg_jobs_page_step;
  page_class->focus = flg_jobs_page_focus;
  g_type_ensure (FLW_TYPE_EMPTY_STATE);
  g_type_ensure (FLG_TYPE_JOB_DETAIL);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/jobs-page.ui");
  bind_children (widget_class);
  install_actions (widget_class);
}

static void
flg_jobs_page_init (FlgJobsPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  flw_empty_state_set (self->empty, "flg-jobs-symbolic", _ ("No jobs yet"),
                       _ ("The conductor makes a job of each active trial and each complete run."));
  GtkWidget *first = NULL;
  for (guint i = 0; i < FLG_JOBS_N_VIEWS; i++)
    {
      GtkWidget *button = gtk_toggle_button_new_with_label (_ (views[i].title));
      gtk_widget_set_tooltip_text (button, _ (views[i].tooltip));
      if (first)
        gtk_toggle_button_set_group (GTK_TOGGLE_BUTTON (button), GTK_TOGGLE_BUTTON (first));
      else
        first = button;
      g_object_set_data (G_OBJECT (button), "view", GUINT_TO_POINTER (i));
      gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (button), i == FLG_JOBS_VIEW_LIST);
      g_signal_connect_object (button, "toggled", G_CALLBACK (on_view), self, 0);
      gtk_box_append (self->views, button);
    }
}
