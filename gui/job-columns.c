#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/job-columns.h"

#include <glib/gi18n.h>

#include "gui/text.h"

#define NONE "–"

static const FlgJobColumnSpec columns[FLG_JOB_COLUMN_LAST] = {
  [FLG_JOB_ID] = { "job", N_ ("Job"), NULL, 62, TRUE, 0 },
  [FLG_JOB_RUN] = { "run", N_ ("Run"), N_ ("or the dataset's version"), 128, FALSE, 0 },
  [FLG_JOB_TRIAL] = { "trial", N_ ("Trial"), NULL, 54, TRUE, 0 },
  [FLG_JOB_TASK] = { "task", N_ ("Task"), NULL, 100, FALSE, 0 },
  [FLG_JOB_SITE] = { "site", N_ ("Site"), NULL, 84, FALSE, 0 },
  [FLG_JOB_STATE] = { "state", N_ ("State"), NULL, 124, FALSE, 0 },
  [FLG_JOB_TRIES] = { "attempts", N_ ("Tries"), N_ ("attempts, all kept"), 52, TRUE, 0 },
  [FLG_JOB_STARTED] = { "started", N_ ("Started"), NULL, 104, FALSE, 0 },
  [FLG_JOB_TOOK] = { "took", N_ ("Took"), N_ ("h:min:s since it began"), 68, TRUE, 0 },
  [FLG_JOB_SHOTS] = { "shots", N_ ("Shots"), N_ ("processed"), 82, TRUE, 1180 },
  [FLG_JOB_HITS] = { "hits", N_ ("Hits"), N_ ("of the shots"), 70, TRUE, 1260 },
  [FLG_JOB_INDEXED] = { "indexed", N_ ("Indexed"), N_ ("of the hits"), 82, TRUE, 1340 },
  [FLG_JOB_FAILED_SHOTS] = { "failed", N_ ("Failed"), N_ ("shots that failed or were set aside"), 72, TRUE,
                             1340 },
  [FLG_JOB_REASON] = { "reason", N_ ("Why"), NULL, 0, FALSE, 0 },
};

const FlgJobColumnSpec *
flg_job_column (FlgJobColumn column)
{
  return &columns[column];
}

void
flg_job_columns_place (double width, FlgJobPlace places[FLG_JOB_COLUMN_LAST])
{
  double x = 0;
  for (FlgJobColumn c = 0; c < FLG_JOB_COLUMN_LAST; c++)
    {
      double wide = columns[c].width ? columns[c].width : MAX (width - x, 0);
      places[c] = (FlgJobPlace){ x, width >= columns[c].least ? wide : 0 };
      x += places[c].width;
    }
}

char *
flg_job_of_what (FlgJobIndex *index, const FlJob *job)
{
  const FlRun *run = flg_experiment_run (flg_job_index_experiment (index), job->run);
  if (run)
    return g_strdup (run->name);
  char *name = flg_job_index_version_name (index, job);
  if (*name)
    return name;
  g_free (name);
  return g_strdup (NONE);
}

int
flg_job_trial_number (FlgJobIndex *index, const FlJob *job)
{
  const FlTrial *trial = flg_experiment_trial (flg_job_index_experiment (index), job->trial);
  return trial ? trial->number : 0;
}

static char *
number_or_none (gint64 number)
{
  return number ? g_strdup_printf ("%" G_GINT64_FORMAT, number) : g_strdup (NONE);
}

static char *
cell_of_stats (FlgExperiment *experiment, const FlJob *job, FlgJobColumn column)
{
  const FlJobStats *stats = flg_experiment_job_stats (experiment, job->id);
  if (!stats)
    return g_strdup (NONE);
  switch (column)
    {
    case FLG_JOB_SHOTS:
      return flg_format_count (stats->shots);
    case FLG_JOB_HITS:
      return flg_format_percent (stats->hits, stats->shots);
    case FLG_JOB_INDEXED:
      return stats->indexed ? flg_format_percent (stats->indexed, stats->hits) : g_strdup (NONE);
    default:
      return flg_format_count (stats->failed + stats->set_aside);
    }
}

char *
flg_job_cell (FlgJobIndex *index, const FlJob *job, FlgJobColumn column)
{
  FlgExperiment *experiment = flg_job_index_experiment (index);
  guint64 now = flg_experiment_now (experiment);
  switch (column)
    {
    case FLG_JOB_ID:
      return number_or_none (job->id);
    case FLG_JOB_RUN:
      return flg_job_of_what (index, job);
    case FLG_JOB_TRIAL:
      return number_or_none (flg_job_trial_number (index, job));
    case FLG_JOB_TASK:
      {
        const FlTask *task = flg_job_index_task (index, job);
        return g_strdup (task ? task->name : NONE);
      }
    case FLG_JOB_SITE:
      {
        const FlSite *site = flg_job_index_site (index, job);
        return g_strdup (site ? site->name : NONE);
      }
    case FLG_JOB_STATE:
      return g_strdup (flg_shown_state_name (flg_job_shown_state (job, now)));
    case FLG_JOB_TRIES:
      return number_or_none (job->attempts);
    case FLG_JOB_STARTED:
      return flg_format_time (job->started, now);
    case FLG_JOB_TOOK:
      return flg_format_elapsed (job->started, job->ended, now);
    case FLG_JOB_REASON:
      return flg_job_reason (index, job);
    default:
      return cell_of_stats (experiment, job, column);
    }
}

/* --- order --- */

static int
by_run_name (gconstpointer a, gconstpointer b)
{
  return fl_run_name_compare (flg_record_run (*(FlgRecord *const *) a)->name,
                              flg_record_run (*(FlgRecord *const *) b)->name);
}

GHashTable *
flg_run_ranks (FlgExperiment *experiment)
{
  FlgRecordModel *runs = flg_experiment_table (experiment, FL_TABLE_RUN);
  g_autoptr (GPtrArray) sorted = g_ptr_array_new ();
  for (guint i = 0; i < flg_record_model_count (runs); i++)
    g_ptr_array_add (sorted, flg_record_model_at (runs, i));
  g_ptr_array_sort (sorted, by_run_name);
  GHashTable *ranks = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  for (guint i = 0; i < sorted->len; i++)
    {
      gint64 id = flg_record_id (sorted->pdata[i]);
      g_hash_table_insert (ranks, g_memdup2 (&id, sizeof id), GUINT_TO_POINTER (i + 1));
    }
  return ranks;
}

static gint64
key_of_stats (FlgExperiment *experiment, const FlJob *job, FlgJobColumn column)
{
  const FlJobStats *stats = flg_experiment_job_stats (experiment, job->id);
  if (!stats)
    return -1;
  switch (column)
    {
    case FLG_JOB_SHOTS:
      return stats->shots;
    case FLG_JOB_HITS:
      return stats->shots ? stats->hits * 1000000 / stats->shots : 0;
    case FLG_JOB_INDEXED:
      return stats->hits ? stats->indexed * 1000000 / stats->hits : 0;
    default:
      return stats->failed + stats->set_aside;
    }
}

gint64
flg_job_sort_key (FlgJobIndex *index, const FlJob *job, FlgJobColumn column, GHashTable *run_ranks)
{
  FlgExperiment *experiment = flg_job_index_experiment (index);
  guint64 now = flg_experiment_now (experiment);
  switch (column)
    {
    case FLG_JOB_ID:
      return job->id;
    case FLG_JOB_RUN:
      return job->run ? GPOINTER_TO_UINT (g_hash_table_lookup (run_ranks, &job->run))
                      : G_MAXINT32 + job->dataset * 100000 + job->version;
    case FLG_JOB_TRIAL:
      return flg_job_trial_number (index, job);
    case FLG_JOB_TASK:
      return job->task;
    case FLG_JOB_SITE:
      {
        const FlSite *site = flg_job_index_site (index, job);
        return site ? site->id : 0;
      }
    case FLG_JOB_STATE:
    case FLG_JOB_REASON:
      return flg_job_shown_state (job, now);
    case FLG_JOB_TRIES:
      return job->attempts;
    case FLG_JOB_STARTED:
      return (gint64) job->started;
    case FLG_JOB_TOOK:
      return job->started ? (gint64) ((job->ended ? job->ended : now) - job->started) : -1;
    default:
      return key_of_stats (experiment, job, column);
    }
}
