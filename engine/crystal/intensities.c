#include "engine/crystal/intensities.h"

#include "engine/base/error.h"

FlIntensities *
fl_intensities_new (const FlCell *cell, double d_min, GError **error)
{
  FlIntensities i = { .cell = *cell, .d_min = d_min };
  double size = 1;
  const double lengths[3] = { cell->a, cell->b, cell->c };
  for (int n = 0; n < 3; n++)
    size *= 2 * lengths[n] / d_min + 1;
  if (!(d_min > 0) || size > 0x1p30)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "a cell of %g × %g × %g Å to %g Å has too many reflections, expected a coarser resolution",
                   cell->a, cell->b, cell->c, d_min);
      return NULL;
    }
  fl_cell_limits (cell, d_min, i.limits);
  gsize n = (gsize) (2 * i.limits[0] + 1) * (gsize) (2 * i.limits[1] + 1) * (gsize) (2 * i.limits[2] + 1);
  i.values = g_new0 (float, n);
  FlIntensities *intensities = g_new (FlIntensities, 1);
  *intensities = i;
  return intensities;
}

void
fl_intensities_free (FlIntensities *intensities)
{
  if (intensities == NULL)
    return;
  g_free (intensities->values);
  g_free (intensities);
}

static void
set (FlIntensities *intensities, int h, int k, int l, float value)
{
  float *p = fl_intensities_at (intensities, h, k, l);
  if (p != NULL)
    *p = value;
}

void
fl_intensities_set_class (FlIntensities *intensities, const FlSymmetry *symmetry, FlMiller m, float value)
{
  for (guint i = 0; i < symmetry->n; i++)
    {
      FlMiller e = fl_miller_transform (m, &symmetry->ops[i]);
      set (intensities, e.h, e.k, e.l, value);
      set (intensities, -e.h, -e.k, -e.l, value);
    }
}
