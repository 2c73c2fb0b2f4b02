/* Pictures of a density view: made by the CPU in a worker, or by the GPU. */
#include <epoxy/gl.h>
#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

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
  /* What is coarse is soon made, and would never be seen if every move overtook it. */
  view->cancel = view->quality == FLW_DENSITY_COARSE ? NULL : &job->cancel;
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

/* --- the GPU --- */

#define STILL 180 /* ms without a change after which it draws in full */

static void
use_cpu (FlwDensityView *view, const char *because)
{
  guint n = flw_density_caster_threads (view->caster);
  g_autofree char *threads = g_strdup_printf (ngettext ("CPU, %u thread", "CPU, %u threads", n), n);

  g_free (view->why);
  view->why = g_strdup_printf ("%s: %s", threads, because);
  g_object_notify (G_OBJECT (view), "renderer");
}

/* Not while the area draws. */
static gboolean
give_up (gpointer data)
{
  FlwDensityView *view = data;

  flw_density_drop_renderer (view);
  flw_density_redraw (view);
  return G_SOURCE_REMOVE;
}

static gboolean
on_still (gpointer data)
{
  FlwDensityView *view = data;

  view->still = 0;
  view->quality = FLW_DENSITY_SMOOTH;
  view->drawn = FALSE;
  gtk_gl_area_queue_render (GTK_GL_AREA (view->gl));
  return G_SOURCE_REMOVE;
}

static gboolean
on_render (GtkGLArea *area, GdkGLContext *context, FlwDensityView *view)
{
  int dots = gtk_widget_get_scale_factor (GTK_WIDGET (area));
  guint width = (guint) (gtk_widget_get_width (GTK_WIDGET (area)) * dots),
        height = (guint) (gtk_widget_get_height (GTK_WIDGET (area)) * dots);
  g_autoptr (GError) error = NULL;
  FlwDensityScene scene;
  double began = now_ms ();
  gboolean good;

  (void) context;
  flw_density_scene (view, dots, &scene);
  if (view->quality == FLW_DENSITY_COARSE)
    scene.step = FLW_DENSITY_LONG_STEP;
  if (view->renderer == NULL)
    view->renderer = flw_density_gl_new (&error);
  good = view->renderer != NULL
         && flw_density_gl_draw (view->renderer, &scene, &view->camera, width, height,
                                 view->quality == FLW_DENSITY_SMOOTH ? 2 : 1);
  if (!good)
    {
      use_cpu (view, error != NULL ? error->message : _ ("the map does not fit the GPU"));
      g_idle_add_full (G_PRIORITY_DEFAULT, give_up, g_object_ref (view), g_object_unref);
      return TRUE;
    }
  glFinish (); /* what it took */
  view->frame_time = now_ms () - began;
  view->drawn = TRUE;
  if (view->quality != FLW_DENSITY_SMOOTH)
    {
      g_clear_handle_id (&view->still, g_source_remove);
      view->still = g_timeout_add (STILL, on_still, view);
    }
  g_signal_emit_by_name (view, "picture-changed");
  return TRUE;
}

static void
on_area_realize (GtkWidget *area, FlwDensityView *view)
{
  if (gtk_gl_area_get_error (GTK_GL_AREA (area)) == NULL)
    return;
  use_cpu (view, _ ("no OpenGL here"));
  g_idle_add_full (G_PRIORITY_DEFAULT, give_up, g_object_ref (view), g_object_unref);
}

static void
on_area_unrealize (GtkWidget *area, FlwDensityView *view)
{
  if (view->renderer == NULL)
    return;
  gtk_gl_area_make_current (GTK_GL_AREA (area));
  if (gtk_gl_area_get_error (GTK_GL_AREA (area)) == NULL)
    flw_density_gl_free (view->renderer);
  view->renderer = NULL;
}

void
flw_density_drop_renderer (FlwDensityView *view)
{
  g_clear_handle_id (&view->still, g_source_remove);
  g_clear_pointer (&view->gl, gtk_widget_unparent);
}

static gboolean
is_remote (void)
{
  const char *display = g_getenv ("DISPLAY");

  if (g_getenv ("WAYLAND_DISPLAY") != NULL)
    return FALSE;
  return (display != NULL && *display != 0 && *display != ':' && !g_str_has_prefix (display, "unix:"))
         || (g_getenv ("SSH_CONNECTION") != NULL && g_getenv ("SSH_TTY") != NULL);
}

/* The driver's name of what draws, and whether it speaks GLES; NULL with an error when nothing does. Free with g_free. */
static char *
ask_driver (FlwDensityView *view, gboolean *embedded, GError **error)
{
  GdkSurface *surface = gtk_native_get_surface (gtk_widget_get_native (GTK_WIDGET (view)));
  g_autoptr (GdkGLContext) context = gdk_surface_create_gl_context (surface, error);
  char *name;

  if (context == NULL || !gdk_gl_context_realize (context, error))
    return NULL;
  gdk_gl_context_make_current (context);
  name = g_strdup ((const char *) glGetString (GL_RENDERER));
  *embedded = gdk_gl_context_get_use_es (context);
  gdk_gl_context_clear_current ();
  return name != NULL ? name : g_strdup ("?");
}

/* A name from a driver: short, and without what brackets explain. */
static void
shorten (char *name)
{
  char *bracket = strchr (name, '(');

  if (bracket != NULL && bracket > name)
    *bracket = 0;
  g_strstrip (name);
}

void
flw_density_choose_renderer (FlwDensityView *view)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;
  gboolean embedded = FALSE; /* GLES */

  if (view->wanted == FLW_DENSITY_CPU)
    {
      use_cpu (view, _ ("asked for"));
      return;
    }
  if (view->wanted == FLW_DENSITY_AUTOMATIC && is_remote ())
    {
      use_cpu (view, _ ("the display is remote"));
      return;
    }
  name = ask_driver (view, &embedded, &error);
  if (name == NULL)
    {
      use_cpu (view, _ ("no OpenGL here"));
      return;
    }
  shorten (name);
  if (view->wanted == FLW_DENSITY_AUTOMATIC && flw_density_gl_is_software (name))
    {
      use_cpu (view, _ ("no GPU draws here"));
      return;
    }
  view->gl = gtk_gl_area_new ();
  gtk_gl_area_set_auto_render (GTK_GL_AREA (view->gl), FALSE);
  gtk_gl_area_set_use_es (GTK_GL_AREA (view->gl), embedded);
  gtk_gl_area_set_required_version (GTK_GL_AREA (view->gl), 3, embedded ? 0 : 3);
  gtk_widget_set_can_target (view->gl, FALSE);
  g_signal_connect (view->gl, "render", G_CALLBACK (on_render), view);
  g_signal_connect_after (view->gl, "realize", G_CALLBACK (on_area_realize), view);
  g_signal_connect (view->gl, "unrealize", G_CALLBACK (on_area_unrealize), view);
  gtk_widget_set_parent (view->gl, GTK_WIDGET (view));
  g_free (view->why);
  view->why = g_strdup_printf (_ ("GPU: %s"), name);
  g_object_notify (G_OBJECT (view), "renderer");
}
