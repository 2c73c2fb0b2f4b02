/* adaptive-blocks.c: what blocks of a shot say of its background and noise; adaptive.h tells what for. */
#include "kernels/adaptive.h"

#include "kernels/pixel-load.h"

enum
{
  BLOCK = FLK_ADAPTIVE_BLOCK,
  PIXELS = BLOCK * BLOCK,
  FEWEST = 16 /* good pixels of a block */
};

#define NOTHING 3.0e38f

typedef struct
{
  double x[BLOCK / 2][FLK_TILE_FS], y[FLK_TILE_FS]; /* x: of two rows each */
  int32_t m[FLK_TILE_FS];
  float top[FLK_TILE_FS];
  float value[FLK_TILE_FS];
  uint8_t good[FLK_TILE_FS];
  /* Of columns i and i + 1. */
  double two_x[FLK_TILE_FS], two_y[FLK_TILE_FS], squares[FLK_TILE_FS];
  int32_t two_m[FLK_TILE_FS];
  float two_top[FLK_TILE_FS];
} BlocksShared;

DEVICE_FN void
block_rows (Team t, BlocksShared *sh, const FlkAdaptiveArgs *a, const Tile *tile, int begin, int end)
{
  int n = tile->fs1 - tile->fs0;
  TEAM_LOOP (i, flk_adaptive_along ((uint32_t) n) * BLOCK, t)
    {
      for (int k = 0; k < BLOCK / 2; k++)
        sh->x[k][i] = 0;
      sh->y[i] = 0;
      sh->m[i] = 0;
      sh->top[i] = -NOTHING;
    }
  for (int ss = begin; ss < end; ss++)
    {
      uint64_t first = tile->panel->offset + (uint64_t) ss * tile->panel->stride + (uint64_t) tile->fs0;
      double *RESTRICT x = sh->x[(ss - begin) / 2];
      pixels_row (t, &a->pixels, tile->panel, first, n, sh->value, sh->good);
      VECTOR_LOOP
      TEAM_LOOP (i, n, t)
        {
          double v = (double) sh->value[i];
          x[i] += v;
          sh->y[i] += v * v;
          sh->m[i] += sh->good[i];
          float there = sh->good[i] ? sh->value[i] : -NOTHING;
          sh->top[i] = sh->top[i] > there ? sh->top[i] : there;
        }
      uint8_t *RESTRICT strong = a->strong + first;
      TEAM_LOOP (i, n, t)
        strong[i] = 0;
    }
}

/* Pairs of columns, w columns in all. */
DEVICE_FN void
block_pairs (Team t, BlocksShared *sh, int w)
{
  VECTOR_LOOP
  TEAM_LOOP (i, w - 1, t)
    {
      double x = 0, squares = 0;
      for (int k = 0; k < BLOCK / 2; k++)
        {
          double sum = sh->x[k][i] + sh->x[k][i + 1];
          x += sum;
          squares += sum * sum;
        }
      sh->two_x[i] = x;
      sh->squares[i] = squares;
      sh->two_y[i] = sh->y[i] + sh->y[i + 1];
      sh->two_m[i] = sh->m[i] + sh->m[i + 1];
      sh->two_top[i] = sh->top[i] > sh->top[i + 1] ? sh->top[i] : sh->top[i + 1];
    }
}

/* The block from column `first` on: its pixels, and its sums of 2 × 2 pixels. */
DEVICE_FN void
block_finish (const BlocksShared *sh, const FlkAdaptiveArgs *a, int first, uint64_t out)
{
  double x = 0, y = 0, squares = 0;
  float top = -NOTHING;
  int m = 0;
  for (int i = first; i < first + BLOCK; i += 2)
    {
      x += sh->two_x[i];
      y += sh->two_y[i];
      squares += sh->squares[i];
      m += sh->two_m[i];
      top = sh->two_top[i] > top ? sh->two_top[i] : top;
    }
  double spread = m >= FEWEST ? (y - x * x / m) / (m - 1) : -1;
  double of_sums = (squares - x * x / (PIXELS / 4)) / (4 * (PIXELS / 4 - 1));
  FlkAdaptiveBlock block = { m > 0 ? (float) (x / m) : 0.0f, top,
                             m >= FEWEST && spread < 0 ? 0.0f : (float) spread,
                             m < PIXELS    ? -1.0f
                             : of_sums < 0 ? 0.0f
                                           : (float) of_sums };
  a->blocks[out] = block;
}

DEVICE_FN void
adaptive_blocks_body (Team t, BlocksShared *sh, const FlkAdaptiveArgs *a)
{
  Tile tile = tile_of_team (t.index, a->panels, a->n_panels, a->tile_ss);
  uint32_t along = flk_adaptive_along (tile.panel->n_fs);
  int n = (int) flk_adaptive_along ((uint32_t) (tile.fs1 - tile.fs0));
  for (int ss = tile.ss0; ss < tile.ss1; ss += BLOCK)
    {
      uint64_t out =
          a->first_block[tile.panel_index] + (uint64_t) (ss / BLOCK) * along + (uint64_t) (tile.fs0 / BLOCK);
      block_rows (t, sh, a, &tile, ss, ss + BLOCK < tile.ss1 ? ss + BLOCK : tile.ss1);
      team_barrier (t);
      block_pairs (t, sh, n * BLOCK);
      team_barrier (t);
      TEAM_LOOP (b, n, t)
        block_finish (sh, a, b * BLOCK, out + (uint64_t) b);
      team_barrier (t);
    }
}

KERNEL (adaptive_blocks, FlkAdaptiveArgs, BlocksShared, 256)
