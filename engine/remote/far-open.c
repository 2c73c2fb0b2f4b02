/* Programs that talk: a thread each carries their bytes, sees the caller hang up, and sees to their end. */
#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/remote/far-command.h"
#include "engine/remote/far-run.h"
#include "engine/remote/harmless.h"

#define LEAVE_S    2 /* for a program whose input has ended to go by itself */
#define START_MS   30000
#define MOST_ERROR 4096 /* of a line */
#define BUFFER     65536

typedef struct
{
  char bytes[BUFFER];
  gsize start, end;
  gboolean ended; /* no more will come */
  gboolean shut;  /* and that was passed on */
} Way;

typedef struct
{
  FlLink *link;
  FlChannel *channel;
  FlFarCommand command;
  gint64 group;
  int near; /* our end of the caller's socket; -1 */
  Way up, down;
  gboolean errors_ended, errors_begun;
  GString *text;
  FlHostLine errors;
  gpointer data;
} Open;

static void
open_free (Open *open)
{
  if (open->near >= 0)
    close (open->near);
  fl_link_close (open->link, open->channel);
  fl_link_unref (open->link);
  fl_far_command_clear (&open->command);
  g_string_free (open->text, TRUE);
  g_free (open);
}

/* --- bytes --- */

static void
take_in (Way *way, int fd)
{
  if (way->start < way->end || way->ended)
    return;
  ssize_t n = recv (fd, way->bytes, BUFFER, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  way->start = 0;
  way->end = n > 0 ? (gsize) n : 0;
  way->ended = n <= 0;
}

static void
pass_on (Way *way, int fd)
{
  ssize_t n = way->start < way->end
                  ? send (fd, way->bytes + way->start, way->end - way->start, MSG_NOSIGNAL | MSG_DONTWAIT)
                  : 0;
  if (n < 0 && errno != EAGAIN && errno != EINTR)
    {
      way->start = way->end; /* nobody reads it */
      way->ended = TRUE;
    }
  way->start += n > 0 ? (gsize) n : 0;
  if (way->ended && way->start == way->end && !way->shut)
    {
      shutdown (fd, SHUT_WR);
      way->shut = TRUE;
    }
}

static void
tell_lines (Open *open, gboolean all)
{
  GString *text = open->text;
  char *end;
  while ((end = memchr (text->str, '\n', text->len)) != NULL || text->len > MOST_ERROR
         || (all && text->len > 0))
    {
      gsize n = end != NULL ? (gsize) (end - text->str) : MIN (text->len, MOST_ERROR);
      g_autofree char *line = fl_harmless (text->str, (gssize) n, MOST_ERROR);
      g_string_erase (text, 0, (gssize) n + (end != NULL));
      if (open->errors != NULL)
        open->errors (line, open->data);
    }
}

static void
take_errors (Open *open)
{
  char bytes[4096];
  ssize_t n = recv (open->channel->errors, bytes, sizeof bytes, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  open->errors_ended = n <= 0;
  g_string_append_len (open->text, bytes, MAX (n, 0));
  gssize start =
      open->errors_begun ? 0 : fl_far_command_start (&open->command, open->text->str, open->text->len, NULL);
  if (start < 0 && open->text->len > FL_FAR_MOST_CHATTER)
    g_string_truncate (open->text, 0);
  if (start < 0)
    return;
  open->errors_begun = TRUE;
  g_string_erase (open->text, 0, start);
  tell_lines (open, open->errors_ended);
}

/* Till the program has ended or the caller has hung up. TRUE: the former. */
static gboolean
carry (Open *open)
{
  Way *up = &open->up, *down = &open->down;
  while (!down->shut || !open->errors_ended)
    {
      gboolean up_full = up->start < up->end, down_full = down->start < down->end;
      struct pollfd fds[] = {
        { .fd = open->near,
          .events = (short) ((up_full || up->ended ? 0 : POLLIN) | (down_full ? POLLOUT : 0)) },
        { .fd = down->shut && up->shut ? -1 : open->channel->fd,
          .events = (short) ((down_full || down->ended ? 0 : POLLIN) | (up_full ? POLLOUT : 0)) },
        { .fd = open->errors_ended ? -1 : open->channel->errors, .events = POLLIN }
      };
      if (poll (fds, 3, -1) < 0 && errno != EINTR)
        return FALSE;
      if (fds[0].revents & (POLLHUP | POLLERR) && !down->shut)
        return FALSE;
      if (fds[0].revents & POLLIN)
        take_in (up, open->near);
      if (fds[1].revents != 0)
        take_in (down, open->channel->fd);
      if (fds[2].revents != 0)
        take_errors (open);
      pass_on (up, open->channel->fd);
      pass_on (down, open->near);
      if (down->shut && !open->errors_ended) /* what it still says, for a moment */
        break;
    }
  return TRUE;
}

static gpointer
serve (gpointer data)
{
  Open *open = data;
  gboolean ended = carry (open);
  shutdown (open->channel->fd, SHUT_WR);
  gint64 deadline = g_get_monotonic_time () + LEAVE_S * G_USEC_PER_SEC;
  while (ended && !open->errors_ended && g_get_monotonic_time () < deadline)
    {
      struct pollfd errors = { .fd = open->channel->errors, .events = POLLIN };
      if (poll (&errors, 1, 100) > 0)
        take_errors (open);
    }
  if (open->channel->wait (open->channel, deadline) < 0)
    fl_far_end_group (open->link, open->group);
  open_free (open);
  return NULL;
}

/* --- its start --- */

/* Reads up to the mark; what follows it is kept for the caller. */
static gboolean
await_start (Open *open, GError **error)
{
  g_autoptr (GByteArray) said = g_byte_array_new ();
  struct pollfd wait = { .fd = open->channel->fd, .events = POLLIN };
  gssize start = -1;
  while (start < 0 && said->len < FL_FAR_MOST_CHATTER && poll (&wait, 1, START_MS) > 0)
    {
      char bytes[4096];
      ssize_t n = recv (open->channel->fd, bytes, sizeof bytes, 0);
      if (n <= 0)
        break;
      g_byte_array_append (said, (const guint8 *) bytes, (guint) n);
      start = fl_far_command_start (&open->command, (char *) said->data, said->len, &open->group);
    }
  if (start >= 0 && open->group != 0)
    {
      open->down.end = said->len - (gsize) start; /* less than one read */
      memcpy (open->down.bytes, said->data + start, open->down.end);
      return TRUE;
    }
  g_autofree char *words = fl_harmless (said->data != NULL ? (char *) said->data : "", said->len, 200);
  if (start >= 0)
    g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "no such program there");
  else if (fl_link_is_over (open->link) || open->channel->wait (open->channel, 0) < 0)
    g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "the connection was lost");
  else
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "the far machine does not run commands: %s", words);
  return FALSE;
}

static Open *
open_new (FlLink *link, const char *const *argv, GError **error)
{
  g_auto (FlFarCommand) command = { 0 };
  if (!fl_far_command_make (argv, &command, error))
    return NULL;
  FlChannel *channel = fl_link_open (link, command.line, error);
  if (channel == NULL)
    return NULL;
  Open *open = g_new0 (Open, 1);
  open->link = fl_link_ref (link);
  open->channel = channel;
  open->command = command;
  command = (FlFarCommand){ 0 };
  open->near = -1;
  open->text = g_string_new (NULL);
  return open;
}

int
fl_far_open (FlLink *link, const char *const *argv, FlHostLine errors, gpointer data, GError **error)
{
  int pair[2];
  Open *open = open_new (link, argv, error);
  if (open == NULL)
    return -1;
  if (!await_start (open, error))
    {
      g_prefix_error (error, "%s: ", argv[0]);
      open_free (open);
      return -1;
    }
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "no more sockets: %s", g_strerror (errno));
      open_free (open);
      return -1;
    }
  open->near = pair[0];
  open->errors = errors;
  open->data = data;
  g_thread_unref (g_thread_new ("fl-open", serve, open));
  return pair[1];
}
