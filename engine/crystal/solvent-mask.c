#include "engine/crystal/solvent-mask.h"

#include <math.h>
#include <string.h>

#include "engine/crystal/fourier.h"

#define PROBE   1.0 /* Å */
#define SHRINK  1.1 /* Å */
#define SPACING 0.8 /* Å between grid points, or a third of d_min where that is less */

enum
{
  SOLVENT = 1,
  PROTEIN = 0,
  GROWN = 2 /* solvent again, after shrinking */
};

typedef struct
{
  int n[3];
  double spacing[3]; /* Å between planes of the grid */
  FlMat3 metric;     /* of real space, for fractional distances */
  guint8 *cells;     /* [n0][n1][n2] */
} FlMaskGrid;

static inline int
wrap (int i, int n)
{
  i %= n;
  return i < 0 ? i + n : i;
}

/* Sets `to` on all points that are not `keep` within `radius` of the fractional place x. */
static void
paint (FlMaskGrid *grid, const double x[3], double radius, guint8 keep, guint8 to)
{
  const double (*g)[3] = grid->metric.m;
  int from[2], until[2];
  for (int i = 0; i < 2; i++)
    {
      double reach = radius / grid->spacing[i];
      from[i] = (int) ceil (x[i] * grid->n[i] - reach);
      until[i] = (int) floor (x[i] * grid->n[i] + reach);
    }
  for (int i = from[0]; i <= until[0]; i++)
    for (int j = from[1]; j <= until[1]; j++)
      {
        /* Where plane + slope w + g[2][2] w² is within the square of the radius, w = z − x[2]. */
        double u = (double) i / grid->n[0] - x[0], v = (double) j / grid->n[1] - x[1];
        double plane = g[0][0] * u * u + 2 * g[0][1] * u * v + g[1][1] * v * v;
        double slope = 2 * (g[0][2] * u + g[1][2] * v);
        double root = slope * slope - 4 * g[2][2] * (plane - radius * radius);
        if (root < 0)
          continue;
        int first = (int) ceil ((x[2] - (slope + sqrt (root)) / (2 * g[2][2])) * grid->n[2]);
        int last = (int) floor ((x[2] - (slope - sqrt (root)) / (2 * g[2][2])) * grid->n[2]);
        guint8 *row =
            &grid->cells[((gsize) wrap (i, grid->n[0]) * (gsize) grid->n[1] + (gsize) wrap (j, grid->n[1]))
                         * (gsize) grid->n[2]];
        for (int k = first, at = wrap (first, grid->n[2]); k <= last; k++, at++)
          {
            at = at == grid->n[2] ? 0 : at;
            if (row[at] != keep)
              row[at] = to;
          }
      }
}

static void
paint_atoms (FlMaskGrid *grid, const FlModel *model)
{
  FlMat3 basis = fl_cell_basis (&model->cell), inverse = fl_mat3_inverse (&basis);
  FlMat3 to_fractional = fl_mat3_transpose (&inverse);
  for (guint a = 0; a < model->n_atoms; a++)
    {
      FlVec3 f = fl_mat3_apply (&to_fractional, model->atoms[a].position);
      for (guint s = 0; s < model->symmetry->n; s++)
        {
          const FlSymmetryOperator *op = &model->symmetry->ops[s];
          double x[3];
          for (int i = 0; i < 3; i++)
            {
              x[i] = op->r[i][0] * f.x + op->r[i][1] * f.y + op->r[i][2] * f.z + op->t[i];
              x[i] -= floor (x[i]);
            }
          paint (grid, x, model->atoms[a].factor->radius + PROBE, PROTEIN, PROTEIN);
        }
    }
}

static gboolean
touches_protein (const FlMaskGrid *grid, int i, int j, int k)
{
  static const int steps[6][3] = { { 1, 0, 0 },  { -1, 0, 0 }, { 0, 1, 0 },
                                   { 0, -1, 0 }, { 0, 0, 1 },  { 0, 0, -1 } };
  for (int s = 0; s < 6; s++)
    if (grid->cells[((gsize) wrap (i + steps[s][0], grid->n[0]) * (gsize) grid->n[1]
                     + (gsize) wrap (j + steps[s][1], grid->n[1]))
                        * (gsize) grid->n[2]
                    + (gsize) wrap (k + steps[s][2], grid->n[2])]
        == PROTEIN)
      return TRUE;
  return FALSE;
}

/* The probe's rim belongs to the solvent again. */
static void
shrink (FlMaskGrid *grid)
{
  for (int i = 0; i < grid->n[0]; i++)
    for (int j = 0; j < grid->n[1]; j++)
      for (int k = 0; k < grid->n[2]; k++)
        {
          gsize at = ((gsize) i * (gsize) grid->n[1] + (gsize) j) * (gsize) grid->n[2] + (gsize) k;
          const double x[3] = { (double) i / grid->n[0], (double) j / grid->n[1], (double) k / grid->n[2] };
          if (grid->cells[at] == SOLVENT && touches_protein (grid, i, j, k))
            paint (grid, x, SHRINK, SOLVENT, GROWN);
        }
}

static FlMaskGrid
make_grid (const FlModel *model, const int limits[3], double d_min)
{
  FlMaskGrid grid;
  FlMat3 basis = fl_cell_basis (&model->cell), t = fl_mat3_transpose (&basis);
  FlMat3 reciprocal = fl_cell_reciprocal (&model->cell);
  const double lengths[3] = { model->cell.a, model->cell.b, model->cell.c };
  double spacing = MIN (SPACING, d_min / 3);
  grid.metric = fl_mat3_multiply (&basis, &t);
  for (int i = 0; i < 3; i++)
    {
      const double *r = reciprocal.m[i];
      grid.n[i] = fl_fourier_size (MAX (2 * limits[i] + 2, (int) ceil (lengths[i] / spacing)));
      grid.spacing[i] = 1 / (fl_vec3_norm (fl_vec3 (r[0], r[1], r[2])) * grid.n[i]);
    }
  gsize n = (gsize) grid.n[0] * (gsize) grid.n[1] * (gsize) grid.n[2];
  grid.cells = g_malloc (n);
  memset (grid.cells, SOLVENT, n);
  return grid;
}

double complex *
fl_solvent_transform (const FlModel *model, const int limits[3], double d_min)
{
  FlMaskGrid grid = make_grid (model, limits, d_min);
  paint_atoms (&grid, model);
  shrink (&grid);
  gsize n = (gsize) grid.n[0] * (gsize) grid.n[1] * (gsize) grid.n[2];
  g_autofree float *map = g_new (float, n);
  float volume = (float) fl_cell_volume (&model->cell);
  for (gsize i = 0; i < n; i++)
    map[i] = grid.cells[i] != PROTEIN ? volume : 0;
  g_free (grid.cells);
  return fl_fourier_coefficients (map, grid.n, limits);
}
