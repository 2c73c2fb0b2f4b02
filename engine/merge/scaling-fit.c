#include "engine/merge/scaling-fit.h"

#include <string.h>

#include "engine/base/units.h"
#include "engine/merge/partiality.h"

#define MODEL_ERROR 0.5 /* of the model: how well a still's intensity is known */
#define HUBER       1.5
#define LEAST_SPREAD                                                                                         \
  1e-6 /* of residuals in their own sigmas: below is rounding, and keeps priors from counting in exact data */
#define MOST_ITERATIONS 40

/* What no parameter changes of one observation. */
typedef struct
{
  double intensity, reference, share;
  double s;      /* 1/2d² */
  double width;  /* at ln w = 0, 1/Å */
  double offset; /* of the excitation error to |s0 + q| as the lattice was predicted */
  double square; /* |s0 + q|² */
  double x, y;   /* 2k q_x and 2k q_y: how a turn changes it */
} Term;

/* What the parameters make of it. */
typedef struct
{
  double residual, gradient[FL_SCALING_LAST]; /* the first of which is the model itself */
} Value;

typedef struct
{
  FlMergeLattice *lattice;
  guint n;
  guint free[FL_SCALING_LAST], n_free;                       /* which are refined */
  double start[FL_SCALING_LAST], precision[FL_SCALING_LAST]; /* priors */
  double x[FL_SCALING_LAST];
  float width, width_slope; /* at ln w = 0 */
  double floor;             /* variance, counts² */
  const Term *terms;
  Value *values, *trial; /* at x, and at where a step would lead */
  double *weights, *scratch;
} Fit;

static Term
term_of (const FlMergeLattice *lattice, const FlScalingRow *row)
{
  const FlObservation *o = row->observation;
  Term term = { .intensity = (double) o->intensity,
                .reference = row->reference,
                .share = row->share,
                .s = 1 / (2 * row->d * row->d),
                .width = (double) lattice->width + (double) lattice->width_slope / (2 * row->d),
                .offset = (double) o->excitation - 1,
                .square = 1 };
  if (lattice->energy > 0)
    {
      FlVec3 q = fl_merge_q (lattice, o);
      double k = 1 / fl_wavelength_from_energy ((double) lattice->energy);
      term.square = k * k + fl_vec3_dot (q, q) + 2 * k * q.z;
      term.offset = (double) o->excitation - sqrt (term.square);
      term.x = 2 * k * q.x;
      term.y = 2 * k * q.y;
    }
  return term;
}

/* `scale` and `stretch`: e^x of their logarithms, for all terms the same. */
static inline Value
value_of (const Term *term, double scale, double stretch, const double x[FL_SCALING_LAST])
{
  double turned = sqrt (term->square + x[FL_SCALING_X] * term->y - x[FL_SCALING_Y] * term->x);
  double w = term->width * stretch, u = w > 0 ? (term->offset + turned) / w : 0, p = 1 / (1 + u * u);
  double m = scale * p * term->reference;
  if (x[FL_SCALING_B] < 0 || x[FL_SCALING_B] > 0)
    m *= exp (-x[FL_SCALING_B] * term->s);
  double turn = w > 0 ? -m * u * p / (w * turned) : 0;
  return (Value){ term->intensity - m,
                  { m, -term->s * m, 2 * u * u * p * m, turn * term->y, -turn * term->x } };
}

double
fl_scaling_model (const FlMergeLattice *lattice, const FlScalingRow *row, double gradient[FL_SCALING_LAST])
{
  Term term = term_of (lattice, row);
  const double x[FL_SCALING_LAST] = { 0, (double) lattice->b, 0, (double) lattice->rotation[0],
                                      (double) lattice->rotation[1] };
  Value value = value_of (&term, (double) lattice->scale, 1, x);
  for (int k = 0; k < FL_SCALING_LAST; k++)
    gradient[k] = value.gradient[k];
  return gradient[FL_SCALING_LN_G];
}

/* The middle value by Hoare's method (1961); reorders them. */
static double
median (double *values, guint n)
{
  gssize middle = n / 2, low = 0, high = (gssize) n - 1;
  while (low < high)
    {
      double pivot = values[middle];
      gssize i = low, j = high;
      while (i <= j)
        {
          while (values[i] < pivot)
            i++;
          while (values[j] > pivot)
            j--;
          if (i > j)
            break;
          double other = values[i];
          values[i++] = values[j];
          values[j--] = other;
        }
      if (j < middle)
        low = i;
      if (i > middle)
        high = j;
    }
  return values[middle];
}

static void
set_parameters (const Fit *fit)
{
  const double *x = fit->x;
  FlMergeLattice *lattice = fit->lattice;
  lattice->scale = (float) exp (x[FL_SCALING_LN_G]);
  lattice->b = (float) x[FL_SCALING_B];
  lattice->width = (float) ((double) fit->width * exp (x[FL_SCALING_LN_W]));
  lattice->width_slope = (float) ((double) fit->width_slope * exp (x[FL_SCALING_LN_W]));
  lattice->rotation[0] = (float) x[FL_SCALING_X];
  lattice->rotation[1] = (float) x[FL_SCALING_Y];
}

static void
evaluate (const Fit *fit, const double x[FL_SCALING_LAST], Value *values)
{
  double scale = exp (x[FL_SCALING_LN_G]), stretch = exp (x[FL_SCALING_LN_W]);
  for (guint i = 0; i < fit->n; i++)
    values[i] = value_of (&fit->terms[i], scale, stretch, x);
}

/* Of the residuals where the lattice is: what each counts in the next step. */
static void
weigh (Fit *fit)
{
  for (guint i = 0; i < fit->n; i++)
    {
      double m = MODEL_ERROR * fit->values[i].gradient[FL_SCALING_LN_G];
      fit->weights[i] = fit->floor + m * m;
      fit->scratch[i] = fabs (fit->values[i].residual) / sqrt (fit->weights[i]);
    }
  double spread = MAX (1.4826 * median (fit->scratch, fit->n), LEAST_SPREAD);
  for (guint i = 0; i < fit->n; i++)
    {
      double normal = fabs (fit->values[i].residual) / sqrt (fit->weights[i]) / spread;
      fit->weights[i] =
          (normal > HUBER ? HUBER / normal : 1) * fit->terms[i].share / (fit->weights[i] * spread * spread);
    }
}

static double
cost_at (const Fit *fit, const double x[FL_SCALING_LAST], const Value *values)
{
  double sum = 0;
  for (guint i = 0; i < fit->n; i++)
    sum += fit->weights[i] * values[i].residual * values[i].residual;
  for (int k = 0; k < FL_SCALING_LAST; k++)
    sum += fit->precision[k] * (x[k] - fit->start[k]) * (x[k] - fit->start[k]);
  return sum;
}

/* Cholesky's method, in place; FALSE when `a`, of which the lower half is filled, is not positive definite. */
static gboolean
solve (double a[FL_SCALING_LAST][FL_SCALING_LAST], double b[FL_SCALING_LAST], int n)
{
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

/* Normal equations about x for what is refined. */
static void
normal_equations (const Fit *fit, double a[FL_SCALING_LAST][FL_SCALING_LAST], double b[FL_SCALING_LAST])
{
  for (guint j = 0; j < fit->n_free; j++)
    {
      guint parameter = fit->free[j];
      for (guint k = 0; k < j; k++)
        a[j][k] = 0;
      a[j][j] = fit->precision[parameter];
      b[j] = -fit->precision[parameter] * (fit->x[parameter] - fit->start[parameter]);
    }
  for (guint i = 0; i < fit->n; i++)
    for (guint j = 0; j < fit->n_free; j++)
      {
        double weighted = fit->weights[i] * fit->values[i].gradient[fit->free[j]];
        b[j] += weighted * fit->values[i].residual;
        for (guint k = 0; k <= j; k++)
          a[j][k] += weighted * fit->values[i].gradient[fit->free[k]];
      }
}

/* One step that lowers the cost; its length in units of the parameters' own errors, 0 when there is none. */
static double
step (Fit *fit, double *damping)
{
  double normal[FL_SCALING_LAST][FL_SCALING_LAST], right[FL_SCALING_LAST];
  double before = cost_at (fit, fit->x, fit->values);
  normal_equations (fit, normal, right);
  for (; *damping < 1e8; *damping *= 10)
    {
      double a[FL_SCALING_LAST][FL_SCALING_LAST], b[FL_SCALING_LAST], x[FL_SCALING_LAST], length = 0;
      memcpy (a, normal, sizeof a);
      memcpy (b, right, sizeof b);
      memcpy (x, fit->x, sizeof x);
      for (guint k = 0; k < fit->n_free; k++)
        a[k][k] *= 1 + *damping;
      if (!solve (a, b, (int) fit->n_free))
        continue;
      for (guint k = 0; k < fit->n_free; k++)
        {
          x[fit->free[k]] += b[k];
          length += b[k] * b[k] * normal[k][k] * (1 + *damping);
        }
      evaluate (fit, x, fit->trial);
      if (cost_at (fit, x, fit->trial) <= before)
        {
          Value *values = fit->values;
          fit->values = fit->trial;
          fit->trial = values;
          memcpy (fit->x, x, sizeof x);
          *damping = MAX (*damping / 10, 1e-9);
          return sqrt (length);
        }
    }
  return 0;
}

/* Scale by which the model best goes through the observations; 0 when none does. */
static double
first_scale (const Fit *fit)
{
  double sums[2] = { 0, 0 };
  evaluate (fit, fit->x, fit->values);
  for (guint i = 0; i < fit->n; i++)
    {
      double m = fit->values[i].gradient[FL_SCALING_LN_G];
      sums[0] += m * fit->terms[i].intensity;
      sums[1] += m * m;
    }
  return sums[1] > 0 ? sums[0] / sums[1] : 0;
}

static void
prior (Fit *fit, guint k, gboolean is_free, double sigma, double standard)
{
  sigma = sigma > 0 ? sigma : standard;
  fit->precision[k] = is_free ? 1 / (sigma * sigma) : 0;
  if (is_free)
    fit->free[fit->n_free++] = k;
}

/* Infinitely far, too, when it is no number; what is not refined is not far. */
static gboolean
is_far (const Fit *fit, int k, double sigmas)
{
  return !(fabs (fit->x[k] - fit->start[k]) * sqrt (fit->precision[k]) < sigmas);
}

/* From where the lattice is. FALSE when no scale is found. */
static gboolean
begin (Fit *fit, const FlScalingRow *rows, const FlScalingOptions *options)
{
  FlMergeLattice *lattice = fit->lattice;
  gboolean partial = lattice->width > 0 || lattice->width_slope > 0;
  fit->free[fit->n_free++] = FL_SCALING_LN_G;
  prior (fit, FL_SCALING_B, options->b, options->b_sigma, 20);
  prior (fit, FL_SCALING_LN_W, options->width && partial, options->width_sigma, 0.6);
  prior (fit, FL_SCALING_X, options->rotation && partial, options->rotation_sigma, 0.001);
  prior (fit, FL_SCALING_Y, options->rotation && partial, options->rotation_sigma, 0.001);
  if (partial && options->width_centre > 0)
    fit->start[FL_SCALING_LN_W] =
        log (options->width_centre / ((double) lattice->width + (double) lattice->width_slope));
  fit->x[FL_SCALING_B] = (double) lattice->b;
  fit->x[FL_SCALING_X] = (double) lattice->rotation[0];
  fit->x[FL_SCALING_Y] = (double) lattice->rotation[1];
  double scale = first_scale (fit);
  if (!(scale > 0))
    return FALSE;
  fit->x[FL_SCALING_LN_G] = log (scale);
  for (guint i = 0; i < fit->n; i++)
    fit->scratch[i] = (double) rows[i].observation->sigma * (double) rows[i].observation->sigma;
  fit->floor = MAX (median (fit->scratch, fit->n), 1e-12);
  evaluate (fit, fit->x, fit->values);
  return TRUE;
}

gboolean
fl_scaling_fit (FlMergeLattice *lattice, const FlScalingRow *rows, guint n, const FlScalingOptions *options)
{
  g_autofree Term *terms = g_new (Term, n);
  g_autofree Value *values = g_new (Value, 2 * (gsize) n);
  g_autofree double *weights = g_new (double, 2 * (gsize) n);
  Fit fit = { .lattice = lattice,
              .n = n,
              .width = lattice->width,
              .width_slope = lattice->width_slope,
              .terms = terms,
              .values = values,
              .trial = values + n,
              .weights = weights,
              .scratch = weights + n };
  for (guint i = 0; i < n; i++)
    terms[i] = term_of (lattice, &rows[i]);
  if (!begin (&fit, rows, options))
    return FALSE;
  double damping = 1e-3, length = 1;
  for (int i = 0; i < MOST_ITERATIONS && length > 1e-3; i++)
    {
      weigh (&fit);
      length = step (&fit, &damping);
    }
  set_parameters (&fit);
  return isfinite (lattice->scale) && lattice->scale > 0 && !is_far (&fit, FL_SCALING_LN_W, 6)
         && !is_far (&fit, FL_SCALING_X, 6) && !is_far (&fit, FL_SCALING_Y, 6);
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
