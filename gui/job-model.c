#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/job-model.h"

#include <gtk/gtk.h>
#include <string.h>

#define FEW        64  /* jobs that come or go at a time: announced as such */
#define STEP       30  /* lines that GTK makes widgets for between two frames, */
#define ALIVE      240 /* and as many lines as it makes widgets for at most */
#define WORDS_MOST 32
#define N_NAMED    4

struct _FlgJobModel
{
  GObject parent_instance;
  FlgJobIndex *index; /* borrowed */
  GPtrArray *shown;   /* FlgRecord */
  GPtrArray *slots;   /* FlgJobSlot, as many as are shown; behind them spare ones */
  guint lines;        /* as many of them as have been announced */
  guint growing;
  gboolean unlisted;
  GStrv words;
  FlgJobFilter filter;
  FlgJobColumn column;
  gboolean descending;
  GHashTable *of_dataset; /* ids of jobs; NULL: all */
  guint32 wanted;         /* a bit a word */
  gboolean digits;        /* a word may be a job's number */
  guint64 now;
  GHashTable *found[N_NAMED]; /* id of a run, trial, task, site -> words in its name, or its tags */
  guint32 in_state[FLG_SHOWN_LAST];
};

static GType
get_item_type (GListModel *model)
{
  return FLG_TYPE_JOB_SLOT;
}

static guint
get_n_items (GListModel *model)
{
  return FLG_JOB_MODEL (model)->lines;
}

static gpointer
get_item (GListModel *model, guint position)
{
  FlgJobModel *self = FLG_JOB_MODEL (model);
  return position < self->lines ? g_object_ref (self->slots->pdata[position]) : NULL;
}

static void
list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

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

/* Which of the words (bit i: word i) are in the text, whatever the case. */
static guint32
words_in (FlgJobModel *self, const char *text)
{
  guint32 found = 0;
  for (guint i = 0; self->words[i] && i < WORDS_MOST; i++)
    if (strcasestr (text, self->words[i]))
      found |= 1u << i;
  return found;
}

/* Names are shared by many jobs: each is looked at once for all of them. */
typedef struct
{
  FlTable table;
  const char *(*name) (gconstpointer record);
} Named;

static const char *
trial_name (gconstpointer record)
{
  return ((const FlTrial *) record)->name;
}

static const char *
task_name (gconstpointer record)
{
  return ((const FlTask *) record)->name;
}

static const char *
site_name (gconstpointer record)
{
  return ((const FlSite *) record)->name;
}

static const char *
run_name (gconstpointer record)
{
  return ((const FlRun *) record)->name;
}

static const Named named[N_NAMED] = { { FL_TABLE_RUN, run_name },
                                      { FL_TABLE_TRIAL, trial_name },
                                      { FL_TABLE_TASK, task_name },
                                      { FL_TABLE_SITE, site_name } };

static void
note_words (GHashTable *found, gint64 id, guint32 words)
{
  if (words)
    g_hash_table_insert (found, g_memdup2 (&id, sizeof id),
                         GUINT_TO_POINTER (words | GPOINTER_TO_UINT (g_hash_table_lookup (found, &id))));
}

static void
note_tags (FlgJobModel *self)
{
  FlgExperiment *experiment = flg_job_index_experiment (self->index);
  FlgRecordModel *tags = flg_experiment_table (experiment, FL_TABLE_TAG),
                 *pairs = flg_experiment_table (experiment, FL_TABLE_RUN_TAG);
  for (guint i = 0; i < flg_record_model_count (pairs); i++)
    {
      const FlRunTag *pair = flg_record_any (flg_record_model_at (pairs, i));
      FlgRecord *tag = flg_record_model_find (tags, pair->tag);
      if (tag)
        note_words (self->found[0], pair->run, words_in (self, flg_record_tag (tag)->name));
    }
}

static void
look_names_up (FlgJobModel *self)
{
  FlgExperiment *experiment = flg_job_index_experiment (self->index);
  for (guint k = 0; k < N_NAMED; k++)
    {
      g_hash_table_remove_all (self->found[k]);
      FlgRecordModel *records = flg_experiment_table (experiment, named[k].table);
      for (guint i = 0; self->words && i < flg_record_model_count (records); i++)
        {
          FlgRecord *record = flg_record_model_at (records, i);
          guint32 words = words_in (self, named[k].name (flg_record_any (record)));
          if (named[k].table == FL_TABLE_TRIAL)
            {
              char numbered[32];
              g_snprintf (numbered, sizeof numbered, "trial %d", flg_record_trial (record)->number);
              words |= words_in (self, numbered);
            }
          note_words (self->found[k], flg_record_id (record), words);
        }
    }
  for (FlgShownState state = 0; self->words && state < FLG_SHOWN_LAST; state++)
    self->in_state[state] = words_in (self, flg_shown_state_name (state));
  if (self->words)
    note_tags (self);
}

static guint32
found_in (FlgJobModel *self, guint k, gint64 id)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (self->found[k], &id));
}

static gboolean
has_words (FlgJobModel *self, const FlJob *job)
{
  guint32 wanted = self->wanted;
  guint32 found = found_in (self, 0, job->run) | found_in (self, 1, job->trial)
                  | found_in (self, 2, job->task) | self->in_state[flg_job_shown_state (job, self->now)];
  if ((found & wanted) == wanted)
    return TRUE;
  const FlSite *site = g_hash_table_size (self->found[3]) ? flg_job_index_site (self->index, job) : NULL;
  found |= (site ? found_in (self, 3, site->id) : 0) | (*job->reason ? words_in (self, job->reason) : 0);
  if (self->digits)
    {
      char number[32];
      g_snprintf (number, sizeof number, "%" G_GINT64_FORMAT, job->id);
      found |= words_in (self, number);
    }
  if (!job->run)
    {
      g_autofree char *version = flg_job_index_version_name (self->index, job);
      found |= words_in (self, version);
    }
  return (found & wanted) == wanted;
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
  return !self->words || has_words (self, job);
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

static void
fill_slots (FlgJobModel *self, guint from, guint end)
{
  for (guint i = from; i < end; i++)
    {
      if (i >= self->slots->len)
        g_ptr_array_add (self->slots, g_object_new (FLG_TYPE_JOB_SLOT, NULL));
      flg_job_slot_set_job (self->slots->pdata[i], self->shown->pdata[i]);
    }
}

static void
set_lines (FlgJobModel *self, guint lines)
{
  guint before = self->lines, shorter = MIN (before, lines);
  self->lines = lines;
  if (before != lines)
    g_list_model_items_changed (G_LIST_MODEL (self), shorter, before - shorter, lines - shorter);
}

static gboolean
on_growing (gpointer data)
{
  FlgJobModel *self = data;
  guint n = self->shown->len;
  set_lines (self, self->lines < ALIVE ? MIN (n, self->lines + STEP) : n);
  g_signal_emit (self, signals[CHANGED], 0);
  if (self->lines < n)
    return G_SOURCE_CONTINUE;
  self->growing = 0;
  return G_SOURCE_REMOVE;
}

void
flg_job_model_complete (FlgJobModel *self)
{
  if (self->growing == 0)
    return;
  g_clear_handle_id (&self->growing, g_source_remove);
  set_lines (self, self->shown->len);
  g_signal_emit (self, signals[CHANGED], 0);
}

/* Lines [first, first + removed) go, others come in their place. */
static void
splice (FlgJobModel *self, guint first, guint removed, guint added)
{
  if (removed)
    g_ptr_array_remove_range (self->slots, first, removed);
  for (guint i = 0; i < added; i++)
    g_ptr_array_insert (self->slots, (int) (first + i), g_object_new (FLG_TYPE_JOB_SLOT, NULL));
  fill_slots (self, first, first + added);
  self->lines = self->shown->len;
  g_list_model_items_changed (G_LIST_MODEL (self), first, removed, added);
}

/* Fewer lines at once, more in steps: what is seen is there with the first. */
static void
rewrite (FlgJobModel *self, guint first)
{
  guint n = self->shown->len;
  fill_slots (self, first, n);
  set_lines (self, MIN (n, self->lines + STEP));
  if (self->lines < n)
    self->growing = g_idle_add_full (GDK_PRIORITY_REDRAW + 10, on_growing, self, NULL);
}

void
flg_job_model_set_listed (FlgJobModel *self, gboolean listed)
{
  if (self->unlisted == !listed)
    return;
  self->unlisted = !listed;
  g_clear_handle_id (&self->growing, g_source_remove);
  if (listed)
    rewrite (self, 0);
  else
    set_lines (self, 0);
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
announce (FlgJobModel *self, GPtrArray *before)
{
  GPtrArray *now = self->shown;
  guint shorter = MIN (before->len, now->len), first = 0, tail = 0;
  while (first < shorter && before->pdata[first] == now->pdata[first])
    first++;
  while (tail < shorter - first && before->pdata[before->len - 1 - tail] == now->pdata[now->len - 1 - tail])
    tail++;
  guint removed = before->len - first - tail, added = now->len - first - tail;
  if (removed == 0 && added == 0)
    return;
  if (self->unlisted)
    {
      g_signal_emit (self, signals[CHANGED], 0);
      return;
    }
  gboolean whole = self->growing == 0;
  g_clear_handle_id (&self->growing, g_source_remove);
  if (whole && MAX (removed, added) <= FEW)
    splice (self, first, removed, added);
  else
    rewrite (self, first);
  g_signal_emit (self, signals[CHANGED], 0);
}

void
flg_job_model_refresh (FlgJobModel *self)
{
  FlgExperiment *experiment = flg_job_index_experiment (self->index);
  g_clear_pointer (&self->of_dataset, g_hash_table_unref);
  if (self->filter.dataset)
    self->of_dataset = jobs_of_dataset (experiment, self->filter.dataset);
  self->now = flg_experiment_now (experiment);
  look_names_up (self);
  g_autoptr (GArray) keys = matching_keys (self);
  g_autoptr (GPtrArray) before = g_steal_pointer (&self->shown);
  self->shown = g_ptr_array_new_full (keys->len, g_object_unref);
  for (guint i = 0; i < keys->len; i++)
    g_ptr_array_add (self->shown, g_object_ref (g_array_index (keys, Key, i).record));
  announce (self, before);
}

static void
set_words (FlgJobModel *self, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_clear_pointer (&self->words, g_strfreev);
  self->wanted = 0;
  self->digits = FALSE;
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_auto (GStrv) parts = g_strsplit (valid, " ", -1);
  for (guint i = 0; parts[i] && words->len < WORDS_MOST; i++)
    if (*parts[i])
      {
        self->wanted |= 1u << words->len;
        self->digits |= g_ascii_isdigit (*parts[i]);
        g_ptr_array_add (words, g_strdup (parts[i]));
      }
  if (words->len == 0)
    return;
  g_ptr_array_add (words, NULL);
  self->words = (GStrv) g_ptr_array_free (g_steal_pointer (&words), FALSE);
}

void
flg_job_model_set_filter (FlgJobModel *self, const FlgJobFilter *filter)
{
  set_words (self, filter->words ? filter->words : "");
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
  g_clear_handle_id (&self->growing, g_source_remove);
  g_ptr_array_unref (self->shown);
  g_ptr_array_unref (self->slots);
  g_clear_pointer (&self->of_dataset, g_hash_table_unref);
  for (guint k = 0; k < N_NAMED; k++)
    g_hash_table_unref (self->found[k]);
  g_strfreev (self->words);
  G_OBJECT_CLASS (flg_job_model_parent_class)->finalize (object);
}

static void
flg_job_model_class_init (FlgJobModelClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = flg_job_model_finalize;
  signals[CHANGED] =
      g_signal_new ("changed", FLG_TYPE_JOB_MODEL, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
flg_job_model_init (FlgJobModel *self)
{
  self->shown = g_ptr_array_new_with_free_func (g_object_unref);
  self->slots = g_ptr_array_new_with_free_func (g_object_unref);
  self->descending = TRUE;
  for (guint k = 0; k < N_NAMED; k++)
    self->found[k] = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
}

FlgJobModel *
flg_job_model_new (FlgJobIndex *index)
{
  FlgJobModel *self = g_object_new (FLG_TYPE_JOB_MODEL, NULL);
  self->index = index;
  return self;
}
