#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/job-row.h"

#include <glib/gi18n.h>

#include <math.h>

#include "widgets/theme.h"

#define HEIGHT 26
#define GLYPH  12
#define PAD    8

struct _FlgJobRow
{
  GtkWidget parent_instance;
  FlgJobIndex *index;
  FlgRecord *job; /* NULL: none */
};

G_DEFINE_FINAL_TYPE (FlgJobRow, flg_job_row, GTK_TYPE_WIDGET)

void
flg_shown_state_look (FlgShownState state, FlwShape *shape, FlwTone *tone)
{
  static const struct
  {
    FlwShape shape;
    FlwTone tone;
  } looks[FLG_SHOWN_LAST] = {
    [FLG_SHOWN_PLANNED] = { FLW_SHAPE_DASH, FLW_TONE_NEUTRAL },
    [FLG_SHOWN_HELD] = { FLW_SHAPE_DIAMOND, FLW_TONE_WARNING },
    [FLG_SHOWN_UNDO] = { FLW_SHAPE_HALF, FLW_TONE_NEUTRAL },
    [FLG_SHOWN_SUBMITTING] = { FLW_SHAPE_ARROW, FLW_TONE_NEUTRAL },
    [FLG_SHOWN_QUEUED] = { FLW_SHAPE_RING, FLW_TONE_NEUTRAL },
    [FLG_SHOWN_RUNNING] = { FLW_SHAPE_TRIANGLE, FLW_TONE_ACTIVE },
    [FLG_SHOWN_DONE] = { FLW_SHAPE_DISC, FLW_TONE_GOOD },
    [FLG_SHOWN_FAILED] = { FLW_SHAPE_CROSS, FLW_TONE_BAD },
    [FLG_SHOWN_TIMED_OUT] = { FLW_SHAPE_CLOCK, FLW_TONE_BAD },
    [FLG_SHOWN_PREEMPTED] = { FLW_SHAPE_PAUSE, FLW_TONE_WARNING },
    [FLG_SHOWN_CANCELLED] = { FLW_SHAPE_SQUARE, FLW_TONE_NEUTRAL },
  };
  *shape = looks[state].shape;
  *tone = looks[state].tone;
}

static void
draw_text (cairo_t *cr, PangoLayout *layout, const char *text, const FlgJobPlace *place, double inset,
           gboolean right, guint32 rgb)
{
  int width, height;
  double room = place->width - 2 * PAD - inset;
  if (room < 8 || !*text)
    return;
  pango_layout_set_text (layout, text, -1);
  pango_layout_set_width (layout, (int) (room * PANGO_SCALE));
  pango_layout_get_pixel_size (layout, &width, &height);
  double x = place->x + PAD + inset + (right ? room - width : 0);
  cairo_move_to (cr, round (x), round ((HEIGHT - height) / 2.0));
  flw_set_source (cr, rgb, 1);
  pango_cairo_show_layout (cr, layout);
  cairo_new_path (cr);
}

static guint32
colour_of (const FlJob *job, FlgJobColumn column, const char *text)
{
  gboolean bad = job->state == FL_JOB_FAILED || job->state == FL_JOB_TIMED_OUT;
  if (column == FLG_JOB_REASON)
    return bad ? flw_tone_colour (FLW_TONE_BAD) : FLW_DIM;
  if (column == FLG_JOB_FAILED_SHOTS && *text != '0' && g_ascii_isdigit (*text))
    return flw_tone_colour (FLW_TONE_BAD);
  return FLW_TEXT;
}

static void
flg_job_row_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  FlgJobRow *self = FLG_JOB_ROW (widget);
  int width = gtk_widget_get_width (widget);
  FlgJobPlace places[FLG_JOB_COLUMN_LAST];
  if (!self->job)
    return;
  const FlJob *job = flg_record_job (self->job);
  FlwShape shape;
  FlwTone tone;
  flg_shown_state_look (
      flg_job_shown_state (job, flg_experiment_now (flg_job_index_experiment (self->index))), &shape, &tone);
  flg_job_columns_place (width, places);
  cairo_t *cr = gtk_snapshot_append_cairo (snapshot, &GRAPHENE_RECT_INIT (0, 0, (float) width, HEIGHT));
  g_autoptr (PangoLayout) layout = flw_text_layout (widget, FLW_POINTS_SMALL, FALSE, "");
  pango_layout_set_single_paragraph_mode (layout, TRUE);
  for (FlgJobColumn c = 0; c < FLG_JOB_COLUMN_LAST; c++)
    {
      if (places[c].width <= 0)
        continue;
      g_autofree char *text = flg_job_cell (self->index, job, c);
      gboolean state = c == FLG_JOB_STATE;
      /* A version's number is at the end of its name. */
      pango_layout_set_ellipsize (layout, c == FLG_JOB_RUN ? PANGO_ELLIPSIZE_MIDDLE : PANGO_ELLIPSIZE_END);
      guint32 rgb = state && tone != FLW_TONE_NEUTRAL ? flw_tone_colour (tone) : colour_of (job, c, text);
      draw_text (cr, layout, text, &places[c], state ? GLYPH + 7 : 0, flg_job_column (c)->right, rgb);
    }
  flw_set_source (cr, flw_tone_colour (tone), 1);
  flw_shape_draw (cr, shape, places[FLG_JOB_STATE].x + PAD, (HEIGHT - GLYPH) / 2.0, GLYPH);
  cairo_destroy (cr);
}

static void
flg_job_row_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum, int *natural,
                     int *minimum_baseline, int *natural_baseline)
{
  *minimum = *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 900 : HEIGHT;
  *minimum_baseline = *natural_baseline = -1;
}

static gboolean
flg_job_row_query_tooltip (GtkWidget *widget, int x, int y, gboolean keyboard, GtkTooltip *tooltip)
{
  FlgJobRow *self = FLG_JOB_ROW (widget);
  if (!self->job)
    return FALSE;
  g_autofree char *text = flg_job_explain (self->index, flg_record_job (self->job));
  gtk_tooltip_set_text (tooltip, text);
  return *text != '\0';
}

static void
on_stamp (FlgJobRow *self)
{
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
tell (FlgJobRow *self)
{
  const FlJob *job = flg_record_job (self->job);
  g_autofree char *what = flg_job_of_what (self->index, job),
                  *state = flg_job_cell (self->index, job, FLG_JOB_STATE),
                  *reason = flg_job_reason (self->index, job);
  g_autofree char *text = g_strdup_printf (_ ("job %d, %s, trial %d: %s %s"), (int) job->id, what,
                                           flg_job_trial_number (self->index, job), state, reason);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, text, -1);
}

void
flg_job_row_set_job (FlgJobRow *self, FlgRecord *job)
{
  if (self->job)
    g_signal_handlers_disconnect_by_func (self->job, on_stamp, self);
  g_set_object (&self->job, job);
  if (job)
    {
      g_signal_connect_object (job, "notify::stamp", G_CALLBACK (on_stamp), self, G_CONNECT_SWAPPED);
      tell (self);
    }
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
flg_job_row_dispose (GObject *object)
{
  flg_job_row_set_job (FLG_JOB_ROW (object), NULL);
  G_OBJECT_CLASS (flg_job_row_parent_class)->dispose (object);
}

static void
flg_job_row_class_init (FlgJobRowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = flg_job_row_dispose;
  widget_class->snapshot = flg_job_row_snapshot;
  widget_class->measure = flg_job_row_measure;
  widget_class->query_tooltip = flg_job_row_query_tooltip;
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_LABEL);
  gtk_widget_class_set_css_name (widget_class, "jobrow");
}

static void
flg_job_row_init (FlgJobRow *self)
{
  gtk_widget_set_has_tooltip (GTK_WIDGET (self), TRUE);
}

GtkWidget *
flg_job_row_new (FlgJobIndex *index)
{
  FlgJobRow *self = g_object_new (FLG_TYPE_JOB_ROW, NULL);
  self->index = index;
  return GTK_WIDGET (self);
}
