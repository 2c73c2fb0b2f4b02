/* The Images page on a serve child that makes its answers up (fake-serve.c): what lies over the image, what a trial would
 * find, two results beside each other, and the way from shot to shot. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/batch.h"
#include "gui/images-page.h"
#include "tests/gui/made.h"
#include "tests/gui/room.h"
#include "tests/widgets/display.h"

#define N_GRID 1024 /* reflections of a lattice of fake-serve */

static FlgImagesPage *
open_shot (Room **room, guint32 frame)
{
  *room = room_new (1, FL_STORE_WRITE, TRUE);
  room_do (GTK_WIDGET ((*room)->window), "win.show-shot", "(xxtuu)", G_GINT64_CONSTANT (1),
           G_GINT64_CONSTANT (1), (guint64) 0, 0u, frame);
  room_settle (*room);
  return FLG_IMAGES_PAGE (flg_window_page ((*room)->window, "images"));
}

static void
go (Room *room, FlgImagesPage *page, guint32 frame)
{
  room_do (GTK_WIDGET (page), "images.go", "u", frame);
  room_settle (room);
}

static const FlgShotResult *
result_of (FlgImagesPage *page, FlgSide side)
{
  return flg_compare_panel_result (flg_images_page_compare (page), side);
}

static char *
view_text (FlgImagesPage *page, const char *property)
{
  char *text;
  g_object_get (flg_images_page_view (page), property, &text, NULL);
  return text;
}

static void
test_lattices (void)
{
  Room *room;
  FlgImagesPage *page = open_shot (&room, 12);
  FlwImageView *view = flg_images_page_view (page);
  const FlgShotResult *a = result_of (page, FLG_SIDE_A);
  g_assert_cmpint (a->kind, ==, FLG_RESULT_STORED);
  g_assert_cmpuint (a->counts.spots, ==, 100);
  g_assert_cmpuint (a->counts.unexplained, ==, 20);
  g_assert_cmpuint (a->counts.lattices, ==, 1);
  g_assert_cmpuint (a->counts.predicted, ==, N_GRID);
  g_assert_cmpuint (a->counts.integrated, ==, N_GRID * 3 / 4);
  g_assert_cmpfloat_with_epsilon (a->counts.rmsd, 0.4, 1e-9);
  g_assert_cmpfloat (a->counts.resolution, ==, 2.1);
  g_autofree char *summary = view_text (page, "summary");
  assert_in (summary, "100 spots, 1024 predicted reflections");
  /* Reflection 3 of the grid is not integrated; 4 is. */
  flw_image_view_show_point (view, 3 * 16 - 256, -256);
  g_autofree char *none = view_text (page, "readout");
  assert_in (none, "−13 16 2  not integrated, 3.00 Å, lattice 1");
  flw_image_view_show_point (view, 4 * 16 - 256, -256);
  g_autofree char *some = view_text (page, "readout");
  assert_in (some, "−12 16 2  I 4 ± 5 counts, 3.00 Å, lattice 1");
  flw_image_view_show_point (view, 4 * 16 - 248, -256);
  g_autofree char *stray = view_text (page, "readout");
  assert_in (stray, "spot, intensity 104, 4.00 Å, of no lattice");
  room_do (GTK_WIDGET (page), "images.predictions", NULL);
  flw_image_view_show_point (view, 4 * 16 - 256, -256);
  g_autofree char *hidden = view_text (page, "readout");
  g_assert_null (strstr (hidden, "lattice"));
  room_do (GTK_WIDGET (page), "images.spots", NULL);
  gboolean spots;
  g_object_get (view, "show-spots", &spots, NULL);
  g_assert_false (spots);
  /* A hit without a lattice, and a shot that the job has not done: nothing of the former shot is left. */
  go (room, page, 13);
  g_assert_cmpuint (a->counts.spots, ==, 100);
  g_assert_cmpuint (a->counts.unexplained + a->counts.lattices + a->counts.predicted, ==, 0);
  go (room, page, 9);
  g_assert_true (a->missing);
  g_assert_null (a->error);
  g_assert_cmpuint (a->spot_marks->len + a->prediction_marks->len, ==, 0);
  room_free (room);
}

static void
test_compare (void)
{
  Room *room;
  FlgImagesPage *page = open_shot (&room, 13);
  FlgComparePanel *compare = flg_images_page_compare (page);
  const FlgShotResult *a = result_of (page, FLG_SIDE_A), *b = result_of (page, FLG_SIDE_B);
  g_assert_cmpint (b->kind, ==, FLG_RESULT_NONE);
  room_do (GTK_WIDGET (page), "images.flip", NULL); /* there is no other side */
  g_assert_cmpint (flg_compare_panel_shown (compare), ==, FLG_SIDE_A);
  room_do (GTK_WIDGET (page), "images.side-b", "x", G_GINT64_CONSTANT (-2));
  room_settle (room);
  g_assert_cmpint (b->kind, ==, FLG_RESULT_TRIED);
  g_assert_cmpint (flg_compare_panel_shown (compare), ==, FLG_SIDE_B);
  g_assert_cmpuint (b->milliseconds, ==, 321);
  g_assert_cmpuint (b->counts.spots, ==, 120);
  g_assert_cmpuint (b->counts.lattices, >=, 1);
  g_assert_cmpuint (a->counts.lattices, ==, 0);
  g_autofree char *summary = flg_compare_panel_summary (compare);
  assert_in (summary,
             "A Trial 1, stored (job 1): hit, 100 spots, 2.50 Å; B Trial 2, tried: indexed hit, 120 spots");
  assert_in (summary, "tried in 321 ms");
  g_autofree char *shown_b = view_text (page, "summary");
  assert_in (shown_b, "120 spots");
  room_do (GTK_WIDGET (page), "images.flip", NULL);
  g_assert_cmpint (flg_compare_panel_shown (compare), ==, FLG_SIDE_A);
  g_autofree char *shown_a = view_text (page, "summary");
  assert_in (shown_a, "100 spots");
  /* The next shot is tried too. */
  go (room, page, 14);
  g_assert_cmpuint (a->counts.lattices, ==, 1);
  g_assert_cmpuint (b->counts.spots, ==, 120);
  room_do (GTK_WIDGET (page), "images.show-side", "s", "b");
  room_do (GTK_WIDGET (page), "images.side-b", "x", G_GINT64_CONSTANT (0));
  room_settle (room);
  g_assert_cmpint (b->kind, ==, FLG_RESULT_NONE);
  g_assert_cmpint (flg_compare_panel_shown (compare), ==, FLG_SIDE_A);
  room_free (room);
}

static void
set_value (Room *room, FlgImagesPage *page, const char *text)
{
  room_do (GTK_WIDGET (page), "images.set-value", "(ss)", "spots.min_size", text);
  room_settle (room);
}

static void
test_tune (void)
{
  Room *room;
  FlgImagesPage *page = open_shot (&room, 12);
  const FlgShotResult *b = result_of (page, FLG_SIDE_B);
  room_do (GTK_WIDGET (page), "images.tune", NULL);
  room_settle (room);
  g_assert_cmpint (b->kind, ==, FLG_RESULT_TRIED);
  set_value (room, page, "1");
  g_assert_cmpuint (b->counts.lattices, ==, 1);
  set_value (room, page, "3");
  g_assert_cmpuint (b->counts.lattices, ==, 3);
  g_assert_cmpuint (b->counts.predicted, ==, 3 * N_GRID);
  /* What the engine refuses is one line; what the form refuses is not sent. */
  set_value (room, page, "51");
  g_assert_cmpstr (b->error, ==, "spots.min_size 51 leaves nothing");
  g_assert_cmpuint (b->prediction_marks->len, ==, 0);
  set_value (room, page, "many");
  g_assert_cmpstr (b->error, ==, "spots.min_size 51 leaves nothing");
  set_value (room, page, "2");
  g_assert_null (b->error);
  g_assert_cmpuint (b->counts.lattices, ==, 2);
  room_do (GTK_WIDGET (page), "images.tune", NULL);
  room_settle (room);
  g_assert_cmpuint (b->counts.lattices, ==, 2);
  room_free (room);
}

/* Frames 400 to 409 of run 1: indexed, hit, miss, indexed, … */
static void
add_shots (Room *room)
{
  static const FlOutcome outcomes[] = { FL_OUTCOME_INDEXED, FL_OUTCOME_HIT, FL_OUTCOME_MISS };
  g_autoptr (FlStore) store = fl_store_open (room->folder, FL_STORE_WRITE, NULL);
  g_autoptr (FlBatch) batch = fl_batch_new (FL_KIND_SHOT);
  for (guint32 i = 0; i < 10; i++)
    {
      FlShotRow row = { .id = 7000 + i,
                        .frame = 400 + i,
                        .start = room->newest + i,
                        .outcome = outcomes[i % 3],
                        .stage = FL_STAGE_FIND,
                        .message = "" };
      fl_batch_append (batch, &row);
    }
  made_add_slice (store, 1, 6, 900, batch);
}

static void
assert_step (Room *room, FlgImagesPage *page, const char *action, guint32 expected)
{
  guint32 frame;
  room_do (GTK_WIDGET (page), action, NULL);
  room_settle (room);
  flg_images_page_shown (page, &frame);
  g_assert_cmpuint (frame, ==, expected);
}

static void
test_steps (void)
{
  Room *room;
  FlgImagesPage *page = open_shot (&room, 12);
  add_shots (room);
  room_settle (room);
  room_settle (room);
  room_do (GTK_WIDGET (room->window), "win.show-shot", "(xxtuu)", G_GINT64_CONSTANT (1),
           G_GINT64_CONSTANT (1), (guint64) 7000, 0u, 400u);
  room_settle (room);
  assert_step (room, page, "images.next-indexed", 403);
  assert_step (room, page, "images.next-unindexed", 404);
  assert_step (room, page, "images.next-hit", 406);
  assert_step (room, page, "images.next-unindexed", 407);
  assert_step (room, page, "images.next-unindexed", 407); /* the last */
  assert_step (room, page, "images.previous-indexed", 406);
  assert_step (room, page, "images.previous-unindexed", 404);
  assert_step (room, page, "images.back", 406);
  room_free (room);
}

static float
frame_shown (FlgImagesPage *page)
{
  guint width, height;
  const float *raster = flw_image_view_get_raster (flg_images_page_view (page), &width, &height);
  return raster ? raster[0] : -1;
}

static gboolean
shows_wanted (gpointer data)
{
  guint32 frame;
  flg_images_page_shown (data, &frame);
  return frame_shown (data) == (float) frame && flg_page_is_settled (data);
}

/* Milliseconds until the shot that the action goes to is there with all that lies over it. */
static double
time_step (FlgImagesPage *page, const char *action)
{
  gint64 begun = g_get_monotonic_time ();
  room_do (GTK_WIDGET (page), action, NULL);
  display_wait (shows_wanted, page);
  return (double) (g_get_monotonic_time () - begun) / 1000;
}

static gboolean
set_true (gpointer flag)
{
  *(gboolean *) flag = TRUE;
  return G_SOURCE_REMOVE;
}

static void
wait_for (guint ms)
{
  gboolean over = FALSE;
  g_timeout_add (ms, set_true, &over);
  while (!over)
    g_main_context_iteration (NULL, TRUE);
}

/* What is next the way one has come is there before it is asked for, picture and marks: the child is not heard. */
static void
test_foreseen (void)
{
  Room *room;
  FlgImagesPage *page = open_shot (&room, 12);
  FlViewClient *client = flg_context_view (room->context);
  add_shots (room);
  room_settle (room);
  room_settle (room);
  fl_view_client_set_far (client, TRUE);
  go (room, page, 402);
  double not_foreseen = time_step (page, "images.next-hit");
  wait_for (1500);
  kill (atoi (fl_view_client_pid (client)), SIGSTOP);
  double foreseen = time_step (page, "images.next-hit");
  g_test_message ("next hit %.0f ms, foreseen %.0f ms", not_foreseen, foreseen);
  const FlgShotResult *a = result_of (page, FLG_SIDE_A);
  g_assert_cmpuint (a->counts.spots, ==, 100);
  kill (atoi (fl_view_client_pid (client)), SIGCONT);
  room_do (GTK_WIDGET (page), "images.next-frame", NULL);
  room_settle (room);
  wait_for (1500);
  kill (atoi (fl_view_client_pid (client)), SIGSTOP);
  time_step (page, "images.next-frame");
  kill (atoi (fl_view_client_pid (client)), SIGCONT);
  room_free (room);
}

typedef struct
{
  FlgImagesPage *page;
  guint left, seen;
  float shown;
} Held;

static void
note_raster (Held *held)
{
  float shown = frame_shown (held->page);
  g_assert_cmpfloat (shown, >, held->shown);
  held->shown = shown;
  held->seen += held->left > 0;
}

static gboolean
on_repeat (gpointer data)
{
  Held *held = data;
  room_do (GTK_WIDGET (held->page), "images.next-frame", NULL);
  return --held->left > 0;
}

/* A key held for 3 s: at least three pictures a second, none older than the one before, and then the last. */
static void
test_held (void)
{
  Room *room;
  Held held = { open_shot (&room, 12), 90, 0, 12 };
  fl_view_client_set_far (flg_context_view (room->context), TRUE);
  gulong noted = g_signal_connect_swapped (flg_images_page_view (held.page), "raster-changed",
                                           G_CALLBACK (note_raster), &held);
  g_timeout_add (33, on_repeat, &held);
  while (held.left > 0)
    g_main_context_iteration (NULL, TRUE);
  display_wait (shows_wanted, held.page);
  g_assert_cmpfloat (held.shown, ==, 102);
  g_test_message ("%.1f pictures a second", held.seen / 2.97);
  g_assert_cmpuint (held.seen, >=, 9);
  g_signal_handler_disconnect (flg_images_page_view (held.page), noted);
  room_free (room);
}

int
main (int argc, char *argv[])
{
  display_init (&argc, &argv);
  g_test_add_func ("/gui/images/lattices", test_lattices);
  g_test_add_func ("/gui/images/compare", test_compare);
  g_test_add_func ("/gui/images/tune", test_tune);
  g_test_add_func ("/gui/images/steps", test_steps);
  g_test_add_func ("/gui/images/foreseen", test_foreseen);
  g_test_add_func ("/gui/images/held", test_held);
  return g_test_run ();
}
