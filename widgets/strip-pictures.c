/* The worker's side of FlwStripPlot: what a job takes along, makes, and leaves. */
#include "widgets/strip-private.h"

#include <math.h>

#include "widgets/theme.h"

typedef struct
{
  FlwStripView view;
  FlwStripGrid *grid;
  FlwRunView *runs;
  guint n_runs;
  gboolean whole;
  cairo_surface_t **tiles; /* n_strips × grid->n_tiles; NULL: unchanged */
  FlwLinePoint *points[FLW_STRIP_MAX_LINES];
} Job;

void
flw_strip_view (FlwStripPlot *plot, FlwStripView *view)
{
  int scale = gtk_widget_get_scale_factor (GTK_WIDGET (plot));
  double lower = flw_axis_get_lower (plot->axis), span = flw_axis_get_upper (plot->axis) - lower, px;

  memset (view, 0, sizeof *view);
  view->width = plot->n_strips > 0 ? (guint) fmax (plot->strips[0].box.width * scale, 0) : 0;
  px = span / MAX (view->width, 1);
  view->x0 = lower;
  view->shots_per_px = px;
  view->dot = (guint) scale * (px > 100 ? 1 : px > 20 ? 2 : px > 0.2 ? 3 : 5);
  view->window = plot->window;
  view->generation = plot->data->generation;
  view->n_columns = plot->data->n_columns;
  view->n_strips = plot->n_strips;
  view->n_lines = plot->n_lines;
  for (guint s = 0; s < plot->n_strips; s++)
    {
      FlwStrip *strip = &plot->strips[s];
      view->strips[s] = (FlwStripPlace){ (guint) fmax (strip->box.height * scale, 0), strip->column,
                                         flw_axis_get_lower (strip->y), flw_axis_get_upper (strip->y),
                                         strip->kind == FLW_STRIP_DOTS || strip->kind == FLW_STRIP_LOG };
      if (strip->kind == FLW_STRIP_SHARE) /* its limits come from its lines */
        view->strips[s].lower = view->strips[s].upper = 0;
    }
  memcpy (view->lines, plot->lines, sizeof view->lines);
}

static gpointer
job_prepare (GtkWidget *widget)
{
  FlwStripPlot *plot = FLW_STRIP_PLOT (widget);
  guint n_runs = plot->data->runs->len;
  FlwStripView view;
  gboolean fresh = FALSE, whole;
  Job *job;

  flw_strip_view (plot, &view);
  if (view.width == 0)
    return NULL;
  whole = plot->grid == NULL || !flw_strip_view_equal (&plot->grid->view, &view);
  if (whole)
    g_array_set_size (plot->done, 0);
  g_array_set_size (plot->done, n_runs); /* new ones are zero */
  for (guint r = 0; r < n_runs; r++)
    fresh |= g_array_index (plot->done, guint64, r) < flw_strip_data_run (plot->data, r)->n;
  if (!whole && !fresh)
    return NULL;
  job = g_new0 (Job, 1);
  job->view = view;
  job->whole = whole;
  job->grid = g_steal_pointer (&plot->grid);
  job->n_runs = n_runs;
  job->runs = flw_strip_data_views (plot->data, (const guint64 *) (gpointer) plot->done->data);
  for (guint r = 0; r < n_runs; r++)
    g_array_index (plot->done, guint64, r) = job->runs[r].n;
  return job;
}

static void
job_work (gpointer pointer)
{
  Job *job = pointer;
  guint n_tiles;

  if (job->whole)
    {
      g_clear_pointer (&job->grid, flw_strip_grid_free);
      job->grid = flw_strip_grid_new (&job->view);
    }
  flw_strip_grid_add (job->grid, job->runs, job->n_runs);
  n_tiles = job->grid->n_tiles;
  job->tiles = g_new0 (cairo_surface_t *, job->view.n_strips * n_tiles);
  for (guint s = 0; s < job->view.n_strips; s++)
    for (guint t = 0; job->grid->klass[s] != NULL && t < n_tiles; t++)
      if (job->whole || job->grid->touched[t])
        job->tiles[s * n_tiles + t] = flw_strip_grid_paint (job->grid, s, t);
  for (guint l = 0; l < job->view.n_lines; l++)
    {
      job->points[l] = g_new (FlwLinePoint, job->view.width);
      flw_strip_line_points (&job->view, l, job->runs, job->n_runs, job->points[l]);
    }
}

static void
take_tiles (FlwStripPlot *plot, Job *job)
{
  float scale = (float) gtk_widget_get_scale_factor (GTK_WIDGET (plot));
  guint n_tiles = job->grid->n_tiles;

  for (guint s = 0; s < plot->n_strips; s++)
    {
      FlwStrip *strip = &plot->strips[s];
      if (job->whole)
        g_ptr_array_set_size (strip->tiles, 0);
      g_ptr_array_set_size (strip->tiles, (int) n_tiles);
      for (guint t = 0; t < n_tiles; t++)
        {
          cairo_surface_t *surface = g_steal_pointer (&job->tiles[s * n_tiles + t]);
          graphene_rect_t bounds;

          if (surface == NULL)
            continue;
          bounds = GRAPHENE_RECT_INIT ((float) (t * FLW_STRIP_TILE) / scale, 0,
                                       (float) cairo_image_surface_get_width (surface) / scale,
                                       (float) cairo_image_surface_get_height (surface) / scale);
          flw_node_clear (strip->tiles->pdata[t]);
          strip->tiles->pdata[t] = flw_surface_node (GTK_WIDGET (plot), surface, &bounds);
        }
    }
}

/* Keeps the retained pieces of lines that have not changed. */
static void
take_lines (FlwStripPlot *plot, Job *job)
{
  guint n = (job->view.width + FLW_STRIP_SEGMENT - 1) / FLW_STRIP_SEGMENT;
  double most[FLW_STRIP_MAX_STRIPS] = { 0 };

  for (guint s = 0; s < plot->n_strips; s++)
    {
      if (job->whole)
        g_ptr_array_set_size (plot->strips[s].line_nodes, 0);
      g_ptr_array_set_size (plot->strips[s].line_nodes, (int) n);
    }
  for (guint l = 0; l < plot->n_lines; l++)
    {
      FlwStripLineLook *look = &plot->looks[l];
      GPtrArray *nodes = plot->strips[plot->lines[l].strip].line_nodes;

      for (guint i = 0; i < n; i++)
        {
          /* A piece begins with the last point of the one before. */
          guint from = i * FLW_STRIP_SEGMENT, to = MIN (from + FLW_STRIP_SEGMENT, job->view.width);
          guint begin = from > 0 ? from - 1 : 0;
          if (look->points == NULL || job->whole
              || memcmp (look->points + begin, job->points[l] + begin, (to - begin) * sizeof *look->points)
                     != 0)
            g_clear_pointer (&nodes->pdata[i], gsk_render_node_unref);
        }
      for (guint x = 0; x < job->view.width; x++)
        most[plot->lines[l].strip] = fmax (most[plot->lines[l].strip], job->points[l][x].most);
      g_free (look->points);
      look->points = g_steal_pointer (&job->points[l]);
    }
  for (guint s = 0; s < plot->n_strips; s++)
    if (plot->strips[s].kind == FLW_STRIP_SHARE)
      {
        static const double nice[] = { 1, 2, 5, 10, 20, 30, 40, 60, 80 };
        double upper = 100;

        for (guint i = G_N_ELEMENTS (nice); i-- > 0;)
          if (nice[i] >= most[s])
            upper = nice[i];
        if (upper == flw_axis_get_upper (plot->strips[s].y))
          continue;
        flw_axis_set_range (plot->strips[s].y, 0, upper);
        g_ptr_array_set_size (plot->strips[s].line_nodes, 0);
        g_ptr_array_set_size (plot->strips[s].line_nodes, (int) n);
        g_clear_pointer (&plot->under, gsk_render_node_unref);
      }
}

static void
job_finish (GtkWidget *widget, gpointer pointer)
{
  FlwStripPlot *plot = FLW_STRIP_PLOT (widget);
  Job *job = pointer;

  if (!gtk_widget_get_realized (widget) || job->view.n_strips != plot->n_strips
      || job->view.n_lines != plot->n_lines)
    return; /* the grid goes with the job: all is made again */
  take_tiles (plot, job);
  take_lines (plot, job);
  plot->shown = job->view;
  plot->grid = g_steal_pointer (&job->grid);
  for (guint s = 0; s < plot->n_strips; s++)
    g_clear_pointer (&plot->strips[s].header, gsk_render_node_unref);
  flw_chart_summary_changed (widget);
  gtk_widget_queue_draw (widget);
}

static void
job_drop (gpointer pointer)
{
  Job *job = pointer;

  if (job->grid != NULL && job->tiles != NULL)
    for (guint i = 0; i < job->view.n_strips * job->grid->n_tiles; i++)
      g_clear_pointer (&job->tiles[i], cairo_surface_destroy);
  g_clear_pointer (&job->grid, flw_strip_grid_free);
  for (guint l = 0; l < job->view.n_lines; l++)
    g_free (job->points[l]);
  flw_run_views_free (job->runs, job->n_runs);
  g_free (job->tiles);
  g_free (job);
}

const FlwRenderFuncs flw_strip_render_funcs = { job_prepare, job_work, job_finish, job_drop };
