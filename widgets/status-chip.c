#include "widgets/status-chip.h"

#include <glib/gi18n.h>
#include <math.h>

#include "widgets/theme.h"

#define SHAPE 12

struct _FlwStatusChip
{
  GtkWidget parent_instance;
  FlwShape shape;
  FlwTone tone;
  char *word;
};

enum
{
  PROP_SUMMARY = 1
};

G_DEFINE_FINAL_TYPE (FlwStatusChip, flw_status_chip, GTK_TYPE_WIDGET)

void
flw_shape_draw (cairo_t *cr, FlwShape shape, double x, double y, double size)
{
  double r = size / 2, cx = x + r, cy = y + r;

  cairo_new_path (cr);
  cairo_set_line_width (cr, fmax (size / 7, 1.2));
  switch (shape)
    {
    case FLW_SHAPE_RING:
      cairo_arc (cr, cx, cy, r - 1, 0, 2 * G_PI);
      cairo_stroke (cr);
      break;
    case FLW_SHAPE_HALF:
      cairo_arc (cr, cx, cy, r - 1, 0, 2 * G_PI);
      cairo_stroke (cr);
      cairo_arc (cr, cx, cy, r - 1, G_PI / 2, 1.5 * G_PI);
      cairo_fill (cr);
      break;
    case FLW_SHAPE_TRIANGLE:
      cairo_move_to (cr, x + 1, y);
      cairo_line_to (cr, x + size, cy);
      cairo_line_to (cr, x + 1, y + size);
      cairo_close_path (cr);
      cairo_fill (cr);
      break;
    case FLW_SHAPE_DISC:
      cairo_arc (cr, cx, cy, r - 0.5, 0, 2 * G_PI);
      cairo_fill (cr);
      break;
    case FLW_SHAPE_CROSS:
      cairo_set_line_width (cr, fmax (size / 5, 1.6));
      cairo_move_to (cr, x + 1, y + 1);
      cairo_line_to (cr, x + size - 1, y + size - 1);
      cairo_move_to (cr, x + size - 1, y + 1);
      cairo_line_to (cr, x + 1, y + size - 1);
      cairo_stroke (cr);
      break;
    case FLW_SHAPE_SQUARE:
      cairo_rectangle (cr, x + 1, y + 1, size - 2, size - 2);
      cairo_fill (cr);
      break;
    case FLW_SHAPE_CLOCK:
      cairo_arc (cr, cx, cy, r - 1, 0, 2 * G_PI);
      cairo_stroke (cr);
      cairo_move_to (cr, cx, cy - r * 0.6);
      cairo_line_to (cr, cx, cy);
      cairo_line_to (cr, cx + r * 0.5, cy);
      cairo_stroke (cr);
      break;
    case FLW_SHAPE_PAUSE:
      cairo_rectangle (cr, x + size * 0.15, y + 1, size * 0.26, size - 2);
      cairo_rectangle (cr, x + size * 0.59, y + 1, size * 0.26, size - 2);
      cairo_fill (cr);
      break;
    case FLW_SHAPE_DIAMOND:
      cairo_move_to (cr, cx, y);
      cairo_line_to (cr, x + size, cy);
      cairo_line_to (cr, cx, y + size);
      cairo_line_to (cr, x, cy);
      cairo_close_path (cr);
      cairo_fill (cr);
      break;
    case FLW_SHAPE_ARROW:
      cairo_move_to (cr, x + 1, cy);
      cairo_line_to (cr, x + size - 1, cy);
      cairo_move_to (cr, cx, y + 1.5);
      cairo_line_to (cr, x + size - 1, cy);
      cairo_line_to (cr, cx, y + size - 1.5);
      cairo_stroke (cr);
      break;
    default:
      cairo_move_to (cr, x + 1, cy);
      cairo_line_to (cr, x + size - 1, cy);
      cairo_stroke (cr);
    }
}

static void
flw_status_chip_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                         int *natural, int *minimum_baseline, int *natural_baseline)
{
  FlwStatusChip *chip = FLW_STATUS_CHIP (widget);
  int width, height;

  (void) for_size;
  flw_text_size (widget, FLW_POINTS_SMALL, chip->word != NULL ? chip->word : "", &width, &height);
  *minimum = *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? width + SHAPE + 7 : MAX (height, SHAPE);
  *minimum_baseline = *natural_baseline = -1;
}

static void
flw_status_chip_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  FlwStatusChip *chip = FLW_STATUS_CHIP (widget);
  double width = gtk_widget_get_width (widget), height = gtk_widget_get_height (widget);
  cairo_t *cr;

  if (chip->word == NULL)
    return;
  cr = gtk_snapshot_append_cairo (snapshot, &GRAPHENE_RECT_INIT (0, 0, (float) width, (float) height));
  flw_set_source (cr, flw_tone_colour (chip->tone), 1);
  flw_shape_draw (cr, chip->shape, 0, floor ((height - SHAPE) / 2), SHAPE);
  flw_text_draw (widget, cr, FLW_POINTS_SMALL, chip->word, SHAPE + 7, height / 2, 0, 0.5,
                 chip->tone == FLW_TONE_NEUTRAL ? FLW_TEXT : flw_tone_colour (chip->tone));
  cairo_destroy (cr);
}

static void
flw_status_chip_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_SUMMARY)
    g_value_set_string (value, FLW_STATUS_CHIP (object)->word);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
flw_status_chip_finalize (GObject *object)
{
  g_free (FLW_STATUS_CHIP (object)->word);
  G_OBJECT_CLASS (flw_status_chip_parent_class)->finalize (object);
}

static void
flw_status_chip_class_init (FlwStatusChipClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->finalize = flw_status_chip_finalize;
  object_class->get_property = flw_status_chip_get_property;
  widget_class->measure = flw_status_chip_measure;
  widget_class->snapshot = flw_status_chip_snapshot;
  flw_chart_class_init (widget_class, PROP_SUMMARY, "statuschip");
}

static void
flw_status_chip_init (FlwStatusChip *chip)
{
  gtk_widget_set_valign (GTK_WIDGET (chip), GTK_ALIGN_CENTER);
}

GtkWidget *
flw_status_chip_new (void)
{
  return g_object_new (FLW_TYPE_STATUS_CHIP, NULL);
}

void
flw_status_chip_set (FlwStatusChip *chip, FlwShape shape, FlwTone tone, const char *word)
{
  if (chip->shape == shape && chip->tone == tone && g_strcmp0 (chip->word, word) == 0)
    return;
  if (g_strcmp0 (chip->word, word) != 0)
    gtk_widget_queue_resize (GTK_WIDGET (chip));
  chip->shape = shape;
  chip->tone = tone;
  g_free (chip->word);
  chip->word = g_strdup (word);
  flw_chart_summary_changed (GTK_WIDGET (chip));
  gtk_widget_queue_draw (GTK_WIDGET (chip));
}

void
flw_status_chip_set_state (FlwStatusChip *chip, const char *state, const char *detail)
{
  static const struct
  {
    const char *state, *word;
    FlwShape shape;
    FlwTone tone;
  } known[] = {
    { "planned", N_ ("planned"), FLW_SHAPE_DASH, FLW_TONE_NEUTRAL },
    { "held", N_ ("to approve"), FLW_SHAPE_DIAMOND, FLW_TONE_WARNING },
    { "submitting", N_ ("submitting"), FLW_SHAPE_ARROW, FLW_TONE_NEUTRAL },
    { "queued", N_ ("queued"), FLW_SHAPE_RING, FLW_TONE_NEUTRAL },
    { "running", N_ ("running"), FLW_SHAPE_TRIANGLE, FLW_TONE_ACTIVE },
    { "done", N_ ("done"), FLW_SHAPE_DISC, FLW_TONE_GOOD },
    { "failed", N_ ("failed"), FLW_SHAPE_CROSS, FLW_TONE_BAD },
    { "cancelled", N_ ("cancelled"), FLW_SHAPE_SQUARE, FLW_TONE_NEUTRAL },
    { "timed-out", N_ ("timed out"), FLW_SHAPE_CLOCK, FLW_TONE_BAD },
    { "preempted", N_ ("preempted"), FLW_SHAPE_PAUSE, FLW_TONE_WARNING },
    { "up", N_ ("up"), FLW_SHAPE_DISC, FLW_TONE_GOOD },
    { "slow", N_ ("slow"), FLW_SHAPE_HALF, FLW_TONE_WARNING },
    { "lost", N_ ("lost"), FLW_SHAPE_CROSS, FLW_TONE_BAD },
  };

  gtk_widget_set_tooltip_text (GTK_WIDGET (chip), detail);
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_strcmp0 (state, known[i].state) == 0)
      {
        flw_status_chip_set (chip, known[i].shape, known[i].tone, _ (known[i].word));
        return;
      }
  flw_status_chip_set (chip, FLW_SHAPE_DASH, FLW_TONE_NEUTRAL, state);
}
