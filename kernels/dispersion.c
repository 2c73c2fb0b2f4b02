/* dispersion.c: strong pixels by the index of dispersion, and the first step of the extended form; formulas and paper
 * in dispersion.h. */
#include "kernels/dispersion.h"

#include "kernels/dispersion-window.h"

/* What follows from the number of pixels in the windows around the tile's columns. */
DEVICE_FN void
count_pixels (Team t, Window *w, const FlkDispersionArgs *a, int n, int half_fs)
{
  double sigma_background = a->sigma_background, gain = a->gain;
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
          double k = count - 1 + sigma_background * sqrt (2 * (count - 1));
          w->window_k[i0 + i] = k;
          w->window_m_above[i0 + i] = (float) count * 1.00001f;
          w->window_gain_k[i0 + i] = (float) (gain * k);
        }
    }
}

/* A chunk of a row: what the formulas need of it. */
typedef struct
{
  const float *value; /* chunk's pixels in the ring */
  const uint8_t *counted;
  const double *m, *k;
  double x[WINDOW_CHUNK], y[WINDOW_CHUNK], gain[WINDOW_CHUNK];
  uint8_t yes[WINDOW_CHUNK];
} Chunk;

/* Whether chunk_dispersion() may hold anywhere, by single precision: what it compares is, where it holds, no larger than
 * m y, so rounding does not exceed 2^-20 of that, a tenth of what m_above is above m. */
DEVICE_FN bool
chunk_may_disperse (const uint32_t *RESTRICT x, const uint32_t *RESTRICT y, const float *RESTRICT m_above,
                    const float *RESTRICT gain_k)
{
  int any = 0;
  VECTOR_LOOP
  for (int i = 0; i < WINDOW_CHUNK; i++)
    {
      float sum = (float) (int32_t) x[i], squares = (float) (int32_t) y[i];
      any |= m_above[i] * squares > sum * (sum + gain_k[i]);
    }
  return any != 0;
}

/* x and y of a chunk from column i0 on; false: too small anywhere for chunk_dispersion(). */
DEVICE_FN bool
chunk_sum (Chunk *chunk, const Window *w, const WindowPlace *place, int i0)
{
  if (window_is_wide (w, place))
    {
      window_sum (w->x + i0, place->half_fs, chunk->x);
      window_sum (w->y + i0, place->half_fs, chunk->y);
      return true;
    }
  uint32_t x[WINDOW_CHUNK], y[WINDOW_CHUNK];
  window_sum_whole (w->whole_x + i0, place->half_fs, x);
  window_sum_whole (w->whole_y + i0, place->half_fs, y);
  if (!chunk_may_disperse (x, y, w->window_m_above + i0, w->window_gain_k + i0))
    return false;
  VECTOR_LOOP
  for (int i = 0; i < WINDOW_CHUNK; i++)
    {
      chunk->x[i] = (double) (int32_t) x[i];
      chunk->y[i] = (double) (int32_t) y[i];
    }
  return true;
}

/* Variance over mean is too large for background. */
DEVICE_FN void
chunk_dispersion (Chunk *chunk, double min_local)
{
  const double *RESTRICT x = chunk->x, *RESTRICT y = chunk->y, *RESTRICT m = chunk->m, *RESTRICT k = chunk->k;
  const double *RESTRICT gain = chunk->gain;
  uint8_t *RESTRICT yes = chunk->yes;
  VECTOR_LOOP
  for (int i = 0; i < WINDOW_CHUNK; i++)
    yes[i] =
        (uint8_t) ((m[i] * y[i] - x[i] * x[i] > gain[i] * x[i] * k[i]) & (m[i] >= min_local) & (x[i] >= 0));
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
      yes[i] =
          (uint8_t) (yes[i] & (m[i] * p - x[i] > sigma_strong * sqrt (gain[i] * x[i] * m[i])) & (p > global));
    }
}

/* One row of the tile, columns dealt to the team. */
DEVICE_FN void
judge_row (Team t, const Window *w, const FlkDispersionArgs *a, const WindowPlace *place, int row,
           float below, bool halo)
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
      if ((!halo && !window_any_above (chunk.value, below)) || !chunk_sum (&chunk, w, place, i0))
        {
          memset (out, 0, (size_t) width);
          continue;
        }
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
      window_copy (out, chunk.yes, width);
    }
}

/* Whether chunk_may_disperse() holds for these pixels: whole numbers, one gain, a team of one. */
DEVICE_FN bool
may_be_whole (const FlkDispersionArgs *a)
{
  return TEAM_IS_ONE && window_is_exact (&a->pixels) && !a->gain_map && a->gain < 1e30;
}

/* False: the window could not use integers, the tile must be done again without. */
DEVICE_FN bool
dispersion_rows (Team t, Window *w, const FlkDispersionArgs *a, const WindowPlace *place, bool halo)
{
  float below = window_below (a->global_threshold);

  window_start (t, w, place);
  for (int row = place->tile.ss0; row < place->tile.ss1; row++)
    {
      if (window_slide (t, w, place, row))
        count_pixels (t, w, a, place->tile.fs1 - place->tile.fs0, place->half_fs);
      if (place->whole && w->far_below)
        return false;
      judge_row (t, w, a, place, row, below, halo);
      team_barrier (t); /* before the next row changes the columns */
    }
  return true;
}

DEVICE_FN void
dispersion_tile (Team t, Window *w, const FlkDispersionArgs *a, int half_fs, bool halo)
{
  int pixels = (2 * half_fs + 1) * (2 * a->half_ss + 1);
  WindowPlace place = { &a->pixels,
                        NULL,
                        tile_of_team (t.index, a->panels, a->n_panels, a->tile_ss),
                        half_fs,
                        a->half_ss,
                        true,
                        may_be_whole (a),
                        floorf (sqrtf (2147483000.0f / (float) pixels)) };

  if (!dispersion_rows (t, w, a, &place, halo))
    {
      place.whole = false;
      dispersion_rows (t, w, a, &place, halo);
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
