/* ring-peaks.h: what stands above its ring, as peaks: local background, S/N, acceptance (peakfinder8; see rings.h).
 *
 * After "ring_strong" and "spots" (8-connected), one team a panel:
 *
 * "ring_split" (not in compatible mode): a component of more than max_pixels is taken for diffuse scattering. The mean and
 * σ of its own pixels, clipped five times at ± min_snr σ, are its new background: pixels that do not exceed mean + min_snr σ
 * are no longer strong. again[panel] tells "spots" (its `only`) where to begin anew. Once or twice.
 *
 * "ring_peaks": of each spot with at most max_pixels, not all of them in the panel's outermost rows and columns:
 *  - its centre by v − μ of the rings; the background b, σ and maximum of the good pixels in a disc about it that are not
 *    strong;
 *  - total I = Σ (v − b), n pixels; S/N >= min_snr; and its brightest pixel is not below the background's brightest.
 * Kept ones get `background` and `n_background` of the disc; n_pixels = 0 of others.
 *
 * Compatible, exactly as CrystFEL and Cheetah do it: the disc leaves out its last row and column and pixels on their ring's
 * limit; S/N = I / σ, which grows with n rather than √n; σ² = ⟨v²⟩ − b², 0 drops the peak, no pixels at all give 0.01 and
 * the ring's mean; the background's maximum is at least 0; centroids by v itself, drawn to the middle of the pixels.
 * Mended: the whole disc; S/N = I / (σ √(n + n²/m)) with m pixels in the disc, the error of b included; σ² unbiased, and not
 * below that of one photon in the disc; with fewer than five pixels the ring's mean and σ; centroids by v − b. */
#pragma once

#include "kernels/rings.h"
#include "kernels/spots.h"

enum
{
  FLK_RING_DISC_MAX = 60 /* px */
};

typedef struct
{
  FlkSpotsArgs spots;   /* as "spots" had them */
  const uint16_t *ring; /* as "ring_strong" had them */
  const FlkRing *rings;
  uint8_t *strong;       /* in and out, = spots.strong */
  uint32_t *again;       /* out of "ring_split", n_panels: 1 where something changed */
  const float *gain_map; /* n_pixels, counts a photon; may be NULL */
  double gain;           /* where gain_map is NULL */
  uint32_t max_pixels, compatible;
  int32_t radius; /* px, of the disc; <= FLK_RING_DISC_MAX */
  float min_snr;
} FlkRingPeaksArgs;
