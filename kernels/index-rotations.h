/* index-rotations.h: one vector of the lattice is known; how is the cell turned about it?
 *
 * A trial is a vector v with the other two vectors of the basis as they turn about it: a(φ) = a0 + a1 cos φ + a2 sin φ, b
 * likewise, φ over a table of n_turns. Score: Σ weight · f(dv²) · f(da² + db²), f(x) = max (0, 1 − narrow x), d the
 * distance from the next whole number, in the spots' order. Of each trial the best turn is kept (the first of equals).
 * Kernel "index_rotations": teams = n_trials. */
#pragma once

#include "kernels/index-directions.h"

typedef struct
{
  float v[3], a0[3], a1[3], a2[3], b0[3], b1[3], b2[3]; /* Å */
  uint32_t shot;
} FlkIndexTrial;

typedef struct
{
  FlkIndexSpots spots;      /* q, 1/Å */
  const float *narrow_turn; /* 1 / tolerance² of da² + db², a spot */
  const FlkIndexTrial *trials;
  const float *cosine, *sine; /* n_turns */
  FlkIndexBest *best;         /* out, a trial */
  uint32_t n_trials, n_turns; /* n_turns: a multiple of FLK_INDEX_TILE */
} FlkIndexRotationsArgs;
