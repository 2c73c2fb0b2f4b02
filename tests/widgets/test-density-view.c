/* The density view under a pointer and keys, while it is turned, on a remote display; its levels; its files. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "tests/widgets/density-things.h"
#include "tests/widgets/display.h"
#include "widgets/density-level.h"
#include "widgets/density-view.h"
#include "widgets/export.h"

static gboolean
is_settled (gpointer view)
{
  return flw_density_view_get_settled (view);
}

static void
test_view (void)
{
  GtkWidget *widget = flw_density_view_new (), *window;
  FlwDensityView *view = FLW_DENSITY_VIEW (widget);
  g_autoptr (FlwDensityVolume) volume = things_ball (40, 0.5, 0, 6);
  g_autofree char *summary = NULL, *renderer = NULL;
  cairo_surface_t *picture;
  FlwDensityCamera before;

  flw_density_view_set_renderer (view, FLW_DENSITY_CPU);
  flw_density_view_set_map (view, 0, volume, "ball", FALSE);
  g_object_set (view, "style", FLW_DENSITY_SOLID, "absolute", TRUE, NULL);
  flw_density_view_set_level (view, 0, 0);
  window = display_show (widget, 400, 428);
  display_wait (is_settled, view);
  display_wait_drawn (widget);
  picture = display_picture (widget, 1);
  g_assert_cmphex (display_pixel (picture, 212, 184) & 0xff, >, 0xa0); /* blue in the middle, */
  g_assert_cmphex (display_pixel (picture, 60, 340) & 0xff, <, 0x30);  /* the ground in a corner */
  cairo_surface_destroy (picture);
  flw_density_view_set_level (view, 0, 4); /* a smaller ball */
  display_wait (is_settled, view);
  display_wait_drawn (widget);
  picture = display_picture (widget, 1);
  g_assert_cmphex (display_pixel (picture, 200, 160) & 0xff, <, 0x30);
  cairo_surface_destroy (picture);
  before = *flw_density_view_get_camera (view);
  gtk_widget_activate_action (widget, "plot.right", NULL);
  g_assert_cmpfloat (fabs (before.axes[0][2] - flw_density_view_get_camera (view)->axes[0][2]), >, 0.1);
  gtk_widget_activate_action (widget, "density.level-up", NULL);
  g_assert_cmpfloat (flw_density_view_get_level (view, 0), >, 4);
  g_object_get (view, "summary", &summary, "renderer", &renderer, NULL);
  g_test_message ("%s; %s; %.1f ms", summary, renderer, flw_density_view_get_frame_time (view));
  g_assert_true (g_str_has_prefix (summary, "ball "));
  g_assert_true (g_str_has_prefix (renderer, "CPU"));
  gtk_window_destroy (GTK_WINDOW (window));
}

static guint
count_colour (cairo_surface_t *picture, int x0, int x1, int channel)
{
  guint n = 0;

  for (int y = 60; y < 360; y++)
    for (int x = x0; x < x1; x++)
      {
        guint32 rgb = display_pixel (picture, x, y);
        int own = rgb >> (16 - 8 * channel) & 0xff, rest = 0;
        for (int c = 0; c < 3; c++)
          if (c != channel)
            rest = MAX (rest, (int) (rgb >> (16 - 8 * c) & 0xff));
        n += own > 90 && own > rest + 30 ? 1 : 0;
      }
  return n;
}

/* Blue, green where something is missing, red where too much is; keys walk; a rival right of the divider; files. */
static void
test_walk (void)
{
  GtkWidget *widget = flw_density_view_new (), *window;
  FlwDensityView *view = FLW_DENSITY_VIEW (widget);
  g_autoptr (FlwDensityModel) model = things_helix (16, (const double[3]){ 16, 16, 16 });
  g_autoptr (FlwDensityVolume) map = things_density_of (model, 48, 0.667, 0.6, 9),
                               difference = things_difference (model, 48, 0.667, 0.7, 9),
                               empty = things_crystal (20, 0, 0);
  guint n, green, red;
  const FlwDensityAtom *atoms = flw_density_model_atoms (model, &n);
  const double *centre = flw_density_view_get_camera (view)->centre;
  FlwDensityPeak peaks[2] = { { .value = 9 }, { .value = -9 } };
  g_autofree char *readout = NULL, *path = g_build_filename (g_get_tmp_dir (), "density-XXXXXX", NULL);
  cairo_surface_t *picture;

  memcpy (peaks[0].place, atoms[44].place, sizeof peaks[0].place);
  memcpy (peaks[1].place, atoms[18].place, sizeof peaks[1].place);
  flw_density_view_set_renderer (view, FLW_DENSITY_CPU);
  flw_density_view_set_map (view, 0, map, "2mFo−DFc", FALSE);
  flw_density_view_set_map (view, 1, difference, "mFo−DFc", TRUE);
  flw_density_view_set_peaks (view, 2, peaks, "σ");
  g_object_set (view, "style", FLW_DENSITY_SOLID, "labels", FALSE, NULL);
  window = display_show (widget, 400, 428);
  flw_density_view_set_visible_map (view, 0, FALSE);
  gtk_widget_activate_action (widget, "density.peak-next", NULL);
  g_assert_cmpmem (centre, sizeof peaks[0].place, peaks[0].place, sizeof peaks[0].place);
  display_wait (is_settled, view);
  display_wait_drawn (widget);
  picture = display_picture (widget, 1);
  green = count_colour (picture, 100, 300, 1);
  cairo_surface_destroy (picture);
  gtk_widget_activate_action (widget, "density.peak-next", NULL);
  g_object_get (view, "readout", &readout, NULL);
  g_assert_true (g_str_has_prefix (readout, "peak 2 of 2: -9.0 σ · "));
  display_wait (is_settled, view);
  display_wait_drawn (widget);
  picture = display_picture (widget, 1);
  red = count_colour (picture, 100, 300, 0);
  cairo_surface_destroy (picture);
  g_test_message ("%u green pixels at one peak, %u red at the other", green, red);
  g_assert_cmpuint (green, >, 500);
  g_assert_cmpuint (red, >, 500);

  flw_density_view_set_model (view, model);
  flw_density_view_show_atom (view, 2);
  gtk_widget_activate_action (widget, "density.residue-next", NULL);
  g_assert_cmpmem (centre, sizeof atoms[6].place, atoms[6].place,
                   sizeof atoms[6].place); /* CA of the second */
  gtk_widget_activate_action (widget, "density.residue-previous", NULL);
  gtk_widget_activate_action (widget, "density.residue-previous", NULL);
  g_assert_cmpmem (centre, sizeof atoms[76].place, atoms[76].place,
                   sizeof atoms[76].place); /* round to the last */

  flw_density_view_set_model (view, NULL);
  flw_density_view_set_visible_map (view, 0, TRUE);
  flw_density_view_set_visible_map (view, 1, FALSE);
  flw_density_view_set_peaks (view, 0, NULL, NULL);
  flw_density_view_set_rival (view, 0, empty, "nothing");
  flw_density_view_centre (view, (const double[3]){ 16, 16, 16 });
  g_object_set (view, "split", 0.5, NULL);
  display_wait (is_settled, view);
  display_wait_drawn (widget);
  picture = display_picture (widget, 1);
  g_assert_cmpuint (count_colour (picture, 0, 198, 2), >, 2000);
  g_assert_cmpuint (count_colour (picture, 203, 400, 2), ==, 0);
  cairo_surface_destroy (picture);

  g_close (g_mkstemp (path), NULL);
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *file = g_strconcat (path, i == 0 ? ".png" : ".pdf", NULL), *bytes = NULL;
      g_autoptr (GError) error = NULL;
      gsize length;
      flw_widget_export (widget, file, &error);
      g_assert_no_error (error);
      g_assert_true (g_file_get_contents (file, &bytes, &length, NULL));
      g_assert_cmpuint (length, >, 5000);
      g_assert_true (memcmp (bytes, i == 0 ? "\x89PNG" : "%PDF", 4) == 0);
      g_unlink (file);
    }
  g_unlink (path);
  gtk_window_destroy (GTK_WINDOW (window));
}

typedef struct
{
  FlwDensityView *view;
  guint turns, pictures;
} Drag;

static gboolean
on_turn (gpointer data)
{
  Drag *drag = data;
  gtk_widget_activate_action (GTK_WIDGET (drag->view), "plot.right", NULL);
  return --drag->turns > 0;
}

static void
on_picture (Drag *drag)
{
  drag->pictures += drag->turns > 0 ? 1 : 0;
}

static gboolean
is_dragged (gpointer data)
{
  return ((const Drag *) data)->turns == 0 && flw_density_view_get_settled (((const Drag *) data)->view);
}

/* Who turns sees turned pictures, though the one in full is overtaken each time; the last is in full. */
static void
test_drag (void)
{
  GtkWidget *widget = flw_density_view_new (), *window;
  Drag drag = { FLW_DENSITY_VIEW (widget), 40, 0 };
  g_autoptr (FlwDensityVolume) map = things_particle (64);

  flw_density_view_set_renderer (drag.view, FLW_DENSITY_CPU);
  flw_density_view_set_map (drag.view, 0, map, "particle", FALSE);
  window = display_show (widget, 900, 728);
  g_signal_connect_swapped (widget, "picture-changed", G_CALLBACK (on_picture), &drag);
  g_timeout_add (40, on_turn, &drag);
  display_wait (is_dragged, &drag);
  g_test_message ("%u pictures while it turned 40 times", drag.pictures);
  g_assert_cmpuint (drag.pictures, >=, 12);
  gtk_window_destroy (GTK_WINDOW (window));
}

/* A view that nothing was chosen for does not ask for a remote display's GL. */
static void
test_remote (void)
{
  GtkWidget *widget = flw_density_view_new (), *window;
  g_autofree char *display = g_strdup (g_getenv ("DISPLAY")), *renderer = NULL;
  g_autoptr (FlwDensityVolume) map = things_ball (16, 1, 0, 4);

  g_unsetenv ("WAYLAND_DISPLAY");
  g_setenv ("DISPLAY", "localhost:10.0", TRUE);
  flw_density_view_set_map (FLW_DENSITY_VIEW (widget), 0, map, "ball", FALSE);
  window = display_show (widget, 300, 300);
  g_object_get (widget, "renderer", &renderer, NULL);
  g_assert_true (g_str_has_suffix (renderer, "the display is remote"));
  display_wait (is_settled, widget);
  gtk_window_destroy (GTK_WINDOW (window));
  if (display != NULL)
    g_setenv ("DISPLAY", display, TRUE);
}

/* The histogram and the view follow each other, in σ and in the map's unit. */
static void
test_level (void)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0), *widget = flw_density_view_new (), *level,
            *window;
  FlwDensityView *view = FLW_DENSITY_VIEW (widget);
  g_autoptr (FlwDensityVolume) map = things_crystal (20, 30, 0);
  const FlwDensityGrid *grid = flw_density_volume_grid (map);
  g_autofree char *before = NULL, *after = NULL, *same = NULL;

  flw_density_view_set_renderer (view, FLW_DENSITY_CPU);
  flw_density_view_set_map (view, 0, map, "map", FALSE);
  level = flw_density_level_new (view, 0);
  gtk_widget_set_vexpand (widget, TRUE);
  gtk_box_append (GTK_BOX (box), widget);
  gtk_box_append (GTK_BOX (box), level);
  window = display_show (box, 400, 428);
  g_assert_cmpfloat (flw_density_view_get_level (view, 0), ==, 1.5);
  g_object_get (level, "summary", &before, NULL);
  gtk_widget_activate_action (level, "level.far-up", NULL);
  g_assert_cmpfloat_with_epsilon (flw_density_view_get_level (view, 0), 2.5, 1e-9);
  g_object_get (level, "summary", &after, NULL);
  g_assert_cmpstr (before, !=, after);
  g_object_set (view, "absolute", TRUE, NULL);
  g_assert_cmpfloat_with_epsilon (flw_density_view_get_level (view, 0), grid->mean + 2.5 * grid->sigma, 1e-9);
  g_object_get (level, "summary", &same, NULL);
  g_assert_cmpstr (same, ==, after);
  gtk_widget_activate_action (level, "level.down", NULL);
  g_assert_cmpfloat_with_epsilon (flw_density_view_get_level (view, 0), grid->mean + 2.4 * grid->sigma, 1e-9);
  display_wait (is_settled, view);
  gtk_window_destroy (GTK_WINDOW (window));
}

int
main (int argc, char **argv)
{
  display_init (&argc, &argv);
  g_test_add_func ("/density-view/view", test_view);
  g_test_add_func ("/density-view/walk", test_walk);
  g_test_add_func ("/density-view/drag", test_drag);
  g_test_add_func ("/density-view/remote", test_remote);
  g_test_add_func ("/density-view/level", test_level);
  return g_test_run ();
}
