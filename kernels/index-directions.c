/* index-directions.c: a tile of directions against the spots of a shot. */
#include "kernels/index-directions.h"

#include "kernels/index-score.h"

typedef struct
{
  float score[FLK_INDEX_TILE];
} DirectionsShared;

DEVICE_FN void
index_directions_body (Team t, DirectionsShared *sh, const FlkIndexDirectionsArgs *a)
{
  uint32_t shot = t.index / a->n_tiles, tile = t.index % a->n_tiles;
  const FlkIndexSpots *s = &a->spots;
  const float *ux = a->ux + tile * FLK_INDEX_TILE, *uy = a->uy + tile * FLK_INDEX_TILE;
  const float *uz = a->uz + tile * FLK_INDEX_TILE;

  TEAM_LOOP (block, FLK_INDEX_TILE / INDEX_LANES, t)
    {
      int at = block * INDEX_LANES;
      float sum[INDEX_LANES];
      for (int l = 0; l < INDEX_LANES; l++)
        sum[l] = 0;
      for (uint32_t i = s->first[shot]; i < s->first[shot + 1]; i++)
        {
          float x = s->x[i], y = s->y[i], z = s->z[i], narrow = s->narrow[i], weight = s->weight[i];
          VECTOR_LOOP
          for (int l = 0; l < INDEX_LANES; l++)
            {
              float d = index_off_whole (ux[at + l] * x + uy[at + l] * y + uz[at + l] * z);
              sum[l] += weight * index_hump (d * d, narrow);
            }
        }
      for (int l = 0; l < INDEX_LANES; l++)
        sh->score[at + l] = sum[l];
    }
  team_barrier (t);
  if (t.rank == 0)
    a->best[t.index] = index_best (sh->score, FLK_INDEX_TILE, tile * FLK_INDEX_TILE);
}

KERNEL (index_directions, FlkIndexDirectionsArgs, DirectionsShared, FLK_INDEX_TILE)
