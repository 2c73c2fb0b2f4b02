#include "engine/maps/synthesis.h"

#include <math.h>

#include "engine/base/units.h"
#include "engine/crystal/fourier.h"

/* What an axis must be a multiple of, so that translations take points to points. */
static int
divisor (const FlSymmetry *symmetry, int axis)
{
  for (int d = 1; d < 12; d++)
    {
      gboolean good = TRUE;
      for (guint o = 0; o < symmetry->n; o++)
        {
          double t = symmetry->ops[o].t[axis] * d;
          good = good && fabs (t - rint (t)) < 1e-6;
        }
      if (good)
        return d;
    }
  return 12;
}

/* Do operators mix the two axes? */
static gboolean
are_one (const FlSymmetry *symmetry, int a, int b)
{
  for (guint o = 0; o < symmetry->n; o++)
    if (symmetry->ops[o].r[a][b] != 0)
      return TRUE;
  return FALSE;
}

void
fl_synthesis_grid (const FlCell *cell, const FlSymmetry *symmetry, double d_min, double rate, int sampling[3])
{
  const double lengths[3] = { cell->a, cell->b, cell->c };
  int limits[3], least[3], multiple[3];
  fl_cell_limits (cell, d_min, limits);
  for (int i = 0; i < 3; i++)
    {
      least[i] = MAX ((int) ceil (lengths[i] * rate / d_min), 2 * limits[i] + 2);
      multiple[i] = divisor (symmetry, i);
    }
  for (int i = 0; i < 3; i++)
    {
      int wanted = least[i], times = multiple[i];
      for (int j = 0; j < 3; j++)
        if (j != i && are_one (symmetry, i, j))
          {
            wanted = MAX (wanted, least[j]);
            while (times % multiple[j] != 0)
              times += multiple[i];
          }
      sampling[i] = fl_fourier_size (wanted);
      while (sampling[i] % times != 0)
        sampling[i] = fl_fourier_size (sampling[i] + 1);
    }
}

typedef struct
{
  int limits[3];
  double complex *values;
} FlHalf;

static void
put (FlHalf *half, FlMiller m, double complex f)
{
  const int *n = half->limits;
  if (m.h < 0 || m.h > n[0] || ABS (m.k) > n[1] || ABS (m.l) > n[2])
    return;
  half->values[((gsize) (m.l + n[2]) * (gsize) (2 * n[1] + 1) + (gsize) (m.k + n[1])) * (gsize) (n[0] + 1)
               + (gsize) m.h] = f;
}

static void
find_limits (const FlReflections *reflections, int limits[3])
{
  double most = 0;
  for (guint i = 0; i < reflections->n; i++)
    most = MAX (most, reflections->all[i].inverse_d2);
  fl_cell_limits (&reflections->cell, most > 0 ? 0.9999 / sqrt (most) : 100, limits);
}

FlMap *
fl_synthesis_new (const FlReflections *reflections, const double complex *coefficients, const int sampling[3])
{
  const FlSymmetry *symmetry = reflections->symmetry;
  FlHalf half;
  find_limits (reflections, half.limits);
  const int *n = half.limits;
  half.values = g_new0 (double complex, (gsize) (2 * n[2] + 1) * (gsize) (2 * n[1] + 1) * (gsize) (n[0] + 1));
  double volume = fl_cell_volume (&reflections->cell);
  for (guint i = 0; i < reflections->n; i++)
    {
      FlMiller m = reflections->all[i].hkl;
      if (coefficients[i] == 0)
        continue;
      for (guint o = 0; o < symmetry->n; o++)
        {
          const FlSymmetryOperator *op = &symmetry->ops[o];
          double turn = -2 * FL_PI * (m.h * op->t[0] + m.k * op->t[1] + m.l * op->t[2]);
          double complex f = coefficients[i] / volume * cexp (I * turn);
          FlMiller e = fl_miller_transform (m, op);
          put (&half, e, f);
          put (&half, (FlMiller){ -e.h, -e.k, -e.l }, conj (f));
        }
    }
  FlMap *map = fl_map_new (&reflections->cell, symmetry, sampling, NULL, NULL);
  fl_fourier_synthesis (half.values, half.limits, sampling, map->data);
  g_free (half.values);
  fl_map_measure (map);
  return map;
}
