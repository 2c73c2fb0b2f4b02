#include "engine/view/server.h"

#include <poll.h>
#include <signal.h>

#include "engine/base/error.h"
#include "engine/view/replies.h"
#include "engine/view/whole.h"

#define MAX_QUEUED    256  /* requests a lane: more than any screen can show */
#define WORTH_DEFLATE 4096 /* bytes */

typedef enum
{
  LANE_PICTURES,
  LANE_TEXTS,
  LANE_SEARCHES,
  LANE_FEEDS,
  LANE_MAPS,
  N_LANES
} LaneName;

static const struct
{
  const char *request;
  LaneName lane;
} operations[FL_VIEW_OPERATION_LAST] = {
  [FL_VIEW_HELLO] = { FL_VIEW_HELLO_REQUEST, LANE_TEXTS },
  [FL_VIEW_IMAGE] = { FL_VIEW_IMAGE_REQUEST, LANE_PICTURES },
  [FL_VIEW_SPOTS] = { FL_VIEW_SPOTS_REQUEST, LANE_PICTURES },
  [FL_VIEW_SOURCE] = { FL_VIEW_SOURCE_REQUEST, LANE_PICTURES },
  [FL_VIEW_LOG] = { FL_VIEW_LOG_REQUEST, LANE_TEXTS },
  [FL_VIEW_CANCEL] = { FL_VIEW_CANCEL_REQUEST, LANE_TEXTS },
  [FL_VIEW_INFLIGHT] = { FL_VIEW_INFLIGHT_REQUEST, LANE_TEXTS },
  [FL_VIEW_TRY] = { FL_VIEW_TRY_REQUEST, LANE_PICTURES },
  [FL_VIEW_LATTICES] = { FL_VIEW_LATTICES_REQUEST, LANE_PICTURES },
  [FL_VIEW_FIND] = { FL_VIEW_FIND_REQUEST, LANE_SEARCHES },
  [FL_VIEW_FEED] = { FL_VIEW_FEED_REQUEST, LANE_FEEDS },
  [FL_VIEW_MAP] = { FL_VIEW_MAP_REQUEST, LANE_MAPS },
  [FL_VIEW_MODEL] = { FL_VIEW_MODEL_REQUEST, LANE_MAPS },
  [FL_VIEW_MASK] = { FL_VIEW_MASK_REQUEST, LANE_PICTURES },
};

typedef struct
{
  guint32 id;
  FlViewOperation operation;
  gboolean far; /* bytes are dear */
  GVariant *body;
  FlViewImageRequest image; /* of an image request; strings in body */
  GCancellable *cancellable;
} Request;

typedef struct Server Server;

typedef struct
{
  Server *server;
  GQueue queue;     /* of Request, newest first */
  Request *current; /* being worked on */
  GCond changed;
} Lane;

/* Shared by the reader and the lanes, so that a lane which is left behind can end in its own time. */
struct Server
{
  int out;
  FlViewReplies *replies;
  const char *program;
  const FlViewHandlers *handlers;
  gpointer data;
  GMutex mutex; /* the lanes and the three below */
  gboolean ended, broken;
  int running; /* lanes */
  GCond stopped;
  Lane lanes[N_LANES];
};

static void
request_free (Request *request)
{
  g_clear_pointer (&request->body, g_variant_unref);
  g_object_unref (request->cancellable);
  g_free (request);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Request, request_free)

static void
server_clear (gpointer data)
{
  Server *server = data;
  for (int i = 0; i < N_LANES; i++)
    g_cond_clear (&server->lanes[i].changed);
  fl_view_replies_unref (server->replies);
  g_mutex_clear (&server->mutex);
  g_cond_clear (&server->stopped);
}

/* --- replies --- */

/* When nobody reads the replies any more, what is still queued is not worth doing. */
static void
server_break (Server *server)
{
  g_mutex_lock (&server->mutex);
  server->broken = TRUE;
  for (int i = 0; i < N_LANES; i++)
    {
      g_queue_clear_full (&server->lanes[i].queue, (GDestroyNotify) request_free);
      if (server->lanes[i].current != NULL)
        g_cancellable_cancel (server->lanes[i].current->cancellable);
    }
  g_mutex_unlock (&server->mutex);
}

static void
reply (Server *server, const FlViewReply *reply)
{
  if (!fl_view_replies_add (server->replies, reply))
    server_break (server);
}

/* A short one, made by the reader. */
static void
reply_at_once (Server *server, guint32 id, FlViewOperation operation, FlViewStatus status, GVariant *body)
{
  const FlViewReply small = { .id = id,
                              .operation = operation,
                              .status = status,
                              .body = body != NULL ? fl_view_body_bytes (body) : NULL,
                              .lane = -1 };
  reply (server, &small);
}

static GVariant *
error_body (const GError *error)
{
  g_autofree char *message = g_utf8_make_valid (error->message, -1);
  int code = error->domain == FL_ERROR ? error->code : FL_ERROR_FAILED;
  return g_variant_new (FL_VIEW_ERROR_REPLY, code, message);
}

/* --- lanes --- */

/* The answer as a floating GVariant, NULL with error. */
static GVariant *
answer (Server *server, const Request *request, GError **error)
{
  const FlViewHandlers *h = server->handlers;
  switch (request->operation)
    {
    case FL_VIEW_IMAGE:
      {
        g_autoptr (FlViewImage) image = h->image (server->data, &request->image, request->cancellable, error);
        return image != NULL ? fl_view_image_encode (image, request->image.encoding) : NULL;
      }
    case FL_VIEW_SPOTS:
      {
        FlViewSpotsRequest r;
        fl_view_spots_request_decode (request->body, &r);
        g_autoptr (FlViewSpots) spots = h->spots (server->data, &r, request->cancellable, error);
        return spots != NULL ? fl_view_spots_encode (spots) : NULL;
      }
    case FL_VIEW_LATTICES:
      {
        FlViewSpotsRequest r;
        fl_view_spots_request_decode (request->body, &r);
        g_autoptr (FlViewLattices) lattices = h->lattices (server->data, &r, request->cancellable, error);
        return lattices != NULL ? fl_view_lattices_encode (lattices) : NULL;
      }
    case FL_VIEW_TRY:
      {
        FlViewTryRequest r;
        fl_view_try_request_decode (request->body, &r);
        g_autoptr (FlViewTried) tried = h->try_trial (server->data, &r, request->cancellable, error);
        return tried != NULL ? fl_view_tried_encode (tried) : NULL;
      }
    case FL_VIEW_SOURCE:
      {
        FlViewSourceRequest r;
        fl_view_source_request_decode (request->body, &r);
        g_autoptr (FlViewSource) source = h->source (server->data, &r, request->cancellable, error);
        return source != NULL ? fl_view_source_encode (source) : NULL;
      }
    case FL_VIEW_LOG:
      {
        FlViewLogRequest r;
        fl_view_log_request_decode (request->body, &r);
        g_autoptr (FlViewLog) log = h->log (server->data, &r, request->cancellable, error);
        return log != NULL ? fl_view_log_encode (log) : NULL;
      }
    case FL_VIEW_INFLIGHT:
      {
        const char *dir = fl_view_inflight_request_decode (request->body);
        g_autoptr (FlViewInflight) inflight = h->inflight (server->data, dir, request->cancellable, error);
        return inflight != NULL ? fl_view_inflight_encode (inflight) : NULL;
      }
    case FL_VIEW_FIND:
      {
        FlViewFindRequest r;
        fl_view_find_request_decode (request->body, &r);
        g_autoptr (FlViewFound) found = h->find (server->data, &r, request->cancellable, error);
        return found != NULL ? fl_view_found_encode (found) : NULL;
      }
    case FL_VIEW_FEED:
      {
        FlViewFeedRequest r;
        fl_view_feed_request_decode (request->body, &r);
        g_autoptr (GBytes) batch = h->feed (server->data, &r, request->cancellable, error);
        return batch != NULL ? fl_view_feed_encode (batch) : NULL;
      }
    case FL_VIEW_MAP:
      {
        FlViewMapRequest r;
        if (!fl_view_map_request_decode (request->body, &r, error))
          return NULL;
        g_autoptr (FlViewMap) map = h->map (server->data, &r, request->cancellable, error);
        return map != NULL ? fl_view_map_encode (map, r.encoding) : NULL;
      }
    case FL_VIEW_MODEL:
      {
        const char *path = fl_view_model_request_decode (request->body);
        g_autoptr (FlViewModel) model = h->model (server->data, path, request->cancellable, error);
        return model != NULL ? fl_view_model_encode (model) : NULL;
      }
    case FL_VIEW_MASK:
      {
        FlViewMaskRequest r;
        if (!fl_view_mask_request_decode (request->body, &r, error))
          return NULL;
        g_autoptr (FlViewMask) mask = h->mask (server->data, &r, request->cancellable, error);
        g_free ((gpointer) r.files);
        return mask != NULL ? fl_view_mask_encode (mask) : NULL;
      }
    case FL_VIEW_HELLO:
    case FL_VIEW_CANCEL:
    case FL_VIEW_OPERATION_LAST:
    default:
      g_assert_not_reached ();
    }
}

static gboolean
is_served (const FlViewHandlers *h, FlViewOperation operation)
{
  return (operation != FL_VIEW_FIND || h->find != NULL) && (operation != FL_VIEW_FEED || h->feed != NULL)
         && (operation != FL_VIEW_MAP || h->map != NULL) && (operation != FL_VIEW_MODEL || h->model != NULL)
         && (operation != FL_VIEW_MASK || h->mask != NULL);
}

static void
work_on (Server *server, int lane, const Request *request)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) body = NULL;
  if (is_served (server->handlers, request->operation))
    body = answer (server, request, &error);
  else
    g_set_error (&error, FL_ERROR, FL_ERROR_UNSUPPORTED, "view request: this is not served here");
  FlViewReply r = { .id = request->id,
                    .operation = request->operation,
                    .status = FL_VIEW_ERROR,
                    .lane = lane,
                    .slot = request->image.slot };
  if (body != NULL)
    g_variant_ref_sink (body);
  if (body != NULL && g_variant_get_size (body) > FL_VIEW_MAX_REPLY)
    {
      g_set_error (&error, FL_ERROR, FL_ERROR_UNSUPPORTED, "view reply: %zu bytes, expected at most %u",
                   g_variant_get_size (body), FL_VIEW_MAX_REPLY);
      g_clear_pointer (&body, g_variant_unref);
    }
  if (g_cancellable_is_cancelled (request->cancellable))
    r.status = FL_VIEW_CANCELLED;
  else if (body == NULL)
    r.body = fl_view_body_bytes (error_body (error));
  else
    {
      r.status = FL_VIEW_OK;
      r.body = fl_view_body_bytes (body);
      gboolean packed = request->operation == FL_VIEW_IMAGE && request->image.encoding == FL_VIEW_COMPACT;
      if (request->far && !packed && g_bytes_get_size (r.body) > WORTH_DEFLATE)
        r.body = fl_view_deflate (r.body, &r.flags);
    }
  reply (server, &r);
}

static gpointer
lane_run (gpointer data)
{
  Lane *lane = data;
  Server *server = lane->server;
  g_mutex_lock (&server->mutex);
  for (;;)
    {
      while (g_queue_is_empty (&lane->queue) && !server->ended)
        g_cond_wait (&lane->changed, &server->mutex);
      lane->current = g_queue_pop_head (&lane->queue);
      if (lane->current == NULL)
        break;
      g_mutex_unlock (&server->mutex);
      work_on (server, (int) (lane - server->lanes), lane->current);
      g_mutex_lock (&server->mutex);
      g_clear_pointer (&lane->current, request_free);
    }
  server->running--;
  g_cond_signal (&server->stopped);
  g_mutex_unlock (&server->mutex);
  g_atomic_rc_box_release_full (server, server_clear);
  return NULL;
}

/* Takes the requests that `by` overtakes (or, `by` NULL, that has the id) out of the queue, and tells the one being
 * worked on. Under the mutex; what it returns is to be answered CANCELLED. */
static GSList *
lane_cancel (Lane *lane, guint32 id, const Request *by)
{
  GSList *gone = NULL;
  GList *next;
  for (GList *l = lane->queue.head; l != NULL; l = next)
    {
      Request *r = l->data;
      next = l->next;
      if (by == NULL ? r->id == id : r->operation == FL_VIEW_IMAGE && r->image.slot == by->image.slot)
        {
          g_queue_delete_link (&lane->queue, l);
          gone = g_slist_prepend (gone, r);
        }
    }
  const Request *c = lane->current;
  if (c != NULL
      && (by == NULL ? c->id == id : c->operation == FL_VIEW_IMAGE && c->image.slot == by->image.slot))
    g_cancellable_cancel (c->cancellable);
  return gone;
}

static void
reply_cancelled (Server *server, GSList *gone)
{
  for (GSList *l = gone; l != NULL; l = l->next)
    {
      const Request *r = l->data;
      reply_at_once (server, r->id, r->operation, FL_VIEW_CANCELLED, NULL);
    }
  g_slist_free_full (gone, (GDestroyNotify) request_free);
}

/* --- the reader --- */

static void
cancel (Server *server, guint32 id)
{
  GSList *gone = NULL;
  g_mutex_lock (&server->mutex);
  for (int i = 0; i < N_LANES; i++)
    gone = g_slist_concat (gone, lane_cancel (&server->lanes[i], id, NULL));
  g_mutex_unlock (&server->mutex);
  fl_view_replies_cancel (server->replies, id, 0);
  reply_cancelled (server, gone);
}

static void
enqueue (Server *server, Request *request)
{
  Lane *lane = &server->lanes[operations[request->operation].lane];
  gboolean is_image = request->operation == FL_VIEW_IMAGE;
  guint32 slot = request->image.slot;
  GSList *gone = NULL;
  if (is_image)
    fl_view_replies_cancel (server->replies, 0, slot);
  g_mutex_lock (&server->mutex);
  if (is_image)
    gone = lane_cancel (lane, 0, request);
  gboolean room = g_queue_get_length (&lane->queue) < MAX_QUEUED;
  if (room)
    {
      g_queue_push_nth (&lane->queue, request, is_image && slot == FL_VIEW_SLOT_AHEAD ? -1 : 0);
      g_cond_signal (&lane->changed);
    }
  g_mutex_unlock (&server->mutex);
  reply_cancelled (server, gone);
  if (!room)
    {
      g_autoptr (GError) error =
          g_error_new (FL_ERROR, FL_ERROR_BUSY, "view request: %d others are waiting already", MAX_QUEUED);
      reply_at_once (server, request->id, request->operation, FL_VIEW_ERROR, error_body (error));
      request_free (request);
    }
}

/* A body that is not what the operation asks for is an error of that request alone. */
static void
accept_request (Server *server, const FlViewFrame *frame, GBytes *bytes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Request) request = g_new0 (Request, 1);
  request->id = frame->id;
  request->operation = frame->operation;
  request->far = (frame->flags & FL_VIEW_FAR) != 0;
  request->cancellable = g_cancellable_new ();
  request->body = fl_view_body_parse (bytes, operations[frame->operation].request, &error);
  if (request->body == NULL
      || (frame->operation == FL_VIEW_IMAGE
          && !fl_view_image_request_decode (request->body, &request->image, &error)))
    reply_at_once (server, frame->id, frame->operation, FL_VIEW_ERROR, error_body (error));
  else if (frame->operation == FL_VIEW_HELLO)
    reply_at_once (server, frame->id, FL_VIEW_HELLO, FL_VIEW_OK,
                   g_variant_new (FL_VIEW_HELLO_REPLY, FL_VIEW_VERSION, server->program));
  else if (frame->operation == FL_VIEW_CANCEL)
    {
      guint32 id;
      g_variant_get (request->body, "(u)", &id);
      cancel (server, id);
    }
  else
    enqueue (server, g_steal_pointer (&request));
}

static gboolean
server_is_broken (Server *server)
{
  g_mutex_lock (&server->mutex);
  gboolean broken = server->broken;
  g_mutex_unlock (&server->mutex);
  return broken;
}

static Server *
server_new (int out, const char *program, const FlViewHandlers *handlers, gpointer data)
{
  static const char *const names[N_LANES] = { "pictures", "texts", "searches", "feeds", "maps" };
  Server *server = g_atomic_rc_box_new0 (Server);
  *server =
      (Server){ .out = out, .program = program, .handlers = handlers, .data = data, .running = N_LANES };
  server->replies = fl_view_replies_new (out, N_LANES);
  g_mutex_init (&server->mutex);
  g_cond_init (&server->stopped);
  for (int i = 0; i < N_LANES; i++)
    {
      Lane *lane = &server->lanes[i];
      lane->server = server;
      g_queue_init (&lane->queue);
      g_cond_init (&lane->changed);
      g_atomic_rc_box_acquire (server);
      g_thread_unref (g_thread_new (names[i], lane_run, lane));
    }
  return server;
}

static gboolean
is_left (int out)
{
  struct pollfd reader = { .fd = out };
  return poll (&reader, 1, 0) > 0 && (reader.revents & (POLLERR | POLLHUP)) != 0;
}

/* Until the lanes have done their work and it has been written, or nobody waits for it. */
static void
server_wait (Server *server)
{
  gboolean left = FALSE;
  g_mutex_lock (&server->mutex);
  server->ended = TRUE;
  for (int i = 0; i < N_LANES; i++)
    g_cond_signal (&server->lanes[i].changed);
  while (server->running > 0 && !left)
    if (!g_cond_wait_until (&server->stopped, &server->mutex, g_get_monotonic_time () + G_USEC_PER_SEC))
      left = is_left (server->out);
  g_mutex_unlock (&server->mutex);
  fl_view_replies_end (server->replies);
  while (!left && !fl_view_replies_wait (server->replies))
    left = is_left (server->out);
}

gboolean
fl_view_serve (int in, int out, const char *program, const FlViewHandlers *handlers, gpointer data,
               GError **error)
{
  g_autoptr (GError) local = NULL;
  FlViewFrame frame;
  GBytes *bytes;

  signal (SIGPIPE, SIG_IGN);
  Server *server = server_new (out, program, handlers, data);
  while (!server_is_broken (server) && fl_view_frame_read (in, FL_VIEW_MAX_REQUEST, &frame, &bytes, &local))
    {
      accept_request (server, &frame, bytes);
      g_clear_pointer (&bytes, g_bytes_unref);
    }
  server_wait (server);
  g_atomic_rc_box_release_full (server, server_clear);
  gboolean good = local == NULL;
  if (!good)
    g_propagate_error (error, g_steal_pointer (&local));
  return good;
}
