#include "engine/crystal/structure-factors.h"

#include "engine/base/units.h"
#include "engine/crystal/density.h"
#include "engine/crystal/solvent-mask.h"

#define FEW_ATOMS 200 /* for them the sum is exact and quick enough */

/* Representatives that share h and k, side by side in l. */
typedef struct
{
  int h, k, l0;
  guint first, n; /* in the list of reflections */
  double s2[3];   /* s² = s2[0] + s2[1] l + s2[2] l² */
} FlRow;

typedef struct
{
  const FlModel *model;
  int limits[3];
  FlMat3 metric;
  FlMat3 to_fractional;
  GArray *hkl;     /* FlMiller */
  GArray *rows;    /* FlRow */
  double *form;    /* [n]: f of the element at hand */
  double *re, *im; /* [n]: F */
  double *gr, *gi; /* [longest row]: sum of one atom's phases */
} FlSummation;

/* A gap in l (a class whose representative lies elsewhere) begins a new row. */
static void
list_reflections (FlSummation *sum, double d_min)
{
  double limit = 1 / (d_min * d_min);
  const FlMat3 *g = &sum->metric;
  for (int h = -sum->limits[0]; h <= sum->limits[0]; h++)
    for (int k = -sum->limits[1]; k <= sum->limits[1]; k++)
      {
        FlRow row = { .h = h,
                      .k = k,
                      .s2 = { fl_inverse_d_squared (g, h, k, 0) / 4, (h * g->m[0][2] + k * g->m[1][2]) / 2,
                              g->m[2][2] / 4 } };
        for (int l = -sum->limits[2]; l <= sum->limits[2]; l++)
          {
            FlMiller m = { h, k, l };
            double d2 = fl_inverse_d_squared (g, h, k, l);
            if (d2 > limit || d2 == 0)
              continue;
            FlMiller r = fl_symmetry_classify (sum->model->symmetry, m).representative;
            if (r.h != h || r.k != k || r.l != l)
              continue;
            if (row.n > 0 && l != row.l0 + (int) row.n)
              {
                g_array_append_val (sum->rows, row);
                row.n = 0;
              }
            if (row.n == 0)
              {
                row.l0 = l;
                row.first = sum->hkl->len;
              }
            row.n++;
            g_array_append_val (sum->hkl, m);
          }
        if (row.n > 0)
          g_array_append_val (sum->rows, row);
      }
}

/* exp(2πi h x) for every h of an axis. */
static void
fill_turns (double *turn, int limit, double x)
{
  double c1 = cos (2 * FL_PI * x), s1 = sin (2 * FL_PI * x), c = 1, s = 0;
  for (int h = 0; h <= limit; h++)
    {
      turn[2 * (limit + h)] = turn[2 * (limit - h)] = c;
      turn[2 * (limit + h) + 1] = s;
      turn[2 * (limit - h) + 1] = -s;
      double next = c * c1 - s * s1;
      s = s * c1 + c * s1;
      c = next;
    }
}

static void
place (const FlSummation *sum, FlVec3 f, const FlSymmetryOperator *op, double *const *turn)
{
  for (int i = 0; i < 3; i++)
    {
      double x = op->r[i][0] * f.x + op->r[i][1] * f.y + op->r[i][2] * f.z + op->t[i];
      fill_turns (turn[i], sum->limits[i], x - floor (x));
    }
}

/* Adds one place's phases to a row's sums. */
static void
add_phases (const FlSummation *sum, const FlRow *row, double *const *turn, double *restrict gr,
            double *restrict gi)
{
  const double *th = turn[0] + 2 * (row->h + sum->limits[0]), *tk = turn[1] + 2 * (row->k + sum->limits[1]);
  const double *tl = turn[2] + 2 * (row->l0 + sum->limits[2]);
  double c = th[0] * tk[0] - th[1] * tk[1], s = th[0] * tk[1] + th[1] * tk[0];
  for (guint i = 0; i < row->n; i++)
    {
      gr[i] += c * tl[2 * i] - s * tl[2 * i + 1];
      gi[i] += c * tl[2 * i + 1] + s * tl[2 * i];
    }
}

/* F += occupancy · f · exp(−B s²) · phases; along a row the exponential is the last one times a ratio that itself
 * changes by a constant factor. */
static void
add_row (FlSummation *sum, const FlRow *row, const FlAtom *atom)
{
  int l = row->l0;
  double s2 = row->s2[0] + (row->s2[1] + row->s2[2] * l) * l;
  double weight = atom->occupancy * exp (-atom->b * s2);
  double ratio = exp (-atom->b * (row->s2[1] + row->s2[2] * (2 * l + 1))),
         change = exp (-2 * atom->b * row->s2[2]);
  double *re = sum->re + row->first, *im = sum->im + row->first;
  const double *form = sum->form + row->first;
  for (guint i = 0; i < row->n; i++)
    {
      re[i] += weight * form[i] * sum->gr[i];
      im[i] += weight * form[i] * sum->gi[i];
      weight *= ratio;
      ratio *= change;
    }
}

static void
add_atom (FlSummation *sum, const FlAtom *atom, double *const *turns)
{
  const FlSymmetry *symmetry = sum->model->symmetry;
  FlVec3 f = fl_mat3_apply (&sum->to_fractional, atom->position);
  for (guint o = 0; o < symmetry->n; o++)
    place (sum, f, &symmetry->ops[o], turns + 3 * o);
  for (guint r = 0; r < sum->rows->len; r++)
    {
      const FlRow *row = &g_array_index (sum->rows, FlRow, r);
      for (guint i = 0; i < row->n; i++)
        sum->gr[i] = sum->gi[i] = 0;
      for (guint o = 0; o < symmetry->n; o++)
        add_phases (sum, row, turns + 3 * o, sum->gr, sum->gi);
      add_row (sum, row, atom);
    }
}

static void
add_atoms (FlSummation *sum)
{
  guint n_turns = 3 * sum->model->symmetry->n;
  double **turns =
      g_new (double *, n_turns); /* for each operator: cos, sin of 2πhx, h = −limit … limit, three axes */
  for (guint i = 0; i < n_turns; i++)
    turns[i] = g_new (double, 2 * (2 * sum->limits[i % 3] + 1));
  g_autoptr (GHashTable) elements = g_hash_table_new (NULL, NULL);
  for (guint a = 0; a < sum->model->n_atoms; a++)
    g_hash_table_add (elements, (gpointer) sum->model->atoms[a].factor);
  GHashTableIter iter;
  gpointer factor;
  g_hash_table_iter_init (&iter, elements);
  while (g_hash_table_iter_next (&iter, &factor, NULL))
    {
      for (guint i = 0; i < sum->hkl->len; i++)
        {
          FlMiller m = g_array_index (sum->hkl, FlMiller, i);
          sum->form[i] = fl_form_factor_at (factor, fl_inverse_d_squared (&sum->metric, m.h, m.k, m.l) / 4);
        }
      for (guint a = 0; a < sum->model->n_atoms; a++)
        if (sum->model->atoms[a].factor == factor)
          add_atom (sum, &sum->model->atoms[a], turns);
    }
  for (guint i = 0; i < n_turns; i++)
    g_free (turns[i]);
  g_free (turns);
}

/* F(h) of a list [2 limits[0] + 1][2 limits[1] + 1][limits[2] + 1] of a real map's coefficients: F(−h) = F(h)*. */
static double complex
coefficient (const FlSummation *sum, const double complex *list, FlMiller m)
{
  gsize n1 = 2 * (gsize) sum->limits[1] + 1, n2 = (gsize) sum->limits[2] + 1;
  int sign = m.l < 0 ? -1 : 1;
  double complex f =
      list[((gsize) (sign * m.h + sum->limits[0]) * n1 + (gsize) (sign * m.k + sum->limits[1])) * n2
           + (gsize) (sign * m.l)];
  return sign < 0 ? conj (f) : f;
}

/* F(h) = Σ over operators of F of the asymmetric unit at h R, turned by h·t. */
static void
add_density (FlSummation *sum, double d_min)
{
  g_autofree double complex *unit = fl_density_transform (sum->model, sum->limits, d_min);
  const FlSymmetry *symmetry = sum->model->symmetry;
  for (guint i = 0; i < sum->hkl->len; i++)
    {
      FlMiller m = g_array_index (sum->hkl, FlMiller, i);
      double complex f = 0;
      for (guint o = 0; o < symmetry->n; o++)
        {
          const FlSymmetryOperator *op = &symmetry->ops[o];
          double turn = 2 * FL_PI * (m.h * op->t[0] + m.k * op->t[1] + m.l * op->t[2]);
          f += coefficient (sum, unit, fl_miller_transform (m, op)) * cexp (I * turn);
        }
      sum->re[i] += creal (f);
      sum->im[i] += cimag (f);
    }
}

static void
add_solvent (FlSummation *sum, FlSolvent solvent, double d_min)
{
  g_autofree double complex *mask = fl_solvent_transform (sum->model, sum->limits, d_min);
  for (guint i = 0; i < sum->hkl->len; i++)
    {
      FlMiller m = g_array_index (sum->hkl, FlMiller, i);
      double s2 = fl_inverse_d_squared (&sum->metric, m.h, m.k, m.l) / 4;
      double complex f = coefficient (sum, mask, m) * solvent.density * exp (-solvent.b * s2);
      sum->re[i] += creal (f);
      sum->im[i] += cimag (f);
    }
}

FlStructureFactors *
fl_structure_factors_new (const FlModel *model, double d_min, FlSolvent solvent)
{
  return fl_structure_factors_new_by (model, d_min, solvent,
                                      model->n_atoms < FEW_ATOMS ? FL_SUMMATION_DIRECT : FL_SUMMATION_GRID);
}

static FlSummation
begin (const FlModel *model, double d_min)
{
  FlMat3 basis = fl_cell_basis (&model->cell), inverse = fl_mat3_inverse (&basis);
  FlSummation sum = { .model = model,
                      .metric = fl_cell_reciprocal_metric (&model->cell),
                      .to_fractional = fl_mat3_transpose (&inverse),
                      .hkl = g_array_new (FALSE, FALSE, sizeof (FlMiller)),
                      .rows = g_array_new (FALSE, FALSE, sizeof (FlRow)) };
  fl_cell_limits (&model->cell, d_min, sum.limits);
  list_reflections (&sum, d_min);
  guint n = sum.hkl->len, longest = 2 * (guint) sum.limits[2] + 1;
  sum.form = g_new (double, n);
  sum.re = g_new0 (double, n);
  sum.im = g_new0 (double, n);
  sum.gr = g_new (double, longest);
  sum.gi = g_new (double, longest);
  return sum;
}

static FlStructureFactors *
finish (FlSummation *sum)
{
  guint n = sum->hkl->len;
  FlStructureFactors *factors = g_new (FlStructureFactors, 1);
  *factors = (FlStructureFactors){ .n = n, .f = g_new (double complex, n) };
  for (guint i = 0; i < n; i++)
    factors->f[i] = sum->re[i] + I * sum->im[i];
  factors->hkl = (FlMiller *) (void *) g_array_free (sum->hkl, FALSE);
  g_array_free (sum->rows, TRUE);
  g_free (sum->form);
  g_free (sum->re);
  g_free (sum->im);
  g_free (sum->gr);
  g_free (sum->gi);
  return factors;
}

FlStructureFactors *
fl_structure_factors_new_by (const FlModel *model, double d_min, FlSolvent solvent, FlSummationMethod method)
{
  FlSummation sum = begin (model, d_min);
  if (method == FL_SUMMATION_GRID)
    add_density (&sum, d_min);
  else
    add_atoms (&sum);
  if (solvent.density > 0)
    add_solvent (&sum, solvent, d_min);
  return finish (&sum);
}

double complex *
fl_structure_factors_solvent (const FlStructureFactors *factors, const FlModel *model, double mask_d_min)
{
  FlSummation sum = { .model = model, .metric = fl_cell_reciprocal_metric (&model->cell) };
  double complex *f = g_new0 (double complex, MAX (factors->n, 1));
  fl_cell_limits (&model->cell, mask_d_min, sum.limits);
  g_autofree double complex *mask = fl_solvent_transform (model, sum.limits, mask_d_min);
  for (guint i = 0; i < factors->n; i++)
    {
      FlMiller m = factors->hkl[i];
      if (fl_inverse_d_squared (&sum.metric, m.h, m.k, m.l) * mask_d_min * mask_d_min <= 1)
        f[i] = coefficient (&sum, mask, m);
    }
  return f;
}

void
fl_structure_factors_free (FlStructureFactors *factors)
{
  if (factors == NULL)
    return;
  g_free (factors->hkl);
  g_free (factors->f);
  g_free (factors);
}

void
fl_structure_factors_fill (const FlStructureFactors *factors, const FlModel *model,
                           FlIntensities *intensities)
{
  for (guint i = 0; i < factors->n; i++)
    {
      double a = cabs (factors->f[i]);
      fl_intensities_set_class (intensities, model->symmetry, factors->hkl[i], (float) (a * a));
    }
}
