/* Channels: one client of the master each. */
#include "engine/remote/openssh-private.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/remote/harmless.h"

#define OPEN_S 20
#define LOST   255

typedef struct
{
  FlChannel base;
  FlOpenssh *openssh;
  GPid pid; /* 0: reaped */
  int life; /* readable once it has ended */
  int status;
} Channel;

static void
close_fd (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

/* A client says the same of a command that ended with 255, of one that a signal ended, and of a master that is gone. */
static gboolean
master_answers (FlOpenssh *openssh)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  g_strlcpy (address.sun_path, openssh->control, sizeof address.sun_path);
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  gboolean answers = connect (fd, (struct sockaddr *) &address, sizeof address) == 0;
  close (fd);
  return answers;
}

static int
channel_wait (FlChannel *base, gint64 deadline)
{
  Channel *channel = (Channel *) base;
  while (channel->pid != 0)
    {
      gint64 left = deadline - g_get_monotonic_time ();
      struct pollfd life = { .fd = channel->life, .events = POLLIN };
      int n = left > 0 ? poll (&life, 1, (int) MIN (left / 1000 + 1, G_MAXINT)) : 0;
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return -1;
      int status;
      if (waitpid (channel->pid, &status, 0) == channel->pid && WIFEXITED (status)
          && (WEXITSTATUS (status) != LOST || master_answers (channel->openssh)))
        channel->status = WEXITSTATUS (status);
      channel->pid = 0;
    }
  return channel->status;
}

static void
channel_free (FlChannel *base)
{
  Channel *channel = (Channel *) base;
  close_fd (&base->fd);
  close_fd (&base->errors);
  if (channel->pid != 0)
    {
      kill (channel->pid, SIGKILL); /* the master closes its channel then */
      waitpid (channel->pid, NULL, 0);
    }
  close_fd (&channel->life);
  g_free (channel);
}

/* The client, with one end of each pair as its standard streams. */
static GPid
spawn_client (FlOpenssh *openssh, const char *command, int fd, int errors, GError **error)
{
  const char *argv[24];
  guint n = 0;
  /* Should the master be gone, the client would log in by itself: the proxy command prevents that. */
  static const char *const fixed[] = { "ssh",  "-F",
                                       "none", "-T",
                                       "-x",   "-a",
                                       "-o",   "ControlMaster=no",
                                       "-o",   "ProxyCommand=false",
                                       "-o",   "LogLevel=ERROR",
                                       "-S" };
  for (; n < G_N_ELEMENTS (fixed); n++)
    argv[n] = fixed[n];
  argv[n++] = openssh->control;
  if (command == NULL)
    argv[n++] = "-s";
  argv[n++] = "--";
  argv[n++] = openssh->login.config->host;
  argv[n++] = command != NULL ? command : "sftp";
  argv[n] = NULL;
  GPid pid = 0;
  g_autoptr (GError) problem = NULL;
  if (!g_spawn_async_with_fds (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
                               NULL, NULL, &pid, fd, fd, errors, &problem))
    g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "the OpenSSH client cannot be run: %s", problem->message);
  return pid;
}

/* Waits for its first word. FALSE: it has ended without one. */
static gboolean
await_word (FlOpenssh *openssh, Channel *channel, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + OPEN_S * G_USEC_PER_SEC;
  struct pollfd fds[] = { { .fd = channel->base.fd, .events = POLLIN },
                          { .fd = channel->life, .events = POLLIN } };
  char words[2048], first;
  while (fds[0].revents == 0)
    {
      gint64 left = deadline - g_get_monotonic_time ();
      int n = left > 0 ? poll (fds, 2, (int) (left / 1000 + 1)) : 0;
      if (n == 0)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s does not answer", openssh->whom);
          return FALSE;
        }
      if (fds[0].revents == 0 && fds[1].revents != 0)
        break;
    }
  if (recv (channel->base.fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) == 1)
    return TRUE;
  ssize_t length = recv (channel->base.errors, words, sizeof words, MSG_DONTWAIT | MSG_PEEK);
  g_autofree char *said = fl_harmless (words, MAX (length, 0), 300);
  gboolean none_left =
      strstr (said, "refused by peer") != NULL || strstr (said, "session request failed") != NULL;
  g_mutex_lock (&openssh->mutex);
  gboolean lost = openssh->master == 0 || openssh->shut;
  g_mutex_unlock (&openssh->mutex);
  if (!none_left && !lost)
    return TRUE; /* a command that failed: its maker sees what it said */
  g_set_error (error, FL_ERROR, lost ? FL_ERROR_BUSY : FL_ERROR_UNSUPPORTED, "%s: %s", openssh->whom,
               lost ? "the connection is lost" : "the server lends no more channels");
  return FALSE;
}

FlChannel *
fl_openssh_channel_open (FlTransport *transport, const char *command, GError **error)
{
  FlOpenssh *openssh = (FlOpenssh *) transport;
  int fds[2] = { -1, -1 }, errors[2] = { -1, -1 };
  GPid pid = 0;
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0
      || socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, errors) < 0)
    g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "no more sockets: %s", g_strerror (errno));
  else
    pid = spawn_client (openssh, command, fds[1], errors[1], error);
  close_fd (&fds[1]);
  close_fd (&errors[1]);
  if (pid == 0)
    {
      close_fd (&fds[0]);
      close_fd (&errors[0]);
      return NULL;
    }
  Channel *channel = g_new0 (Channel, 1);
  channel->base = (FlChannel){ fds[0], errors[0], channel_wait, channel_free };
  channel->openssh = openssh;
  channel->pid = pid;
  channel->life = (int) syscall (SYS_pidfd_open, pid, 0);
  channel->status = -1;
  if (command == NULL || await_word (openssh, channel, error))
    return &channel->base;
  channel_free (&channel->base);
  return NULL;
}
