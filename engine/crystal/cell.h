/* cell.h: unit cells. Lengths in Å, angles in rad.
 *
 * Crystal frame: a along x, b in the xy plane, c up (the PDB's orthogonal frame); the rows of a reciprocal basis are
 * a*, b*, c* in 1/Å without 2π, so that q = h a* + k b* + l c* has |q| = 1/d. Thread: any. */
#pragma once

#include <glib.h>

#include "engine/base/vec.h"

typedef struct
{
  double a, b, c;            /* Å */
  double alpha, beta, gamma; /* rad */
} FlCell;

/* From a, b, c (Å) and the angles in degrees, as people write cells. FL_ERROR_INPUT when no such cell exists. */
gboolean fl_cell_from_degrees (const double values[6], FlCell *cell, GError **error);

double fl_cell_volume (const FlCell *cell); /* Å³ */

/* Rows a, b, c in the crystal frame: x = Mᵀ (fractional). */
FlMat3 fl_cell_basis (const FlCell *cell);
/* Rows a*, b*, c* in the crystal frame. */
FlMat3 fl_cell_reciprocal (const FlCell *cell);
/* The reciprocal metric tensor: 1/d² = hᵀ G* h. */
FlMat3 fl_cell_reciprocal_metric (const FlCell *cell);
/* The largest |h|, |k|, |l| that occur at resolution d_min (Å) or worse. */
void fl_cell_limits (const FlCell *cell, double d_min, int limits[3]);

/* 1/d² (Å⁻²) of a reflection. */
static inline double
fl_inverse_d_squared (const FlMat3 *metric, int h, int k, int l)
{
  FlVec3 v = fl_vec3 (h, k, l);
  return fl_vec3_dot (v, fl_mat3_apply (metric, v));
}
