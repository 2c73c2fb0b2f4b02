/* Which jobs the conductor starts, stops and does again. */
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/control/conductor-private.h"
#include "engine/control/plan.h"

#define MOST_AT_A_TIME 100 /* attempts that begin at a site in one round */
#define FAR_CAPACITY   32  /* jobs that a site without a limit is taken to hold */

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

static guint64
undo_until (FlConductor *conductor)
{
  int seconds = fl_plan_experiment (&conductor->basis)->undo_seconds;
  return seconds > 0 ? fl_now_ns () + (guint64) seconds * FL_NS_PER_S : 0;
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
      job->state = FL_JOB_PLANNED;
      job->ended = 0;
      job->not_before = undo_until (conductor);
      g_free (job->reason);
      job->reason = g_strdup ("");
    }
  else if (ok && job->retry_wanted)
    job->not_before = 0; /* what pauses goes on now */
  if (ok)
    job->retry_wanted = FALSE;
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
      else if (active == NULL)
        {
          conductor->replan = TRUE; /* with the job as it is now */
          if (!grant_wish (conductor, job->id, error))
            return FALSE;
        }
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

/* Known to the scheduler by a name that no other attempt of any experiment has. */
static char *
make_job_name (FlConductor *conductor, const FlAttempt *attempt)
{
  g_autofree char *text =
      g_strdup_printf ("%s:%s:%" G_GINT64_FORMAT ":%" G_GUINT64_FORMAT, g_get_host_name (),
                       fl_store_path (conductor->store), attempt->id, attempt->submitted);
  return g_strdup_printf ("fl-%012" G_GINT64_MODIFIER "x-%" G_GINT64_FORMAT,
                          (guint64) fl_hash64 (text, strlen (text), 0) & 0xffffffffffffu, attempt->id);
}

static gboolean
save_attempt (FlConductor *conductor, FlAttempt *attempt, GError **error)
{
  if (!fl_store_save (conductor->store, FL_TABLE_ATTEMPT, attempt, error))
    return FALSE;
  attempt->job_name = make_job_name (conductor, attempt);
  return fl_store_save (conductor->store, FL_TABLE_ATTEMPT, attempt, error);
}

/* Records the attempt before anything of it exists. FALSE without error: the job has changed meanwhile. */
static gboolean
record_attempt (FlConductor *conductor, gint64 id, double fraction, FlAttempt *attempt, GError **error)
{
  FlStore *store = conductor->store;
  if (!fl_store_begin (store, error))
    return FALSE;
  FlJob *job = fl_store_get (store, FL_TABLE_JOB, id, error);
  gboolean ok = job != NULL && job->state == FL_JOB_PLANNED && !job->stop_wanted && !job->held
                && job->attempts == attempt->number - 1;
  if (ok)
    {
      job->attempts = attempt->number;
      job->state = FL_JOB_SUBMITTING;
      job->site = attempt->site;
      job->fraction = fraction;
      job->not_before = 0;
      ok = save_attempt (conductor, attempt, error) && fl_store_save (store, FL_TABLE_JOB, job, error);
    }
  fl_record_free (FL_TABLE_JOB, job);
  if (ok)
    return fl_store_commit (store, error);
  fl_store_rollback (store);
  return FALSE;
}

/* Room at a site for what may begin now. */
typedef struct
{
  FlPlace *place;
  int cores, taken; /* local */
  int jobs;         /* queued and running */
  double hours;     /* nodes × h: taken, running and planned */
  guint begun;      /* in this round */
  guint waiting;    /* jobs that could begin if there were room */
  guint64 oldest;   /* since when the first of them waits */
  gboolean full;    /* nothing more fits: the order is kept */
  gboolean behind;  /* more waits than one round of it can hold */
  char *why;        /* it is full */
} Room;

static void
room_free (gpointer data)
{
  g_free (((Room *) data)->why);
  g_free (data);
}

/* Node-hours of an attempt: what it took; of one that is not over, what it may take. */
static double
hours_of (const FlAttempt *attempt, guint64 now)
{
  guint64 end = attempt->ended > 0 ? attempt->ended : now;
  double used =
      attempt->started > 0 && end > attempt->started ? (double) (end - attempt->started) / 3600e9 : 0;
  gboolean over = fl_attempt_is_over (attempt);
  return MAX (attempt->n_nodes, 1) * (over ? used : MAX (used, attempt->minutes / 60.0));
}

static Room *
room_at (FlConductor *conductor, const FlPlanBasis *basis, GHashTable *rooms, gint64 site)
{
  Room *room = g_hash_table_lookup (rooms, &site);
  FlPlace *place = fl_place_get (conductor, site);
  if (room != NULL || place == NULL)
    return room;
  room = g_new0 (Room, 1);
  room->place = place;
  room->cores = place->record->cores > 0 ? place->record->cores : (int) g_get_num_processors ();
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, conductor->active);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const FlActive *active = value;
      room->taken += active->site == site ? active->submission->ranks : 0;
      room->jobs += active->site == site;
    }
  guint64 now = fl_now_ns ();
  for (guint i = 0; i < basis->records.attempts->len; i++)
    {
      const FlAttempt *attempt = basis->records.attempts->pdata[i];
      room->hours += attempt->site == site ? hours_of (attempt, now) : 0;
    }
  g_hash_table_insert (rooms, g_memdup2 (&site, sizeof site), room);
  return room;
}

/* Whether that much more fits. */
static gboolean
fits (Room *room, const FlSite *site, int ranks, const FlResources *resources)
{
  gboolean local = strcmp (site->kind, "local") == 0;
  double hours = local ? 0 : MAX (resources->nodes, 1) * resources->minutes / 60.0;
  g_clear_pointer (&room->why, g_free);
  if (room->begun >= MOST_AT_A_TIME)
    room->why = g_strdup ("begins more in a moment");
  else if (local && room->taken > 0 && room->taken + ranks > room->cores)
    room->why = g_strdup_printf ("all of its %d cores are taken", room->cores);
  else if (site->max_jobs > 0 && room->jobs >= site->max_jobs)
    room->why = g_strdup_printf ("has as many jobs as it may have, %d", site->max_jobs);
  else if (site->max_node_hours > 0 && room->hours + hours > site->max_node_hours)
    room->why = g_strdup_printf ("%.1f of the %.1f node-hours that it may take are planned or used",
                                 room->hours, site->max_node_hours);
  else
    return TRUE;
  return FALSE;
}

/* --- while processing lags behind acquisition --- */

/* So many jobs a site holds at a time. */
static guint
capacity_of (const Room *room, const FlPlanBasis *basis)
{
  const FlSite *site = room->place->record;
  int each = room->cores;
  for (guint i = 0; i < basis->records.tasks->len; i++)
    {
      const FlTask *task = basis->records.tasks->pdata[i];
      if (!fl_task_is_global (task) && task->ranks > 0)
        each = MIN (each, task->ranks);
    }
  int limit = site->max_jobs > 0 ? site->max_jobs : FAR_CAPACITY;
  return (guint) (strcmp (site->kind, "local") == 0 ? MIN (MAX (room->cores / MAX (each, 1), 1), limit)
                                                    : limit);
}

static void
find_backlog (const FlPlanBasis *basis, GHashTable *rooms)
{
  GHashTableIter iter;
  gpointer value;
  guint64 now = fl_now_ns ();
  g_hash_table_iter_init (&iter, rooms);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Room *room = value;
      room->behind = room->waiting > 2 * capacity_of (room, basis)
                     || (room->oldest > 0 && now > room->oldest + FL_LAG_MINUTES * 60 * FL_NS_PER_S);
    }
}

/* Single particles are told apart as fast as they are read, and a reconstruction wants every one: they are not thinned. */
static double
fraction_for (const FlPlanBasis *basis, const FlJob *job, const Room *room)
{
  const FlExperiment *experiment = fl_plan_experiment (basis);
  const FlTask *task = fl_plan_find (basis->records.tasks, job->task);
  gboolean thin = strcmp (experiment->backlog, "thin") == 0 && experiment->thin_fraction > 0
                  && experiment->thin_fraction < 1;
  if (job->attempts > 0 || job->run == 0 || (task != NULL && fl_task_finds_patterns (task)))
    return job->fraction;
  return thin && room->behind ? experiment->thin_fraction : job->fraction;
}

/* Where nothing waits any more, thinned jobs are filled up, newest first. */
static gboolean
fill_up (FlConductor *conductor, const FlPlanBasis *basis, GHashTable *rooms, GError **error)
{
  const FlJob *newest = NULL;
  for (guint i = 0; i < basis->records.jobs->len; i++)
    {
      const FlJob *job = basis->records.jobs->pdata[i];
      if (job->state != FL_JOB_DONE || !(job->fraction > 0 && job->fraction < 1))
        continue;
      const Room *room = room_at (conductor, basis, rooms, job->site);
      if (room == NULL || room->waiting > 0 || room->full || room->jobs > 0)
        continue;
      if (newest == NULL || job->id > newest->id)
        newest = job;
    }
  if (newest == NULL)
    return TRUE;
  conductor->replan = TRUE;
  FlStore *store = conductor->store;
  if (!fl_store_begin (store, error))
    return FALSE;
  FlJob *job = fl_store_get (store, FL_TABLE_JOB, newest->id, error);
  gboolean ok = job != NULL;
  if (ok && job->state == FL_JOB_DONE)
    {
      job->fraction = 1;
      job->state = FL_JOB_PLANNED;
      job->ended = 0;
      ok = fl_store_save (store, FL_TABLE_JOB, job, error);
    }
  fl_record_free (FL_TABLE_JOB, job);
  if (ok)
    return fl_store_commit (store, error);
  fl_store_rollback (store);
  return FALSE;
}

/* --- beginning --- */

static gboolean
start_job (FlConductor *conductor, const FlJob *job, Room *room, double fraction, GError **error)
{
  const FlSite *site = room->place->record;
  g_auto (FlPlannedJob) planned = { 0 };
  g_autoptr (GError) refused = NULL;
  g_autoptr (GError) failed = NULL;
  int number = job->attempts + 1;
  FlJob thinned = *job;
  thinned.fraction = fraction;
  if (!fl_plan_command (conductor->finder, conductor->store, &thinned, number, site, room->cores,
                        conductor->engine, &planned, &refused))
    {
      if (g_error_matches (refused, FL_ERROR, FL_ERROR_LOST))
        {
          g_propagate_error (error, g_steal_pointer (&refused));
          return FALSE;
        }
      if (!g_error_matches (refused, FL_ERROR, FL_ERROR_BUSY))
        return refuse (conductor, job->id, refused->message, error);
      fl_conductor_wake_at (conductor, fl_now_ns () + FL_NS_PER_S);
      return TRUE;
    }
  gboolean local = strcmp (site->kind, "local") == 0;
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
                        .n_nodes = local ? 1 : planned.resources.nodes,
                        .ranks = planned.ranks,
                        .ranks_per_node = local ? 0 : planned.resources.ranks_per_node,
                        .minutes = local ? 0 : planned.resources.minutes,
                        .params = planned.params,
                        .submitted = fl_now_ns () };
  gboolean ok = record_attempt (conductor, job->id, fraction, &attempt, &failed);
  g_autofree char *job_name = attempt.job_name;
  if (!ok && failed == NULL)
    return TRUE;
  if (!ok)
    {
      g_propagate_error (error, g_steal_pointer (&failed));
      return FALSE;
    }
  room->taken += planned.ranks;
  room->jobs++;
  room->begun++;
  room->hours += hours_of (&attempt, 0);
  return fl_conductor_watch (conductor, job, &attempt, error);
}

/* --- the newest runs first --- */

typedef struct
{
  const FlJob *job;
  const FlTask *task;
  guint64 completed;
  Room *room;
} Waiting;

static int
newest_first (gconstpointer a, gconstpointer b)
{
  const Waiting *x = a, *y = b;
  if (x->completed != y->completed)
    return x->completed > y->completed ? -1 : 1;
  return x->job->id < y->job->id ? -1 : x->job->id > y->job->id;
}

/* Planned, and nothing but room is missing. */
static gboolean
is_waiting (FlConductor *conductor, const FlJob *job, guint64 now)
{
  if (job->state != FL_JOB_PLANNED || job->stop_wanted || job->held)
    return FALSE;
  if (job->not_before > now)
    {
      fl_conductor_wake_at (conductor, job->not_before);
      return FALSE;
    }
  return TRUE;
}

/* As it was decided; one that has never begun may go elsewhere when its site has been switched off. */
static const FlSite *
site_of (const FlPlanBasis *basis, const FlJob *job, const FlTask *task)
{
  const FlSite *site = job->site != 0 ? fl_plan_find (basis->records.sites, job->site) : NULL;
  if (site == NULL || (!site->active && job->attempts == 0 && job->version == 0))
    return fl_plan_site (basis, task);
  return site;
}

static void
tell_off (FlConductor *conductor, const FlSite *site)
{
  const FlPlace *place = fl_place_get (conductor, site->id);
  g_autofree char *worker = place != NULL ? fl_place_worker (place, "submit") : NULL;
  if (worker != NULL)
    fl_workers_waiting (conductor->workers, worker, site->id, "is switched off; jobs wait for it");
}

static GArray *
waiting_jobs (FlConductor *conductor, const FlPlanBasis *basis, GHashTable *rooms)
{
  const FlPlanRecords *records = &basis->records;
  g_autoptr (GHashTable) runs = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_autoptr (GHashTable) busy = g_hash_table_new (g_int64_hash, g_int64_equal);
  GHashTableIter iter;
  gpointer value;
  guint64 now = fl_now_ns ();
  for (guint i = 0; i < records->runs->len; i++)
    g_hash_table_insert (runs, &((FlRun *) records->runs->pdata[i])->id, records->runs->pdata[i]);
  g_hash_table_iter_init (&iter, conductor->active);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    g_hash_table_add (busy, &((FlActive *) value)->job);
  GArray *waiting = g_array_new (FALSE, FALSE, sizeof (Waiting));
  for (guint i = 0; i < records->jobs->len; i++)
    {
      const FlJob *job = records->jobs->pdata[i];
      if (!is_waiting (conductor, job, now) || g_hash_table_contains (busy, &job->id))
        continue;
      const FlRun *run = g_hash_table_lookup (runs, &job->run);
      const FlTask *task = fl_plan_find (records->tasks, job->task);
      const FlSite *site = task != NULL ? site_of (basis, job, task) : NULL;
      Room *room = site != NULL && site->active ? room_at (conductor, basis, rooms, site->id) : NULL;
      if (site != NULL && !site->active)
        tell_off (conductor, site);
      if (room == NULL)
        continue;
      Waiting entry = { job, task, run != NULL ? run->completed : now, room };
      g_array_append_val (waiting, entry);
      room->waiting++;
      guint64 since = run != NULL ? MAX (run->completed, job->created) : 0;
      if (since > 0 && (room->oldest == 0 || since < room->oldest) && job->attempts == 0)
        room->oldest = since;
    }
  g_array_sort (waiting, newest_first);
  return waiting;
}

static gboolean
start_one (FlConductor *conductor, const FlPlanBasis *basis, const Waiting *entry, GError **error)
{
  Room *room = entry->room;
  const FlSite *site = room->place->record;
  FlResources resources = fl_plan_resources (entry->task, site, NULL);
  int ranks = fl_plan_ranks (entry->task, site, &resources, room->cores);
  /* What runs far away is submitted once the connection is there: until then the newest run may be another one. */
  if (room->full || !fl_place_is_up (room->place))
    return TRUE;
  if (fits (room, site, ranks, &resources))
    return start_job (conductor, entry->job, room, fraction_for (basis, entry->job, room), error);
  room->full = TRUE;
  if (room->begun >= MOST_AT_A_TIME)
    conductor->replan = TRUE;
  return TRUE;
}

/* Said of those that would begin something and cannot; and taken back. */
static void
tell_rooms (FlConductor *conductor, GHashTable *rooms)
{
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, rooms);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Room *room = value;
      g_autofree char *worker = fl_place_worker (room->place, "submit");
      if (!fl_place_is_up (room->place) || !fl_workers_is_due (conductor->workers, worker))
        continue;
      if (room->full)
        fl_workers_waiting (conductor->workers, worker, room->place->id, room->why);
      else
        fl_workers_well (conductor->workers, worker, room->place->id, "");
    }
}

gboolean
fl_conductor_start_jobs (FlConductor *conductor, const FlPlanBasis *basis, GError **error)
{
  g_autoptr (GHashTable) rooms = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, room_free);
  g_autoptr (GArray) waiting = waiting_jobs (conductor, basis, rooms);
  find_backlog (basis, rooms);
  gboolean ok = TRUE;
  for (guint i = 0; ok && i < waiting->len; i++)
    ok = start_one (conductor, basis, &g_array_index (waiting, Waiting, i), error);
  tell_rooms (conductor, rooms);
  return ok && fill_up (conductor, basis, rooms, error);
}
