/* adaptive-noise.c: gain and readout noise of a shot from means and variances of its blocks; plain host code.
 *
 * Photons of g counts each on a pedestal with readout noise have variance = g (mean − pedestal) + readout²: a straight
 * line. A spot lifts a block off it; so blocks go by their means into classes of equal number, medians stand for each
 * class, and the slope is the median of those between pairs of classes (Theil 1950; Sen 1968), each weighed by the means'
 * distance, up to that between the quartiles: the brightest class may be spots alone. Where the light is the same everywhere, means vary by chance alone; then the slope is κ₃/κ₂, which is what
 * the tail of the counts needs. */
#include "kernels/adaptive.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#define SPREAD_MOST  4.0
#define MEDIAN_OF_15 1.035 /* mean over median of variances of 16 sums, beside that of 64 pixels */
#define REST_LEAST   3.125 /* 2.5²/2 */
#define REST_MOST    8.0   /* 4²/2: spots of a strong shot are not to hide each other */
#define TOPS         0.952 /* 1 − exp (−64 · 0.0062/8): what noise does beside a pixel as often as it reaches 2.5 σ */

enum
{
  PIXELS = FLK_ADAPTIVE_BLOCK * FLK_ADAPTIVE_BLOCK,
  SAMPLE = 2048,
  CLASSES = 16,
  FEWEST = 64 /* blocks that a slope can be had from */
};

typedef struct
{
  float mean, variance;
} Block;

static int
by_mean (const void *a, const void *b)
{
  float x = ((const Block *) a)->mean, y = ((const Block *) b)->mean;
  return (x > y) - (x < y);
}

#define KEY(block) (*(const float *) ((const char *) (block) + key))

/* Puts the block of rank `rank` by the field at offset `key` to its place, smaller ones before it (Hoare 1961). */
static const Block *
select_block (Block *blocks, unsigned n, unsigned rank, size_t key)
{
  long low = 0, high = (long) n - 1;
  while (low < high)
    {
      float pivot = KEY (&blocks[(low + high) / 2]);
      long i = low, j = high;
      while (i <= j)
        {
          while (KEY (&blocks[i]) < pivot)
            i++;
          while (KEY (&blocks[j]) > pivot)
            j--;
          if (i > j)
            break;
          Block swap = blocks[i];
          blocks[i++] = blocks[j];
          blocks[j--] = swap;
        }
      if ((long) rank <= j)
        high = j;
      else if ((long) rank >= i)
        low = i;
      else
        break;
    }
  return &blocks[rank];
}

static float
select_variance (Block *blocks, unsigned n, unsigned rank)
{
  return select_block (blocks, n, rank, offsetof (Block, variance))->variance;
}

/* Slope with its weight. */
static double
weighted_median (Block *slopes, unsigned n)
{
  double total = 0, sum = 0;
  qsort (slopes, n, sizeof *slopes, by_mean);
  for (unsigned i = 0; i < n; i++)
    total += (double) slopes[i].variance;
  for (unsigned i = 0; i < n; i++)
    if ((sum += (double) slopes[i].variance) >= 0.5 * total)
      return (double) slopes[i].mean;
  return 0;
}

/* z of a one-sided normal tail. */
static double
normal_tail (double p)
{
  double low = 0, high = 38;
  for (int i = 0; i < 60; i++)
    {
      double z = 0.5 * (low + high);
      *(0.5 * erfc (z * M_SQRT1_2) > p ? &low : &high) = z;
    }
  return high;
}

/* How much more sums of neighbours vary than they would without shared charge: photons that fall on a corner count in
 * four pixels, and it is their sum that must stand out. */
static double
find_spread (const FlkAdaptiveBlock *blocks, uint32_t n_blocks)
{
  Block pixels[SAMPLE];
  float sums[SAMPLE];
  uint32_t step = (n_blocks + SAMPLE - 1) / SAMPLE;
  unsigned n = 0;
  for (uint32_t i = 0; i < n_blocks; i += step)
    if (blocks[i].of_sums >= 0)
      {
        pixels[n].variance = blocks[i].variance;
        sums[n++] = blocks[i].of_sums;
      }
  if (n < FEWEST)
    return 1;
  double single = (double) select_variance (pixels, n, n / 2);
  for (unsigned i = 0; i < n; i++)
    pixels[i].variance = sums[i];
  double of_both = MEDIAN_OF_15 * (double) select_variance (pixels, n, n / 2);
  return single > 0 ? fmin (fmax (of_both / single, 1), SPREAD_MOST) : 1;
}

static unsigned
take_sample (const FlkAdaptiveBlock *blocks, uint32_t n_blocks, Block *sample)
{
  uint32_t step = (n_blocks + SAMPLE - 1) / SAMPLE;
  unsigned n = 0;
  for (uint32_t i = 0; i < n_blocks; i += step)
    if (blocks[i].variance >= 0)
      sample[n++] = (Block){ blocks[i].mean, blocks[i].variance };
  return n;
}

/* Medians of each class of blocks of about the same mean. */
static void
find_classes (Block *sample, unsigned n, Block class[CLASSES])
{
  for (unsigned c = 0, begin = 0; c < CLASSES; c++)
    {
      unsigned end = n * (c + 1) / CLASSES, middle = (end - begin) / 2;
      Block *own = sample + begin;
      if (end < n)
        select_block (own, n - begin, end - begin, offsetof (Block, mean));
      class[c].mean = select_block (own, end - begin, middle, offsetof (Block, mean))->mean;
      class[c].variance = select_variance (own, end - begin, middle);
      begin = end;
    }
}

/* z²/2 that is asked of a spot without its brightest pixel: more than one bright pixel among three makes. */
static double
find_rest (const FlkAdaptiveBlock *blocks, uint32_t n_blocks, const FlkAdaptiveNoise *noise)
{
  Block tops[SAMPLE];
  uint32_t step = (n_blocks + SAMPLE - 1) / SAMPLE;
  unsigned n = 0;
  for (uint32_t i = 0; i < n_blocks; i += step)
    {
      const FlkAdaptiveBlock *b = &blocks[i];
      if (b->of_sums < 0) /* pixels are missing */
        continue;
      double mean = (PIXELS * (double) b->mean - (double) b->top) / (PIXELS - 1), gain = (double) noise->gain;
      double variance = fmax ((double) noise->variance + gain * mean, gain * gain / PIXELS);
      gain = fmax (gain, 0.01 * sqrt (variance));
      double expected = variance / (gain * gain), more = fmax (((double) b->top - mean) / gain - 0.5, 0);
      double half_sq = expected > 0 ? more * more / (2 * expected) : 0;
      if (half_sq > 3 * REST_LEAST) /* else it is not more, and does not matter */
        half_sq = (expected + more) * log1p (more / expected) - more;
      tops[n++].variance = (float) half_sq;
    }
  if (n < FEWEST)
    return REST_LEAST;
  return fmin (fmax ((double) select_variance (tops, n, (unsigned) (TOPS * n)) / 3, REST_LEAST), REST_MOST);
}

void
flk_adaptive_noise (const FlkAdaptiveBlock *blocks, uint32_t n_blocks, double false_spots, double n_pixels,
                    FlkAdaptiveNoise *noise)
{
  Block sample[SAMPLE], class[CLASSES], slope[CLASSES * CLASSES / 2];
  unsigned n = n_blocks > 0 ? take_sample (blocks, n_blocks, sample) : 0, n_slopes = 0;
  double z = normal_tail (fmin (0.01, false_spots / fmax (n_pixels, 1)));
  *noise = (FlkAdaptiveNoise){
    .spread = 1, .half_z_sq = (float) (0.5 * z * z), .half_rest_sq = (float) REST_LEAST, .n_good = n
  };
  if (n < FEWEST)
    return;
  find_classes (sample, n, class);
  float middle = class[3 * CLASSES / 4 - 1].mean - class[CLASSES / 4].mean;
  for (unsigned i = 0; i < CLASSES; i++)
    for (unsigned k = i + 1; k < CLASSES; k++)
      {
        float apart = class[k].mean - class[i].mean;
        if (apart > 0)
          slope[n_slopes++] = (Block){ (class[k].variance - class[i].variance) / apart,
                                       middle > 0 ? fminf (apart, middle) : apart };
      }
  double gain = n_slopes > 0 ? fmax (weighted_median (slope, n_slopes), 0) : 0;
  Block rest[CLASSES];
  for (unsigned c = 0; c < CLASSES; c++)
    rest[c].variance = (float) ((double) class[c].variance - gain * (double) class[c].mean);
  float low = select_variance (rest, CLASSES, CLASSES / 2 - 1),
        high = select_variance (rest, CLASSES, CLASSES / 2);
  double spread = find_spread (blocks, n_blocks);
  noise->spread = (float) spread;
  noise->gain = (float) (spread * gain);
  noise->variance = 0.5f * noise->spread * (low + high);
  noise->half_rest_sq = (float) find_rest (blocks, n_blocks, noise);
}
