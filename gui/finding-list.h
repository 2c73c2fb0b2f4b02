/* finding-list.h: "What is broken?" – every finding with its evidence, what to do, where and since when; each may be
 * acknowledged, and leads to the page that shows it. One quiet line when nothing is. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/context.h"

#define FLG_TYPE_FINDING_LIST (flg_finding_list_get_type ())
G_DECLARE_FINAL_TYPE (FlgFindingList, flg_finding_list, FLG, FINDING_LIST, GtkBox)

GtkWidget *flg_finding_list_new (FlgContext *context);
/* The line above the rows: "What is broken? 3 faults", "No faults found in 12,345 shots". Borrowed. */
const char *flg_finding_list_heading (FlgFindingList *self);
guint flg_finding_list_n_rows (FlgFindingList *self);
/* All that a row says, one thing a line. g_free. */
char *flg_finding_list_row_words (FlgFindingList *self, guint row);
/* As if its button were pressed. */
void flg_finding_list_press (FlgFindingList *self, guint row, gboolean acknowledge);
