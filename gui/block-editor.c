#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/block-editor.h"

#include <glib/gi18n.h>

#include <string.h>

#include "engine/base/params.h"
#include "gui/changed-line.h"
#include "gui/conflict.h"
#include "gui/people.h"

struct _FlgBlockEditor
{
  GtkBox parent_instance;
  FlgContext *context;
  FlgExperiment *experiment; /* the context's */
};

G_DEFINE_FINAL_TYPE (FlgBlockEditor, flg_block_editor, GTK_TYPE_BOX)

FlBlock *
flg_block_of (const FlBlock *base, GVariant *fields)
{
  FlBlock now = { 0 };
  g_variant_get (fields, "(x&s&s&s&sb)", &now.id, &now.name, &now.first_run, &now.last_run, &now.params,
                 &now.active);
  now.revision = base ? base->revision : 0;
  return fl_record_copy (FL_TABLE_BLOCK, &now);
}

/* One card; its fields are looked up by name. */
typedef struct
{
  FlBlock *base; /* what is being edited, as it was; NULL: a new one */
  gboolean edited, saving;
  FlgChangedLine *changed;
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
  fl_record_free (FL_TABLE_BLOCK, card->base);
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
  if (!card->edited && card->base)
    flg_changed_line_watch (card->changed, FL_TABLE_BLOCK, card->base);
  card->edited = TRUE;
}

/* As it stands on the screen; NULL: it cannot be saved like that, which is said. */
static gpointer
mine_of (gpointer data)
{
  Card *card = data;
  g_autoptr (GError) error = NULL;
  if (!*gtk_editable_get_text (card->name)
      || !fl_params_set (card->params, "detector.geometry", gtk_editable_get_text (card->geometry), &error)
      || !fl_params_set (card->params, "detector.mask", gtk_editable_get_text (card->mask), &error))
    {
      gtk_label_set_label (GTK_LABEL (card->complaint), error ? error->message : complaint_of (card));
      return NULL;
    }
  g_autofree char *text = fl_params_write_changed (card->params, NULL);
  g_autoptr (GVariant) fields = g_variant_ref_sink (
      g_variant_new ("(xssssb)", card->base ? card->base->id : 0, gtk_editable_get_text (card->name),
                     gtk_editable_get_text (card->first), gtk_editable_get_text (card->last), text,
                     gtk_switch_get_active (card->active)));
  return flg_block_of (card->base, fields);
}

static void rebuild (FlgBlockEditor *self);

static void
on_saved (FlgSaveEnd end, const GError *error, gpointer data)
{
  g_autoptr (GtkWidget) widget = data;
  Card *card = g_object_get_data (G_OBJECT (widget), "card");
  card->saving = FALSE;
  gtk_widget_set_sensitive (card->save, TRUE);
  if (error)
    gtk_label_set_label (GTK_LABEL (card->complaint), error->message);
  if (end != FLG_SAVE_DONE && end != FLG_SAVE_THEIRS)
    return;
  card->edited = FALSE;
  if (gtk_widget_get_parent (widget))
    rebuild (card->editor);
}

static void
on_save (Card *card)
{
  FlBlock *mine = card->saving ? NULL : mine_of (card);
  if (!mine)
    return;
  card->saving = TRUE;
  gtk_widget_set_sensitive (card->save, FALSE);
  flg_save_run (flg_save_new_record (FL_TABLE_BLOCK, card->base, mine), card->card, card->editor->context,
                on_saved, g_object_ref (card->card));
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
  card->base = block ? fl_record_copy (FL_TABLE_BLOCK, block) : NULL;
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
  card->changed = FLG_CHANGED_LINE (flg_changed_line_new (self->context, mine_of, card));
  gtk_grid_attach (GTK_GRID (grid), GTK_WIDGET (card->changed), 0, 5, 5, 1);
  return grid;
}

static Card *
card_of (GtkWidget *widget)
{
  return g_object_get_data (G_OBJECT (widget), "card");
}

/* The card of a block that is being edited; NULL: it is not. */
static GtkWidget *
find_edited (FlgBlockEditor *self, gint64 id)
{
  for (GtkWidget *child = gtk_widget_get_first_child (GTK_WIDGET (self)); child;
       child = gtk_widget_get_next_sibling (child))
    if ((card_of (child)->base ? card_of (child)->base->id : 0) == id)
      return child;
  return NULL;
}

/* Cards that are being edited stay; the others are made again. */
static void
rebuild (FlgBlockEditor *self)
{
  GtkWidget *next, *last = NULL;
  for (GtkWidget *child = gtk_widget_get_first_child (GTK_WIDGET (self)); child; child = next)
    {
      next = gtk_widget_get_next_sibling (child);
      if (!card_of (child)->edited)
        gtk_box_remove (GTK_BOX (self), child);
    }
  FlgRecordModel *blocks = flg_experiment_table (self->experiment, FL_TABLE_BLOCK);
  guint n = flg_record_model_count (blocks);
  for (guint i = 0; i < n + (flg_may_change (self->experiment) ? 1 : 0); i++)
    {
      const FlBlock *block = i < n ? flg_record_block (flg_record_model_at (blocks, i)) : NULL;
      GtkWidget *card = find_edited (self, block ? block->id : 0);
      if (card)
        gtk_box_reorder_child_after (GTK_BOX (self), card, last);
      else
        gtk_box_insert_child_after (GTK_BOX (self), card = card_new (self, block), last);
      last = card;
    }
}

static void
on_changed (FlgBlockEditor *self, guint what)
{
  if (what & (FLG_CHANGED (FL_TABLE_BLOCK) | FLG_CHANGED_HEALTH))
    rebuild (self);
}

static void
flg_block_editor_dispose (GObject *object)
{
  g_clear_object (&FLG_BLOCK_EDITOR (object)->context);
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
flg_block_editor_new (FlgContext *context)
{
  FlgBlockEditor *self = g_object_new (FLG_TYPE_BLOCK_EDITOR, NULL);
  self->context = g_object_ref (context);
  self->experiment = flg_context_experiment (context);
  g_signal_connect_object (self->experiment, "changed", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  rebuild (self);
  return GTK_WIDGET (self);
}
