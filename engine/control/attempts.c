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
  if (active->counted || news.frames == 0)
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

/* Changes an attempt and its job, both fresh from the store, in one transaction. */
static gboolean
change_records (FlConductor *conductor, const FlActive *active, Change change, gconstpointer data,
                GError **error)
{
  FlStore *store = conductor->store;
  if (!fl_store_begin (store, error))
    return FALSE;
  FlAttempt *attempt = fl_store_get (store, FL_TABLE_ATTEMPT, active->attempt, error);
  FlJob *job = attempt != NULL ? fl_store_get (store, FL_TABLE_JOB, active->job, error) : NULL;
  gboolean ok = job != NULL && change (conductor, attempt, job, data, error)
                && fl_store_save (store, FL_TABLE_ATTEMPT, attempt, error)
                && fl_store_save (store, FL_TABLE_JOB, job, error);
  fl_record_free (FL_TABLE_ATTEMPT, attempt);
  fl_record_free (FL_TABLE_JOB, job);
  if (ok)
    return fl_store_commit (store, error);
  fl_store_rollback (store);
  return FALSE;
}

static gboolean
note (FlConductor *conductor, FlAttempt *attempt, FlJob *job, gconstpointer data, GError **error)
{
  (void) conductor;
  (void) error;
  const FlSiteStatus *status = data;
  FlJobState state = status->state == FL_SITE_RUNNING ? FL_JOB_RUNNING : FL_JOB_QUEUED;
  attempt->state = job->state = state;
  set_text (&attempt->remote_id, status->remote_id);
  set_text (&attempt->nodes, status->nodes);
  set_text (&attempt->script, status->script);
  if (state == FL_JOB_RUNNING)
    {
      attempt->started = status->started;
      if (job->started == 0)
        job->started = status->started;
    }
  return TRUE;
}

gboolean
fl_attempt_note (FlConductor *conductor, const FlActive *active, const FlSiteStatus *status, GError **error)
{
  return change_records (conductor, active, note, status, error);
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

/* The line that says why: the last that one of our programs wrote, else the last that is not a launcher's frame. */
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
      if (**line != '\0' && **line != '=' && **line != '-')
        any = *line;
    }
  const char *said = ours != NULL ? ours : any;
  int signal = status->exit_code > 128 && status->exit_code < 128 + NSIG ? status->exit_code - 128 : 0;
  if (status->cause == FL_CAUSE_REFUSED)
    return g_strdup (status->batch_reason);
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

typedef enum
{
  END_DONE,
  END_FAILED,
  END_PAUSED, /* saved and stopped by itself */
  END_KILLED
} End;

static End
how_it_ended (const FlSiteStatus *status)
{
  if (status->state == FL_SITE_LOST)
    return END_KILLED;
  if (status->cause == FL_CAUSE_REFUSED)
    return END_FAILED;
  switch (status->exit_code)
    {
    case 0:
      return END_DONE;
    case 1:
    case 2:
    case 126: /* the shell's: cannot be run, */
    case 127: /* not found */
      return END_FAILED;
    case 75:
      return END_PAUSED;
    default:
      return END_KILLED;
    }
}

/* Shots that each attempt of the job has in the store. */
static GHashTable *
shots_of_attempts (FlStore *store, gint64 job, GError **error)
{
  gint64 cursor = 0;
  g_autoptr (GArray) sums = fl_store_summaries (store, job, &cursor, error);
  if (sums == NULL)
    return NULL;
  GHashTable *shots = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  for (guint i = 0; i < sums->len; i++)
    {
      const FlShotSummary *sum = &g_array_index (sums, FlShotSummary, i);
      gint64 *n = g_hash_table_lookup (shots, &sum->attempt);
      if (n == NULL)
        g_hash_table_insert (shots, g_memdup2 (&sum->attempt, sizeof (gint64)), n = g_new0 (gint64, 1));
      *n += sum->shots;
    }
  return shots;
}

/* Whether another attempt should go on: not if the last ones led nowhere. */
static gboolean
may_go_on (FlConductor *conductor, const FlAttempt *last, End end, gboolean *may, GError **error)
{
  g_autoptr (GPtrArray) attempts = fl_store_list_attempts (conductor->store, last->job, error);
  g_autoptr (GHashTable) shots =
      attempts != NULL ? shots_of_attempts (conductor->store, last->job, error) : NULL;
  if (shots == NULL)
    return FALSE;
  int most = end == END_PAUSED ? FL_MAX_PAUSES : FL_MAX_FRUITLESS, n = 0;
  for (guint i = attempts->len; i-- > 0 && n < most; n++)
    {
      const FlAttempt *attempt = attempts->pdata[i];
      const gint64 *done = g_hash_table_lookup (shots, &attempt->id);
      gboolean fruitful = done != NULL && *done > 0;
      if (attempt->state == FL_JOB_CANCELLED || fruitful)
        break;
    }
  *may = n < most;
  return TRUE;
}

static gboolean
end_records (FlConductor *conductor, FlAttempt *attempt, FlJob *job, gconstpointer data, GError **error)
{
  const FlSiteStatus *status = data;
  End end = how_it_ended (status);
  g_autofree char *why = end == END_DONE ? last_line (status->out_tail) : say_why (status);
  gboolean again = FALSE;
  attempt->ended = status->ended > 0 ? status->ended : fl_now_ns ();
  attempt->exit_code = status->exit_code;
  if (attempt->started == 0)
    attempt->started = status->started;
  if (job->started == 0)
    job->started = attempt->started;
  set_text (&attempt->remote_id, status->remote_id);
  set_text (&attempt->nodes, status->nodes);
  set_text (&attempt->script, status->script);
  set_text (&attempt->stderr_tail, status->err_tail);
  set_text (&attempt->reason, why);
  if (job->stop_wanted && end != END_DONE)
    attempt->state = FL_JOB_CANCELLED;
  else
    {
      attempt->state = end == END_DONE ? FL_JOB_DONE : end == END_PAUSED ? FL_JOB_PREEMPTED : FL_JOB_FAILED;
      if ((end == END_PAUSED || end == END_KILLED) && !may_go_on (conductor, attempt, end, &again, error))
        return FALSE;
    }
  job->state = again ? FL_JOB_PLANNED : attempt->state == FL_JOB_PREEMPTED ? FL_JOB_FAILED : attempt->state;
  job->ended = again ? 0 : attempt->ended;
  job->stop_wanted = FALSE;
  g_autofree char *reason = again ? g_strdup_printf ("attempt %d: %s; going on", attempt->number, why)
                            : attempt->state == FL_JOB_CANCELLED ? g_strdup ("stopped on request")
                            : end == END_PAUSED || end == END_KILLED
                                ? g_strdup_printf ("%s; given up after %d attempts", why, attempt->number)
                                : g_strdup (end == END_DONE ? "" : why);
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
