/* The strip plot: windows, dots and totals against naive loops; its summary, clicks and growing runs. */
#include <math.h>

#include "tests/widgets/display.h"
#include "tests/widgets/synthetic.h"
#include "widgets/strip-raster.h"

typedef struct
{
  guint n;
  guint8 *classes;
  float *spots, *squares;
} Shots;

static Shots
shots_new (guint n, guint seed)
{
  Shots shots = { n, g_new (guint8, n), g_new (float, n), g_new (float, n) };

  synthetic_shots (n, seed, shots.classes, shots.spots, shots.squares);
  for (guint i = 0; i < n; i++)
    shots.squares[i] = 1 / (shots.squares[i] * shots.squares[i]);
  return shots;
}

static void
shots_free (Shots *shots)
{
  g_free (shots->classes);
  g_free (shots->spots);
  g_free (shots->squares);
}

static FlwStripData *
fill (const Shots *runs, guint n_runs, guint piece)
{
  FlwStripData *data = flw_strip_data_new ();
  gboolean more = TRUE;

  data->n_columns = 2;
  for (guint r = 0; r < n_runs; r++)
    flw_strip_data_add_run (data, "run");
  for (guint from = 0; more; from += piece) /* all runs grow at once */
    {
      more = FALSE;
      for (guint r = 0; r < n_runs; r++)
        if (from < runs[r].n)
          {
            flw_strip_data_append (data, r, MIN (piece, runs[r].n - from), runs[r].classes + from,
                                   (const float *const[]){ runs[r].spots + from, runs[r].squares + from });
            more = TRUE;
          }
    }
  return data;
}

static void
test_windows (void)
{
  Shots shots = shots_new (9000, 3);
  FlwStripData *data = fill (&shots, 1, 1000);
  FlwRunView *views = flw_strip_data_views (data, NULL);
  guint mask = 1u << FLW_CLASS_HIT | 1u << FLW_CLASS_INDEXED;
  FlwStripView view = {
    .window = 200,
    .n_columns = 2,
    .n_lines = 3,
    .lines = { { 0, -1, mask, ~0u, 1 }, { 0, 1, 0, 0, 1 }, { 0, -1, 1u << FLW_CLASS_INDEXED, mask, 4 } }
  };

  for (guint i = 0; i < shots.n; i += 13)
    {
      guint from = i + 1 > 200 ? i - 199 : 0, hits = 0, valued = 0;
      double sum = 0, share = flw_strip_line_value (&view, 0, views, i);
      double mean = flw_strip_line_value (&view, 1, views, i);

      for (guint k = from; k <= i; k++)
        {
          hits += (mask >> shots.classes[k]) & 1;
          if (isfinite (shots.squares[k]))
            {
              valued++;
              sum += shots.squares[k];
            }
        }
      if (i + 1 < 20)
        g_assert_true (isnan (share) && isnan (mean));
      else
        {
          g_assert_cmpfloat_with_epsilon (share, 100. * hits / (i + 1 - from), 1e-9);
          if (valued >= 3)
            g_assert_cmpfloat_with_epsilon (mean, sum / valued, 1e-9);
        }
    }
  for (guint i = 0; i < shots.n; i += 17) /* of the hits alone, over four windows */
    {
      guint from = i + 1 > 800 ? i - 799 : 0, hits = 0, indexed = 0;
      double share = flw_strip_line_value (&view, 2, views, i);

      for (guint k = from; k <= i; k++)
        {
          hits += (mask >> shots.classes[k]) & 1;
          indexed += shots.classes[k] == FLW_CLASS_INDEXED;
        }
      if (hits < 10)
        g_assert_true (isnan (share));
      else
        g_assert_cmpfloat_with_epsilon (share, 100. * indexed / hits, 1e-9);
    }
  flw_run_views_free (views, 1);
  flw_strip_data_free (data);
  shots_free (&shots);
}

/* Every shot with a value is in exactly one cell, the right one, with the highest class on top; grown
 * equals whole. */
static void
test_dots (void)
{
  Shots runs[3] = { shots_new (5000, 1), shots_new (300, 2), shots_new (7001, 3) };
  FlwStripData *data = fill (runs, 3, 10000);
  FlwStripView view = { .x0 = 1000,
                        .shots_per_px = 11.5,
                        .width = 700,
                        .dot = 1,
                        .window = 100,
                        .n_columns = 2,
                        .n_strips = 2,
                        .strips = { { 90, 0, 0, 120, FALSE }, { 60, 1, 0, 0.4, FALSE } } };
  FlwStripGrid *grid = flw_strip_grid_new (&view), *grown = flw_strip_grid_new (&view);
  FlwRunView *views = flw_strip_data_views (data, NULL);
  guint64 offset = 0;
  g_autofree guint32 *counts = g_new0 (guint32, 700 * 90);
  g_autofree guint8 *klass = g_new0 (guint8, 700 * 90);

  flw_strip_grid_add (grid, views, 3);
  for (guint r = 0; r < 3; offset += runs[r++].n)
    for (guint i = 0; i < runs[r].n; i++)
      {
        double x = ((double) (offset + i) + 0.5 - 1000) / 11.5;
        float y = 89 - floorf (runs[r].spots[i] * (90 / 120.f));
        gsize cell;

        if ((double) (offset + i) < 1000 || (double) (offset + i) >= 1000 + 11.5 * 700)
          continue;
        cell = (gsize) CLAMP (y, 0, 89) * 700 + MIN ((gsize) x, 699);
        klass[cell] = counts[cell] == 0 ? runs[r].classes[i] : MAX (klass[cell], runs[r].classes[i]);
        counts[cell]++;
      }
  for (gsize c = 0; c < 700 * 90; c++)
    {
      g_assert_cmpuint (grid->count[0][c], ==, counts[c]);
      g_assert_cmpuint (grid->klass[0][c], ==, counts[c] > 0 ? klass[c] : FLW_STRIP_NONE);
    }
  /* The same in two goes. */
  for (guint r = 0; r < 3; r++)
    views[r].n /= 2;
  flw_strip_grid_add (grown, views, 3);
  for (guint r = 0; r < 3; r++)
    {
      views[r].done = views[r].n;
      views[r].n = runs[r].n;
    }
  flw_strip_grid_add (grown, views, 3);
  g_assert_true (memcmp (grid->klass[1], grown->klass[1], 700 * 60) == 0);
  g_assert_true (memcmp (grid->count[0], grown->count[0], 700 * 90 * sizeof (guint16)) == 0);
  flw_run_views_free (views, 3);
  flw_strip_grid_free (grid);
  flw_strip_grid_free (grown);
  flw_strip_data_free (data);
  for (guint r = 0; r < 3; r++)
    shots_free (&runs[r]);
}

static void
test_places (void)
{
  Shots runs[2] = { shots_new (5000, 1), shots_new (4096, 2) };
  FlwStripData *data = fill (runs, 2, 512);

  g_assert_cmpuint (flw_strip_data_run (data, 1)->offset, ==, 5000);
  g_assert_cmpuint (data->n_shots, ==, 9096);
  g_assert_cmpint (flw_strip_data_find (data, 4999.5), ==, 0);
  g_assert_cmpint (flw_strip_data_find (data, 5000), ==, 1);
  g_assert_cmpint (flw_strip_data_find (data, 9096), ==, -1);
  g_assert_cmpint (flw_strip_data_find (data, -1), ==, -1);
  g_assert_cmpuint (data->generation, >, 0); /* run 0 grew under run 1 */
  flw_strip_data_free (data);
  shots_free (&runs[0]);
  shots_free (&runs[1]);
}

static gboolean
is_settled (gpointer plot)
{
  return flw_strip_plot_get_settled (plot);
}

static void
note_shot (FlwStripPlot *plot, guint run, guint64 index, guint64 *noted)
{
  (void) plot;
  noted[0] = run;
  noted[1] = index;
}

static void
test_widget (void)
{
  GtkWidget *widget = flw_strip_plot_new (), *window;
  FlwStripPlot *plot = FLW_STRIP_PLOT (widget);
  guint8 classes[100];
  float spots[100], d[100];
  guint64 noted[2] = { 99, 99 };
  g_autofree char *summary = NULL;

  for (guint i = 0; i < 100; i++)
    {
      classes[i] = i % 4 == 0 ? FLW_CLASS_INDEXED : i % 20 == 1 ? FLW_CLASS_HIT : FLW_CLASS_MISS;
      spots[i] = (float) i;
      d[i] = classes[i] == FLW_CLASS_INDEXED ? 2 : 0; /* 0: none */
    }
  flw_strip_plot_add_strip (plot, FLW_STRIP_DOTS, "Strong spots", NULL, 1);
  flw_strip_plot_add_strip (plot, FLW_STRIP_SHARE, "Rates", "%", 1);
  flw_strip_plot_add_line (plot, "hits", 1u << FLW_CLASS_HIT | 1u << FLW_CLASS_INDEXED, 0xffffff);
  flw_strip_plot_add_strip (plot, FLW_STRIP_RESOLUTION, "Resolution", "Å", 1);
  flw_strip_plot_set_window (plot, 100);
  flw_strip_plot_add_run (plot, "r0001");
  flw_strip_plot_append (plot, 0, 100, classes, (const float *const[]){ spots, d });
  g_object_get (plot, "summary", &summary, NULL);
  g_assert_cmpstr (summary, ==,
                   "1 run, 100 shots: 70 miss, 25 indexed, 5 hit, not indexed, 0 failed; hits 30.0 %; "
                   "Resolution (Å) 2.00 Å in the last 100 shots");
  window = display_show (widget, 900, 600);
  display_wait (is_settled, plot);
  g_signal_connect (plot, "shot-activated", G_CALLBACK (note_shot), noted);
  gtk_widget_activate_action (widget, "plot.cursor-right", NULL);
  gtk_widget_activate_action (widget, "plot.activate", NULL);
  g_assert_cmpuint (noted[0], ==, 0);
  g_assert_cmpuint (noted[1], >=, 49); /* the middle of 0 … 103, or the dot beside it */
  g_assert_cmpuint (noted[1], <=, 53);
  flw_strip_plot_add_run (plot, "r0002");
  for (guint i = 0; i < 50; i++)
    flw_strip_plot_append (plot, i % 2, 100, classes, (const float *const[]){ spots, NULL });
  display_wait (is_settled, plot);
  g_assert_cmpuint (flw_strip_plot_get_n_shots (plot), ==, 5100);
  flw_strip_plot_show_run (plot, 1);
  g_assert_cmpfloat (flw_axis_get_lower (flw_strip_plot_get_axis (plot)), ==, 2600);
  g_assert_cmpfloat (flw_axis_get_upper (flw_strip_plot_get_axis (plot)), ==, 5100);
  display_wait (is_settled, plot);
  flw_strip_plot_clear (plot);
  display_wait (is_settled, plot);
  g_assert_cmpuint (flw_strip_plot_get_n_shots (plot), ==, 0);
  gtk_window_destroy (GTK_WINDOW (window));
}

/* What would be drawn at this moment, before any worker can have answered. */
static cairo_surface_t *
picture_now (GtkWidget *widget)
{
  GtkSnapshot *snapshot = gtk_snapshot_new ();
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, gtk_widget_get_width (widget),
                                                         gtk_widget_get_height (widget));
  cairo_t *cr = cairo_create (surface);
  GskRenderNode *node;

  GTK_WIDGET_GET_CLASS (widget)->snapshot (widget, snapshot);
  node = gtk_snapshot_free_to_node (snapshot);
  gsk_render_node_draw (node, cr);
  gsk_render_node_unref (node);
  cairo_destroy (cr);
  return surface;
}

/* Between a change of view and its new picture the old one is stretched: without dark seams between its tiles. */
static void
test_seams (void)
{
  GtkWidget *widget = flw_strip_plot_new (), *window;
  FlwStripPlot *plot = FLW_STRIP_PLOT (widget);
  g_autofree guint8 *classes = g_new (guint8, 5000);
  g_autofree float *spots = g_new (float, 5000);
  cairo_surface_t *picture;
  guint32 colour = flw_class_colour (FLW_CLASS_INDEXED);
  int row = -1;

  for (guint i = 0; i < 5000; i++)
    {
      classes[i] = FLW_CLASS_INDEXED;
      spots[i] = 5;
    }
  flw_strip_plot_add_strip (plot, FLW_STRIP_DOTS, "Strong spots", NULL, 1);
  flw_strip_plot_add_run (plot, "r0001");
  flw_strip_plot_append (plot, 0, 5000, classes, (const float *const[]){ spots });
  window = display_show (widget, 900, 300);
  display_wait (is_settled, plot);
  display_wait_drawn (widget);
  flw_axis_set_follow (flw_strip_plot_get_axis (plot), FALSE);
  flw_axis_set_range (flw_strip_plot_get_axis (plot), 0, 5040);
  picture = picture_now (widget);
  for (int y = 60; y < 260 && row < 0; y++)
    if (display_pixel (picture, 100, y) == colour)
      row = y;
  g_assert_cmpint (row, >, 0);
  for (int x = 70; x < 850; x++)
    g_assert_cmphex (display_pixel (picture, x, row), ==, colour);
  cairo_surface_destroy (picture);
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
note_thread (gpointer data, GObject *gone)
{
  GThread **thread = data;

  (void) gone;
  *thread = g_thread_self ();
}

/* A widget that is let go just when its worker has ended is freed by the main thread. */
static void
test_last_thread (void)
{
  for (guint i = 0; i < 40; i++)
    {
      GtkWidget *widget = flw_strip_plot_new (), *window;
      FlwStripPlot *plot = FLW_STRIP_PLOT (widget);
      const guint8 classes[2] = { FLW_CLASS_HIT, FLW_CLASS_MISS };
      const float spots[2] = { 5, 1 };
      GThread *thread = NULL;

      flw_strip_plot_add_strip (plot, FLW_STRIP_DOTS, "Strong spots", NULL, 1);
      flw_strip_plot_add_run (plot, "r0001");
      flw_strip_plot_append (plot, 0, 2, classes, (const float *const[]){ spots });
      window = display_show (widget, 400, 200);
      g_object_weak_ref (G_OBJECT (widget), note_thread, &thread);
      display_wait (is_settled, plot);
      gtk_window_destroy (GTK_WINDOW (window));
      while (g_atomic_pointer_get (&thread) == NULL)
        g_main_context_iteration (NULL, FALSE);
      g_assert_true (thread == g_thread_self ());
    }
}

int
main (int argc, char **argv)
{
  display_init (&argc, &argv);
  g_test_add_func ("/strip/windows", test_windows);
  g_test_add_func ("/strip/dots", test_dots);
  g_test_add_func ("/strip/places", test_places);
  g_test_add_func ("/strip/widget", test_widget);
  g_test_add_func ("/strip/seams", test_seams);
  g_test_add_func ("/strip/last-thread", test_last_thread);
  return g_test_run ();
}
