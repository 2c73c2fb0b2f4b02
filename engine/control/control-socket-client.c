/* The control room's side of the conductor's socket. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/control/control-socket-peer.h"

#define FIRST_PAUSE_MS 500
#define LAST_PAUSE_MS  5000

struct _FlControlClient
{
  GObject parent;
  char *path;
  GMainContext *context;
  FlControlPeer *peer; /* NULL: not connected */
  gboolean welcome;
  GSource *again;
  guint pause;
  gboolean closed;
};

G_DEFINE_FINAL_TYPE (FlControlClient, fl_control_client, G_TYPE_OBJECT)

enum
{
  LINK,
  QUESTION,
  QUESTION_VOID,
  STEP,
  PROBED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

enum
{
  PROP_CONNECTED = 1
};

static GParamSpec *connected_property;

static void try_later (FlControlClient *client);

static void
set_welcome (FlControlClient *client, gboolean welcome)
{
  if (client->welcome == welcome)
    return;
  client->welcome = welcome;
  g_object_notify_by_pspec (G_OBJECT (client), connected_property);
}

/* --- words --- */

static void
take_question (FlControlClient *client, GVariant *value)
{
  gint64 site;
  guint32 kind, n_fields;
  FlRemoteQuestion question = { 0 };
  g_autofree const char **labels = NULL;
  g_autoptr (GVariant) label_list = NULL;
  g_autoptr (GVariant) echo_list = NULL;
  g_variant_get (value, "(xuu&s&s@as@ab)", &site, &question.id, &kind, &question.title, &question.text,
                 &label_list, &echo_list);
  labels = g_variant_get_strv (label_list, NULL);
  n_fields = (guint32) g_variant_n_children (label_list);
  if (n_fields > 8 || g_variant_n_children (echo_list) != n_fields || kind > FL_REMOTE_ASK_CODE)
    return;
  gboolean echo[8] = { FALSE };
  for (guint i = 0; i < n_fields; i++)
    g_variant_get_child (echo_list, i, "b", &echo[i]);
  question.kind = (FlRemoteAskKind) kind;
  question.n_fields = n_fields;
  question.labels = (char **) labels;
  question.echo = echo;
  g_signal_emit (client, signals[QUESTION], 0, site, &question);
}

static void
take_step (FlControlClient *client, GVariant *value)
{
  gint64 site;
  double seconds;
  const char *step, *state, *message, *advice;
  g_variant_get (value, "(x&s&s&s&sd)", &site, &step, &state, &message, &advice, &seconds);
  g_signal_emit (client, signals[STEP], 0, site, step, state, message, advice, seconds);
}

static void
take_link (FlControlClient *client, GVariant *value)
{
  gint64 site, round_trip;
  guint64 retry_at;
  const char *state, *message;
  g_variant_get (value, "(x&sxt&s)", &site, &state, &round_trip, &retry_at, &message);
  g_signal_emit (client, signals[LINK], 0, site, state, round_trip, retry_at, message);
}

static void
take_word (FlControlPeer *peer, const char *word, GVariant *value, gpointer data)
{
  (void) peer;
  g_autoptr (FlControlClient) client = g_object_ref (data);
  gint64 site;
  if (strcmp (word, "welcome") == 0)
    {
      client->pause = FIRST_PAUSE_MS;
      set_welcome (client, TRUE);
    }
  else if (strcmp (word, "link") == 0)
    take_link (client, value);
  else if (strcmp (word, "question") == 0)
    take_question (client, value);
  else if (strcmp (word, "void") == 0)
    {
      guint32 id;
      g_variant_get (value, "(xu)", &site, &id);
      g_signal_emit (client, signals[QUESTION_VOID], 0, site, id);
    }
  else if (strcmp (word, "step") == 0)
    take_step (client, value);
  else if (strcmp (word, "probed") == 0)
    {
      gboolean well;
      g_variant_get (value, "(xb)", &site, &well);
      g_signal_emit (client, signals[PROBED], 0, site, well);
    }
}

static void
peer_gone (FlControlPeer *peer, const char *why, gpointer data)
{
  (void) why;
  g_autoptr (FlControlClient) client = g_object_ref (data);
  client->peer = NULL;
  fl_control_peer_free (peer);
  try_later (client);
  set_welcome (client, FALSE);
}

/* --- the connection --- */

/* A unix socket is connected at once or not at all. */
static int
open_socket (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  if (strlen (path) >= sizeof address.sun_path || !fl_control_folder_is_private (path, NULL))
    return -1;
  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd >= 0 && connect (fd, (struct sockaddr *) &address, sizeof address) != 0)
    {
      close (fd);
      fd = -1;
    }
  return fd;
}

static void
try_now (FlControlClient *client)
{
  static const FlControlPeerEvents events = { take_word, peer_gone };
  int fd = open_socket (client->path);
  if (fd < 0)
    {
      try_later (client);
      return;
    }
  client->peer = fl_control_peer_new (fd, &events, client);
  fl_control_peer_send (client->peer, "hello", g_variant_new ("(u)", FL_CONTROL_VERSION));
}

static gboolean
again (gpointer data)
{
  FlControlClient *client = data;
  g_clear_pointer (&client->again, g_source_unref);
  g_main_context_push_thread_default (client->context);
  try_now (client);
  g_main_context_pop_thread_default (client->context);
  return G_SOURCE_REMOVE;
}

static void
try_later (FlControlClient *client)
{
  if (client->closed || client->again != NULL)
    return;
  client->again = g_timeout_source_new (client->pause);
  client->pause = MIN (2 * client->pause, LAST_PAUSE_MS);
  g_source_set_callback (client->again, again, client, NULL);
  g_source_attach (client->again, client->context);
}

FlControlClient *
fl_control_client_new (const char *store_path)
{
  FlControlClient *client = g_object_new (FL_TYPE_CONTROL_CLIENT, NULL);
  client->path = fl_control_socket_path (store_path);
  try_now (client);
  return client;
}

void
fl_control_client_close (FlControlClient *client)
{
  client->closed = TRUE;
  if (client->again != NULL)
    g_source_destroy (client->again);
  g_clear_pointer (&client->again, g_source_unref);
  g_clear_pointer (&client->peer, fl_control_peer_free);
  set_welcome (client, FALSE);
}

gboolean
fl_control_client_is_connected (FlControlClient *client)
{
  return client->welcome;
}

/* --- what the control room says --- */

static void
say (FlControlClient *client, const char *word, GVariant *value)
{
  g_autoptr (GVariant) sunk = g_variant_ref_sink (value);
  if (client->peer != NULL)
    fl_control_peer_send (client->peer, word, sunk);
}

static void
free_secret (gpointer data)
{
  explicit_bzero (data, strlen (data));
  g_free (data);
}

void
fl_control_client_answer (FlControlClient *client, gint64 site, guint id, const char *const *answers)
{
  GVariantBuilder list;
  g_variant_builder_init (&list, G_VARIANT_TYPE ("as"));
  for (guint i = 0; answers != NULL && answers[i] != NULL; i++)
    {
      /* Not g_variant_new_string(), whose copy nobody wipes. */
      char *copy = g_utf8_validate (answers[i], -1, NULL) ? g_strdup (answers[i]) : g_strdup ("");
      g_autoptr (GBytes) bytes = g_bytes_new_with_free_func (copy, strlen (copy) + 1, free_secret, copy);
      g_variant_builder_add_value (&list, g_variant_new_from_bytes (G_VARIANT_TYPE_STRING, bytes, TRUE));
    }
  say (client, "answer", g_variant_new ("(xu@as)", site, (guint32) id, g_variant_builder_end (&list)));
}

void
fl_control_client_connect_site (FlControlClient *client, gint64 site)
{
  say (client, "connect", g_variant_new ("(x)", site));
}

void
fl_control_client_disconnect_site (FlControlClient *client, gint64 site)
{
  say (client, "disconnect", g_variant_new ("(x)", site));
}

void
fl_control_client_probe (FlControlClient *client, gint64 site, gboolean push)
{
  say (client, "probe", g_variant_new ("(xb)", site, push));
}

void
fl_control_client_stop_probe (FlControlClient *client, gint64 site)
{
  say (client, "stop-probe", g_variant_new ("(x)", site));
}

/* --- the object --- */

static void
fl_control_client_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  if (id == PROP_CONNECTED)
    g_value_set_boolean (value, FL_CONTROL_CLIENT (object)->welcome);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void
fl_control_client_dispose (GObject *object)
{
  fl_control_client_close (FL_CONTROL_CLIENT (object));
  G_OBJECT_CLASS (fl_control_client_parent_class)->dispose (object);
}

static void
fl_control_client_finalize (GObject *object)
{
  FlControlClient *client = FL_CONTROL_CLIENT (object);
  g_free (client->path);
  g_main_context_unref (client->context);
  G_OBJECT_CLASS (fl_control_client_parent_class)->finalize (object);
}

static void
fl_control_client_init (FlControlClient *client)
{
  client->pause = FIRST_PAUSE_MS;
  client->context = g_main_context_ref_thread_default ();
}

static void
fl_control_client_class_init (FlControlClientClass *class)
{
  GObjectClass *object = G_OBJECT_CLASS (class);
  object->get_property = fl_control_client_get_property;
  object->dispose = fl_control_client_dispose;
  object->finalize = fl_control_client_finalize;
  connected_property = g_param_spec_boolean (
      "connected", NULL, NULL, FALSE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_property (object, PROP_CONNECTED, connected_property);
  GType type = FL_TYPE_CONTROL_CLIENT;
  signals[LINK] = g_signal_new ("link", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 5,
                                G_TYPE_INT64, G_TYPE_STRING, G_TYPE_INT64, G_TYPE_UINT64, G_TYPE_STRING);
  signals[QUESTION] = g_signal_new ("question", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 2,
                                    G_TYPE_INT64, G_TYPE_POINTER);
  signals[QUESTION_VOID] = g_signal_new ("question-void", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                         G_TYPE_NONE, 2, G_TYPE_INT64, G_TYPE_UINT);
  signals[STEP] =
      g_signal_new ("step", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 6, G_TYPE_INT64,
                    G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_DOUBLE);
  signals[PROBED] = g_signal_new ("probed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 2,
                                  G_TYPE_INT64, G_TYPE_BOOLEAN);
}
