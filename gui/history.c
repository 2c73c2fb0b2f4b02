#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/history.h"

#include <glib/gi18n.h>

#include "engine/base/error.h"
#include "gui/edit-words.h"

/* Edits of one moment that are counted, at most. */
#define LOOK_BACK 500

struct FlgHistory
{
  FlgContext *context;
  FlgHistorySaid said;
  gpointer data;
  GArray *undone; /* gint64: edits that took something back, in order */
};

/* One undo on its way; shared with the store's thread. */
typedef struct
{
  FlgHistory *history;  /* reference; the main thread's alone */
  gint64 edit, made;    /* what is taken back (0: own newest), by which edit */
  gboolean whole, redo; /* whole: with all that was done in the same moment */
  GPtrArray *edits;     /* FlEdit: what is taken back, and older ones */
} Undo;

static void
clear_history (gpointer data)
{
  FlgHistory *self = data;
  g_object_unref (self->context);
  g_array_unref (self->undone);
}

static void
clear_undo (gpointer data)
{
  Undo *undo = data;
  g_clear_pointer (&undo->edits, g_ptr_array_unref);
}

static void
undo_unref (gpointer undo)
{
  g_atomic_rc_box_release_full (undo, clear_undo);
}

static gpointer
write_undo (FlStore *store, gpointer data, GError **error)
{
  Undo *undo = data;
  if (undo->edit == 0)
    {
      g_autoptr (GError) failed = NULL;
      undo->edit = fl_store_last_undoable (store, &failed);
      if (failed)
        {
          g_propagate_error (error, g_steal_pointer (&failed));
          return NULL;
        }
    }
  if (undo->edit == 0)
    {
      g_set_error_literal (error, FL_ERROR, FL_ERROR_MISSING, _ ("There is nothing of yours to undo."));
      return NULL;
    }
  undo->edits = fl_store_edits (store, undo->edit + 1, LOOK_BACK, error);
  if (!undo->edits)
    return NULL;
  if (!undo->whole)
    return GINT_TO_POINTER (fl_store_undo (store, undo->edit, &undo->made, error));
  g_autoptr (GPtrArray) newest = NULL;
  if (!fl_store_undo_action (store, undo->edit, error) || !(newest = fl_store_edits (store, 0, 1, error)))
    return NULL;
  undo->made = newest->len ? ((const FlEdit *) newest->pdata[0])->id : 0;
  return GINT_TO_POINTER (TRUE);
}

/* "put tag dark on run r0001 and 3 more". */
static char *
say (const Undo *undo)
{
  if (undo->edits->len == 0)
    return g_strdup ("");
  const FlEdit *first = undo->edits->pdata[0];
  guint n = 0;
  for (guint i = 0; undo->whole && i < undo->edits->len; i++)
    n += ((const FlEdit *) undo->edits->pdata[i])->action == first->action;
  g_autofree char *words = flg_edit_words (flg_context_experiment (undo->history->context), first);
  return n > 1 ? g_strdup_printf (ngettext ("%s and %u more", "%s and %u more", n - 1), words, n - 1)
               : g_steal_pointer (&words);
}

static void
on_undone (GObject *source, GAsyncResult *result, gpointer data)
{
  Undo *undo = data;
  FlgHistory *self = undo->history;
  g_autoptr (GError) error = NULL;
  if (!flg_context_write_finish (FLG_CONTEXT (source), result, &error))
    {
      gboolean nothing = g_error_matches (error, FL_ERROR, FL_ERROR_MISSING);
      if (self->said)
        self->said (nothing ? FLW_TONE_NEUTRAL : FLW_TONE_WARNING, error->message, NULL, self->data);
    }
  else
    {
      g_autofree char *words = say (undo);
      g_autofree char *text =
          g_strdup_printf (undo->redo ? _ ("Done again (undone was: %s)") : _ ("Undone: %s"), words);
      if (!undo->redo && undo->made)
        g_array_append_val (self->undone, undo->made);
      if (self->said)
        self->said (FLW_TONE_ACTIVE, text, undo->redo ? "win.undo" : "win.redo", self->data);
    }
  g_rc_box_release_full (g_steal_pointer (&undo->history), clear_history);
  undo_unref (undo);
}

static void
begin (FlgHistory *self, gint64 edit, gboolean redo)
{
  Undo *undo = g_atomic_rc_box_new0 (Undo);
  undo->history = g_rc_box_acquire (self);
  undo->edit = edit;
  undo->redo = redo;
  undo->whole = redo || edit == 0;
  flg_context_write (self->context, write_undo, g_atomic_rc_box_acquire (undo), undo_unref, on_undone, undo);
}

void
flg_history_undo (FlgHistory *self, gint64 edit)
{
  begin (self, edit, FALSE);
}

void
flg_history_redo (FlgHistory *self)
{
  if (self->undone->len == 0)
    {
      self->said (FLW_TONE_NEUTRAL, _ ("There is nothing to do again."), NULL, self->data);
      return;
    }
  gint64 edit = g_array_index (self->undone, gint64, self->undone->len - 1);
  g_array_set_size (self->undone, self->undone->len - 1);
  begin (self, edit, TRUE);
}

FlgHistory *
flg_history_new (FlgContext *context, FlgHistorySaid said, gpointer data)
{
  FlgHistory *self = g_rc_box_new0 (FlgHistory);
  self->context = g_object_ref (context);
  self->said = said;
  self->data = data;
  self->undone = g_array_new (FALSE, FALSE, sizeof (gint64));
  return self;
}

void
flg_history_free (FlgHistory *self)
{
  self->said = NULL;
  g_rc_box_release_full (self, clear_history);
}
