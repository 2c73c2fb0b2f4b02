#include "engine/remote/host-local.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/write-all.h"
#include "engine/remote/harmless.h"

#define MOST_LINE   4096
#define GRACE_MS    2000 /* between the end of its input and the end of a command that goes on regardless */
#define CHUNK_BYTES 65536

extern char **environ;

/* --- a process, leader of a group of its own --- */

typedef struct
{
  pid_t pid;
  int watch; /* pidfd: readable once it has ended */
} Child;

/* The child's 0, 1, 2; all of ours are closed on exec. */
static gboolean
spawn (const char *const *argv, const int fds[3], Child *child, GError **error)
{
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none, all;
  posix_spawn_file_actions_init (&actions);
  posix_spawnattr_init (&attributes);
  for (int i = 0; i < 3; i++)
    posix_spawn_file_actions_adddup2 (&actions, fds[i], i);
  sigemptyset (&none);
  sigfillset (&all);
  posix_spawnattr_setsigmask (&attributes, &none);
  posix_spawnattr_setsigdefault (&attributes, &all);
  posix_spawnattr_setpgroup (&attributes, 0);
  posix_spawnattr_setflags (&attributes,
                            POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  int problem = posix_spawnp (&child->pid, argv[0], &actions, &attributes, (char **) argv, environ);
  posix_spawn_file_actions_destroy (&actions);
  posix_spawnattr_destroy (&attributes);
  if (problem != 0)
    {
      g_set_error (error, FL_ERROR,
                   problem == ENOENT   ? FL_ERROR_MISSING
                   : problem == EACCES ? FL_ERROR_INPUT
                                       : FL_ERROR_FAILED,
                   "%s: cannot be run: %s", argv[0], g_strerror (problem));
      return FALSE;
    }
  child->watch = (int) syscall (SYS_pidfd_open, child->pid, 0);
  if (child->watch >= 0)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be watched: %s", argv[0], g_strerror (errno));
  kill (-child->pid, SIGKILL);
  waitpid (child->pid, NULL, 0);
  return FALSE;
}

static int
reap (Child *child)
{
  int status = 0;
  while (waitpid (child->pid, &status, 0) < 0)
    if (errno != EINTR)
      return -1;
  close (child->watch);
  return WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status);
}

/* --- run --- */

typedef struct
{
  int fd; /* -1 once at its end */
  GByteArray *bytes;
} Stream;

static void
stream_close (Stream *stream)
{
  if (stream->fd >= 0)
    close (stream->fd);
  stream->fd = -1;
}

/* All that is there now. */
static void
stream_read (Stream *stream, gboolean *truncated)
{
  guint8 chunk[CHUNK_BYTES];
  while (stream->fd >= 0)
    {
      ssize_t got = read (stream->fd, chunk, sizeof chunk);
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0 && errno == EAGAIN)
        return;
      if (got <= 0)
        stream_close (stream);
      gsize room = FL_HOST_MOST_OUTPUT - stream->bytes->len, here = (gsize) MAX (got, 0);
      *truncated |= here > room;
      g_byte_array_append (stream->bytes, chunk, (guint) MIN (here, room));
    }
}

static int
input_file (GBytes *input)
{
  if (input == NULL)
    return open ("/dev/null", O_RDONLY | O_CLOEXEC);
  int fd = memfd_create ("input", MFD_CLOEXEC);
  gsize length;
  const char *data = g_bytes_get_data (input, &length);
  if (fd >= 0 && !fl_write_all (fd, data, length))
    {
      close (fd);
      return -1;
    }
  if (fd >= 0)
    lseek (fd, 0, SEEK_SET);
  return fd;
}

/* Until it has ended, whatever it has left running; FALSE: out of time or cancelled. */
static gboolean
watch (Child *child, Stream streams[2], guint timeout_s, GCancellable *cancellable, gboolean *truncated)
{
  gint64 until = timeout_s > 0 ? g_get_monotonic_time () + timeout_s * G_USEC_PER_SEC : G_MAXINT64;
  GPollFD cancel = { .fd = -1 };
  gboolean can_cancel = cancellable != NULL && g_cancellable_make_pollfd (cancellable, &cancel);
  gboolean ended = FALSE, stopped = FALSE;
  while (!ended && !stopped)
    {
      struct pollfd fds[] = { { .fd = child->watch, .events = POLLIN },
                              { .fd = streams[0].fd, .events = POLLIN },
                              { .fd = streams[1].fd, .events = POLLIN },
                              { .fd = can_cancel ? cancel.fd : -1, .events = POLLIN } };
      gint64 left = (until - g_get_monotonic_time ()) / 1000 + 1;
      poll (fds, G_N_ELEMENTS (fds), (int) CLAMP (left, 0, 3600000));
      ended = fds[0].revents != 0;
      stopped = g_cancellable_is_cancelled (cancellable) || g_get_monotonic_time () >= until;
      for (guint i = 0; i < 2; i++)
        if (ended || fds[i + 1].revents != 0)
          stream_read (&streams[i], truncated);
    }
  if (can_cancel)
    g_cancellable_release_fd (cancellable);
  return ended;
}

gboolean
fl_local_run (FlHost *host, const char *const *argv, GBytes *input, guint timeout_s,
              GCancellable *cancellable, FlHostOutput *output, GError **error)
{
  (void) host;
  int out[2] = { -1, -1 }, err[2] = { -1, -1 }, in = input_file (input);
  gboolean ok = in >= 0 && pipe2 (out, O_CLOEXEC) == 0 && pipe2 (err, O_CLOEXEC) == 0;
  Child child;
  *output = (FlHostOutput){ .status = -1 };
  if (!ok)
    g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be run: %s", argv[0], g_strerror (errno));
  else
    ok = spawn (argv, (const int[]){ in, out[1], err[1] }, &child, error);
  const int childs[] = { in, out[1], err[1] };
  for (guint i = 0; i < G_N_ELEMENTS (childs); i++)
    if (childs[i] >= 0)
      close (childs[i]);
  Stream streams[2] = { { out[0], g_byte_array_new () }, { err[0], g_byte_array_new () } };
  if (ok)
    {
      fcntl (out[0], F_SETFL, O_NONBLOCK);
      fcntl (err[0], F_SETFL, O_NONBLOCK);
      ok = watch (&child, streams, timeout_s, cancellable, &output->truncated);
      if (!ok)
        {
          gboolean cancelled = g_cancellable_is_cancelled (cancellable);
          kill (-child.pid, SIGKILL);
          g_set_error (error, FL_ERROR, cancelled ? FL_ERROR_STOPPED : FL_ERROR_BUSY,
                       cancelled ? "%s: cancelled" : "%s: no answer within %u s", argv[0], timeout_s);
        }
      output->status = reap (&child);
    }
  stream_close (&streams[0]);
  stream_close (&streams[1]);
  output->out = g_byte_array_free_to_bytes (streams[0].bytes);
  output->err = g_byte_array_free_to_bytes (streams[1].bytes);
  if (!ok)
    fl_host_output_clear (output);
  return ok;
}

/* --- open --- */

typedef struct
{
  Child child;
  int talk,
      errors; /* the child's end of the socket, kept to learn that ours was closed; its standard error */
  FlHostLine line;
  gpointer data;
  GString *rest;
} Talker;

static void
tell_lines (Talker *talker, const char *bytes, gsize length)
{
  for (gsize i = 0; i < length; i++)
    {
      if (bytes[i] != '\n' && talker->rest->len < MOST_LINE)
        g_string_append_c (talker->rest, bytes[i]);
      if (bytes[i] != '\n')
        continue;
      g_autofree char *line = fl_harmless (talker->rest->str, (gssize) talker->rest->len, MOST_LINE);
      if (talker->line != NULL)
        talker->line (line, talker->data);
      g_string_truncate (talker->rest, 0);
    }
}

/* FALSE at its end. */
static gboolean
read_errors (Talker *talker)
{
  char chunk[4096];
  ssize_t got = read (talker->errors, chunk, sizeof chunk);
  if (got > 0)
    tell_lines (talker, chunk, (gsize) got);
  return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

/* Waits for the end of the command, or for ours to be closed, which is the end of the command. */
static gpointer
mind (gpointer data)
{
  Talker *talker = data;
  gint64 until = G_MAXINT64;
  for (gboolean ended = FALSE; !ended;)
    {
      struct pollfd fds[] = { { .fd = talker->child.watch, .events = POLLIN },
                              { .fd = talker->errors, .events = POLLIN },
                              { .fd = talker->talk } };
      gint64 left = (until - g_get_monotonic_time ()) / 1000 + 1;
      poll (fds, G_N_ELEMENTS (fds), until == G_MAXINT64 ? -1 : (int) MAX (left, 0));
      ended = fds[0].revents != 0;
      if (fds[1].revents != 0 && !read_errors (talker))
        {
          close (talker->errors);
          talker->errors = -1;
        }
      if (fds[2].revents != 0)
        {
          close (talker->talk);
          talker->talk = -1;
          until = g_get_monotonic_time () + GRACE_MS * 1000;
        }
      if (g_get_monotonic_time () >= until)
        kill (-talker->child.pid, SIGKILL);
    }
  if (talker->errors >= 0)
    {
      for (struct pollfd fd = { .fd = talker->errors, .events = POLLIN };
           poll (&fd, 1, 0) > 0 && read_errors (talker);)
        ;
      close (talker->errors);
    }
  if (talker->rest->len > 0)
    tell_lines (talker, "\n", 1);
  if (talker->talk >= 0)
    close (talker->talk);
  reap (&talker->child);
  g_string_free (talker->rest, TRUE);
  g_free (talker);
  return NULL;
}

int
fl_local_open (FlHost *host, const char *const *argv, FlHostLine errors, gpointer data, GError **error)
{
  (void) host;
  int talk[2], err[2];
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, talk) != 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be run: %s", argv[0], g_strerror (errno));
      return -1;
    }
  Talker *talker = g_new0 (Talker, 1);
  *talker = (Talker){ .talk = talk[1], .line = errors, .data = data };
  gboolean piped = pipe2 (err, O_CLOEXEC) == 0;
  if (!piped)
    g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be run: %s", argv[0], g_strerror (errno));
  gboolean ok = piped && spawn (argv, (const int[]){ talk[1], talk[1], err[1] }, &talker->child, error);
  if (piped)
    close (err[1]);
  if (!ok)
    {
      if (piped)
        close (err[0]);
      close (talk[0]);
      close (talk[1]);
      g_free (talker);
      return -1;
    }
  talker->errors = err[0];
  talker->rest = g_string_new (NULL);
  g_thread_unref (g_thread_new ("local-command", mind, talker));
  return talk[0];
}
