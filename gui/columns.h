/* columns.h: columns of a GtkColumnView over FlgRecords: each cell is one widget that is filled anew when its record's
 * stamp moves. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "engine/store/stats.h"
#include "gui/record.h"

typedef GtkWidget *(*FlgCellMake) (gpointer data);
typedef void (*FlgCellFill) (GtkWidget *cell, FlgRecord *record, gpointer data);
typedef int (*FlgCellCompare) (FlgRecord *a, FlgRecord *b, gpointer data);

typedef struct
{
  const char *title, *tooltip;
  FlgCellMake make; /* the widget; "flg-record" of it is the record that it shows */
  FlgCellFill fill;
  FlgCellCompare compare; /* NULL: not sortable */
  int width;              /* px; 0: as wide as it needs; −1: takes what is left */
} FlgColumn;

/* Borrowed. `data` goes to all three functions and must outlive the view. */
GtkColumnViewColumn *flg_column_add (GtkColumnView *view, const FlgColumn *column, gpointer data);
/* The record that a cell shows now; NULL between rows. */
FlgRecord *flg_cell_record (GtkWidget *cell);

/* Shots that failed or were set aside, in warning colour when there are any; `stats` may be NULL. */
void flg_cell_count_failed (GtkWidget *cell, const FlJobStats *stats);

/* Indexed shots in % of the hits; "–" while none is: most jobs without have not been asked to index. */
void flg_cell_indexed (GtkWidget *cell, const FlJobStats *stats);

/* Cells that most columns are made of. */
GtkWidget *flg_cell_text (gpointer data);   /* a label that ellipsizes */
GtkWidget *flg_cell_number (gpointer data); /* a label with figures of one width, to the right */
