#include "engine/maps/model-scale.h"

#include <math.h>
#include <string.h>

#include "engine/maps/least-squares.h"

#define MOST_CYCLES 50
#define ENOUGH      1e-7 /* relative change of the sum of squares that ends the fit */
#define LEAST_B_SOL 10.0
#define MOST_B_SOL  200.0 /* Å² */
#define MOST_K_SOL  1.0   /* e/Å³ */
#define MOST        9     /* ln k, six of B, k_sol, b_sol */

/* One reflection of the working set. */
typedef struct
{
  double f, s2, tensors[6];
  double complex calc, mask;
} FlRow;

typedef struct
{
  guint n, n_tensors;
  FlRow *rows;
  gboolean solvent;
} FlFit;

/* x: ln k, the tensors' factors, then k_sol, b_sol. */
typedef struct
{
  double x[MOST];
} FlPoint;

/* --- tensors --- */

static const int places[6][2] = { { 0, 0 }, { 1, 1 }, { 2, 2 }, { 0, 1 }, { 0, 2 }, { 1, 2 } };

static double
product (const double a[6], const double b[6])
{
  double sum = 0;
  for (int i = 0; i < 6; i++)
    sum += (i < 3 ? 1 : 2) * a[i] * b[i];
  return sum;
}

/* The mean of Mᵀ E M over the group, M what an operator does to q. */
static void
average (const FlCell *cell, const FlSymmetry *symmetry, const double e[6], double mean[6])
{
  FlMat3 star = fl_cell_reciprocal (cell), inverse = fl_mat3_inverse (&star);
  FlMat3 tensor = { { { e[0], e[3], e[4] }, { e[3], e[1], e[5] }, { e[4], e[5], e[2] } } };
  memset (mean, 0, 6 * sizeof *mean);
  for (guint o = 0; o < symmetry->n; o++)
    {
      FlMat3 r;
      for (int i = 0; i < 9; i++)
        r.m[i / 3][i % 3] = symmetry->ops[o].r[i / 3][i % 3];
      /* Row vectors: q = h star, h' = h r, so q' = q star⁻¹ r star. */
      FlMat3 m = fl_mat3_multiply (&inverse, &r);
      m = fl_mat3_multiply (&m, &star);
      FlMat3 t = fl_mat3_transpose (&m), turned = fl_mat3_multiply (&m, &tensor);
      turned = fl_mat3_multiply (&turned, &t);
      for (int i = 0; i < 6; i++)
        mean[i] += turned.m[places[i][0]][places[i][1]] / symmetry->n;
    }
}

guint
fl_model_scale_tensors (const FlCell *cell, const FlSymmetry *symmetry, double tensors[6][6])
{
  const double root = 1 / sqrt (3);
  const double first[6] = { root, root, root, 0, 0, 0 };
  guint n = 1;
  memcpy (tensors[0], first, sizeof first);
  for (int i = 0; i < 6; i++)
    {
      double unit[6] = { 0 }, mean[6];
      unit[i] = 1;
      average (cell, symmetry, unit, mean);
      for (guint k = 0; k < n; k++)
        {
          double part = product (mean, tensors[k]);
          for (int j = 0; j < 6; j++)
            mean[j] -= part * tensors[k][j];
        }
      double norm = sqrt (product (mean, mean));
      if (norm < 1e-6 || n == 6)
        continue;
      for (int j = 0; j < 6; j++)
        tensors[n][j] = mean[j] / norm;
      n++;
    }
  return n;
}

static double
quadratic (const double tensor[6], FlVec3 q)
{
  return tensor[0] * q.x * q.x + tensor[1] * q.y * q.y + tensor[2] * q.z * q.z
         + 2 * (tensor[3] * q.x * q.y + tensor[4] * q.x * q.z + tensor[5] * q.y * q.z);
}

static FlVec3
reciprocal_place (const FlMat3 *star, FlMiller m)
{
  FlMat3 t = fl_mat3_transpose (star);
  return fl_mat3_apply (&t, fl_vec3 (m.h, m.k, m.l));
}

/* --- the model --- */

/* |F_model| and its derivatives. */
static double
amplitude (const FlFit *fit, const FlRow *row, const FlPoint *p, double gradient[MOST])
{
  guint n = fit->n_tensors;
  double exponent = p->x[0], wet = fit->solvent ? exp (-p->x[n + 2] * row->s2) : 0;
  for (guint t = 0; t < n; t++)
    exponent -= p->x[1 + t] * row->tensors[t];
  double complex total = row->calc + (fit->solvent ? p->x[n + 1] * wet * row->mask : 0);
  double scale = exp (exponent), size = cabs (total), f = scale * size;
  if (gradient == NULL)
    return f;
  gradient[0] = f;
  for (guint t = 0; t < n; t++)
    gradient[1 + t] = -f * row->tensors[t];
  if (fit->solvent)
    {
      double slope = size > 0 ? scale * creal (conj (total) * row->mask) * wet / size : 0;
      gradient[n + 1] = slope;
      gradient[n + 2] = -slope * p->x[n + 1] * row->s2;
    }
  return f;
}

static double
sum_of_squares (const FlFit *fit, const FlPoint *p)
{
  double sum = 0;
  for (guint i = 0; i < fit->n; i++)
    {
      double d = fit->rows[i].f - amplitude (fit, &fit->rows[i], p, NULL);
      sum += d * d;
    }
  return sum;
}

static guint
parameters (const FlFit *fit)
{
  return 1 + fit->n_tensors + (fit->solvent ? 2 : 0);
}

static void
normal_equations (const FlFit *fit, const FlPoint *p, double *a, double *b)
{
  guint n = parameters (fit);
  memset (a, 0, (gsize) n * n * sizeof *a);
  memset (b, 0, n * sizeof *b);
  for (guint i = 0; i < fit->n; i++)
    {
      double g[MOST], d = fit->rows[i].f - amplitude (fit, &fit->rows[i], p, g);
      for (guint r = 0; r < n; r++)
        {
          b[r] += g[r] * d;
          for (guint c = 0; c <= r; c++)
            a[r * n + c] += g[r] * g[c];
        }
    }
}

static void
keep_inside (const FlFit *fit, FlPoint *p)
{
  guint n = fit->n_tensors;
  if (!fit->solvent)
    return;
  p->x[n + 1] = CLAMP (p->x[n + 1], 0, MOST_K_SOL);
  p->x[n + 2] = CLAMP (p->x[n + 2], LEAST_B_SOL, MOST_B_SOL);
}

/* ln k and the isotropic B of a straight line through ln (F/|F_model|), each reflection counting by F²: a start near enough. */
static void
start (const FlFit *fit, FlPoint *p)
{
  double s[5] = { 0 };
  for (guint i = 0; i < fit->n; i++)
    {
      const FlRow *row = &fit->rows[i];
      double f = amplitude (fit, row, p, NULL), weight = row->f * row->f;
      if (!(f > 0) || !(row->f > 0))
        continue;
      double y = log (row->f / f), x = row->tensors[0];
      s[0] += weight;
      s[1] += weight * x;
      s[2] += weight * y;
      s[3] += weight * x * x;
      s[4] += weight * x * y;
    }
  double determinant = s[0] * s[3] - s[1] * s[1];
  if (!(s[0] > 0))
    return;
  double slope = determinant > 1e-9 * s[0] * s[3] ? (s[0] * s[4] - s[1] * s[2]) / determinant : 0;
  p->x[1] -= slope;
  p->x[0] += (s[2] - slope * s[1]) / s[0];
}

static double
refine (const FlFit *fit, FlPoint *p, guint cycles)
{
  double a[MOST * MOST], b[MOST], step[MOST], damping = 1e-3, best = sum_of_squares (fit, p);
  for (guint cycle = 0; cycle < cycles; cycle++)
    {
      normal_equations (fit, p, a, b);
      double before = best;
      for (guint try = 0; try < 8; try++)
        {
          FlPoint next = *p;
          if (fl_solve_damped (a, b, parameters (fit), damping, step))
            {
              for (guint i = 0; i < parameters (fit); i++)
                next.x[i] += step[i];
              keep_inside (fit, &next);
              double sum = sum_of_squares (fit, &next);
              if (sum < best)
                {
                  best = sum;
                  *p = next;
                  damping = MAX (damping / 10, 1e-9);
                  break;
                }
            }
          damping *= 10;
        }
      if (!(before - best > ENOUGH * before))
        break;
    }
  return best;
}

/* From several solvents, for the valley of k_sol and B_sol is bent. */
static FlPoint
fit_all (const FlFit *fit)
{
  static const double starts[][2] = { { 0.35, 46 }, { 0.2, 100 }, { 0, 46 } };
  FlPoint best = { { 0 } };
  double least = INFINITY;
  for (guint i = 0; i < (fit->solvent ? G_N_ELEMENTS (starts) : 1); i++)
    {
      FlPoint p = { { 0 } };
      if (fit->solvent)
        {
          p.x[fit->n_tensors + 1] = starts[i][0];
          p.x[fit->n_tensors + 2] = starts[i][1];
        }
      start (fit, &p);
      double sum = refine (fit, &p, 4);
      if (!(sum < least))
        continue;
      least = sum;
      best = p;
    }
  refine (fit, &best, MOST_CYCLES);
  return best;
}

/* --- all --- */

static void
count_residuals (FlModelScale *scale, const FlReflections *reflections, const double complex *calc,
                 const double complex *mask)
{
  double sums[2][2] = { { 0 } };
  FlMat3 star = fl_cell_reciprocal (&reflections->cell);
  g_autofree double complex *total = fl_model_scale_total (scale, reflections, calc, mask);
  scale->n_work = scale->n_free = 0;
  for (guint i = 0; i < reflections->n; i++)
    {
      const FlReflection *r = &reflections->all[i];
      if (!isfinite (r->f))
        continue;
      double f = cabs (total[i]) * fl_model_scale_factor (scale, &star, r->hkl);
      sums[r->free][0] += fabs (r->f - f);
      sums[r->free][1] += r->f;
      *(r->free ? &scale->n_free : &scale->n_work) += 1;
    }
  scale->r_work = sums[0][1] > 0 ? sums[0][0] / sums[0][1] : NAN;
  scale->r_free = sums[1][1] > 0 ? sums[1][0] / sums[1][1] : NAN;
}

FlModelScale
fl_model_scale_fit (const FlReflections *reflections, const double complex *calc, const double complex *mask,
                    FlModelScaleOptions options)
{
  double tensors[6][6];
  FlMat3 star = fl_cell_reciprocal (&reflections->cell);
  guint n_tensors = fl_model_scale_tensors (&reflections->cell, reflections->symmetry, tensors);
  g_autofree FlRow *rows = g_new (FlRow, MAX (reflections->n, 1));
  FlFit fit = { .n_tensors = options.anisotropic ? n_tensors : 1,
                .rows = rows,
                .solvent = options.solvent && mask != NULL };
  for (guint i = 0; i < reflections->n; i++)
    {
      const FlReflection *r = &reflections->all[i];
      if (!isfinite (r->f) || r->free || calc[i] == 0)
        continue;
      FlRow *row = &rows[fit.n++];
      FlVec3 q = reciprocal_place (&star, r->hkl);
      *row =
          (FlRow){ .f = r->f, .s2 = r->inverse_d2 / 4, .calc = calc[i], .mask = mask != NULL ? mask[i] : 0 };
      for (guint t = 0; t < fit.n_tensors; t++)
        row->tensors[t] = quadratic (tensors[t], q) / 4;
    }
  FlPoint p = fit_all (&fit);
  FlModelScale scale = { .ln_k = p.x[0] };
  for (guint t = 0; t < fit.n_tensors; t++)
    for (int j = 0; j < 6; j++)
      scale.b[j] += p.x[1 + t] * tensors[t][j];
  if (fit.solvent)
    {
      scale.k_sol = p.x[fit.n_tensors + 1];
      scale.b_sol = p.x[fit.n_tensors + 2];
    }
  count_residuals (&scale, reflections, calc, mask);
  return scale;
}

double
fl_model_scale_factor (const FlModelScale *scale, const FlMat3 *star, FlMiller hkl)
{
  return exp (scale->ln_k - quadratic (scale->b, reciprocal_place (star, hkl)) / 4);
}

double complex *
fl_model_scale_total (const FlModelScale *scale, const FlReflections *reflections, const double complex *calc,
                      const double complex *mask)
{
  double complex *total = g_new0 (double complex, MAX (reflections->n, 1));
  for (guint i = 0; i < reflections->n; i++)
    {
      double wet = scale->k_sol * exp (-scale->b_sol * reflections->all[i].inverse_d2 / 4);
      total[i] = calc[i] + (mask != NULL ? wet * mask[i] : 0);
    }
  return total;
}

void
fl_model_scale_apply (const FlModelScale *scale, FlReflections *reflections)
{
  FlMat3 star = fl_cell_reciprocal (&reflections->cell);
  for (guint i = 0; i < reflections->n; i++)
    {
      FlReflection *r = &reflections->all[i];
      double factor = fl_model_scale_factor (scale, &star, r->hkl);
      r->f /= factor;
      r->sigma /= factor;
    }
}
