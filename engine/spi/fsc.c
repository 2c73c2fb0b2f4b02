#include "engine/spi/fsc.h"

#include <math.h>

#include "engine/spi/transform.h"

#define ONE_SIDED_95 1.6449 /* of a normal distribution */

typedef struct
{
  double both, one, other, count;
} Shell;

/* The two transforms at one point, of real volumes that went in as real and imaginary part. */
typedef struct
{
  double complex one, other;
  double s; /* in Fourier voxels */
  double weight;
  guint shell;
} Point;

/* Each Friedel pair once; those of the plane z = 0 twice, with half the weight. */
static Point *
list_points (const FlTransform *t, guint n_shells, gsize *n_points)
{
  const gsize n = t->n;
  Point *points = g_new (Point, n * n * n / 2), *p = points;
  for (guint z = 0; z < n / 2; z++)
    for (guint y = 0; y < n; y++)
      for (guint x = 0; x < n; x++)
        {
          double kx = fl_transform_k (t, x), ky = fl_transform_k (t, y),
                 s = sqrt (kx * kx + ky * ky + (double) z * z);
          if (s >= n_shells - 0.5)
            continue;
          double complex f = t->grid[(z * n + y) * n + x],
                         g = conj (
                             t->grid[(fl_transform_opposite (t, z) * n + fl_transform_opposite (t, y)) * n
                                     + fl_transform_opposite (t, x)]);
          *p++ = (Point){ (f + g) / 2, (f - g) / (2 * I), s, z == 0 ? 0.5 : 1, (guint) (s + 0.5) };
        }
  *n_points = (gsize) (p - points);
  return points;
}

/* Radial means at |s| = shell, linear between them. */
static double
radial (const double *means, guint n, double s)
{
  guint i = MIN ((guint) s, n - 2);
  return means[i] + (s - i) * (means[i + 1] - means[i]);
}

/* Leaves the real parts without their radial means. */
static void
subtract_means (Point *points, gsize n_points, guint n)
{
  g_autofree double *weights = g_new0 (double, n), *one = g_new0 (double, n), *other = g_new0 (double, n);
  for (Point *p = points; p < points + n_points; p++)
    {
      weights[p->shell] += p->weight;
      one[p->shell] += p->weight * creal (p->one);
      other[p->shell] += p->weight * creal (p->other);
    }
  for (guint i = 0; i < n; i++)
    {
      one[i] /= weights[i];
      other[i] /= weights[i];
    }
  for (Point *p = points; p < points + n_points; p++)
    {
      p->one = creal (p->one) - radial (one, n, p->s);
      p->other = creal (p->other) - radial (other, n, p->s);
    }
}

static Shell *
sum_shells (const FlTransform *t, FlFscKind kind, guint n)
{
  Shell *shells = g_new0 (Shell, n);
  gsize n_points;
  g_autofree Point *points = list_points (t, n, &n_points);
  if (kind == FL_FSC_INTENSITY)
    subtract_means (points, n_points, n);
  for (const Point *p = points; p < points + n_points; p++)
    {
      Shell *shell = &shells[p->shell];
      shell->both += p->weight * creal (p->one * conj (p->other));
      shell->one += p->weight * creal (p->one * conj (p->one));
      shell->other += p->weight * creal (p->other * conj (p->other));
      shell->count += p->weight;
    }
  return shells;
}

FlFsc *
fl_fsc_new (const FlVolume *a, const FlVolume *b, FlFscKind kind, double diameter, GError **error)
{
  g_return_val_if_fail (a->m == b->m, NULL);
  g_autoptr (FlTransform) t = fl_transform_new (a->m, error);
  if (t == NULL)
    return NULL;
  fl_transform_put (t, a, b);
  fl_transform_run (t, FALSE);
  FlFsc *fsc = g_new (FlFsc, 1);
  double box = t->n * a->voxel, filled = diameter > 0 ? MIN (G_PI / 6 * pow (diameter / box, 3), 1) : 1;
  *fsc = (FlFsc){ .n = t->n / 2, .step = 1 / box };
  fsc->value = g_new (double, fsc->n);
  fsc->power[0] = g_new (double, fsc->n);
  fsc->power[1] = g_new (double, fsc->n);
  fsc->independent = g_new (double, fsc->n);
  g_autofree Shell *shells = sum_shells (t, kind, fsc->n);
  for (guint i = 0; i < fsc->n; i++)
    {
      const Shell *shell = &shells[i];
      double norm = sqrt (shell->one * shell->other);
      fsc->value[i] = norm > 0 ? shell->both / norm : 0;
      fsc->power[0][i] = sqrt (shell->one / shell->count);
      fsc->power[1][i] = sqrt (shell->other / shell->count);
      /* Intensities are real: half as much is known of them. */
      fsc->independent[i] = MAX (filled * shell->count * (kind == FL_FSC_INTENSITY ? 0.5 : 1), 1);
    }
  return fsc;
}

void
fl_fsc_free (FlFsc *fsc)
{
  if (fsc == NULL)
    return;
  g_free (fsc->value);
  g_free (fsc->power[0]);
  g_free (fsc->power[1]);
  g_free (fsc->independent);
  g_free (fsc);
}

/* The curve, or its bound `sigmas` away. */
static double
bound (const FlFsc *fsc, guint i, double sigmas)
{
  double z = atanh (CLAMP (fsc->value[i], -0.999999, 0.999999));
  return tanh (z + sigmas / sqrt (2 * fsc->independent[i]));
}

static double
first_crossing (const FlFsc *fsc, double threshold, double s_least, double sigmas, gboolean *crossed)
{
  guint first = MAX ((guint) ceil (s_least / fsc->step), 1);
  for (guint i = first; i < fsc->n; i++)
    {
      double here = bound (fsc, i, sigmas);
      if (here >= threshold)
        continue;
      double before = i > first ? bound (fsc, i - 1, sigmas) : here;
      *crossed = TRUE;
      return fsc->step * (before > here ? i - (threshold - here) / (before - here) : i);
    }
  *crossed = FALSE;
  return fsc->step * (fsc->n - 1);
}

FlFscCrossing
fl_fsc_crossing (const FlFsc *fsc, double threshold, double s_least)
{
  FlFscCrossing c;
  gboolean any;
  c.low = first_crossing (fsc, threshold, s_least, -ONE_SIDED_95, &any);
  c.high = first_crossing (fsc, threshold, s_least, ONE_SIDED_95, &any);
  c.s = first_crossing (fsc, threshold, s_least, 0, &c.crossed);
  return c;
}
