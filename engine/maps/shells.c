#include "engine/maps/shells.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int
compare (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

FlShells
fl_shells_new (const double *inverse_d2, guint n, guint per_shell)
{
  FlShells shells = { .n = CLAMP (n / MAX (per_shell, 1), 1, FL_SHELLS_MOST) };
  g_autofree double *sorted = g_new (double, MAX (n, 1));
  if (n > 0)
    memcpy (sorted, inverse_d2, n * sizeof *sorted);
  qsort (sorted, n, sizeof *sorted, compare);
  for (guint s = 0; s < shells.n; s++)
    {
      guint from = (guint) ((guint64) n * s / shells.n), until = (guint) ((guint64) n * (s + 1) / shells.n);
      for (guint i = from; i < until; i++)
        shells.centre[s] += sorted[i] / (until - from);
      shells.count[s] = until - from;
      shells.edge[s] = s + 1 < shells.n ? sorted[until - 1] : INFINITY;
    }
  return shells;
}

guint
fl_shells_find (const FlShells *shells, double inverse_d2)
{
  guint low = 0, high = shells->n - 1;
  while (low < high)
    {
      guint middle = (low + high) / 2;
      if (inverse_d2 <= shells->edge[middle])
        high = middle;
      else
        low = middle + 1;
    }
  return low;
}

double
fl_shells_at (const FlShells *shells, const double *values, double inverse_d2)
{
  const double *x = shells->centre;
  guint s = fl_shells_find (shells, inverse_d2), last = shells->n - 1;
  if (inverse_d2 < x[s] && s > 0)
    s--;
  if (s == last || inverse_d2 <= x[0])
    return values[s];
  double part = (inverse_d2 - x[s]) / MAX (x[s + 1] - x[s], 1e-12);
  return values[s] + CLAMP (part, 0, 1) * (values[s + 1] - values[s]);
}
