/* cells-private.h: the inside of FlgCellsPage, shared by cells-page.c (what is shown) and cells-actions.c (what is selected, and
 * which trials are drafted with it). */
#pragma once

#include "gui/cell-counter.h"
#include "gui/cell-proposals.h"
#include "gui/cell-words.h"
#include "gui/cells-page.h"
#include "gui/cells-planes.h"
#include "gui/chooser.h"
#include "gui/lattice-feed.h"
#include "widgets/empty-state.h"

struct _FlgCellsPage
{
  FlgPage parent_instance;
  FlgChooser *trials, *runs;
  GtkLabel *facts, *legend;
  GtkStack *stack;
  FlwEmptyState *empty;
  GtkGrid *grid;
  GtkBox *proposals_box;
  FlwHistogram *histograms[6];
  FlgCellsPlanes *planes;
  GtkToggleButton *densities;
  GtkEditable *tag;

  gint64 trial, run;    /* shown; trial 0: none */
  FlgLatticeFeed *feed; /* NULL: none */
  GArray *cells;        /* FlgProposedCell */
  GArray *proposals;    /* FlgCellProposal */
  const char *reason;   /* why nothing is shown */

  FlgCellCounter *counter; /* NULL: none */
  FlgCellQuestion question;
  FlgCellAnswer *answer;
  gboolean filling;
  guint next, left; /* the histogram that takes over the answer next; how many have not yet */
  guint tick;       /* callback; 0: none */
};

/* cells-actions.c */

/* A range of one parameter, wherever it is shown; equal: none. */
void flg_cells_page_brush (FlgCellsPage *self, guint parameter, double from, double to);
void flg_cells_page_listen_planes (FlgCellsPage *self);
/* Follows the histogram's brush and zoom. */
void flg_cells_page_listen (FlgCellsPage *self, FlwHistogram *histogram);
/* Selects everything, without asking for new counts. */
void flg_cells_page_drop_brushes (FlgCellsPage *self);
void flg_cells_page_install_actions (GtkWidgetClass *widget_class);
