#include "engine/sfx/geometry-sums.h"

#include <string.h>

#define AXES FL_GEOMETRY_AXES
#define MOST FL_REFINEMENT_MOST

FlGeometrySums *
fl_geometry_sums_new (guint n_panels)
{
  FlGeometrySums *sums = g_new0 (FlGeometrySums, 1);
  sums->n_panels = n_panels;
  sums->size = AXES * n_panels;
  sums->matrix = g_new0 (double, (gsize) sums->size * sums->size);
  sums->right = g_new0 (double, sums->size);
  return sums;
}

void
fl_geometry_sums_free (FlGeometrySums *sums)
{
  g_free (sums->matrix);
  g_free (sums->right);
  g_free (sums);
}

void
fl_geometry_sums_clear (FlGeometrySums *sums)
{
  memset (sums->matrix, 0, (gsize) sums->size * sums->size * sizeof (double));
  memset (sums->right, 0, sums->size * sizeof (double));
}

/* Cholesky's factor in place, lower triangle of n × n. */
static gboolean
factor (double *a, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      double *row = a + (gsize) i * n;
      for (guint j = 0; j <= i; j++)
        {
          const double *above = a + (gsize) j * n;
          double sum = row[j];
          for (guint k = 0; k < j; k++)
            sum -= row[k] * above[k];
          if (j == i && !(sum > 0))
            return FALSE;
          row[j] = j == i ? sqrt (sum) : sum / above[j];
        }
    }
  return TRUE;
}

static void
forward (const double *l, guint n, double *x)
{
  for (guint i = 0; i < n; i++)
    {
      for (guint k = 0; k < i; k++)
        x[i] -= l[(gsize) i * n + k] * x[k];
      x[i] /= l[(gsize) i * n + i];
    }
}

static void
backward (const double *l, guint n, double *x)
{
  for (guint i = n; i-- > 0;)
    {
      for (guint k = i + 1; k < n; k++)
        x[i] -= l[(gsize) k * n + i] * x[k];
      x[i] /= l[(gsize) i * n + i];
    }
}

/* The lattice's own block and right side, spots that lie on moved panels included. */
static void
lattice_block (const FlGeometryRow *rows, guint n_rows, guint n, const double *prior, const double *pull,
               double damping, const double *motion, double *block, double *right)
{
  memset (block, 0, n * n * sizeof *block);
  memcpy (right, pull, n * sizeof *right);
  for (guint r = 0; r < n_rows; r++)
    for (guint c = 0; c < 3; c++)
      {
        const double *g = rows[r].of_lattice[c];
        double residual = rows[r].residual[c];
        for (guint k = 0; motion != NULL && c < 2 && k < AXES; k++)
          residual -= rows[r].of_panel[c][k] * motion[AXES * rows[r].panel + k];
        for (guint i = 0; i < n; i++)
          {
            double weighted = rows[r].weight[c] * g[i];
            right[i] += weighted * residual;
            for (guint j = 0; j <= i; j++)
              block[i * n + j] += weighted * g[j];
          }
      }
  for (guint i = 0; i < n; i++)
    block[i * n + i] = (block[i * n + i] + prior[i]) * (1 + damping);
}

gboolean
fl_geometry_lattice_step (const FlGeometryRow *rows, guint n_rows, guint n, const double *prior,
                          const double *pull, double damping, const double *motion, double *step)
{
  double block[MOST * MOST];
  lattice_block (rows, n_rows, n, prior, pull, damping, motion, block, step);
  if (!factor (block, n))
    return FALSE;
  forward (block, n, step);
  backward (block, n, step);
  return TRUE;
}

/* What the spots say about their panels alone, and (cross) about panel and lattice together. */
static void
add_panels (FlGeometrySums *sums, const FlGeometryRow *rows, guint n_rows, guint n, double *cross)
{
  for (guint r = 0; r < n_rows; r++)
    for (guint c = 0; c < 2; c++)
      for (guint i = 0; i < AXES; i++)
        {
          gsize at = (gsize) AXES * rows[r].panel + i;
          double weighted = rows[r].weight[c] * rows[r].of_panel[c][i];
          sums->right[at] += weighted * rows[r].residual[c];
          for (guint j = 0; j <= i; j++)
            sums->matrix[at * sums->size + AXES * rows[r].panel + j] += weighted * rows[r].of_panel[c][j];
          for (guint j = 0; j < n; j++)
            cross[at * n + j] += weighted * rows[r].of_lattice[c][j];
        }
}

static int
compare_panels (gconstpointer a, gconstpointer b)
{
  guint x = *(const guint *) a, y = *(const guint *) b;
  return (x > y) - (x < y);
}

/* The panels that the spots lie on, in order. */
static guint
touched (const FlGeometryRow *rows, guint n_rows, guint *panels)
{
  guint n = 0;
  for (guint r = 0; r < n_rows; r++)
    panels[r] = rows[r].panel;
  qsort (panels, n_rows, sizeof *panels, compare_panels);
  for (guint r = 0; r < n_rows; r++)
    if (n == 0 || panels[n - 1] != panels[r])
      panels[n++] = panels[r];
  return n;
}

gboolean
fl_geometry_sums_add (FlGeometrySums *sums, const FlGeometryRow *rows, guint n_rows, guint n,
                      const double *prior, const double *pull, double damping)
{
  double block[MOST * MOST], right[MOST];
  lattice_block (rows, n_rows, n, prior, pull, damping, NULL, block, right);
  if (!factor (block, n))
    return FALSE;
  forward (block, n, right);
  g_autofree double *cross = g_new0 (double, (gsize) sums->size *n);
  g_autofree guint *panels = g_new (guint, n_rows);
  guint n_touched = touched (rows, n_rows, panels);
  add_panels (sums, rows, n_rows, n, cross);
  for (guint p = 0; p < n_touched; p++)
    for (guint i = AXES * panels[p]; i < AXES * (panels[p] + 1); i++)
      {
        double *mine = cross + (gsize) i * n, *line = sums->matrix + (gsize) i * sums->size;
        forward (block, n, mine);
        for (guint k = 0; k < n; k++)
          sums->right[i] -= mine[k] * right[k];
        for (guint q = 0; q <= p; q++)
          for (guint j = AXES * panels[q]; j < AXES * (panels[q] + 1) && j <= i; j++)
            for (guint k = 0; k < n; k++)
              line[j] -= mine[k] * cross[(gsize) j * n + k];
      }
  return TRUE;
}

static double
element (const FlGeometrySums *sums, gsize i, gsize j)
{
  return i >= j ? sums->matrix[i * sums->size + j] : sums->matrix[j * sums->size + i];
}

/* Sets column i of Sᵖ P (what parameter i does to every panel's equations). */
static void
project_column (const FlGeometrySums *sums, const FlGeometryLevels *levels, guint i, double *column)
{
  double motion[AXES];
  memset (column, 0, sums->size * sizeof *column);
  for (guint panel = 0; panel < sums->n_panels; panel++)
    if (fl_geometry_levels_motion (levels, i, panel, motion))
      for (guint k = 0; k < AXES; k++)
        if (motion[k] < 0 || motion[k] > 0)
          for (guint row = 0; row < sums->size; row++)
            column[row] += element (sums, row, (gsize) AXES * panel + k) * motion[k];
}

/* Pᵀ v */
static double
project (const FlGeometryLevels *levels, guint i, const double *v)
{
  double motion[AXES], sum = 0;
  for (guint panel = 0; panel < levels->n_panels; panel++)
    if (fl_geometry_levels_motion (levels, i, panel, motion))
      for (guint k = 0; k < AXES; k++)
        sum += motion[k] * v[AXES * panel + k];
  return sum;
}

gboolean
fl_geometry_sums_solve (const FlGeometrySums *sums, const FlGeometryLevels *levels, const double *gone,
                        double damping, double *step, double *motion)
{
  guint n = levels->n;
  g_autofree double *matrix = g_new0 (double, (gsize) n *n + 1), *column = g_new (double, sums->size);
  for (guint i = 0; i < n; i++)
    {
      double weight = 1 / (levels->parameters[i].sigma * levels->parameters[i].sigma);
      project_column (sums, levels, i, column);
      for (guint j = i; j < n; j++)
        matrix[(gsize) j * n + i] = project (levels, j, column);
      matrix[(gsize) i * n + i] = matrix[(gsize) i * n + i] * (1 + damping) + weight;
      step[i] = project (levels, i, sums->right) - weight * gone[i];
    }
  if (!factor (matrix, n))
    return FALSE;
  forward (matrix, n, step);
  backward (matrix, n, step);
  memset (motion, 0, sums->size * sizeof *motion);
  for (guint i = 0; i < n; i++)
    for (guint panel = 0; panel < sums->n_panels; panel++)
      {
        double of[AXES];
        if (fl_geometry_levels_motion (levels, i, panel, of))
          for (guint k = 0; k < AXES; k++)
            motion[AXES * panel + k] += of[k] * step[i];
      }
  return TRUE;
}
