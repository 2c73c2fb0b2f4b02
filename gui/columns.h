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

/* Gives the view its columns, sorted by the first, the greatest on top. Full: the records of `model` in the order that
 * the heads ask for, to be made a selection of. `data` goes to all functions of the columns and must outlive the view. */
GListModel *flg_columns_set_up (GtkColumnView *view, guint n, const FlgColumn *columns, gpointer data,
                                GListModel *model);
/* Of the view's columns, from 0. */
void flg_columns_set_visible (GtkColumnView *view, guint column, gboolean visible);
void flg_columns_set_title (GtkColumnView *view, guint column, const char *title);
/* The record that a cell shows now; NULL between rows. */
FlgRecord *flg_cell_record (GtkWidget *cell);

/* Shots that failed or were set aside, in warning colour when there are any; `stats` may be NULL. */
void flg_cell_count_failed (GtkWidget *cell, const FlJobStats *stats);

/* Indexed shots in % of the hits; "–" while none is: most jobs without have not been asked to index. */
void flg_cell_indexed (GtkWidget *cell, const FlJobStats *stats);

/* Cells that most columns are made of. */
GtkWidget *flg_cell_text (gpointer data);   /* a label that ellipsizes */
GtkWidget *flg_cell_number (gpointer data); /* a label with figures of one width, to the right */
