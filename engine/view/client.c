#include "engine/view/client.h"

#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/error.h"

#define FIRST_PAUSE_MS 200u
#define LONGEST_PAUSE_MS 10000u
#define BEAT_S 2
#define SLOW_US (3 * G_USEC_PER_SEC)
#define LOST_US (20 * G_USEC_PER_SEC)
#define LAST_WORDS 512 /* bytes of the child's standard error that are read when it has ended */

typedef struct
{
  guint32 id;
  FlViewOperation operation;
  GBytes *frame; /* until it is sent */
  GTask *task;
  GSource *cancelled; /* NULL when it cannot be */
} Call;

/* One life of the child. Shared by the client and the thread that reads its answers. */
typedef struct
{
  FlViewClient *client; /* main context only; NULL once the client has let go */
  GMainContext *context;
  GSubprocess *process;
  int in;           /* its standard output: the thread's */
  int errors;       /* memory file that is its standard error */
  GMutex mutex;     /* calls, problem */
  GHashTable *calls; /* id → Call, sent and not answered */
  char *problem;    /* why its answers cannot be read any more */
  GQueue outgoing;  /* of GBytes; main context only, as the two below */
  gboolean sending;
  gint64 beat;      /* when the heartbeat that is not answered was sent, 0 = none (µs, monotonic) */
} Link;

struct _FlViewClient
{
  GObject parent;
  char **argv;
  GMainContext *context;
  Link *link;     /* NULL while there is no child */
  GQueue waiting; /* of Call, for the next child */
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

/* --- calls --- */

static void
call_free (Call *call)
{
  if (call->cancelled != NULL)
    {
      g_source_destroy (call->cancelled);
      g_source_unref (call->cancelled);
    }
  g_clear_pointer (&call->frame, g_bytes_unref);
  g_object_unref (call->task);
  g_free (call);
}

static void
call_fail (Call *call, int code, const char *message)
{
  g_task_return_new_error (call->task, FL_ERROR, code, "%s", message);
  call_free (call);
}

static void
fail_all (GPtrArray *calls, int code, const char *message)
{
  for (guint i = 0; i < calls->len; i++)
    call_fail (calls->pdata[i], code, message);
  g_ptr_array_unref (calls);
}

/* --- a link --- */

static void
link_clear (gpointer data)
{
  Link *link = data;
  g_queue_clear_full (&link->outgoing, (GDestroyNotify) g_bytes_unref);
  g_hash_table_unref (link->calls);
  g_clear_object (&link->process);
  g_clear_pointer (&link->context, g_main_context_unref);
  g_free (link->problem);
  if (link->errors >= 0)
    close (link->errors);
  g_mutex_clear (&link->mutex);
}

static void
link_unref (Link *link)
{
  g_atomic_rc_box_release_full (link, link_clear);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Link, link_unref)

static Call *
link_take (Link *link, guint32 id)
{
  gpointer call = NULL;
  g_mutex_lock (&link->mutex);
  g_hash_table_steal_extended (link->calls, GUINT_TO_POINTER (id), NULL, &call);
  g_mutex_unlock (&link->mutex);
  return call;
}

static GPtrArray *
link_take_all (Link *link)
{
  GPtrArray *calls = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer call;
  g_mutex_lock (&link->mutex);
  g_hash_table_iter_init (&iter, link->calls);
  while (g_hash_table_iter_next (&iter, NULL, &call))
    g_ptr_array_add (calls, call);
  g_hash_table_steal_all (link->calls);
  g_mutex_unlock (&link->mutex);
  return calls;
}

static void link_send_next (Link *link);

static void
on_sent (GObject *stream, GAsyncResult *result, gpointer data)
{
  g_autoptr (Link) link = data;
  link->sending = FALSE;
  /* A failure means that the child is gone, which is noticed where it is waited for. */
  if (g_output_stream_write_all_finish (G_OUTPUT_STREAM (stream), result, NULL, NULL))
    link_send_next (link);
}

static void
link_send_next (Link *link)
{
  GBytes *bytes = g_queue_pop_head (&link->outgoing);
  if (bytes == NULL)
    return;
  gsize length;
  const void *data = g_bytes_get_data (bytes, &length);
  GOutputStream *stream = g_subprocess_get_stdin_pipe (link->process);
  g_object_set_data_full (G_OBJECT (stream), "sending", bytes, (GDestroyNotify) g_bytes_unref);
  link->sending = TRUE;
  g_output_stream_write_all_async (stream, data, length, G_PRIORITY_DEFAULT, NULL, on_sent,
                                   g_atomic_rc_box_acquire (link));
}

/* Takes the bytes. */
static void
link_send (Link *link, GBytes *bytes)
{
  g_queue_push_tail (&link->outgoing, bytes);
  if (!link->sending)
    link_send_next (link);
}

/* --- answers: decoded by the link's thread, delivered in the main context --- */

typedef struct
{
  Link *link;
  Call *call;   /* NULL: the answer to a heartbeat, or the end of the answers */
  gpointer result;
  GDestroyNotify unref;
  GError *error;
  gint64 arrived; /* µs; 0 at the end of the answers */
} Delivery;

static void
delivery_free (Delivery *delivery)
{
  link_unref (delivery->link);
  g_clear_pointer (&delivery->call, call_free);
  g_clear_error (&delivery->error);
  if (delivery->result != NULL)
    delivery->unref (delivery->result);
  g_free (delivery);
}

static gboolean
deliver (gpointer data)
{
  Delivery *d = data;
  if (d->error != NULL)
    g_task_return_error (d->call->task, g_steal_pointer (&d->error));
  else
    g_task_return_pointer (d->call->task, g_steal_pointer (&d->result), d->unref);
  return G_SOURCE_REMOVE;
}

/* Never in this thread, even when nobody runs the context just now. */
static void
in_context (Delivery *delivery, GSourceFunc function)
{
  g_autoptr (GSource) source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, function, delivery, (GDestroyNotify) delivery_free);
  g_source_attach (source, delivery->link->context);
}

static GError *
parse_error (GBytes *body)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) parsed = fl_view_body_parse (body, FL_VIEW_ERROR_REPLY, &error);
  if (parsed == NULL)
    return g_steal_pointer (&error);
  int code;
  const char *message;
  g_variant_get (parsed, "(i&s)", &code, &message);
  return g_error_new_literal (FL_ERROR, CLAMP (code, 0, FL_ERROR_FAILED), message);
}

static void
decode_answer (Delivery *d, GBytes *body)
{
  static const char *types[] = { [FL_VIEW_IMAGE] = FL_VIEW_IMAGE_REPLY,   [FL_VIEW_SPOTS] = FL_VIEW_SPOTS_REPLY,
                                 [FL_VIEW_SOURCE] = FL_VIEW_SOURCE_REPLY, [FL_VIEW_LOG] = FL_VIEW_LOG_REPLY,
                                 [FL_VIEW_INFLIGHT] = FL_VIEW_INFLIGHT_REPLY,
                                 [FL_VIEW_LATTICES] = FL_VIEW_LATTICES_REPLY, [FL_VIEW_TRY] = FL_VIEW_TRY_REPLY };
  g_autoptr (GVariant) parsed = fl_view_body_parse (body, types[d->call->operation], &d->error);
  if (parsed == NULL)
    return;
  switch (d->call->operation)
    {
    case FL_VIEW_IMAGE:
      d->result = fl_view_image_decode (parsed, &d->error);
      d->unref = (GDestroyNotify) fl_view_image_unref;
      break;
    case FL_VIEW_SPOTS:
      d->result = fl_view_spots_decode (parsed, &d->error);
      d->unref = (GDestroyNotify) fl_view_spots_unref;
      break;
    case FL_VIEW_LATTICES:
      d->result = fl_view_lattices_decode (parsed, &d->error);
      d->unref = (GDestroyNotify) fl_view_lattices_unref;
      break;
    case FL_VIEW_TRY:
      d->result = fl_view_tried_decode (parsed, &d->error);
      d->unref = (GDestroyNotify) fl_view_tried_unref;
      break;
    case FL_VIEW_SOURCE:
      d->result = fl_view_source_decode (parsed);
      d->unref = (GDestroyNotify) fl_view_source_unref;
      break;
    case FL_VIEW_LOG:
      d->result = fl_view_log_decode (parsed);
      d->unref = (GDestroyNotify) fl_view_log_unref;
      break;
    case FL_VIEW_INFLIGHT:
      d->result = fl_view_inflight_decode (parsed);
      d->unref = (GDestroyNotify) fl_view_inflight_unref;
      break;
    case FL_VIEW_HELLO:
    case FL_VIEW_CANCEL:
    case FL_VIEW_OPERATION_LAST:
    default:
      g_assert_not_reached ();
    }
}

static Delivery *
delivery_new (Link *link)
{
  Delivery *delivery = g_new0 (Delivery, 1);
  delivery->link = g_atomic_rc_box_acquire (link);
  return delivery;
}

static gboolean on_beat_answered (gpointer data);
static gboolean on_answers_ended (gpointer data);

static gboolean
read_hello (GBytes *body, GError **error)
{
  g_autoptr (GVariant) parsed = fl_view_body_parse (body, FL_VIEW_HELLO_REPLY, error);
  guint32 version = 0;
  if (parsed != NULL)
    g_variant_get (parsed, "(u&s)", &version, NULL);
  if (parsed != NULL && version != FL_VIEW_VERSION)
    g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED, "it speaks version %u of the view protocol, expected %d", version,
                 FL_VIEW_VERSION);
  return version == FL_VIEW_VERSION;
}

static gboolean
read_answer (Link *link, GError **error)
{
  FlViewFrame frame;
  g_autoptr (GBytes) body = NULL;
  if (!fl_view_frame_read (link->in, FL_VIEW_MAX_REPLY, &frame, &body, error))
    return FALSE;
  if (frame.operation == FL_VIEW_HELLO)
    {
      if (!read_hello (body, error))
        return FALSE;
      Delivery *delivery = delivery_new (link);
      delivery->arrived = g_get_monotonic_time ();
      in_context (delivery, on_beat_answered);
      return TRUE;
    }
  Call *call = link_take (link, frame.id);
  if (call == NULL)
    return TRUE; /* cancelled meanwhile */
  Delivery *delivery = delivery_new (link);
  delivery->call = call;
  if (frame.status == FL_VIEW_CANCELLED || frame.operation != call->operation)
    delivery->error = g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED, "overtaken by a newer request");
  else if (frame.status == FL_VIEW_ERROR)
    delivery->error = parse_error (body);
  else
    decode_answer (delivery, body);
  in_context (delivery, deliver);
  return TRUE;
}

static gpointer
link_run (gpointer data)
{
  g_autoptr (Link) link = data;
  g_autoptr (GError) error = NULL;
  while (read_answer (link, &error))
    ;
  g_mutex_lock (&link->mutex);
  if (link->problem == NULL && error != NULL)
    link->problem = g_strdup (error->message);
  g_mutex_unlock (&link->mutex);
  in_context (delivery_new (link), on_answers_ended);
  return NULL;
}

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
send_beat (FlViewClient *self)
{
  self->link->beat = g_get_monotonic_time ();
  link_send (self->link, fl_view_frame_bytes (0, FL_VIEW_HELLO, FL_VIEW_OK,
                                              g_variant_new (FL_VIEW_HELLO_REQUEST, FL_VIEW_VERSION)));
}

static gboolean
on_beat_answered (gpointer data)
{
  const Delivery *d = data;
  FlViewClient *self = d->link->client;
  if (self == NULL || d->link->beat == 0)
    return G_SOURCE_REMOVE;
  self->round_trip = d->arrived - d->link->beat;
  self->pause_ms = FIRST_PAUSE_MS;
  d->link->beat = 0;
  set_state (self, FL_VIEW_UP, "");
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_ROUND_TRIP]);
  return G_SOURCE_REMOVE;
}

static void
link_kill (Link *link, const char *why)
{
  g_mutex_lock (&link->mutex);
  if (link->problem == NULL)
    link->problem = g_strdup (why);
  g_mutex_unlock (&link->mutex);
  g_subprocess_force_exit (link->process);
}

static gboolean
on_beat (gpointer data)
{
  FlViewClient *self = data;
  Link *link = self->link;
  struct stat about;
  if (fstat (link->errors, &about) == 0 && about.st_size > 64 * LAST_WORDS)
    (void) ftruncate (link->errors, 0);
  if (link->beat == 0)
    send_beat (self);
  else if (g_get_monotonic_time () - link->beat > LOST_US)
    link_kill (link, "no answer for 20 s");
  else if (g_get_monotonic_time () - link->beat > SLOW_US)
    set_state (self, FL_VIEW_SLOW, "no answer for some seconds");
  return G_SOURCE_CONTINUE;
}

/* --- the child's beginning and end --- */

static gboolean
on_answers_ended (gpointer data)
{
  const Delivery *d = data;
  g_subprocess_force_exit (d->link->process);
  return G_SOURCE_REMOVE;
}

/* The last line that the child wrote to its standard error; "" when there is none. */
static char *
last_words (Link *link)
{
  char text[LAST_WORDS + 1];
  struct stat about;
  if (fstat (link->errors, &about) != 0)
    return g_strdup ("");
  gssize got = pread (link->errors, text, LAST_WORDS, MAX (about.st_size - LAST_WORDS, 0));
  text[MAX (got, 0)] = '\0';
  g_strchomp (text);
  const char *line = strrchr (text, '\n');
  return g_utf8_make_valid (line != NULL ? line + 1 : text, -1);
}

static char *
how_it_ended (Link *link)
{
  g_autofree char *words = last_words (link);
  GSubprocess *p = link->process;
  g_mutex_lock (&link->mutex);
  g_autofree char *why
      = link->problem != NULL     ? g_strdup (link->problem)
        : g_subprocess_get_if_signaled (p) ? g_strdup_printf ("ended by signal %d", g_subprocess_get_term_sig (p))
                                  : g_strdup_printf ("ended with status %d", g_subprocess_get_exit_status (p));
  g_mutex_unlock (&link->mutex);
  return g_strdup_printf ("the viewing process: %s%s%s", why, *words != '\0' ? ": " : "", words);
}

static void
on_child_ended (GObject *process, GAsyncResult *result, gpointer data)
{
  g_autoptr (Link) link = data;
  FlViewClient *self = link->client;
  g_subprocess_wait_finish (G_SUBPROCESS (process), result, NULL);
  if (self == NULL)
    return;
  g_autofree char *message = how_it_ended (link);
  link->client = NULL;
  g_object_ref (self); /* a failed call may hold the last reference */
  self->link = NULL;
  fail_all (link_take_all (link), FL_ERROR_FAILED, message);
  if (!self->closed)
    restart_later (self, message);
  link_unref (link); /* the client's */
  g_object_unref (self);
}

static Link *
link_new (FlViewClient *self, GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autoptr (Link) link = g_atomic_rc_box_new0 (Link);
  g_mutex_init (&link->mutex);
  g_queue_init (&link->outgoing);
  link->calls = g_hash_table_new (NULL, NULL);
  link->errors = memfd_create ("stderr", MFD_CLOEXEC);
  if (link->errors >= 0 && fcntl (link->errors, F_SETFL, O_APPEND) == 0)
    g_subprocess_launcher_take_stderr_fd (launcher, fcntl (link->errors, F_DUPFD_CLOEXEC, 3));
  link->process = g_subprocess_launcher_spawnv (launcher, (const char *const *) self->argv, error);
  if (link->process == NULL)
    return NULL;
  /* Requests are written from the main loop: they must never wait for a child that does not read. */
  int out = g_unix_output_stream_get_fd (G_UNIX_OUTPUT_STREAM (g_subprocess_get_stdin_pipe (link->process)));
  (void) fcntl (out, F_SETFL, O_NONBLOCK);
  link->in = g_unix_input_stream_get_fd (G_UNIX_INPUT_STREAM (g_subprocess_get_stdout_pipe (link->process)));
  link->context = g_main_context_ref (self->context);
  link->client = self;
  return g_steal_pointer (&link);
}

static void
send_call (FlViewClient *self, Call *call)
{
  Link *link = self->link;
  g_mutex_lock (&link->mutex);
  g_hash_table_insert (link->calls, GUINT_TO_POINTER (call->id), call);
  GBytes *frame = g_steal_pointer (&call->frame);
  g_mutex_unlock (&link->mutex);
  link_send (link, frame);
}

static GPtrArray *
take_waiting (FlViewClient *self)
{
  GPtrArray *calls = g_ptr_array_new ();
  for (Call *call; (call = g_queue_pop_head (&self->waiting)) != NULL;)
    g_ptr_array_add (calls, call);
  return calls;
}

static void
start (FlViewClient *self)
{
  g_autoptr (GError) error = NULL;
  self->link = link_new (self, &error);
  if (self->link == NULL)
    {
      g_autofree char *message = g_strdup_printf ("the viewing process cannot be started: %s", error->message);
      g_object_ref (self);
      fail_all (take_waiting (self), FL_ERROR_FAILED, message);
      if (!self->closed)
        restart_later (self, message);
      g_object_unref (self);
      return;
    }
  g_subprocess_wait_async (self->link->process, NULL, on_child_ended, g_atomic_rc_box_acquire (self->link));
  g_thread_unref (g_thread_new ("view answers", link_run, g_atomic_rc_box_acquire (self->link)));
  self->beat = add_timer (self, BEAT_S * 1000, on_beat);
  set_state (self, FL_VIEW_STARTING, self->message);
  send_beat (self);
  for (Call *call; (call = g_queue_pop_head (&self->waiting)) != NULL;)
    send_call (self, call);
}

/* --- requests --- */

typedef struct
{
  FlViewClient *client;
  guint32 id;
} Cancelled;

static Call *
take_call (FlViewClient *self, guint32 id)
{
  for (GList *l = self->waiting.head; l != NULL; l = l->next)
    if (((Call *) l->data)->id == id)
      {
        Call *call = l->data;
        g_queue_delete_link (&self->waiting, l);
        return call;
      }
  if (self->link == NULL)
    return NULL;
  Call *call = link_take (self->link, id);
  if (call != NULL)
    link_send (self->link, fl_view_frame_bytes (0, FL_VIEW_CANCEL, FL_VIEW_OK,
                                                g_variant_new (FL_VIEW_CANCEL_REQUEST, id)));
  return call;
}

static gboolean
on_cancelled (GCancellable *cancellable G_GNUC_UNUSED, gpointer data)
{
  const Cancelled *c = data;
  Call *call = take_call (c->client, c->id);
  if (call != NULL)
    {
      g_task_return_error_if_cancelled (call->task);
      call_free (call);
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
      g_task_return_new_error (task, FL_ERROR, FL_ERROR_INPUT, "view request: paths of %zu bytes, expected at most %u",
                               g_variant_get_size (own), FL_VIEW_MAX_REQUEST);
      return;
    }
  if (g_task_return_error_if_cancelled (task))
    return;
  Call *call = g_new0 (Call, 1);
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
    send_call (self, call);
  else
    g_queue_push_tail (&self->waiting, call);
}

static gpointer
finish (FlViewClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

#define DEFINE_REQUEST(Reply, name, Request, NAME, encoded)                                                          \
  void fl_view_client_##name##_async (FlViewClient *self, Request, GCancellable *cancellable,                         \
                                      GAsyncReadyCallback callback, gpointer data)                                    \
  {                                                                                                                   \
    request (self, FL_VIEW_##NAME, encoded, cancellable, callback, data);                                             \
  }                                                                                                                   \
  Reply *fl_view_client_##name##_finish (FlViewClient *self, GAsyncResult *result, GError **error)                    \
  {                                                                                                                   \
    return finish (self, result, error);                                                                              \
  }

DEFINE_REQUEST (FlViewImage, image, const FlViewImageRequest *what, IMAGE, fl_view_image_request_encode (what))
DEFINE_REQUEST (FlViewSpots, spots, const FlViewSpotsRequest *what, SPOTS, fl_view_spots_request_encode (what))
DEFINE_REQUEST (FlViewLattices, lattices, const FlViewSpotsRequest *what, LATTICES, fl_view_spots_request_encode (what))
DEFINE_REQUEST (FlViewTried, try, const FlViewTryRequest *what, TRY, fl_view_try_request_encode (what))
DEFINE_REQUEST (FlViewSource, source, const FlViewSourceRequest *what, SOURCE, fl_view_source_request_encode (what))
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
  fail_all (take_waiting (self), FL_ERROR_STOPPED, message);
  if (self->link != NULL)
    {
      g_autoptr (Link) link = g_steal_pointer (&self->link);
      link->client = NULL;
      fail_all (link_take_all (link), FL_ERROR_STOPPED, message);
      g_subprocess_force_exit (link->process);
    }
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
  return self->link != NULL ? g_subprocess_get_identifier (self->link->process) : NULL;
}

void
fl_view_client_restart (FlViewClient *self)
{
  if (self->link != NULL)
    link_kill (self->link, "started again as asked");
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
  props[PROP_MESSAGE] = g_param_spec_string ("message", NULL, NULL, "",
                                             G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  props[PROP_ROUND_TRIP] = g_param_spec_int64 ("round-trip", NULL, NULL, -1, G_MAXINT64, -1,
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
