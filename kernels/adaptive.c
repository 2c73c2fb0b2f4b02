/* adaptive.c: places that stand out from the blocks around; what is computed is in adaptive.h. */
#include "kernels/adaptive.h"

#include "kernels/adaptive-place.h"

enum
{
  BLOCK = FLK_ADAPTIVE_BLOCK,
  BLOCKS = FLK_TILE_FS / BLOCK,
  AROUND = BLOCKS + 2, /* columns of blocks of a tile and one on either side */
  CHUNK = TEAM_IS_ONE ? 64 : 1
};

#define SEED 3.5f /* σ of the 3 × 3 sum, for a place to be judged */

/* --- medians of 3 × 3 blocks --- */

typedef struct
{
  float value[3][FLK_TILE_FS + 4]; /* rows, from column −2 on; the background where a pixel is bad */
  float sum[3][FLK_TILE_FS + 2];   /* over 3 × 3, from column −1 on */
  float row[FLK_TILE_FS + 4];
  uint8_t good[FLK_TILE_FS + 4];
  /* Of two rows of blocks, the even one first. */
  float mean[2][AROUND], variance[2][AROUND];
  float fill[2][AROUND * BLOCK], limit[2][AROUND * BLOCK];    /* a pixel each */
  float row_mean[3][AROUND + 2], row_variance[3][AROUND + 2]; /* three rows of blocks */
  float sort[9][AROUND];
} SpotsShared;

/* Orders sort[0…8] of n columns, by the network of 25 comparators. */
DEVICE_FN void
sort_columns (Team t, SpotsShared *sh, int n)
{
  const uint8_t pairs[25][2] = { { 0, 3 }, { 1, 7 }, { 2, 5 }, { 4, 8 }, { 0, 7 }, { 2, 4 }, { 3, 8 },
                                 { 5, 6 }, { 0, 2 }, { 1, 3 }, { 4, 5 }, { 7, 8 }, { 1, 4 }, { 3, 6 },
                                 { 5, 7 }, { 0, 1 }, { 2, 4 }, { 3, 5 }, { 6, 8 }, { 2, 3 }, { 4, 5 },
                                 { 6, 7 }, { 1, 2 }, { 3, 4 }, { 5, 6 } };
  for (int k = 0; k < 25; k++)
    {
      float *RESTRICT a = sh->sort[pairs[k][0]], *RESTRICT b = sh->sort[pairs[k][1]];
      VECTOR_LOOP
      TEAM_LOOP (c, n, t)
        {
          float low = least (a[c], b[c]), high = most (a[c], b[c]);
          a[c] = low;
          b[c] = high;
        }
    }
}

/* Means and variances of row `row` of blocks, n + 2 from two left of the tile on; NOTHING where there is none. */
DEVICE_FN void
block_row (Team t, SpotsShared *sh, const FlkAdaptiveArgs *a, const Tile *tile, int row, int n)
{
  int along = (int) flk_adaptive_along (tile->panel->n_fs),
      down = (int) flk_adaptive_along (tile->panel->n_ss);
  int begin = tile->fs0 / BLOCK - 2, slot = (row + 3) % 3;
  uint64_t first = a->first_block[tile->panel_index];
  TEAM_LOOP (c, n + 2, t)
    {
      int x = begin + c;
      bool there = x >= 0 && x < along && row >= 0 && row < down;
      uint64_t at = there ? first + (uint64_t) (row * along + x) : first;
      FlkAdaptiveBlock block = a->blocks[at];
      there = there && block.variance >= 0;
      sh->row_mean[slot][c] = there ? block.mean : NOTHING;
      sh->row_variance[slot][c] = there ? block.variance * a->noise.spread : NOTHING;
    }
}

/* The (lower) median of what is there of the 3 × 3 blocks around each of n; `none` where there is nothing. */
DEVICE_FN void
block_medians (Team t, SpotsShared *sh, float rows[3][AROUND + 2], float none, float *RESTRICT out, int n)
{
  for (int k = 0; k < 9; k++)
    {
      const float *RESTRICT from = rows[k / 3] + k % 3;
      float *RESTRICT to = sh->sort[k];
      VECTOR_LOOP
      TEAM_LOOP (c, n, t)
        to[c] = from[c];
    }
  sort_columns (t, sh, n);
  const float *RESTRICT middle = sh->sort[4], *RESTRICT last = sh->sort[8];
  VECTOR_LOOP
  TEAM_LOOP (c, n, t)
    out[c] = middle[c];
  TEAM_LOOP (c, n, t)
    if (last[c] == NOTHING)
      {
        int there = 8;
        while (there > 0 && sh->sort[there - 1][c] == NOTHING)
          there--;
        out[c] = there > 0 ? sh->sort[(there - 1) / 2][c] : none;
      }
}

/* Background and limit of the sum for each column, of a row of blocks; `fresh`: the rows around are not known yet. */
DEVICE_FN void
look_around (Team t, SpotsShared *sh, const FlkAdaptiveArgs *a, const Tile *tile, int row, bool fresh)
{
  int slot = row & 1, n = (int) flk_adaptive_along ((uint32_t) (tile->fs1 - tile->fs0)) + 2;
  float *mean = sh->mean[slot], *variance = sh->variance[slot];
  for (int k = fresh ? row - 1 : row + 1; k <= row + 1; k++)
    block_row (t, sh, a, tile, k, n);
  team_barrier (t);
  block_medians (t, sh, sh->row_mean, 0, mean, n);
  block_medians (t, sh, sh->row_variance, NOTHING, variance, n);
  team_barrier (t);
  TEAM_LOOP (c, n, t)
    {
      float limit = variance[c] < NOTHING ? 9 * mean[c] + excess (&a->noise, 9 * variance[c], SEED) : NOTHING;
      for (int i = 0; i < BLOCK; i++)
        sh->fill[slot][c * BLOCK + i] = mean[c];
      for (int i = 0; i < BLOCK; i++)
        sh->limit[slot][c * BLOCK + i] = limit;
    }
  team_barrier (t);
}

/* --- rows --- */

/* Row `row` of the panel, with the background where there is no good pixel. */
DEVICE_FN void
load_row (Team t, SpotsShared *sh, const FlkAdaptiveArgs *a, const Tile *tile, int row, int slot)
{
  const FlkPanel *panel = tile->panel;
  int width = tile->fs1 - tile->fs0 + 4, left = tile->fs0 == 0 ? 2 : 0;
  int end = tile->fs1 + 2 < (int) panel->n_fs ? tile->fs1 + 2 : (int) panel->n_fs;
  int n = row >= 0 && row < (int) panel->n_ss ? end - (tile->fs0 - 2 + left) : 0;
  float *RESTRICT value = sh->value[(row + 3) % 3] + left;
  const float *RESTRICT fill = sh->fill[slot] + BLOCK - 2 + left; /* of column −2 + left */
  if (n > 0)
    {
      uint64_t first = panel->offset + (uint64_t) row * panel->stride + (uint64_t) (tile->fs0 - 2 + left);
      pixels_row (t, &a->pixels, panel, first, n, sh->row, sh->good);
      const float *RESTRICT from = sh->row;
      const uint8_t *RESTRICT good = sh->good;
      VECTOR_LOOP
      TEAM_LOOP (i, n, t)
        value[i] = good[i] ? from[i] : fill[i];
    }
  TEAM_LOOP (i, width - n, t) /* beside the panel */
    {
      int at = i < left ? i - left : n + i - left;
      value[at] = fill[at];
    }
  team_barrier (t);
}

/* Sums of the row before `row`. */
DEVICE_FN void
sum_row (Team t, SpotsShared *sh, int row, int n)
{
  const float *RESTRICT above = sh->value[(row + 1) % 3], *RESTRICT here = sh->value[(row + 2) % 3],
                        *RESTRICT below = sh->value[(row + 3) % 3];
  float *RESTRICT column = sh->row, *RESTRICT sum = sh->sum[(row + 2) % 3];
  VECTOR_LOOP
  TEAM_LOOP (i, n + 4, t)
    column[i] = above[i] + here[i] + below[i];
  team_barrier (t);
  VECTOR_LOOP
  TEAM_LOOP (i, n + 2, t)
    sum[i] = column[i] + column[i + 1] + column[i + 2];
  team_barrier (t);
}

/* Whether the sum at column i is the highest of its neighbours'; of equals the first. */
DEVICE_FN bool
is_highest (const SpotsShared *sh, int row, int i)
{
  const float *above = sh->sum[(row + 2) % 3] + i + 1, *here = sh->sum[(row + 3) % 3] + i + 1,
              *below = sh->sum[(row + 4) % 3] + i + 1;
  float s = here[0];
  return s > above[-1] && s > above[0] && s > above[1] && s > here[-1] && s >= here[1] && s >= below[-1]
         && s >= below[0] && s >= below[1];
}

DEVICE_FN void
judge_row (Team t, const SpotsShared *sh, const FlkAdaptiveArgs *a, const Tile *tile, int row)
{
  const float *RESTRICT sum = sh->sum[(row + 3) % 3] + 1;
  int slot = row / BLOCK & 1, n = tile->fs1 - tile->fs0;
  const float *RESTRICT limit = sh->limit[slot] + BLOCK;
  TEAM_LOOP (chunk, (n + CHUNK - 1) / CHUNK, t)
    {
      int begin = chunk * CHUNK, end = begin + CHUNK < n ? begin + CHUNK : n, any = 0;
      VECTOR_LOOP
      for (int i = begin; i < end; i++)
        any |= sum[i] > limit[i];
      for (int i = begin; any && i < end; i++)
        if (sum[i] > limit[i] && is_highest (sh, row, i))
          judge_place (a, tile->panel, tile->fs0 + i, row, sh->mean[slot][i / BLOCK + 1],
                       sh->variance[slot][i / BLOCK + 1]);
    }
}

DEVICE_FN void
adaptive_spots_body (Team t, SpotsShared *sh, const FlkAdaptiveArgs *a)
{
  Tile tile = tile_of_team (t.index, a->panels, a->n_panels, a->tile_ss);
  int last = -1;
  for (int row = tile.ss0 - 2; row < tile.ss1 + 2; row++)
    {
      int inside = row < 0 ? 0 : row < (int) tile.panel->n_ss ? row : (int) tile.panel->n_ss - 1;
      if (inside / BLOCK != last)
        {
          look_around (t, sh, a, &tile, inside / BLOCK, last < 0);
          last = inside / BLOCK;
        }
      load_row (t, sh, a, &tile, row, last & 1);
      if (row >= tile.ss0)
        sum_row (t, sh, row, tile.fs1 - tile.fs0);
      if (row >= tile.ss0 + 2)
        judge_row (t, sh, a, &tile, row - 2);
    }
}

KERNEL (adaptive_spots, FlkAdaptiveArgs, SpotsShared, 256)
