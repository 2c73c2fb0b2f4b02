#include "engine/crystal/cell.h"

#include "engine/base/error.h"
#include "engine/base/units.h"

/* V² / (abc)² */
static double
reduced_volume_squared (const FlCell *c)
{
  double ca = cos (c->alpha), cb = cos (c->beta), cg = cos (c->gamma);
  return 1 - ca * ca - cb * cb - cg * cg + 2 * ca * cb * cg;
}

gboolean
fl_cell_from_degrees (const double values[6], FlCell *cell, GError **error)
{
  FlCell c = {
    values[0], values[1], values[2], fl_radians (values[3]), fl_radians (values[4]), fl_radians (values[5])
  };
  gboolean possible = c.a > 0 && c.b > 0 && c.c > 0;
  for (int i = 3; i < 6; i++)
    possible = possible && values[i] > 0 && values[i] < 180;
  if (!possible || !(reduced_volume_squared (&c) > 1e-6))
    {
      g_set_error (
          error, FL_ERROR, FL_ERROR_INPUT,
          "no cell has the parameters %g %g %g Å %g %g %g°, expected positive lengths and angles that close",
          values[0], values[1], values[2], values[3], values[4], values[5]);
      return FALSE;
    }
  *cell = c;
  return TRUE;
}

double
fl_cell_volume (const FlCell *c)
{
  return c->a * c->b * c->c * sqrt (reduced_volume_squared (c));
}

FlMat3
fl_cell_basis (const FlCell *c)
{
  double cg = cos (c->gamma), sg = sin (c->gamma), cb = cos (c->beta);
  double y = c->c * (cos (c->alpha) - cb * cg) / sg;
  return (FlMat3){
    { { c->a, 0, 0 }, { c->b * cg, c->b * sg, 0 }, { c->c * cb, y, fl_cell_volume (c) / (c->a * c->b * sg) } }
  };
}

FlMat3
fl_cell_reciprocal (const FlCell *cell)
{
  FlMat3 basis = fl_cell_basis (cell), inverse = fl_mat3_inverse (&basis);
  return fl_mat3_transpose (&inverse);
}

FlMat3
fl_cell_reciprocal_metric (const FlCell *cell)
{
  FlMat3 b = fl_cell_reciprocal (cell), t = fl_mat3_transpose (&b);
  return fl_mat3_multiply (&b, &t);
}

void
fl_cell_limits (const FlCell *cell, double d_min, int limits[3])
{
  /* h = q·a and |q| ≤ 1/d_min. */
  double lengths[3] = { cell->a, cell->b, cell->c };
  for (int i = 0; i < 3; i++)
    limits[i] = (int) floor (lengths[i] / d_min + 1e-9);
}
