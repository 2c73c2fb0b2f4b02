#include "engine/control/control-socket-server.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib-unix.h>
#include <glib/gstdio.h>

#include "engine/base/error.h"
#include "engine/control/control-socket-channel.h"
#include "engine/control/control-socket-peer.h"

#define MOST_CLIENTS  64
#define MOST_CHANNELS 64

/* What is told to whoever connects later. */
typedef struct
{
  GVariant *link, *question; /* NULL: none */
  guint question_id;
} Told;

struct FlControlServer
{
  char *path;
  int fd;
  dev_t device;
  ino_t inode; /* of our socket: another conductor may have put its own there */
  GSource *source;
  GPtrArray *clients;  /* FlControlAsker */
  GPtrArray *channels; /* FlControlChannel */
  GHashTable *told;    /* site -> Told */
  FlControlEvents events;
  gpointer data;
};

struct FlControlAsker
{
  FlControlServer *server;
  FlControlPeer *peer; /* NULL: it has become a channel */
  gboolean greeted, spoken;
};

static void
told_free (gpointer data)
{
  Told *told = data;
  g_clear_pointer (&told->link, g_variant_unref);
  g_clear_pointer (&told->question, g_variant_unref);
  g_free (told);
}

static void
asker_free (gpointer data)
{
  FlControlAsker *asker = data;
  g_clear_pointer (&asker->peer, fl_control_peer_free);
  g_free (asker);
}

/* --- what comes --- */

static void
greet (FlControlAsker *asker)
{
  GHashTableIter iter;
  gpointer value;
  asker->greeted = TRUE;
  fl_control_peer_send (asker->peer, "welcome",
                        g_variant_new ("(us)", FL_CONTROL_VERSION, "firstlight-control " FL_VERSION));
  g_hash_table_iter_init (&iter, asker->server->told);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Told *told = value;
      if (told->link != NULL)
        fl_control_peer_send (asker->peer, "link", told->link);
      if (told->question != NULL)
        fl_control_peer_send (asker->peer, "question", told->question);
    }
}

static void
take_answer (FlControlServer *server, GVariant *value)
{
  gint64 site;
  guint32 id;
  g_autoptr (GVariant) list = NULL;
  g_variant_get (value, "(xu@as)", &site, &id, &list);
  gsize n;
  g_autofree const char **answers = g_variant_get_strv (list, &n);
  server->events.answer (site, id, n > 0 ? answers : NULL, server->data);
}

static void
take_channel (FlControlAsker *asker, GVariant *value)
{
  FlControlServer *server = asker->server;
  gint64 site;
  g_autoptr (GVariant) list = NULL;
  g_variant_get (value, "(x@as)", &site, &list);
  g_autofree const char **argv = g_variant_get_strv (list, NULL);
  if (asker->spoken)
    fl_control_server_refuse (server, asker, "a channel is asked for as the first thing");
  else
    server->events.channel (site, argv, asker, server->data);
}

static void
drop (FlControlAsker *asker)
{
  g_ptr_array_remove_fast (asker->server->clients, asker);
}

static void
take_word (FlControlPeer *peer, const char *word, GVariant *value, gpointer data)
{
  (void) peer;
  FlControlAsker *asker = data;
  FlControlServer *server = asker->server;
  gint64 site = 0;
  guint32 version = 0;
  if (!asker->greeted)
    {
      if (strcmp (word, "hello") == 0)
        g_variant_get (value, "(u)", &version);
      if (version == FL_CONTROL_VERSION)
        greet (asker);
      else
        drop (asker);
      return;
    }
  if (strcmp (word, "channel") == 0)
    {
      take_channel (asker, value);
      return;
    }
  asker->spoken = TRUE;
  if (strcmp (word, "answer") == 0)
    take_answer (server, value);
  else if (strcmp (word, "probe") == 0)
    {
      gboolean push;
      g_variant_get (value, "(xb)", &site, &push);
      server->events.probe (site, push, server->data);
    }
  else if (g_variant_is_of_type (value, G_VARIANT_TYPE ("(x)")))
    {
      g_variant_get (value, "(x)", &site);
      if (strcmp (word, "stop-probe") == 0)
        server->events.stop_probe (site, server->data);
      else
        server->events.connect (site, strcmp (word, "connect") == 0, server->data);
    }
}

static void
peer_gone (FlControlPeer *peer, const char *why, gpointer data)
{
  (void) peer;
  (void) why;
  drop (data);
}

/* --- who comes --- */

static gboolean
is_same_user (int fd)
{
  struct ucred who;
  socklen_t length = sizeof who;
  return getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &who, &length) == 0 && who.uid == geteuid ();
}

static void
sweep_channels (FlControlServer *server)
{
  for (guint i = server->channels->len; i-- > 0;)
    if (fl_control_channel_is_over (server->channels->pdata[i]))
      g_ptr_array_remove_index_fast (server->channels, i);
}

static gboolean
somebody (int fd, GIOCondition condition, gpointer data)
{
  (void) condition;
  static const FlControlPeerEvents events = { take_word, peer_gone };
  FlControlServer *server = data;
  int theirs = accept4 (fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (theirs < 0)
    return G_SOURCE_CONTINUE;
  sweep_channels (server);
  if (server->clients->len >= MOST_CLIENTS || !is_same_user (theirs))
    {
      close (theirs);
      return G_SOURCE_CONTINUE;
    }
  FlControlAsker *asker = g_new0 (FlControlAsker, 1);
  asker->server = server;
  asker->peer = fl_control_peer_new (theirs, &events, asker);
  g_ptr_array_add (server->clients, asker);
  return G_SOURCE_CONTINUE;
}

static int
listen_at (const char *path, struct stat *about, GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  g_autofree char *folder = g_path_get_dirname (path);
  g_mkdir_with_parents (folder, 0700);
  if (strlen (path) >= sizeof address.sun_path || !fl_control_folder_is_private (path, error))
    return -1;
  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  g_unlink (path);
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  /* Before anybody can connect: its folder is private already. */
  if (fd >= 0 && bind (fd, (struct sockaddr *) &address, sizeof address) == 0 && g_chmod (path, 0600) == 0
      && listen (fd, 16) == 0 && g_lstat (path, about) == 0)
    return fd;
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be listened at: %s", path, g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return -1;
}

FlControlServer *
fl_control_server_new (const char *store_path, const FlControlEvents *events, gpointer data, GError **error)
{
  g_autofree char *path = fl_control_socket_path (store_path);
  struct stat about;
  int fd = listen_at (path, &about, error);
  if (fd < 0)
    return NULL;
  FlControlServer *server = g_new0 (FlControlServer, 1);
  server->path = g_steal_pointer (&path);
  server->fd = fd;
  server->device = about.st_dev;
  server->inode = about.st_ino;
  server->events = *events;
  server->data = data;
  server->clients = g_ptr_array_new_with_free_func (asker_free);
  server->channels = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_control_channel_free);
  server->told = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, told_free);
  server->source = g_unix_fd_source_new (fd, G_IO_IN);
  g_source_set_callback (server->source, G_SOURCE_FUNC (somebody), server, NULL);
  g_source_attach (server->source, g_main_context_get_thread_default ());
  return server;
}

void
fl_control_server_free (FlControlServer *server)
{
  if (server == NULL)
    return;
  struct stat about;
  g_source_destroy (server->source);
  g_source_unref (server->source);
  g_ptr_array_unref (server->clients);
  g_ptr_array_unref (server->channels);
  if (g_lstat (server->path, &about) == 0 && about.st_dev == server->device && about.st_ino == server->inode)
    g_unlink (server->path);
  close (server->fd);
  g_hash_table_unref (server->told);
  g_free (server->path);
  g_free (server);
}

/* --- what is told --- */

static void
tell (FlControlServer *server, const char *word, GVariant *value)
{
  g_autoptr (GVariant) sunk = g_variant_ref_sink (value);
  for (guint i = 0; i < server->clients->len; i++)
    {
      FlControlAsker *asker = server->clients->pdata[i];
      if (asker->greeted)
        fl_control_peer_send (asker->peer, word, sunk);
    }
}

static Told *
told_of (FlControlServer *server, gint64 site)
{
  Told *told = g_hash_table_lookup (server->told, &site);
  if (told == NULL)
    g_hash_table_insert (server->told, g_memdup2 (&site, sizeof site), told = g_new0 (Told, 1));
  return told;
}

static void
keep (GVariant **where, GVariant *value)
{
  g_clear_pointer (where, g_variant_unref);
  *where = value != NULL ? g_variant_ref_sink (value) : NULL;
}

void
fl_control_server_link (FlControlServer *server, gint64 site, const char *state, gint64 round_trip,
                        guint64 retry_at, const char *message)
{
  Told *told = told_of (server, site);
  g_autofree char *valid = g_utf8_make_valid (message, -1);
  keep (&told->link, g_variant_new ("(xsxts)", site, state, round_trip, retry_at, valid));
  tell (server, "link", told->link);
}

void
fl_control_server_question (FlControlServer *server, gint64 site, const FlRemoteQuestion *question)
{
  Told *told = told_of (server, site);
  GVariantBuilder labels, echo;
  g_variant_builder_init (&labels, G_VARIANT_TYPE ("as"));
  g_variant_builder_init (&echo, G_VARIANT_TYPE ("ab"));
  for (guint i = 0; i < question->n_fields; i++)
    {
      g_autofree char *label = g_utf8_make_valid (question->labels[i], -1);
      g_variant_builder_add (&labels, "s", label);
      g_variant_builder_add (&echo, "b", question->echo[i]);
    }
  g_autofree char *title = g_utf8_make_valid (question->title, -1);
  g_autofree char *text = g_utf8_make_valid (question->text, -1);
  told->question_id = question->id;
  keep (&told->question, g_variant_new ("(xuussasab)", site, (guint32) question->id, (guint32) question->kind,
                                        title, text, &labels, &echo));
  tell (server, "question", told->question);
}

void
fl_control_server_void (FlControlServer *server, gint64 site)
{
  Told *told = told_of (server, site);
  if (told->question == NULL)
    return;
  keep (&told->question, NULL);
  tell (server, "void", g_variant_new ("(xu)", site, (guint32) told->question_id));
}

void
fl_control_server_answered (FlControlServer *server, gint64 site, guint id)
{
  if (told_of (server, site)->question_id == id)
    fl_control_server_void (server, site);
}

void
fl_control_server_step (FlControlServer *server, gint64 site, const char *step, const char *state,
                        const char *message, const char *advice, double seconds)
{
  tell (server, "step", g_variant_new ("(xssssd)", site, step, state, message, advice, seconds));
}

void
fl_control_server_probed (FlControlServer *server, gint64 site, gboolean well)
{
  tell (server, "probed", g_variant_new ("(xb)", site, well));
}

void
fl_control_server_forget (FlControlServer *server, gint64 site)
{
  fl_control_server_void (server, site);
  g_hash_table_remove (server->told, &site);
}

/* --- channels --- */

void
fl_control_server_lend (FlControlServer *server, FlControlAsker *asker, FlHost *host, const char *const *argv)
{
  sweep_channels (server);
  if (server->channels->len >= MOST_CHANNELS)
    {
      fl_control_server_refuse (server, asker, "the conductor lends as many channels as it can already");
      return;
    }
  GByteArray *received, *unsent;
  int fd = fl_control_peer_steal (g_steal_pointer (&asker->peer), &received, &unsent);
  g_ptr_array_add (server->channels, fl_control_channel_new (fd, received, unsent, host, argv));
  drop (asker);
}

void
fl_control_server_refuse (FlControlServer *server, FlControlAsker *asker, const char *why)
{
  (void) server;
  fl_control_peer_send (asker->peer, "refused", g_variant_new ("(s)", why));
}
