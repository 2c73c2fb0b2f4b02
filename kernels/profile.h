/* profile.h: strong pixels by a radial profile of robust statistics (DIALS' "radial_profile" threshold, by D. Waterman,
 * after peakfinder8).
 *
 * The pixels of each panel lie in n_bins bins of equal width in 2θ. Of the good pixels of a bin: median m and interquartile
 * range q (linear between order statistics); strong is a good pixel above
 *     m + n_iqr q     but m + 2 g where n_iqr q <= g, g counts a photon
 * Before all this the image may be blurred with a Gauss-like kernel of 3 × 3 (1 2 1) or 5 × 5 (1 4 7 4 1 | 4 16 26 16 4 |
 * 7 26 41 26 7 | …), a panel's edge pixels repeated beyond its edge. Same arithmetic on good whole-number pixels as DIALS';
 * two things differ: bad pixels do not enter the blur, and g is the gain, not its inverse.
 *
 * Launch "profile_values" (teams = flk_panels_tile()), "profile_limits" (teams = n_panels × n_bins), "profile_strong"
 * (flk_panels_tile()) with the same arguments. Order statistics are exact: the same for any team size and back end. */
#pragma once

#include "kernels/pixels.h"

enum
{
  FLK_PROFILE_BINS_MAX = 1000,
  FLK_PROFILE_NO_BIN = 0xffff
};

typedef enum
{
  FLK_BLUR_NONE,
  FLK_BLUR_NARROW,
  FLK_BLUR_WIDE
} FlkBlur;

typedef struct
{
  FlkPixels pixels;
  const FlkPanel *panels;
  uint32_t n_panels, tile_ss;
  const uint16_t *bin; /* n_pixels: the pixel's bin on its panel; FLK_PROFILE_NO_BIN = none */
  const uint32_t
      *place; /* n_pixels: the pixel's place in `by_bin`, by panel, bin, then raster; not read where no bin */
  const uint32_t *start; /* n_panels × n_bins + 1: where a bin's places begin */
  uint32_t n_bins;
  int32_t blur; /* FlkBlur */
  double n_iqr, gain;
  const float *gain_map; /* n_pixels; NULL: `gain`. That of a panel's first pixel is the panel's */
  float *value;          /* n_pixels: blurred, NAN where bad */
  float *by_bin;         /* as many as places: values, INFINITY where bad; their order in a bin may change */
  double *limit;         /* out, n_panels × n_bins */
  uint8_t *strong;       /* out, n_pixels: 1 strong; pixels of no panel are not touched */
} FlkProfileArgs;
