#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/changed-line.h"

#include <glib/gi18n.h>

#include "gui/conflict-dialog.h"
#include "gui/conflict.h"
#include "gui/text.h"
#include "widgets/readout.h"

#define BEAT_S    1
#define LOOK_BACK 200

/* What every record begins with. */
typedef struct
{
  gint64 id, revision;
} Head;

struct _FlgChangedLine
{
  GtkBox parent_instance;
  FlgContext *context;
  FlgMine mine;
  gpointer data;
  FlTable table;
  gpointer base;
  gint64 asked; /* the revision for which it was asked who made it */
  FlgConflictOther other;
  GtkLabel *label;
  guint beat;
};

G_DEFINE_FINAL_TYPE (FlgChangedLine, flg_changed_line, GTK_TYPE_BOX)

/* The record as others have it now; NULL: as it was, or gone. */
static gconstpointer
theirs_of (FlgChangedLine *self)
{
  if (!self->base || !self->context)
    return NULL;
  FlgRecordModel *model = flg_experiment_table (flg_context_experiment (self->context), self->table);
  FlgRecord *record = flg_record_model_find (model, ((const Head *) self->base)->id);
  gconstpointer now = record ? flg_record_any (record) : NULL;
  if (!now || ((const Head *) now)->revision == ((const Head *) self->base)->revision)
    return NULL;
  g_autoptr (GPtrArray) differences = flg_differences (self->table, NULL, self->base, now);
  return differences->len ? now : NULL;
}

static void
forget_other (FlgChangedLine *self)
{
  g_clear_pointer (&self->other.who, g_free);
  g_clear_pointer (&self->other.where, g_free);
}

static gpointer
read_edits (FlStore *store, gpointer data, GError **error)
{
  return fl_store_edits (store, 0, LOOK_BACK, error);
}

static void
on_edits (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (FlgChangedLine) self = data;
  g_autoptr (GPtrArray) edits = flg_store_thread_run_finish (FLG_STORE_THREAD (source), result, NULL);
  forget_other (self);
  if (!edits)
    self->asked = 0; /* at the next beat */
  for (guint i = 0; edits && self->base && i < edits->len && !self->other.who; i++)
    {
      const FlEdit *edit = edits->pdata[i];
      if (edit->table == self->table && edit->record == ((const Head *) self->base)->id)
        self->other = (FlgConflictOther){ g_strdup (edit->who), g_strdup (edit->where), edit->time };
    }
}

static void
refresh (FlgChangedLine *self)
{
  gconstpointer theirs = theirs_of (self);
  gtk_widget_set_visible (GTK_WIDGET (self), theirs != NULL);
  if (!theirs)
    return;
  FlgExperiment *experiment = flg_context_experiment (self->context);
  if (self->asked != ((const Head *) theirs)->revision)
    {
      self->asked = ((const Head *) theirs)->revision;
      flg_store_thread_run_async (flg_experiment_store (experiment), read_edits, NULL, NULL,
                                  (GDestroyNotify) g_ptr_array_unref, NULL, on_edits, g_object_ref (self));
    }
  guint64 now = flg_experiment_now (experiment);
  g_autofree char *who = flg_text_bounded (self->other.who ? self->other.who : _ ("somebody"), 60);
  g_autofree char *age = flw_format_age (
      self->other.who && now > self->other.time ? (double) (now - self->other.time) / 1e9 : 0);
  g_autofree char *text = self->other.who ? g_strdup_printf (_ ("%s changed this %s ago"), who, age)
                                          : g_strdup (_ ("Somebody has just changed this"));
  gtk_label_set_label (self->label, text);
}

static void
on_changed (FlgChangedLine *self, guint what)
{
  if (what & FLG_CHANGED (self->table))
    refresh (self);
}

static gboolean
on_beat (gpointer data)
{
  refresh (data);
  return G_SOURCE_CONTINUE;
}

static void
on_see (FlgChangedLine *self)
{
  gconstpointer theirs = theirs_of (self);
  gpointer mine = theirs ? self->mine (self->data) : NULL;
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));
  if (!mine)
    return;
  GtkWidget *dialog = flg_conflict_dialog_new (GTK_IS_WINDOW (root) ? GTK_WINDOW (root) : NULL,
                                               flg_context_experiment (self->context), self->table,
                                               self->base, mine, theirs, &self->other);
  flg_conflict_dialog_only_show (FLG_CONFLICT_DIALOG (dialog));
  gtk_window_present (GTK_WINDOW (dialog));
  fl_record_free (self->table, mine);
}

void
flg_changed_line_watch (FlgChangedLine *self, FlTable table, gconstpointer base)
{
  if (self->base)
    fl_record_free (self->table, self->base);
  self->base = base ? fl_record_copy (table, base) : NULL;
  self->table = table;
  self->asked = 0;
  forget_other (self);
  refresh (self);
}

const char *
flg_changed_line_words (FlgChangedLine *self)
{
  return gtk_widget_get_visible (GTK_WIDGET (self)) ? gtk_label_get_label (self->label) : NULL;
}

static void
flg_changed_line_dispose (GObject *object)
{
  FlgChangedLine *self = FLG_CHANGED_LINE (object);
  g_clear_handle_id (&self->beat, g_source_remove);
  if (self->base)
    fl_record_free (self->table, self->base);
  self->base = NULL;
  forget_other (self);
  g_clear_object (&self->context);
  G_OBJECT_CLASS (flg_changed_line_parent_class)->dispose (object);
}

static void
flg_changed_line_class_init (FlgChangedLineClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = flg_changed_line_dispose;
}

static void
flg_changed_line_init (FlgChangedLine *self)
{
  gtk_widget_add_css_class (GTK_WIDGET (self), "changed-line");
  self->label = GTK_LABEL (gtk_label_new (NULL));
  gtk_label_set_xalign (self->label, 0);
  gtk_label_set_ellipsize (self->label, PANGO_ELLIPSIZE_END);
  gtk_widget_set_hexpand (GTK_WIDGET (self->label), TRUE);
  GtkWidget *see = gtk_button_new_with_label (_ ("See"));
  gtk_widget_add_css_class (see, "finding-button");
  g_signal_connect_object (see, "clicked", G_CALLBACK (on_see), self, G_CONNECT_SWAPPED);
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (self->label));
  gtk_box_append (GTK_BOX (self), see);
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
}

GtkWidget *
flg_changed_line_new (FlgContext *context, FlgMine mine, gpointer data)
{
  FlgChangedLine *self = g_object_new (FLG_TYPE_CHANGED_LINE, "spacing", 8, NULL);
  self->context = g_object_ref (context);
  self->mine = mine;
  self->data = data;
  g_signal_connect_object (flg_context_experiment (context), "changed", G_CALLBACK (on_changed), self,
                           G_CONNECT_SWAPPED);
  self->beat = g_timeout_add_seconds (BEAT_S, on_beat, self);
  return GTK_WIDGET (self);
}
