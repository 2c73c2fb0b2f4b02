/* lattice-private.h: what the files of lattice.h share. */
#pragma once

#include "engine/crystal/lattice.h"

/* Rows of small integers: vectors by their components along the rows of a real basis. */
typedef struct
{
  int m[3][3];
} FlIntMat3;

static inline int
fl_int_mat3_determinant (const FlIntMat3 *a)
{
  const int (*m)[3] = a->m;
  return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
         + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}

static inline FlVec3
fl_lattice_row (const FlMat3 *basis, int i)
{
  return fl_vec3 (basis->m[i][0], basis->m[i][1], basis->m[i][2]);
}

/* Rows of `coefficients` · `real`. */
static inline FlMat3
fl_lattice_combine (const FlIntMat3 *coefficients, const FlMat3 *real)
{
  FlMat3 c;
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      c.m[i][j] = coefficients->m[i][0] * real->m[0][j] + coefficients->m[i][1] * real->m[1][j]
                  + coefficients->m[i][2] * real->m[2][j];
  return c;
}

/* Angle (rad) between two vectors, exact for small ones too. */
static inline double
fl_lattice_angle (FlVec3 a, FlVec3 b)
{
  return atan2 (fl_vec3_norm (fl_vec3_cross (a, b)), fl_vec3_dot (a, b));
}

/* The cell of a real basis. */
FlCell fl_lattice_cell_of_real (const FlMat3 *real);

/* Makes `real` Niggli's reduced basis, right-handed when it was so. `transform` (may be NULL): the new rows in terms of
 * the old. FALSE when the basis is singular or not finite. */
gboolean fl_niggli_reduce (FlMat3 *real, FlIntMat3 *transform);

#define FL_LATTICE_MOST_ROTATIONS 24

typedef struct
{
  guint n; /* the identity first */
  FlIntMat3 r[FL_LATTICE_MOST_ROTATIONS];
} FlLatticeRotations;

/* The rotations that take the lattice of a primitive real basis onto itself within the tolerances: on columns of components
 * along the rows of `real`, which is reduced first. FALSE when it is singular. */
gboolean fl_lattice_rotations (FlMat3 *real, double length_tolerance, double angle_tolerance,
                               FlLatticeRotations *rotations);
