#include "engine/maps/sigma-a.h"

#include <math.h>
#include <string.h>

#define PER_SHELL      200
#define PER_SHELL_FREE 100 /* of the free set, which is small */
#define LEAST          0.01
#define MOST           0.999
#define STEPS          40 /* of the golden section */

static double
polynomial (const double *c, guint n, double x)
{
  double sum = 0;
  while (n > 0)
    sum = sum * x + c[--n];
  return sum;
}
#define POLYNOMIAL(c, x) polynomial (c, G_N_ELEMENTS (c), x)

/* I₀ and I₁ without the factor exp(x) (Abramowitz and Stegun 9.8.1–9.8.4, to 2·10⁻⁷). */
static void
bessel (double x, double *i0, double *i1)
{
  static const double
      low0[] = { 1, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.0360768, 0.0045813 },
      low1[] = { 0.5, 0.87890594, 0.51498869, 0.15084934, 0.02658733, 0.00301532, 0.00032411 },
      high0[] = { 0.39894228,  0.01328592, 0.00225319,  -0.00157565, 0.00916281,
                  -0.02057706, 0.02635537, -0.01647633, 0.00392377 },
      high1[] = { 0.39894228, -0.03988024, -0.00362018, 0.00163801, -0.01031555,
                  0.02282967, -0.02895312, 0.01787654,  -0.00420059 };
  double y = x < 3.75 ? x * x / (3.75 * 3.75) : 3.75 / x;
  double factor = x < 3.75 ? exp (-x) : 1 / sqrt (x);
  *i0 = factor * (x < 3.75 ? POLYNOMIAL (low0, y) : POLYNOMIAL (high0, y));
  *i1 = factor * (x < 3.75 ? x * POLYNOMIAL (low1, y) : POLYNOMIAL (high1, y));
}

/* ln I₀(x) */
static double
ln_i0 (double x)
{
  double i0, i1;
  bessel (x, &i0, &i1);
  return x + log (i0);
}

static double
ln_cosh (double x)
{
  return fabs (x) + log1p (exp (-2 * fabs (x))) - G_LN2;
}

static double
likelihood (double sigma_a, const double *eo, const double *ec, const guint8 *centric, guint n)
{
  double rest = 1 - sigma_a * sigma_a, sum = 0, ln_rest = log (rest);
  for (guint i = 0; i < n; i++)
    {
      double square = (eo[i] * eo[i] + sigma_a * sigma_a * ec[i] * ec[i]) / rest,
             cross = sigma_a * eo[i] * ec[i] / rest;
      sum += centric[i] ? -(ln_rest + square) / 2 + ln_cosh (cross) : -ln_rest - square + ln_i0 (2 * cross);
    }
  return sum;
}

double
fl_sigma_a_of_pairs (const double *eo, const double *ec, const guint8 *centric, guint n)
{
  const double golden = (sqrt (5) - 1) / 2;
  double low = LEAST, high = MOST;
  double a = high - golden * (high - low), b = low + golden * (high - low);
  double fa = likelihood (a, eo, ec, centric, n), fb = likelihood (b, eo, ec, centric, n);
  for (guint step = 0; step < STEPS && high - low > 1e-4; step++)
    if (fa > fb)
      {
        high = b;
        b = a;
        fb = fa;
        a = high - golden * (high - low);
        fa = likelihood (a, eo, ec, centric, n);
      }
    else
      {
        low = a;
        a = b;
        fa = fb;
        b = low + golden * (high - low);
        fb = likelihood (b, eo, ec, centric, n);
      }
  return (low + high) / 2;
}

/* --- shells --- */

static void
mean_squares (FlSigmaA *s, const FlReflections *reflections, const double complex *f_model)
{
  double sums[2][FL_SHELLS_MOST] = { { 0 } };
  for (guint i = 0; i < reflections->n; i++)
    {
      const FlReflection *r = &reflections->all[i];
      guint shell = fl_shells_find (&s->shells, r->inverse_d2);
      if (!isfinite (r->f))
        continue;
      double fc = cabs (f_model[i]);
      sums[0][shell] += r->f * r->f / r->epsilon;
      sums[1][shell] += fc * fc / r->epsilon;
    }
  for (guint shell = 0; shell < s->shells.n; shell++)
    {
      guint n = MAX (s->shells.count[shell], 1);
      s->ln_fo2[shell] = log (MAX (sums[0][shell] / n, G_MINDOUBLE));
      s->ln_fc2[shell] = log (MAX (sums[1][shell] / n, G_MINDOUBLE));
    }
}

/* Pairs of one coarse shell. */
typedef struct
{
  guint n;
  double *eo, *ec;
  guint8 *centric;
} FlPairs;

static void
take_pairs (const FlSigmaA *s, const FlReflections *reflections, const double complex *f_model,
            gboolean free_only, const FlShells *coarse, guint shell, FlPairs *pairs)
{
  pairs->n = 0;
  for (guint i = 0; i < reflections->n; i++)
    {
      const FlReflection *r = &reflections->all[i];
      if (!isfinite (r->f) || (free_only && !r->free) || fl_shells_find (coarse, r->inverse_d2) != shell)
        continue;
      double fo2 = exp (fl_shells_at (&s->shells, s->ln_fo2, r->inverse_d2)) * r->epsilon;
      double fc2 = exp (fl_shells_at (&s->shells, s->ln_fc2, r->inverse_d2)) * r->epsilon;
      pairs->eo[pairs->n] = r->f / sqrt (fo2);
      pairs->ec[pairs->n] = cabs (f_model[i]) / sqrt (fc2);
      pairs->centric[pairs->n++] = r->centric;
    }
}

/* Each with its neighbours, 1 : 2 : 1. */
static void
smooth (double *values, guint n)
{
  double before = values[0];
  for (guint i = 0; i < n; i++)
    {
      double here = values[i], next = values[MIN (i + 1, n - 1)];
      values[i] = (before + 2 * here + next) / 4;
      before = here;
    }
}

FlSigmaA
fl_sigma_a_fit (const FlReflections *reflections, const double complex *f_model, gboolean free_only)
{
  FlSigmaA s = { .from_free = free_only };
  g_autofree double *d2 = g_new (double, MAX (reflections->n, 1));
  guint n = 0;
  for (guint i = 0; i < reflections->n; i++)
    if (isfinite (reflections->all[i].f))
      d2[n++] = reflections->all[i].inverse_d2;
  s.shells = fl_shells_new (d2, n, PER_SHELL);
  s.n = free_only ? reflections->n_free : n;
  mean_squares (&s, reflections, f_model);

  FlShells coarse = fl_shells_new (d2, n, free_only ? MAX (n / MAX (s.n / PER_SHELL_FREE, 1), 1) : PER_SHELL);
  double values[FL_SHELLS_MOST];
  g_autofree double *eo = g_new (double, MAX (n, 1)), *ec = g_new (double, MAX (n, 1));
  g_autofree guint8 *centric = g_new (guint8, MAX (n, 1));
  FlPairs pairs = { 0, eo, ec, centric };
  for (guint shell = 0; shell < coarse.n; shell++)
    {
      take_pairs (&s, reflections, f_model, free_only, &coarse, shell, &pairs);
      values[shell] = fl_sigma_a_of_pairs (eo, ec, centric, pairs.n);
    }
  smooth (values, coarse.n);
  for (guint shell = 0; shell < s.shells.n; shell++)
    s.sigma_a[shell] = fl_shells_at (&coarse, values, s.shells.centre[shell]);
  return s;
}

double
fl_sigma_a_merit (const FlSigmaA *s, const FlReflection *r, double f_model, double *d)
{
  double sigma_a = fl_shells_at (&s->shells, s->sigma_a, r->inverse_d2);
  double ln_fo2 = fl_shells_at (&s->shells, s->ln_fo2, r->inverse_d2),
         ln_fc2 = fl_shells_at (&s->shells, s->ln_fc2, r->inverse_d2);
  *d = sigma_a * exp ((ln_fo2 - ln_fc2) / 2);
  if (!isfinite (r->f))
    return NAN;
  double eo = r->f * exp (-ln_fo2 / 2), ec = f_model * exp (-ln_fc2 / 2);
  double x = 2 * sigma_a * eo * ec / r->epsilon / (1 - sigma_a * sigma_a), i0, i1;
  if (r->centric)
    return tanh (x / 2);
  bessel (x, &i0, &i1);
  return i1 / i0;
}
