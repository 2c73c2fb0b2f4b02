/* dispersion-window.h: sums over a window that slides down a tile; what the two threshold kernels share.
 *
 * Each column keeps the sums over the window's rows; a row comes in, another (kept in a ring of rows) goes out; a
 * window's sums are those of its columns. Sums are doubles, exact for whole numbers as long as a window's sum of
 * squares stays below 2^53 (4 million counts in every pixel). For other numbers they start afresh at every 32nd row of
 * the panel and always add in the same order, so that they do not depend on how the panel was cut into tiles.
 *
 * Where a team is one thread, sums of whole numbers are 32-bit integers, twice as many to a vector. They are always right
 * modulo 2^32, so right as long as no pixel in the window is large; while one is, the sums are doubles as well. */
#pragma once

#include "kernels/dispersion.h"
#include "kernels/pixel-load.h"

enum
{
  WINDOW_HALF_MAX = FLK_DISPERSION_HALF_MAX + 2, /* the extended form's second window */
  WINDOW_RING = 2 * WINDOW_HALF_MAX + 1,
  WINDOW_COLUMNS = FLK_TILE_FS + 2 * WINDOW_HALF_MAX,
  WINDOW_FRESH = 32, /* divides FLK_TILE_SS_CPU and _GPU */
  /* Columns that a thread tests together: vectors on a CPU; divides FLK_TILE_FS. */
  WINDOW_CHUNK = TEAM_IS_ONE ? 64 : 1
};

#define WINDOW_BIG 16777216.0f /* values from here on count in no sum */

/* Which window over which tile. `excluded` (n_pixels, may be NULL) is not counted. */
typedef struct
{
  const FlkPixels *pixels;
  const uint8_t *excluded;
  Tile tile;
  int half_fs, half_ss;
  bool squares; /* whether y is wanted */
  bool whole;   /* integer sums may be used: whole numbers, a team of one */
  float large;  /* whole: the greatest value whose square may stand in every pixel of a window */
} WindowPlace;

/* Column 0 is half_fs left of the tile's first; columns outside the panel stay 0. */
typedef struct
{
  float value[WINDOW_RING][WINDOW_COLUMNS];     /* 0 where bad or excluded, and in rows outside the panel */
  uint8_t counted[WINDOW_RING][WINDOW_COLUMNS]; /* good, not excluded, and below WINDOW_BIG */
  double x[WINDOW_COLUMNS], y[WINDOW_COLUMNS];  /* column sums of values and of their squares */
  int32_t m[WINDOW_COLUMNS];                    /* of `counted` */
  uint32_t whole_x[WINDOW_COLUMNS], whole_y[WINDOW_COLUMNS]; /* WindowPlace.whole: the same, modulo 2^32 */
  int large_rows; /* whole: rows to come until no large pixel is in the ring; 0: x and y are stale */
  bool far_below; /* whole: a value was below −WINDOW_BIG: its square is not exact */
  float incoming[WINDOW_COLUMNS];
  uint8_t incoming_counted[WINDOW_COLUMNS];
  double window_m[FLK_TILE_FS];      /* dispersion: counted pixels in the window around the column */
  double window_k[FLK_TILE_FS];      /* m − 1 + σ_b √(2 (m − 1)) */
  float window_m_above[FLK_TILE_FS]; /* slightly above m */
  float window_gain_k[FLK_TILE_FS];  /* gain k */
} Window;

/* Whether pixels are whole numbers, whose sums (not of squares) are exact in any order. */
DEVICE_FN bool
window_is_exact (const FlkPixels *p)
{
  return p->type <= FLK_PIXEL_I32 && !p->pedestal && !p->factor && p->pedestal_all == 0 && p->factor_all == 1;
}

/* Columns of a window over a tile. */
DEVICE_FN int
window_columns (const WindowPlace *place)
{
  return place->tile.fs1 - place->tile.fs0 + 2 * place->half_fs;
}

DEVICE_FN void
window_clear (Team t, Window *w, const WindowPlace *place)
{
  for (int i = 0; i < 2 * place->half_ss + 1; i++)
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
  if (place->whole)
    {
      memset (w->whole_x, 0, sizeof w->whole_x);
      memset (w->whole_y, 0, sizeof w->whole_y);
      w->large_rows = 0;
      w->far_below = false;
    }
}

DEVICE_FN float
window_small (float v)
{
  return v < WINDOW_BIG ? v : 0.0f;
}

/* Whether the doubles x and y are right: always, but in a window of whole numbers without large ones. */
DEVICE_FN bool
window_is_wide (const Window *w, const WindowPlace *place)
{
  return !place->whole || w->large_rows > 0;
}

/* The integer sums of `n` columns, by the row that comes in and the one that goes out. */
DEVICE_FN void
window_push_whole (Window *w, const WindowPlace *place, const float *RESTRICT value, int left, int n)
{
  const float *RESTRICT incoming = w->incoming;
  uint32_t *RESTRICT x = w->whole_x + left, *RESTRICT y = w->whole_y + left;
  float large = place->large;
  int any_large = 0, any_far = 0;
  VECTOR_LOOP
  for (int c = 0; c < n; c++)
    {
      uint32_t in = (uint32_t) (int32_t) window_small (incoming[c]),
               out = (uint32_t) (int32_t) window_small (value[c]);
      x[c] += in - out;
      y[c] += in * in - out * out;
      any_large |= (incoming[c] > large) | (incoming[c] < -large);
      any_far |= incoming[c] < -WINDOW_BIG;
    }
  w->far_below |= any_far != 0;
  if (any_large)
    w->large_rows = -1; /* the caller's to count from */
}

/* Column sums from the ring, oldest row first. `oldest` may be negative (rows above the panel are zeros). */
DEVICE_FN void
window_refresh (Team t, Window *w, const WindowPlace *place, int oldest)
{
  int ring = 2 * place->half_ss + 1, n = window_columns (place);
  double *RESTRICT x = w->x, *RESTRICT y = w->y;
  TEAM_LOOP (c, n, t)
    x[c] = y[c] = 0;
  for (int row = oldest; row < oldest + ring; row++)
    {
      const float *RESTRICT value = w->value[(row + ring) % ring];
      VECTOR_LOOP
      TEAM_LOOP (c, n, t)
        {
          double v = (double) window_small (value[c]);
          x[c] += v;
          y[c] += v * v;
        }
    }
}

/* Row `row` of the panel (zeros where there is none) takes the place of the row a ring before. Returns whether the
 * counted pixels of any column changed (always true in a team of several threads, which cannot know cheaply). The place
 * comes by value, so that its constants stay constant for the callers. */
LARGE_FN bool
window_push (Team t, Window *w, WindowPlace at, int row)
{
  const WindowPlace *place = &at;
  const FlkPanel *panel = place->tile.panel;
  int begin = place->tile.fs0 - place->half_fs, end = place->tile.fs1 + place->half_fs;
  int left = begin < 0 ? -begin : 0; /* columns outside the panel */
  int n = (end < (int) panel->n_fs ? end : (int) panel->n_fs) - begin - left;
  int slot = row % (2 * place->half_ss + 1);
  float *RESTRICT incoming = w->incoming, *RESTRICT value = w->value[slot] + left;
  uint8_t *RESTRICT incoming_counted = w->incoming_counted, *RESTRICT counted = w->counted[slot] + left;
  double *RESTRICT x = w->x + left, *RESTRICT y = w->y + left;
  int32_t *RESTRICT m = w->m + left;

  if (row < (int) panel->n_ss)
    {
      uint64_t first = panel->offset + (uint64_t) row * panel->stride + (uint64_t) (begin + left);
      pixels_row (t, place->pixels, panel, first, n, incoming, incoming_counted);
      if (place->excluded)
        {
          const uint8_t *RESTRICT excluded = place->excluded + first;
          VECTOR_LOOP
          TEAM_LOOP (c, n, t)
            {
              incoming_counted[c] = (uint8_t) (incoming_counted[c] & (excluded[c] == 0));
              incoming[c] = excluded[c] ? 0.0f : incoming[c];
            }
        }
    }
  else
    TEAM_LOOP (c, n, t)
      {
        incoming[c] = 0;
        incoming_counted[c] = 0;
      }
  bool refresh = false;
  if (place->whole)
    {
      int before = w->large_rows;
      window_push_whole (w, place, value, left, n);
      refresh = before == 0 && w->large_rows < 0;
      w->large_rows = w->large_rows < 0 ? 2 * place->half_ss + 1 : before > 0 ? before - 1 : 0;
    }
  if (window_is_wide (w, place))
    {
      VECTOR_LOOP
      TEAM_LOOP (c, n, t)
        {
          double in = (double) window_small (incoming[c]), out = (double) window_small (value[c]);
          x[c] += in - out;
          if (place->squares)
            y[c] += in * in - out * out;
        }
    }
  uint8_t changed = !TEAM_IS_ONE;
  VECTOR_LOOP
  TEAM_LOOP (c, n, t)
    {
      value[c] = incoming[c];
      incoming_counted[c] = (uint8_t) (incoming_counted[c] & (incoming[c] < WINDOW_BIG));
      changed = (uint8_t) (changed | (incoming_counted[c] ^ counted[c]));
    }
  if (refresh)
    window_refresh (t, w, place, row - 2 * place->half_ss);
  if (changed)
    VECTOR_LOOP
  TEAM_LOOP (c, n, t)
    {
      m[c] += (int) incoming_counted[c] - (int) counted[c];
      counted[c] = incoming_counted[c];
    }
  return changed != 0;
}

/* Makes the rows before the tile's first one known. */
DEVICE_FN void
window_start (Team t, Window *w, const WindowPlace *place)
{
  int first = place->tile.ss0 - place->half_ss;
  window_clear (t, w, place);
  team_barrier (t);
  for (int row = first > 0 ? first : 0; row < place->tile.ss0 + place->half_ss; row++)
    window_push (t, w, *place, row);
}

/* Slides the window onto `row` of the tile, the next one. The barrier is passed: columns may be read. Returns whether
 * counts of pixels may have changed. */
DEVICE_FN bool
window_slide (Team t, Window *w, const WindowPlace *place, int row)
{
  bool changed = window_push (t, w, *place, row + place->half_ss);
  team_barrier (t);
  if (row % WINDOW_FRESH == 0 && window_is_wide (w, place))
    {
      window_refresh (t, w, place, row - place->half_ss);
      team_barrier (t);
    }
  return changed || row == place->tile.ss0;
}

/* sum[i] of columns [i, i + 2 half], for a chunk; always added from the left. The usual widths are written out, since
 * only then they vectorise. */
#define WINDOW_SUM(name, type)                                                                               \
  DEVICE_FN void name (const type *RESTRICT c, int half, type *RESTRICT sum)                                 \
  {                                                                                                          \
    if (half == 3)                                                                                           \
      {                                                                                                      \
        VECTOR_LOOP                                                                                          \
        for (int i = 0; i < WINDOW_CHUNK; i++)                                                               \
          sum[i] = c[i] + c[i + 1] + c[i + 2] + c[i + 3] + c[i + 4] + c[i + 5] + c[i + 6];                   \
        return;                                                                                              \
      }                                                                                                      \
    if (half == 5)                                                                                           \
      {                                                                                                      \
        VECTOR_LOOP                                                                                          \
        for (int i = 0; i < WINDOW_CHUNK; i++)                                                               \
          sum[i] = c[i] + c[i + 1] + c[i + 2] + c[i + 3] + c[i + 4] + c[i + 5] + c[i + 6] + c[i + 7]         \
                   + c[i + 8] + c[i + 9] + c[i + 10];                                                        \
        return;                                                                                              \
      }                                                                                                      \
    for (int i = 0; i < WINDOW_CHUNK; i++)                                                                   \
      sum[i] = c[i];                                                                                         \
    for (int k = 1; k <= 2 * half; k++)                                                                      \
      for (int i = 0; i < WINDOW_CHUNK; i++)                                                                 \
        sum[i] += c[i + k];                                                                                  \
  }
WINDOW_SUM (window_sum, double)
WINDOW_SUM (window_sum_count, int32_t)
WINDOW_SUM (window_sum_whole, uint32_t)
#undef WINDOW_SUM

/* Whether any of a chunk's bytes is not 0. */
DEVICE_FN bool
window_any (const uint8_t *flags)
{
  uint64_t any = 0, eight;
  for (int i = 0; i + 8 <= WINDOW_CHUNK; i += 8)
    {
      memcpy (&eight, flags + i, 8);
      any |= eight;
    }
  for (int i = WINDOW_CHUNK / 8 * 8; i < WINDOW_CHUNK; i++)
    any |= flags[i];
  return any != 0;
}

/* Copies up to a chunk of bytes; a whole one in one go. */
DEVICE_FN void
window_copy (uint8_t *to, const uint8_t *from, int width)
{
  if (width == WINDOW_CHUNK)
    memcpy (to, from, WINDOW_CHUNK);
  else
    for (int i = 0; i < width; i++)
      to[i] = from[i];
}

/* Whether any of a chunk's pixels is above `threshold`. */
DEVICE_FN bool
window_any_above (const float *RESTRICT value, float threshold)
{
  int any = 0;
  VECTOR_LOOP
  for (int i = 0; i < WINDOW_CHUNK; i++)
    any |= value[i] > threshold;
  return any != 0;
}

/* The greatest float that is not above `threshold`: floats are above it that are above `threshold`. */
DEVICE_FN float
window_below (double threshold)
{
  float below = (float) threshold;
  return (double) below > threshold ? nextafterf (below, -INFINITY) : below;
}
