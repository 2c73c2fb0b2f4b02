#include "engine/crystal/density.h"

#include <math.h>
#include <string.h>

#include "engine/base/units.h"
#include "engine/crystal/fourier.h"

#define SAMPLING    3.0 /* grid points a d_min */
#define LEAST_B     9.0 /* of d_min²: at the edge of the sphere an alias is then exp(−7) of the truth or less */
#define LEFT_OUT    2e-4 /* of an atom's electrons, roughly, outside the painted radius */
#define MOST_RADIUS 15.0 /* Å */
#define GAUSSIANS   5    /* the last is the form factor's constant */

typedef struct
{
  int n[3];
  double spacing[3]; /* Å between planes of the grid */
  FlMat3 metric;
  float *values; /* [n0][n1][n2], e/Å³ */
} FlDensityGrid;

/* ρ(r²) = Σ height · exp(−width r²) */
typedef struct
{
  double height[5], width[5], radius; /* e/Å³, Å⁻², Å */
} FlAtomShape;

static double
density_at (const FlAtomShape *shape, double r2)
{
  double sum = 0;
  for (int i = 0; i < GAUSSIANS; i++)
    sum += shape->height[i] * exp (-shape->width[i] * r2);
  return sum;
}

static FlAtomShape
shape_of (const FlAtom *atom, double b_extra)
{
  FlAtomShape shape;
  double total = 0;
  for (int i = 0; i < 5; i++)
    {
      double a = i < 4 ? atom->factor->a[i] : atom->factor->c;
      double b = (i < 4 ? atom->factor->b[i] : 0) + atom->b + b_extra;
      shape.height[i] = atom->occupancy * a * pow (4 * FL_PI / b, 1.5);
      shape.width[i] = 4 * FL_PI * FL_PI / b;
      total += fabs (atom->occupancy * a);
    }
  for (shape.radius = 1; shape.radius < MOST_RADIUS; shape.radius += 0.25)
    {
      double r2 = shape.radius * shape.radius;
      if (4 * FL_PI * r2 * shape.radius * fabs (density_at (&shape, r2)) < LEFT_OUT * MAX (total, 1e-3))
        break;
    }
  return shape;
}

static inline gsize
wrap (int i, int n)
{
  i %= n;
  return (gsize) (i < 0 ? i + n : i);
}

/* Points of a row, where r² = r2[0] + r2[1] k + r2[2] k² from the first one. Each Gaussian goes on by a factor that itself changes by a
 * constant one. */
static void
paint_row (float *row, int n, int first, int count, const double r2[3], const FlAtomShape *shape)
{
  double value[GAUSSIANS], ratio[GAUSSIANS], change[GAUSSIANS];
  for (int g = 0; g < GAUSSIANS; g++)
    {
      value[g] = shape->height[g] * exp (-shape->width[g] * r2[0]);
      ratio[g] = exp (-shape->width[g] * (r2[1] + r2[2]));
      change[g] = exp (-2 * shape->width[g] * r2[2]);
    }
  gsize at = wrap (first, n);
  for (int k = 0; k < count; k++)
    {
      double sum = 0;
      for (int g = 0; g < GAUSSIANS; g++)
        {
          sum += value[g];
          value[g] *= ratio[g];
          ratio[g] *= change[g];
        }
      row[at] += (float) sum;
      at = at + 1 == (gsize) n ? 0 : at + 1;
    }
}

static void
paint_atom (FlDensityGrid *grid, FlVec3 place, const FlAtomShape *shape)
{
  const double x[3] = { place.x - floor (place.x), place.y - floor (place.y), place.z - floor (place.z) },
               limit = shape->radius * shape->radius, step = 1.0 / grid->n[2];
  const double (*g)[3] = grid->metric.m;
  int from[2], until[2];
  for (int i = 0; i < 2; i++)
    {
      double reach = shape->radius / grid->spacing[i];
      from[i] = (int) ceil (x[i] * grid->n[i] - reach);
      until[i] = (int) floor (x[i] * grid->n[i] + reach);
    }
  for (int i = from[0]; i <= until[0]; i++)
    for (int j = from[1]; j <= until[1]; j++)
      {
        double u = (double) i / grid->n[0] - x[0], v = (double) j / grid->n[1] - x[1];
        double plane = g[0][0] * u * u + 2 * g[0][1] * u * v + g[1][1] * v * v;
        double slope = 2 * (g[0][2] * u + g[1][2] * v);
        /* Where plane + slope w + g[2][2] w² is within the limit. */
        double root = slope * slope - 4 * g[2][2] * (plane - limit);
        if (root <= 0)
          continue;
        int first = (int) ceil ((x[2] - (slope + sqrt (root)) / (2 * g[2][2])) * grid->n[2]);
        int last = (int) floor ((x[2] - (slope - sqrt (root)) / (2 * g[2][2])) * grid->n[2]);
        double w = first * step - x[2];
        const double r2[3] = { plane + (slope + g[2][2] * w) * w, (slope + 2 * g[2][2] * w) * step,
                               g[2][2] * step * step };
        float *row =
            grid->values
            + (wrap (i, grid->n[0]) * (gsize) grid->n[1] + wrap (j, grid->n[1])) * (gsize) grid->n[2];
        paint_row (row, grid->n[2], first, last - first + 1, r2, shape);
      }
}

static FlDensityGrid
make_grid (const FlModel *model, const int limits[3], double d_min)
{
  FlDensityGrid grid;
  FlMat3 basis = fl_cell_basis (&model->cell), t = fl_mat3_transpose (&basis);
  FlMat3 reciprocal = fl_cell_reciprocal (&model->cell);
  const double lengths[3] = { model->cell.a, model->cell.b, model->cell.c };
  grid.metric = fl_mat3_multiply (&basis, &t);
  for (int i = 0; i < 3; i++)
    {
      const double *r = reciprocal.m[i];
      int wanted = (int) ceil (lengths[i] * SAMPLING / d_min);
      grid.n[i] = fl_fourier_size (MAX (wanted, 2 * limits[i] + 2));
      grid.spacing[i] = 1 / (fl_vec3_norm (fl_vec3 (r[0], r[1], r[2])) * grid.n[i]);
    }
  grid.values = g_new0 (float, (gsize) grid.n[0] * (gsize) grid.n[1] * (gsize) grid.n[2]);
  return grid;
}

double complex *
fl_density_transform (const FlModel *model, const int limits[3], double d_min)
{
  FlDensityGrid grid = make_grid (model, limits, d_min);
  FlMat3 basis = fl_cell_basis (&model->cell), inverse = fl_mat3_inverse (&basis);
  FlMat3 to_fractional = fl_mat3_transpose (&inverse), metric = fl_cell_reciprocal_metric (&model->cell);
  double least = INFINITY, volume = fl_cell_volume (&model->cell);
  for (guint a = 0; a < model->n_atoms; a++)
    least = MIN (least, model->atoms[a].b);
  double b_extra = MAX (0, LEAST_B * d_min * d_min - least);
  for (guint a = 0; a < model->n_atoms; a++)
    {
      FlAtomShape shape = shape_of (&model->atoms[a], b_extra);
      paint_atom (&grid, fl_mat3_apply (&to_fractional, model->atoms[a].position), &shape);
    }
  double complex *f = fl_fourier_coefficients (grid.values, grid.n, limits), *at = f;
  g_free (grid.values);
  for (int h = -limits[0]; h <= limits[0]; h++)
    for (int k = -limits[1]; k <= limits[1]; k++)
      for (int l = 0; l <= limits[2]; l++)
        {
          double d2 = fl_inverse_d_squared (&metric, h, k, l);
          *at++ *= d2 * d_min * d_min > 1 + 1e-9 ? 0 : volume * exp (b_extra * d2 / 4);
        }
  return f;
}
