#include "engine/view/server.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include "engine/base/error.h"

#define MAX_QUEUED 256 /* requests a lane: more than any screen can show */

typedef enum
{
  LANE_PICTURES,
  LANE_TEXTS,
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
};

typedef struct
{
  guint32 id;
  FlViewOperation operation;
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
  const char *program;
  const FlViewHandlers *handlers;
  gpointer data;
  GMutex mutex; /* the lanes and the three below */
  gboolean ended, broken;
  int running; /* lanes */
  GCond stopped;
  Lane lanes[N_LANES];
  GMutex writing;
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
  g_mutex_clear (&server->mutex);
  g_mutex_clear (&server->writing);
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
reply (Server *server, guint32 id, FlViewOperation operation, FlViewStatus status, GVariant *body)
{
  g_mutex_lock (&server->writing);
  gboolean written = fl_view_frame_write (server->out, id, operation, status, body, NULL);
  g_mutex_unlock (&server->writing);
  if (!written)
    server_break (server);
}

static void
reply_error (Server *server, guint32 id, FlViewOperation operation, const GError *error)
{
  g_autofree char *message = g_utf8_make_valid (error->message, -1);
  int code = error->domain == FL_ERROR ? error->code : FL_ERROR_FAILED;
  reply (server, id, operation, FL_VIEW_ERROR, g_variant_new (FL_VIEW_ERROR_REPLY, code, message));
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
        return image != NULL ? fl_view_image_encode (image) : NULL;
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
    case FL_VIEW_HELLO:
    case FL_VIEW_CANCEL:
    case FL_VIEW_OPERATION_LAST:
    default:
      g_assert_not_reached ();
    }
}

static void
work_on (Server *server, const Request *request)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) body = answer (server, request, &error);
  if (body != NULL)
    g_variant_ref_sink (body);
  if (g_cancellable_is_cancelled (request->cancellable))
    reply (server, request->id, request->operation, FL_VIEW_CANCELLED, NULL);
  else if (body == NULL)
    reply_error (server, request->id, request->operation, error);
  else if (g_variant_get_size (body) > FL_VIEW_MAX_REPLY)
    {
      g_autoptr (GError) big =
          g_error_new (FL_ERROR, FL_ERROR_UNSUPPORTED, "view reply: %zu bytes, expected at most %u",
                       g_variant_get_size (body), FL_VIEW_MAX_REPLY);
      reply_error (server, request->id, request->operation, big);
    }
  else
    reply (server, request->id, request->operation, FL_VIEW_OK, body);
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
      work_on (server, lane->current);
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
      reply (server, r->id, r->operation, FL_VIEW_CANCELLED, NULL);
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
  reply_cancelled (server, gone);
}

static void
enqueue (Server *server, Request *request)
{
  Lane *lane = &server->lanes[operations[request->operation].lane];
  GSList *gone = NULL;
  g_mutex_lock (&server->mutex);
  if (request->operation == FL_VIEW_IMAGE)
    gone = lane_cancel (lane, 0, request);
  gboolean room = g_queue_get_length (&lane->queue) < MAX_QUEUED;
  if (room)
    {
      g_queue_push_head (&lane->queue, request);
      g_cond_signal (&lane->changed);
    }
  g_mutex_unlock (&server->mutex);
  reply_cancelled (server, gone);
  if (!room)
    {
      g_autoptr (GError) error =
          g_error_new (FL_ERROR, FL_ERROR_BUSY, "view request: %d others are waiting already", MAX_QUEUED);
      reply_error (server, request->id, request->operation, error);
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
  request->cancellable = g_cancellable_new ();
  request->body = fl_view_body_parse (bytes, operations[frame->operation].request, &error);
  if (request->body == NULL
      || (frame->operation == FL_VIEW_IMAGE
          && !fl_view_image_request_decode (request->body, &request->image, &error)))
    reply_error (server, frame->id, frame->operation, error);
  else if (frame->operation == FL_VIEW_HELLO)
    reply (server, frame->id, FL_VIEW_HELLO, FL_VIEW_OK,
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
  Server *server = g_atomic_rc_box_new0 (Server);
  *server =
      (Server){ .out = out, .program = program, .handlers = handlers, .data = data, .running = N_LANES };
  g_mutex_init (&server->mutex);
  g_mutex_init (&server->writing);
  g_cond_init (&server->stopped);
  for (int i = 0; i < N_LANES; i++)
    {
      Lane *lane = &server->lanes[i];
      lane->server = server;
      g_queue_init (&lane->queue);
      g_cond_init (&lane->changed);
      g_atomic_rc_box_acquire (server);
      g_thread_unref (g_thread_new (i == LANE_PICTURES ? "pictures" : "texts", lane_run, lane));
    }
  return server;
}

/* Until the lanes have done their work, or nobody waits for it. */
static void
server_wait (Server *server)
{
  struct pollfd reader = { .fd = server->out };
  g_mutex_lock (&server->mutex);
  server->ended = TRUE;
  for (int i = 0; i < N_LANES; i++)
    g_cond_signal (&server->lanes[i].changed);
  while (server->running > 0)
    if (!g_cond_wait_until (&server->stopped, &server->mutex, g_get_monotonic_time () + G_USEC_PER_SEC)
        && poll (&reader, 1, 0) > 0 && (reader.revents & (POLLERR | POLLHUP)) != 0)
      break;
  g_mutex_unlock (&server->mutex);
}

gboolean
fl_view_serve (int in, int out, const char *program, const FlViewHandlers *handlers, gpointer data,
               GError **error)
{
  g_autoptr (GError) local = NULL;
  FlViewFrame frame;
  GBytes *bytes;

  signal (SIGPIPE, SIG_IGN);
  (void) fcntl (out, F_SETPIPE_SZ, 1 << 20); /* a picture in a few turns; no matter where it is refused */
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
