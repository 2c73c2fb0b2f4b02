#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/block-editor.h"

#include <glib/gi18n.h>

#include <string.h>

#include "engine/base/params.h"
#include "gui/people.h"

struct _FlgBlockEditor
{
  GtkBox parent_instance;
  FlgExperiment *experiment;
};

G_DEFINE_FINAL_TYPE (FlgBlockEditor, flg_block_editor, GTK_TYPE_BOX)

gpointer
flg_block_editor_save (FlStore *store, gpointer data, GError **error)
{
  FlBlock block = { 0 };
  g_variant_get (data, "(x&s&s&s&sb)", &block.id, &block.name, &block.first_run, &block.last_run,
                 &block.params, &block.active);
  return GINT_TO_POINTER (fl_store_save (store, FL_TABLE_BLOCK, &block, error));
}

/* One card; its fields are looked up by name. */
typedef struct
{
  gint64 id;
  GtkWidget *card, *complaint, *save;
  GtkEditable *name, *first, *last, *geometry, *mask;
  GtkSwitch *active;
  FlParams *params; /* of the block: what the card does not show stays */
  FlgBlockEditor *editor;
} Card;

static void
card_free (Card *card)
{
  fl_params_free (card->params);
  g_free (card);
}

static gboolean
run_exists (Card *card, const char *name)
{
  FlgRecordModel *runs = flg_experiment_table (card->editor->experiment, FL_TABLE_RUN);
  for (guint i = 0; i < flg_record_model_count (runs); i++)
    if (fl_run_name_compare (flg_record_run (flg_record_model_at (runs, i))->name, name) == 0)
      return TRUE;
  return flg_record_model_count (runs) == 0;
}

/* NULL: may be saved. */
static const char *
complaint_of (Card *card)
{
  const char *first = gtk_editable_get_text (card->first), *last = gtk_editable_get_text (card->last);
  if (!*gtk_editable_get_text (card->name))
    return _ ("A block needs a name.");
  if (*first && *last && fl_run_name_compare (first, last) > 0)
    return _ ("The last run comes before the first.");
  if ((*first && !run_exists (card, first)) || (*last && !run_exists (card, last)))
    return _ ("There is no such run yet.");
  return NULL;
}

static void
on_edited (Card *card)
{
  const char *complaint = complaint_of (card);
  gtk_label_set_label (GTK_LABEL (card->complaint), complaint ? complaint : "");
  gtk_widget_set_sensitive (card->save, TRUE);
}

static void
on_save (Card *card)
{
  g_autoptr (GError) error = NULL;
  if (!*gtk_editable_get_text (card->name)
      || !fl_params_set (card->params, "detector.geometry", gtk_editable_get_text (card->geometry), &error)
      || !fl_params_set (card->params, "detector.mask", gtk_editable_get_text (card->mask), &error))
    {
      gtk_label_set_label (GTK_LABEL (card->complaint), error ? error->message : complaint_of (card));
      return;
    }
  g_autofree char *text = fl_params_write_changed (card->params, NULL);
  gtk_widget_activate_action (card->card, "trials.save-block", "(xssssb)", card->id,
                              gtk_editable_get_text (card->name), gtk_editable_get_text (card->first),
                              gtk_editable_get_text (card->last), text, gtk_switch_get_active (card->active));
}

static GtkEditable *
add_field (Card *card, GtkWidget *grid, int row, int column, const char *title, const char *placeholder,
           const char *text, gboolean writable)
{
  GtkWidget *label = gtk_label_new (title);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_add_css_class (label, "dim-label");
  GtkWidget *entry = gtk_entry_new ();
  gtk_entry_set_placeholder_text (GTK_ENTRY (entry), placeholder);
  gtk_editable_set_text (GTK_EDITABLE (entry), text);
  gtk_editable_set_editable (GTK_EDITABLE (entry), writable);
  gtk_widget_set_hexpand (entry, TRUE);
  gtk_editable_set_width_chars (GTK_EDITABLE (entry), 8);
  g_signal_connect_swapped (entry, "changed", G_CALLBACK (on_edited), card);
  g_signal_connect_swapped (entry, "activate", G_CALLBACK (on_save), card);
  gtk_grid_attach (GTK_GRID (grid), label, column, row, 1, 1);
  gtk_grid_attach (GTK_GRID (grid), entry, column + 1, row, row >= 2 ? 4 : 1, 1);
  return GTK_EDITABLE (entry);
}

static GtkWidget *
card_new (FlgBlockEditor *self, const FlBlock *block)
{
  gboolean writable = flg_may_change (self->experiment);
  Card *card = g_new0 (Card, 1);
  card->id = block ? block->id : 0;
  card->editor = self;
  card->params = fl_params_new ();
  if (block && *block->params)
    fl_params_read (card->params, block->params, block->name, NULL);
  GtkWidget *grid = card->card = gtk_grid_new ();
  gtk_grid_set_column_spacing (GTK_GRID (grid), 10);
  gtk_grid_set_row_spacing (GTK_GRID (grid), 6);
  gtk_widget_add_css_class (grid, "card");
  g_object_set_data_full (G_OBJECT (grid), "card", card, (GDestroyNotify) card_free);
  card->complaint = gtk_label_new (NULL);
  card->save = gtk_button_new_with_label (block ? _ ("Save") : _ ("Add block"));
  card->name = add_field (card, grid, 0, 0, _ ("Block"), _ ("name"), block ? block->name : "", writable);
  card->first =
      add_field (card, grid, 1, 0, _ ("First run"), _ ("any"), block ? block->first_run : "", writable);
  card->last =
      add_field (card, grid, 1, 2, _ ("Last run"), _ ("open end"), block ? block->last_run : "", writable);
  card->geometry = add_field (card, grid, 2, 0, _ ("Geometry"), _ ("the files describe their own detector"),
                              fl_params_text (card->params, "detector.geometry"), writable);
  card->mask = add_field (card, grid, 3, 0, _ ("Mask"), _ ("none"),
                          fl_params_text (card->params, "detector.mask"), writable);
  card->active = GTK_SWITCH (gtk_switch_new ());
  gtk_switch_set_active (card->active, block ? block->active : TRUE);
  gtk_widget_set_sensitive (GTK_WIDGET (card->active), writable);
  gtk_widget_set_halign (GTK_WIDGET (card->active), GTK_ALIGN_START);
  g_signal_connect_swapped (card->active, "notify::active", G_CALLBACK (on_edited), card);
  GtkWidget *active_label = gtk_label_new (_ ("Active"));
  gtk_widget_add_css_class (active_label, "dim-label");
  gtk_label_set_xalign (GTK_LABEL (active_label), 0);
  gtk_grid_attach (GTK_GRID (grid), active_label, 2, 0, 1, 1);
  gtk_grid_attach (GTK_GRID (grid), GTK_WIDGET (card->active), 3, 0, 1, 1);
  gtk_label_set_xalign (GTK_LABEL (card->complaint), 0);
  gtk_widget_add_css_class (card->complaint, "complaint");
  gtk_grid_attach (GTK_GRID (grid), card->complaint, 1, 4, 2, 1);
  gtk_widget_set_halign (card->save, GTK_ALIGN_END);
  gtk_widget_set_visible (card->save, writable);
  gtk_widget_set_sensitive (card->save, FALSE);
  g_signal_connect_swapped (card->save, "clicked", G_CALLBACK (on_save), card);
  gtk_grid_attach (GTK_GRID (grid), card->save, 3, 4, 2, 1);
  return grid;
}

static void
rebuild (FlgBlockEditor *self)
{
  GtkWidget *child;
  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self))))
    gtk_box_remove (GTK_BOX (self), child);
  FlgRecordModel *blocks = flg_experiment_table (self->experiment, FL_TABLE_BLOCK);
  for (guint i = 0; i < flg_record_model_count (blocks); i++)
    gtk_box_append (GTK_BOX (self), card_new (self, flg_record_block (flg_record_model_at (blocks, i))));
  if (flg_may_change (self->experiment))
    gtk_box_append (GTK_BOX (self), card_new (self, NULL));
}

static void
on_changed (FlgBlockEditor *self, guint what)
{
  if (what & FLG_CHANGED (FL_TABLE_BLOCK))
    rebuild (self);
}

static void
flg_block_editor_dispose (GObject *object)
{
  g_clear_object (&FLG_BLOCK_EDITOR (object)->experiment);
  G_OBJECT_CLASS (flg_block_editor_parent_class)->dispose (object);
}

static void
flg_block_editor_class_init (FlgBlockEditorClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = flg_block_editor_dispose;
}

static void
flg_block_editor_init (FlgBlockEditor *self)
{
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  gtk_box_set_spacing (GTK_BOX (self), 14);
}

GtkWidget *
flg_block_editor_new (FlgExperiment *experiment)
{
  FlgBlockEditor *self = g_object_new (FLG_TYPE_BLOCK_EDITOR, NULL);
  self->experiment = g_object_ref (experiment);
  g_signal_connect_object (experiment, "changed", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  rebuild (self);
  return GTK_WIDGET (self);
}
