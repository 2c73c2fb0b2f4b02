/* index-rotations.c: a trial's turns, a tile at a time. */
#include "kernels/index-rotations.h"

#include "kernels/index-score.h"

typedef struct
{
  float score[FLK_INDEX_TILE];
} RotationsShared;

/* Scores of INDEX_LANES turns. */
DEVICE_FN void
score_turns (const FlkIndexRotationsArgs *a, const FlkIndexTrial *trial, int turn, float *score)
{
  const FlkIndexSpots *s = &a->spots;
  float ax[INDEX_LANES], ay[INDEX_LANES], az[INDEX_LANES], bx[INDEX_LANES], by[INDEX_LANES], bz[INDEX_LANES];
  float sum[INDEX_LANES];
  VECTOR_LOOP
  for (int l = 0; l < INDEX_LANES; l++)
    {
      float c = a->cosine[turn + l], d = a->sine[turn + l];
      ax[l] = trial->a0[0] + trial->a1[0] * c + trial->a2[0] * d;
      ay[l] = trial->a0[1] + trial->a1[1] * c + trial->a2[1] * d;
      az[l] = trial->a0[2] + trial->a1[2] * c + trial->a2[2] * d;
      bx[l] = trial->b0[0] + trial->b1[0] * c + trial->b2[0] * d;
      by[l] = trial->b0[1] + trial->b1[1] * c + trial->b2[1] * d;
      bz[l] = trial->b0[2] + trial->b1[2] * c + trial->b2[2] * d;
      sum[l] = 0;
    }
  for (uint32_t i = s->first[trial->shot]; i < s->first[trial->shot + 1]; i++)
    {
      float x = s->x[i], y = s->y[i], z = s->z[i], narrow = a->narrow_turn[i];
      float dv = index_off_whole (trial->v[0] * x + trial->v[1] * y + trial->v[2] * z);
      float weight = s->weight[i] * index_hump (dv * dv, s->narrow[i]);
      if (weight <= 0)
        continue;
      VECTOR_LOOP
      for (int l = 0; l < INDEX_LANES; l++)
        {
          float da = index_off_whole (ax[l] * x + ay[l] * y + az[l] * z);
          float db = index_off_whole (bx[l] * x + by[l] * y + bz[l] * z);
          sum[l] += weight * index_hump (da * da + db * db, narrow);
        }
    }
  for (int l = 0; l < INDEX_LANES; l++)
    score[l] = sum[l];
}

DEVICE_FN void
index_rotations_body (Team t, RotationsShared *sh, const FlkIndexRotationsArgs *a)
{
  const FlkIndexTrial *trial = &a->trials[t.index];
  FlkIndexBest best = { -1, 0 };
  for (uint32_t turn = 0; turn < a->n_turns; turn += FLK_INDEX_TILE)
    {
      TEAM_LOOP (block, FLK_INDEX_TILE / INDEX_LANES, t)
        score_turns (a, trial, (int) turn + block * INDEX_LANES, sh->score + block * INDEX_LANES);
      team_barrier (t);
      if (t.rank == 0)
        {
          FlkIndexBest tile = index_best (sh->score, FLK_INDEX_TILE, turn);
          if (tile.score > best.score)
            best = tile;
        }
      team_barrier (t);
    }
  if (t.rank == 0)
    a->best[t.index] = best;
}

KERNEL (index_rotations, FlkIndexRotationsArgs, RotationsShared, FLK_INDEX_TILE)
