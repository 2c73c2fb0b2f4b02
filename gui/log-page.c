#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/log-page.h"

#include <glib/gi18n.h>
#include <string.h>

#include "gui/log-line.h"
#include "gui/people.h"
#include "gui/text.h"
#include "widgets/empty-state.h"
#include "widgets/readout.h"

/* Edits read at a time, and how many "older" adds. */
#define PORTION 500
/* Ages on the screen are told anew so often, s. */
#define AGE_S 5

struct _FlgLogPage
{
  FlgPage parent_instance;
  GtkSearchEntry *filter;
  GtkDropDown *person;
  GtkLabel *count;
  GtkStack *stack;
  FlwEmptyState *empty;
  GtkColumnView *table;
  GtkWidget *older;
  GListStore *lines; /* FlgLogLine */
  GtkFilterListModel *filtered;
  GtkFilter *matcher;
  GtkStringList *people; /* the first is everybody */
  GPtrArray *ages;       /* GtkListItem of the ages on the screen */
  guint beat;
  guint wanted; /* edits to show */
  guint reading;
  gboolean again, filling;
};

G_DEFINE_FINAL_TYPE (FlgLogPage, flg_log_page, FLG_TYPE_PAGE)

#define EXPERIMENT(self) flg_page_experiment (FLG_PAGE (self))

/* --- which of them --- */

static const char *
chosen_person (FlgLogPage *self)
{
  guint at = gtk_drop_down_get_selected (self->person);
  return at == 0 || at == GTK_INVALID_LIST_POSITION ? NULL : gtk_string_list_get_string (self->people, at);
}

static gboolean
matches (gpointer item, gpointer data)
{
  FlgLogPage *self = data;
  const FlEdit *edit = flg_log_line_edit (item);
  const char *person = chosen_person (self);
  g_autofree char *text = g_strjoin (" ", edit->who, edit->where, flg_log_line_words (item), NULL);
  return (!person || strcmp (edit->who, person) == 0)
         && flg_text_has_words (text, gtk_editable_get_text (GTK_EDITABLE (self->filter)));
}

static void
show_counts (FlgLogPage *self)
{
  guint all = g_list_model_get_n_items (G_LIST_MODEL (self->lines)), shown = flg_log_page_n_shown (self);
  g_autofree char *text = shown == all ? g_strdup_printf (ngettext ("%u change", "%u changes", all), all)
                                       : g_strdup_printf (_ ("%u of %u changes"), shown, all);
  gtk_label_set_label (self->count, text);
  gtk_widget_set_visible (self->older, all >= self->wanted);
  gtk_stack_set_visible_child_name (self->stack, all ? "table" : "empty");
}

static void
on_filter_changed (FlgLogPage *self)
{
  if (self->filling || !self->filtered) /* not yet, or no more */
    return;
  gtk_filter_changed (self->matcher, GTK_FILTER_CHANGE_DIFFERENT);
  show_counts (self);
}

static void
note_person (FlgLogPage *self, const char *who)
{
  for (guint i = 1; i < g_list_model_get_n_items (G_LIST_MODEL (self->people)); i++)
    if (strcmp (gtk_string_list_get_string (self->people, i), who) == 0)
      return;
  gtk_string_list_append (self->people, who);
}

/* --- reading --- */

static gpointer
read_edits (FlStore *store, gpointer data, GError **error)
{
  return fl_store_edits (store, 0, GPOINTER_TO_UINT (data), error);
}

static void read_again (FlgLogPage *self);

/* Lines that stay are kept: a button does not vanish under the pointer. */
static void
take (FlgLogPage *self, GPtrArray *edits)
{
  guint old = g_list_model_get_n_items (G_LIST_MODEL (self->lines));
  g_autoptr (GPtrArray) fresh = g_ptr_array_new_with_free_func (g_object_unref);
  self->filling = TRUE;
  for (guint i = 0; i < edits->len; i++)
    {
      g_ptr_array_add (fresh, flg_log_line_new (EXPERIMENT (self), edits, i));
      note_person (self, ((const FlEdit *) edits->pdata[i])->who);
    }
  self->filling = FALSE;
  g_list_store_splice (self->lines, 0, old, fresh->pdata, fresh->len);
  show_counts (self);
}

static gboolean
differ (FlgLogPage *self, GPtrArray *edits)
{
  if (g_list_model_get_n_items (G_LIST_MODEL (self->lines)) != edits->len)
    return TRUE;
  for (guint i = 0; i < edits->len; i++)
    {
      g_autoptr (FlgLogLine) line = g_list_model_get_item (G_LIST_MODEL (self->lines), i);
      const FlEdit *before = flg_log_line_edit (line), *now = edits->pdata[i];
      if (before->id != now->id || before->undone_by != now->undone_by || before->undoable != now->undoable)
        return TRUE;
    }
  return FALSE;
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (FlgLogPage) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) edits = flg_store_thread_run_finish (FLG_STORE_THREAD (source), result, &error);
  self->reading--;
  if (!flg_page_context (FLG_PAGE (self)))
    return;
  if (!edits)
    flg_page_report_read (FLG_PAGE (self), error);
  else if (differ (self, edits))
    take (self, edits);
  if (self->again)
    read_again (self);
}

static void
read_again (FlgLogPage *self)
{
  self->again = self->reading > 0;
  if (self->again || !flg_experiment_is_open (EXPERIMENT (self)))
    return;
  self->reading++;
  flg_store_thread_run_async (flg_experiment_store (EXPERIMENT (self)), read_edits,
                              GUINT_TO_POINTER (self->wanted), NULL, (GDestroyNotify) g_ptr_array_unref, NULL,
                              on_read, g_object_ref (self));
}

/* --- actions --- */

static void
act_undo (GtkWidget *widget, const char *action, GVariant *target)
{
  gtk_widget_activate_action (widget, "win.undo-edit", "x", g_variant_get_int64 (target));
}

static void
act_older (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgLogPage *self = FLG_LOG_PAGE (widget);
  self->wanted += PORTION;
  read_again (self);
}

static void
act_filter (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgLogPage *self = FLG_LOG_PAGE (widget);
  gtk_editable_set_text (GTK_EDITABLE (self->filter), g_variant_get_string (target, NULL));
  on_filter_changed (self); /* the entry itself waits for more keys */
}

static void
act_person (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgLogPage *self = FLG_LOG_PAGE (widget);
  const char *name = g_variant_get_string (target, NULL);
  guint at = 0;
  for (guint i = 1; i < g_list_model_get_n_items (G_LIST_MODEL (self->people)); i++)
    if (strcmp (gtk_string_list_get_string (self->people, i), name) == 0)
      at = i;
  gtk_drop_down_set_selected (self->person, at);
}

/* --- columns --- */

typedef void (*Fill) (FlgLogPage *self, GtkWidget *cell, FlgLogLine *line);

static void
put_text (GtkWidget *cell, const FlEdit *edit, const char *text)
{
  gtk_label_set_label (GTK_LABEL (cell), text);
  gtk_widget_set_tooltip_text (cell, text);
  g_autoptr (PangoAttrList) attributes = pango_attr_list_new ();
  if (edit->undone_by)
    pango_attr_list_insert (attributes, pango_attr_strikethrough_new (TRUE));
  gtk_label_set_attributes (GTK_LABEL (cell), attributes);
  if (edit->undone_by)
    gtk_widget_add_css_class (cell, "dim-label");
  else
    gtk_widget_remove_css_class (cell, "dim-label");
}

static void
fill_time (FlgLogPage *self, GtkWidget *cell, FlgLogLine *line)
{
  const FlEdit *edit = flg_log_line_edit (line);
  g_autofree char *text = flg_format_time (edit->time, flg_experiment_now (EXPERIMENT (self)));
  put_text (cell, edit, text);
}

static void
fill_age (FlgLogPage *self, GtkWidget *cell, FlgLogLine *line)
{
  const FlEdit *edit = flg_log_line_edit (line);
  guint64 now = flg_experiment_now (EXPERIMENT (self));
  g_autofree char *text = flw_format_age (now > edit->time ? (double) (now - edit->time) / 1e9 : 0);
  put_text (cell, edit, text);
}

static void
fill_who (FlgLogPage *self, GtkWidget *cell, FlgLogLine *line)
{
  g_autofree char *text = flg_text_bounded (flg_log_line_edit (line)->who, 80);
  put_text (cell, flg_log_line_edit (line), text);
}

static void
fill_where (FlgLogPage *self, GtkWidget *cell, FlgLogLine *line)
{
  g_autofree char *text = flg_text_bounded (flg_log_line_edit (line)->where, 80);
  put_text (cell, flg_log_line_edit (line), text);
}

static void
fill_what (FlgLogPage *self, GtkWidget *cell, FlgLogLine *line)
{
  const FlEdit *edit = flg_log_line_edit (line);
  g_autofree char *text = edit->undoes ? g_strdup_printf (_ ("undid: %s"), flg_log_line_words (line))
                                       : g_strdup (flg_log_line_words (line));
  put_text (cell, edit, text);
}

static void
fill_undo (FlgLogPage *self, GtkWidget *cell, FlgLogLine *line)
{
  const FlEdit *edit = flg_log_line_edit (line);
  GtkWidget *button = gtk_widget_get_first_child (cell), *note = gtk_widget_get_last_child (cell);
  gboolean may = edit->undoable && !edit->undone_by;
  gtk_actionable_set_action_target (GTK_ACTIONABLE (button), "x", edit->id);
  gtk_widget_set_visible (button, may);
  gtk_widget_set_visible (note, edit->undone_by != 0);
}

static void
on_bind (GtkSignalListItemFactory *factory, GtkListItem *item, FlgLogPage *self)
{
  Fill fill = (Fill) g_object_get_data (G_OBJECT (factory), "fill");
  fill (self, gtk_list_item_get_child (item), gtk_list_item_get_item (item));
  if (fill == fill_age)
    g_ptr_array_add (self->ages, item);
}

static void
on_unbind (GtkSignalListItemFactory *factory, GtkListItem *item, FlgLogPage *self)
{
  g_ptr_array_remove (self->ages, item);
}

static gboolean
on_beat (gpointer data)
{
  FlgLogPage *self = data;
  for (guint i = 0; gtk_widget_get_mapped (GTK_WIDGET (self)) && i < self->ages->len; i++)
    fill_age (self, gtk_list_item_get_child (self->ages->pdata[i]),
              gtk_list_item_get_item (self->ages->pdata[i]));
  return G_SOURCE_CONTINUE;
}

static void
make_label (GtkSignalListItemFactory *factory, GtkListItem *item, FlgLogPage *self)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_widget_add_css_class (label, "numeric");
  gtk_list_item_set_child (item, label);
}

static void
make_undo (GtkSignalListItemFactory *factory, GtkListItem *item, FlgLogPage *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);
  GtkWidget *button = gtk_button_new_with_label (_ ("Undo")), *note = gtk_label_new (_ ("undone"));
  gtk_widget_add_css_class (button, "finding-button");
  gtk_widget_add_css_class (note, "dim-label");
  gtk_actionable_set_action_target (GTK_ACTIONABLE (button), "x", G_GINT64_CONSTANT (0));
  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), "log.undo");
  gtk_box_append (GTK_BOX (box), button);
  gtk_box_append (GTK_BOX (box), note);
  gtk_list_item_set_child (item, box);
}

static void
add_column (FlgLogPage *self, const char *title, Fill fill, int width)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  g_object_set_data (G_OBJECT (factory), "fill", (gpointer) fill);
  g_signal_connect (factory, "setup", G_CALLBACK (fill == fill_undo ? make_undo : make_label), self);
  g_signal_connect (factory, "bind", G_CALLBACK (on_bind), self);
  g_signal_connect (factory, "unbind", G_CALLBACK (on_unbind), self);
  GtkColumnViewColumn *column = gtk_column_view_column_new (title, factory);
  gtk_column_view_column_set_resizable (column, TRUE);
  if (width > 0)
    gtk_column_view_column_set_fixed_width (column, width);
  else
    gtk_column_view_column_set_expand (column, TRUE);
  gtk_column_view_append_column (self->table, column);
  g_object_unref (column);
}

/* --- page --- */

guint
flg_log_page_n_shown (FlgLogPage *self)
{
  return g_list_model_get_n_items (G_LIST_MODEL (self->filtered));
}

gint64
flg_log_page_edit (FlgLogPage *self, guint row)
{
  g_autoptr (FlgLogLine) line = g_list_model_get_item (G_LIST_MODEL (self->filtered), row);
  return line ? flg_log_line_edit (line)->id : 0;
}

char *
flg_log_page_line (FlgLogPage *self, guint row)
{
  g_autoptr (FlgLogLine) line = g_list_model_get_item (G_LIST_MODEL (self->filtered), row);
  if (!line)
    return NULL;
  const FlEdit *edit = flg_log_line_edit (line);
  return g_strdup_printf ("%s%s at %s: %s", edit->undone_by ? "undone: " : "", edit->who, edit->where,
                          flg_log_line_words (line));
}

static void
flg_log_page_update (FlgPage *page, guint what)
{
  if (what & ~(FLG_CHANGED_COUNTS | FLG_CHANGED_FINDINGS | FLG_CHANGED_PEOPLE))
    read_again (FLG_LOG_PAGE (page));
}

static gboolean
flg_log_page_is_settled (FlgPage *page)
{
  return FLG_LOG_PAGE (page)->reading == 0;
}

static void
flg_log_page_begin_filter (FlgPage *page)
{
  gtk_widget_grab_focus (GTK_WIDGET (FLG_LOG_PAGE (page)->filter));
}

static void
flg_log_page_focus (FlgPage *page)
{
  gtk_widget_grab_focus (GTK_WIDGET (FLG_LOG_PAGE (page)->table));
}

static void
flg_log_page_dispose (GObject *object)
{
  FlgLogPage *self = FLG_LOG_PAGE (object);
  g_clear_handle_id (&self->beat, g_source_remove);
  if (self->table)
    gtk_column_view_set_model (self->table, NULL);
  g_clear_object (&self->filtered);
  g_clear_object (&self->lines);
  gtk_widget_dispose_template (GTK_WIDGET (self), FLG_TYPE_LOG_PAGE);
  G_OBJECT_CLASS (flg_log_page_parent_class)->dispose (object);
}

static void
flg_log_page_finalize (GObject *object)
{
  g_ptr_array_unref (FLG_LOG_PAGE (object)->ages);
  G_OBJECT_CLASS (flg_log_page_parent_class)->finalize (object);
}

static void
flg_log_page_class_init (FlgLogPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  FlgPageClass *page_class = FLG_PAGE_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = flg_log_page_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_log_page_finalize;
  page_class->update = flg_log_page_update;
  page_class->is_settled = flg_log_page_is_settled;
  page_class->begin_filter = flg_log_page_begin_filter;
  page_class->focus = flg_log_page_focus;
  g_type_ensure (FLW_TYPE_EMPTY_STATE);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/log-page.ui");
  gtk_widget_class_bind_template_child (widget_class, FlgLogPage, filter);
  gtk_widget_class_bind_template_child (widget_class, FlgLogPage, person);
  gtk_widget_class_bind_template_child (widget_class, FlgLogPage, count);
  gtk_widget_class_bind_template_child (widget_class, FlgLogPage, stack);
  gtk_widget_class_bind_template_child (widget_class, FlgLogPage, empty);
  gtk_widget_class_bind_template_child (widget_class, FlgLogPage, table);
  gtk_widget_class_bind_template_child (widget_class, FlgLogPage, older);
  gtk_widget_class_bind_template_callback (widget_class, on_filter_changed);
  gtk_widget_class_install_action (widget_class, "log.undo", "x", act_undo);
  gtk_widget_class_install_action (widget_class, "log.older", NULL, act_older);
  gtk_widget_class_install_action (widget_class, "log.filter", "s", act_filter);
  gtk_widget_class_install_action (widget_class, "log.person", "s", act_person);
}

static void
flg_log_page_init (FlgLogPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->wanted = PORTION;
  self->ages = g_ptr_array_new ();
  self->beat = g_timeout_add_seconds (AGE_S, on_beat, self);
  const char *all[] = { _ ("Everybody"), NULL };
  self->people = gtk_string_list_new (all);
  gtk_drop_down_set_model (self->person, G_LIST_MODEL (self->people));
  g_object_unref (self->people); /* the drop-down's */
  self->lines = g_list_store_new (FLG_TYPE_LOG_LINE);
  self->matcher = GTK_FILTER (gtk_custom_filter_new (matches, self, NULL));
  self->filtered = gtk_filter_list_model_new (G_LIST_MODEL (g_object_ref (self->lines)), self->matcher);
  add_column (self, _ ("Time"), fill_time, 130);
  add_column (self, _ ("Age"), fill_age, 80);
  add_column (self, _ ("Who"), fill_who, 110);
  add_column (self, _ ("Where"), fill_where, 170);
  add_column (self, _ ("What"), fill_what, 0);
  add_column (self, "", fill_undo, 90);
  g_autoptr (GtkNoSelection) rows = gtk_no_selection_new (G_LIST_MODEL (g_object_ref (self->filtered)));
  gtk_column_view_set_model (self->table, GTK_SELECTION_MODEL (rows));
  flw_empty_state_set (self->empty, "flg-log-symbolic", _ ("No changes yet"),
                       _ ("What people change is kept here: who, when, where, and what it was before."));
}
