#include "widgets/density-level.h"

#include <glib/gi18n.h>
#include <math.h>

#include "widgets/chrome.h"
#include "widgets/density-private.h"
#include "widgets/plot-nav.h"
#include "widgets/theme.h"

#define SIDE_MARGIN 10.0
#define HEADER      22.0 /* px: name and level */
#define TICKS       20.0 /* px: σ below the bars */
#define STEP        0.1  /* σ */

enum
{
  PROP_SUMMARY = 1
};

struct _FlwDensityLevel
{
  GtkWidget parent_instance;
  FlwDensityView *view; /* weak */
  guint map;
  double drag_start; /* px */
  GskRenderNode *node;
};

G_DEFINE_FINAL_TYPE (FlwDensityLevel, flw_density_level, GTK_TYPE_WIDGET)

static FlwDensityVolume *
volume_of (FlwDensityLevel *level)
{
  return level->view != NULL ? flw_density_view_get_map (level->view, level->map) : NULL;
}

/* σ at either end: the tails are long and empty. */
static void
find_range (const FlwDensityVolume *volume, double *from, double *to)
{
  const FlwDensityGrid *grid = flw_density_volume_grid (volume);
  double lowest, highest;

  flw_density_volume_range (volume, &lowest, &highest);
  *from = fmax ((lowest - grid->mean) / grid->sigma, -6);
  *to = fmin ((highest - grid->mean) / grid->sigma, 10);
  if (*to - *from < 0.1)
    *to = *from + 0.1;
}

static FlwBox
bars_box (FlwDensityLevel *level)
{
  return (FlwBox){ SIDE_MARGIN, HEADER, fmax (gtk_widget_get_width (GTK_WIDGET (level)) - 2 * SIDE_MARGIN, 1),
                   fmax (gtk_widget_get_height (GTK_WIDGET (level)) - HEADER - TICKS, 1) };
}

/* In σ, whatever the view counts in. */
static double
get_sigmas (FlwDensityLevel *level, const FlwDensityVolume *volume)
{
  const FlwDensityGrid *grid = flw_density_volume_grid (volume);
  double value = flw_density_view_get_level (level->view, level->map);
  return level->view->absolute ? (value - grid->mean) / grid->sigma : value;
}

static void
set_sigmas (FlwDensityLevel *level, const FlwDensityVolume *volume, double sigmas)
{
  const FlwDensityGrid *grid = flw_density_volume_grid (volume);
  flw_density_view_set_level (level->view, level->map,
                              level->view->absolute ? grid->mean + sigmas * grid->sigma : sigmas);
}

static void
on_changed (FlwDensityLevel *level)
{
  g_clear_pointer (&level->node, gsk_render_node_unref);
  gtk_widget_queue_draw (GTK_WIDGET (level));
  flw_chart_summary_changed (GTK_WIDGET (level));
}

static void
on_level_changed (FlwDensityView *view, guint map, FlwDensityLevel *level)
{
  (void) view;
  if (map == level->map)
    on_changed (level);
}

/* --- drawing --- */

typedef struct
{
  const FlwDensityVolume *volume;
  FlwBox box;
  double from, to, level; /* σ */
  gboolean difference;
  guint32 rgb[2];
} Drawing;

static double
to_x (const Drawing *d, double sigmas)
{
  return d->box.x + (sigmas - d->from) / (d->to - d->from) * d->box.width;
}

/* Counts in the histogram's bins under a pixel column. */
static double
count_at (const Drawing *d, double from, double to)
{
  const FlwDensityGrid *grid = flw_density_volume_grid (d->volume);
  const guint32 *histogram = flw_density_volume_histogram (d->volume);
  double lowest, highest, width, count = 0;

  flw_density_volume_range (d->volume, &lowest, &highest);
  width = fmax ((highest - lowest) / FLW_DENSITY_BINS, 1e-30);
  from = (grid->mean + from * grid->sigma - lowest) / width;
  to = (grid->mean + to * grid->sigma - lowest) / width;
  for (int bin = MAX ((int) floor (from), 0); bin < MIN ((int) ceil (to), FLW_DENSITY_BINS); bin++)
    count += histogram[bin] * fmax (fmin (to, bin + 1) - fmax (from, bin), 0);
  return count;
}

static void
draw_bars (const Drawing *d, cairo_t *cr)
{
  double column = (d->to - d->from) / d->box.width, most = 1;

  for (double x = 0; x < d->box.width; x++)
    most = fmax (most, count_at (d, d->from + x * column, d->from + (x + 1) * column));
  for (double x = 0; x < d->box.width; x++)
    {
      double at = d->from + (x + 0.5) * column, count = count_at (d, at - column / 2, at + column / 2);
      double height = d->box.height * log1p (count) / log1p (most);
      gboolean first = at >= d->level, second = d->difference && at <= -d->level;

      flw_set_source (cr, first ? d->rgb[0] : second ? d->rgb[1] : FLW_RULE, first || second ? 0.9 : 0.8);
      cairo_rectangle (cr, d->box.x + x, d->box.y + d->box.height - height, 1, height);
      cairo_fill (cr);
    }
}

static void
draw_mark (const Drawing *d, cairo_t *cr, double sigmas)
{
  double x = round (to_x (d, CLAMP (sigmas, d->from, d->to)));

  flw_set_source (cr, FLW_TEXT, 1);
  cairo_rectangle (cr, x - 1, d->box.y, 2, d->box.height + 4);
  cairo_fill (cr);
  cairo_move_to (cr, x, d->box.y + 6);
  cairo_rel_line_to (cr, -6, -7);
  cairo_rel_line_to (cr, 12, 0);
  cairo_close_path (cr);
  cairo_fill (cr);
}

static void
draw_ticks (GtkWidget *widget, const Drawing *d, cairo_t *cr)
{
  double step = d->box.width / (d->to - d->from) > 36 ? 1 : d->box.width / (d->to - d->from) > 18 ? 2 : 5;

  for (double s = ceil (d->from / step) * step; s <= d->to; s += step)
    {
      char text[24];
      double x = to_x (d, s);
      if (x < d->box.x + 8 || x > d->box.x + d->box.width - 8)
        continue;
      g_snprintf (text, sizeof text, fabs (s) < 1e-9 ? "0 σ" : "%s%.0f", s < 0 ? "−" : "", fabs (s));
      flw_set_source (cr, FLW_RULE, 1);
      cairo_rectangle (cr, round (x), d->box.y + d->box.height, 1, 4);
      cairo_fill (cr);
      flw_text_draw (widget, cr, FLW_POINTS_SMALL, text, x, d->box.y + d->box.height + 3, 0.5, 0, FLW_DIM);
    }
}

static void
draw_level (GtkWidget *widget, cairo_t *cr)
{
  FlwDensityLevel *level = FLW_DENSITY_LEVEL (widget);
  FlwDensityScene scene;
  Drawing d = { .volume = volume_of (level), .box = bars_box (level) };
  g_autofree char *text = flw_density_level_text (level->view, level->map);

  flw_density_scene (level->view, 1, &scene);
  find_range (d.volume, &d.from, &d.to);
  d.level = get_sigmas (level, d.volume);
  d.difference = level->view->maps[level->map].difference;
  d.rgb[0] = scene.maps[level->map].rgb[0];
  d.rgb[1] = scene.maps[level->map].rgb[1];
  flw_text_draw_within (widget, cr, FLW_POINTS_SMALL, text, SIDE_MARGIN, 2, d.box.width, FLW_TEXT);
  draw_bars (&d, cr);
  draw_ticks (widget, &d, cr);
  draw_mark (&d, cr, d.level);
  if (d.difference)
    draw_mark (&d, cr, -d.level);
}

static void
flw_density_level_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  FlwDensityLevel *level = FLW_DENSITY_LEVEL (widget);
  FlwBox all = { 0, 0, gtk_widget_get_width (widget), gtk_widget_get_height (widget) };

  flw_fill (snapshot, 0, 0, all.width, all.height, FLW_GROUND, 1);
  if (volume_of (level) != NULL)
    {
      if (level->node == NULL)
        level->node = flw_chrome_node (widget, &all, draw_level);
      gtk_snapshot_append_node (snapshot, level->node);
    }
  flw_draw_focus (widget, snapshot);
}

/* --- input --- */

static void
move (FlwDensityLevel *level, double sigmas)
{
  FlwDensityVolume *volume = volume_of (level);

  if (volume != NULL)
    set_sigmas (level, volume, get_sigmas (level, volume) + sigmas);
}

/* Under a difference's left mark the level is as far on the other side. */
static void
move_to (FlwDensityLevel *level, double x)
{
  FlwDensityVolume *volume = volume_of (level);
  FlwBox box = bars_box (level);
  double from, to, sigmas;

  if (volume == NULL)
    return;
  find_range (volume, &from, &to);
  sigmas = from + CLAMP ((x - box.x) / box.width, 0, 1) * (to - from);
  set_sigmas (level, volume, level->view->maps[level->map].difference ? fabs (sigmas) : sigmas);
}

static void
on_drag_begin (GtkGestureDrag *gesture, double x, double y, FlwDensityLevel *level)
{
  (void) gesture;
  (void) y;
  gtk_widget_grab_focus (GTK_WIDGET (level));
  level->drag_start = x;
  move_to (level, x);
}

static void
on_drag_update (GtkGestureDrag *gesture, double dx, double dy, FlwDensityLevel *level)
{
  (void) gesture;
  (void) dy;
  move_to (level, level->drag_start + dx);
}

static gboolean
on_scroll (GtkEventControllerScroll *controller, double dx, double dy, FlwDensityLevel *level)
{
  (void) controller;
  move (level, -STEP * (fabs (dy) >= fabs (dx) ? dy : dx));
  return TRUE;
}

static void
act (GtkWidget *widget, const char *action, GVariant *parameter)
{
  double by = g_str_equal (action, "level.up") || g_str_equal (action, "level.far-up") ? STEP : -STEP;

  (void) parameter;
  move (FLW_DENSITY_LEVEL (widget), g_str_has_prefix (action, "level.far") ? 10 * by : by);
}

/* --- the widget --- */

static void
flw_density_level_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                           int *natural, int *minimum_baseline, int *natural_baseline)
{
  (void) widget;
  (void) for_size;
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 160 : 84;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 260 : 96;
  *minimum_baseline = *natural_baseline = -1;
}

static void
flw_density_level_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  (void) width;
  (void) height;
  (void) baseline;
  g_clear_pointer (&FLW_DENSITY_LEVEL (widget)->node, gsk_render_node_unref);
}

static void
flw_density_level_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  FlwDensityLevel *level = FLW_DENSITY_LEVEL (object);

  if (id == PROP_SUMMARY)
    g_value_take_string (value, volume_of (level) != NULL ? flw_density_level_text (level->view, level->map)
                                                          : g_strdup (_ ("no map")));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
flw_density_level_dispose (GObject *object)
{
  FlwDensityLevel *level = FLW_DENSITY_LEVEL (object);

  g_clear_weak_pointer (&level->view);
  g_clear_pointer (&level->node, gsk_render_node_unref);
  G_OBJECT_CLASS (flw_density_level_parent_class)->dispose (object);
}

static void
flw_density_level_class_init (FlwDensityLevelClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = flw_density_level_dispose;
  object_class->get_property = flw_density_level_get_property;
  widget_class->measure = flw_density_level_measure;
  widget_class->size_allocate = flw_density_level_size_allocate;
  widget_class->snapshot = flw_density_level_snapshot;
  flw_chart_class_init (widget_class, PROP_SUMMARY, "densitylevel");
  flw_nav_class_add_key (widget_class, "level.up", GDK_KEY_Right, 0, act);
  flw_nav_class_add_key (widget_class, "level.down", GDK_KEY_Left, 0, act);
  flw_nav_class_add_key (widget_class, "level.far-up", GDK_KEY_Right, GDK_SHIFT_MASK, act);
  flw_nav_class_add_key (widget_class, "level.far-down", GDK_KEY_Left, GDK_SHIFT_MASK, act);
}

static void
flw_density_level_init (FlwDensityLevel *level)
{
  GtkWidget *widget = GTK_WIDGET (level);
  GtkGesture *drag = gtk_gesture_drag_new ();
  GtkEventController *scroll = gtk_event_controller_scroll_new (GTK_EVENT_CONTROLLER_SCROLL_BOTH_AXES);

  g_signal_connect (drag, "drag-begin", G_CALLBACK (on_drag_begin), level);
  g_signal_connect (drag, "drag-update", G_CALLBACK (on_drag_update), level);
  g_signal_connect (scroll, "scroll", G_CALLBACK (on_scroll), level);
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (drag));
  gtk_widget_add_controller (widget, scroll);
  gtk_widget_set_focusable (widget, TRUE);
  gtk_widget_set_overflow (widget, GTK_OVERFLOW_HIDDEN);
}

GtkWidget *
flw_density_level_new (FlwDensityView *view, guint map)
{
  FlwDensityLevel *level = g_object_new (FLW_TYPE_DENSITY_LEVEL, NULL);

  g_set_weak_pointer (&level->view, view);
  level->map = map;
  g_signal_connect_object (view, "level-changed", G_CALLBACK (on_level_changed), level, 0);
  return GTK_WIDGET (level);
}
