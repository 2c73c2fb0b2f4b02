/* Rings by their closed form, the provider's protocol, what is under the cursor, and the shared colour map. */
#include <math.h>
#include <string.h>

#include "tests/widgets/display.h"
#include "tests/widgets/synthetic.h"
#include "widgets/colour-bar.h"

static void
test_rings (void)
{
  /* A ray at 2θ = 45° meets a flat detector at a radius equal to its distance; at 90° and beyond, never. */
  double lambda = 1.3, distance = 120, pixel = 0.075, d = lambda / (2 * sin (G_PI / 8));

  g_assert_cmpfloat_with_epsilon (flw_ring_radius (d, lambda, distance, pixel), distance / pixel, 1e-9);
  g_assert_cmpfloat (flw_ring_radius (lambda / G_SQRT2, lambda, distance, pixel), ==, 0);
  g_assert_cmpfloat (flw_ring_radius (lambda / 2, lambda, distance, pixel), ==, 0);
  for (double x = 1.1; x < 60; x *= 1.13)
    {
      double r = flw_ring_radius (x, lambda, distance, pixel);
      g_assert_cmpfloat_with_epsilon (flw_ring_resolution (r, lambda, distance, pixel), x, 1e-9 * x);
    }
}

typedef struct
{
  guint n;
  FlwImageRequest last;
} Asked;

static void
note_request (FlwImageView *view, const FlwImageRequest *request, gpointer data)
{
  Asked *asked = data;

  (void) view;
  asked->n++;
  asked->last = *request;
}

static gboolean
is_settled (gpointer view)
{
  return flw_image_view_get_settled (view);
}

static float *
constant (const FlwImageRequest *request, float value)
{
  float *values = g_new (float, (gsize) request->width * request->height);
  for (gsize i = 0; i < (gsize) request->width * request->height; i++)
    values[i] = value;
  return values;
}

static gboolean
was_asked_again (gpointer asked)
{
  return ((const Asked *) asked)->n == 4;
}

/* Every answer takes `took`; the shot is another one every 33 ms, as long as a key is held. */
typedef struct
{
  FlwImageView *view;
  guint took, shot, last, seen;
  float shown;
} Held;

typedef struct
{
  Held *held;
  FlwImageRequest request;
  guint shot;
} Late;

static gboolean
answer_late (gpointer data)
{
  g_autofree Late *late = data;
  flw_image_view_deliver (late->held->view, late->request.serial,
                          constant (&late->request, (float) late->shot));
  return G_SOURCE_REMOVE;
}

static void
ask_late (FlwImageView *view, const FlwImageRequest *request, gpointer data)
{
  Held *held = data;
  Late *late = g_new (Late, 1);
  (void) view;
  *late = (Late){ held, *request, held->shot };
  g_timeout_add (held->took, answer_late, late);
}

static void
note_raster (Held *held)
{
  guint width, height;
  float shown = flw_image_view_get_raster (held->view, &width, &height)[0];
  g_assert_cmpfloat (shown, >, held->shown);
  held->shown = shown;
  held->seen += held->shot < held->last;
}

static gboolean
on_repeat (gpointer data)
{
  Held *held = data;
  held->shot++;
  flw_image_view_reload (held->view);
  return held->shot < held->last;
}

static gboolean
shows_last (gpointer data)
{
  const Held *held = data;
  return held->shown >= (float) held->last && flw_image_view_get_settled (held->view);
}

/* Slower than the key, and slower than the patience: pictures come all the same, in order. */
static void
test_held (void)
{
  static const struct
  {
    guint took, repeats, least;
  } cases[] = { { 150, 60, 10 }, { 1400, 90, 1 } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      GtkWidget *widget = flw_image_view_new (), *window;
      Held held = { FLW_IMAGE_VIEW (widget), cases[i].took, 1, cases[i].repeats, 0, 0 };
      flw_image_view_set_extent (held.view, -400, -300, 400, 300);
      flw_image_view_set_provider (held.view, ask_late, &held, NULL);
      g_signal_connect_swapped (held.view, "raster-changed", G_CALLBACK (note_raster), &held);
      window = display_show (widget, 500, 428);
      g_timeout_add (33, on_repeat, &held);
      display_wait (shows_last, &held);
      g_test_message ("%u ms an answer: %u pictures in %.1f s", held.took, held.seen, held.last * 0.033);
      g_assert_cmpuint (held.seen, >=, cases[i].least);
      gtk_window_destroy (GTK_WINDOW (window));
    }
}

static void
test_provider (void)
{
  GtkWidget *widget = flw_image_view_new (), *window;
  FlwImageView *view = FLW_IMAGE_VIEW (widget);
  Asked asked = { 0 };
  FlwImageRequest first;
  guint width, height;
  g_autofree char *summary = NULL;

  flw_image_view_set_extent (view, -400, -300, 400, 300);
  flw_image_view_set_provider (view, note_request, &asked, NULL);
  window = display_show (widget, 500, 428); /* 400 px of image above the readout line */
  g_assert_cmpuint (asked.n, ==, 1);
  first = asked.last;
  g_assert_false (first.nearest);
  g_assert_cmpfloat_with_epsilon (first.x0, -400, 4);
  g_assert_cmpfloat_with_epsilon (first.y1, 300, 4);
  g_assert_cmpuint (first.width, <=, 500);
  /* No second request while one is under way; then one for where the view is by now. */
  gtk_widget_activate_action (widget, "plot.zoom-in", NULL);
  gtk_widget_activate_action (widget, "plot.zoom-in", NULL);
  g_assert_cmpuint (asked.n, ==, 1);
  g_assert_false (flw_image_view_deliver (view, first.serial + 100, constant (&first, 1)));
  g_assert_true (flw_image_view_deliver (view, first.serial, constant (&first, 7)));
  g_assert_cmpuint (asked.n, ==, 2);
  g_assert_cmpfloat (asked.last.x1 - asked.last.x0, <, first.x1 - first.x0);
  g_assert_false (flw_image_view_deliver (view, first.serial, constant (&first, 1))); /* too late */
  g_assert_nonnull (flw_image_view_get_raster (view, &width, &height));
  g_assert_cmpuint (width, ==, first.width);
  /* New shots wait for the answer under way, are then asked for once, and what does not come is overtaken. */
  flw_image_view_reload (view);
  flw_image_view_reload (view);
  g_assert_cmpuint (asked.n, ==, 2);
  first = asked.last;
  g_assert_true (flw_image_view_deliver (view, first.serial, constant (&first, 8)));
  g_assert_cmpuint (asked.n, ==, 3);
  first = asked.last;
  gint64 begun = g_get_monotonic_time ();
  flw_image_view_reload (view);
  g_assert_cmpuint (asked.n, ==, 3);
  display_wait (was_asked_again, &asked);
  g_assert_cmpint (g_get_monotonic_time () - begun, >, 500000);
  g_assert_false (flw_image_view_deliver (view, first.serial, constant (&first, 1)));
  flw_image_view_fail (view, asked.last.serial, "run0043.h5: damaged");
  g_object_get (view, "summary", &summary, NULL);
  g_assert_cmpstr (summary, ==, "run0043.h5: damaged");
  display_wait (is_settled, view);
  /* Close by, whole pixels are asked for, a few samples each. */
  flw_image_view_set_visible (view, 10.3, 20.3, 22.3, 30.3);
  g_assert_true (asked.last.nearest);
  g_assert_cmpfloat (asked.last.x0, ==, floor (asked.last.x0));
  g_assert_cmpuint (asked.last.width, ==, (guint) (asked.last.x1 - asked.last.x0) * 4);
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
answer_at_once (FlwImageView *view, const FlwImageRequest *request, gpointer data)
{
  note_request (view, request, data);
  flw_image_view_deliver (view, request->serial, synthetic_image (request));
}

/* Close by, the value is that of the sample under the cursor. */
static void
test_readout (void)
{
  GtkWidget *widget = flw_image_view_new (), *window;
  FlwImageView *view = FLW_IMAGE_VIEW (widget);
  const FlwImagePanel *panels;
  const FlwImageSpot *spots;
  guint n_panels = synthetic_panels (&panels), n_spots = synthetic_spots (&spots);
  double x = spots[1].x, y = spots[1].y, sample_x, sample_y;
  FlwImageRequest one = { .width = 1, .height = 1 };
  g_autofree float *value = NULL;
  Asked asked = { 0 };
  g_autofree char *readout = NULL, *summary = NULL, *place = NULL, *resolution = NULL;
  gboolean rings = FALSE;

  flw_image_view_set_panels (view, n_panels, panels);
  flw_image_view_set_spots (view, n_spots, spots);
  flw_image_view_set_geometry (view, 1.3, 120, 0.075);
  flw_image_view_set_visible (view, x - 20, y - 20, x + 20, y + 20);
  flw_image_view_set_provider (view, answer_at_once, &asked, NULL);
  window = display_show (widget, 600, 628);
  display_wait (is_settled, view);
  flw_image_view_show_point (view, x, y);
  display_wait (is_settled, view);
  g_object_get (view, "readout", &readout, "summary", &summary, NULL);
  place = g_strdup_printf ("x %.1f  y %.1f px    ", x, y);
  sample_x = asked.last.x0 + (floor ((x - asked.last.x0) * 4) + 0.5) / 4;
  sample_y = asked.last.y0 + (floor ((y - asked.last.y0) * 4) + 0.5) / 4;
  one.x0 = one.x1 = sample_x;
  one.y0 = one.y1 = sample_y;
  value = synthetic_image (&one);
  g_assert_true (asked.last.nearest);
  resolution = g_strdup_printf ("px    %.0f counts    %.2f Å    q", (double) *value,
                                flw_ring_resolution (hypot (x, y), 1.3, 120, 0.075));
  g_assert_true (g_str_has_prefix (readout, place));
  g_assert_nonnull (strstr (readout, resolution));
  g_assert_nonnull (strstr (readout, "spot, intensity"));
  g_assert_nonnull (strstr (summary, "8 panels, 60 spots"));
  gtk_widget_activate_action (widget, "plot.rings", NULL);
  g_object_get (view, "show-rings", &rings, NULL);
  g_assert_false (rings);
  gtk_window_destroy (GTK_WINDOW (window));
}

static guint
count_colour (GtkWidget *widget, guint32 rgb)
{
  cairo_surface_t *picture = display_picture (widget, 1);
  guint n = 0;

  for (int y = 0; y < cairo_image_surface_get_height (picture); y++)
    for (int x = 0; x < cairo_image_surface_get_width (picture); x++)
      n += display_pixel (picture, x, y) == rgb;
  cairo_surface_destroy (picture);
  return n;
}

static void
answer_dark (FlwImageView *view, const FlwImageRequest *request, gpointer data)
{
  note_request (view, request, data);
  flw_image_view_deliver (view, request->serial, constant (request, 0));
}

/* Circles of each lattice's colour, where they belong, wherever the view is moved; gone when they are switched off. */
static void
test_predictions (void)
{
  GtkWidget *widget = flw_image_view_new (), *window;
  FlwImageView *view = FLW_IMAGE_VIEW (widget);
  Asked asked = { 0 };
  const FlwImagePrediction two[] = {
    { .x = 0, .y = 0, .lattice = 0, .h = -3, .k = 1, .l = 12, .intensity = 1234, .sigma = 56, .d = 2.345 },
    { .x = 40, .y = 0, .lattice = 1, .h = 0, .k = -1, .l = 0, .sigma = -1, .d = 9 },
  };
  const FlwImageSpot spots[] = { { .x = 0, .y = 0, .radius = 4, .state = FLW_SPOT_EXPLAINED },
                                 { .x = 0, .y = 30, .radius = 4, .state = FLW_SPOT_UNEXPLAINED } };
  g_autofree char *whole = NULL, *none = NULL, *summary = NULL;
  guint solid;

  g_object_set (view, "show-rings", FALSE, "show-panels", FALSE, NULL);
  flw_image_view_set_extent (view, -400, -300, 400, 300);
  flw_image_view_set_predictions (view, G_N_ELEMENTS (two), two);
  flw_image_view_set_spots (view, G_N_ELEMENTS (spots), spots);
  flw_image_view_set_provider (view, answer_dark, &asked, NULL);
  window = display_show (widget, 800, 628);
  flw_image_view_set_visible (view, -80, -60, 80, 60);
  display_wait (is_settled, view);
  display_wait_drawn (widget);
  solid = count_colour (widget, flw_lattice_colour (0));
  g_assert_cmpuint (solid, >, 40);
  g_assert_cmpuint (count_colour (widget, flw_lattice_colour (1)), >, 10);
  g_assert_cmpuint (count_colour (widget, 0xff5ec4), >, 10); /* the spot of no lattice */
  flw_image_view_show_point (view, 0.2, 0.2);
  g_object_get (view, "readout", &whole, "summary", &summary, NULL);
  g_assert_nonnull (strstr (whole, "    −3 1 12  I 1234 ± 56 counts, 2.35 Å, lattice 1"));
  g_assert_nonnull (strstr (summary, "2 spots, 2 predicted reflections"));
  flw_image_view_show_point (view, 40, 0);
  g_object_get (view, "readout", &none, NULL);
  g_assert_nonnull (strstr (none, "    0 −1 0  not integrated, 9.00 Å, lattice 2"));
  /* Moved farther than the layer reaches, and back. */
  flw_image_view_set_visible (view, 300, 200, 460, 320);
  display_wait (is_settled, view);
  display_wait_drawn (widget);
  g_assert_cmpuint (count_colour (widget, flw_lattice_colour (0)), ==, 0);
  flw_image_view_set_visible (view, -80, -60, 80, 60);
  display_wait (is_settled, view);
  display_wait_drawn (widget);
  g_assert_cmpuint (count_colour (widget, flw_lattice_colour (0)), ==, solid);
  gtk_widget_activate_action (widget, "plot.predictions", NULL);
  display_wait (is_settled, view);
  display_wait_drawn (widget);
  g_assert_cmpuint (count_colour (widget, flw_lattice_colour (0)), ==, 0);
  gtk_window_destroy (GTK_WINDOW (window));
}

/* Blended over what is below by 165 of 255. */
static guint32
shaded (guint32 below)
{
  guint32 mixed = 0;

  for (guint shift = 0; shift < 24; shift += 8)
    mixed |= ((below >> shift & 0xff) * 90 + (0xff3d3d >> shift & 0xff) * 165 + 127) / 255 << shift;
  return mixed;
}

/* A mask of x from −100 to 0 lies where it belongs, also when the view has moved on without a new one; a tool and what it draws
 * leave no trace. */
static void
test_shade (void)
{
  GtkWidget *widget = flw_image_view_new (), *window;
  FlwImageView *view = FLW_IMAGE_VIEW (widget);
  Asked asked = { 0 };
  FlwImageRequest shown, of = { .x0 = -100, .y0 = -75, .x1 = 100, .y1 = 75, .width = 200, .height = 150 };
  guint8 *shares = g_new0 (guint8, 200 * 150);
  guint32 lut[256], masked;

  for (guint i = 0; i < 200 * 150; i++)
    shares[i] = i % 200 < 100 ? 255 : 0;
  flw_palette_lut (flw_colour_map_get_palette (flw_image_view_get_colour_map (view)), lut);
  masked = shaded (lut[0] & 0xffffff);
  g_object_set (view, "show-rings", FALSE, "show-panels", FALSE, "show-values", FALSE, NULL);
  flw_image_view_set_extent (view, -400, -300, 400, 300);
  flw_colour_map_set_range (flw_image_view_get_colour_map (view), 1, 2);
  flw_image_view_set_provider (view, answer_dark, &asked, NULL);
  window = display_show (widget, 800, 628);
  flw_image_view_set_visible (view, -100, -75, 100, 75); /* 4 screen pixels a pixel */
  display_wait (is_settled, view);
  display_wait_drawn (widget);
  g_assert_true (flw_image_view_get_shown (view, &shown));
  g_assert_cmpfloat_with_epsilon (shown.x0, -100, 1e-9);
  g_assert_cmpuint (count_colour (widget, masked), ==, 0);
  flw_image_view_set_shade (view, &of, shares);
  display_wait (is_settled, view);
  display_wait_drawn (widget);
  g_assert_cmpuint (count_colour (widget, masked), ==, 400 * 600);
  flw_image_view_set_visible (view, -50, -75, 150, 75);
  display_wait (is_settled, view);
  display_wait_drawn (widget);
  g_assert_cmpuint (count_colour (widget, masked), ==, 200 * 600);
  g_object_set (view, "show-mask", FALSE, NULL);
  display_wait (is_settled, view);
  display_wait_drawn (widget);
  g_assert_cmpuint (count_colour (widget, masked), ==, 0);
  g_object_set (view, "show-mask", TRUE, NULL);
  flw_image_view_set_draw_tool (view, FLW_DRAW_POLYGON);
  g_assert_false (flw_image_view_drop_drawing (view));
  g_assert_false (flw_image_view_take_corner_back (view));
  flw_image_view_set_shade (view, NULL, NULL);
  display_wait (is_settled, view);
  display_wait_drawn (widget);
  g_assert_cmpuint (count_colour (widget, masked), ==, 0);
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
test_colours (void)
{
  g_autoptr (FlwColourMap) map = flw_colour_map_new ();
  FlkColourArgs args = { 0 };
  float values[5] = { -INFINITY, NAN, 10, 20, 1e9f };
  guint32 out[5];

  flw_colour_map_suggest_range (map, 10, 20);
  flw_colour_map_args (map, &args);
  args.values = values;
  args.out = out;
  args.n = 5;
  flk_colour_map (&args);
  g_assert_cmphex (out[0], ==, args.bad);
  g_assert_cmphex (out[1], ==, args.none);
  g_assert_cmphex (out[2], ==, args.lut[0]);
  g_assert_cmphex (out[3], ==, args.lut[255]);
  g_assert_cmphex (out[4], ==, args.lut[255]);
  /* A range set by hand stays until it is automatic again. */
  flw_colour_map_set_range (map, 0, 5);
  flw_colour_map_suggest_range (map, 100, 200);
  g_assert_cmpfloat (flw_colour_map_get_upper (map), ==, 5);
  flw_colour_map_set_automatic (map, TRUE);
  g_assert_cmpfloat (flw_colour_map_get_upper (map), ==, 200);
  for (guint scale = FLW_SCALE_LINEAR; scale <= FLW_SCALE_LOG; scale++)
    {
      flw_colour_map_set_scale (map, (FlwScale) scale);
      for (double t = 0; t <= 1; t += 0.125)
        {
          double v = flw_colour_map_value (map, t);
          /* The bar and the picture agree about a value's colour. */
          g_assert_cmpfloat_with_epsilon (flw_colour_map_position (map, v), t, 1e-12);
          g_assert_cmpfloat_with_epsilon (flk_colour_index ((float) v, 100, 200, (FlkScale) scale), t * 255,
                                          1.01);
        }
    }
}

static void
test_bar (void)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0), *view = flw_image_view_new (), *window;
  FlwColourMap *map = flw_image_view_get_colour_map (FLW_IMAGE_VIEW (view));
  GtkWidget *bar = flw_colour_bar_new (map);
  g_autofree char *summary = NULL, *later = NULL;
  double upper;

  gtk_widget_set_vexpand (view, TRUE);
  gtk_box_append (GTK_BOX (box), view);
  gtk_box_append (GTK_BOX (box), bar);
  flw_colour_map_suggest_range (map, 0, 100);
  flw_image_view_set_extent (FLW_IMAGE_VIEW (view), -400, -300, 400, 300);
  flw_colour_bar_follow_image (FLW_COLOUR_BAR (bar), FLW_IMAGE_VIEW (view));
  flw_image_view_set_provider (FLW_IMAGE_VIEW (view), synthetic_provider, NULL, NULL);
  window = display_show (box, 600, 500);
  display_wait (is_settled, view);
  g_object_get (bar, "summary", &summary, NULL);
  g_assert_cmpstr (summary, ==, "colours Viridis, linear, from 0 to 100, automatic");
  upper = flw_colour_map_get_upper (map);
  gtk_widget_activate_action (bar, "bar.move-right", NULL);
  g_assert_cmpfloat (flw_colour_map_get_upper (map), >, upper);
  gtk_widget_activate_action (bar, "bar.next-scale", NULL);
  gtk_widget_activate_action (bar, "bar.next-palette", NULL);
  gtk_widget_activate_action (bar, "bar.make-automatic", NULL);
  g_object_get (bar, "summary", &later, NULL);
  g_assert_cmpstr (later, ==, "colours Cividis, square root, from 0 to 100, automatic");
  gtk_widget_activate_action (bar, "range.palette", "i", 2);
  g_assert_cmpint (flw_colour_map_get_palette (map), ==, FLW_PALETTE_GREY);
  display_wait (is_settled, view);
  gtk_window_destroy (GTK_WINDOW (window));
}

/* Beyond the range one colour each, without seams, also where the bar's pixels are not the screen's. */
static void
test_bar_ends (void)
{
  const double scales[] = { 1, 0.992, 1.25, 1.5 };
  g_autoptr (FlwColourMap) map = flw_colour_map_new ();
  GtkWidget *bar = flw_colour_bar_new (map), *window;
  float values[2000];
  guint32 lut[256];

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    values[i] = (float) i / 2;
  flw_palette_lut (FLW_PALETTE_VIRIDIS, lut);
  flw_colour_map_set_range (map, 400, 500);
  flw_colour_bar_set_values (FLW_COLOUR_BAR (bar), G_N_ELEMENTS (values), values);
  window = display_show (bar, 700, 84);
  for (guint s = 0; s < G_N_ELEMENTS (scales); s++)
    {
      cairo_surface_t *picture = display_picture (bar, scales[s]);
      int width = gtk_widget_get_width (bar), height = gtk_widget_get_height (bar);
      int y = (int) ((height - 30) * scales[s]); /* in the strip, above the numbers */

      for (int x = (int) (0.05 * width * scales[s]); x < (int) (0.35 * width * scales[s]); x++)
        g_assert_cmphex (display_pixel (picture, x, y), ==, lut[0] & 0xffffff);
      for (int x = (int) (0.6 * width * scales[s]); x < (int) (0.95 * width * scales[s]); x++)
        g_assert_cmphex (display_pixel (picture, x, y), ==, lut[255] & 0xffffff);
      cairo_surface_destroy (picture);
    }
  gtk_window_destroy (GTK_WINDOW (window));
}

int
main (int argc, char **argv)
{
  display_init (&argc, &argv);
  g_test_add_func ("/image/rings", test_rings);
  g_test_add_func ("/image/provider", test_provider);
  g_test_add_func ("/image/held", test_held);
  g_test_add_func ("/image/readout", test_readout);
  g_test_add_func ("/image/predictions", test_predictions);
  g_test_add_func ("/image/shade", test_shade);
  g_test_add_func ("/image/colours", test_colours);
  g_test_add_func ("/image/bar", test_bar);
  g_test_add_func ("/image/bar-ends", test_bar_ends);
  return g_test_run ();
}
