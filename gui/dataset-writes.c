#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/dataset-writes.h"

#include "engine/base/error.h"

FlgDatasetSave *
flg_dataset_save_new (FlgDatasetDraft *draft, FlgDatasetDraft *before, int approve_above)
{
  FlgDatasetSave *save = g_atomic_rc_box_new0 (FlgDatasetSave);
  save->draft = draft;
  save->before = before;
  save->approve_above = approve_above;
  return save;
}

FlgDatasetSave *
flg_dataset_save_ref (FlgDatasetSave *save)
{
  return g_atomic_rc_box_acquire (save);
}

static void
clear_save (gpointer data)
{
  FlgDatasetSave *save = data;
  flg_dataset_draft_free (save->draft);
  flg_dataset_draft_free (save->before);
}

void
flg_dataset_save_unref (gpointer save)
{
  g_atomic_rc_box_release_full (save, clear_save);
}

/* --- tasks --- */

static gboolean
task_is_used (FlStore *store, const FlTask *task, gint64 dataset, gboolean *used, GError **error)
{
  g_autoptr (GPtrArray) links = fl_store_list (store, FL_TABLE_DATASET_TASK, error);
  g_autoptr (GPtrArray) jobs = links ? fl_store_list (store, FL_TABLE_JOB, error) : NULL;
  if (!jobs)
    return FALSE;
  *used = task->active;
  for (guint i = 0; i < links->len && !*used; i++)
    {
      const FlDatasetTask *link = links->pdata[i];
      *used = link->task == task->id && link->dataset != dataset;
    }
  for (guint i = 0; i < jobs->len && !*used; i++)
    *used = ((const FlJob *) jobs->pdata[i])->task == task->id;
  return TRUE;
}

/* A name that no other task has. */
static char *
free_task_name (FlStore *store, const char *wanted, gint64 own, GError **error)
{
  g_autofree char *name = g_strdup (wanted);
  for (guint n = 2;; n++)
    {
      g_autoptr (GError) failed = NULL;
      FlTask *found = fl_store_find (store, FL_TABLE_TASK, name, &failed);
      gboolean free_one = !found || found->id == own;
      fl_record_free (FL_TABLE_TASK, found);
      if (failed)
        {
          g_propagate_error (error, g_steal_pointer (&failed));
          return NULL;
        }
      if (free_one)
        return g_steal_pointer (&name);
      g_free (name);
      name = g_strdup_printf ("%s-%u", wanted, n);
    }
}

/* `watched` NULL: whatever others have done. */
static gboolean
save_record (FlStore *store, FlgSave *watched, FlTable table, gpointer record, GError **error)
{
  return watched ? flg_save_record (watched, store, table, record, error)
                 : fl_store_save (store, table, record, error);
}

/* A task that is used elsewhere keeps its type and parameters: then this one is another (dataset-draft.h). */
static gboolean
save_task (FlStore *store, FlgSave *watched, FlTask *task, gint64 dataset, GError **error)
{
  if (task->id)
    {
      FlTask *stored = fl_store_get (store, FL_TABLE_TASK, task->id, error);
      gboolean used = FALSE, good = stored && task_is_used (store, stored, dataset, &used, error);
      gboolean same =
          good && g_str_equal (stored->type, task->type) && g_str_equal (stored->params, task->params);
      fl_record_free (FL_TABLE_TASK, stored);
      if (!good)
        return FALSE;
      if (used && !same)
        {
          task->id = 0;
          task->active = FALSE;
        }
    }
  g_autofree char *name = free_task_name (store, task->name, task->id, error);
  if (!name)
    return FALSE;
  flg_set_string (&task->name, name);
  return save_record (store, watched, FL_TABLE_TASK, task, error);
}

/* --- the graph --- */

static gboolean
remove_links (FlStore *store, gint64 dataset, GError **error)
{
  g_autoptr (GPtrArray) links = fl_store_list (store, FL_TABLE_DATASET_TASK, error);
  for (guint i = 0; links && i < links->len; i++)
    {
      const FlDatasetTask *link = links->pdata[i];
      if (link->dataset == dataset && !fl_store_remove (store, FL_TABLE_DATASET_TASK, link->id, error))
        return FALSE;
    }
  return links != NULL;
}

static gboolean
save_links (FlStore *store, const FlgDatasetDraft *draft, GError **error)
{
  for (guint i = 0; i < draft->steps->len; i++)
    {
      const FlgDatasetStep *step = draft->steps->pdata[i];
      g_autoptr (GString) after = g_string_new (NULL);
      for (guint k = 0; k < step->after->len; k++)
        {
          const FlgDatasetStep *before =
              flg_dataset_draft_step (draft, g_array_index (step->after, guint, k));
          g_string_append_printf (after, "%s%" G_GINT64_FORMAT, after->len ? " " : "", before->task->id);
        }
      FlDatasetTask link = {
        .dataset = draft->dataset->id, .task = step->task->id, .number = (int) i + 1, .after = after->str
      };
      if (!fl_store_save (store, FL_TABLE_DATASET_TASK, &link, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
save_draft (FlStore *store, FlgSave *watched, FlgDatasetDraft *draft, GError **error)
{
  if (!save_record (store, watched, FL_TABLE_DATASET, draft->dataset, error)
      || !remove_links (store, draft->dataset->id, error))
    return FALSE;
  for (guint i = 0; i < draft->steps->len; i++)
    if (!save_task (store, watched, ((FlgDatasetStep *) draft->steps->pdata[i])->task, draft->dataset->id,
                    error))
      return FALSE;
  return save_links (store, draft, error);
}

/* The one record of the experiment; made when it is not there yet. NULL with error. */
static FlExperiment *
experiment_record (FlStore *store, GError **error)
{
  g_autoptr (GPtrArray) all = fl_store_list (store, FL_TABLE_EXPERIMENT, error);
  if (!all)
    return NULL;
  if (all->len)
    return fl_store_get (store, FL_TABLE_EXPERIMENT, ((FlExperiment *) all->pdata[0])->id, error);
  g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "the store has no record of its experiment");
  return NULL;
}

static gboolean
set_approval (FlStore *store, int approve_above, int *before, GError **error)
{
  FlExperiment *experiment = experiment_record (store, error);
  if (!experiment)
    return FALSE;
  *before = experiment->approve_above;
  gboolean good =
      fl_store_set_int (store, FL_TABLE_EXPERIMENT, experiment->id, "approve_above", approve_above, error);
  fl_record_free (FL_TABLE_EXPERIMENT, experiment);
  return good;
}

static gboolean
note_last_job (FlStore *store, gint64 *last, GError **error)
{
  g_autoptr (GPtrArray) jobs = fl_store_list (store, FL_TABLE_JOB, error);
  *last = jobs && jobs->len ? ((const FlJob *) jobs->pdata[jobs->len - 1])->id : 0;
  return jobs != NULL;
}

/* What has not been written has no id: it is tried again after a conflict is decided. */
static void
take_ids (const FlgDatasetDraft *from, FlgDatasetDraft *to)
{
  to->dataset->id = from->dataset->id;
  for (guint i = 0; i < to->steps->len; i++)
    {
      FlTask *task = ((FlgDatasetStep *) to->steps->pdata[i])->task;
      const FlTask *was = ((const FlgDatasetStep *) from->steps->pdata[i])->task;
      task->id = was->id;
      task->active = was->active;
    }
}

gpointer
flg_dataset_save_write (FlStore *store, gpointer data, GError **error)
{
  FlgDatasetSave *save = flg_save_data (data);
  g_autoptr (FlgDatasetDraft) was = flg_dataset_draft_copy (save->draft);
  if (!note_last_job (store, &save->last_job, error) || !save_draft (store, data, save->draft, error)
      || (save->approve_above >= 0
          && !set_approval (store, save->approve_above, &save->approved_before, error)))
    {
      take_ids (was, save->draft);
      return NULL;
    }
  save->dataset = save->draft->dataset->id;
  return GINT_TO_POINTER (TRUE);
}

/* --- undo --- */

/* Something else than this dataset asks for jobs of the task. */
static gboolean
task_is_wanted (FlStore *store, gint64 task, gint64 dataset, gboolean *wanted, GError **error)
{
  FlTask *record = fl_store_get (store, FL_TABLE_TASK, task, error);
  g_autoptr (GPtrArray) links = record ? fl_store_list (store, FL_TABLE_DATASET_TASK, error) : NULL;
  *wanted = record && record->active;
  fl_record_free (FL_TABLE_TASK, record);
  for (guint i = 0; links && i < links->len && !*wanted; i++)
    {
      const FlDatasetTask *link = links->pdata[i];
      if (link->task != task || link->dataset == dataset)
        continue;
      FlDataset *other = fl_store_get (store, FL_TABLE_DATASET, link->dataset, error);
      if (!other)
        return FALSE;
      *wanted = other->active;
      fl_record_free (FL_TABLE_DATASET, other);
    }
  return links != NULL;
}

static gboolean
stop_new_jobs (FlStore *store, const FlgDatasetSave *save, GError **error)
{
  g_autoptr (GPtrArray) jobs = fl_store_list (store, FL_TABLE_JOB, error);
  for (guint i = 0; jobs && i < jobs->len; i++)
    {
      const FlJob *job = jobs->pdata[i];
      if (job->id <= save->last_job || job->started || fl_job_state_is_final (job->state))
        continue;
      gboolean wanted = FALSE, ours = FALSE;
      for (guint k = 0; k < save->draft->steps->len; k++)
        ours = ours || ((FlgDatasetStep *) save->draft->steps->pdata[k])->task->id == job->task;
      if (!ours)
        continue;
      if (!task_is_wanted (store, job->task, save->dataset, &wanted, error))
        return FALSE;
      if (!wanted && !fl_store_want_stop (store, job->id, error))
        return FALSE;
    }
  return jobs != NULL;
}

gpointer
flg_dataset_save_undo (FlStore *store, gpointer data, GError **error)
{
  FlgDatasetSave *save = data;
  int unused;
  gboolean good = save->before
                      ? save_draft (store, NULL, save->before, error)
                      : fl_store_set_int (store, FL_TABLE_DATASET, save->dataset, "active", FALSE, error);
  return GINT_TO_POINTER (
      good && stop_new_jobs (store, save, error)
      && (save->approve_above < 0 || set_approval (store, save->approved_before, &unused, error)));
}

/* --- the experiment's policy --- */

gpointer
flg_dataset_write_policy (FlStore *store, gpointer data, GError **error)
{
  FlExperiment *experiment = experiment_record (store, error);
  if (!experiment)
    return NULL;
  const char *backlog;
  g_variant_get (data, "(&sdii)", &backlog, &experiment->thin_fraction, &experiment->undo_seconds,
                 &experiment->approve_above);
  flg_set_string (&experiment->backlog, backlog);
  gboolean good = fl_store_save (store, FL_TABLE_EXPERIMENT, experiment, error);
  fl_record_free (FL_TABLE_EXPERIMENT, experiment);
  return GINT_TO_POINTER (good);
}
