/* dispersion.c: strong pixels by the index of dispersion, and the first step of the extended form; formulas and paper
 * in dispersion.h. */
#include "kernels/dispersion.h"

#include "kernels/dispersion-window.h"

/* window_m and window_k of the tile's columns. */
DEVICE_FN void
count_pixels (Team t, Window *w, int n, int half_fs, double sigma_background)
{
  TEAM_LOOP (chunk, (n + WINDOW_CHUNK - 1) / WINDOW_CHUNK, t)
    {
      int i0 = chunk * WINDOW_CHUNK;
      int32_t m[WINDOW_CHUNK];
      window_sum_count (w->m + i0, half_fs, m);
      VECTOR_LOOP
      for (int i = 0; i < WINDOW_CHUNK; i++)
        {
          double count = (double) m[i];
          w->window_m[i0 + i] = count;
          w->window_k[i0 + i] = count - 1 + sigma_background * sqrt (2 * (count - 1));
        }
    }
}

/* A chunk of a row: what the formulas need of it. */
typedef struct
{
  const float *value;     /* chunk's pixels in the ring */
  const uint8_t *counted;
  const double *m, *k;
  double x[WINDOW_CHUNK], y[WINDOW_CHUNK], gain[WINDOW_CHUNK];
  uint8_t yes[WINDOW_CHUNK];
} Chunk;

/* Variance over mean is too large for background. */
DEVICE_FN void
chunk_dispersion (Chunk *chunk, double min_local)
{
  const double *RESTRICT x = chunk->x, *RESTRICT y = chunk->y, *RESTRICT m = chunk->m, *RESTRICT k = chunk->k;
  const double *RESTRICT gain = chunk->gain;
  uint8_t *RESTRICT yes = chunk->yes;
  VECTOR_LOOP
  for (int i = 0; i < WINDOW_CHUNK; i++)
    yes[i] = (uint8_t) ((m[i] * y[i] - x[i] * x[i] > gain[i] * x[i] * k[i]) & (m[i] >= min_local) & (x[i] >= 0));
}

/* Drops bad pixels. */
DEVICE_FN void
chunk_good (Chunk *chunk)
{
  const uint8_t *RESTRICT counted = chunk->counted;
  const float *RESTRICT value = chunk->value;
  uint8_t *RESTRICT yes = chunk->yes;
  VECTOR_LOOP
  for (int i = 0; i < WINDOW_CHUNK; i++)
    yes[i] = (uint8_t) (yes[i] & (counted[i] | (value[i] >= WINDOW_BIG)));
}

/* Drops what does not stand above the mean and the global threshold; bad pixels are 0, so never above it. */
DEVICE_FN void
chunk_peaks (Chunk *chunk, double sigma_strong, double global)
{
  const double *RESTRICT x = chunk->x, *RESTRICT m = chunk->m, *RESTRICT gain = chunk->gain;
  const float *RESTRICT value = chunk->value;
  uint8_t *RESTRICT yes = chunk->yes;
  VECTOR_LOOP
  for (int i = 0; i < WINDOW_CHUNK; i++)
    {
      double p = (double) value[i];
      yes[i] = (uint8_t) (yes[i] & (m[i] * p - x[i] > sigma_strong * sqrt (gain[i] * x[i] * m[i])) & (p > global));
    }
}

/* One row of the tile, columns dealt to the team. */
DEVICE_FN void
judge_row (Team t, const Window *w, const FlkDispersionArgs *a, const WindowPlace *place, int row, float below,
           bool halo)
{
  const Tile *tile = &place->tile;
  uint64_t first = tile->panel->offset + (uint64_t) row * tile->panel->stride + (uint64_t) tile->fs0;
  int n = tile->fs1 - tile->fs0, slot = row % (2 * place->half_ss + 1);

  TEAM_LOOP (number, (n + WINDOW_CHUNK - 1) / WINDOW_CHUNK, t)
    {
      int i0 = number * WINDOW_CHUNK, width = n - i0 < WINDOW_CHUNK ? n - i0 : WINDOW_CHUNK;
      uint8_t *out = a->strong + first + i0;
      Chunk chunk;
      chunk.value = w->value[slot] + i0 + place->half_fs;
      chunk.counted = w->counted[slot] + i0 + place->half_fs;
      chunk.m = w->window_m + i0;
      chunk.k = w->window_k + i0;
      if (!halo && !window_any_above (chunk.value, below))
        {
          memset (out, 0, (size_t) width);
          continue;
        }
      window_sum (w->x + i0, place->half_fs, chunk.x);
      window_sum (w->y + i0, place->half_fs, chunk.y);
      for (int i = 0; i < WINDOW_CHUNK; i++)
        chunk.gain[i] = a->gain;
      if (a->gain_map)
        for (int i = 0; i < width; i++)
          chunk.gain[i] = (double) a->gain_map[first + (uint64_t) (i0 + i)];
      chunk_dispersion (&chunk, a->min_local);
      if (halo)
        chunk_good (&chunk);
      else if (window_any (chunk.yes))
        chunk_peaks (&chunk, a->sigma_strong, a->global_threshold);
      memcpy (out, chunk.yes, (size_t) width);
    }
}

DEVICE_FN void
dispersion_tile (Team t, Window *w, const FlkDispersionArgs *a, int half_fs, bool halo)
{
  WindowPlace place = { &a->pixels, NULL, tile_of_team (t.index, a->panels, a->n_panels, a->tile_ss), half_fs,
                        a->half_ss, true };
  float below = window_below (a->global_threshold);

  window_start (t, w, &place);
  for (int row = place.tile.ss0; row < place.tile.ss1; row++)
    {
      if (window_slide (t, w, &place, row))
        count_pixels (t, w, place.tile.fs1 - place.tile.fs0, half_fs, a->sigma_background);
      judge_row (t, w, a, &place, row, below, halo);
      team_barrier (t); /* before the next row changes the columns */
    }
}

/* The usual window has its own, unrolled body. */
DEVICE_FN void
dispersion_body (Team t, Window *w, const FlkDispersionArgs *a)
{
  if (a->half_fs == 3)
    dispersion_tile (t, w, a, 3, false);
  else
    dispersion_tile (t, w, a, a->half_fs, false);
}

DEVICE_FN void
dispersion_halo_body (Team t, Window *w, const FlkDispersionArgs *a)
{
  if (a->half_fs == 3)
    dispersion_tile (t, w, a, 3, true);
  else
    dispersion_tile (t, w, a, a->half_fs, true);
}

KERNEL (dispersion, FlkDispersionArgs, Window, 256)
KERNEL (dispersion_halo, FlkDispersionArgs, Window, 256)
