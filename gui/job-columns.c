#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/job-columns.h"

#include <glib/gi18n.h>

#include "gui/columns.h"
#include "gui/text.h"
#include "widgets/status-chip.h"

#define EXPERIMENT(data) (((const FlgJobColumns *) (data))->experiment)

static void
set_number (GtkWidget *cell, gint64 number)
{
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, number);
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static void
fill_id (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  set_number (cell, flg_record_id (record));
}

static int
compare_id (FlgRecord *a, FlgRecord *b, gpointer data)
{
  return flg_record_id (a) < flg_record_id (b) ? -1 : flg_record_id (a) > flg_record_id (b);
}

const char *
flg_job_run_name (FlgExperiment *experiment, const FlJob *job)
{
  const FlRun *run = flg_experiment_run (experiment, job->run);
  return run ? run->name : "–";
}

static void
fill_run (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  gtk_label_set_label (GTK_LABEL (cell), flg_job_run_name (EXPERIMENT (data), flg_record_job (record)));
}

static int
compare_run (FlgRecord *a, FlgRecord *b, gpointer data)
{
  return fl_run_name_compare (flg_job_run_name (EXPERIMENT (data), flg_record_job (a)),
                              flg_job_run_name (EXPERIMENT (data), flg_record_job (b)));
}

static int
trial_number (FlgExperiment *experiment, const FlJob *job)
{
  const FlTrial *trial = flg_experiment_trial (experiment, job->trial);
  return trial ? trial->number : 0;
}

static void
fill_trial (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  int number = trial_number (EXPERIMENT (data), flg_record_job (record));
  if (number)
    set_number (cell, number);
  else
    gtk_label_set_label (GTK_LABEL (cell), "–");
}

static int
compare_trial (FlgRecord *a, FlgRecord *b, gpointer data)
{
  return trial_number (EXPERIMENT (data), flg_record_job (a))
         - trial_number (EXPERIMENT (data), flg_record_job (b));
}

static GtkWidget *
make_chip (gpointer data)
{
  GtkWidget *chip = flw_status_chip_new ();
  gtk_widget_set_halign (chip, GTK_ALIGN_START);
  return chip;
}

static void
fill_state (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlJob *job = flg_record_job (record);
  flw_status_chip_set_state (FLW_STATUS_CHIP (cell), fl_job_state_name (job->state), job->reason);
}

static int
compare_state (FlgRecord *a, FlgRecord *b, gpointer data)
{
  return (int) flg_record_job (a)->state - (int) flg_record_job (b)->state;
}

/* What somebody has asked for comes before why it is as it is. */
const char *
flg_job_columns_reason (const FlgJobColumns *self, const FlJob *job)
{
  if (job->stop_wanted && !fl_job_state_is_final (job->state))
    return _ ("stop asked for; waiting for the conductor");
  if (job->retry_wanted)
    return _ ("retry asked for; waiting for the conductor");
  if (job->state != FL_JOB_PLANNED || *job->reason)
    return job->reason;
  if (!flg_experiment_glance (self->experiment)->conductor)
    return _ ("waits for a conductor: nobody submits jobs");
  if (flg_record_model_count (flg_experiment_table (self->experiment, FL_TABLE_SITE)) == 0)
    return _ ("waits for a site: the experiment has none to run on");
  return self->busy ? _ ("waits for cores: other jobs run; newest runs go first")
                    : _ ("waits for the conductor's next round");
}

static void
fill_reason (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const char *reason = flg_job_columns_reason (data, flg_record_job (record));
  gtk_label_set_label (GTK_LABEL (cell), reason);
  gtk_widget_set_tooltip_text (cell, *reason ? reason : NULL);
}

static void
fill_attempts (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  set_number (cell, flg_record_job (record)->attempts);
}

static void
fill_started (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  g_autofree char *text =
      flg_format_time (flg_record_job (record)->started, flg_experiment_now (EXPERIMENT (data)));
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static int
compare_started (FlgRecord *a, FlgRecord *b, gpointer data)
{
  guint64 x = flg_record_job (a)->started, y = flg_record_job (b)->started;
  return x < y ? -1 : x > y;
}

static void
fill_elapsed (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlJob *job = flg_record_job (record);
  g_autofree char *text =
      flg_format_elapsed (job->started, job->ended, flg_experiment_now (EXPERIMENT (data)));
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static void
fill_shots (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlJobStats *stats = flg_experiment_job_stats (EXPERIMENT (data), flg_record_id (record));
  g_autofree char *text = stats ? flg_format_count (stats->shots) : g_strdup ("–");
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static void
fill_indexed (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  flg_cell_indexed (cell, flg_experiment_job_stats (EXPERIMENT (data), flg_record_id (record)));
}

static void
fill_hits (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlJobStats *stats = flg_experiment_job_stats (EXPERIMENT (data), flg_record_id (record));
  g_autofree char *text = flg_format_percent (stats ? stats->hits : 0, stats ? stats->shots : 0);
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static void
fill_failed (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  flg_cell_count_failed (cell, flg_experiment_job_stats (EXPERIMENT (data), flg_record_id (record)));
}

void
flg_job_columns_note_waiting (FlgJobColumns *self)
{
  FlgRecordModel *jobs = flg_experiment_table (self->experiment, FL_TABLE_JOB);
  self->busy = FALSE;
  for (guint i = 0; i < flg_record_model_count (jobs); i++)
    {
      FlJobState state = flg_record_job (flg_record_model_at (jobs, i))->state;
      self->busy |= state != FL_JOB_PLANNED && !fl_job_state_is_final (state);
    }
  for (guint i = 0; i < flg_record_model_count (jobs); i++)
    if (flg_record_job (flg_record_model_at (jobs, i))->state == FL_JOB_PLANNED)
      flg_record_touch (flg_record_model_at (jobs, i));
}

GListModel *
flg_job_columns_set_up (FlgJobColumns *self, GtkColumnView *view, GListModel *jobs)
{
  const FlgColumn columns[] = {
    { _ ("Job"), NULL, flg_cell_number, fill_id, compare_id, 55 },
    { _ ("Run"), NULL, flg_cell_text, fill_run, compare_run, 75 },
    { _ ("Trial"), NULL, flg_cell_number, fill_trial, compare_trial, 55 },
    { _ ("State"), NULL, make_chip, fill_state, compare_state, 110 },
    { _ ("Attempts"), NULL, flg_cell_number, fill_attempts, NULL, 85 },
    { _ ("Started"), NULL, flg_cell_text, fill_started, compare_started, 90 },
    { _ ("Took"), NULL, flg_cell_number, fill_elapsed, NULL, 65 },
    { _ ("Shots"), NULL, flg_cell_number, fill_shots, NULL, 75 },
    { _ ("Hits"), NULL, flg_cell_number, fill_hits, NULL, 70 },
    { _ ("Indexed"), _ ("of the hits"), flg_cell_number, fill_indexed, NULL, 75 },
    { _ ("Failed"), NULL, flg_cell_number, fill_failed, NULL, 65 },
    { _ ("Reason"), NULL, flg_cell_text, fill_reason, NULL, -1 },
  };
  return flg_columns_set_up (view, G_N_ELEMENTS (columns), columns, self, jobs);
}
