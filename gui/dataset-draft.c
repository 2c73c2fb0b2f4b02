#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/dataset-draft.h"

#include <glib/gi18n.h>

#include <stdlib.h>
#include <string.h>

#include "engine/control/dataset-plan.h"

#define LONG_NAME 140 /* characters */

void
flg_set_string (char **field, const char *value)
{
  char *copy = g_strdup (value ? value : "");
  g_free (*field);
  *field = copy;
}

static FlTask *
task_copy (const FlTask *task)
{
  FlTask *copy = g_memdup2 (task, sizeof *task);
  copy->name = g_strdup (task->name);
  copy->type = g_strdup (task->type);
  copy->params = g_strdup (task->params ? task->params : "");
  return copy;
}

static FlDataset *
dataset_copy (const FlDataset *dataset)
{
  FlDataset *copy = g_memdup2 (dataset, sizeof *dataset);
  copy->name = g_strdup (dataset->name);
  copy->expression = g_strdup (dataset->expression ? dataset->expression : "");
  copy->comment = g_strdup (dataset->comment ? dataset->comment : "");
  return copy;
}

static void
step_free (FlgDatasetStep *step)
{
  fl_record_free (FL_TABLE_TASK, step->task);
  g_array_unref (step->after);
  g_free (step);
}

static FlgDatasetStep *
step_new (guint key, const FlTask *task)
{
  FlgDatasetStep *step = g_new (FlgDatasetStep, 1);
  *step = (FlgDatasetStep){ key, task_copy (task), g_array_new (FALSE, FALSE, sizeof (guint)) };
  return step;
}

static FlgDatasetDraft *
draft_empty (const FlDataset *dataset)
{
  FlgDatasetDraft *draft = g_new0 (FlgDatasetDraft, 1);
  draft->dataset = dataset_copy (dataset);
  draft->steps = g_ptr_array_new_with_free_func ((GDestroyNotify) step_free);
  return draft;
}

FlgDatasetDraft *
flg_dataset_draft_new (FlgExperiment *experiment, const char *name, const char *expression)
{
  FlDataset dataset = { .name = (char *) name,
                        .expression = (char *) expression,
                        .active = TRUE,
                        .min_interval = 300,
                        .created = flg_experiment_now (experiment) };
  FlgDatasetDraft *draft = draft_empty (&dataset);
  FlgRecordModel *tasks = flg_experiment_table (experiment, FL_TABLE_TASK);
  if (flg_record_model_count (tasks))
    flg_dataset_draft_add (draft, flg_record_task (flg_record_model_at (tasks, 0)));
  return draft;
}

static int
by_number (gconstpointer a, gconstpointer b)
{
  const FlDatasetTask *left = *(const FlDatasetTask *const *) a, *right = *(const FlDatasetTask *const *) b;
  return left->number != right->number ? left->number - right->number
                                       : (left->id > right->id) - (left->id < right->id);
}

static FlgDatasetStep *
step_of_task (const FlgDatasetDraft *draft, gint64 task)
{
  for (guint i = 0; i < draft->steps->len; i++)
    {
      FlgDatasetStep *step = draft->steps->pdata[i];
      if (step->task->id == task)
        return step;
    }
  return NULL;
}

FlgDatasetDraft *
flg_dataset_draft_of (FlgExperiment *experiment, const FlDataset *dataset)
{
  FlgDatasetDraft *draft = draft_empty (dataset);
  g_autoptr (GPtrArray) links = g_ptr_array_new ();
  FlgRecordModel *all = flg_experiment_table (experiment, FL_TABLE_DATASET_TASK);
  for (guint i = 0; i < flg_record_model_count (all); i++)
    {
      const FlDatasetTask *link = flg_record_dataset_task (flg_record_model_at (all, i));
      if (link->dataset == dataset->id)
        g_ptr_array_add (links, (gpointer) link);
    }
  g_ptr_array_sort (links, by_number);
  FlgRecordModel *tasks = flg_experiment_table (experiment, FL_TABLE_TASK);
  for (guint i = 0; i < links->len; i++)
    {
      FlgRecord *record = flg_record_model_find (tasks, ((const FlDatasetTask *) links->pdata[i])->task);
      if (record)
        g_ptr_array_add (draft->steps, step_new (++draft->last_key, flg_record_task (record)));
    }
  for (guint i = 0; i < links->len; i++)
    {
      const FlDatasetTask *link = links->pdata[i];
      FlgDatasetStep *step = step_of_task (draft, link->task);
      g_auto (GStrv) ids = g_strsplit (link->after, " ", -1);
      for (guint k = 0; step && ids[k]; k++)
        {
          FlgDatasetStep *before = step_of_task (draft, g_ascii_strtoll (ids[k], NULL, 10));
          if (*ids[k] && before)
            flg_dataset_draft_set_after (draft, step->key, before->key, TRUE);
        }
    }
  return draft;
}

FlgDatasetDraft *
flg_dataset_draft_copy (const FlgDatasetDraft *draft)
{
  FlgDatasetDraft *copy = draft_empty (draft->dataset);
  copy->last_key = draft->last_key;
  for (guint i = 0; i < draft->steps->len; i++)
    {
      const FlgDatasetStep *step = draft->steps->pdata[i];
      FlgDatasetStep *same = step_new (step->key, step->task);
      g_array_append_vals (same->after, step->after->data, step->after->len);
      g_ptr_array_add (copy->steps, same);
    }
  return copy;
}

void
flg_dataset_draft_free (FlgDatasetDraft *draft)
{
  if (!draft)
    return;
  fl_record_free (FL_TABLE_DATASET, draft->dataset);
  g_ptr_array_unref (draft->steps);
  g_free (draft);
}

static gboolean
name_is_taken (FlgExperiment *experiment, const char *name, gint64 but)
{
  FlgRecordModel *datasets = flg_experiment_table (experiment, FL_TABLE_DATASET);
  for (guint i = 0; i < flg_record_model_count (datasets); i++)
    {
      const FlDataset *dataset = flg_record_dataset (flg_record_model_at (datasets, i));
      if (dataset->id != but && g_str_equal (dataset->name, name))
        return TRUE;
    }
  return FALSE;
}

char *
flg_dataset_free_name (FlgExperiment *experiment, const char *wanted)
{
  char *name = g_strdup (wanted);
  for (guint n = 2; name_is_taken (experiment, name, 0); n++)
    {
      g_free (name);
      name = g_strdup_printf ("%s %u", wanted, n);
    }
  return name;
}

/* --- the graph --- */

FlgDatasetStep *
flg_dataset_draft_step (const FlgDatasetDraft *draft, guint key)
{
  for (guint i = 0; i < draft->steps->len; i++)
    if (((FlgDatasetStep *) draft->steps->pdata[i])->key == key)
      return draft->steps->pdata[i];
  return NULL;
}

guint
flg_dataset_draft_add (FlgDatasetDraft *draft, const FlTask *task)
{
  FlgDatasetStep *last = draft->steps->len ? draft->steps->pdata[draft->steps->len - 1] : NULL;
  FlgDatasetStep *step = step_new (++draft->last_key, task);
  if (last)
    g_array_append_val (step->after, last->key);
  g_ptr_array_add (draft->steps, step);
  return step->key;
}

static int
find_key (const GArray *keys, guint key)
{
  for (guint i = 0; i < keys->len; i++)
    if (g_array_index (keys, guint, i) == key)
      return (int) i;
  return -1;
}

/* What came after it comes after what it came after. */
void
flg_dataset_draft_remove (FlgDatasetDraft *draft, guint key)
{
  FlgDatasetStep *gone = flg_dataset_draft_step (draft, key);
  if (!gone)
    return;
  for (guint i = 0; i < draft->steps->len; i++)
    {
      FlgDatasetStep *step = draft->steps->pdata[i];
      int at = find_key (step->after, key);
      if (at < 0)
        continue;
      g_array_remove_index (step->after, (guint) at);
      for (guint k = 0; k < gone->after->len; k++)
        flg_dataset_draft_set_after (draft, step->key, g_array_index (gone->after, guint, k), TRUE);
    }
  g_ptr_array_remove (draft->steps, gone);
}

void
flg_dataset_draft_move (FlgDatasetDraft *draft, guint key, int by)
{
  guint at;
  FlgDatasetStep *step = flg_dataset_draft_step (draft, key);
  if (!step || !g_ptr_array_find (draft->steps, step, &at) || (int) at + by < 0
      || at + (guint) by >= draft->steps->len)
    return;
  draft->steps->pdata[at] = draft->steps->pdata[at + (guint) by];
  draft->steps->pdata[at + (guint) by] = step;
}

gboolean
flg_dataset_draft_is_after (const FlgDatasetDraft *draft, guint key, guint before)
{
  const FlgDatasetStep *step = flg_dataset_draft_step (draft, key);
  for (guint i = 0; step && i < step->after->len; i++)
    {
      guint next = g_array_index (step->after, guint, i);
      if (next == before || flg_dataset_draft_is_after (draft, next, before))
        return TRUE;
    }
  return FALSE;
}

void
flg_dataset_draft_set_after (FlgDatasetDraft *draft, guint key, guint before, gboolean after)
{
  FlgDatasetStep *step = flg_dataset_draft_step (draft, key);
  int at = step ? find_key (step->after, before) : -1;
  if (!step || after == (at >= 0) || key == before || flg_dataset_draft_is_after (draft, before, key))
    return;
  if (after)
    g_array_append_val (step->after, before);
  else
    g_array_remove_index (step->after, (guint) at);
}

/* --- may it be saved --- */

static gboolean
is_name (const char *name)
{
  return *name && g_utf8_validate (name, -1, NULL) && !strpbrk (name, "\n\r\t\v\f\b\033");
}

static gboolean
is_of_runs (const FlTask *task)
{
  return !fl_task_is_global (task);
}

static char *
step_complaint (const FlgDatasetDraft *draft, const FlgDatasetStep *step)
{
  if (!is_name (step->task->name))
    return g_strdup (_ ("Each step needs a name."));
  if (g_utf8_strlen (step->task->name, -1) > LONG_NAME)
    return g_strdup_printf (_ ("The name of a step has more than %d characters."), LONG_NAME);
  for (guint i = 0; i < draft->steps->len; i++)
    {
      const FlgDatasetStep *other = draft->steps->pdata[i];
      if (other != step && g_str_equal (other->task->name, step->task->name))
        return g_strdup_printf (_ ("Two steps are called “%s”."), step->task->name);
      if (is_of_runs (step->task) && !is_of_runs (other->task)
          && flg_dataset_draft_is_after (draft, step->key, other->key))
        return g_strdup_printf (
            _ ("“%s” works on runs and cannot come after “%s”, which works on a version."), step->task->name,
            other->task->name);
    }
  return NULL;
}

char *
flg_dataset_draft_complaint (const FlgDatasetDraft *draft, FlgExperiment *experiment)
{
  if (!is_name (draft->dataset->name))
    return g_strdup (_ ("A dataset needs a name."));
  if (g_utf8_strlen (draft->dataset->name, -1) > LONG_NAME)
    return g_strdup_printf (_ ("The name has more than %d characters."), LONG_NAME);
  if (name_is_taken (experiment, draft->dataset->name, draft->dataset->id))
    return g_strdup (_ ("Another dataset has this name."));
  if (draft->steps->len == 0)
    return g_strdup (_ ("A dataset needs a step: nothing would be done."));
  char *complaint = NULL;
  for (guint i = 0; i < draft->steps->len && !complaint; i++)
    complaint = step_complaint (draft, draft->steps->pdata[i]);
  return complaint;
}

gboolean
flg_dataset_step_is_fork (const FlgDatasetStep *step, FlgExperiment *experiment, gint64 dataset)
{
  FlgRecord *record =
      flg_record_model_find (flg_experiment_table (experiment, FL_TABLE_TASK), step->task->id);
  if (!record)
    return FALSE;
  const FlTask *stored = flg_record_task (record);
  if (g_str_equal (stored->type, step->task->type) && g_str_equal (stored->params, step->task->params))
    return FALSE;
  gboolean used = stored->active;
  FlgRecordModel *jobs = flg_experiment_table (experiment, FL_TABLE_JOB);
  for (guint i = 0; i < flg_record_model_count (jobs) && !used; i++)
    used = flg_record_job (flg_record_model_at (jobs, i))->task == stored->id;
  FlgRecordModel *links = flg_experiment_table (experiment, FL_TABLE_DATASET_TASK);
  for (guint i = 0; i < flg_record_model_count (links) && !used; i++)
    {
      const FlDatasetTask *link = flg_record_dataset_task (flg_record_model_at (links, i));
      used = link->task == stored->id && link->dataset != dataset;
    }
  return used;
}
