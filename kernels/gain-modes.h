/* gain-modes.h: raw 16-bit pixels of integrating detectors that switch their gain, to values and a mask. Kernel
 * "gain_modes": teams = flk_gain_modes_teams().
 *
 * A pixel has a slot, 0 to 3: the top two bits of its raw value (Jungfrau: 0, 1 and 3 are its gains; ePix10k: bit 14), or,
 * where the gain stage is told by a second value (AGIPD), how many of two thresholds that value exceeds. Its value is
 * ((raw & value_bits) - pedestal[slot]) * factor[slot] * scale, in float and in this order. It is bad, and 0, when its
 * mask byte is not 0, when its slot has no pedestal, or when the value is no number: a NAN in `pedestal` or `factor`
 * is a pixel that is bad in that slot alone. Every array is in the order of the shot's pixels, n long. */
#pragma once

#include <stdint.h>

enum
{
  FLK_GAIN_SLOTS = 4,
  FLK_GAIN_PIXELS = 8192 /* a team */
};

typedef struct
{
  const uint16_t *raw;
  const uint16_t *gain;      /* the second value of each pixel; NULL: slots are in `raw` */
  const float *threshold[2]; /* of `gain`, rising; used only with it */
  const float *pedestal[FLK_GAIN_SLOTS], *factor[FLK_GAIN_SLOTS]; /* both NULL where there is no such slot */
  const uint8_t *mask;                                            /* 0 good; NULL: all good */
  uint64_t n;
  float scale;
  uint32_t value_bits; /* 0x3fff */
  float *values;       /* out */
  uint8_t *bad;        /* out: 0 good, 1 bad */
} FlkGainModesArgs;

static inline uint32_t
flk_gain_modes_teams (uint64_t n)
{
  return (uint32_t) ((n + FLK_GAIN_PIXELS - 1) / FLK_GAIN_PIXELS);
}
