#include "engine/control/site.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/control/mirror.h"
#include "engine/control/process.h"

#define LEASE_MARGIN (2 * G_USEC_PER_SEC) /* what is begun is on its way before the lease ends */

/* One piece of work for the site's thread; each kind has its own function. */
typedef struct Request Request;
struct Request
{
  FlSiteLink *link;
  void (*work) (Request *request, const FlSiteContext *context);
  void (*deliver) (Request *request);
  GMainContext *context;
  GPtrArray *submissions, *statuses;
  gboolean hard;
  guint64 bytes;
  char *message;
  FlProbe probe;
  FlSiteWork other;
  gpointer other_data, result;
  GCallback reply;
  gpointer data;
  GError *error;
};

struct FlSiteLink
{
  FlSite *site;
  FlHost *host;
  const FlSiteDriver *driver;
  gpointer driver_data;
  GThreadPool *pool; /* of one thread: requests in order */
  gint closed;       /* atomic */
  gint references;   /* atomic: ours, and one a request whose reply is under way */
};

const FlSiteDriver *
fl_site_driver (const char *kind)
{
  static const FlSiteDriver *const drivers[] = { &fl_site_local, &fl_site_slurm, &fl_site_ssh };
  for (guint i = 0; i < G_N_ELEMENTS (drivers); i++)
    if (strcmp (drivers[i]->kind, kind) == 0)
      return drivers[i];
  return NULL;
}

void
fl_submission_free (FlSubmission *submission)
{
  if (submission == NULL)
    return;
  char *texts[] = {
    submission->folder,   submission->stem,    submission->mirror,    submission->key,
    submission->job_name, submission->program, submission->arguments, submission->environment
  };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
  g_clear_pointer (&submission->uploads, g_ptr_array_unref);
  g_free (submission);
}

void
fl_upload_free (FlUpload *upload)
{
  g_free (upload->local);
  g_free (upload->far);
  g_free (upload);
}

static GPtrArray *
copy_uploads (GPtrArray *from)
{
  GPtrArray *to = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_upload_free);
  for (guint i = 0; i < from->len; i++)
    {
      const FlUpload *upload = from->pdata[i];
      FlUpload *copy = g_new (FlUpload, 1);
      *copy = (FlUpload){ g_strdup (upload->local), g_strdup (upload->far) };
      g_ptr_array_add (to, copy);
    }
  return to;
}

FlSubmission *
fl_submission_copy (const FlSubmission *from)
{
  FlSubmission *to = g_memdup2 (from, sizeof *from);
  to->folder = g_strdup (from->folder);
  to->stem = g_strdup (from->stem);
  to->mirror = g_strdup (from->mirror);
  to->key = g_strdup (from->key);
  to->job_name = g_strdup (from->job_name);
  to->program = g_strdup (from->program);
  to->arguments = g_strdup (from->arguments);
  to->environment = g_strdup (from->environment);
  to->uploads = from->uploads != NULL ? copy_uploads (from->uploads) : NULL;
  return to;
}

gboolean
fl_submission_is_in_time (const FlSubmission *submission, GError **error)
{
  if (submission->until == NULL
      || fl_process_clock () < __atomic_load_n (submission->until, __ATOMIC_RELAXED) - LEASE_MARGIN)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_BUSY,
               "attempt %" G_GINT64_FORMAT ": was not submitted: the lease had to be renewed first",
               submission->attempt);
  return FALSE;
}

const char *
fl_site_cause_name (FlSiteCause cause)
{
  static const char *const names[FL_CAUSE_LAST] = {
    "",          "time limit", "out of memory", "node failure", "preempted", "cancelled at the site",
    "disk full", "refused",
  };
  return (guint) cause < FL_CAUSE_LAST ? names[cause] : "";
}

void
fl_probe_clear (FlProbe *probe)
{
  g_clear_pointer (&probe->summary, g_free);
}

void
fl_site_status_free (FlSiteStatus *status)
{
  if (status == NULL)
    return;
  g_free (status->remote_id);
  g_free (status->nodes);
  g_free (status->script);
  g_free (status->batch_state);
  g_free (status->batch_reason);
  g_free (status->out_tail);
  g_free (status->err_tail);
  g_free (status);
}

static void
link_unref (FlSiteLink *link)
{
  if (!g_atomic_int_dec_and_test (&link->references))
    return;
  if (link->driver->close != NULL)
    link->driver->close (link->driver_data);
  fl_record_free (FL_TABLE_SITE, link->site);
  g_clear_pointer (&link->host, fl_host_unref);
  g_free (link);
}

static void
request_free (gpointer data)
{
  Request *request = data;
  g_ptr_array_unref (request->submissions);
  g_ptr_array_unref (request->statuses);
  g_clear_error (&request->error);
  fl_probe_clear (&request->probe);
  g_free (request->message);
  g_main_context_unref (request->context);
  link_unref (request->link);
  g_free (request);
}

static gboolean
deliver (gpointer data)
{
  Request *request = data;
  if (!g_atomic_int_get (&request->link->closed))
    request->deliver (request);
  return G_SOURCE_REMOVE;
}

static void
work (gpointer data, gpointer user_data)
{
  Request *request = data;
  FlSiteLink *link = user_data;
  const FlSiteContext context = { link->site, link->host, link->driver_data };
  request->work (request, &context);
  /* Not g_main_context_invoke(): while the asker is busy outside its loop that would answer here, in this thread. */
  GSource *source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, deliver, request, request_free);
  g_source_attach (source, request->context);
  g_source_unref (source);
}

FlSiteLink *
fl_site_link_new (FlSite *site, FlHost *host, GError **error)
{
  const FlSiteDriver *driver = fl_site_driver (site->kind);
  if (driver == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                   "site %s: there is no driver for '%s', expected local, slurm or ssh", site->name,
                   site->kind);
      fl_record_free (FL_TABLE_SITE, site);
      return NULL;
    }
  FlSiteLink *link = g_new0 (FlSiteLink, 1);
  link->site = site;
  link->host = host != NULL ? fl_host_ref (host) : NULL;
  link->driver = driver;
  link->driver_data = driver->open != NULL ? driver->open (site, host) : NULL;
  link->references = 1;
  link->pool = g_thread_pool_new (work, link, 1, TRUE, NULL);
  return link;
}

void
fl_site_link_free (FlSiteLink *link)
{
  if (link == NULL)
    return;
  g_atomic_int_set (&link->closed, TRUE);
  g_thread_pool_free (link->pool, FALSE, TRUE);
  link_unref (link);
}

static Request *
request_new (FlSiteLink *link, GCallback reply, gpointer data)
{
  Request *request = g_new0 (Request, 1);
  g_atomic_int_inc (&link->references);
  request->link = link;
  request->reply = reply;
  request->data = data;
  request->context = g_main_context_ref_thread_default ();
  request->submissions = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_submission_free);
  request->statuses = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_site_status_free);
  return request;
}

static void
request_take (Request *request, GPtrArray *submissions)
{
  for (guint i = 0; i < submissions->len; i++)
    g_ptr_array_add (request->submissions, fl_submission_copy (submissions->pdata[i]));
}

static void
request_send (Request *request, void (*work_function) (Request *, const FlSiteContext *),
              void (*deliver_function) (Request *))
{
  request->work = work_function;
  request->deliver = deliver_function;
  g_thread_pool_push (request->link->pool, request, NULL);
}

/* --- statuses --- */

static void
deliver_statuses (Request *request)
{
  FlSiteReply reply = (FlSiteReply) request->reply;
  reply (request->error == NULL ? request->statuses : NULL, request->error, request->data);
}

static void
work_submit (Request *request, const FlSiteContext *context)
{
  request->link->driver->submit (context, request->submissions, request->statuses, &request->error);
}

static void
work_poll (Request *request, const FlSiteContext *context)
{
  request->link->driver->poll (context, request->submissions, request->statuses, &request->error);
}

static void
work_cancel (Request *request, const FlSiteContext *context)
{
  request->link->driver->cancel (context, request->submissions->pdata[0], request->hard, &request->error);
}

void
fl_site_link_submit (FlSiteLink *link, GPtrArray *submissions, FlSiteReply reply, gpointer data)
{
  Request *request = request_new (link, G_CALLBACK (reply), data);
  request_take (request, submissions);
  request_send (request, work_submit, deliver_statuses);
}

void
fl_site_link_poll (FlSiteLink *link, GPtrArray *submissions, FlSiteReply reply, gpointer data)
{
  Request *request = request_new (link, G_CALLBACK (reply), data);
  request_take (request, submissions);
  request_send (request, work_poll, deliver_statuses);
}

void
fl_site_link_cancel (FlSiteLink *link, const FlSubmission *submission, gboolean hard, FlSiteReply reply,
                     gpointer data)
{
  Request *request = request_new (link, G_CALLBACK (reply), data);
  request->hard = hard;
  g_ptr_array_add (request->submissions, fl_submission_copy (submission));
  request_send (request, work_cancel, deliver_statuses);
}

/* --- journals --- */

static void
work_pull (Request *request, const FlSiteContext *context)
{
  if (context->host != NULL)
    fl_mirror_pull (context->host, request->submissions, &request->bytes, &request->message, &request->error);
}

static void
deliver_pull (Request *request)
{
  FlPullReply reply = (FlPullReply) request->reply;
  reply (request->bytes, request->message, request->error, request->data);
}

void
fl_site_link_pull (FlSiteLink *link, GPtrArray *submissions, FlPullReply reply, gpointer data)
{
  Request *request = request_new (link, G_CALLBACK (reply), data);
  request_take (request, submissions);
  request_send (request, work_pull, deliver_pull);
}

/* --- the site itself --- */

static void
work_probe (Request *request, const FlSiteContext *context)
{
  request->link->driver->probe (context, &request->probe, &request->error);
}

static void
deliver_probe (Request *request)
{
  FlProbeReply reply = (FlProbeReply) request->reply;
  reply (request->error == NULL ? &request->probe : NULL, request->error, request->data);
}

void
fl_site_link_probe (FlSiteLink *link, FlProbeReply reply, gpointer data)
{
  request_send (request_new (link, G_CALLBACK (reply), data), work_probe, deliver_probe);
}

static void
work_other (Request *request, const FlSiteContext *context)
{
  request->result = request->other (context, request->other_data, &request->error);
}

static void
deliver_other (Request *request)
{
  FlSiteWorked reply = (FlSiteWorked) request->reply;
  reply (request->result, request->error, request->data);
}

void
fl_site_link_work (FlSiteLink *link, FlSiteWork site_work, gpointer work_data, FlSiteWorked reply,
                   gpointer data)
{
  Request *request = request_new (link, G_CALLBACK (reply), data);
  request->other = site_work;
  request->other_data = work_data;
  request_send (request, work_other, deliver_other);
}
