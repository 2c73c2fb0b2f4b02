/* indexing-fit-solve.c: normal equations of nine and three unknowns. */
#include "engine/sfx/indexing-fit-solve.h"

#include <string.h>

enum
{
  N = 9
};

static const guint pairs[6][2] = { { 0, 0 }, { 0, 1 }, { 0, 2 }, { 1, 1 }, { 1, 2 }, { 2, 2 } };
static const guint pair_of[3][3] = { { 0, 1, 2 }, { 1, 3, 4 }, { 2, 4, 5 } };

void
fl_fit_add (FlFitNormal *sums, FlVec3 g, FlVec3 d, double weight, double isotropic, double extra,
            FlVec3 normal)
{
  double along = extra * fl_vec3_dot (normal, d);
  const double n[3] = { normal.x, normal.y, normal.z }, x[3] = { g.x, g.y, g.z }, r[3] = { d.x, d.y, d.z };
  double w[6], gg[6];
  for (guint i = 0; i < 6; i++)
    {
      w[i] =
          weight * (extra * n[pairs[i][0]] * n[pairs[i][1]] + (pairs[i][0] == pairs[i][1] ? isotropic : 0));
      gg[i] = x[pairs[i][0]] * x[pairs[i][1]];
    }
  for (guint i = 0; i < 6; i++)
    for (guint j = 0; j < 6; j++)
      sums->matrix[i][j] += w[i] * gg[j];
  for (guint i = 0; i < 3; i++)
    for (guint j = 0; j < 3; j++)
      sums->right[i][j] += weight * (isotropic * r[i] + along * n[i]) * x[j];
}

/* Solves a x = b in place (Cholesky); FALSE: not positive. */
static gboolean
solve (guint n, double a[N][N], double b[N])
{
  for (guint j = 0; j < n; j++)
    {
      for (guint k = 0; k < j; k++)
        a[j][j] -= a[j][k] * a[j][k];
      if (!(a[j][j] > 0))
        return FALSE;
      a[j][j] = sqrt (a[j][j]);
      for (guint i = j + 1; i < n; i++)
        {
          for (guint k = 0; k < j; k++)
            a[i][j] -= a[i][k] * a[j][k];
          a[i][j] /= a[j][j];
        }
    }
  for (guint i = 0; i < n; i++)
    {
      for (guint k = 0; k < i; k++)
        b[i] -= a[i][k] * b[k];
      b[i] /= a[i][i];
    }
  for (guint i = n; i-- > 0;)
    {
      for (guint k = i + 1; k < n; k++)
        b[i] -= a[k][i] * b[k];
      b[i] /= a[i][i];
    }
  return TRUE;
}

FlVec3
fl_fit_solve3 (const FlMat3 *upper, FlVec3 right)
{
  double a[N][N], b[N] = { right.x, right.y, right.z };
  double damp = 1e-9 * (upper->m[0][0] + upper->m[1][1] + upper->m[2][2]);
  for (guint i = 0; i < 3; i++)
    for (guint j = 0; j < 3; j++)
      a[i][j] = upper->m[MIN (i, j)][MAX (i, j)] + (i == j ? damp : 0);
  return solve (3, a, b) ? fl_vec3 (b[0], b[1], b[2]) : fl_vec3 (0, 0, 0);
}

void
fl_fit_rotate (FlMat3 *real, FlVec3 rotation)
{
  double angle = fl_vec3_norm (rotation);
  if (!(angle > 0))
    return;
  FlMat3 turn = fl_mat3_rotation (fl_vec3_scale (rotation, 1 / angle), angle),
         back = fl_mat3_transpose (&turn);
  *real = fl_mat3_multiply (real, &back);
}

/* Left stretch of the map from the known lattice to this one, less 1: V in M = V R (Higham's iteration for R). */
static FlMat3
strain_of (const FlMat3 *known, const FlMat3 *real)
{
  FlMat3 inverse = fl_mat3_inverse (known), star = fl_lattice_star (real);
  FlMat3 rows = fl_mat3_multiply (&inverse, &star), map = fl_mat3_transpose (&rows), turn = map;
  for (guint round = 0; round < 6; round++)
    {
      FlMat3 over = fl_mat3_inverse (&turn);
      for (guint i = 0; i < 3; i++)
        for (guint j = i; j < 3; j++)
          {
            double ij = 0.5 * (turn.m[i][j] + over.m[j][i]), ji = 0.5 * (turn.m[j][i] + over.m[i][j]);
            turn.m[i][j] = ij;
            turn.m[j][i] = ji;
          }
    }
  FlMat3 back = fl_mat3_transpose (&turn), stretch = fl_mat3_multiply (&map, &back);
  for (guint i = 0; i < 3; i++)
    stretch.m[i][i] -= 1;
  return stretch;
}

double
fl_fit_strain (const FlMat3 *known, const FlMat3 *real, double strain, double scale)
{
  FlMat3 e = strain_of (known, real);
  double size = (e.m[0][0] + e.m[1][1] + e.m[2][2]) / 3, sum = 0;
  for (guint i = 0; i < N; i++)
    {
      double shape = e.m[i / 3][i % 3] - (i / 3 == i % 3 ? size : 0);
      sum += shape * shape;
    }
  return sum / (strain * strain) + size * size / (scale * scale);
}

static void
fill (const FlFitNormal *sums, double a[N][N], double b[N])
{
  for (guint i = 0; i < N; i++)
    {
      for (guint j = 0; j < N; j++)
        a[i][j] = sums->matrix[pair_of[i / 3][j / 3]][pair_of[i % 3][j % 3]];
      b[i] = sums->right[i / 3][i % 3];
    }
}

/* ½ Σ (E + sym F)² / strain², but the third of its trace with `scale`. */
static void
hold (const FlMat3 *known, const FlMat3 *real, double strain, double scale, double a[N][N], double b[N])
{
  FlMat3 now = strain_of (known, real);
  double weight = 1 / (strain * strain), of_trace = 1 / (9 * scale * scale) - weight / 3, trace = 0;
  double size = now.m[0][0] + now.m[1][1] + now.m[2][2];
  for (guint i = 0; i < N; i++)
    trace += a[i][i];
  for (guint i = 0; i < 3; i++)
    for (guint j = 0; j < 3; j++)
      {
        double e = 0.5 * (now.m[i][j] + now.m[j][i]);
        a[3 * i + j][3 * i + j] += weight / 2 + 1e-9 * trace;
        a[3 * i + j][3 * j + i] += weight / 2;
        b[3 * i + j] -= weight * e;
        a[4 * i][4 * j] += of_trace;
      }
  for (guint i = 0; i < 3; i++)
    b[4 * i] -= of_trace * size;
}

static FlMat3
turning (const double a[N][N], const double b[N])
{
  /* F for a unit rotation about x, y, z. */
  static const guint plus[3] = { 7, 2, 3 }, minus[3] = { 5, 6, 1 };
  FlMat3 normal;
  double right[3];
  for (guint i = 0; i < 3; i++)
    {
      right[i] = b[plus[i]] - b[minus[i]];
      for (guint j = 0; j < 3; j++)
        normal.m[i][j] =
            a[plus[i]][plus[j]] - a[plus[i]][minus[j]] - a[minus[i]][plus[j]] + a[minus[i]][minus[j]];
    }
  FlVec3 w = fl_fit_solve3 (&normal, fl_vec3 (right[0], right[1], right[2]));
  FlMat3 unit = { { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } };
  fl_fit_rotate (&unit, w); /* rows turned: the transpose of the map */
  return fl_mat3_transpose (&unit);
}

void
fl_fit_step (const FlMat3 *known, const FlFitNormal *sums, double strain, double scale, FlMat3 *real)
{
  double a[N][N], b[N];
  fill (sums, a, b);
  FlMat3 map;
  if (strain > 0)
    {
      hold (known, real, strain, scale, a, b);
      if (!solve (N, a, b))
        return;
      for (guint i = 0; i < N; i++)
        map.m[i / 3][i % 3] = b[i] + (i / 3 == i % 3 ? 1 : 0);
    }
  else
    map = turning (a, b);
  FlMat3 star = fl_lattice_star (real), columns = fl_mat3_transpose (&star),
         moved = fl_mat3_multiply (&map, &columns);
  if (fabs (fl_mat3_determinant (&moved)) < 1e-12)
    return;
  star = fl_mat3_transpose (&moved);
  *real = fl_lattice_real (&star);
}
