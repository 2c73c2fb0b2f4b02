#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/dataset-numbers.h"

#include <glib/gi18n.h>

#include "gui/columns.h"
#include "gui/text.h"
#include "widgets/tag-chips.h"

typedef enum
{
  RUNS,
  SHOTS,
  JOBS,
  COST,
  NEXT,
  N_LINES
} Line;

struct _FlgDatasetNumbers
{
  GtkBox parent_instance;
  FlgExperiment *experiment;
  GtkLabel *lines[N_LINES];
  GtkWidget *titles[N_LINES];
  GtkColumnView *table;
  GListStore *runs;
  GPtrArray *wanted; /* of the list, once there is time */
  guint idle;
};

G_DEFINE_FINAL_TYPE (FlgDatasetNumbers, flg_dataset_numbers, GTK_TYPE_BOX)

/* --- the runs --- */

static void
fill_name (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  gtk_label_set_label (GTK_LABEL (cell), flg_record_run (record)->name);
}

static int
compare_name (FlgRecord *a, FlgRecord *b, gpointer data)
{
  return fl_run_name_compare (flg_record_run (a)->name, flg_record_run (b)->name);
}

static const FlJobStats *
stats_of (FlgRecord *record, gpointer data)
{
  return flg_experiment_run_stats (FLG_DATASET_NUMBERS (data)->experiment, flg_record_id (record));
}

static void
fill_shots (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlRun *run = flg_record_run (record);
  g_autofree char *text = run->shots ? flg_format_count ((gint64) run->shots) : g_strdup ("–");
  gtk_label_set_label (GTK_LABEL (cell), g_str_equal (run->state, "recording") ? _ ("recording") : text);
}

static void
fill_hits (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlJobStats *stats = stats_of (record, data);
  g_autofree char *text = flg_format_percent (stats ? stats->hits : 0, stats ? stats->shots : 0);
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static void
fill_indexed (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  flg_cell_indexed (cell, stats_of (record, data));
}

static GtkWidget *
make_tags (gpointer data)
{
  return flw_tag_chips_new ();
}

static void
fill_tags (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  FlgExperiment *experiment = FLG_DATASET_NUMBERS (data)->experiment;
  FlwTagChips *chips = FLW_TAG_CHIPS (cell);
  FlgRecordModel *tags = flg_experiment_table (experiment, FL_TABLE_TAG);
  for (guint i = 0; i < flg_record_model_count (tags); i++)
    {
      const FlTag *tag = flg_record_tag (flg_record_model_at (tags, i));
      flw_tag_chips_set_colour (chips, tag->name, tag->colour);
    }
  g_auto (GStrv) names = flg_experiment_run_tags (experiment, flg_record_id (record));
  flw_tag_chips_set_tags (chips, (const char *const *) names);
}

#define INDEXED 3 /* column */

static GtkWidget *
table_new (FlgDatasetNumbers *self)
{
  const FlgColumn columns[] = {
    { _ ("Run"), NULL, flg_cell_text, fill_name, compare_name, 80 },
    { _ ("Shots"), _ ("that the run has"), flg_cell_number, fill_shots, NULL, 90 },
    { _ ("Hits"), NULL, flg_cell_number, fill_hits, NULL, 70 },
    { _ ("Indexed"), NULL, flg_cell_number, fill_indexed, NULL, 85 },
    { _ ("Tags"), NULL, make_tags, fill_tags, NULL, -1 },
  };
  self->runs = g_list_store_new (FLG_TYPE_RECORD);
  self->table = GTK_COLUMN_VIEW (gtk_column_view_new (NULL));
  gtk_widget_add_css_class (GTK_WIDGET (self->table), "data-table");
  gtk_column_view_set_show_row_separators (self->table, TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->table), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Runs that are taken"), -1);
  GListModel *sorted =
      flg_columns_set_up (self->table, G_N_ELEMENTS (columns), columns, self, G_LIST_MODEL (self->runs));
  g_autoptr (GtkSelectionModel) selection = GTK_SELECTION_MODEL (gtk_no_selection_new (sorted));
  gtk_column_view_set_model (self->table, selection);
  GtkWidget *scrolled = gtk_scrolled_window_new ();
  gtk_widget_set_vexpand (scrolled, TRUE);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scrolled), GTK_WIDGET (self->table));
  return scrolled;
}

static gboolean
same_runs (GListStore *shown, const GPtrArray *runs)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (shown));
  for (guint i = 0; n == runs->len && i < n; i++)
    {
      g_autoptr (GObject) item = g_list_model_get_item (G_LIST_MODEL (shown), i);
      if (item != runs->pdata[i])
        return FALSE;
    }
  return n == runs->len;
}

/* New rows cost more than all numbers: they come when no key waits. */
static gboolean
list_runs (gpointer data)
{
  FlgDatasetNumbers *self = data;
  self->idle = 0;
  if (same_runs (self->runs, self->wanted))
    return G_SOURCE_REMOVE;
  GListModel *shown = G_LIST_MODEL (gtk_column_view_get_model (self->table));
  g_autoptr (GObject) before = g_list_model_get_item (shown, 0);
  g_list_store_splice (self->runs, 0, g_list_model_get_n_items (G_LIST_MODEL (self->runs)),
                       self->wanted->pdata, self->wanted->len);
  g_autoptr (GObject) after = g_list_model_get_item (shown, 0);
  if (before && after && before != after) /* the list would stay with the row that was on top */
    gtk_widget_activate_action (gtk_widget_get_last_child (GTK_WIDGET (self->table)), "list.scroll-to-item",
                                "u", 0u);
  return G_SOURCE_REMOVE;
}

/* --- the lines --- */

static void
say (FlgDatasetNumbers *self, Line line, const char *text)
{
  gtk_label_set_label (self->lines[line], text ? text : "");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->lines[line]), text);
  gtk_widget_set_visible (GTK_WIDGET (self->lines[line]), text != NULL);
  gtk_widget_set_visible (self->titles[line], text != NULL);
}

static void
say_runs (FlgDatasetNumbers *self, const FlgDatasetPreview *preview)
{
  g_autofree char *count = flg_format_count (preview->runs->len);
  g_autofree char *shots = flg_format_count (preview->acquired);
  g_autoptr (GString) text = g_string_new (NULL);
  g_string_append_printf (text, ngettext ("%s run", "%s runs", preview->runs->len), count);
  g_string_append_printf (text, _ (" with %s shots"), shots);
  if (preview->uncounted > preview->n_recording)
    g_string_append_printf (text, _ (" and %u not counted yet"), preview->uncounted - preview->n_recording);
  if (preview->n_recording)
    g_string_append_printf (text, _ (", %u being recorded"), preview->n_recording);
  say (self, RUNS, preview->runs->len ? text->str : _ ("none"));
}

static void
say_shots (FlgDatasetNumbers *self, const FlgDatasetPreview *preview)
{
  g_autofree char *shots = flg_format_count (preview->shots), *hits = flg_format_count (preview->hits);
  g_autofree char *indexed = flg_format_count (preview->indexed);
  g_autofree char *rate = flg_format_percent (preview->hits, preview->shots);
  g_autofree char *yield = flg_format_percent (preview->indexed, preview->hits);
  g_autofree char *text = preview->particles
                              ? g_strdup_printf (_ ("%s shots, %s hits (%s)"), shots, hits, rate)
                              : g_strdup_printf (_ ("%s shots, %s hits (%s), %s indexed (%s of hits)"), shots,
                                                 hits, rate, indexed, yield);
  say (self, SHOTS, preview->shots ? text : _ ("nothing yet"));
}

static void
say_jobs (FlgDatasetNumbers *self, const FlgDatasetPreview *preview)
{
  guint existing = preview->n_open + preview->n_done + preview->n_failed;
  g_autofree char *fresh = flg_format_count (preview->n_new), *there = flg_format_count (existing);
  g_autoptr (GString) text = g_string_new (NULL);
  g_string_append_printf (text, _ ("%s new, %s exist"), fresh, there);
  const struct
  {
    guint n;
    const char *words;
  } states[] = { { preview->n_done, _ ("%u done") },
                 { preview->n_running, _ ("%u running") },
                 { preview->n_open - preview->n_running - preview->n_held, _ ("%u waiting") },
                 { preview->n_held, _ ("%u held") },
                 { preview->n_failed, _ ("%u failed") } };
  const char *between = " (";
  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    if (states[i].n)
      {
        g_autofree char *words = g_strdup_printf (states[i].words, states[i].n);
        g_string_append_printf (text, "%s%s", between, words);
        between = ", ";
      }
  g_string_append (text, existing ? ")" : "");
  say (self, JOBS, text->str);
  g_autofree char *cost = flg_dataset_preview_cost (preview);
  g_autoptr (GString) place = g_string_new (*cost ? cost : _ ("nothing is left to do"));
  if (preview->no_site)
    g_string_append (place, _ (" · no site is active that could run them"));
  else if (*cost && *preview->where)
    g_string_append_printf (place, _ (" at %s"), preview->where);
  if (*cost && preview->guessed)
    g_string_append (place, _ (" (time limits: nothing like it has ended yet)"));
  if (preview->n_waiting)
    g_string_append_printf (place, _ (" · %u wait for approval"), preview->n_waiting);
  say (self, COST, place->str);
}

void
flg_dataset_numbers_show (FlgDatasetNumbers *self, const FlgDatasetPreview *preview, const FlDataset *dataset)
{
  gtk_widget_set_opacity (GTK_WIDGET (self), preview->error ? 0.45 : 1);
  if (preview->error)
    return;
  flg_columns_set_visible (self->table, INDEXED, !preview->particles);
  say_runs (self, preview);
  say_shots (self, preview);
  say_jobs (self, preview);
  g_autofree char *next = flg_dataset_preview_next (preview, dataset, flg_experiment_now (self->experiment));
  say (self, NEXT, next);
  g_clear_pointer (&self->wanted, g_ptr_array_unref);
  self->wanted = g_ptr_array_ref (preview->runs);
  if (!self->idle)
    self->idle = g_idle_add (list_runs, self);
}

gboolean
flg_dataset_numbers_is_settled (FlgDatasetNumbers *self)
{
  return self->idle == 0;
}

char *
flg_dataset_numbers_summary (FlgDatasetNumbers *self)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (Line line = 0; line < N_LINES; line++)
    if (*gtk_label_get_label (self->lines[line]))
      g_string_append_printf (text, "%s%s", text->len ? "; " : "", gtk_label_get_label (self->lines[line]));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

guint
flg_dataset_numbers_n_listed (FlgDatasetNumbers *self)
{
  return g_list_model_get_n_items (G_LIST_MODEL (self->runs));
}

/* --- the type --- */

static void
flg_dataset_numbers_dispose (GObject *object)
{
  FlgDatasetNumbers *self = FLG_DATASET_NUMBERS (object);
  g_clear_handle_id (&self->idle, g_source_remove);
  g_clear_pointer (&self->wanted, g_ptr_array_unref);
  if (self->runs)
    gtk_column_view_set_model (self->table, NULL);
  g_clear_object (&self->runs);
  g_clear_object (&self->experiment);
  G_OBJECT_CLASS (flg_dataset_numbers_parent_class)->dispose (object);
}

static void
flg_dataset_numbers_class_init (FlgDatasetNumbersClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = flg_dataset_numbers_dispose;
}

static void
flg_dataset_numbers_init (FlgDatasetNumbers *self)
{
  static const char *const titles[N_LINES] = { N_ ("Runs"), N_ ("Found"), N_ ("Jobs"), N_ ("To do"),
                                               N_ ("Versions") };
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  GtkWidget *grid = gtk_grid_new ();
  gtk_widget_add_css_class (grid, "numbers");
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  gtk_grid_set_row_spacing (GTK_GRID (grid), 3);
  for (Line line = 0; line < N_LINES; line++)
    {
      self->titles[line] = gtk_label_new (_ (titles[line]));
      gtk_label_set_xalign (GTK_LABEL (self->titles[line]), 0);
      gtk_label_set_yalign (GTK_LABEL (self->titles[line]), 0);
      gtk_widget_add_css_class (self->titles[line], "dim-label");
      self->lines[line] = GTK_LABEL (gtk_label_new (NULL));
      gtk_label_set_xalign (self->lines[line], 0);
      gtk_label_set_wrap (self->lines[line], TRUE);
      gtk_label_set_wrap_mode (self->lines[line], PANGO_WRAP_WORD_CHAR);
      gtk_widget_set_hexpand (GTK_WIDGET (self->lines[line]), TRUE);
      gtk_widget_add_css_class (GTK_WIDGET (self->lines[line]), line == RUNS ? "heading" : "numeric");
      gtk_grid_attach (GTK_GRID (grid), self->titles[line], 0, line, 1, 1);
      gtk_grid_attach (GTK_GRID (grid), GTK_WIDGET (self->lines[line]), 1, line, 1, 1);
    }
  gtk_box_append (GTK_BOX (self), grid);
}

GtkWidget *
flg_dataset_numbers_new (FlgExperiment *experiment)
{
  FlgDatasetNumbers *self = g_object_new (FLG_TYPE_DATASET_NUMBERS, NULL);
  self->experiment = g_object_ref (experiment);
  gtk_box_append (GTK_BOX (self), table_new (self));
  return GTK_WIDGET (self);
}
