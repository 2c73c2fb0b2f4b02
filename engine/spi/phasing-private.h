/* phasing-private.h: one phasing problem, and its transform. */
#pragma once

#include "engine/spi/phasing.h"
#include "engine/spi/transform.h"
#include "kernels/phasing.h"

/* Starts 2 i and 2 i + 1 have the i-th of these (modulo) tightnesses of support. */
enum
{
  FL_PHASING_TIGHTNESSES = 4
};

struct FlPhasing
{
  FlPhasingOptions options;
  guint m; /* of the volumes */
  double voxel;
  FlTransform *transform; /* as large as the autocorrelation needs */
  float *blurred;         /* [2 points], the device's */
  float *factor;          /* [n] of the blur */
  FlkBuffer scratch;
  guint n_moduli;
  FlkModulus *moduli;
  double sum; /* of amplitudes */
};

/* 1 where the density, blurred as in the last cycle, is of the particle: at most `filled` of the ball of the diameter. */
FlVolume *fl_phasing_support (const FlPhasing *phasing, const FlVolume *density, double filled);
