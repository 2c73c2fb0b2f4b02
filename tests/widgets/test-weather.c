/* The weather plot against a naive raster and naive counts; its summary, keys and signals. */
#include <math.h>
#include <string.h>

#include "tests/widgets/display.h"
#include "tests/widgets/synthetic.h"
#include "widgets/weather-raster.h"

#define T0 1800000000000000000

static gint64
end_of (const FlwWeatherEvent *event)
{
  gint64 end = event->start;
  for (guint s = 0; s < FLW_WEATHER_STAGES; s++)
    end += (gint64) event->duration[s] * 1000;
  return end;
}

/* The highest class of the events that reach into each cell, one event after the other, one pixel after the
 * other. */
static guint8 *
naive_raster (const FlwWeatherView *view, guint n, const FlwWeatherEvent *events, guint n_lines)
{
  guint8 *klass = g_malloc ((gsize) n_lines * view->width);

  memset (klass, FLW_WEATHER_NONE, (gsize) n_lines * view->width);
  for (guint i = 0; i < n; i++)
    {
      double a = (double) (events[i].start - view->t0) / view->ns_per_px;
      double b = (double) (end_of (&events[i]) - view->t0) / view->ns_per_px;
      double line = n_lines == view->height
                        ? (events[i].row - view->row0) * view->height / (view->row1 - view->row0)
                        : events[i].row - floor (view->row0);

      if (line < 0 || line >= n_lines)
        continue;
      if (b - a >= 4)
        b -= 1;
      for (guint x = 0; x < view->width; x++)
        if ((a < x + 1 && b > x) || (guint) fmax (a, 0) == (a >= 0 ? x : view->width))
          {
            guint8 *cell = &klass[(gsize) (guint) line * view->width + x];
            if (*cell == FLW_WEATHER_NONE || events[i].klass > *cell)
              *cell = events[i].klass;
          }
    }
  return klass;
}

static void
check_view (const FlwWeatherView *view, guint n, const FlwWeatherEvent *events)
{
  FlwWeatherData *data = flw_weather_data_new ();
  FlwWeatherGrid *grid = flw_weather_grid_new (view), *grown = flw_weather_grid_new (view);
  g_autofree guint8 *naive = NULL;
  g_autoptr (GArray) all = NULL;
  gint64 to = view->t0 + (gint64) (view->ns_per_px * view->width);
  guint differ = 0;

  /* At once, and grown piece by piece as live data come. */
  for (guint i = 0; i < n; i += 777)
    {
      g_autoptr (GArray) fresh = NULL;
      flw_weather_data_append (data, MIN (777, n - i), events + i);
      fresh = flw_weather_data_take_fresh (data);
      flw_weather_grid_add (grown, fresh);
    }
  all = flw_weather_data_slices (data, (guint) floor (view->row0), (guint) ceil (view->row1), view->t0, to);
  flw_weather_grid_add (grid, all);
  naive = naive_raster (view, n, events, grid->n_lines);
  for (gsize i = 0; i < (gsize) grid->n_lines * view->width; i++)
    if (grid->klass[i] != naive[i])
      {
        g_test_message ("line %u, pixel %u: %u, naive %u", (guint) (i / view->width),
                        (guint) (i % view->width), grid->klass[i], naive[i]);
        differ++;
      }
  g_assert_cmpuint (differ, ==, 0);
  g_assert_true (memcmp (grid->klass, grown->klass, (gsize) grid->n_lines * view->width) == 0);
  for (gsize i = 0; i < (gsize) grid->n_lines * view->width; i++)
    g_assert_cmpfloat_with_epsilon (grid->busy[i], grown->busy[i], 1e-3);
  flw_weather_grid_free (grid);
  flw_weather_grid_free (grown);
  flw_weather_data_free (data);
}

static void
test_raster (void)
{
  guint n = 20000, rows = 40;
  g_autofree FlwWeatherEvent *live = synthetic_weather (n, rows, T0);
  g_autofree FlwWeatherEvent *dense = synthetic_events (n, 300, T0, 60000000000);

  /* Views begin 37 ns off the events' microseconds, so that no edge lies on a pixel's edge. */
  check_view (&(FlwWeatherView){ .t0 = T0 - 37, .ns_per_px = 2e8, .row1 = rows, .width = 500, .height = 400 },
              n, live);
  check_view (&(FlwWeatherView){ .t0 = T0 + 3000000000 - 37,
                                 .ns_per_px = 1e7,
                                 .row0 = 3.4,
                                 .row1 = 21.7,
                                 .width = 333,
                                 .height = 256 },
              n, live);
  check_view (&(FlwWeatherView){ .t0 = T0 - 37, .ns_per_px = 6e7, .row1 = 300, .width = 1000, .height = 128 },
              n, dense);
}

/* Busy time is conserved: what is summed over a row's pixels is the row's durations. */
static void
test_busy_time (void)
{
  guint n = 4000, rows = 8;
  g_autofree FlwWeatherEvent *events = synthetic_events (n, rows, T0, 60000000000);
  FlwWeatherData *data = flw_weather_data_new ();
  FlwWeatherGrid *grid = flw_weather_grid_new (&(FlwWeatherView){
      .t0 = T0, .ns_per_px = 60000000000. / 300, .row1 = rows, .width = 300, .height = 80 });
  g_autoptr (GArray) slices = NULL;
  double sum[8] = { 0 }, busy;

  flw_weather_data_append (data, n, events);
  slices = flw_weather_data_slices (data, 0, rows, G_MININT64, G_MAXINT64);
  flw_weather_grid_add (grid, slices);
  for (guint i = 0; i < n; i++)
    sum[events[i].row] += (double) (end_of (&events[i]) - events[i].start) / grid->view.ns_per_px;
  for (guint r = 0; r < rows; r++)
    {
      busy = 0;
      for (guint x = 0; x < 300; x++)
        busy += grid->busy[r * 300 + x];
      g_assert_cmpfloat_with_epsilon (busy, sum[r], 1e-3 * sum[r]);
    }
  flw_weather_grid_free (grid);
  flw_weather_data_free (data);
}

static void
test_counts (void)
{
  guint n = 30000, rows = 50;
  g_autofree FlwWeatherEvent *events = synthetic_weather (n, rows, T0);
  GtkWidget *widget = g_object_ref_sink (flw_weather_plot_new ());
  FlwWeatherPlot *plot = FLW_WEATHER_PLOT (widget);

  for (guint i = 0; i < n; i += 1000)
    flw_weather_plot_append (plot, 1000, events + i);
  g_assert_cmpuint (flw_weather_plot_get_n_events (plot), ==, n);
  for (guint k = 0; k < 50; k++)
    {
      guint first = g_test_rand_int_range (0, 50),
            last = MIN (first + g_test_rand_int_range (0, 5), rows - 1);
      double from = T0 * 1e-9 + g_test_rand_double_range (0, 40),
             to = from + g_test_rand_double_range (0.001, 5);
      guint64 naive[FLW_CLASS_LAST] = { 0 }, counts[FLW_CLASS_LAST];

      for (guint i = 0; i < n; i++)
        if (events[i].row >= first && events[i].row <= last && events[i].start < (gint64) (to * 1e9)
            && end_of (&events[i]) > (gint64) (from * 1e9))
          naive[events[i].klass]++;
      flw_weather_plot_count (plot, first, last, from, to, counts);
      for (guint c = 0; c < FLW_CLASS_LAST; c++)
        g_assert_cmpuint (counts[c], ==, naive[c]);
    }
  g_object_unref (widget);
}

static void
test_summary (void)
{
  GtkWidget *widget = g_object_ref_sink (flw_weather_plot_new ());
  FlwWeatherPlot *plot = FLW_WEATHER_PLOT (widget);
  const FlwWeatherEvent events[] = {
    { .id = 1, .start = T0, .duration = { 1000, 2000 }, .row = 0, .klass = FLW_CLASS_MISS },
    { .id = 2,
      .start = T0 + 5000000000,
      .duration = { 1000, 2000, 90000 },
      .row = 1,
      .klass = FLW_CLASS_INDEXED },
    { .id = 3, .start = T0 + 59000000000, .duration = { 1000 }, .row = 2, .klass = FLW_CLASS_FAILED },
  };
  const FlwWeatherRow rows[] = { { "node1", NULL }, { "node1", NULL }, { "node2", NULL } };
  const FlwWeatherMark marks[] = {
    { .id = 7, .row = 0, .since = T0 + 60000000000, .kind = FLW_MARK_IN_FLIGHT },
    { .id = 8, .row = 2, .since = T0 + 20000000000, .kind = FLW_MARK_STALLED }
  };
  g_autofree char *empty = NULL, *summary = NULL;

  g_object_get (widget, "summary", &empty, NULL);
  g_assert_cmpstr (empty, ==, "no ranks yet");
  flw_weather_plot_set_rows (plot, 3, rows);
  flw_weather_plot_append (plot, 3, events);
  flw_weather_plot_set_now (plot, T0 + 62000000000);
  flw_weather_plot_set_marks (plot, 2, marks);
  g_object_get (widget, "summary", &summary, NULL);
  g_assert_cmpstr (summary, ==,
                   "3 ranks on 2 hosts, 08:00:00.00 to 08:00:59.00: 3 shots: 1 miss, 1 indexed, 0 hit, not "
                   "indexed, 1 failed; "
                   "1 in flight, 1 stalled (oldest 42 s, rank 2 · node2), 0 unfinished");
  g_object_unref (widget);
}

static gboolean
is_settled (gpointer plot)
{
  return flw_weather_plot_get_settled (plot);
}

static void
note_id (FlwWeatherPlot *plot, guint64 id, guint64 *noted)
{
  (void) plot;
  *noted = id;
}

/* By keys alone: the cursor goes to the middle, Return activates what is there. */
static void
test_keyboard (void)
{
  GtkWidget *widget = flw_weather_plot_new (), *window;
  FlwWeatherPlot *plot = FLW_WEATHER_PLOT (widget);
  FlwAxis *axis = flw_weather_plot_get_axis (plot);
  const FlwWeatherEvent event = {
    .id = 4711, .start = T0, .duration = { 0, 10000000 }, .row = 0, .klass = FLW_CLASS_HIT
  };
  guint64 noted = 0;
  double span;

  flw_weather_plot_append (plot, 1, &event);
  window = display_show (widget, 800, 400);
  display_wait (is_settled, plot);
  g_signal_connect (plot, "event-activated", G_CALLBACK (note_id), &noted);
  g_assert_true (gtk_widget_activate_action (widget, "plot.cursor-right", NULL));
  g_assert_true (gtk_widget_activate_action (widget, "plot.activate", NULL));
  g_assert_cmpuint (noted, ==, 4711);
  span = flw_axis_get_upper (axis) - flw_axis_get_lower (axis);
  gtk_widget_activate_action (widget, "plot.zoom-in", NULL);
  g_assert_cmpfloat_with_epsilon (flw_axis_get_upper (axis) - flw_axis_get_lower (axis), span / 1.5, 1e-6);
  gtk_widget_activate_action (widget, "plot.fit", NULL);
  g_assert_cmpfloat_with_epsilon (flw_axis_get_upper (axis) - flw_axis_get_lower (axis), span, 1e-6);
  display_wait (is_settled, plot);
  flw_weather_plot_clear (plot);
  display_wait (is_settled, plot);
  g_assert_cmpuint (flw_weather_plot_get_n_events (plot), ==, 0);
  gtk_window_destroy (GTK_WINDOW (window));
}

/* Destroyed in the middle of the work. */
static void
test_destroyed_early (void)
{
  g_autofree FlwWeatherEvent *events = synthetic_events (500000, 64, T0, 60000000000);

  for (guint i = 0; i < 4; i++)
    {
      GtkWidget *widget = flw_weather_plot_new (), *window = display_show (widget, 640, 300);
      flw_weather_plot_append (FLW_WEATHER_PLOT (widget), 500000, events);
      gtk_widget_activate_action (widget, "plot.zoom-in", NULL);
      gtk_window_destroy (GTK_WINDOW (window));
    }
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

int
main (int argc, char **argv)
{
  g_setenv ("TZ", "UTC", TRUE);
  display_init (&argc, &argv);
  g_test_add_func ("/weather/raster", test_raster);
  g_test_add_func ("/weather/busy-time", test_busy_time);
  g_test_add_func ("/weather/counts", test_counts);
  g_test_add_func ("/weather/summary", test_summary);
  g_test_add_func ("/weather/keyboard", test_keyboard);
  g_test_add_func ("/weather/destroyed-early", test_destroyed_early);
  return g_test_run ();
}
