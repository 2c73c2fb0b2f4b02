#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/compare-panel.h"

#include <glib/gi18n.h>

#include "gui/chooser.h"
#include "gui/result-table.h"

struct _FlgComparePanel
{
  GtkBox parent_instance;
  FlgContext *context;
  FlgExperiment *experiment;
  FlwImageView *view; /* NULL: closed */
  GtkLabel *tag;
  FlgChooser *choosers[FLG_N_SIDES];
  FlgResultTable *table;
  GtkLabel *words; /* in its place */
  FlgShotResults *results;
  FlgTrialTuner *tuner; /* NULL: not begun */
  gint64 run, job;
  gint64 site;                  /* where the shot's path is true */
  char *path, *geometry, *mask; /* of the shot; path NULL: none */
  FlgSide shown;
  gboolean setting; /* the choosers are being set by us */
};

enum
{
  JOB_CHOSEN,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgComparePanel, flg_compare_panel, GTK_TYPE_BOX)

/* --- what a side is --- */

static char *
trial_label (FlgComparePanel *self, gint64 id)
{
  const FlTrial *trial = flg_experiment_trial (self->experiment, id);
  return trial ? g_strdup_printf (_ ("Trial %d"), trial->number) : g_strdup (_ ("No trial"));
}

static char *
side_label (FlgComparePanel *self, gint64 what)
{
  if (what == FLG_CHANGED_VALUES)
    return g_strdup (_ ("Changed values, tried"));
  if (what == 0 || what == G_MININT64)
    return g_strdup (_ ("Nothing"));
  const FlJob *job = what > 0 ? flg_experiment_job (self->experiment, what) : NULL;
  g_autofree char *trial = trial_label (self, job ? job->trial : -what);
  return what > 0 ? g_strdup_printf (_ ("%s, stored (job %" G_GINT64_FORMAT ")"), trial, what)
                  : g_strdup_printf (_ ("%s, tried"), trial);
}

/* Paths in parameters are the experiment's. */
static void
make_paths_absolute (FlgComparePanel *self, FlParams *params)
{
  guint n;
  const FlParamSpec *specs = fl_param_specs (&n);
  for (guint i = 0; i < n; i++)
    {
      const char *path = fl_params_text (params, specs[i].name);
      if (specs[i].type != FL_PARAM_PATH || !*path || g_path_is_absolute (path))
        continue;
      g_autofree char *absolute = g_build_filename (flg_experiment_home (self->experiment), path, NULL);
      fl_params_set (params, specs[i].name, absolute, NULL);
    }
}

/* Of a job; or of a trial as it would be used on this run. */
static FlParams *
params_of (FlgComparePanel *self, gint64 what)
{
  const FlJob *best = flg_experiment_best_job (self->experiment, self->run);
  FlJob job = { .trial = -what, .block = best ? best->block : 0, .task = best ? best->task : 0 };
  const FlJob *given = what > 0 ? flg_experiment_job (self->experiment, what) : NULL;
  return flg_experiment_job_params (self->experiment, given ? given : &job);
}

/* A trial is tried where the image is: its geometry and mask are those that lie there. */
static void
use_detector_there (FlgComparePanel *self, FlParams *params)
{
  if (!flg_experiment_site_is_far (self->experiment, self->site) || !self->path)
    return;
  fl_params_set (params, "detector.geometry", self->geometry, NULL);
  fl_params_set (params, "detector.mask", self->mask, NULL);
}

/* A job's results are at its own site, whatever site the image comes from. */
static void
ask_at (FlgComparePanel *self, FlgSide side, gint64 site)
{
  g_autofree char *path =
      self->path ? flg_experiment_move_path (self->experiment, self->path, self->site, site) : NULL;
  flg_shot_results_set_asked (self->results, side, flg_context_view_for_site (self->context, site), path);
}

static void
ask_side (FlgComparePanel *self, FlgSide side)
{
  gint64 what = flg_chooser_get (self->choosers[side]);
  g_autoptr (FlParams) params = NULL;
  if (what == 0 || what == G_MININT64)
    {
      flg_shot_results_set_side (self->results, side, FLG_RESULT_NONE, NULL);
      return;
    }
  if (what > 0 && what != FLG_CHANGED_VALUES)
    {
      const FlJob *job = flg_experiment_job (self->experiment, what);
      gint64 site = job ? flg_experiment_job_site (self->experiment, job) : 0;
      g_autofree char *folder =
          job ? flg_experiment_resolve_at (self->experiment, site, job->root, job->path) : NULL;
      ask_at (self, side, site);
      flg_shot_results_set_side (self->results, side, FLG_RESULT_STORED, folder ? folder : "");
      return;
    }
  params = what != FLG_CHANGED_VALUES ? params_of (self, what)
           : self->tuner              ? flg_trial_tuner_params (self->tuner)
                                      : NULL;
  if (!params) /* a value that is not good: what was tried before stays */
    return;
  make_paths_absolute (self, params);
  use_detector_there (self, params);
  ask_at (self, side, self->site);
  g_autofree char *text = fl_params_write (params);
  flg_shot_results_set_side (self->results, side, FLG_RESULT_TRIED, text);
}

/* --- over the image --- */

static void
show_tag (FlgComparePanel *self)
{
  const FlgShotResult *result = flg_shot_results_get (self->results, self->shown);
  gboolean tried = result->kind == FLG_RESULT_TRIED;
  g_autofree char *what = side_label (self, flg_chooser_get (self->choosers[self->shown]));
  g_autoptr (GString) text = g_string_new (self->shown == FLG_SIDE_A ? "A   " : "B   ");
  g_string_append (text, what);
  if (tried)
    g_string_append (text, _ (", not stored"));
  if (result->waiting)
    g_string_append (text, tried ? _ ("  ·  trying …") : _ ("  ·  loading …"));
  else if (result->error)
    g_string_append (text, _ ("  ·  failed"));
  else if (tried && result->spots)
    g_string_append_printf (text, _ ("  ·  %u ms"), result->milliseconds);
  gtk_label_set_label (self->tag, text->str);
  if (tried)
    gtk_widget_add_css_class (GTK_WIDGET (self->tag), "tried");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (self->tag), "tried");
  gtk_widget_set_visible (GTK_WIDGET (self->tag),
                          tried || flg_shot_results_get (self->results, FLG_SIDE_B)->kind != FLG_RESULT_NONE);
}

static void
show_results (FlgComparePanel *self)
{
  if (!self->view)
    return;
  if (flg_shot_results_get (self->results, self->shown)->kind == FLG_RESULT_NONE)
    self->shown = FLG_SIDE_A;
  const FlgShotResult *result = flg_shot_results_get (self->results, self->shown);
  flw_image_view_set_spots (self->view, result->spot_marks->len,
                            (const FlwImageSpot *) (gpointer) result->spot_marks->data);
  flw_image_view_set_predictions (self->view, result->prediction_marks->len,
                                  (const FlwImagePrediction *) (gpointer) result->prediction_marks->data);
  flg_result_table_update (self->table, self->results, self->shown);
  show_tag (self);
  g_autofree char *summary = flg_compare_panel_summary (self);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->table), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, summary,
                                  -1);
}

void
flg_compare_panel_show_side (FlgComparePanel *self, FlgSide side)
{
  self->shown = side;
  show_results (self);
}

FlgSide
flg_compare_panel_shown (FlgComparePanel *self)
{
  return self->shown;
}

/* --- choosing --- */

static void
on_chosen (FlgComparePanel *self, gint64 what, FlgChooser *chooser)
{
  FlgSide side = chooser == self->choosers[FLG_SIDE_A] ? FLG_SIDE_A : FLG_SIDE_B;
  if (!self->view)
    return;
  ask_side (self, side);
  if (!self->setting)
    {
      gboolean nothing = flg_shot_results_get (self->results, side)->kind == FLG_RESULT_NONE;
      flg_compare_panel_show_side (self, nothing ? FLG_SIDE_A : side);
    }
  if (!self->setting && side == FLG_SIDE_A && what > 0 && what != FLG_CHANGED_VALUES && what != self->job)
    {
      self->job = what;
      g_signal_emit (self, signals[JOB_CHOSEN], 0, what);
    }
}

static void
add_sides (FlgComparePanel *self, FlgChooser *chooser, gboolean may_be_nothing)
{
  g_autoptr (GPtrArray) jobs = flg_experiment_run_jobs (self->experiment, self->run);
  FlgRecordModel *trials = flg_experiment_table (self->experiment, FL_TABLE_TRIAL);
  guint n = 0;
  flg_chooser_begin (chooser);
  if (may_be_nothing)
    flg_chooser_add (chooser, 0, _ ("Nothing"));
  for (guint i = jobs->len; i > 0; i--)
    {
      const FlJob *job = flg_record_job (jobs->pdata[i - 1]);
      g_autofree char *label = side_label (self, job->id);
      if (job->id != self->job && !flg_experiment_job_stats (self->experiment, job->id))
        continue;
      flg_chooser_add (chooser, job->id, label);
      n++;
    }
  if (n == 0 && !may_be_nothing)
    flg_chooser_add (chooser, 0, _ ("Nothing"));
  for (guint i = flg_record_model_count (trials); i > 0; i--)
    {
      gint64 id = flg_record_id (flg_record_model_at (trials, i - 1));
      g_autofree char *label = side_label (self, -id);
      flg_chooser_add (chooser, -id, label);
    }
  if (self->tuner)
    {
      g_autofree char *label = side_label (self, FLG_CHANGED_VALUES);
      flg_chooser_add (chooser, FLG_CHANGED_VALUES, label);
    }
  flg_chooser_end (chooser);
}

void
flg_compare_panel_refill (FlgComparePanel *self)
{
  self->setting = TRUE;
  add_sides (self, self->choosers[FLG_SIDE_A], FALSE);
  add_sides (self, self->choosers[FLG_SIDE_B], TRUE);
  self->setting = FALSE;
}

void
flg_compare_panel_set_run (FlgComparePanel *self, gint64 run, gint64 job)
{
  self->run = run;
  self->job = job;
  flg_compare_panel_refill (self);
  self->setting = TRUE;
  if (job)
    flg_chooser_choose (self->choosers[FLG_SIDE_A], job);
  self->setting = FALSE;
  ask_side (self, FLG_SIDE_A); /* a trial means another thing where another block holds */
  ask_side (self, FLG_SIDE_B);
  show_results (self);
}

void
flg_compare_panel_set_calibration (FlgComparePanel *self, const char *calibration)
{
  flg_shot_results_set_calibration (self->results, calibration);
}

void
flg_compare_panel_set_shot (FlgComparePanel *self, const char *path, const char *geometry, const char *mask,
                            guint32 frame)
{
  g_free (self->path);
  g_free (self->geometry);
  g_free (self->mask);
  self->path = g_strdup (path);
  self->geometry = g_strdup (geometry ? geometry : "");
  self->mask = g_strdup (mask ? mask : "");
  flg_shot_results_set_shot (self->results, path, geometry, mask, frame);
  ask_side (self, FLG_SIDE_A);
  ask_side (self, FLG_SIDE_B);
}

void
flg_compare_panel_set_words (FlgComparePanel *self, const char *words)
{
  gtk_label_set_label (self->words, words ? words : "");
  gtk_widget_set_visible (GTK_WIDGET (self->words), words != NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->table), words == NULL);
}

void
flg_compare_panel_foresee (FlgComparePanel *self, const char *path, const char *geometry, const char *mask,
                           guint32 frame)
{
  flg_shot_results_foresee (self->results, path, geometry, mask, frame);
}

void
flg_compare_panel_set_place (FlgComparePanel *self, gint64 site)
{
  self->site = site;
}

void
flg_compare_panel_choose (FlgComparePanel *self, FlgSide side, gint64 what)
{
  flg_chooser_choose (self->choosers[side], what);
}

static void
on_tuned (FlgComparePanel *self)
{
  if (!self->view)
    return;
  if (flg_chooser_get (self->choosers[FLG_SIDE_B]) == FLG_CHANGED_VALUES)
    ask_side (self, FLG_SIDE_B);
  if (flg_chooser_get (self->choosers[FLG_SIDE_A]) == FLG_CHANGED_VALUES)
    ask_side (self, FLG_SIDE_A);
  flg_compare_panel_show_side (self, FLG_SIDE_B);
}

void
flg_compare_panel_tune (FlgComparePanel *self, FlgTrialTuner *tuner)
{
  if (!self->tuner)
    {
      gint64 b = flg_chooser_get (self->choosers[FLG_SIDE_B]),
             a = flg_chooser_get (self->choosers[FLG_SIDE_A]);
      gint64 from = b != 0 && b != G_MININT64 ? b : a == G_MININT64 ? 0 : a;
      const FlJob *job = from > 0 ? flg_experiment_job (self->experiment, from) : NULL;
      g_autoptr (FlParams) params = params_of (self, from);
      g_autofree char *trial = trial_label (self, job ? job->trial : -from);
      g_autofree char *title = g_strdup_printf (_ ("%s, values to try"), trial);
      make_paths_absolute (self, params);
      flg_trial_tuner_begin (tuner, params, title);
      g_signal_connect_object (tuner, "tuned", G_CALLBACK (on_tuned), self, G_CONNECT_SWAPPED);
      self->tuner = tuner;
      flg_compare_panel_refill (self);
    }
  flg_chooser_choose (self->choosers[FLG_SIDE_B], FLG_CHANGED_VALUES);
}

/* --- what there is --- */

gboolean
flg_compare_panel_is_idle (FlgComparePanel *self)
{
  return flg_shot_results_is_idle (self->results) && (!self->tuner || flg_trial_tuner_is_idle (self->tuner));
}

const FlgShotResult *
flg_compare_panel_result (FlgComparePanel *self, FlgSide side)
{
  return flg_shot_results_get (self->results, side);
}

char *
flg_compare_panel_summary (FlgComparePanel *self)
{
  GString *text = g_string_new (NULL);
  for (FlgSide side = FLG_SIDE_A; side < FLG_N_SIDES; side++)
    {
      const FlgShotResult *result = flg_shot_results_get (self->results, side);
      if (result->kind == FLG_RESULT_NONE)
        continue;
      g_autofree char *what = side_label (self, flg_chooser_get (self->choosers[side]));
      g_autofree char *numbers = flg_result_summary (result);
      g_string_append_printf (text, "%s%s %s: %s", text->len ? "; " : "", side == FLG_SIDE_A ? "A" : "B",
                              what, numbers);
    }
  return g_string_free (text, FALSE);
}

/* --- widget --- */

GtkWidget *
flg_compare_panel_new (FlgContext *context, FlwImageView *view, GtkLabel *tag)
{
  FlgComparePanel *self = g_object_new (FLG_TYPE_COMPARE_PANEL, NULL);
  self->context = g_object_ref (context);
  self->experiment = g_object_ref (flg_context_experiment (context));
  self->view = view;
  self->tag = tag;
  self->results = flg_shot_results_new (flg_context_view (context));
  g_signal_connect_object (self->results, "changed", G_CALLBACK (show_results), self, G_CONNECT_SWAPPED);
  show_results (self);
  return GTK_WIDGET (self);
}

void
flg_compare_panel_close (FlgComparePanel *self)
{
  self->view = NULL;
  self->tuner = NULL;
  flg_shot_results_close (self->results);
}

static void
flg_compare_panel_finalize (GObject *object)
{
  FlgComparePanel *self = FLG_COMPARE_PANEL (object);
  g_object_unref (self->results);
  g_object_unref (self->experiment);
  g_object_unref (self->context);
  g_free (self->path);
  g_free (self->geometry);
  g_free (self->mask);
  G_OBJECT_CLASS (flg_compare_panel_parent_class)->finalize (object);
}

static void
flg_compare_panel_class_init (FlgComparePanelClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = flg_compare_panel_finalize;
  signals[JOB_CHOSEN] = g_signal_new ("job-chosen", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                      NULL, NULL, G_TYPE_NONE, 1, G_TYPE_INT64);
}

static void
flg_compare_panel_init (FlgComparePanel *self)
{
  static const char *const names[FLG_N_SIDES] = { "A", "B" };
  GtkGrid *grid = GTK_GRID (gtk_grid_new ());
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  gtk_box_set_spacing (GTK_BOX (self), 8);
  gtk_grid_set_column_spacing (grid, 8);
  gtk_grid_set_row_spacing (grid, 4);
  for (int side = 0; side < FLG_N_SIDES; side++)
    {
      GtkWidget *label = gtk_label_new (names[side]);
      gtk_widget_add_css_class (label, "heading");
      self->choosers[side] = FLG_CHOOSER (flg_chooser_new ());
      gtk_widget_set_hexpand (GTK_WIDGET (self->choosers[side]), TRUE);
      gtk_grid_attach (grid, label, 0, side, 1, 1);
      gtk_grid_attach (grid, GTK_WIDGET (self->choosers[side]), 1, side, 1, 1);
      g_signal_connect_object (self->choosers[side], "chosen", G_CALLBACK (on_chosen), self,
                               G_CONNECT_SWAPPED);
    }
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (grid));
  self->table = FLG_RESULT_TABLE (flg_result_table_new ());
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (self->table));
  self->words = GTK_LABEL (gtk_label_new (NULL));
  gtk_label_set_xalign (self->words, 0);
  gtk_label_set_selectable (self->words, TRUE);
  gtk_widget_add_css_class (GTK_WIDGET (self->words), "numeric");
  gtk_widget_set_visible (GTK_WIDGET (self->words), FALSE);
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (self->words));
}
