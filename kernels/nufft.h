/* nufft.h: Fourier sums between a volume of modes and points anywhere.
 *
 *   type 2: value(j) = Σ_k mode(k) exp (∓2πi k·x(j))      type 1: mode(k) = Σ_j value(j) exp (∓2πi k·x(j))
 *
 * k = −N/2 … (N−1)/2 (whole division) along each axis, modes as [N[2]][N[1]][N[0]] complex numbers; x in turns a mode
 * (cycles a voxel), of period 1. Type 1 of the other sign is the adjoint of type 2. Nothing is scaled.
 *
 * Barnett, Magland, af Klinteberg 2019 (SIAM J. Sci. Comput. 41, C479): a window exp (β (√(1 − z²) − 1)) of `width` cells
 * on a grid finer than the modes, as piecewise polynomials; Fourier transform; division by the window's transform. Points
 * are sorted by tiles of the grid once, each tile is one team's work: a team holds its tile with the window's margin. In
 * type 1 tiles of one colour do not touch each other and colours follow one another, and a cell takes its points in the
 * caller's order: no atomics, and the same bits on every back end and number of threads. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/device.h"
#include "kernels/fft.h"

enum
{
  FLK_NUFFT_WIDTH = 10, /* widest window */
  FLK_NUFFT_LANES = 16,
  FLK_NUFFT_DEGREE = 15,
  FLK_NUFFT_TILE = 41472 /* bytes of a tile with margin */
};

typedef struct FlkNufft FlkNufft;

typedef struct
{
  uint32_t modes[3]; /* 1 … FLK_FFT_MAX / upsampling */
  double
      tolerance; /* relative error in the l2 norm, kept within four times: F32 1e-6 … 0.1, F64 1e-9 … 0.1 */
  /* 2; or 1.25: a quarter of the memory, wider windows, for F32 from 1e-4 (the outer modes are then rounding errors
   * times 10^5), F64 from 1e-5. */
  double upsampling;
  FlkPrecision precision;
  bool real; /* values and modes are real numbers, the real parts of the sums: half the work at the points */
} FlkNufftOptions;

/* The device must outlive it. NULL: `message` (one line) says why. */
FlkNufft *flk_nufft_new (FlkDevice *device, const FlkNufftOptions *options, char *message,
                         size_t message_size);
void flk_nufft_free (FlkNufft *nufft);
/* The points that the sums are over: host memory, [3][n] (x, y, z) of the plan's precision; used only during the call.
 * False: a coordinate is not finite or beyond ±2^20, or memory ran out; `message` says so, and there are no points then. */
bool flk_nufft_points (FlkNufft *nufft, const void *x, uint32_t n, char *message, size_t message_size);
/* Device memory of the plan's precision; `inverse`: exp (+2πi k·x). False: flk_error() of the device. */
bool flk_nufft_type1 (FlkNufft *nufft, const void *values, void *modes, bool inverse);
bool flk_nufft_type2 (FlkNufft *nufft, const void *modes, void *values, bool inverse);

/* Kernels "nufft_c32_gather", "nufft_c32_spread" and of c64, r32, r64 (complex or real numbers); teams = tiles of the
 * colour. */
typedef struct
{
  void *grid;   /* numbers [n[2]][n[1]][n[0]]; spread adds to it */
  void *values; /* numbers [points], in the caller's order */
  /* Real [3][n_points], sorted: the window's first cell, from the start of its tile, and a fraction. */
  const void *place;
  const uint32_t *order; /* [n_points] the caller's number */
  const uint32_t *first; /* [tiles + 1] in the sorted list */
  uint32_t n_points;
  uint32_t n[3], tiles[3];        /* tile i starts at cell ⌊i n / tiles⌋ */
  uint32_t colours[3], colour[3]; /* tiles i = colour modulo colours (a divisor of tiles) */
  uint32_t width, degree;
  union
  {
    float f32[FLK_NUFFT_DEGREE + 1][FLK_NUFFT_LANES];
    double f64[FLK_NUFFT_DEGREE + 1][FLK_NUFFT_LANES];
  } window; /* coefficient of t^d of the window's value at its i-th cell, t = 2 fraction − 1; 0 beyond `width` */
} FlkNufftArgs;
