/* spots.h: strong pixels to spots. Kernel "spots": one team a panel (teams = n_panels).
 *
 * Spots are 4-connected or 8-connected components of strong pixels of one panel, in raster order of their first pixel.
 * Intensity, centroid and its variance are those of the strong pixels, background not subtracted (as DIALS' spot finder
 * does): centroid = Σ p x / Σ p with pixel centres at + 0.5; variance = Σ p (x − x̄)² / ((Σp)² − Σp²) + 1/12 px².
 * The background is the mean of the good pixels that are not strong in the spot's bounding box widened by 3 pixels,
 * clipped at the panel's edge.
 *
 * Each panel owns a segment of `list_capacity` entries in `list` (two in `scratch`) and of `spot_capacity` in `spots`. When
 * n_strong or n_spots of a panel exceeds its capacity only that many were kept (no spots at all when the list was too
 * short): enlarge and launch again. */
#pragma once

#include "kernels/pixels.h"

#define FLK_SPOTS_DROPPED 0xffffffffu

typedef struct
{
  uint32_t n_pixels;
  uint32_t peak_fs, peak_ss;               /* px, the brightest pixel (the first of equals in raster order) */
  uint32_t min_fs, max_fs, min_ss, max_ss; /* px, bounding box, both ends inside */
  uint32_t n_background;                   /* pixels */
  float peak;                              /* counts */
  float background;                        /* counts a pixel; 0 when n_background is 0 */
  double intensity, sum_sq;                /* counts Σp, counts² Σp² */
  double fs, ss;                           /* px from the panel's corner, pixel 0 spans 0–1 */
  double var_fs, var_ss;                   /* px² */
} FlkSpot;

typedef struct
{
  FlkPixels pixels;
  const FlkPanel *panels;
  uint32_t n_panels;
  uint32_t list_capacity, spot_capacity; /* a panel */
  uint32_t min_pixels;                   /* smaller spots are dropped; 1 keeps all */
  uint32_t connected;                    /* 8: corners join too; else edges alone */
  const uint8_t *strong;                 /* n_pixels, of "dispersion" */
  uint32_t *list; /* out, n_panels × list_capacity: pixel in the panel, ss × n_fs + fs, ascending */
  /* Out, n_panels × 2 × list_capacity: of each entry of the list the entry where its component begins; then, of such an
   * entry, its spot's number or FLK_SPOTS_DROPPED. */
  uint32_t *scratch;
  FlkSpot *spots;               /* out, n_panels × spot_capacity */
  uint32_t *n_strong, *n_spots; /* out, n_panels each */
  const uint32_t *only;         /* n_panels: panels with 0 keep what they have; NULL: all are done */
} FlkSpotsArgs;
