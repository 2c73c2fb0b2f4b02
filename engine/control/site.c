#include "engine/control/site.h"

#include <string.h>

#include "engine/base/error.h"

typedef enum
{
  REQUEST_SUBMIT,
  REQUEST_POLL,
  REQUEST_CANCEL
} RequestKind;

typedef struct
{
  FlSiteLink *link;
  RequestKind kind;
  GPtrArray *submissions;
  gboolean hard;
  FlSiteReply reply;
  gpointer data;
  GMainContext *context;
  GPtrArray *statuses;
  GError *error;
} Request;

struct FlSiteLink
{
  FlSite *site;
  const FlSiteDriver *driver;
  GThreadPool *pool; /* of one thread: requests in order */
  gint closed;       /* atomic */
  gint references;   /* atomic: ours, and one a request whose reply is under way */
};

const FlSiteDriver *
fl_site_driver (const char *kind)
{
  static const FlSiteDriver *const drivers[] = { &fl_site_local };
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
  g_free (submission->folder);
  g_free (submission->stem);
  g_free (submission->key);
  g_free (submission->command);
  g_free (submission->environment);
  g_free (submission);
}

static FlSubmission *
submission_copy (const FlSubmission *from)
{
  FlSubmission *to = g_memdup2 (from, sizeof *from);
  to->folder = g_strdup (from->folder);
  to->stem = g_strdup (from->stem);
  to->key = g_strdup (from->key);
  to->command = g_strdup (from->command);
  to->environment = g_strdup (from->environment);
  return to;
}

void
fl_site_status_free (FlSiteStatus *status)
{
  if (status == NULL)
    return;
  g_free (status->remote_id);
  g_free (status->nodes);
  g_free (status->script);
  g_free (status->out_tail);
  g_free (status->err_tail);
  g_free (status);
}

static void
link_unref (FlSiteLink *link)
{
  if (!g_atomic_int_dec_and_test (&link->references))
    return;
  fl_record_free (FL_TABLE_SITE, link->site);
  g_free (link);
}

static void
request_free (gpointer data)
{
  Request *request = data;
  g_ptr_array_unref (request->submissions);
  g_ptr_array_unref (request->statuses);
  g_clear_error (&request->error);
  g_main_context_unref (request->context);
  link_unref (request->link);
  g_free (request);
}

static gboolean
deliver (gpointer data)
{
  Request *request = data;
  if (!g_atomic_int_get (&request->link->closed))
    request->reply (request->error == NULL ? request->statuses : NULL, request->error, request->data);
  return G_SOURCE_REMOVE;
}

static void
work (gpointer data, gpointer user_data)
{
  Request *request = data;
  FlSiteLink *link = user_data;
  const FlSubmission *first = request->submissions->pdata[0];
  if (request->kind == REQUEST_SUBMIT)
    {
      FlSiteStatus *status = link->driver->submit (link->site, first, &request->error);
      if (status != NULL)
        g_ptr_array_add (request->statuses, status);
    }
  else if (request->kind == REQUEST_POLL)
    link->driver->poll (link->site, request->submissions, request->statuses, &request->error);
  else
    link->driver->cancel (link->site, first, request->hard, &request->error);
  /* Not g_main_context_invoke(): while the asker is busy outside its loop that would answer here, in this thread. */
  GSource *source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, deliver, request, request_free);
  g_source_attach (source, request->context);
  g_source_unref (source);
}

FlSiteLink *
fl_site_link_new (FlSite *site, GError **error)
{
  const FlSiteDriver *driver = fl_site_driver (site->kind);
  if (driver == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                   "site %s: there is no driver for '%s', expected local", site->name, site->kind);
      fl_record_free (FL_TABLE_SITE, site);
      return NULL;
    }
  FlSiteLink *link = g_new0 (FlSiteLink, 1);
  link->site = site;
  link->driver = driver;
  link->references = 1;
  link->pool = g_thread_pool_new (work, link, 1, TRUE, NULL);
  return link;
}

const FlSite *
fl_site_link_site (FlSiteLink *link)
{
  return link->site;
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

gboolean
fl_site_link_probe (FlSiteLink *link, FlProbe *probe, GError **error)
{
  return link->driver->probe (link->site, probe, error);
}

static Request *
request_new (FlSiteLink *link, RequestKind kind, FlSiteReply reply, gpointer data)
{
  Request *request = g_new0 (Request, 1);
  g_atomic_int_inc (&link->references);
  request->link = link;
  request->kind = kind;
  request->reply = reply;
  request->data = data;
  request->context = g_main_context_ref_thread_default ();
  request->submissions = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_submission_free);
  request->statuses = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_site_status_free);
  return request;
}

void
fl_site_link_submit (FlSiteLink *link, const FlSubmission *submission, FlSiteReply reply, gpointer data)
{
  Request *request = request_new (link, REQUEST_SUBMIT, reply, data);
  g_ptr_array_add (request->submissions, submission_copy (submission));
  g_thread_pool_push (link->pool, request, NULL);
}

void
fl_site_link_poll (FlSiteLink *link, GPtrArray *submissions, FlSiteReply reply, gpointer data)
{
  g_return_if_fail (submissions->len > 0);
  Request *request = request_new (link, REQUEST_POLL, reply, data);
  for (guint i = 0; i < submissions->len; i++)
    g_ptr_array_add (request->submissions, submission_copy (submissions->pdata[i]));
  g_thread_pool_push (link->pool, request, NULL);
}

void
fl_site_link_cancel (FlSiteLink *link, const FlSubmission *submission, gboolean hard, FlSiteReply reply,
                     gpointer data)
{
  Request *request = request_new (link, REQUEST_CANCEL, reply, data);
  request->hard = hard;
  g_ptr_array_add (request->submissions, submission_copy (submission));
  g_thread_pool_push (link->pool, request, NULL);
}
