#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/tag-editor.h"

#include <glib/gi18n.h>
#include <string.h>

#include "widgets/palette.h"
#include "widgets/tag-chips.h"

struct _FlgTagEditor
{
  GtkPopover parent_instance;
  FlgExperiment *experiment;
  GtkListBox *list;
  GtkEntry *fresh;
  gboolean behind; /* somebody is typing: the list is made again afterwards */
};

G_DEFINE_FINAL_TYPE (FlgTagEditor, flg_tag_editor, GTK_TYPE_POPOVER)

gpointer
flg_tag_editor_delete (FlStore *store, gpointer data, GError **error)
{
  return GINT_TO_POINTER (fl_store_remove (store, FL_TABLE_TAG, g_variant_get_int64 (data), error));
}

/* The row's widgets hold what is shown; saved when any of them is done with. */
static void
save_row (GtkWidget *row)
{
  const FlTag *base = g_object_get_data (G_OBJECT (row), "base");
  GtkEditable *name = g_object_get_data (G_OBJECT (row), "name");
  GtkColorChooser *colour = g_object_get_data (G_OBJECT (row), "colour");
  GtkCheckButton *persistent = g_object_get_data (G_OBJECT (row), "persistent");
  GdkRGBA rgba;
  gtk_color_chooser_get_rgba (colour, &rgba);
  g_autofree char *hex =
      g_strdup_printf ("#%02x%02x%02x", (guint) (rgba.red * 255 + 0.5f), (guint) (rgba.green * 255 + 0.5f),
                       (guint) (rgba.blue * 255 + 0.5f));
  gtk_widget_activate_action (row, "runs.save-tag", "(xssb)", base->id, gtk_editable_get_text (name), hex,
                              gtk_check_button_get_active (persistent));
}

static void rebuild (FlgTagEditor *self);

static void
on_name_done (GtkEditableLabel *name, GParamSpec *pspec, GtkWidget *row)
{
  FlgTagEditor *self = FLG_TAG_EDITOR (gtk_widget_get_ancestor (row, FLG_TYPE_TAG_EDITOR));
  const FlTag *base = g_object_get_data (G_OBJECT (row), "base");
  if (gtk_editable_label_get_editing (name) || !self)
    return;
  const char *text = gtk_editable_get_text (GTK_EDITABLE (name));
  if (*text && strcmp (text, base->name) != 0)
    save_row (row);
  else if (self->behind)
    rebuild (self);
}

static void
delete_row (GtkWidget *row)
{
  const FlTag *base = g_object_get_data (G_OBJECT (row), "base");
  gtk_widget_activate_action (row, "runs.delete-tag", "x", base->id);
}

static void
free_tag (gpointer tag)
{
  fl_record_free (FL_TABLE_TAG, tag);
}

static GtkWidget *
row_new (const FlTag *tag)
{
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  GdkRGBA rgba = flw_rgba (flw_tag_colour (tag->name), 1);
  if (*tag->colour)
    gdk_rgba_parse (&rgba, tag->colour);
  GtkWidget *colour = gtk_color_button_new_with_rgba (&rgba);
  gtk_widget_set_tooltip_text (colour, _ ("Colour"));
  GtkWidget *name = gtk_editable_label_new (tag->name);
  gtk_widget_set_hexpand (name, TRUE);
  GtkWidget *persistent = gtk_check_button_new_with_label (_ ("on every new run"));
  gtk_check_button_set_active (GTK_CHECK_BUTTON (persistent), tag->persistent);
  GtkWidget *remove = gtk_button_new_from_icon_name ("user-trash-symbolic");
  gtk_widget_set_tooltip_text (remove, _ ("Take the tag off all runs and forget it"));
  gtk_widget_add_css_class (remove, "flat");
  g_object_set_data_full (G_OBJECT (row), "base", fl_record_copy (FL_TABLE_TAG, tag), free_tag);
  g_object_set_data (G_OBJECT (row), "name", name);
  g_object_set_data (G_OBJECT (row), "colour", colour);
  g_object_set_data (G_OBJECT (row), "persistent", persistent);
  g_signal_connect_object (colour, "color-set", G_CALLBACK (save_row), row, G_CONNECT_SWAPPED);
  g_signal_connect_object (persistent, "toggled", G_CALLBACK (save_row), row, G_CONNECT_SWAPPED);
  g_signal_connect_object (name, "notify::editing", G_CALLBACK (on_name_done), row, 0);
  g_signal_connect_object (remove, "clicked", G_CALLBACK (delete_row), row, G_CONNECT_SWAPPED);
  GtkWidget *parts[] = { colour, name, persistent, remove };
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    gtk_box_append (GTK_BOX (row), parts[i]);
  return row;
}

static GtkWidget *
row_at (FlgTagEditor *self, int at)
{
  GtkListBoxRow *row = gtk_list_box_get_row_at_index (self->list, at);
  return row ? gtk_list_box_row_get_child (row) : NULL;
}

static gboolean
is_typing (FlgTagEditor *self)
{
  GtkWidget *row;
  for (int i = 0; (row = row_at (self, i)); i++)
    if (gtk_editable_label_get_editing (g_object_get_data (G_OBJECT (row), "name")))
      return TRUE;
  return FALSE;
}

FlgSave *
flg_tag_editor_save (FlgTagEditor *self, GVariant *target)
{
  gint64 id;
  const char *name, *colour;
  gboolean persistent;
  g_variant_get (target, "(x&s&sb)", &id, &name, &colour, &persistent);
  GtkWidget *row;
  FlTag *base = id ? flg_copy_known (self->experiment, FL_TABLE_TAG, id) : NULL;
  for (int i = 0; gtk_widget_get_visible (GTK_WIDGET (self)) && (row = row_at (self, i)); i++)
    {
      const FlTag *begun = g_object_get_data (G_OBJECT (row), "base");
      if (begun->id != id)
        continue;
      fl_record_free (FL_TABLE_TAG, base);
      base = fl_record_copy (FL_TABLE_TAG, begun);
    }
  if (id && !base)
    return NULL;
  FlTag *mine = base ? fl_record_copy (FL_TABLE_TAG, base) : g_new0 (FlTag, 1);
  g_free (mine->name);
  g_free (mine->colour);
  mine->name = g_strdup (name);
  mine->colour = g_strdup (colour);
  mine->persistent = persistent;
  FlgSave *save = flg_save_new_record (FL_TABLE_TAG, base, mine);
  fl_record_free (FL_TABLE_TAG, base);
  return save;
}

static void
rebuild (FlgTagEditor *self)
{
  GtkWidget *child;
  self->behind = is_typing (self);
  if (self->behind)
    return;
  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->list))))
    gtk_list_box_remove (self->list, child);
  FlgRecordModel *tags = flg_experiment_table (self->experiment, FL_TABLE_TAG);
  for (guint i = 0; i < flg_record_model_count (tags); i++)
    gtk_list_box_append (self->list, row_new (flg_record_tag (flg_record_model_at (tags, i))));
}

static void
on_changed (FlgTagEditor *self, guint what)
{
  if ((what & FLG_CHANGED (FL_TABLE_TAG)) && gtk_widget_get_visible (GTK_WIDGET (self)))
    rebuild (self);
}

static void
on_fresh (FlgTagEditor *self)
{
  const char *name = gtk_editable_get_text (GTK_EDITABLE (self->fresh));
  if (*name)
    gtk_widget_activate_action (GTK_WIDGET (self), "runs.save-tag", "(xssb)", G_GINT64_CONSTANT (0), name, "",
                                FALSE);
  gtk_editable_set_text (GTK_EDITABLE (self->fresh), "");
}

static void
flg_tag_editor_dispose (GObject *object)
{
  g_clear_object (&FLG_TAG_EDITOR (object)->experiment);
  G_OBJECT_CLASS (flg_tag_editor_parent_class)->dispose (object);
}

static void
flg_tag_editor_class_init (FlgTagEditorClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = flg_tag_editor_dispose;
}

static void
flg_tag_editor_init (FlgTagEditor *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 8);
  self->list = GTK_LIST_BOX (gtk_list_box_new ());
  gtk_list_box_set_selection_mode (self->list, GTK_SELECTION_NONE);
  self->fresh = GTK_ENTRY (gtk_entry_new ());
  gtk_entry_set_placeholder_text (self->fresh, _ ("New tag"));
  g_signal_connect_object (self->fresh, "activate", G_CALLBACK (on_fresh), self, G_CONNECT_SWAPPED);
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->list));
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->fresh));
  gtk_popover_set_child (GTK_POPOVER (self), box);
  g_signal_connect (self, "show", G_CALLBACK (rebuild), NULL);
}

GtkWidget *
flg_tag_editor_new (FlgExperiment *experiment)
{
  FlgTagEditor *self = g_object_new (FLG_TYPE_TAG_EDITOR, NULL);
  self->experiment = g_object_ref (experiment);
  g_signal_connect_object (experiment, "changed", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  return GTK_WIDGET (self);
}
