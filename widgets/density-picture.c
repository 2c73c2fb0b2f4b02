/* Pictures of a density view: made by the CPU in a worker, or by the GPU. */
#include <glib/gi18n.h>
#include <math.h>

#include "widgets/density-private.h"

#define MOVING_TIME 26.0    /* ms that a picture may take while something moves */
#define LEAST_RAYS  20000.0 /* of such a picture, however slow */
#define SMOOTH_TIME 2500.0  /* ms that four rays a pixel may take */

typedef struct
{
  gint cancel;
  gboolean complete;
  FlwDensityScene scene; /* its references are held here */
  FlwDensityCamera camera;
  FlwDensityCaster *caster;
  FlwDensityQuality quality;
  guint oversample;
  double width, height; /* logical pixels */
  cairo_surface_t *surface;
  double took; /* ms */
} Job;

static double
now_ms (void)
{
  return (double) g_get_monotonic_time () * 1e-3;
}

static void
hold (Job *job)
{
  for (guint m = 0; m < FLW_DENSITY_MAPS; m++)
    {
      if (job->scene.maps[m].volume != NULL)
        flw_density_volume_ref ((FlwDensityVolume *) job->scene.maps[m].volume);
      if (job->scene.maps[m].other != NULL)
        flw_density_volume_ref ((FlwDensityVolume *) job->scene.maps[m].other);
    }
  if (job->scene.model != NULL)
    flw_density_model_ref ((FlwDensityModel *) job->scene.model);
}

static gpointer
prepare (GtkWidget *widget)
{
  FlwDensityView *view = FLW_DENSITY_VIEW (widget);
  FlwBox box = flw_density_box (view);
  double dots = gtk_widget_get_scale_factor (widget), rays = box.width * box.height * dots * dots;
  Job *job;

  if (view->gl != NULL || box.width < 1 || box.height < 1
      || (view->maps[0].volume == NULL && view->maps[1].volume == NULL && view->model == NULL))
    return NULL;
  job = g_new0 (Job, 1);
  job->quality = view->quality;
  job->oversample = view->quality == FLW_DENSITY_SMOOTH ? 2 : 1;
  if (view->quality == FLW_DENSITY_COARSE)
    {
      double few = fmax (MOVING_TIME * 1e6 / view->cost, LEAST_RAYS);
      if (few < rays)
        dots *= sqrt (few / rays);
      else
        job->quality = FLW_DENSITY_FULL;
    }
  flw_density_scene (view, dots, &job->scene);
  if (job->quality == FLW_DENSITY_COARSE)
    job->scene.step = FLW_DENSITY_LONG_STEP;
  hold (job);
  job->camera = view->camera;
  job->caster = view->caster;
  job->width = box.width;
  job->height = box.height;
  job->surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, (int) fmax (ceil (box.width * dots), 1),
                                             (int) fmax (ceil (box.height * dots), 1));
  view->cancel = &job->cancel;
  return job;
}

static void
work (gpointer data)
{
  Job *job = data;
  guint32 *pixels = (guint32 *) (void *) cairo_image_surface_get_data (job->surface);
  double began = now_ms ();

  cairo_surface_flush (job->surface);
  job->complete = flw_density_cast (
      job->caster, &job->scene, &job->camera, (guint) cairo_image_surface_get_width (job->surface),
      (guint) cairo_image_surface_get_height (job->surface),
      (guint) cairo_image_surface_get_stride (job->surface) / 4, pixels, NULL, job->oversample, &job->cancel);
  cairo_surface_mark_dirty (job->surface);
  job->took = now_ms () - began;
}

/* Stretched, and smoothly where it is coarse. */
static GskRenderNode *
picture_node (cairo_surface_t *surface, double width, double height)
{
  GskRenderNode *node = gsk_cairo_node_new (&GRAPHENE_RECT_INIT (0, 0, (float) width, (float) height));
  cairo_t *cr = gsk_cairo_node_get_draw_context (node);

  cairo_scale (cr, width / cairo_image_surface_get_width (surface),
               height / cairo_image_surface_get_height (surface));
  cairo_set_source_surface (cr, surface, 0, 0);
  cairo_pattern_set_extend (cairo_get_source (cr), CAIRO_EXTEND_PAD);
  cairo_pattern_set_filter (cairo_get_source (cr), CAIRO_FILTER_BILINEAR);
  cairo_paint (cr);
  cairo_destroy (cr);
  return node;
}

static void
finish (GtkWidget *widget, gpointer data)
{
  FlwDensityView *view = FLW_DENSITY_VIEW (widget);
  Job *job = data;
  double rays = (double) cairo_image_surface_get_width (job->surface)
                * cairo_image_surface_get_height (job->surface) * job->oversample * job->oversample;

  view->cancel = NULL;
  if (!job->complete)
    return;
  view->cost += 0.4 * (job->took * 1e6 / rays - view->cost);
  view->frame_time = job->took;
  g_clear_pointer (&view->picture, gsk_render_node_unref);
  view->picture = picture_node (job->surface, job->width, job->height);
  flw_density_overlay_changed (view);
  g_signal_emit_by_name (view, "picture-changed");
  if (view->loop.wanted) /* it moves on */
    return;
  if (job->quality == FLW_DENSITY_COARSE)
    view->quality = FLW_DENSITY_FULL;
  else if (job->quality == FLW_DENSITY_FULL && 4 * rays * view->cost * 1e-6 < SMOOTH_TIME)
    view->quality = FLW_DENSITY_SMOOTH;
  else
    return;
  flw_render_loop_want (&view->loop, TRUE);
}

static void
drop (gpointer data)
{
  Job *job = data;

  for (guint m = 0; m < FLW_DENSITY_MAPS; m++)
    {
      if (job->scene.maps[m].volume != NULL)
        flw_density_volume_unref ((FlwDensityVolume *) job->scene.maps[m].volume);
      if (job->scene.maps[m].other != NULL)
        flw_density_volume_unref ((FlwDensityVolume *) job->scene.maps[m].other);
    }
  if (job->scene.model != NULL)
    flw_density_model_unref ((FlwDensityModel *) job->scene.model);
  cairo_surface_destroy (job->surface);
  g_free (job);
}

const FlwRenderFuncs flw_density_render_funcs = { prepare, work, finish, drop };

void
flw_density_choose_renderer (FlwDensityView *view)
{
  g_free (view->why);
  view->why = g_strdup_printf (
      ngettext ("CPU, %u thread", "CPU, %u threads", flw_density_caster_threads (view->caster)),
      flw_density_caster_threads (view->caster));
}
