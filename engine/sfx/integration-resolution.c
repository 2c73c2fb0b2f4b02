#include <math.h>

#include "engine/sfx/integration.h"

#define MIN_A_SHELL 3

double
fl_integration_resolution (const FlReflectionRow *rows, guint n, double limit, guint n_shells, double *means)
{
  g_autofree double *sums = g_new0 (double, n_shells);
  g_autofree guint *counts = g_new0 (guint, n_shells);
  double low = INFINITY, high = 0, result = 0, before = 0, before_at = 0;
  guint n_good = 0;
  for (guint i = 0; i < n; i++)
    if (rows[i].sigma > 0 && rows[i].d > 0)
      {
        double volume = pow (rows[i].d, -3);
        low = MIN (low, volume);
        high = MAX (high, volume);
        n_good++;
      }
  for (guint i = 0; i < n; i++)
    if (rows[i].sigma > 0 && rows[i].d > 0)
      {
        guint shell = high > low ? (guint) ((pow (rows[i].d, -3) - low) / (high - low) * n_shells) : 0;
        shell = MIN (shell, n_shells - 1);
        sums[shell] += rows[i].intensity / rows[i].sigma;
        counts[shell]++;
      }
  for (guint i = 0; i < n_shells; i++)
    {
      sums[i] = counts[i] > 0 ? sums[i] / counts[i] : NAN;
      if (means != NULL)
        means[i] = sums[i];
    }
  if (n_good < MIN_A_SHELL * n_shells)
    return 0;
  for (guint i = 0; i < n_shells; i++)
    {
      double at = low + (high - low) * (i + 0.5) / n_shells;
      if (isnan (sums[i]))
        continue;
      if (sums[i] < limit)
        return before_at > 0
                   ? pow (before_at + (at - before_at) * (before - limit) / (before - sums[i]), -1.0 / 3)
                   : 0;
      before = sums[i];
      before_at = at;
      result = pow (high, -1.0 / 3);
    }
  return result;
}
