/* The shells of merges: what the plot says, where it draws, what gaps and goals do. */
#include <math.h>

#include "tests/widgets/display.h"
#include "widgets/export.h"
#include "widgets/shell-plot.h"

#define BLUE   0x56b4e9
#define YELLOW 0xf0e442

static const FlwShellPoint newest[] = {
  { 20, 4, 0.98 }, { 4, 3.2, 0.9 }, { 3.2, 2.8, NAN }, { 2.8, 2.5, 0.5 }, { 2.5, 2.3, 0.25 }
};
static const FlwShellPoint before[] = {
  { 20, 4, 0.9 }, { 4, 3.2, 0.7 }, { 3.2, 2.8, 0.4 }, { 2.8, 2.5, 0.2 }, { 2.5, 2.3, -0.1 }
};

static GtkWidget *
made (void)
{
  const FlwShellSeries series[] = { { "version 2", G_N_ELEMENTS (newest), newest },
                                    { "version 1", G_N_ELEMENTS (before), before } };
  GtkWidget *widget = flw_shell_plot_new ();
  flw_shell_plot_set (FLW_SHELL_PLOT (widget), "CC1/2", "", 2, series, 1, 0.5);
  return widget;
}

static void
test_summary (void)
{
  GtkWidget *widget = g_object_ref_sink (made ());
  g_autofree char *summary = flw_chart_summary (widget);
  g_assert_cmpstr (summary, ==,
                   "CC1/2, version 2: 0.98 at low resolution, 0.25 at 2.30 Å; 5 shells, 1 compared");
  flw_shell_plot_set (FLW_SHELL_PLOT (widget), "CC1/2", "", 0, NULL, 1, NAN);
  g_autofree char *empty = flw_chart_summary (widget);
  g_assert_cmpstr (empty, ==, "Nothing merged");
  g_object_unref (widget);
}

static guint
count (cairo_surface_t *picture, guint32 colour, int x0, int x1, int y0, int y1)
{
  guint n = 0;
  for (int y = y0; y < y1; y++)
    for (int x = x0; x < x1; x++)
      n += display_pixel (picture, x, y) == colour;
  return n;
}

/* Left of the data's middle the newest lies near the top, at its end near a quarter of the scale; each known shell has its dot, the
 * unknown one none. */
static void
test_places (void)
{
  GtkWidget *widget = made (), *window = display_show (widget, 600, 300);
  cairo_surface_t *picture = display_picture (widget, 1);
  double lower = -0.11, top = 30, height = 300 - 30 - 26, left = 54, width = 600 - 54 - 14;
  double first = 1.0 / 400, last = 1 / (2.3 * 2.3);

  for (guint i = 0; i < G_N_ELEMENTS (newest); i++)
    {
      double at = (1 / (newest[i].d_max * newest[i].d_max) + 1 / (newest[i].d_min * newest[i].d_min)) / 2;
      double value = isnan (newest[i].value) ? 0.7 : newest[i].value;
      int x = (int) (left + width * (at - first) / (last - first));
      int y = (int) (top + height * (1 - (value - lower) / (1 - lower)));
      guint blue = count (picture, BLUE, x - 3, x + 3, y - 3, y + 3);
      if (isnan (newest[i].value))
        g_assert_cmpuint (blue, ==, 0);
      else
        g_assert_cmpuint (blue, >, 12);
    }
  int level = (int) round (top + height * (1 - (0.5 - lower) / (1 - lower)));
  g_assert_cmpuint (count (picture, YELLOW, 54, 586, level - 2, level + 3), >, 0);
  cairo_surface_destroy (picture);
  gtk_window_destroy (GTK_WINDOW (window));
}

int
main (int argc, char **argv)
{
  display_init (&argc, &argv);
  g_test_add_func ("/shell-plot/summary", test_summary);
  g_test_add_func ("/shell-plot/places", test_places);
  return g_test_run ();
}
