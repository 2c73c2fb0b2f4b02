/* Directions on the hemisphere: equal areas, opposite ones the same, empty ones seen, what the map says. */
#include <glib/gstdio.h>
#include <math.h>

#include "tests/widgets/display.h"
#include "widgets/export.h"
#include "widgets/sphere-map.h"

/* Fibonacci's spiral over the whole sphere; the lower half is turned over by the map. */
static FlwSphereDirection *
spiral (guint n)
{
  FlwSphereDirection *directions = g_new0 (FlwSphereDirection, n);
  for (guint i = 0; i < n; i++)
    {
      double z = 1 - (2 * i + 1.) / n, r = sqrt (1 - z * z), about = i * G_PI * (3 - sqrt (5));
      directions[i] = (FlwSphereDirection){ { r * cos (about), r * sin (about), z }, 10 };
    }
  return directions;
}

static void
test_nearest (void)
{
  const FlwSphereDirection directions[] = { { { 0, 0, 1 }, 1 }, { { 1, 0, 0 }, 2 }, { { 0, 0.6, 0.8 }, 3 } };
  const double up[3] = { 0, 0.1, 0.99 }, back[3] = { -0.99, 0, 0.1 }, under[3] = { 0, -0.6, -0.8 };
  g_assert_cmpuint (flw_sphere_nearest (3, directions, up), ==, 0);
  g_assert_cmpuint (flw_sphere_nearest (3, directions, back), ==, 1);
  g_assert_cmpuint (flw_sphere_nearest (3, directions, under), ==, 2);
  g_assert_cmpuint (flw_sphere_nearest (0, directions, up), ==, 0);
}

static void
test_summary (void)
{
  FlwSphereDirection directions[] = { { { 0, 0, 1 }, 4 }, { { 1, 0, 0 }, 0.2 }, { { 0, 1, 0 }, 9 } };
  GtkWidget *widget = g_object_ref_sink (flw_sphere_map_new ("Orientations", "patterns"));
  g_autofree char *before = flw_chart_summary (widget);
  g_assert_cmpstr (before, ==, "Orientations: not known");
  flw_sphere_map_set (FLW_SPHERE_MAP (widget), 3, directions, 0.5);
  g_autofree char *after = flw_chart_summary (widget);
  g_assert_cmpstr (after, ==, "Orientations: 3 directions, median 4 patterns, at most 9; 1 empty (33.3 %)");
  g_object_unref (widget);
}

static guint
count (cairo_surface_t *picture, int width, int height, guint32 colour)
{
  guint n = 0;
  for (int x = 0; x < width; x++)
    for (int y = 0; y < height; y++)
      n += display_pixel (picture, x, y) == colour;
  return n;
}

/* Of the hatching. */
static guint
count_red (cairo_surface_t *picture, int width, int height)
{
  guint n = 0;
  for (int x = 0; x < width; x++)
    for (int y = 0; y < height; y++)
      {
        guint32 colour = display_pixel (picture, x, y);
        n += (colour >> 16 & 0xff) > 2 * (colour >> 8 & 0xff);
      }
  return n;
}

/* A fifth of the directions, all around z, is empty: a fifth of the disc, out to r = √(1/5), is hatched; and so many around the
 * equator's x are, on both sides, as opposite directions are one. */
static void
test_areas (void)
{
  enum
  {
    N = 4000,
    SIDE = 300,
    R = (SIDE - 30 - 32) / 2
  };
  for (guint around = 0; around < 2; around++)
    {
      g_autofree FlwSphereDirection *directions = spiral (N);
      for (guint i = 0; i < N; i++)
        {
          double along = fabs (directions[i].place[around == 0 ? 2 : 0]);
          directions[i].weight =
              along > 0.8 ? 0 : 10; /* of a hemisphere the cap of half its area × 2 × 0.2 */
        }
      GtkWidget *widget = flw_sphere_map_new ("", "");
      flw_sphere_map_set (FLW_SPHERE_MAP (widget), N, directions, 0.5);
      GtkWidget *window = display_show (widget, SIDE + 74, SIDE);
      cairo_surface_t *picture = display_picture (widget, 1);
      /* full = 10: all that is not empty has the brightest colour; the scaled picture blurs only borders */
      guint32 bright = display_pixel (picture, 16 + R + (around ? 0 : (int) (0.9 * R)),
                                      30 + 135 - (around ? (int) (0.5 * R) : 0));
      double full = count (picture, SIDE, SIDE, bright), disc = G_PI * R * R;
      g_assert_cmpfloat_with_epsilon (full / disc, 0.8, 0.06);
      g_assert_cmpfloat (count_red (picture, SIDE, SIDE), >, disc * 0.2 / 6);
      cairo_surface_destroy (picture);
      gtk_window_destroy (GTK_WINDOW (window));
    }
}

static void
test_export (void)
{
  g_autofree FlwSphereDirection *directions = spiral (400);
  GtkWidget *widget = flw_sphere_map_new ("Orientations", "patterns");
  flw_sphere_map_set (FLW_SPHERE_MAP (widget), 400, directions, 0.5);
  GtkWidget *window = display_show (widget, 340, 260);
  g_autofree char *name = g_strdup_printf ("%08x-sphere.pdf", g_random_int ()), *text = NULL;
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), name, NULL);
  GError *error = NULL;
  g_assert_true (flw_widget_export (widget, path, &error));
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_true (g_str_has_prefix (text, "%PDF"));
  g_unlink (path);
  gtk_window_destroy (GTK_WINDOW (window));
}

int
main (int argc, char **argv)
{
  display_init (&argc, &argv);
  g_test_add_func ("/sphere-map/nearest", test_nearest);
  g_test_add_func ("/sphere-map/summary", test_summary);
  g_test_add_func ("/sphere-map/areas", test_areas);
  g_test_add_func ("/sphere-map/export", test_export);
  return g_test_run ();
}
