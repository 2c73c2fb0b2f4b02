#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/science.h"

#include "engine/control/dataset-plan.h"

gboolean
flg_task_is_of_particles (const FlTask *task)
{
  return fl_task_finds_patterns (task) || fl_task_takes_patterns (task);
}

/* NULL: there is none. */
static const FlTask *
task_of (FlgExperiment *experiment, gint64 id)
{
  FlgRecord *record = flg_record_model_find (flg_experiment_table (experiment, FL_TABLE_TASK), id);
  return record ? flg_record_task (record) : NULL;
}

gboolean
flg_job_is_of_particles (FlgExperiment *experiment, gint64 job)
{
  const FlJob *record = flg_experiment_job (experiment, job);
  const FlTask *task = record ? task_of (experiment, record->task) : NULL;
  return task && flg_task_is_of_particles (task);
}

/* With what one more task is about. */
static FlgScience
with (FlgScience science, const FlTask *task)
{
  FlgScience other = !task                             ? FLG_SCIENCE_UNKNOWN
                     : flg_task_is_of_particles (task) ? FLG_SCIENCE_PARTICLES
                                                       : FLG_SCIENCE_CRYSTALS;
  return (FlgScience) (science | other);
}

FlgScience
flg_dataset_science (FlgExperiment *experiment, gint64 dataset)
{
  FlgRecordModel *steps = flg_experiment_table (experiment, FL_TABLE_DATASET_TASK);
  FlgScience science = dataset > 0 ? FLG_SCIENCE_UNKNOWN : flg_experiment_science (experiment);
  for (guint i = 0; i < flg_record_model_count (steps); i++)
    {
      const FlDatasetTask *step = flg_record_dataset_task (flg_record_model_at (steps, i));
      if (step->dataset == dataset)
        science = with (science, task_of (experiment, step->task));
    }
  return science;
}

/* A job that has never run says little: every new experiment has a task for crystals. */
static FlgScience
science_of_jobs (FlgExperiment *experiment, gint64 trial)
{
  FlgRecordModel *jobs = flg_experiment_table (experiment, FL_TABLE_JOB);
  FlgScience science = FLG_SCIENCE_UNKNOWN;
  for (guint i = 0; i < flg_record_model_count (jobs) && science != FLG_SCIENCE_BOTH; i++)
    {
      const FlJob *job = flg_record_job (flg_record_model_at (jobs, i));
      if (job->attempts > 0
          && (trial == 0 || (job->trial == trial && flg_experiment_job_stats (experiment, job->id))))
        science = with (science, task_of (experiment, job->task));
    }
  return science;
}

FlgScience
flg_experiment_science (FlgExperiment *experiment)
{
  FlgScience science = science_of_jobs (experiment, 0);
  FlgRecordModel *datasets = flg_experiment_table (experiment, FL_TABLE_DATASET);
  for (guint i = 0; i < flg_record_model_count (datasets) && science == FLG_SCIENCE_UNKNOWN; i++)
    science = flg_dataset_science (experiment, flg_record_id (flg_record_model_at (datasets, i)));
  return science;
}

FlgScience
flg_trial_science (FlgExperiment *experiment, gint64 trial)
{
  FlgScience science = science_of_jobs (experiment, trial);
  return science != FLG_SCIENCE_UNKNOWN ? science : flg_experiment_science (experiment);
}
