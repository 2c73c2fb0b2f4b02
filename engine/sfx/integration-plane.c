#include "engine/sfx/integration-plane.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ROUNDS 10
#define LANES      4 /* partial sums, so that the compiler can use vectors and the order of sums is fixed */

gboolean
fl_plane_invert (const double *m, double *inverse)
{
  double c00 = m[3] * m[5] - m[4] * m[4], c01 = m[2] * m[4] - m[1] * m[5], c02 = m[1] * m[4] - m[2] * m[3];
  double determinant = m[0] * c00 + m[1] * c01 + m[2] * c02;
  if (!(determinant > 1e-9 * m[0] * m[3] * m[5]))
    return FALSE;
  double s = 1 / determinant;
  inverse[0] = s * c00;
  inverse[1] = s * c01;
  inverse[2] = s * c02;
  inverse[3] = s * (m[0] * m[5] - m[2] * m[2]);
  inverse[4] = s * (m[1] * m[2] - m[0] * m[4]);
  inverse[5] = s * (m[0] * m[3] - m[1] * m[1]);
  return TRUE;
}

static void
add_pixel (FlPlane *plane, double x, double y, double v, double w)
{
  double *m = plane->information;
  m[0] += w;
  m[1] += w * x;
  m[2] += w * y;
  m[3] += w * x * x;
  m[4] += w * x * y;
  m[5] += w * y * y;
  plane->moments[0] += w * v;
  plane->moments[1] += w * x * v;
  plane->moments[2] += w * y * v;
}

static void
sum_all (const FlBoxPixels *ring, FlPlane *plane)
{
  float sums[9][LANES] = { { 0 } };
  guint n = ring->n / LANES * LANES;
  for (guint i = 0; i < n; i += LANES)
    for (guint lane = 0; lane < LANES; lane++)
      {
        float x = ring->x[i + lane], y = ring->y[i + lane], v = ring->v[i + lane];
        sums[1][lane] += x;
        sums[2][lane] += y;
        sums[3][lane] += x * x;
        sums[4][lane] += x * y;
        sums[5][lane] += y * y;
        sums[6][lane] += v;
        sums[7][lane] += x * v;
        sums[8][lane] += y * v;
      }
  memset (plane, 0, sizeof *plane);
  for (guint lane = 0; lane < LANES; lane++)
    {
      for (guint i = 0; i < 6; i++)
        plane->information[i] += sums[i][lane];
      for (guint i = 0; i < 3; i++)
        plane->moments[i] += sums[6 + i][lane];
    }
  plane->information[0] = n;
  for (guint i = n; i < ring->n; i++)
    add_pixel (plane, ring->x[i], ring->y[i], ring->v[i], 1);
}

static gboolean
solve (FlPlane *plane)
{
  const double *c = plane->covariance, *p = plane->moments;
  if (!fl_plane_invert (plane->information, plane->covariance))
    return FALSE;
  plane->b[0] = c[0] * p[0] + c[1] * p[1] + c[2] * p[2];
  plane->b[1] = c[1] * p[0] + c[3] * p[1] + c[4] * p[2];
  plane->b[2] = c[2] * p[0] + c[4] * p[1] + c[5] * p[2];
  return TRUE;
}

/* By the model: the mean count (half a photon added, so that a ring without photons is not taken for certainty). */
static void
set_variance (FlPlane *plane, const FlNoise *noise)
{
  double n = plane->information[0], half = 0.5 * noise->gain;
  plane->variance = noise->read_out + noise->gain * (MAX (plane->moments[0], 0) + half) / n;
}

/* Takes pixels in and out by the present plane. Returns how many changed. */
static guint
judge (FlBoxPixels *ring, const FlNoise *noise, FlPlane *plane)
{
  guint changed = 0;
  float b0 = (float) plane->b[0], bx = (float) plane->b[1], by = (float) plane->b[2];
  float low = (float) (-noise->cutoff * sqrt (plane->variance));
  float high = (float) (noise->gain * (noise->cutoff * noise->cutoff - 1) / 6) - low;
  for (guint i = 0; i < ring->n; i++)
    {
      float x = ring->x[i], y = ring->y[i], v = ring->v[i], residual = v - b0 - bx * x - by * y;
      float w = residual >= low && residual <= high;
      if (w != ring->w[i])
        {
          add_pixel (plane, x, y, v, w - ring->w[i]);
          ring->w[i] = w;
          changed++;
        }
    }
  plane->n = (guint) lround (plane->information[0]);
  return changed;
}

static int
compare_floats (const void *a, const void *b)
{
  float x = *(const float *) a, y = *(const float *) b;
  return (x > y) - (x < y);
}

/* Starts from the flat median: all pixels in, the plane as if that were the fit. */
static void
start_flat (FlBoxPixels *ring, const FlNoise *noise, FlPlane *plane)
{
  float *sorted = ring->w;
  memcpy (sorted, ring->v, ring->n * sizeof *sorted);
  qsort (sorted, ring->n, sizeof *sorted, compare_floats);
  double median = sorted[ring->n / 2];
  for (guint i = 0; i < ring->n; i++)
    ring->w[i] = 1;
  sum_all (ring, plane);
  plane->b[0] = median;
  plane->b[1] = plane->b[2] = 0;
  plane->variance = noise->read_out + noise->gain * (MAX (median, 0) + 0.5 * noise->gain / ring->n);
}

static void
set_scatter (const FlBoxPixels *ring, FlPlane *plane)
{
  float sums[LANES] = { 0 }, b0 = (float) plane->b[0], bx = (float) plane->b[1], by = (float) plane->b[2];
  for (guint i = 0; i < ring->n; i++)
    {
      float residual = ring->v[i] - b0 - bx * ring->x[i] - by * ring->y[i];
      sums[i % LANES] += ring->w[i] * residual * residual;
    }
  plane->scatter = plane->n > 3 ? (sums[0] + sums[1] + sums[2] + sums[3]) / (plane->n - 3.0) : 0;
}

gboolean
fl_plane_fit (FlBoxPixels *ring, const FlNoise *noise, guint n_min, FlPlane *plane)
{
  if (ring->n < n_min)
    return FALSE;
  for (guint i = 0; i < ring->n; i++)
    ring->w[i] = 1;
  sum_all (ring, plane);
  if (!solve (plane))
    return FALSE;
  set_variance (plane, noise);
  if (judge (ring, noise, plane) > 0)
    {
      start_flat (ring, noise, plane);
      for (guint round = 0; round < MAX_ROUNDS; round++)
        {
          guint changed = judge (ring, noise, plane);
          if (plane->n < n_min || !solve (plane))
            return FALSE;
          set_variance (plane, noise);
          if (changed == 0)
            break;
        }
    }
  set_scatter (ring, plane);
  return TRUE;
}
