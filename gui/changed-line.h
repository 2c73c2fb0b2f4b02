/* changed-line.h: a quiet line in an editor: somebody else has changed meanwhile what is being edited here. "See" shows both
 * versions. Hidden otherwise. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/context.h"

#define FLG_TYPE_CHANGED_LINE (flg_changed_line_get_type ())
G_DECLARE_FINAL_TYPE (FlgChangedLine, flg_changed_line, FLG, CHANGED_LINE, GtkBox)

/* The record as it stands in the editor; the caller frees it. NULL: it cannot be told now. */
typedef gpointer (*FlgMine) (gpointer data);

GtkWidget *flg_changed_line_new (FlgContext *context, FlgMine mine, gpointer data);
/* What editing began from (copied); NULL: nothing is edited. */
void flg_changed_line_watch (FlgChangedLine *self, FlTable table, gconstpointer base);
/* "ana changed this 5 s ago"; NULL: it is hidden. */
const char *flg_changed_line_words (FlgChangedLine *self);
