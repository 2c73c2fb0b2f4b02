#include "widgets/image-private.h"

#include <glib/gi18n.h>
#include <math.h>

#include "widgets/theme.h"

#define RING         0xffffff
#define NUMBERS_FROM 26.0 /* logical px a pixel from which its value is written into it */

/* Dark under light, so that a line is seen on any colour. */
static void
stroke (cairo_t *cr, guint32 rgb, double width, double alpha)
{
  cairo_set_line_width (cr, width + 2);
  flw_set_source (cr, 0x000000, 0.55 * alpha);
  cairo_stroke_preserve (cr);
  cairo_set_line_width (cr, width);
  flw_set_source (cr, rgb, alpha);
  cairo_stroke (cr);
}

static void
label (FlwImageView *view, cairo_t *cr, const char *text, double x, double y, double xalign, guint32 rgb)
{
  GtkWidget *widget = GTK_WIDGET (view);
  int width, height;

  flw_text_size (widget, FLW_POINTS_SMALL, text, &width, &height);
  flw_set_source (cr, 0x000000, 0.55);
  cairo_rectangle (cr, x - xalign * width - 3, y - height / 2., width + 6, height);
  cairo_fill (cr);
  flw_text_draw (widget, cr, FLW_POINTS_SMALL, text, x, y, xalign, 0.5, rgb);
}

static void
draw_panels (FlwImageView *view, cairo_t *cr)
{
  for (guint i = 0; i < view->panels->len; i++)
    {
      const FlwImagePanel *p = &g_array_index (view->panels, FlwImagePanel, i);
      double x = flw_image_to_x (view, p->x), y = flw_image_to_y (view, p->y), left, top;
      double fx = p->fs_x * p->n_fs * view->zoom, fy = p->fs_y * p->n_fs * view->zoom;
      double sx = p->ss_x * p->n_ss * view->zoom, sy = p->ss_y * p->n_ss * view->zoom;
      int width;

      cairo_move_to (cr, x, y);
      cairo_rel_line_to (cr, fx, fy);
      cairo_rel_line_to (cr, sx, sy);
      cairo_rel_line_to (cr, -fx, -fy);
      cairo_close_path (cr);
      cairo_set_line_width (cr, 1);
      flw_set_source (cr, FLW_DIM, 0.6);
      cairo_stroke (cr);
      if (p->name == NULL)
        continue;
      flw_text_size (GTK_WIDGET (view), FLW_POINTS_SMALL, p->name, &width, NULL);
      left = fmin (fmin (x, x + fx), fmin (x + sx, x + fx + sx));
      top = fmin (fmin (y, y + fy), fmin (y + sy, y + fy + sy));
      if (hypot (fx, fy) > width + 16 && hypot (sx, sy) > 28)
        label (view, cr, p->name, left + 8, top + 14, 0, FLW_DIM);
    }
}

static void
draw_ring (FlwImageView *view, cairo_t *cr, double d, double radius)
{
  double x = flw_image_to_x (view, view->beam_x), y = flw_image_to_y (view, view->beam_y),
         r = radius * view->zoom;
  g_autofree char *text = g_strdup_printf ("%.3g Å", d);

  cairo_new_sub_path (cr);
  cairo_arc (cr, x, y, r, 0, 2 * G_PI);
  cairo_set_line_width (cr, 1.2);
  flw_set_source (cr, RING, 0.55);
  cairo_stroke (cr);
  label (view, cr, text, x + r * cos (-0.9), y + r * sin (-0.9), 0.5, FLW_TEXT);
}

static void
draw_rings (FlwImageView *view, cairo_t *cr)
{
  static const double nice[] = { 100, 50,  30,  20,  15,  10,  7,   5,   4,   3.5, 3,   2.5, 2.2, 2,
                                 1.8, 1.6, 1.5, 1.4, 1.3, 1.2, 1.1, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5 };
  double last = 0, farthest = 0;

  if (view->wavelength <= 0 || view->pixel_size <= 0)
    return;
  for (guint i = 0; i < view->rings->len; i++)
    {
      double d = g_array_index (view->rings, double, i);
      double r = flw_ring_radius (d, view->wavelength, view->distance, view->pixel_size);
      if (r > 0)
        draw_ring (view, cr, d, r);
    }
  for (guint corner = 0; corner < 4; corner++)
    farthest = fmax (farthest, hypot (view->extent[corner & 1 ? 2 : 0] - view->beam_x,
                                      view->extent[corner & 2 ? 3 : 1] - view->beam_y));
  for (guint i = 0; view->rings->len == 0 && i < G_N_ELEMENTS (nice); i++)
    {
      double r = flw_ring_radius (nice[i], view->wavelength, view->distance, view->pixel_size);
      if (r <= 0 || r > farthest || (r - last) * view->zoom < 56)
        continue;
      draw_ring (view, cr, nice[i], r);
      last = r;
    }
}

static void
draw_beam (FlwImageView *view, cairo_t *cr)
{
  double x = flw_image_to_x (view, view->beam_x), y = flw_image_to_y (view, view->beam_y);

  cairo_move_to (cr, x - 10, y);
  cairo_line_to (cr, x - 3, y);
  cairo_move_to (cr, x + 3, y);
  cairo_line_to (cr, x + 10, y);
  cairo_move_to (cr, x, y - 10);
  cairo_line_to (cr, x, y - 3);
  cairo_move_to (cr, x, y + 3);
  cairo_line_to (cr, x, y + 10);
  stroke (cr, RING, 1.6, 1);
}

static void
draw_overlay (GtkWidget *widget, cairo_t *cr)
{
  FlwImageView *view = FLW_IMAGE_VIEW (widget);
  FlwBox box = flw_image_box (view);

  cairo_rectangle (cr, 0, 0, box.width, box.height);
  cairo_clip (cr);
  if (view->show_panels)
    draw_panels (view, cr);
  if (view->show_rings)
    draw_rings (view, cr);
  if (view->show_rings)
    draw_beam (view, cr);
}

/* --- numbers --- */

void
flw_image_format_value (float value, char *text, gsize size)
{
  if (fabsf (value) >= 99999.5f)
    g_snprintf (text, size, "%.1e", (double) value);
  else if (value == floorf (value))
    g_snprintf (text, size, "%.0f", (double) value);
  else
    g_snprintf (text, size, "%.*f", fabsf (value) < 10 ? 2 : fabsf (value) < 100 ? 1 : 0, (double) value);
}

static gboolean
is_light (FlwImageView *view, const guint32 lut[256], float value)
{
  guint32 rgb = lut[(guint) (flw_colour_map_position (view->map, value) * 255)];
  return 0.30 * ((rgb >> 16) & 0xff) + 0.59 * ((rgb >> 8) & 0xff) + 0.11 * (rgb & 0xff) > 140;
}

/* cairo's own text: a thousand short numbers, and text all the same in a PDF. */
static void
draw_number (FlwImageView *view, cairo_t *cr, const guint32 lut[256], double x, double y)
{
  float value = flw_image_value (view, x, y);
  char text[24];
  cairo_text_extents_t extents;

  if (isnan (value))
    return;
  if (isinf (value))
    g_strlcpy (text, "×", sizeof text);
  else
    flw_image_format_value (value, text, sizeof text);
  cairo_text_extents (cr, text, &extents);
  flw_set_source (cr, isfinite (value) && is_light (view, lut, value) ? 0x000000 : 0xffffff, 1);
  cairo_move_to (cr, flw_image_to_x (view, x) - extents.width / 2 - extents.x_bearing,
                 flw_image_to_y (view, y) - extents.height / 2 - extents.y_bearing);
  cairo_show_text (cr, text);
}

static void
draw_numbers (GtkWidget *widget, cairo_t *cr)
{
  FlwImageView *view = FLW_IMAGE_VIEW (widget);
  FlwBox box = flw_image_box (view);
  double x0 = flw_image_from_x (view, 0), x1 = flw_image_from_x (view, box.width);
  double y0 = flw_image_from_y (view, 0), y1 = flw_image_from_y (view, box.height);
  guint32 lut[256];

  flw_palette_lut (flw_colour_map_get_palette (view->map), lut);
  cairo_rectangle (cr, 0, 0, box.width, box.height);
  cairo_clip (cr);
  cairo_select_font_face (cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size (cr, CLAMP (view->zoom * 0.33, 9, 16));
  for (guint i = 0; i < view->panels->len; i++)
    {
      const FlwImagePanel *p = &g_array_index (view->panels, FlwImagePanel, i);
      double det = p->fs_x * p->ss_y - p->fs_y * p->ss_x,
             range[4] = { INFINITY, INFINITY, -INFINITY, -INFINITY };

      for (guint corner = 0; corner < 4; corner++) /* what of the panel is in view */
        {
          double dx = (corner & 1 ? x1 : x0) - p->x, dy = (corner & 2 ? y1 : y0) - p->y;
          double fs = (dx * p->ss_y - dy * p->ss_x) / det, ss = (dy * p->fs_x - dx * p->fs_y) / det;
          range[0] = fmin (range[0], fs);
          range[1] = fmin (range[1], ss);
          range[2] = fmax (range[2], fs);
          range[3] = fmax (range[3], ss);
        }
      for (double ss = fmax (floor (range[1]), 0); ss < fmin (range[3], p->n_ss); ss++)
        for (double fs = fmax (floor (range[0]), 0); fs < fmin (range[2], p->n_fs); fs++)
          draw_number (view, cr, lut, p->x + (fs + 0.5) * p->fs_x + (ss + 0.5) * p->ss_x,
                       p->y + (fs + 0.5) * p->fs_y + (ss + 0.5) * p->ss_y);
    }
  if (view->panels->len == 0)
    for (double y = floor (y0); y < y1; y++)
      for (double x = floor (x0); x < x1; x++)
        draw_number (view, cr, lut, x + 0.5, y + 0.5);
}

/* --- round about --- */

/* Beside the circle that is under the cursor: what it is. */
static void
draw_callout (FlwImageView *view, GtkSnapshot *snapshot)
{
  FlwBox box = flw_image_box (view);
  graphene_rect_t bounds = flw_box_rect (&box);
  int at;

  if (isnan (view->hover_x) || view->hover_y >= box.height)
    return;
  at = flw_image_prediction_at (view, flw_image_from_x (view, view->hover_x),
                                flw_image_from_y (view, view->hover_y));
  if (at < 0)
    return;
  g_autofree char *text =
      flw_image_prediction_lines (&g_array_index (view->predictions, FlwImagePrediction, at));
  flw_text_callout (GTK_WIDGET (view), snapshot, text, view->hover_x, view->hover_y, &bounds);
}

static void
draw_foot (FlwImageView *view, GtkSnapshot *snapshot)
{
  GtkWidget *widget = GTK_WIDGET (view);
  FlwBox box = flw_image_box (view);
  g_autofree char *text = flw_image_readout (view);
  g_autofree char *zoom =
      view->zoom > 0 ? g_strdup_printf (view->zoom < 1 ? "%.2g ×" : "%.3g ×", view->zoom) : g_strdup ("");
  cairo_t *cr;

  flw_fill (snapshot, 0, box.height, box.width, FLW_IMAGE_FOOT, FLW_PLATE, 1);
  cr = gtk_snapshot_append_cairo (
      snapshot, &GRAPHENE_RECT_INIT (0, (float) box.height, (float) box.width, FLW_IMAGE_FOOT));
  double used = flw_text_draw (widget, cr, FLW_POINTS_SMALL, zoom, box.width - 10,
                               box.height + FLW_IMAGE_FOOT / 2., 1, 0.5, FLW_DIM);
  int height;
  flw_text_size (widget, FLW_POINTS_SMALL, text, NULL, &height);
  flw_text_draw_within (widget, cr, FLW_POINTS_SMALL, text, 10, box.height + (FLW_IMAGE_FOOT - height) / 2.,
                        box.width - used - 40, FLW_TEXT);
  cairo_destroy (cr);
}

static void
draw_message (FlwImageView *view, GtkSnapshot *snapshot)
{
  FlwBox box = flw_image_box (view);
  const char *text = view->message != NULL ? view->message
                     : view->asked != 0    ? _ ("loading …")
                                           : view->empty_text;
  g_autoptr (PangoLayout) layout = flw_text_layout (GTK_WIDGET (view), FLW_POINTS_BODY, FALSE, text);
  graphene_rect_t rect = flw_box_rect (&box);
  cairo_t *cr = gtk_snapshot_append_cairo (snapshot, &rect);
  int height;

  pango_layout_set_width (layout, (int) (fmax (box.width - 40, 40) * PANGO_SCALE));
  pango_layout_set_alignment (layout, PANGO_ALIGN_CENTER);
  pango_layout_get_pixel_size (layout, NULL, &height);
  cairo_move_to (cr, 20, (box.height - height) / 2);
  flw_set_source (cr, view->message != NULL ? flw_tone_colour (FLW_TONE_BAD) : FLW_DIM, 1);
  pango_cairo_show_layout (cr, layout);
  cairo_destroy (cr);
}

void
flw_image_draw (FlwImageView *view, GtkSnapshot *snapshot)
{
  GtkWidget *widget = GTK_WIDGET (view);
  FlwBox box = flw_image_box (view);
  gboolean placed = view->zoom > 0 && view->has_extent && box.height > 0;

  if (placed && view->picture != NULL && view->raster != NULL && view->show_values
      && view->zoom >= NUMBERS_FROM)
    {
      if (view->numbers == NULL)
        view->numbers = flw_chrome_node (widget, &box, draw_numbers);
      gtk_snapshot_append_node (snapshot, view->numbers);
    }
  if (placed && view->picture != NULL)
    {
      if (view->overlay == NULL)
        view->overlay = flw_chrome_node (widget, &box, draw_overlay);
      gtk_snapshot_append_node (snapshot, view->overlay);
    }
  if (view->picture == NULL && box.height > 0)
    draw_message (view, snapshot);
  if (placed && view->picture != NULL)
    {
      flw_image_draw_marks (view, snapshot);
      flw_image_draw_drawing (view, snapshot);
      draw_callout (view, snapshot);
    }
  draw_foot (view, snapshot);
  /* The keyboard has no pointer of its own. */
  if (placed && !isnan (view->hover_x) && view->hover_y < box.height && gtk_widget_has_visible_focus (widget))
    {
      flw_fill (snapshot, view->hover_x - 9, view->hover_y, 19, 1, RING, 1);
      flw_fill (snapshot, view->hover_x, view->hover_y - 9, 1, 19, RING, 1);
    }
}
