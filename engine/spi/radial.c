#include "engine/spi/radial.h"

#include <math.h>

/* rings: [2 n] photons less background, then patterns × factors. */
static void
sum_rings (const FlPatterns *mine, double step, guint n, double *rings)
{
  const FlPatternPixels *pixels = mine->pixels;
  g_autofree guint *ring = g_new (guint, pixels->n);
  for (guint i = 0; i < pixels->n; i++)
    {
      double place = fl_vec3_norm (pixels->s[i]) / step;
      ring[i] = pixels->mask[i] == FL_PATTERN_BAD || place >= n ? G_MAXUINT : (guint) place;
      if (ring[i] == G_MAXUINT)
        continue;
      rings[n + ring[i]] += (double) pixels->factor[i] * mine->n;
      rings[ring[i]] -= pixels->background != NULL ? (double) pixels->background[i] * mine->n : 0;
    }
  for (guint64 k = 0; k < mine->start[mine->n]; k++)
    if (ring[mine->pixel[k]] != G_MAXUINT)
      rings[ring[mine->pixel[k]]] += mine->count[k];
}

FlRadial *
fl_radial_new (FlParallel *parallel, const FlPatterns *mine, double step, double s_max)
{
  guint n = (guint) ceil (s_max / step) + 1;
  g_autofree double *rings = g_new0 (double, 2 * (gsize) n);
  sum_rings (mine, step, n, rings);
  fl_parallel_sum_f64 (parallel, rings, 2 * n);
  FlRadial *radial = g_new (FlRadial, 1);
  *radial = (FlRadial){ n, step, g_new (double, n) };
  for (guint i = 0; i < n; i++)
    radial->log_of[i] = rings[n + i] > 0 ? log (fmax (rings[i], 0.5) / rings[n + i]) : NAN;
  for (guint i = 1; i < n; i++)
    if (isnan (radial->log_of[i]))
      radial->log_of[i] = radial->log_of[i - 1];
  for (guint i = n - 1; i-- > 0;)
    if (isnan (radial->log_of[i]))
      radial->log_of[i] = radial->log_of[i + 1];
  return radial;
}

void
fl_radial_free (FlRadial *radial)
{
  if (radial == NULL)
    return;
  g_free (radial->log_of);
  g_free (radial);
}

double
fl_radial_at (const FlRadial *radial, double s)
{
  double place = CLAMP (s / radial->step - 0.5, 0, radial->n - 1.001);
  guint i = (guint) place;
  return exp (radial->log_of[i] + (place - i) * (radial->log_of[i + 1] - radial->log_of[i]));
}
