#include <math.h>
#include <string.h>

#include "engine/base/cell-clusters.h"
#include "engine/base/error.h"

char *
fl_cell_cluster_write (const FlCellCluster *cluster)
{
  GString *text = g_string_new (NULL);
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  for (guint p = 0; p < 6; p++)
    g_string_append_printf (text, "%s%s", p ? "," : "",
                            g_ascii_formatd (number, sizeof number, "%.9g", cluster->mean[p]));
  for (guint i = 0; i < 6; i++)
    for (guint j = i; j < 6; j++)
      g_string_append_printf (text, ",%s",
                              g_ascii_formatd (number, sizeof number, "%.9g", cluster->covariance[i][j]));
  return g_string_free (text, FALSE);
}

static gboolean
is_covariance (const double c[6][6])
{
  for (guint i = 0; i < 6; i++)
    for (guint j = 0; j < 6; j++)
      if (!(c[i][i] >= 0) || !(fabs (c[i][j]) <= sqrt (c[i][i] * c[j][j]) * 1.0001))
        return FALSE;
  return TRUE;
}

gboolean
fl_cell_cluster_read (const double *numbers, guint n, FlCellCluster *cluster, GError **error)
{
  guint at = 6;
  gboolean fine = n == FL_CELL_CLUSTER_NUMBERS;
  memset (cluster, 0, sizeof *cluster);
  for (guint i = 0; i < n && fine; i++)
    fine = isfinite (numbers[i]);
  for (guint p = 0; p < 6 && fine; p++)
    {
      cluster->mean[p] = numbers[p];
      fine = numbers[p] > 0 && (p < 3 || numbers[p] < 180);
      for (guint j = p; j < 6; j++)
        cluster->covariance[p][j] = cluster->covariance[j][p] = numbers[at++];
    }
  if (fine && is_covariance (cluster->covariance))
    return TRUE;
  g_set_error (
      error, FL_ERROR, FL_ERROR_INPUT,
      "a cell cluster is %u numbers: the mean cell (Å, degrees) and the upper triangle of its covariance by "
      "rows; these %u are not",
      FL_CELL_CLUSTER_NUMBERS, n);
  return FALSE;
}
