#include "engine/control/conductor.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/control/conductor-private.h"
#include "engine/control/plan.h"
#include "engine/control/process.h"

#define LEASE_SECONDS 30

/* --- lease --- */

static gboolean
take_lease (FlConductor *conductor, GError **error)
{
  FlStore *store = conductor->store;
  g_autofree char *holder = NULL;
  g_autoptr (GError) failed = NULL;
  gint64 asked = fl_process_clock ();
  gboolean taken = fl_store_lease (store, FL_CONDUCTOR_LEASE, conductor->who, LEASE_SECONDS,
                                   &conductor->fencing, &holder, &failed);
  if (!taken && holder != NULL && fl_process_is_gone (holder))
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
      __atomic_store_n (&conductor->lease_until, asked + LEASE_SECONDS * G_USEC_PER_SEC, __ATOMIC_RELAXED);
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

static gboolean look_at_changes (FlConductor *conductor, GError **error);

static gboolean
adopt_attempt (FlConductor *conductor, gint64 id, GError **error)
{
  FlAttempt *attempt = fl_store_get (conductor->store, FL_TABLE_ATTEMPT, id, error); /* whole */
  FlJob *job = attempt != NULL ? fl_store_get (conductor->store, FL_TABLE_JOB, attempt->job, error) : NULL;
  gboolean ok = job != NULL && fl_conductor_watch (conductor, job, attempt, error);
  fl_record_free (FL_TABLE_JOB, job);
  fl_record_free (FL_TABLE_ATTEMPT, attempt);
  return ok;
}

/* Attempts that are not over and that we do not watch: a conductor before us started them, or we did and never heard that
 * the store had taken them in. */
static gboolean
adopt (FlConductor *conductor, GError **error)
{
  GPtrArray *attempts = conductor->basis.records.attempts;
  for (guint i = 0; i < attempts->len; i++)
    {
      const FlAttempt *attempt = attempts->pdata[i];
      g_autoptr (GError) why = NULL;
      if (fl_attempt_is_over (attempt) || g_hash_table_contains (conductor->active, &attempt->id)
          || g_hash_table_contains (conductor->hopeless, &attempt->id)
          || adopt_attempt (conductor, attempt->id, &why))
        continue;
      if (fl_conductor_store_is_lost (why))
        {
          g_propagate_error (error, g_steal_pointer (&why));
          return FALSE;
        }
      /* One that cannot be taken over does not keep us from the others. */
      fprintf (stderr, "firstlight-control: attempt %" G_GINT64_FORMAT " cannot be watched: %s\n",
               attempt->id, why->message);
      g_hash_table_add (conductor->hopeless, g_memdup2 (&attempt->id, sizeof attempt->id));
      fl_workers_failed (conductor->workers, "ingest", 0, why->message);
    }
  return TRUE;
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
  return look_at_changes (conductor, error) && adopt (conductor, error);
}

FlConductor *
fl_conductor_new (FlStore *store, const char *engine, GError **error)
{
  g_autoptr (FlConductor) conductor = g_new0 (FlConductor, 1);
  conductor->store = store;
  conductor->engine = g_strdup (engine);
  conductor->who = fl_process_own_name ();
  conductor->finder = fl_finder_new (store);
  fl_plan_basis_init (&conductor->basis);
  conductor->places =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) fl_place_free);
  conductor->active =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) fl_active_free);
  conductor->known = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  conductor->looked = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  conductor->hopeless = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
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
  g_hash_table_unref (conductor->hopeless);
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
  /* Once all is done that was wished for: doing it again does no harm, losing a wish does. */
  return fl_workers_restarted (conductor->workers, error);
}

/* What has changed since the last look. */
static gboolean
look_at_changes (FlConductor *conductor, GError **error)
{
  gint64 revision = conductor->revision;
  g_autoptr (GPtrArray) changes = fl_store_changes (conductor->store, conductor->revision, &revision, error);
  if (changes == NULL)
    return FALSE;
  for (guint i = 0; i < changes->len; i++)
    {
      const FlChange *change = changes->pdata[i];
      conductor->sites_moved |= change->table == FL_TABLE_SITE;
      if (change->table == FL_TABLE_WORKER)
        conductor->restart |= !change->removed && ((const FlWorker *) change->record)->restart_wanted;
      else if (change->table != FL_TABLE_ATTEMPT)
        conductor->replan = TRUE;
    }
  fl_plan_basis_take (&conductor->basis, changes);
  conductor->revision = revision;
  if (conductor->sites_moved && !fl_places_refresh (conductor, error))
    return FALSE;
  conductor->sites_moved = FALSE;
  if (conductor->restart && !restart_workers (conductor, error))
    return FALSE;
  conductor->restart = FALSE;
  return TRUE;
}

static gboolean
make_jobs (FlConductor *conductor, guint *made, GError **error)
{
  const FlPlanBasis *basis = &conductor->basis;
  g_autoptr (GArray) wanted = g_array_new (FALSE, FALSE, sizeof (FlWantedJob));
  fl_plan_want_active (basis, wanted);
  gboolean ok = fl_plan_make (conductor->store, basis, wanted, conductor->known, made, error);
  fl_conductor_plan_datasets (conductor, basis, made);
  if (ok && !conductor->lost)
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
    fl_conductor_failed (conductor, "plan", 0, !ok ? error : later);
  if (!ok || !went)
    conductor->replan = TRUE;
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
fl_conductor_store_is_lost (const GError *error)
{
  return g_error_matches (error, FL_ERROR, FL_ERROR_LOST) || g_error_matches (error, FL_ERROR, FL_ERROR_BUSY);
}

void
fl_conductor_failed (FlConductor *conductor, const char *worker, gint64 site, const GError *error)
{
  if (fl_conductor_store_is_lost (error))
    conductor->lost = TRUE;
  else
    fl_workers_failed (conductor->workers, worker, site, error->message);
}

/* With the lease renewed the store is there; what was under way when it was lost may have happened or not. */
static void
find_again (FlConductor *conductor)
{
  conductor->replan |= conductor->lost;
  conductor->lost = FALSE;
}

static gboolean
go_round (FlConductor *conductor, GError **error)
{
  if (!take_lease (conductor, error))
    return FALSE;
  find_again (conductor);
  if (!fl_places_find_runs (conductor, error) || !look_at_changes (conductor, error)
      || !adopt (conductor, error))
    return FALSE;
  if (conductor->replan || (conductor->wake > 0 && fl_now_ns () >= conductor->wake))
    plan (conductor);
  stop_harder (conductor);
  fl_conductor_attend (conductor);
  return fl_workers_write (conductor->workers, error);
}

gboolean
fl_conductor_round (FlConductor *conductor, GError **error)
{
  g_autoptr (GError) failed = NULL;
  conductor->hurry = FALSE;
  if (go_round (conductor, &failed))
    return TRUE;
  conductor->lost |= fl_conductor_store_is_lost (failed);
  g_propagate_error (error, g_steal_pointer (&failed));
  return FALSE;
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
