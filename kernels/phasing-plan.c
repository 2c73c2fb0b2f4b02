/* phasing-plan.c: the host's side: thresholds found by counting the bits of numbers, upper half first. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/phasing.h"

void
flk_phasing_gaussian (float *factor, uint32_t n, double sigma)
{
  for (uint32_t i = 0; i < n; i++)
    {
      double k = i <= n / 2 ? i : (double) i - n, turn = acos (-1) * k * sigma / n;
      factor[i] = (float) (exp (-2 * turn * turn) / n);
    }
}

typedef struct
{
  FlkDevice *device;
  FlkSupportArgs args;
  uint32_t *count; /* host, [2][FLK_SUPPORT_BINS] */
  size_t size;
} Counting;

static bool
counted (Counting *c, const float *values, const uint32_t upper[2])
{
  FlkSupportArgs args = c->args;
  args.values = values;
  args.lower = upper;
  if (upper)
    memcpy (args.upper, upper, sizeof args.upper);
  return flk_zero (c->device, args.count, c->size)
         && flk_launch (c->device, "support_count", flk_phasing_teams (args.n), 0, &args, sizeof args)
         && flk_download (c->device, c->count, args.count, c->size) && flk_sync (c->device);
}

/* The lowest bin that may still be counted whole: *above of those in it and beyond, at most `most`. */
static uint32_t
lowest_bin (const uint32_t *count, uint64_t most, uint64_t *above)
{
  uint32_t bin = FLK_SUPPORT_BINS;
  while (bin > 0 && *above + count[bin - 1] <= most)
    *above += count[--bin];
  return bin;
}

static float
float_of (uint32_t bits)
{
  float value;
  memcpy (&value, &bits, sizeof value);
  return value;
}

/* The least value of a mask's points of either density. */
static bool
find_least (Counting *c, const float *values, double part, const uint64_t most[2], float least[2])
{
  uint32_t limit[2], top[2];
  uint64_t above[2] = { 0, 0 };
  if (!counted (c, values, NULL))
    return false;
  for (uint32_t k = 0; k < 2; k++)
    {
      const uint32_t *count = c->count + (size_t) k * FLK_SUPPORT_BINS;
      uint64_t none = 0;
      /* The bin that is cut, and the highest that has any. */
      limit[k] = lowest_bin (count, most[k], &above[k]);
      limit[k] = limit[k] > 0 ? limit[k] - 1 : 0;
      top[k] = lowest_bin (count, 0, &none);
      top[k] = top[k] > 0 ? top[k] - 1 : 0;
    }
  if (!counted (c, values, limit))
    return false;
  for (uint32_t k = 0; k < 2; k++)
    least[k] = float_of ((limit[k] << 16)
                         + lowest_bin (c->count + (size_t) k * FLK_SUPPORT_BINS, most[k], &above[k]));
  if (!counted (c, values, top))
    return false;
  for (uint32_t k = 0; k < 2; k++)
    {
      uint64_t none = 0;
      uint32_t bin = lowest_bin (c->count + (size_t) k * FLK_SUPPORT_BINS, 0, &none);
      float largest = bin > 0 ? float_of ((top[k] << 16) + bin - 1) : 0;
      least[k] = !(largest > 0) ? INFINITY : fmaxf (least[k], (float) (part * (double) largest));
    }
  return true;
}

bool
flk_support_draw (FlkDevice *device, FlkBuffer *scratch, const float *values, uint64_t points, double part,
                  const uint64_t most[2], float *mask, uint64_t filled[2])
{
  static const uint32_t one = 0x3f80; /* the upper half of 1 */
  Counting c = { .device = device, .size = 2 * FLK_SUPPORT_BINS * sizeof (uint32_t) };
  c.count = malloc (c.size);
  c.args.n = 2 * points;
  c.args.count = flk_buffer_need (device, scratch, c.size);
  c.args.mask = mask;
  c.args.values = values;
  bool good = c.count && c.args.count && find_least (&c, values, part, most, c.args.least)
              && flk_launch (device, "support_draw", flk_phasing_teams (c.args.n), 0, &c.args, sizeof c.args)
              && counted (&c, mask, NULL);
  for (uint32_t k = 0; k < 2 && good; k++)
    filled[k] = c.count[k * FLK_SUPPORT_BINS + one];
  free (c.count);
  return good;
}
