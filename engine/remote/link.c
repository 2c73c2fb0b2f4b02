#include "engine/remote/link.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/remote/remote-config.h"

#define MOST_BORROWED 8 /* sshd lends ten channels unless told otherwise; two are ours */
#define OPEN_S        20
#define END_MS        500
#define REFUSED_MS    50 /* before a channel that was refused is asked for again */
#define SLOW          (3 * G_USEC_PER_SEC)
#define LEAST_LOST    (6 * G_USEC_PER_SEC) /* however short the keep-alive */

struct FlLink
{
  gatomicrefcount references;
  FlRemoteConfig *config;
  FlSecrets *secrets;
  char *user;
  GMainContext *context;
  FlLinkTell tell; /* the two are the maker's thread's; NULL once stopped */
  gpointer data;
  int wake;     /* eventfd: stop, or lost */
  int answered; /* eventfd */

  GMutex mutex; /* all below */
  GCond returned;
  gboolean stop, over, gone; /* asked to end; of no use any more; nothing is left of it */
  char *why;                 /* it was lost */
  guint question, fields;    /* the open one's; 0 */
  char **answers;
  guint borrowed, most_borrowed;

  FlTransport *transport; /* set before it is up, for good */
  FlRemoteTransport kind;
  char *remark; /* why it is not the other transport */
  FlChannel *echo, *files;
  FlSftp *sftp;
};

static void
raise_event (int fd)
{
  guint64 one = 1;
  if (write (fd, &one, sizeof one) < 0)
    g_warn_if_reached (); /* an eventfd takes it always */
}

/* --- what is told, on the maker's thread --- */

typedef struct
{
  FlLink *link;
  FlLinkNews news;
} Telling;

static gboolean
deliver (gpointer data)
{
  Telling *telling = data;
  if (telling->link->tell != NULL)
    telling->link->tell (&telling->news, telling->link->data);
  return G_SOURCE_REMOVE;
}

static void
telling_free (gpointer data)
{
  Telling *telling = data;
  fl_link_unref (telling->link);
  fl_remote_question_free ((FlRemoteQuestion *) telling->news.question);
  g_free ((char *) telling->news.message);
  g_free (telling);
}

static void
tell (FlLink *link, FlRemoteState state, gint64 round_trip, const char *message, FlRemoteQuestion *question)
{
  Telling *telling = g_new0 (Telling, 1);
  telling->link = fl_link_ref (link);
  telling->news = (FlLinkNews){ state, link->kind, round_trip, g_strdup (message), question };
  GSource *source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, deliver, telling, telling_free);
  g_source_attach (source, link->context);
  g_source_unref (source);
}

/* --- what the transport wants --- */

static char **
link_ask (FlRemoteQuestion *question, int watch, gpointer data, GError **error)
{
  static guint last_id;
  FlLink *link = data;
  FlRemoteQuestion *copy = fl_remote_question_copy (question);
  guint64 count;
  g_mutex_lock (&link->mutex);
  copy->id = link->question = (guint) g_atomic_int_add (&last_id, 1) + 1;
  link->fields = MAX (question->n_fields, 1);
  g_mutex_unlock (&link->mutex);
  tell (link, FL_REMOTE_ASKING, -1, "", copy);
  struct pollfd fds[] = { { .fd = link->answered, .events = POLLIN },
                          { .fd = link->wake, .events = POLLIN },
                          { .fd = watch, .events = POLLRDHUP } };
  int n;
  do
    n = poll (fds, 3, -1);
  while (n < 0 && errno == EINTR);
  g_mutex_lock (&link->mutex);
  char **answers = g_steal_pointer (&link->answers);
  link->question = 0;
  g_mutex_unlock (&link->mutex);
  if (fds[0].revents != 0 && read (link->answered, &count, sizeof count) < 0)
    g_warn_if_reached ();
  if (answers == NULL && fds[0].revents == 0 && fds[1].revents == 0)
    g_set_error (error, FL_ERROR, FL_ERROR_STOPPED, "%s has hung up while it waited for an answer",
                 link->config->host);
  else if (answers == NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_STOPPED, "not answered");
  else
    tell (link, FL_REMOTE_CONNECTING, -1, "", NULL);
  return answers;
}

static void
link_lost (const char *why, gpointer data)
{
  FlLink *link = data;
  g_mutex_lock (&link->mutex);
  if (link->why == NULL)
    link->why = g_strdup (why);
  g_mutex_unlock (&link->mutex);
  raise_event (link->wake);
}

/* --- logging in --- */

/* By the transport that will do; link->kind and ->remark say which, and why not the other. */
static FlTransport *
log_in (FlLink *link, GError **error)
{
  FlRemoteTransport wanted = link->config->transport;
  FlLogin login = { .config = link->config,
                    .user = link->user,
                    .secrets = link->secrets,
                    .stop = link->wake,
                    .may_go = wanted == FL_REMOTE_AUTO,
                    .ask = link_ask,
                    .lost = link_lost,
                    .data = link };
  g_autofree char *why_not = wanted == FL_REMOTE_AUTO ? fl_remote_why_not_libssh2 (link->config) : NULL;
  FlTransport *transport = NULL;
  if (wanted != FL_REMOTE_OPENSSH && why_not == NULL)
    {
      g_autoptr (GError) problem = NULL;
      link->kind = FL_REMOTE_LIBSSH2;
      transport = fl_transport_ssh2_new (&login, &problem);
      if (transport != NULL)
        return transport;
      if (wanted != FL_REMOTE_AUTO || !g_error_matches (problem, FL_ERROR, FL_ERROR_UNSUPPORTED))
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return NULL;
        }
      why_not = g_strdup (problem->message);
    }
  link->kind = FL_REMOTE_OPENSSH;
  link->remark = why_not != NULL ? g_strdup_printf ("by OpenSSH: %s", why_not) : g_strdup ("");
  tell (link, FL_REMOTE_CONNECTING, -1, link->remark, NULL);
  return fl_transport_openssh_new (&login, error);
}

/* The login, and the two channels that are ours: an echo and the file service. */
static gboolean
set_up (FlLink *link, GError **error)
{
  link->transport = log_in (link, error);
  if (link->transport == NULL)
    return FALSE;
  if (link->remark == NULL)
    link->remark = g_strdup ("");
  link->files = link->transport->open (link->transport, NULL, error);
  if (link->files == NULL)
    return FALSE;
  link->sftp = fl_sftp_new (link->files->fd, error);
  link->files->fd = -1; /* the client's now */
  if (link->sftp == NULL)
    return FALSE;
  link->echo = link->transport->open (link->transport, "echo; exec cat", error);
  return link->echo != NULL;
}

/* --- keeping it --- */

typedef struct
{
  gint64 sent;  /* when the first unanswered byte went; 0 = none is unanswered */
  gint64 next;  /* when to send */
  gint64 heard; /* anything, from the other end */
  gint64 round_trip;
  gboolean slow;
} Pulse;

static void
take_echo (FlLink *link, Pulse *pulse)
{
  char bytes[256];
  ssize_t n = recv (link->echo->fd, bytes, sizeof bytes, MSG_DONTWAIT);
  pulse->heard = g_get_monotonic_time ();
  if (n == 0 || (n < 0 && errno != EAGAIN))
    link_lost ("the connection is closed", link);
  if (n <= 0 || pulse->sent == 0 || memchr (bytes, '.', (gsize) n) == NULL)
    return; /* a shell's greeting */
  pulse->round_trip = pulse->heard - pulse->sent;
  pulse->sent = 0;
  pulse->slow = FALSE;
  tell (link, FL_REMOTE_UP, pulse->round_trip, link->remark, NULL);
}

/* What is due now; the time of the next thing that will be. */
static gint64
beat (FlLink *link, Pulse *pulse)
{
  gint64 now = g_get_monotonic_time (), period = link->config->keep_alive_s * G_USEC_PER_SEC;
  gint64 lost = MAX (2 * period, LEAST_LOST);
  pulse->heard = MAX (pulse->heard, fl_sftp_heard (link->sftp));
  if (fl_sftp_is_shut (link->sftp))
    link_lost ("the far machine's file service has ended", link);
  if (pulse->sent != 0 && now - pulse->sent >= lost && now - pulse->heard >= lost)
    link_lost ("the other end does not answer any more", link);
  if (pulse->sent != 0 && now - pulse->sent >= SLOW && !pulse->slow)
    {
      pulse->slow = TRUE;
      tell (link, FL_REMOTE_SLOW, pulse->round_trip, link->remark, NULL);
    }
  if (now >= pulse->next)
    {
      if (pulse->sent == 0)
        pulse->sent = now;
      pulse->next = now + period;
      send (link->echo->fd, ".", 1, MSG_NOSIGNAL | MSG_DONTWAIT); /* full: others are unanswered already */
    }
  if (pulse->sent == 0)
    return pulse->next;
  gint64 due = pulse->slow ? MAX (pulse->sent, pulse->heard) + lost : pulse->sent + SLOW;
  return MAX (MIN (due, pulse->next), now + G_USEC_PER_SEC / 100);
}

static void
keep_alive (FlLink *link)
{
  Pulse pulse = { .heard = g_get_monotonic_time (), .round_trip = -1 };
  struct pollfd fds[] = { { .fd = link->echo->fd, .events = POLLIN },
                          { .fd = link->wake, .events = POLLIN } };
  tell (link, FL_REMOTE_UP, -1, link->remark, NULL);
  for (;;)
    {
      gint64 left = beat (link, &pulse) - g_get_monotonic_time ();
      poll (fds, 2, (int) CLAMP (left / 1000 + 1, 0, G_MAXINT));
      if (fds[1].revents != 0)
        return;
      if (fds[0].revents != 0)
        take_echo (link, &pulse);
    }
}

static gpointer
link_main (gpointer data)
{
  FlLink *link = data;
  GError *error = NULL;
  tell (link, FL_REMOTE_CONNECTING, -1, "", NULL);
  if (set_up (link, &error))
    keep_alive (link);
  g_mutex_lock (&link->mutex);
  link->over = TRUE;
  g_autofree char *why = g_strdup (error != NULL       ? error->message
                                   : link->why != NULL ? link->why
                                                       : "stopped");
  g_cond_broadcast (&link->returned);
  g_mutex_unlock (&link->mutex);
  if (link->sftp != NULL)
    fl_sftp_shut (link->sftp);
  if (link->transport != NULL)
    link->transport->shut (link->transport);
  g_mutex_lock (&link->mutex);
  link->gone = TRUE;
  g_cond_broadcast (&link->returned);
  g_mutex_unlock (&link->mutex);
  gboolean again = error == NULL || g_error_matches (error, FL_ERROR, FL_ERROR_BUSY);
  tell (link, again ? FL_REMOTE_LOST : FL_REMOTE_OFFLINE, -1, why, NULL);
  g_clear_error (&error);
  fl_link_unref (link);
  return NULL;
}

/* --- the maker's side --- */

FlLink *
fl_link_new (const FlRemoteConfig *config, FlSecrets *secrets, FlLinkTell tell_function, gpointer data)
{
  FlLink *link = g_new0 (FlLink, 1);
  g_atomic_ref_count_init (&link->references);
  link->config = fl_remote_config_copy (config);
  link->secrets = fl_secrets_ref (secrets);
  link->user = g_strdup (config->user[0] != '\0' ? config->user : g_get_user_name ());
  link->context = g_main_context_ref_thread_default ();
  link->tell = tell_function;
  link->data = data;
  link->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  link->answered = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  link->most_borrowed = MOST_BORROWED;
  g_mutex_init (&link->mutex);
  g_cond_init (&link->returned);
  g_thread_unref (g_thread_new ("fl-link", link_main, fl_link_ref (link)));
  return link;
}

FlLink *
fl_link_ref (FlLink *link)
{
  g_atomic_ref_count_inc (&link->references);
  return link;
}

void
fl_link_unref (FlLink *link)
{
  if (!g_atomic_ref_count_dec (&link->references))
    return;
  fl_sftp_free (link->sftp);
  if (link->echo != NULL)
    link->echo->free (link->echo);
  if (link->files != NULL)
    link->files->free (link->files);
  if (link->transport != NULL)
    link->transport->free (link->transport);
  fl_answers_free (link->answers);
  fl_remote_config_free (link->config);
  fl_secrets_unref (link->secrets);
  g_main_context_unref (link->context);
  close (link->wake);
  close (link->answered);
  g_mutex_clear (&link->mutex);
  g_cond_clear (&link->returned);
  g_free (link->why);
  g_free (link->remark);
  g_free (link->user);
  g_free (link);
}

void
fl_link_stop (FlLink *link)
{
  link->tell = NULL;
  g_mutex_lock (&link->mutex);
  link->stop = TRUE;
  g_mutex_unlock (&link->mutex);
  raise_event (link->wake);
}

void
fl_link_await_end (FlLink *link)
{
  gint64 deadline = g_get_monotonic_time () + END_MS * G_TIME_SPAN_MILLISECOND;
  g_mutex_lock (&link->mutex);
  while (!link->gone)
    if (!g_cond_wait_until (&link->returned, &link->mutex, deadline))
      break;
  g_mutex_unlock (&link->mutex);
}

void
fl_link_answer (FlLink *link, guint id, const char *const *answers)
{
  g_mutex_lock (&link->mutex);
  gboolean open = id != 0 && id == link->question && link->answers == NULL;
  if (open)
    {
      link->answers = answers != NULL ? g_new0 (char *, link->fields + 1) : NULL;
      for (guint i = 0; answers != NULL && i < link->fields; i++)
        link->answers[i] = g_strdup (answers[i] != NULL ? answers[i] : "");
      raise_event (link->answered);
    }
  g_mutex_unlock (&link->mutex);
}

/* --- what it lends --- */

FlChannel *
fl_link_open_spare (FlLink *link, const char *command, GError **error)
{
  return link->transport->open (link->transport, command, error);
}

/* A place among those that are lent. */
static gboolean
borrow (FlLink *link, gint64 deadline, GError **error)
{
  gboolean in_time = TRUE;
  g_mutex_lock (&link->mutex);
  while (in_time && !link->over && link->borrowed >= link->most_borrowed)
    in_time = g_cond_wait_until (&link->returned, &link->mutex, deadline);
  gboolean ok = in_time && !link->over;
  if (ok)
    link->borrowed++;
  gboolean over = link->over;
  g_mutex_unlock (&link->mutex);
  if (!ok)
    g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s: %s", link->config->host,
                 over ? "the connection is lost" : "as many commands run at a time as the server allows");
  return ok;
}

static void
give_back (FlLink *link)
{
  g_mutex_lock (&link->mutex);
  link->borrowed--;
  g_cond_broadcast (&link->returned);
  g_mutex_unlock (&link->mutex);
}

/* The server lends fewer than we thought, or has not yet noticed that one came back: waits for that. */
static void
give_back_refused (FlLink *link)
{
  g_mutex_lock (&link->mutex);
  link->most_borrowed = MAX (MIN (link->most_borrowed, link->borrowed - 1), 1);
  link->borrowed--;
  g_cond_wait_until (&link->returned, &link->mutex,
                     g_get_monotonic_time () + REFUSED_MS * G_TIME_SPAN_MILLISECOND);
  g_mutex_unlock (&link->mutex);
}

FlChannel *
fl_link_open (FlLink *link, const char *command, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + OPEN_S * G_USEC_PER_SEC;
  for (;;)
    {
      GError *problem = NULL;
      if (!borrow (link, deadline, error))
        return NULL;
      FlChannel *channel = link->transport->open (link->transport, command, &problem);
      if (channel != NULL)
        return channel;
      if (!g_error_matches (problem, FL_ERROR, FL_ERROR_UNSUPPORTED) || g_get_monotonic_time () > deadline)
        {
          give_back (link);
          if (problem->code == FL_ERROR_UNSUPPORTED)
            problem->code = FL_ERROR_BUSY;
          g_propagate_error (error, problem);
          return NULL;
        }
      give_back_refused (link);
      g_error_free (problem);
    }
}

void
fl_link_close (FlLink *link, FlChannel *channel)
{
  channel->free (channel);
  give_back (link);
}

FlSftp *
fl_link_sftp (FlLink *link)
{
  return link->sftp;
}

gboolean
fl_link_is_over (FlLink *link)
{
  g_mutex_lock (&link->mutex);
  gboolean over = link->over;
  g_mutex_unlock (&link->mutex);
  return over;
}
