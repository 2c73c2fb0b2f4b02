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

/* --- taking over --- */

static gboolean
adopt_attempt (FlConductor *conductor, const FlAttempt *attempt, GError **error)
{
  FlJob *job = fl_store_get (conductor->store, FL_TABLE_JOB, attempt->job, error);
  gboolean ok = job != NULL && fl_conductor_watch (conductor, job, attempt, error);
  fl_record_free (FL_TABLE_JOB, job);
  return ok;
}

/* What a conductor before us started. */
static gboolean
adopt (FlConductor *conductor, GError **error)
{
  g_autoptr (GPtrArray) attempts = fl_store_list (conductor->store, FL_TABLE_ATTEMPT, error);
  for (guint i = 0; attempts != NULL && i < attempts->len; i++)
    {
      const FlAttempt *attempt = attempts->pdata[i];
      gboolean over = fl_job_state_is_final (attempt->state) || attempt->state == FL_JOB_PREEMPTED;
      g_autoptr (GError) why = NULL;
      if (over || adopt_attempt (conductor, attempt, &why))
        continue;
      /* One that cannot be taken over does not keep us from the others. */
      fprintf (stderr, "firstlight-control: attempt %" G_GINT64_FORMAT " cannot be watched: %s\n",
               attempt->id, why->message);
      fl_workers_failed (conductor->workers, "ingest", 0, why->message);
    }
  return attempts != NULL;
}

/* Jobs of these are a person's doing from now on. */
static void
know_runs (FlConductor *conductor, GPtrArray *runs)
{
  for (guint i = 0; i < runs->len; i++)
    {
      const FlRun *run = runs->pdata[i];
      if (strcmp (run->state, "recording") != 0 && !g_hash_table_contains (conductor->known, &run->id))
        g_hash_table_add (conductor->known, g_memdup2 (&run->id, sizeof run->id));
    }
}

static gboolean
take_over (FlConductor *conductor, GError **error)
{
  g_autoptr (GPtrArray) runs = NULL;
  if (!take_lease (conductor, error)
      || (conductor->workers = fl_workers_new (conductor->store, error)) == NULL
      || (runs = fl_store_list (conductor->store, FL_TABLE_RUN, error)) == NULL)
    return FALSE;
  know_runs (conductor, runs);
  fl_conductor_listen (conductor);
  return fl_places_refresh (conductor, error) && adopt (conductor, error);
}

FlConductor *
fl_conductor_new (FlStore *store, const char *engine, GError **error)
{
  g_autoptr (FlConductor) conductor = g_new0 (FlConductor, 1);
  conductor->store = store;
  conductor->engine = g_strdup (engine);
  conductor->who = own_name ();
  conductor->finder = fl_finder_new (store);
  fl_plan_basis_init (&conductor->basis);
  conductor->places =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) fl_place_free);
  conductor->active =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) fl_active_free);
  conductor->known = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  conductor->looked = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  return take_over (conductor, error) ? g_steal_pointer (&conductor) : NULL;
}

void
fl_conductor_free (FlConductor *conductor)
{
  if (conductor == NULL)
    return;
  /* First the sites: no answer comes any more. */
  g_hash_table_unref (conductor->places);
  g_hash_table_unref (conductor->active);
  g_clear_pointer (&conductor->server, fl_control_server_free);
  if (conductor->workers != NULL)
    fl_workers_stop (conductor->workers);
  fl_workers_free (conductor->workers);
  fl_store_release (conductor->store, FL_CONDUCTOR_LEASE, conductor->who, NULL);
  fl_finder_free (conductor->finder);
  fl_plan_basis_clear (&conductor->basis);
  g_hash_table_unref (conductor->known);
  g_hash_table_unref (conductor->looked);
  g_free (conductor->message);
  g_free (conductor->engine);
  g_free (conductor->who);
  g_free (conductor);
}

/* --- one round --- */

void
fl_conductor_wake_at (FlConductor *conductor, guint64 when)
{
  if (conductor->wake == 0 || when < conductor->wake)
    conductor->wake = when;
}

static gboolean
restart_workers (FlConductor *conductor, GError **error)
{
  g_autoptr (GPtrArray) names = fl_workers_restart (conductor->workers, error);
  GHashTableIter iter;
  gpointer value;
  if (names == NULL)
    return FALSE;
  g_hash_table_iter_init (&iter, conductor->places);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      g_autofree char *link = fl_place_worker (value, "link");
      if (g_ptr_array_find_with_equal_func (names, link, g_str_equal, NULL))
        fl_place_connect (value, TRUE);
    }
  conductor->replan = TRUE;
  return TRUE;
}

/* What has changed since the last look. */
static gboolean
look_at_changes (FlConductor *conductor, GError **error)
{
  gint64 revision = conductor->revision;
  g_autoptr (GPtrArray) changes = fl_store_changes (conductor->store, conductor->revision, &revision, error);
  gboolean sites = FALSE, restart = FALSE;
  if (changes == NULL)
    return FALSE;
  for (guint i = 0; i < changes->len; i++)
    {
      const FlChange *change = changes->pdata[i];
      sites |= change->table == FL_TABLE_SITE;
      if (change->table == FL_TABLE_WORKER)
        restart |= !change->removed && ((const FlWorker *) change->record)->restart_wanted;
      else if (change->table != FL_TABLE_ATTEMPT)
        conductor->replan = TRUE;
    }
  fl_plan_basis_take (&conductor->basis, changes);
  conductor->revision = revision;
  return (!sites || fl_places_refresh (conductor, error)) && (!restart || restart_workers (conductor, error));
}

static gboolean
make_jobs (FlConductor *conductor, guint *made, GError **error)
{
  const FlPlanBasis *basis = &conductor->basis;
  g_autoptr (GArray) wanted = g_array_new (FALSE, FALSE, sizeof (FlWantedJob));
  fl_plan_want_active (basis, wanted);
  gboolean ok = fl_plan_make (conductor->store, basis, wanted, conductor->known, made, error);
  fl_conductor_plan_datasets (conductor, basis, made);
  know_runs (conductor, basis->records.runs);
  return ok;
}

/* Whatever it is that cannot be planned, what runs is looked after. */
static void
plan (FlConductor *conductor)
{
  guint made = 0;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) later = NULL;
  if (!fl_workers_is_due (conductor->workers, "plan"))
    return;
  conductor->replan = FALSE;
  conductor->wake = 0;
  gboolean ok = make_jobs (conductor, &made, &error);
  gboolean went = (made == 0 || look_at_changes (conductor, &later))
                  && fl_conductor_grant_wishes (conductor, conductor->basis.records.jobs, &later)
                  && fl_conductor_start_jobs (conductor, &conductor->basis, &later);
  if (ok && went)
    fl_workers_well (conductor->workers, "plan", 0, "");
  else
    {
      fl_workers_failed (conductor->workers, "plan", 0, !ok ? error->message : later->message);
      conductor->replan = TRUE;
    }
}

/* A stop that was asked for goes on to its hard end without any change. */
static void
stop_harder (FlConductor *conductor)
{
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, conductor->active);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((FlActive *) value)->stop_asked > 0)
      fl_conductor_stop (conductor, value);
}

gboolean
fl_conductor_round (FlConductor *conductor, GError **error)
{
  conductor->hurry = FALSE;
  if (!take_lease (conductor, error) || !fl_places_find_runs (conductor, error)
      || !look_at_changes (conductor, error))
    return FALSE;
  if (conductor->replan || (conductor->wake > 0 && fl_now_ns () >= conductor->wake))
    plan (conductor);
  stop_harder (conductor);
  fl_conductor_attend (conductor);
  return fl_workers_write (conductor->workers, error);
}

gboolean
fl_conductor_has_lease (FlConductor *conductor)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *holder = fl_store_lease_holder (conductor->store, FL_CONDUCTOR_LEASE, &error);
  return error != NULL || holder == NULL || strcmp (holder, conductor->who) == 0;
}

gboolean
fl_conductor_is_in_hurry (FlConductor *conductor)
{
  return conductor->hurry;
}

guint
fl_conductor_pending (FlConductor *conductor)
{
  return conductor->pending;
}

gboolean
fl_conductor_is_idle (FlConductor *conductor)
{
  if (g_hash_table_size (conductor->active) > 0 || conductor->replan || !fl_places_have_looked (conductor))
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
