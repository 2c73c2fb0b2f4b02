#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/job-strip.h"

#include <glib/gi18n.h>

#include "gui/job-row.h"

#define MOST 8
#define SIZE 12
#define STEP 16

struct _FlgJobStrip
{
  GtkWidget parent_instance;
  guint n;
  FlgShownState states[MOST]; /* the newest MOST */
};

G_DEFINE_FINAL_TYPE (FlgJobStrip, flg_job_strip, GTK_TYPE_WIDGET)

static void
flg_job_strip_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  FlgJobStrip *self = FLG_JOB_STRIP (widget);
  if (self->n == 0)
    return;
  int width = gtk_widget_get_width (widget), height = gtk_widget_get_height (widget);
  cairo_t *cr =
      gtk_snapshot_append_cairo (snapshot, &GRAPHENE_RECT_INIT (0, 0, (float) width, (float) height));
  for (guint i = 0; i < self->n; i++)
    {
      FlwShape shape;
      FlwTone tone;
      flg_shown_state_look (self->states[i], &shape, &tone);
      flw_set_source (cr, flw_tone_colour (tone), 1);
      flw_shape_draw (cr, shape, i * STEP + (STEP - SIZE) / 2.0, (height - SIZE) / 2.0, SIZE);
    }
  cairo_destroy (cr);
}

static void
flg_job_strip_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                       int *natural, int *minimum_baseline, int *natural_baseline)
{
  *minimum = *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 4 * STEP : STEP;
}

static void
flg_job_strip_class_init (FlgJobStripClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  widget_class->snapshot = flg_job_strip_snapshot;
  widget_class->measure = flg_job_strip_measure;
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
flg_job_strip_init (FlgJobStrip *self)
{
}

GtkWidget *
flg_job_strip_new (void)
{
  return g_object_new (FLG_TYPE_JOB_STRIP, NULL);
}

void
flg_job_strip_show_run (FlgJobStrip *self, FlgExperiment *experiment, gint64 run)
{
  g_autoptr (GPtrArray) jobs = flg_experiment_run_jobs (experiment, run);
  g_autoptr (GString) words = g_string_new (NULL);
  guint first = jobs->len > MOST ? jobs->len - MOST : 0;
  self->n = jobs->len - first;
  for (guint i = 0; i < self->n; i++)
    {
      const FlJob *job = flg_record_job (jobs->pdata[first + i]);
      const FlTrial *trial = flg_experiment_trial (experiment, job->trial);
      self->states[i] = flg_job_shown_state (job, flg_experiment_now (experiment));
      g_string_append_printf (words, _ ("%sjob %d (trial %d): %s"), words->len ? "\n" : "", (int) job->id,
                              trial ? trial->number : 0, flg_shown_state_name (self->states[i]));
      if (*job->reason)
        g_string_append_printf (words, " – %s", job->reason);
    }
  gtk_widget_set_tooltip_text (GTK_WIDGET (self), words->len ? words->str : NULL);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  words->len ? words->str : _ ("no jobs"), -1);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}
