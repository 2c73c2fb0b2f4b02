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
  FlTransform *transform; /* as large as the autocorrelation needs; on the host */
  guint n_moduli;
  double sum;    /* of amplitudes */
  float *factor; /* [n] of the blur, host */
  /* The device's: numbers [2 points], two starts' densities in turn. */
  FlkDevice *device;
  struct FlkFft *fft;
  float *density, *grid,
      *blurred;        /* `grid`: the transform, and where the known amplitudes have put the density */
  float *mask, *whole; /* 1 or 0; 1 everywhere */
  FlkModulus *moduli;  /* [n_moduli] */
  double *sums;        /* [teams][2] */
  float *factor_at;    /* [n] */
  FlkBuffer scratch;
};

/* 1 where the density, blurred as in the last cycle, is of the particle: at most `filled` of the ball of the diameter. */
FlVolume *fl_phasing_support (const FlPhasing *phasing, const FlVolume *density, double filled);
