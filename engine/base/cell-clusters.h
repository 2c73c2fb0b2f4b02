/* cell-clusters.h: groups of unit cells by their covariance, so that a crystal form that differs by half a per cent can be told from
 * another, and a lattice that belongs to none be left out.
 *
 * A cell is six numbers, Å and degrees. Distance to a cluster is Mahalanobis'. Seeds are the peaks of the density of k nearest
 * neighbours that stand out from their saddles (Chazal, Guibas, Oudot & Skraba 2013, J. ACM 60, 41); each grows into a Gaussian with
 * covariance, by expectation maximisation trimmed at 99 % (as García-Escudero, Gordaliza, Matrán & Mayo-Iscar 2008, Ann. Stat. 36,
 * 1324), so that outliers have no weight. Thread: any. */
#pragma once

#include <glib.h>

#define FL_CELL_CLUSTER_NUMBERS 27 /* as text: mean and upper triangle */
#define FL_CELL_CLUSTER_LEAST   20 /* lattices; also one in a hundred */

typedef struct
{
  double mean[6]; /* Å, degrees */
  double covariance
      [6][6]; /* of one lattice about the mean; a parameter that does not vary (fixed by symmetry) has none */
  guint64 members;
} FlCellCluster;

/* GArray of FlCellCluster, the largest first; lattices that belong to none are left out of all. Does not depend on the order of
 * `cells`; those with a number that is not finite or not above 0 are left out. At most 20,000 are looked at (a sample by content),
 * all are counted; `most` clusters at most. None of fewer than FL_CELL_CLUSTER_LEAST lattices, or that varies by more than 3 %. */
GArray *fl_cell_clusters_find (const double (*cells)[6], guint n, guint most);
/* The cluster of `clusters` that the cell belongs to: the likeliest of those whose distance is one that 99.9 % of its lattices have
 * at most; -1: none. */
int fl_cell_clusters_nearest (const GArray *clusters, const double cell[6]);
/* Mahalanobis distance, 0 or more. Parameters without variance count not, as long as they are within 1e-3 (relative; degrees);
 * else INFINITY. The same for those that follow from others (b = a). */
double fl_cell_cluster_distance (const FlCellCluster *cluster, const double cell[6]);
/* One line for a parameter (merge.cell_cluster): "79.12,79.11,37.95,90,90,90,C11,C12,…": mean, then the upper triangle by rows. */
char *fl_cell_cluster_write (const FlCellCluster *cluster);
/* FL_ERROR_INPUT in one line. */
gboolean fl_cell_cluster_read (const double *numbers, guint n, FlCellCluster *cluster, GError **error);
