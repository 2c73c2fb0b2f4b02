/* What the conductor asks the sites, and what it does with their answers. */
#include "engine/base/units.h"
#include "engine/control/conductor-private.h"
#include "engine/control/plan.h"

#define STOP_GRACE_S    20 /* between asking a job to stop and ending it */
#define MAX_SUBMISSIONS 5  /* of one attempt that leaves no trace, */
#define SUBMIT_AGAIN_S  2  /* so far apart: a machine may be slow to begin it */

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

gboolean
fl_conductor_watch (FlConductor *conductor, const FlJob *job, const FlAttempt *attempt, const char *key,
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
    .ranks = ranks,
    .environment = g_strdup (environment),
  };
  active->submission->mirror = g_strdup (active->submission->folder);
  split_command (attempt->command, &active->submission->program, &active->submission->arguments);
  g_hash_table_insert (conductor->active, g_memdup2 (&attempt->id, sizeof attempt->id), active);
  return TRUE;
}

FlSiteLink *
fl_conductor_link (FlConductor *conductor, gint64 site, GError **error)
{
  FlSiteLink *link = g_hash_table_lookup (conductor->links, &site);
  if (link != NULL)
    return link;
  FlSite *record = fl_store_get (conductor->store, FL_TABLE_SITE, site, error);
  link = record != NULL ? fl_site_link_new (record, NULL, error) : NULL;
  if (link != NULL)
    g_hash_table_insert (conductor->links, g_memdup2 (&site, sizeof site), link);
  return link;
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

/* --- questions --- */

void
fl_conductor_stop (FlConductor *conductor, FlActive *active)
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

gboolean
fl_conductor_attend (FlConductor *conductor, GError **error)
{
  g_autoptr (GHashTable) by_site =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, (GDestroyNotify) g_ptr_array_unref);
  GHashTableIter iter;
  gpointer key, value;
  g_hash_table_iter_init (&iter, conductor->active);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      FlActive *active = value;
      FlSiteLink *link = fl_conductor_link (conductor, active->site, error);
      if (link == NULL || !fl_attempt_ingest (conductor, active, error))
        return FALSE;
      if (active->busy)
        continue;
      if (!active->submitted)
        {
          active->submissions++;
          active->submit_again = g_get_monotonic_time () + SUBMIT_AGAIN_S * G_USEC_PER_SEC;
          g_autoptr (GPtrArray) one = g_ptr_array_new ();
          g_ptr_array_add (one, active->submission);
          fl_site_link_submit (link, one, submitted, ask (conductor, active));
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
