#include "engine/remote/far-run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/remote/far-command.h"
#include "engine/remote/harmless.h"

#define END_S 5 /* for its exit status, after its last word */

/* One stream of a command, as far as it has come. */
typedef struct
{
  GByteArray *bytes;
  gboolean begun, truncated;
} Stream;

static void
take_bytes (Stream *stream, const FlFarCommand *command, const char *bytes, gsize length, gint64 *group)
{
  gsize room = stream->begun ? FL_HOST_MOST_OUTPUT : FL_FAR_MOST_CHATTER;
  gsize n = MIN (length, room > stream->bytes->len ? room - stream->bytes->len : 0);
  g_byte_array_append (stream->bytes, (const guint8 *) bytes, (guint) n);
  stream->truncated = stream->truncated || (stream->begun && n < length);
  if (stream->begun)
    return;
  gssize start =
      fl_far_command_start (command, (const char *) stream->bytes->data, stream->bytes->len, group);
  if (start < 0)
    return;
  stream->begun = TRUE;
  g_byte_array_remove_range (stream->bytes, 0, (guint) start);
}

/* TRUE: it goes on. */
static gboolean
read_stream (int fd, Stream *stream, const FlFarCommand *command, gint64 *group)
{
  char bytes[65536];
  ssize_t n = recv (fd, bytes, sizeof bytes, MSG_DONTWAIT);
  if (n > 0)
    take_bytes (stream, command, bytes, (gsize) n, group);
  return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

typedef struct
{
  const FlFarCommand *command;
  FlChannel *channel;
  Stream out, err;
  gint64 group; /* -1: not known yet; 0: no such program */
  const guint8 *input;
  gsize input_left;
  gint64 deadline;
  GCancellable *cancellable;
} Running;

static void
send_input (Running *running)
{
  ssize_t n = running->input_left > 0 ? send (running->channel->fd, running->input, running->input_left,
                                              MSG_NOSIGNAL | MSG_DONTWAIT)
                                      : 0;
  if (n < 0 && errno != EAGAIN && errno != EINTR)
    running->input_left = 0; /* it reads no more */
  if (n > 0)
    {
      running->input += n;
      running->input_left -= (gsize) n;
    }
  if (running->input_left == 0)
    {
      shutdown (running->channel->fd, SHUT_WR);
      running->input = NULL;
    }
}

/* Till both streams have ended. FALSE: cancelled or out of time. */
static gboolean
talk (Running *running, GError **error)
{
  gboolean out = TRUE, err = TRUE;
  while (out || err)
    {
      gint64 left = running->deadline - g_get_monotonic_time ();
      struct pollfd fds[] = {
        { .fd = out ? running->channel->fd : -1,
          .events = (short) (POLLIN | (running->input != NULL ? POLLOUT : 0)) },
        { .fd = err ? running->channel->errors : -1, .events = POLLIN },
        { .fd = running->cancellable != NULL ? g_cancellable_get_fd (running->cancellable) : -1,
          .events = POLLIN }
      };
      int n = left > 0 ? poll (fds, 3, (int) MIN (left / 1000 + 1, G_MAXINT)) : 0;
      if (running->cancellable != NULL)
        g_cancellable_release_fd (running->cancellable);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0 || fds[2].revents != 0)
        {
          g_set_error (error, FL_ERROR, n <= 0 ? FL_ERROR_FAILED : FL_ERROR_STOPPED, "%s",
                       n <= 0 ? "not done in time" : "cancelled");
          return FALSE;
        }
      if (fds[0].revents & POLLOUT)
        send_input (running);
      if (fds[0].revents & (POLLIN | POLLHUP | POLLERR))
        out = read_stream (running->channel->fd, &running->out, running->command, &running->group);
      if (fds[1].revents != 0)
        err = read_stream (running->channel->errors, &running->err, running->command, NULL);
    }
  return TRUE;
}

/* How it ended. FALSE: that is not known, or it never began. */
static gboolean
conclude (Running *running, const char *program, FlHostOutput *output, GError **error)
{
  gint64 deadline = MAX (running->deadline, g_get_monotonic_time () + END_S * G_USEC_PER_SEC);
  output->status = running->channel->wait (running->channel, deadline);
  if (output->status < 0)
    g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s: the connection was lost while it ran", program);
  else if (!running->out.begun)
    {
      const GByteArray *said = running->err.bytes->len > 0 ? running->err.bytes : running->out.bytes;
      g_autofree char *words = fl_harmless (said->data != NULL ? (char *) said->data : "", said->len, 200);
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: the far machine does not run commands: %s", program,
                   words);
    }
  else if (running->group == 0)
    g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: no such program there", program);
  else
    return TRUE;
  return FALSE;
}

gboolean
fl_far_run (FlLink *link, const char *const *argv, GBytes *input, guint timeout_s, GCancellable *cancellable,
            FlHostOutput *output, GError **error)
{
  g_auto (FlFarCommand) command = { 0 };
  if (!fl_far_command_make (argv, &command, error))
    return FALSE;
  gint64 deadline = g_get_monotonic_time () + timeout_s * G_USEC_PER_SEC;
  gsize length = 0;
  Running running = { .command = &command, .group = -1, .deadline = deadline, .cancellable = cancellable };
  running.channel = fl_link_open (link, command.line, error);
  if (running.channel == NULL)
    return FALSE;
  running.input = input != NULL ? g_bytes_get_data (input, &length) : NULL;
  running.input_left = length;
  running.out.bytes = g_byte_array_new ();
  running.err.bytes = g_byte_array_new ();
  if (running.input_left == 0)
    send_input (&running);
  gboolean ok = talk (&running, error);
  if (ok)
    ok = conclude (&running, argv[0], output, error);
  else
    {
      fl_far_end_group (link, running.group);
      g_prefix_error (error, "%s: ", argv[0]);
    }
  fl_link_close (link, running.channel);
  output->truncated = running.out.truncated || running.err.truncated;
  output->out = g_byte_array_free_to_bytes (running.out.bytes);
  output->err = g_byte_array_free_to_bytes (running.err.bytes);
  return ok;
}
