/* rotations.h: nearly uniform sets of rotations: the 600-cell refined n times.
 *
 * Every edge of the 600-cell is cut into n, the points are pushed out onto the 3-sphere and antipodes are one:
 * 10 (5 n³ + n) rotations (Loh and Elser, Phys. Rev. E 80, 026705, 2009), in an order in which neighbours are near. */
#pragma once

#include <glib.h>

#include "engine/base/vec.h"

typedef struct
{
  guint n;
  FlQuat *rotations; /* [n] */
  double *weights;   /* [n] share of all rotations that is nearest to it, about; sum 1 */
} FlRotations;

FlRotations *fl_rotations_new (guint fineness); /* 1 or more */
void fl_rotations_free (FlRotations *rotations);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlRotations, fl_rotations_free)

/* rad: the edge of a cube of each one's share of all rotations; neighbours are about as far apart. */
double fl_rotations_spacing (guint fineness);

static inline FlQuat
fl_quat_multiply (FlQuat a, FlQuat b)
{
  return (
      FlQuat){ a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z, a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y,
               a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x, a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w };
}

static inline FlQuat
fl_quat_conjugate (FlQuat q)
{
  return (FlQuat){ q.w, -q.x, -q.y, -q.z };
}

static inline double
fl_quat_dot (FlQuat a, FlQuat b)
{
  return a.w * b.w + a.x * b.x + a.y * b.y + a.z * b.z;
}

/* rad, 0 … π, of the rotation that takes one to the other. */
static inline double
fl_quat_angle (FlQuat a, FlQuat b)
{
  return 2 * acos (fmin (1, fabs (fl_quat_dot (a, b))));
}
