#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/runs-page.h"

#include <glib/gi18n.h>

#include "engine/control/tag-expression.h"
#include "gui/columns.h"
#include "gui/people.h"
#include "gui/run-columns.h"
#include "gui/store-writes.h"
#include "gui/tag-editor.h"
#include "gui/text.h"
#include "gui/science.h"
#include "widgets/empty-state.h"

struct _FlgRunsPage
{
  FlgPage parent_instance;
  GtkColumnView *table;
  GtkSearchEntry *filter;
  GtkLabel *count;
  GtkStack *stack;
  FlwEmptyState *empty;
  GtkEntry *tag_entry;
  FlRun *commented; /* as it was when its comment began to be edited; NULL: none is */
  GtkWidget *tag_bar;
  GtkLabel *selected;
  GtkMenuButton *manage;
  GtkCustomFilter *matcher;
  GtkFilterListModel *filtered;
  GtkMultiSelection *selection;
};

G_DEFINE_FINAL_TYPE (FlgRunsPage, flg_runs_page, FLG_TYPE_PAGE)

#define EXPERIMENT(data) flg_page_experiment (FLG_PAGE (data))

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
  gtk_widget_set_sensitive (self->tag_bar, n > 0 && flg_may_change (EXPERIMENT (self)));
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
write_tag (FlgRunsPage *self, GArray *runs, const char *name, gboolean add)
{
  flg_page_write (FLG_PAGE (self), flg_tagging_write, flg_tagging_new (name, runs, add),
                  (GDestroyNotify) flg_tagging_free);
}

/* The whole selection when the row is part of it, else that row alone. */
static void
act_tag_row (GtkWidget *widget, const char *action, GVariant *target)
{
  gint64 id;
  const char *name;
  gboolean add;
  g_variant_get (target, "(x&sb)", &id, &name, &add);
  FlgRunsPage *self = FLG_RUNS_PAGE (widget);
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
act_filter (GtkWidget *widget, const char *action, GVariant *target)
{
  gtk_editable_set_text (GTK_EDITABLE (FLG_RUNS_PAGE (widget)->filter), g_variant_get_string (target, NULL));
}

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

static int
by_name (gconstpointer a, gconstpointer b)
{
  return fl_run_name_compare (*(const char *const *) a, *(const char *const *) b);
}

/* The selected runs by name: for a selection that has no tag of its own. */
static char *
name_runs (FlgRunsPage *self, const GArray *runs)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (guint i = 0; i < runs->len; i++)
    {
      const FlRun *run = flg_experiment_run (EXPERIMENT (self), g_array_index (runs, gint64, i));
      if (run)
        g_ptr_array_add (names, run->name);
    }
  g_ptr_array_sort (names, by_name);
  g_autoptr (GString) text = g_string_new ("runs ");
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *quoted = fl_tag_expression_quote_run (names->pdata[i]);
      g_string_append_printf (text, "%s%s", i ? "," : "", quoted);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* Of a tag: it is put on the selected runs as well. Without one: of the selected runs. */
static void
act_new_dataset (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgRunsPage *self = FLG_RUNS_PAGE (widget);
  g_autofree char *name = g_strstrip (g_strdup (g_variant_get_string (target, NULL)));
  g_autoptr (GArray) runs = flg_runs_page_selected (self);
  if (!*name && !runs->len)
    return;
  if (*name && runs->len)
    write_tag (self, g_array_ref (runs), name, TRUE);
  g_autofree char *expression = *name ? fl_tag_expression_quote (name) : name_runs (self, runs);
  gtk_widget_activate_action (widget, "win.new-dataset", "s", expression);
}

static void
on_new_dataset (FlgRunsPage *self)
{
  gtk_widget_activate_action (GTK_WIDGET (self), "runs.new-dataset", "s",
                              gtk_editable_get_text (GTK_EDITABLE (self->tag_entry)));
  gtk_editable_set_text (GTK_EDITABLE (self->tag_entry), "");
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
  FlgRunsPage *self = FLG_RUNS_PAGE (widget);
  FlRun *base = self->commented && self->commented->id == run
                    ? g_steal_pointer (&self->commented)
                    : flg_copy_known (EXPERIMENT (self), FL_TABLE_RUN, run);
  if (!base)
    return;
  FlRun *mine = fl_record_copy (FL_TABLE_RUN, base);
  g_free (mine->comment);
  mine->comment = g_strdup (text);
  flg_page_save (FLG_PAGE (self), flg_save_new_record (FL_TABLE_RUN, base, mine), NULL, NULL);
  fl_record_free (FL_TABLE_RUN, base);
}

/* From then on others may change it, too. */
static void
act_begin_comment (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgRunsPage *self = FLG_RUNS_PAGE (widget);
  fl_record_free (FL_TABLE_RUN, self->commented);
  self->commented = flg_copy_known (EXPERIMENT (self), FL_TABLE_RUN, g_variant_get_int64 (target));
}

static void
act_save_tag (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgTagEditor *editor = FLG_TAG_EDITOR (gtk_menu_button_get_popover (FLG_RUNS_PAGE (widget)->manage));
  FlgSave *save = flg_tag_editor_save (editor, target);
  if (save)
    flg_page_save (FLG_PAGE (widget), save, NULL, NULL);
}

static void
act_delete_tag (GtkWidget *widget, const char *action, GVariant *target)
{
  flg_page_write (FLG_PAGE (widget), flg_tag_editor_delete, g_variant_ref (target),
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
  if (what & FLG_CHANGED_HEALTH)
    {
      on_selection_changed (self);
      flg_guard (GTK_WIDGET (self->manage), EXPERIMENT (self));
    }
  if (what & (FLG_CHANGED (FL_TABLE_JOB) | FLG_CHANGED_HEALTH))
    flg_run_columns_set_crystals (self->table,
                                  flg_experiment_science (EXPERIMENT (self)) != FLG_SCIENCE_PARTICLES);
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

static void
flg_runs_page_constructed (GObject *object)
{
  FlgRunsPage *self = FLG_RUNS_PAGE (object);
  GListModel *runs = G_LIST_MODEL (flg_experiment_table (EXPERIMENT (self), FL_TABLE_RUN));
  self->matcher = gtk_custom_filter_new (matches, self, NULL);
  self->filtered = gtk_filter_list_model_new (g_object_ref (runs), GTK_FILTER (self->matcher));
  self->selection = gtk_multi_selection_new (
      flg_run_columns_set_up (self->table, EXPERIMENT (self), G_LIST_MODEL (self->filtered)));
  g_signal_connect_object (self->selection, "selection-changed", G_CALLBACK (on_selection_changed), self,
                           G_CONNECT_SWAPPED);
  gtk_column_view_set_model (self->table, GTK_SELECTION_MODEL (self->selection));
  on_selection_changed (self);
  gtk_menu_button_set_popover (self->manage, flg_tag_editor_new (EXPERIMENT (self)));
  G_OBJECT_CLASS (flg_runs_page_parent_class)->constructed (object);
}

static void
flg_runs_page_dispose (GObject *object)
{
  FlgRunsPage *self = FLG_RUNS_PAGE (object);
  if (self->table)
    gtk_column_view_set_model (self->table, NULL);
  g_clear_object (&self->selection);
  fl_record_free (FL_TABLE_RUN, g_steal_pointer (&self->commented));
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
  gtk_widget_class_bind_template_callback (widget_class, on_new_dataset);
  gtk_widget_class_install_action (widget_class, "runs.add-tag", "s", act_tag);
  gtk_widget_class_install_action (widget_class, "runs.remove-tag", "s", act_tag);
  gtk_widget_class_install_action (widget_class, "runs.tag-row", "(xsb)", act_tag_row);
  gtk_widget_class_install_action (widget_class, "runs.filter", "s", act_filter);
  gtk_widget_class_install_action (widget_class, "runs.comment", "(xs)", act_comment);
  gtk_widget_class_install_action (widget_class, "runs.begin-comment", "x", act_begin_comment);
  gtk_widget_class_install_action (widget_class, "runs.save-tag", "(xssb)", act_save_tag);
  gtk_widget_class_install_action (widget_class, "runs.delete-tag", "x", act_delete_tag);
  gtk_widget_class_install_action (widget_class, "runs.select", "ax", act_select);
  gtk_widget_class_install_action (widget_class, "runs.new-dataset", "s", act_new_dataset);
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
