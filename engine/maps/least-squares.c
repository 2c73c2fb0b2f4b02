#include "engine/maps/least-squares.h"

#include <math.h>
#include <string.h>

/* L of A = L Lᵀ into the lower half. */
static gboolean
factorise (double *l, guint n)
{
  for (guint i = 0; i < n; i++)
    for (guint j = 0; j <= i; j++)
      {
        double sum = l[i * n + j];
        for (guint k = 0; k < j; k++)
          sum -= l[i * n + k] * l[j * n + k];
        if (i == j && !(sum > 0))
          return FALSE;
        l[i * n + j] = i == j ? sqrt (sum) : sum / l[j * n + j];
      }
  return TRUE;
}

#define NOTHING 1e-12 /* of the largest diagonal element: what rounding leaves of none */

gboolean
fl_solve_damped (const double *a, const double *b, guint n, double damping, double *x)
{
  double most = 0;
  for (guint i = 0; i < n; i++)
    most = MAX (most, a[i * n + i]);
  g_autofree double *l = g_new (double, MAX ((gsize) n * n, 1));
  memcpy (l, a, (gsize) n * n * sizeof *l);
  for (guint i = 0; i < n; i++)
    {
      l[i * n + i] = a[i * n + i] > NOTHING * most ? a[i * n + i] * (1 + damping) : 1;
      for (guint j = 0; j < i; j++)
        if (!(a[i * n + i] > NOTHING * most) || !(a[j * n + j] > NOTHING * most))
          l[i * n + j] = 0;
    }
  if (!factorise (l, n))
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      x[i] = a[i * n + i] > NOTHING * most ? b[i] : 0;
      for (guint k = 0; k < i; k++)
        x[i] -= l[i * n + k] * x[k];
      x[i] /= l[i * n + i];
    }
  for (guint i = n; i-- > 0;)
    {
      for (guint k = i + 1; k < n; k++)
        x[i] -= l[k * n + i] * x[k];
      x[i] /= l[i * n + i];
    }
  return TRUE;
}
