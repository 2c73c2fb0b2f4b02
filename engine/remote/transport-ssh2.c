/* The built-in transport: libssh2, one session, a thread of its own. */
#include "engine/remote/ssh2-private.h"

#include <malloc.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/error.h"

#define FREE_TRIES 50

/* --- a session's memory --- */

static void *
memory_new (size_t n, void **abstract)
{
  (void) abstract;
  return malloc (n);
}

static void
memory_free (void *memory, void **abstract)
{
  (void) abstract;
  if (memory != NULL)
    explicit_bzero (memory, malloc_usable_size (memory));
  free (memory);
}

static void *
memory_resize (void *memory, size_t n, void **abstract)
{
  void *other = malloc (n);
  if (other == NULL || memory == NULL)
    return other;
  memcpy (other, memory, MIN (n, malloc_usable_size (memory)));
  memory_free (memory, abstract);
  return other;
}

LIBSSH2_SESSION *
fl_ssh2_session_new (FlSsh2 *ssh2)
{
  static gsize once;
  if (g_once_init_enter (&once))
    {
      libssh2_init (0);
      g_once_init_leave (&once, 1);
    }
  return libssh2_session_init_ex (memory_new, memory_free, memory_resize, ssh2);
}

/* --- the transport --- */

static void
ssh2_shut (FlTransport *transport)
{
  FlSsh2 *ssh2 = (FlSsh2 *) transport;
  guint64 one = 1;
  g_mutex_lock (&ssh2->mutex);
  ssh2->shut = TRUE;
  g_mutex_unlock (&ssh2->mutex);
  if (write (ssh2->wake, &one, sizeof one) < 0)
    g_warn_if_reached (); /* an eventfd takes it always */
}

static void
ssh2_free (FlTransport *transport)
{
  FlSsh2 *ssh2 = (FlSsh2 *) transport;
  if (ssh2->pump != NULL)
    {
      ssh2_shut (transport);
      g_thread_join (ssh2->pump);
    }
  if (ssh2->socket >= 0)
    shutdown (ssh2->socket, SHUT_RDWR); /* so that nothing below can wait for the server */
  for (int i = 0; ssh2->session != NULL && i < FREE_TRIES; i++)
    if (libssh2_session_free (ssh2->session) != LIBSSH2_ERROR_EAGAIN)
      break;
  if (ssh2->socket >= 0)
    close (ssh2->socket);
  close (ssh2->wake);
  g_ptr_array_unref (ssh2->incoming);
  g_ptr_array_unref (ssh2->channels);
  fl_secret_free (ssh2->typed);
  g_clear_error (&ssh2->problem);
  g_mutex_clear (&ssh2->mutex);
  g_cond_clear (&ssh2->changed);
  g_free (ssh2->whom);
  g_free (ssh2);
}

FlTransport *
fl_transport_ssh2_new (const FlLogin *login, GError **error)
{
  FlSsh2 *ssh2 = g_new0 (FlSsh2, 1);
  ssh2->base = (FlTransport){ fl_ssh2_channel_open, ssh2_shut, ssh2_free };
  ssh2->login = *login;
  ssh2->socket = -1;
  ssh2->whom = g_strdup_printf ("%s@%s", login->user, login->config->host);
  ssh2->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  ssh2->incoming = g_ptr_array_new ();
  ssh2->channels = g_ptr_array_new ();
  g_mutex_init (&ssh2->mutex);
  g_cond_init (&ssh2->changed);
  if (!fl_ssh2_connect (ssh2, error) || !fl_ssh2_authenticate (ssh2, error))
    {
      ssh2_free (&ssh2->base);
      return NULL;
    }
  ssh2->pump = g_thread_new ("fl-ssh2", fl_ssh2_pump, ssh2);
  return &ssh2->base;
}
