#include "engine/view/client.h"

#include <signal.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/view/client-ahead.h"
#include "engine/view/client-link.h"

#define FIRST_PAUSE_MS   200u
#define LONGEST_PAUSE_MS 10000u
#define BEAT_S           2
#define SLOW_US          (3 * G_USEC_PER_SEC)
#define LOST_US          (20 * G_USEC_PER_SEC)
#define KEPT_BYTES       (64u << 20)

struct _FlViewClient
{
  GObject parent;
  char **argv;
  GMainContext *context;
  FlViewLink *link; /* NULL while there is no child */
  GQueue waiting;   /* of FlViewCall, for the next child */
  guint32 last_id;
  guint pause_ms;
  GSource *restart, *beat, *idle;
  FlViewState state;
  char *message;
  gint64 round_trip;
  gboolean closed, far;
  FlViewCache *cache;
  FlViewAhead *ahead;
  guint32 ahead_id; /* of what is asked for before anybody wants it, 0 = none */
  FlViewOperation ahead_operation;
  char *ahead_key;
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
static void on_delivered (FlViewClient *self, const FlViewCall *call, gpointer answer);

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
  self->ahead_id = 0;
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
  static const FlViewLinkEvents events = { on_answered, on_delivered, on_ended };
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

static void look_ahead_soon (FlViewClient *self);

static GSource *
watch_cancellable (FlViewClient *self, GCancellable *cancellable, guint32 id)
{
  if (cancellable == NULL)
    return NULL;
  Cancelled *cancelled = g_new (Cancelled, 1);
  *cancelled = (Cancelled){ self, id };
  GSource *source = g_cancellable_source_new (cancellable);
  g_source_set_callback (source, G_SOURCE_FUNC (on_cancelled), cancelled, g_free);
  g_source_attach (source, self->context);
  return source;
}

/* What was asked for ahead is asked for now: its answer goes to the task. */
static gboolean
take_ahead (FlViewClient *self, const char *key, GTask *task, GCancellable *cancellable)
{
  if (self->ahead_id == 0 || self->link == NULL || g_strcmp0 (self->ahead_key, key) != 0)
    return FALSE;
  g_autoptr (GSource) cancelled = watch_cancellable (self, cancellable, self->ahead_id);
  gboolean taken = fl_view_link_hand_over (self->link, self->ahead_id, task, cancelled);
  if (!taken && cancelled != NULL)
    g_source_destroy (cancelled);
  self->ahead_id = 0;
  return taken;
}

/* A picture that nobody has asked for yet is not to be in the way of one that is wanted. */
static void
make_way (FlViewClient *self, FlViewOperation operation)
{
  gboolean both =
      self->ahead_operation == FL_VIEW_IMAGE && (operation == FL_VIEW_IMAGE || operation == FL_VIEW_TRY);
  FlViewCall *call = self->ahead_id != 0 && both ? take_call (self, self->ahead_id) : NULL;
  if (call == NULL)
    return;
  self->ahead_id = 0;
  g_task_return_new_error (call->task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "no longer wanted");
  fl_view_call_free (call);
}

/* Sends it; takes `kept`. Returns its id. */
static guint32
send_call (FlViewClient *self, FlViewOperation operation, GVariant *body, FlViewKept kept, GTask *task,
           GCancellable *cancellable)
{
  FlViewCall *call = g_new0 (FlViewCall, 1);
  do
    call->id = ++self->last_id;
  while (call->id == 0);
  call->operation = operation;
  call->kept = kept;
  call->frame = fl_view_frame_bytes (call->id, operation, self->far ? FL_VIEW_FAR : 0, body);
  call->task = g_object_ref (task);
  call->cancelled = watch_cancellable (self, cancellable, call->id);
  guint32 id = call->id;
  if (self->link != NULL)
    fl_view_link_ask (self->link, call);
  else
    g_queue_push_tail (&self->waiting, call);
  return id;
}

/* Takes what `kept` (NULL: the answer is not kept) points to. */
static void
request (FlViewClient *self, FlViewOperation operation, GVariant *body, FlViewKept *kept,
         GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, data);
  g_autoptr (GVariant) own = g_variant_ref_sink (body);
  const char *key = kept != NULL ? kept->key : NULL;
  gpointer answer = NULL;
  GDestroyNotify unref;
  if (self->closed)
    g_task_return_new_error (task, FL_ERROR, FL_ERROR_STOPPED, "the viewing process has been closed");
  else if (g_variant_get_size (own) > FL_VIEW_MAX_REQUEST)
    g_task_return_new_error (task, FL_ERROR, FL_ERROR_INPUT,
                             "view request: paths of %zu bytes, expected at most %u",
                             g_variant_get_size (own), FL_VIEW_MAX_REQUEST);
  else if (g_task_return_error_if_cancelled (task))
    ;
  else if (key != NULL && (answer = fl_view_cache_get (self->cache, key, &unref)) != NULL)
    {
      g_task_return_pointer (task, answer, unref);
      look_ahead_soon (self);
    }
  else if (!take_ahead (self, key, task, cancellable))
    {
      FlViewKept none = { NULL, NULL };
      make_way (self, operation);
      send_call (self, operation, own, kept != NULL ? *kept : none, task, cancellable);
      return;
    }
  if (kept != NULL)
    fl_view_kept_clear (kept);
}

/* --- what will be asked for next --- */

/* One after the other, while there is nothing else to do. */
static void
look_ahead (FlViewClient *self)
{
  if (self->ahead_id != 0 || self->link == NULL || !fl_view_link_is_idle (self->link))
    return;
  FlViewForeseen *next = fl_view_ahead_pop (self->ahead, self->cache);
  if (next == NULL)
    return;
  g_autoptr (GTask) task = g_task_new (self, NULL, NULL, NULL);
  g_free (self->ahead_key);
  self->ahead_key = g_strdup (next->kept.key);
  self->ahead_operation = next->operation;
  self->ahead_id = send_call (self, next->operation, next->body, next->kept, task, NULL);
  next->kept = (FlViewKept){ NULL, NULL };
  fl_view_foreseen_free (next);
}

static gboolean
on_idle (gpointer data)
{
  FlViewClient *self = data;
  clear_source (&self->idle);
  look_ahead (self);
  return G_SOURCE_REMOVE;
}

/* When those who have been answered have asked what they ask next. */
static void
look_ahead_soon (FlViewClient *self)
{
  if (!self->far || self->closed || self->idle != NULL)
    return;
  self->idle = g_idle_source_new ();
  g_source_set_callback (self->idle, on_idle, self, NULL);
  g_source_attach (self->idle, self->context);
}

static void
on_delivered (FlViewClient *self, const FlViewCall *call, gpointer answer)
{
  if (call->id == self->ahead_id)
    self->ahead_id = 0;
  if (answer != NULL && call->kept.key != NULL)
    fl_view_cache_put (self->cache, &call->kept, call->operation, answer);
  look_ahead_soon (self);
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
    request (self, FL_VIEW_##NAME, encoded, NULL, cancellable, callback, data);                              \
  }                                                                                                          \
  DEFINE_FINISH (Reply, name)
#define DEFINE_FINISH(Reply, name)                                                                           \
  Reply *fl_view_client_##name##_finish (FlViewClient *self, GAsyncResult *result, GError **error)           \
  {                                                                                                          \
    return finish (self, result, error);                                                                     \
  }

DEFINE_REQUEST (FlViewTried, try, const FlViewTryRequest *what, TRY, fl_view_try_request_encode (what))
DEFINE_REQUEST (FlViewSource, source, const FlViewSourceRequest *what, SOURCE,
                fl_view_source_request_encode (what))
DEFINE_REQUEST (FlViewLog, log, const FlViewLogRequest *what, LOG, fl_view_log_request_encode (what))
DEFINE_REQUEST (FlViewInflight, inflight, const char *dir, INFLIGHT, fl_view_inflight_request_encode (dir))
DEFINE_REQUEST (FlViewFound, find, const FlViewFindRequest *what, FIND, fl_view_find_request_encode (what))
DEFINE_REQUEST (GBytes, feed, const FlViewFeedRequest *what, FEED, fl_view_feed_request_encode (what))
DEFINE_REQUEST (FlViewModel, model, const char *path, MODEL, fl_view_model_request_encode (path))
DEFINE_REQUEST (FlViewMask, mask, const FlViewMaskRequest *what, MASK, fl_view_mask_request_encode (what))
DEFINE_FINISH (FlViewMap, map)
DEFINE_FINISH (FlViewImage, image)
DEFINE_FINISH (FlViewSpots, spots)
DEFINE_FINISH (FlViewLattices, lattices)

void
fl_view_client_image_async (FlViewClient *self, const FlViewImageRequest *what, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer data)
{
  FlViewImageRequest r = *what;
  r.encoding = self->far ? FL_VIEW_COMPACT : FL_VIEW_RAW;
  FlViewKept kept = fl_view_kept_image (&r);
  request (self, FL_VIEW_IMAGE, fl_view_image_request_encode (&r), &kept, cancellable, callback, data);
}

void
fl_view_client_map_async (FlViewClient *self, const FlViewMapRequest *what, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer data)
{
  FlViewMapRequest r = *what;
  r.encoding = self->far ? FL_VIEW_COMPACT : FL_VIEW_RAW;
  request (self, FL_VIEW_MAP, fl_view_map_request_encode (&r), NULL, cancellable, callback, data);
}

static void
ask_results (FlViewClient *self, FlViewOperation operation, const FlViewSpotsRequest *what,
             GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  FlViewKept kept = fl_view_kept_results (operation, what);
  request (self, operation, fl_view_spots_request_encode (what), &kept, cancellable, callback, data);
}

void
fl_view_client_spots_async (FlViewClient *self, const FlViewSpotsRequest *what, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer data)
{
  ask_results (self, FL_VIEW_SPOTS, what, cancellable, callback, data);
}

void
fl_view_client_lattices_async (FlViewClient *self, const FlViewSpotsRequest *what, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer data)
{
  ask_results (self, FL_VIEW_LATTICES, what, cancellable, callback, data);
}

void
fl_view_client_foresee_image (FlViewClient *self, const FlViewImageRequest *request)
{
  FlViewImageRequest r = *request;
  r.encoding = FL_VIEW_COMPACT;
  fl_view_ahead_put_image (self->ahead, &r);
  look_ahead_soon (self);
}

void
fl_view_client_foresee_results (FlViewClient *self, const FlViewSpotsRequest *request)
{
  fl_view_ahead_put_results (self->ahead, request);
  look_ahead_soon (self);
}

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
  clear_source (&self->idle);
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
fl_view_client_set_far (FlViewClient *self, gboolean far)
{
  self->far = far;
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
  g_free (self->ahead_key);
  fl_view_ahead_free (self->ahead);
  fl_view_cache_free (self->cache);
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
  self->cache = fl_view_cache_new (KEPT_BYTES);
  self->ahead = fl_view_ahead_new ();
}
