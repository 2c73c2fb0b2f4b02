/* noise.h: normal deviates for whole images, by Marsaglia and Tsang's ziggurat (2000): a table, one 64-bit random
 * number and, for 99 of 100, one multiplication. Exact tails. Thread: the table is filled before main. */
#pragma once

#include <math.h>

#include "engine/base/hash.h"

#define FL_ZIGGURAT_LAYERS 256

extern double fl_ziggurat_x[FL_ZIGGURAT_LAYERS + 1];
double fl_ziggurat_rare (FlRandom *r, unsigned layer, double x);

static inline double
fl_random_normal_fast (FlRandom *r)
{
  uint64_t bits = fl_random_u64 (r);
  unsigned layer = (unsigned) (bits & (FL_ZIGGURAT_LAYERS - 1));
  double x = (double) ((int64_t) bits >> 11) * 0x1p-52 * fl_ziggurat_x[layer];
  return fabs (x) < fl_ziggurat_x[layer + 1] ? x : fl_ziggurat_rare (r, layer, x);
}
