/* bench-jobs: whether the Jobs page with 10,000 jobs keeps up with the screen: the main thread's CPU for the frames of scrolling,
 * filtering, sorting and changing views, and of the bare matrix of 10,000 × 8 states.
 *
 *   bench-jobs      (meson test --benchmark; a display is needed, Xvfb will do)
 *
 * A frame is from what the user does until it has been drawn, by the main thread's own clock (CPU), so that other programs do not
 * count. Prints the median, the 95th percentile and the worst of each; ends with 1 when more than one frame in twenty takes
 * more than 16.7 ms. */
#include <stdlib.h>
#include <time.h>

#include "gui/jobs-page.h"
#include "tests/gui/made-jobs.h"
#include "tests/gui/room.h"
#include "tests/widgets/display.h"
#include "widgets/state-matrix.h"

#define BUDGET 16.7 /* ms */
#define FRAMES 120

static gboolean over_budget;

typedef void (*Step) (gpointer data, guint frame);

static double
cpu_ms (void)
{
  struct timespec t;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t);
  return (double) t.tv_sec * 1e3 + (double) t.tv_nsec * 1e-6;
}

static int
by_size (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return x < y ? -1 : x > y;
}

static void
bench (const char *name, GtkWidget *widget, Step step, gpointer data)
{
  double took[FRAMES];
  if (GTK_IS_ADJUSTMENT (data))
    gtk_adjustment_set_value (data, 0);
  for (guint i = 0; i < FRAMES; i++)
    {
      while (g_main_context_iteration (NULL, FALSE))
        ;
      double begin = cpu_ms ();
      step (data, i);
      display_wait_drawn (widget);
      took[i] = cpu_ms () - begin;
    }
  qsort (took, FRAMES, sizeof *took, by_size);
  double late = took[FRAMES * 95 / 100];
  g_print ("%-34s median %5.1f ms, 95 %% %5.1f ms, worst %5.1f ms%s\n", name, took[FRAMES / 2], late,
           took[FRAMES - 1], late < BUDGET ? "" : "  OVER BUDGET");
  over_budget |= late >= BUDGET;
}

/* --- what the user does --- */

static GtkAdjustment *
scroll_of (GtkWidget *inner)
{
  GtkWidget *scroller = gtk_widget_get_ancestor (inner, GTK_TYPE_SCROLLED_WINDOW);
  return gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (scroller));
}

static GtkWidget *
find_child (GtkWidget *widget, GType type)
{
  if (G_TYPE_CHECK_INSTANCE_TYPE (widget, type))
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child;
       child = gtk_widget_get_next_sibling (child))
    {
      GtkWidget *found = find_child (child, type);
      if (found)
        return found;
    }
  return NULL;
}

/* As a wheel does: three rows; then as the bar does: anywhere. */
static void
wheel (gpointer adjustment, guint frame)
{
  gtk_adjustment_set_value (adjustment, gtk_adjustment_get_value (adjustment) + 78);
}

static void
jump (gpointer adjustment, guint frame)
{
  double all = gtk_adjustment_get_upper (adjustment) - gtk_adjustment_get_page_size (adjustment);
  gtk_adjustment_set_value (adjustment, all * ((frame * 37) % FRAMES) / FRAMES);
}

/* "r01", "r012" … and back, words of every kind. */
static void
filter (gpointer page, guint frame)
{
  static const char *const words[] = { "r", "r0",   "r01",       "r012",         "r01",
                                       "",  "fail", "stills r1", "dark trial 2", "" };
  room_do (page, "jobs.filter", "s", words[frame % G_N_ELEMENTS (words)]);
}

static void
filter_state (gpointer page, guint frame)
{
  static const char *const states[] = { "failed", "all", "active", "done" };
  room_do (page, "jobs.filter-state", "s", states[frame % G_N_ELEMENTS (states)]);
}

static void
sort (gpointer page, guint frame)
{
  static const char *const columns[] = { "run", "state", "started", "job" };
  room_do (page, "jobs.sort", "s", columns[frame / 2 % G_N_ELEMENTS (columns)]);
}

static void
step_job (gpointer page, guint frame)
{
  flg_page_step (page, frame % 40 < 20 ? 1 : -1);
}

static void
bench_page (void)
{
  char *folder = g_dir_make_tmp ("firstlight-bench-XXXXXX", NULL);
  MadeJobs made;
  made_jobs_write (folder, 1670, (guint64) g_get_real_time () * 1000, &made);
  Room *room = room_adopt (folder, FL_STORE_WRITE, FALSE);
  gtk_window_set_default_size (GTK_WINDOW (room->window), 1920, 1080);
  double begin = cpu_ms ();
  GtkWidget *page = GTK_WIDGET (room_page (room, "jobs"));
  display_wait_drawn (page);
  guint n;
  flg_job_model_jobs (flg_jobs_page_model (FLG_JOBS_PAGE (page)), &n);
  g_print ("%u jobs, window %d × %d px; page first shown after %.0f ms of the main thread\n", n,
           gtk_widget_get_width (GTK_WIDGET (room->window)),
           gtk_widget_get_height (GTK_WIDGET (room->window)), cpu_ms () - begin);
  GtkWidget *rows = find_child (GTK_WIDGET (flg_jobs_page_list (FLG_JOBS_PAGE (page))), GTK_TYPE_LIST_VIEW);
  bench ("list: wheel", page, wheel, scroll_of (rows));
  bench ("list: anywhere by the bar", page, jump, scroll_of (rows));
  bench ("list: words typed in the filter", page, filter, page);
  bench ("list: states", page, filter_state, page);
  room_do (page, "jobs.filter-state", "s", "all");
  bench ("list: sort", page, sort, page);
  bench ("list: next, previous", page, step_job, page);
  room_do (page, "jobs.view", "s", "runs");
  GtkWidget *matrix =
      find_child (GTK_WIDGET (flg_jobs_page_matrix (FLG_JOBS_PAGE (page))), FLW_TYPE_STATE_MATRIX);
  bench ("runs × tasks: wheel", page, wheel, scroll_of (matrix));
  bench ("runs × tasks: words in the filter", page, filter, page);
  bench ("runs × tasks: states", page, filter_state, page);
  room_free (room);
}

/* --- the widget alone, with more rows than the page has --- */

static void
cell (guint row, guint column, FlwMatrixCell *out, gpointer data)
{
  out->state = (guint8) ((row * 7 + column * 3) % 11 / 4);
  out->progress = out->state == 2 ? (float) (row % 100) / 100 : -1;
  out->count = (guint8) (row % 4);
}

static void
row_head (guint row, FlwMatrixRow *out, gpointer data)
{
  static const char *const tags[] = { "lysozyme", "dark", NULL };
  static const guint32 colours[] = { 0x336699, 0x704020 };
  static char label[16];
  g_snprintf (label, sizeof label, "r%05u", row);
  *out = (FlwMatrixRow){ label, tags, colours };
}

static char *
describe (guint row, guint column, gpointer data)
{
  return g_strdup ("");
}

static void
reshape (gpointer matrix, guint frame)
{
  FlwMatrixColumn columns[8];
  for (guint c = 0; c < 8; c++)
    columns[c] = (FlwMatrixColumn){ c < 4 ? "trial 1" : "trial 2", "stills" };
  flw_state_matrix_set_shape (matrix, "Run", frame % 2 ? 10000 : 3000 + frame, 8, columns);
}

static void
bench_matrix (void)
{
  static const FlwMatrixFuncs funcs = { cell, row_head, describe };
  static const FlwMatrixState states[] = { { FLW_SHAPE_DISC, FLW_TONE_GOOD, "done" },
                                           { FLW_SHAPE_CROSS, FLW_TONE_BAD, "failed" },
                                           { FLW_SHAPE_TRIANGLE, FLW_TONE_ACTIVE, "running" } };
  GtkWidget *matrix = flw_state_matrix_new (), *scroller = gtk_scrolled_window_new ();
  flw_state_matrix_set_states (FLW_STATE_MATRIX (matrix), G_N_ELEMENTS (states), states);
  flw_state_matrix_set_source (FLW_STATE_MATRIX (matrix), &funcs, NULL);
  reshape (matrix, 1);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), matrix);
  GtkWidget *window = display_show (scroller, 1600, 700);
  bench ("matrix 10,000 × 8: wheel", matrix, wheel, scroll_of (matrix));
  bench ("matrix 10,000 × 8: anywhere", matrix, jump, scroll_of (matrix));
  bench ("matrix 10,000 × 8: other rows", matrix, reshape, matrix);
  gtk_window_destroy (GTK_WINDOW (window));
}

int
main (int argc, char *argv[])
{
  if (!gtk_init_check ())
    {
      g_printerr ("bench-jobs: no display: run it under xvfb-run\n");
      return 77;
    }
  bench_matrix ();
  bench_page ();
  return over_budget;
}
