#include "engine/control/control-socket-peer.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib-unix.h>

#define MOST_UNSENT (8u << 20)
#define READ_BYTES  65536

struct FlControlPeer
{
  int fd;
  int references; /* ours, and one while a callback runs */
  gboolean over;  /* freed, stolen or gone */
  GMainContext *context;
  GSource *in, *out;
  GByteArray *received, *unsent;
  FlControlPeerEvents events;
  gpointer data;
};

static void
wipe_array (GByteArray *array)
{
  if (array == NULL)
    return;
  explicit_bzero (array->data, array->len);
  g_byte_array_unref (array);
}

static void
drop_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
peer_unref (FlControlPeer *peer)
{
  if (--peer->references > 0)
    return;
  drop_source (&peer->in);
  drop_source (&peer->out);
  if (peer->fd >= 0)
    close (peer->fd);
  wipe_array (peer->received);
  wipe_array (peer->unsent);
  g_main_context_unref (peer->context);
  g_free (peer);
}

static void
tell_gone (FlControlPeer *peer, const char *why)
{
  peer->over = TRUE;
  drop_source (&peer->in);
  drop_source (&peer->out);
  peer->events.gone (peer, why, peer->data);
}

static void
tell_words (FlControlPeer *peer)
{
  const char *word;
  GError *error = NULL;
  GVariant *value;
  while (!peer->over && (value = fl_control_decode (peer->received, &word, &error)) != NULL)
    {
      peer->events.word (peer, word, value, peer->data);
      g_variant_unref (value);
    }
  if (error != NULL && !peer->over)
    tell_gone (peer, error->message);
  g_clear_error (&error);
}

static gboolean
readable (int fd, GIOCondition condition, gpointer data)
{
  (void) condition;
  FlControlPeer *peer = data;
  guint8 bytes[READ_BYTES];
  peer->references++;
  ssize_t got = recv (fd, bytes, sizeof bytes, MSG_DONTWAIT);
  if (got > 0)
    {
      g_byte_array_append (peer->received, bytes, (guint) got);
      explicit_bzero (bytes, (gsize) got);
      tell_words (peer);
    }
  else if (got == 0 || (errno != EAGAIN && errno != EINTR))
    tell_gone (peer, got == 0 ? "the other side has gone" : g_strerror (errno));
  gboolean goes_on = peer->in != NULL;
  peer_unref (peer);
  return goes_on;
}

static gboolean
writable (int fd, GIOCondition condition, gpointer data)
{
  (void) condition;
  FlControlPeer *peer = data;
  ssize_t put = send (fd, peer->unsent->data, peer->unsent->len, MSG_DONTWAIT | MSG_NOSIGNAL);
  guint whole = peer->unsent->len;
  if (put > 0)
    {
      g_byte_array_remove_range (peer->unsent, 0, (guint) put);
      explicit_bzero (peer->unsent->data + peer->unsent->len, whole - peer->unsent->len);
    }
  else if (put < 0 && errno != EAGAIN && errno != EINTR)
    g_byte_array_set_size (peer->unsent, 0); /* reading tells that it has gone */
  if (peer->unsent->len > 0)
    return G_SOURCE_CONTINUE;
  g_clear_pointer (&peer->out, g_source_unref);
  return G_SOURCE_REMOVE;
}

static GSource *
add_source (FlControlPeer *peer, GIOCondition condition, GUnixFDSourceFunc function)
{
  GSource *source = g_unix_fd_source_new (peer->fd, condition);
  g_source_set_callback (source, G_SOURCE_FUNC (function), peer, NULL);
  g_source_attach (source, peer->context);
  return source;
}

FlControlPeer *
fl_control_peer_new (int fd, const FlControlPeerEvents *events, gpointer data)
{
  FlControlPeer *peer = g_new0 (FlControlPeer, 1);
  peer->fd = fd;
  peer->references = 1;
  peer->context = g_main_context_ref_thread_default ();
  peer->received = g_byte_array_sized_new (READ_BYTES);
  peer->unsent = g_byte_array_sized_new (READ_BYTES);
  peer->events = *events;
  peer->data = data;
  peer->in = add_source (peer, G_IO_IN, readable);
  return peer;
}

void
fl_control_peer_free (FlControlPeer *peer)
{
  peer->over = TRUE;
  drop_source (&peer->in);
  drop_source (&peer->out);
  peer_unref (peer);
}

void
fl_control_peer_send (FlControlPeer *peer, const char *word, GVariant *value)
{
  g_autoptr (GBytes) frame = fl_control_encode (word, value);
  gsize length;
  gconstpointer data = g_bytes_get_data (frame, &length);
  if (peer->over)
    return;
  if (peer->unsent->len + length > MOST_UNSENT)
    {
      shutdown (peer->fd, SHUT_RDWR); /* reading then tells that it has gone */
      return;
    }
  g_byte_array_append (peer->unsent, data, (guint) length);
  if (peer->out == NULL)
    peer->out = add_source (peer, G_IO_OUT, writable);
}

int
fl_control_peer_steal (FlControlPeer *peer, GByteArray **received, GByteArray **unsent)
{
  int fd = peer->fd;
  *received = g_steal_pointer (&peer->received);
  *unsent = g_steal_pointer (&peer->unsent);
  peer->fd = -1;
  fl_control_peer_free (peer);
  return fd;
}
