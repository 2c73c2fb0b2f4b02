#include "widgets/histogram.h"

#include <glib/gi18n.h>
#include <math.h>

#include "widgets/chrome.h"
#include "widgets/theme.h"

#define LEFT   54
#define RIGHT  14
#define HEADER 38
#define BOTTOM 26
#define SLOP   4 /* px that a click may move */

struct _FlwHistogram
{
  GtkWidget parent_instance;
  char *title, *unit;
  int decimals;
  guint32 colours[FLW_HISTOGRAM_SERIES];
  FlwHistogramCounts counts; /* its arrays are ours */
  guint32 *all, *shown;
  double median, spread;
  FlwHistogramFit fit; /* centre NaN: none */
  double from, to;     /* brush; equal: none */
  double anchor;       /* where it was begun */
  double hover;        /* px; NaN: none */
  FlwAxis *x, *y;
  GskRenderNode *under, *picture; /* axes; bars, fit and words */
};

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

static FlwBox
box_of (FlwHistogram *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  return (FlwBox){ LEFT, HEADER, fmax (gtk_widget_get_width (widget) - LEFT - RIGHT, 1),
                   fmax (gtk_widget_get_height (widget) - HEADER - BOTTOM, 1) };
}

static void
redraw (FlwHistogram *self)
{
  g_clear_pointer (&self->picture, gsk_render_node_unref);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static const char *
space (FlwHistogram *self)
{
  return g_str_equal (self->unit, "°") ? "" : "\302\240";
}

static guint64
shown_in (FlwHistogram *self, guint bin)
{
  guint64 sum = 0;

  for (guint s = 0; s < FLW_HISTOGRAM_SERIES; s++)
    sum += self->shown[s * self->counts.n_bins + bin];
  return sum;
}

static guint64
shown_total (FlwHistogram *self)
{
  guint64 sum = self->counts.below + self->counts.above;

  for (guint b = 0; b < self->counts.n_bins; b++)
    sum += shown_in (self, b);
  return sum;
}

/* --- words --- */

static char *
fit_text (FlwHistogram *self)
{
  if (isnan (self->fit.centre))
    return NULL;
  return g_strdup_printf ("%.*f ± %.*f%s%s", self->decimals, self->fit.centre, self->decimals,
                          self->fit.spread, space (self), self->unit);
}

static char *
summary (FlwHistogram *self)
{
  GString *text = g_string_new (self->title);
  g_autofree char *count = flw_format_count (shown_total (self)), *fit = fit_text (self);
  guint64 outside = self->counts.below + self->counts.above;

  g_string_append_printf (text, _ (": %s shown"), count);
  if (!isnan (self->median))
    g_string_append_printf (text, _ (", median %.*f ± %.*f%s%s"), self->decimals, self->median,
                            self->decimals, self->spread, space (self), self->unit);
  if (fit != NULL)
    g_string_append_printf (text, _ (", fit %s"), fit);
  if (outside > 0)
    {
      g_autofree char *n = flw_format_count (outside);
      g_string_append_printf (text, _ (", %s outside %.*f … %.*f"), n, self->decimals, self->counts.lower,
                              self->decimals, self->counts.lower + self->counts.width * self->counts.n_bins);
    }
  if (self->to > self->from)
    g_string_append_printf (text, _ (", selected %.*f … %.*f%s%s"), self->decimals, self->from,
                            self->decimals, self->to, space (self), self->unit);
  return g_string_free (text, FALSE);
}

static char *
hover_text (FlwHistogram *self, guint bin)
{
  double from = self->counts.lower + bin * self->counts.width, to = from + self->counts.width;
  int digits = MAX (self->decimals, (int) ceil (-log10 (self->counts.width)));
  g_autofree char *shown = flw_format_count (shown_in (self, bin));
  g_autofree char *all = flw_format_count (self->all[bin]);

  return g_strdup_printf (_ ("%.*f … %.*f%s%s\n%s of %s"), digits, from, digits, to, space (self), self->unit,
                          shown, all);
}

/* --- drawing --- */

/* A round number above the highest bar; it stays while it fits, so that axes are drawn anew only when they must. */
static void
update_scale (FlwHistogram *self)
{
  static const double steps[] = { 1, 1.5, 2, 3, 4, 6, 8, 10 };
  guint64 most = 0;
  double upper = flw_axis_get_upper (self->y), power;
  guint i = 0;

  for (guint b = 0; b < self->counts.n_bins; b++)
    most = MAX (most, shown_in (self, b));
  flw_axis_set_range (self->x, self->counts.lower,
                      self->counts.lower + self->counts.width * self->counts.n_bins);
  if ((double) most <= 0.97 * upper && (double) most > 0.55 * upper)
    return;
  upper = fmax ((double) most * 1.05, 4);
  power = pow (10, floor (log10 (upper)));
  while (steps[i] * power < upper)
    i++;
  flw_axis_set_range (self->y, 0, steps[i] * power);
}

static void
on_range (FlwHistogram *self)
{
  g_clear_pointer (&self->under, gsk_render_node_unref);
}

/* On whole pixels: sharp, and fast to fill. */
static void
bar (cairo_t *cr, double x0, double x1, double y0, double y1)
{
  double left = round (x0), right = round (x1), gap = x1 - x0 >= 5 ? 1 : 0;

  cairo_rectangle (cr, left, round (y0), fmax (right - left - gap, 1), fmax (round (y1) - round (y0), 1));
}

static void
draw_bars (FlwHistogram *self, cairo_t *cr, const FlwBox *box, double most)
{
  guint n = self->counts.n_bins;
  double step = box->width / n, scale = box->height / most, base = box->y + box->height;

  flw_set_source (cr, FLW_RULE, 0.45);
  for (guint b = 0; b < n; b++)
    if (self->all[b] > shown_in (self, b))
      bar (cr, box->x + b * step, box->x + (b + 1) * step, base - fmin (self->all[b] * scale, box->height),
           base);
  cairo_fill (cr);
  for (guint s = 0; s < FLW_HISTOGRAM_SERIES; s++)
    {
      flw_set_source (cr, self->colours[s], 1);
      for (guint b = 0; b < n; b++)
        {
          double under = 0;
          for (guint k = 0; k < s; k++)
            under += self->shown[k * n + b];
          if (self->shown[s * n + b] > 0)
            bar (cr, box->x + b * step, box->x + (b + 1) * step,
                 base - (under + self->shown[s * n + b]) * scale, base - under * scale);
        }
      cairo_fill (cr);
    }
}

static void
draw_fit (FlwHistogram *self, cairo_t *cr, const FlwBox *box, double most)
{
  double peak = self->fit.count * self->counts.width / (self->fit.spread * sqrt (2 * G_PI));

  if (isnan (self->fit.centre) || !(self->fit.spread > 0))
    return;
  for (int i = 0; i <= (int) box->width; i++)
    {
      double u = (flw_axis_from_px (self->x, box, box->x + i) - self->fit.centre) / self->fit.spread;
      double value = self->fit.floor + peak * exp (-u * u / 2);
      cairo_line_to (cr, box->x + i, box->y + box->height * (1 - fmin (value / most, 1)));
    }
  cairo_set_line_join (cr, CAIRO_LINE_JOIN_BEVEL);
  cairo_set_antialias (cr, CAIRO_ANTIALIAS_FAST);
  cairo_set_line_width (cr, 3.4);
  flw_set_source (cr, FLW_GROUND, 0.8);
  cairo_stroke_preserve (cr);
  cairo_set_line_width (cr, 1.6);
  flw_set_source (cr, FLW_TEXT, 1);
  cairo_stroke (cr);
}

/* The quantity left, what was found right, in between how many lie outside at which side. */
static void
draw_words (FlwHistogram *self, cairo_t *cr, const FlwBox *box)
{
  GtkWidget *widget = GTK_WIDGET (self);
  g_autofree char *fit = fit_text (self);
  double left, right = box->x + box->width, y = 15;

  left = 14 + flw_text_draw (widget, cr, FLW_POINTS_BODY + 3, self->title, 14, y, 0, 0.5, FLW_TEXT);
  if (fit != NULL)
    right -= flw_text_draw (widget, cr, FLW_POINTS_BODY + 1, fit, right, y, 1, 0.5, FLW_TEXT);
  if (!isnan (self->median))
    {
      g_autofree char *text = g_strdup_printf (_ ("median %.*f ± %.*f"), self->decimals, self->median,
                                               self->decimals, self->spread);
      int width;
      flw_text_size (widget, FLW_POINTS_SMALL, text, &width, NULL);
      if (left + width + 32 < right)
        flw_text_draw (widget, cr, FLW_POINTS_SMALL, text, (left + right) / 2, y, 0.5, 0.5, FLW_DIM);
    }
  right = box->x + box->width;
  if (self->counts.below > 0)
    {
      g_autofree char *n = flw_format_count (self->counts.below), *text = g_strdup_printf ("‹ %s", n);
      flw_text_draw (widget, cr, FLW_POINTS_SMALL, text, box->x + 4, box->y + 10, 0, 0.5, FLW_TEXT);
    }
  if (self->counts.above > 0)
    {
      g_autofree char *n = flw_format_count (self->counts.above), *text = g_strdup_printf ("%s ›", n);
      flw_text_draw (widget, cr, FLW_POINTS_SMALL, text, right - 4, box->y + 10, 1, 0.5, FLW_TEXT);
    }
}

/* Closer than on an axis that is zoomed: the range is all that tells a cell from its neighbour. */
static void
draw_ticks (FlwHistogram *self, cairo_t *cr, const FlwBox *box)
{
  GtkWidget *widget = GTK_WIDGET (self);
  double base = box->y + box->height, labelled = 0;
  FlwTick ticks[16];
  guint n = flw_axis_ticks (self->x, CLAMP ((guint) (box->width / 48), 2, G_N_ELEMENTS (ticks)), ticks);

  flw_set_source (cr, FLW_RULE, 1);
  for (guint i = 0; i < n; i++)
    cairo_rectangle (cr, round (flw_axis_to_px (self->x, box, ticks[i].value)), base, 1, 4);
  cairo_fill (cr);
  for (guint i = 0; i < n; i++)
    {
      double x = flw_axis_to_px (self->x, box, ticks[i].value);
      int width;
      flw_text_size (widget, FLW_POINTS_SMALL, ticks[i].label, &width, NULL);
      if (x - width / 2. < labelled || x + width / 2. > box->x + box->width + RIGHT)
        continue;
      flw_text_draw (widget, cr, FLW_POINTS_SMALL, ticks[i].label, x, base + 5, 0.5, 0, FLW_DIM);
      labelled = x + width / 2. + 8;
    }
}

static void
draw_under (GtkWidget *widget, cairo_t *cr)
{
  FlwHistogram *self = FLW_HISTOGRAM (widget);
  FlwBox box = box_of (self);

  flw_chrome_y_axis (widget, cr, self->y, &box);
  draw_ticks (self, cr, &box);
  flw_set_source (cr, FLW_RULE, 1);
  cairo_rectangle (cr, box.x, box.y + box.height - 1, box.width, 1);
  cairo_fill (cr);
}

static void
draw (GtkWidget *widget, cairo_t *cr)
{
  FlwHistogram *self = FLW_HISTOGRAM (widget);
  FlwBox box = box_of (self);

  draw_words (self, cr, &box);
  if (self->counts.n_bins == 0)
    return;
  draw_bars (self, cr, &box, flw_axis_get_upper (self->y));
  draw_fit (self, cr, &box, flw_axis_get_upper (self->y));
}

static double
px_of (FlwHistogram *self, const FlwBox *box, double value)
{
  double x = (value - self->counts.lower) / (self->counts.width * self->counts.n_bins);
  return box->x + CLAMP (x, 0, 1) * box->width;
}

static double
value_at (FlwHistogram *self, double x)
{
  FlwBox box = box_of (self);
  double part = CLAMP ((x - box.x) / box.width, 0, 1);
  return self->counts.lower + part * self->counts.width * self->counts.n_bins;
}

static void
flw_histogram_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  FlwHistogram *self = FLW_HISTOGRAM (widget);
  FlwBox box = box_of (self), all = { 0, 0, gtk_widget_get_width (widget), gtk_widget_get_height (widget) };
  graphene_rect_t bounds = flw_box_rect (&all);

  flw_fill (snapshot, 0, 0, all.width, all.height, FLW_GROUND, 1);
  if (self->under == NULL && self->counts.n_bins > 0)
    self->under = flw_chrome_node (widget, &all, draw_under);
  if (self->under != NULL && self->counts.n_bins > 0)
    gtk_snapshot_append_node (snapshot, self->under);
  if (self->picture == NULL)
    self->picture = flw_chrome_node (widget, &all, draw);
  gtk_snapshot_append_node (snapshot, self->picture);
  if (self->counts.n_bins > 0 && self->to > self->from)
    {
      double x0 = px_of (self, &box, self->from), x1 = px_of (self, &box, self->to);
      flw_fill (snapshot, x0, box.y, fmax (x1 - x0, 1), box.height, FLW_FOCUS, 0.22);
      flw_fill (snapshot, x0, box.y, 1, box.height, FLW_FOCUS, 1);
      flw_fill (snapshot, fmax (x1 - 1, x0), box.y, 1, box.height, FLW_FOCUS, 1);
    }
  if (self->counts.n_bins > 0 && self->hover >= box.x && self->hover < box.x + box.width)
    {
      guint bin =
          MIN ((guint) ((self->hover - box.x) / box.width * self->counts.n_bins), self->counts.n_bins - 1);
      g_autofree char *text = hover_text (self, bin);
      flw_fill (snapshot, floor (self->hover), box.y, 1, box.height, FLW_TEXT, 0.5);
      flw_text_callout (widget, snapshot, text, self->hover, box.y + box.height / 3, &bounds);
    }
  flw_draw_focus (widget, snapshot);
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
  FlwBox box = box_of (self);

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
  FlwBox box = box_of (self);
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
    g_value_take_string (value, summary (FLW_HISTOGRAM (object)));
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
      update_scale (self);
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
  flw_chart_summary_changed (GTK_WIDGET (self));
  redraw (self);
}
