/* orient.h: how well patterns fit a model in many orientations. Kernels "orient_sparse" and "orient_dense", teams =
 * flk_orient_teams (n_patterns).
 *
 *   S(d, r) = Σ_t K(d, t) L(r, t) − total(d) offset(r) + prior(r)
 *
 * With L = ln W, offset = ln Σ_t W this is Poisson's likelihood with each pattern's scale maximised out. Rotations lie
 * in blocks of FLK_ORIENT_BLOCK: [blocks][pixels][FLK_ORIENT_BLOCK] floats, where slices.h puts them; a last block that
 * is not full has anything finite in its other lanes. A launch takes a batch of blocks and any of these may be asked:
 * the scores; each pattern's `n_best` best; the sum of exp (β S) over all batches, as maximum and rest; and, once that is
 * known, in a second round of launches, the probabilities exp (β S) / Σ exp (β S), 0 below a threshold.
 *
 * Sparse: only lit pixels cost; the same bits on every back end. Dense: the whole product, register-blocked with fused
 * multiply-add where the processor has it; S within 2^-21 (Σ_t |K L| + |total offset|) of the exact one. Dense is the
 * faster one where more than a third of the pixels are lit (README.md). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum
{
  FLK_ORIENT_BLOCK = 64, /* rotations in a block */
  FLK_ORIENT_TEAM = 48,  /* patterns a team */
  FLK_ORIENT_BEST = 32   /* most of the best that are kept */
};

/* A lit pixel of a pattern. */
typedef struct
{
  uint32_t pixel; /* its row in a block */
  float count;
} FlkLit;

/* Σ exp (β S) = rest · exp (most) */
typedef struct
{
  float most;
  uint32_t unused;
  double rest;
} FlkLogSum;

typedef struct
{
  /* The batch. */
  const float *model;  /* [blocks][n_pixels][FLK_ORIENT_BLOCK] */
  const float *offset; /* [n_rotations], or NULL: 0 */
  const float *prior;  /* [n_rotations], finite; or NULL: 0 */
  uint32_t n_rotations, n_pixels;
  uint32_t first; /* number of the batch's first rotation */
  /* Patterns: `start` and `lit` for orient_sparse, `dense` for orient_dense. */
  uint32_t n_patterns;
  const uint32_t *start; /* [n_patterns + 1] */
  const FlkLit *lit;     /* in any order */
  const float *dense;    /* [n_patterns][n_pixels] */
  const float *total;    /* [n_patterns] */
  /* Orient_sparse, or NULL: pattern d sees blocks range[d] … range[d + 1] − 1 of the batch alone. */
  const uint32_t *range; /* [n_patterns + 1] */
  /* What is asked; NULL where it is not. */
  float *
      scores; /* [blocks][n_patterns][FLK_ORIENT_BLOCK]; not with `range`. Lanes of no rotation: −1e30 or 0 */
  bool probabilities; /* `scores` takes probabilities, log_sum is read */
  bool start_over;    /* the first batch: best and log_sum are not read */
  uint32_t n_best;    /* 1 … FLK_ORIENT_BEST */
  float *best_score;  /* [n_patterns][n_best], the highest first; −1e30 where there were fewer rotations */
  uint32_t *best;     /* their numbers, of equals the first seen */
  FlkLogSum *log_sum; /* [n_patterns] */
  float beta, threshold;
} FlkOrientArgs;

static inline uint32_t
flk_orient_teams (uint32_t n_patterns)
{
  return (n_patterns + FLK_ORIENT_TEAM - 1) / FLK_ORIENT_TEAM;
}

static inline uint32_t
flk_orient_blocks (uint32_t n_rotations)
{
  return (n_rotations + FLK_ORIENT_BLOCK - 1) / FLK_ORIENT_BLOCK;
}
