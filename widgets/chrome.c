#include "widgets/chrome.h"

#include <math.h>

#include "widgets/theme.h"

void
flw_node_clear (gpointer node)
{
  if (node != NULL)
    gsk_render_node_unref (node);
}

double
flw_axis_to_px (FlwAxis *axis, const FlwBox *box, double value)
{
  double lower = flw_axis_get_lower (axis), upper = flw_axis_get_upper (axis);
  return box->x + (value - lower) / (upper - lower) * box->width;
}

double
flw_axis_from_px (FlwAxis *axis, const FlwBox *box, double x)
{
  double lower = flw_axis_get_lower (axis), upper = flw_axis_get_upper (axis);
  return lower + (x - box->x) / box->width * (upper - lower);
}

double
flw_axis_to_py (FlwAxis *axis, const FlwBox *box, double value)
{
  double lower = flw_axis_get_lower (axis), upper = flw_axis_get_upper (axis);
  return box->y + box->height * (1 - (value - lower) / (upper - lower));
}

void
flw_chrome_x_axis (GtkWidget *widget, cairo_t *cr, FlwAxis *axis, const FlwBox *box, double base)
{
  FlwTick ticks[64];
  int label_width, label_height;
  double right = box->x + box->width, room = right;
  g_autofree char *title = g_strdup (flw_axis_get_title (axis));
  guint n;

  flw_text_size (widget, FLW_POINTS_SMALL,
                 flw_axis_get_kind (axis) == FLW_AXIS_TIME ? "00:00:00.0" : "000,000", &label_width,
                 &label_height);
  if (flw_axis_get_kind (axis) == FLW_AXIS_TIME)
    {
      g_autoptr (GDateTime) date = g_date_time_new_from_unix_local ((gint64) flw_axis_get_upper (axis));
      g_free (title);
      title = date != NULL ? g_date_time_format (date, "%e %b %Y %Z") : NULL;
    }
  n = flw_axis_ticks (axis, CLAMP ((guint) (box->width / (label_width + 30)), 2, G_N_ELEMENTS (ticks)),
                      ticks);
  if (title != NULL)
    room -= 14 + flw_text_draw (widget, cr, FLW_POINTS_SMALL, title, right, base + 5, 1, 0, FLW_DIM);
  cairo_set_line_width (cr, 1);
  for (guint i = 0; i < n; i++)
    {
      double x = round (flw_axis_to_px (axis, box, ticks[i].value)) + 0.5;
      int width;

      flw_set_source (cr, FLW_GRID, 1);
      cairo_move_to (cr, x, box->y);
      cairo_line_to (cr, x, base + 4);
      cairo_stroke (cr);
      flw_text_size (widget, FLW_POINTS_SMALL, ticks[i].label, &width, NULL);
      if (x + width / 2. <= room)
        flw_text_draw (widget, cr, FLW_POINTS_SMALL, ticks[i].label, fmax (x, width / 2.), base + 5, 0.5, 0,
                       FLW_DIM);
    }
}

void
flw_chrome_y_axis (GtkWidget *widget, cairo_t *cr, FlwAxis *axis, const FlwBox *box)
{
  FlwTick ticks[32];
  double lower = flw_axis_get_lower (axis), span = flw_axis_get_upper (axis) - lower;
  guint n = flw_axis_ticks (axis, CLAMP ((guint) (box->height / 26), 2, G_N_ELEMENTS (ticks)), ticks);

  cairo_set_line_width (cr, 1);
  for (guint i = 0; i < n; i++)
    {
      double y = round (box->y + box->height * (1 - (ticks[i].value - lower) / span)) - 0.5;

      flw_set_source (cr, FLW_GRID, 1);
      cairo_move_to (cr, box->x - 4, y);
      cairo_line_to (cr, box->x + box->width, y);
      cairo_stroke (cr);
      flw_text_draw (widget, cr, FLW_POINTS_SMALL, ticks[i].label, box->x - 7, y, 1, 0.5, FLW_DIM);
    }
}

void
flw_chrome_level (GtkWidget *widget, cairo_t *cr, FlwAxis *axis, const FlwBox *box, double value,
                  const char *text)
{
  static const double dash[] = { 5, 4 };
  double y = round (flw_axis_to_py (axis, box, value)) + 0.5;

  if (isnan (y) || y < box->y || y > box->y + box->height)
    return;
  flw_set_source (cr, flw_class_colour (FLW_CLASS_HIT), 1);
  cairo_set_dash (cr, dash, 2, 0);
  cairo_set_line_width (cr, 1);
  cairo_move_to (cr, box->x, y);
  cairo_line_to (cr, box->x + box->width, y);
  cairo_stroke (cr);
  cairo_set_dash (cr, NULL, 0, 0);
  gboolean below = y - box->y < 18; /* no room above */
  flw_text_draw (widget, cr, FLW_POINTS_SMALL, text, box->x + box->width - 4, below ? y + 3 : y - 3, 1,
                 !below, flw_class_colour (FLW_CLASS_HIT));
}

GskRenderNode *
flw_chrome_node (GtkWidget *widget, const FlwBox *bounds, FlwDrawFunc draw)
{
  graphene_rect_t rect = flw_box_rect (bounds);
  GskRenderNode *node = gsk_cairo_node_new (&rect);
  cairo_t *cr = gsk_cairo_node_get_draw_context (node);

  draw (widget, cr);
  cairo_destroy (cr);
  return node;
}

double
flw_chrome_key (GtkWidget *widget, cairo_t *cr, double x, double y, guint32 rgb, const char *text)
{
  flw_set_source (cr, rgb, 1);
  cairo_rectangle (cr, x, y - 6, 12, 12);
  cairo_fill (cr);
  return x + 18 + flw_text_draw (widget, cr, FLW_POINTS_SMALL, text, x + 18, y, 0, 0.5, FLW_TEXT) + 18;
}

GskRenderNode *
flw_surface_node (GtkWidget *widget, cairo_surface_t *surface, const graphene_rect_t *bounds)
{
  GskRenderer *renderer = gtk_native_get_renderer (gtk_widget_get_native (widget));
  GskRenderNode *node;

  if (renderer != NULL && !g_str_equal (G_OBJECT_TYPE_NAME (renderer), "GskCairoRenderer"))
    {
      int width = cairo_image_surface_get_width (surface), height = cairo_image_surface_get_height (surface);
      gsize stride = (gsize) cairo_image_surface_get_stride (surface);
      g_autoptr (GBytes) bytes =
          g_bytes_new_with_free_func (cairo_image_surface_get_data (surface), stride * (gsize) height,
                                      (GDestroyNotify) cairo_surface_destroy, surface);
      g_autoptr (GdkTexture) texture =
          gdk_memory_texture_new (width, height, GDK_MEMORY_DEFAULT, bytes, stride);
      return gsk_texture_node_new (texture, bounds);
    }
  node = gsk_cairo_node_new (bounds);
  {
    cairo_t *cr = gsk_cairo_node_get_draw_context (node);
    cairo_translate (cr, bounds->origin.x, bounds->origin.y);
    cairo_scale (cr, (double) bounds->size.width / cairo_image_surface_get_width (surface),
                 (double) bounds->size.height / cairo_image_surface_get_height (surface));
    cairo_set_source_surface (cr, surface, 0, 0);
    cairo_pattern_set_filter (cairo_get_source (cr), CAIRO_FILTER_NEAREST);
    cairo_paint (cr);
    cairo_destroy (cr);
  }
  cairo_surface_destroy (surface);
  return node;
}
