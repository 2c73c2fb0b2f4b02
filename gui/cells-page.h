/* cells-page.h: the unit cells of a trial's lattices as six linked histograms, the cells that learning passes propose,
 * and the way from either to a trial that expects that cell.
 *
 * A range brushed in one histogram restricts the others; what is written is the peak of the selected lattices. Counting
 * is done in a worker thread. Actions: cells.show-trial (x; 0 = the newest with shots), cells.show-run (x; 0 = all),
 * cells.select ((udd): parameter 0–5, from, to), cells.clear, cells.zoom (b), cells.use-selection, cells.use-proposal
 * (u), cells.show-planes (b), cells.select-cluster, cells.use-cluster, cells.filter-cluster (u), cells.tag-runs (b: and a new
 * dataset). Thread: main. */
#pragma once

#include "gui/page.h"

#define FLG_TYPE_CELLS_PAGE (flg_cells_page_get_type ())
G_DECLARE_FINAL_TYPE (FlgCellsPage, flg_cells_page, FLG, CELLS_PAGE, FlgPage)

/* What histogram 0–5 says in words; free with g_free. */
char *flg_cells_page_summary (FlgCellsPage *self, guint parameter);
guint64 flg_cells_page_n_lattices (FlgCellsPage *self);
/* "1,234 lattices of 1,100 shots …" */
const char *flg_cells_page_facts (FlgCellsPage *self);
/* A line for each proposed cell; free with g_free. */
char *flg_cells_page_proposals (FlgCellsPage *self);
/* What plane a–b, b–c or a–c says; a line for each cluster. Free with g_free. */
char *flg_cells_page_plane_summary (FlgCellsPage *self, guint plane);
char *flg_cells_page_clusters (FlgCellsPage *self);
/* What cells.tag-runs puts on them. */
void flg_cells_page_set_tag (FlgCellsPage *self, const char *name);
/* Why nothing is shown; NULL: something is. */
const char *flg_cells_page_empty (FlgCellsPage *self);
