/* conflict-dialog.h: two versions of a record side by side: only the fields that differ, each as it was, as somebody else
 * has made it, and as it was edited here. Parameters are shown by line.
 *
 * Signal "decided" (int FlgConflictDecision), once; the dialog then goes. Actions (conflict.): back, theirs, mine, save,
 * choose (sb: column, mine). Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/experiment.h"

typedef enum
{
  FLG_CONFLICT_BACK,   /* closed: undecided */
  FLG_CONFLICT_THEIRS, /* theirs stays as it is */
  FLG_CONFLICT_SAVE    /* save what flg_conflict_dialog_takes_mine() says */
} FlgConflictDecision;

/* Who has changed it; who NULL: not known. */
typedef struct
{
  char *who, *where;
  guint64 time; /* ns UTC */
} FlgConflictOther;

#define FLG_TYPE_CONFLICT_DIALOG (flg_conflict_dialog_get_type ())
G_DECLARE_FINAL_TYPE (FlgConflictDialog, flg_conflict_dialog, FLG, CONFLICT_DIALOG, GtkWindow)

/* `base` may be NULL. Where only one side has departed from it, that side is chosen to begin with; else mine. */
GtkWidget *flg_conflict_dialog_new (GtkWindow *parent, FlgExperiment *experiment, FlTable table,
                                    gconstpointer base, gconstpointer mine, gconstpointer theirs,
                                    const FlgConflictOther *other);
/* Only to look at: there is nothing to save yet. */
void flg_conflict_dialog_only_show (FlgConflictDialog *self);
gboolean flg_conflict_dialog_takes_mine (FlgConflictDialog *self, const char *column);
guint flg_conflict_dialog_n_fields (FlgConflictDialog *self);
/* "ana at hall-2 has changed block b1 5 s ago, while you edited it." */
const char *flg_conflict_dialog_words (FlgConflictDialog *self);
