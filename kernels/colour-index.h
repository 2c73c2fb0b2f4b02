/* colour-index.h: what the colour kernel and flk_colour_map() share. */
#pragma once

#include "kernels/colour.h"
#include "kernels/kernel.h"

/* t in 0–1 to a palette index. */
DEVICE_FN float
colour_curve (float t, int32_t scale)
{
  if (scale == FLK_SCALE_SQRT)
    return sqrtf (t);
  if (scale == FLK_SCALE_LOG)
    return log2_f32 (1.0f + 999.0f * t) * 0.100343332f; /* 1 / log2 1000 */
  return t;
}

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

DEVICE_FN void
colour_pixels (Team t, const FlkColourArgs *a, uint64_t first, int n)
{
  const float *RESTRICT values = a->values + first;
  uint32_t *RESTRICT out = a->out + first;
  float per_unit = colour_per_unit (a->low, a->high);
  TEAM_LOOP (i, n, t)
    {
      float v = values[i];
      float x = colour_curve (colour_position (v, a->low, per_unit), a->scale);
      uint32_t colour = a->lut[(int) (x * 255.0f + 0.5f)];
      colour = v == -INFINITY ? a->bad : colour;
      out[i] = v != v ? a->none : colour;
    }
}
