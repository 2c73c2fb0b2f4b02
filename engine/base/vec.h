/* vec.h: 3-vectors, 3×3 matrices (row-major) and unit quaternions (w x y z), by value, in double. */
#pragma once

#include <math.h>

typedef struct
{
  double x, y, z;
} FlVec3;

typedef struct
{
  double m[3][3];
} FlMat3;

typedef struct
{
  double w, x, y, z;
} FlQuat;

static inline FlVec3
fl_vec3 (double x, double y, double z)
{
  return (FlVec3){ x, y, z };
}

static inline FlVec3
fl_vec3_add (FlVec3 a, FlVec3 b)
{
  return fl_vec3 (a.x + b.x, a.y + b.y, a.z + b.z);
}

static inline FlVec3
fl_vec3_sub (FlVec3 a, FlVec3 b)
{
  return fl_vec3 (a.x - b.x, a.y - b.y, a.z - b.z);
}

static inline FlVec3
fl_vec3_scale (FlVec3 a, double s)
{
  return fl_vec3 (a.x * s, a.y * s, a.z * s);
}

static inline double
fl_vec3_dot (FlVec3 a, FlVec3 b)
{
  return a.x * b.x + a.y * b.y + a.z * b.z;
}

static inline FlVec3
fl_vec3_cross (FlVec3 a, FlVec3 b)
{
  return fl_vec3 (a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}

static inline double
fl_vec3_norm (FlVec3 a)
{
  return sqrt (fl_vec3_dot (a, a));
}

/* The zero vector stays zero. */
static inline FlVec3
fl_vec3_unit (FlVec3 a)
{
  double n = fl_vec3_norm (a);
  return n > 0 ? fl_vec3_scale (a, 1 / n) : a;
}

static inline FlVec3
fl_mat3_apply (const FlMat3 *a, FlVec3 v)
{
  return fl_vec3 (a->m[0][0] * v.x + a->m[0][1] * v.y + a->m[0][2] * v.z,
                  a->m[1][0] * v.x + a->m[1][1] * v.y + a->m[1][2] * v.z,
                  a->m[2][0] * v.x + a->m[2][1] * v.y + a->m[2][2] * v.z);
}

static inline FlMat3
fl_mat3_multiply (const FlMat3 *a, const FlMat3 *b)
{
  FlMat3 c;
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      c.m[i][j] = a->m[i][0] * b->m[0][j] + a->m[i][1] * b->m[1][j] + a->m[i][2] * b->m[2][j];
  return c;
}

static inline FlMat3
fl_mat3_transpose (const FlMat3 *a)
{
  FlMat3 c;
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      c.m[i][j] = a->m[j][i];
  return c;
}

static inline double
fl_mat3_determinant (const FlMat3 *a)
{
  return a->m[0][0] * (a->m[1][1] * a->m[2][2] - a->m[1][2] * a->m[2][1])
         - a->m[0][1] * (a->m[1][0] * a->m[2][2] - a->m[1][2] * a->m[2][0])
         + a->m[0][2] * (a->m[1][0] * a->m[2][1] - a->m[1][1] * a->m[2][0]);
}

/* The caller has checked that the determinant is not zero. */
static inline FlMat3
fl_mat3_inverse (const FlMat3 *a)
{
  double s = 1 / fl_mat3_determinant (a);
  FlMat3 c;
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      {
        int i1 = (i + 1) % 3, i2 = (i + 2) % 3, j1 = (j + 1) % 3, j2 = (j + 2) % 3;
        c.m[j][i] = s * (a->m[i1][j1] * a->m[i2][j2] - a->m[i1][j2] * a->m[i2][j1]);
      }
  return c;
}

/* Rotation by `angle` (rad) about the unit vector `axis`, right-handed. */
static inline FlMat3
fl_mat3_rotation (FlVec3 axis, double angle)
{
  double c = cos (angle), s = sin (angle), t = 1 - c;
  FlVec3 u = axis;
  return (FlMat3){ { { t * u.x * u.x + c, t * u.x * u.y - s * u.z, t * u.x * u.z + s * u.y },
                     { t * u.x * u.y + s * u.z, t * u.y * u.y + c, t * u.y * u.z - s * u.x },
                     { t * u.x * u.z - s * u.y, t * u.y * u.z + s * u.x, t * u.z * u.z + c } } };
}

/* The rotation that a unit quaternion stands for. */
static inline FlMat3
fl_mat3_from_quat (FlQuat q)
{
  double w = q.w, x = q.x, y = q.y, z = q.z;
  return (FlMat3){ { { 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y) },
                     { 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x) },
                     { 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y) } } };
}
