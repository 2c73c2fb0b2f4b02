/* integration-plane.h: the background round a reflection, a plane b + b_x x + b_y y. Private to integration.
 *
 * Ordinary least squares over the ring; pixels outside quantiles of the noise (those of `cutoff` standard deviations of a
 * normal distribution, by the expansion of Cornish and Fisher for the skewness of photon counts, so that few photons a
 * pixel are not cut) are rejected, and the rest fitted again until nothing changes. When the first plane rejects anything,
 * the search starts anew from the flat median, which no outlier has pulled. Thread: any. */
#pragma once

#include "engine/sfx/integration-box.h"

typedef struct
{
  double gain;     /* counts a photon */
  double read_out; /* counts², variance of a pixel without photons */
  double cutoff;   /* standard deviations */
} FlNoise;

typedef struct
{
  double b[3];                       /* counts a pixel at the place; counts a pixel and px along x, y */
  double covariance[6];              /* of b for pixels of variance 1: 00 01 02 11 12 22 */
  double information[6], moments[3]; /* Σ 1 x y xx xy yy in that order, Σ v xv yv over the pixels used */
  double variance;                   /* counts² of one pixel, by the noise model */
  double scatter;                    /* counts², of the pixels used about the plane */
  guint n;                           /* pixels used */
} FlPlane;

/* Sets ring->w. FALSE: fewer than n_min pixels, or all in a line. */
gboolean fl_plane_fit (FlBoxPixels *ring, const FlNoise *noise, guint n_min, FlPlane *plane);

/* The inverse of a symmetric matrix 00 01 02 11 12 22 of sums as above. FALSE: it has none. */
gboolean fl_plane_invert (const double *m, double *inverse);

static inline double
fl_plane_at (const FlPlane *plane, double x, double y)
{
  return plane->b[0] + plane->b[1] * x + plane->b[2] * y;
}
