/* How attempts go on and end, as written into the store. */
#include <signal.h>
#include <string.h>

#include "engine/base/batch.h"
#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/control/conductor-private.h"
#include "engine/store/shots.h"

void
fl_active_free (FlActive *active)
{
  if (active == NULL)
    return;
  fl_submission_free (active->submission);
  fl_ingest_free (active->ingest);
  fl_site_status_free (active->final);
  g_free (active->noted);
  g_free (active);
}

static void
set_text (char **field, const char *text)
{
  if (text == NULL)
    return;
  char *copy = g_strdup (text);
  g_free (*field);
  *field = copy;
}

/* --- what the run's files hold, as the engine saw them --- */

typedef struct
{
  guint64 frames;
  guint sources, damaged;
  char *problem; /* of the first damaged one */
} Contents;

static gboolean
read_contents (FlStore *store, const FlActive *active, Contents *contents, GError **error)
{
  g_autoptr (GPtrArray) slices = fl_store_slices (store, FL_KIND_SOURCE, active->job, 0, 0, error);
  for (guint i = 0; slices != NULL && i < slices->len; i++)
    {
      const FlSlice *slice = slices->pdata[i];
      gsize length;
      gconstpointer data = g_bytes_get_data (slice->packed, &length);
      g_autoptr (FlBatch) batch =
          slice->attempt == active->attempt ? fl_batch_decode (data, length, NULL) : NULL;
      for (guint k = 0; batch != NULL && k < fl_batch_rows (batch); k++)
        {
          FlSourceRow row;
          fl_batch_row (batch, k, &row);
          contents->sources++;
          contents->frames += row.frames;
          if (*row.message == '\0')
            continue;
          contents->damaged++;
          if (contents->problem == NULL)
            contents->problem = g_strdup (row.message);
        }
    }
  return slices != NULL;
}

static gboolean
update_run (FlStore *store, gint64 id, const Contents *contents, GError **error)
{
  FlRun *run = fl_store_get (store, FL_TABLE_RUN, id, error);
  if (run == NULL)
    return FALSE;
  gboolean damaged = contents->damaged > 0, was_damaged = strcmp (run->state, "damaged") == 0;
  gboolean ok = TRUE;
  if (run->shots != contents->frames || damaged != was_damaged)
    {
      run->shots = contents->frames;
      if (damaged)
        {
          g_autofree char *more =
              contents->damaged > 1
                  ? g_strdup_printf ("%s (and %u more)", contents->problem, contents->damaged - 1)
                  : NULL;
          set_text (&run->problem, more != NULL ? more : contents->problem);
          set_text (&run->state, "damaged");
        }
      else if (was_damaged)
        {
          set_text (&run->problem, "");
          set_text (&run->state, "complete");
        }
      ok = fl_store_save (store, FL_TABLE_RUN, run, error);
    }
  fl_record_free (FL_TABLE_RUN, run);
  return ok;
}

static gboolean
tell_run (FlConductor *conductor, FlActive *active, GError **error)
{
  FlStore *store = conductor->store;
  Contents contents = { 0 };
  FlJob *job = fl_store_get (store, FL_TABLE_JOB, active->job, error);
  gboolean ok = job != NULL && read_contents (store, active, &contents, error)
                && (contents.sources == 0 || job->run == 0 || update_run (store, job->run, &contents, error));
  active->counted = ok && contents.sources > 0;
  fl_record_free (FL_TABLE_JOB, job);
  g_free (contents.problem);
  return ok;
}

gboolean
fl_attempt_ingest (FlConductor *conductor, FlActive *active, GError **error)
{
  FlIngested news = { 0 };
  if (!fl_ingest_update (active->ingest, &news, error))
    return FALSE;
  FlPlace *place = news.frames > 0 ? fl_place_get (conductor, active->site) : NULL;
  if (place != NULL)
    place->direct = FALSE;
  /* What the job has taken in itself is told at its end. */
  if (active->counted || (news.frames == 0 && active->final == NULL))
    return TRUE;
  if (!fl_store_begin (conductor->store, error))
    return FALSE;
  if (tell_run (conductor, active, error))
    return fl_store_commit (conductor->store, error);
  fl_store_rollback (conductor->store);
  return FALSE;
}

/* --- records --- */

typedef gboolean (*Change) (FlConductor *conductor, FlAttempt *attempt, FlJob *job, gconstpointer data,
                            GError **error);

gboolean
fl_attempt_is_over (const FlAttempt *attempt)
{
  return fl_job_state_is_final (attempt->state) || attempt->state == FL_JOB_PREEMPTED;
}

/* Changes an attempt and its job, both fresh from the store, in one transaction. One that is over stays as it is: its end
 * was written before, and only the answer was lost. */
static gboolean
change_records (FlConductor *conductor, const FlActive *active, Change change, gconstpointer data,
                GError **error)
{
  FlStore *store = conductor->store;
  if (!fl_store_begin (store, error))
    return FALSE;
  FlAttempt *attempt = fl_store_get (store, FL_TABLE_ATTEMPT, active->attempt, error);
  FlJob *job = attempt != NULL ? fl_store_get (store, FL_TABLE_JOB, active->job, error) : NULL;
  gboolean ok = job != NULL
                && (fl_attempt_is_over (attempt)
                    || (change (conductor, attempt, job, data, error)
                        && fl_store_save (store, FL_TABLE_ATTEMPT, attempt, error)
                        && fl_store_save (store, FL_TABLE_JOB, job, error)));
  fl_record_free (FL_TABLE_ATTEMPT, attempt);
  fl_record_free (FL_TABLE_JOB, job);
  if (ok)
    return fl_store_commit (store, error);
  fl_store_rollback (store);
  return FALSE;
}

/* What the scheduler says of it. */
static void
copy_status (FlAttempt *attempt, const FlSiteStatus *status)
{
  set_text (&attempt->remote_id, status->remote_id);
  set_text (&attempt->nodes, status->nodes);
  set_text (&attempt->script, status->script);
  set_text (&attempt->batch_state, status->batch_state);
  set_text (&attempt->batch_reason, status->batch_reason);
  set_text (&attempt->cause, fl_site_cause_name (status->cause));
  attempt->expected = status->state == FL_SITE_QUEUED ? status->expected : 0;
  if (status->n_nodes > 0)
    attempt->n_nodes = status->n_nodes;
}

static gboolean
note (FlConductor *conductor, FlAttempt *attempt, FlJob *job, gconstpointer data, GError **error)
{
  (void) conductor;
  (void) error;
  const FlSiteStatus *status = data;
  FlJobState state = status->state == FL_SITE_RUNNING ? FL_JOB_RUNNING : FL_JOB_QUEUED;
  gboolean requeued = state == FL_JOB_QUEUED && attempt->state == FL_JOB_RUNNING;
  attempt->state = job->state = state;
  copy_status (attempt, status);
  if (requeued)
    set_text (&job->reason, status->cause == FL_CAUSE_PREEMPTED ? "preempted; it waits in the queue again"
                                                                : "was put back into the queue");
  if (state == FL_JOB_RUNNING)
    {
      attempt->started = status->started;
      if (job->started == 0)
        job->started = status->started;
      set_text (&job->reason, "");
    }
  return TRUE;
}

gboolean
fl_attempt_note (FlConductor *conductor, FlActive *active, const FlSiteStatus *status, GError **error)
{
  /* When it is expected to begin moves all the time: a minute is news. */
  g_autofree char *now =
      g_strdup_printf ("%d\n%d\n%s\n%s\n%s\n%s\n%" G_GUINT64_FORMAT, status->state, status->cause,
                       status->remote_id, status->nodes, status->batch_state, status->batch_reason,
                       (guint64) (status->expected / (60 * FL_NS_PER_S)));
  active->running = status->state == FL_SITE_RUNNING;
  if (g_strcmp0 (now, active->noted) == 0)
    return TRUE;
  if (!change_records (conductor, active, note, status, error))
    return FALSE;
  g_free (active->noted);
  active->noted = g_steal_pointer (&now);
  return TRUE;
}

static gboolean
fail_records (FlConductor *conductor, FlAttempt *attempt, FlJob *job, gconstpointer data, GError **error)
{
  (void) conductor;
  (void) error;
  attempt->state = job->state = FL_JOB_FAILED;
  attempt->ended = job->ended = fl_now_ns ();
  set_text (&attempt->reason, data);
  set_text (&job->reason, data);
  return TRUE;
}

gboolean
fl_attempt_fail (FlConductor *conductor, const FlActive *active, const char *reason, GError **error)
{
  return change_records (conductor, active, fail_records, reason, error);
}

/* --- the end --- */

/* The line that says why: the last that one of our programs wrote, else the last that is not a launcher's. */
static char *
say_why (const FlSiteStatus *status)
{
  g_auto (GStrv) lines = g_strsplit (status->err_tail != NULL ? status->err_tail : "", "\n", -1);
  const char *ours = NULL, *any = NULL;
  for (char **line = lines; *line != NULL; line++)
    {
      g_strstrip (*line);
      if (g_str_has_prefix (*line, "firstlight-"))
        ours = *line;
      gboolean launcher = g_str_has_prefix (*line, "srun: ") || g_str_has_prefix (*line, "slurmstepd: ");
      if (**line != '\0' && **line != '=' && **line != '-' && (any == NULL || !launcher))
        any = *line;
    }
  const char *said = ours != NULL ? ours : any;
  int signal = status->exit_code > 128 && status->exit_code < 128 + NSIG ? status->exit_code - 128 : 0;
  if (status->cause == FL_CAUSE_REFUSED)
    return g_strdup (status->batch_reason);
  if (status->cause != FL_CAUSE_NONE && (ours == NULL || status->cause != FL_CAUSE_DISK))
    return g_strdup (fl_site_cause_name (status->cause));
  if (status->state == FL_SITE_LOST && *status->remote_id == '\0')
    return g_strdup ("was submitted but never started");
  if (status->state == FL_SITE_LOST)
    return g_strdup ("its processes are gone and left no exit status: killed, or the machine was restarted");
  if (signal > 0 && ours == NULL)
    return g_strdup_printf ("ended by signal %d (%s)", signal, g_strsignal (signal));
  if (said != NULL)
    return g_strdup (said);
  return g_strdup_printf ("ended with exit status %d and said nothing", status->exit_code);
}

static char *
last_line (const char *text)
{
  g_autofree char *copy = g_strchomp (g_strdup (text != NULL ? text : ""));
  const char *line = strrchr (copy, '\n');
  return g_strdup (line != NULL ? line + 1 : copy);
}

static void
add_work (GHashTable *work, gint64 attempt, gint64 more)
{
  gint64 *n = g_hash_table_lookup (work, &attempt);
  if (n == NULL)
    g_hash_table_insert (work, g_memdup2 (&attempt, sizeof attempt), n = g_new0 (gint64, 1));
  *n += more;
}

/* Generations that no attempt had made before: one that is made again and again leads nowhere. */
static void
add_generations (GHashTable *work, GPtrArray *slices)
{
  guint32 last = 0;
  for (guint i = 0; i < slices->len; i++)
    {
      const FlSlice *slice = slices->pdata[i];
      g_autoptr (FlBatch) batch =
          fl_batch_decode (g_bytes_get_data (slice->packed, NULL), g_bytes_get_size (slice->packed), NULL);
      const guint32 *numbers = batch != NULL ? fl_batch_column (batch, "number") : NULL;
      for (guint k = 0; batch != NULL && k < fl_batch_rows (batch); k++)
        {
          add_work (work, slice->attempt, numbers[k] > last);
          last = MAX (last, numbers[k]);
        }
    }
}

/* Shots, or new generations of a reconstruction, that each attempt of the job has in the store. */
static GHashTable *
work_of_attempts (FlStore *store, gint64 job, GError **error)
{
  gint64 cursor = 0;
  g_autoptr (GArray) sums = fl_store_summaries (store, job, &cursor, error);
  g_autoptr (GPtrArray) generations =
      sums != NULL ? fl_store_slices (store, FL_KIND_GENERATION, job, 0, 0, error) : NULL;
  if (generations == NULL)
    return NULL;
  GHashTable *work = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  for (guint i = 0; i < sums->len; i++)
    {
      const FlShotSummary *sum = &g_array_index (sums, FlShotSummary, i);
      add_work (work, sum->attempt, sum->shots);
    }
  add_generations (work, generations);
  return work;
}

/* Whether another attempt should go on: not if the last ones led nowhere. *fruitless counts those. */
static gboolean
may_go_on (FlConductor *conductor, const FlAttempt *last, int most, int *fruitless, gboolean *may,
           GError **error)
{
  g_autoptr (GPtrArray) attempts = fl_store_list_attempts (conductor->store, last->job, error);
  g_autoptr (GHashTable) work =
      attempts != NULL ? work_of_attempts (conductor->store, last->job, error) : NULL;
  if (work == NULL)
    return FALSE;
  *fruitless = 0;
  for (guint i = attempts->len; i-- > 0 && *fruitless < most; ++*fruitless)
    {
      const FlAttempt *attempt = attempts->pdata[i];
      const gint64 *done = g_hash_table_lookup (work, &attempt->id);
      gboolean fruitful = done != NULL && *done > 0;
      if (attempt->state == FL_JOB_CANCELLED || attempt->state == FL_JOB_DONE || fruitful)
        break;
    }
  *may = *fruitless < most;
  return TRUE;
}

static void
end_attempt (FlAttempt *attempt, FlJob *job, const FlSiteStatus *status, const char *why)
{
  attempt->ended = status->ended > 0 ? status->ended : fl_now_ns ();
  attempt->exit_code = status->exit_code;
  if (attempt->started == 0)
    attempt->started = status->started;
  if (job->started == 0)
    job->started = attempt->started;
  copy_status (attempt, status);
  set_text (&attempt->stderr_tail, status->err_tail);
  set_text (&attempt->reason, why);
}

static char *
job_reason (const FlAttempt *attempt, const FlVerdict *verdict, const char *why, guint pause, gboolean again)
{
  if (attempt->state == FL_JOB_DONE)
    return g_strdup ("");
  if (again && pause > 0)
    return g_strdup_printf ("attempt %d: %s; tried again in %u s", attempt->number, why, pause);
  if (again)
    return g_strdup_printf ("attempt %d: %s; going on", attempt->number, why);
  if (attempt->state == FL_JOB_CANCELLED)
    return g_strdup (strcmp (attempt->cause, fl_site_cause_name (FL_CAUSE_CANCELLED)) == 0
                         ? "cancelled at the site"
                         : "stopped on request");
  if (verdict->again)
    return g_strdup_printf ("%s; given up after %d attempts", why, attempt->number);
  return g_strdup (why);
}

static gboolean
end_records (FlConductor *conductor, FlAttempt *attempt, FlJob *job, gconstpointer data, GError **error)
{
  const FlSiteStatus *status = data;
  FlVerdict verdict = fl_policy_verdict (status, job->stop_wanted);
  g_autofree char *why = verdict.state == FL_JOB_DONE ? last_line (status->out_tail) : say_why (status);
  gboolean again = FALSE;
  int fruitless = 0;
  end_attempt (attempt, job, status, why);
  attempt->state = verdict.state;
  if (verdict.again && !may_go_on (conductor, attempt, verdict.most, &fruitless, &again, error))
    return FALSE;
  guint pause = again ? fl_policy_pause (status->cause, MAX (fruitless, 1)) : 0;
  job->state = again ? FL_JOB_PLANNED : verdict.state == FL_JOB_PREEMPTED ? FL_JOB_FAILED : verdict.state;
  job->ended = again ? 0 : attempt->ended;
  job->stop_wanted = FALSE;
  job->not_before = pause > 0 ? fl_now_ns () + pause * FL_NS_PER_S : 0;
  g_autofree char *reason = job_reason (attempt, &verdict, why, pause, again);
  set_text (&job->reason, reason);
  return TRUE;
}

gboolean
fl_attempt_finish (FlConductor *conductor, FlActive *active, const FlSiteStatus *status, GError **error)
{
  /* Killed between any two of these, the next conductor finds the attempt ended and does them again. */
  return fl_attempt_ingest (conductor, active, error)
         && fl_store_compact (conductor->store, active->attempt, error)
         && change_records (conductor, active, end_records, status, error);
}
