/* What active datasets want, each by itself: one that cannot be planned does not stop the others. */
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/control/conductor-private.h"

/* --- jobs of runs --- */

static gboolean
waits_for_any (const FlPlanBasis *basis, const FlDataset *dataset, const FlTask *task)
{
  for (guint i = 0; i < basis->steps->len; i++)
    {
      const FlDatasetTask *step = basis->steps->pdata[i];
      if (step->dataset == dataset->id && step->task == task->id)
        return *step->after != '\0';
    }
  return FALSE;
}

/* A first step may be a person's doing; a step that follows was wanted with it. */
static gboolean
make_new_jobs (FlConductor *conductor, const FlPlanBasis *basis, const FlDataset *dataset,
               const FlDatasetPlan *plan, guint *made, GError **error)
{
  g_autoptr (GArray) first = g_array_new (FALSE, FALSE, sizeof (FlWantedJob));
  g_autoptr (GArray) next = g_array_new (FALSE, FALSE, sizeof (FlWantedJob));
  for (guint i = 0; i < plan->jobs->len; i++)
    {
      const FlMeantJob *meant = &g_array_index (plan->jobs, FlMeantJob, i);
      const FlSite *site = fl_plan_site (basis, meant->task);
      FlWantedJob wanted = { meant->trial, meant->block, meant->run, meant->task, NULL, NULL, site };
      if (meant->job != NULL || !meant->ready)
        continue;
      if (site == NULL)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "task %s: there is no active site for it",
                       meant->task->name);
          return FALSE;
        }
      g_array_append_val (waits_for_any (basis, dataset, meant->task) ? next : first, wanted);
    }
  return fl_plan_make (conductor->store, basis, first, conductor->known, made, error)
         && fl_plan_make (conductor->store, basis, next, NULL, made, error);
}

/* --- versions --- */

static const FlDatasetVersion *
last_version (const FlPlanBasis *basis, const FlDataset *dataset)
{
  const FlDatasetVersion *last = NULL;
  for (guint i = 0; i < basis->records.versions->len; i++)
    {
      const FlDatasetVersion *version = basis->records.versions->pdata[i];
      if (version->dataset == dataset->id && (last == NULL || version->number > last->number))
        last = version;
    }
  return last;
}

static gboolean
save_version (FlStore *store, FlDatasetVersion *version, const FlDatasetPlan *plan, GError **error)
{
  if (!fl_store_save (store, FL_TABLE_DATASET_VERSION, version, error))
    return FALSE;
  for (guint i = 0; i < plan->inputs->len; i++)
    {
      const FlJob *input = plan->inputs->pdata[i];
      FlVersionJob use = { .version = version->id, .job = input->id };
      if (!fl_store_save (store, FL_TABLE_VERSION_JOB, &use, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
make_version (FlConductor *conductor, const FlPlanBasis *basis, const FlDataset *dataset,
              const FlDatasetPlan *plan, GError **error)
{
  const FlDatasetVersion *last = last_version (basis, dataset);
  FlDatasetVersion version = { .dataset = dataset->id,
                               .number = last != NULL ? last->number + 1 : 1,
                               .created = fl_now_ns (),
                               .lattices = plan->lattices,
                               .note = plan->note };
  if (!fl_store_begin (conductor->store, error))
    return FALSE;
  if (save_version (conductor->store, &version, plan, error))
    {
      conductor->replan = conductor->hurry = TRUE; /* its jobs */
      return fl_store_commit (conductor->store, error);
    }
  fl_store_rollback (conductor->store);
  return FALSE;
}

static const FlJob *
job_of_version (const FlPlanBasis *basis, const FlDatasetVersion *version, gint64 trial, gint64 task)
{
  for (guint i = 0; i < basis->records.jobs->len; i++)
    {
      const FlJob *job = basis->records.jobs->pdata[i];
      if (job->version == version->id && job->dataset == version->dataset && job->trial == trial
          && job->task == task)
        return job;
    }
  return NULL;
}

/* Other tasks of all runs that must be done before, are. */
static gboolean
global_is_ready (const FlPlanBasis *basis, const FlDatasetPlan *plan, const FlDatasetVersion *version,
                 gint64 trial, const FlTask *task)
{
  for (guint i = 0; i < basis->steps->len; i++)
    {
      const FlDatasetTask *step = basis->steps->pdata[i];
      for (guint g = 0; step->dataset == version->dataset && step->task == task->id && g < plan->globals->len;
           g++)
        {
          const FlTask *before = plan->globals->pdata[g];
          const FlJob *job = job_of_version (basis, version, trial, before->id);
          if (fl_step_waits_for (step, before->id) && (job == NULL || job->state != FL_JOB_DONE))
            return FALSE;
        }
    }
  return TRUE;
}

/* What the version takes of the trial; NULL: nothing. */
static const FlJob *
first_input (const FlPlanBasis *basis, const FlDatasetVersion *version, gint64 trial)
{
  for (guint i = 0; i < basis->records.version_jobs->len; i++)
    {
      const FlVersionJob *use = basis->records.version_jobs->pdata[i];
      const FlJob *job = use->version == version->id ? fl_plan_find (basis->records.jobs, use->job) : NULL;
      if (job != NULL && job->trial == trial)
        return job;
    }
  return NULL;
}

static gboolean
make_version_jobs (FlConductor *conductor, const FlPlanBasis *basis, const FlDataset *dataset,
                   const FlDatasetPlan *plan, guint *made, GError **error)
{
  const FlDatasetVersion *version = last_version (basis, dataset);
  g_autoptr (GArray) wanted = g_array_new (FALSE, FALSE, sizeof (FlWantedJob));
  for (guint t = 0; version != NULL && t < basis->records.trials->len; t++)
    {
      const FlTrial *trial = basis->records.trials->pdata[t];
      const FlJob *input = first_input (basis, version, trial->id);
      for (guint g = 0; input != NULL && g < plan->globals->len; g++)
        {
          const FlTask *task = plan->globals->pdata[g];
          FlWantedJob job = { .trial = trial, .task = task, .dataset = dataset, .version = version };
          /* Where its inputs lie, unless the task says where. */
          job.site = task->site == 0 && input->site != 0 ? fl_plan_find (basis->records.sites, input->site)
                                                         : fl_plan_site (basis, task);
          if (job.site != NULL && (task->trial == 0 || task->trial == trial->id)
              && job_of_version (basis, version, trial->id, task->id) == NULL
              && global_is_ready (basis, plan, version, trial->id, task))
            g_array_append_val (wanted, job);
        }
    }
  return fl_plan_make (conductor->store, basis, wanted, NULL, made, error);
}

/* --- all of them --- */

static void
describe (FlConductor *conductor, const char *worker, const FlDatasetPlan *plan)
{
  g_autofree char *message = plan->waits != NULL
                                 ? g_strdup_printf ("%s, but %s", plan->note, plan->waits)
                                 : g_strdup_printf ("%u runs, %u jobs, %u of them done", plan->runs->len,
                                                    plan->jobs->len, plan->n_done);
  if (plan->waits != NULL)
    fl_workers_waiting (conductor->workers, worker, 0, message);
  else
    fl_workers_well (conductor->workers, worker, 0, message);
}

static gboolean
plan_dataset (FlConductor *conductor, const FlPlanBasis *basis, const FlDataset *dataset, const char *worker,
              guint *made, GError **error)
{
  g_autoptr (FlDatasetPlan) plan =
      fl_dataset_plan (&basis->records, dataset, basis->steps, fl_now_ns (), error);
  if (plan == NULL || !make_new_jobs (conductor, basis, dataset, plan, made, error)
      || !make_version_jobs (conductor, basis, dataset, plan, made, error))
    return FALSE;
  if (plan->note != NULL && plan->waits == NULL && !make_version (conductor, basis, dataset, plan, error))
    return FALSE;
  if (plan->due > 0)
    fl_conductor_wake_at (conductor, plan->due);
  describe (conductor, worker, plan);
  return TRUE;
}

void
fl_conductor_plan_datasets (FlConductor *conductor, const FlPlanBasis *basis, guint *made)
{
  for (guint i = 0; i < basis->datasets->len; i++)
    {
      const FlDataset *dataset = basis->datasets->pdata[i];
      g_autofree char *worker = g_strconcat ("dataset:", dataset->name, NULL);
      g_autoptr (GError) error = NULL;
      if (!dataset->active)
        continue;
      if (!plan_dataset (conductor, basis, dataset, worker, made, &error))
        fl_conductor_failed (conductor, worker, 0, error);
    }
  fl_workers_sweep (conductor->workers, "dataset:");
}
