/* What the conductor asks the sites, and what it does with their answers. */
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/control/conductor-private.h"

#define STOP_GRACE_S    20 /* between asking a job to stop and ending it */
#define STOP_AGAIN_S    5
#define MAX_SUBMISSIONS 5  /* of one attempt that leaves no trace, */
#define SUBMIT_AGAIN_S  2  /* so far apart: a machine may be slow to begin it; */
#define FAR_AGAIN_S     20 /* a scheduler far away slower */
#define MOST_AT_ONCE    500
#define MEASURE_S       60 /* between two looks at a cluster's nodes and queue */
#define FAR_POLL_S      2
#define PULL_S          1
#define DIRECT_PULL_S   10 /* where jobs take their journals in themselves */
#define FRESH_S         40
#define MAX_LAST_PULLS  3 /* that bring some trouble, then what is here must do */

/* --- watching --- */

/* The record's command is the program and its arguments, each quoted. */
static void
split_command (const char *command, char **program, char **arguments)
{
  g_auto (GStrv) argv = NULL;
  g_autoptr (GString) rest = g_string_new (NULL);
  if (!g_shell_parse_argv (command, NULL, &argv, NULL))
    argv = g_strdupv ((char *[]){ (char *) "", NULL });
  for (guint i = 1; argv[i] != NULL; i++)
    {
      g_autofree char *quoted = g_shell_quote (argv[i]);
      g_string_append_printf (rest, "%s%s", i > 1 ? " " : "", quoted);
    }
  *program = g_strdup (argv[0]);
  *arguments = g_strdup (rest->str);
}

/* As its record says: what is there is what was planned, whichever conductor did it. */
static FlSubmission *
make_submission (FlConductor *conductor, const FlJob *job, const FlAttempt *attempt, GError **error)
{
  FlPlace *place = fl_place_get (conductor, attempt->site);
  g_autoptr (FlSubmission) s = g_new0 (FlSubmission, 1);
  if (place == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "attempt %" G_GINT64_FORMAT ": its site is not there",
                   attempt->id);
      return NULL;
    }
  s->attempt = attempt->id;
  s->number = attempt->number;
  s->folder = fl_store_resolve_at (conductor->store, attempt->site, job->root, job->path, error);
  s->mirror = s->folder != NULL ? fl_store_resolve (conductor->store, job->root, job->path, error) : NULL;
  g_autoptr (GError) unknown = NULL;
  if (s->mirror == NULL)
    return NULL;
  /* Of one that runs they are there: parameters that another version of ours wrote need not be understood. */
  if (!fl_plan_uploads (conductor->store, place->record, s->folder, s->mirror, attempt->number,
                        attempt->params, &s->uploads, &unknown)
      && attempt->state == FL_JOB_SUBMITTING)
    {
      g_propagate_error (error, g_steal_pointer (&unknown));
      return NULL;
    }
  s->stem = fl_plan_stem (attempt->number);
  s->key = g_path_get_basename (job->path);
  s->job_name = g_strdup (*attempt->job_name != '\0' ? attempt->job_name : s->key);
  s->environment = g_strdup (place->record->environment);
  s->ranks = attempt->ranks > 0 ? attempt->ranks : 1;
  s->nodes = attempt->n_nodes;
  s->ranks_per_node = attempt->ranks_per_node;
  s->minutes = attempt->minutes;
  split_command (attempt->command, &s->program, &s->arguments);
  FlTask *task = fl_store_get (conductor->store, FL_TABLE_TASK, job->task, error);
  if (task == NULL)
    return NULL;
  s->gpus_per_rank = fl_plan_resources (task, place->record, NULL).gpus_per_rank;
  fl_record_free (FL_TABLE_TASK, task);
  return g_steal_pointer (&s);
}

gboolean
fl_conductor_watch (FlConductor *conductor, const FlJob *job, const FlAttempt *attempt, GError **error)
{
  g_autofree char *results = fl_store_attempt_folder (conductor->store, attempt->id, error);
  FlSubmission *submission = results != NULL ? make_submission (conductor, job, attempt, error) : NULL;
  if (submission == NULL)
    return FALSE;
  FlActive *active = g_new0 (FlActive, 1);
  *active =
      (FlActive){ .attempt = attempt->id, .job = job->id, .site = attempt->site, .submission = submission };
  active->far = strcmp (submission->folder, submission->mirror) != 0;
  active->ingest = fl_ingest_new (conductor->store, attempt->id, results);
  active->running = attempt->state == FL_JOB_RUNNING;
  active->pulled = attempt->pulled;
  g_hash_table_insert (conductor->active, g_memdup2 (&attempt->id, sizeof attempt->id), active);
  return TRUE;
}

/* --- failures of a site --- */

static void
forget_request (FlActive *active)
{
  active->busy = FALSE;
}

void
fl_conductor_forget_requests (FlConductor *conductor, FlPlace *place)
{
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, conductor->active);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((FlActive *) value)->site == place->id)
      forget_request (value);
}

/* Nothing is known, and nothing is changed: asked again later. */
static void
note_failure (FlPlace *place, const char *what, const GError *error)
{
  g_autofree char *worker = fl_place_worker (place, what);
  if (fl_place_is_up (place) || !g_error_matches (error, FL_ERROR, FL_ERROR_BUSY))
    fl_workers_failed (place->conductor->workers, worker, place->id, error->message);
  else
    fl_workers_waiting (place->conductor->workers, worker, place->id, "waits for the connection");
}

static void
note_success (FlPlace *place, const char *what)
{
  g_autofree char *worker = fl_place_worker (place, what);
  gboolean poll = strcmp (what, "poll") == 0 && place->nodes != NULL;
  fl_workers_well (place->conductor->workers, worker, place->id, poll ? place->nodes : "");
}

/* Trouble with one attempt's records or journals does not stop the others. */
static void
note_ingest (FlConductor *conductor, const GError *error)
{
  if (error != NULL)
    fl_conductor_failed (conductor, "ingest", 0, error);
}

/* --- answers --- */

static FlActive *
active_of (FlConductor *conductor, gint64 attempt)
{
  return g_hash_table_lookup (conductor->active, &attempt);
}

static void
free_actives (FlConductor *conductor, const FlAsked *asked)
{
  for (guint i = 0; i < asked->attempts->len; i++)
    {
      FlActive *active = active_of (conductor, g_array_index (asked->attempts, gint64, i));
      if (active != NULL)
        forget_request (active);
    }
}

static void
cancelled (GPtrArray *statuses, const GError *error, gpointer data)
{
  (void) statuses;
  FlAsked *asked = data;
  FlConductor *conductor = asked->place->conductor;
  FlActive *active = active_of (conductor, g_array_index (asked->attempts, gint64, 0));
  free_actives (conductor, asked);
  if (error != NULL)
    {
      note_failure (asked->place, "poll", error);
      if (active != NULL && !asked->hard)
        active->stop_asked = 0; /* asked again */
      if (active != NULL && asked->hard)
        active->withdrawn = FALSE;
    }
  fl_asked_done (asked);
}

static void
send_cancel (FlConductor *conductor, FlActive *active, gboolean hard)
{
  FlPlace *place = fl_place_get (conductor, active->site);
  if (place == NULL || !fl_place_is_up (place))
    return;
  FlAsked *asked = fl_asked_new (place);
  g_array_append_val (asked->attempts, active->attempt);
  asked->hard = hard;
  active->busy = TRUE;
  active->stop_sent = g_get_monotonic_time ();
  fl_site_link_cancel (place->link, active->submission, hard, cancelled, asked);
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
      send_cancel (conductor, active, TRUE);
    }
  else
    {
      conductor->replan = TRUE;
      *over = fl_attempt_fail (conductor, active,
                               "was submitted but never started; its folder cannot be written?", error);
      return *over;
    }
  return TRUE;
}

/* It is over; of a far one the rest of its journals is brought first. */
static void
take_end (FlActive *active, FlSiteStatus *status)
{
  fl_site_status_free (active->final);
  active->final = status;
  active->submitted = TRUE;
  active->drained = !active->far;
}

/* One status of one attempt, from a submission or a poll; taken over where it is the last. */
static void
take_status (FlConductor *conductor, FlActive *active, FlSiteStatus **status)
{
  g_autoptr (GError) error = NULL;
  gboolean over = FALSE;
  gint64 attempt = active->attempt;
  switch ((*status)->state)
    {
    case FL_SITE_UNKNOWN:
      wait_for_begin (conductor, active, &over, &error);
      break;
    case FL_SITE_QUEUED:
    case FL_SITE_RUNNING:
      active->submitted = TRUE;
      fl_attempt_note (conductor, active, *status, &error);
      break;
    case FL_SITE_ENDED:
    case FL_SITE_LOST:
      take_end (active, g_steal_pointer (status));
      conductor->hurry = TRUE;
      break;
    }
  note_ingest (conductor, error);
  if (over)
    g_hash_table_remove (conductor->active, &attempt);
}

static void
take_statuses (FlConductor *conductor, GPtrArray *statuses)
{
  for (guint i = 0; i < statuses->len; i++)
    {
      FlSiteStatus **status = (FlSiteStatus **) &statuses->pdata[i];
      FlActive *active = active_of (conductor, (*status)->attempt);
      if (active != NULL && !active->busy && active->final == NULL)
        take_status (conductor, active, status);
    }
}

static void
submitted (GPtrArray *statuses, const GError *error, gpointer data)
{
  FlAsked *asked = data;
  FlPlace *place = asked->place;
  FlConductor *conductor = place->conductor;
  place->submitting = FALSE;
  free_actives (conductor, asked);
  for (guint i = 0; error != NULL && i < asked->attempts->len; i++)
    {
      FlActive *active = active_of (conductor, g_array_index (asked->attempts, gint64, i));
      if (active != NULL)
        active->submissions--; /* not known to have been one */
    }
  if (error != NULL)
    note_failure (place, "submit", error);
  else
    {
      note_success (place, "submit");
      take_statuses (conductor, statuses);
    }
  fl_asked_done (asked);
}

static void
polled (GPtrArray *statuses, const GError *error, gpointer data)
{
  FlAsked *asked = data;
  FlPlace *place = asked->place;
  place->polling = FALSE;
  if (error != NULL)
    note_failure (place, "poll", error);
  else
    {
      note_success (place, "poll");
      take_statuses (place->conductor, statuses);
    }
  fl_asked_done (asked);
}

/* --- journals --- */

/* Which of the attempts had ended before the journals were asked for: for those it was the last time. */
typedef struct
{
  GArray *ended; /* gint64 */
} Pull;

static void
pull_free (gpointer data)
{
  g_array_unref (((Pull *) data)->ended);
  g_free (data);
}

static void
write_pulled (FlConductor *conductor, FlActive *active, guint64 now)
{
  g_autoptr (GError) error = NULL;
  if (now < active->pulled + 10 * FL_NS_PER_S)
    return;
  active->pulled = now;
  if (!fl_store_set_int (conductor->store, FL_TABLE_ATTEMPT, active->attempt, "pulled", (gint64) now, &error))
    note_ingest (conductor, error);
}

static void
pulled (guint64 bytes, const char *message, const GError *error, gpointer data)
{
  FlAsked *asked = data;
  FlPlace *place = asked->place;
  FlConductor *conductor = place->conductor;
  const Pull *pull = asked->other;
  place->pulling = FALSE;
  /* Until there is news in it (fl_attempt_ingest). */
  if (bytes > 0)
    place->direct = *place->record->ingest != '\0';
  if (error != NULL)
    note_failure (place, "journals", error);
  for (guint i = 0; error == NULL && i < asked->attempts->len; i++)
    {
      FlActive *active = active_of (conductor, g_array_index (asked->attempts, gint64, i));
      if (active != NULL)
        write_pulled (conductor, active, fl_now_ns ());
    }
  for (guint i = 0; error == NULL && i < pull->ended->len; i++)
    {
      FlActive *active = active_of (conductor, g_array_index (pull->ended, gint64, i));
      if (active != NULL && (message == NULL || ++active->pulls_failed >= MAX_LAST_PULLS))
        active->drained = conductor->hurry = TRUE;
    }
  g_autofree char *worker = fl_place_worker (place, "journals");
  if (error == NULL && message != NULL)
    fl_workers_failed (conductor->workers, worker, place->id, message);
  else if (error == NULL)
    fl_workers_well (conductor->workers, worker, place->id, "");
  fl_asked_done (asked);
}

/* --- questions --- */

void
fl_conductor_stop (FlConductor *conductor, FlActive *active)
{
  guint64 now = fl_now_ns ();
  gboolean hard = active->stop_asked > 0 && now > active->stop_asked + STOP_GRACE_S * FL_NS_PER_S;
  if (active->busy || !active->submitted || active->final != NULL || (active->stop_asked > 0 && !hard)
      || (active->stop_sent > 0
          && g_get_monotonic_time () < active->stop_sent + STOP_AGAIN_S * G_USEC_PER_SEC))
    return;
  if (!hard)
    active->stop_asked = now;
  send_cancel (conductor, active, hard);
}

static int
by_attempt (gconstpointer a, gconstpointer b)
{
  const FlActive *x = *(const FlActive *const *) a, *y = *(const FlActive *const *) b;
  return (x->attempt > y->attempt) - (x->attempt < y->attempt);
}

/* The place's attempts in the order in which they were made: the newest run's first. */
static GPtrArray *
actives_of_place (FlConductor *conductor, const FlPlace *place)
{
  GPtrArray *list = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, conductor->active);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((FlActive *) value)->site == place->id)
      g_ptr_array_add (list, value);
  g_ptr_array_sort (list, by_attempt);
  return list;
}

static gboolean
may_ask (FlPlace *place, const char *what)
{
  g_autofree char *worker = fl_place_worker (place, what);
  if (fl_place_is_up (place))
    return fl_workers_is_due (place->conductor->workers, worker);
  if (place->trouble != NULL)
    fl_workers_failed (place->conductor->workers, worker, place->id, place->trouble);
  else
    fl_workers_waiting (place->conductor->workers, worker, place->id, "waits for the connection");
  return FALSE;
}

static void
submit (FlPlace *place, GPtrArray *actives)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new ();
  gint64 now = g_get_monotonic_time ();
  for (guint i = 0; i < actives->len && list->len < MOST_AT_ONCE; i++)
    {
      FlActive *active = actives->pdata[i];
      if (!active->busy && !active->submitted)
        g_ptr_array_add (list, active);
    }
  if (list->len == 0 || place->submitting || !may_ask (place, "submit"))
    return;
  FlAsked *asked = fl_asked_new (place);
  for (guint i = 0; i < list->len; i++)
    {
      FlActive *active = list->pdata[i];
      active->busy = TRUE;
      active->submissions++;
      active->submit_again = now + (active->far ? FAR_AGAIN_S : SUBMIT_AGAIN_S) * G_USEC_PER_SEC;
      g_array_append_val (asked->attempts, active->attempt);
      active->submission->until = &place->conductor->lease_until;
      list->pdata[i] = active->submission;
    }
  place->submitting = TRUE;
  fl_site_link_submit (place->link, list, submitted, asked);
}

static void
ask_how (FlPlace *place, GPtrArray *actives)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new ();
  gint64 now = g_get_monotonic_time ();
  for (guint i = 0; i < actives->len; i++)
    {
      const FlActive *active = actives->pdata[i];
      if (!active->busy && active->submitted && active->final == NULL)
        g_ptr_array_add (list, active->submission);
    }
  gboolean soon = strcmp (place->record->kind, "local") == 0;
  if (list->len == 0 || place->polling || (!soon && now < place->polled + FAR_POLL_S * G_USEC_PER_SEC)
      || !may_ask (place, "poll"))
    return;
  place->polling = TRUE;
  place->polled = now;
  fl_site_link_poll (place->link, list, polled, fl_asked_new (place));
}

static void
measured (const FlProbe *probe, const GError *error, gpointer data)
{
  FlAsked *asked = data;
  FlPlace *place = asked->place;
  place->measuring = FALSE;
  if (error != NULL)
    note_failure (place, "poll", error);
  else
    {
      g_free (place->nodes);
      place->nodes = g_strdup (probe->summary);
      note_success (place, "poll");
    }
  fl_asked_done (asked);
}

/* How busy the cluster is: for people, so a minute old will do. */
static void
measure (FlPlace *place)
{
  gint64 now = g_get_monotonic_time ();
  if (place->measuring || strcmp (place->record->kind, "local") == 0 || !place->record->active
      || (place->measured > 0 && now < place->measured + MEASURE_S * G_USEC_PER_SEC)
      || !may_ask (place, "poll"))
    return;
  place->measuring = TRUE;
  place->measured = now;
  fl_site_link_probe (place->link, measured, fl_asked_new (place));
}

static void
pull (FlPlace *place, GPtrArray *actives)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new ();
  gint64 now = g_get_monotonic_time ();
  for (guint i = 0; i < actives->len; i++)
    {
      FlActive *active = actives->pdata[i];
      /* One that was just submitted may run before a poll tells. */
      gboolean fresh = active->submitted && now < active->submit_again + FRESH_S * G_USEC_PER_SEC;
      if (active->far && (active->running || fresh || active->final != NULL) && !active->drained)
        g_ptr_array_add (list, active);
    }
  gboolean soon = !place->direct;
  for (guint i = 0; i < list->len; i++)
    soon |= ((const FlActive *) list->pdata[i])->final != NULL;
  if (list->len == 0 || place->pulling
      || now < place->pulled + (soon ? PULL_S : DIRECT_PULL_S) * G_USEC_PER_SEC
      || !may_ask (place, "journals"))
    return;
  FlAsked *asked = fl_asked_new (place);
  Pull *own = g_new (Pull, 1);
  own->ended = g_array_new (FALSE, FALSE, sizeof (gint64));
  asked->other = own;
  asked->destroy = pull_free;
  for (guint i = 0; i < list->len; i++)
    {
      FlActive *active = list->pdata[i];
      g_array_append_val (asked->attempts, active->attempt);
      if (active->final != NULL)
        g_array_append_val (own->ended, active->attempt);
      list->pdata[i] = active->submission;
    }
  place->pulling = TRUE;
  place->pulled = now;
  fl_site_link_pull (place->link, list, pulled, asked);
}

/* --- every round --- */

/* What has been written is taken in; what is over is ended. */
static gboolean
take_in (FlConductor *conductor, FlActive *active, gboolean *over, GError **error)
{
  *over = active->final != NULL && active->drained;
  if (*over)
    return fl_attempt_finish (conductor, active, active->final, error);
  return fl_attempt_ingest (conductor, active, error);
}

static void
take_all_in (FlConductor *conductor)
{
  GHashTableIter iter;
  gpointer value;
  gboolean any = FALSE, well = TRUE;
  if (!fl_workers_is_due (conductor->workers, "ingest"))
    return;
  g_hash_table_iter_init (&iter, conductor->active);
  while (!conductor->lost && g_hash_table_iter_next (&iter, NULL, &value))
    {
      g_autoptr (GError) error = NULL;
      gboolean over, ok = take_in (conductor, value, &over, &error);
      any = TRUE;
      well &= ok;
      if (well && over)
        conductor->replan = conductor->hurry = TRUE; /* there is room, and perhaps another attempt to make */
      if (ok && over)
        g_hash_table_iter_remove (&iter);
      note_ingest (conductor, error);
    }
  if (any && well)
    fl_workers_well (conductor->workers, "ingest", 0, "");
}

void
fl_conductor_attend (FlConductor *conductor)
{
  GHashTableIter iter;
  gpointer value;
  take_all_in (conductor);
  g_hash_table_iter_init (&iter, conductor->places);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      FlPlace *place = value;
      g_autoptr (GPtrArray) actives = actives_of_place (conductor, place);
      submit (place, actives);
      ask_how (place, actives);
      pull (place, actives);
      measure (place);
    }
}
