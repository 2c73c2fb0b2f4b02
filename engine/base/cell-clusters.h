/* cell-clusters.h: groups of unit cells by their covariance, so that a crystal form that differs by half a per cent can be told from
 * another, and a lattice that belongs to none be left out.
 *
 * A cell is six numbers, Å and degrees. Distance to a cluster is Mahalanobis'. Thread: any. */
#pragma once

#include <glib.h>

typedef struct
{
  double mean[6]; /* Å, degrees */
  double covariance
      [6][6]; /* of one lattice about the mean; a parameter that does not vary (fixed by symmetry) has none */
  guint64 members;
} FlCellCluster;

/* GArray of FlCellCluster, the largest first; lattices that belong to none are left out of all. Does not depend on the order of
 * `cells`. At most 20,000 are looked at (a sample by content); `most` clusters at most. */
GArray *fl_cell_clusters_find (const double (*cells)[6], guint n, guint most);
/* Mahalanobis distance, 0 or more. Parameters without variance count not, as long as they are within 1e-3 (relative; degrees). */
double fl_cell_cluster_distance (const FlCellCluster *cluster, const double cell[6]);
/* One line for a parameter (merge.cell_cluster): "79.12,79.11,37.95,90,90,90,C11,C12,…": mean, then the upper triangle by rows. */
char *fl_cell_cluster_write (const FlCellCluster *cluster);
/* FL_ERROR_INPUT in one line. */
gboolean fl_cell_cluster_read (const double *numbers, guint n, FlCellCluster *cluster, GError **error);
