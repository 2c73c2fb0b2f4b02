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
  BLOCKS = FLK_TILE_FS / BLOCK_FS
};

typedef struct
{
  uint8_t column[FLK_TILE_FS + 2 * FLK_DISPERSION_HALF_MAX]; /* 1: all rows of the window inside */
} ErodeShared;

typedef struct
{
  Window window;
  uint32_t begin[BLOCKS], end[BLOCKS]; /* rows of each block to judge; none: end is 0 */
} ExtendedShared;

/* Whether no pixel of a row is in the halo; a team of several threads does not ask. */
DEVICE_FN bool
row_is_empty (const uint8_t *halo, int n)
{
  uint8_t any = !TEAM_IS_ONE;
  for (int i = 0; TEAM_IS_ONE && i < n; i++)
    any |= halo[i];
  return !any;
}

/* A pixel stays when no pixel within `reach` is outside the halo; what lies beyond the panel is not outside. */
DEVICE_FN void
dispersion_erode_body (Team t, ErodeShared *sh, const FlkDispersionArgs *a)
{
  Tile tile = tile_of_team (t.index, a->panels, a->n_panels, a->tile_ss);
  const FlkPanel *panel = tile.panel;
  int reach = (a->half_fs < a->half_ss ? a->half_fs : a->half_ss) - 1, n = tile.fs1 - tile.fs0;
  int begin = tile.fs0 - reach, left = begin < 0 ? -begin : 0;
  int columns = (tile.fs1 + reach < (int) panel->n_fs ? tile.fs1 + reach : (int) panel->n_fs) - begin - left;

  TEAM_LOOP (c, (int) sizeof sh->column, t)
    sh->column[c] = 1;
  team_barrier (t);
  for (int row = tile.ss0; row < tile.ss1; row++)
    {
      int row0 = row > reach ? row - reach : 0;
      int row1 = row + reach + 1 < (int) panel->n_ss ? row + reach + 1 : (int) panel->n_ss;
      uint64_t pixel = panel->offset + (uint64_t) (begin + left);
      uint8_t *RESTRICT out =
          a->scratch + panel->offset + (uint64_t) row * panel->stride + (uint64_t) tile.fs0;
      if (row_is_empty (a->strong + (out - a->scratch), n))
        {
          memset (out, 0, (size_t) n);
          continue;
        }
      uint8_t *RESTRICT column = sh->column + left;
      TEAM_LOOP (c, columns, t)
        column[c] = 1;
      for (int j = row0; j < row1; j++)
        {
          const uint8_t *RESTRICT halo = a->strong + pixel + (uint64_t) j * panel->stride;
          VECTOR_LOOP
          TEAM_LOOP (c, columns, t)
            column[c] &= halo[c];
        }
      team_barrier (t);
      TEAM_LOOP (i, n, t)
        out[i] = sh->column[i];
      for (int k = 1; k <= 2 * reach; k++)
        {
          const uint8_t *RESTRICT shifted = sh->column + k;
          VECTOR_LOOP
          TEAM_LOOP (i, n, t)
            out[i] &= shifted[i];
        }
      team_barrier (t);
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

/* A thread's own pixels. */
LARGE_FN void
chunk_load (const FlkPixels *pixels, const FlkPanel *panel, uint64_t first, int width, float *centre)
{
  Team alone = { 0, 0, 1 };
  uint8_t good[WINDOW_CHUNK];
  pixels_row (alone, pixels, panel, first, width, centre, good);
}

DEVICE_FN void
judge_row (Team t, Window *w, const FlkDispersionArgs *a, const WindowPlace *place, int row)
{
  const Tile *tile = &place->tile;
  uint64_t first = tile->panel->offset + (uint64_t) row * tile->panel->stride + (uint64_t) tile->fs0;
  int n = tile->fs1 - tile->fs0;
  float below = window_below (a->global_threshold);

  TEAM_LOOP (number, (n + WINDOW_CHUNK - 1) / WINDOW_CHUNK, t)
    {
      int i0 = number * WINDOW_CHUNK, width = n - i0 < WINDOW_CHUNK ? n - i0 : WINDOW_CHUNK;
      uint8_t yes[WINDOW_CHUNK] = { 0 };
      window_copy (yes, a->scratch + first + i0, width);
      float centre[WINDOW_CHUNK] = { 0 };
      if (window_any (yes))
        chunk_load (&a->pixels, tile->panel, first + (uint64_t) i0, width, centre);
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
          int i0 = number * WINDOW_CHUNK, width = n - i0 < WINDOW_CHUNK ? n - i0 : WINDOW_CHUNK,
              b = i0 / BLOCK_FS;
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

/* `ready`: the window already stands before the first row. */
DEVICE_FN void
extended_block (Team t, Window *w, const FlkDispersionArgs *a, const WindowPlace *place, bool ready)
{
  if (!ready)
    window_start (t, w, place);
  for (int row = place->tile.ss0; row < place->tile.ss1; row++)
    {
      window_slide (t, w, place, row);
      judge_row (t, w, a, place, row);
      team_barrier (t);
    }
}

/* Whether the rows that find_rows() found are fewer to work through by block than those of the whole width. */
DEVICE_FN bool
by_block (const ExtendedShared *sh, int half_ss, int rows)
{
  int sum = 0;
  for (int b = 0; b < BLOCKS; b++)
    sum += sh->end[b] > 0 ? (int) (sh->end[b] - sh->begin[b]) + 2 * half_ss : 0;
  return sum == 0 || 3 * sum < 2 * BLOCKS * rows; /* a narrow row costs half as much again */
}

DEVICE_FN void
extended_tile (Team t, ExtendedShared *sh, const FlkDispersionArgs *a, int half_fs)
{
  Tile tile = tile_of_team (t.index, a->panels, a->n_panels, a->tile_ss);
  WindowPlace place = { &a->pixels, a->scratch, tile, half_fs, a->half_ss + 2, false, false, 0 };
  int ready = -1; /* the row that the window of the whole width stands before */
  for (int ss0 = tile.ss0; ss0 < tile.ss1; ss0 += BLOCK_SS)
    {
      int ss1 = ss0 + BLOCK_SS < tile.ss1 ? ss0 + BLOCK_SS : tile.ss1;
      find_rows (t, sh, a, &tile, ss0, ss1);
      if (by_block (sh, place.half_ss, ss1 - ss0 + (ready == ss0 ? 0 : 2 * place.half_ss)))
        for (int b = 0; b < BLOCKS; b++)
          {
            if (sh->end[b] == 0)
              continue;
            place.tile.fs0 = tile.fs0 + b * BLOCK_FS;
            place.tile.fs1 = place.tile.fs0 + BLOCK_FS < tile.fs1 ? place.tile.fs0 + BLOCK_FS : tile.fs1;
            place.tile.ss0 = (int) sh->begin[b];
            place.tile.ss1 = (int) sh->end[b];
            extended_block (t, &sh->window, a, &place, false);
            ready = -1;
          }
      else
        {
          place.tile = tile;
          place.tile.ss0 = ss0;
          place.tile.ss1 = ss1;
          extended_block (t, &sh->window, a, &place, ready == ss0);
          ready = ss1;
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
