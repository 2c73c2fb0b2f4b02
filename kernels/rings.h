/* rings.h: pixels that stand out of their ring about the beam: radial statistics, clipped in rounds, and the limits that
 * follow (peakfinder8: Barty et al. 2014, J. Appl. Cryst. 47, 1118).
 *
 * Of the good pixels of ring r whose value lies between low[r] and high[r]: mean μ and σ² = ⟨v²⟩ − μ²; then
 *     high = max (threshold, μ + min_snr σ)     low = μ − min_snr σ
 * five times, the first time of all pixels. Strong is a good pixel above its ring's high.
 *
 * Launch, with the same arguments: "ring_sums" (zero `all` and `out` first), then five times "ring_limits" (1 team) with
 * "ring_outliers" between them, then "ring_strong". Teams of all others = flk_panels_tile(). Sums are of whole numbers (as
 * radial.h): the same for any number of teams and any back end. A chunk of 64 pixels keeps its extremes, so that the later
 * rounds read only those chunks that may hold an outlier: the pixels are read about once.
 *
 * `compatible`: as CrystFEL and Cheetah have it: a value on a limit is out of the ring (so a ring of equal values becomes
 * empty), and an empty ring takes only positive values in its next round. Otherwise values on a limit are in, and an empty
 * ring takes all. */
#pragma once

#include <stdbool.h>

#include "kernels/pixels.h"
#include "kernels/radial.h"

enum
{
  FLK_RING_ROUNDS = 5,
  FLK_RING_CHUNK = 64,
  FLK_RING_CHUNKS = FLK_TILE_FS / FLK_RING_CHUNK, /* of a tile's row */
  FLK_RING_AROUND = 68,                           /* rings that a chunk may touch, from its first on */
  FLK_RING_SPAN = 640,                            /* rings that a tile may touch, from its first on */
  FLK_RING_NONE = 0xffff
};

typedef struct
{
  float mean, sigma, low, high; /* counts */
} FlkRing;

/* Between these no pixel of a chunk is an outlier that begins with this ring. */
typedef struct
{
  float low, high;
} FlkRingAround;

/* The rings that a tile touches; none: count 0. */
typedef struct
{
  uint16_t first, count; /* count <= FLK_RING_SPAN */
} FlkRingTile;

/* The smallest and largest value of a chunk's good pixels that have a ring; (INFINITY, -INFINITY) of none. */
typedef struct
{
  float min, max;
} FlkRingExtremes;

typedef struct
{
  FlkPixels pixels;
  const FlkPanel *panels;
  uint32_t n_panels, tile_ss;
  const uint16_t
      *ring; /* n_pixels: the pixel's ring, FLK_RING_NONE = none; steps of at most one ring a pixel */
  const uint16_t *first; /* flk_ring_chunk() each: the chunk's first ring, FLK_RING_NONE = no pixel has one */
  const FlkRingTile *tiles; /* a team each */
  uint32_t n_rings, compatible;
  float scale; /* values are summed in steps of 1/scale and clipped at ±2^23/scale */
  float min_snr, threshold;
  uint32_t alone; /* flk_device_threads() is 1: teams run one after the other, sums need not be atomic */
  FlkRadialBin *all, *out;   /* n_rings: of all pixels; of the outliers of this round */
  FlkRing *rings;            /* out, n_rings */
  FlkRingAround *around;     /* n_rings */
  FlkRingExtremes *extremes; /* flk_ring_chunk() each */
  uint8_t *strong;           /* out, n_pixels: 1 strong; pixels of no panel are not touched */
} FlkRingsArgs;

/* Number of the chunk of team `team`'s row `row` (from its tile's first) at column `fs` (from its tile's first); of
 * team = the number of teams and 0, 0: how many there are. */
FLK_ANYWHERE static inline uint64_t
flk_ring_chunk (uint64_t team, uint32_t tile_ss, uint32_t row, uint32_t fs)
{
  return (team * tile_ss + row) * FLK_RING_CHUNKS + fs / FLK_RING_CHUNK;
}

/* Fills `first` and `tiles` of a map of rings, for panels that flk_panels_tile() dealt; returns the number of rings. Plain
 * code on host memory: once a detector. */
#ifdef __cplusplus
extern "C"
#endif
    uint32_t
    flk_rings_plan (const FlkPanel *panels, uint32_t n_panels, uint32_t teams, uint32_t tile_ss,
                    const uint16_t *ring, uint16_t *first, FlkRingTile *tiles);
