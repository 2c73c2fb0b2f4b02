/* Where things are, and moving about: fitting, zooming, panning, the cursor and the keys. */
#include <math.h>

#include "widgets/image-private.h"

/* --- places --- */

FlwBox
flw_image_box (FlwImageView *view)
{
  int width = gtk_widget_get_width (GTK_WIDGET (view)), height = gtk_widget_get_height (GTK_WIDGET (view));
  return (FlwBox){ 0, 0, width, MAX (height - FLW_IMAGE_FOOT, 0) };
}

double
flw_image_to_x (FlwImageView *view, double x)
{
  return (x - view->cx) * view->zoom + flw_image_box (view).width / 2;
}

double
flw_image_to_y (FlwImageView *view, double y)
{
  return (y - view->cy) * view->zoom + flw_image_box (view).height / 2;
}

double
flw_image_from_x (FlwImageView *view, double x)
{
  return view->cx + (x - flw_image_box (view).width / 2) / view->zoom;
}

double
flw_image_from_y (FlwImageView *view, double y)
{
  return view->cy + (y - flw_image_box (view).height / 2) / view->zoom;
}

float
flw_image_value (FlwImageView *view, double x, double y)
{
  const FlwImageRequest *r = view->raster != NULL ? &view->raster->request : NULL;

  if (r == NULL || !(x >= r->x0 && x < r->x1 && y >= r->y0 && y < r->y1))
    return NAN;
  return view->raster
      ->values[(gsize) MIN ((guint) ((y - r->y0) / (r->y1 - r->y0) * r->height), r->height - 1) * r->width
               + MIN ((guint) ((x - r->x0) / (r->x1 - r->x0) * r->width), r->width - 1)];
}

int
flw_image_panel_at (FlwImageView *view, double x, double y, double *fs, double *ss)
{
  for (guint i = 0; i < view->panels->len; i++)
    {
      const FlwImagePanel *panel = &g_array_index (view->panels, FlwImagePanel, i);
      double dx = x - panel->x, dy = y - panel->y;
      double det = panel->fs_x * panel->ss_y - panel->fs_y * panel->ss_x;

      *fs = (dx * panel->ss_y - dy * panel->ss_x) / det;
      *ss = (dy * panel->fs_x - dx * panel->fs_y) / det;
      if (*fs >= 0 && *ss >= 0 && *fs < panel->n_fs && *ss < panel->n_ss)
        return (int) i;
    }
  return -1;
}

const FlwImagePanel *
flw_image_view_panel_at (FlwImageView *view, double x, double y, guint *number, double *fs, double *ss)
{
  int at = flw_image_panel_at (view, x, y, fs, ss);
  if (at < 0)
    return NULL;
  *number = (guint) at;
  return &g_array_index (view->panels, FlwImagePanel, at);
}

void
flw_image_readout_changed (FlwImageView *view)
{
  g_object_notify (G_OBJECT (view), "readout");
  gtk_widget_queue_draw (GTK_WIDGET (view));
}

void
flw_image_overlay_changed (FlwImageView *view)
{
  g_clear_pointer (&view->overlay, gsk_render_node_unref);
  g_clear_pointer (&view->numbers, gsk_render_node_unref);
  gtk_widget_queue_draw (GTK_WIDGET (view));
}

void
flw_image_view_changed (FlwImageView *view)
{
  flw_image_overlay_changed (view);
  flw_image_marks_moved (view);
  flw_image_ask (view, FALSE);
}

/* --- moving about --- */

void
flw_image_set_extent (FlwImageView *view, double x0, double y0, double x1, double y1)
{
  if (!(x1 > x0 && y1 > y0))
    return;
  if (view->has_extent && view->extent[0] == x0 && view->extent[1] == y0 && view->extent[2] == x1
      && view->extent[3] == y1)
    return;
  memcpy (view->extent, (double[]){ x0, y0, x1, y1 }, sizeof view->extent);
  view->has_extent = TRUE;
  if (view->fitted)
    flw_image_view_fit (view);
  else
    flw_image_view_changed (view);
}

void
flw_image_find_extent (FlwImageView *view)
{
  double e[4] = { INFINITY, INFINITY, -INFINITY, -INFINITY };

  for (guint i = 0; i < view->panels->len; i++)
    {
      const FlwImagePanel *p = &g_array_index (view->panels, FlwImagePanel, i);
      for (guint corner = 0; corner < 4; corner++)
        {
          double fs = corner & 1 ? p->n_fs : 0, ss = corner & 2 ? p->n_ss : 0;
          double x = p->x + fs * p->fs_x + ss * p->ss_x, y = p->y + fs * p->fs_y + ss * p->ss_y;
          e[0] = fmin (e[0], x);
          e[1] = fmin (e[1], y);
          e[2] = fmax (e[2], x);
          e[3] = fmax (e[3], y);
        }
    }
  if (e[0] < e[2])
    flw_image_set_extent (view, e[0], e[1], e[2], e[3]);
}

static double
fit_zoom (FlwImageView *view)
{
  FlwBox box = flw_image_box (view);
  double width = view->extent[2] - view->extent[0], height = view->extent[3] - view->extent[1];
  return fmin (fmax (box.width - 16, 1) / width, fmax (box.height - 16, 1) / height);
}

void
flw_image_view_fit (FlwImageView *view)
{
  view->fitted = TRUE;
  if (!view->has_extent || flw_image_box (view).width <= 0)
    return;
  view->cx = 0.5 * (view->extent[0] + view->extent[2]);
  view->cy = 0.5 * (view->extent[1] + view->extent[3]);
  view->zoom = fit_zoom (view);
  flw_image_view_changed (view);
}

void
flw_image_place (FlwImageView *view, double cx, double cy, double zoom)
{
  if (!view->has_extent || flw_image_box (view).width <= 0)
    return;
  view->fitted = FALSE;
  view->zoom = CLAMP (zoom, fmin (0.5 * fit_zoom (view), 1), FLW_IMAGE_MAX_ZOOM);
  view->cx = CLAMP (cx, view->extent[0], view->extent[2]);
  view->cy = CLAMP (cy, view->extent[1], view->extent[3]);
  flw_image_view_changed (view);
}

static void
zoom_at (FlwImageView *view, double factor, double x, double y)
{
  FlwBox box = flw_image_box (view);
  double ix = flw_image_from_x (view, x), iy = flw_image_from_y (view, y);
  double zoom = CLAMP (view->zoom * factor, fmin (0.5 * fit_zoom (view), 1), FLW_IMAGE_MAX_ZOOM);

  flw_image_place (view, ix - (x - box.width / 2) / zoom, iy - (y - box.height / 2) / zoom, zoom);
}

static void
on_wheel (GtkWidget *widget, double x, double y, double steps, GdkModifierType state)
{
  (void) state;
  zoom_at (FLW_IMAGE_VIEW (widget), pow (1.25, steps), x, y);
}

static void
on_pan (GtkWidget *widget, double dx, double dy)
{
  FlwImageView *view = FLW_IMAGE_VIEW (widget);
  if (view->zoom > 0)
    flw_image_place (view, view->cx - dx / view->zoom, view->cy - dy / view->zoom, view->zoom);
}

static void
on_hover (GtkWidget *widget, double x, double y)
{
  FlwImageView *view = FLW_IMAGE_VIEW (widget);

  view->hover_x = x;
  view->hover_y = y;
  flw_image_readout_changed (view);
}

static void
on_click (GtkWidget *widget, double x, double y)
{
  FlwImageView *view = FLW_IMAGE_VIEW (widget);
  int spot;

  if (isnan (x) || view->zoom <= 0)
    return;
  spot = flw_image_spot_at (view, flw_image_from_x (view, x), flw_image_from_y (view, y));
  if (spot >= 0)
    g_signal_emit_by_name (view, "spot-activated", (guint) spot);
  g_signal_emit_by_name (view, "clicked", flw_image_from_x (view, x), flw_image_from_y (view, y));
}

const FlwNav flw_image_nav = { on_wheel, on_pan, on_hover, on_click, NULL };

static void
move_cursor (FlwImageView *view, double dx, double dy)
{
  FlwBox box = flw_image_box (view);
  double step = fmax (view->zoom, 1); /* an image pixel, or a screen pixel */

  if (isnan (view->hover_x))
    {
      view->hover_x = box.width / 2;
      view->hover_y = box.height / 2;
    }
  view->hover_x = CLAMP (view->hover_x + dx * step, 0, box.width - 1);
  view->hover_y = CLAMP (view->hover_y + dy * step, 0, box.height - 1);
  flw_image_readout_changed (view);
}

static void
toggle (FlwImageView *view, const char *property)
{
  gboolean on;

  g_object_get (view, property, &on, NULL);
  g_object_set (view, property, !on, NULL);
}

void
flw_image_act (GtkWidget *widget, const char *action, GVariant *parameter)
{
  FlwImageView *view = FLW_IMAGE_VIEW (widget);
  FlwBox box = flw_image_box (view);
  const char *name = action + strlen ("plot.");
  double x = isnan (view->hover_x) ? box.width / 2 : view->hover_x,
         y = isnan (view->hover_y) ? box.height / 2 : view->hover_y;

  (void) parameter;
  if (g_str_equal (name, "left") || g_str_equal (name, "right"))
    on_pan (widget, (g_str_equal (name, "left") ? 0.2 : -0.2) * box.width, 0);
  else if (g_str_equal (name, "up") || g_str_equal (name, "down"))
    on_pan (widget, 0, (g_str_equal (name, "up") ? 0.2 : -0.2) * box.height);
  else if (g_str_equal (name, "zoom-in") || g_str_equal (name, "zoom-out"))
    zoom_at (view, g_str_equal (name, "zoom-in") ? 1.5 : 1 / 1.5, x, y);
  else if (g_str_equal (name, "fit") || g_str_equal (name, "first"))
    flw_image_view_fit (view);
  else if (g_str_equal (name, "one-to-one"))
    zoom_at (view, 1 / view->zoom, x, y);
  else if (g_str_has_prefix (name, "cursor-"))
    move_cursor (view, g_str_equal (name, "cursor-left") ? -1 : g_str_equal (name, "cursor-right"),
                 g_str_equal (name, "cursor-up") ? -1 : g_str_equal (name, "cursor-down"));
  else if (g_str_equal (name, "activate"))
    on_click (widget, x, y);
  else if (g_str_equal (name, "cancel"))
    on_hover (widget, NAN, NAN);
  else if (g_str_equal (name, "rings"))
    toggle (view, "show-rings");
  else if (g_str_equal (name, "spots"))
    toggle (view, "show-spots");
  else if (g_str_equal (name, "predictions"))
    toggle (view, "show-predictions");
  else if (g_str_equal (name, "panels"))
    toggle (view, "show-panels");
}
