#include "widgets/sparkline.h"

#include <glib/gi18n.h>
#include <math.h>

#include "widgets/theme.h"

struct _FlwSparkline
{
  GtkWidget parent_instance;
  guint n;
  float *values;
  double upper;
  char *unit;
  guint32 rgb;
};

enum
{
  PROP_SUMMARY = 1
};

G_DEFINE_FINAL_TYPE (FlwSparkline, flw_sparkline, GTK_TYPE_WIDGET)

static void
flw_sparkline_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                       int *natural, int *minimum_baseline, int *natural_baseline)
{
  (void) widget;
  (void) for_size;
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 60 : 18;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 110 : 22;
  *minimum_baseline = *natural_baseline = -1;
}

static double
largest (FlwSparkline *line)
{
  double most = 0;

  for (guint i = 0; i < line->n; i++)
    if (line->values[i] > most)
      most = line->values[i];
  return line->upper > 0 ? line->upper : most > 0 ? most : 1;
}

/* −1: none. */
static int
last_index (FlwSparkline *line)
{
  for (guint i = line->n; i-- > 0;)
    if (isfinite (line->values[i]))
      return (int) i;
  return -1;
}

static void
flw_sparkline_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  FlwSparkline *line = FLW_SPARKLINE (widget);
  double width = gtk_widget_get_width (widget), height = gtk_widget_get_height (widget),
         upper = largest (line);
  int last = last_index (line);
  gboolean drawing = FALSE;
  cairo_t *cr;

  if (last < 0)
    return;
  cr = gtk_snapshot_append_cairo (snapshot, &GRAPHENE_RECT_INIT (0, 0, (float) width, (float) height));
#define X(i) (2 + (width - 8) * (line->n > 1 ? (double) (i) / (line->n - 1) : 1))
#define Y(i) (height - 3 - (height - 7) * CLAMP (line->values[i] / upper, 0, 1))
  flw_set_source (cr, FLW_GRID, 1);
  cairo_rectangle (cr, 2, height - 2, width - 4, 1);
  cairo_fill (cr);
  for (guint i = 0; i < line->n; i++)
    {
      if (!isfinite (line->values[i]))
        drawing = FALSE;
      else if (drawing)
        cairo_line_to (cr, X (i), Y (i));
      else
        {
          cairo_move_to (cr, X (i), Y (i));
          drawing = TRUE;
        }
    }
  flw_set_source (cr, line->rgb, 1);
  cairo_set_line_width (cr, 1.4);
  cairo_stroke (cr);
  cairo_arc (cr, X (last), Y (last), 2.5, 0, 2 * G_PI);
  cairo_fill (cr);
#undef X
#undef Y
  cairo_destroy (cr);
}

static char *
summary (FlwSparkline *line)
{
  int last = last_index (line);
  double least = INFINITY, most = -INFINITY;

  if (last < 0)
    return g_strdup (_ ("no values"));
  for (guint i = 0; i < line->n; i++)
    if (isfinite (line->values[i]))
      {
        least = fmin (least, line->values[i]);
        most = fmax (most, line->values[i]);
      }
  return g_strdup_printf (_ ("last %.3g%s, from %.3g to %.3g over %u values"), (double) line->values[last],
                          line->unit != NULL ? line->unit : "", least, most, line->n);
}

static void
flw_sparkline_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_SUMMARY)
    g_value_take_string (value, summary (FLW_SPARKLINE (object)));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
flw_sparkline_finalize (GObject *object)
{
  g_free (FLW_SPARKLINE (object)->values);
  g_free (FLW_SPARKLINE (object)->unit);
  G_OBJECT_CLASS (flw_sparkline_parent_class)->finalize (object);
}

static void
flw_sparkline_class_init (FlwSparklineClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->finalize = flw_sparkline_finalize;
  object_class->get_property = flw_sparkline_get_property;
  widget_class->measure = flw_sparkline_measure;
  widget_class->snapshot = flw_sparkline_snapshot;
  flw_chart_class_init (widget_class, PROP_SUMMARY, "sparkline");
}

static void
flw_sparkline_init (FlwSparkline *line)
{
  line->rgb = flw_class_colour (FLW_CLASS_INDEXED);
}

GtkWidget *
flw_sparkline_new (void)
{
  return g_object_new (FLW_TYPE_SPARKLINE, NULL);
}

void
flw_sparkline_set_values (FlwSparkline *line, guint n, const float *values, double upper, const char *unit)
{
  g_autofree char *text = NULL;

  g_free (line->values);
  line->values = g_memdup2 (values, n * sizeof *values);
  line->n = n;
  line->upper = upper;
  if (g_strcmp0 (unit, line->unit) != 0)
    {
      g_free (line->unit);
      line->unit = g_strdup (unit);
    }
  text = summary (line);
  gtk_widget_set_tooltip_text (GTK_WIDGET (line), text);
  flw_chart_summary_changed (GTK_WIDGET (line));
  gtk_widget_queue_draw (GTK_WIDGET (line));
}
