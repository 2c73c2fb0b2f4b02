#include "engine/maps/coefficients.h"

#include <math.h>

FlCoefficients *
fl_coefficients_new (const FlReflections *reflections, const double complex *f_model, const FlSigmaA *sigma_a,
                     gboolean fill)
{
  gsize n = MAX (reflections->n, 1);
  FlCoefficients *c = g_new (FlCoefficients, 1);
  *c = (FlCoefficients){ .best = g_new0 (double complex, n),
                         .difference = g_new0 (double complex, n),
                         .merit = g_new0 (double, n) };
  for (guint i = 0; i < reflections->n; i++)
    {
      const FlReflection *r = &reflections->all[i];
      double size = cabs (f_model[i]), d, m = fl_sigma_a_merit (sigma_a, r, size, &d);
      double complex phase = size > 0 ? f_model[i] / size : 0;
      c->merit[i] = m;
      if (isfinite (r->f))
        {
          double difference = m * r->f - d * size;
          c->best[i] = phase * (r->centric ? m * r->f : m * r->f + difference);
          c->difference[i] = phase * (r->centric ? 1 : 2) * difference;
        }
      else if (fill && size > 0)
        {
          c->best[i] = phase * d * size;
          c->n_filled++;
        }
    }
  return c;
}

void
fl_coefficients_free (FlCoefficients *coefficients)
{
  if (coefficients == NULL)
    return;
  g_free (coefficients->best);
  g_free (coefficients->difference);
  g_free (coefficients->merit);
  g_free (coefficients);
}
