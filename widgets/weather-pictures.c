/* The worker's side of FlwWeatherPlot: what a job takes along, makes, and leaves. */
#include "widgets/weather-private.h"

#include <math.h>

#include "widgets/theme.h"

typedef struct
{
  FlwWeatherView view;
  FlwWeatherGrid *grid;
  GArray *slices;
  gboolean whole;          /* a new grid: every tile is painted */
  cairo_surface_t **tiles; /* grid->n_tiles; NULL: unchanged */
} Job;

gboolean
flw_weather_view (FlwWeatherPlot *plot, FlwWeatherView *view)
{
  int scale = gtk_widget_get_scale_factor (GTK_WIDGET (plot));
  double lower = flw_axis_get_lower (plot->axis), span = flw_axis_get_upper (plot->axis) - lower;

  view->width = (guint) fmax (plot->box.width * scale, 0);
  view->height = (guint) fmax (plot->box.height * scale, 0);
  view->t0 = (gint64) (lower * 1e9);
  view->ns_per_px = span * 1e9 / MAX (view->width, 1);
  view->row0 = plot->row0;
  view->row1 = plot->row1;
  view->by = plot->by;
  view->generation = plot->generation;
  return view->width > 0 && view->height > 0 && view->row1 > view->row0;
}

static gpointer
job_prepare (GtkWidget *widget)
{
  FlwWeatherPlot *plot = FLW_WEATHER_PLOT (widget);
  FlwWeatherView view;
  g_autoptr (GArray) fresh = NULL;
  Job *job;

  if (!flw_weather_view (plot, &view))
    return NULL;
  fresh = flw_weather_data_take_fresh (plot->data);
  if (plot->grid != NULL && flw_weather_view_equal (&plot->grid->view, &view) && fresh->len == 0)
    return NULL;
  job = g_new0 (Job, 1);
  job->view = view;
  job->grid = g_steal_pointer (&plot->grid);
  job->whole = job->grid == NULL || !flw_weather_view_equal (&job->grid->view, &view);
  if (!job->whole)
    job->slices = g_steal_pointer (&fresh);
  else
    job->slices = flw_weather_data_slices (plot->data, (guint) fmax (floor (view.row0), 0),
                                           (guint) fmax (ceil (view.row1), 0), view.t0,
                                           view.t0 + (gint64) (view.ns_per_px * view.width));
  return job;
}

static void
job_work (gpointer pointer)
{
  Job *job = pointer;

  if (job->whole)
    {
      g_clear_pointer (&job->grid, flw_weather_grid_free);
      job->grid = flw_weather_grid_new (&job->view);
    }
  flw_weather_grid_add (job->grid, job->slices);
  job->tiles = g_new0 (cairo_surface_t *, job->grid->n_tiles);
  for (guint i = 0; i < job->grid->n_tiles; i++)
    if (job->whole || job->grid->touched[i])
      job->tiles[i] = flw_weather_grid_paint (job->grid, i);
}

static void
job_finish (GtkWidget *widget, gpointer pointer)
{
  FlwWeatherPlot *plot = FLW_WEATHER_PLOT (widget);
  Job *job = pointer;
  float scale = (float) gtk_widget_get_scale_factor (widget);

  if (!gtk_widget_get_realized (widget))
    return; /* the grid goes with the job: all is made again on map */
  plot->grid = g_steal_pointer (&job->grid);
  plot->shown = job->view;
  if (job->whole)
    g_ptr_array_set_size (plot->tiles, 0);
  g_ptr_array_set_size (plot->tiles, (int) plot->grid->n_tiles);
  for (guint i = 0; i < plot->grid->n_tiles; i++)
    if (job->tiles[i] != NULL)
      {
        cairo_surface_t *surface = g_steal_pointer (&job->tiles[i]);
        graphene_rect_t bounds =
            GRAPHENE_RECT_INIT ((float) (i * FLW_WEATHER_TILE) / scale, 0,
                                (float) cairo_image_surface_get_width (surface) / scale,
                                (float) cairo_image_surface_get_height (surface) / scale);
        flw_node_clear (plot->tiles->pdata[i]);
        plot->tiles->pdata[i] = flw_surface_node (widget, surface, &bounds);
      }
  g_clear_pointer (&plot->legend, gsk_render_node_unref);
  flw_chart_summary_changed (widget);
  gtk_widget_queue_draw (widget);
}

static void
job_drop (gpointer pointer)
{
  Job *job = pointer;

  if (job->grid != NULL && job->tiles != NULL)
    for (guint i = 0; i < job->grid->n_tiles; i++)
      g_clear_pointer (&job->tiles[i], cairo_surface_destroy);
  g_clear_pointer (&job->grid, flw_weather_grid_free);
  g_array_unref (job->slices);
  g_free (job->tiles);
  g_free (job);
}

const FlwRenderFuncs flw_weather_render_funcs = { job_prepare, job_work, job_finish, job_drop };
