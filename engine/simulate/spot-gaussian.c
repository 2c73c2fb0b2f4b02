/* A Gaussian about the reciprocal point, cut by the Ewald sphere: a 2-D Gaussian on the panel. */

#include "engine/base/units.h"
#include "engine/simulate/spot-shapes.h"

/* σ of the Gaussian that has peak N² and integral N of sin²(πNh)/sin²(πh): 1/(N √2π). */
#define BLOCK_SIGMA  0.398942280401432678
#define REACH        4.0 /* standard deviations */
#define FEWEST       1e-3
#define MOST_SAMPLES 12 /* across a pixel */

/* Variances across and along q (Å⁻²). */
static void
variances (const FlBraggModel *model, const FlCrystal *crystal, double q2, double *across, double *along)
{
  double size = BLOCK_SIGMA / crystal->domain, bandwidth = model->spectrum.sigma;
  *across = size * size + q2 * crystal->mosaic * crystal->mosaic;
  *along = size * size + q2 * bandwidth * bandwidth;
}

double
fl_spot_gaussian_reach (const FlBraggModel *model, const FlCrystal *crystal, double q_max)
{
  double across, along;
  variances (model, crystal, q_max * q_max, &across, &along);
  return REACH * sqrt (MAX (across, along));
}

typedef struct
{
  double ff, fs, ss; /* of a symmetric 2 × 2 matrix */
} FlSym2;

static inline double
determinant (FlSym2 m)
{
  return m.ff * m.ss - m.fs * m.fs;
}

static inline FlSym2
inverse (FlSym2 m)
{
  double d = determinant (m);
  return (FlSym2){ m.ss / d, -m.fs / d, m.ff / d };
}

/* One row of samples of peak · exp(−½ xᵀ W x), `n` steps of `step` from dx: each value is the last one times a ratio
 * that itself shrinks by a constant factor. Every `per_pixel` of them are added to one pixel. */
static void
add_sample_row (float *mean, int width, int per_pixel, FlSym2 w, double peak, double dx, double dy)
{
  double step = 1.0 / per_pixel, shrink = exp (-w.ff * step * step);
  double value = peak * exp (-0.5 * (w.ff * dx * dx + 2 * w.fs * dx * dy + w.ss * dy * dy));
  double ratio = exp (-step * (w.ff * (dx + 0.5 * step) + w.fs * dy));
  for (int x = 0; x < width; x++)
    {
      double sum = 0;
      for (int i = 0; i < per_pixel; i++)
        {
          sum += value;
          value *= ratio;
          ratio *= shrink;
        }
      mean[x] += (float) sum;
    }
}

/* A Gaussian of covariance `cov` (px²) and `total` photons, integrated over pixels: samples within each, as many as it
 * is narrow, and the variance of the square that a sample stands for, which cancels the midpoint rule's first error.
 * Gives the sum. */
static double
fill (FlPatch *patch, float *mean, double total, FlSym2 cov)
{
  double mid = (cov.ff + cov.ss) / 2, least = mid - sqrt (MAX (mid * mid - determinant (cov), 0));
  int n = (int) CLAMP (ceil (1.2 / sqrt (MAX (least, 1e-6))), 1, MOST_SAMPLES),
      size = patch->width * patch->height;
  double box = 1.0 / (12 * n * n), sum = 0;
  FlSym2 seen = { cov.ff + box, cov.fs, cov.ss + box }, w = inverse (seen);
  double peak = total / (2 * FL_PI * sqrt (determinant (seen)) * n * n);
  for (int i = 0; i < size; i++)
    mean[i] = 0;
  for (int y = 0; y < patch->height * n; y++)
    add_sample_row (mean + y / n * patch->width, patch->width, n, w, peak, patch->fs0 + 0.5 / n - patch->fs,
                    patch->ss0 + (y + 0.5) / n - patch->ss);
  for (int i = 0; i < size; i++)
    sum += (double) mean[i];
  return sum;
}

/* How q on the sphere of radius k changes with a step on the panel. */
static FlVec3
q_step (FlVec3 position, FlVec3 step, double k)
{
  double distance = fl_vec3_norm (position);
  FlVec3 u = fl_vec3_scale (position, 1 / distance);
  FlVec3 across = fl_vec3_sub (step, fl_vec3_scale (u, fl_vec3_dot (u, step)));
  return fl_vec3_scale (across, k / distance);
}

gboolean
fl_spot_gaussian (const FlReflection *r, FlSpotScratch *scratch, FlPatch *patch)
{
  const FlCrystal *crystal = r->crystal;
  double q2 = fl_vec3_dot (r->q, r->q), across, along;
  variances (r->model, crystal, q2, &across, &along);
  FlVec3 q_hat = fl_vec3_unit (r->q), position = fl_reflection_position (r, r->fs, r->ss);
  FlVec3 u = fl_vec3_unit (position);
  FlVec3 d = fl_vec3_sub (fl_vec3_scale (fl_vec3_sub (u, fl_vec3 (0, 0, 1)), r->k), r->q);
  FlVec3 jf = q_step (position, r->panel->fs, r->k), js = q_step (position, r->panel->ss, r->k);

  /* Σ⁻¹ = I/across + (1/along − 1/across) q̂q̂ᵀ, so each product needs one projection. */
  double extra = 1 / along - 1 / across;
  double pd = fl_vec3_dot (d, q_hat), pf = fl_vec3_dot (jf, q_hat), ps = fl_vec3_dot (js, q_hat);
  FlSym2 w = { fl_vec3_dot (jf, jf) / across + extra * pf * pf,
               fl_vec3_dot (jf, js) / across + extra * pf * ps,
               fl_vec3_dot (js, js) / across + extra * ps * ps };
  double bf = fl_vec3_dot (jf, d) / across + extra * pf * pd,
         bs = fl_vec3_dot (js, d) / across + extra * ps * pd;
  FlSym2 cov = inverse (w);
  double shift_f = -(cov.ff * bf + cov.fs * bs), shift_s = -(cov.fs * bf + cov.ss * bs);
  double chi2 = fl_vec3_dot (d, d) / across + extra * pd * pd + shift_f * bf + shift_s * bs;

  double density = r->crystal->n_cells / fl_cell_volume (&r->model->intensities->cell)
                   / (pow (2 * FL_PI, 1.5) * across * sqrt (along));
  double peak = r->strength * density * exp (-0.5 * chi2);
  double total = peak * 2 * FL_PI * sqrt (determinant (cov));
  if (!(total > FEWEST)
      || !fl_patch_place (r, r->fs + shift_f, r->ss + shift_s, (int) ceil (REACH * sqrt (cov.ff)),
                          (int) ceil (REACH * sqrt (cov.ss)), scratch, patch))
    return FALSE;
  patch->photons = fill (patch, (float *) (void *) scratch->mean->data, total, cov);
  return TRUE;
}
