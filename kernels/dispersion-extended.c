/* dispersion-extended.c: the second and third step of the extended threshold; formulas in dispersion.h.
 *
 * "dispersion_halo" left the halo in `strong`. "dispersion_erode" writes the eroded region to `scratch`, and
 * "dispersion_extended" judges its pixels against the background around them and writes `strong`. */
#include "kernels/dispersion.h"

#include "kernels/dispersion-window.h"

typedef struct
{
  uint8_t column[FLK_TILE_FS + 2 * FLK_DISPERSION_HALF_MAX]; /* 1: all rows of the window inside */
} ErodeShared;

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
      uint8_t *RESTRICT out = a->scratch + panel->offset + (uint64_t) row * panel->stride + (uint64_t) tile.fs0;
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
      memcpy (yes, a->scratch + first + i0, (size_t) width);
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
      memcpy (a->strong + first + i0, yes, (size_t) width);
    }
}

DEVICE_FN void
extended_tile (Team t, Window *w, const FlkDispersionArgs *a, int half_fs)
{
  WindowPlace place = { &a->pixels, a->scratch, tile_of_team (t.index, a->panels, a->n_panels, a->tile_ss),
                        half_fs, a->half_ss + 2, false };
  window_start (t, w, &place);
  for (int row = place.tile.ss0; row < place.tile.ss1; row++)
    {
      window_slide (t, w, &place, row);
      judge_row (t, w, a, &place, row);
      team_barrier (t);
    }
}

DEVICE_FN void
dispersion_extended_body (Team t, Window *w, const FlkDispersionArgs *a)
{
  if (a->half_fs == 3)
    extended_tile (t, w, a, 5);
  else
    extended_tile (t, w, a, a->half_fs + 2);
}

KERNEL (dispersion_erode, FlkDispersionArgs, ErodeShared, 256)
KERNEL (dispersion_extended, FlkDispersionArgs, Window, 256)
