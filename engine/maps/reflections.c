#include "engine/maps/reflections.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/units.h"
#include "engine/maps/french-wilson.h"

void
fl_reflections_free (FlReflections *reflections)
{
  if (reflections == NULL)
    return;
  g_free (reflections->all);
  g_free (reflections->phased);
  g_free (reflections);
}

static int
compare (FlMiller a, FlMiller b)
{
  return a.h != b.h   ? (a.h > b.h) - (a.h < b.h)
         : a.k != b.k ? (a.k > b.k) - (a.k < b.k)
                      : (a.l > b.l) - (a.l < b.l);
}

static int
compare_to_reflection (const void *key, const void *element)
{
  return compare (*(const FlMiller *) key, ((const FlReflection *) element)->hkl);
}

gint64
fl_reflections_find (const FlReflections *reflections, FlMiller hkl)
{
  const FlReflection *found =
      bsearch (&hkl, reflections->all, reflections->n, sizeof *reflections->all, compare_to_reflection);
  return found != NULL ? found - reflections->all : -1;
}

double complex
fl_reflections_carry (const FlSymmetry *symmetry, FlMiller from, FlMiller to, double complex f)
{
  for (guint i = 0; i < symmetry->n; i++)
    {
      const FlSymmetryOperator *op = &symmetry->ops[i];
      FlMiller e = fl_miller_transform (from, op);
      double complex turned =
          f * cexp (-2 * FL_PI * I * (from.h * op->t[0] + from.k * op->t[1] + from.l * op->t[2]));
      if (compare (e, to) == 0)
        return turned;
      if (compare ((FlMiller){ -e.h, -e.k, -e.l }, to) == 0)
        return conj (turned);
    }
  return 0;
}

/* --- filling --- */

typedef struct
{
  double weight, sum;
} FlMean;

/* FALSE where the other setting has no such index. */
static gboolean
reindex (const FlReindexing *setting, FlMiller *m)
{
  if (setting == NULL)
    return TRUE;
  const int (*r)[3] = setting->r, d = setting->divisor;
  FlMiller to = { m->h * r[0][0] + m->k * r[1][0] + m->l * r[2][0],
                  m->h * r[0][1] + m->k * r[1][1] + m->l * r[2][1],
                  m->h * r[0][2] + m->k * r[1][2] + m->l * r[2][2] };
  if (to.h % d != 0 || to.k % d != 0 || to.l % d != 0)
    return FALSE;
  *m = (FlMiller){ to.h / d, to.k / d, to.l / d };
  return TRUE;
}

static void
list_all (FlReflections *reflections, const FlStructureFactors *list)
{
  FlMat3 metric = fl_cell_reciprocal_metric (&reflections->cell);
  reflections->all = g_new0 (FlReflection, MAX (list->n, 1));
  for (guint i = 0; i < list->n; i++)
    {
      FlMiller m = list->hkl[i];
      FlReflectionClass class = fl_symmetry_classify (reflections->symmetry, m);
      if (!class.absent)
        reflections->all[reflections->n++] =
            (FlReflection){ .hkl = m,
                            .inverse_d2 = fl_inverse_d_squared (&metric, m.h, m.k, m.l),
                            .f = NAN,
                            .sigma = NAN,
                            .epsilon = (guint8) class.epsilon,
                            .centric = class.centric != 0,
                            .flag = NAN };
    }
}

/* What a centric reflection's phase may be: its mate is an equivalent, too, whose phase both rules give. Anomalous scattering and rounding
 * leave a little beside. */
static double complex
keep_to_centre (const FlSymmetry *symmetry, FlMiller m, double complex f)
{
  for (guint i = 0; i < symmetry->n; i++)
    {
      const FlSymmetryOperator *op = &symmetry->ops[i];
      FlMiller e = fl_miller_transform (m, op);
      if (e.h == -m.h && e.k == -m.k && e.l == -m.l)
        return (f + conj (f * cexp (-2 * FL_PI * I * (m.h * op->t[0] + m.k * op->t[1] + m.l * op->t[2]))))
               / 2;
    }
  return f;
}

static void
add_observed (FlReflections *reflections, const FlObserved *o, const FlReindexing *setting, FlMean *means)
{
  FlMiller m = o->hkl;
  if (!reindex (setting, &m))
    return;
  FlMiller to = fl_symmetry_classify (reflections->symmetry, m).representative;
  gint64 i = fl_reflections_find (reflections, to);
  if (i < 0)
    return;
  FlReflection *r = &reflections->all[i];
  if (isfinite (o->flag))
    r->flag = o->flag;
  r->free |= o->free == 1;
  if (isfinite (o->value))
    {
      means[i].weight += 1 / (o->sigma * o->sigma);
      means[i].sum += o->value / (o->sigma * o->sigma);
    }
  if (reflections->phased != NULL && o->phased != 0)
    {
      double complex f = fl_reflections_carry (reflections->symmetry, m, to, o->phased);
      reflections->phased[i] = r->centric ? keep_to_centre (reflections->symmetry, to, f) : f;
    }
}

static void
amplitudes_from_intensities (FlReflections *reflections, gboolean wilson)
{
  guint n = 0;
  g_autofree FlFrenchWilsonInput *in = g_new (FlFrenchWilsonInput, MAX (reflections->n, 1));
  g_autofree double *f = g_new (double, MAX (reflections->n, 1)),
                    *sigma = g_new (double, MAX (reflections->n, 1));
  for (guint i = 0; i < reflections->n; i++)
    {
      FlReflection *r = &reflections->all[i];
      if (!wilson && isfinite (r->f))
        {
          double root = sqrt (MAX (r->f, 0));
          r->sigma = r->f > r->sigma ? r->sigma / (2 * root) : sqrt (r->sigma) / 2;
          r->f = root;
        }
      else if (isfinite (r->f))
        in[n++] = (FlFrenchWilsonInput){ r->inverse_d2, r->f, r->sigma, r->epsilon, r->centric };
    }
  if (!wilson)
    return;
  reflections->n_rejected = fl_french_wilson (in, n, f, sigma);
  for (guint i = 0, k = 0; i < reflections->n; i++)
    if (isfinite (reflections->all[i].f))
      {
        reflections->all[i].f = f[k];
        reflections->all[i].sigma = sigma[k++];
      }
}

FlReflections *
fl_reflections_new (const FlStructureFactors *list, const FlCell *cell, const FlSymmetry *symmetry,
                    const FlObservations *observed, const FlReindexing *setting, gboolean wilson,
                    double d_min, double d_max)
{
  FlReflections *reflections = g_new0 (FlReflections, 1);
  *reflections = (FlReflections){ .cell = *cell, .symmetry = symmetry };
  list_all (reflections, list);
  g_autofree FlMean *means = g_new0 (FlMean, MAX (reflections->n, 1));
  if (observed->has_phases)
    reflections->phased = g_new0 (double complex, MAX (reflections->n, 1));
  for (guint i = 0; i < observed->n; i++)
    add_observed (reflections, &observed->all[i], setting, means);
  double high = d_min > 0 ? 1 / (d_min * d_min) * (1 + 1e-9) : INFINITY,
         low = d_max > 0 ? 1 / (d_max * d_max) : 0;
  for (guint i = 0; i < reflections->n; i++)
    if (means[i].weight > 0 && reflections->all[i].inverse_d2 >= low
        && reflections->all[i].inverse_d2 <= high)
      {
        reflections->all[i].f = means[i].sum / means[i].weight;
        reflections->all[i].sigma = sqrt (1 / means[i].weight);
      }
  if (observed->intensities)
    amplitudes_from_intensities (reflections, wilson);
  for (guint i = 0; i < reflections->n; i++)
    {
      reflections->n_measured += isfinite (reflections->all[i].f);
      reflections->n_free += isfinite (reflections->all[i].f) && reflections->all[i].free;
    }
  return reflections;
}

double complex *
fl_reflections_factors (const FlReflections *reflections, const FlStructureFactors *list,
                        const double complex *f)
{
  double complex *own = g_new0 (double complex, MAX (reflections->n, 1));
  for (guint i = 0, k = 0; i < reflections->n && k < list->n; k++)
    if (compare (list->hkl[k], reflections->all[i].hkl) == 0)
      own[i++] = f[k];
  return own;
}
