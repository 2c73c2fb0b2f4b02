/* means.h: what the patterns show in each orientation, after matching: the other half of expectation maximisation (Loh and
 * Elser, Phys. Rev. E 80, 026705, 2009). Kernel "means", teams = flk_orient_blocks (n_rotations).
 *
 *   B(r, t) = Σ_d P(d, r) K(d, t)      g(r) = Σ_d P(d, r) φ(d)
 *
 * P as orient.h gives it, [blocks][n_patterns][FLK_ORIENT_BLOCK]; B in blocks as slices.h takes it. Patterns that a block
 * has no use for cost nothing but a look. Sums are in the order of patterns and lit pixels: the same bits everywhere. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernels/orient.h"

typedef struct
{
  const float *probability; /* [blocks][n_patterns][FLK_ORIENT_BLOCK]; 0 in lanes of no rotation */
  uint32_t n_rotations, n_pixels, n_patterns;
  const uint32_t *start; /* [n_patterns + 1] */
  const FlkLit *lit;
  const float *scale; /* [n_patterns] φ; or NULL: 1 */
  bool add;           /* to what `means` and `weight` hold */
  float *means;       /* [blocks][n_pixels][FLK_ORIENT_BLOCK] */
  float *weight;      /* [blocks × FLK_ORIENT_BLOCK] g; or NULL */
} FlkMeansArgs;
