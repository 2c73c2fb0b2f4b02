#include "engine/crystal/lattice.h"

#include "engine/crystal/lattice-private.h"

const char *
fl_lattice_type_name (FlLatticeType type)
{
  static const char *const names[FL_LATTICE_LAST] = { "triclinic",  "monoclinic",   "orthorhombic",
                                                      "tetragonal", "rhombohedral", "hexagonal",
                                                      "cubic" };
  return names[type];
}

FlMat3
fl_lattice_real (const FlMat3 *star)
{
  FlMat3 inverse = fl_mat3_inverse (star);
  return fl_mat3_transpose (&inverse);
}

FlMat3
fl_lattice_star (const FlMat3 *real)
{
  return fl_lattice_real (real);
}

FlCell
fl_lattice_cell_of_real (const FlMat3 *real)
{
  FlVec3 a = fl_lattice_row (real, 0), b = fl_lattice_row (real, 1), c = fl_lattice_row (real, 2);
  return (FlCell){ fl_vec3_norm (a),        fl_vec3_norm (b),        fl_vec3_norm (c),
                   fl_lattice_angle (b, c), fl_lattice_angle (a, c), fl_lattice_angle (a, b) };
}

FlCell
fl_lattice_cell (const FlMat3 *star)
{
  FlMat3 real = fl_lattice_real (star);
  return fl_lattice_cell_of_real (&real);
}

FlMat3
fl_lattice_primitive (const FlMat3 *star, char centring)
{
  /* Rows of the primitive real basis in sixths of the conventional one; each of determinant 1 / number of points. */
  static const struct
  {
    char centring;
    int sixths[3][3];
  } bases[] = { { 'A', { { 6, 0, 0 }, { 0, 3, 3 }, { 0, -3, 3 } } },
                { 'B', { { 3, 0, -3 }, { 0, 6, 0 }, { 3, 0, 3 } } },
                { 'C', { { 3, 3, 0 }, { -3, 3, 0 }, { 0, 0, 6 } } },
                { 'I', { { -3, 3, 3 }, { 3, -3, 3 }, { 3, 3, -3 } } },
                { 'F', { { 0, 3, 3 }, { 3, 0, 3 }, { 3, 3, 0 } } },
                { 'R', { { 4, 2, 2 }, { -2, 2, 2 }, { -2, -4, 2 } } } };
  FlMat3 real = fl_lattice_real (star), primitive = real;
  for (guint n = 0; n < G_N_ELEMENTS (bases); n++)
    for (int i = 0; bases[n].centring == centring && i < 3; i++)
      for (int j = 0; j < 3; j++)
        {
          const int *s = bases[n].sixths[i];
          primitive.m[i][j] = (s[0] * real.m[0][j] + s[1] * real.m[1][j] + s[2] * real.m[2][j]) / 6;
        }
  return fl_lattice_star (&primitive);
}

/* The mean of a metric over the symmetry of the lattice type. */
static void
average_metric (double g[3][3], FlLatticeType type)
{
  double mean, off;
  switch (type)
    {
    case FL_LATTICE_RHOMBOHEDRAL:
      mean = (g[0][0] + g[1][1] + g[2][2]) / 3;
      off = (g[0][1] + g[0][2] + g[1][2]) / 3;
      for (int i = 0; i < 9; i++)
        g[i / 3][i % 3] = i % 4 == 0 ? mean : off;
      return;
    case FL_LATTICE_HEXAGONAL: /* of a, b and a + b */
      mean = (g[0][0] + g[1][1] + g[0][1]) * 2 / 3;
      g[0][0] = g[1][1] = mean;
      g[0][1] = g[1][0] = -mean / 2;
      g[0][2] = g[2][0] = g[1][2] = g[2][1] = 0;
      return;
    case FL_LATTICE_TRICLINIC:
    case FL_LATTICE_LAST:
      return;
    case FL_LATTICE_MONOCLINIC:
    case FL_LATTICE_ORTHORHOMBIC:
    case FL_LATTICE_TETRAGONAL:
    case FL_LATTICE_CUBIC:
      break;
    }
  g[0][1] = g[1][0] = g[1][2] = g[2][1] = 0;
  if (type != FL_LATTICE_MONOCLINIC)
    g[0][2] = g[2][0] = 0;
  if (type == FL_LATTICE_TETRAGONAL)
    g[0][0] = g[1][1] = (g[0][0] + g[1][1]) / 2;
  else if (type == FL_LATTICE_CUBIC)
    g[0][0] = g[1][1] = g[2][2] = (g[0][0] + g[1][1] + g[2][2]) / 3;
}

/* Square root of a symmetric positive matrix (Denman and Beavers 1976). */
static FlMat3
square_root (const FlMat3 *a)
{
  FlMat3 y = *a, z = { { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } };
  for (int step = 0; step < 30; step++)
    {
      FlMat3 inverse_y = fl_mat3_inverse (&y), inverse_z = fl_mat3_inverse (&z);
      double change = 0, size = 0;
      for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
          {
            double next = (y.m[i][j] + inverse_z.m[i][j]) / 2;
            change += fabs (next - y.m[i][j]);
            size += fabs (next);
            y.m[i][j] = next;
            z.m[i][j] = (z.m[i][j] + inverse_y.m[i][j]) / 2;
          }
      if (change <= 1e-15 * size)
        break;
    }
  return y;
}

FlMat3
fl_lattice_constrain (const FlMat3 *star, FlLatticeType type)
{
  /* The stretch F with (A F)(A F)ᵀ the averaged metric: F² = A⁻¹ G A⁻ᵀ = starᵀ G star. */
  FlMat3 real = fl_lattice_real (star), t = fl_mat3_transpose (&real), metric = fl_mat3_multiply (&real, &t);
  average_metric (metric.m, type);
  FlMat3 star_t = fl_mat3_transpose (star), square = fl_mat3_multiply (&star_t, &metric);
  square = fl_mat3_multiply (&square, star);
  FlMat3 stretch = square_root (&square);
  real = fl_mat3_multiply (&real, &stretch);
  return fl_lattice_star (&real);
}

/* Angle of the rotation nearest to a matrix of positive determinant (polar decomposition by Newton's iteration). */
static double
rotation_angle (FlMat3 u)
{
  for (int step = 0; step < 50; step++)
    {
      FlMat3 inverse = fl_mat3_inverse (&u);
      double change = 0;
      FlMat3 next;
      for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
          {
            next.m[i][j] = (u.m[i][j] + inverse.m[j][i]) / 2;
            change += fabs (next.m[i][j] - u.m[i][j]);
          }
      u = next;
      if (change < 1e-14)
        break;
    }
  FlVec3 axis = fl_vec3 (u.m[2][1] - u.m[1][2], u.m[0][2] - u.m[2][0], u.m[1][0] - u.m[0][1]);
  return atan2 (fl_vec3_norm (axis), u.m[0][0] + u.m[1][1] + u.m[2][2] - 1);
}

double
fl_lattice_misorientation (const FlMat3 *a, const FlMat3 *b, const int (*rotations)[3][3], guint n)
{
  static const int identity[1][3][3] = { { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } };
  if (n == 0)
    {
      rotations = identity;
      n = 1;
    }
  FlMat3 inverse = fl_mat3_inverse (a);
  double best = INFINITY;
  for (guint r = 0; r < n; r++)
    {
      FlIntMat3 m;
      for (int i = 0; i < 9; i++)
        m.m[i / 3][i % 3] = rotations[r][i / 3][i % 3];
      FlMat3 turned = fl_lattice_combine (&m, b), u = fl_mat3_multiply (&inverse, &turned);
      if (fl_mat3_determinant (&u) < 0) /* an improper operation and Friedel's law make a proper one */
        for (int i = 0; i < 9; i++)
          u.m[i / 3][i % 3] *= -1;
      best = MIN (best, rotation_angle (u));
    }
  return best;
}
