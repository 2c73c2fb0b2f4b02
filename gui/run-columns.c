#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/run-columns.h"

#include <glib/gi18n.h>

#include <string.h>

#include "gui/columns.h"
#include "gui/job-strip.h"
#include "gui/people.h"
#include "gui/text.h"
#include "widgets/sparkline.h"
#include "widgets/status-chip.h"
#include "widgets/tag-chips.h"

/* The functions' `data` is the experiment. */

static void
fill_run (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  gtk_label_set_label (GTK_LABEL (cell), flg_record_run (record)->name);
}

static int
compare_run (FlgRecord *a, FlgRecord *b, gpointer data)
{
  return fl_run_name_compare (flg_record_run (a)->name, flg_record_run (b)->name);
}

static GtkWidget *
make_chip (gpointer data)
{
  GtkWidget *chip = flw_status_chip_new ();
  gtk_widget_set_halign (chip, GTK_ALIGN_START);
  return chip;
}

static void
fill_state (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlRun *run = flg_record_run (record);
  if (g_str_equal (run->state, "recording"))
    flw_status_chip_set (FLW_STATUS_CHIP (cell), FLW_SHAPE_TRIANGLE, FLW_TONE_ACTIVE, _ ("recording"));
  else if (g_str_equal (run->state, "damaged") || *run->problem)
    flw_status_chip_set (FLW_STATUS_CHIP (cell), FLW_SHAPE_CROSS, FLW_TONE_WARNING,
                         g_str_equal (run->state, "damaged") ? _ ("damaged") : _ ("problem"));
  else
    flw_status_chip_set (FLW_STATUS_CHIP (cell), FLW_SHAPE_DISC, FLW_TONE_NEUTRAL, _ ("complete"));
  gtk_widget_set_tooltip_text (cell, *run->problem ? run->problem : NULL);
}

static void
fill_started (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  g_autofree char *text = flg_format_time (flg_record_run (record)->first_seen, flg_experiment_now (data));
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static int
compare_started (FlgRecord *a, FlgRecord *b, gpointer data)
{
  guint64 x = flg_record_run (a)->first_seen, y = flg_record_run (b)->first_seen;
  return x < y ? -1 : x > y;
}

static gint64
shots_of (FlgRecord *record, gpointer data)
{
  const FlJobStats *stats = flg_experiment_run_stats (data, flg_record_id (record));
  return MAX ((gint64) flg_record_run (record)->shots, stats ? stats->shots : 0);
}

static double
rate_of (FlgRecord *record, gpointer data)
{
  const FlJobStats *stats = flg_experiment_run_stats (data, flg_record_id (record));
  return stats && stats->shots > 0 ? (double) stats->hits / (double) stats->shots : -1;
}

static void
fill_shots (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  gint64 shots = shots_of (record, data);
  g_autofree char *text = shots ? flg_format_count (shots) : g_strdup ("–");
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static void
fill_processed (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlJobStats *stats = flg_experiment_run_stats (data, flg_record_id (record));
  g_autofree char *text = flg_format_percent (stats ? stats->shots : 0, shots_of (record, data));
  if (stats && stats->shots >= shots_of (record, data))
    gtk_label_set_label (GTK_LABEL (cell), _ ("all"));
  else
    gtk_label_set_label (GTK_LABEL (cell), text);
}

static int
compare_shots (FlgRecord *a, FlgRecord *b, gpointer data)
{
  gint64 x = shots_of (a, data), y = shots_of (b, data);
  return x < y ? -1 : x > y;
}

static void
fill_indexed (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  flg_cell_indexed (cell, flg_experiment_run_stats (data, flg_record_id (record)));
}

static void
fill_hits (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlJobStats *stats = flg_experiment_run_stats (data, flg_record_id (record));
  g_autofree char *text = flg_format_percent (stats ? stats->hits : 0, stats ? stats->shots : 0);
  gtk_label_set_label (GTK_LABEL (cell), text);
  if (stats)
    {
      g_autofree char *tip = g_strdup_printf (_ ("%d hits of %d shots, %d failed"), (int) stats->hits,
                                              (int) stats->shots, (int) stats->failed);
      gtk_widget_set_tooltip_text (cell, tip);
    }
}

static int
compare_hits (FlgRecord *a, FlgRecord *b, gpointer data)
{
  double x = rate_of (a, data), y = rate_of (b, data);
  return x < y ? -1 : x > y;
}

static void
fill_failed (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  flg_cell_count_failed (cell, flg_experiment_run_stats (data, flg_record_id (record)));
}

static GtkWidget *
make_sparkline (gpointer data)
{
  return flw_sparkline_new ();
}

static void
fill_sparkline (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlJobStats *stats = flg_experiment_run_stats (data, flg_record_id (record));
  float percent[FL_SPARKLINE_BINS];
  guint n = stats ? stats->n_bins : 0;
  for (guint i = 0; i < n; i++)
    percent[i] = 100 * stats->bins[i];
  flw_sparkline_set_values (FLW_SPARKLINE (cell), n, percent, 0, "%");
}

static GtkWidget *
make_jobs (gpointer data)
{
  return flg_job_strip_new ();
}

static void
fill_jobs (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  flg_job_strip_show_run (FLG_JOB_STRIP (cell), data, flg_record_id (record));
}

static void
ask_for_tag (GtkWidget *chips, const char *name, gboolean add)
{
  FlgRecord *record = flg_cell_record (chips);
  if (record)
    gtk_widget_activate_action (chips, "runs.tag-row", "(xsb)", flg_record_id (record), name, add);
}

static void
on_tag_added (GtkWidget *chips, const char *name, gpointer data)
{
  ask_for_tag (chips, name, TRUE);
}

static void
on_tag_removed (GtkWidget *chips, const char *name, gpointer data)
{
  ask_for_tag (chips, name, FALSE);
}

static void
on_tag_activated (GtkWidget *chips, const char *name, gpointer data)
{
  gtk_widget_activate_action (chips, "runs.filter", "s", name);
}

static GtkWidget *
make_tags (gpointer data)
{
  GtkWidget *chips = flw_tag_chips_new ();
  g_signal_connect (chips, "tag-added", G_CALLBACK (on_tag_added), data);
  g_signal_connect (chips, "tag-removed", G_CALLBACK (on_tag_removed), data);
  g_signal_connect (chips, "tag-activated", G_CALLBACK (on_tag_activated), data);
  return chips;
}

static void
fill_tags (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  g_auto (GStrv) tags = flg_experiment_run_tags (data, flg_record_id (record));
  g_auto (GStrv) known = flg_experiment_tag_names (data);
  FlgRecordModel *all = flg_experiment_table (data, FL_TABLE_TAG);
  for (guint i = 0; i < flg_record_model_count (all); i++)
    {
      const FlTag *tag = flg_record_tag (flg_record_model_at (all, i));
      flw_tag_chips_set_colour (FLW_TAG_CHIPS (cell), tag->name, tag->colour);
    }
  flw_tag_chips_set_editable (FLW_TAG_CHIPS (cell), flg_may_change (data));
  flw_tag_chips_set_tags (FLW_TAG_CHIPS (cell), (const char *const *) tags);
  flw_tag_chips_set_known (FLW_TAG_CHIPS (cell), (const char *const *) known);
}

static void
on_comment_editing (GtkEditableLabel *label, GParamSpec *pspec, gpointer data)
{
  FlgRecord *record = flg_cell_record (GTK_WIDGET (label));
  if (record && gtk_editable_label_get_editing (label))
    gtk_widget_activate_action (GTK_WIDGET (label), "runs.begin-comment", "x", flg_record_id (record));
  if (!record || gtk_editable_label_get_editing (label))
    return;
  const FlRun *run = flg_record_run (record);
  const char *text = gtk_editable_get_text (GTK_EDITABLE (label));
  if (strcmp (text, run->comment) != 0)
    gtk_widget_activate_action (GTK_WIDGET (label), "runs.comment", "(xs)", run->id, text);
}

static GtkWidget *
make_comment (gpointer data)
{
  GtkWidget *label = gtk_editable_label_new ("");
  g_signal_connect (label, "notify::editing", G_CALLBACK (on_comment_editing), data);
  return label;
}

static void
fill_comment (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const char *comment = flg_record_run (record)->comment;
  gtk_editable_set_editable (GTK_EDITABLE (cell), flg_may_change (data));
  if (!gtk_editable_label_get_editing (GTK_EDITABLE_LABEL (cell))
      && strcmp (gtk_editable_get_text (GTK_EDITABLE (cell)), comment) != 0)
    gtk_editable_set_text (GTK_EDITABLE (cell), comment);
}

GListModel *
flg_run_columns_set_up (GtkColumnView *view, FlgExperiment *experiment, GListModel *runs)
{
  const FlgColumn columns[] = {
    { _ ("Run"), NULL, flg_cell_text, fill_run, compare_run, 75 },
    { _ ("State"), NULL, make_chip, fill_state, NULL, 115 },
    { _ ("Started"), NULL, flg_cell_text, fill_started, compare_started, 115 },
    { _ ("Shots"), NULL, flg_cell_number, fill_shots, compare_shots, 75 },
    { _ ("Processed"), NULL, flg_cell_number, fill_processed, NULL, 95 },
    { _ ("Hits"), NULL, flg_cell_number, fill_hits, compare_hits, 75 },
    { _ ("Indexed"), _ ("of the hits"), flg_cell_number, fill_indexed, NULL, 80 },
    { _ ("Failed"), NULL, flg_cell_number, fill_failed, NULL, 65 },
    { _ ("Hit rate"), NULL, make_sparkline, fill_sparkline, NULL, 110 },
    { _ ("Jobs"), NULL, make_jobs, fill_jobs, NULL, 65 },
    { _ ("Tags"), NULL, make_tags, fill_tags, NULL, 160 },
    { _ ("Comment"), NULL, make_comment, fill_comment, NULL, -1 },
  };
  return flg_columns_set_up (view, G_N_ELEMENTS (columns), columns, experiment, runs);
}

void
flg_run_columns_set_crystals (GtkColumnView *view, gboolean crystals)
{
  flg_columns_set_visible (view, 6, crystals); /* "Indexed" */
}
