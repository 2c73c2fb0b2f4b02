#include "engine/control/conductor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/control/conductor-private.h"
#include "engine/control/plan.h"
#include "engine/control/process.h"

#define LEASE_SECONDS   30
#define STOP_GRACE_S    20 /* between asking a job to stop and ending it */
#define MAX_SUBMISSIONS 5  /* of one attempt that leaves no trace, */
#define SUBMIT_AGAIN_S  2  /* so far apart: a machine may be slow to begin it */

/* --- lease --- */

/* "ana@host:1234:567": process and its start time, so that a dead holder can be told from a slow one. */
static char *
own_name (void)
{
  FlProcess self = { 0 };
  fl_process_read (getpid (), &self);
  return g_strdup_printf ("%s@%s:%d:%" G_GUINT64_FORMAT, g_get_user_name (), g_get_host_name (),
                          (int) getpid (), self.start);
}

static gboolean
holder_is_dead (const char *holder)
{
  const char *at = strrchr (holder, '@');
  g_auto (GStrv) parts = g_strsplit (at != NULL ? at + 1 : "", ":", 3);
  if (g_strv_length (parts) != 3 || strcmp (parts[0], g_get_host_name ()) != 0)
    return FALSE;
  return !fl_process_lives (atoi (parts[1]), g_ascii_strtoull (parts[2], NULL, 10));
}

static gboolean
take_lease (FlConductor *conductor, GError **error)
{
  FlStore *store = conductor->store;
  g_autofree char *holder = NULL;
  g_autoptr (GError) failed = NULL;
  gboolean taken = fl_store_lease (store, FL_CONDUCTOR_LEASE, conductor->who, LEASE_SECONDS,
                                   &conductor->fencing, &holder, &failed);
  if (!taken && holder != NULL && holder_is_dead (holder))
    {
      if (!fl_store_release (store, FL_CONDUCTOR_LEASE, holder, error))
        return FALSE;
      g_clear_pointer (&holder, g_free);
      taken = fl_store_lease (store, FL_CONDUCTOR_LEASE, conductor->who, LEASE_SECONDS, &conductor->fencing,
                              &holder, &failed);
    }
  if (taken)
    {
      fl_store_fence (store, FL_CONDUCTOR_LEASE, conductor->fencing);
      return TRUE;
    }
  if (failed != NULL)
    g_propagate_error (error, g_steal_pointer (&failed));
  else
    g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s: has a conductor already (%s)", fl_store_path (store),
                 holder);
  return FALSE;
}

/* --- attempts that are not over --- */

static gboolean
add_active (FlConductor *conductor, const FlJob *job, const FlAttempt *attempt, const char *key,
            const char *environment, int ranks, GError **error)
{
  g_autofree char *results = fl_store_attempt_folder (conductor->store, attempt->id, error);
  if (results == NULL)
    return FALSE;
  FlActive *active = g_new0 (FlActive, 1);
  *active = (FlActive){ .attempt = attempt->id, .job = job->id, .site = attempt->site, .ranks = ranks };
  active->ingest = fl_ingest_new (conductor->store, attempt->id, results);
  active->submission = g_new0 (FlSubmission, 1);
  *active->submission = (FlSubmission){
    .attempt = attempt->id,
    .number = attempt->number,
    .folder = g_path_get_dirname (results),
    .stem = fl_plan_stem (attempt->number),
    .key = g_strdup (key),
    .command = g_strdup (attempt->command),
    .environment = g_strdup (environment),
  };
  g_hash_table_insert (conductor->active, g_memdup2 (&attempt->id, sizeof attempt->id), active);
  return TRUE;
}

static FlSiteLink *
link_of (FlConductor *conductor, gint64 site, GError **error)
{
  FlSiteLink *link = g_hash_table_lookup (conductor->links, &site);
  if (link != NULL)
    return link;
  FlSite *record = fl_store_get (conductor->store, FL_TABLE_SITE, site, error);
  link = record != NULL ? fl_site_link_new (record, error) : NULL;
  if (link != NULL)
    g_hash_table_insert (conductor->links, g_memdup2 (&site, sizeof site), link);
  return link;
}

/* What a conductor before us started: its command is in the record; how much it takes, its task says. */
static gboolean
adopt_attempt (FlConductor *conductor, const FlAttempt *attempt, GError **error)
{
  FlJob *job = fl_store_get (conductor->store, FL_TABLE_JOB, attempt->job, error);
  FlTask *task = job != NULL ? fl_store_get (conductor->store, FL_TABLE_TASK, job->task, error) : NULL;
  FlSiteLink *link = task != NULL ? link_of (conductor, attempt->site, error) : NULL;
  FlProbe probe = { 0 };
  gboolean ok = link != NULL && fl_site_link_probe (link, &probe, error);
  g_autofree char *key = job != NULL ? g_path_get_basename (job->path) : NULL;
  ok = ok
       && add_active (conductor, job, attempt, key, fl_site_link_site (link)->environment,
                      fl_plan_ranks (task, probe.cores), error);
  g_free (probe.summary);
  fl_record_free (FL_TABLE_TASK, task);
  fl_record_free (FL_TABLE_JOB, job);
  return ok;
}

static gboolean
adopt (FlConductor *conductor, GError **error)
{
  g_autoptr (GPtrArray) attempts = fl_store_list (conductor->store, FL_TABLE_ATTEMPT, error);
  for (guint i = 0; attempts != NULL && i < attempts->len; i++)
    {
      const FlAttempt *attempt = attempts->pdata[i];
      gboolean over = fl_job_state_is_final (attempt->state) || attempt->state == FL_JOB_PREEMPTED;
      if (!over && !adopt_attempt (conductor, attempt, error))
        return FALSE;
    }
  return attempts != NULL;
}

FlConductor *
fl_conductor_new (FlStore *store, const char *engine, GError **error)
{
  g_autoptr (FlConductor) conductor = g_new0 (FlConductor, 1);
  conductor->store = store;
  conductor->engine = g_strdup (engine);
  conductor->who = own_name ();
  conductor->finder = fl_finder_new (store);
  conductor->links =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) fl_site_link_free);
  conductor->active =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) fl_active_free);
  if (!take_lease (conductor, error) || !adopt (conductor, error))
    return NULL;
  return g_steal_pointer (&conductor);
}

void
fl_conductor_free (FlConductor *conductor)
{
  if (conductor == NULL)
    return;
  /* First the links: no answer comes any more. */
  g_hash_table_unref (conductor->links);
  g_hash_table_unref (conductor->active);
  fl_store_release (conductor->store, FL_CONDUCTOR_LEASE, conductor->who, NULL);
  fl_finder_free (conductor->finder);
  g_clear_error (&conductor->error);
  g_free (conductor->message);
  g_free (conductor->engine);
  g_free (conductor->who);
  g_free (conductor);
}

/* --- answers --- */

typedef struct
{
  FlConductor *conductor;
  gint64 attempt; /* 0: of a poll */
} Asked;

static Asked *
ask (FlConductor *conductor, FlActive *active)
{
  Asked *asked = g_new (Asked, 1);
  *asked = (Asked){ conductor, active != NULL ? active->attempt : 0 };
  conductor->pending++;
  if (active != NULL)
    active->busy = TRUE;
  return asked;
}

static void
keep_error (FlConductor *conductor, GError *error)
{
  if (conductor->error == NULL)
    conductor->error = error;
  else
    g_error_free (error);
}

static gboolean
note_status (FlConductor *conductor, const FlActive *active, const FlSiteStatus *status, GError **error)
{
  FlAttempt *attempt = fl_store_get (conductor->store, FL_TABLE_ATTEMPT, active->attempt, error);
  FlJobState state = status->state == FL_SITE_RUNNING ? FL_JOB_RUNNING : FL_JOB_QUEUED;
  gboolean same = attempt != NULL && attempt->state == state;
  gboolean ok = same || (attempt != NULL && fl_attempt_note (conductor, active, status, error));
  fl_record_free (FL_TABLE_ATTEMPT, attempt);
  return ok;
}

static void
cancelled (GPtrArray *statuses, const GError *error, gpointer data)
{
  (void) statuses;
  g_autofree Asked *asked = data;
  FlActive *active = g_hash_table_lookup (asked->conductor->active, &asked->attempt);
  asked->conductor->pending--;
  if (active != NULL)
    active->busy = FALSE;
  if (error != NULL)
    keep_error (asked->conductor, g_error_copy (error));
}

/* What was submitted has not begun. Before it is given up it is withdrawn, so that it can never meet the next attempt. */
static gboolean
wait_for_begin (FlConductor *conductor, FlActive *active, gboolean *over, GError **error)
{
  if (g_get_monotonic_time () < active->submit_again)
    return TRUE;
  if (active->submissions < MAX_SUBMISSIONS)
    active->submitted = FALSE;
  else if (!active->withdrawn)
    {
      active->withdrawn = TRUE;
      fl_site_link_cancel (g_hash_table_lookup (conductor->links, &active->site), active->submission, TRUE,
                           cancelled, ask (conductor, active));
    }
  else
    {
      conductor->revision = 0;
      *over = fl_attempt_fail (conductor, active,
                               "was submitted but never started; its folder cannot be written?", error);
      return *over;
    }
  return TRUE;
}

/* One status of one attempt, from a submission or a poll. */
static void
take_status (FlConductor *conductor, FlActive *active, const FlSiteStatus *status)
{
  GError *error = NULL;
  gboolean over = FALSE, ok = TRUE;
  switch (status->state)
    {
    case FL_SITE_UNKNOWN:
      ok = wait_for_begin (conductor, active, &over, &error);
      break;
    case FL_SITE_QUEUED:
    case FL_SITE_RUNNING:
      active->submitted = TRUE;
      ok = note_status (conductor, active, status, &error);
      break;
    case FL_SITE_ENDED:
    case FL_SITE_LOST:
      over = ok = fl_attempt_finish (conductor, active, status, &error);
      conductor->revision = 0; /* there is room, and perhaps another attempt to make */
      break;
    }
  if (over)
    g_hash_table_remove (conductor->active, &status->attempt);
  if (!ok)
    keep_error (conductor, error);
}

static void
submitted (GPtrArray *statuses, const GError *error, gpointer data)
{
  g_autofree Asked *asked = data;
  FlConductor *conductor = asked->conductor;
  FlActive *active = g_hash_table_lookup (conductor->active, &asked->attempt);
  conductor->pending--;
  if (active == NULL)
    return;
  active->busy = FALSE;
  if (error == NULL)
    {
      take_status (conductor, active, statuses->pdata[0]);
      return;
    }
  GError *failed = NULL;
  if (!fl_attempt_fail (conductor, active, error->message, &failed))
    keep_error (conductor, failed);
  else
    g_hash_table_remove (conductor->active, &asked->attempt);
  conductor->revision = 0;
}

static void
polled (GPtrArray *statuses, const GError *error, gpointer data)
{
  g_autofree Asked *asked = data;
  FlConductor *conductor = asked->conductor;
  conductor->pending--;
  conductor->polling = FALSE;
  if (error != NULL)
    keep_error (conductor, g_error_copy (error));
  for (guint i = 0; statuses != NULL && i < statuses->len; i++)
    {
      const FlSiteStatus *status = statuses->pdata[i];
      FlActive *active = g_hash_table_lookup (conductor->active, &status->attempt);
      if (active != NULL && !active->busy)
        take_status (conductor, active, status);
    }
}

/* --- one round --- */

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

static void
stop_active (FlConductor *conductor, FlActive *active)
{
  guint64 now = fl_now_ns ();
  gboolean hard = active->stop_asked > 0 && now > active->stop_asked + STOP_GRACE_S * FL_NS_PER_S;
  FlSiteLink *link = g_hash_table_lookup (conductor->links, &active->site);
  if (active->busy || !active->submitted || (active->stop_asked > 0 && !hard))
    return;
  if (!hard)
    active->stop_asked = now;
  fl_site_link_cancel (link, active->submission, hard, cancelled, ask (conductor, active));
}

static gboolean
grant_wishes (FlConductor *conductor, GPtrArray *jobs, GError **error)
{
  for (guint i = 0; i < jobs->len; i++)
    {
      const FlJob *job = jobs->pdata[i];
      if (!job->stop_wanted && !job->retry_wanted)
        continue;
      FlActive *active = active_of_job (conductor, job->id);
      if (active != NULL && job->stop_wanted)
        stop_active (conductor, active);
      else if (active == NULL && !grant_wish (conductor, job->id, error))
        return FALSE;
    }
  return TRUE;
}

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
  FlAttempt attempt = { .job = job->id,
                        .site = site->id,
                        .number = number,
                        .state = FL_JOB_SUBMITTING,
                        .path = path,
                        .command = planned.command,
                        .exit_code = -1,
                        .submitted = fl_now_ns () };
  if (!record_attempt (conductor, job->id, &attempt, &failed))
    {
      if (failed == NULL)
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&failed));
      return FALSE;
    }
  return add_active (conductor, job, &attempt, planned.key, site->environment, planned.ranks, error);
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

static gboolean
start_jobs (FlConductor *conductor, GPtrArray *jobs, GError **error)
{
  g_autoptr (GPtrArray) sites = fl_store_list (conductor->store, FL_TABLE_SITE, error);
  g_autoptr (GArray) waiting = sites != NULL ? waiting_jobs (conductor, jobs, error) : NULL;
  if (waiting == NULL || waiting->len == 0 || sites->len == 0)
    return waiting != NULL;
  FlSiteLink *link = link_of (conductor, ((const FlSite *) sites->pdata[0])->id, error);
  FlProbe probe = { 0 };
  if (link == NULL || !fl_site_link_probe (link, &probe, error))
    return FALSE;
  g_free (probe.summary);
  gboolean ok = TRUE;
  for (guint i = 0; ok && i < waiting->len; i++)
    {
      const FlJob *job = g_array_index (waiting, Waiting, i).job;
      int taken = cores_taken (conductor, fl_site_link_site (link)->id);
      FlTask *task = fl_store_get (conductor->store, FL_TABLE_TASK, job->task, error);
      ok = task != NULL;
      gboolean fits = ok && (taken == 0 || taken + fl_plan_ranks (task, probe.cores) <= probe.cores);
      fl_record_free (FL_TABLE_TASK, task);
      if (!fits)
        break;
      ok = start_job (conductor, job, link, probe.cores, error);
    }
  return ok;
}

/* Plans anew only where something has changed. */
static gboolean
plan (FlConductor *conductor, GError **error)
{
  gint64 revision = conductor->revision;
  g_autoptr (GPtrArray) changes = fl_store_changes (conductor->store, conductor->revision, &revision, error);
  if (changes == NULL)
    return FALSE;
  if (changes->len == 0 && conductor->revision > 0)
    {
      /* A stop that was asked for goes on to its hard end without any change. */
      GHashTableIter iter;
      gpointer value;
      g_hash_table_iter_init (&iter, conductor->active);
      while (g_hash_table_iter_next (&iter, NULL, &value))
        if (((FlActive *) value)->stop_asked > 0)
          stop_active (conductor, value);
      return TRUE;
    }
  guint made = 0;
  if (!fl_plan_jobs (conductor->store, &made, error))
    return FALSE;
  g_autoptr (GPtrArray) jobs = fl_store_list (conductor->store, FL_TABLE_JOB, error);
  if (jobs == NULL || !grant_wishes (conductor, jobs, error) || !start_jobs (conductor, jobs, error))
    return FALSE;
  conductor->revision = revision; /* what we wrote ourselves is looked at once more */
  return TRUE;
}

static gboolean
attend (FlConductor *conductor, GError **error)
{
  g_autoptr (GHashTable) by_site =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, (GDestroyNotify) g_ptr_array_unref);
  GHashTableIter iter;
  gpointer key, value;
  g_hash_table_iter_init (&iter, conductor->active);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      FlActive *active = value;
      FlSiteLink *link = link_of (conductor, active->site, error);
      if (link == NULL || !fl_attempt_ingest (conductor, active, error))
        return FALSE;
      if (active->busy)
        continue;
      if (!active->submitted)
        {
          active->submissions++;
          active->submit_again = g_get_monotonic_time () + SUBMIT_AGAIN_S * G_USEC_PER_SEC;
          fl_site_link_submit (link, active->submission, submitted, ask (conductor, active));
          continue;
        }
      GPtrArray *list = g_hash_table_lookup (by_site, &active->site);
      if (list == NULL)
        g_hash_table_insert (by_site, &active->site, list = g_ptr_array_new ());
      g_ptr_array_add (list, active->submission);
    }
  if (conductor->polling)
    return TRUE;
  g_hash_table_iter_init (&iter, by_site);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      conductor->polling = TRUE;
      fl_site_link_poll (g_hash_table_lookup (conductor->links, key), value, polled, ask (conductor, NULL));
    }
  return TRUE;
}

gboolean
fl_conductor_round (FlConductor *conductor, GError **error)
{
  g_autofree char *message = NULL;
  if (!take_lease (conductor, error) || !fl_finder_scan (conductor->finder, fl_now_ns (), &message, error))
    return FALSE;
  if (message != NULL && g_strcmp0 (message, conductor->message) != 0)
    fprintf (stderr, "firstlight-control: %s\n", message);
  g_free (conductor->message);
  conductor->message = g_steal_pointer (&message);
  return plan (conductor, error) && attend (conductor, error);
}

gboolean
fl_conductor_has_lease (FlConductor *conductor)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *holder = fl_store_lease_holder (conductor->store, FL_CONDUCTOR_LEASE, &error);
  return error != NULL || holder == NULL || strcmp (holder, conductor->who) == 0;
}

guint
fl_conductor_pending (FlConductor *conductor)
{
  return conductor->pending;
}

gboolean
fl_conductor_is_idle (FlConductor *conductor)
{
  if (g_hash_table_size (conductor->active) > 0)
    return FALSE;
  g_autoptr (GPtrArray) jobs = fl_store_list (conductor->store, FL_TABLE_JOB, NULL);
  g_autoptr (GPtrArray) runs = fl_store_list (conductor->store, FL_TABLE_RUN, NULL);
  for (guint i = 0; jobs != NULL && i < jobs->len; i++)
    if (!fl_job_state_is_final (((const FlJob *) jobs->pdata[i])->state))
      return FALSE;
  for (guint i = 0; runs != NULL && i < runs->len; i++)
    if (strcmp (((const FlRun *) runs->pdata[i])->state, "recording") == 0)
      return FALSE;
  return jobs != NULL && runs != NULL;
}

GError *
fl_conductor_take_error (FlConductor *conductor)
{
  return g_steal_pointer (&conductor->error);
}
