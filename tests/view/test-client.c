/* The client, whose child is this program again with --child: every kind of answer, the child's death, cancelling. */

#include "engine/view/client.h"

#include "engine/view/client-cache.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/error.h"

#include "tests/view/fake-handlers.h"

static char *self_path;

static FlViewClient *
new_client (void)
{
  const char *argv[] = { self_path, "--child", NULL };
  return fl_view_client_new (argv);
}

static void
close_client (FlViewClient *client)
{
  fl_view_client_close (client);
  g_object_unref (client);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
on_ready (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer data)
{
  *(GAsyncResult **) data = g_object_ref (result);
}

static void
wait_for (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
}

static void
wait_state (FlViewClient *client, FlViewState state)
{
  while (fl_view_client_state (client) != state)
    g_main_context_iteration (NULL, TRUE);
}

static void
ask_image (FlViewClient *client, guint slot, const char *path, guint side, GCancellable *cancellable,
           GAsyncResult **result)
{
  FlViewImageRequest r = { .slot = slot, .source = { path, NULL, NULL }, .width = side, .height = side };
  fl_view_client_image_async (client, &r, cancellable, on_ready, result);
}

static FlViewImage *
get_image (FlViewClient *client, GAsyncResult **result, GError **error)
{
  wait_for (result);
  FlViewImage *image = fl_view_client_image_finish (client, *result, error);
  g_clear_object (result);
  return image;
}

static void
test_image (void)
{
  FlViewClient *client = new_client ();
  GAsyncResult *result = NULL;
  g_autoptr (GError) error = NULL;
  ask_image (client, 2, "any", 300, NULL, &result);
  g_autoptr (FlViewImage) image = get_image (client, &result, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (image->shot, ==, 0x123456789abcdef0u);
  g_assert_cmpstr (image->event, ==, "//7");
  g_assert_cmpuint (image->frames, ==, 11);
  g_assert_cmpfloat (image->camera_length, ==, 150);
  g_assert_true (isinf (image->saturation));
  g_assert_cmpfloat (image->whole.y1, ==, 4);
  g_assert_cmpfloat (image->percentiles[5], ==, 5);
  g_assert_true (isnan (image->raster[0]));
  for (gsize k = 1; k < 300 * 300; k++)
    g_assert_cmpfloat (image->raster[k], ==, 2e6f + (float) (k % 65536));
  wait_state (client, FL_VIEW_UP);
  g_assert_cmpint (fl_view_client_round_trip (client), >, 0);
  g_assert_cmpstr (fl_view_client_message (client), ==, "");
  close_client (client);
}

static void
test_others (void)
{
  FlViewClient *client = new_client ();
  GAsyncResult *r1 = NULL, *r2 = NULL, *r3 = NULL, *r4 = NULL, *r5 = NULL;
  g_autoptr (GError) error = NULL;
  FlViewSpotsRequest spots_request = { .job_dir = "job", .source = { "a", NULL, NULL }, .frame = 9 };
  FlViewSourceRequest source_request = { "a.h5", "g.geom", NULL };
  FlViewLogRequest log_request = { "run.log", 12, 100 };
  fl_view_client_spots_async (client, &spots_request, NULL, on_ready, &r1);
  fl_view_client_source_async (client, &source_request, NULL, on_ready, &r2);
  fl_view_client_log_async (client, &log_request, NULL, on_ready, &r3);
  fl_view_client_inflight_async (client, "attempt", NULL, on_ready, &r4);
  fl_view_client_inflight_async (client, "missing", NULL, on_ready, &r5);
  wait_for (&r1);
  g_autoptr (FlViewSpots) spots = fl_view_client_spots_finish (client, r1, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (spots->n_spots, ==, 9);
  g_assert_cmpint (spots->outcome, ==, FL_OUTCOME_HIT);
  g_assert_cmpfloat (spots->spots[8].fs, ==, 8.5);
  g_assert_true (g_utf8_validate (spots->message, -1, NULL));
  wait_for (&r2);
  g_autoptr (FlViewSource) source = fl_view_client_source_finish (client, r2, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (source->n_panels, ==, 2);
  g_assert_cmpstr (source->panels[1].name, ==, "q0a1");
  g_assert_cmpfloat (source->panels[0].ss_y, ==, -1);
  g_assert_cmpstr (source->description, ==, "geometry: g.geom\nmask: \n");
  wait_for (&r3);
  g_autoptr (FlViewLog) log = fl_view_client_log_finish (client, r3, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (log->offset, ==, 12);
  g_assert_cmpmem (g_bytes_get_data (log->bytes, NULL), (int) g_bytes_get_size (log->bytes), "run.log", 7);
  wait_for (&r4);
  g_autoptr (FlViewInflight) inflight = fl_view_client_inflight_finish (client, r4, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (inflight->n_entries, ==, 1);
  g_assert_cmpuint (inflight->entries[0].shot, ==, G_MAXUINT64);
  g_assert_cmpuint (inflight->entries[0].crashed, ==, 11);
  wait_for (&r5);
  g_assert_null (fl_view_client_inflight_finish (client, r5, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_MISSING);
  g_assert_cmpstr (error->message, ==, "missing: no such file");
  g_object_unref (r1), g_object_unref (r2), g_object_unref (r3), g_object_unref (r4), g_object_unref (r5);
  close_client (client);
}

/* kill -9 of the child under a request: that one fails and says why, the next is answered by the next child. */
static void
check_lattices (const FlViewLattices *all, guint32 n)
{
  g_assert_cmpuint (all->n_lattices, ==, 2);
  g_assert_cmpuint (all->n_reflections, ==, n);
  const FlViewLattice *l = &all->lattices[1];
  const FlViewReflection *r = &all->reflections[n - 1];
  g_assert_cmpfloat (l->cell[0], ==, 79.1);
  g_assert_cmpfloat (l->cell[5], ==, 1.7);
  g_assert_cmpint (l->centring, ==, 'I');
  g_assert_cmpuint (l->space_group, ==, 96);
  g_assert_cmpuint (l->n_spots, ==, 55);
  g_assert_cmpuint (l->n_reflections, ==, 44);
  g_assert_cmpfloat (l->confidence, ==, 0.75);
  g_assert_cmpfloat (l->resolution, ==, 2.25);
  g_assert_cmpuint (r->lattice, ==, (n - 1) % 2);
  g_assert_cmpint (r->h, ==, -1);
  g_assert_cmpint (r->l, ==, (int) n - 1);
  g_assert_cmpfloat (r->fs, ==, 1.25);
  g_assert_cmpfloat (r->sigma, ==, 4);
  g_assert_cmpfloat (r->d, ==, 5.5);
  g_assert_cmpuint (r->flags, ==, FL_REFLECTION_STRONG);
}

static void
test_lattices (void)
{
  FlViewClient *client = new_client ();
  GAsyncResult *r1 = NULL, *r2 = NULL, *r3 = NULL;
  g_autoptr (GError) error = NULL;
  FlViewSpotsRequest of_job = { .job_dir = "job", .source = { "a", NULL, NULL }, .frame = 9 };
  FlViewTryRequest of_trial = { .source = { "a", NULL, NULL },
                                .frame = 3,
                                .params = "[hit]\nmin_spots = 9\n" };
  FlViewTryRequest wrong = { .source = { "a", NULL, NULL }, .frame = 3, .params = "missing" };
  fl_view_client_lattices_async (client, &of_job, NULL, on_ready, &r1);
  fl_view_client_try_async (client, &of_trial, NULL, on_ready, &r2);
  fl_view_client_try_async (client, &wrong, NULL, on_ready, &r3);
  wait_for (&r1);
  g_autoptr (FlViewLattices) lattices = fl_view_client_lattices_finish (client, r1, &error);
  g_assert_no_error (error);
  check_lattices (lattices, 9);
  wait_for (&r2);
  g_autoptr (FlViewTried) tried = fl_view_client_try_finish (client, r2, &error);
  g_assert_no_error (error);
  check_lattices (tried->lattices, 3);
  g_assert_cmpuint (tried->milliseconds, ==, 123);
  g_assert_cmpint (tried->spots->outcome, ==, FL_OUTCOME_INDEXED);
  wait_for (&r3);
  g_assert_null (fl_view_client_try_finish (client, r3, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_MISSING);
  g_object_unref (r1), g_object_unref (r2), g_object_unref (r3);
  close_client (client);
}

static void
test_killed (void)
{
  FlViewClient *client = new_client ();
  GAsyncResult *result = NULL, *next = NULL;
  g_autoptr (GError) error = NULL;
  wait_state (client, FL_VIEW_UP);
  for (int round = 0; round < 3; round++)
    {
      ask_image (client, 1, "hold", 4, NULL, &result);
      g_autofree char *pid = g_strdup (fl_view_client_pid (client));
      kill (atoi (pid), SIGKILL);
      g_assert_null (get_image (client, &result, &error));
      g_assert_error (error, FL_ERROR, FL_ERROR_FAILED);
      g_assert_nonnull (strstr (error->message, "signal 9"));
      g_clear_error (&error);
      g_assert_cmpint (fl_view_client_state (client), ==, FL_VIEW_RESTARTING);
      g_assert_nonnull (strstr (fl_view_client_message (client), "signal 9"));
      g_assert_null (fl_view_client_pid (client));
      ask_image (client, 1, "any", 4, NULL, &next);
      g_autoptr (FlViewImage) image = get_image (client, &next, &error);
      g_assert_no_error (error);
      g_assert_nonnull (image);
      wait_state (client, FL_VIEW_UP);
      g_assert_cmpstr (fl_view_client_pid (client), !=, pid);
    }
  ask_image (client, 1, "hold", 4, NULL, &result);
  fl_view_client_restart (client);
  g_assert_null (get_image (client, &result, &error));
  g_assert_nonnull (strstr (error->message, "as asked"));
  close_client (client);
}

static void
test_cancelled (void)
{
  FlViewClient *client = new_client ();
  GAsyncResult *held = NULL, *late = NULL, *newer = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  ask_image (client, 1, "hold", 4, cancellable, &held);
  wait_state (client, FL_VIEW_UP);
  g_cancellable_cancel (cancellable);
  g_assert_null (get_image (client, &held, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  ask_image (client, 1, "any", 4, cancellable, &late); /* cancelled before it began */
  g_assert_null (get_image (client, &late, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  ask_image (client, 1, "hold", 4, NULL, &held);
  ask_image (client, 1, "any", 4, NULL, &newer);
  g_assert_null (get_image (client, &held, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_autoptr (FlViewImage) image = get_image (client, &newer, &error);
  g_assert_no_error (error);
  g_assert_nonnull (image);
  close_client (client);
}

static void
test_closed (void)
{
  FlViewClient *client = new_client ();
  GAsyncResult *held = NULL, *late = NULL;
  g_autoptr (GError) error = NULL;
  ask_image (client, 1, "hold", 4, NULL, &held);
  fl_view_client_close (client);
  g_assert_null (get_image (client, &held, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_STOPPED);
  g_clear_error (&error);
  ask_image (client, 1, "any", 4, NULL, &late);
  g_assert_null (get_image (client, &late, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_STOPPED);
  close_client (client);
}

static void
expect_failure (const char *const *argv, const char *words)
{
  FlViewClient *client = fl_view_client_new (argv);
  GAsyncResult *result = NULL;
  g_autoptr (GError) error = NULL;
  ask_image (client, 1, "any", 4, NULL, &result);
  g_assert_null (get_image (client, &result, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_FAILED);
  if (strstr (error->message, words) == NULL)
    g_error ("'%s' does not say '%s'", error->message, words);
  g_assert_cmpint (fl_view_client_state (client), ==, FL_VIEW_RESTARTING);
  g_assert_cmpstr (fl_view_client_message (client), ==, error->message);
  close_client (client);
}

static void
test_wrong_children (void)
{
  expect_failure ((const char *[]){ "/nonexistent/firstlight-control", "serve", NULL }, "cannot be started");
  expect_failure (
      (const char *[]){ "sh", "-c", "cat >/dev/null & echo oops >&2; echo no such host >&2; exit 3", NULL },
      "ended with status 3: no such host");
  expect_failure ((const char *[]){ "sh", "-c", "echo Welcome to the cluster; exec sleep 60", NULL }, "FLV1");
  expect_failure ((const char *[]){ "sh", "-c", "exec 1>&-; exec sleep 60", NULL }, "signal 9");
}

/* Stopped like a child at the far end of a broken line: said after 3 s, well again when it answers. */
static void
test_slow (void)
{
  FlViewClient *client = new_client ();
  wait_state (client, FL_VIEW_UP);
  pid_t pid = atoi (fl_view_client_pid (client));
  kill (pid, SIGSTOP);
  wait_state (client, FL_VIEW_SLOW);
  kill (pid, SIGCONT);
  wait_state (client, FL_VIEW_UP);
  g_assert_cmpint (fl_view_client_round_trip (client), >, 1000000);
  close_client (client);
}

static gint64
thread_cpu_us (void)
{
  struct timespec t;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t);
  return (gint64) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Large pictures are read and decoded elsewhere: the main loop pays for the delivery alone. */
static void
test_main_loop (void)
{
  FlViewClient *client = new_client ();
  g_autoptr (GError) error = NULL;
  wait_state (client, FL_VIEW_UP);
  gint64 before = thread_cpu_us ();
  for (int i = 0; i < 10; i++)
    {
      GAsyncResult *result = NULL;
      g_autofree char *path = g_strdup_printf ("any %d", i);
      ask_image (client, 1, path, 2000, NULL, &result);
      g_autoptr (FlViewImage) image = get_image (client, &result, &error);
      g_assert_no_error (error);
    }
  gint64 each = (thread_cpu_us () - before) / 10;
  g_test_message ("main thread: %" G_GINT64_FORMAT " us CPU for a picture of 16 MB", each);
  g_assert_cmpint (each, <, 10000);
  close_client (client);
}

static void
run_for (guint ms)
{
  gint64 until = g_get_monotonic_time () + 1000 * (gint64) ms;
  while (g_get_monotonic_time () < until)
    {
      g_main_context_iteration (NULL, FALSE);
      g_usleep (1000);
    }
}

static void
signal_child (FlViewClient *client, int number)
{
  kill (atoi (fl_view_client_pid (client)), number);
}

/* The answer, or NULL when there is none for a quarter of a second. */
static FlViewImage *
image_of_frame (FlViewClient *client, guint32 frame, guint side)
{
  FlViewImageRequest r = {
    .slot = 1, .source = { "any", NULL, NULL }, .frame = frame, .width = side, .height = side
  };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GAsyncResult *result = NULL;
  fl_view_client_image_async (client, &r, cancellable, on_ready, &result);
  for (guint i = 0; i < 250 && result == NULL; i++)
    run_for (1);
  if (result == NULL)
    g_cancellable_cancel (cancellable);
  return get_image (client, &result, NULL);
}

static gboolean
is_answered (FlViewClient *client, guint32 frame, guint side)
{
  g_autoptr (FlViewImage) image = image_of_frame (client, frame, side);
  return image != NULL;
}

/* While the child is stopped nothing but what is kept can come. */
static void
test_kept (void)
{
  FlViewClient *client = new_client ();
  wait_state (client, FL_VIEW_UP);
  for (guint32 frame = 0; frame < 3; frame++)
    g_assert_true (is_answered (client, frame, 100));
  signal_child (client, SIGSTOP);
  for (guint32 frame = 0; frame < 3; frame++)
    g_assert_true (is_answered (client, frame, 100));
  g_assert_false (is_answered (client, 3, 100));
  g_assert_false (is_answered (client, 1, 101));
  signal_child (client, SIGCONT);
  g_assert_true (is_answered (client, 3, 100));
  close_client (client);
}

static void
foresee_frame (FlViewClient *client, guint32 frame)
{
  FlViewImageRequest r = { .source = { "any", NULL, NULL }, .frame = frame, .width = 300, .height = 300 };
  fl_view_client_foresee_image (client, &r);
}

static gboolean
has_results (FlViewClient *client, guint32 frame)
{
  FlViewSpotsRequest r = { "job", { "any", NULL, NULL }, frame };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GAsyncResult *spots = NULL, *lattices = NULL;
  fl_view_client_spots_async (client, &r, cancellable, on_ready, &spots);
  fl_view_client_lattices_async (client, &r, cancellable, on_ready, &lattices);
  for (guint i = 0; i < 100 && (spots == NULL || lattices == NULL); i++)
    run_for (1);
  if (spots == NULL || lattices == NULL)
    g_cancellable_cancel (cancellable);
  wait_for (&spots);
  wait_for (&lattices);
  g_autoptr (FlViewSpots) s = fl_view_client_spots_finish (client, spots, NULL);
  g_autoptr (FlViewLattices) l = fl_view_client_lattices_finish (client, lattices, NULL);
  g_object_unref (spots), g_object_unref (lattices);
  return s != NULL && l != NULL && s->n_spots == frame;
}

/* What has been foreseen is there while the child is stopped; what has not is not. */
static void
test_ahead (void)
{
  FlViewClient *client = new_client ();
  wait_state (client, FL_VIEW_UP);
  foresee_frame (client, 1); /* the link is near */
  run_for (100);
  signal_child (client, SIGSTOP);
  g_assert_false (is_answered (client, 1, 300));
  signal_child (client, SIGCONT);
  fl_view_client_set_far (client, TRUE);
  g_autoptr (FlViewImage) image = image_of_frame (client, 4, 300);
  g_assert_nonnull (image);
  for (gsize k = 1; k < 300 * 300; k++) /* compact, and exact */
    g_assert_cmpfloat (image->raster[k], ==, 1e6f + (float) (k % 65536));
  g_assert_true (isnan (image->raster[0]));
  FlViewSpotsRequest results = { "job", { "any", NULL, NULL }, 7 };
  fl_view_client_foresee_results (client, &results);
  foresee_frame (client, 6);
  foresee_frame (client, 7); /* instead */
  run_for (300);
  signal_child (client, SIGSTOP);
  g_assert_true (is_answered (client, 7, 300));
  g_assert_true (has_results (client, 7));
  g_assert_false (is_answered (client, 6, 300));
  g_assert_false (has_results (client, 8));
  /* What is on its way already is waited for, even when other things are asked for; another picture overtakes it. */
  foresee_frame (client, 8);
  run_for (20);
  signal_child (client, SIGCONT);
  g_assert_true (has_results (client, 9));
  g_assert_true (is_answered (client, 8, 300));
  foresee_frame (client, 9);
  run_for (1);
  g_assert_true (is_answered (client, 10, 300));
  run_for (100);
  close_client (client);
}

static FlViewImage *
some_image (guint64 stamp, guint side)
{
  float *raster;
  FlViewImage *image = fl_view_image_new (side, side, &raster);
  image->origin = (FlViewOrigin){ stamp, FALSE };
  image->event = g_strdup ("");
  return image;
}

static void
put_frame (FlViewCache *cache, const char *path, guint32 frame, guint64 stamp, guint side)
{
  g_autoptr (FlViewImage) image = some_image (stamp, side);
  image->origin.growing = g_str_has_suffix (path, ".growing");
  FlViewImageRequest r = { .source = { path, NULL, NULL }, .frame = frame, .width = side, .height = side };
  FlViewKept kept = fl_view_kept_image (&r);
  fl_view_cache_put (cache, &kept, FL_VIEW_IMAGE, image);
  fl_view_kept_clear (&kept);
}

static gboolean
has_frame (FlViewCache *cache, const char *path, guint32 frame, guint side, gboolean use)
{
  FlViewImageRequest r = { .source = { path, NULL, NULL }, .frame = frame, .width = side, .height = side };
  FlViewKept kept = fl_view_kept_image (&r);
  GDestroyNotify unref;
  gpointer answer = use ? fl_view_cache_get (cache, kept.key, &unref) : NULL;
  gboolean has = use ? answer != NULL : fl_view_cache_has (cache, kept.key);
  if (answer != NULL)
    unref (answer);
  fl_view_kept_clear (&kept);
  return has;
}

static void
test_cache (void)
{
  FlViewCache *cache = fl_view_cache_new (100 * 100 * 4 * 5 + 5000); /* five of them */
  for (guint32 i = 0; i < 5; i++)
    put_frame (cache, "a b", i, 7, 100);
  g_assert_true (has_frame (cache, "a b", 0, 100, TRUE)); /* which makes it the youngest */
  g_assert_false (has_frame (cache, "a", 0, 100, TRUE));
  put_frame (cache, "c", 0, 9, 100);
  g_assert_true (has_frame (cache, "a b", 0, 100, FALSE));
  g_assert_false (has_frame (cache, "a b", 1, 100, FALSE));
  g_assert_true (has_frame (cache, "a b", 2, 100, FALSE));
  /* The file has changed: what was told of it before is gone, what is of others stays. */
  put_frame (cache, "a b", 3, 8, 100);
  g_assert_false (has_frame (cache, "a b", 0, 100, FALSE));
  g_assert_true (has_frame (cache, "a b", 3, 100, FALSE));
  g_assert_true (has_frame (cache, "c", 0, 100, FALSE));
  /* Larger than all room: not kept, and nothing else either. */
  put_frame (cache, "d", 0, 9, 400);
  g_assert_false (has_frame (cache, "d", 0, 400, FALSE));
  fl_view_cache_free (cache);
}

/* What may have become another is not kept for long: 5 s, here by the clock. */
static void
test_growing (void)
{
  FlViewCache *cache = fl_view_cache_new (10000000);
  put_frame (cache, "a", 0, 7, 10);
  put_frame (cache, "b", 0, 0, 10); /* nobody knows what file it was */
  put_frame (cache, "c.growing", 0, 7, 10);
  gint64 begun = g_get_monotonic_time ();
  g_usleep (4 * G_USEC_PER_SEC);
  if (g_get_monotonic_time () - begun < 4900000) /* else the machine has slept */
    {
      g_assert_true (has_frame (cache, "b", 0, 10, TRUE)); /* its use makes it no younger */
      g_assert_true (has_frame (cache, "c.growing", 0, 10, TRUE));
    }
  g_usleep (1100000);
  g_assert_true (has_frame (cache, "a", 0, 10, FALSE));
  g_assert_false (has_frame (cache, "b", 0, 10, FALSE));
  g_assert_false (has_frame (cache, "c.growing", 0, 10, TRUE));
  put_frame (cache, "c.growing", 0, 8, 10);
  g_assert_true (has_frame (cache, "c.growing", 0, 10, TRUE));
  fl_view_cache_free (cache);
}

static void
test_find_and_feed (void)
{
  FlViewClient *client = new_client ();
  GAsyncResult *r1 = NULL, *r2 = NULL;
  g_autoptr (GError) error = NULL;
  FlViewFindRequest find = { "run.log",
                             "wor\xff"
                             "ds",
                             1000 };
  FlViewFeedRequest feed = { "store", "0123456789", 10, 200000 };
  fl_view_client_set_far (client, TRUE);
  fl_view_client_find_async (client, &find, NULL, on_ready, &r1);
  fl_view_client_feed_async (client, &feed, NULL, on_ready, &r2);
  wait_for (&r1);
  g_autoptr (FlViewFound) found = fl_view_client_find_finish (client, r1, &error);
  g_assert_no_error (error);
  g_assert_true (found->found);
  g_assert_cmpuint (found->match, ==, 1005);
  g_assert_true (g_utf8_validate (found->text, -1, NULL));
  wait_for (&r2);
  g_autoptr (GBytes) batch = fl_view_client_feed_finish (client, r2, &error);
  g_assert_no_error (error);
  gsize length;
  const char *bytes = g_bytes_get_data (batch, &length);
  g_assert_cmpuint (length, ==, 200000);
  g_assert_cmpmem (bytes + length - 10, 10, "0123456789", 10);
  g_object_unref (r1), g_object_unref (r2);
  close_client (client);
}

static int
child (void)
{
  Fake *fake = fake_new ();
  fl_view_serve (STDIN_FILENO, STDOUT_FILENO, "fake", &fake_handlers, fake, NULL);
  fake_free (fake);
  return 0;
}

int
main (int argc, char **argv)
{
  if (argc > 1 && strcmp (argv[1], "--child") == 0)
    return child ();
  g_test_init (&argc, &argv, NULL);
  self_path = g_file_read_link ("/proc/self/exe", NULL);
  g_test_add_func ("/view/client/image", test_image);
  g_test_add_func ("/view/client/others", test_others);
  g_test_add_func ("/view/client/lattices", test_lattices);
  g_test_add_func ("/view/client/killed", test_killed);
  g_test_add_func ("/view/client/cancelled", test_cancelled);
  g_test_add_func ("/view/client/closed", test_closed);
  g_test_add_func ("/view/client/wrong-children", test_wrong_children);
  g_test_add_func ("/view/client/slow", test_slow);
  g_test_add_func ("/view/client/main-loop", test_main_loop);
  g_test_add_func ("/view/client/kept", test_kept);
  g_test_add_func ("/view/client/ahead", test_ahead);
  g_test_add_func ("/view/client/cache", test_cache);
  g_test_add_func ("/view/client/growing", test_growing);
  g_test_add_func ("/view/client/find-and-feed", test_find_and_feed);
  int status = g_test_run ();
  g_free (self_path);
  return status;
}
