#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/job-attempts.h"

#include <glib/gi18n.h>

#include <string.h>

#include "gui/columns.h"
#include "gui/job-words.h"
#include "gui/text.h"
#include "widgets/status-chip.h"

struct _FlgJobAttempts
{
  GtkBox parent_instance;
  FlgExperiment *experiment;
  GtkWidget *table, *command, *copy;
  GListStore *store;
  GtkSingleSelection *selection;
  char *key;
  gboolean showing;
};

enum
{
  CHOSEN,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgJobAttempts, flg_job_attempts, GTK_TYPE_BOX)

#define NONE          "–"
#define EXPERIMENT(d) (((FlgJobAttempts *) (d))->experiment)

char *
flg_attempt_exit (const FlAttempt *attempt)
{
  if (attempt->exit_code < 0)
    return g_strdup (NONE);
  if (attempt->exit_code > 128)
    return g_strdup_printf (_ ("signal %d"), attempt->exit_code - 128);
  return g_strdup_printf ("%d", attempt->exit_code);
}

static void
set_text (GtkWidget *cell, const char *text)
{
  g_autofree char *line = flg_text_line (text);
  gtk_label_set_label (GTK_LABEL (cell), *line ? line : NONE);
  gtk_widget_set_tooltip_text (cell, *line ? line : NULL);
}

static void
set_number (GtkWidget *cell, int number)
{
  g_autofree char *text = number > 0 ? g_strdup_printf ("%d", number) : g_strdup (NONE);
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static void
fill_number (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  set_number (cell, flg_record_attempt (record)->number);
}

static int
compare_number (FlgRecord *a, FlgRecord *b, gpointer data)
{
  return flg_record_attempt (a)->number - flg_record_attempt (b)->number;
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
  const FlAttempt *attempt = flg_record_attempt (record);
  g_autofree char *detail = flg_text_line (attempt->reason);
  flw_status_chip_set_state (FLW_STATUS_CHIP (cell), fl_job_state_name (attempt->state), detail);
}

static void
fill_site (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  FlgRecord *site = flg_record_model_find (flg_experiment_table (EXPERIMENT (data), FL_TABLE_SITE),
                                           flg_record_attempt (record)->site);
  set_text (cell, site ? ((const FlSite *) flg_record_any (site))->name : "");
}

static void
fill_remote_id (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  set_text (cell, flg_record_attempt (record)->remote_id);
}

static void
fill_nodes (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlAttempt *attempt = flg_record_attempt (record);
  g_autofree char *count = attempt->n_nodes > 0 ? g_strdup_printf ("%d", attempt->n_nodes) : NULL;
  set_text (cell, *attempt->nodes ? attempt->nodes : count ? count : "");
}

static void
fill_ranks (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  set_number (cell, flg_record_attempt (record)->ranks);
}

static void
fill_minutes (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  int minutes = flg_record_attempt (record)->minutes;
  g_autofree char *text = minutes > 0 ? g_strdup_printf (_ ("%d min"), minutes) : g_strdup (NONE);
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static void
fill_submitted (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  g_autofree char *text =
      flg_format_time (flg_record_attempt (record)->submitted, flg_experiment_now (EXPERIMENT (data)));
  gtk_label_set_label (GTK_LABEL (cell), text);
}

/* Until it began, or ended without having begun, or now. */
static void
fill_waited (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlAttempt *a = flg_record_attempt (record);
  g_autofree char *text = flg_format_elapsed (a->submitted, a->started ? a->started : a->ended,
                                              flg_experiment_now (EXPERIMENT (data)));
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static void
fill_ran (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlAttempt *a = flg_record_attempt (record);
  g_autofree char *text = flg_format_elapsed (a->started, a->ended, flg_experiment_now (EXPERIMENT (data)));
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static void
fill_exit (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  g_autofree char *text = flg_attempt_exit (flg_record_attempt (record));
  set_text (cell, text);
}

static void
fill_cause (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlAttempt *a = flg_record_attempt (record);
  gboolean told = *a->cause && strstr (a->reason, a->cause);
  g_autofree char *why = *a->cause && *a->reason && !told ? g_strdup_printf ("%s: %s", a->cause, a->reason)
                                                          : g_strdup (*a->reason ? a->reason : a->cause);
  g_autofree char *text = *a->batch_state && *why ? g_strdup_printf ("%s (%s)", why, a->batch_state)
                                                  : g_strdup (*why ? why : a->batch_state);
  set_text (cell, text);
}

/* --- what is shown --- */

static const FlAttempt *
selected (FlgJobAttempts *self)
{
  FlgRecord *record = gtk_single_selection_get_selected_item (self->selection);
  return record ? flg_record_attempt (record) : NULL;
}

static void
show_command (FlgJobAttempts *self)
{
  const FlAttempt *attempt = selected (self);
  g_autofree char *line = flg_text_line (attempt ? attempt->command : "");
  gtk_label_set_label (GTK_LABEL (self->command), line);
  gtk_widget_set_visible (gtk_widget_get_parent (self->command), *line != '\0');
}

static void
on_selected (FlgJobAttempts *self)
{
  show_command (self);
  const FlAttempt *attempt = selected (self);
  if (attempt && !self->showing)
    g_signal_emit (self, signals[CHOSEN], 0, attempt->id);
}

static void
act_copy (GtkWidget *widget, const char *action, GVariant *target)
{
  const FlAttempt *attempt = selected (FLG_JOB_ATTEMPTS (widget));
  if (attempt)
    gdk_clipboard_set_text (gtk_widget_get_clipboard (widget), attempt->command);
}

void
flg_job_attempts_show (FlgJobAttempts *self, GPtrArray *attempts, gint64 chosen)
{
  g_autoptr (GString) key = g_string_new (NULL);
  for (guint i = 0; i < attempts->len; i++)
    g_string_append_printf (key, "%p ", attempts->pdata[i]);
  self->showing = TRUE;
  if (g_strcmp0 (key->str, self->key) != 0)
    {
      g_free (self->key);
      self->key = g_strdup (key->str);
      g_list_store_splice (self->store, 0, g_list_model_get_n_items (G_LIST_MODEL (self->store)),
                           attempts->pdata, attempts->len);
    }
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->selection)); i++)
    {
      g_autoptr (FlgRecord) record = g_list_model_get_item (G_LIST_MODEL (self->selection), i);
      if (flg_record_id (record) == chosen)
        gtk_single_selection_set_selected (self->selection, i);
      if (!flg_record_attempt (record)->ended)
        flg_record_touch (record); /* its times grow */
    }
  show_command (self);
  self->showing = FALSE;
}

void
flg_job_attempts_set_experiment (FlgJobAttempts *self, FlgExperiment *experiment)
{
  const FlgColumn columns[] = {
    { _ ("Try"), NULL, flg_cell_number, fill_number, compare_number, 48 },
    { _ ("State"), NULL, make_chip, fill_state, NULL, 118 },
    { _ ("Site"), NULL, flg_cell_text, fill_site, NULL, 84 },
    { _ ("Id there"), NULL, flg_cell_text, fill_remote_id, NULL, 84 },
    { _ ("Nodes"), NULL, flg_cell_text, fill_nodes, NULL, 136 },
    { _ ("Ranks"), NULL, flg_cell_number, fill_ranks, NULL, 60 },
    { _ ("Limit"), NULL, flg_cell_number, fill_minutes, NULL, 74 },
    { _ ("Submitted"), NULL, flg_cell_text, fill_submitted, NULL, 104 },
    { _ ("Waited"), NULL, flg_cell_number, fill_waited, NULL, 68 },
    { _ ("Ran"), NULL, flg_cell_number, fill_ran, NULL, 68 },
    { _ ("Exit"), NULL, flg_cell_text, fill_exit, NULL, 76 },
    { _ ("Cause"), NULL, flg_cell_text, fill_cause, NULL, -1 },
  };
  self->experiment = g_object_ref (experiment);
  self->store = g_list_store_new (FLG_TYPE_RECORD);
  GListModel *sorted = flg_columns_set_up (GTK_COLUMN_VIEW (self->table), G_N_ELEMENTS (columns), columns,
                                           self, G_LIST_MODEL (self->store));
  self->selection = gtk_single_selection_new (sorted);
  g_signal_connect_object (self->selection, "notify::selected-item", G_CALLBACK (on_selected), self,
                           G_CONNECT_SWAPPED);
  gtk_column_view_set_model (GTK_COLUMN_VIEW (self->table), GTK_SELECTION_MODEL (self->selection));
}

/* --- the widget --- */

static void
flg_job_attempts_dispose (GObject *object)
{
  FlgJobAttempts *self = FLG_JOB_ATTEMPTS (object);
  if (self->selection)
    g_signal_handlers_disconnect_by_data (self->selection, self);
  if (self->table)
    gtk_column_view_set_model (GTK_COLUMN_VIEW (self->table), NULL);
  self->table = NULL;
  g_clear_object (&self->selection);
  g_clear_object (&self->store);
  g_clear_object (&self->experiment);
  g_clear_pointer (&self->key, g_free);
  G_OBJECT_CLASS (flg_job_attempts_parent_class)->dispose (object);
}

static void
flg_job_attempts_class_init (FlgJobAttemptsClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = flg_job_attempts_dispose;
  signals[CHOSEN] = g_signal_new ("chosen", FLG_TYPE_JOB_ATTEMPTS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_INT64);
  gtk_widget_class_install_action (GTK_WIDGET_CLASS (klass), "attempts.copy-command", NULL, act_copy);
}

static void
flg_job_attempts_init (FlgJobAttempts *self)
{
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  GtkWidget *scroller = gtk_scrolled_window_new (), *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);
  self->table = gtk_column_view_new (NULL);
  gtk_column_view_set_show_row_separators (GTK_COLUMN_VIEW (self->table), TRUE);
  gtk_widget_add_css_class (self->table, "data-table");
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), self->table);
  gtk_widget_set_vexpand (scroller, TRUE);
  gtk_widget_add_css_class (row, "tools");
  self->command = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (self->command), 0);
  gtk_label_set_ellipsize (GTK_LABEL (self->command), PANGO_ELLIPSIZE_MIDDLE);
  gtk_label_set_selectable (GTK_LABEL (self->command), TRUE);
  gtk_widget_set_hexpand (self->command, TRUE);
  gtk_widget_add_css_class (self->command, "command");
  self->copy = gtk_button_new_with_label (_ ("Copy command"));
  gtk_actionable_set_action_name (GTK_ACTIONABLE (self->copy), "attempts.copy-command");
  gtk_box_append (GTK_BOX (row), self->command);
  gtk_box_append (GTK_BOX (row), self->copy);
  gtk_box_append (GTK_BOX (self), scroller);
  gtk_box_append (GTK_BOX (self), row);
}
