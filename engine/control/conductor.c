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

#define LEASE_SECONDS 30

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

/* --- attempts of a conductor before us --- */

/* What a conductor before us started: its command is in the record; how much it takes, its task says. */
static gboolean
adopt_attempt (FlConductor *conductor, const FlAttempt *attempt, GError **error)
{
  FlJob *job = fl_store_get (conductor->store, FL_TABLE_JOB, attempt->job, error);
  FlTask *task = job != NULL ? fl_store_get (conductor->store, FL_TABLE_TASK, job->task, error) : NULL;
  FlSiteLink *link = task != NULL ? fl_conductor_link (conductor, attempt->site, error) : NULL;
  gboolean ok = link != NULL;
  int given = ok ? fl_site_link_site (link)->cores : 0,
      cores = given > 0 ? given : (int) g_get_num_processors ();
  g_autofree char *key = job != NULL ? g_path_get_basename (job->path) : NULL;
  ok = ok
       && fl_conductor_watch (conductor, job, attempt, key, fl_site_link_site (link)->environment,
                              fl_plan_ranks (task, cores), error);
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

/* --- one round --- */

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
          fl_conductor_stop (conductor, value);
      return TRUE;
    }
  guint made = 0;
  if (!fl_plan_jobs (conductor->store, &made, error))
    return FALSE;
  g_autoptr (GPtrArray) jobs = fl_store_list (conductor->store, FL_TABLE_JOB, error);
  if (jobs == NULL || !fl_conductor_grant_wishes (conductor, jobs, error)
      || !fl_conductor_start_jobs (conductor, jobs, error))
    return FALSE;
  conductor->revision = revision; /* what we wrote ourselves is looked at once more */
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
  return plan (conductor, error) && fl_conductor_attend (conductor, error);
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
