#include "engine/maps/origin.h"

#include <math.h>
#include <string.h>

#include "engine/crystal/fourier.h"
#include "engine/maps/shells.h"
#include "engine/maps/synthesis.h"

#define PER_SHELL  200
#define RESOLUTION 3.0 /* Å: enough to tell origins apart */
#define RATE       3.0
#define PER_CELL   12 /* discrete origins lie at twelfths at most */

double
fl_origin_agreement (const FlReflections *reflections, const double complex *f_model)
{
  double means[2][FL_SHELLS_MOST] = { { 0 } }, s[5] = { 0 };
  guint n = 0;
  g_autofree double *d2 = g_new (double, MAX (reflections->n, 1));
  for (guint i = 0; i < reflections->n; i++)
    if (isfinite (reflections->all[i].f))
      d2[n++] = reflections->all[i].inverse_d2;
  FlShells shells = fl_shells_new (d2, n, PER_SHELL);
  for (guint pass = 0; pass < 2; pass++)
    for (guint i = 0; i < reflections->n; i++)
      {
        const FlReflection *r = &reflections->all[i];
        guint shell = fl_shells_find (&shells, r->inverse_d2);
        double fc = cabs (f_model[i]), o = r->f * r->f / r->epsilon, c = fc * fc / r->epsilon;
        if (!isfinite (r->f))
          continue;
        if (pass == 0)
          {
            means[0][shell] += o / shells.count[shell];
            means[1][shell] += c / shells.count[shell];
            continue;
          }
        if (!(means[0][shell] > 0) || !(means[1][shell] > 0))
          continue;
        o = o / means[0][shell] - 1;
        c = c / means[1][shell] - 1;
        s[0] += o * o;
        s[1] += c * c;
        s[2] += o * c;
      }
  return s[0] > 0 && s[1] > 0 ? s[2] / sqrt (s[0] * s[1]) : 0;
}

static gboolean
is_translation (const FlSymmetryOperator *op)
{
  for (int j = 0; j < 9; j++)
    if (op->r[j / 3][j % 3] != (j % 4 == 0))
      return FALSE;
  return TRUE;
}

/* Is v a translation of the lattice, centring included? */
static gboolean
is_of_lattice (const FlSymmetry *symmetry, const double v[3], double tolerance)
{
  for (guint o = 0; o < symmetry->n; o++)
    {
      const FlSymmetryOperator *op = &symmetry->ops[o];
      double most = 0;
      if (!is_translation (op))
        continue;
      for (int i = 0; i < 3; i++)
        {
          double d = v[i] - op->t[i];
          most = MAX (most, fabs (d - rint (d)));
        }
      if (most <= tolerance)
        return TRUE;
    }
  return FALSE;
}

gboolean
fl_origin_allowed (const FlSymmetry *symmetry, const double shift[3], double tolerance)
{
  for (guint o = 0; o < symmetry->n; o++)
    {
      const FlSymmetryOperator *op = &symmetry->ops[o];
      double v[3];
      for (int i = 0; i < 3; i++)
        v[i] = op->r[i][0] * shift[0] + op->r[i][1] * shift[1] + op->r[i][2] * shift[2] - shift[i];
      if (!is_of_lattice (symmetry, v, tolerance))
        return FALSE;
    }
  return TRUE;
}

/* The map whose height at s is the sum of w cos (φ_file − φ_model − 2π h·s): of differences of phases, which symmetry turns without
 * translations. */
static FlMap *
phase_map (const FlReflections *reflections, const double complex *f_model, double *total, guint *n)
{
  FlSymmetry turns = *reflections->symmetry;
  g_autofree FlSymmetryOperator *ops = g_new (FlSymmetryOperator, turns.n);
  g_autofree FlReflection *all = g_new (FlReflection, MAX (reflections->n, 1));
  g_autofree double complex *f = g_new0 (double complex, MAX (reflections->n, 1));
  FlReflections low = { .cell = reflections->cell, .symmetry = &turns, .all = all };
  memcpy (ops, turns.ops, turns.n * sizeof *ops);
  turns.ops = ops;
  turns.hall = 0;
  for (guint o = 0; o < turns.n; o++)
    memset (ops[o].t, 0, sizeof ops[o].t);
  *total = 0;
  for (guint i = 0; i < reflections->n; i++)
    {
      const FlReflection *r = &reflections->all[i];
      double complex file = reflections->phased[i];
      if (file == 0 || f_model[i] == 0 || r->inverse_d2 * RESOLUTION * RESOLUTION > 1)
        continue;
      all[low.n] = *r;
      f[low.n++] = file * conj (f_model[i]) / cabs (f_model[i]);
    }
  *n = low.n;
  int sampling[3];
  fl_synthesis_grid (&low.cell, &turns, RESOLUTION, RATE, sampling);
  for (int i = 0; i < 3; i++)
    while (sampling[i] % PER_CELL != 0)
      sampling[i] = fl_fourier_size (sampling[i] + 1);
  FlMap *map = fl_synthesis_new (&low, f, sampling);
  /* The map of phases that are all 0 has the largest value there can be at 0. */
  for (guint i = 0; i < low.n; i++)
    f[i] = cabs (f[i]);
  g_autoptr (FlMap) best = fl_synthesis_new (&low, f, sampling);
  *total = (double) *fl_map_at (best, 0, 0, 0);
  return map;
}

/* Between the points of a polar axis. */
static void
refine (const FlMap *map, const FlSymmetry *symmetry, const int at[3], FlOriginChoice *choice, double total)
{
  for (int i = 0; i < 3; i++)
    {
      double step[3] = { 0 };
      step[i] = 1.0 / map->n[i];
      if (!fl_origin_allowed (symmetry, step, 1e-6))
        continue;
      int before[3] = { at[0], at[1], at[2] }, after[3] = { at[0], at[1], at[2] };
      before[i] = (at[i] + map->n[i] - 1) % map->n[i];
      after[i] = (at[i] + 1) % map->n[i];
      double a = (double) *fl_map_at (map, before[0], before[1], before[2]),
             b = (double) *fl_map_at (map, at[0], at[1], at[2]),
             c = (double) *fl_map_at (map, after[0], after[1], after[2]);
      double bend = 2 * b - a - c, slope = (c - a) / 2, x = bend > 0 ? CLAMP (slope / bend, -0.5, 0.5) : 0;
      choice->shift[i] += x / map->n[i];
      choice->agreement += (slope * x - bend * x * x / 2) / total;
    }
}

FlOriginChoice
fl_origin_find (const FlReflections *reflections, const double complex *f_model)
{
  FlOriginChoice choice = { .agreement = -INFINITY };
  double total;
  int best[3] = { 0 };
  g_autoptr (FlMap) map = phase_map (reflections, f_model, &total, &choice.n);
  if (choice.n == 0 || !(total > 0))
    return (FlOriginChoice){ 0 };
  choice.agreement_here = (double) *fl_map_at (map, 0, 0, 0) / total;
  for (int k = 0; k < map->n[2]; k++)
    for (int j = 0; j < map->n[1]; j++)
      for (int i = 0; i < map->n[0]; i++)
        {
          const double shift[3] = { (double) i / map->n[0], (double) j / map->n[1], (double) k / map->n[2] };
          double agreement = (double) *fl_map_at (map, i, j, k) / total;
          if (agreement <= choice.agreement + 1e-6 || !fl_origin_allowed (reflections->symmetry, shift, 1e-6))
            continue;
          choice.agreement = agreement;
          memcpy (choice.shift, shift, sizeof shift);
          best[0] = i;
          best[1] = j;
          best[2] = k;
        }
  refine (map, reflections->symmetry, best, &choice, total);
  return choice;
}
