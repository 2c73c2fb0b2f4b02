/* index-directions.h: along which directions do the spots of a shot lie on equally spaced planes?
 *
 * For each direction u of a half sphere, x = u · (L q) for a real-space vector of length L (Å); if that vector belongs to
 * the lattice the x of its spots are whole numbers. Score: Σ weight · max (0, 1 − narrow (x − round x)²), narrow = 1 / t²
 * for a tolerance t of the spot, summed in the spots' order. Of every tile of neighbouring directions the best is kept
 * (the first of equals). After the grid searches of TORO (Gasparotto et al. 2024, J. Appl. Cryst. 57, 931)
 * and of the fast feedback indexer, with a smooth score and tolerances that grow with |q|.
 * Kernel "index_directions": teams = n_shots × n_tiles. */
#pragma once

#include <stdint.h>

enum
{
  FLK_INDEX_TILE = 64 /* directions */
};

/* Spots of all shots, one after the other: shot s has [first[s], first[s + 1]). */
typedef struct
{
  const float *x, *y, *z; /* L q, or q in 1/Å, as each kernel says */
  const float *weight;
  const float *narrow;   /* 1 / tolerance² */
  const uint32_t *first; /* n_shots + 1 */
  uint32_t n_shots, reserved;
} FlkIndexSpots;

typedef struct
{
  float score;
  uint32_t index;
} FlkIndexBest;

typedef struct
{
  FlkIndexSpots spots;       /* L q */
  const float *ux, *uy, *uz; /* unit vectors, n_tiles × FLK_INDEX_TILE */
  FlkIndexBest *best;        /* out, n_shots × n_tiles; index among all directions */
  uint32_t n_tiles, reserved;
} FlkIndexDirectionsArgs;
