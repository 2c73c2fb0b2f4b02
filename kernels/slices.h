/* slices.h: slices of a particle's intensity in many orientations at once, from its autocorrelation, and the adjoint.
 *
 *   I(r, t) = Re Σ_k A(k) exp (−2πi k·R_r⁻¹ s_t)      A(k) = Re Σ_r,t v(r, t) exp (−2πi k·R_r⁻¹ s_t)
 *
 * A: real numbers, [size][size][size], x fastest, k = −size/2 … (size−1)/2 along each axis (whole division), nothing is
 * scaled; s_t in turns a voxel (s · voxel), below ½ in size; R_r: particle's frame → laboratory, 3 × 3 row by row. The
 * method is nufft.h's, on a real grid with x = 0 in its middle, but points are worked out on the fly and not sorted, so
 * that only rotations and pixels are kept. The adjoint adds to a cell in the order of blocks, FLK_SLICES_CHUNK pixels,
 * rotations and pixels: the same bits on every back end and any number of threads.
 *
 * Values of rotations lie in blocks as orient.h has them: [blocks][pixels][FLK_ORIENT_BLOCK]; lanes without a rotation are
 * written as 0 and not read. One thread at a time. Functions give false on an error, which flk_error() of the device tells. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/device.h"
#include "kernels/nufft.h"
#include "kernels/orient.h"

enum
{
  FLK_SLICES_CHUNK = 128, /* pixels a team */
  FLK_SLICES_WIDTH = 8    /* widest window */
};

typedef struct FlkSlices FlkSlices;

/* tolerance: relative error in the l2 norm, 1e-6 … 0.1; upsampling 2, or 1.25 from 1e-4 (a quarter of the memory, wider
 * windows). NULL: `message` (one line) says why. The device must outlive it. */
FlkSlices *flk_slices_new (FlkDevice *device, uint32_t size, double tolerance, double upsampling,
                           char *message, size_t message_size);
void flk_slices_free (FlkSlices *slices);

/* The pixels: host memory, [n][3], used only during the call. */
bool flk_slices_pixels (FlkSlices *slices, const float *s, uint32_t n);

/* What is made of a slice, on the device; NULL where it is not asked or needed.
 * w = max (scale factor(t) I + background(t), floor) */
typedef struct
{
  float scale, floor;      /* floor > 0 where `log_model` is asked */
  const float *factor;     /* [pixels]; NULL: 1 */
  const float *background; /* [pixels]; NULL: 0 */
  const float *counted;    /* [pixels] weight of a pixel in `sum`; NULL: 1 */
  float *values;           /* I as it is, in blocks */
  float *model;            /* w, in blocks */
  float *log_model;        /* ln w, in blocks */
  float *sum;              /* [rotations] Σ_t counted(t) w */
  float *log_sum;          /* [rotations] its logarithm */
} FlkSlicesOut;

/* The model: device memory. Its grid stays until the next model or adjoint. */
bool flk_slices_model (FlkSlices *slices, const float *volume);
/* n rotations, device memory [n][9]. */
bool flk_slices_run (FlkSlices *slices, const float *rotations, uint32_t n, const FlkSlicesOut *out);

/* The adjoint: begin, add any number of batches, end, which writes the volume (device memory).
 * v(r, t) = values in blocks · of_rotation(r) · of_pixel(t); NULL: 1. Zeroes cost little. */
bool flk_slices_begin (FlkSlices *slices);
bool flk_slices_add (FlkSlices *slices, const float *rotations, uint32_t n, const float *values,
                     const float *of_rotation, const float *of_pixel);
bool flk_slices_end (FlkSlices *slices, float *volume);

/* Kernels "slices_gather": teams = blocks × chunks of pixels; "slices_total": teams = blocks; "slices_spread": teams = slabs. */
typedef struct
{
  float *grid; /* [n][n][n], and NUFFT_GRID_BEYOND beyond */
  uint32_t n;
  uint32_t width, degree, lanes;
  const float *s;         /* [3][n_pixels] */
  const float *rotations; /* [n_rotations][9] */
  uint32_t n_pixels, n_rotations;
  FlkSlicesOut out;
  float *chunk_sum; /* [chunks][blocks × FLK_ORIENT_BLOCK] */
  const float *values, *of_rotation, *of_pixel;
  uint32_t slabs; /* of planes of the grid, one a team */
  float window[FLK_NUFFT_DEGREE + 1]
              [4 * FLK_SLICES_WIDTH]; /* a point's three windows: axis d from d · lanes on */
} FlkSlicesArgs;
