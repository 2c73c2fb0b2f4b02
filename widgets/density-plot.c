#include "widgets/density-plot.h"

#include <glib/gi18n.h>
#include <math.h>

#include "widgets/chrome.h"
#include "widgets/colour-map.h"
#include "widgets/export.h"
#include "widgets/theme.h"

#define LEFT   62
#define RIGHT  14
#define HEADER 38
#define BOTTOM 26
#define SLOP   4  /* px that a click may move */
#define KEY    90 /* px of the colour key */

struct _FlwDensityPlot
{
  GtkWidget parent_instance;
  char *title[2], *unit;
  int decimals;
  FlwDensityCounts counts; /* its array is ours */
  guint32 *shown;
  guint32 most;
  GArray *ellipses; /* FlwDensityEllipse, labels ours */
  FlwColourMap *map;
  FlwAxis *axis[2];
  double brush[4]; /* x from, to, y from, to; equal: none */
  double anchor[2];
  double hover[2]; /* px; NaN: none */
  GskRenderNode *picture;
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

G_DEFINE_FINAL_TYPE (FlwDensityPlot, flw_density_plot, GTK_TYPE_WIDGET)

static FlwBox
box_of (FlwDensityPlot *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  return (FlwBox){ LEFT, HEADER, fmax (gtk_widget_get_width (widget) - LEFT - RIGHT, 1),
                   fmax (gtk_widget_get_height (widget) - HEADER - BOTTOM, 1) };
}

static void
redraw (FlwDensityPlot *self)
{
  g_clear_pointer (&self->picture, gsk_render_node_unref);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static double
upper (const FlwDensityPlot *self, guint of)
{
  return self->counts.lower[of] + self->counts.width[of] * self->counts.n_bins[of];
}

static double
px_of (FlwDensityPlot *self, const FlwBox *box, guint of, double value)
{
  double part = (value - self->counts.lower[of]) / (upper (self, of) - self->counts.lower[of]);
  return of == 0 ? box->x + part * box->width : box->y + (1 - part) * box->height;
}

static double
value_at (FlwDensityPlot *self, guint of, double px)
{
  FlwBox box = box_of (self);
  double part = of == 0 ? (px - box.x) / box.width : 1 - (px - box.y) / box.height;
  return self->counts.lower[of] + CLAMP (part, 0, 1) * (upper (self, of) - self->counts.lower[of]);
}

static gboolean
is_brushed (const FlwDensityPlot *self)
{
  return self->brush[1] > self->brush[0] || self->brush[3] > self->brush[2];
}

/* --- words --- */

static char *
range_text (FlwDensityPlot *self, guint of, double from, double to)
{
  return g_strdup_printf ("%s %.*f … %.*f\302\240%s", self->title[of], self->decimals, from, self->decimals,
                          to, self->unit);
}

static char *
summary (FlwDensityPlot *self)
{
  GString *text = g_string_new (NULL);
  guint64 total = self->counts.outside;
  for (guint i = 0; i < self->counts.n_bins[0] * self->counts.n_bins[1]; i++)
    total += self->shown[i];
  g_autofree char *count = flw_format_count (total), *outside = flw_format_count (self->counts.outside);
  g_string_printf (text, _ ("%s–%s: %s shown"), self->title[0], self->title[1], count);
  if (self->counts.outside)
    g_string_append_printf (text, _ (", %s outside"), outside);
  if (self->ellipses->len)
    g_string_append_printf (text, ngettext (", %u cluster", ", %u clusters", self->ellipses->len),
                            self->ellipses->len);
  for (guint of = 0; of < 2; of++)
    if (self->brush[2 * of + 1] > self->brush[2 * of])
      {
        g_autofree char *range = range_text (self, of, self->brush[2 * of], self->brush[2 * of + 1]);
        g_string_append_printf (text, _ (", selected %s"), range);
      }
  return g_string_free (text, FALSE);
}

/* --- drawing --- */

/* One pixel a bin, which cairo enlarges. */
static void
draw_counts (FlwDensityPlot *self, cairo_t *cr, const FlwBox *box)
{
  guint nx = self->counts.n_bins[0], ny = self->counts.n_bins[1];
  guint32 lut[256];
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, (int) nx, (int) ny);
  guint32 *pixels = (guint32 *) (void *) cairo_image_surface_get_data (surface);
  guint stride = (guint) cairo_image_surface_get_stride (surface) / 4;

  flw_palette_lut (flw_colour_map_get_palette (self->map), lut);
  cairo_surface_flush (surface);
  for (guint y = 0; y < ny; y++)
    for (guint x = 0; x < nx; x++)
      {
        guint32 count = self->shown[y * nx + x];
        double part = count ? flw_colour_map_position (self->map, count) : 0;
        pixels[(ny - 1 - y) * stride + x] = count ? lut[(guint) (part * 255)] : 0;
      }
  cairo_surface_mark_dirty (surface);
  cairo_save (cr);
  cairo_translate (cr, box->x, box->y);
  cairo_scale (cr, box->width / nx, box->height / ny);
  cairo_set_source_surface (cr, surface, 0, 0);
  cairo_pattern_set_filter (cairo_get_source (cr), CAIRO_FILTER_NEAREST);
  cairo_paint (cr);
  cairo_restore (cr);
  cairo_surface_destroy (surface);
}

/* 95 % of two normal variates: χ² = 5.991. */
static void
draw_ellipse (FlwDensityPlot *self, cairo_t *cr, const FlwBox *box, const FlwDensityEllipse *e)
{
  const double reach = sqrt (5.991);
  double a = sqrt (fmax (e->xx, 0)), b = a > 0 ? e->xy / a : 0, c = sqrt (fmax (e->yy - b * b, 0));
  double high = -INFINITY, at = px_of (self, box, 0, e->x);

  for (guint i = 0; i < 96; i++)
    {
      double u = reach * cos (G_PI * i / 48), v = reach * sin (G_PI * i / 48);
      double x = px_of (self, box, 0, e->x + a * u), y = px_of (self, box, 1, e->y + b * u + c * v);
      cairo_line_to (cr, x, y);
      high = fmax (high, -y);
    }
  cairo_close_path (cr);
  cairo_set_line_width (cr, 4);
  flw_set_source (cr, FLW_GROUND, 0.85);
  cairo_stroke_preserve (cr);
  cairo_set_line_width (cr, 2);
  flw_set_source (cr, e->colour, 1);
  cairo_stroke (cr);
  flw_text_draw (GTK_WIDGET (self), cr, FLW_POINTS_BODY, e->label, at, fmax (-high - 3, box->y + 18), 0.5, 1,
                 e->colour);
}

/* From 1 to the highest count. */
static void
draw_key (FlwDensityPlot *self, cairo_t *cr, double right, double y)
{
  GtkWidget *widget = GTK_WIDGET (self);
  guint32 lut[256];
  g_autofree char *most = flw_format_count (self->most);
  double at = right - flw_text_draw (widget, cr, FLW_POINTS_SMALL, most, right, y, 1, 0.5, FLW_DIM) - 6 - KEY;

  flw_palette_lut (flw_colour_map_get_palette (self->map), lut);
  for (guint i = 0; i < KEY; i++)
    {
      flw_set_source (cr, lut[i * 255 / (KEY - 1)] & 0xffffff, 1);
      cairo_rectangle (cr, round (at) + i, y - 5, 1, 10);
      cairo_fill (cr);
    }
  flw_text_draw (widget, cr, FLW_POINTS_SMALL, _ ("lattices 1"), at - 6, y, 1, 0.5, FLW_DIM);
}

/* Closer than on an axis that is zoomed, as a histogram's. */
static void
draw_x_axis (FlwDensityPlot *self, cairo_t *cr, const FlwBox *box)
{
  GtkWidget *widget = GTK_WIDGET (self);
  double base = box->y + box->height, labelled = 0;
  FlwTick ticks[16];
  guint n = flw_axis_ticks (self->axis[0], CLAMP ((guint) (box->width / 48), 2, G_N_ELEMENTS (ticks)), ticks);

  for (guint i = 0; i < n; i++)
    {
      double x = flw_axis_to_px (self->axis[0], box, ticks[i].value);
      int width;
      flw_set_source (cr, FLW_GRID, 1);
      cairo_rectangle (cr, round (x), box->y, 1, box->height + 4);
      cairo_fill (cr);
      flw_text_size (widget, FLW_POINTS_SMALL, ticks[i].label, &width, NULL);
      if (x - width / 2. < labelled || x + width / 2. > box->x + box->width + RIGHT)
        continue;
      flw_text_draw (widget, cr, FLW_POINTS_SMALL, ticks[i].label, x, base + 5, 0.5, 0, FLW_DIM);
      labelled = x + width / 2. + 8;
    }
}

static void
draw (GtkWidget *widget, cairo_t *cr)
{
  FlwDensityPlot *self = FLW_DENSITY_PLOT (widget);
  FlwBox box = box_of (self);
  g_autofree char *title =
      g_strdup_printf (_ ("%s over %s (%s)"), self->title[1], self->title[0], self->unit);

  flw_text_draw (widget, cr, FLW_POINTS_BODY + 1, title, 14, 15, 0, 0.5, FLW_TEXT);
  if (self->counts.n_bins[0] == 0)
    return;
  flw_chrome_y_axis (widget, cr, self->axis[1], &box);
  draw_x_axis (self, cr, &box);
  draw_key (self, cr, box.x + box.width, 15);
  cairo_save (cr);
  cairo_rectangle (cr, box.x, box.y, box.width, box.height);
  cairo_clip (cr);
  draw_counts (self, cr, &box);
  for (guint i = 0; i < self->ellipses->len; i++)
    draw_ellipse (self, cr, &box, &g_array_index (self->ellipses, FlwDensityEllipse, i));
  cairo_restore (cr);
  if (self->counts.outside)
    {
      g_autofree char *n = flw_format_count (self->counts.outside),
                      *text = g_strdup_printf (_ ("%s outside"), n);
      flw_text_draw (widget, cr, FLW_POINTS_SMALL, text, box.x + box.width - 4, box.y + 10, 1, 0.5, FLW_TEXT);
    }
}

static void
draw_brush (FlwDensityPlot *self, GtkSnapshot *snapshot, const FlwBox *box)
{
  double edge[4] = { box->x, box->x + box->width, box->y + box->height, box->y };
  for (guint of = 0; of < 2; of++)
    for (guint end = 0; end < 2 && self->brush[2 * of + 1] > self->brush[2 * of]; end++)
      edge[2 * of + end] = px_of (self, box, of, self->brush[2 * of + end]);
  double x0 = CLAMP (edge[0], box->x, box->x + box->width), x1 = CLAMP (edge[1], box->x, box->x + box->width);
  double y0 = CLAMP (edge[3], box->y, box->y + box->height),
         y1 = CLAMP (edge[2], box->y, box->y + box->height);
  flw_fill (snapshot, x0, y0, x1 - x0, y1 - y0, FLW_FOCUS, 0.14);
  flw_fill (snapshot, x0, y0, x1 - x0, 1, FLW_FOCUS, 1);
  flw_fill (snapshot, x0, y1 - 1, x1 - x0, 1, FLW_FOCUS, 1);
  flw_fill (snapshot, x0, y0, 1, y1 - y0, FLW_FOCUS, 1);
  flw_fill (snapshot, x1 - 1, y0, 1, y1 - y0, FLW_FOCUS, 1);
}

static void
draw_hover (FlwDensityPlot *self, GtkSnapshot *snapshot, const FlwBox *box, const graphene_rect_t *bounds)
{
  guint bin[2];
  for (guint of = 0; of < 2; of++)
    {
      double value = value_at (self, of, self->hover[of]);
      bin[of] = MIN ((guint) ((value - self->counts.lower[of]) / self->counts.width[of]),
                     self->counts.n_bins[of] - 1);
    }
  g_autofree char *count = flw_format_count (self->shown[bin[1] * self->counts.n_bins[0] + bin[0]]);
  g_autofree char *text =
      g_strdup_printf (_ ("%s %.*f, %s %.*f\302\240%s\n%s lattices"), self->title[0], self->decimals,
                       value_at (self, 0, self->hover[0]), self->title[1], self->decimals,
                       value_at (self, 1, self->hover[1]), self->unit, count);
  (void) box;
  flw_text_callout (GTK_WIDGET (self), snapshot, text, self->hover[0], self->hover[1], bounds);
}

static void
flw_density_plot_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  FlwDensityPlot *self = FLW_DENSITY_PLOT (widget);
  FlwBox box = box_of (self), all = { 0, 0, gtk_widget_get_width (widget), gtk_widget_get_height (widget) };
  graphene_rect_t bounds = flw_box_rect (&all);

  flw_fill (snapshot, 0, 0, all.width, all.height, FLW_GROUND, 1);
  if (self->picture == NULL)
    self->picture = flw_chrome_node (widget, &all, draw);
  gtk_snapshot_append_node (snapshot, self->picture);
  if (self->counts.n_bins[0] > 0 && is_brushed (self))
    draw_brush (self, snapshot, &box);
  if (self->counts.n_bins[0] > 0 && self->hover[0] >= box.x && self->hover[0] < box.x + box.width
      && self->hover[1] >= box.y && self->hover[1] < box.y + box.height)
    draw_hover (self, snapshot, &box, &bounds);
  flw_draw_focus (widget, snapshot);
}

/* --- brush --- */

void
flw_density_plot_set_brush (FlwDensityPlot *self, const double brush[4])
{
  double ordered[4] = { 0 };
  for (guint of = 0; of < 2; of++)
    if (brush[2 * of] != brush[2 * of + 1])
      {
        ordered[2 * of] = fmin (brush[2 * of], brush[2 * of + 1]);
        ordered[2 * of + 1] = fmax (brush[2 * of], brush[2 * of + 1]);
      }
  if (memcmp (ordered, self->brush, sizeof ordered) == 0)
    return;
  memcpy (self->brush, ordered, sizeof ordered);
  gtk_widget_queue_draw (GTK_WIDGET (self));
  flw_chart_summary_changed (GTK_WIDGET (self));
  g_signal_emit (self, signals[BRUSH_CHANGED], 0, ordered[0], ordered[1], ordered[2], ordered[3]);
}

static void
drop (FlwDensityPlot *self)
{
  const double none[4] = { 0 };
  flw_density_plot_set_brush (self, none);
}

static void
on_drag_begin (FlwDensityPlot *self, double x, double y)
{
  gtk_widget_grab_focus (GTK_WIDGET (self));
  self->anchor[0] = value_at (self, 0, x);
  self->anchor[1] = value_at (self, 1, y);
}

static void
on_drag_update (FlwDensityPlot *self, double dx, double dy, GtkGestureDrag *gesture)
{
  double x, y;
  gtk_gesture_drag_get_start_point (gesture, &x, &y);
  if (self->counts.n_bins[0] == 0 || fabs (dx) < SLOP || fabs (dy) < SLOP)
    return;
  const double brush[4] = { self->anchor[0], value_at (self, 0, x + dx), self->anchor[1],
                            value_at (self, 1, y + dy) };
  flw_density_plot_set_brush (self, brush);
}

static void
on_drag_end (FlwDensityPlot *self, double dx, double dy)
{
  if (fabs (dx) < SLOP && fabs (dy) < SLOP)
    drop (self);
}

static void
on_motion (FlwDensityPlot *self, double x, double y)
{
  self->hover[0] = x;
  self->hover[1] = y;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
on_leave (FlwDensityPlot *self)
{
  on_motion (self, NAN, NAN);
}

static void
act (GtkWidget *widget, const char *action, GVariant *target)
{
  (void) target;
  if (g_str_has_suffix (action, "drop"))
    drop (FLW_DENSITY_PLOT (widget));
  else
    g_signal_emit (widget, signals[ZOOM], 0, g_str_has_suffix (action, "zoom-in") ? 1 : 0);
}

/* --- the widget --- */

static void
flw_density_plot_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                          int *natural, int *minimum_baseline, int *natural_baseline)
{
  (void) widget;
  (void) for_size;
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 240 : 180;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 380 : 320;
  *minimum_baseline = *natural_baseline = -1;
}

static void
flw_density_plot_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  (void) width;
  (void) height;
  (void) baseline;
  redraw (FLW_DENSITY_PLOT (widget));
}

static void
flw_density_plot_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_SUMMARY)
    g_value_take_string (value, summary (FLW_DENSITY_PLOT (object)));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
ellipse_clear (gpointer data)
{
  g_free ((char *) ((FlwDensityEllipse *) data)->label);
}

static void
flw_density_plot_finalize (GObject *object)
{
  FlwDensityPlot *self = FLW_DENSITY_PLOT (object);
  g_clear_pointer (&self->picture, gsk_render_node_unref);
  g_array_unref (self->ellipses);
  g_object_unref (self->map);
  for (guint of = 0; of < 2; of++)
    {
      g_clear_object (&self->axis[of]);
      g_free (self->title[of]);
    }
  g_free (self->unit);
  g_free (self->shown);
  G_OBJECT_CLASS (flw_density_plot_parent_class)->finalize (object);
}

static void
flw_density_plot_class_init (FlwDensityPlotClass *klass)
{
  static const struct
  {
    const char *action;
    guint key;
  } keys[] = { { "density.drop", GDK_KEY_Escape },
               { "density.zoom-in", GDK_KEY_plus },
               { "density.zoom-out", GDK_KEY_minus },
               { "density.fit", GDK_KEY_f } };
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->finalize = flw_density_plot_finalize;
  object_class->get_property = flw_density_plot_get_property;
  widget_class->measure = flw_density_plot_measure;
  widget_class->size_allocate = flw_density_plot_size_allocate;
  widget_class->snapshot = flw_density_plot_snapshot;
  flw_chart_class_init (widget_class, PROP_SUMMARY, "density");
  signals[BRUSH_CHANGED] =
      g_signal_new ("brush-changed", FLW_TYPE_DENSITY_PLOT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                    G_TYPE_NONE, 4, G_TYPE_DOUBLE, G_TYPE_DOUBLE, G_TYPE_DOUBLE, G_TYPE_DOUBLE);
  signals[ZOOM] = g_signal_new ("zoom", FLW_TYPE_DENSITY_PLOT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                G_TYPE_NONE, 1, G_TYPE_INT);
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      gtk_widget_class_install_action (widget_class, keys[i].action, NULL, act);
      gtk_widget_class_add_binding_action (widget_class, keys[i].key, 0, keys[i].action, NULL);
    }
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_equal, 0, "density.zoom-in", NULL);
}

static void
flw_density_plot_init (FlwDensityPlot *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  GtkGesture *drag = gtk_gesture_drag_new ();
  GtkEventController *motion = gtk_event_controller_motion_new ();

  self->hover[0] = self->hover[1] = NAN;
  self->ellipses = g_array_new (FALSE, FALSE, sizeof (FlwDensityEllipse));
  g_array_set_clear_func (self->ellipses, ellipse_clear);
  self->map = flw_colour_map_new ();
  flw_colour_map_set_scale (self->map, FLW_SCALE_LOG);
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
flw_density_plot_new (const char *x_title, const char *y_title, const char *unit, guint decimals)
{
  FlwDensityPlot *self = g_object_new (FLW_TYPE_DENSITY_PLOT, NULL);
  g_autofree char *label = g_strdup_printf ("%s–%s", x_title, y_title);

  self->title[0] = g_strdup (x_title);
  self->title[1] = g_strdup (y_title);
  self->unit = g_strdup (unit);
  self->decimals = (int) decimals;
  self->axis[0] = flw_axis_new (FLW_AXIS_NUMBER, NULL, unit);
  self->axis[1] = flw_axis_new (FLW_AXIS_NUMBER, NULL, unit);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  return GTK_WIDGET (self);
}

void
flw_density_plot_set_counts (FlwDensityPlot *self, const FlwDensityCounts *counts)
{
  guint n = counts ? counts->n_bins[0] * counts->n_bins[1] : 0;

  g_clear_pointer (&self->shown, g_free);
  self->counts = n ? *counts : (FlwDensityCounts){ 0 };
  self->shown = n ? g_memdup2 (counts->shown, n * sizeof (guint32)) : NULL;
  self->counts.shown = self->shown;
  self->most = 0;
  for (guint i = 0; i < n; i++)
    self->most = MAX (self->most, self->shown[i]);
  flw_colour_map_set_range (self->map, 0.5, MAX (self->most, 2));
  for (guint of = 0; of < 2 && n; of++)
    flw_axis_set_range (self->axis[of], self->counts.lower[of], upper (self, of));
  flw_chart_summary_changed (GTK_WIDGET (self));
  redraw (self);
}

void
flw_density_plot_set_ellipses (FlwDensityPlot *self, const FlwDensityEllipse *ellipses, guint n)
{
  g_array_set_size (self->ellipses, 0);
  for (guint i = 0; i < n; i++)
    {
      FlwDensityEllipse e = ellipses[i];
      e.label = g_strdup (e.label);
      g_array_append_val (self->ellipses, e);
    }
  flw_chart_summary_changed (GTK_WIDGET (self));
  redraw (self);
}
