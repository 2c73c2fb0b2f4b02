#include "engine/view/client-link.h"

#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/view/whole.h"

#define LAST_WORDS 512 /* bytes of the child's standard error that are read when it has ended */

/* Shared by the client and the thread that reads its answers. */
struct FlViewLink
{
  FlViewClient *client; /* main context only; NULL once the client has let go */
  const FlViewLinkEvents *events;
  GMainContext *context;
  GSubprocess *process;
  int in; /* its standard output: the thread's, as is `whole` */
  FlViewWhole *whole;
  int errors;        /* memory file that is its standard error */
  GMutex mutex;      /* calls, problem */
  GHashTable *calls; /* id → FlViewCall, sent and not answered */
  char *problem;     /* why its answers cannot be read any more */
  GQueue outgoing;   /* of GBytes; main context only, as the two below */
  gboolean sending;
  gint64 beat; /* when the heartbeat that is not answered was sent, 0 = none (µs, monotonic) */
};

/* --- calls --- */

void
fl_view_call_free (FlViewCall *call)
{
  if (call->cancelled != NULL)
    {
      g_source_destroy (call->cancelled);
      g_source_unref (call->cancelled);
    }
  g_clear_pointer (&call->frame, g_bytes_unref);
  fl_view_kept_clear (&call->kept);
  g_object_unref (call->task);
  g_free (call);
}

static void
call_fail (FlViewCall *call, int code, const char *message)
{
  g_task_return_new_error (call->task, FL_ERROR, code, "%s", message);
  fl_view_call_free (call);
}

void
fl_view_calls_fail (GPtrArray *calls, int code, const char *message)
{
  for (guint i = 0; i < calls->len; i++)
    call_fail (calls->pdata[i], code, message);
  g_ptr_array_unref (calls);
}

/* --- a link --- */

static void
link_clear (gpointer data)
{
  FlViewLink *link = data;
  g_queue_clear_full (&link->outgoing, (GDestroyNotify) g_bytes_unref);
  g_hash_table_unref (link->calls);
  fl_view_whole_free (link->whole);
  g_clear_object (&link->process);
  g_clear_pointer (&link->context, g_main_context_unref);
  g_free (link->problem);
  if (link->errors >= 0)
    close (link->errors);
  g_mutex_clear (&link->mutex);
}

static void
link_unref (FlViewLink *link)
{
  g_atomic_rc_box_release_full (link, link_clear);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlViewLink, link_unref)

static FlViewCall *
link_take (FlViewLink *link, guint32 id)
{
  gpointer call = NULL;
  g_mutex_lock (&link->mutex);
  g_hash_table_steal_extended (link->calls, GUINT_TO_POINTER (id), NULL, &call);
  g_mutex_unlock (&link->mutex);
  return call;
}

GPtrArray *
fl_view_link_take_all (FlViewLink *link)
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

static void link_send_next (FlViewLink *link);

static void
on_sent (GObject *stream, GAsyncResult *result, gpointer data)
{
  g_autoptr (FlViewLink) link = data;
  link->sending = FALSE;
  /* A failure means that the child is gone, which is noticed where it is waited for. */
  if (g_output_stream_write_all_finish (G_OUTPUT_STREAM (stream), result, NULL, NULL))
    link_send_next (link);
}

static void
link_send_next (FlViewLink *link)
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
link_send (FlViewLink *link, GBytes *bytes)
{
  g_queue_push_tail (&link->outgoing, bytes);
  if (!link->sending)
    link_send_next (link);
}

/* --- answers: decoded by the link's thread, delivered in the main context --- */

typedef struct
{
  FlViewLink *link;
  FlViewCall *call; /* NULL: the answer to a heartbeat, or the end of the answers */
  gpointer result;
  GDestroyNotify unref;
  GError *error;
  gint64 arrived; /* µs; 0 at the end of the answers */
} Delivery;

static void
delivery_free (Delivery *delivery)
{
  link_unref (delivery->link);
  g_clear_pointer (&delivery->call, fl_view_call_free);
  g_clear_error (&delivery->error);
  if (delivery->result != NULL)
    delivery->unref (delivery->result);
  g_free (delivery);
}

static gboolean
deliver (gpointer data)
{
  Delivery *d = data;
  if (d->link->client != NULL)
    d->link->events->delivered (d->link->client, d->call, d->result);
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
  static const char *types[] = {
    [FL_VIEW_IMAGE] = FL_VIEW_IMAGE_REPLY,       [FL_VIEW_SPOTS] = FL_VIEW_SPOTS_REPLY,
    [FL_VIEW_SOURCE] = FL_VIEW_SOURCE_REPLY,     [FL_VIEW_LOG] = FL_VIEW_LOG_REPLY,
    [FL_VIEW_INFLIGHT] = FL_VIEW_INFLIGHT_REPLY, [FL_VIEW_FIND] = FL_VIEW_FIND_REPLY,
    [FL_VIEW_FEED] = FL_VIEW_FEED_REPLY,         [FL_VIEW_LATTICES] = FL_VIEW_LATTICES_REPLY,
    [FL_VIEW_TRY] = FL_VIEW_TRY_REPLY,           [FL_VIEW_MAP] = FL_VIEW_MAP_REPLY,
    [FL_VIEW_MODEL] = FL_VIEW_MODEL_REPLY,       [FL_VIEW_MASK] = FL_VIEW_MASK_REPLY
  };
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
    case FL_VIEW_FIND:
      d->result = fl_view_found_decode (parsed);
      d->unref = (GDestroyNotify) fl_view_found_unref;
      break;
    case FL_VIEW_FEED:
      d->result = fl_view_feed_decode (parsed);
      d->unref = (GDestroyNotify) g_bytes_unref;
      break;
    case FL_VIEW_MAP:
      d->result = fl_view_map_decode (parsed, &d->error);
      d->unref = (GDestroyNotify) fl_view_map_free;
      break;
    case FL_VIEW_MODEL:
      d->result = fl_view_model_decode (parsed, &d->error);
      d->unref = (GDestroyNotify) fl_view_model_free;
      break;
    case FL_VIEW_MASK:
      d->result = fl_view_mask_decode (parsed, &d->error);
      d->unref = (GDestroyNotify) fl_view_mask_unref;
      break;
    case FL_VIEW_HELLO:
    case FL_VIEW_CANCEL:
    case FL_VIEW_OPERATION_LAST:
    default:
      g_assert_not_reached ();
    }
}

static Delivery *
delivery_new (FlViewLink *link)
{
  Delivery *delivery = g_new0 (Delivery, 1);
  delivery->link = g_atomic_rc_box_acquire (link);
  return delivery;
}

static gboolean
read_hello (GBytes *body, GError **error)
{
  g_autoptr (GVariant) parsed = fl_view_body_parse (body, FL_VIEW_HELLO_REPLY, error);
  guint32 version = 0;
  if (parsed != NULL)
    g_variant_get (parsed, "(u&s)", &version, NULL);
  if (parsed != NULL && version != FL_VIEW_VERSION)
    g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                 "it speaks version %u of the view protocol, expected %d", version, FL_VIEW_VERSION);
  return version == FL_VIEW_VERSION;
}

static gboolean
on_beat_answered (gpointer data)
{
  const Delivery *d = data;
  FlViewLink *link = d->link;
  if (link->client == NULL || link->beat == 0)
    return G_SOURCE_REMOVE;
  gint64 round_trip = d->arrived - link->beat;
  link->beat = 0;
  link->events->answered (link->client, round_trip);
  return G_SOURCE_REMOVE;
}

static gboolean
on_answers_ended (gpointer data)
{
  const Delivery *d = data;
  g_subprocess_force_exit (d->link->process);
  return G_SOURCE_REMOVE;
}

static gboolean
read_answer (FlViewLink *link, GError **error)
{
  FlViewFrame frame;
  g_autoptr (GBytes) body = NULL;
  if (!fl_view_frame_read (link->in, FL_VIEW_MAX_REPLY, &frame, &body, error))
    return FALSE;
  if (!fl_view_whole_take (link->whole, &frame, &body, error))
    return *error == NULL;
  if (frame.operation == FL_VIEW_HELLO)
    {
      if (!read_hello (body, error))
        return FALSE;
      Delivery *delivery = delivery_new (link);
      delivery->arrived = g_get_monotonic_time ();
      in_context (delivery, on_beat_answered);
      return TRUE;
    }
  FlViewCall *call = link_take (link, frame.id);
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
  g_autoptr (FlViewLink) link = data;
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

/* --- the child's beginning and end --- */

/* The last line that the child wrote to its standard error; "" when there is none. */
static char *
last_words (FlViewLink *link)
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
how_it_ended (FlViewLink *link)
{
  g_autofree char *words = last_words (link);
  GSubprocess *p = link->process;
  g_mutex_lock (&link->mutex);
  g_autofree char *why = link->problem != NULL ? g_strdup (link->problem)
                         : g_subprocess_get_if_signaled (p)
                             ? g_strdup_printf ("ended by signal %d", g_subprocess_get_term_sig (p))
                             : g_strdup_printf ("ended with status %d", g_subprocess_get_exit_status (p));
  g_mutex_unlock (&link->mutex);
  return g_strdup_printf ("the viewing process: %s%s%s", why, *words != '\0' ? ": " : "", words);
}

static void
on_child_ended (GObject *process, GAsyncResult *result, gpointer data)
{
  g_autoptr (FlViewLink) link = data;
  g_subprocess_wait_finish (G_SUBPROCESS (process), result, NULL);
  if (link->client == NULL)
    return;
  g_autofree char *how = how_it_ended (link);
  link->events->ended (link->client, how);
}

FlViewLink *
fl_view_link_new (const char *const *argv, GMainContext *context, const FlViewLinkEvents *events,
                  FlViewClient *client, GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autoptr (FlViewLink) link = g_atomic_rc_box_new0 (FlViewLink);
  g_mutex_init (&link->mutex);
  g_queue_init (&link->outgoing);
  link->calls = g_hash_table_new (NULL, NULL);
  link->whole = fl_view_whole_new ();
  link->errors = memfd_create ("stderr", MFD_CLOEXEC);
  if (link->errors >= 0 && fcntl (link->errors, F_SETFL, O_APPEND) == 0)
    g_subprocess_launcher_take_stderr_fd (launcher, fcntl (link->errors, F_DUPFD_CLOEXEC, 3));
  link->process = g_subprocess_launcher_spawnv (launcher, argv, error);
  if (link->process == NULL)
    return NULL;
  /* Requests are written from the main loop: they must never wait for a child that does not read. */
  int out = g_unix_output_stream_get_fd (G_UNIX_OUTPUT_STREAM (g_subprocess_get_stdin_pipe (link->process)));
  (void) fcntl (out, F_SETFL, O_NONBLOCK);
  link->in = g_unix_input_stream_get_fd (G_UNIX_INPUT_STREAM (g_subprocess_get_stdout_pipe (link->process)));
  link->context = g_main_context_ref (context);
  link->client = client;
  link->events = events;
  g_subprocess_wait_async (link->process, NULL, on_child_ended, g_atomic_rc_box_acquire (link));
  g_thread_unref (g_thread_new ("view answers", link_run, g_atomic_rc_box_acquire (link)));
  return g_steal_pointer (&link);
}

/* --- what the client does with it --- */

void
fl_view_link_ask (FlViewLink *link, FlViewCall *call)
{
  g_mutex_lock (&link->mutex);
  g_hash_table_insert (link->calls, GUINT_TO_POINTER (call->id), call);
  GBytes *frame = g_steal_pointer (&call->frame);
  g_mutex_unlock (&link->mutex);
  link_send (link, frame);
}

FlViewCall *
fl_view_link_withdraw (FlViewLink *link, guint32 id)
{
  FlViewCall *call = link_take (link, id);
  if (call != NULL)
    link_send (link, fl_view_frame_bytes (0, FL_VIEW_CANCEL, 0, g_variant_new (FL_VIEW_CANCEL_REQUEST, id)));
  return call;
}

gboolean
fl_view_link_hand_over (FlViewLink *link, guint32 id, GTask *task, GSource *cancelled)
{
  g_mutex_lock (&link->mutex);
  FlViewCall *call = g_hash_table_lookup (link->calls, GUINT_TO_POINTER (id));
  if (call != NULL)
    {
      g_object_unref (call->task);
      call->task = g_object_ref (task);
      call->cancelled = cancelled != NULL ? g_source_ref (cancelled) : NULL;
    }
  g_mutex_unlock (&link->mutex);
  return call != NULL;
}

gboolean
fl_view_link_is_idle (FlViewLink *link)
{
  g_mutex_lock (&link->mutex);
  gboolean idle = g_hash_table_size (link->calls) == 0;
  g_mutex_unlock (&link->mutex);
  return idle;
}

gint64
fl_view_link_beat (FlViewLink *link)
{
  struct stat about;
  if (fstat (link->errors, &about) == 0 && about.st_size > 64 * LAST_WORDS)
    (void) ftruncate (link->errors, 0);
  if (link->beat != 0)
    return g_get_monotonic_time () - link->beat;
  link->beat = g_get_monotonic_time ();
  link_send (link, fl_view_frame_bytes (0, FL_VIEW_HELLO, 0,
                                        g_variant_new (FL_VIEW_HELLO_REQUEST, FL_VIEW_VERSION)));
  return 0;
}

void
fl_view_link_kill (FlViewLink *link, const char *why)
{
  g_mutex_lock (&link->mutex);
  if (link->problem == NULL)
    link->problem = g_strdup (why);
  g_mutex_unlock (&link->mutex);
  g_subprocess_force_exit (link->process);
}

const char *
fl_view_link_pid (FlViewLink *link)
{
  return g_subprocess_get_identifier (link->process);
}

void
fl_view_link_free (FlViewLink *link)
{
  link->client = NULL;
  g_subprocess_force_exit (link->process);
  link_unref (link);
}
