/* result-table.h: the numbers of two results of one shot in columns A and B, the better of each pair marked, and below them
 * the lattices of the side that is shown. A column's head is a button: images.show-side (s: "a", "b"). Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/shot-results.h"

#define FLG_TYPE_RESULT_TABLE (flg_result_table_get_type ())
G_DECLARE_FINAL_TYPE (FlgResultTable, flg_result_table, FLG, RESULT_TABLE, GtkBox)

GtkWidget *flg_result_table_new (void);
void flg_result_table_update (FlgResultTable *self, FlgShotResults *results, FlgSide shown);
/* "indexed hit, 120 spots, 14 of no lattice, 1 lattice, 812 of 930 reflections integrated, 0.43 px, 1.98 Å, 312 ms".
 * Free with g_free. */
char *flg_result_summary (const FlgShotResult *result);
