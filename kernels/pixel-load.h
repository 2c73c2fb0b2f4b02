/* pixel-load.h: for kernels that read FlkPixels: rows for a whole team, or one pixel. */
#pragma once

#include "kernels/kernel.h"
#include "kernels/pixels.h"

enum
{
  PREFETCH_ROWS = 4,
  PREFETCH_LEAST = 64 /* columns */
};

/* A tile of a panel: what one team works on. */
typedef struct
{
  const FlkPanel *panel;
  uint32_t panel_index;
  int fs0, fs1, ss0, ss1; /* first and beyond-last column and row, in the panel */
} Tile;

DEVICE_FN Tile
tile_of_team (uint32_t team, const FlkPanel *panels, uint32_t n_panels, uint32_t tile_ss)
{
  uint32_t low = 0, high = n_panels; /* the last panel whose first_tile is not beyond `team` */
  while (high - low > 1)
    {
      uint32_t middle = (low + high) / 2;
      if (panels[middle].first_tile <= team)
        low = middle;
      else
        high = middle;
    }
  const FlkPanel *panel = &panels[low];
  uint32_t i = team - panel->first_tile;
  Tile tile;
  tile.panel = panel;
  tile.panel_index = low;
  tile.fs0 = (int) (i % panel->tiles_fs) * FLK_TILE_FS;
  tile.ss0 = (int) (i / panel->tiles_fs * tile_ss);
  tile.fs1 = tile.fs0 + FLK_TILE_FS < (int) panel->n_fs ? tile.fs0 + FLK_TILE_FS : (int) panel->n_fs;
  tile.ss1 = tile.ss0 + (int) tile_ss < (int) panel->n_ss ? tile.ss0 + (int) tile_ss : (int) panel->n_ss;
  return tile;
}

/* Raw values v with low <= v <= high are good: the panel's range in whole numbers of the pixel's type. */
DEVICE_FN void
whole_range (const FlkPanel *panel, double type_min, double type_max, double *low, double *high)
{
  *low = panel->trusted_min >= type_min ? floor (panel->trusted_min) + 1 : type_min;
  *high = panel->trusted_max <= type_max ? ceil (panel->trusted_max) - 1 : type_max;
  if (!(*low <= *high)) /* also when a limit is not a number */
    {
      *low = 1;
      *high = 0;
    }
}

#define PIXEL_ROW_WHOLE(T, WIDE, MIN, MAX)                                                                   \
  {                                                                                                          \
    const T *RESTRICT raw = (const T *) pixels->data + first;                                                \
    double low, high;                                                                                        \
    whole_range (panel, (double) (MIN), (double) (MAX), &low, &high);                                        \
    WIDE l = (WIDE) low, h = (WIDE) high;                                                                    \
    VECTOR_LOOP                                                                                              \
    TEAM_LOOP (i, n, t)                                                                                      \
      {                                                                                                      \
        WIDE v = (WIDE) raw[i];                                                                              \
        value[i] = (float) v;                                                                                \
        good[i] = (uint8_t) ((v >= l) & (v <= h));                                                           \
      }                                                                                                      \
    break;                                                                                                   \
  }

#define PIXEL_ROW_FLOAT(T)                                                                                   \
  {                                                                                                          \
    const T *RESTRICT raw = (const T *) pixels->data + first;                                                \
    T l = (T) panel->trusted_min, h = (T) panel->trusted_max;                                                \
    VECTOR_LOOP                                                                                              \
    TEAM_LOOP (i, n, t)                                                                                      \
      {                                                                                                      \
        float v = (float) raw[i];                                                                            \
        value[i] = v;                                                                                        \
        good[i] = (uint8_t) ((raw[i] > l) & (raw[i] < h) & (v - v == 0));                                    \
      }                                                                                                      \
    break;                                                                                                   \
  }

#if TEAM_IS_ONE
/* A tile's rows lie apart: where panels are wide, in other pages of memory, which no processor foresees. */
DEVICE_FN void
prefetch_row (const void *data, uint64_t first, int n, size_t size)
{
  uintptr_t at = (uintptr_t) data + first * size; /* may lie beyond the shot: nothing is read */
  for (size_t i = 0; i < (size_t) n * size; i += 64)
    __builtin_prefetch ((const void *) (at + i));
}

DEVICE_FN void
pixels_prefetch (const FlkPixels *pixels, const FlkPanel *panel, uint64_t first, int n)
{
  static const uint8_t sizes[] = { 1, 2, 4, 1, 2, 4, 4, 8 };
  uint64_t later = first + PREFETCH_ROWS * (uint64_t) panel->stride;
  prefetch_row (pixels->data, later, n, sizes[pixels->type]);
  if (pixels->mask)
    prefetch_row (pixels->mask, later, n, 1);
  if (pixels->pedestal)
    prefetch_row (pixels->pedestal, later, n, sizeof (float));
  if (pixels->factor)
    prefetch_row (pixels->factor, later, n, sizeof (float));
}
#endif

/* Values and goodness (0 or 1) of `n` pixels of a panel from pixel `first` of the shot's array on. Where a pixel is
 * bad its value is 0. Each thread of the team fills its own TEAM_LOOP share: a barrier is the caller's. */
DEVICE_FN void
pixels_row (Team t, const FlkPixels *pixels, const FlkPanel *panel, uint64_t first, int n,
            float *RESTRICT value, uint8_t *RESTRICT good)
{
#if TEAM_IS_ONE
  if (n >= PREFETCH_LEAST)
    pixels_prefetch (pixels, panel, first, n);
#endif
  switch (pixels->type)
    {
    case FLK_PIXEL_U8:
      PIXEL_ROW_WHOLE (uint8_t, int32_t, 0, UINT8_MAX)
    case FLK_PIXEL_U16:
      PIXEL_ROW_WHOLE (uint16_t, int32_t, 0, UINT16_MAX)
    case FLK_PIXEL_U32:
      PIXEL_ROW_WHOLE (uint32_t, uint32_t, 0, UINT32_MAX)
    case FLK_PIXEL_I8:
      PIXEL_ROW_WHOLE (int8_t, int32_t, INT8_MIN, INT8_MAX)
    case FLK_PIXEL_I16:
      PIXEL_ROW_WHOLE (int16_t, int32_t, INT16_MIN, INT16_MAX)
    case FLK_PIXEL_I32:
      PIXEL_ROW_WHOLE (int32_t, int32_t, INT32_MIN, INT32_MAX)
    case FLK_PIXEL_F32:
      PIXEL_ROW_FLOAT (float)
    default:
      PIXEL_ROW_FLOAT (double)
    }

  if (pixels->pedestal || pixels->factor || pixels->pedestal_all != 0 || pixels->factor_all != 1)
    {
      const float *RESTRICT pedestal = pixels->pedestal ? pixels->pedestal + first : NULL;
      const float *RESTRICT factor = pixels->factor ? pixels->factor + first : NULL;
      float pedestal_all = pixels->pedestal_all, factor_all = pixels->factor_all;
      if (pedestal)
        VECTOR_LOOP
      TEAM_LOOP (i, n, t)
        value[i] -= pedestal[i];
      else VECTOR_LOOP TEAM_LOOP (i, n, t) value[i] -= pedestal_all;
      if (factor)
        VECTOR_LOOP
      TEAM_LOOP (i, n, t)
        value[i] *= factor[i];
      else VECTOR_LOOP TEAM_LOOP (i, n, t) value[i] *= factor_all;
      VECTOR_LOOP
      TEAM_LOOP (i, n, t)
        good[i] = (uint8_t) (good[i] & (value[i] - value[i] == 0));
    }

  if (pixels->mask)
    {
      const uint8_t *RESTRICT mask = pixels->mask + first;
      VECTOR_LOOP
      TEAM_LOOP (i, n, t)
        good[i] = (uint8_t) (good[i] & (mask[i] == 0));
    }
  VECTOR_LOOP
  TEAM_LOOP (i, n, t)
    value[i] = good[i] ? value[i] : 0.0f;
}

/* One pixel, by the same rules. */
DEVICE_FN bool
pixel_at (const FlkPixels *pixels, const FlkPanel *panel, uint64_t index, float *value)
{
  Team alone = { 0, 0, 1 };
  uint8_t good;
  pixels_row (alone, pixels, panel, index, 1, value, &good);
  return good != 0;
}
