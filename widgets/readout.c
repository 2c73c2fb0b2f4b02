#include "widgets/readout.h"

#include <glib/gi18n.h>
#include <math.h>

#include "widgets/export.h"
#include "widgets/status-chip.h"
#include "widgets/theme.h"

#define POINTS_VALUE 24.0
#define PAD          10
#define STALE_AFTER  30.0 /* s */

struct _FlwReadout
{
  GtkWidget parent_instance;
  char *title, *unit, *widest, *widest_note;
  char *text, *note;
  gint64 time;
  FlwTone tone;
  gboolean lost;
  guint tick;      /* one-second clock while mapped */
  char *shown_age; /* as last drawn */
};

enum
{
  PROP_SUMMARY = 1
};

typedef enum
{
  NONE,
  FRESH,
  STALE,
  LOST
} State;

G_DEFINE_FINAL_TYPE (FlwReadout, flw_readout, GTK_TYPE_WIDGET)

char *
flw_format_age (double seconds)
{
  if (seconds < 0)
    seconds = 0;
  if (seconds < 60)
    return g_strdup_printf (_ ("%.0f s"), floor (seconds));
  if (seconds < 3600)
    return g_strdup_printf (_ ("%.0f min"), floor (seconds / 60));
  if (seconds < 48 * 3600)
    return g_strdup_printf (_ ("%.0f h"), floor (seconds / 3600));
  return g_strdup_printf (_ ("%.0f d"), floor (seconds / 86400));
}

static double
age (FlwReadout *readout)
{
  return (double) (g_get_real_time () - readout->time) * 1e-6;
}

static State
state (FlwReadout *readout)
{
  if (readout->lost)
    return LOST;
  if (readout->text == NULL)
    return NONE;
  return readout->time != 0 && age (readout) > STALE_AFTER ? STALE : FRESH;
}

/* The small line under the number: note and age, or why there is neither. */
static char *
small_line (FlwReadout *readout)
{
  g_autofree char *old = readout->time != 0 && readout->text != NULL ? flw_format_age (age (readout)) : NULL;
  const char *note = readout->note;

  switch (state (readout))
    {
    case LOST:
      return old != NULL ? g_strdup_printf (_ ("lost · %s ago"), old) : g_strdup (_ ("lost"));
    case NONE:
      return g_strdup (note != NULL ? note : _ ("no data"));
    case STALE:
      return g_strdup_printf (_ ("stale · %s ago"), old);
    default:
      if (note != NULL && old != NULL)
        return g_strdup_printf (_ ("%s · %s ago"), note, old);
      return note != NULL  ? g_strdup (note)
             : old != NULL ? g_strdup_printf (_ ("%s ago"), old)
                           : g_strdup ("");
    }
}

static char *
summary (FlwReadout *readout)
{
  g_autofree char *line = small_line (readout);

  if (readout->text == NULL)
    return g_strdup_printf ("%s: %s", readout->title, line);
  return g_strdup_printf ("%s: %s%s%s%s%s", readout->title, readout->text, readout->unit != NULL ? " " : "",
                          readout->unit != NULL ? readout->unit : "", *line != '\0' ? ", " : "", line);
}

static void
refresh (FlwReadout *readout)
{
  flw_chart_summary_changed (GTK_WIDGET (readout));
  gtk_widget_queue_draw (GTK_WIDGET (readout));
}

static gboolean
on_tick (gpointer data)
{
  FlwReadout *readout = data;
  g_autofree char *line = small_line (readout);

  if (g_strcmp0 (line, readout->shown_age) != 0)
    refresh (readout);
  return G_SOURCE_CONTINUE;
}

static void
flw_readout_map (GtkWidget *widget)
{
  FlwReadout *readout = FLW_READOUT (widget);

  GTK_WIDGET_CLASS (flw_readout_parent_class)->map (widget);
  readout->tick = g_timeout_add_seconds (1, on_tick, readout);
}

static void
flw_readout_unmap (GtkWidget *widget)
{
  g_clear_handle_id (&FLW_READOUT (widget)->tick, g_source_remove);
  GTK_WIDGET_CLASS (flw_readout_parent_class)->unmap (widget);
}

static void
flw_readout_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum, int *natural,
                     int *minimum_baseline, int *natural_baseline)
{
  FlwReadout *readout = FLW_READOUT (widget);
  g_autoptr (PangoLayout) value = flw_text_layout (widget, POINTS_VALUE, TRUE, readout->widest);
  int width, height, small, title, unit = 0, line;

  (void) for_size;
  pango_layout_get_pixel_size (value, &width, &height);
  flw_text_size (widget, FLW_POINTS_SMALL, readout->title, &title, &line);
  flw_text_size (widget, FLW_POINTS_SMALL,
                 readout->widest_note ? readout->widest_note : _ ("stale · 59 min ago"), &small, NULL);
  if (readout->unit != NULL)
    flw_text_size (widget, FLW_POINTS_BODY, readout->unit, &unit, NULL);
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? MAX (MAX (width + unit + 6, title), small) + 2 * PAD
                                                       : 2 * line + height + PAD;
  *natural = *minimum;
  *minimum_baseline = *natural_baseline = -1;
}

static void
draw (FlwReadout *readout, cairo_t *cr, double width, double height, const char *line)
{
  GtkWidget *widget = GTK_WIDGET (readout);
  State now = state (readout);
  guint32 value_colour =
      now == FRESH ? (readout->tone == FLW_TONE_NEUTRAL ? FLW_TEXT : flw_tone_colour (readout->tone))
                   : FLW_DIM;
  guint32 line_colour = now == STALE  ? flw_tone_colour (FLW_TONE_WARNING)
                        : now == LOST ? flw_tone_colour (FLW_TONE_BAD)
                                      : FLW_DIM;
  g_autoptr (PangoLayout) value =
      flw_text_layout (widget, POINTS_VALUE, now == FRESH, readout->text != NULL ? readout->text : "–");
  int value_width, value_height, line_height;
  double x = PAD, y;

  flw_text_size (widget, FLW_POINTS_SMALL, readout->title, NULL, &line_height);
  pango_layout_get_pixel_size (value, &value_width, &value_height);
  flw_text_draw_within (widget, cr, FLW_POINTS_SMALL, readout->title, PAD, PAD / 2., width - 2 * PAD,
                        FLW_DIM);
  y = PAD / 2. + line_height;
  cairo_move_to (cr, x, y);
  flw_set_source (cr, value_colour, 1);
  pango_cairo_show_layout (cr, value);
  if (readout->unit != NULL && readout->text != NULL)
    flw_text_draw (widget, cr, FLW_POINTS_BODY, readout->unit, x + value_width + 6, y + value_height * 0.86,
                   0, 1, FLW_DIM);
  if (now == LOST) /* struck through: not a value to act on */
    {
      flw_set_source (cr, line_colour, 1);
      cairo_set_line_width (cr, 2);
      cairo_move_to (cr, x, y + value_height / 2.);
      cairo_line_to (cr, x + value_width, y + value_height / 2.);
      cairo_stroke (cr);
    }
  y = height - PAD / 2. - line_height;
  if (now == STALE || now == LOST)
    {
      flw_set_source (cr, line_colour, 1);
      flw_shape_draw (cr, now == STALE ? FLW_SHAPE_CLOCK : FLW_SHAPE_CROSS, x, y + (line_height - 11) / 2.,
                      11);
      x += 16;
    }
  flw_text_draw_within (widget, cr, FLW_POINTS_SMALL, line, x, y, width - PAD - x, line_colour);
  if (now == LOST)
    {
      const double dashes[] = { 5, 4 };
      cairo_set_dash (cr, dashes, 2, 0);
      cairo_set_line_width (cr, 1.5);
      flw_set_source (cr, line_colour, 1);
      cairo_rectangle (cr, 1, 1, width - 2, height - 2);
      cairo_stroke (cr);
    }
}

static void
flw_readout_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  FlwReadout *readout = FLW_READOUT (widget);
  double width = gtk_widget_get_width (widget), height = gtk_widget_get_height (widget);
  cairo_t *cr =
      gtk_snapshot_append_cairo (snapshot, &GRAPHENE_RECT_INIT (0, 0, (float) width, (float) height));

  g_free (readout->shown_age);
  readout->shown_age = small_line (readout);
  draw (readout, cr, width, height, readout->shown_age);
  cairo_destroy (cr);
}

static void
flw_readout_finalize (GObject *object)
{
  FlwReadout *readout = FLW_READOUT (object);

  g_clear_handle_id (&readout->tick, g_source_remove);
  g_free (readout->title);
  g_free (readout->unit);
  g_free (readout->widest);
  g_free (readout->widest_note);
  g_free (readout->text);
  g_free (readout->note);
  g_free (readout->shown_age);
  G_OBJECT_CLASS (flw_readout_parent_class)->finalize (object);
}

static void
flw_readout_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_SUMMARY)
    g_value_take_string (value, summary (FLW_READOUT (object)));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
flw_readout_class_init (FlwReadoutClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->finalize = flw_readout_finalize;
  object_class->get_property = flw_readout_get_property;
  widget_class->measure = flw_readout_measure;
  widget_class->snapshot = flw_readout_snapshot;
  widget_class->map = flw_readout_map;
  widget_class->unmap = flw_readout_unmap;
  flw_chart_class_init (widget_class, PROP_SUMMARY, "readout");
}

static void
flw_readout_init (FlwReadout *readout)
{
  gtk_widget_set_overflow (GTK_WIDGET (readout), GTK_OVERFLOW_HIDDEN);
}

GtkWidget *
flw_readout_new (const char *title, const char *unit, const char *widest)
{
  FlwReadout *readout = g_object_new (FLW_TYPE_READOUT, NULL);

  readout->title = g_strdup (title);
  readout->unit = g_strdup (unit);
  readout->widest = g_strdup (widest);
  gtk_accessible_update_property (GTK_ACCESSIBLE (readout), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
  return GTK_WIDGET (readout);
}

void
flw_readout_set_value (FlwReadout *readout, const char *text, gint64 time)
{
  if (g_strcmp0 (text, readout->text) == 0 && time == readout->time)
    return;
  g_free (readout->text);
  readout->text = g_strdup (text);
  readout->time = time;
  refresh (readout);
}

void
flw_readout_set_tone (FlwReadout *readout, FlwTone tone)
{
  if (tone == readout->tone)
    return;
  readout->tone = tone;
  refresh (readout);
}

void
flw_readout_set_note (FlwReadout *readout, const char *note)
{
  if (g_strcmp0 (note, readout->note) == 0)
    return;
  g_free (readout->note);
  readout->note = g_strdup (note);
  refresh (readout);
}

void
flw_readout_set_widest_note (FlwReadout *readout, const char *note)
{
  g_free (readout->widest_note);
  readout->widest_note = g_strdup (note);
  gtk_widget_queue_resize (GTK_WIDGET (readout));
}

void
flw_readout_set_lost (FlwReadout *readout, gboolean lost)
{
  if (readout->lost == !!lost)
    return;
  readout->lost = !!lost;
  refresh (readout);
}
