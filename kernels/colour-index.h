/* colour-index.h: what the colour kernel and flk_colour_map() share. */
#pragma once

#include "kernels/colour.h"
#include "kernels/kernel.h"

enum
{
  COLOUR_BAD = 256, /* in the table, after the palette */
  COLOUR_NONE,
  COLOUR_ENTRIES
};

typedef struct
{
  uint32_t table[COLOUR_ENTRIES];
  int32_t index[FLK_COLOUR_CHUNK];
} ColourShared;

/* Where `value` lies in [low, high], 0–1; 0 for what is not a number. */
DEVICE_FN float
colour_position (float value, float low, float per_unit)
{
  float t = (value - low) * per_unit;
  t = t > 0.0f ? t : 0.0f;
  return t < 1.0f ? t : 1.0f;
}

DEVICE_FN float
colour_per_unit (float low, float high)
{
  return high > low ? 1.0f / (high - low) : 0.0f;
}

/* 0–1 to 0–1. */
DEVICE_FN float
colour_curve (float t, int32_t scale)
{
  if (scale == FLK_SCALE_SQRT)
    return sqrtf (t);
  if (scale == FLK_SCALE_LOG)
    return log2_f32 (1.0f + 999.0f * t) * 0.100343332f; /* 1 / log2 1000 */
  return t;
}

/* `scale` is a constant where this is called, so that the loop holds no branch and vectorises. */
DEVICE_FN void
colour_indices (Team t, const FlkColourArgs *a, const float *RESTRICT values, int32_t *RESTRICT index, int n,
                int32_t scale)
{
  float low = a->low, per_unit = colour_per_unit (a->low, a->high);
  VECTOR_LOOP
  TEAM_LOOP (i, n, t)
    {
      float v = values[i];
      int32_t at = (int32_t) (colour_curve (colour_position (v, low, per_unit), scale) * 255.0f + 0.5f);
      at = v == -INFINITY ? COLOUR_BAD : at;
      index[i] = v != v ? COLOUR_NONE : at;
    }
}

/* At most FLK_COLOUR_CHUNK pixels from `first` on. */
DEVICE_FN void
colour_pixels (Team t, ColourShared *sh, const FlkColourArgs *a, uint64_t first, int n)
{
  const float *values = a->values + first;
  uint32_t *RESTRICT out = a->out + first;
  TEAM_LOOP (i, COLOUR_ENTRIES, t)
    sh->table[i] = i == COLOUR_BAD ? a->bad : i == COLOUR_NONE ? a->none : a->lut[i];
  if (a->scale == FLK_SCALE_LOG)
    colour_indices (t, a, values, sh->index, n, FLK_SCALE_LOG);
  else if (a->scale == FLK_SCALE_SQRT)
    colour_indices (t, a, values, sh->index, n, FLK_SCALE_SQRT);
  else
    colour_indices (t, a, values, sh->index, n, FLK_SCALE_LINEAR);
  team_barrier (t);
  VECTOR_LOOP
  TEAM_LOOP (i, n, t)
    out[i] = sh->table[sh->index[i]];
}
