#include "widgets/trend-plot.h"

#include <glib/gi18n.h>
#include <math.h>

#include "widgets/chrome.h"
#include "widgets/status-chip.h"
#include "widgets/theme.h"

#define LEFT   54
#define RIGHT  14
#define HEADER 30
#define BOTTOM 26
#define NEAR   12 /* px: a point is pointed at */

struct _FlwTrendPlot
{
  GtkWidget parent_instance;
  FlwTrend trend; /* texts and arrays are owned */
  double hover;
  FlwAxis *x, *y;
};

enum
{
  PROP_SUMMARY = 1
};

G_DEFINE_FINAL_TYPE (FlwTrendPlot, flw_trend_plot, GTK_TYPE_WIDGET)

static const FlwTrend none = { .goal = NAN, .needed = NAN, .low = NAN, .high = NAN };

static void
clear (FlwTrend *trend)
{
  const char **texts[] = { &trend->title, &trend->unit, &trend->newest, &trend->earlier, &trend->forecast };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free ((char *) *texts[i]);
  g_free ((gpointer) trend->points);
  g_free ((gpointer) trend->steps);
  *trend = none;
}

static FlwBox
plot_box (FlwTrendPlot *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  return (FlwBox){ LEFT, HEADER, fmax (gtk_widget_get_width (widget) - LEFT - RIGHT, 1),
                   fmax (gtk_widget_get_height (widget) - HEADER - BOTTOM, 1) };
}

/* --- words --- */

static char *
format_value (FlwTrendPlot *self, double value)
{
  return isnan (value)
             ? g_strdup ("–")
             : g_strdup_printf ("%.3g%s%s", value, *self->trend.unit ? "\302\240" : "", self->trend.unit);
}

static char *
format_count (double count)
{
  return isfinite (count) ? flw_format_count ((guint64) fmax (round (count), 0)) : g_strdup ("∞");
}

/* "; goal 0.5 at 14,400 (13,800–15,500)" */
static char *
goal_words (FlwTrendPlot *self)
{
  const FlwTrend *trend = &self->trend;
  if (isnan (trend->goal))
    return g_strdup ("");
  g_autofree char *goal = format_value (self, trend->goal), *needed = format_count (trend->needed),
                  *low = format_count (trend->low), *high = format_count (trend->high);
  if (!isfinite (trend->low))
    return g_strdup_printf (_ ("; goal %s"), goal);
  if (trend->low >= trend->high)
    return g_strdup_printf (_ ("; goal %s is reached"), goal);
  return g_strdup_printf (_ ("; goal %s at %s (%s–%s)"), goal, needed, low, high);
}

static char *
summary (FlwTrendPlot *self)
{
  const FlwTrend *trend = &self->trend;
  if (trend->n_points == 0)
    return g_strdup (_ ("No trend"));
  const FlwTrendPoint *last = &trend->points[trend->n_points - 1];
  g_autofree char *value = format_value (self, last->value), *at = format_count (last->x),
                  *goal = goal_words (self);
  return g_strdup_printf (_ ("%s: %s at %s%s"), trend->title, value, at, goal);
}

/* --- drawing --- */

static void
draw_band (FlwTrendPlot *self, cairo_t *cr, const FlwBox *box)
{
  const FlwTrend *trend = &self->trend;
  guint n = trend->n_steps;

  for (guint i = 0; i < 2 * n; i++) /* along the top, and back along the bottom */
    {
      const FlwTrendStep *step = &trend->steps[i < n ? i : 2 * n - 1 - i];
      cairo_line_to (cr, flw_axis_to_px (self->x, box, step->x),
                     flw_axis_to_py (self->y, box, i < n ? step->high : step->low));
    }
  cairo_close_path (cr);
  flw_set_source (cr, flw_class_colour (FLW_CLASS_INDEXED), 0.22);
  cairo_fill (cr);
  for (guint i = 0; i < n; i++)
    cairo_line_to (cr, flw_axis_to_px (self->x, box, trend->steps[i].x),
                   flw_axis_to_py (self->y, box, trend->steps[i].value));
  flw_set_source (cr, flw_class_colour (FLW_CLASS_INDEXED), 1);
  cairo_set_line_width (cr, 1.6);
  cairo_stroke (cr);
}

static void
draw_mark (cairo_t *cr, double x, double y, gboolean earlier)
{
  flw_set_source (cr, earlier ? FLW_DIM : flw_class_colour (FLW_CLASS_INDEXED), 1);
  cairo_set_line_width (cr, 2);
  if (earlier)
    cairo_rectangle (cr, round (x) - 3, round (y) - 3, 6, 6);
  else
    cairo_arc (cr, x, y, 3.5, 0, 2 * G_PI);
  if (earlier)
    cairo_stroke (cr);
  else
    cairo_fill (cr);
}

static void
draw_points (FlwTrendPlot *self, cairo_t *cr, const FlwBox *box)
{
  for (guint i = 0; i < self->trend.n_points; i++)
    {
      const FlwTrendPoint *point = &self->trend.points[i];
      if (!isnan (point->value))
        draw_mark (cr, flw_axis_to_px (self->x, box, point->x), flw_axis_to_py (self->y, box, point->value),
                   point->earlier);
    }
}

/* When the goal will be reached, over its line. */
static void
draw_when (FlwTrendPlot *self, cairo_t *cr, const FlwBox *box)
{
  const FlwTrend *trend = &self->trend;
  double y = round (flw_axis_to_py (self->y, box, trend->goal)), right = box->x + box->width;

  if (isnan (trend->goal) || !isfinite (trend->low) || !(trend->high > trend->low))
    return;
  double from = flw_axis_to_px (self->x, box, trend->low);
  double to = isfinite (trend->high) ? fmin (flw_axis_to_px (self->x, box, trend->high), right) : right;
  double at = flw_axis_to_px (self->x, box, trend->needed);
  flw_set_source (cr, flw_class_colour (FLW_CLASS_HIT), 1);
  cairo_rectangle (cr, from, y - 1.5, fmax (to - from, 2), 4);
  cairo_fill (cr);
  if (isfinite (trend->needed) && at <= right)
    flw_shape_draw (cr, FLW_SHAPE_DIAMOND, at - 6, y - 5.5, 12);
}

static double
draw_key (FlwTrendPlot *self, cairo_t *cr, double x, const char *text)
{
  return x - flw_text_draw (GTK_WIDGET (self), cr, FLW_POINTS_SMALL, text, x, 14, 1, 0.5, FLW_DIM) - 9;
}

/* From the right: words and their marks, as many as there is room for beside the title. */
static void
draw_legend (FlwTrendPlot *self, cairo_t *cr, const FlwBox *box)
{
  const FlwTrend *trend = &self->trend;
  double x = box->x + box->width, title;
  gboolean earlier = FALSE;

  title = box->x
          + flw_text_draw (GTK_WIDGET (self), cr, FLW_POINTS_BODY + 1, trend->title, box->x, 14, 0, 0.5,
                           FLW_TEXT);
  for (guint i = 0; i < trend->n_points; i++)
    earlier = earlier || trend->points[i].earlier;
  const struct
  {
    const char *text;
    gboolean there;
  } keys[] = { { trend->newest, TRUE },
               { trend->forecast, trend->n_steps > 0 },
               { trend->earlier, earlier } };
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      int width;
      if (!keys[i].there)
        continue;
      flw_text_size (GTK_WIDGET (self), FLW_POINTS_SMALL, keys[i].text, &width, NULL);
      if (x - width - 24 < title + 12)
        break;
      x = draw_key (self, cr, x, keys[i].text);
      if (i == 1)
        {
          flw_set_source (cr, flw_class_colour (FLW_CLASS_INDEXED), 0.22);
          cairo_rectangle (cr, x - 8, 9, 13, 10);
          cairo_fill (cr);
          flw_set_source (cr, flw_class_colour (FLW_CLASS_INDEXED), 1);
          cairo_rectangle (cr, x - 8, 13, 13, 1.6);
          cairo_fill (cr);
        }
      else
        draw_mark (cr, x - 1, 14, i == 2);
      x -= 20;
    }
}

/* The line's step nearest to the pointer; n_steps: none is there. */
static guint
step_at (FlwTrendPlot *self, double x)
{
  guint best = self->trend.n_steps;
  for (guint i = 0; i < self->trend.n_steps; i++)
    if (best == self->trend.n_steps
        || fabs (self->trend.steps[i].x - x) < fabs (self->trend.steps[best].x - x))
      best = i;
  return best;
}

static const FlwTrendPoint *
point_at (FlwTrendPlot *self, const FlwBox *box)
{
  const FlwTrendPoint *best = NULL;
  double least = NEAR;
  for (guint i = 0; i < self->trend.n_points; i++)
    {
      double off = fabs (flw_axis_to_px (self->x, box, self->trend.points[i].x) - self->hover);
      if (off < least && !isnan (self->trend.points[i].value))
        {
          least = off;
          best = &self->trend.points[i];
        }
    }
  return best;
}

static void
snapshot_hover (FlwTrendPlot *self, GtkSnapshot *snapshot, const FlwBox *box)
{
  const FlwTrendPoint *point = point_at (self, box);
  guint i = step_at (self, flw_axis_from_px (self->x, box, self->hover));
  graphene_rect_t bounds = flw_box_rect (box);
  g_autofree char *text = NULL;
  double at;

  if (isnan (self->hover) || (point == NULL && i == self->trend.n_steps))
    return;
  if (point != NULL)
    {
      g_autofree char *count = format_count (point->x), *value = format_value (self, point->value);
      at = point->x;
      text = g_strdup_printf ("%s: %s\n%s: %s", flw_axis_get_title (self->x), count,
                              point->earlier ? self->trend.earlier : self->trend.newest, value);
    }
  else
    {
      const FlwTrendStep *step = &self->trend.steps[i];
      g_autofree char *count = format_count (step->x), *value = format_value (self, step->value),
                      *low = format_value (self, step->low), *high = format_value (self, step->high);
      at = step->x;
      text = g_strdup_printf ("%s: %s\n%s: %s (%s–%s)", flw_axis_get_title (self->x), count,
                              self->trend.forecast, value, low, high);
    }
  double x = flw_axis_to_px (self->x, box, at);
  flw_fill (snapshot, x, box->y, 1, box->height, FLW_RULE, 1);
  flw_text_callout (GTK_WIDGET (self), snapshot, text, x, box->y + 12, &bounds);
}

static void
flw_trend_plot_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  FlwTrendPlot *self = FLW_TREND_PLOT (widget);
  double width = gtk_widget_get_width (widget), height = gtk_widget_get_height (widget);
  FlwBox box = plot_box (self);
  graphene_rect_t all = GRAPHENE_RECT_INIT (0, 0, (float) width, (float) height);

  flw_fill (snapshot, 0, 0, width, height, FLW_GROUND, 1);
  if (self->trend.n_points > 0)
    {
      cairo_t *cr = gtk_snapshot_append_cairo (snapshot, &all);
      flw_chrome_y_axis (widget, cr, self->y, &box);
      flw_chrome_x_axis (widget, cr, self->x, &box, box.y + box.height);
      draw_legend (self, cr, &box);
      cairo_save (cr);
      cairo_rectangle (cr, box.x - 4, box.y - 4, box.width + 8, box.height + 8);
      cairo_clip (cr);
      if (self->trend.n_steps > 0)
        draw_band (self, cr, &box);
      flw_chrome_level (widget, cr, self->y, &box, self->trend.goal, _ ("goal"));
      draw_when (self, cr, &box);
      draw_points (self, cr, &box);
      cairo_restore (cr);
      cairo_destroy (cr);
      snapshot_hover (self, snapshot, &box);
    }
  flw_draw_focus (widget, snapshot);
}

/* --- values --- */

static void
set_ranges (FlwTrendPlot *self)
{
  const FlwTrend *trend = &self->trend;
  double most = isnan (trend->goal) ? 0 : trend->goal, least = 0, to = 0;

  for (guint i = 0; i < trend->n_points; i++)
    {
      to = fmax (to, trend->points[i].x);
      if (isnan (trend->points[i].value))
        continue;
      most = fmax (most, trend->points[i].value);
      least = fmin (least, trend->points[i].value);
    }
  for (guint i = 0; i < trend->n_steps; i++)
    {
      to = fmax (to, trend->steps[i].x);
      most = fmax (most, trend->steps[i].high);
    }
  flw_axis_set_range (self->x, 0, to > 0 ? to : 1);
  flw_axis_set_range (self->y, least < 0 ? least * 1.1 : 0,
                      trend->upper > 0 ? trend->upper
                      : most > 0       ? most * 1.08
                                       : 1);
}

void
flw_trend_plot_set (FlwTrendPlot *self, const FlwTrend *trend)
{
  g_return_if_fail (FLW_IS_TREND_PLOT (self));
  clear (&self->trend);
  if (trend != NULL)
    {
      self->trend = *trend;
      self->trend.title = g_strdup (trend->title);
      self->trend.unit = g_strdup (trend->unit);
      self->trend.newest = g_strdup (trend->newest);
      self->trend.earlier = g_strdup (trend->earlier);
      self->trend.forecast = g_strdup (trend->forecast);
      self->trend.points = g_memdup2 (trend->points, trend->n_points * sizeof (FlwTrendPoint));
      self->trend.steps = g_memdup2 (trend->steps, trend->n_steps * sizeof (FlwTrendStep));
      set_ranges (self);
    }
  flw_chart_summary_changed (GTK_WIDGET (self));
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

/* --- the widget --- */

static void
on_motion (FlwTrendPlot *self, double x, double y)
{
  (void) y;
  self->hover = x;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
on_leave (FlwTrendPlot *self)
{
  self->hover = NAN;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
flw_trend_plot_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_SUMMARY)
    g_value_take_string (value, summary (FLW_TREND_PLOT (object)));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
flw_trend_plot_finalize (GObject *object)
{
  FlwTrendPlot *self = FLW_TREND_PLOT (object);
  clear (&self->trend);
  g_object_unref (self->x);
  g_object_unref (self->y);
  G_OBJECT_CLASS (flw_trend_plot_parent_class)->finalize (object);
}

static void
flw_trend_plot_class_init (FlwTrendPlotClass *klass)
{
  GObjectClass *object = G_OBJECT_CLASS (klass);
  object->get_property = flw_trend_plot_get_property;
  object->finalize = flw_trend_plot_finalize;
  GTK_WIDGET_CLASS (klass)->snapshot = flw_trend_plot_snapshot;
  flw_chart_class_init (GTK_WIDGET_CLASS (klass), PROP_SUMMARY, "trendplot");
}

static void
flw_trend_plot_init (FlwTrendPlot *self)
{
  GtkEventController *motion = gtk_event_controller_motion_new ();

  self->trend = none;
  self->hover = NAN;
  self->y = flw_axis_new (FLW_AXIS_NUMBER, NULL, NULL);
  g_signal_connect_swapped (motion, "motion", G_CALLBACK (on_motion), self);
  g_signal_connect_swapped (motion, "leave", G_CALLBACK (on_leave), self);
  gtk_widget_add_controller (GTK_WIDGET (self), motion);
}

GtkWidget *
flw_trend_plot_new (const char *x_title)
{
  FlwTrendPlot *self = g_object_new (FLW_TYPE_TREND_PLOT, NULL);
  self->x = flw_axis_new (FLW_AXIS_COUNT, x_title, NULL);
  return GTK_WIDGET (self);
}
