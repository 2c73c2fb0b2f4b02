#include "engine/view/client.h"

#include <signal.h>

#include "engine/base/error.h"
#include "engine/view/client-link.h"

#define FIRST_PAUSE_MS   200u
#define LONGEST_PAUSE_MS 10000u
#define BEAT_S           2
#define SLOW_US          (3 * G_USEC_PER_SEC)
#define LOST_US          (20 * G_USEC_PER_SEC)

struct _FlViewClient
{
  GObject parent;
  char **argv;
  GMainContext *context;
  FlViewLink *link; /* NULL while there is no child */
  GQueue waiting;   /* of FlViewCall, for the next child */
  guint32 last_id;
  guint pause_ms;
  GSource *restart, *beat;
  FlViewState state;
  char *message;
  gint64 round_trip;
  gboolean closed;
};

G_DEFINE_FINAL_TYPE (FlViewClient, fl_view_client, G_TYPE_OBJECT)

enum
{
  PROP_STATE = 1,
  PROP_MESSAGE,
  PROP_ROUND_TRIP,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

static void start (FlViewClient *self);

/* --- state --- */

static void
set_state (FlViewClient *self, FlViewState state, const char *message)
{
  g_object_freeze_notify (G_OBJECT (self));
  if (g_strcmp0 (self->message, message) != 0)
    {
      g_free (self->message);
      self->message = g_strdup (message);
      g_object_notify_by_pspec (G_OBJECT (self), props[PROP_MESSAGE]);
    }
  if (self->state != state)
    {
      self->state = state;
      g_object_notify_by_pspec (G_OBJECT (self), props[PROP_STATE]);
    }
  g_object_thaw_notify (G_OBJECT (self));
}

static void
clear_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static GSource *
add_timer (FlViewClient *self, guint ms, GSourceFunc function)
{
  GSource *source = g_timeout_source_new (ms);
  g_source_set_callback (source, function, self, NULL);
  g_source_attach (source, self->context);
  return source;
}

static gboolean
on_restart (gpointer data)
{
  FlViewClient *self = data;
  clear_source (&self->restart);
  start (self);
  return G_SOURCE_REMOVE;
}

static void
restart_later (FlViewClient *self, const char *message)
{
  clear_source (&self->beat);
  self->round_trip = -1;
  set_state (self, FL_VIEW_RESTARTING, message);
  self->restart = add_timer (self, self->pause_ms, on_restart);
  self->pause_ms = MIN (self->pause_ms * 2, LONGEST_PAUSE_MS);
}

static void
on_answered (FlViewClient *self, gint64 round_trip)
{
  self->round_trip = round_trip;
  self->pause_ms = FIRST_PAUSE_MS;
  set_state (self, FL_VIEW_UP, "");
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_ROUND_TRIP]);
}

static gboolean
on_beat (gpointer data)
{
  FlViewClient *self = data;
  gint64 unanswered = fl_view_link_beat (self->link);
  if (unanswered > LOST_US)
    fl_view_link_kill (self->link, "no answer for 20 s");
  else if (unanswered > SLOW_US)
    set_state (self, FL_VIEW_SLOW, "no answer for some seconds");
  return G_SOURCE_CONTINUE;
}

/* --- the child's beginning and end --- */

/* Lets go of the child. */
static void
drop_link (FlViewClient *self, int code, const char *message)
{
  GPtrArray *calls = fl_view_link_take_all (self->link);
  g_clear_pointer (&self->link, fl_view_link_free);
  fl_view_calls_fail (calls, code, message);
}

static void
on_ended (FlViewClient *self, const char *how)
{
  g_object_ref (self); /* a failed call may hold the last reference */
  drop_link (self, FL_ERROR_FAILED, how);
  if (!self->closed)
    restart_later (self, how);
  g_object_unref (self);
}

static GPtrArray *
take_waiting (FlViewClient *self)
{
  GPtrArray *calls = g_ptr_array_new ();
  for (FlViewCall *call; (call = g_queue_pop_head (&self->waiting)) != NULL;)
    g_ptr_array_add (calls, call);
  return calls;
}

static void
start (FlViewClient *self)
{
  static const FlViewLinkEvents events = { on_answered, on_ended };
  g_autoptr (GError) error = NULL;
  self->link = fl_view_link_new ((const char *const *) self->argv, self->context, &events, self, &error);
  if (self->link == NULL)
    {
      g_autofree char *message =
          g_strdup_printf ("the viewing process cannot be started: %s", error->message);
      g_object_ref (self);
      fl_view_calls_fail (take_waiting (self), FL_ERROR_FAILED, message);
      if (!self->closed)
        restart_later (self, message);
      g_object_unref (self);
      return;
    }
  self->beat = add_timer (self, BEAT_S * 1000, on_beat);
  set_state (self, FL_VIEW_STARTING, self->message);
  fl_view_link_beat (self->link);
  for (FlViewCall *call; (call = g_queue_pop_head (&self->waiting)) != NULL;)
    fl_view_link_ask (self->link, call);
}

/* --- requests --- */

typedef struct
{
  FlViewClient *client;
  guint32 id;
} Cancelled;

static FlViewCall *
take_call (FlViewClient *self, guint32 id)
{
  for (GList *l = self->waiting.head; l != NULL; l = l->next)
    if (((FlViewCall *) l->data)->id == id)
      {
        FlViewCall *call = l->data;
        g_queue_delete_link (&self->waiting, l);
        return call;
      }
  return self->link != NULL ? fl_view_link_withdraw (self->link, id) : NULL;
}

static gboolean
on_cancelled (GCancellable *cancellable G_GNUC_UNUSED, gpointer data)
{
  const Cancelled *c = data;
  FlViewCall *call = take_call (c->client, c->id);
  if (call != NULL)
    {
      g_task_return_error_if_cancelled (call->task);
      fl_view_call_free (call);
    }
  return G_SOURCE_REMOVE;
}

static void
request (FlViewClient *self, FlViewOperation operation, GVariant *body, GCancellable *cancellable,
         GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, data);
  g_autoptr (GVariant) own = g_variant_ref_sink (body);
  if (self->closed)
    {
      g_task_return_new_error (task, FL_ERROR, FL_ERROR_STOPPED, "the viewing process has been closed");
      return;
    }
  if (g_variant_get_size (own) > FL_VIEW_MAX_REQUEST)
    {
      g_task_return_new_error (task, FL_ERROR, FL_ERROR_INPUT,
                               "view request: paths of %zu bytes, expected at most %u",
                               g_variant_get_size (own), FL_VIEW_MAX_REQUEST);
      return;
    }
  if (g_task_return_error_if_cancelled (task))
    return;
  FlViewCall *call = g_new0 (FlViewCall, 1);
  do
    call->id = ++self->last_id;
  while (call->id == 0);
  call->operation = operation;
  call->frame = fl_view_frame_bytes (call->id, operation, FL_VIEW_OK, own);
  call->task = g_steal_pointer (&task);
  if (cancellable != NULL)
    {
      Cancelled *cancelled = g_new (Cancelled, 1);
      *cancelled = (Cancelled){ self, call->id };
      call->cancelled = g_cancellable_source_new (cancellable);
      g_source_set_callback (call->cancelled, G_SOURCE_FUNC (on_cancelled), cancelled, g_free);
      g_source_attach (call->cancelled, self->context);
    }
  if (self->link != NULL)
    fl_view_link_ask (self->link, call);
  else
    g_queue_push_tail (&self->waiting, call);
}

static gpointer
finish (FlViewClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

#define DEFINE_REQUEST(Reply, name, Request, NAME, encoded)                                                  \
  void fl_view_client_##name##_async (FlViewClient *self, Request, GCancellable *cancellable,                \
                                      GAsyncReadyCallback callback, gpointer data)                           \
  {                                                                                                          \
    request (self, FL_VIEW_##NAME, encoded, cancellable, callback, data);                                    \
  }                                                                                                          \
  Reply *fl_view_client_##name##_finish (FlViewClient *self, GAsyncResult *result, GError **error)           \
  {                                                                                                          \
    return finish (self, result, error);                                                                     \
  }

DEFINE_REQUEST (FlViewImage, image, const FlViewImageRequest *what, IMAGE,
                fl_view_image_request_encode (what))
DEFINE_REQUEST (FlViewSpots, spots, const FlViewSpotsRequest *what, SPOTS,
                fl_view_spots_request_encode (what))
DEFINE_REQUEST (FlViewLattices, lattices, const FlViewSpotsRequest *what, LATTICES,
                fl_view_spots_request_encode (what))
DEFINE_REQUEST (FlViewTried, try, const FlViewTryRequest *what, TRY, fl_view_try_request_encode (what))
DEFINE_REQUEST (FlViewSource, source, const FlViewSourceRequest *what, SOURCE,
                fl_view_source_request_encode (what))
DEFINE_REQUEST (FlViewLog, log, const FlViewLogRequest *what, LOG, fl_view_log_request_encode (what))
DEFINE_REQUEST (FlViewInflight, inflight, const char *dir, INFLIGHT, fl_view_inflight_request_encode (dir))

/* --- the client --- */

FlViewClient *
fl_view_client_new (const char *const *argv)
{
  FlViewClient *self = g_object_new (FL_TYPE_VIEW_CLIENT, NULL);
  self->argv = g_strdupv ((char **) argv);
  start (self);
  return self;
}

void
fl_view_client_close (FlViewClient *self)
{
  static const char message[] = "the viewing process has been closed";
  if (self->closed)
    return;
  self->closed = TRUE;
  clear_source (&self->restart);
  clear_source (&self->beat);
  g_object_ref (self);
  fl_view_calls_fail (take_waiting (self), FL_ERROR_STOPPED, message);
  if (self->link != NULL)
    drop_link (self, FL_ERROR_STOPPED, message);
  g_object_unref (self);
}

FlViewState
fl_view_client_state (FlViewClient *self)
{
  return self->state;
}

const char *
fl_view_client_message (FlViewClient *self)
{
  return self->message;
}

gint64
fl_view_client_round_trip (FlViewClient *self)
{
  return self->round_trip;
}

const char *
fl_view_client_pid (FlViewClient *self)
{
  return self->link != NULL ? fl_view_link_pid (self->link) : NULL;
}

void
fl_view_client_restart (FlViewClient *self)
{
  if (self->link != NULL)
    fl_view_link_kill (self->link, "started again as asked");
}

static void
fl_view_client_dispose (GObject *object)
{
  fl_view_client_close (FL_VIEW_CLIENT (object));
  G_OBJECT_CLASS (fl_view_client_parent_class)->dispose (object);
}

static void
fl_view_client_finalize (GObject *object)
{
  FlViewClient *self = FL_VIEW_CLIENT (object);
  g_strfreev (self->argv);
  g_free (self->message);
  g_main_context_unref (self->context);
  G_OBJECT_CLASS (fl_view_client_parent_class)->finalize (object);
}

static void
fl_view_client_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  FlViewClient *self = FL_VIEW_CLIENT (object);
  switch (id)
    {
    case PROP_STATE:
      g_value_set_int (value, (int) self->state);
      break;
    case PROP_MESSAGE:
      g_value_set_string (value, self->message);
      break;
    case PROP_ROUND_TRIP:
      g_value_set_int64 (value, self->round_trip);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
fl_view_client_class_init (FlViewClientClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  object_class->dispose = fl_view_client_dispose;
  object_class->finalize = fl_view_client_finalize;
  object_class->get_property = fl_view_client_get_property;
  props[PROP_STATE] = g_param_spec_int ("state", NULL, NULL, 0, FL_VIEW_RESTARTING, FL_VIEW_STARTING,
                                        G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  props[PROP_MESSAGE] = g_param_spec_string (
      "message", NULL, NULL, "", G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  props[PROP_ROUND_TRIP] =
      g_param_spec_int64 ("round-trip", NULL, NULL, -1, G_MAXINT64, -1,
                          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, N_PROPS, props);
  /* A request may meet a child that has just died. */
  signal (SIGPIPE, SIG_IGN);
}

static void
fl_view_client_init (FlViewClient *self)
{
  self->context = g_main_context_ref_thread_default ();
  self->message = g_strdup ("");
  self->pause_ms = FIRST_PAUSE_MS;
  self->round_trip = -1;
  g_queue_init (&self->waiting);
}
