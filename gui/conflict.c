#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/conflict.h"

#include "engine/base/error.h"
#include "gui/conflict-dialog.h"

/* Edits looked through for who has changed a record. */
#define LOOK_BACK 200

/* What every record begins with. */
typedef struct
{
  gint64 id, revision;
} Head;

typedef struct
{
  FlTable table;
  gpointer record;
} Base;

struct FlgSave
{
  FlgStoreFunc write;
  gpointer data;
  GDestroyNotify free_data;
  GPtrArray *bases; /* Base */
  /* The conflict met: */
  FlTable table;
  gpointer mine, theirs; /* mine: whoever writes it has it */
  FlgConflictOther other;
  /* While it runs: */
  GtkWidget *near;
  FlgContext *context;
  FlgSaveDone done;
  gpointer done_data;
};

static void
base_free (gpointer data)
{
  Base *base = data;
  fl_record_free (base->table, base->record);
  g_free (base);
}

static void
forget_conflict (FlgSave *self)
{
  if (self->theirs)
    fl_record_free (self->table, self->theirs);
  self->theirs = NULL;
  g_clear_pointer (&self->other.who, g_free);
  g_clear_pointer (&self->other.where, g_free);
}

static void
clear_save (gpointer data)
{
  FlgSave *self = data;
  forget_conflict (self);
  if (self->free_data)
    self->free_data (self->data);
  g_ptr_array_unref (self->bases);
}

static void
save_unref (gpointer save)
{
  g_atomic_rc_box_release_full (save, clear_save);
}

FlgSave *
flg_save_new (FlgStoreFunc write, gpointer data, GDestroyNotify free_data)
{
  FlgSave *self = g_atomic_rc_box_new0 (FlgSave);
  self->write = write;
  self->data = data;
  self->free_data = free_data;
  self->bases = g_ptr_array_new_with_free_func (base_free);
  return self;
}

gpointer
flg_save_data (FlgSave *self)
{
  return self->data;
}

void
flg_save_begun_from (FlgSave *self, FlTable table, gconstpointer record)
{
  Base *base = g_new (Base, 1);
  *base = (Base){ table, fl_record_copy (table, record) };
  g_ptr_array_add (self->bases, base);
}

static gpointer
write_one (FlStore *store, gpointer data, GError **error)
{
  FlgSave *self = data;
  const Base *record = self->data;
  return GINT_TO_POINTER (flg_save_record (self, store, record->table, record->record, error));
}

FlgSave *
flg_save_new_record (FlTable table, gconstpointer base, gpointer mine)
{
  Base *record = g_new (Base, 1);
  *record = (Base){ table, mine };
  FlgSave *self = flg_save_new (write_one, record, base_free);
  if (base)
    flg_save_begun_from (self, table, base);
  return self;
}

gpointer
flg_copy_known (FlgExperiment *experiment, FlTable table, gint64 id)
{
  FlgRecord *record = flg_record_model_find (flg_experiment_table (experiment, table), id);
  return record ? fl_record_copy (table, flg_record_any (record)) : NULL;
}

/* --- in the store's thread --- */

static void
find_other (FlgSave *self, FlStore *store)
{
  g_autoptr (GPtrArray) edits = fl_store_edits (store, 0, LOOK_BACK, NULL);
  for (guint i = 0; edits && i < edits->len && !self->other.who; i++)
    {
      const FlEdit *edit = edits->pdata[i];
      if (edit->table != self->table || edit->record != ((const Head *) self->theirs)->id)
        continue;
      self->other = (FlgConflictOther){ g_strdup (edit->who), g_strdup (edit->where), edit->time };
    }
}

gboolean
flg_save_record (FlgSave *self, FlStore *store, FlTable table, gpointer record, GError **error)
{
  if (((Head *) record)->id == 0)
    return fl_store_save (store, table, record, error);
  gpointer theirs = NULL;
  if (fl_store_save_unchanged (store, table, record, &theirs, error))
    return TRUE;
  if (theirs)
    {
      self->table = table;
      self->mine = record;
      self->theirs = theirs;
      find_other (self, store);
    }
  return FALSE;
}

/* --- deciding --- */

static gboolean
is_machines (const char *column)
{
  static const char *const columns[] = { "probe", "probed",  "bytes",     "files", "shots",
                                         "state", "problem", "completed", NULL };
  return g_strv_contains (columns, column);
}

GPtrArray *
flg_differences (FlTable table, gconstpointer base, gconstpointer mine, gconstpointer theirs)
{
  GPtrArray *all = fl_record_differences (table, base, mine, theirs);
  for (guint i = all->len; i-- > 0;)
    if (is_machines (((const FlDifference *) all->pdata[i])->column))
      g_ptr_array_remove_index (all, i);
  return all;
}

static gconstpointer
base_of (FlgSave *self)
{
  for (guint i = 0; i < self->bases->len; i++)
    {
      const Base *base = self->bases->pdata[i];
      if (base->table == self->table && ((const Head *) base->record)->id == ((const Head *) self->mine)->id)
        return base->record;
    }
  return NULL;
}

/* Whether a person must decide: both have changed what people change, into something else. */
static gboolean
is_open (FlgSave *self)
{
  gconstpointer base = base_of (self);
  g_autoptr (GPtrArray) here = flg_differences (self->table, base, self->mine, self->theirs);
  g_autoptr (GPtrArray) there = base ? flg_differences (self->table, NULL, base, self->theirs) : NULL;
  g_autoptr (GPtrArray) own = base ? flg_differences (self->table, NULL, base, self->mine) : NULL;
  return here->len > 0 && (!there || (there->len > 0 && own->len > 0));
}

/* Without a dialog: what was not touched here is as the others have it. */
static void
take (FlgSave *self, FlgConflictDialog *dialog)
{
  g_autoptr (GPtrArray) all = fl_record_differences (self->table, base_of (self), self->mine, self->theirs);
  for (guint i = 0; i < all->len; i++)
    {
      const FlDifference *difference = all->pdata[i];
      gboolean untouched = g_strcmp0 (difference->base, difference->mine) == 0;
      if (is_machines (difference->column)
          || (dialog ? !flg_conflict_dialog_takes_mine (dialog, difference->column) : untouched))
        fl_record_take_column (self->table, self->mine, self->theirs, difference->column);
    }
  ((Head *) self->mine)->revision = ((const Head *) self->theirs)->revision;
  forget_conflict (self);
}

static void write_it (FlgSave *self);

static void
finish (FlgSave *self, FlgSaveEnd end, const GError *error)
{
  if (self->done)
    self->done (end, error, self->done_data);
  /* Here: the store's thread may be the last to let the save go, and widgets are not its business. */
  g_clear_object (&self->near);
  g_clear_object (&self->context);
  save_unref (self);
}

static void
on_decided (FlgConflictDialog *dialog, int decision, FlgSave *self)
{
  if (decision == FLG_CONFLICT_SAVE)
    {
      take (self, dialog);
      write_it (self);
    }
  else
    finish (self, decision == FLG_CONFLICT_THEIRS ? FLG_SAVE_THEIRS : FLG_SAVE_BACK, NULL);
}

static void
ask (FlgSave *self)
{
  GtkRoot *root = gtk_widget_get_root (self->near);
  GtkWidget *dialog = flg_conflict_dialog_new (GTK_IS_WINDOW (root) ? GTK_WINDOW (root) : NULL,
                                               flg_context_experiment (self->context), self->table,
                                               base_of (self), self->mine, self->theirs, &self->other);
  g_signal_connect (dialog, "decided", G_CALLBACK (on_decided), self);
  gtk_window_present (GTK_WINDOW (dialog));
}

static void
on_written (GObject *source, GAsyncResult *result, gpointer data)
{
  FlgSave *self = data;
  g_autoptr (GError) error = NULL;
  if (flg_context_write_finish (FLG_CONTEXT (source), result, &error))
    finish (self, FLG_SAVE_DONE, NULL);
  else if (!g_error_matches (error, FL_ERROR, FL_ERROR_CONFLICT) || !self->theirs)
    finish (self, FLG_SAVE_FAILED, error);
  else if (is_open (self))
    ask (self);
  else
    {
      take (self, NULL);
      write_it (self);
    }
}

static gpointer
write_save (FlStore *store, gpointer data, GError **error)
{
  FlgSave *self = data;
  return self->write (store, self, error);
}

static void
write_it (FlgSave *self)
{
  flg_context_write (self->context, write_save, g_atomic_rc_box_acquire (self), save_unref, on_written, self);
}

void
flg_save_run (FlgSave *self, GtkWidget *near, FlgContext *context, FlgSaveDone done, gpointer data)
{
  self->near = g_object_ref (near);
  self->context = g_object_ref (context);
  self->done = done;
  self->done_data = data;
  write_it (self);
}
