#include "engine/maps/difference.h"

#include <math.h>

#include "engine/maps/shells.h"

#define PER_SHELL  200
#define LEAST_PART 0.01 /* of the mean square difference is taken for real, however large the sigmas are */

FlModelScale
fl_difference_scale (FlReflections *first, const FlReflections *second)
{
  g_autofree double complex *f = g_new0 (double complex, MAX (second->n, 1));
  for (guint i = 0; i < second->n; i++)
    f[i] = isfinite (second->all[i].f) ? second->all[i].f : 0;
  FlModelScale scale = fl_model_scale_fit (first, f, NULL, (FlModelScaleOptions){ TRUE, FALSE });
  fl_model_scale_apply (&scale, first);
  return scale;
}

static gboolean
is_pair (const FlReflections *first, const FlReflections *second, guint i)
{
  return isfinite (first->all[i].f) && isfinite (second->all[i].f);
}

/* Mean square of the real difference over ε in each shell. */
static void
real_variance (const FlReflections *first, const FlReflections *second, const FlShells *shells,
               double *variance)
{
  double squares[FL_SHELLS_MOST] = { 0 }, noise[FL_SHELLS_MOST] = { 0 };
  for (guint i = 0; i < first->n; i++)
    {
      const FlReflection *a = &first->all[i], *b = &second->all[i];
      if (!is_pair (first, second, i))
        continue;
      guint s = fl_shells_find (shells, a->inverse_d2);
      squares[s] += (a->f - b->f) * (a->f - b->f) / a->epsilon;
      noise[s] += (a->sigma * a->sigma + b->sigma * b->sigma) / a->epsilon;
    }
  for (guint s = 0; s < shells->n; s++)
    variance[s] = MAX (squares[s] - noise[s], LEAST_PART * squares[s]) / MAX (shells->count[s], 1);
}

FlDifference *
fl_difference_new (const FlReflections *first, const FlReflections *second, const double complex *f_model,
                   FlDifferenceWeight kind)
{
  gsize n = MAX (first->n, 1);
  FlDifference *d = g_new0 (FlDifference, 1);
  double variance[FL_SHELLS_MOST], sums[2] = { 0 };
  g_autofree double *d2 = g_new (double, n);
  d->coefficients = g_new0 (double complex, n);
  d->weight = g_new0 (double, n);
  for (guint i = 0; i < first->n; i++)
    if (is_pair (first, second, i))
      d2[d->n++] = first->all[i].inverse_d2;
  FlShells shells = fl_shells_new (d2, d->n, PER_SHELL);
  real_variance (first, second, &shells, variance);
  for (guint i = 0; i < first->n; i++)
    {
      const FlReflection *a = &first->all[i], *b = &second->all[i];
      double size = cabs (f_model[i]), weight = 1;
      d->weight[i] = NAN;
      if (!is_pair (first, second, i))
        continue;
      sums[0] += fabs (a->f - b->f);
      sums[1] += a->f + b->f;
      if (kind == FL_DIFFERENCE_BAYES)
        {
          double real = fl_shells_at (&shells, variance, a->inverse_d2) * a->epsilon;
          double noise = a->sigma * a->sigma + b->sigma * b->sigma;
          weight = real + noise > 0 ? real / (real + noise) : 0;
        }
      d->weight[i] = weight;
      d->mean_weight += weight / d->n;
      d->coefficients[i] = size > 0 ? weight * (a->f - b->f) * f_model[i] / size : 0;
    }
  d->r_iso = sums[1] > 0 ? 2 * sums[0] / sums[1] : NAN;
  return d;
}

void
fl_difference_free (FlDifference *difference)
{
  if (difference == NULL)
    return;
  g_free (difference->coefficients);
  g_free (difference->weight);
  g_free (difference);
}
