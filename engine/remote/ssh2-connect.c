/* From nothing to a server whose key is known. */
#include "engine/remote/ssh2-private.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/remote/harmless.h"
#include "engine/remote/known-hosts.h"

#define SSH_PORT    22
#define CONNECT_S   10 /* for each address */
#define HANDSHAKE_S 20

static int
port_of (const FlRemoteConfig *config)
{
  return config->port > 0 ? config->port : SSH_PORT;
}

gboolean
fl_ssh2_wait (FlSsh2 *ssh2, gint64 deadline, GError **error)
{
  int directions = ssh2->session != NULL ? libssh2_session_block_directions (ssh2->session)
                                         : LIBSSH2_SESSION_BLOCK_OUTBOUND;
  short events = (short) ((directions & LIBSSH2_SESSION_BLOCK_INBOUND ? POLLIN : 0)
                          | (directions & LIBSSH2_SESSION_BLOCK_OUTBOUND ? POLLOUT : 0));
  struct pollfd fds[] = { { .fd = ssh2->login.stop, .events = POLLIN },
                          { .fd = ssh2->socket, .events = events != 0 ? events : POLLIN } };
  gint64 left = (deadline - g_get_monotonic_time ()) / 1000;
  int n = left > 0 ? poll (fds, 2, (int) MIN (left, G_MAXINT)) : 0;
  if (n < 0 && errno == EINTR)
    return TRUE;
  if (n <= 0)
    g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s does not answer", ssh2->login.config->host);
  else if (fds[0].revents != 0)
    g_set_error (error, FL_ERROR, FL_ERROR_STOPPED, "stopped");
  else
    return TRUE;
  return FALSE;
}

char *
fl_ssh2_words (FlSsh2 *ssh2)
{
  char *words = NULL;
  libssh2_session_last_error (ssh2->session, &words, NULL, 0);
  return fl_harmless (words != NULL ? words : "", -1, 200);
}

/* --- TCP --- */

/* TRUE: connected. FALSE with *stopped: give up; else another address may do. */
static gboolean
connect_to (FlSsh2 *ssh2, const struct addrinfo *address, GError **error)
{
  ssh2->socket = socket (address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int problem = 0, one = 1;
  socklen_t size = sizeof problem;
  if (ssh2->socket < 0
      || (connect (ssh2->socket, address->ai_addr, address->ai_addrlen) < 0 && errno != EINPROGRESS))
    problem = errno;
  else if (!fl_ssh2_wait (ssh2, g_get_monotonic_time () + CONNECT_S * G_USEC_PER_SEC, error))
    problem = -1;
  else
    getsockopt (ssh2->socket, SOL_SOCKET, SO_ERROR, &problem, &size);
  if (problem == 0)
    {
      setsockopt (ssh2->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      return TRUE;
    }
  if (problem > 0)
    g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s: %s", ssh2->login.config->host, g_strerror (problem));
  if (ssh2->socket >= 0)
    close (ssh2->socket);
  ssh2->socket = -1;
  return FALSE;
}

static gboolean
connect_socket (FlSsh2 *ssh2, GError **error)
{
  const FlRemoteConfig *config = ssh2->login.config;
  struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *addresses = NULL;
  g_autofree char *port = g_strdup_printf ("%d", port_of (config));
  int failed = getaddrinfo (config->host, port, &hints, &addresses);
  if (failed != 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s: %s", config->host, gai_strerror (failed));
      return FALSE;
    }
  GError *problem = NULL;
  gboolean ok = FALSE;
  for (struct addrinfo *a = addresses; a != NULL && !ok; a = a->ai_next)
    {
      if (g_error_matches (problem, FL_ERROR, FL_ERROR_STOPPED))
        break;
      g_clear_error (&problem);
      ok = connect_to (ssh2, a, &problem);
    }
  freeaddrinfo (addresses);
  if (problem != NULL)
    g_propagate_error (error, problem);
  return ok;
}

/* --- handshake --- */

static gboolean
handshake (FlSsh2 *ssh2, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + HANDSHAKE_S * G_USEC_PER_SEC;
  int rc;
  while ((rc = libssh2_session_handshake (ssh2->session, ssh2->socket)) == LIBSSH2_ERROR_EAGAIN)
    if (!fl_ssh2_wait (ssh2, deadline, error))
      return FALSE;
  if (rc == 0)
    return TRUE;
  g_autofree char *words = fl_ssh2_words (ssh2);
  if (rc == LIBSSH2_ERROR_KEX_FAILURE || rc == LIBSSH2_ERROR_METHOD_NONE || rc == LIBSSH2_ERROR_HOSTKEY_INIT)
    g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED, "libssh2 and %s have no encryption in common",
                 ssh2->login.config->host);
  else
    g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s: %s", ssh2->login.config->host, words);
  return FALSE;
}

/* --- host key --- */

static void
set_changed (FlSsh2 *ssh2, FlHostKeyVerdict verdict, const char *kind, const char *fingerprint,
             const char *where, const char *expected, GError **error)
{
  const char *host = ssh2->login.config->host;
  if (verdict == FL_HOST_KEY_REVOKED)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s shows the key %s, which is revoked (%s): not connected",
                 host, fingerprint, where);
  else
    g_set_error (
        error, FL_ERROR, FL_ERROR_INPUT,
        "%s shows another %s key than before (%s, expected %s of %s): it was installed anew, or somebody "
        "listens in; ask its operators, then remove that line",
        host, fl_host_key_word (kind), fingerprint, expected, where);
}

/* An unknown key: the person decides. */
static gboolean
ask_about_key (FlSsh2 *ssh2, const char *kind, const char *fingerprint, const char *where, GError **error)
{
  const FlRemoteConfig *config = ssh2->login.config;
  FlRemoteQuestion question = { .kind = FL_REMOTE_ASK_HOST_KEY };
  question.title = g_strdup_printf ("Is this really %s?", config->host);
  question.text = where == NULL ? g_strdup_printf ("%s %s", fl_host_key_word (kind), fingerprint)
                                : g_strdup_printf ("%s %s (a key of another kind is known: %s)",
                                                   fl_host_key_word (kind), fingerprint, where);
  char **answers = ssh2->login.ask (&question, ssh2->socket, ssh2->login.data, error);
  gboolean yes = answers != NULL && g_strcmp0 (answers[0], "yes") == 0;
  if (answers != NULL && !yes)
    g_set_error (error, FL_ERROR, FL_ERROR_STOPPED, "the key of %s was not accepted", config->host);
  fl_answers_free (answers);
  g_free (question.title);
  g_free (question.text);
  return yes;
}

static gboolean
check_host_key (FlSsh2 *ssh2, const char *const *files, GError **error)
{
  const FlRemoteConfig *config = ssh2->login.config;
  size_t length;
  int ignored;
  const guint8 *key = (const guint8 *) libssh2_session_hostkey (ssh2->session, &length, &ignored);
  if (key == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s has shown no key", config->host);
      return FALSE;
    }
  g_autofree char *kind = fl_host_key_kind (key, length),
                  *fingerprint = fl_host_key_fingerprint (key, length);
  g_autofree char *where = NULL, *expected = NULL;
  FlHostKeyVerdict verdict =
      fl_known_hosts_check (files, config->host, port_of (config), key, length, &where, &expected);
  if (verdict == FL_HOST_KEY_KNOWN)
    return TRUE;
  if (verdict == FL_HOST_KEY_UNKNOWN)
    return ask_about_key (ssh2, kind, fingerprint, where, error)
           && fl_known_hosts_add (files[0], config->host, port_of (config), key, length, error);
  set_changed (ssh2, verdict, kind, fingerprint, where, expected, error);
  return FALSE;
}

/* The kinds of key that are known for it go first: the server shows one of them then. */
static void
prefer_known_kinds (FlSsh2 *ssh2, const char *const *files)
{
  const FlRemoteConfig *config = ssh2->login.config;
  g_auto (GStrv) known = fl_known_hosts_kinds (files, config->host, port_of (config));
  g_autofree char *first = g_strjoinv (",", known);
  g_autofree char *order =
      g_strconcat (first, first[0] != '\0' ? "," : "",
                   "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,ssh-rsa", NULL);
  libssh2_session_method_pref (ssh2->session, LIBSSH2_METHOD_HOSTKEY, order);
}

gboolean
fl_ssh2_connect (FlSsh2 *ssh2, GError **error)
{
  const FlRemoteConfig *config = ssh2->login.config;
  g_autofree char *own = g_build_filename (g_get_home_dir (), ".ssh", "known_hosts", NULL);
  const char *files[] = { config->known_hosts != NULL ? config->known_hosts : own,
                          config->known_hosts != NULL ? NULL : "/etc/ssh/ssh_known_hosts", NULL };
  if (!connect_socket (ssh2, error))
    return FALSE;
  ssh2->session = fl_ssh2_session_new (ssh2);
  libssh2_session_set_blocking (ssh2->session, 0);
  prefer_known_kinds (ssh2, files);
  return handshake (ssh2, error) && check_host_key (ssh2, files, error);
}
