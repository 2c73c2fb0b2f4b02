#include "widgets/weather-plot.h"

#include <math.h>

#include "widgets/plot-nav.h"
#include "widgets/theme.h"
#include "widgets/weather-private.h"

enum
{
  PROP_SUMMARY = 1,
  PROP_AXIS,
  PROP_COLOUR_BY
};

enum
{
  EVENT_ACTIVATED,
  MARK_ACTIVATED,
  BRUSH_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlwWeatherPlot, flw_weather_plot, GTK_TYPE_WIDGET)

static void
view_changed (FlwWeatherPlot *plot)
{
  g_clear_pointer (&plot->chrome, gsk_render_node_unref);
  g_clear_pointer (&plot->mark_shapes, gsk_render_node_unref);
  flw_render_loop_want (&plot->loop, TRUE);
  gtk_widget_queue_draw (GTK_WIDGET (plot));
}

/* --- places --- */

guint
flw_weather_n_rows (FlwWeatherPlot *plot)
{
  return plot->data->rows->len;
}

double
flw_weather_row_y (FlwWeatherPlot *plot, double row)
{
  return plot->box.y + (row - plot->row0) / (plot->row1 - plot->row0) * plot->box.height;
}

gboolean
flw_weather_pixel (FlwWeatherPlot *plot, double x, double y, guint *first, guint *end, gint64 *from,
                   gint64 *to)
{
  double rows = plot->row1 - plot->row0, per_px = rows / plot->box.height, row;

  if (!(x >= plot->box.x && x < plot->box.x + plot->box.width && y >= plot->box.y
        && y < plot->box.y + plot->box.height)
      || rows <= 0)
    return FALSE;
  row = plot->row0 + (floor (y) - plot->box.y) * per_px;
  *first = (guint) fmax (floor (row), 0);
  *end = per_px > 1 ? (guint) fmax (ceil (row + per_px), *first + 1) : *first + 1;
  *from = (gint64) (flw_axis_from_px (plot->axis, &plot->box, floor (x)) * 1e9);
  *to = MAX ((gint64) (flw_axis_from_px (plot->axis, &plot->box, floor (x) + 1) * 1e9), *from + 1);
  return *first < flw_weather_n_rows (plot);
}

static void
set_rows_visible (FlwWeatherPlot *plot, double row0, double row1)
{
  double n = flw_weather_n_rows (plot), span = CLAMP (row1 - row0, fmin (n, 2), n);

  row0 = CLAMP (row0, 0, fmax (n - span, 0));
  if (row0 == plot->row0 && row0 + span == plot->row1)
    return;
  plot->row0 = row0;
  plot->row1 = row0 + span;
  view_changed (plot);
}

static void
zoom_rows (FlwWeatherPlot *plot, double factor, double y)
{
  double at = plot->row0 + (y - plot->box.y) / plot->box.height * (plot->row1 - plot->row0);
  set_rows_visible (plot, at - (at - plot->row0) / factor, at + (plot->row1 - at) / factor);
}

/* --- input --- */

static void
on_wheel (GtkWidget *widget, double x, double y, double steps, GdkModifierType state)
{
  FlwWeatherPlot *plot = FLW_WEATHER_PLOT (widget);

  if (state & GDK_CONTROL_MASK)
    zoom_rows (plot, pow (1.25, steps), y);
  else
    flw_axis_zoom (plot->axis, pow (1.25, steps), flw_axis_from_px (plot->axis, &plot->box, x));
}

static void
on_pan (GtkWidget *widget, double dx, double dy)
{
  FlwWeatherPlot *plot = FLW_WEATHER_PLOT (widget);
  double rows = -dy * (plot->row1 - plot->row0) / plot->box.height;

  flw_axis_pan (plot->axis,
                -dx * (flw_axis_get_upper (plot->axis) - flw_axis_get_lower (plot->axis)) / plot->box.width);
  set_rows_visible (plot, plot->row0 + rows, plot->row1 + rows);
}

static void
on_hover (GtkWidget *widget, double x, double y)
{
  FlwWeatherPlot *plot = FLW_WEATHER_PLOT (widget);

  plot->hover_x = x;
  plot->hover_y = y;
  gtk_widget_queue_draw (widget);
}

static void
activate_at (FlwWeatherPlot *plot, double x, double y)
{
  const FlwWeatherMark *mark = flw_weather_mark_at (plot, x, y);
  guint64 counts[FLW_CLASS_LAST];
  FlwWeatherHit hit = { NULL, 0 };
  guint first, end;
  gint64 from, to;

  if (mark != NULL)
    {
      g_signal_emit (plot, signals[MARK_ACTIVATED], 0, mark->row, mark->id);
      return;
    }
  /* A dot is small: look two pixels around before giving up. */
  for (int reach = 0; reach <= 2 && hit.chunk == NULL; reach += 2)
    if (flw_weather_pixel (plot, x, y, &first, &end, &from, &to))
      flw_weather_data_count (plot->data, first, end, from - reach * (to - from), to + reach * (to - from),
                              counts, &hit);
  if (hit.chunk != NULL)
    g_signal_emit (plot, signals[EVENT_ACTIVATED], 0, hit.chunk->id[hit.entry]);
}

static void
on_click (GtkWidget *widget, double x, double y)
{
  activate_at (FLW_WEATHER_PLOT (widget), x, y);
}

static void
on_brush (GtkWidget *widget, double x_from, double x_to, gboolean done)
{
  FlwWeatherPlot *plot = FLW_WEATHER_PLOT (widget);
  double a =
      flw_axis_from_px (plot->axis, &plot->box, CLAMP (x_from, plot->box.x, plot->box.x + plot->box.width));
  double b =
      flw_axis_from_px (plot->axis, &plot->box, CLAMP (x_to, plot->box.x, plot->box.x + plot->box.width));

  plot->brush_from = fmin (a, b);
  plot->brush_to = fmax (a, b);
  plot->brushed = plot->brush_to > plot->brush_from;
  if (done)
    g_signal_emit (plot, signals[BRUSH_CHANGED], 0, plot->brush_from, plot->brush_to);
  gtk_widget_queue_draw (widget);
}

static const FlwNav nav = { on_wheel, on_pan, on_hover, on_click, on_brush };

static void
move_cursor (FlwWeatherPlot *plot, double dx, double rows)
{
  double per_row = plot->box.height / (plot->row1 - plot->row0);

  if (isnan (plot->hover_x))
    {
      plot->hover_x = plot->box.x + plot->box.width / 2;
      plot->hover_y = plot->box.y + plot->box.height / 2;
    }
  plot->hover_x = CLAMP (plot->hover_x + dx, plot->box.x, plot->box.x + plot->box.width - 1);
  plot->hover_y =
      CLAMP (plot->hover_y + rows * fmax (per_row, 1), plot->box.y, plot->box.y + plot->box.height - 1);
  gtk_widget_queue_draw (GTK_WIDGET (plot));
}

static void
drop_brush (FlwWeatherPlot *plot)
{
  if (!plot->brushed)
    return;
  plot->brushed = FALSE;
  g_signal_emit (plot, signals[BRUSH_CHANGED], 0, 0., 0.);
  gtk_widget_queue_draw (GTK_WIDGET (plot));
}

static void
act (GtkWidget *widget, const char *action, GVariant *parameter)
{
  FlwWeatherPlot *plot = FLW_WEATHER_PLOT (widget);
  double span = flw_axis_get_upper (plot->axis) - flw_axis_get_lower (plot->axis);
  double rows = plot->row1 - plot->row0, y = plot->box.y + plot->box.height / 2;
  double at = flw_axis_get_lower (plot->axis) + span / 2;
  const char *name = action + strlen ("plot.");

  (void) parameter;
  if (!isnan (plot->hover_x))
    {
      at = flw_axis_from_px (plot->axis, &plot->box, plot->hover_x);
      y = plot->hover_y;
    }
  if (g_str_equal (name, "left") || g_str_equal (name, "right"))
    flw_axis_pan (plot->axis, (g_str_equal (name, "left") ? -0.25 : 0.25) * span);
  else if (g_str_equal (name, "up"))
    set_rows_visible (plot, plot->row0 - rows / 4, plot->row1 - rows / 4);
  else if (g_str_equal (name, "down"))
    set_rows_visible (plot, plot->row0 + rows / 4, plot->row1 + rows / 4);
  else if (g_str_equal (name, "zoom-in"))
    flw_axis_zoom (plot->axis, 1.5, at);
  else if (g_str_equal (name, "zoom-out"))
    flw_axis_zoom (plot->axis, 1 / 1.5, at);
  else if (g_str_equal (name, "zoom-rows-in"))
    zoom_rows (plot, 1.5, y);
  else if (g_str_equal (name, "zoom-rows-out"))
    zoom_rows (plot, 1 / 1.5, y);
  else if (g_str_equal (name, "first"))
    flw_axis_pan (plot->axis, flw_axis_get_limit_lower (plot->axis) - flw_axis_get_lower (plot->axis));
  else if (g_str_equal (name, "newest"))
    flw_axis_pan (plot->axis,
                  flw_axis_get_limit_upper (plot->axis) - flw_axis_get_upper (plot->axis) + span / 10);
  else if (g_str_equal (name, "fit"))
    {
      flw_axis_fit (plot->axis);
      set_rows_visible (plot, 0, flw_weather_n_rows (plot));
    }
  else if (g_str_equal (name, "cursor-left") || g_str_equal (name, "cursor-right"))
    move_cursor (plot, g_str_equal (name, "cursor-left") ? -4 : 4, 0);
  else if (g_str_equal (name, "cursor-up") || g_str_equal (name, "cursor-down"))
    move_cursor (plot, 0, g_str_equal (name, "cursor-up") ? -1 : 1);
  else if (g_str_equal (name, "activate"))
    activate_at (plot, plot->hover_x, plot->hover_y);
  else if (g_str_equal (name, "cancel"))
    drop_brush (plot);
}

/* --- the widget --- */

static void
flw_weather_plot_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  FlwWeatherPlot *plot = FLW_WEATHER_PLOT (widget);

  (void) baseline;
  flw_weather_layout (plot, width, height);
  g_clear_pointer (&plot->legend, gsk_render_node_unref);
  view_changed (plot);
}

static void
flw_weather_plot_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                          int *natural, int *minimum_baseline, int *natural_baseline)
{
  (void) widget;
  (void) for_size;
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 320 : 160;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 900 : 480;
  *minimum_baseline = *natural_baseline = -1;
}

static void
flw_weather_plot_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  FlwWeatherPlot *plot = FLW_WEATHER_PLOT (widget);
  FlwWeatherView view;
  graphene_rect_t rect = flw_box_rect (&plot->box);

  flw_fill (snapshot, 0, 0, gtk_widget_get_width (widget), gtk_widget_get_height (widget), FLW_GROUND, 1);
  if (flw_weather_view (plot, &view) && plot->tiles->len > 0)
    {
      double sx = plot->shown.ns_per_px / view.ns_per_px;
      double rows = plot->shown.row1 - plot->shown.row0;
      double sy = rows / (view.row1 - view.row0) * view.height / plot->shown.height;
      double x =
          plot->box.x
          + (double) (plot->shown.t0 - view.t0) / view.ns_per_px / gtk_widget_get_scale_factor (widget);

      gtk_snapshot_push_clip (snapshot, &rect);
      gtk_snapshot_save (snapshot);
      gtk_snapshot_translate (
          snapshot, &GRAPHENE_POINT_INIT ((float) x, (float) flw_weather_row_y (plot, plot->shown.row0)));
      if (!flw_weather_view_equal (&view, &plot->shown)) /* the old picture until the new one is made */
        gtk_snapshot_scale (snapshot, (float) sx, (float) sy);
      for (guint i = 0; i < plot->tiles->len; i++)
        if (plot->tiles->pdata[i] != NULL)
          gtk_snapshot_append_node (snapshot, plot->tiles->pdata[i]);
      gtk_snapshot_restore (snapshot);
      gtk_snapshot_pop (snapshot);
    }
  flw_weather_draw (plot, snapshot);
  flw_draw_focus (widget, snapshot);
}

static void
flw_weather_plot_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (flw_weather_plot_parent_class)->map (widget);
  flw_render_loop_want (&FLW_WEATHER_PLOT (widget)->loop, TRUE);
}

static void
flw_weather_plot_dispose (GObject *object)
{
  FlwWeatherPlot *plot = FLW_WEATHER_PLOT (object);

  flw_render_loop_stop (&plot->loop);
  g_clear_pointer (&plot->chrome, gsk_render_node_unref);
  g_clear_pointer (&plot->legend, gsk_render_node_unref);
  g_clear_pointer (&plot->mark_shapes, gsk_render_node_unref);
  g_clear_object (&plot->axis);
  G_OBJECT_CLASS (flw_weather_plot_parent_class)->dispose (object);
}

static void
flw_weather_plot_finalize (GObject *object)
{
  FlwWeatherPlot *plot = FLW_WEATHER_PLOT (object);

  g_clear_pointer (&plot->grid, flw_weather_grid_free);
  g_ptr_array_unref (plot->tiles);
  g_array_unref (plot->marks);
  flw_weather_data_free (plot->data);
  G_OBJECT_CLASS (flw_weather_plot_parent_class)->finalize (object);
}

static void
flw_weather_plot_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  FlwWeatherPlot *plot = FLW_WEATHER_PLOT (object);

  if (id == PROP_SUMMARY)
    g_value_take_string (value, flw_weather_summary (plot));
  else if (id == PROP_AXIS)
    g_value_set_object (value, plot->axis);
  else if (id == PROP_COLOUR_BY)
    g_value_set_uint (value, plot->by);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
flw_weather_plot_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_COLOUR_BY)
    flw_weather_plot_set_colour_by (FLW_WEATHER_PLOT (object), g_value_get_uint (value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
flw_weather_plot_class_init (FlwWeatherPlotClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = flw_weather_plot_dispose;
  object_class->finalize = flw_weather_plot_finalize;
  object_class->get_property = flw_weather_plot_get_property;
  object_class->set_property = flw_weather_plot_set_property;
  widget_class->measure = flw_weather_plot_measure;
  widget_class->size_allocate = flw_weather_plot_size_allocate;
  widget_class->snapshot = flw_weather_plot_snapshot;
  widget_class->map = flw_weather_plot_map;
  flw_chart_class_init (widget_class, PROP_SUMMARY, "weatherplot");
  flw_nav_class_init (widget_class, act);
  g_object_class_install_property (
      object_class, PROP_AXIS,
      g_param_spec_object ("axis", NULL, NULL, FLW_TYPE_AXIS, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (
      object_class, PROP_COLOUR_BY,
      g_param_spec_uint ("colour-by", NULL, NULL, 0, FLW_WEATHER_BY_STAGE, 0,
                         G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS));
  signals[EVENT_ACTIVATED] = g_signal_new ("event-activated", FLW_TYPE_WEATHER_PLOT, G_SIGNAL_RUN_LAST, 0,
                                           NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT64);
  signals[MARK_ACTIVATED] = g_signal_new ("mark-activated", FLW_TYPE_WEATHER_PLOT, G_SIGNAL_RUN_LAST, 0, NULL,
                                          NULL, NULL, G_TYPE_NONE, 2, G_TYPE_UINT, G_TYPE_UINT64);
  signals[BRUSH_CHANGED] = g_signal_new ("brush-changed", FLW_TYPE_WEATHER_PLOT, G_SIGNAL_RUN_LAST, 0, NULL,
                                         NULL, NULL, G_TYPE_NONE, 2, G_TYPE_DOUBLE, G_TYPE_DOUBLE);
}

static void
flw_weather_plot_init (FlwWeatherPlot *plot)
{
  plot->data = flw_weather_data_new ();
  plot->axis = flw_axis_new (FLW_AXIS_TIME, NULL, NULL);
  plot->marks = g_array_new (FALSE, FALSE, sizeof (FlwWeatherMark));
  plot->tiles = g_ptr_array_new_with_free_func (flw_node_clear);
  plot->hover_x = plot->hover_y = NAN;
  flw_render_loop_init (&plot->loop, GTK_WIDGET (plot), &flw_weather_render_funcs);
  flw_nav_attach (GTK_WIDGET (plot), &nav);
  gtk_widget_set_overflow (GTK_WIDGET (plot), GTK_OVERFLOW_HIDDEN);
  g_signal_connect_object (plot->axis, "range-changed", G_CALLBACK (view_changed), plot, G_CONNECT_SWAPPED);
}

GtkWidget *
flw_weather_plot_new (void)
{
  return g_object_new (FLW_TYPE_WEATHER_PLOT, NULL);
}

void
flw_weather_plot_get_span (FlwWeatherPlot *plot, double *left, double *width)
{
  g_return_if_fail (FLW_IS_WEATHER_PLOT (plot));
  *left = plot->box.x;
  *width = plot->box.width;
}

FlwAxis *
flw_weather_plot_get_axis (FlwWeatherPlot *plot)
{
  return plot->axis;
}

/* --- data --- */

static void
update_limits (FlwWeatherPlot *plot)
{
  gint64 last = MAX (plot->data->last, plot->now), first = plot->data->first;

  for (guint i = 0; i < plot->marks->len; i++)
    first = MIN (first, g_array_index (plot->marks, FlwWeatherMark, i).since);
  if (first < last)
    flw_axis_set_limits (plot->axis, (double) first * 1e-9, (double) last * 1e-9);
}

/* New rows are shown when all rows were. */
static void
rows_grew (FlwWeatherPlot *plot, guint before)
{
  guint n = flw_weather_n_rows (plot);

  if (n == before)
    return;
  if (plot->row1 >= before)
    plot->row1 = n;
  flw_weather_layout (plot, gtk_widget_get_width (GTK_WIDGET (plot)),
                      gtk_widget_get_height (GTK_WIDGET (plot)));
  view_changed (plot);
}

void
flw_weather_plot_set_rows (FlwWeatherPlot *plot, guint n_rows, const FlwWeatherRow *rows)
{
  guint before = flw_weather_n_rows (plot);

  flw_weather_data_set_rows (plot->data, n_rows, rows);
  rows_grew (plot, before);
  flw_weather_layout (plot, gtk_widget_get_width (GTK_WIDGET (plot)),
                      gtk_widget_get_height (GTK_WIDGET (plot)));
  view_changed (plot);
}

void
flw_weather_plot_append (FlwWeatherPlot *plot, guint n, const FlwWeatherEvent *events)
{
  guint before = flw_weather_n_rows (plot);

  if (n == 0)
    return;
  flw_weather_data_append (plot->data, n, events);
  rows_grew (plot, before);
  update_limits (plot);
  flw_render_loop_want (&plot->loop, FALSE);
}

void
flw_weather_plot_show_all (FlwWeatherPlot *plot)
{
  if (plot->loop.wanted)
    flw_render_loop_want (&plot->loop, TRUE);
}

void
flw_weather_plot_set_marks (FlwWeatherPlot *plot, guint n, const FlwWeatherMark *marks)
{
  if (n == 0 && plot->marks->len == 0)
    return;
  g_array_set_size (plot->marks, 0);
  g_array_append_vals (plot->marks, marks, n);
  update_limits (plot);
  g_clear_pointer (&plot->mark_shapes, gsk_render_node_unref);
  g_clear_pointer (&plot->legend, gsk_render_node_unref);
  flw_chart_summary_changed (GTK_WIDGET (plot));
  gtk_widget_queue_draw (GTK_WIDGET (plot));
}

void
flw_weather_plot_set_now (FlwWeatherPlot *plot, gint64 now)
{
  if (now == plot->now)
    return;
  plot->now = now;
  update_limits (plot);
  g_clear_pointer (&plot->mark_shapes, gsk_render_node_unref);
  gtk_widget_queue_draw (GTK_WIDGET (plot));
}

void
flw_weather_plot_clear (FlwWeatherPlot *plot)
{
  flw_weather_data_clear (plot->data);
  g_array_set_size (plot->marks, 0);
  g_ptr_array_set_size (plot->tiles, 0);
  g_clear_pointer (&plot->grid, flw_weather_grid_free);
  g_clear_pointer (&plot->legend, gsk_render_node_unref);
  plot->generation++;
  plot->row0 = plot->row1 = 0;
  plot->brushed = FALSE;
  flw_axis_reset (plot->axis);
  flw_chart_summary_changed (GTK_WIDGET (plot));
  view_changed (plot);
}

void
flw_weather_plot_set_colour_by (FlwWeatherPlot *plot, FlwWeatherColour colour_by)
{
  if (plot->by == colour_by)
    return;
  plot->by = colour_by;
  g_clear_pointer (&plot->legend, gsk_render_node_unref);
  g_object_notify (G_OBJECT (plot), "colour-by");
  view_changed (plot);
}

void
flw_weather_plot_set_indexing (FlwWeatherPlot *plot, gboolean indexing)
{
  if (plot->unindexed == !indexing)
    return;
  plot->unindexed = !indexing;
  g_clear_pointer (&plot->legend, gsk_render_node_unref);
  view_changed (plot);
}

void
flw_weather_plot_count (FlwWeatherPlot *plot, guint first_row, guint last_row, double from, double to,
                        guint64 counts[FLW_CLASS_LAST])
{
  flw_weather_data_count (plot->data, first_row, last_row + 1, (gint64) (from * 1e9), (gint64) (to * 1e9),
                          counts, NULL);
}

guint64
flw_weather_plot_get_n_events (FlwWeatherPlot *plot)
{
  return plot->data->n_events;
}

gboolean
flw_weather_plot_get_settled (FlwWeatherPlot *plot)
{
  return flw_render_loop_settled (&plot->loop);
}
