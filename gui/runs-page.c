#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/runs-page.h"

#include <glib/gi18n.h>

#include <math.h>
#include <string.h>

#include "gui/columns.h"
#include "gui/job-strip.h"
#include "gui/store-writes.h"
#include "gui/tag-editor.h"
#include "gui/text.h"
#include "widgets/empty-state.h"
#include "widgets/sparkline.h"
#include "widgets/status-chip.h"
#include "widgets/tag-chips.h"

struct _FlgRunsPage
{
  FlgPage parent_instance;
  GtkColumnView *table;
  GtkSearchEntry *filter;
  GtkLabel *count;
  GtkStack *stack;
  FlwEmptyState *empty;
  GtkEntry *tag_entry;
  GtkWidget *tag_bar;
  GtkLabel *selected;
  GtkMenuButton *manage;
  GtkCustomFilter *matcher;
  GtkFilterListModel *filtered;
  GtkMultiSelection *selection;
};

G_DEFINE_FINAL_TYPE (FlgRunsPage, flg_runs_page, FLG_TYPE_PAGE)

#define EXPERIMENT(data) flg_page_experiment (FLG_PAGE (data))

/* --- cells --- */

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
  g_autofree char *text =
      flg_format_time (flg_record_run (record)->first_seen, flg_experiment_now (EXPERIMENT (data)));
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
  const FlJobStats *stats = flg_experiment_run_stats (EXPERIMENT (data), flg_record_id (record));
  return MAX ((gint64) flg_record_run (record)->shots, stats ? stats->shots : 0);
}

static double
rate_of (FlgRecord *record, gpointer data)
{
  const FlJobStats *stats = flg_experiment_run_stats (EXPERIMENT (data), flg_record_id (record));
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
  const FlJobStats *stats = flg_experiment_run_stats (EXPERIMENT (data), flg_record_id (record));
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
  flg_cell_indexed (cell, flg_experiment_run_stats (EXPERIMENT (data), flg_record_id (record)));
}

static void
fill_hits (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlJobStats *stats = flg_experiment_run_stats (EXPERIMENT (data), flg_record_id (record));
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
  flg_cell_count_failed (cell, flg_experiment_run_stats (EXPERIMENT (data), flg_record_id (record)));
}

static GtkWidget *
make_sparkline (gpointer data)
{
  return flw_sparkline_new ();
}

static void
fill_sparkline (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlJobStats *stats = flg_experiment_run_stats (EXPERIMENT (data), flg_record_id (record));
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
  flg_job_strip_show_run (FLG_JOB_STRIP (cell), EXPERIMENT (data), flg_record_id (record));
}

static void
write_tag (FlgRunsPage *self, GArray *runs, const char *name, gboolean add)
{
  g_autofree char *what =
      g_strdup_printf ("%s tag %s %s %u runs", add ? "put" : "took", name, add ? "on" : "off", runs->len);
  flg_page_write (FLG_PAGE (self), what, flg_tagging_write, flg_tagging_new (name, runs, add),
                  (GDestroyNotify) flg_tagging_free);
}

/* From a row's chips: the whole selection when the row is part of it, else that row alone. */
static void
tag_from_row (FlgRunsPage *self, GtkWidget *cell, const char *name, gboolean add)
{
  FlgRecord *record = flg_cell_record (cell);
  if (!record)
    return;
  gint64 id = flg_record_id (record);
  GArray *runs = flg_runs_page_selected (self);
  gboolean among = FALSE;
  for (guint i = 0; i < runs->len; i++)
    among = among || g_array_index (runs, gint64, i) == id;
  if (!among)
    {
      g_array_set_size (runs, 0);
      g_array_append_val (runs, id);
    }
  write_tag (self, runs, name, add);
}

static void
on_tag_added (GtkWidget *chips, const char *name, FlgRunsPage *self)
{
  tag_from_row (self, chips, name, TRUE);
}

static void
on_tag_removed (GtkWidget *chips, const char *name, FlgRunsPage *self)
{
  tag_from_row (self, chips, name, FALSE);
}

static void
on_tag_activated (GtkWidget *chips, const char *name, FlgRunsPage *self)
{
  gtk_editable_set_text (GTK_EDITABLE (self->filter), name);
}

static GtkWidget *
make_tags (gpointer data)
{
  GtkWidget *chips = flw_tag_chips_new ();
  flw_tag_chips_set_editable (FLW_TAG_CHIPS (chips), !flg_experiment_is_read_only (EXPERIMENT (data)));
  g_signal_connect (chips, "tag-added", G_CALLBACK (on_tag_added), data);
  g_signal_connect (chips, "tag-removed", G_CALLBACK (on_tag_removed), data);
  g_signal_connect (chips, "tag-activated", G_CALLBACK (on_tag_activated), data);
  return chips;
}

static void
fill_tags (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  g_auto (GStrv) tags = flg_experiment_run_tags (EXPERIMENT (data), flg_record_id (record));
  g_auto (GStrv) known = flg_experiment_tag_names (EXPERIMENT (data));
  FlgRecordModel *all = flg_experiment_table (EXPERIMENT (data), FL_TABLE_TAG);
  for (guint i = 0; i < flg_record_model_count (all); i++)
    {
      const FlTag *tag = flg_record_tag (flg_record_model_at (all, i));
      flw_tag_chips_set_colour (FLW_TAG_CHIPS (cell), tag->name, tag->colour);
    }
  flw_tag_chips_set_tags (FLW_TAG_CHIPS (cell), (const char *const *) tags);
  flw_tag_chips_set_known (FLW_TAG_CHIPS (cell), (const char *const *) known);
}

static void
on_comment_editing (GtkEditableLabel *label, GParamSpec *pspec, FlgRunsPage *self)
{
  FlgRecord *record = flg_cell_record (GTK_WIDGET (label));
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
  gtk_editable_set_editable (GTK_EDITABLE (label), !flg_experiment_is_read_only (EXPERIMENT (data)));
  g_signal_connect (label, "notify::editing", G_CALLBACK (on_comment_editing), data);
  return label;
}

static void
fill_comment (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const char *comment = flg_record_run (record)->comment;
  if (!gtk_editable_label_get_editing (GTK_EDITABLE_LABEL (cell))
      && strcmp (gtk_editable_get_text (GTK_EDITABLE (cell)), comment) != 0)
    gtk_editable_set_text (GTK_EDITABLE (cell), comment);
}

/* --- filter and selection --- */

static gboolean
matches (gpointer item, gpointer data)
{
  FlgRunsPage *self = data;
  const char *wanted = gtk_editable_get_text (GTK_EDITABLE (self->filter));
  const FlRun *run = flg_record_run (item);
  g_auto (GStrv) tags = flg_experiment_run_tags (EXPERIMENT (self), run->id);
  g_autofree char *joined = g_strjoinv (" ", tags);
  g_autofree char *all = g_strjoin (" ", run->name, run->state, run->problem, run->comment, joined, NULL);
  return flg_text_has_words (all, wanted);
}

static void
show_counts (FlgRunsPage *self)
{
  guint all = flg_record_model_count (flg_experiment_table (EXPERIMENT (self), FL_TABLE_RUN));
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->filtered));
  g_autofree char *text = n == all ? g_strdup_printf (ngettext ("%u run", "%u runs", all), all)
                                   : g_strdup_printf (_ ("%u of %u runs"), n, all);
  gtk_label_set_label (self->count, text);
  gtk_stack_set_visible_child_name (
      self->stack, all == 0 && flg_experiment_is_filled (EXPERIMENT (self)) ? "empty" : "table");
}

static void
on_filter_changed (FlgRunsPage *self)
{
  gtk_filter_changed (GTK_FILTER (self->matcher), GTK_FILTER_CHANGE_DIFFERENT);
  show_counts (self);
}

static void
on_filter_stopped (FlgRunsPage *self)
{
  gtk_editable_set_text (GTK_EDITABLE (self->filter), "");
  gtk_widget_grab_focus (GTK_WIDGET (self->table));
}

GArray *
flg_runs_page_selected (FlgRunsPage *self)
{
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GtkBitset) set = gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));
  for (guint64 i = 0; i < gtk_bitset_get_size (set); i++)
    {
      g_autoptr (FlgRecord) record =
          g_list_model_get_item (G_LIST_MODEL (self->selection), gtk_bitset_get_nth (set, (guint) i));
      gint64 id = flg_record_id (record);
      g_array_append_val (ids, id);
    }
  return ids;
}

guint
flg_runs_page_n_shown (FlgRunsPage *self)
{
  return g_list_model_get_n_items (G_LIST_MODEL (self->filtered));
}

static void
on_selection_changed (FlgRunsPage *self)
{
  g_autoptr (GtkBitset) set = gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));
  guint n = (guint) gtk_bitset_get_size (set);
  g_autofree char *text =
      n ? g_strdup_printf (ngettext ("%u selected", "%u selected", n), n) : g_strdup (_ ("none selected"));
  gtk_label_set_label (self->selected, text);
  gtk_widget_set_sensitive (self->tag_bar, n > 0 && !flg_experiment_is_read_only (EXPERIMENT (self)));
}

static void
on_row_activated (FlgRunsPage *self, guint position)
{
  g_autoptr (FlgRecord) record = g_list_model_get_item (G_LIST_MODEL (self->selection), position);
  if (record)
    gtk_widget_activate_action (GTK_WIDGET (self), "win.show-run-images", "x", flg_record_id (record));
}

/* --- actions --- */

static void
act_tag (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgRunsPage *self = FLG_RUNS_PAGE (widget);
  g_autofree char *name = g_strstrip (g_strdup (g_variant_get_string (target, NULL)));
  GArray *runs = flg_runs_page_selected (self);
  if (!*name || runs->len == 0)
    {
      g_array_unref (runs);
      return;
    }
  write_tag (self, runs, name, g_str_equal (action, "runs.add-tag"));
}

static void
on_tag_button (FlgRunsPage *self, GtkWidget *button)
{
  gboolean add = g_str_equal (gtk_widget_get_name (button), "add");
  gtk_widget_activate_action (GTK_WIDGET (self), add ? "runs.add-tag" : "runs.remove-tag", "s",
                              gtk_editable_get_text (GTK_EDITABLE (self->tag_entry)));
  gtk_editable_set_text (GTK_EDITABLE (self->tag_entry), "");
}

static void
on_tag_entered (FlgRunsPage *self)
{
  gtk_widget_activate_action (GTK_WIDGET (self), "runs.add-tag", "s",
                              gtk_editable_get_text (GTK_EDITABLE (self->tag_entry)));
  gtk_editable_set_text (GTK_EDITABLE (self->tag_entry), "");
  gtk_widget_grab_focus (GTK_WIDGET (self->table));
}

static void
act_comment (GtkWidget *widget, const char *action, GVariant *target)
{
  gint64 run;
  const char *text;
  g_variant_get (target, "(x&s)", &run, &text);
  g_autofree char *what = g_strdup_printf ("commented on run %" G_GINT64_FORMAT, run);
  flg_page_write (FLG_PAGE (widget), what, flg_edit_write,
                  flg_edit_text_new (FL_TABLE_RUN, run, "comment", text), (GDestroyNotify) flg_edit_free);
}

static void
act_save_tag (GtkWidget *widget, const char *action, GVariant *target)
{
  g_autofree char *what = g_variant_print (target, FALSE);
  g_autofree char *sentence = g_strconcat ("saved tag ", what, NULL);
  flg_page_write (FLG_PAGE (widget), sentence, flg_tag_editor_save, g_variant_ref (target),
                  (GDestroyNotify) g_variant_unref);
}

static void
act_delete_tag (GtkWidget *widget, const char *action, GVariant *target)
{
  g_autofree char *what = g_strdup_printf ("removed tag %" G_GINT64_FORMAT, g_variant_get_int64 (target));
  flg_page_write (FLG_PAGE (widget), what, flg_tag_editor_delete, g_variant_ref (target),
                  (GDestroyNotify) g_variant_unref);
}

static void
act_select (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgRunsPage *self = FLG_RUNS_PAGE (widget);
  GtkSelectionModel *selection = GTK_SELECTION_MODEL (self->selection);
  gtk_selection_model_unselect_all (selection);
  guint n = g_list_model_get_n_items (G_LIST_MODEL (selection));
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (FlgRecord) record = g_list_model_get_item (G_LIST_MODEL (selection), i);
      for (gsize k = 0; k < g_variant_n_children (target); k++)
        {
          gint64 wanted;
          g_variant_get_child (target, k, "x", &wanted);
          if (wanted == flg_record_id (record))
            gtk_selection_model_select_item (selection, i, FALSE);
        }
    }
}

static void
act_show_images (GtkWidget *widget, const char *action, GVariant *target)
{
  g_autoptr (GArray) runs = flg_runs_page_selected (FLG_RUNS_PAGE (widget));
  if (runs->len > 0)
    gtk_widget_activate_action (widget, "win.show-run-images", "x", g_array_index (runs, gint64, 0));
}

/* The comment's cell of a run, somewhere below `widget`; NULL when its row is not on the screen. */
static GtkWidget *
find_comment (GtkWidget *widget, gint64 run)
{
  FlgRecord *record = GTK_IS_EDITABLE_LABEL (widget) ? flg_cell_record (widget) : NULL;
  if (record && flg_record_id (record) == run)
    return widget;
  GtkWidget *found = NULL;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child && !found;
       child = gtk_widget_get_next_sibling (child))
    found = find_comment (child, run);
  return found;
}

static void
act_edit_comment (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgRunsPage *self = FLG_RUNS_PAGE (widget);
  g_autoptr (GArray) runs = flg_runs_page_selected (self);
  GtkWidget *cell =
      runs->len ? find_comment (GTK_WIDGET (self->table), g_array_index (runs, gint64, 0)) : NULL;
  if (cell && gtk_editable_get_editable (GTK_EDITABLE (cell)))
    gtk_editable_label_start_editing (GTK_EDITABLE_LABEL (cell));
}

static void
act_enter_tag (GtkWidget *widget, const char *action, GVariant *target)
{
  gtk_widget_grab_focus (GTK_WIDGET (FLG_RUNS_PAGE (widget)->tag_entry));
}

/* --- page --- */

static void
flg_runs_page_update (FlgPage *page, guint what)
{
  FlgRunsPage *self = FLG_RUNS_PAGE (page);
  if (what & (FLG_CHANGED (FL_TABLE_RUN) | FLG_CHANGED (FL_TABLE_RUN_TAG) | FLG_CHANGED_HEALTH))
    {
      if (*gtk_editable_get_text (GTK_EDITABLE (self->filter)))
        gtk_filter_changed (GTK_FILTER (self->matcher), GTK_FILTER_CHANGE_DIFFERENT);
      show_counts (self);
    }
}

static void
flg_runs_page_begin_filter (FlgPage *page)
{
  gtk_widget_grab_focus (GTK_WIDGET (FLG_RUNS_PAGE (page)->filter));
}

static void
flg_runs_page_step (FlgPage *page, int by)
{
  FlgRunsPage *self = FLG_RUNS_PAGE (page);
  GtkSelectionModel *selection = GTK_SELECTION_MODEL (self->selection);
  int n = (int) g_list_model_get_n_items (G_LIST_MODEL (selection));
  g_autoptr (GtkBitset) set = gtk_selection_model_get_selection (selection);
  int at = gtk_bitset_is_empty (set) ? (by > 0 ? -1 : n) : (int) gtk_bitset_get_minimum (set);
  int wanted = CLAMP (at + by, 0, n - 1);
  if (n == 0)
    return;
  gtk_selection_model_select_item (selection, (guint) wanted, TRUE);
  gtk_widget_activate_action (gtk_widget_get_last_child (GTK_WIDGET (self->table)), "list.scroll-to-item",
                              "u", (guint) wanted);
}

static void
flg_runs_page_focus (FlgPage *page)
{
  gtk_widget_grab_focus (GTK_WIDGET (FLG_RUNS_PAGE (page)->table));
}

static GListModel *
set_up_table (FlgRunsPage *self)
{
  const FlgColumn columns[] = {
    { _ ("Run"), NULL, flg_cell_text, fill_run, compare_run, 75 },
    { _ ("State"), NULL, make_chip, fill_state, NULL, 115 },
    { _ ("Started"), NULL, flg_cell_text, fill_started, compare_started, 85 },
    { _ ("Shots"), NULL, flg_cell_number, fill_shots, compare_shots, 75 },
    { _ ("Processed"), NULL, flg_cell_number, fill_processed, NULL, 95 },
    { _ ("Hits"), NULL, flg_cell_number, fill_hits, compare_hits, 75 },
    { _ ("Indexed"), _ ("of the hits"), flg_cell_number, fill_indexed, NULL, 80 },
    { _ ("Failed"), NULL, flg_cell_number, fill_failed, NULL, 65 },
    { _ ("Hit rate"), NULL, make_sparkline, fill_sparkline, NULL, 120 },
    { _ ("Jobs"), NULL, make_jobs, fill_jobs, NULL, 65 },
    { _ ("Tags"), NULL, make_tags, fill_tags, NULL, 180 },
    { _ ("Comment"), NULL, make_comment, fill_comment, NULL, -1 },
  };
  return flg_columns_set_up (self->table, G_N_ELEMENTS (columns), columns, self,
                             G_LIST_MODEL (self->filtered));
}

static void
flg_runs_page_constructed (GObject *object)
{
  FlgRunsPage *self = FLG_RUNS_PAGE (object);
  GListModel *runs = G_LIST_MODEL (flg_experiment_table (EXPERIMENT (self), FL_TABLE_RUN));
  self->matcher = gtk_custom_filter_new (matches, self, NULL);
  self->filtered = gtk_filter_list_model_new (g_object_ref (runs), GTK_FILTER (self->matcher));
  self->selection = gtk_multi_selection_new (set_up_table (self));
  g_signal_connect_object (self->selection, "selection-changed", G_CALLBACK (on_selection_changed), self,
                           G_CONNECT_SWAPPED);
  gtk_column_view_set_model (self->table, GTK_SELECTION_MODEL (self->selection));
  on_selection_changed (self);
  gtk_menu_button_set_popover (self->manage, flg_tag_editor_new (EXPERIMENT (self)));
  gtk_widget_set_sensitive (GTK_WIDGET (self->manage), !flg_experiment_is_read_only (EXPERIMENT (self)));
  G_OBJECT_CLASS (flg_runs_page_parent_class)->constructed (object);
}

static void
flg_runs_page_dispose (GObject *object)
{
  FlgRunsPage *self = FLG_RUNS_PAGE (object);
  if (self->table)
    gtk_column_view_set_model (self->table, NULL);
  g_clear_object (&self->selection);
  gtk_widget_dispose_template (GTK_WIDGET (self), FLG_TYPE_RUNS_PAGE);
  G_OBJECT_CLASS (flg_runs_page_parent_class)->dispose (object);
}

static void
flg_runs_page_class_init (FlgRunsPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  FlgPageClass *page_class = FLG_PAGE_CLASS (klass);
  G_OBJECT_CLASS (klass)->constructed = flg_runs_page_constructed;
  G_OBJECT_CLASS (klass)->dispose = flg_runs_page_dispose;
  page_class->update = flg_runs_page_update;
  page_class->begin_filter = flg_runs_page_begin_filter;
  page_class->step = flg_runs_page_step;
  page_class->focus = flg_runs_page_focus;
  g_type_ensure (FLW_TYPE_EMPTY_STATE);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/runs-page.ui");
  gtk_widget_class_bind_template_child (widget_class, FlgRunsPage, table);
  gtk_widget_class_bind_template_child (widget_class, FlgRunsPage, filter);
  gtk_widget_class_bind_template_child (widget_class, FlgRunsPage, count);
  gtk_widget_class_bind_template_child (widget_class, FlgRunsPage, stack);
  gtk_widget_class_bind_template_child (widget_class, FlgRunsPage, empty);
  gtk_widget_class_bind_template_child (widget_class, FlgRunsPage, tag_entry);
  gtk_widget_class_bind_template_child (widget_class, FlgRunsPage, tag_bar);
  gtk_widget_class_bind_template_child (widget_class, FlgRunsPage, selected);
  gtk_widget_class_bind_template_child (widget_class, FlgRunsPage, manage);
  gtk_widget_class_bind_template_callback (widget_class, on_filter_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_filter_stopped);
  gtk_widget_class_bind_template_callback (widget_class, on_row_activated);
  gtk_widget_class_bind_template_callback (widget_class, on_tag_button);
  gtk_widget_class_bind_template_callback (widget_class, on_tag_entered);
  gtk_widget_class_install_action (widget_class, "runs.add-tag", "s", act_tag);
  gtk_widget_class_install_action (widget_class, "runs.remove-tag", "s", act_tag);
  gtk_widget_class_install_action (widget_class, "runs.comment", "(xs)", act_comment);
  gtk_widget_class_install_action (widget_class, "runs.save-tag", "(xssb)", act_save_tag);
  gtk_widget_class_install_action (widget_class, "runs.delete-tag", "x", act_delete_tag);
  gtk_widget_class_install_action (widget_class, "runs.select", "ax", act_select);
  gtk_widget_class_install_action (widget_class, "runs.show-images", NULL, act_show_images);
  gtk_widget_class_install_action (widget_class, "runs.enter-tag", NULL, act_enter_tag);
  gtk_widget_class_install_action (widget_class, "runs.edit-comment", NULL, act_edit_comment);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_t, 0, "runs.enter-tag", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_F2, 0, "runs.edit-comment", NULL);
}

static void
flg_runs_page_init (FlgRunsPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  flw_empty_state_set (self->empty, "flg-runs-symbolic", _ ("No runs yet"),
                       _ ("The conductor looks for new runs in the folders that this experiment watches."));
}
