#include "widgets/shell-plot.h"

#include <glib/gi18n.h>
#include <math.h>

#include "widgets/chrome.h"
#include "widgets/theme.h"

#define LEFT   54
#define RIGHT  14
#define HEADER 30
#define BOTTOM 26

typedef struct
{
  char *name;
  guint n;
  FlwShellPoint *points;
} Series;

struct _FlwShellPlot
{
  GtkWidget parent_instance;
  char *title, *unit;
  GArray *series; /* Series */
  double level, hover;
  FlwAxis *x, *y;
};

enum
{
  PROP_SUMMARY = 1
};

G_DEFINE_FINAL_TYPE (FlwShellPlot, flw_shell_plot, GTK_TYPE_WIDGET)

static void
series_clear (gpointer data)
{
  Series *series = data;
  g_free (series->name);
  g_free (series->points);
}

static FlwBox
plot_box (FlwShellPlot *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  return (FlwBox){ LEFT, HEADER, fmax (gtk_widget_get_width (widget) - LEFT - RIGHT, 1),
                   fmax (gtk_widget_get_height (widget) - HEADER - BOTTOM, 1) };
}

static double
edge (double d)
{
  return d > 0 && isfinite (d) ? 1 / (d * d) : 0;
}

static double
middle (const FlwShellPoint *point)
{
  return (edge (point->d_max) + edge (point->d_min)) / 2;
}

/* The newest is bright, the others the dimmer the older they are. */
static GdkRGBA
colour_of (guint number)
{
  return number == 0 ? flw_rgba (flw_class_colour (FLW_CLASS_INDEXED), 1)
                     : flw_rgba (FLW_DIM, fmax (0.75 - 0.15 * number, 0.3));
}

/* --- words --- */

static char *
format_value (FlwShellPlot *self, double value)
{
  return isnan (value) ? g_strdup ("–")
                       : g_strdup_printf ("%.3g%s%s", value, *self->unit ? "\302\240" : "", self->unit);
}

static char *
summary (FlwShellPlot *self)
{
  if (self->series->len == 0)
    return g_strdup (_ ("Nothing merged"));
  const Series *newest = &g_array_index (self->series, Series, 0);
  const FlwShellPoint *last = &newest->points[newest->n - 1];
  g_autofree char *low = format_value (self, newest->points[0].value),
                  *high = format_value (self, last->value);
  return g_strdup_printf (_ ("%s, %s: %s at low resolution, %s at %.2f Å; %u shells, %u compared"),
                          self->title, newest->name, low, high, last->d_min, newest->n,
                          self->series->len - 1);
}

/* --- drawing --- */

static void
draw_series (FlwShellPlot *self, cairo_t *cr, const FlwBox *box, guint number)
{
  const Series *series = &g_array_index (self->series, Series, number);
  GdkRGBA colour = colour_of (number);
  gboolean pen_down = FALSE;

  gdk_cairo_set_source_rgba (cr, &colour);
  cairo_set_line_width (cr, number == 0 ? 2 : 1.2);
  for (guint i = 0; i < series->n; i++)
    {
      double x = flw_axis_to_px (self->x, box, middle (&series->points[i]));
      double y = flw_axis_to_py (self->y, box, series->points[i].value);
      if (isnan (y))
        pen_down = FALSE;
      else if (pen_down)
        cairo_line_to (cr, x, y);
      else
        cairo_move_to (cr, x, y);
      pen_down = !isnan (y);
    }
  cairo_stroke (cr);
  for (guint i = 0; number == 0 && i < series->n; i++)
    if (!isnan (series->points[i].value))
      {
        cairo_arc (cr, flw_axis_to_px (self->x, box, middle (&series->points[i])),
                   flw_axis_to_py (self->y, box, series->points[i].value), 3, 0, 2 * G_PI);
        cairo_fill (cr);
      }
}

static void
draw_legend (FlwShellPlot *self, cairo_t *cr, const FlwBox *box)
{
  double x = box->x + box->width, title = box->x + 12;

  title +=
      flw_text_draw (GTK_WIDGET (self), cr, FLW_POINTS_BODY + 1, self->title, box->x, 14, 0, 0.5, FLW_TEXT);
  for (guint i = 0; i < MIN (self->series->len, 4u); i++)
    {
      const Series *series = &g_array_index (self->series, Series, i);
      GdkRGBA colour = colour_of (i);
      int width;

      flw_text_size (GTK_WIDGET (self), FLW_POINTS_SMALL, series->name, &width, NULL);
      if (x - width - 14 < title)
        break;
      x -= 14
           + flw_text_draw (GTK_WIDGET (self), cr, FLW_POINTS_SMALL, series->name, x, 14, 1, 0.5,
                            i == 0 ? FLW_TEXT : FLW_DIM);
      gdk_cairo_set_source_rgba (cr, &colour);
      cairo_rectangle (cr, x, 9, 9, 9);
      cairo_fill (cr);
      x -= 14;
    }
}

/* The shell under the pointer; the number of shells: none. */
static guint
shell_at (FlwShellPlot *self, const FlwBox *box)
{
  const Series *newest = &g_array_index (self->series, Series, 0);
  double at = flw_axis_from_px (self->x, box, self->hover);
  guint i = 0;

  while (i < newest->n && !(at >= edge (newest->points[i].d_max) && at < edge (newest->points[i].d_min)))
    i++;
  return isnan (self->hover) ? newest->n : i;
}

static void
snapshot_hover (FlwShellPlot *self, GtkSnapshot *snapshot, const FlwBox *box)
{
  const Series *newest = &g_array_index (self->series, Series, 0);
  guint shell = shell_at (self, box);

  if (shell >= newest->n)
    return;
  const FlwShellPoint *point = &newest->points[shell];
  GString *text = g_string_new (NULL);
  g_string_printf (text, "%.2f – %.2f Å", point->d_max, point->d_min);
  for (guint i = 0; i < self->series->len; i++)
    {
      const Series *series = &g_array_index (self->series, Series, i);
      g_autofree char *value =
          shell < series->n ? format_value (self, series->points[shell].value) : g_strdup ("–");
      g_string_append_printf (text, "\n%s: %s", series->name, value);
    }
  graphene_rect_t bounds = flw_box_rect (box);
  double x = flw_axis_to_px (self->x, box, middle (point));
  flw_fill (snapshot, x, box->y, 1, box->height, FLW_RULE, 1);
  flw_text_callout (GTK_WIDGET (self), snapshot, text->str, x, box->y + 12, &bounds);
  g_string_free (text, TRUE);
}

static void
flw_shell_plot_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  FlwShellPlot *self = FLW_SHELL_PLOT (widget);
  double width = gtk_widget_get_width (widget), height = gtk_widget_get_height (widget);
  FlwBox box = plot_box (self);
  graphene_rect_t all = GRAPHENE_RECT_INIT (0, 0, (float) width, (float) height);

  flw_fill (snapshot, 0, 0, width, height, FLW_GROUND, 1);
  if (self->series->len > 0)
    {
      cairo_t *cr = gtk_snapshot_append_cairo (snapshot, &all);
      flw_chrome_y_axis (widget, cr, self->y, &box);
      flw_chrome_x_axis (widget, cr, self->x, &box, box.y + box.height);
      draw_legend (self, cr, &box);
      flw_chrome_level (widget, cr, self->y, &box, self->level, _ ("goal"));
      for (guint i = self->series->len; i > 0; i--)
        draw_series (self, cr, &box, i - 1);
      cairo_destroy (cr);
      snapshot_hover (self, snapshot, &box);
    }
  flw_draw_focus (widget, snapshot);
}

/* --- values --- */

static void
set_ranges (FlwShellPlot *self, double upper)
{
  double from = INFINITY, to = 0, most = 0, least = 0;

  for (guint i = 0; i < self->series->len; i++)
    {
      const Series *series = &g_array_index (self->series, Series, i);
      from = fmin (from, edge (series->points[0].d_max));
      to = fmax (to, edge (series->points[series->n - 1].d_min));
      for (guint k = 0; k < series->n; k++)
        if (isfinite (series->points[k].value))
          {
            most = fmax (most, series->points[k].value);
            least = fmin (least, series->points[k].value);
          }
    }
  if (self->series->len == 0)
    return;
  flw_axis_set_range (self->x, from, to);
  flw_axis_set_range (self->y, least < 0 ? least * 1.1 : 0, upper > 0 ? upper : most > 0 ? most * 1.08 : 1);
}

void
flw_shell_plot_set (FlwShellPlot *self, const char *title, const char *unit, guint n,
                    const FlwShellSeries *series, double upper, double level)
{
  g_return_if_fail (FLW_IS_SHELL_PLOT (self));
  g_free (self->title);
  g_free (self->unit);
  self->title = g_strdup (title);
  self->unit = g_strdup (unit);
  self->level = level;
  g_array_set_size (self->series, 0);
  for (guint i = 0; i < n; i++)
    if (series[i].n > 0)
      {
        Series copy = { g_strdup (series[i].name), series[i].n,
                        g_memdup2 (series[i].points, series[i].n * sizeof (FlwShellPoint)) };
        g_array_append_val (self->series, copy);
      }
  set_ranges (self, upper);
  flw_chart_summary_changed (GTK_WIDGET (self));
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

/* --- the widget --- */

static void
on_motion (FlwShellPlot *self, double x, double y)
{
  (void) y;
  self->hover = x;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
on_leave (FlwShellPlot *self)
{
  self->hover = NAN;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
flw_shell_plot_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_SUMMARY)
    g_value_take_string (value, summary (FLW_SHELL_PLOT (object)));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
flw_shell_plot_finalize (GObject *object)
{
  FlwShellPlot *self = FLW_SHELL_PLOT (object);
  g_free (self->title);
  g_free (self->unit);
  g_array_unref (self->series);
  g_object_unref (self->x);
  g_object_unref (self->y);
  G_OBJECT_CLASS (flw_shell_plot_parent_class)->finalize (object);
}

static void
flw_shell_plot_class_init (FlwShellPlotClass *klass)
{
  GObjectClass *object = G_OBJECT_CLASS (klass);
  object->get_property = flw_shell_plot_get_property;
  object->finalize = flw_shell_plot_finalize;
  GTK_WIDGET_CLASS (klass)->snapshot = flw_shell_plot_snapshot;
  flw_chart_class_init (GTK_WIDGET_CLASS (klass), PROP_SUMMARY, "shellplot");
}

static void
flw_shell_plot_init (FlwShellPlot *self)
{
  GtkEventController *motion = gtk_event_controller_motion_new ();

  self->title = g_strdup ("");
  self->unit = g_strdup ("");
  self->level = self->hover = NAN;
  self->series = g_array_new (FALSE, FALSE, sizeof (Series));
  g_array_set_clear_func (self->series, series_clear);
  self->x = flw_axis_new (FLW_AXIS_RESOLUTION, _ ("Resolution, Å"), "Å");
  self->y = flw_axis_new (FLW_AXIS_NUMBER, NULL, NULL);
  g_signal_connect_swapped (motion, "motion", G_CALLBACK (on_motion), self);
  g_signal_connect_swapped (motion, "leave", G_CALLBACK (on_leave), self);
  gtk_widget_add_controller (GTK_WIDGET (self), motion);
}

GtkWidget *
flw_shell_plot_new (void)
{
  return g_object_new (FLW_TYPE_SHELL_PLOT, NULL);
}
