#include <math.h>

#include "widgets/histogram-private.h"
#include "widgets/theme.h"

#define SLOP 4 /* px that a click may move */

enum
{
  PROP_SUMMARY = 1
};

enum
{
  BRUSH_CHANGED,
  ZOOM,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlwHistogram, flw_histogram, GTK_TYPE_WIDGET)

static void
redraw (FlwHistogram *self)
{
  g_clear_pointer (&self->picture, gsk_render_node_unref);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
on_range (FlwHistogram *self)
{
  g_clear_pointer (&self->under, gsk_render_node_unref);
}

/* --- brush --- */

gboolean
flw_histogram_get_brush (FlwHistogram *self, double *from, double *to)
{
  *from = self->from;
  *to = self->to;
  return self->to > self->from;
}

void
flw_histogram_set_brush (FlwHistogram *self, double from, double to)
{
  gboolean had = self->to > self->from;

  if (from > to)
    {
      double swap = from;
      from = to;
      to = swap;
    }
  if (!(to > from))
    from = to = 0;
  if (from == self->from && to == self->to)
    return;
  self->from = from;
  self->to = to;
  gtk_widget_queue_draw (GTK_WIDGET (self));
  if (had || to > from)
    {
      flw_chart_summary_changed (GTK_WIDGET (self));
      g_signal_emit (self, signals[BRUSH_CHANGED], 0, from, to);
    }
}

static double
value_at (FlwHistogram *self, double x)
{
  FlwBox box = flw_histogram_box (self);
  double part = CLAMP ((x - box.x) / box.width, 0, 1);
  return self->counts.lower + part * self->counts.width * self->counts.n_bins;
}

static void
on_drag_begin (FlwHistogram *self, double x, double y)
{
  (void) y;
  gtk_widget_grab_focus (GTK_WIDGET (self));
  self->anchor = value_at (self, x);
}

static void
on_drag_update (FlwHistogram *self, double dx, double dy, GtkGestureDrag *gesture)
{
  double x, y;

  (void) dy;
  gtk_gesture_drag_get_start_point (gesture, &x, &y);
  if (self->counts.n_bins > 0 && fabs (dx) >= SLOP)
    flw_histogram_set_brush (self, self->anchor, value_at (self, x + dx));
}

static void
on_drag_end (FlwHistogram *self, double dx, double dy)
{
  (void) dy;
  if (fabs (dx) < SLOP)
    flw_histogram_set_brush (self, 0, 0);
}

static void
on_motion (FlwHistogram *self, double x, double y)
{
  FlwBox box = flw_histogram_box (self);

  self->hover = y >= box.y && y < box.y + box.height ? x : NAN;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
on_leave (FlwHistogram *self)
{
  self->hover = NAN;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

/* The cursor moves from bin to bin; `brush`: what it crosses is selected. */
static void
move_cursor (FlwHistogram *self, int by, gboolean brush)
{
  FlwBox box = flw_histogram_box (self);
  double step = box.width / MAX (self->counts.n_bins, 1u);
  int bin = isnan (self->hover) ? (int) self->counts.n_bins / 2 : (int) floor ((self->hover - box.x) / step);
  int next = CLAMP (bin + by, 0, (int) self->counts.n_bins - 1);

  if (self->counts.n_bins == 0)
    return;
  if (brush)
    {
      double here = self->counts.lower + bin * self->counts.width;
      gboolean fresh = !(self->to > self->from);
      double low = fresh ? here : self->from, high = fresh ? here + self->counts.width : self->to;
      double edge = self->counts.lower + (next + (by > 0)) * self->counts.width;
      /* The end that the cursor stands at moves along. */
      if (!fresh && by > 0 && fabs (low - here) < self->counts.width / 2
          && high - low > 1.5 * self->counts.width)
        low = self->counts.lower + next * self->counts.width;
      else if (by > 0)
        high = edge;
      else if (!fresh && fabs (high - here - self->counts.width) < self->counts.width / 2
               && high - low > 1.5 * self->counts.width)
        high = self->counts.lower + (next + 1) * self->counts.width;
      else
        low = edge;
      flw_histogram_set_brush (self, low, high);
    }
  self->hover = box.x + (next + 0.5) * step;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
act (GtkWidget *widget, const char *action, GVariant *target)
{
  FlwHistogram *self = FLW_HISTOGRAM (widget);
  const char *name = action + strlen ("histogram.");

  (void) target;
  if (g_str_equal (name, "left") || g_str_equal (name, "right"))
    move_cursor (self, *name == 'l' ? -1 : 1, FALSE);
  else if (g_str_equal (name, "brush-left") || g_str_equal (name, "brush-right"))
    move_cursor (self, g_str_has_suffix (name, "left") ? -1 : 1, TRUE);
  else if (g_str_equal (name, "drop"))
    flw_histogram_set_brush (self, 0, 0);
  else
    g_signal_emit (self, signals[ZOOM], 0, g_str_equal (name, "zoom-in") ? 1 : 0);
}

/* --- the widget --- */

static void
flw_histogram_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                       int *natural, int *minimum_baseline, int *natural_baseline)
{
  (void) widget;
  (void) for_size;
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 220 : 130;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 340 : 220;
  *minimum_baseline = *natural_baseline = -1;
}

static void
flw_histogram_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  (void) width;
  (void) height;
  (void) baseline;
  on_range (FLW_HISTOGRAM (widget));
  redraw (FLW_HISTOGRAM (widget));
}

static void
flw_histogram_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_SUMMARY)
    g_value_take_string (value, flw_histogram_summary (FLW_HISTOGRAM (object)));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
flw_histogram_finalize (GObject *object)
{
  FlwHistogram *self = FLW_HISTOGRAM (object);

  g_clear_pointer (&self->under, gsk_render_node_unref);
  g_clear_pointer (&self->picture, gsk_render_node_unref);
  g_object_unref (self->x);
  g_object_unref (self->y);
  g_free (self->title);
  g_free (self->unit);
  g_free (self->all);
  g_free (self->shown);
  G_OBJECT_CLASS (flw_histogram_parent_class)->finalize (object);
}

static void
flw_histogram_class_init (FlwHistogramClass *klass)
{
  static const struct
  {
    const char *action;
    guint key;
    GdkModifierType state;
  } keys[] = {
    { "histogram.left", GDK_KEY_Left, 0 },
    { "histogram.right", GDK_KEY_Right, 0 },
    { "histogram.brush-left", GDK_KEY_Left, GDK_SHIFT_MASK },
    { "histogram.brush-right", GDK_KEY_Right, GDK_SHIFT_MASK },
    { "histogram.drop", GDK_KEY_Escape, 0 },
    { "histogram.zoom-in", GDK_KEY_plus, 0 },
    { "histogram.zoom-out", GDK_KEY_minus, 0 },
    { "histogram.fit", GDK_KEY_f, 0 },
  };
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->finalize = flw_histogram_finalize;
  object_class->get_property = flw_histogram_get_property;
  widget_class->measure = flw_histogram_measure;
  widget_class->size_allocate = flw_histogram_size_allocate;
  widget_class->snapshot = flw_histogram_snapshot;
  flw_chart_class_init (widget_class, PROP_SUMMARY, "histogram");
  signals[BRUSH_CHANGED] = g_signal_new ("brush-changed", FLW_TYPE_HISTOGRAM, G_SIGNAL_RUN_LAST, 0, NULL,
                                         NULL, NULL, G_TYPE_NONE, 2, G_TYPE_DOUBLE, G_TYPE_DOUBLE);
  signals[ZOOM] = g_signal_new ("zoom", FLW_TYPE_HISTOGRAM, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                G_TYPE_NONE, 1, G_TYPE_INT);
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      gtk_widget_class_install_action (widget_class, keys[i].action, NULL, act);
      gtk_widget_class_add_binding_action (widget_class, keys[i].key, keys[i].state, keys[i].action, NULL);
    }
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_equal, 0, "histogram.zoom-in", NULL);
}

static void
flw_histogram_init (FlwHistogram *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  GtkGesture *drag = gtk_gesture_drag_new ();
  GtkEventController *motion = gtk_event_controller_motion_new ();

  self->median = self->fit.centre = self->hover = NAN;
  for (guint s = 0; s < FLW_HISTOGRAM_SERIES; s++)
    self->colours[s] = flw_class_colour (FLW_CLASS_INDEXED);
  self->x = flw_axis_new (FLW_AXIS_NUMBER, NULL, NULL);
  self->y = flw_axis_new (FLW_AXIS_NUMBER, NULL, NULL);
  g_signal_connect_object (self->x, "range-changed", G_CALLBACK (on_range), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->y, "range-changed", G_CALLBACK (on_range), self, G_CONNECT_SWAPPED);
  g_signal_connect_swapped (drag, "drag-begin", G_CALLBACK (on_drag_begin), self);
  g_signal_connect_swapped (drag, "drag-update", G_CALLBACK (on_drag_update), self);
  g_signal_connect_swapped (drag, "drag-end", G_CALLBACK (on_drag_end), self);
  g_signal_connect_swapped (motion, "motion", G_CALLBACK (on_motion), self);
  g_signal_connect_swapped (motion, "leave", G_CALLBACK (on_leave), self);
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (drag));
  gtk_widget_add_controller (widget, motion);
  gtk_widget_set_focusable (widget, TRUE);
  gtk_widget_set_overflow (widget, GTK_OVERFLOW_HIDDEN);
}

GtkWidget *
flw_histogram_new (const char *title, const char *unit, guint decimals)
{
  FlwHistogram *self = g_object_new (FLW_TYPE_HISTOGRAM, NULL);

  self->title = g_strdup (title);
  self->unit = g_strdup (unit);
  self->decimals = (int) decimals;
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
  return GTK_WIDGET (self);
}

void
flw_histogram_set_colours (FlwHistogram *self, const guint32 colours[FLW_HISTOGRAM_SERIES])
{
  if (memcmp (self->colours, colours, sizeof self->colours) == 0)
    return;
  memcpy (self->colours, colours, sizeof self->colours);
  redraw (self);
}

void
flw_histogram_set_counts (FlwHistogram *self, const FlwHistogramCounts *counts)
{
  g_clear_pointer (&self->all, g_free);
  g_clear_pointer (&self->shown, g_free);
  self->counts = counts != NULL ? *counts : (FlwHistogramCounts){ 0 };
  if (counts != NULL)
    {
      self->all = g_memdup2 (counts->all, counts->n_bins * sizeof (guint32));
      self->shown = g_memdup2 (counts->shown, FLW_HISTOGRAM_SERIES * counts->n_bins * sizeof (guint32));
      flw_histogram_update_scale (self);
    }
  self->counts.all = self->all;
  self->counts.shown = self->shown;
  flw_chart_summary_changed (GTK_WIDGET (self));
  redraw (self);
}

void
flw_histogram_set_fit (FlwHistogram *self, double median, double spread, const FlwHistogramFit *fit)
{
  self->median = median;
  self->spread = spread;
  self->fit = fit != NULL ? *fit : (FlwHistogramFit){ NAN, 0, 0, 0 };
  if (self->counts.n_bins > 0)
    flw_histogram_update_scale (self);
  flw_chart_summary_changed (GTK_WIDGET (self));
  redraw (self);
}
