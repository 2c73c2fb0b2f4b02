/* dispersion.h: strong pixels, by the index of dispersion in a window.
 *
 * In the window of (2 half_fs + 1) × (2 half_ss + 1) pixels around p, clipped at the panel's edge, over the m good
 * pixels below 2^24 with sum x and sum of squares y; g is the gain, p strong when it is good, p > global,
 * m >= min_local, x >= 0 and
 *     m y − x² > g x (m − 1 + σ_b √(2(m − 1)))   variance over mean is too large for background
 *     m p − x  > σ_s √(g x m)                    the pixel stands above the mean
 * Extended: "halo" (the first condition alone) is eroded by min(half) − 1 pixels (bad pixels count as outside, the
 * panel's edge does not); then p is strong when it lies in the eroded region, p > global, and
 *     p >= b + σ_s √(g b)     b: mean of the good pixels below 2^24 outside the eroded region in a window with
 *                             half-widths + 2; 0 when there are fewer than two
 * (J. Parkhurst et al., the DISTL-like threshold of DIALS: Winter et al. 2018, Acta Cryst. D74, 85; same arithmetic, same
 * order, so that masks are equal pixel by pixel for whole-number data.)
 *
 * Plain: one launch of "dispersion". Extended: "dispersion_halo", "dispersion_erode", "dispersion_extended", in this
 * order with the same arguments. Teams of each = flk_panels_tile(). Team size: 0. */
#pragma once

#include "kernels/pixels.h"

enum
{
  FLK_DISPERSION_HALF_MAX = 7
};

typedef struct
{
  FlkPixels pixels;
  const FlkPanel *panels;
  uint32_t n_panels, tile_ss;
  int32_t half_fs, half_ss; /* 1–7 */
  int32_t min_local;        /* fewest good pixels in a window, >= 2 */
  int32_t padding;
  double sigma_background, sigma_strong;
  double global_threshold; /* counts, >= 0 */
  double gain;             /* counts per photon; used where gain_map is NULL */
  const float *gain_map;   /* n_pixels; may be NULL */
  uint8_t *strong;         /* out, n_pixels: 1 strong; pixels of no panel are not touched */
  uint8_t *scratch;        /* extended only: n_pixels */
} FlkDispersionArgs;
