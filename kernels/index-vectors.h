/* index-vectors.h: real-space vectors of a lattice, each refined on the spots of its shot.
 *
 * A vector v (Å) starts near the truth. In each round a spot's whole number is round (v · q), its deviation d = v · q −
 * round (v · q); spots with |d| below their window t·shrink[round] (not above `widest`) count with the biweight
 * (1 − (d / window)²)², and v takes the step of least squares, held softly to its known length. After the vector
 * refinement of the fast feedback indexer, with smooth weights. Sums in the spots' order.
 * Kernel "index_vectors": teams = n / FLK_INDEX_VECTORS, rounded up. */
#pragma once

#include "kernels/index-directions.h"

enum
{
  FLK_INDEX_VECTORS = 16, /* a team */
  FLK_INDEX_ROUNDS = 4
};

typedef struct
{
  FlkIndexSpots spots;  /* q, 1/Å; narrow: of the search over directions */
  float *x, *y, *z;     /* in and out, n rounded up to FLK_INDEX_VECTORS; Å */
  const uint32_t *shot; /* n rounded up: whose spots; the same for all vectors of a team */
  float shrink[FLK_INDEX_ROUNDS];
  float widest;
  float length;      /* Å */
  float length_hold; /* weight of (|v| − length)², in spots Å⁻² */
  uint32_t n;
} FlkIndexVectorsArgs;
