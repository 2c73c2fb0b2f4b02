#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/dataset-columns.h"

#include <glib/gi18n.h>

#include "gui/people.h"
#include "gui/text.h"
#include "widgets/status-chip.h"

static const FlgDatasetPreview *
preview_of (gpointer data, FlgRecord *record)
{
  return flg_dataset_columns_preview (data, flg_record_id (record));
}

/* --- cells --- */

static void
fill_name (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlDataset *dataset = flg_record_dataset (record);
  gtk_label_set_label (GTK_LABEL (cell), dataset->name);
  gtk_widget_set_tooltip_text (cell, *dataset->comment ? dataset->comment : NULL);
}

static int
compare_age (FlgRecord *a, FlgRecord *b, gpointer data)
{
  gint64 x = flg_record_id (a), y = flg_record_id (b);
  return (x > y) - (x < y);
}

static void
fill_id (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, flg_record_id (record));
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static void
fill_expression (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  gtk_label_set_label (GTK_LABEL (cell), flg_record_dataset (record)->expression);
  gtk_widget_set_tooltip_text (cell, flg_record_dataset (record)->expression);
}

static void
fill_runs (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlgDatasetPreview *preview = preview_of (data, record);
  g_autofree char *text = preview && !preview->error ? flg_format_count (preview->runs->len) : g_strdup ("–");
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static void
fill_jobs (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlgDatasetPreview *preview = preview_of (data, record);
  guint all = preview ? preview->n_new + preview->n_open + preview->n_done + preview->n_failed : 0;
  g_autofree char *text = all ? g_strdup_printf ("%u/%u", preview->n_done, all) : g_strdup ("–");
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static void
fill_versions (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  FlgDatasetColumns *self = data;
  guint n = 0;
  FlgRecordModel *versions = flg_experiment_table (self->experiment, FL_TABLE_DATASET_VERSION);
  for (guint i = 0; i < flg_record_model_count (versions); i++)
    n += flg_record_dataset_version (flg_record_model_at (versions, i))->dataset == flg_record_id (record);
  g_autofree char *text = n ? g_strdup_printf ("%u", n) : g_strdup ("–");
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static GtkWidget *
make_chip (gpointer data)
{
  return flw_status_chip_new ();
}

static void
fill_state (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  FlwStatusChip *chip = FLW_STATUS_CHIP (cell);
  const FlgDatasetPreview *preview = preview_of (data, record);
  g_autofree char *failed = preview ? g_strdup_printf (_ ("%u failed"), preview->n_failed) : NULL;
  gtk_widget_set_tooltip_text (cell, preview ? preview->error : NULL);
  if (!flg_record_dataset (record)->active)
    flw_status_chip_set (chip, FLW_SHAPE_SQUARE, FLW_TONE_NEUTRAL, _ ("resting"));
  else if (!preview)
    flw_status_chip_set (chip, FLW_SHAPE_DASH, FLW_TONE_NEUTRAL, "–");
  else if (preview->error)
    flw_status_chip_set (chip, FLW_SHAPE_CROSS, FLW_TONE_BAD, _ ("wrong"));
  else if (preview->n_held)
    flw_status_chip_set (chip, FLW_SHAPE_DIAMOND, FLW_TONE_WARNING, _ ("held"));
  else if (preview->n_failed)
    flw_status_chip_set (chip, FLW_SHAPE_CROSS, FLW_TONE_BAD, failed);
  else if (preview->n_running)
    flw_status_chip_set (chip, FLW_SHAPE_TRIANGLE, FLW_TONE_ACTIVE, _ ("running"));
  else if (preview->n_open || preview->n_new)
    flw_status_chip_set (chip, FLW_SHAPE_HALF, FLW_TONE_ACTIVE, _ ("waiting"));
  else if (preview->runs->len)
    flw_status_chip_set (chip, FLW_SHAPE_DISC, FLW_TONE_GOOD, _ ("done"));
  else
    flw_status_chip_set (chip, FLW_SHAPE_RING, FLW_TONE_NEUTRAL, _ ("no runs"));
}

static void
on_active (GtkSwitch *cell, GParamSpec *pspec, gpointer data)
{
  FlgRecord *record = flg_cell_record (GTK_WIDGET (cell));
  if (record && flg_record_dataset (record)->active != gtk_switch_get_active (cell))
    gtk_widget_activate_action (GTK_WIDGET (cell), "datasets.set-active", "(xb)", flg_record_id (record),
                                gtk_switch_get_active (cell));
}

static GtkWidget *
make_active (gpointer data)
{
  GtkWidget *cell = gtk_switch_new ();
  gtk_widget_set_valign (cell, GTK_ALIGN_CENTER);
  gtk_widget_set_halign (cell, GTK_ALIGN_START);
  gtk_widget_set_tooltip_text (cell, _ ("The conductor makes jobs and versions of active datasets."));
  g_signal_connect (cell, "notify::active", G_CALLBACK (on_active), data);
  return cell;
}

static void
fill_active (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  FlgDatasetColumns *self = data;
  gtk_switch_set_active (GTK_SWITCH (cell), flg_record_dataset (record)->active);
  flg_guard (cell, self->experiment);
}

GListModel *
flg_dataset_columns_set_up (FlgDatasetColumns *self, GtkColumnView *view)
{
  const FlgColumn columns[] = {
    { _ ("No."), NULL, flg_cell_number, fill_id, compare_age, 60 },
    { _ ("Name"), NULL, flg_cell_text, fill_name, NULL, 180 },
    { _ ("Which runs"), NULL, flg_cell_text, fill_expression, NULL, -1 },
    { _ ("Runs"), NULL, flg_cell_number, fill_runs, NULL, 70 },
    { _ ("Jobs done"), NULL, flg_cell_number, fill_jobs, NULL, 100 },
    { _ ("Versions"), NULL, flg_cell_number, fill_versions, NULL, 95 },
    { _ ("Active"), NULL, make_active, fill_active, NULL, 70 },
    { _ ("State"), NULL, make_chip, fill_state, NULL, 120 },
  };
  return flg_columns_set_up (view, G_N_ELEMENTS (columns), columns, self,
                             G_LIST_MODEL (flg_experiment_table (self->experiment, FL_TABLE_DATASET)));
}

/* --- counting --- */

void
flg_dataset_columns_init (FlgDatasetColumns *self, FlgExperiment *experiment,
                          void (*counted) (gint64 dataset, gpointer data), gpointer data)
{
  *self = (FlgDatasetColumns){
    .experiment = experiment,
    .previews = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free,
                                       (GDestroyNotify) flg_dataset_preview_free),
    .stale = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL),
    .counted = counted,
    .data = data,
  };
}

void
flg_dataset_columns_clear (FlgDatasetColumns *self)
{
  g_clear_handle_id (&self->idle, g_source_remove);
  g_clear_pointer (&self->previews, g_hash_table_unref);
  g_clear_pointer (&self->stale, g_hash_table_unref);
}

/* One at a time: the window goes on meanwhile. */
static gboolean
count_one (gpointer data)
{
  FlgDatasetColumns *self = data;
  GHashTableIter iter;
  gpointer key;
  g_hash_table_iter_init (&iter, self->stale);
  if (!g_hash_table_iter_next (&iter, &key, NULL))
    {
      self->idle = 0;
      return G_SOURCE_REMOVE;
    }
  gint64 id = *(gint64 *) key;
  g_hash_table_iter_remove (&iter);
  FlgRecord *record = flg_record_model_find (flg_experiment_table (self->experiment, FL_TABLE_DATASET), id);
  if (!record)
    {
      g_hash_table_remove (self->previews, &id);
      return G_SOURCE_CONTINUE;
    }
  g_autoptr (FlgDatasetDraft) draft = flg_dataset_draft_of (self->experiment, flg_record_dataset (record));
  g_hash_table_insert (self->previews, g_memdup2 (&id, sizeof id),
                       flg_dataset_preview_new (self->experiment, draft));
  flg_record_touch (record);
  self->counted (id, self->data);
  return G_SOURCE_CONTINUE;
}

void
flg_dataset_columns_refresh (FlgDatasetColumns *self)
{
  FlgRecordModel *datasets = flg_experiment_table (self->experiment, FL_TABLE_DATASET);
  for (guint i = 0; i < flg_record_model_count (datasets); i++)
    {
      gint64 id = flg_record_id (flg_record_model_at (datasets, i));
      g_hash_table_add (self->stale, g_memdup2 (&id, sizeof id));
    }
  if (!self->idle && g_hash_table_size (self->stale))
    self->idle = g_idle_add_full (G_PRIORITY_LOW, count_one, self, NULL);
}

gboolean
flg_dataset_columns_is_settled (FlgDatasetColumns *self)
{
  return g_hash_table_size (self->stale) == 0;
}

const FlgDatasetPreview *
flg_dataset_columns_preview (FlgDatasetColumns *self, gint64 dataset)
{
  return g_hash_table_lookup (self->previews, &dataset);
}
