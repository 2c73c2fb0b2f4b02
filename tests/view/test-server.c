/* The server: its two lanes, overtaking, cancelling, its end. */

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/view/whole.h"

#include "tests/view/fake-handlers.h"

typedef struct
{
  Fake *fake;
  int to, from; /* this side's ends */
  int in, out;  /* the server's */
  GThread *thread;
  GError *error;
} Fixture;

static gpointer
run (gpointer data)
{
  Fixture *f = data;
  gboolean good = fl_view_serve (f->in, f->out, "fake", &fake_handlers, f->fake, &f->error);
  g_assert_true (good == (f->error == NULL));
  close (f->in);
  close (f->out);
  return NULL;
}

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  int down[2], up[2];
  g_assert_cmpint (pipe (down), ==, 0);
  g_assert_cmpint (pipe (up), ==, 0);
  *f = (Fixture){ .fake = fake_new (), .in = down[0], .to = down[1], .from = up[0], .out = up[1] };
  f->thread = g_thread_new ("server", run, f);
}

static void
end_input (Fixture *f)
{
  close (f->to);
  f->to = -1;
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  fake_release (f->fake);
  if (f->to >= 0)
    close (f->to);
  if (f->thread != NULL)
    g_thread_join (f->thread);
  if (f->from >= 0)
    close (f->from);
  g_clear_error (&f->error);
  fake_free (f->fake);
}

static void
ask (Fixture *f, guint32 id, FlViewOperation operation, GVariant *body)
{
  g_autoptr (GBytes) frame = fl_view_frame_bytes (id, operation, 0, body);
  gsize length;
  const void *bytes = g_bytes_get_data (frame, &length);
  g_assert_cmpint (write (f->to, bytes, length), ==, length);
}

static void
ask_image (Fixture *f, guint32 id, guint32 slot, const char *path)
{
  FlViewImageRequest r = { .slot = slot, .source = { path, NULL, NULL }, .width = 4, .height = 3 };
  ask (f, id, FL_VIEW_IMAGE, fl_view_image_request_encode (&r));
}

static void
ask_source (Fixture *f, guint32 id, const char *path)
{
  FlViewSourceRequest r = { path, NULL, NULL };
  ask (f, id, FL_VIEW_SOURCE, fl_view_source_request_encode (&r));
}

static FlViewFrame
expect (Fixture *f, guint32 id, FlViewStatus status, GBytes **body)
{
  FlViewFrame frame = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;
  gboolean got = fl_view_frame_read (f->from, FL_VIEW_MAX_REPLY, &frame, &bytes, &error);
  g_assert_no_error (error);
  g_assert_true (got);
  g_assert_cmpuint (frame.id, ==, id);
  g_assert_cmpuint (frame.status, ==, status);
  if (body != NULL)
    *body = g_steal_pointer (&bytes);
  return frame;
}

static void
test_hello (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GBytes) body = NULL;
  ask (f, 5, FL_VIEW_HELLO, g_variant_new (FL_VIEW_HELLO_REQUEST, FL_VIEW_VERSION));
  expect (f, 5, FL_VIEW_OK, &body);
  g_autoptr (GVariant) parsed = fl_view_body_parse (body, FL_VIEW_HELLO_REPLY, NULL);
  guint32 version;
  const char *program;
  g_variant_get (parsed, "(u&s)", &version, &program);
  g_assert_cmpuint (version, ==, FL_VIEW_VERSION);
  g_assert_cmpstr (program, ==, "fake");
}

static void
test_overtake (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  ask_image (f, 1, 1, "hold");
  fake_wait_held (f->fake);
  ask_image (f, 2, 1, "a"); /* cancels 1, which is being worked on, and waits for it */
  expect (f, 1, FL_VIEW_CANCELLED, NULL);
  expect (f, 2, FL_VIEW_OK, NULL);

  f->fake->stubborn = TRUE;
  ask_image (f, 10, 7, "hold");
  fake_wait_held (f->fake);
  ask_image (f, 11, 1, "a");
  ask_image (f, 12, 1, "b");
  expect (f, 11, FL_VIEW_CANCELLED, NULL);
  ask_image (f, 13, 1, "c");
  expect (f, 12, FL_VIEW_CANCELLED, NULL);
  fake_release (f->fake);
  expect (f, 10, FL_VIEW_OK, NULL);
  expect (f, 13, FL_VIEW_OK, NULL);
}

static void
test_newest_first (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  ask_image (f, 1, 1, "hold");
  fake_wait_held (f->fake);
  ask_source (f, 2, "two");
  ask_source (f, 3, "three");
  ask_image (f, 4, 9, "four");
  /* The reader has taken them all once it answers this. */
  ask (f, 5, FL_VIEW_HELLO, g_variant_new (FL_VIEW_HELLO_REQUEST, FL_VIEW_VERSION));
  expect (f, 5, FL_VIEW_OK, NULL);
  fake_release (f->fake);
  expect (f, 1, FL_VIEW_OK, NULL);
  expect (f, 4, FL_VIEW_OK, NULL);
  expect (f, 3, FL_VIEW_OK, NULL);
  expect (f, 2, FL_VIEW_OK, NULL);
  g_assert_cmpstr (f->fake->order->str, ==, "hold four three two ");
}

static void
test_cancel (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  ask_image (f, 1, 1, "hold");
  fake_wait_held (f->fake);
  ask_source (f, 2, "two");
  ask_source (f, 3, "three");
  ask (f, 0, FL_VIEW_CANCEL, g_variant_new (FL_VIEW_CANCEL_REQUEST, 2));
  expect (f, 2, FL_VIEW_CANCELLED, NULL);
  ask (f, 0, FL_VIEW_CANCEL, g_variant_new (FL_VIEW_CANCEL_REQUEST, 77)); /* nobody */
  ask (f, 0, FL_VIEW_CANCEL, g_variant_new (FL_VIEW_CANCEL_REQUEST, 1));
  expect (f, 1, FL_VIEW_CANCELLED, NULL);
  expect (f, 3, FL_VIEW_OK, NULL);
}

/* Logs and tables in flight while a picture is stuck. */
static void
test_lanes (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GBytes) body = NULL;
  FlViewLogRequest r = { "run.log", 3, 10 };
  f->fake->stubborn = TRUE;
  ask_image (f, 1, 1, "hold");
  fake_wait_held (f->fake);
  ask (f, 2, FL_VIEW_LOG, fl_view_log_request_encode (&r));
  expect (f, 2, FL_VIEW_OK, &body);
  g_autoptr (GVariant) parsed = fl_view_body_parse (body, FL_VIEW_LOG_REPLY, NULL);
  g_autoptr (FlViewLog) log = fl_view_log_decode (parsed);
  g_assert_cmpmem (g_bytes_get_data (log->bytes, NULL), (int) g_bytes_get_size (log->bytes), "run.log", 7);
  ask (f, 3, FL_VIEW_INFLIGHT, fl_view_inflight_request_encode ("dir"));
  expect (f, 3, FL_VIEW_OK, NULL);
}

static void
test_errors (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GBytes) body = NULL;
  ask_image (f, 1, 1, "missing");
  expect (f, 1, FL_VIEW_ERROR, &body);
  g_autoptr (GVariant) parsed = fl_view_body_parse (body, FL_VIEW_ERROR_REPLY, NULL);
  int code;
  const char *message;
  g_variant_get (parsed, "(i&s)", &code, &message);
  g_assert_cmpint (code, ==, FL_ERROR_MISSING);
  g_assert_cmpstr (message, ==, "missing: no such file");
  /* A wrong body is that request's trouble alone. */
  ask (f, 2, FL_VIEW_IMAGE, g_variant_new ("(s)", "not an image request"));
  expect (f, 2, FL_VIEW_ERROR, NULL);
  ask (f, 3, FL_VIEW_SPOTS, NULL);
  expect (f, 3, FL_VIEW_ERROR, NULL);
  ask_image (f, 4, 1, "good");
  expect (f, 4, FL_VIEW_OK, NULL);
}

static void
test_garbage (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_cmpint (write (f->to, "GET / HTTP/1.1\r\n\r\n", 18), ==, 18);
  g_thread_join (f->thread);
  g_assert_error (f->error, FL_ERROR, FL_ERROR_INPUT);
  g_assert_nonnull (strstr (f->error->message, "FLV1"));
  f->thread = NULL;
}

/* All that was asked before the end of the input is answered. */
static void
test_drain (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  for (guint32 i = 1; i <= 20; i++)
    ask_source (f, i, "x");
  end_input (f);
  guint seen = 0;
  FlViewFrame frame;
  GBytes *bytes;
  while (fl_view_frame_read (f->from, FL_VIEW_MAX_REPLY, &frame, &bytes, NULL))
    {
      seen |= 1u << frame.id;
      g_bytes_unref (bytes);
    }
  g_assert_cmpuint (seen, ==, 0x1ffffeu);
}

static void
test_flood (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  guint counts[3] = { 0 };
  f->fake->stubborn = TRUE;
  ask_image (f, 0, 1, "hold");
  fake_wait_held (f->fake);
  for (guint32 i = 1; i <= 300; i++)
    ask_source (f, i, "x");
  ask (f, 999, FL_VIEW_HELLO, g_variant_new (FL_VIEW_HELLO_REQUEST, FL_VIEW_VERSION));
  for (FlViewFrame frame = { 0 }; frame.id != 999;)
    {
      GBytes *bytes = NULL;
      g_assert_true (fl_view_frame_read (f->from, FL_VIEW_MAX_REPLY, &frame, &bytes, NULL));
      counts[frame.status]++;
      g_bytes_unref (bytes);
    }
  g_assert_cmpuint (counts[FL_VIEW_ERROR], ==, 300 - 256);
}

/* Nobody reads any more and a lane is stuck: the server leaves it behind. */
static void
test_left_alone (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->fake->stubborn = TRUE;
  ask_image (f, 1, 1, "hold");
  fake_wait_held (f->fake);
  close (f->from);
  f->from = -1;
  end_input (f);
  g_thread_join (f->thread);
  g_assert_no_error (f->error);
  fake_release (f->fake);
  g_mutex_lock (&f->fake->mutex);
  while (f->fake->holding > 0)
    g_cond_wait_until (&f->fake->cond, &f->fake->mutex, g_get_monotonic_time () + 10000);
  g_mutex_unlock (&f->fake->mutex);
  f->thread = NULL;
}

/* --- a reader that is slow: a picture of 3.6 MB is on its way --- */

static void
ask_large (Fixture *f, guint32 id, guint32 slot, const char *path)
{
  FlViewImageRequest r = { .slot = slot, .source = { path, NULL, NULL }, .width = 1000, .height = 900 };
  ask (f, id, FL_VIEW_IMAGE, fl_view_image_request_encode (&r));
}

static FlViewFrame
next_frame (Fixture *f, GBytes **body)
{
  FlViewFrame frame;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_assert_true (fl_view_frame_read (f->from, FL_VIEW_CHUNK, &frame, &bytes, &error));
  g_assert_no_error (error);
  if (body != NULL)
    *body = g_steal_pointer (&bytes);
  return frame;
}

/* Bytes until the frame that ends the reply `id`, others included. */
static gsize
read_until (Fixture *f, guint32 id, FlViewStatus status)
{
  gsize sum = 0;
  FlViewFrame frame;
  do
    {
      frame = next_frame (f, NULL);
      sum += FL_VIEW_HEADER + frame.length;
    }
  while (frame.id != id || (frame.flags & FL_VIEW_MORE) != 0);
  g_assert_cmpuint (frame.status, ==, status);
  return sum;
}

/* What is in the pipe already, and the chunk that is being written. */
#define IN_THE_WAY (gsize) (fcntl (f->from, F_GETPIPE_SZ) + 2 * (FL_VIEW_CHUNK + FL_VIEW_HEADER))

static void
test_small_first (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  FlViewLogRequest log = { "run.log", 0, 100 };
  ask_large (f, 1, 1, "a");
  g_assert_cmpuint (next_frame (f, NULL).flags, ==, FL_VIEW_MORE);
  ask (f, 2, FL_VIEW_HELLO, g_variant_new (FL_VIEW_HELLO_REQUEST, FL_VIEW_VERSION));
  g_usleep (50000);
  g_assert_cmpuint (read_until (f, 2, FL_VIEW_OK), <=, IN_THE_WAY);
  ask (f, 3, FL_VIEW_LOG, fl_view_log_request_encode (&log));
  g_usleep (50000);
  g_assert_cmpuint (read_until (f, 3, FL_VIEW_OK), <=, IN_THE_WAY);
  g_assert_cmpuint (read_until (f, 1, FL_VIEW_OK), >, 3000000);
}

static void
test_superseded (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  ask_large (f, 1, 1, "a");
  next_frame (f, NULL);
  ask_large (f, 2, 1, "b");
  g_usleep (50000);
  g_assert_cmpuint (read_until (f, 1, FL_VIEW_CANCELLED), <=, IN_THE_WAY);
  next_frame (f, NULL);
  ask (f, 0, FL_VIEW_CANCEL, g_variant_new (FL_VIEW_CANCEL_REQUEST, 2));
  g_usleep (50000);
  g_assert_cmpuint (read_until (f, 2, FL_VIEW_CANCELLED), <=, IN_THE_WAY);
}

static void
test_ahead_last (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  ask_large (f, 1, FL_VIEW_SLOT_AHEAD, "later");
  g_assert_cmpuint (next_frame (f, NULL).id, ==, 1);
  ask_large (f, 2, 1, "now");
  g_usleep (50000);
  gsize before = read_until (f, 2, FL_VIEW_OK);
  g_assert_cmpuint (before, <, 3600000 + FL_VIEW_HEADER * 60 + 1000 + IN_THE_WAY);
  read_until (f, 1, FL_VIEW_OK);
}

static void
test_deflated (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (FlViewWhole) whole = fl_view_whole_new ();
  g_autoptr (GBytes) near_body = NULL, far_body = NULL;
  g_autoptr (GError) error = NULL;
  FlViewSpotsRequest r = { .job_dir = "job", .source = { "a", NULL, NULL }, .frame = 20000 };
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GBytes) frame = fl_view_frame_bytes (1 + i, FL_VIEW_LATTICES, i == 1 ? FL_VIEW_FAR : 0,
                                                      fl_view_spots_request_encode (&r));
      gsize length, came = 0;
      const void *bytes = g_bytes_get_data (frame, &length);
      g_assert_cmpint (write (f->to, bytes, length), ==, length);
      GBytes *body = NULL;
      for (gboolean done = FALSE; !done;)
        {
          FlViewFrame got = next_frame (f, &body);
          came += got.length;
          done = fl_view_whole_take (whole, &got, &body, &error);
          g_assert_no_error (error);
        }
      *(i == 0 ? &near_body : &far_body) = body;
      if (i == 1)
        g_assert_cmpuint (came, <, g_bytes_get_size (near_body) / 3);
    }
  g_assert_true (g_bytes_equal (near_body, far_body));
}

#define ADD(name) g_test_add ("/view/server/" #name, Fixture, NULL, set_up, test_##name, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD (hello);
  ADD (overtake);
  ADD (newest_first);
  ADD (cancel);
  ADD (lanes);
  ADD (errors);
  ADD (garbage);
  ADD (drain);
  ADD (flood);
  ADD (left_alone);
  ADD (small_first);
  ADD (superseded);
  ADD (ahead_last);
  ADD (deflated);
  return g_test_run ();
}
