#include "widgets/curve-plot.h"

#include <glib/gi18n.h>
#include <math.h>

#include "widgets/chrome.h"
#include "widgets/theme.h"

#define LEFT   54
#define RIGHT  14
#define HEADER 30
#define BOTTOM 26

struct _FlwCurvePlot
{
  GtkWidget parent_instance;
  FlwCurveChart chart; /* texts and arrays are owned */
  double hover;
  FlwAxis *x, *y;
};

enum
{
  PROP_SUMMARY = 1
};

enum
{
  PICKED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlwCurvePlot, flw_curve_plot, GTK_TYPE_WIDGET)

static const FlwCurveChart none = { .cursor = NAN };

/* --- what is shown --- */

static void
clear_marks (guint n, const FlwCurveMark *marks)
{
  for (guint i = 0; i < n; i++)
    g_free ((char *) marks[i].label);
  g_free ((gpointer) marks);
}

static void
clear (FlwCurveChart *chart)
{
  for (guint i = 0; i < chart->n_curves; i++)
    {
      g_free ((char *) chart->curves[i].name);
      g_free ((gpointer) chart->curves[i].points);
    }
  g_free ((gpointer) chart->curves);
  clear_marks (chart->n_levels, chart->levels);
  clear_marks (chart->n_stages, chart->stages);
  g_free ((char *) chart->title);
  g_free ((char *) chart->unit);
  *chart = none;
}

static const FlwCurveMark *
copy_marks (guint n, const FlwCurveMark *marks)
{
  FlwCurveMark *copy = g_memdup2 (marks, n * sizeof *marks);
  for (guint i = 0; i < n; i++)
    copy[i].label = g_strdup (marks[i].label);
  return copy;
}

static FlwCurveChart
copy (const FlwCurveChart *chart)
{
  FlwCurveChart to = *chart;
  FlwCurve *curves = g_memdup2 (chart->curves, chart->n_curves * sizeof *curves);
  for (guint i = 0; i < chart->n_curves; i++)
    {
      curves[i].name = g_strdup (curves[i].name);
      curves[i].points = g_memdup2 (curves[i].points, curves[i].n * sizeof *curves[i].points);
    }
  to.curves = curves;
  to.levels = copy_marks (chart->n_levels, chart->levels);
  to.stages = copy_marks (chart->n_stages, chart->stages);
  to.title = g_strdup (chart->title);
  to.unit = g_strdup (chart->unit);
  return to;
}

static FlwBox
plot_box (FlwCurvePlot *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  return (FlwBox){ LEFT, HEADER, fmax (gtk_widget_get_width (widget) - LEFT - RIGHT, 1),
                   fmax (gtk_widget_get_height (widget) - HEADER - BOTTOM, 1) };
}

double
flw_curve_fall (guint n, const FlwCurvePoint *points, double level)
{
  const FlwCurvePoint *before = NULL;
  for (guint i = 0; i < n; i++)
    {
      if (isnan (points[i].y))
        continue;
      if (points[i].y < level)
        return before
                   ? before->x + (points[i].x - before->x) * (before->y - level) / (before->y - points[i].y)
                   : NAN;
      before = &points[i];
    }
  return NAN;
}

/* --- words --- */

static char *
format_x (FlwCurvePlot *self, double x)
{
  return flw_axis_format (self->x, x);
}

static char *
format_y (FlwCurvePlot *self, double y)
{
  return isnan (y) ? g_strdup ("–")
                   : g_strdup_printf ("%.4g%s%s", y, *self->chart.unit ? "\302\240" : "", self->chart.unit);
}

static const FlwCurvePoint *
last_known (const FlwCurve *curve)
{
  for (guint i = curve->n; i > 0; i--)
    if (!isnan (curve->points[i - 1].y))
      return &curve->points[i - 1];
  return NULL;
}

/* "FSC below 0.143 at 31.2 Å" or "held back 4.1 at 37". */
static void
append_curve (FlwCurvePlot *self, GString *text, const FlwCurve *curve)
{
  const FlwCurvePoint *last = last_known (curve);
  double at = flw_curve_fall (curve->n, curve->points, curve->level);
  if (!last)
    {
      g_string_append_printf (text, _ ("%s not known"), curve->name);
      return;
    }
  g_autofree char *value = format_y (self, last->y), *where = format_x (self, isnan (at) ? last->x : at);
  if (isnan (curve->level))
    g_string_append_printf (text, _ ("%s %s at %s"), curve->name, value, where);
  else if (isnan (at))
    g_string_append_printf (text, _ ("%s %s at %s, not below %.3g"), curve->name, value, where, curve->level);
  else
    g_string_append_printf (text, _ ("%s below %.3g at %s"), curve->name, curve->level, where);
}

static char *
summary (FlwCurvePlot *self)
{
  if (self->chart.n_curves == 0)
    return g_strdup (_ ("No curve"));
  GString *text = g_string_new (self->chart.title);
  for (guint i = 0; i < self->chart.n_curves; i++)
    {
      g_string_append (text, i == 0 ? ": " : "; ");
      append_curve (self, text, &self->chart.curves[i]);
    }
  if (self->chart.n_stages > 0)
    g_string_append_printf (text, "; %s", self->chart.stages[self->chart.n_stages - 1].label);
  return g_string_free (text, FALSE);
}

/* --- drawing --- */

/* Every other stage on a lighter ground, its name where there is room. */
static void
draw_stages (FlwCurvePlot *self, cairo_t *cr, const FlwBox *box)
{
  const FlwCurveChart *chart = &self->chart;
  for (guint i = 0; i < chart->n_stages; i++)
    {
      double right = box->x + box->width;
      double from = fmax (flw_axis_to_px (self->x, box, chart->stages[i].value), box->x);
      double to = i + 1 < chart->n_stages ? flw_axis_to_px (self->x, box, chart->stages[i + 1].value) : right;
      int width;
      if (i % 2 == 1)
        {
          flw_set_source (cr, FLW_PLATE, 1);
          cairo_rectangle (cr, from, box->y, fmin (to, right) - from, box->height);
          cairo_fill (cr);
        }
      flw_text_size (GTK_WIDGET (self), FLW_POINTS_SMALL, chart->stages[i].label, &width, NULL);
      if (width + 6 < to - from)
        flw_text_draw (GTK_WIDGET (self), cr, FLW_POINTS_SMALL, chart->stages[i].label, from + 4,
                       box->y + box->height - 2, 0, 1, FLW_DIM);
    }
}

static void
draw_levels (FlwCurvePlot *self, cairo_t *cr, const FlwBox *box)
{
  static const double dots[] = { 2, 3 };
  cairo_set_line_width (cr, 1);
  for (guint i = 0; i < self->chart.n_levels; i++)
    {
      double y = round (flw_axis_to_py (self->y, box, self->chart.levels[i].value)) + 0.5;
      if (y < box->y || y > box->y + box->height)
        continue;
      flw_set_source (cr, FLW_DIM, 1);
      cairo_set_dash (cr, dots, 2, 0);
      cairo_move_to (cr, box->x, y);
      cairo_line_to (cr, box->x + box->width, y);
      cairo_stroke (cr);
      flw_text_draw (GTK_WIDGET (self), cr, FLW_POINTS_SMALL, self->chart.levels[i].label, box->x + 4, y - 1,
                     0, 1, FLW_DIM);
    }
  cairo_set_dash (cr, NULL, 0, 0);
}

static void
set_pen (cairo_t *cr, const FlwCurve *curve)
{
  static const double dash[] = { 6, 4 };
  flw_set_source (cr, curve->colour, 1);
  cairo_set_line_width (cr, 2);
  cairo_set_dash (cr, dash, curve->dashed ? 2 : 0, 0);
}

/* A single point among unknown ones is a disc. */
static void
draw_curve (FlwCurvePlot *self, cairo_t *cr, const FlwBox *box, const FlwCurve *curve)
{
  gboolean pen_down = FALSE;
  set_pen (cr, curve);
  for (guint i = 0; i < curve->n; i++)
    {
      double x = flw_axis_to_px (self->x, box, curve->points[i].x);
      double y = flw_axis_to_py (self->y, box, curve->points[i].y);
      gboolean next = i + 1 < curve->n && !isnan (curve->points[i + 1].y);
      if (!isnan (y) && !pen_down && !next)
        cairo_arc (cr, x, y, 2, 0, 2 * G_PI);
      else if (!isnan (y) && pen_down)
        cairo_line_to (cr, x, y);
      else if (!isnan (y))
        cairo_move_to (cr, x, y);
      pen_down = !isnan (y);
    }
  cairo_stroke (cr);
  cairo_set_dash (cr, NULL, 0, 0);
}

/* A ring, and below it what it says: the label of a resolution. */
static void
draw_fall (FlwCurvePlot *self, cairo_t *cr, const FlwBox *box, const FlwCurve *curve)
{
  double at = flw_curve_fall (curve->n, curve->points, curve->level);
  if (isnan (at))
    return;
  double x = flw_axis_to_px (self->x, box, at), y = flw_axis_to_py (self->y, box, curve->level);
  flw_set_source (cr, FLW_GROUND, 1);
  cairo_arc (cr, x, y, 4.5, 0, 2 * G_PI);
  cairo_fill_preserve (cr);
  flw_set_source (cr, curve->colour, 1);
  cairo_set_line_width (cr, 2);
  cairo_stroke (cr);
  if (curve->dashed)
    return;
  g_autofree char *text = format_x (self, at);
  int width;
  flw_text_size (GTK_WIDGET (self), FLW_POINTS_SMALL, text, &width, NULL);
  gboolean left = x + width + 10 > box->x + box->width;
  flw_set_source (cr, FLW_GROUND, 0.8);
  cairo_rectangle (cr, left ? x - 9 - width : x + 6, y - 21, width + 3, 17);
  cairo_fill (cr);
  flw_text_draw (GTK_WIDGET (self), cr, FLW_POINTS_SMALL, text, left ? x - 7 : x + 7, y - 4, left, 1,
                 curve->colour);
}

/* Names and their lines, as many of the first as there is room for beside the title. */
static void
draw_legend (FlwCurvePlot *self, cairo_t *cr, const FlwBox *box)
{
  double x = box->x + box->width, title;
  title = 12
          + flw_text_draw (GTK_WIDGET (self), cr, FLW_POINTS_BODY + 1, self->chart.title, 10, 14, 0, 0.5,
                           FLW_TEXT);
  double left = x;
  guint n = 0;
  for (; n < self->chart.n_curves; n++)
    {
      int width;
      flw_text_size (GTK_WIDGET (self), FLW_POINTS_SMALL, self->chart.curves[n].name, &width, NULL);
      if (left - width - 24 < title)
        break;
      left -= width + 36;
    }
  for (guint i = n; i > 0; i--)
    {
      const FlwCurve *curve = &self->chart.curves[i - 1];
      x -= 24 + flw_text_draw (GTK_WIDGET (self), cr, FLW_POINTS_SMALL, curve->name, x, 14, 1, 0.5, FLW_TEXT);
      set_pen (cr, curve);
      cairo_move_to (cr, x, 14.5);
      cairo_line_to (cr, x + 18, 14.5);
      cairo_stroke (cr);
      cairo_set_dash (cr, NULL, 0, 0);
      x -= 12;
    }
}

static const FlwCurvePoint *
nearest (const FlwCurve *curve, double x)
{
  const FlwCurvePoint *best = NULL;
  for (guint i = 0; i < curve->n; i++)
    if (best == NULL || fabs (curve->points[i].x - x) < fabs (best->x - x))
      best = &curve->points[i];
  return best;
}

static void
snapshot_hover (FlwCurvePlot *self, GtkSnapshot *snapshot, const FlwBox *box)
{
  double x = flw_axis_from_px (self->x, box, self->hover);
  const FlwCurvePoint *first = self->chart.n_curves > 0 ? nearest (&self->chart.curves[0], x) : NULL;
  if (isnan (x) || first == NULL)
    return;
  g_autofree char *where = format_x (self, first->x);
  GString *text = g_string_new (NULL);
  g_string_printf (text, flw_axis_get_kind (self->x) == FLW_AXIS_FREQUENCY ? "%s%s" : "%s %s",
                   flw_axis_get_kind (self->x) == FLW_AXIS_FREQUENCY ? "" : flw_axis_get_title (self->x),
                   where);
  for (guint i = 0; i < self->chart.n_curves; i++)
    {
      const FlwCurvePoint *point = nearest (&self->chart.curves[i], first->x);
      g_autofree char *value = format_y (self, point ? point->y : NAN);
      g_string_append_printf (text, "\n%s: %s", self->chart.curves[i].name, value);
    }
  graphene_rect_t bounds = flw_box_rect (box);
  double at = flw_axis_to_px (self->x, box, first->x);
  flw_fill (snapshot, at, box->y, 1, box->height, FLW_RULE, 1);
  flw_text_callout (GTK_WIDGET (self), snapshot, text->str, at, box->y + 12, &bounds);
  g_string_free (text, TRUE);
}

static void
draw_cursor (FlwCurvePlot *self, cairo_t *cr, const FlwBox *box)
{
  double x = round (flw_axis_to_px (self->x, box, self->chart.cursor)) + 0.5;
  if (isnan (x) || x < box->x || x > box->x + box->width)
    return;
  flw_set_source (cr, FLW_TEXT, 0.8);
  cairo_set_line_width (cr, 1);
  cairo_move_to (cr, x, box->y);
  cairo_line_to (cr, x, box->y + box->height);
  cairo_stroke (cr);
}

static void
flw_curve_plot_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  FlwCurvePlot *self = FLW_CURVE_PLOT (widget);
  double width = gtk_widget_get_width (widget), height = gtk_widget_get_height (widget);
  FlwBox box = plot_box (self);
  graphene_rect_t all = GRAPHENE_RECT_INIT (0, 0, (float) width, (float) height);

  flw_fill (snapshot, 0, 0, width, height, FLW_GROUND, 1);
  if (self->chart.n_curves > 0)
    {
      cairo_t *cr = gtk_snapshot_append_cairo (snapshot, &all);
      draw_stages (self, cr, &box);
      flw_chrome_y_axis (widget, cr, self->y, &box);
      flw_chrome_x_axis (widget, cr, self->x, &box, box.y + box.height);
      draw_legend (self, cr, &box);
      draw_levels (self, cr, &box);
      draw_cursor (self, cr, &box);
      cairo_save (cr);
      cairo_rectangle (cr, box.x - 4, box.y - 4, box.width + 8, box.height + 8);
      cairo_clip (cr);
      for (guint i = self->chart.n_curves; i > 0; i--)
        draw_curve (self, cr, &box, &self->chart.curves[i - 1]);
      for (guint i = self->chart.n_curves; i > 0; i--)
        draw_fall (self, cr, &box, &self->chart.curves[i - 1]);
      cairo_restore (cr);
      cairo_destroy (cr);
      snapshot_hover (self, snapshot, &box);
    }
  flw_draw_focus (widget, snapshot);
}

/* --- values --- */

static void
set_ranges (FlwCurvePlot *self)
{
  const FlwCurveChart *chart = &self->chart;
  double from = INFINITY, to = -INFINITY, least = INFINITY, most = -INFINITY;

  for (guint i = 0; i < chart->n_curves; i++)
    for (guint k = 0; k < chart->curves[i].n; k++)
      {
        const FlwCurvePoint *point = &chart->curves[i].points[k];
        from = fmin (from, point->x);
        to = fmax (to, point->x);
        if (!isnan (point->y))
          {
            least = fmin (least, point->y);
            most = fmax (most, point->y);
          }
      }
  if (flw_axis_get_kind (self->x) == FLW_AXIS_FREQUENCY)
    from = 0;
  double air = most > least ? 0.08 * (most - least) : 0.5;
  flw_axis_set_range (self->x, from, to);
  if (chart->upper > chart->lower)
    flw_axis_set_range (self->y, chart->lower, chart->upper);
  else
    flw_axis_set_range (self->y, least - air, most + air);
}

void
flw_curve_plot_set (FlwCurvePlot *self, const FlwCurveChart *chart)
{
  g_return_if_fail (FLW_IS_CURVE_PLOT (self));
  clear (&self->chart);
  if (chart != NULL)
    {
      self->chart = copy (chart);
      set_ranges (self);
    }
  flw_chart_summary_changed (GTK_WIDGET (self));
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

/* --- the widget --- */

static void
on_motion (FlwCurvePlot *self, double x, double y)
{
  (void) y;
  self->hover = x;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
on_leave (FlwCurvePlot *self)
{
  self->hover = NAN;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
on_pressed (FlwCurvePlot *self, int n, double x, double y)
{
  (void) n;
  (void) y;
  FlwBox box = plot_box (self);
  if (self->chart.n_curves > 0)
    g_signal_emit (self, signals[PICKED], 0, flw_axis_from_px (self->x, &box, x));
}

static void
flw_curve_plot_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_SUMMARY)
    g_value_take_string (value, summary (FLW_CURVE_PLOT (object)));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
flw_curve_plot_finalize (GObject *object)
{
  FlwCurvePlot *self = FLW_CURVE_PLOT (object);
  clear (&self->chart);
  g_object_unref (self->x);
  g_object_unref (self->y);
  G_OBJECT_CLASS (flw_curve_plot_parent_class)->finalize (object);
}

static void
flw_curve_plot_class_init (FlwCurvePlotClass *klass)
{
  GObjectClass *object = G_OBJECT_CLASS (klass);
  object->get_property = flw_curve_plot_get_property;
  object->finalize = flw_curve_plot_finalize;
  GTK_WIDGET_CLASS (klass)->snapshot = flw_curve_plot_snapshot;
  flw_chart_class_init (GTK_WIDGET_CLASS (klass), PROP_SUMMARY, "curveplot");
  signals[PICKED] = g_signal_new ("picked", FLW_TYPE_CURVE_PLOT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_DOUBLE);
}

static void
flw_curve_plot_init (FlwCurvePlot *self)
{
  GtkEventController *motion = gtk_event_controller_motion_new ();
  GtkGesture *click = gtk_gesture_click_new ();

  self->chart = none;
  self->hover = NAN;
  self->y = flw_axis_new (FLW_AXIS_NUMBER, NULL, NULL);
  g_signal_connect_swapped (motion, "motion", G_CALLBACK (on_motion), self);
  g_signal_connect_swapped (motion, "leave", G_CALLBACK (on_leave), self);
  g_signal_connect_swapped (click, "pressed", G_CALLBACK (on_pressed), self);
  gtk_widget_add_controller (GTK_WIDGET (self), motion);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
}

GtkWidget *
flw_curve_plot_new (FlwAxisKind kind, const char *x_title)
{
  FlwCurvePlot *self = g_object_new (FLW_TYPE_CURVE_PLOT, NULL);
  self->x = flw_axis_new (kind, x_title, NULL);
  flw_axis_set_min_span (self->x, kind == FLW_AXIS_COUNT ? 1 : 1e-9);
  return GTK_WIDGET (self);
}
