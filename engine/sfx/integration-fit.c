#include "engine/sfx/integration-fit.h"

#include <math.h>
#include <string.h>

#define ROUNDS 3

/* Normal equations: of I with itself, with the plane, and the plane's (00 01 02 11 12 22). */
typedef struct
{
  double ii, ib[3], bb[6], i, b[3];
} Normal;

static void
add_peak (const FlBoxPixels *peak, const float *profile, const guint8 *skip, double background, double slope,
          Normal *normal)
{
  for (guint i = 0; i < peak->n; i++)
    {
      if (skip[i])
        continue;
      double p = profile[i], x = peak->x[i], y = peak->y[i], v = peak->v[i], w = 1 / (background + slope * p);
      double wx = w * x, wy = w * y, wp = w * p;
      normal->ii += wp * p;
      normal->ib[0] += wp;
      normal->ib[1] += wp * x;
      normal->ib[2] += wp * y;
      normal->bb[0] += w;
      normal->bb[1] += wx;
      normal->bb[2] += wy;
      normal->bb[3] += wx * x;
      normal->bb[4] += wx * y;
      normal->bb[5] += wy * y;
      normal->i += wp * v;
      normal->b[0] += w * v;
      normal->b[1] += wx * v;
      normal->b[2] += wy * v;
    }
}

static double
misfit (const FlBoxPixels *peak, const float *profile, const guint8 *skip, const double *b, double variance,
        double gain, double intensity)
{
  double sum = 0, n = 0;
  for (guint i = 0; i < peak->n; i++)
    if (!skip[i])
      {
        double model = intensity * profile[i];
        double residual = peak->v[i] - model - b[0] - b[1] * peak->x[i] - b[2] * peak->y[i];
        sum += residual * residual / (variance + gain * MAX (model, 0));
        n++;
      }
  return n > 0 ? sum / n : 0;
}

/* I is Σ h v with these weights: its variance with the counts that are there (not with those of the fitted model, which
 * follow the fluctuations of I and make σ of weak reflections too large), one photon added as for sums. */
static double
variance_of_sum (const FlBoxPixels *peak, const float *profile, const guint8 *skip, const FlPlane *plane,
                 const FlNoise *noise, double variance_slope, const double *t)
{
  double counts = 0, square = 0, fourth = 0;
  const double *m = plane->information;
  for (guint i = 0; i < peak->n; i++)
    if (!skip[i])
      {
        double p = profile[i], h = p - t[0] - t[1] * peak->x[i] - t[2] * peak->y[i];
        h /= plane->variance + variance_slope * p;
        h *= h;
        counts += h * peak->v[i];
        square += h;
        fourth += h * h;
      }
  double ring = m[0] * t[0] * t[0] + m[3] * t[1] * t[1] + m[5] * t[2] * t[2]
                + 2 * (m[1] * t[0] * t[1] + m[2] * t[0] * t[2] + m[4] * t[1] * t[2]);
  return noise->gain * MAX (counts, 0) + noise->read_out * square + ring / plane->variance
         + (square > 0 ? noise->gain * noise->gain * fourth / square : 0);
}

gboolean
fl_profile_fit (const FlBoxPixels *peak, const float *profile, const guint8 *skip, const FlPlane *plane,
                const FlNoise *noise, double start, FlProfileFit *fit)
{
  double intensity = start, schur = 0, slope = 0, b[3], t[3];
  for (guint round = 0; round < ROUNDS; round++)
    {
      Normal normal = { 0 };
      double c[6];
      for (guint i = 0; i < 6; i++)
        normal.bb[i] = plane->information[i] / plane->variance;
      for (guint i = 0; i < 3; i++)
        normal.b[i] = plane->moments[i] / plane->variance;
      slope = noise->gain * MAX (intensity, 0);
      add_peak (peak, profile, skip, plane->variance, slope, &normal);
      if (!fl_plane_invert (normal.bb, c))
        return FALSE;
      const double *u = normal.ib, *v = normal.b;
      t[0] = c[0] * u[0] + c[1] * u[1] + c[2] * u[2];
      t[1] = c[1] * u[0] + c[3] * u[1] + c[4] * u[2];
      t[2] = c[2] * u[0] + c[4] * u[1] + c[5] * u[2];
      schur = normal.ii - t[0] * u[0] - t[1] * u[1] - t[2] * u[2];
      if (!(schur > 1e-6 * normal.ii))
        return FALSE;
      intensity = (normal.i - t[0] * v[0] - t[1] * v[1] - t[2] * v[2]) / schur;
      b[0] = c[0] * v[0] + c[1] * v[1] + c[2] * v[2] - t[0] * intensity;
      b[1] = c[1] * v[0] + c[3] * v[1] + c[4] * v[2] - t[1] * intensity;
      b[2] = c[2] * v[0] + c[4] * v[1] + c[5] * v[2] - t[2] * intensity;
    }
  fit->intensity = intensity;
  fit->sigma = sqrt (variance_of_sum (peak, profile, skip, plane, noise, slope, t)) / schur;
  fit->background = b[0];
  fit->misfit = misfit (peak, profile, skip, b, plane->variance, noise->gain, intensity);
  return TRUE;
}
