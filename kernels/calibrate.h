/* calibrate.h: raw pixels to counts and a mask. Kernel "calibrate": teams = flk_panels_tile().
 * Other kernels read raw pixels by themselves; this one is for who wants the values (viewers, sums over shots). */
#pragma once

#include "kernels/pixels.h"

typedef struct
{
  FlkPixels pixels;
  const FlkPanel *panels;
  uint32_t n_panels, tile_ss;
  float *counts;  /* out, n_pixels: value, 0 where bad. Pixels of no panel are not touched */
  uint8_t *bad;   /* out, n_pixels: 0 good, 1 bad; may be NULL */
  float *picture; /* out, n_pixels: as `counts`, but -INFINITY where bad (see colour.h); may be NULL */
} FlkCalibrateArgs;
