/* The pixels of FlwImageView: asked of the provider, painted by a worker. */
#include "widgets/image-private.h"

#include <math.h>

#include "widgets/theme.h"

#define SAMPLES 4        /* of a pixel's side at most; then the view enlarges */
#define LONGEST 16000000 /* µs */

void
flw_image_raster_unref (FlwImageRaster *raster)
{
  if (!g_atomic_ref_count_dec (&raster->ref_count))
    return;
  g_free (raster->values);
  g_free (raster);
}

static FlwImageRaster *
raster_ref (FlwImageRaster *raster)
{
  g_atomic_ref_count_inc (&raster->ref_count);
  return raster;
}

/* What is visible of the image: edges on device pixels, or on image pixels when those are large. */
static gboolean
wanted (FlwImageView *view, FlwImageRequest *request)
{
  FlwBox box = flw_image_box (view);
  double scale = gtk_widget_get_scale_factor (GTK_WIDGET (view)), per_px = view->zoom * scale;
  double left = fmax (0, flw_image_to_x (view, view->extent[0])),
         right = fmin (box.width, flw_image_to_x (view, view->extent[2]));
  double top = fmax (0, flw_image_to_y (view, view->extent[1])),
         bottom = fmin (box.height, flw_image_to_y (view, view->extent[3]));

  if (!view->has_extent || view->zoom <= 0 || right - left < 1 || bottom - top < 1)
    return FALSE;
  request->nearest = per_px >= 1;
  if (per_px > SAMPLES)
    {
      request->x0 = floor (flw_image_from_x (view, left));
      request->y0 = floor (flw_image_from_y (view, top));
      request->x1 = ceil (flw_image_from_x (view, right));
      request->y1 = ceil (flw_image_from_y (view, bottom));
      request->width = (guint) (request->x1 - request->x0) * SAMPLES;
      request->height = (guint) (request->y1 - request->y0) * SAMPLES;
      return TRUE;
    }
  left = floor (left * scale);
  top = floor (top * scale);
  request->width = (guint) (ceil (right * scale) - left);
  request->height = (guint) (ceil (bottom * scale) - top);
  request->x0 = flw_image_from_x (view, left / scale);
  request->y0 = flw_image_from_y (view, top / scale);
  request->x1 = flw_image_from_x (view, (left + request->width) / scale);
  request->y1 = flw_image_from_y (view, (top + request->height) / scale);
  return TRUE;
}

static gboolean
on_overdue (gpointer data)
{
  FlwImageView *view = data;
  view->overdue = 0;
  view->patience = MIN (2 * view->patience, LONGEST);
  flw_image_ask (view, TRUE);
  return G_SOURCE_REMOVE;
}

/* One request at a time while the view moves or goes from shot to shot: the provider's answer decides the pace, and each
 * answer is seen. What is overdue is overtaken, each time later: on a link so slow that every answer is, some are seen. */
void
flw_image_ask (FlwImageView *view, gboolean overtake)
{
  FlwImageRequest request = { 0 };
  gint64 now = g_get_monotonic_time ();

  if (view->provider == NULL || !gtk_widget_get_mapped (GTK_WIDGET (view)))
    return;
  if (view->asked != 0 && !overtake)
    {
      gint64 left = view->asked + view->patience - now;
      view->ask_again = TRUE;
      if (view->overdue == 0)
        view->overdue = g_timeout_add ((guint) (MAX (left, 0) / 1000), on_overdue, view);
      return;
    }
  view->ask_again = FALSE;
  g_clear_handle_id (&view->overdue, g_source_remove);
  if (!wanted (view, &request))
    return;
  request.serial = ++view->serial;
  view->request = request;
  view->asked = now;
  view->provider (view, &request, view->provider_data);
}

typedef struct
{
  FlwImageRaster *raster;
  FlwImageShade *shade; /* NULL: not shown */
  FlkColourArgs args;
  guint width, height; /* of the picture: the raster's, or larger when pixels are large */
  cairo_surface_t *surface;
} Job;

static gpointer
job_prepare (GtkWidget *widget)
{
  FlwImageView *view = FLW_IMAGE_VIEW (widget);
  Job *job;
  double per_px;

  if (view->raster == NULL || !view->repaint)
    return NULL;
  view->repaint = FALSE;
  job = g_new0 (Job, 1);
  job->raster = raster_ref (view->raster);
  job->shade = view->show_mask && view->shade != NULL ? flw_image_shade_ref (view->shade) : NULL;
  flw_colour_map_args (view->map, &job->args);
  job->args.none = 0xff000000u | FLW_GROUND; /* opaque: copied, not blended, at each frame */
  job->width = job->raster->request.width;
  job->height = job->raster->request.height;
  per_px = view->zoom * gtk_widget_get_scale_factor (widget);
  if (per_px > SAMPLES) /* GTK 4.8 has no nearest-neighbour textures: enlarge here */
    {
      FlwBox box = flw_image_box (view);
      const FlwImageRequest *r = &job->raster->request;
      double width = (r->x1 - r->x0) * per_px, height = (r->y1 - r->y0) * per_px;
      if (width <= 4 * (box.width + 2 * FLW_IMAGE_MAX_ZOOM)
          && height <= 4 * (box.height + 2 * FLW_IMAGE_MAX_ZOOM))
        {
          job->width = MAX ((guint) lround (width), 1);
          job->height = MAX ((guint) lround (height), 1);
        }
    }
  return job;
}

static void
job_work (gpointer pointer)
{
  Job *job = pointer;
  const FlwImageRequest *r = &job->raster->request;
  gsize n = (gsize) r->width * r->height;
  g_autofree guint32 *colours = g_new (guint32, n);
  g_autofree guint *columns = g_new (guint, job->width);
  guint8 *out;
  gsize stride;

  job->args.values = job->raster->values;
  job->args.out = colours;
  job->args.n = n;
  flk_colour_map (&job->args);
  if (job->shade != NULL)
    flw_image_shade_paint (job->shade, r, colours);
  job->surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, (int) job->width, (int) job->height);
  cairo_surface_flush (job->surface);
  out = cairo_image_surface_get_data (job->surface);
  stride = (gsize) cairo_image_surface_get_stride (job->surface);
  for (guint x = 0; x < job->width; x++)
    columns[x] = (guint) ((guint64) x * r->width / job->width);
  for (guint y = 0; y < job->height; y++)
    {
      const guint32 *from = colours + (gsize) ((guint64) y * r->height / job->height) * r->width;
      guint32 *to = (guint32 *) (gpointer) (out + y * stride);
      for (guint x = 0; x < job->width; x++)
        to[x] = from[columns[x]];
    }
  cairo_surface_mark_dirty (job->surface);
}

static void
job_finish (GtkWidget *widget, gpointer pointer)
{
  FlwImageView *view = FLW_IMAGE_VIEW (widget);
  Job *job = pointer;
  float scale = (float) gtk_widget_get_scale_factor (widget);
  const FlwImageRequest *r = &job->raster->request;

  if (!gtk_widget_get_realized (widget))
    return;
  g_clear_pointer (&view->picture, gsk_render_node_unref);
  view->picture =
      flw_surface_node (widget, g_steal_pointer (&job->surface),
                        &GRAPHENE_RECT_INIT (0, 0, (float) job->width / scale, (float) job->height / scale));
  memcpy (view->shown, (double[]){ r->x0, r->y0, r->x1, r->y1 }, sizeof view->shown);
  g_clear_pointer (&view->numbers, gsk_render_node_unref);
  gtk_widget_queue_draw (widget);
}

static void
job_drop (gpointer pointer)
{
  Job *job = pointer;

  flw_image_raster_unref (job->raster);
  g_clear_pointer (&job->shade, flw_image_shade_unref);
  g_clear_pointer (&job->surface, cairo_surface_destroy);
  g_free (job);
}

const FlwRenderFuncs flw_image_render_funcs = { job_prepare, job_work, job_finish, job_drop };

void
flw_image_repaint (FlwImageView *view)
{
  view->repaint = TRUE;
  flw_render_loop_want (&view->loop, TRUE);
}

void
flw_image_view_set_provider (FlwImageView *view, FlwImageProvider provider, gpointer user_data,
                             GDestroyNotify destroy)
{
  if (view->provider_destroy != NULL)
    view->provider_destroy (view->provider_data);
  view->provider = provider;
  view->provider_data = user_data;
  view->provider_destroy = destroy;
  view->serial++; /* answers still under way are too late */
  view->asked = 0;
  view->ask_again = FALSE;
  g_clear_handle_id (&view->overdue, g_source_remove);
  view->repaint = FALSE;
  g_clear_pointer (&view->raster, flw_image_raster_unref);
  g_clear_pointer (&view->picture, gsk_render_node_unref);
  g_clear_pointer (&view->message, g_free);
  flw_image_view_fit (view);
  flw_image_ask (view, TRUE);
  flw_chart_summary_changed (GTK_WIDGET (view));
  gtk_widget_queue_draw (GTK_WIDGET (view));
}

void
flw_image_view_reload (FlwImageView *view)
{
  flw_image_ask (view, FALSE);
}

static void
answered (FlwImageView *view)
{
  view->patience = CLAMP (2 * (g_get_monotonic_time () - view->asked), FLW_IMAGE_PATIENCE, LONGEST);
  view->asked = 0;
  g_clear_handle_id (&view->overdue, g_source_remove);
  if (view->ask_again)
    flw_image_ask (view, FALSE);
}

gboolean
flw_image_view_deliver (FlwImageView *view, guint64 serial, float *values)
{
  if (serial != view->serial || view->asked == 0)
    {
      g_free (values);
      return FALSE;
    }
  g_clear_pointer (&view->raster, flw_image_raster_unref);
  view->raster = g_new0 (FlwImageRaster, 1);
  g_atomic_ref_count_init (&view->raster->ref_count);
  view->raster->request = view->request;
  view->raster->values = values;
  g_clear_pointer (&view->message, g_free);
  flw_image_repaint (view);
  g_signal_emit_by_name (view, "raster-changed");
  flw_chart_summary_changed (GTK_WIDGET (view));
  flw_image_readout_changed (view);
  answered (view);
  return TRUE;
}

void
flw_image_view_fail (FlwImageView *view, guint64 serial, const char *message)
{
  if (serial != view->serial || view->asked == 0)
    return;
  g_free (view->message);
  view->message = g_strdup (message);
  g_clear_pointer (&view->raster, flw_image_raster_unref);
  g_clear_pointer (&view->picture, gsk_render_node_unref);
  flw_chart_summary_changed (GTK_WIDGET (view));
  flw_image_overlay_changed (view);
  answered (view);
}

const float *
flw_image_view_get_raster (FlwImageView *view, guint *width, guint *height)
{
  if (view->raster == NULL)
    return NULL;
  *width = view->raster->request.width;
  *height = view->raster->request.height;
  return view->raster->values;
}

gboolean
flw_image_view_get_shown (FlwImageView *view, FlwImageRequest *request)
{
  if (view->raster != NULL)
    *request = view->raster->request;
  return view->raster != NULL;
}
