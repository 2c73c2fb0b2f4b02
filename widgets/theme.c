#include "widgets/theme.h"

#include <math.h>

#include "widgets/export.h"

PangoLayout *
flw_text_layout (GtkWidget *widget, double points, gboolean bold, const char *text)
{
  PangoLayout *layout = gtk_widget_create_pango_layout (widget, text);
  PangoAttrList *attributes = pango_attr_list_new ();

  pango_attr_list_insert (attributes, pango_attr_size_new ((int) (points * PANGO_SCALE)));
  pango_attr_list_insert (attributes, pango_attr_font_features_new ("tnum=1"));
  if (bold)
    pango_attr_list_insert (attributes, pango_attr_weight_new (PANGO_WEIGHT_BOLD));
  pango_layout_set_attributes (layout, attributes);
  pango_attr_list_unref (attributes);
  return layout;
}

double
flw_text_draw (GtkWidget *widget, cairo_t *cr, double points, const char *text, double x, double y,
               double xalign, double yalign, guint32 rgb)
{
  g_autoptr (PangoLayout) layout = flw_text_layout (widget, points, FALSE, text);
  int width, height;

  pango_layout_get_pixel_size (layout, &width, &height);
  cairo_move_to (cr, round (x - xalign * width), round (y - yalign * height));
  flw_set_source (cr, rgb, 1);
  pango_cairo_show_layout (cr, layout);
  cairo_new_path (cr);
  return width;
}

double
flw_text_draw_within (GtkWidget *widget, cairo_t *cr, double points, const char *text, double x, double y,
                      double room, guint32 rgb)
{
  g_autoptr (PangoLayout) layout = flw_text_layout (widget, points, FALSE, text);
  int width;

  pango_layout_set_single_paragraph_mode (layout, TRUE); /* a second line has no place to be */
  pango_layout_set_width (layout, (int) (fmax (room, 0) * PANGO_SCALE));
  pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
  pango_layout_get_pixel_size (layout, &width, NULL);
  cairo_move_to (cr, round (x), round (y));
  flw_set_source (cr, rgb, 1);
  pango_cairo_show_layout (cr, layout);
  cairo_new_path (cr);
  return width;
}

void
flw_text_size (GtkWidget *widget, double points, const char *text, int *width, int *height)
{
  g_autoptr (PangoLayout) layout = flw_text_layout (widget, points, FALSE, text);
  pango_layout_get_pixel_size (layout, width, height);
}

void
flw_text_callout (GtkWidget *widget, GtkSnapshot *snapshot, const char *text, double x, double y,
                  const graphene_rect_t *bounds)
{
  g_autoptr (PangoLayout) layout = flw_text_layout (widget, FLW_POINTS_SMALL, FALSE, text);
  double right = bounds->origin.x + bounds->size.width, bottom = bounds->origin.y + bounds->size.height;
  int width, height;
  cairo_t *cr;

  pango_layout_get_pixel_size (layout, &width, &height);
  width += 16;
  height += 10;
  x = x + 14 + width <= right ? x + 14 : x - 14 - width;
  y = y + 14 + height <= bottom ? y + 14 : y - 14 - height;
  x = round (fmax (x, bounds->origin.x));
  y = round (fmax (y, bounds->origin.y));
  cr = gtk_snapshot_append_cairo (snapshot,
                                  &GRAPHENE_RECT_INIT ((float) x, (float) y, (float) width, (float) height));
  flw_set_source (cr, FLW_PLATE, 0.94);
  cairo_rectangle (cr, x, y, width, height);
  cairo_fill (cr);
  flw_set_source (cr, FLW_RULE, 1);
  cairo_set_line_width (cr, 1);
  cairo_rectangle (cr, x + 0.5, y + 0.5, width - 1, height - 1);
  cairo_stroke (cr);
  cairo_move_to (cr, x + 8, y + 5);
  flw_set_source (cr, FLW_TEXT, 1);
  pango_cairo_show_layout (cr, layout);
  cairo_destroy (cr);
}

void
flw_draw_focus (GtkWidget *widget, GtkSnapshot *snapshot)
{
  float width = (float) gtk_widget_get_width (widget), height = (float) gtk_widget_get_height (widget);
  GdkRGBA colour = flw_rgba (FLW_FOCUS, 1);
  GskRoundedRect outline;

  if (!gtk_widget_has_visible_focus (widget))
    return;
  gsk_rounded_rect_init_from_rect (&outline, &GRAPHENE_RECT_INIT (0, 0, width, height), 0);
  gtk_snapshot_append_border (snapshot, &outline, (float[4]){ 2, 2, 2, 2 },
                              (GdkRGBA[4]){ colour, colour, colour, colour });
}

void
flw_fill (GtkSnapshot *snapshot, double x, double y, double width, double height, guint32 rgb, double alpha)
{
  GdkRGBA colour = flw_rgba (rgb, alpha);
  gtk_snapshot_append_color (snapshot, &colour,
                             &GRAPHENE_RECT_INIT ((float) x, (float) y, (float) width, (float) height));
}

char *
flw_format_count (guint64 count)
{
  char digits[24];
  GString *out = g_string_new (NULL);
  int n = g_snprintf (digits, sizeof digits, "%" G_GUINT64_FORMAT, count);

  for (int i = 0; i < n; i++)
    {
      if (i > 0 && (n - i) % 3 == 0)
        g_string_append_c (out, ',');
      g_string_append_c (out, digits[i]);
    }
  return g_string_free (out, FALSE);
}

void
flw_chart_summary_changed (GtkWidget *widget)
{
  g_autofree char *summary = flw_chart_summary (widget);

  g_object_notify (G_OBJECT (widget), "summary");
  gtk_accessible_update_property (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, summary, -1);
}

void
flw_chart_class_init (GtkWidgetClass *klass, guint property, const char *css_name)
{
  gtk_widget_class_set_accessible_role (klass, GTK_ACCESSIBLE_ROLE_IMG);
  gtk_widget_class_set_css_name (klass, css_name);
  g_object_class_install_property (
      G_OBJECT_CLASS (klass), property,
      g_param_spec_string ("summary", NULL, "One line that says what the chart shows", NULL,
                           G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS));
}
