#include "engine/control/outlook.h"

#include <math.h>
#include <string.h>

#include "engine/control/dataset-plan.h"
#include "engine/control/outlook-private.h"

#define MOST_VERSIONS 12 /* that a forecast looks back on */

/* An outlook and what it was made of. */
typedef struct
{
  gint64 dataset;
  FlOutlook *outlook;
  char *made_of;     /* goals and merges */
  double more[3];    /* lattices that are missing: likely, at least, at most */
  gboolean is_there; /* while all are gone through */
} Entry;

struct FlOutlooks
{
  FlOutlookData data;
  GHashTable *entries; /* dataset -> Entry */
};

/* --- one outlook --- */

static void
version_clear (gpointer data)
{
  FlForecastVersion *version = data;
  g_free ((gpointer) version->trend);
  g_free ((gpointer) version->shells);
}

static void
outlook_clear (gpointer data)
{
  FlOutlook *outlook = data;
  fl_forecast_clear (&outlook->forecast);
  g_array_unref (outlook->versions);
  g_array_unref (outlook->numbers);
}

FlOutlook *
fl_outlook_ref (FlOutlook *outlook)
{
  return g_atomic_rc_box_acquire (outlook);
}

void
fl_outlook_unref (FlOutlook *outlook)
{
  g_atomic_rc_box_release_full (outlook, outlook_clear);
}

char *
fl_outlook_when (const FlOutlook *outlook)
{
  double seconds = outlook->forecast.seconds;
  if (outlook->forecast.verdict != FL_VERDICT_KEEP_GOING || !isfinite (seconds))
    return NULL;
  if (seconds < 60)
    return g_strdup ("less than a minute");
  if (seconds < 5400)
    return g_strdup_printf ("%.0f min", seconds / 60);
  return seconds < 36 * 3600 ? g_strdup_printf ("%.1f h", seconds / 3600)
                             : g_strdup_printf ("%.0f days", seconds / 86400);
}

static FlOutlook *
outlook_new (gint64 dataset)
{
  FlOutlook *outlook = g_atomic_rc_box_new0 (FlOutlook);
  outlook->dataset = dataset;
  outlook->versions = g_array_new (FALSE, FALSE, sizeof (FlForecastVersion));
  g_array_set_clear_func (outlook->versions, version_clear);
  outlook->numbers = g_array_new (FALSE, FALSE, sizeof (int));
  return outlook;
}

/* --- which merges --- */

typedef struct
{
  const FlMerged *merged;
  const FlJob *job;
  const FlDatasetVersion *version;
} Link;

static int
oldest_first (gconstpointer a, gconstpointer b)
{
  const Link *x = a, *y = b;
  return x->version->number != y->version->number ? x->version->number - y->version->number
                                                  : (x->job->id > y->job->id) - (x->job->id < y->job->id);
}

static gpointer
record_of (const FlOutlooks *self, FlTable table, gint64 id)
{
  const FlChange *change = g_hash_table_lookup (self->data.tables[table], &id);
  return change != NULL ? change->record : NULL;
}

/* The dataset's merges by the task and of the trial of its newest one: only these are one trend. GArray of Link, oldest first. */
static GArray *
chain_of (const FlOutlooks *self, gint64 dataset)
{
  GArray *chain = g_array_new (FALSE, FALSE, sizeof (Link));
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, self->data.merges);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Link link = { .merged = value };
      link.job = record_of (self, FL_TABLE_JOB, link.merged->job);
      link.version = link.job != NULL && link.job->dataset == dataset
                         ? record_of (self, FL_TABLE_DATASET_VERSION, link.job->version)
                         : NULL;
      if (link.version != NULL && link.merged->whole && link.merged->shells->len > 0)
        g_array_append_val (chain, link);
    }
  g_array_sort (chain, oldest_first);
  for (guint i = chain->len; i > 0; i--)
    {
      const FlJob *job = g_array_index (chain, Link, i - 1).job;
      const FlJob *newest = g_array_index (chain, Link, chain->len - 1).job;
      if (job->task != newest->task || job->trial != newest->trial)
        g_array_remove_index (chain, i - 1);
    }
  if (chain->len > MOST_VERSIONS)
    g_array_remove_range (chain, 0, chain->len - MOST_VERSIONS);
  return chain;
}

static char *
made_of (const FlDataset *dataset, const GArray *chain)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_string_printf (text, "%.17g %.17g %.17g %.17g %.17g", dataset->goal_d_min, dataset->goal_completeness,
                   dataset->goal_multiplicity, dataset->goal_cc_half, dataset->goal_cc_ano);
  for (guint i = 0; i < chain->len; i++)
    {
      const Link *link = &g_array_index (chain, Link, i);
      g_string_append_printf (text, " %" G_GINT64_FORMAT ":%" G_GUINT64_FORMAT, link->job->id,
                              link->merged->stamp);
    }
  return g_strdup (text->str);
}

static void
append_version (FlOutlook *outlook, const Link *link)
{
  const FlMerged *merged = link->merged;
  FlForecastVersion version = {
    .trend = g_memdup2 (merged->trend->data, merged->trend->len * sizeof (FlTrendRow)),
    .n_trend = merged->trend->len,
    .shells = g_memdup2 (merged->shells->data, merged->shells->len * sizeof (FlShellRow)),
    .n_shells = merged->shells->len,
    .lattices = merged->row.used
  };
  g_array_append_val (outlook->versions, version);
  g_array_append_val (outlook->numbers, link->version->number);
  outlook->job = link->job->id;
  outlook->version = link->version->number;
  outlook->merged = merged->row.time;
}

static FlOutlook *
forecast (const FlDataset *dataset, const GArray *chain)
{
  FlOutlook *outlook = outlook_new (dataset->id);
  for (guint i = 0; i < chain->len; i++)
    append_version (outlook, &g_array_index (chain, Link, i));
  /* at one lattice a second its times are numbers of lattices */
  fl_forecast_make (dataset, (const FlForecastVersion *) (gpointer) outlook->versions->data,
                    outlook->versions->len, 1, &outlook->forecast);
  return outlook;
}

/* --- how fast --- */

typedef struct
{
  FlPlanRecords records;
  GPtrArray *steps;
} Basis;

static void
basis_init (Basis *basis, const FlOutlooks *self)
{
  const FlOutlookData *data = &self->data;
  basis->records = (FlPlanRecords){ .runs = fl_outlook_data_table (data, FL_TABLE_RUN),
                                    .tags = fl_outlook_data_table (data, FL_TABLE_TAG),
                                    .run_tags = fl_outlook_data_table (data, FL_TABLE_RUN_TAG),
                                    .blocks = fl_outlook_data_table (data, FL_TABLE_BLOCK),
                                    .trials = fl_outlook_data_table (data, FL_TABLE_TRIAL),
                                    .tasks = fl_outlook_data_table (data, FL_TABLE_TASK),
                                    .sites = g_ptr_array_new (),
                                    .jobs = fl_outlook_data_table (data, FL_TABLE_JOB),
                                    .attempts = g_ptr_array_new (), /* costs: nobody asks */
                                    .versions = fl_outlook_data_table (data, FL_TABLE_DATASET_VERSION),
                                    .version_jobs = fl_outlook_data_table (data, FL_TABLE_VERSION_JOB) };
  basis->steps = fl_outlook_data_table (data, FL_TABLE_DATASET_TASK);
}

static void
basis_clear (Basis *basis)
{
  GPtrArray *arrays[] = { basis->records.runs,     basis->records.tags,         basis->records.run_tags,
                          basis->records.blocks,   basis->records.trials,       basis->records.tasks,
                          basis->records.sites,    basis->records.jobs,         basis->records.attempts,
                          basis->records.versions, basis->records.version_jobs, basis->steps };
  for (guint i = 0; i < G_N_ELEMENTS (arrays); i++)
    g_ptr_array_unref (arrays[i]);
}

static GHashTable *
jobs_of_version (const Basis *basis, gint64 version)
{
  GHashTable *jobs = g_hash_table_new (g_int64_hash, g_int64_equal);
  for (guint i = 0; i < basis->records.version_jobs->len; i++)
    {
      FlVersionJob *use = basis->records.version_jobs->pdata[i];
      if (use->version == version)
        g_hash_table_add (jobs, &use->job);
    }
  return jobs;
}

/* Jobs, ended or not, whose lattices the merging job's next version will take. */
static GHashTable *
jobs_of_next (const Basis *basis, const FlDataset *dataset, const FlJob *merge, guint64 now)
{
  GHashTable *jobs = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_autoptr (FlDatasetPlan) plan = fl_dataset_plan (&basis->records, dataset, basis->steps, now, NULL);
  const FlDatasetTask *step = NULL;
  for (guint i = 0; i < basis->steps->len; i++)
    {
      const FlDatasetTask *other = basis->steps->pdata[i];
      if (other->dataset == dataset->id && other->task == merge->task)
        step = other;
    }
  for (guint i = 0; plan != NULL && step != NULL && i < plan->jobs->len; i++)
    {
      const FlMeantJob *meant = &g_array_index (plan->jobs, FlMeantJob, i);
      gboolean lost =
          meant->job != NULL && fl_job_state_is_final (meant->job->state) && meant->job->state != FL_JOB_DONE;
      if (meant->job != NULL && !lost && meant->trial->id == merge->trial
          && fl_step_waits_for (step, meant->task->id))
        g_hash_table_add (jobs, (gpointer) &meant->job->id);
    }
  return jobs;
}

/* Shots are indexed where lattices are merged: how many of the latter come of one of the former the newest merge tells. */
static void
tell_rate (const FlOutlooks *self, const Basis *basis, const FlDataset *dataset, const FlJob *merge,
           double used, guint64 now, double *rate, double *waiting)
{
  g_autoptr (GHashTable) taken = jobs_of_version (basis, merge->version);
  g_autoptr (GHashTable) next = jobs_of_next (basis, dataset, merge, now);
  gint64 before, all, of_late, unused;
  double seconds;
  fl_outlook_data_count (&self->data, taken, now, &before, &unused, &seconds);
  fl_outlook_data_count (&self->data, next, now, &all, &of_late, &seconds);
  double share = before > 0 ? used / (double) before : 1;
  *rate = (double) of_late * share / seconds;
  *waiting = MAX ((double) all * share - used, 0);
}

/* --- all --- */

static void
entry_free (gpointer data)
{
  Entry *entry = data;
  fl_outlook_unref (entry->outlook);
  g_free (entry->made_of);
  g_free (entry);
}

FlOutlooks *
fl_outlooks_new (void)
{
  FlOutlooks *self = g_new0 (FlOutlooks, 1);
  fl_outlook_data_init (&self->data);
  self->entries = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, entry_free);
  return self;
}

void
fl_outlooks_free (FlOutlooks *self)
{
  if (self == NULL)
    return;
  fl_outlook_data_clear (&self->data);
  g_hash_table_unref (self->entries);
  g_free (self);
}

/* The entry, made anew if it was of something else. NULL: neither goal nor merge. */
static Entry *
entry_of (FlOutlooks *self, const FlDataset *dataset, const GArray *chain, gboolean *changed)
{
  g_autofree char *of = made_of (dataset, chain);
  Entry *entry = g_hash_table_lookup (self->entries, &dataset->id);
  if (entry == NULL || strcmp (entry->made_of, of) != 0)
    {
      FlOutlook *outlook = forecast (dataset, chain);
      if (chain->len == 0 && outlook->forecast.verdict == FL_VERDICT_NO_GOAL)
        {
          fl_outlook_unref (outlook);
          return NULL;
        }
      entry = g_new (Entry, 1);
      *entry = (Entry){ .dataset = dataset->id,
                        .outlook = outlook,
                        .made_of = g_steal_pointer (&of),
                        .more = { outlook->forecast.seconds, outlook->forecast.seconds_low,
                                  outlook->forecast.seconds_high } };
      g_hash_table_replace (self->entries, &entry->dataset, entry);
      outlook->rate = NAN; /* not told yet */
      *changed = TRUE;
    }
  entry->is_there = TRUE;
  return entry;
}

static double
time_for (double more, double waiting, double rate)
{
  return rate > 0 ? MAX (more - waiting, 0) / rate : NAN;
}

static void
set_rate (Entry *entry, double rate, double waiting, gboolean *changed)
{
  const FlOutlook *old = entry->outlook;
  if (old->rate == rate && old->waiting == waiting)
    return;
  FlOutlook *outlook = g_atomic_rc_box_new0 (FlOutlook);
  *outlook = *old;
  outlook->forecast.reason = g_strdup (old->forecast.reason);
  outlook->forecast.state = g_strdup (old->forecast.state);
  outlook->forecast.advice = g_strdup (old->forecast.advice);
  g_array_ref (outlook->versions);
  g_array_ref (outlook->numbers);
  outlook->rate = rate;
  outlook->waiting = waiting;
  outlook->forecast.seconds = time_for (entry->more[0], waiting, rate);
  outlook->forecast.seconds_low = time_for (entry->more[1], waiting, rate);
  outlook->forecast.seconds_high = time_for (entry->more[2], waiting, rate);
  fl_outlook_unref (entry->outlook);
  entry->outlook = outlook;
  *changed = TRUE;
}

static gboolean
is_gone (gpointer key, gpointer value, gpointer data)
{
  (void) key;
  (void) data;
  Entry *entry = value;
  gboolean gone = !entry->is_there;
  entry->is_there = FALSE;
  return gone;
}

gboolean
fl_outlooks_update (FlOutlooks *self, FlStore *store, guint64 now, gboolean *changed, GError **error)
{
  gboolean any = FALSE;
  if (!fl_outlook_data_update (&self->data, store, now, error))
    return FALSE;
  Basis basis;
  basis_init (&basis, self);
  g_autoptr (GPtrArray) datasets = fl_outlook_data_table (&self->data, FL_TABLE_DATASET);
  for (guint i = 0; i < datasets->len; i++)
    {
      const FlDataset *dataset = datasets->pdata[i];
      g_autoptr (GArray) chain = chain_of (self, dataset->id);
      Entry *entry = entry_of (self, dataset, chain, &any);
      double rate = 0, waiting = 0;
      if (entry == NULL)
        continue;
      if (chain->len > 0)
        {
          const Link *newest = &g_array_index (chain, Link, chain->len - 1);
          tell_rate (self, &basis, dataset, newest->job, (double) newest->merged->row.used, now, &rate,
                     &waiting);
        }
      set_rate (entry, rate, waiting, &any);
    }
  basis_clear (&basis);
  any |= g_hash_table_foreach_remove (self->entries, is_gone, NULL) > 0;
  if (changed != NULL)
    *changed = any;
  return TRUE;
}

static int
by_dataset (gconstpointer a, gconstpointer b)
{
  const FlOutlook *x = *(FlOutlook *const *) a, *y = *(FlOutlook *const *) b;
  return (x->dataset > y->dataset) - (x->dataset < y->dataset);
}

GPtrArray *
fl_outlooks_list (FlOutlooks *self)
{
  GPtrArray *list = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer entry;
  g_hash_table_iter_init (&iter, self->entries);
  while (g_hash_table_iter_next (&iter, NULL, &entry))
    g_ptr_array_add (list, ((Entry *) entry)->outlook);
  g_ptr_array_sort (list, by_dataset);
  return list;
}

const FlOutlook *
fl_outlooks_find (FlOutlooks *self, gint64 dataset)
{
  const Entry *entry = g_hash_table_lookup (self->entries, &dataset);
  return entry != NULL ? entry->outlook : NULL;
}
