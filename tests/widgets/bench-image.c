/* Main-loop CPU of the image view with 10⁴ predictions and a thousand spots: pan and hover, a frame.
 *
 *   bench-image [PREDICTIONS]      (meson test --benchmark; a display is needed, Xvfb will do)
 *
 * CPU is the main thread's own; everything that activating, layout and drawing cost together. Presenting 1600 × 900 px is
 * most of it and GTK's own affair, so each is measured without marks first: they may add 3 ms a frame. Ends with 1 when
 * they add more. */
#include <stdlib.h>
#include <time.h>

#include "tests/widgets/display.h"
#include "tests/widgets/synthetic.h"

#define BUDGET 3 /* ms that marks may add to a frame */

static double
cpu_ms (void)
{
  struct timespec t;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t);
  return (double) t.tv_sec * 1e3 + (double) t.tv_nsec * 1e-6;
}

static int
compare (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return x < y ? -1 : x > y;
}

static gboolean
is_settled (gpointer view)
{
  return flw_image_view_get_settled (view);
}

/* Median. Every step is drawn while the worker and the provider go on as they do. */
static double
frames (FlwImageView *view, void (*step) (FlwImageView *view, int i))
{
  double values[120];
  const guint n = G_N_ELEMENTS (values);

  for (guint i = 0; i < n; i++)
    {
      double before = cpu_ms ();
      step (view, (int) i);
      display_wait_drawn (GTK_WIDGET (view));
      values[i] = cpu_ms () - before;
    }
  display_wait (is_settled, view);
  qsort (values, n, sizeof *values, compare);
  return values[n / 2];
}

static gboolean
measure (FlwImageView *view, const char *what, void (*step) (FlwImageView *view, int i))
{
  double with, without;

  g_object_set (view, "show-spots", FALSE, "show-predictions", FALSE, NULL);
  without = frames (view, step);
  g_object_set (view, "show-spots", TRUE, "show-predictions", TRUE, NULL);
  with = frames (view, step);
  g_print ("%-24s %6.2f ms a frame, without marks %6.2f ms%s\n", what, with, without,
           with - without > BUDGET ? "  OVER BUDGET" : "");
  return with - without <= BUDGET;
}

/* At once and dark: what a picture costs is not the question here. */
static void
answer (FlwImageView *view, const FlwImageRequest *request, gpointer data)
{
  (void) data;
  flw_image_view_deliver (view, request->serial, g_new0 (float, (gsize) request->width * request->height));
}

static void
pan (FlwImageView *view, int i)
{
  double x0, y0, x1, y1, by = (i < 60 ? 8 : -8);

  flw_image_view_get_visible (view, &x0, &y0, &x1, &y1);
  by *= (x1 - x0) / 1600;
  flw_image_view_set_visible (view, x0 + by, y0 + by / 2, x1 + by, y1 + by / 2);
}

static void
hover (FlwImageView *view, int i)
{
  gtk_widget_activate_action (GTK_WIDGET (view), i < 60 ? "plot.cursor-right" : "plot.cursor-left", NULL);
}

int
main (int argc, char **argv)
{
  guint n = argc > 1 ? (guint) strtoul (argv[1], NULL, 10) : 10000;
  const FlwImagePanel *panels;
  const FlwImageSpot *spots;

  if (!gtk_init_check ())
    {
      g_printerr ("bench-image: no display: run it under xvfb-run\n");
      return 77;
    }
  GtkWidget *widget = flw_image_view_new ();
  FlwImageView *view = FLW_IMAGE_VIEW (widget);
  g_autofree FlwImagePrediction *predictions = g_new (FlwImagePrediction, n);
  guint n_panels = synthetic_panels (&panels), n_spots = synthetic_spots (&spots);
  synthetic_predictions (n, predictions);
  flw_image_view_set_panels (view, n_panels, panels);
  flw_image_view_set_geometry (view, 1.3, 120, 0.075);
  flw_image_view_set_spots (view, n_spots, spots);
  flw_image_view_set_predictions (view, n, predictions);
  flw_colour_map_suggest_range (flw_image_view_get_colour_map (view), 0, 120);
  flw_image_view_set_provider (view, answer, NULL, NULL);
  GtkWidget *window = display_show (widget, 1600, 900);
  display_wait (is_settled, view);
  double before = cpu_ms ();
  flw_image_view_set_predictions (view, n, predictions);
  g_print ("%u predictions taken in %.2f ms\n", n, cpu_ms () - before);
  gboolean good = measure (view, "pan, all in view", pan);
  good = measure (view, "hover", hover) && good;
  gtk_widget_activate_action (widget, "plot.one-to-one", NULL);
  display_wait (is_settled, view);
  good = measure (view, "pan, 1:1", pan) && good;
  gtk_window_destroy (GTK_WINDOW (window));
  return !good;
}
