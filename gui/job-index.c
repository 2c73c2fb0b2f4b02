#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/job-index.h"

#include <string.h>

#define RECENT 20

typedef struct
{
  FlgWaits waits;
  FlgSiteLoad load;
  GArray *recent; /* guint64: newest attempts first, at most RECENT */
  GArray *queue;  /* Waiting, the next to begin first */
} SiteFacts;

typedef struct
{
  gint64 job;
  guint64 submitted;
} Waiting;

struct FlgJobIndex
{
  FlgExperiment *experiment;
  GHashTable *newest; /* job id -> FlgRecord of its newest attempt */
  GHashTable *sites;  /* site id -> SiteFacts */
};

#define TABLE(index, table) flg_experiment_table ((index)->experiment, table)

static void
site_facts_free (gpointer data)
{
  SiteFacts *facts = data;
  g_array_unref (facts->recent);
  g_array_unref (facts->queue);
  g_free (facts);
}

FlgJobIndex *
flg_job_index_new (FlgExperiment *experiment)
{
  FlgJobIndex *index = g_new0 (FlgJobIndex, 1);
  index->experiment = g_object_ref (experiment);
  index->newest = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  index->sites = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, site_facts_free);
  return index;
}

void
flg_job_index_free (FlgJobIndex *index)
{
  g_hash_table_unref (index->newest);
  g_hash_table_unref (index->sites);
  g_object_unref (index->experiment);
  g_free (index);
}

FlgExperiment *
flg_job_index_experiment (FlgJobIndex *index)
{
  return index->experiment;
}

static SiteFacts *
facts_of (FlgJobIndex *index, gint64 site)
{
  SiteFacts *facts = g_hash_table_lookup (index->sites, &site);
  if (!facts)
    {
      facts = g_new0 (SiteFacts, 1);
      facts->recent = g_array_new (FALSE, FALSE, sizeof (guint64));
      facts->queue = g_array_new (FALSE, FALSE, sizeof (Waiting));
      g_hash_table_insert (index->sites, g_memdup2 (&site, sizeof site), facts);
    }
  return facts;
}

/* --- one pass --- */

static void
index_attempts (FlgJobIndex *index)
{
  FlgRecordModel *attempts = TABLE (index, FL_TABLE_ATTEMPT);
  g_hash_table_remove_all (index->newest);
  for (guint i = flg_record_model_count (attempts); i-- > 0;)
    {
      FlgRecord *record = flg_record_model_at (attempts, i);
      const FlAttempt *a = flg_record_attempt (record);
      FlgRecord *known = g_hash_table_lookup (index->newest, &a->job);
      if (!known || flg_record_attempt (known)->number < a->number)
        g_hash_table_insert (index->newest, g_memdup2 (&a->job, sizeof a->job), record);
      GArray *recent = facts_of (index, a->site)->recent;
      if (recent->len < RECENT && a->submitted && a->started >= a->submitted)
        {
          guint64 waited = a->started - a->submitted;
          g_array_append_val (recent, waited);
        }
    }
}

static void
index_job (FlgJobIndex *index, const FlJob *job)
{
  if (fl_job_state_is_final (job->state))
    return;
  const FlAttempt *attempt = flg_job_index_attempt (index, job->id);
  gboolean planned = job->state == FL_JOB_PLANNED;
  SiteFacts *facts = facts_of (index, !planned && attempt ? attempt->site : job->site);
  if (job->state == FL_JOB_RUNNING)
    {
      facts->load.running++;
      return;
    }
  facts->load.node_hours += flg_job_index_node_hours (index, job);
  facts->load.held += planned && job->held;
  facts->load.planned += planned && !job->held;
  facts->load.queued += !planned;
  if (!planned)
    {
      Waiting waiting = { job->id, attempt ? attempt->submitted : G_MAXUINT64 };
      g_array_append_val (facts->queue, waiting);
    }
}

static int
by_submission (gconstpointer a, gconstpointer b)
{
  const Waiting *x = a, *y = b;
  if (x->submitted != y->submitted)
    return x->submitted < y->submitted ? -1 : 1;
  return x->job < y->job ? -1 : x->job > y->job;
}

static int
by_length (gconstpointer a, gconstpointer b)
{
  guint64 x = *(const guint64 *) a, y = *(const guint64 *) b;
  return x < y ? -1 : x > y;
}

static void
sum_up (SiteFacts *facts)
{
  GArray *recent = facts->recent;
  g_array_sort (facts->queue, by_submission);
  if (recent->len == 0)
    return;
  g_array_sort (recent, by_length);
  guint64 low = g_array_index (recent, guint64, (recent->len - 1) / 2),
          high = g_array_index (recent, guint64, recent->len / 2);
  facts->waits = (FlgWaits){ recent->len, low + (high - low) / 2, g_array_index (recent, guint64, 0),
                             g_array_index (recent, guint64, recent->len - 1) };
}

void
flg_job_index_update (FlgJobIndex *index, guint what)
{
  if (!(what
        & (FLG_CHANGED (FL_TABLE_JOB) | FLG_CHANGED (FL_TABLE_ATTEMPT) | FLG_CHANGED (FL_TABLE_SITE)
           | FLG_CHANGED (FL_TABLE_TASK))))
    return;
  g_hash_table_remove_all (index->sites);
  index_attempts (index);
  FlgRecordModel *jobs = TABLE (index, FL_TABLE_JOB);
  for (guint i = 0; i < flg_record_model_count (jobs); i++)
    index_job (index, flg_record_job (flg_record_model_at (jobs, i)));
  GHashTableIter iter;
  gpointer facts;
  g_hash_table_iter_init (&iter, index->sites);
  while (g_hash_table_iter_next (&iter, NULL, &facts))
    sum_up (facts);
}

/* --- what is asked --- */

const FlAttempt *
flg_job_index_attempt (FlgJobIndex *index, gint64 job)
{
  FlgRecord *record = g_hash_table_lookup (index->newest, &job);
  return record ? flg_record_attempt (record) : NULL;
}

static gconstpointer
find (FlgJobIndex *index, FlTable table, gint64 id)
{
  FlgRecord *record = flg_record_model_find (TABLE (index, table), id);
  return record ? flg_record_any (record) : NULL;
}

const FlSite *
flg_job_index_site (FlgJobIndex *index, const FlJob *job)
{
  const FlAttempt *attempt = job->state == FL_JOB_PLANNED ? NULL : flg_job_index_attempt (index, job->id);
  return find (index, FL_TABLE_SITE, attempt ? attempt->site : job->site);
}

const FlTask *
flg_job_index_task (FlgJobIndex *index, const FlJob *job)
{
  return find (index, FL_TABLE_TASK, job->task);
}

const FlgWaits *
flg_job_index_waits (FlgJobIndex *index, gint64 site)
{
  return &facts_of (index, site)->waits;
}

const FlgSiteLoad *
flg_job_index_load (FlgJobIndex *index, gint64 site)
{
  return &facts_of (index, site)->load;
}

guint
flg_job_index_place (FlgJobIndex *index, const FlJob *job, guint *of)
{
  const FlSite *site = flg_job_index_site (index, job);
  GArray *queue = facts_of (index, site ? site->id : 0)->queue;
  *of = queue->len;
  for (guint i = 0; i < queue->len; i++)
    if (g_array_index (queue, Waiting, i).job == job->id)
      return i + 1;
  return 0;
}

double
flg_job_index_node_hours (FlgJobIndex *index, const FlJob *job)
{
  const FlSite *site = flg_job_index_site (index, job);
  const FlTask *task = flg_job_index_task (index, job);
  if (!site || g_str_equal (site->kind, "local"))
    return 0;
  int nodes = task && task->nodes > 0 ? task->nodes : MAX (site->nodes, 1);
  int minutes = task && task->minutes > 0 ? task->minutes : site->minutes;
  return nodes * minutes / 60.0;
}

guint64
flg_job_index_expected (FlgJobIndex *index, const FlJob *job)
{
  const FlAttempt *attempt = flg_job_index_attempt (index, job->id);
  if (job->state != FL_JOB_QUEUED || !attempt)
    return 0;
  if (attempt->expected)
    return attempt->expected;
  const FlgWaits *waits = flg_job_index_waits (index, attempt->site);
  guint64 now = flg_experiment_now (index->experiment);
  if (waits->n == 0 || attempt->submitted == 0)
    return 0;
  return attempt->submitted + waits->median > now    ? attempt->submitted + waits->median
         : attempt->submitted + waits->longest > now ? attempt->submitted + waits->longest
                                                     : 0;
}

guint64
flg_job_index_shots (FlgJobIndex *index, const FlJob *job)
{
  const FlRun *run = flg_experiment_run (index->experiment, job->run);
  if (!run || run->shots == 0)
    return 0;
  gboolean part = job->fraction > 0 && job->fraction < 1;
  return part ? (guint64) ((double) run->shots * job->fraction + 0.5) : run->shots;
}

char *
flg_job_index_version_name (FlgJobIndex *index, const FlJob *job)
{
  const FlDataset *dataset = find (index, FL_TABLE_DATASET, job->dataset);
  const FlDatasetVersion *version = find (index, FL_TABLE_DATASET_VERSION, job->version);
  if (!dataset)
    return g_strdup ("");
  return version ? g_strdup_printf ("%s v%d", dataset->name, version->number) : g_strdup (dataset->name);
}
