#include "engine/remote/askpass.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/base/error.h"

#define MOST_TEXT 16384
#define ASK_S     5 /* for a question to come, once connected */

static gboolean
set_address (struct sockaddr_un *address, const char *path)
{
  *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
  return g_strlcpy (address->sun_path, path, sizeof address->sun_path) < sizeof address->sun_path;
}

static gboolean
is_same_user (int fd)
{
  struct ucred peer;
  socklen_t size = sizeof peer;
  return getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid ();
}

int
fl_askpass_listen (const char *path, GError **error)
{
  struct sockaddr_un address;
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd >= 0 && set_address (&address, path) && bind (fd, (struct sockaddr *) &address, sizeof address) == 0
      && chmod (path, 0600) == 0 && listen (fd, 4) == 0)
    return fd;
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: no socket for questions: %s", path, g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return -1;
}

/* Up to a NUL, or the end; the length without it. */
static gsize
receive_text (int fd, char *text, gsize most)
{
  gsize n = 0;
  while (n < most)
    {
      ssize_t got = recv (fd, text + n, most - n, 0);
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        break;
      n += (gsize) got;
      if (text[n - 1] == '\0')
        return n - 1;
    }
  return n;
}

static void
send_text (int fd, const char *text, gsize length)
{
  for (gsize n = 0; n < length;)
    {
      ssize_t put = send (fd, text + n, length - n, MSG_NOSIGNAL);
      if (put < 0 && errno == EINTR)
        continue;
      if (put <= 0)
        return;
      n += (gsize) put;
    }
}

int
fl_askpass_accept (int listening, char **question)
{
  int fd = accept4 (listening, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0)
    return -1;
  struct timeval patience = { .tv_sec = ASK_S };
  setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  char *text = g_malloc0 (MOST_TEXT + 1);
  if (is_same_user (fd) && receive_text (fd, text, MOST_TEXT) > 0)
    {
      *question = text;
      return fd;
    }
  g_free (text);
  close (fd);
  return -1;
}

void
fl_askpass_answer (int fd, const char *answer)
{
  if (answer != NULL)
    {
      send_text (fd, "+", 1);
      send_text (fd, answer, strlen (answer) + 1);
    }
  close (fd);
}

int
fl_askpass_main (const char *question)
{
  const char *path = g_getenv (FL_ASKPASS_SOCKET);
  struct sockaddr_un address;
  char answer[MOST_TEXT + 1] = { 0 };
  /* "none": nothing is asked, a person is only to be told (of a key that waits to be touched). */
  if (g_strcmp0 (g_getenv ("SSH_ASKPASS_PROMPT"), "none") == 0)
    return 0;
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  gboolean ok = path != NULL && fd >= 0 && set_address (&address, path)
                && connect (fd, (struct sockaddr *) &address, sizeof address) == 0 && is_same_user (fd);
  if (ok)
    {
      send_text (fd, question, strlen (question) + 1);
      ok = receive_text (fd, answer, MOST_TEXT) > 0 && answer[0] == '+';
    }
  if (ok && (puts (answer + 1) < 0 || fflush (stdout) != 0))
    ok = FALSE;
  explicit_bzero (answer, sizeof answer);
  if (fd >= 0)
    close (fd);
  return ok ? 0 : 1;
}
