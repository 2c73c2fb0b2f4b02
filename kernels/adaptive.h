/* adaptive.h: strong pixels without anything to tune: background, noise and gain are those of the shot itself.
 *
 * 1. "adaptive_blocks": mean, variance and maximum of the good pixels of each block of 8 × 8 pixels, and the variance of
 *    its sums of 2 × 2 pixels; `strong` becomes 0.
 * 2. flk_adaptive_noise(), on the host: how much more sums of neighbours vary than single pixels do (all variances are
 *    taken times that); gain g (counts a photon) from the slope of variance over mean, readout noise
 *    from its intercept, by medians, so that spots and bad regions do not count; the significance that leaves
 *    `false_spots` noise peaks a shot. Single pixels may be bright more often than that noise has it (charge of other
 *    origin, harmonics): the tail of the blocks' maxima says which pixel one in 0.6 % of all eights of neighbours holds.
 * 3. "adaptive_spots", every pixel that is a local maximum of the sum over 3 × 3 pixels and stands out from the medians
 *    of mean and variance of the 3 × 3 blocks around by 3.5 σ is judged in its neighbourhood of 15 × 15 pixels:
 *    - background b: mean of the pixels more than 3 px away in fs or ss, those that stand out left out (twice);
 *      variance V: the greatest of theirs, of the blocks', of half the model's at b and of one photon in all of them;
 *    - for boxes of 2 × 2, 3 × 3, 5 × 5 and 7 × 7: n pixels with a sum s above background, taken as photons x against
 *      λ = n V (1 + n/m) / g² expected (m: pixels that gave b): significant when
 *          x ln (x/λ) − (x − λ) > z²/2,   x = λ + s/g − ½
 *      (signed root of the likelihood ratio of Poisson counts; with many photons (s/σ)² > z²);
 *    - at a panel's edge, where pixels are often larger and leak, the outermost line is first brought to the mean and
 *      variance of the others;
 *    - without its brightest pixel some box holds 2 % of that pixel and is still significant: 2.5 σ, and more than one
 *      bright neighbour by chance would be (no hot pixel);
 *    - it is still significant when the background is what goes on through the place in one of eight directions, on both
 *      sides, at 3 to 4 and at 5 to 7 px; 60 % of z²/2 do where 60 % of the sum are left (no ring, no streak).
 *    Strong are its pixels above b + σ in the box and above b + 3 σ around it, as far as they hang together.
 *
 * Teams of both kernels = flk_panels_tile(). Sums are in a fixed order: the same bits on every back end. */
#pragma once

#include "kernels/pixels.h"

enum
{
  FLK_ADAPTIVE_BLOCK = 8 /* px; divides the tiles */
};

/* What a shot says about its detector. */
typedef struct
{
  float spread; /* variance of sums of neighbours over that of as many pixels, >= 1: charge that is shared */
  float gain;   /* counts a photon; tiny where the noise is not that of photons */
  float variance;     /* counts² at mean 0: readout noise², and what a pedestal brings */
  float half_z_sq;    /* z²/2: significance of a spot */
  float half_rest_sq; /* z²/2: of what is left without its brightest pixel */
  uint32_t n_good;    /* blocks that were good enough */
} FlkAdaptiveNoise;

typedef struct
{
  float mean, top;         /* counts; of its brightest pixel */
  float variance, of_sums; /* counts², < 0: too few good pixels; the same of its 2 × 2, for a pixel */
} FlkAdaptiveBlock;

typedef struct
{
  FlkPixels pixels;
  const FlkPanel *panels;
  const uint32_t *first_block; /* n_panels: the panel's first block; blocks go along fs, then ss */
  uint32_t n_panels, tile_ss;
  FlkAdaptiveBlock *blocks; /* out of adaptive_blocks */
  FlkAdaptiveNoise noise;   /* of adaptive_spots */
  uint8_t *strong;          /* out, n_pixels: 1 strong; pixels of no panel are not touched */
} FlkAdaptiveArgs;

/* Columns (rows) of blocks of a panel of n pixels. */
FLK_ANYWHERE static inline uint32_t
flk_adaptive_along (uint32_t n)
{
  return (n + FLK_ADAPTIVE_BLOCK - 1) / FLK_ADAPTIVE_BLOCK;
}

/* Fills first_block[n_panels]; returns the number of blocks. */
static inline uint32_t
flk_adaptive_blocks (const FlkPanel *panels, uint32_t n_panels, uint32_t *first_block)
{
  uint32_t n = 0;
  for (uint32_t i = 0; i < n_panels; i++)
    {
      first_block[i] = n;
      n += flk_adaptive_along (panels[i].n_fs) * flk_adaptive_along (panels[i].n_ss);
    }
  return n;
}

/* The noise of a shot from its blocks (host memory). `n_pixels`: how many could make a false spot. */
void flk_adaptive_noise (const FlkAdaptiveBlock *blocks, uint32_t n_blocks, double false_spots,
                         double n_pixels, FlkAdaptiveNoise *noise);
