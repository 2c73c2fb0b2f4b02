/* The density plot: what it says, where it draws counts and ellipses, and its brush. */
#include <math.h>
#include <string.h>

#include "tests/widgets/display.h"
#include "widgets/density-plot.h"
#include "widgets/export.h"
#include "widgets/theme.h"

static void
assert_summary (GtkWidget *widget, const char *expected)
{
  g_autofree char *summary = flw_chart_summary (widget);
  g_assert_cmpstr (summary, ==, expected);
}

/* 10 × 10 bins from (70, 30); counts in the lower left quarter only, where the first bin has most. */
static GtkWidget *
made (void)
{
  static guint32 shown[100];
  const FlwDensityCounts counts = { { 70, 30 }, { 1, 0.5 }, { 10, 10 }, shown, 7 };
  GtkWidget *widget = flw_density_plot_new ("a", "c", "Å", 2);
  for (guint y = 0; y < 5; y++)
    for (guint x = 0; x < 5; x++)
      shown[y * 10 + x] = x + y == 0 ? 1000 : 1;
  flw_density_plot_set_counts (FLW_DENSITY_PLOT (widget), &counts);
  return widget;
}

typedef struct
{
  guint n, zooms;
  double at[4];
} Noted;

static void
note_brush (FlwDensityPlot *plot, double x0, double x1, double y0, double y1, Noted *noted)
{
  (void) plot;
  noted->n++;
  noted->at[0] = x0;
  noted->at[1] = x1;
  noted->at[2] = y0;
  noted->at[3] = y1;
}

static void
note_zoom (FlwDensityPlot *plot, int in, Noted *noted)
{
  (void) plot;
  noted->zooms += in ? 10 : 1;
}

static void
test_brush (void)
{
  GtkWidget *widget = made (), *window = display_show (widget, 500, 400);
  Noted noted = { 0 };
  const double brush[4] = { 74, 71, 30.5, 32 }, ordered[4] = { 71, 74, 30.5, 32 };

  g_signal_connect (widget, "brush-changed", G_CALLBACK (note_brush), &noted);
  g_signal_connect (widget, "zoom", G_CALLBACK (note_zoom), &noted);
  assert_summary (widget, "a–c: 1,031 shown, 7 outside");
  flw_density_plot_set_brush (FLW_DENSITY_PLOT (widget), brush);
  flw_density_plot_set_brush (FLW_DENSITY_PLOT (widget), ordered); /* nothing new, nothing said */
  g_assert_cmpuint (noted.n, ==, 1);
  g_assert_true (memcmp (noted.at, ordered, sizeof ordered) == 0);
  assert_summary (widget,
                  "a–c: 1,031 shown, 7 outside, selected a 71.00 … 74.00\302\240Å, selected c 30.50 … "
                  "32.00\302\240Å");
  gtk_widget_activate_action (widget, "density.drop", NULL);
  g_assert_cmpuint (noted.n, ==, 2);
  g_assert_cmpfloat (noted.at[1], ==, 0);
  gtk_widget_activate_action (widget, "density.zoom-in", NULL);
  gtk_widget_activate_action (widget, "density.fit", NULL);
  g_assert_cmpuint (noted.zooms, ==, 11);
  flw_density_plot_set_counts (FLW_DENSITY_PLOT (widget), NULL);
  assert_summary (widget, "a–c: 0 shown");
  gtk_window_destroy (GTK_WINDOW (window));
}

/* Low x and y at the lower left; where there is nothing, the ground; the ellipse where 95 % are. */
static void
test_drawing (void)
{
  GtkWidget *widget = made (), *window = display_show (widget, 576, 464);
  const FlwDensityEllipse ellipse = { 77.5, 33.75, 0.25, 0, 0.01, 0xff8800, "1" };
  flw_density_plot_set_ellipses (FLW_DENSITY_PLOT (widget), &ellipse, 1);
  display_wait_drawn (widget);
  cairo_surface_t *picture = display_picture (widget, 1);
  double x0 = 62, y0 = 38, bin_x = (576 - 62 - 14) / 10., bin_y = (464 - 38 - 26) / 10.;
  guint32 most = display_pixel (picture, (int) (x0 + bin_x / 2), (int) (y0 + 9.5 * bin_y));
  guint32 one = display_pixel (picture, (int) (x0 + 3.5 * bin_x), (int) (y0 + 7.5 * bin_y));
  g_assert_cmphex (most, !=, one);
  g_assert_cmphex (one, !=, FLW_GROUND);
  g_assert_cmphex (display_pixel (picture, (int) (x0 + 1.4 * bin_x), (int) (y0 + 2.4 * bin_y)), ==,
                   FLW_GROUND);
  guint orange = 0;
  double reach = sqrt (5.991) * 0.5;
  for (int x = (int) x0; x < 560; x++)
    if (display_pixel (picture, x, (int) (y0 + 2.5 * bin_y)) == 0xff8800)
      {
        double value = 70 + (x + 0.5 - x0) / bin_x;
        g_assert_cmpfloat (fabs (fabs (value - 77.5) - reach), <, 0.06);
        orange++;
      }
  g_assert_cmpuint (orange, >=, 2);
  cairo_surface_destroy (picture);
  gtk_window_destroy (GTK_WINDOW (window));
}

int
main (int argc, char **argv)
{
  display_init (&argc, &argv);
  g_test_add_func ("/density-plot/brush", test_brush);
  g_test_add_func ("/density-plot/drawing", test_drawing);
  return g_test_run ();
}
