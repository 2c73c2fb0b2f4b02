/* project-fft.h: points projected on directions, and the cosine transform of each projection. Kernel "project_fft":
 * teams = n_directions / FLK_PROJECT_TEAM (a whole number: pad the directions).
 *
 * For a direction u the projections x = u · q are counted in bins of width `bin`, which wrap round after FLK_PROJECT_SIZE;
 * then S(t) = Σ cos (2π x t) at t = k / (FLK_PROJECT_SIZE · bin), k whole, is the real part of the counts' Fourier
 * transform: two directions a complex transform of radix 2. S is high where t u is a vector of the lattice whose
 * reciprocal points are q. Each direction gives its highest local maxima over k in [k_min, k_max], between three points by
 * a parabola. Counts are whole and the additions in a fixed order: every back end gives the same bits. */
#pragma once

#include <stdint.h>

enum
{
  FLK_PROJECT_SIZE = 512, /* bins */
  FLK_PROJECT_TEAM = 16,  /* directions a team */
  FLK_PROJECT_PEAKS = 2   /* a direction */
};

typedef struct
{
  float k;     /* t in steps of 1 / (FLK_PROJECT_SIZE · bin); 0 = none */
  float score; /* S there */
} FlkProjectPeak;

typedef struct
{
  const float *q; /* [3][n]: x, y, z; 1/Å */
  uint32_t n;
  const float *direction; /* [3][n_directions], unit vectors */
  uint32_t n_directions;
  float bin;             /* 1/Å */
  float least;           /* S of a peak that is worth keeping, ≥ 0 */
  uint32_t k_min, k_max; /* 1 … FLK_PROJECT_SIZE / 2 - 2 */
  const float *turn;     /* [2][FLK_PROJECT_SIZE / 2]: cos and −sin of 2π j / FLK_PROJECT_SIZE */
  FlkProjectPeak *peaks; /* out, [n_directions][FLK_PROJECT_PEAKS], the highest first */
} FlkProjectFftArgs;
