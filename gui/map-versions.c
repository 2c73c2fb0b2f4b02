#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/map-versions.h"

#include <glib/gi18n.h>
#include <string.h>

#include "gui/text.h"

#define TYPE "map"

static const FlTask *
task_of_type (FlgExperiment *experiment, gint64 id, const char *type)
{
  FlgRecord *record = flg_record_model_find (flg_experiment_table (experiment, FL_TABLE_TASK), id);
  const FlTask *task = record ? flg_record_task (record) : NULL;
  return task && strcmp (task->type, type) == 0 ? task : NULL;
}

static const FlDatasetVersion *
version_of (FlgExperiment *experiment, const FlJob *job)
{
  FlgRecord *record =
      flg_record_model_find (flg_experiment_table (experiment, FL_TABLE_DATASET_VERSION), job->version);
  return record ? flg_record_dataset_version (record) : NULL;
}

static void
version_free (gpointer data)
{
  FlgMapVersion *version = data;
  g_free (version->label);
  g_free (version);
}

static int
newest_first (gconstpointer a, gconstpointer b)
{
  const FlgMapVersion *x = *(FlgMapVersion *const *) a, *y = *(FlgMapVersion *const *) b;
  return x->number != y->number ? y->number - x->number : x->job < y->job ? 1 : -1;
}

/* The task of a job that is listed. */
static const FlTask *
listed_task (FlgExperiment *experiment, const FlJob *job, gint64 dataset, const char *type, gboolean done)
{
  gboolean meant = job->dataset == dataset && (done ? job->state == FL_JOB_DONE : job->attempts > 0);
  return meant ? task_of_type (experiment, job->task, type) : NULL;
}

/* All of the dataset are of one task and trial. */
static gboolean
are_of_one_kind (FlgExperiment *experiment, gint64 dataset, const char *type, gboolean done)
{
  FlgRecordModel *jobs = flg_experiment_table (experiment, FL_TABLE_JOB);
  const FlJob *first = NULL;
  for (guint i = 0; i < flg_record_model_count (jobs); i++)
    {
      const FlJob *job = flg_record_job (flg_record_model_at (jobs, i));
      if (!listed_task (experiment, job, dataset, type, done))
        continue;
      if (first && (first->task != job->task || first->trial != job->trial))
        return FALSE;
      first = job;
    }
  return TRUE;
}

GPtrArray *
flg_versions_of_type (FlgExperiment *experiment, gint64 dataset, const char *type, gboolean done)
{
  FlgRecordModel *jobs = flg_experiment_table (experiment, FL_TABLE_JOB);
  GPtrArray *versions = g_ptr_array_new_with_free_func (version_free);
  gboolean one_kind = are_of_one_kind (experiment, dataset, type, done);
  for (guint i = 0; i < flg_record_model_count (jobs); i++)
    {
      const FlJob *job = flg_record_job (flg_record_model_at (jobs, i));
      const FlTask *task = listed_task (experiment, job, dataset, type, done);
      const FlDatasetVersion *of = task ? version_of (experiment, job) : NULL;
      if (!of)
        continue;
      const FlTrial *trial = flg_experiment_trial (experiment, job->trial);
      FlgMapVersion *version = g_new0 (FlgMapVersion, 1);
      version->job = job->id;
      version->number = of->number;
      version->ended = job->ended;
      version->label = one_kind ? g_strdup_printf (_ ("version %d"), of->number)
                                : g_strdup_printf (_ ("version %d, %s, trial %d"), of->number, task->name,
                                                   trial ? trial->number : 0);
      g_ptr_array_add (versions, version);
    }
  g_ptr_array_sort (versions, newest_first);
  return versions;
}

GPtrArray *
flg_map_versions (FlgExperiment *experiment, gint64 dataset)
{
  return flg_versions_of_type (experiment, dataset, TYPE, TRUE);
}

/* The newest map job of the dataset, whatever its state. */
static const FlJob *
newest_job (FlgExperiment *experiment, gint64 dataset)
{
  FlgRecordModel *jobs = flg_experiment_table (experiment, FL_TABLE_JOB);
  const FlJob *newest = NULL;
  for (guint i = 0; i < flg_record_model_count (jobs); i++)
    {
      const FlJob *job = flg_record_job (flg_record_model_at (jobs, i));
      if (job->dataset == dataset && task_of_type (experiment, job->task, TYPE))
        newest = job;
    }
  return newest;
}

static gboolean
has_map_task (FlgExperiment *experiment, gint64 dataset)
{
  FlgRecordModel *steps = flg_experiment_table (experiment, FL_TABLE_DATASET_TASK);
  for (guint i = 0; i < flg_record_model_count (steps); i++)
    {
      const FlDatasetTask *step = flg_record_dataset_task (flg_record_model_at (steps, i));
      if (step->dataset == dataset && task_of_type (experiment, step->task, TYPE))
        return TRUE;
    }
  return FALSE;
}

char *
flg_map_versions_missing (FlgExperiment *experiment, gint64 dataset)
{
  if (flg_record_model_count (flg_experiment_table (experiment, FL_TABLE_DATASET)) == 0)
    return g_strdup (_ ("There is no dataset yet: the Datasets page makes one of tags and tasks."));
  const FlJob *job = newest_job (experiment, dataset);
  const FlDatasetVersion *version = job ? version_of (experiment, job) : NULL;
  int number = version ? version->number : 0;
  if (job && job->state == FL_JOB_FAILED)
    {
      g_autofree char *reason = flg_text_bounded (job->reason, 200);
      return g_strdup_printf (_ ("The maps of version %d failed: %s"), number, reason);
    }
  if (job)
    return g_strdup_printf (_ ("The maps of version %d are being made."), number);
  if (has_map_task (experiment, dataset))
    return g_strdup (_ ("The first version that is merged gets its maps."));
  return g_strdup (_ ("On the Datasets page, add a task of type “map” behind “merge”, and name a model "
                      "(map.model): a PDB or mmCIF file, or an MTZ file with phases."));
}
