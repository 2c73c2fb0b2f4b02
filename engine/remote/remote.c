/* The state of a login: which link is up, when the next is tried. All of it on the maker's thread. */
#include "engine/remote/remote.h"

#include <string.h>

#include "engine/remote/host-far.h"
#include "engine/remote/link.h"
#include "engine/remote/remote-config.h"

#define FIRST_WAIT 1.0 /* s, before it is tried again */
#define MOST_WAIT  60.0
#define LASTING    (10 * G_USEC_PER_SEC) /* a link that held so long makes the next wait short again */

struct FlRemote
{
  FlRemoteConfig *config;
  FlRemoteEvents events;
  gpointer data;
  GMainContext *context;
  FlSecrets *secrets;
  FlHost *host;
  FlLink *link;    /* NULL: none is being made or up */
  gboolean up;     /* the host has it */
  gint64 up_since; /* monotonic µs */
  guint question;  /* the open one's id; 0 */
  GSource *retry;
  double wait;
  FlRemoteStatus status;
  char *message;
};

static void start_link (FlRemote *remote);

static guint64
now_ns (void)
{
  return (guint64) g_get_real_time () * 1000;
}

/* The last thing that a function does: whoever is told may free the remote. */
static void
change (FlRemote *remote, FlRemoteState state, const FlLinkNews *news, const char *message)
{
  FlRemoteStatus *status = &remote->status;
  if (status->state != state)
    status->since = now_ns ();
  status->state = state;
  if (news != NULL)
    status->transport = news->transport;
  status->round_trip = news != NULL ? news->round_trip : -1;
  if (message != remote->message)
    {
      g_free (remote->message);
      remote->message = g_strdup (message);
    }
  status->message = remote->message;
  if (remote->events.changed != NULL)
    remote->events.changed (remote, status, remote->data);
}

static void
void_question (FlRemote *remote)
{
  gboolean open = remote->question != 0;
  remote->question = 0;
  if (open && remote->events.ask != NULL)
    remote->events.ask (remote, NULL, remote->data);
}

static void
cancel_retry (FlRemote *remote)
{
  if (remote->retry != NULL)
    {
      g_source_destroy (remote->retry);
      g_clear_pointer (&remote->retry, g_source_unref);
    }
  remote->status.retry_at = 0;
}

static void
drop_link (FlRemote *remote)
{
  fl_host_far_set_link (remote->host, NULL);
  remote->up = FALSE;
  if (remote->link == NULL)
    return;
  fl_link_stop (remote->link);
  g_clear_pointer (&remote->link, fl_link_unref);
}

static gboolean
retry_now (gpointer data)
{
  FlRemote *remote = data;
  cancel_retry (remote);
  start_link (remote);
  return G_SOURCE_REMOVE;
}

static void
retry_later (FlRemote *remote)
{
  double wait = remote->wait * g_random_double_range (0.75, 1.25); /* not all clients at once */
  remote->wait = MIN (remote->wait * 2, MOST_WAIT);
  wait = CLAMP (wait, FIRST_WAIT, MOST_WAIT);
  remote->status.retry_at = now_ns () + (guint64) (wait * 1e9);
  remote->retry = g_timeout_source_new ((guint) (wait * 1000));
  g_source_set_callback (remote->retry, retry_now, remote, NULL);
  g_source_attach (remote->retry, remote->context);
}

/* --- what the link tells --- */

static void
on_over (FlRemote *remote, const FlLinkNews *news)
{
  gboolean lasted = remote->up && g_get_monotonic_time () - remote->up_since > LASTING;
  drop_link (remote);
  if (lasted)
    remote->wait = FIRST_WAIT;
  if (news->state == FL_REMOTE_LOST)
    retry_later (remote);
  change (remote, news->state, news, news->message);
}

static void
on_news (const FlLinkNews *news, gpointer data)
{
  FlRemote *remote = data;
  if (news->state != FL_REMOTE_ASKING)
    void_question (remote);
  switch (news->state)
    {
    case FL_REMOTE_UP:
      if (!remote->up)
        {
          remote->up = TRUE;
          remote->up_since = g_get_monotonic_time ();
          fl_host_far_set_link (remote->host, remote->link);
        }
      change (remote, FL_REMOTE_UP, news, news->message);
      break;
    case FL_REMOTE_ASKING:
      remote->question = news->question->id;
      change (remote, FL_REMOTE_ASKING, news, "");
      if (remote->events.ask != NULL)
        remote->events.ask (remote, news->question, remote->data);
      break;
    case FL_REMOTE_CONNECTING:
    case FL_REMOTE_SLOW:
      change (remote, news->state, news, news->message);
      break;
    case FL_REMOTE_LOST:
    case FL_REMOTE_OFFLINE:
      on_over (remote, news);
      break;
    }
}

static void
start_link (FlRemote *remote)
{
  remote->link = fl_link_new (remote->config, remote->secrets, on_news, remote);
  change (remote, FL_REMOTE_CONNECTING, NULL, "");
}

/* --- public --- */

FlRemote *
fl_remote_new (const FlRemoteConfig *config, const FlRemoteEvents *events, gpointer data)
{
  FlRemote *remote = g_new0 (FlRemote, 1);
  remote->config = fl_remote_config_copy (config);
  if (events != NULL)
    remote->events = *events;
  remote->data = data;
  remote->context = g_main_context_ref_thread_default ();
  remote->secrets = fl_secrets_new ();
  remote->wait = FIRST_WAIT;
  remote->message = g_strdup ("");
  remote->status = (FlRemoteStatus){ .round_trip = -1, .since = now_ns (), .message = remote->message };
  g_autofree char *name = remote->config->user[0] != '\0'
                              ? g_strdup_printf ("%s@%s", remote->config->user, remote->config->host)
                              : g_strdup (remote->config->host);
  remote->host = fl_host_far_new (name);
  return remote;
}

void
fl_remote_free (FlRemote *remote)
{
  if (remote == NULL)
    return;
  cancel_retry (remote);
  FlLink *link = remote->link != NULL ? fl_link_ref (remote->link) : NULL;
  drop_link (remote);
  if (link != NULL)
    {
      fl_link_await_end (link);
      fl_link_unref (link);
    }
  fl_host_unref (remote->host);
  fl_secrets_unref (remote->secrets);
  fl_remote_config_free (remote->config);
  g_main_context_unref (remote->context);
  g_free (remote->message);
  g_free (remote);
}

void
fl_remote_connect (FlRemote *remote)
{
  if (remote->link != NULL)
    return;
  cancel_retry (remote);
  start_link (remote);
}

void
fl_remote_disconnect (FlRemote *remote)
{
  cancel_retry (remote);
  drop_link (remote);
  remote->wait = FIRST_WAIT;
  void_question (remote);
  change (remote, FL_REMOTE_OFFLINE, NULL, "");
}

const FlRemoteStatus *
fl_remote_status (FlRemote *remote)
{
  return &remote->status;
}

const FlRemoteConfig *
fl_remote_config (FlRemote *remote)
{
  return remote->config;
}

void
fl_remote_answer (FlRemote *remote, guint id, const char *const *answers)
{
  if (id == 0 || id != remote->question || remote->link == NULL)
    return;
  remote->question = 0;
  fl_link_answer (remote->link, id, answers);
}

FlHost *
fl_remote_host (FlRemote *remote)
{
  return fl_host_ref (remote->host);
}
