/* adaptive-noise.c: gain and readout noise of a shot from means and variances of its blocks; plain host code.
 *
 * Photons of g counts each on a pedestal with readout noise have variance = g (mean − pedestal) + readout²: a straight
 * line. A spot lifts a block off it; so blocks go by their means into classes of equal number, medians stand for each
 * class, and the slope is the median of those between pairs of classes (Theil 1950; Sen 1968), each weighed by the means'
 * distance, up to that between the quartiles: the brightest class may be spots alone. Where the light is the same everywhere, means vary by chance alone; then the slope is κ₃/κ₂, which is what
 * the tail of the counts needs. */
#include "kernels/adaptive.h"

#include <math.h>
#include <stdlib.h>

#define SPREAD_MOST  4.0
#define MEDIAN_OF_15 1.035 /* mean over median of variances of 16 sums, beside that of 64 pixels */

enum
{
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

static int
by_variance (const void *a, const void *b)
{
  float x = ((const Block *) a)->variance, y = ((const Block *) b)->variance;
  return (x > y) - (x < y);
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
find_spread (const float *variance, const float *of_sums, uint32_t n_blocks)
{
  Block pixels[SAMPLE];
  float sums[SAMPLE];
  uint32_t step = (n_blocks + SAMPLE - 1) / SAMPLE;
  unsigned n = 0;
  for (uint32_t i = 0; i < n_blocks; i += step)
    if (of_sums[i] >= 0)
      {
        pixels[n].variance = variance[i];
        sums[n++] = of_sums[i];
      }
  if (n < FEWEST)
    return 1;
  qsort (pixels, n, sizeof *pixels, by_variance);
  double single = (double) pixels[n / 2].variance;
  for (unsigned i = 0; i < n; i++)
    pixels[i].variance = sums[i];
  qsort (pixels, n, sizeof *pixels, by_variance);
  double of_both = MEDIAN_OF_15 * (double) pixels[n / 2].variance;
  return single > 0 ? fmin (fmax (of_both / single, 1), SPREAD_MOST) : 1;
}

static unsigned
take_sample (const float *mean, const float *variance, uint32_t n_blocks, Block *sample)
{
  uint32_t step = (n_blocks + SAMPLE - 1) / SAMPLE;
  unsigned n = 0;
  for (uint32_t i = 0; i < n_blocks; i += step)
    if (variance[i] >= 0)
      sample[n++] = (Block){ mean[i], variance[i] };
  return n;
}

/* Medians of each class of blocks of about the same mean. */
static void
find_classes (Block *sample, unsigned n, Block class[CLASSES])
{
  qsort (sample, n, sizeof *sample, by_mean);
  for (unsigned c = 0; c < CLASSES; c++)
    {
      unsigned begin = n * c / CLASSES, end = n * (c + 1) / CLASSES, middle = begin + (end - begin) / 2;
      class[c].mean = sample[middle].mean;
      qsort (sample + begin, end - begin, sizeof *sample, by_variance);
      class[c].variance = sample[middle].variance;
    }
}

void
flk_adaptive_noise (const float *mean, const float *variance, const float *of_sums, uint32_t n_blocks,
                    double false_spots, double n_pixels, FlkAdaptiveNoise *noise)
{
  Block sample[SAMPLE], class[CLASSES], slope[CLASSES * CLASSES / 2];
  unsigned n = n_blocks > 0 ? take_sample (mean, variance, n_blocks, sample) : 0, n_slopes = 0;
  double z = normal_tail (fmin (0.01, false_spots / fmax (n_pixels, 1)));
  *noise = (FlkAdaptiveNoise){ .spread = 1, .half_z_sq = (float) (0.5 * z * z), .n_good = n };
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
  qsort (rest, CLASSES, sizeof *rest, by_variance);
  double spread = find_spread (variance, of_sums, n_blocks);
  noise->spread = (float) spread;
  noise->gain = (float) (spread * gain);
  noise->variance = 0.5f * noise->spread * (rest[CLASSES / 2 - 1].variance + rest[CLASSES / 2].variance);
}
