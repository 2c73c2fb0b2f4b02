/* How a quantity grows: what the plot says, where points, band, goal and its bar are drawn. */
#include <glib/gstdio.h>
#include <math.h>

#include "tests/widgets/display.h"
#include "widgets/export.h"
#include "widgets/trend-plot.h"

#define BLUE   0x56b4e9
#define YELLOW 0xf0e442
#define DIM    0xa7aeb8

static const FlwTrendPoint points[] = {
  { 500, 0.1, FALSE }, { 1000, 0.2, FALSE }, { 1500, NAN, TRUE }, { 1600, 0.25, TRUE }, { 2000, 0.4, FALSE }
};
static const FlwTrendStep steps[] = { { 2000, 0.4, 0.4, 0.4 },
                                      { 3000, 0.5, 0.45, 0.55 },
                                      { 4000, 0.6, 0.5, 0.7 } };

static FlwTrend
made (void)
{
  return (FlwTrend){ .title = "CC1/2",
                     .unit = "",
                     .newest = "version 2",
                     .earlier = "earlier",
                     .forecast = "forecast",
                     .n_points = G_N_ELEMENTS (points),
                     .points = points,
                     .n_steps = G_N_ELEMENTS (steps),
                     .steps = steps,
                     .upper = 1,
                     .goal = 0.5,
                     .needed = 3000,
                     .low = 2800,
                     .high = 4000 };
}

static void
assert_says (GtkWidget *widget, const FlwTrend *trend, const char *words)
{
  flw_trend_plot_set (FLW_TREND_PLOT (widget), trend);
  g_autofree char *summary = flw_chart_summary (widget);
  g_assert_cmpstr (summary, ==, words);
}

static void
test_summary (void)
{
  GtkWidget *widget = g_object_ref_sink (flw_trend_plot_new ("Lattices"));
  FlwTrend trend = made ();
  assert_says (widget, &trend, "CC1/2: 0.4 at 2,000; goal 0.5 at 3,000 (2,800–4,000)");
  trend.high = INFINITY;
  assert_says (widget, &trend, "CC1/2: 0.4 at 2,000; goal 0.5 at 3,000 (2,800–∞)");
  trend.low = INFINITY;
  assert_says (widget, &trend, "CC1/2: 0.4 at 2,000; goal 0.5");
  trend.low = trend.high = 2000;
  assert_says (widget, &trend, "CC1/2: 0.4 at 2,000; goal 0.5 is reached");
  trend.goal = NAN;
  trend.unit = "%";
  assert_says (widget, &trend, "CC1/2: 0.4\302\240% at 2,000");
  assert_says (widget, NULL, "No trend");
  g_object_unref (widget);
}

static guint
count (cairo_surface_t *picture, guint32 colour, double x, double y, int reach)
{
  guint n = 0;
  for (int i = -reach; i <= reach; i++)
    for (int k = -reach; k <= reach; k++)
      n += display_pixel (picture, (int) x + i, (int) y + k) == colour;
  return n;
}

static void
test_places (void)
{
  FlwTrend trend = made ();
  GtkWidget *widget = flw_trend_plot_new ("Lattices");
  flw_trend_plot_set (FLW_TREND_PLOT (widget), &trend);
  GtkWidget *window = display_show (widget, 600, 300);
  cairo_surface_t *picture = display_picture (widget, 1);
  double left = 54, top = 30, width = 600 - 54 - 14, height = 300 - 30 - 26;

  for (guint i = 0; i < G_N_ELEMENTS (points); i++)
    {
      double x = left + width * points[i].x / 4000;
      double y = top + height * (1 - (isnan (points[i].value) ? 0.25 : points[i].value));
      guint blue = count (picture, BLUE, x, y, 4), grey = count (picture, DIM, x, y, 4);
      g_assert_cmpint (blue > 12, ==, !points[i].earlier);
      g_assert_cmpint (grey > 4, ==, points[i].earlier && !isnan (points[i].value));
    }
  /* the band is there, and not where it does not reach */
  double x = left + width * 3500 / 4000;
  g_assert_cmpuint (display_pixel (picture, (int) x, (int) (top + height * 0.43)), !=,
                    display_pixel (picture, (int) x, (int) (top + height * 0.9)));
  /* a bar from 2,800 on over the goal's line, which is thin before, and a diamond at 3,000 */
  g_assert_cmpuint (count (picture, YELLOW, left + width * 3600 / 4000, top + height * 0.5, 5), >, 30);
  g_assert_cmpuint (count (picture, YELLOW, left + width * 3000 / 4000, top + height * 0.5, 5), >, 50);
  g_assert_cmpuint (count (picture, YELLOW, left + width * 1000 / 4000, top + height * 0.5, 5), <, 12);
  static const char *const begins[][2] = { { "trend.png", "\211PNG" }, { "trend.pdf", "%PDF" } };
  for (guint i = 0; i < G_N_ELEMENTS (begins); i++)
    {
      g_autofree char *name = g_strdup_printf ("%08x-%s", g_random_int (), begins[i][0]), *text = NULL;
      g_autofree char *path = g_build_filename (g_get_tmp_dir (), name, NULL);
      GError *error = NULL;
      g_assert_true (flw_widget_export (widget, path, &error));
      g_assert_no_error (error);
      g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
      g_assert_true (g_str_has_prefix (text, begins[i][1]));
      g_unlink (path);
    }
  cairo_surface_destroy (picture);
  gtk_window_destroy (GTK_WINDOW (window));
}

int
main (int argc, char **argv)
{
  display_init (&argc, &argv);
  g_test_add_func ("/trend-plot/summary", test_summary);
  g_test_add_func ("/trend-plot/places", test_places);
  return g_test_run ();
}
