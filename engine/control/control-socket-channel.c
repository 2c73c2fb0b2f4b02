#include "engine/control/control-socket-channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/control/control-socket-peer.h"

#define BUFFER_BYTES (256u << 10)

/* One direction. */
typedef struct
{
  int from, to;
  gboolean ended; /* nothing more comes */
  gboolean shut;  /* and `to` knows it, or takes no more */
  gsize length, done;
  guint8 *bytes;
} Way;

static gboolean
may_try_again (void)
{
  return errno == EAGAIN || errno == EINTR;
}

static void
set_nonblocking (int fd)
{
  fcntl (fd, F_SETFL, fcntl (fd, F_GETFL) | O_NONBLOCK);
}

static void
way_read (Way *way)
{
  ssize_t got = read (way->from, way->bytes, BUFFER_BYTES);
  if (got > 0)
    {
      way->length = (gsize) got;
      way->done = 0;
    }
  else if (got == 0 || !may_try_again ())
    way->ended = TRUE;
}

static void
way_write (Way *way)
{
  ssize_t put = send (way->to, way->bytes + way->done, way->length - way->done, MSG_NOSIGNAL);
  if (put < 0 && errno == ENOTSOCK)
    put = write (way->to, way->bytes + way->done, way->length - way->done);
  if (put > 0)
    way->done += (gsize) put;
  else if (put < 0 && !may_try_again ())
    way->ended = way->shut = TRUE;
  if (way->done == way->length || way->shut)
    way->length = way->done = 0;
}

static void
way_ask (const Way *way, struct pollfd *from, struct pollfd *to)
{
  *from = (struct pollfd){ .fd = way->length == 0 && !way->ended ? way->from : -1, .events = POLLIN };
  *to = (struct pollfd){ .fd = way->length > 0 ? way->to : -1, .events = POLLOUT };
}

/* After a poll: what it found may be done. */
static void
way_move (Way *way, const struct pollfd *from, const struct pollfd *to)
{
  if (from->fd >= 0 && from->revents != 0)
    way_read (way);
  if (way->length > 0 && (to->fd < 0 || to->revents != 0))
    way_write (way);
  if (way->ended && way->length == 0 && !way->shut)
    {
      shutdown (way->to, SHUT_WR); /* no socket: nothing to be told */
      way->shut = TRUE;
    }
}

gboolean
fl_control_carry (int in, int out, int far, int stop)
{
  g_autofree guint8 *up_bytes = g_malloc (BUFFER_BYTES);
  g_autofree guint8 *down_bytes = g_malloc (BUFFER_BYTES);
  Way up = { .from = in, .to = far, .bytes = up_bytes },
      down = { .from = far, .to = out, .bytes = down_bytes };
  set_nonblocking (in);
  set_nonblocking (out);
  set_nonblocking (far);
  while (!down.shut)
    {
      struct pollfd fds[6];
      way_ask (&up, &fds[0], &fds[1]);
      way_ask (&down, &fds[2], &fds[3]);
      fds[4] = (struct pollfd){ .fd = stop, .events = POLLIN };
      /* Whoever takes the answers may go while none comes. */
      fds[5] = (struct pollfd){ .fd = out, .events = 0 };
      if (poll (fds, G_N_ELEMENTS (fds), -1) < 0 && errno != EINTR)
        return FALSE;
      if (fds[4].revents != 0 || (fds[5].revents & (POLLERR | POLLHUP)) != 0)
        return FALSE;
      way_move (&up, &fds[0], &fds[1]);
      way_move (&down, &fds[2], &fds[3]);
    }
  return down.length == 0;
}

/* --- lent by the conductor --- */

struct FlControlChannel
{
  GThread *thread;
  int fd;
  int stop[2]; /* a pipe; closing [1] ends the channel */
  gint over;   /* atomic */
  GByteArray *received, *unsent;
  FlHost *host;
  char **argv;
};

/* Small things, to a socket that waits. */
static gboolean
put_all (int fd, const guint8 *data, gsize length)
{
  while (length > 0)
    {
      ssize_t put = send (fd, data, length, MSG_NOSIGNAL);
      if (put < 0 && errno == EAGAIN)
        {
          struct pollfd ready = { .fd = fd, .events = POLLOUT };
          poll (&ready, 1, 1000);
          continue;
        }
      if (put < 0 && errno != EINTR)
        return FALSE;
      data += MAX (put, 0);
      length -= (gsize) MAX (put, 0);
    }
  return TRUE;
}

static gboolean
put_word (int fd, const char *word, const char *text)
{
  g_autoptr (GBytes) frame = fl_control_encode (word, g_variant_new ("(s)", text));
  gsize length;
  const guint8 *data = g_bytes_get_data (frame, &length);
  return put_all (fd, data, length);
}

static gpointer
carry (gpointer data)
{
  FlControlChannel *channel = data;
  g_autoptr (GError) error = NULL;
  int far = fl_host_open (channel->host, (const char *const *) channel->argv, NULL, NULL, &error);
  gboolean ok = put_all (channel->fd, channel->unsent->data, channel->unsent->len);
  if (far < 0)
    put_word (channel->fd, "refused", error->message);
  else if (ok && put_word (channel->fd, "granted", "")
           && put_all (far, channel->received->data, channel->received->len))
    fl_control_carry (channel->fd, channel->fd, far, channel->stop[0]);
  if (far >= 0)
    close (far);
  shutdown (channel->fd, SHUT_RDWR);
  g_atomic_int_set (&channel->over, TRUE);
  return NULL;
}

FlControlChannel *
fl_control_channel_new (int fd, GByteArray *received, GByteArray *unsent, FlHost *host,
                        const char *const *argv)
{
  FlControlChannel *channel = g_new0 (FlControlChannel, 1);
  channel->fd = fd;
  channel->received = received;
  channel->unsent = unsent;
  channel->host = fl_host_ref (host);
  channel->argv = g_strdupv ((char **) argv);
  if (pipe (channel->stop) != 0)
    channel->stop[0] = channel->stop[1] = -1;
  fcntl (channel->stop[0], F_SETFD, FD_CLOEXEC);
  fcntl (channel->stop[1], F_SETFD, FD_CLOEXEC);
  channel->thread = g_thread_new ("fl-channel", carry, channel);
  return channel;
}

gboolean
fl_control_channel_is_over (FlControlChannel *channel)
{
  return g_atomic_int_get (&channel->over);
}

void
fl_control_channel_free (FlControlChannel *channel)
{
  shutdown (channel->fd, SHUT_RDWR);
  if (channel->stop[1] >= 0)
    close (channel->stop[1]);
  g_thread_join (channel->thread);
  if (channel->stop[0] >= 0)
    close (channel->stop[0]);
  close (channel->fd);
  g_byte_array_unref (channel->received);
  g_byte_array_unref (channel->unsent);
  fl_host_unref (channel->host);
  g_strfreev (channel->argv);
  g_free (channel);
}
