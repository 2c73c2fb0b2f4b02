/* dispersion-extended.c: the second and third step of the extended threshold; formulas in dispersion.h.
 *
 * "dispersion_halo" left the halo in `strong`. "dispersion_erode" writes the eroded region to `scratch`, and
 * "dispersion_extended" judges its pixels against the background around them and writes `strong`. */
#include "kernels/dispersion.h"

#include "kernels/dispersion-window.h"

enum
{
  /* Rows and columns that are looked at together for pixels in the eroded region: most blocks have none. */
  BLOCK_SS = WINDOW_FRESH,
  BLOCK_FS = TEAM_IS_ONE ? 64 : FLK_TILE_FS,
  BLOCKS = FLK_TILE_FS / BLOCK_FS,
  REACH_MAX = FLK_DISPERSION_HALF_MAX - 1
};

typedef struct
{
  uint8_t none;
} ErodeShared;

typedef struct
{
  Window window;
  uint32_t begin[BLOCKS], end[BLOCKS]; /* rows of each block to judge; none: end is 0 */
} ExtendedShared;

/* A pixel stays when no pixel within `reach` is outside the halo; what lies beyond the panel is not outside. `width`
 * pixels from (fs, ss) on. */
DEVICE_FN void
erode_chunk (const FlkDispersionArgs *a, const FlkPanel *panel, int reach, int fs, int ss, int width)
{
  uint64_t first = panel->offset + (uint64_t) ss * panel->stride + (uint64_t) fs;
  uint8_t *RESTRICT out = a->scratch + first;
  uint8_t kept[WINDOW_CHUNK] = { 0 };

  window_copy (kept, a->strong + first, width);
  if (window_any (kept))
    {
      uint8_t column[WINDOW_CHUNK + 2 * REACH_MAX]; /* 1: in the halo in all rows */
      memset (column, 1, sizeof column);
      int begin = fs > reach ? fs - reach : 0;
      int end = fs + width + reach < (int) panel->n_fs ? fs + width + reach : (int) panel->n_fs;
      int row0 = ss > reach ? ss - reach : 0;
      int row1 = ss + reach + 1 < (int) panel->n_ss ? ss + reach + 1 : (int) panel->n_ss;
      uint8_t *RESTRICT inside = column + (begin - (fs - reach));
      for (int row = row0; row < row1; row++)
        {
          const uint8_t *RESTRICT halo = a->strong + panel->offset + (uint64_t) row * panel->stride + (uint64_t) begin;
          VECTOR_LOOP
          for (int c = 0; c < end - begin; c++)
            inside[c] &= halo[c];
        }
      for (int k = 0; k <= 2 * reach; k++)
        {
          const uint8_t *RESTRICT shifted = column + k;
          VECTOR_LOOP
          for (int i = 0; i < WINDOW_CHUNK; i++)
            kept[i] &= shifted[i];
        }
    }
  window_copy (out, kept, width);
}

DEVICE_FN void
dispersion_erode_body (Team t, ErodeShared *sh, const FlkDispersionArgs *a)
{
  Tile tile = tile_of_team (t.index, a->panels, a->n_panels, a->tile_ss);
  int reach = (a->half_fs < a->half_ss ? a->half_fs : a->half_ss) - 1, n = tile.fs1 - tile.fs0;
  (void) sh;

  for (int row = tile.ss0; row < tile.ss1; row++)
    TEAM_LOOP (number, (n + WINDOW_CHUNK - 1) / WINDOW_CHUNK, t)
      {
        int i0 = number * WINDOW_CHUNK, width = n - i0 < WINDOW_CHUNK ? n - i0 : WINDOW_CHUNK;
        erode_chunk (a, tile.panel, reach, tile.fs0 + i0, row, width);
      }
}

/* A chunk of pixels in the eroded region against the mean of the background, whose sum and number are x and m. */
DEVICE_FN void
judge_chunk (const FlkDispersionArgs *a, const float *RESTRICT centre, const double *RESTRICT x,
             const int32_t *RESTRICT m, const double *RESTRICT gain, uint8_t *RESTRICT yes)
{
  double global = a->global_threshold, sigma = a->sigma_strong;
  VECTOR_LOOP
  for (int i = 0; i < WINDOW_CHUNK; i++)
    {
      double p = (double) centre[i], n = (double) m[i];
      double mean = x[i] / (m[i] > 1 ? n : 1);
      mean = m[i] > 1 ? mean : 0;
      yes[i] = (uint8_t) (yes[i] & (x[i] >= 0) & (p > global) & (p >= mean + sigma * sqrt (gain[i] * mean)));
    }
}

DEVICE_FN void
judge_row (Team t, Window *w, const FlkDispersionArgs *a, const WindowPlace *place, int row)
{
  const Tile *tile = &place->tile;
  uint64_t first = tile->panel->offset + (uint64_t) row * tile->panel->stride + (uint64_t) tile->fs0;
  int n = tile->fs1 - tile->fs0;
  float below = window_below (a->global_threshold);
  Team alone = { 0, 0, 1 };

  TEAM_LOOP (number, (n + WINDOW_CHUNK - 1) / WINDOW_CHUNK, t)
    {
      int i0 = number * WINDOW_CHUNK, width = n - i0 < WINDOW_CHUNK ? n - i0 : WINDOW_CHUNK;
      uint8_t yes[WINDOW_CHUNK] = { 0 };
      window_copy (yes, a->scratch + first + i0, width);
      float centre[WINDOW_CHUNK] = { 0 };
      uint8_t good[WINDOW_CHUNK];
      if (window_any (yes))
        pixels_row (alone, &a->pixels, tile->panel, first + (uint64_t) i0, width, centre, good);
      if (window_any_above (centre, below))
        {
          double x[WINDOW_CHUNK], gain[WINDOW_CHUNK];
          int32_t m[WINDOW_CHUNK];
          window_sum (w->x + i0, place->half_fs, x);
          window_sum_count (w->m + i0, place->half_fs, m);
          for (int i = 0; i < WINDOW_CHUNK; i++)
            gain[i] = a->gain;
          if (a->gain_map)
            for (int i = 0; i < width; i++)
              gain[i] = (double) a->gain_map[first + (uint64_t) (i0 + i)];
          judge_chunk (a, centre, x, m, gain, yes);
        }
      else
        memset (yes, 0, sizeof yes);
      window_copy (a->strong + first + i0, yes, width);
    }
}

/* Fills begin and end of the blocks of a tile from row ss0 to ss1, and clears their part of `strong`. Only a team of one
 * thread leaves rows out, and those before the first only where sums are exact in any order. */
DEVICE_FN void
find_rows (Team t, ExtendedShared *sh, const FlkDispersionArgs *a, const Tile *tile, int ss0, int ss1)
{
  int n = tile->fs1 - tile->fs0;
  bool exact = window_is_exact (&a->pixels);
  TEAM_LOOP (b, BLOCKS, t)
    sh->end[b] = 0;
  team_barrier (t);
  for (int row = ss0; row < ss1; row++)
    {
      uint64_t first = tile->panel->offset + (uint64_t) row * tile->panel->stride + (uint64_t) tile->fs0;
      TEAM_LOOP (number, (n + WINDOW_CHUNK - 1) / WINDOW_CHUNK, t)
        {
          int i0 = number * WINDOW_CHUNK, width = n - i0 < WINDOW_CHUNK ? n - i0 : WINDOW_CHUNK, b = i0 / BLOCK_FS;
          uint8_t eroded[WINDOW_CHUNK] = { 0 };
          const uint8_t none[WINDOW_CHUNK] = { 0 };
          window_copy (eroded, a->scratch + first + (uint64_t) i0, width);
          window_copy (a->strong + first + (uint64_t) i0, none, width);
          if (!window_any (eroded))
            continue;
          if (!TEAM_IS_ONE || !exact)
            team_store_u32 (&sh->begin[b], (uint32_t) ss0);
          else if (sh->end[b] == 0)
            sh->begin[b] = (uint32_t) row;
          team_store_u32 (&sh->end[b], (uint32_t) (TEAM_IS_ONE ? row + 1 : ss1));
        }
    }
  team_barrier (t);
}

DEVICE_FN void
extended_block (Team t, Window *w, const FlkDispersionArgs *a, const WindowPlace *place)
{
  window_start (t, w, place);
  for (int row = place->tile.ss0; row < place->tile.ss1; row++)
    {
      window_slide (t, w, place, row);
      judge_row (t, w, a, place, row);
      team_barrier (t);
    }
}

DEVICE_FN void
extended_tile (Team t, ExtendedShared *sh, const FlkDispersionArgs *a, int half_fs)
{
  Tile tile = tile_of_team (t.index, a->panels, a->n_panels, a->tile_ss);
  WindowPlace place = { &a->pixels, a->scratch, tile, half_fs, a->half_ss + 2, false, false, 0 };
  for (int ss0 = tile.ss0; ss0 < tile.ss1; ss0 += BLOCK_SS)
    {
      find_rows (t, sh, a, &tile, ss0, ss0 + BLOCK_SS < tile.ss1 ? ss0 + BLOCK_SS : tile.ss1);
      for (int b = 0; b < BLOCKS; b++)
        if (sh->end[b] > 0)
          {
            place.tile.fs0 = tile.fs0 + b * BLOCK_FS;
            place.tile.fs1 = place.tile.fs0 + BLOCK_FS < tile.fs1 ? place.tile.fs0 + BLOCK_FS : tile.fs1;
            place.tile.ss0 = (int) sh->begin[b];
            place.tile.ss1 = (int) sh->end[b];
            extended_block (t, &sh->window, a, &place);
          }
      team_barrier (t); /* before the blocks of the next rows are looked for */
    }
}

DEVICE_FN void
dispersion_extended_body (Team t, ExtendedShared *sh, const FlkDispersionArgs *a)
{
  if (a->half_fs == 3)
    extended_tile (t, sh, a, 5);
  else
    extended_tile (t, sh, a, a->half_fs + 2);
}

KERNEL (dispersion_erode, FlkDispersionArgs, ErodeShared, 256)
KERNEL (dispersion_extended, FlkDispersionArgs, ExtendedShared, 256)
