/* dispersion-window.h: sums over a window that slides down a tile; what the dispersion kernels share.
 *
 * Each column keeps the sums over the window's rows; a row comes in, another (kept in a ring of rows) goes out; a
 * window's sums are those of its columns. Sums are doubles, exact for whole numbers as long as a window's sum of
 * squares stays below 2^53 (4 million counts in every pixel). For other numbers they start afresh at every 32nd row of
 * the panel and always add in the same order, so that they do not depend on how the panel was cut into tiles. */
#pragma once

#include "kernels/dispersion.h"
#include "kernels/pixel-load.h"

enum
{
  WINDOW_RING = 2 * FLK_DISPERSION_HALF_MAX + 1,
  WINDOW_COLUMNS = FLK_TILE_FS + 2 * FLK_DISPERSION_HALF_MAX,
  WINDOW_FRESH = 32 /* divides FLK_TILE_SS_CPU and _GPU */
};

#define WINDOW_BIG 16777216.0f /* values from here on count in no sum */

/* Column 0 is half_fs left of the tile's first; columns outside the panel stay 0. */
typedef struct
{
  float value[WINDOW_RING][WINDOW_COLUMNS];     /* 0 where bad, and in rows outside the panel */
  uint8_t counted[WINDOW_RING][WINDOW_COLUMNS]; /* good and below WINDOW_BIG */
  double x[WINDOW_COLUMNS], y[WINDOW_COLUMNS];  /* column sums of values and of their squares */
  int32_t m[WINDOW_COLUMNS];                    /* of `counted` */
  float incoming[WINDOW_COLUMNS];
  uint8_t incoming_counted[WINDOW_COLUMNS];
  double window_m[FLK_TILE_FS];                 /* counted pixels in the window around the tile's column */
  double window_k[FLK_TILE_FS];                 /* m − 1 + σ_b √(2 (m − 1)) */
} Window;

DEVICE_FN void
window_clear (Team t, Window *w, int ring)
{
  for (int i = 0; i < ring; i++)
    TEAM_LOOP (c, WINDOW_COLUMNS, t)
      {
        w->value[i][c] = 0;
        w->counted[i][c] = 0;
      }
  TEAM_LOOP (c, WINDOW_COLUMNS, t)
    {
      w->x[c] = w->y[c] = 0;
      w->m[c] = 0;
    }
}

DEVICE_FN float
window_small (float v)
{
  return v < WINDOW_BIG ? v : 0.0f;
}

/* Row `row` of the panel (zeros where there is none) takes the place of the row a ring before. Returns whether the
 * counted pixels of any column changed (always true in a team of several threads, which cannot know cheaply). */
DEVICE_FN bool
window_push (Team t, Window *w, const FlkPixels *pixels, const Tile *tile, int half_fs, int ring, int row)
{
  int left = tile->fs0 - half_fs > 0 ? 0 : half_fs - tile->fs0; /* columns outside the panel */
  int fs = tile->fs0 - half_fs + left;
  int end = tile->fs1 + half_fs < (int) tile->panel->n_fs ? tile->fs1 + half_fs : (int) tile->panel->n_fs;
  int n = end - fs, slot = row % ring;
  float *RESTRICT incoming = w->incoming, *RESTRICT value = w->value[slot] + left;
  uint8_t *RESTRICT incoming_counted = w->incoming_counted, *RESTRICT counted = w->counted[slot] + left;
  double *RESTRICT x = w->x + left, *RESTRICT y = w->y + left;
  int32_t *RESTRICT m = w->m + left;

  if (row < (int) tile->panel->n_ss)
    pixels_row (t, pixels, tile->panel, tile->panel->offset + (uint64_t) row * tile->panel->stride + (uint64_t) fs, n,
                incoming, incoming_counted);
  else
    TEAM_LOOP (c, n, t)
      {
        incoming[c] = 0;
        incoming_counted[c] = 0;
      }
  VECTOR_LOOP
  TEAM_LOOP (c, n, t)
    {
      double in = window_small (incoming[c]), out = window_small (value[c]);
      x[c] += in - out;
      y[c] += in * in - out * out;
      value[c] = incoming[c];
    }
  uint8_t changed = !TEAM_IS_ONE;
  VECTOR_LOOP
  TEAM_LOOP (c, n, t)
    {
      uint8_t in = (uint8_t) (incoming_counted[c] & (incoming[c] < WINDOW_BIG));
      changed = (uint8_t) (changed | (in ^ counted[c]));
      m[c] += (int) in - (int) counted[c];
      counted[c] = in;
    }
  return changed != 0;
}

/* Column sums from the ring, oldest row first. `oldest` may be negative (rows above the panel are zeros). */
DEVICE_FN void
window_refresh (Team t, Window *w, int ring, int oldest)
{
  TEAM_LOOP (c, WINDOW_COLUMNS, t)
    w->x[c] = w->y[c] = 0;
  for (int row = oldest; row < oldest + ring; row++)
    {
      const float *RESTRICT value = w->value[(row + ring) % ring];
      VECTOR_LOOP
      TEAM_LOOP (c, WINDOW_COLUMNS, t)
        {
          double v = window_small (value[c]);
          w->x[c] += v;
          w->y[c] += v * v;
        }
    }
}

/* window_m and window_k of the tile's columns. */
DEVICE_FN void
window_count (Team t, Window *w, int n, int half_fs, double sigma_background)
{
  VECTOR_LOOP
  TEAM_LOOP (i, n, t)
    {
      int32_t m = 0;
      for (int k = 0; k < 2 * half_fs + 1; k++)
        m += w->m[i + k];
      double count = m;
      w->window_m[i] = count;
      w->window_k[i] = count - 1 + sigma_background * sqrt (2 * (count - 1));
    }
}
