/* The histogram: what it says, what it draws where, and how it is brushed by keys and pointer alike. */
#include <math.h>

#include "tests/widgets/display.h"
#include "widgets/export.h"
#include "widgets/histogram.h"

#define BLUE 0x56b4e9

static void
assert_summary (GtkWidget *widget, const char *expected)
{
  g_autofree char *summary = flw_chart_summary (widget);
  g_assert_cmpstr (summary, ==, expected);
}

/* Ten bins from 70 to 80, of which the first five are full and only series 0 is shown. */
static GtkWidget *
made (void)
{
  static guint32 all[10] = { 8, 8, 8, 8, 8 }, shown[FLW_HISTOGRAM_SERIES * 10] = { 8, 8, 8, 8, 8 };
  const FlwHistogramCounts counts = { 70, 1, 10, all, shown, 3, 0 };
  GtkWidget *widget = flw_histogram_new ("a", "Å", 2);

  flw_histogram_set_counts (FLW_HISTOGRAM (widget), &counts);
  return widget;
}

static void
test_summary (void)
{
  GtkWidget *widget = g_object_ref_sink (made ());
  FlwHistogram *histogram = FLW_HISTOGRAM (widget);
  const FlwHistogramFit fit = { 72.5, 1.44, 40, 0 };

  assert_summary (widget, "a: 43 shown, 3 outside 70.00 … 80.00");
  flw_histogram_set_fit (histogram, 72.5, 1.5, &fit);
  flw_histogram_set_brush (histogram, 74, 71.5);
  assert_summary (
      widget,
      "a: 43 shown, median 72.50 ± 1.50\302\240Å, fit 72.50 ± 1.44\302\240Å, 3 outside 70.00 … 80.00, "
      "selected 71.50 … 74.00\302\240Å");
  flw_histogram_set_counts (histogram, NULL);
  flw_histogram_set_fit (histogram, NAN, NAN, NULL);
  flw_histogram_set_brush (histogram, 0, 0);
  assert_summary (widget, "a: 0 shown");
  g_object_unref (widget);
}

static void
test_bars (void)
{
  GtkWidget *widget = made (), *window = display_show (widget, 500, 240);
  cairo_surface_t *picture = display_picture (widget, 1);
  guint blue = 0;

  /* Left half of the data blue, right half not. */
  for (int x = 56; x < 484; x++)
    {
      gboolean here = display_pixel (picture, x, 200) == BLUE;
      blue += here;
      g_assert_false (here && x > 54 + 432 / 2);
    }
  g_assert_cmpuint (blue, >, 180);
  cairo_surface_destroy (picture);
  gtk_window_destroy (GTK_WINDOW (window));
}

typedef struct
{
  guint n, zooms;
  double from, to;
} Noted;

static void
note_brush (FlwHistogram *histogram, double from, double to, Noted *noted)
{
  (void) histogram;
  noted->n++;
  noted->from = from;
  noted->to = to;
}

static void
note_zoom (FlwHistogram *histogram, int in, Noted *noted)
{
  (void) histogram;
  noted->zooms += in ? 10 : 1;
}

static void
test_brush (void)
{
  GtkWidget *widget = made (), *window = display_show (widget, 500, 240);
  FlwHistogram *histogram = FLW_HISTOGRAM (widget);
  Noted noted = { 0 };
  double from, to;

  g_signal_connect (histogram, "brush-changed", G_CALLBACK (note_brush), &noted);
  g_signal_connect (histogram, "zoom", G_CALLBACK (note_zoom), &noted);
  g_assert_false (flw_histogram_get_brush (histogram, &from, &to));
  gtk_widget_activate_action (widget, "histogram.left", NULL); /* the cursor: bin 4 */
  g_assert_cmpuint (noted.n, ==, 0);
  gtk_widget_activate_action (widget, "histogram.brush-right", NULL);
  g_assert_cmpfloat (noted.from, ==, 74);
  g_assert_cmpfloat (noted.to, ==, 76);
  gtk_widget_activate_action (widget, "histogram.brush-right", NULL);
  g_assert_cmpfloat (noted.to, ==, 77);
  gtk_widget_activate_action (widget, "histogram.brush-left", NULL); /* back */
  g_assert_cmpfloat (noted.from, ==, 74);
  g_assert_cmpfloat (noted.to, ==, 76);
  g_assert_true (flw_histogram_get_brush (histogram, &from, &to));
  gtk_widget_activate_action (widget, "histogram.drop", NULL);
  g_assert_false (flw_histogram_get_brush (histogram, &from, &to));
  g_assert_cmpuint (noted.n, ==, 4);
  flw_histogram_set_brush (histogram, 0, 0); /* nothing new, nothing said */
  g_assert_cmpuint (noted.n, ==, 4);
  gtk_widget_activate_action (widget, "histogram.zoom-in", NULL);
  gtk_widget_activate_action (widget, "histogram.fit", NULL);
  g_assert_cmpuint (noted.zooms, ==, 11);
  gtk_window_destroy (GTK_WINDOW (window));
}

int
main (int argc, char **argv)
{
  display_init (&argc, &argv);
  g_test_add_func ("/histogram/summary", test_summary);
  g_test_add_func ("/histogram/bars", test_bars);
  g_test_add_func ("/histogram/brush", test_brush);
  return g_test_run ();
}
