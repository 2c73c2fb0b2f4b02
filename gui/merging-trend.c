#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/merging-trend.h"

#include <gio/gio.h>
#include <glib/gi18n.h>
#include <math.h>

#include "widgets/export.h"
#include "widgets/trend-plot.h"

#define STEPS   25  /* of the forecast */
#define LEAST   1.3 /* times the lattices that there are: so far it looks ahead, */
#define FURTHER 6.0 /* and never further than this */

struct _FlgMergingTrend
{
  GtkBox parent_instance;
  FlwTrendPlot *plot;
  FlOutlook *outlook; /* that is shown or on its way */
  FlDataset goals;    /* its goals; no strings */
  FlMetric metric;
  GCancellable *cancellable; /* of the forecast on its way; NULL: none is */
};

G_DEFINE_FINAL_TYPE (FlgMergingTrend, flg_merging_trend, GTK_TYPE_BOX)

typedef struct
{
  const char *title, *unit;
  double factor, upper;
  gsize goal; /* double in FlDataset */
} Shown;

static const Shown shown[FL_METRIC_LAST] = {
  [FL_METRIC_COMPLETENESS] = { N_ ("Completeness"), "%", 100, 100,
                               G_STRUCT_OFFSET (FlDataset, goal_completeness) },
  [FL_METRIC_MULTIPLICITY] = { N_ ("Multiplicity"), "", 1, 0,
                               G_STRUCT_OFFSET (FlDataset, goal_multiplicity) },
  [FL_METRIC_CC_HALF] = { N_ ("CC½"), "", 1, 1, G_STRUCT_OFFSET (FlDataset, goal_cc_half) },
  [FL_METRIC_CC_ANO] = { N_ ("CC ano"), "", 1, 1, G_STRUCT_OFFSET (FlDataset, goal_cc_ano) },
};

/* --- computing --- */

typedef struct
{
  FlOutlook *outlook;
  FlDataset goals;
  FlMetric metric;
} Question;

typedef struct
{
  guint n_points, n_steps;
  FlForecastPointOf points[FL_FORECAST_MOST_POINTS];
  double at[STEPS], value[STEPS], low[STEPS], high[STEPS];
} Answer;

static void
question_free (gpointer data)
{
  Question *question = data;
  fl_outlook_unref (question->outlook);
  g_free (question);
}

static const FlForecastItem *
item_of (const FlOutlook *outlook, FlMetric metric)
{
  for (guint i = 0; i < outlook->forecast.n; i++)
    if (outlook->forecast.items[i].metric == metric)
      return &outlook->forecast.items[i];
  return NULL;
}

/* To a little beyond where the goal will be reached, so far as that is known. */
static double
end_of (const FlOutlook *outlook, FlMetric metric)
{
  const FlForecastItem *item = item_of (outlook, metric);
  double have = (double) outlook->forecast.lattices, far = LEAST * have;
  if (item && !item->reached && isfinite (item->needed))
    far = fmax (far, 1.2 * item->needed);
  if (item && !item->reached && isfinite (item->high))
    far = fmax (far, 1.1 * item->high);
  if (item && !item->reached && !isfinite (item->needed))
    far = 3 * have;
  return fmin (far, FURTHER * have);
}

static void
compute (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Question *question = data;
  const FlForecastVersion *versions =
      (const FlForecastVersion *) (gpointer) question->outlook->versions->data;
  guint n = question->outlook->versions->len;
  double have = (double) question->outlook->forecast.lattices;
  double end = end_of (question->outlook, question->metric);
  Answer *answer = g_new0 (Answer, 1);
  answer->n_points = fl_forecast_points_of (&question->goals, versions, n, question->metric, answer->points);
  for (guint i = 0; i < STEPS; i++)
    answer->at[i] = have + (end - have) * i / (STEPS - 1);
  if (fl_forecast_curve (&question->goals, versions, n, question->metric, STEPS, answer->at, answer->value,
                         answer->low, answer->high))
    answer->n_steps = STEPS;
  g_task_return_pointer (task, answer, g_free);
}

/* --- showing --- */

static char *
title_of (const FlDataset *goals, FlMetric metric)
{
  double d = goals->goal_d_min;
  int digits = fabs (d * 10 - round (d * 10)) < 1e-6 ? 1 : 2; /* 2.0, 1.85 */
  return d > 0 && metric != FL_METRIC_CC_ANO
             ? g_strdup_printf (metric == FL_METRIC_CC_HALF ? _ ("%s at %.*f Å") : _ ("%s to %.*f Å"),
                                _ (shown[metric].title), digits, d)
             : g_strdup (_ (shown[metric].title));
}

static void
show (FlgMergingTrend *self, const Answer *answer)
{
  const Shown *how = &shown[self->metric];
  const FlForecastItem *item = item_of (self->outlook, self->metric);
  FlwTrendPoint points[FL_FORECAST_MOST_POINTS];
  FlwTrendStep steps[STEPS];
  for (guint i = 0; i < answer->n_points; i++)
    points[i] = (FlwTrendPoint){ answer->points[i].lattices, answer->points[i].value * how->factor,
                                 answer->points[i].earlier };
  for (guint i = 0; i < answer->n_steps; i++)
    steps[i] = (FlwTrendStep){ answer->at[i], answer->value[i] * how->factor, answer->low[i] * how->factor,
                               answer->high[i] * how->factor };
  double goal = G_STRUCT_MEMBER (double, &self->goals, how->goal);
  g_autofree char *title = title_of (&self->goals, self->metric);
  g_autofree char *newest = g_strdup_printf (_ ("version %d"), self->outlook->version);
  FlwTrend trend = { .title = title,
                     .unit = how->unit,
                     .newest = newest,
                     .earlier = _ ("earlier"),
                     .forecast = _ ("forecast 80 %"),
                     .n_points = answer->n_points,
                     .points = points,
                     .n_steps = answer->n_steps,
                     .steps = steps,
                     .upper = how->upper,
                     .goal = goal > 0 ? goal * how->factor : NAN,
                     .needed = item ? item->needed : NAN,
                     .low = item ? item->low : NAN,
                     .high = item ? item->high : NAN };
  flw_trend_plot_set (self->plot, &trend);
}

static void
on_computed (GObject *source, GAsyncResult *result, gpointer data)
{
  FlgMergingTrend *self = FLG_MERGING_TREND (source);
  g_autofree Answer *answer = g_task_propagate_pointer (G_TASK (result), NULL);
  if (!answer) /* another one is asked for */
    return;
  g_clear_object (&self->cancellable);
  if (answer->n_points > 0)
    show (self, answer);
  else
    flw_trend_plot_set (self->plot, NULL);
}

static void
forget (FlgMergingTrend *self)
{
  if (self->cancellable)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->outlook, fl_outlook_unref);
}

/* Rates alone change nothing here. */
static gboolean
is_shown (FlgMergingTrend *self, const FlOutlook *outlook, const FlDataset *goals, FlMetric metric)
{
  return self->outlook && self->metric == metric && self->outlook->versions == outlook->versions
         && memcmp (&self->goals, goals, sizeof *goals) == 0;
}

void
flg_merging_trend_show (FlgMergingTrend *self, FlOutlook *outlook, const FlDataset *dataset, FlMetric metric)
{
  if (!outlook || !dataset || outlook->versions->len == 0)
    {
      forget (self);
      flw_trend_plot_set (self->plot, NULL);
      return;
    }
  FlDataset goals = { .goal_d_min = dataset->goal_d_min,
                      .goal_completeness = dataset->goal_completeness,
                      .goal_multiplicity = dataset->goal_multiplicity,
                      .goal_cc_half = dataset->goal_cc_half,
                      .goal_cc_ano = dataset->goal_cc_ano };
  if (is_shown (self, outlook, &goals, metric))
    return;
  forget (self);
  self->outlook = fl_outlook_ref (outlook);
  self->goals = goals;
  self->metric = metric;
  self->cancellable = g_cancellable_new ();
  Question *question = g_new (Question, 1);
  *question = (Question){ fl_outlook_ref (outlook), goals, metric };
  g_autoptr (GTask) task = g_task_new (self, self->cancellable, on_computed, NULL);
  g_task_set_task_data (task, question, question_free);
  g_task_run_in_thread (task, compute);
}

gboolean
flg_merging_trend_is_settled (FlgMergingTrend *self)
{
  return self->cancellable == NULL;
}

char *
flg_merging_trend_summary (FlgMergingTrend *self)
{
  return flw_chart_summary (GTK_WIDGET (self->plot));
}

static void
flg_merging_trend_dispose (GObject *object)
{
  forget (FLG_MERGING_TREND (object));
  G_OBJECT_CLASS (flg_merging_trend_parent_class)->dispose (object);
}

static void
flg_merging_trend_class_init (FlgMergingTrendClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = flg_merging_trend_dispose;
}

static void
flg_merging_trend_init (FlgMergingTrend *self)
{
  self->plot = FLW_TREND_PLOT (flw_trend_plot_new (_ ("Lattices")));
  gtk_widget_set_hexpand (GTK_WIDGET (self->plot), TRUE);
  gtk_widget_set_vexpand (GTK_WIDGET (self->plot), TRUE);
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (self->plot));
}

GtkWidget *
flg_merging_trend_new (void)
{
  return g_object_new (FLG_TYPE_MERGING_TREND, NULL);
}
