/* Laws of counting. */
#include <math.h>

#include "engine/control/forecast-private.h"

/* P(count ≥ least), E[count; count ≥ least] and E[1/count; count ≥ least] of a negative binomial count with mean mu. */
static void
moments (double mu, double shape, guint least, double *seen, double *observed, double *inverse)
{
  double p = exp (-shape * log1p (mu / shape)), q = mu / (shape + mu);
  double below = 0, lost = 0, sum = 0;
  guint end = inverse != NULL ? (guint) (mu + 12 * sqrt (mu + mu * mu / shape) + 30) : least;
  for (guint count = 0; count < end; count++)
    {
      if (count < least)
        {
          below += p;
          lost += p * count;
        }
      else
        sum += p / count;
      p *= (shape + count) / (count + 1) * q;
    }
  *seen = 1 - below;
  *observed = mu - lost;
  if (inverse != NULL)
    *inverse = sum;
}

double
fl_count_seen (const FlCountLaw *law, double n)
{
  double seen, observed;
  moments (law->rate * n, law->shape, law->least, &seen, &observed, NULL);
  return law->visible * seen;
}

double
fl_count_observed (const FlCountLaw *law, double n)
{
  double seen, observed;
  moments (law->rate * n, law->shape, law->least, &seen, &observed, NULL);
  return law->visible * observed;
}

double
fl_count_inverse (const FlCountLaw *law, double n)
{
  double mu = law->rate * n / 2, seen, observed, inverse;
  double summed = MIN (mu, 100); /* above, it falls as 1/mu */
  moments (summed, law->shape, law->least, &seen, &observed, &inverse);
  return inverse / MAX (seen, G_MINDOUBLE) * summed / mu;
}
