/* The thread that owns a session: it carries bytes between libssh2's channels and the sockets that were lent out.
 *
 * libssh2 sends whole packets: once it could send only half of one (EAGAIN while it waits to write), nothing else may be sent
 * before the same call, with the same bytes, has gone through. `blocked` remembers whose call that is. */
#include "engine/remote/ssh2-private.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/error.h"

#define OPEN_S    20
#define BUFFER    32768
#define UNREAD_MS 20 /* how often bytes that nobody wants to read are looked at */

typedef enum
{
  STEP_OPEN,
  STEP_EXEC,
  STEP_READ,
  STEP_READ_ERRORS,
  STEP_WRITE,
  STEP_END,   /* of what we write */
  STEP_AWAIT, /* its end */
  STEP_CLOSE,
  STEP_FREE
} Step;

typedef enum
{
  STAGE_OPENING,
  STAGE_STARTING,
  STAGE_RUNNING,
  STAGE_ENDING, /* it says no more; its exit status may still come */
  STAGE_CLOSING,
  STAGE_FREEING,
  STAGE_GONE
} Stage;

typedef struct
{
  char bytes[BUFFER];
  gsize start, end;
} Buffer;

struct FlSsh2Channel
{
  FlChannel base;
  gatomicrefcount references; /* the borrower's and the pump's */
  FlSsh2 *ssh2;
  char *command; /* NULL: sftp */

  /* the pump's */
  LIBSSH2_CHANNEL *channel;
  Stage stage;
  Step step; /* the one under way while blocked */
  int fd, errors;
  Buffer up, down, down_errors;
  gboolean up_ended, end_sent, hung_up;

  /* under the mutex of ssh2 */
  gboolean opened, ended, released;
  int status;
  GError *problem;
};

/* --- the borrower's side --- */

static void
channel_unref (FlSsh2Channel *channel)
{
  if (!g_atomic_ref_count_dec (&channel->references))
    return;
  g_clear_error (&channel->problem);
  g_free (channel->command);
  g_free (channel);
}

static void
close_fd (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

static void
channel_free (FlChannel *base)
{
  close_fd (&base->fd);
  close_fd (&base->errors);
  FlSsh2Channel *channel = (FlSsh2Channel *) base;
  guint64 one = 1;
  g_mutex_lock (&channel->ssh2->mutex);
  channel->released = TRUE;
  g_mutex_unlock (&channel->ssh2->mutex);
  if (write (channel->ssh2->wake, &one, sizeof one) < 0)
    g_warn_if_reached (); /* an eventfd takes it always */
  channel_unref (channel);
}

static int
channel_wait (FlChannel *base, gint64 deadline)
{
  FlSsh2Channel *channel = (FlSsh2Channel *) base;
  FlSsh2 *ssh2 = channel->ssh2;
  g_mutex_lock (&ssh2->mutex);
  while (!channel->ended && !ssh2->lost)
    if (!g_cond_wait_until (&ssh2->changed, &ssh2->mutex, deadline))
      break;
  int status = channel->ended ? channel->status : -1;
  g_mutex_unlock (&ssh2->mutex);
  return status;
}

/* Two pairs of sockets; the pump's ends do not block. */
static gboolean
make_sockets (FlSsh2Channel *channel)
{
  int pair[2];
  channel->base.fd = channel->base.errors = channel->fd = channel->errors = -1;
  for (int i = 0; i < 2; i++)
    {
      if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return FALSE;
      *(i == 0 ? &channel->base.fd : &channel->base.errors) = pair[0];
      *(i == 0 ? &channel->fd : &channel->errors) = pair[1];
      g_unix_set_fd_nonblocking (pair[1], TRUE, NULL);
    }
  shutdown (channel->base.errors, SHUT_WR);
  return TRUE;
}

FlChannel *
fl_ssh2_channel_open (FlTransport *transport, const char *command, GError **error)
{
  FlSsh2 *ssh2 = (FlSsh2 *) transport;
  FlSsh2Channel *channel = g_new0 (FlSsh2Channel, 1);
  gint64 deadline = g_get_monotonic_time () + OPEN_S * G_USEC_PER_SEC;
  guint64 one = 1;
  g_atomic_ref_count_init (&channel->references);
  channel->base.wait = channel_wait;
  channel->base.free = channel_free;
  channel->ssh2 = ssh2;
  channel->command = g_strdup (command);
  channel->status = -1;
  if (!make_sockets (channel))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "no more sockets: %s", g_strerror (errno));
      close_fd (&channel->fd);
      close_fd (&channel->errors);
      channel_free (&channel->base);
      return NULL;
    }
  g_mutex_lock (&ssh2->mutex);
  gboolean lost = ssh2->lost;
  if (!lost)
    {
      g_atomic_ref_count_inc (&channel->references);
      g_ptr_array_add (ssh2->incoming, channel);
      lost = write (ssh2->wake, &one, sizeof one) < 0;
    }
  while (!lost && !channel->opened && !channel->ended)
    if (ssh2->lost || !g_cond_wait_until (&ssh2->changed, &ssh2->mutex, deadline))
      break;
  gboolean opened = channel->opened;
  if (!opened && channel->problem != NULL)
    g_propagate_error (error, g_steal_pointer (&channel->problem));
  else if (!opened)
    g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s: the connection is lost", ssh2->whom);
  g_mutex_unlock (&ssh2->mutex);
  if (opened)
    return &channel->base;
  channel_free (&channel->base);
  return NULL;
}

/* --- one step of one channel --- */

static gssize
do_step (FlSsh2Channel *channel, Step step)
{
  LIBSSH2_SESSION *session = channel->ssh2->session;
  Buffer *up = &channel->up;
  gssize rc;
  switch (step)
    {
    case STEP_OPEN:
      channel->channel = libssh2_channel_open_session (session);
      return channel->channel != NULL ? 0 : libssh2_session_last_errno (session);
    case STEP_EXEC:
      return channel->command != NULL ? libssh2_channel_exec (channel->channel, channel->command)
                                      : libssh2_channel_subsystem (channel->channel, "sftp");
    case STEP_READ:
    case STEP_READ_ERRORS:
      {
        Buffer *buffer = step == STEP_READ ? &channel->down : &channel->down_errors;
        rc = libssh2_channel_read_ex (channel->channel, step == STEP_READ ? 0 : SSH_EXTENDED_DATA_STDERR,
                                      buffer->bytes, BUFFER);
        buffer->start = 0;
        buffer->end = rc > 0 ? (gsize) rc : 0;
        return rc;
      }
    case STEP_WRITE:
      rc = libssh2_channel_write (channel->channel, up->bytes + up->start, up->end - up->start);
      up->start += rc > 0 ? (gsize) rc : 0;
      return rc;
    case STEP_END:
      rc = libssh2_channel_send_eof (channel->channel);
      channel->end_sent = channel->end_sent || rc == 0;
      return rc;
    case STEP_AWAIT:
      return libssh2_channel_wait_closed (channel->channel);
    case STEP_CLOSE:
      return libssh2_channel_close (channel->channel);
    case STEP_FREE:
      rc = libssh2_channel_free (channel->channel);
      if (rc != LIBSSH2_ERROR_EAGAIN)
        channel->channel = NULL;
      return rc;
    }
  return 0;
}

/* Errors of one channel; after any other the session is of no use. */
static gboolean
is_of_channel (gssize rc)
{
  return rc == LIBSSH2_ERROR_CHANNEL_FAILURE || rc == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED
         || rc == LIBSSH2_ERROR_CHANNEL_CLOSED || rc == LIBSSH2_ERROR_CHANNEL_EOF_SENT
         || rc == LIBSSH2_ERROR_CHANNEL_UNKNOWN || rc == LIBSSH2_ERROR_INVAL;
}

static gboolean
take_step (FlSsh2Channel *channel, Step step, gssize *rc)
{
  FlSsh2 *ssh2 = channel->ssh2;
  *rc = do_step (channel, step);
  gboolean half_sent = *rc == LIBSSH2_ERROR_EAGAIN
                       && (libssh2_session_block_directions (ssh2->session) & LIBSSH2_SESSION_BLOCK_OUTBOUND);
  ssh2->blocked = half_sent ? channel : NULL;
  channel->step = step;
  if (*rc < 0 && *rc != LIBSSH2_ERROR_EAGAIN && !is_of_channel (*rc))
    ssh2->broken = TRUE;
  return *rc != LIBSSH2_ERROR_EAGAIN;
}

static void
say (FlSsh2Channel *channel, gboolean opened, gboolean ended, int status, FlError code, const char *problem)
{
  FlSsh2 *ssh2 = channel->ssh2;
  g_mutex_lock (&ssh2->mutex);
  channel->opened = channel->opened || opened;
  if (ended && !channel->ended)
    {
      channel->ended = TRUE;
      channel->status = status;
    }
  if (problem != NULL && channel->problem == NULL)
    g_set_error (&channel->problem, FL_ERROR, code, "%s: %s", ssh2->whom, problem);
  g_cond_broadcast (&ssh2->changed);
  g_mutex_unlock (&ssh2->mutex);
}

static int
number_of_signal (const char *name)
{
  static const struct
  {
    const char *name;
    int number;
  } signals[] = { { "HUP", 1 },   { "INT", 2 },   { "QUIT", 3 },  { "ILL", 4 },   { "ABRT", 6 },
                  { "FPE", 8 },   { "KILL", 9 },  { "USR1", 10 }, { "SEGV", 11 }, { "USR2", 12 },
                  { "PIPE", 13 }, { "ALRM", 14 }, { "TERM", 15 } };
  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    if (strcmp (signals[i].name, name) == 0)
      return signals[i].number;
  return 0;
}

static int
exit_status (FlSsh2Channel *channel)
{
  char *name = NULL;
  size_t length = 0;
  int status = libssh2_channel_get_exit_status (channel->channel);
  if (libssh2_channel_get_exit_signal (channel->channel, &name, &length, NULL, NULL, NULL, NULL) == 0
      && name != NULL)
    {
      status = 128 + number_of_signal (name);
      libssh2_free (channel->ssh2->session, name);
    }
  return status;
}

/* What the outcome of a step means; called once it is through. */
static void
settle (FlSsh2Channel *channel, gssize rc)
{
  switch (channel->step)
    {
    case STEP_OPEN:
      channel->stage = rc == 0 ? STAGE_STARTING : STAGE_GONE;
      if (rc == 0)
        break;
      channel->ssh2->opening = NULL;
      say (channel, FALSE, TRUE, -1, FL_ERROR_UNSUPPORTED, "the server lends no more channels");
      break;
    case STEP_EXEC:
      channel->ssh2->opening = NULL;
      channel->stage = rc == 0 ? STAGE_RUNNING : STAGE_CLOSING;
      say (channel, rc == 0, rc != 0, -1, channel->ssh2->broken ? FL_ERROR_BUSY : FL_ERROR_INPUT,
           rc == 0                    ? NULL
           : channel->ssh2->broken    ? "the connection is lost"
           : channel->command != NULL ? "runs no commands"
                                      : "has no file service (sftp)");
      break;
    case STEP_CLOSE:
      say (channel, FALSE, TRUE, exit_status (channel), FL_ERROR_FAILED, NULL);
      channel->stage = STAGE_FREEING;
      break;
    case STEP_AWAIT:
      channel->stage = STAGE_CLOSING;
      break;
    case STEP_FREE:
      channel->stage = STAGE_GONE;
      break;
    case STEP_READ:
    case STEP_READ_ERRORS:
    case STEP_WRITE:
    case STEP_END:
      if (rc < 0)
        channel->stage = STAGE_CLOSING;
      break;
    }
}

/* TRUE: something has moved. */
static gboolean
attempt (FlSsh2Channel *channel, Step step)
{
  gssize rc;
  if (channel->ssh2->blocked != NULL || channel->ssh2->broken || !take_step (channel, step, &rc))
    return FALSE;
  settle (channel, rc);
  return rc != 0 || step >= STEP_END || step <= STEP_EXEC;
}

/* --- a channel --- */

static gboolean
is_empty (const Buffer *buffer)
{
  return buffer->start == buffer->end;
}

/* TRUE: something has moved. What nobody reads any more is dropped. */
static gboolean
drain (Buffer *buffer, int fd)
{
  if (is_empty (buffer))
    return FALSE;
  ssize_t n =
      fd >= 0 ? send (fd, buffer->bytes + buffer->start, buffer->end - buffer->start, MSG_NOSIGNAL) : -1;
  if (n < 0 && fd >= 0 && (errno == EAGAIN || errno == EINTR))
    return FALSE;
  buffer->start = n > 0 ? buffer->start + (gsize) n : buffer->end;
  return TRUE;
}

static gboolean
fill (FlSsh2Channel *channel)
{
  Buffer *up = &channel->up;
  if (!is_empty (up) || channel->up_ended || channel->fd < 0)
    return FALSE;
  ssize_t n = recv (channel->fd, up->bytes, BUFFER, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return FALSE;
  up->start = 0;
  up->end = n > 0 ? (gsize) n : 0;
  channel->up_ended = n <= 0;
  return TRUE;
}

/* TRUE: something has moved. */
static gboolean
run_channel (FlSsh2Channel *channel, gboolean *looked)
{
  gboolean moved = drain (&channel->down, channel->fd);
  moved |= drain (&channel->down_errors, channel->errors);
  if (is_empty (&channel->down))
    {
      *looked = TRUE;
      moved |= attempt (channel, STEP_READ);
    }
  if (channel->stage == STAGE_RUNNING && is_empty (&channel->down_errors))
    moved |= attempt (channel, STEP_READ_ERRORS);
  moved |= fill (channel);
  if (channel->stage == STAGE_RUNNING && !is_empty (&channel->up))
    moved |= attempt (channel, STEP_WRITE);
  if (channel->stage == STAGE_RUNNING && is_empty (&channel->up) && channel->up_ended && !channel->end_sent)
    moved |= attempt (channel, STEP_END);
  if (channel->stage == STAGE_RUNNING && channel->ssh2->blocked == NULL && is_empty (&channel->down)
      && is_empty (&channel->down_errors) && libssh2_channel_eof (channel->channel) == 1)
    {
      close_fd (&channel->fd);
      close_fd (&channel->errors);
      channel->stage = STAGE_ENDING;
      moved = TRUE;
    }
  return moved;
}

static gboolean
is_released (FlSsh2Channel *channel)
{
  g_mutex_lock (&channel->ssh2->mutex);
  gboolean released = channel->released;
  g_mutex_unlock (&channel->ssh2->mutex);
  return released;
}

static gboolean
advance (FlSsh2Channel *channel, gboolean *looked)
{
  FlSsh2 *ssh2 = channel->ssh2;
  switch (channel->stage)
    {
    case STAGE_OPENING:
      if (ssh2->opening != NULL && ssh2->opening != channel)
        return FALSE;
      ssh2->opening = channel;
      *looked = TRUE;
      return attempt (channel, STEP_OPEN);
    case STAGE_STARTING:
      *looked = TRUE;
      return attempt (channel, STEP_EXEC);
    case STAGE_RUNNING:
      if (!channel->hung_up)
        return run_channel (channel, looked);
      channel->stage = STAGE_CLOSING;
      return TRUE;
    case STAGE_ENDING:
      *looked = TRUE;
      if (!is_released (channel))
        return attempt (channel, STEP_AWAIT);
      channel->stage = STAGE_CLOSING;
      return TRUE;
    case STAGE_CLOSING:
      close_fd (&channel->fd);
      close_fd (&channel->errors);
      *looked = TRUE;
      return attempt (channel, STEP_CLOSE);
    case STAGE_FREEING:
      *looked = TRUE;
      return attempt (channel, STEP_FREE);
    case STAGE_GONE:
      break;
    }
  return FALSE;
}

static void
drop_channel (FlSsh2 *ssh2, guint i)
{
  FlSsh2Channel *channel = ssh2->channels->pdata[i];
  close_fd (&channel->fd);
  close_fd (&channel->errors);
  say (channel, FALSE, TRUE, -1, FL_ERROR_FAILED, NULL);
  g_ptr_array_remove_index_fast (ssh2->channels, i);
  channel_unref (channel);
}

/* --- the thread --- */

/* Everything that can go on without waiting. */
static void
advance_all (FlSsh2 *ssh2, gboolean *looked)
{
  gboolean moved = TRUE;
  while (moved && !ssh2->broken)
    {
      moved = FALSE;
      if (ssh2->blocked != NULL)
        {
          FlSsh2Channel *channel = ssh2->blocked;
          gssize rc;
          *looked = TRUE;
          if (!take_step (channel, channel->step, &rc) && ssh2->blocked != NULL)
            return;
          if (rc != LIBSSH2_ERROR_EAGAIN)
            settle (channel, rc);
          moved = TRUE;
        }
      for (guint i = ssh2->channels->len; i-- > 0 && !ssh2->broken && ssh2->blocked == NULL;)
        {
          FlSsh2Channel *channel = ssh2->channels->pdata[i];
          moved |= advance (channel, looked);
          if (channel->stage == STAGE_GONE)
            drop_channel (ssh2, i);
        }
    }
}

/* The fds to wait for: the wake-up, the session's, then two of each channel. */
static void
list_fds (FlSsh2 *ssh2, gboolean looked, GArray *fds)
{
  struct pollfd wake = { .fd = ssh2->wake, .events = POLLIN };
  struct pollfd session = { .fd = ssh2->socket,
                            .events = ssh2->blocked != NULL ? POLLOUT
                                      : looked              ? POLLIN
                                                            : 0 };
  g_array_set_size (fds, 0);
  g_array_append_val (fds, wake);
  g_array_append_val (fds, session);
  for (guint i = 0; i < ssh2->channels->len; i++)
    {
      const FlSsh2Channel *channel = ssh2->channels->pdata[i];
      struct pollfd fd = { .fd = channel->fd, .events = is_empty (&channel->down) ? 0 : POLLOUT };
      if (channel->stage == STAGE_RUNNING && is_empty (&channel->up) && !channel->up_ended)
        fd.events |= POLLIN;
      struct pollfd errors = { .fd = channel->errors,
                               .events = is_empty (&channel->down_errors) ? 0 : POLLOUT };
      g_array_append_val (fds, fd);
      g_array_append_val (fds, errors);
    }
}

/* What poll says that no read or write would find out. */
static void
note_hang_ups (FlSsh2 *ssh2, const GArray *fds)
{
  for (guint i = 0; i < ssh2->channels->len; i++)
    {
      FlSsh2Channel *channel = ssh2->channels->pdata[i];
      const struct pollfd *fd = &g_array_index (fds, struct pollfd, 2 + 2 * i);
      if (fd[1].fd >= 0 && (fd[1].revents & (POLLHUP | POLLERR))) /* nobody reads the errors */
        close_fd (&channel->errors);
      if (fd[0].fd < 0 || !(fd[0].revents & (POLLHUP | POLLERR)))
        continue;
      close_fd (&channel->fd); /* the borrower has closed: the command is to end */
      channel->hung_up = TRUE;
    }
}

static gboolean
take_incoming (FlSsh2 *ssh2)
{
  guint64 count;
  if (read (ssh2->wake, &count, sizeof count) < 0 && errno != EAGAIN)
    return FALSE;
  g_mutex_lock (&ssh2->mutex);
  for (guint i = 0; i < ssh2->incoming->len; i++)
    g_ptr_array_add (ssh2->channels, ssh2->incoming->pdata[i]);
  g_ptr_array_set_size (ssh2->incoming, 0);
  gboolean more = !ssh2->shut;
  g_mutex_unlock (&ssh2->mutex);
  return more;
}

static void
end (FlSsh2 *ssh2)
{
  g_autofree char *words = fl_ssh2_words (ssh2),
                  *why = g_strdup_printf ("the connection is broken (%s)", words);
  g_mutex_lock (&ssh2->mutex);
  gboolean asked = ssh2->shut;
  ssh2->lost = TRUE;
  g_mutex_unlock (&ssh2->mutex);
  if (asked && ssh2->blocked == NULL)
    libssh2_session_disconnect (ssh2->session, "bye");
  take_incoming (ssh2); /* those that came before `lost` */
  while (ssh2->channels->len > 0)
    drop_channel (ssh2, 0);
  if (!asked)
    ssh2->login.lost (why, ssh2->login.data);
}

gpointer
fl_ssh2_pump (gpointer data)
{
  FlSsh2 *ssh2 = data;
  g_autoptr (GArray) fds = g_array_new (FALSE, FALSE, sizeof (struct pollfd));
  while (take_incoming (ssh2) && !ssh2->broken)
    {
      gboolean looked = FALSE;
      advance_all (ssh2, &looked);
      if (ssh2->broken)
        break;
      list_fds (ssh2, looked, fds);
      if (poll ((struct pollfd *) fds->data, fds->len, looked ? -1 : UNREAD_MS) > 0)
        note_hang_ups (ssh2, fds);
    }
  end (ssh2);
  return NULL;
}
