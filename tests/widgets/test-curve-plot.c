/* Curves over |s| and over generations: where they fall, what the plot says, where lines, rings and levels are drawn. */
#include <glib/gstdio.h>
#include <math.h>

#include "tests/widgets/display.h"
#include "widgets/curve-plot.h"
#include "widgets/export.h"

#define BLUE   0x56b4e9
#define YELLOW 0xf0e442

static const FlwCurvePoint fsc[] = { { 0.01, 0.9 },   { 0.02, NAN },   { 0.02, 0.8 },
                                     { 0.03, 0.443 }, { 0.04, 0.043 }, { 0.05, 0.3 } };
static const FlwCurvePoint prtf[] = { { 0.01, 0.9 }, { 0.05, 0.5 } };
static const FlwCurvePoint single[] = { { 0.01, NAN }, { 0.03, 0.2 }, { 0.05, NAN } };

static FlwCurveChart
made (FlwCurve curves[3])
{
  static const FlwCurveMark levels[] = { { 0.143, "0.143" }, { 0.5, "0.5" } };
  curves[0] = (FlwCurve){ "FSC", BLUE, FALSE, 0.143, G_N_ELEMENTS (fsc), fsc };
  curves[1] = (FlwCurve){ "PRTF", YELLOW, FALSE, exp (-1), G_N_ELEMENTS (prtf), prtf };
  curves[2] = (FlwCurve){ "other", 0xd55e00, FALSE, NAN, G_N_ELEMENTS (single), single };
  return (FlwCurveChart){ .title = "Half sets",
                          .unit = "",
                          .n_curves = 2,
                          .curves = curves,
                          .n_levels = 2,
                          .levels = levels,
                          .upper = 1,
                          .cursor = NAN };
}

static void
test_fall (void)
{
  static const FlwCurvePoint low[] = { { 1, 0.1 }, { 2, 0.9 }, { 3, 0.1 } };
  /* the first fall, though the curve comes back; nothing is known of what is missing */
  g_assert_cmpfloat_with_epsilon (flw_curve_fall (G_N_ELEMENTS (fsc), fsc, 0.143), 0.0375, 1e-12);
  g_assert_true (isnan (flw_curve_fall (G_N_ELEMENTS (prtf), prtf, 0.143)));
  g_assert_true (isnan (flw_curve_fall (G_N_ELEMENTS (low), low, 0.5)));
  g_assert_true (isnan (flw_curve_fall (0, low, 0.5)));
}

static void
assert_says (GtkWidget *widget, const FlwCurveChart *chart, const char *words)
{
  flw_curve_plot_set (FLW_CURVE_PLOT (widget), chart);
  g_autofree char *summary = flw_chart_summary (widget);
  g_assert_cmpstr (summary, ==, words);
}

static void
test_summary (void)
{
  static const FlwCurvePoint trace[] = { { 1, -1300 }, { 2, -1100.25 }, { 3, NAN } },
                             nothing[] = { { 1, NAN } };
  static const FlwCurveMark stages[] = { { 1, "stage 1" }, { 3, "stage 2" } };
  const FlwCurve traces[] = { { "held back", BLUE, TRUE, NAN, 3, trace },
                              { "all", BLUE, FALSE, NAN, 1, nothing } };
  FlwCurve curves[3];
  FlwCurveChart chart = made (curves);
  GtkWidget *widget = g_object_ref_sink (flw_curve_plot_new (FLW_AXIS_FREQUENCY, "Resolution, Å"));
  assert_says (widget, &chart, "Half sets: FSC below 0.143 at 26.7 Å; PRTF 0.5 at 20.0 Å, not below 0.368");
  assert_says (widget, NULL, "No curve");
  g_object_unref (widget);
  widget = g_object_ref_sink (flw_curve_plot_new (FLW_AXIS_COUNT, "Generation"));
  chart = (FlwCurveChart){ .title = "Likelihood",
                           .unit = "nats",
                           .n_curves = 2,
                           .curves = traces,
                           .n_stages = 2,
                           .stages = stages,
                           .cursor = NAN };
  assert_says (widget, &chart, "Likelihood: held back -1100\302\240nats at 2; all not known; stage 2");
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
assert_exports (GtkWidget *widget)
{
  static const char *const begins[][2] = { { "curves.png", "\211PNG" }, { "curves.pdf", "%PDF" } };
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
}

static void
test_places (void)
{
  FlwCurve curves[3];
  FlwCurveChart chart = made (curves);
  chart.n_curves = 3;
  GtkWidget *widget = flw_curve_plot_new (FLW_AXIS_FREQUENCY, "Resolution, Å");
  flw_curve_plot_set (FLW_CURVE_PLOT (widget), &chart);
  GtkWidget *window = display_show (widget, 600, 300);
  cairo_surface_t *picture = display_picture (widget, 1);
  double left = 54, top = 30, width = 600 - 54 - 14, height = 300 - 30 - 26;
#define X(s)     (left + width * (s) / 0.05)
#define Y(value) (top + height * (1 - (value)))
  g_assert_cmpuint (count (picture, YELLOW, X (0.03), Y (0.7), 3), >, 3); /* along the line */
  g_assert_cmpuint (count (picture, YELLOW, X (0.03), Y (0.6), 3), ==, 0);
  g_assert_cmpuint (count (picture, BLUE, X (0.015), Y (0.85), 4), ==,
                    0); /* what is not known is not bridged */
  g_assert_cmpuint (count (picture, BLUE, X (0.025), Y (0.6215), 3), >, 3);
  g_assert_cmpuint (count (picture, BLUE, X (0.0375), Y (0.143), 6), >, 12); /* the ring, hollow */
  g_assert_cmpuint (display_pixel (picture, (int) X (0.0375), (int) Y (0.143)), ==, 0x16181c);
  g_assert_cmpuint (count (picture, 0xd55e00, X (0.03), Y (0.2), 3), >, 5); /* a lonely point */
  cairo_surface_destroy (picture);
  assert_exports (widget);
  gtk_window_destroy (GTK_WINDOW (window));
}

int
main (int argc, char **argv)
{
  display_init (&argc, &argv);
  g_test_add_func ("/curve-plot/fall", test_fall);
  g_test_add_func ("/curve-plot/summary", test_summary);
  g_test_add_func ("/curve-plot/places", test_places);
  return g_test_run ();
}
