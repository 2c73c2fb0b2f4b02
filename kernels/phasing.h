/* phasing.h: steps of iterated projections, two densities at a time: as real and imaginary parts of one complex [n][n][n]
 * grid, so that one transform serves both ("number i": i / 2 is the point, i % 2 the density). Everything is done, and
 * summed in double precision, in an order that knows no team size: the same bits on every back end.
 *
 * Launch kernels with flk_phasing_teams (items); their sums come one pair a team, [teams][2], to be added up in order. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/device.h"

enum
{
  FLK_PHASING_SHARE = 8192 /* items a team */
};

static inline uint32_t
flk_phasing_teams (uint64_t items)
{
  return (uint32_t) ((items + FLK_PHASING_SHARE - 1) / FLK_PHASING_SHARE);
}

/* A known amplitude, at a point of the transformed grid and its opposite. */
typedef struct
{
  uint32_t at, opposite;
  float amplitude;
} FlkModulus;

/* "phasing_amplitudes", items: amplitudes. F1(s) = (F(s) + F*(−s)) / 2 and F2(s) = (F(s) − F*(−s)) / 2i get the amplitudes
 * where they are known; others stay free. Sums: Σ ||F| − amplitude| of either, before. */
typedef struct
{
  float *grid; /* [points][2] */
  const FlkModulus *moduli;
  uint32_t n_moduli;
  bool keep;    /* the grid as it is: only the sums */
  double *sums; /* or NULL */
} FlkAmplitudesArgs;

/* p = scale · projected: the density with the known amplitudes. S: inside the mask and positive, else 0. */
typedef enum
{
  FLK_PHASING_ER,   /* p in S, else 0 (Fienup 1982) */
  FLK_PHASING_HIO,  /* p in S, else old − β p */
  FLK_PHASING_RAAR, /* p where S takes the reflected 2 p − old, else β old + (1 − 2 β) p (Luke 2005) */
  /* Difference map (Elser 2003): first the estimate (1 + γ1) S old − γ1 old, to be projected to `other`; then
   * old + β (S [(1 + γ2) p − γ2 old] − scale · other). */
  FLK_PHASING_DM_ESTIMATE,
  FLK_PHASING_DM
} FlkPhasingStep;

/* "phasing_update", items: numbers (twice the points). Sums: Σ (new − old)². */
typedef struct
{
  const float *old;
  float *now; /* may be `old` */
  const float *projected, *other;
  const float *mask; /* 1 or 0, a number each */
  uint64_t n;
  float scale, beta, gamma1, gamma2;
  int32_t step;
  double *sums; /* or NULL */
} FlkUpdateArgs;

/* "phasing_blur", items: points. A transformed grid times factor[x] factor[y] factor[z]: blurred in a transform's time. */
typedef struct
{
  float *grid;         /* [n][n][n][2] */
  const float *factor; /* [n] */
  uint32_t n;
} FlkBlurArgs;

/* Host memory: the factors of a Gaussian of `sigma` points, times one over n for each axis, which undoes the scale of
 * transforming there and back. */
void flk_phasing_gaussian (float *factor, uint32_t n, double sigma);

/* Masks, 1 where a number is at least `part` of its density's largest and among its `most` largest ones (exactly; of equal
 * ones at the limit none). Both masks' sizes in `filled`. Waits. False: flk_error(). `scratch` starts as { 0 }. */
bool flk_support_draw (FlkDevice *device, FlkBuffer *scratch, const float *values, uint64_t points,
                       double part, const uint64_t most[2], float *mask, uint64_t filled[2]);

enum
{
  FLK_SUPPORT_BINS = 65536
};

/* "support_count", items: numbers. Positive numbers by the upper half of their bits, or (`lower`) those whose upper half
 * is `upper` by the lower half. "support_draw": mask = value ≥ least. */
typedef struct
{
  const float *values;
  uint64_t n;
  bool lower;
  uint32_t upper[2];
  float least[2];
  uint32_t *count; /* [2][FLK_SUPPORT_BINS], added to */
  float *mask;
} FlkSupportArgs;

/* "volume_turn", teams: planes. to(x) = from(R⁻¹ (x − shift)), about the middle voxel, linear or by Keys' cubic convolution
 * (IEEE Trans. ASSP 29, 1153, 1981); 0 where it asks for voxels that are not there. */
typedef struct
{
  const float *from; /* [m][m][m] */
  float *to;
  uint32_t m;
  float inverse[9]; /* R⁻¹, row by row */
  float shift[3];   /* voxels */
  bool cubic;
} FlkTurnArgs;

/* "shell_sums", teams: planes. Of transforms a and b, over shells of one step about the origin (shell i: |k| from i − ½ to
 * i + ½): Re Σ a b*, Σ |a|², Σ |b|² of each plane, to be added up in order. */
typedef struct
{
  const float *a, *b; /* [n][n][n][2], n even, k = 0 … n/2 − 1, −n/2 … −1 along an axis */
  uint32_t n, n_shells;
  double *sums; /* [n][n_shells][3] */
} FlkShellsArgs;
