#include "engine/merge/scaling-fit.h"

#include <stdlib.h>

#include "engine/merge/partiality.h"

#define MODEL_ERROR 0.5 /* of the model: how well a still's intensity is known */
#define HUBER       1.5
#define LEAST_SPREAD                                                                                         \
  1e-6 /* of residuals in their own sigmas: below is rounding, and keeps priors from counting in exact data */
#define MOST_ITERATIONS 40

typedef struct
{
  FlMergeLattice *lattice;
  const FlScalingRow *rows;
  guint n;
  gboolean free[FL_SCALING_LAST];
  double start[FL_SCALING_LAST], precision[FL_SCALING_LAST]; /* priors */
  double x[FL_SCALING_LAST];
  float width, width_slope; /* at ln w = 0 */
  double floor;             /* variance, counts² */
  double *weights, *scratch;
} Fit;

double
fl_scaling_model (const FlMergeLattice *lattice, const FlScalingRow *row, double gradient[FL_SCALING_LAST])
{
  double slope[2], s = 1 / (2 * row->d * row->d);
  double excitation = fl_merge_excitation (lattice, row->observation, slope);
  double p = fl_merge_partiality (lattice, excitation, row->d);
  double m = (double) lattice->scale * exp (-(double) lattice->b * s) * p * row->reference;
  double w = (double) lattice->width + (double) lattice->width_slope / (2 * row->d);
  double x = w > 0 ? excitation / w : 0;
  gradient[FL_SCALING_LN_G] = m;
  gradient[FL_SCALING_B] = -s * m;
  gradient[FL_SCALING_LN_W] = m * 2 * x * x * p;
  gradient[FL_SCALING_X] = w > 0 ? -m * 2 * x * p / w * slope[0] : 0;
  gradient[FL_SCALING_Y] = w > 0 ? -m * 2 * x * p / w * slope[1] : 0;
  return m;
}

static int
compare (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return x < y ? -1 : x > y;
}

/* Sorts them. */
static double
median (double *values, guint n)
{
  qsort (values, n, sizeof *values, compare);
  return n % 2 != 0 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static void
set_parameters (const Fit *fit, const double x[FL_SCALING_LAST])
{
  FlMergeLattice *lattice = fit->lattice;
  lattice->scale = (float) exp (x[FL_SCALING_LN_G]);
  lattice->b = (float) x[FL_SCALING_B];
  lattice->width = (float) ((double) fit->width * exp (x[FL_SCALING_LN_W]));
  lattice->width_slope = (float) ((double) fit->width_slope * exp (x[FL_SCALING_LN_W]));
  lattice->rotation[0] = (float) x[FL_SCALING_X];
  lattice->rotation[1] = (float) x[FL_SCALING_Y];
}

static double
residual (const Fit *fit, guint i, double gradient[FL_SCALING_LAST])
{
  return (double) fit->rows[i].observation->intensity
         - fl_scaling_model (fit->lattice, &fit->rows[i], gradient);
}

/* Of the residuals where the lattice is: what each counts in the next step. */
static void
weigh (Fit *fit)
{
  double gradient[FL_SCALING_LAST];
  for (guint i = 0; i < fit->n; i++)
    {
      double r = residual (fit, i, gradient), m = MODEL_ERROR * gradient[FL_SCALING_LN_G];
      fit->weights[i] = fit->floor + m * m;
      fit->scratch[i] = fabs (r) / sqrt (fit->weights[i]);
    }
  double spread = MAX (1.4826 * median (fit->scratch, fit->n), LEAST_SPREAD);
  for (guint i = 0; i < fit->n; i++)
    {
      double normal = fabs (residual (fit, i, gradient)) / sqrt (fit->weights[i]) / spread;
      fit->weights[i] =
          (normal > HUBER ? HUBER / normal : 1) * fit->rows[i].share / (fit->weights[i] * spread * spread);
    }
}

static double
cost_at (const Fit *fit, const double x[FL_SCALING_LAST])
{
  double sum = 0, gradient[FL_SCALING_LAST];
  set_parameters (fit, x);
  for (guint i = 0; i < fit->n; i++)
    {
      double r = residual (fit, i, gradient);
      sum += fit->weights[i] * r * r;
    }
  for (int k = 0; k < FL_SCALING_LAST; k++)
    sum += fit->precision[k] * (x[k] - fit->start[k]) * (x[k] - fit->start[k]);
  return sum;
}

/* Cholesky's method, in place; FALSE when `a` is not positive definite. */
static gboolean
solve (double a[FL_SCALING_LAST][FL_SCALING_LAST], double b[FL_SCALING_LAST])
{
  const int n = FL_SCALING_LAST;
  for (int i = 0; i < n; i++)
    for (int j = 0; j <= i; j++)
      {
        double sum = a[i][j];
        for (int k = 0; k < j; k++)
          sum -= a[i][k] * a[j][k];
        if (i == j && !(sum > 0))
          return FALSE;
        a[i][j] = i == j ? sqrt (sum) : sum / a[j][j];
      }
  for (int i = 0; i < n; i++)
    {
      for (int k = 0; k < i; k++)
        b[i] -= a[i][k] * b[k];
      b[i] /= a[i][i];
    }
  for (int i = n - 1; i >= 0; i--)
    {
      for (int k = i + 1; k < n; k++)
        b[i] -= a[k][i] * b[k];
      b[i] /= a[i][i];
    }
  return TRUE;
}

/* Normal equations about x; what is not refined has a unit diagonal and no gradient. */
static void
normal_equations (const Fit *fit, double a[FL_SCALING_LAST][FL_SCALING_LAST], double b[FL_SCALING_LAST])
{
  set_parameters (fit, fit->x);
  for (int j = 0; j < FL_SCALING_LAST; j++)
    {
      for (int k = 0; k < FL_SCALING_LAST; k++)
        a[j][k] = 0;
      a[j][j] = fit->free[j] ? fit->precision[j] : 1;
      b[j] = fit->free[j] ? -fit->precision[j] * (fit->x[j] - fit->start[j]) : 0;
    }
  for (guint i = 0; i < fit->n; i++)
    {
      double gradient[FL_SCALING_LAST], r = residual (fit, i, gradient);
      for (int j = 0; j < FL_SCALING_LAST; j++)
        {
          if (!fit->free[j])
            continue;
          b[j] += fit->weights[i] * gradient[j] * r;
          for (int k = 0; k < FL_SCALING_LAST; k++)
            a[j][k] += fit->free[k] ? fit->weights[i] * gradient[j] * gradient[k] : 0;
        }
    }
}

/* One step that lowers the cost; its length in units of the parameters' own errors, 0 when there is none. */
static double
step (Fit *fit, double *damping)
{
  double a[FL_SCALING_LAST][FL_SCALING_LAST], b[FL_SCALING_LAST], x[FL_SCALING_LAST],
      diagonal[FL_SCALING_LAST];
  double before = cost_at (fit, fit->x);
  for (; *damping < 1e8; *damping *= 10)
    {
      normal_equations (fit, a, b);
      for (int k = 0; k < FL_SCALING_LAST; k++)
        diagonal[k] = a[k][k] *= 1 + *damping;
      if (!solve (a, b))
        continue;
      double length = 0;
      for (int k = 0; k < FL_SCALING_LAST; k++)
        {
          x[k] = fit->x[k] + b[k];
          length += b[k] * b[k] * diagonal[k];
        }
      if (cost_at (fit, x) <= before)
        {
          for (int k = 0; k < FL_SCALING_LAST; k++)
            fit->x[k] = x[k];
          *damping = MAX (*damping / 10, 1e-9);
          return sqrt (length);
        }
    }
  return 0;
}

/* Scale by which the model best goes through the observations; 0 when none does. */
static double
first_scale (Fit *fit)
{
  double sums[2] = { 0, 0 }, gradient[FL_SCALING_LAST];
  fit->lattice->scale = 1;
  for (guint i = 0; i < fit->n; i++)
    {
      double m = fl_scaling_model (fit->lattice, &fit->rows[i], gradient);
      sums[0] += m * (double) fit->rows[i].observation->intensity;
      sums[1] += m * m;
    }
  return sums[1] > 0 ? sums[0] / sums[1] : 0;
}

static void
prior (Fit *fit, int k, gboolean is_free, double sigma, double standard)
{
  sigma = sigma > 0 ? sigma : standard;
  fit->free[k] = is_free;
  fit->precision[k] = is_free ? 1 / (sigma * sigma) : 0;
}

static gboolean
is_far (const Fit *fit, int k, double sigmas)
{
  return !(fabs (fit->x[k] - fit->start[k]) * sqrt (fit->precision[k]) < sigmas);
}

gboolean
fl_scaling_fit (FlMergeLattice *lattice, const FlScalingRow *rows, guint n, const FlScalingOptions *options)
{
  g_autofree double *weights = g_new (double, n);
  g_autofree double *scratch = g_new (double, n);
  gboolean partial = lattice->width > 0 || lattice->width_slope > 0;
  Fit fit = { .lattice = lattice,
              .rows = rows,
              .n = n,
              .free = { TRUE },
              .width = lattice->width,
              .width_slope = lattice->width_slope,
              .weights = weights,
              .scratch = scratch };
  prior (&fit, FL_SCALING_B, options->b, options->b_sigma, 20);
  prior (&fit, FL_SCALING_LN_W, options->width && partial, options->width_sigma, 0.6);
  prior (&fit, FL_SCALING_X, options->rotation && partial, options->rotation_sigma, 0.001);
  prior (&fit, FL_SCALING_Y, options->rotation && partial, options->rotation_sigma, 0.001);
  double scale = first_scale (&fit);
  if (!(scale > 0))
    return FALSE;
  for (guint i = 0; i < n; i++)
    scratch[i] = (double) rows[i].observation->sigma * (double) rows[i].observation->sigma;
  fit.floor = MAX (median (scratch, n), 1e-12);
  fit.x[FL_SCALING_LN_G] = log (scale);
  if (partial && options->width_centre > 0)
    fit.start[FL_SCALING_LN_W] =
        log (options->width_centre / ((double) lattice->width + (double) lattice->width_slope));
  fit.x[FL_SCALING_B] = (double) lattice->b;
  fit.x[FL_SCALING_X] = (double) lattice->rotation[0];
  fit.x[FL_SCALING_Y] = (double) lattice->rotation[1];
  double damping = 1e-3, length = 1;
  set_parameters (&fit, fit.x);
  for (int i = 0; i < MOST_ITERATIONS && length > 1e-3; i++)
    {
      weigh (&fit);
      length = step (&fit, &damping);
      set_parameters (&fit, fit.x);
    }
  return isfinite (lattice->scale) && lattice->scale > 0
         && !((fit.free[FL_SCALING_LN_W] && is_far (&fit, FL_SCALING_LN_W, 6))
              || (fit.free[FL_SCALING_X]
                  && (is_far (&fit, FL_SCALING_X, 6) || is_far (&fit, FL_SCALING_Y, 6))));
}

double
fl_scaling_correlation (const FlMergeLattice *lattice, const FlScalingRow *rows, guint n)
{
  double w = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0;
  for (guint i = 0; i < n; i++)
    {
      double p =
          fl_merge_partiality (lattice, fl_merge_excitation (lattice, rows[i].observation, NULL), rows[i].d);
      double full = (double) rows[i].observation->intensity / p
                    * exp ((double) lattice->b / (2 * rows[i].d * rows[i].d));
      double weight = p * p;
      w += weight;
      x += weight * full;
      y += weight * rows[i].reference;
      xx += weight * full * full;
      xy += weight * full * rows[i].reference;
      yy += weight * rows[i].reference * rows[i].reference;
    }
  double product = (w * xx - x * x) * (w * yy - y * y);
  return n >= 3 && product > 0 ? (w * xy - x * y) / sqrt (product) : (double) NAN;
}
