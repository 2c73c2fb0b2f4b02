/* radial.h: 1-D radial profile. Kernel "radial": teams = flk_panels_tile(); zero `bins` first (flk_zero()).
 *
 * Values are rounded to 1/scale and clipped at ±2^23/scale, then summed as whole numbers: the result is the same for
 * any number of teams, any order and any back end. */
#pragma once

#include "kernels/pixels.h"

enum
{
  FLK_RADIAL_BINS_MAX = 2048,
  FLK_RADIAL_NO_BIN = 0xffff
};

/* As the device sums them; read with flk_radial_sum() and _sum_sq(). The split of the squares between low and high
 * depends on the tiles, their sum does not. */
typedef struct
{
  int64_t sum;              /* of v × scale */
  uint64_t sq_low, sq_high; /* of (v × scale)²: low and high 32 bits, each summed */
  uint64_t n;               /* good pixels */
} FlkRadialBin;

typedef struct
{
  FlkPixels pixels;
  const FlkPanel *panels;
  uint32_t n_panels, tile_ss;
  const uint16_t *bin; /* n_pixels: the pixel's bin, FLK_RADIAL_NO_BIN = none */
  uint32_t n_bins;     /* <= FLK_RADIAL_BINS_MAX; a bin number beyond is none */
  float scale;         /* 16: counts up to 2^19 in steps of 1/16 */
  FlkRadialBin *bins;  /* in and out, n_bins */
} FlkRadialArgs;

/* Counts, counts². */
static inline double
flk_radial_sum (const FlkRadialBin *bin, double scale)
{
  return (double) bin->sum / scale;
}

static inline double
flk_radial_sum_sq (const FlkRadialBin *bin, double scale)
{
  uint64_t high = bin->sq_high + (bin->sq_low >> 32), low = bin->sq_low & 0xffffffff;
  return ((double) high * 4294967296.0 + (double) low) / (scale * scale);
}
