/* Which jobs the conductor starts, stops and does again. */
#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/control/conductor-private.h"
#include "engine/control/plan.h"

static FlActive *
active_of_job (FlConductor *conductor, gint64 job)
{
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, conductor->active);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((FlActive *) value)->job == job)
      return value;
  return NULL;
}

/* --- what people ask for --- */

/* Takes the job, fresh from the store, from `state` to what a person asked for. */
static gboolean
grant_wish (FlConductor *conductor, gint64 id, GError **error)
{
  FlStore *store = conductor->store;
  if (!fl_store_begin (store, error))
    return FALSE;
  FlJob *job = fl_store_get (store, FL_TABLE_JOB, id, error);
  gboolean ok = job != NULL;
  if (ok && job->stop_wanted)
    {
      job->stop_wanted = FALSE;
      if (!fl_job_state_is_final (job->state))
        {
          g_free (job->reason);
          job->reason = g_strdup ("stopped on request");
          job->state = FL_JOB_CANCELLED;
          job->ended = fl_now_ns ();
        }
    }
  if (ok && job->retry_wanted && fl_job_state_is_final (job->state))
    {
      job->retry_wanted = FALSE;
      job->state = FL_JOB_PLANNED;
      job->ended = 0;
      g_free (job->reason);
      job->reason = g_strdup ("");
    }
  ok = ok && fl_store_save (store, FL_TABLE_JOB, job, error);
  fl_record_free (FL_TABLE_JOB, job);
  if (ok)
    return fl_store_commit (store, error);
  fl_store_rollback (store);
  return FALSE;
}

gboolean
fl_conductor_grant_wishes (FlConductor *conductor, GPtrArray *jobs, GError **error)
{
  for (guint i = 0; i < jobs->len; i++)
    {
      const FlJob *job = jobs->pdata[i];
      if (!job->stop_wanted && !job->retry_wanted)
        continue;
      FlActive *active = active_of_job (conductor, job->id);
      if (active != NULL && job->stop_wanted)
        fl_conductor_stop (conductor, active);
      else if (active == NULL && !grant_wish (conductor, job->id, error))
        return FALSE;
    }
  return TRUE;
}

/* --- starting --- */

/* The job could not even be planned: a trial that no longer reads, a run whose files are gone. */
static gboolean
refuse (FlConductor *conductor, gint64 id, const char *reason, GError **error)
{
  FlStore *store = conductor->store;
  if (!fl_store_begin (store, error))
    return FALSE;
  gboolean ok = fl_store_set_text (store, FL_TABLE_JOB, id, "reason", reason, error)
                && fl_store_set_int (store, FL_TABLE_JOB, id, "state", FL_JOB_FAILED, error)
                && fl_store_set_int (store, FL_TABLE_JOB, id, "ended", (gint64) fl_now_ns (), error);
  if (ok)
    return fl_store_commit (store, error);
  fl_store_rollback (store);
  return FALSE;
}

/* Records the attempt before anything of it exists. FALSE without error: the job has changed meanwhile. */
static gboolean
record_attempt (FlConductor *conductor, gint64 id, FlAttempt *attempt, GError **error)
{
  FlStore *store = conductor->store;
  if (!fl_store_begin (store, error))
    return FALSE;
  FlJob *job = fl_store_get (store, FL_TABLE_JOB, id, error);
  gboolean ok = job != NULL && job->state == FL_JOB_PLANNED && !job->stop_wanted
                && job->attempts == attempt->number - 1;
  if (ok)
    {
      job->attempts = attempt->number;
      job->state = FL_JOB_SUBMITTING;
      ok = fl_store_save (store, FL_TABLE_ATTEMPT, attempt, error)
           && fl_store_save (store, FL_TABLE_JOB, job, error);
    }
  fl_record_free (FL_TABLE_JOB, job);
  if (ok)
    return fl_store_commit (store, error);
  fl_store_rollback (store);
  return FALSE;
}

static gboolean
write_params (const FlPlannedJob *planned, int number, GError **error)
{
  g_autofree char *stem = fl_plan_stem (number);
  g_autofree char *name = g_strconcat (stem, ".params", NULL);
  g_autofree char *path = g_build_filename (planned->folder, name, NULL);
  if (g_mkdir_with_parents (planned->folder, 0777) == 0)
    return g_file_set_contents (path, planned->params, -1, error);
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be made", planned->folder);
  return FALSE;
}

static gboolean
start_job (FlConductor *conductor, const FlJob *job, FlSiteLink *link, int cores, GError **error)
{
  const FlSite *site = fl_site_link_site (link);
  g_auto (FlPlannedJob) planned = { 0 };
  g_autoptr (GError) refused = NULL;
  g_autoptr (GError) failed = NULL;
  int number = job->attempts + 1;
  if (!fl_plan_command (conductor->store, job, number, site, cores, conductor->engine, &planned, &refused)
      || !write_params (&planned, number, &refused))
    return refuse (conductor, job->id, refused->message, error);
  g_autofree char *stem = fl_plan_stem (number);
  g_autofree char *path = g_build_filename (job->path, stem, NULL);
  g_autofree char *program = g_shell_quote (planned.program);
  g_autofree char *command = g_strdup_printf ("%s %s", program, planned.arguments);
  FlAttempt attempt = { .job = job->id,
                        .site = site->id,
                        .number = number,
                        .state = FL_JOB_SUBMITTING,
                        .path = path,
                        .command = command,
                        .exit_code = -1,
                        .submitted = fl_now_ns () };
  if (!record_attempt (conductor, job->id, &attempt, &failed))
    {
      if (failed == NULL)
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&failed));
      return FALSE;
    }
  return fl_conductor_watch (conductor, job, &attempt, planned.key, site->environment, planned.ranks, error);
}

/* --- the newest runs first --- */

typedef struct
{
  const FlJob *job;
  guint64 completed;
} Waiting;

static int
newest_first (gconstpointer a, gconstpointer b)
{
  const Waiting *x = a, *y = b;
  if (x->completed != y->completed)
    return x->completed > y->completed ? -1 : 1;
  return x->job->id < y->job->id ? -1 : x->job->id > y->job->id;
}

static GArray *
waiting_jobs (FlConductor *conductor, GPtrArray *jobs, GError **error)
{
  g_autoptr (GPtrArray) runs = fl_store_list (conductor->store, FL_TABLE_RUN, error);
  if (runs == NULL)
    return NULL;
  g_autoptr (GHashTable) completed = g_hash_table_new (g_int64_hash, g_int64_equal);
  for (guint i = 0; i < runs->len; i++)
    g_hash_table_insert (completed, &((FlRun *) runs->pdata[i])->id, runs->pdata[i]);
  GArray *waiting = g_array_new (FALSE, FALSE, sizeof (Waiting));
  for (guint i = 0; i < jobs->len; i++)
    {
      const FlJob *job = jobs->pdata[i];
      const FlRun *run = g_hash_table_lookup (completed, &job->run);
      Waiting entry = { job, run != NULL ? run->completed : 0 };
      if (job->state == FL_JOB_PLANNED && !job->stop_wanted && active_of_job (conductor, job->id) == NULL)
        g_array_append_val (waiting, entry);
    }
  g_array_sort (waiting, newest_first);
  return waiting;
}

static int
cores_taken (FlConductor *conductor, gint64 site)
{
  GHashTableIter iter;
  gpointer value;
  int taken = 0;
  g_hash_table_iter_init (&iter, conductor->active);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    taken += ((FlActive *) value)->site == site ? ((FlActive *) value)->ranks : 0;
  return taken;
}

gboolean
fl_conductor_start_jobs (FlConductor *conductor, GPtrArray *jobs, GError **error)
{
  g_autoptr (GPtrArray) sites = fl_store_list (conductor->store, FL_TABLE_SITE, error);
  g_autoptr (GArray) waiting = sites != NULL ? waiting_jobs (conductor, jobs, error) : NULL;
  if (waiting == NULL || waiting->len == 0 || sites->len == 0)
    return waiting != NULL;
  FlSiteLink *link = fl_conductor_link (conductor, ((const FlSite *) sites->pdata[0])->id, error);
  if (link == NULL)
    return FALSE;
  int given = fl_site_link_site (link)->cores, cores = given > 0 ? given : (int) g_get_num_processors ();
  gboolean ok = TRUE;
  for (guint i = 0; ok && i < waiting->len; i++)
    {
      const FlJob *job = g_array_index (waiting, Waiting, i).job;
      int taken = cores_taken (conductor, fl_site_link_site (link)->id);
      FlTask *task = fl_store_get (conductor->store, FL_TABLE_TASK, job->task, error);
      ok = task != NULL;
      gboolean fits = ok && (taken == 0 || taken + fl_plan_ranks (task, cores) <= cores);
      fl_record_free (FL_TABLE_TASK, task);
      if (!fits)
        break;
      ok = start_job (conductor, job, link, cores, error);
    }
  return ok;
}
