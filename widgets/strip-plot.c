#include "widgets/strip-plot.h"

#include <glib/gi18n.h>
#include <math.h>

#include "widgets/plot-nav.h"
#include "widgets/strip-private.h"
#include "widgets/theme.h"

enum
{
  PROP_SUMMARY = 1,
  PROP_AXIS
};

enum
{
  SHOT_ACTIVATED,
  RUN_ACTIVATED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlwStripPlot, flw_strip_plot, GTK_TYPE_WIDGET)

static void
view_changed (FlwStripPlot *plot)
{
  g_clear_pointer (&plot->under, gsk_render_node_unref);
  g_clear_pointer (&plot->runs, gsk_render_node_unref);
  flw_render_loop_want (&plot->loop, TRUE);
  gtk_widget_queue_draw (GTK_WIDGET (plot));
}

/* --- input --- */

FlwRunView
flw_strip_borrow_run (FlwStripPlot *plot, guint run_index)
{
  FlwRun *run = flw_strip_data_run (plot->data, run_index);
  return (FlwRunView){ run->offset, run->n, 0, run->blocks->len, (FlwShotBlock **) run->blocks->pdata };
}

int
flw_strip_at (FlwStripPlot *plot, double y)
{
  for (guint s = 0; s < plot->n_strips; s++)
    if (y >= plot->strips[s].box.y && y < plot->strips[s].box.y + plot->strips[s].box.height)
      return (int) s;
  return -1;
}

static const FlwBox *
first_box (FlwStripPlot *plot)
{
  return &plot->strips[0].box;
}

static void
on_wheel (GtkWidget *widget, double x, double y, double steps, GdkModifierType state)
{
  FlwStripPlot *plot = FLW_STRIP_PLOT (widget);

  (void) y;
  (void) state;
  flw_axis_zoom (plot->axis, pow (1.25, steps), flw_axis_from_px (plot->axis, first_box (plot), x));
}

static void
on_pan (GtkWidget *widget, double dx, double dy)
{
  FlwStripPlot *plot = FLW_STRIP_PLOT (widget);
  double span = flw_axis_get_upper (plot->axis) - flw_axis_get_lower (plot->axis);

  (void) dy;
  flw_axis_pan (plot->axis, -dx * span / fmax (first_box (plot)->width, 1));
}

static void
on_hover (GtkWidget *widget, double x, double y)
{
  FlwStripPlot *plot = FLW_STRIP_PLOT (widget);

  plot->hover_x = x;
  plot->hover_y = y;
  gtk_widget_queue_draw (widget);
}

/* The dot nearest to (x, y) within 5 px; in the share strips, the shot at x. */
static gboolean
nearest_shot (FlwStripPlot *plot, double x, double y, guint *run, guint64 *index)
{
  int s = flw_strip_at (plot, y), here;
  double at = flw_axis_from_px (plot->axis, first_box (plot), x);
  double per_px =
      (flw_axis_get_upper (plot->axis) - flw_axis_get_lower (plot->axis)) / first_box (plot)->width;
  double best = 5, reach = 5 * per_px;
  gboolean found = FALSE;

  here = flw_strip_data_find (plot->data, at);
  if (here >= 0)
    {
      *run = (guint) here;
      *index = (guint64) at - flw_strip_data_run (plot->data, *run)->offset;
      found = TRUE;
    }
  if (s < 0 || plot->strips[s].column < 0)
    return found;
  for (guint r = 0; r < plot->data->runs->len; r++)
    {
      FlwRunView view = flw_strip_borrow_run (plot, r);
      FlwStrip *strip = &plot->strips[s];
      double lower = flw_axis_get_lower (strip->y), upper = flw_axis_get_upper (strip->y);
      double from = fmax (at - reach - (double) view.offset, 0),
             to = fmin (at + reach + 1 - (double) view.offset, (double) view.n);

      for (guint64 i = (guint64) from; (double) i < to; i++)
        {
          double value = flw_run_value (&view, (guint) strip->column, i), dx, dy, distance;
          if (!isfinite (value))
            continue;
          dx = ((double) (view.offset + i) + 0.5 - at) / per_px;
          dy = strip->box.y + strip->box.height * (1 - (fmin (value, upper) - lower) / (upper - lower)) - y;
          distance = hypot (dx, dy) - 0.1 * flw_run_class (&view, i); /* the rare win ties */
          if (distance < best)
            {
              best = distance;
              *run = r;
              *index = i;
              found = TRUE;
            }
        }
    }
  return found;
}

static void
on_click (GtkWidget *widget, double x, double y)
{
  FlwStripPlot *plot = FLW_STRIP_PLOT (widget);
  guint run;
  guint64 index;

  if (isnan (x) || x < first_box (plot)->x || x >= first_box (plot)->x + first_box (plot)->width)
    return;
  if (y < first_box (plot)->y)
    {
      int at = flw_strip_data_find (plot->data, flw_axis_from_px (plot->axis, first_box (plot), x));
      if (at >= 0)
        g_signal_emit (plot, signals[RUN_ACTIVATED], 0, (guint) at);
    }
  else if (nearest_shot (plot, x, y, &run, &index))
    g_signal_emit (plot, signals[SHOT_ACTIVATED], 0, run, index);
}

static const FlwNav nav = { on_wheel, on_pan, on_hover, on_click, NULL };

static void
move_cursor (FlwStripPlot *plot, double dx, double dy)
{
  const FlwBox *first = first_box (plot), *last = &plot->strips[plot->n_strips - 1].box;

  if (isnan (plot->hover_x))
    {
      plot->hover_x = first->x + first->width / 2;
      plot->hover_y = first->y + first->height / 2;
    }
  plot->hover_x = CLAMP (plot->hover_x + dx, first->x, first->x + first->width - 1);
  plot->hover_y = CLAMP (plot->hover_y + dy, first->y, last->y + last->height - 1);
  gtk_widget_queue_draw (GTK_WIDGET (plot));
}

static void
act (GtkWidget *widget, const char *action, GVariant *parameter)
{
  FlwStripPlot *plot = FLW_STRIP_PLOT (widget);
  double lower = flw_axis_get_lower (plot->axis), upper = flw_axis_get_upper (plot->axis),
         span = upper - lower;
  double at = lower + span / 2;
  const char *name = action + strlen ("plot.");

  (void) parameter;
  if (plot->n_strips == 0)
    return;
  if (!isnan (plot->hover_x))
    at = flw_axis_from_px (plot->axis, first_box (plot), plot->hover_x);
  if (g_str_equal (name, "left") || g_str_equal (name, "right"))
    flw_axis_pan (plot->axis, (g_str_equal (name, "left") ? -0.25 : 0.25) * span);
  else if (g_str_equal (name, "zoom-in") || g_str_equal (name, "zoom-out"))
    flw_axis_zoom (plot->axis, g_str_equal (name, "zoom-in") ? 1.5 : 1 / 1.5, at);
  else if (g_str_equal (name, "first"))
    flw_axis_pan (plot->axis, flw_axis_get_limit_lower (plot->axis) - lower);
  else if (g_str_equal (name, "newest"))
    flw_axis_pan (plot->axis, flw_axis_get_limit_upper (plot->axis) - upper + span / 10);
  else if (g_str_equal (name, "fit"))
    flw_axis_fit (plot->axis);
  else if (g_str_equal (name, "cursor-left") || g_str_equal (name, "cursor-right"))
    move_cursor (plot, g_str_equal (name, "cursor-left") ? -1 : 1, 0);
  else if (g_str_equal (name, "cursor-up") || g_str_equal (name, "cursor-down"))
    move_cursor (plot, 0, g_str_equal (name, "cursor-up") ? -4 : 4);
  else if (g_str_equal (name, "activate"))
    on_click (widget, plot->hover_x, plot->hover_y);
  else if (g_str_equal (name, "cancel"))
    on_hover (widget, NAN, NAN);
}

/* --- the widget --- */

static void
flw_strip_plot_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  FlwStripPlot *plot = FLW_STRIP_PLOT (widget);

  (void) baseline;
  flw_strip_layout (plot, width, height);
  for (guint s = 0; s < plot->n_strips; s++)
    g_clear_pointer (&plot->strips[s].header, gsk_render_node_unref);
  view_changed (plot);
}

static void
flw_strip_plot_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                        int *natural, int *minimum_baseline, int *natural_baseline)
{
  guint n = MAX (FLW_STRIP_PLOT (widget)->n_strips, 1);

  (void) for_size;
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 320 : (int) n * 90 + 60;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 900 : (int) n * 180 + 60;
  *minimum_baseline = *natural_baseline = -1;
}

static void
flw_strip_plot_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  flw_fill (snapshot, 0, 0, gtk_widget_get_width (widget), gtk_widget_get_height (widget), FLW_GROUND, 1);
  if (FLW_STRIP_PLOT (widget)->n_strips > 0)
    flw_strip_draw (FLW_STRIP_PLOT (widget), snapshot);
  flw_draw_focus (widget, snapshot);
}

static void
flw_strip_plot_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (flw_strip_plot_parent_class)->map (widget);
  flw_render_loop_want (&FLW_STRIP_PLOT (widget)->loop, TRUE);
}

static void
flw_strip_plot_dispose (GObject *object)
{
  FlwStripPlot *plot = FLW_STRIP_PLOT (object);

  flw_render_loop_stop (&plot->loop);
  g_clear_pointer (&plot->under, gsk_render_node_unref);
  g_clear_pointer (&plot->runs, gsk_render_node_unref);
  for (guint s = 0; s < plot->n_strips; s++)
    g_clear_pointer (&plot->strips[s].header, gsk_render_node_unref);
  G_OBJECT_CLASS (flw_strip_plot_parent_class)->dispose (object);
}

static void
flw_strip_plot_finalize (GObject *object)
{
  FlwStripPlot *plot = FLW_STRIP_PLOT (object);

  for (guint s = 0; s < plot->n_strips; s++)
    {
      g_free (plot->strips[s].title);
      g_object_unref (plot->strips[s].y);
      g_ptr_array_unref (plot->strips[s].tiles);
      g_ptr_array_unref (plot->strips[s].line_nodes);
    }
  for (guint l = 0; l < plot->n_lines; l++)
    {
      g_free (plot->looks[l].label);
      g_free (plot->looks[l].points);
    }
  for (guint c = 0; c < FLW_CLASS_LAST; c++)
    g_free (plot->names[c]);
  g_clear_pointer (&plot->grid, flw_strip_grid_free);
  g_array_unref (plot->done);
  g_object_unref (plot->axis);
  flw_strip_data_free (plot->data);
  G_OBJECT_CLASS (flw_strip_plot_parent_class)->finalize (object);
}

static void
flw_strip_plot_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_SUMMARY)
    g_value_take_string (value, flw_strip_summary (FLW_STRIP_PLOT (object)));
  else if (id == PROP_AXIS)
    g_value_set_object (value, FLW_STRIP_PLOT (object)->axis);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
flw_strip_plot_class_init (FlwStripPlotClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = flw_strip_plot_dispose;
  object_class->finalize = flw_strip_plot_finalize;
  object_class->get_property = flw_strip_plot_get_property;
  widget_class->measure = flw_strip_plot_measure;
  widget_class->size_allocate = flw_strip_plot_size_allocate;
  widget_class->snapshot = flw_strip_plot_snapshot;
  widget_class->map = flw_strip_plot_map;
  flw_chart_class_init (widget_class, PROP_SUMMARY, "stripplot");
  flw_nav_class_init (widget_class, act);
  g_object_class_install_property (
      object_class, PROP_AXIS,
      g_param_spec_object ("axis", NULL, NULL, FLW_TYPE_AXIS, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  signals[SHOT_ACTIVATED] = g_signal_new ("shot-activated", FLW_TYPE_STRIP_PLOT, G_SIGNAL_RUN_LAST, 0, NULL,
                                          NULL, NULL, G_TYPE_NONE, 2, G_TYPE_UINT, G_TYPE_UINT64);
  signals[RUN_ACTIVATED] = g_signal_new ("run-activated", FLW_TYPE_STRIP_PLOT, G_SIGNAL_RUN_LAST, 0, NULL,
                                         NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void
flw_strip_plot_init (FlwStripPlot *plot)
{
  plot->data = flw_strip_data_new ();
  plot->axis = flw_axis_new (FLW_AXIS_COUNT, _ ("shot"), NULL);
  plot->done = g_array_new (FALSE, TRUE, sizeof (guint64));
  plot->window = 200;
  plot->hover_x = plot->hover_y = NAN;
  flw_render_loop_init (&plot->loop, GTK_WIDGET (plot), &flw_strip_render_funcs);
  flw_nav_attach (GTK_WIDGET (plot), &nav);
  gtk_widget_set_overflow (GTK_WIDGET (plot), GTK_OVERFLOW_HIDDEN);
  g_signal_connect_object (plot->axis, "range-changed", G_CALLBACK (view_changed), plot, G_CONNECT_SWAPPED);
}

GtkWidget *
flw_strip_plot_new (void)
{
  return g_object_new (FLW_TYPE_STRIP_PLOT, NULL);
}

FlwAxis *
flw_strip_plot_get_axis (FlwStripPlot *plot)
{
  return plot->axis;
}

/* --- strips and data --- */

void
flw_strip_plot_add_strip (FlwStripPlot *plot, FlwStripKind kind, const char *title, const char *unit,
                          double height)
{
  FlwStrip *strip = &plot->strips[plot->n_strips];

  g_return_if_fail (plot->n_strips < FLW_STRIP_MAX_STRIPS && plot->data->n_shots == 0);
  g_return_if_fail (kind == FLW_STRIP_SHARE || plot->data->n_columns < FLW_STRIP_MAX_COLUMNS);
  strip->kind = kind;
  strip->title = unit != NULL ? g_strdup_printf ("%s (%s)", title, unit) : g_strdup (title);
  strip->share = height;
  strip->column = kind == FLW_STRIP_SHARE ? -1 : (int) plot->data->n_columns++;
  strip->y = flw_axis_new (kind == FLW_STRIP_RESOLUTION ? FLW_AXIS_RESOLUTION
                           : kind == FLW_STRIP_LOG      ? FLW_AXIS_DECADES
                                                        : FLW_AXIS_NUMBER,
                           title, unit);
  flw_axis_set_range (strip->y, 0, kind == FLW_STRIP_SHARE ? 100 : kind == FLW_STRIP_RESOLUTION ? 0.25 : 10);
  strip->tiles = g_ptr_array_new_with_free_func (flw_node_clear);
  strip->line_nodes = g_ptr_array_new_with_free_func (flw_node_clear);
  plot->n_strips++;
  if (kind == FLW_STRIP_RESOLUTION)
    {
      plot->lines[plot->n_lines] = (FlwStripLine){ plot->n_strips - 1, strip->column, 0, 0, 1 };
      plot->looks[plot->n_lines++] = (FlwStripLineLook){ NULL, FLW_TEXT, NULL };
    }
  gtk_widget_queue_resize (GTK_WIDGET (plot));
}

void
flw_strip_plot_add_line (FlwStripPlot *plot, const char *label, guint class_mask, guint32 rgb)
{
  flw_strip_plot_add_line_of (plot, label, class_mask, ~0u, 1, rgb);
}

void
flw_strip_plot_add_line_of (FlwStripPlot *plot, const char *label, guint class_mask, guint of_mask,
                            guint windows, guint32 rgb)
{
  g_return_if_fail (plot->n_strips > 0 && plot->n_lines < FLW_STRIP_MAX_LINES);
  g_return_if_fail (plot->strips[plot->n_strips - 1].kind == FLW_STRIP_SHARE);
  plot->lines[plot->n_lines] = (FlwStripLine){ plot->n_strips - 1, -1, class_mask, of_mask, windows };
  plot->looks[plot->n_lines++] = (FlwStripLineLook){ g_strdup (label), rgb, NULL };
}

void
flw_strip_plot_set_class_names (FlwStripPlot *plot, const char *const *names)
{
  for (guint c = 0; c < FLW_CLASS_LAST; c++)
    {
      g_free (plot->names[c]);
      plot->names[c] = g_strdup (names[c]);
    }
  flw_chart_summary_changed (GTK_WIDGET (plot));
  gtk_widget_queue_draw (GTK_WIDGET (plot));
}

const char *
flw_strip_class_name (FlwStripPlot *plot, guint klass)
{
  return plot->names[klass] != NULL ? plot->names[klass] : flw_class_name ((FlwClass) klass);
}

void
flw_strip_plot_set_window (FlwStripPlot *plot, guint shots)
{
  plot->window = MAX (shots, 1);
  view_changed (plot);
}

guint
flw_strip_plot_add_run (FlwStripPlot *plot, const char *label)
{
  guint run = flw_strip_data_add_run (plot->data, label);

  g_clear_pointer (&plot->runs, gsk_render_node_unref);
  gtk_widget_queue_draw (GTK_WIDGET (plot));
  return run;
}

static guint
bin_of (const FlwStrip *strip, double value)
{
  double bin = strip->kind == FLW_STRIP_RESOLUTION ? value * 512
               : strip->kind == FLW_STRIP_LOG      ? value * 100
                                                   : log2 (fmax (value, 0) + 1) * 40;
  return (guint) CLAMP (bin, 0, FLW_STRIP_BINS - 1);
}

/* The scale ends a quarter above the 99.5th percentile: one shot full of ice must not flatten all others. */
static void
update_limit (FlwStripPlot *plot, FlwStrip *strip)
{
  gboolean log = strip->kind == FLW_STRIP_LOG;
  guint64 seen = 0, want = (guint64) ceil ((log ? 1 : 0.995) * strip->n_values);
  double upper, current = flw_axis_get_upper (strip->y), power;
  guint b = 0;

  if (strip->n_values == 0)
    return;
  while (b < FLW_STRIP_BINS - 1 && (seen += strip->bins[b]) < want)
    b++;
  if (strip->kind == FLW_STRIP_RESOLUTION)
    upper = ceil ((b + 1) / 512. * 1.15 * 20) / 20;
  else if (log)
    upper = ceil ((b + 1) / 100. * 4 + 0.2) / 4;
  else
    {
      upper = fmax ((exp2 ((b + 1) / 40.) - 1) * 1.25, 10);
      power = pow (10, floor (log10 (upper)));
      upper = ceil (upper / power * 2) / 2 * power;
    }
  if (upper <= current && upper > (log ? current - 1 : 0.6 * current)) /* keep still unless it matters */
    return;
  flw_axis_set_range (strip->y, 0, upper);
  view_changed (plot);
}

/* Resolutions are kept as 1/d², so that means are means of what is drawn. Returns the values to keep;
 * `scratch` has n. */
static const float *
take_column (FlwStrip *strip, guint n, const float *values, float *scratch)
{
  if (strip->kind == FLW_STRIP_RESOLUTION)
    {
      for (guint i = 0; i < n; i++)
        scratch[i] = values[i] > 0 ? 1 / (values[i] * values[i]) : NAN;
      values = scratch;
    }
  if (strip->kind == FLW_STRIP_LOG)
    {
      for (guint i = 0; i < n; i++)
        scratch[i] = isnan (values[i]) ? NAN : log10f (fmaxf (values[i], 1));
      values = scratch;
    }
  for (guint i = 0; i < n; i++)
    if (isfinite (values[i]))
      {
        strip->bins[bin_of (strip, values[i])]++;
        strip->n_values++;
      }
  return values;
}

void
flw_strip_plot_append (FlwStripPlot *plot, guint run, guint n, const guint8 *classes,
                       const float *const *values)
{
  const float *columns[FLW_STRIP_MAX_COLUMNS] = { NULL };
  g_autofree float *scratch = g_new (float, (gsize) n *MAX (plot->data->n_columns, 1));

  g_return_if_fail (run < plot->data->runs->len);
  if (n == 0)
    return;
  for (guint s = 0; s < plot->n_strips; s++)
    {
      int column = plot->strips[s].column;
      if (column >= 0 && values != NULL && values[column] != NULL)
        columns[column] =
            take_column (&plot->strips[s], n, values[column], scratch + (gsize) n * (guint) column);
    }
  for (guint i = 0; i < n; i++)
    plot->counts[MIN (classes[i], FLW_CLASS_FAILED)]++;
  /* Boundaries and labels lie over everything: they are drawn anew only when one appears or moves. */
  if (flw_strip_data_run (plot->data, run)->n == 0 || run + 1 < plot->data->runs->len)
    g_clear_pointer (&plot->runs, gsk_render_node_unref);
  flw_strip_data_append (plot->data, run, n, classes, columns);
  for (guint s = 0; s < plot->n_strips; s++)
    if (plot->strips[s].column >= 0)
      update_limit (plot, &plot->strips[s]);
  flw_axis_set_limits (plot->axis, 0, (double) plot->data->n_shots);
  flw_render_loop_want (&plot->loop, FALSE);
}

void
flw_strip_plot_show_all (FlwStripPlot *plot)
{
  if (plot->loop.wanted)
    flw_render_loop_want (&plot->loop, TRUE);
}

void
flw_strip_plot_clear (FlwStripPlot *plot)
{
  flw_strip_data_clear (plot->data);
  g_array_set_size (plot->done, 0);
  memset (plot->counts, 0, sizeof plot->counts);
  for (guint s = 0; s < plot->n_strips; s++)
    {
      memset (plot->strips[s].bins, 0, sizeof plot->strips[s].bins);
      plot->strips[s].n_values = 0;
    }
  flw_axis_reset (plot->axis);
  flw_chart_summary_changed (GTK_WIDGET (plot));
  view_changed (plot);
}

guint64
flw_strip_plot_get_n_shots (FlwStripPlot *plot)
{
  return plot->data->n_shots;
}

void
flw_strip_plot_show_run (FlwStripPlot *plot, guint run)
{
  FlwRun *shown;

  g_return_if_fail (run < plot->data->runs->len);
  shown = flw_strip_data_run (plot->data, run);
  flw_axis_set_follow (plot->axis, FALSE);
  flw_axis_set_range (plot->axis, (double) shown->offset, (double) (shown->offset + MAX (shown->n, 1)));
}

gboolean
flw_strip_plot_get_settled (FlwStripPlot *plot)
{
  return flw_render_loop_settled (&plot->loop);
}
