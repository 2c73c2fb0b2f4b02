/* gain-modes.c: raw pixels of detectors that switch their gain to values. Nearly every pixel of a shot is in slot 0, so a
 * CPU looks at a block of pixels first and reads the tables of the other slots only where one is used; what is computed
 * of a pixel is the same either way. */
#include "kernels/gain-modes.h"

#include "kernels/kernel.h"

typedef struct
{
  uint8_t unused; /* threads share nothing */
} GainModesShared;

DEVICE_FN uint32_t
slot_of (const FlkGainModesArgs *a, uint64_t i)
{
  if (!a->gain)
    return (uint32_t) a->raw[i] >> 14;
  float gain = (float) a->gain[i];
  return (uint32_t) (gain > a->threshold[0][i]) + (uint32_t) (gain > a->threshold[1][i]);
}

DEVICE_FN void
put_pixel (const FlkGainModesArgs *a, uint64_t i, float pedestal, float factor, bool known)
{
  float value = ((float) ((uint32_t) a->raw[i] & a->value_bits) - pedestal) * factor * a->scale;
  bool good = known & (value - value == 0) & (!a->mask || a->mask[i] == 0);
  a->values[i] = good ? value : 0.0f;
  a->bad[i] = (uint8_t) !good;
}

#if TEAM_IS_ONE

enum
{
  BLOCK = 128
};

/* All of the block in one slot, which has tables. */
DEVICE_FN void
one_slot (const FlkGainModesArgs *a, uint64_t first, int n, uint32_t slot)
{
  const uint16_t *RESTRICT raw = a->raw + first;
  const float *RESTRICT pedestal = a->pedestal[slot] + first;
  const float *RESTRICT factor = a->factor[slot] + first;
  float *RESTRICT values = a->values + first;
  uint8_t *RESTRICT bad = a->bad + first;
  uint32_t bits = a->value_bits;
  float scale = a->scale;
  if (a->mask)
    {
      const uint8_t *RESTRICT mask = a->mask + first;
      VECTOR_LOOP
      for (int i = 0; i < n; i++)
        {
          float value = ((float) ((uint32_t) raw[i] & bits) - pedestal[i]) * factor[i] * scale;
          uint8_t good = (uint8_t) ((value - value == 0) & (mask[i] == 0));
          values[i] = good ? value : 0.0f;
          bad[i] = (uint8_t) !good;
        }
      return;
    }
  VECTOR_LOOP
  for (int i = 0; i < n; i++)
    {
      float value = ((float) ((uint32_t) raw[i] & bits) - pedestal[i]) * factor[i] * scale;
      uint8_t good = value - value == 0;
      values[i] = good ? value : 0.0f;
      bad[i] = (uint8_t) !good;
    }
}

/* The slots of a block; returns which occur, a bit each. */
DEVICE_FN uint32_t
slots_of_block (const FlkGainModesArgs *a, uint64_t first, int n, uint8_t *RESTRICT slots)
{
  const uint16_t *RESTRICT raw = a->raw + first;
  uint32_t seen = 0;
  if (a->gain)
    {
      const uint16_t *RESTRICT gain = a->gain + first;
      const float *RESTRICT low = a->threshold[0] + first, *RESTRICT high = a->threshold[1] + first;
      VECTOR_LOOP
      for (int i = 0; i < n; i++)
        slots[i] = (uint8_t) (((float) gain[i] > low[i]) + ((float) gain[i] > high[i]));
      VECTOR_LOOP
      for (int i = 0; i < n; i++)
        seen |= 1u << slots[i];
      return seen;
    }
  uint32_t any = 0;
  VECTOR_LOOP
  for (int i = 0; i < n; i++)
    any |= raw[i];
  if ((any & 0xc000u) == 0)
    return 1;
  VECTOR_LOOP
  for (int i = 0; i < n; i++)
    slots[i] = (uint8_t) (raw[i] >> 14);
  VECTOR_LOOP
  for (int i = 0; i < n; i++)
    seen |= 1u << slots[i];
  return seen;
}

DEVICE_FN void
gain_modes_body (Team t, GainModesShared *sh, const FlkGainModesArgs *a)
{
  uint64_t first = (uint64_t) t.index * FLK_GAIN_PIXELS, end = first + FLK_GAIN_PIXELS;
  uint8_t slots[BLOCK];
  (void) sh;
  end = end < a->n ? end : a->n;
  for (uint64_t at = first; at < end; at += BLOCK)
    {
      int n = (int) (end - at < BLOCK ? end - at : BLOCK);
      uint32_t seen = slots_of_block (a, at, n, slots);
      if (seen == 1 && a->pedestal[0])
        {
          one_slot (a, at, n, 0);
          continue;
        }
      if (seen == 1)
        memset (slots, 0, sizeof slots);
      for (int i = 0; i < n; i++)
        {
          bool known = a->pedestal[slots[i]] != NULL;
          put_pixel (a, at + (uint64_t) i, known ? a->pedestal[slots[i]][at + (uint64_t) i] : 0,
                     known ? a->factor[slots[i]][at + (uint64_t) i] : 0, known);
        }
    }
}

#else

DEVICE_FN void
gain_modes_body (Team t, GainModesShared *sh, const FlkGainModesArgs *a)
{
  uint64_t first = (uint64_t) t.index * FLK_GAIN_PIXELS;
  uint64_t n = a->n - first < FLK_GAIN_PIXELS ? a->n - first : FLK_GAIN_PIXELS;
  (void) sh;
  TEAM_LOOP (k, n, t)
    {
      uint64_t i = first + (uint64_t) k;
      uint32_t slot = slot_of (a, i);
      bool known = a->pedestal[slot] != 0;
      put_pixel (a, i, known ? a->pedestal[slot][i] : 0.0f, known ? a->factor[slot][i] : 0.0f, known);
    }
}

#endif

KERNEL (gain_modes, FlkGainModesArgs, GainModesShared, 256)
