/* Niggli's reduced cell by Křivý and Gruber (Acta Cryst. A32, 297, 1976) with the tolerance of Grosse-Kunstleve, Sauter and
 * Adams (Acta Cryst. A60, 1, 2004). */

#include <string.h>

#include "engine/crystal/lattice-private.h"

#define MAX_STEPS 1000 /* some twenty are usual */

typedef struct
{
  FlMat3 basis;
  FlIntMat3 transform;
  double epsilon;       /* Å² */
  double a, b, c;       /* squares of the lengths */
  double xi, eta, zeta; /* 2 b·c, 2 a·c, 2 a·b */
} FlReduction;

static void
measure (FlReduction *r)
{
  FlVec3 a = fl_lattice_row (&r->basis, 0), b = fl_lattice_row (&r->basis, 1),
         c = fl_lattice_row (&r->basis, 2);
  r->a = fl_vec3_dot (a, a);
  r->b = fl_vec3_dot (b, b);
  r->c = fl_vec3_dot (c, c);
  r->xi = 2 * fl_vec3_dot (b, c);
  r->eta = 2 * fl_vec3_dot (a, c);
  r->zeta = 2 * fl_vec3_dot (a, b);
}

/* Row `to` += n · row `from`. */
static void
add_row (FlReduction *r, int to, int from, int n)
{
  for (int j = 0; j < 3; j++)
    {
      r->basis.m[to][j] += n * r->basis.m[from][j];
      r->transform.m[to][j] += n * r->transform.m[from][j];
    }
}

static void
scale_row (FlReduction *r, int row, int sign)
{
  for (int j = 0; j < 3; j++)
    {
      r->basis.m[row][j] *= sign;
      r->transform.m[row][j] *= sign;
    }
}

/* Exchanged and all reversed: the hand stays. */
static void
swap_rows (FlReduction *r, int one, int other)
{
  for (int j = 0; j < 3; j++)
    {
      double x = r->basis.m[one][j];
      r->basis.m[one][j] = r->basis.m[other][j];
      r->basis.m[other][j] = x;
      int n = r->transform.m[one][j];
      r->transform.m[one][j] = r->transform.m[other][j];
      r->transform.m[other][j] = n;
    }
  for (int i = 0; i < 3; i++)
    scale_row (r, i, -1);
}

/* Whole multiples at once, so that a very oblique basis does not take its steps one by one. FALSE when a number grows
 * beyond sense. */
static gboolean
shorten_pairs (FlReduction *r)
{
  gboolean changed = TRUE;
  for (int step = 0; changed && step < MAX_STEPS; step++)
    {
      changed = FALSE;
      for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
          {
            FlVec3 u = fl_lattice_row (&r->basis, i), v = fl_lattice_row (&r->basis, j);
            double n = i == j ? 0 : fl_vec3_dot (u, v) / fl_vec3_dot (v, v);
            if (!(fabs (n) < 1e6))
              return FALSE;
            if (fabs (n) <= 0.5 + 1e-9)
              continue;
            add_row (r, i, j, -(int) lrint (n));
            changed = TRUE;
          }
    }
  return TRUE;
}

static gboolean
equal (const FlReduction *r, double x, double y)
{
  return fabs (x - y) <= r->epsilon;
}

/* x < y by more than rounding. */
static gboolean
less (const FlReduction *r, double x, double y)
{
  return x < y - r->epsilon;
}

/* Steps 3 and 4: the three products all positive, or none of them. */
static void
choose_signs (FlReduction *r)
{
  const double product[3] = { r->xi, r->eta, r->zeta };
  int negative = 0, positive = 0, zero = -1, sign[3];
  for (int i = 0; i < 3; i++)
    {
      negative += product[i] < -r->epsilon;
      positive += product[i] > r->epsilon;
      if (fabs (product[i]) <= r->epsilon)
        zero = i;
    }
  gboolean all = positive + negative == 3 && negative % 2 == 0;
  for (int i = 0; i < 3; i++)
    sign[i] = (all ? product[i] < -r->epsilon : product[i] > r->epsilon) ? -1 : 1;
  if (sign[0] * sign[1] * sign[2] < 0 && zero >= 0)
    sign[zero] = -1;
  for (int i = 0; i < 3; i++)
    scale_row (r, i, sign[i]);
}

/* Steps 5 to 8. FALSE when none applies: the basis is reduced. */
static gboolean
shorten (FlReduction *r)
{
  if (less (r, r->b, fabs (r->xi)) || (equal (r, r->xi, r->b) && less (r, 2 * r->eta, r->zeta))
      || (equal (r, r->xi, -r->b) && less (r, r->zeta, 0)))
    add_row (r, 2, 1, r->xi > 0 ? -1 : 1);
  else if (less (r, r->a, fabs (r->eta)) || (equal (r, r->eta, r->a) && less (r, 2 * r->xi, r->zeta))
           || (equal (r, r->eta, -r->a) && less (r, r->zeta, 0)))
    add_row (r, 2, 0, r->eta > 0 ? -1 : 1);
  else if (less (r, r->a, fabs (r->zeta)) || (equal (r, r->zeta, r->a) && less (r, 2 * r->xi, r->eta))
           || (equal (r, r->zeta, -r->a) && less (r, r->eta, 0)))
    add_row (r, 1, 0, r->zeta > 0 ? -1 : 1);
  else
    {
      double sum = r->xi + r->eta + r->zeta + r->a + r->b;
      if (!less (r, sum, 0) && !(equal (r, sum, 0) && less (r, 0, 2 * (r->a + r->eta) + r->zeta)))
        return FALSE;
      add_row (r, 2, 0, 1);
      add_row (r, 2, 1, 1);
    }
  return TRUE;
}

gboolean
fl_niggli_reduce (FlMat3 *real, FlIntMat3 *transform)
{
  FlReduction r = { .basis = *real, .transform = { { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } } };
  double volume = fabs (fl_mat3_determinant (real));
  if (!(volume > 0) || !isfinite (volume) || !shorten_pairs (&r))
    return FALSE;
  r.epsilon = 1e-9 * pow (volume, 2.0 / 3);
  for (int step = 0; step < MAX_STEPS; step++)
    {
      measure (&r);
      if (less (&r, r.b, r.a) || (equal (&r, r.a, r.b) && less (&r, fabs (r.eta), fabs (r.xi))))
        {
          swap_rows (&r, 0, 1);
          measure (&r);
        }
      if (less (&r, r.c, r.b) || (equal (&r, r.b, r.c) && less (&r, fabs (r.zeta), fabs (r.eta))))
        {
          swap_rows (&r, 1, 2);
          continue;
        }
      choose_signs (&r);
      measure (&r);
      if (!shorten (&r))
        {
          *real = r.basis;
          if (transform != NULL)
            *transform = r.transform;
          return TRUE;
        }
    }
  return FALSE;
}

FlMat3
fl_lattice_niggli (const FlMat3 *star)
{
  FlMat3 real = fl_lattice_real (star);
  return fl_niggli_reduce (&real, NULL) ? fl_lattice_star (&real) : *star;
}
