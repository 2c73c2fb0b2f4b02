/* index-score.h: what the indexing kernels share: the score of a spot, the best of a tile. Included by kernels only. */
#pragma once

#include "kernels/index-directions.h"
#include "kernels/kernel.h"

enum
{
  INDEX_LANES =
      TEAM_IS_ONE ? 64 : 1 /* trials that a thread scores side by side: vectors on a CPU, one on a GPU */
};

/* Distance from the next whole number, in [−½, ½]. */
DEVICE_FN float
index_off_whole (float x)
{
  return x - round_even (x);
}

/* 1 on the lattice, 0 from the tolerance on. */
DEVICE_FN float
index_hump (float squared, float narrow)
{
  float f = 1.0f - narrow * squared;
  return f > 0.0f ? f : 0.0f;
}

DEVICE_FN FlkIndexBest
index_best (const float *score, int n, uint32_t first)
{
  FlkIndexBest best = { score[0], first };
  for (int i = 1; i < n; i++)
    if (score[i] > best.score)
      {
        best.score = score[i];
        best.index = first + (uint32_t) i;
      }
  return best;
}
