/* cells-planes.h: cells in the planes a–b, b–c and a–c, and the clusters that they form, each with what can be done with it.
 *
 * Signal "brush-changed" (guint of parameters, one bit each, gpointer: double[12], from and to of each). Actions that the clusters'
 * buttons call, with the cluster's number: cells.select-cluster, cells.use-cluster, cells.filter-cluster ("u"). Thread: main. */
#pragma once

#include "gui/cell-tally.h"

G_BEGIN_DECLS

#define FLG_TYPE_CELLS_PLANES (flg_cells_planes_get_type ())
G_DECLARE_FINAL_TYPE (FlgCellsPlanes, flg_cells_planes, FLG, CELLS_PLANES, GtkBox)

void flg_cells_planes_show (FlgCellsPlanes *self, const FlgCellAnswer *answer);
/* Equal: none. Emits nothing. */
void flg_cells_planes_set_brushes (FlgCellsPlanes *self, const double from[6], const double to[6]);
/* What a plane says. Free it. */
char *flg_cells_planes_summary (FlgCellsPlanes *self, guint plane);

/* "5,012 lattices (45.1 %)  a 79.10±0.08 …". Free it. */
char *flg_cell_cluster_text (const FlgCellAnswer *answer, guint number);

G_END_DECLS
