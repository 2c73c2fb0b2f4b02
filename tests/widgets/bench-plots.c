/* Main-loop CPU of the plots with 10⁷ points: hover, live append, pan; time to the first whole picture.
 *
 *   bench-plots [POINTS]      (meson test --benchmark; a display is needed, Xvfb will do)
 *
 * CPU is the main thread's own (CLOCK_THREAD_CPUTIME_ID), so that neither the workers nor the rest of the
 * machine count. Budgets: 2 ms a frame for hover and live append (strip plot: 4 ms for live append), 1 ms
 * for appending 10⁴ events. Ends with 1 when a budget is missed. */
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "tests/widgets/display.h"
#include "tests/widgets/synthetic.h"

#define T0    1800000000000000000
#define BATCH 10000
#define ROWS  1024

static gboolean over_budget;

static double
cpu_ms (void)
{
  struct timespec t;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t);
  return (double) t.tv_sec * 1e3 + (double) t.tv_nsec * 1e-6;
}

static double
wall_ms (void)
{
  return (double) g_get_monotonic_time () * 1e-3;
}

static int
compare (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return x < y ? -1 : x > y;
}

static void
report (const char *what, guint n, double *values, double budget)
{
  double median;

  qsort (values, n, sizeof *values, compare);
  median = values[n / 2];
  g_print ("%-44s median %7.3f ms  95 %% %7.3f ms  (%u)%s\n", what, median, values[n * 95 / 100], n,
           budget > 0 && median > budget ? "  OVER BUDGET" : "");
  over_budget |= budget > 0 && median > budget;
}

static gboolean
weather_settled (gpointer plot)
{
  return flw_weather_plot_get_settled (plot);
}

static gboolean
strip_settled (gpointer plot)
{
  return flw_strip_plot_get_settled (plot);
}

/* One frame for each activation of `action`: the CPU of action, layout and drawing together. */
static void
frames (GtkWidget *widget, const char *what, const char *forth, const char *back, double budget)
{
  double values[120];

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      double before = cpu_ms ();
      gtk_widget_activate_action (widget, i < G_N_ELEMENTS (values) / 2 ? forth : back, NULL);
      display_wait_drawn (widget);
      values[i] = cpu_ms () - before;
    }
  report (what, G_N_ELEMENTS (values), values, budget);
}

typedef struct
{
  guint frames;
  double cpu[1000], before;
} Meter;

static void
on_before_paint (GdkFrameClock *clock, Meter *meter)
{
  (void) clock;
  meter->before = cpu_ms ();
}

static void
on_after_paint (GdkFrameClock *clock, Meter *meter)
{
  (void) clock;
  if (meter->frames < G_N_ELEMENTS (meter->cpu))
    meter->cpu[meter->frames++] = cpu_ms () - meter->before;
}

static void
wait_some (guint ms)
{
  gint64 end = g_get_monotonic_time () + ms * 1000;

  while (g_get_monotonic_time () < end)
    {
      g_main_context_iteration (NULL, FALSE);
      g_usleep (500);
    }
}

/* Batches as they come from a running job, 10 a second: the append alone, the frames, and all that the main
 * thread did. */
static void
live (GtkWidget *widget, const char *name, void (*append) (GtkWidget *widget, guint i), guint n,
      double budget)
{
  GdkFrameClock *clock = gtk_widget_get_frame_clock (widget);
  Meter meter = { 0 };
  g_autofree double *appends = g_new (double, n);
  g_autofree char *what = g_strdup_printf ("%s: append of 10⁴", name);
  g_autofree char *painting = g_strdup_printf ("%s: live append, a frame", name);
  double all = 0, begin;
  gulong a = g_signal_connect (clock, "before-paint", G_CALLBACK (on_before_paint), &meter);
  gulong b = g_signal_connect (clock, "after-paint", G_CALLBACK (on_after_paint), &meter);

  for (guint i = 0; i < n; i++)
    {
      double before = cpu_ms ();
      append (widget, i);
      appends[i] = cpu_ms () - before;
      /* Polling costs CPU of its own: measured by the same wait with nothing to do. */
      begin = cpu_ms ();
      wait_some (100);
      all += cpu_ms () - begin;
    }
  g_signal_handler_disconnect (clock, a);
  g_signal_handler_disconnect (clock, b);
  report (what, n, appends, 1);
  report (painting, meter.frames, meter.cpu, budget);
  g_print ("%s: main thread %.2f ms a batch in all, polling included\n", name, all / n);
}

static FlwWeatherEvent *events;
static guint n_events;

static void
append_events (GtkWidget *widget, guint i)
{
  flw_weather_plot_append (FLW_WEATHER_PLOT (widget), BATCH, events + n_events - (i + 1) * BATCH);
}

static void
bench_weather (guint n)
{
  GtkWidget *widget = flw_weather_plot_new (), *window;
  FlwWeatherPlot *plot = FLW_WEATHER_PLOT (widget);
  double begin, all[20];

  n_events = n;
  events = synthetic_events (n, ROWS, T0, 3600000000000);
  window = display_show (widget, 1600, 900);
  begin = wall_ms ();
  flw_weather_plot_append (plot, n - 50 * BATCH, events);
  g_print ("weather: %u events taken in %.0f ms", n - 50 * BATCH, wall_ms () - begin);
  begin = wall_ms ();
  display_wait (weather_settled, plot);
  display_wait_drawn (widget);
  g_print (", first picture after %.0f ms more\n", wall_ms () - begin);
  frames (widget, "weather: hover, a frame", "plot.cursor-right", "plot.cursor-left", 2);
  live (widget, "weather", append_events, 50, 2);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      gtk_widget_activate_action (widget, i % 2 == 0 ? "plot.zoom-rows-in" : "plot.zoom-rows-out", NULL);
      begin = wall_ms ();
      display_wait (weather_settled, plot);
      all[i] = wall_ms () - begin;
    }
  report ("weather: new raster in the worker (wall)", G_N_ELEMENTS (all), all, 0);
  gtk_window_destroy (GTK_WINDOW (window));
  g_free (events);
}

static guint8 *classes;
static float *spots, *resolution;

static void
append_shots (GtkWidget *widget, guint i)
{
  flw_strip_plot_append (FLW_STRIP_PLOT (widget), 9, BATCH, classes + i * BATCH,
                         (const float *const[]){ spots + i * BATCH, resolution + i * BATCH });
}

static void
bench_strip (guint n)
{
  GtkWidget *widget = flw_strip_plot_new (), *window;
  FlwStripPlot *plot = FLW_STRIP_PLOT (widget);
  guint each = n / 10;
  double begin, all[20];

  classes = g_new (guint8, MAX (each, 50 * BATCH));
  spots = g_new (float, MAX (each, 50 * BATCH));
  resolution = g_new (float, MAX (each, 50 * BATCH));
  synthetic_shots (MAX (each, 50 * BATCH), 1, classes, spots, resolution);
  flw_strip_plot_add_strip (plot, FLW_STRIP_DOTS, "Strong spots", NULL, 1);
  flw_strip_plot_add_strip (plot, FLW_STRIP_SHARE, "Rates", "%", 1);
  flw_strip_plot_add_line (plot, "hits", 1u << FLW_CLASS_HIT | 1u << FLW_CLASS_INDEXED, 0xf0e442);
  flw_strip_plot_add_line (plot, "indexed", 1u << FLW_CLASS_INDEXED, 0x56b4e9);
  flw_strip_plot_add_strip (plot, FLW_STRIP_RESOLUTION, "Resolution", "Å", 1);
  window = display_show (widget, 1600, 900);
  begin = wall_ms ();
  for (guint r = 0; r < 10; r++)
    {
      flw_strip_plot_add_run (plot, "run");
      flw_strip_plot_append (plot, r, each, classes, (const float *const[]){ spots, resolution });
    }
  g_print ("strip: %u shots taken in %.0f ms", each * 10, wall_ms () - begin);
  begin = wall_ms ();
  display_wait (strip_settled, plot);
  display_wait_drawn (widget);
  g_print (", first picture after %.0f ms more\n", wall_ms () - begin);
  frames (widget, "strip: hover, a frame", "plot.cursor-right", "plot.cursor-left", 2);
  live (widget, "strip", append_shots, 50, 4); /* three strips and their headers change at once */
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      gtk_widget_activate_action (widget, i % 2 == 0 ? "plot.zoom-in" : "plot.zoom-out", NULL);
      begin = wall_ms ();
      display_wait (strip_settled, plot);
      all[i] = wall_ms () - begin;
    }
  report ("strip: new pictures in the worker (wall)", G_N_ELEMENTS (all), all, 0);
  gtk_window_destroy (GTK_WINDOW (window));
  g_free (classes);
  g_free (spots);
  g_free (resolution);
}

int
main (int argc, char **argv)
{
  guint n = argc > 1 ? (guint) strtoul (argv[1], NULL, 10) : 10000000;

  if (!gtk_init_check ())
    {
      g_printerr ("bench-plots: no display: run it under xvfb-run\n");
      return 77;
    }
  bench_weather (MAX (n, 100 * BATCH));
  bench_strip (MAX (n, 100 * BATCH));
  return over_budget;
}
