#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/job-model.h"

#include <string.h>

#include "gui/text.h"

struct _FlgJobModel
{
  GObject parent_instance;
  FlgJobIndex *index; /* borrowed */
  GPtrArray *shown;   /* FlgRecord */
  GStrv words;
  FlgJobFilter filter;
  FlgJobColumn column;
  gboolean descending;
  GHashTable *of_dataset; /* ids of jobs; NULL: all */
};

static GType
get_item_type (GListModel *model)
{
  return FLG_TYPE_RECORD;
}

static guint
get_n_items (GListModel *model)
{
  return FLG_JOB_MODEL (model)->shown->len;
}

static gpointer
get_item (GListModel *model, guint position)
{
  GPtrArray *shown = FLG_JOB_MODEL (model)->shown;
  return position < shown->len ? g_object_ref (shown->pdata[position]) : NULL;
}

static void
list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (FlgJobModel, flg_job_model, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_init))

/* --- filter --- */

static gboolean
state_matches (FlgJobStates states, const FlJob *job)
{
  switch (states)
    {
    case FLG_JOBS_ACTIVE:
      return !fl_job_state_is_final (job->state);
    case FLG_JOBS_HELD:
      return job->state == FL_JOB_PLANNED && job->held;
    case FLG_JOBS_FAILED:
      return job->state == FL_JOB_FAILED || job->state == FL_JOB_TIMED_OUT;
    case FLG_JOBS_DONE:
      return job->state == FL_JOB_DONE;
    default:
      return TRUE;
    }
}

static gboolean
is_in (const char *text, const char *word)
{
  return strcasestr (text, word) != NULL;
}

static gboolean
tags_have (FlgExperiment *experiment, gint64 run, const char *word)
{
  FlgRecordModel *tags = flg_experiment_table (experiment, FL_TABLE_TAG);
  for (guint i = 0; i < flg_record_model_count (tags); i++)
    {
      const FlTag *tag = flg_record_tag (flg_record_model_at (tags, i));
      if (is_in (tag->name, word) && flg_experiment_run_has_tag (experiment, run, tag->id))
        return TRUE;
    }
  return FALSE;
}

/* The quickest questions first: most jobs are told apart by their run. */
static gboolean
has_word (FlgJobModel *self, const FlJob *job, const char *word)
{
  FlgExperiment *experiment = flg_job_index_experiment (self->index);
  const FlRun *run = flg_experiment_run (experiment, job->run);
  const FlTrial *trial = flg_experiment_trial (experiment, job->trial);
  const FlTask *task = flg_job_index_task (self->index, job);
  const FlSite *site = flg_job_index_site (self->index, job);
  char number[32], numbered[32] = "";
  g_snprintf (number, sizeof number, "%" G_GINT64_FORMAT, job->id);
  if (trial)
    g_snprintf (numbered, sizeof numbered, "trial %d", trial->number);
  if ((run && is_in (run->name, word)) || is_in (number, word) || is_in (numbered, word)
      || (trial && is_in (trial->name, word)) || (task && is_in (task->name, word))
      || (site && is_in (site->name, word))
      || is_in (flg_shown_state_name (flg_job_shown_state (job, flg_experiment_now (experiment))), word)
      || is_in (job->reason, word))
    return TRUE;
  if (job->run)
    return tags_have (experiment, job->run, word);
  g_autofree char *version = flg_job_index_version_name (self->index, job);
  return is_in (version, word);
}

gboolean
flg_job_model_matches (FlgJobModel *self, const FlJob *job)
{
  if (!state_matches (self->filter.states, job))
    return FALSE;
  if (self->filter.site)
    {
      const FlSite *site = flg_job_index_site (self->index, job);
      if (!site || site->id != self->filter.site)
        return FALSE;
    }
  if (self->of_dataset && !g_hash_table_contains (self->of_dataset, &job->id))
    return FALSE;
  for (guint i = 0; self->words && self->words[i]; i++)
    if (*self->words[i] && !has_word (self, job, self->words[i]))
      return FALSE;
  return TRUE;
}

static void
add_id (GHashTable *set, gint64 id)
{
  g_hash_table_add (set, g_memdup2 (&id, sizeof id));
}

static GHashTable *
jobs_of_dataset (FlgExperiment *experiment, gint64 dataset)
{
  GHashTable *set = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  FlgRecordModel *jobs = flg_experiment_table (experiment, FL_TABLE_JOB),
                 *inputs = flg_experiment_table (experiment, FL_TABLE_VERSION_JOB),
                 *versions = flg_experiment_table (experiment, FL_TABLE_DATASET_VERSION);
  for (guint i = 0; i < flg_record_model_count (jobs); i++)
    {
      const FlJob *job = flg_record_job (flg_record_model_at (jobs, i));
      if (job->dataset == dataset)
        add_id (set, job->id);
    }
  for (guint i = 0; i < flg_record_model_count (inputs); i++)
    {
      const FlVersionJob *input = flg_record_any (flg_record_model_at (inputs, i));
      FlgRecord *version = flg_record_model_find (versions, input->version);
      if (version && ((const FlDatasetVersion *) flg_record_any (version))->dataset == dataset)
        add_id (set, input->job);
    }
  return set;
}

/* --- order --- */

typedef struct
{
  gint64 key, id;
  FlgRecord *record;
} Key;

static int
rising (gconstpointer a, gconstpointer b)
{
  const Key *x = a, *y = b;
  if (x->key != y->key)
    return x->key < y->key ? -1 : 1;
  return x->id < y->id ? -1 : x->id > y->id;
}

static int
falling (gconstpointer a, gconstpointer b)
{
  return rising (b, a);
}

static GArray *
matching_keys (FlgJobModel *self)
{
  FlgExperiment *experiment = flg_job_index_experiment (self->index);
  FlgRecordModel *jobs = flg_experiment_table (experiment, FL_TABLE_JOB);
  g_autoptr (GHashTable) ranks = self->column == FLG_JOB_RUN ? flg_run_ranks (experiment) : NULL;
  GArray *keys = g_array_sized_new (FALSE, FALSE, sizeof (Key), flg_record_model_count (jobs));
  for (guint i = 0; i < flg_record_model_count (jobs); i++)
    {
      FlgRecord *record = flg_record_model_at (jobs, i);
      const FlJob *job = flg_record_job (record);
      if (!flg_job_model_matches (self, job))
        continue;
      Key key = { flg_job_sort_key (self->index, job, self->column, ranks), job->id, record };
      g_array_append_val (keys, key);
    }
  g_array_sort (keys, self->descending ? falling : rising);
  return keys;
}

/* What differs is announced as one span. */
void
flg_job_model_refresh (FlgJobModel *self)
{
  FlgExperiment *experiment = flg_job_index_experiment (self->index);
  g_clear_pointer (&self->of_dataset, g_hash_table_unref);
  if (self->filter.dataset)
    self->of_dataset = jobs_of_dataset (experiment, self->filter.dataset);
  g_autoptr (GArray) keys = matching_keys (self);
  g_autoptr (GPtrArray) before = g_steal_pointer (&self->shown);
  self->shown = g_ptr_array_new_full (keys->len, g_object_unref);
  for (guint i = 0; i < keys->len; i++)
    g_ptr_array_add (self->shown, g_object_ref (g_array_index (keys, Key, i).record));
  GPtrArray *now = self->shown;
  guint shorter = MIN (before->len, now->len), first = 0, tail = 0;
  while (first < shorter && before->pdata[first] == now->pdata[first])
    first++;
  while (tail < shorter - first && before->pdata[before->len - 1 - tail] == now->pdata[now->len - 1 - tail])
    tail++;
  if (first + tail < MAX (before->len, now->len))
    g_list_model_items_changed (G_LIST_MODEL (self), first, before->len - first - tail,
                                now->len - first - tail);
}

void
flg_job_model_set_filter (FlgJobModel *self, const FlgJobFilter *filter)
{
  g_strfreev (self->words);
  self->words = filter->words && *filter->words ? g_strsplit (filter->words, " ", -1) : NULL;
  self->filter = *filter;
  self->filter.words = NULL;
  flg_job_model_refresh (self);
}

gboolean
flg_job_model_is_filtered (FlgJobModel *self)
{
  return self->words || self->filter.states || self->filter.site || self->filter.dataset;
}

void
flg_job_model_set_order (FlgJobModel *self, FlgJobColumn column, gboolean descending)
{
  self->column = column;
  self->descending = descending;
  flg_job_model_refresh (self);
}

FlgJobColumn
flg_job_model_order (FlgJobModel *self, gboolean *descending)
{
  *descending = self->descending;
  return self->column;
}

FlgRecord *const *
flg_job_model_jobs (FlgJobModel *self, guint *n)
{
  *n = self->shown->len;
  return (FlgRecord *const *) self->shown->pdata;
}

guint
flg_job_model_position (FlgJobModel *self, gint64 job)
{
  for (guint i = 0; i < self->shown->len; i++)
    if (flg_record_id (self->shown->pdata[i]) == job)
      return i;
  return G_MAXUINT;
}

static void
flg_job_model_finalize (GObject *object)
{
  FlgJobModel *self = FLG_JOB_MODEL (object);
  g_ptr_array_unref (self->shown);
  g_clear_pointer (&self->of_dataset, g_hash_table_unref);
  g_strfreev (self->words);
  G_OBJECT_CLASS (flg_job_model_parent_class)->finalize (object);
}

static void
flg_job_model_class_init (FlgJobModelClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = flg_job_model_finalize;
}

static void
flg_job_model_init (FlgJobModel *self)
{
  self->shown = g_ptr_array_new_with_free_func (g_object_unref);
  self->descending = TRUE;
}

FlgJobModel *
flg_job_model_new (FlgJobIndex *index)
{
  FlgJobModel *self = g_object_new (FLG_TYPE_JOB_MODEL, NULL);
  self->index = index;
  return self;
}
