#include "widgets/export.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <glib/gi18n.h>

#include "widgets/theme.h"

char *
flw_chart_summary (GtkWidget *widget)
{
  GParamSpec *pspec = g_object_class_find_property (G_OBJECT_GET_CLASS (widget), "summary");
  char *summary = NULL;

  if (pspec != NULL && pspec->value_type == G_TYPE_STRING)
    g_object_get (widget, "summary", &summary, NULL);
  if (summary == NULL)
    summary = g_strdup (gtk_widget_get_tooltip_text (widget));
  return summary != NULL ? summary : g_strdup ("");
}

/* What the widget would draw now. (A GtkWidgetPaintable has only what was drawn last: nothing, while a
 * redraw is due.) */
static GskRenderNode *
widget_node (GtkWidget *widget, double *width, double *height)
{
  GtkWidget *parent = gtk_widget_get_parent (widget);
  GtkSnapshot *snapshot = gtk_snapshot_new ();
  graphene_point_t origin = { 0, 0 };

  *width = gtk_widget_get_width (widget);
  *height = gtk_widget_get_height (widget);
  if (parent != NULL && gtk_widget_compute_point (widget, parent, &GRAPHENE_POINT_INIT (0, 0), &origin))
    {
      gtk_snapshot_translate (snapshot, &GRAPHENE_POINT_INIT (-origin.x, -origin.y));
      gtk_widget_snapshot_child (parent, widget, snapshot);
    }
  else
    {
      /* A window's drawing reaches into its frame: at its own size, lest all be shrunk by a few pixels. */
      g_autoptr (GdkPaintable) paintable = gtk_widget_paintable_new (widget);
      graphene_rect_t bounds;
      if (!gtk_widget_compute_bounds (widget, widget, &bounds))
        bounds = GRAPHENE_RECT_INIT (0, 0, (float) *width, (float) *height);
      gtk_snapshot_translate (snapshot, &bounds.origin);
      gdk_paintable_snapshot (paintable, snapshot, (double) bounds.size.width, (double) bounds.size.height);
    }
  return gtk_snapshot_free_to_node (snapshot);
}

static cairo_status_t
write_chunk (void *closure, const unsigned char *data, unsigned int length)
{
  g_byte_array_append (closure, data, length);
  return CAIRO_STATUS_SUCCESS;
}

gboolean
flw_widget_export (GtkWidget *widget, const char *path, GError **error)
{
  gboolean png = g_str_has_suffix (path, ".png");
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  double width, height, scale = gtk_widget_get_scale_factor (widget);
  GskRenderNode *node = widget_node (widget, &width, &height);
  cairo_surface_t *surface = NULL;
  cairo_status_t status;
  cairo_t *cr;

  if (node == NULL || width < 1 || height < 1)
    {
      g_clear_pointer (&node, gsk_render_node_unref);
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED, _ ("%s: nothing is drawn yet"), path);
      return FALSE;
    }
  if (png)
    {
      surface =
          cairo_image_surface_create (CAIRO_FORMAT_ARGB32, (int) (width * scale), (int) (height * scale));
      cairo_surface_set_device_scale (surface, scale, scale);
    }
  else if (g_str_has_suffix (path, ".pdf")) /* a page of the widget's size: 96 px an inch */
    surface = cairo_pdf_surface_create_for_stream (write_chunk, bytes, width * 0.75, height * 0.75);
  else if (g_str_has_suffix (path, ".svg"))
    surface = cairo_svg_surface_create_for_stream (write_chunk, bytes, width * 0.75, height * 0.75);
  else
    {
      gsk_render_node_unref (node);
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                   _ ("%s: the name must end in .png, .pdf or .svg"), path);
      return FALSE;
    }
  cr = cairo_create (surface);
  if (!png)
    cairo_scale (cr, 0.75, 0.75);
  flw_set_source (cr, FLW_GROUND, 1); /* a page has none of its own: it is its window's */
  cairo_paint (cr);
  gsk_render_node_draw (node, cr);
  gsk_render_node_unref (node);
  status = cairo_status (cr);
  cairo_destroy (cr);
  if (png && status == CAIRO_STATUS_SUCCESS)
    status = cairo_surface_write_to_png_stream (surface, write_chunk, bytes);
  cairo_surface_finish (surface);
  if (status == CAIRO_STATUS_SUCCESS)
    status = cairo_surface_status (surface);
  cairo_surface_destroy (surface);
  if (status != CAIRO_STATUS_SUCCESS)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: %s", path, cairo_status_to_string (status));
      return FALSE;
    }
  /* Whole or not at all. */
  return g_file_set_contents (path, (const char *) bytes->data, (gssize) bytes->len, error);
}
