/* fft.h: complex Fourier transforms of lines whose lengths are products of 2, 3 and 5. Kernels "fft_f32" and "fft_f64":
 * X(k) = Σ_j x(j) exp (∓2πi jk / n), not scaled. A team takes FLK_FFT_LANES_F32 (F64: half as many) lines at once;
 * teams = flk_fft_teams(). In place, or from one array to another of other strides.
 *
 * A line may be given, or kept, as its `modes` middle frequencies in the order −modes/2 … (modes−1)/2 (whole division),
 * each times a factor: this is how the non-uniform transform pads, cuts and corrects without a pass of its own.
 * Decimation in frequency of radix 4, 2, 3, 5 (Gentleman and Sande 1966) in a fixed order: the same bits everywhere.
 *
 * Most callers want FlkFft: a three-dimensional transform in place on the device. One thread at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernels/device.h"

enum
{
  FLK_FFT_MAX = 640, /* longest line */
  FLK_FFT_FACTORS = 10,
  FLK_FFT_LANES_F32 = 8,
  FLK_FFT_LANES_F64 = 4
};

typedef enum
{
  FLK_F32,
  FLK_F64
} FlkPrecision;

/* One side of a pass. Strides are in complex numbers. */
typedef struct
{
  void *data;         /* complex numbers, re then im; the input is not written */
  uint64_t stride;    /* between numbers of a line */
  uint64_t step;      /* between neighbouring lines */
  uint64_t group;     /* between groups of lines */
  uint32_t modes;     /* 0: the whole line of n numbers */
  const void *factor; /* [modes] real numbers, or NULL */
  bool real;          /* `data` holds real parts alone; imaginary ones are 0 or not kept */
} FlkFftSide;

typedef struct
{
  FlkFftSide in, out;
  const void *turn;      /* [2][n] real: cos and −sin of 2π j / n */
  const uint16_t *place; /* [n] where the transform leaves k */
  uint32_t n, n_factors;
  uint32_t factors[FLK_FFT_FACTORS];
  uint32_t lines; /* a group */
  bool inverse;   /* exp (+2πi jk / n) */
} FlkFftArgs;

uint32_t flk_fft_teams (FlkPrecision precision, uint32_t lines, uint32_t groups);

/* The smallest even product of 2, 3 and 5 that is at least n; 0 when that is over FLK_FFT_MAX. */
uint32_t flk_fft_good_size (uint32_t n);

/* The tables of one length on a device: FlkFftArgs's turn, place, n and factors. Start with { 0 }. */
typedef struct
{
  uint32_t n, n_factors;
  uint32_t factors[FLK_FFT_FACTORS];
  FlkBuffer turn, place;
} FlkFftLine;

/* False: n is no product of 2, 3 and 5 up to FLK_FFT_MAX, or the device failed (flk_error() then tells). */
bool flk_fft_line_init (FlkDevice *device, FlkFftLine *line, uint32_t n, FlkPrecision precision);
void flk_fft_line_clear (FlkDevice *device, FlkFftLine *line);
/* Runs one pass over groups × lines lines. */
bool flk_fft_pass (FlkDevice *device, const FlkFftLine *line, FlkPrecision precision, const FlkFftSide *in,
                   const FlkFftSide *out, uint32_t lines, uint32_t groups, bool inverse);

typedef struct FlkFft FlkFft;

/* Arrays of n[2] × n[1] × n[0] complex numbers, n[0] the fastest. NULL: see flk_fft_line_init(). The device must outlive
 * it. */
FlkFft *flk_fft_new (FlkDevice *device, const uint32_t n[3], FlkPrecision precision);
void flk_fft_free (FlkFft *fft);
/* In place on device memory; not scaled: there and back multiplies by n[0] n[1] n[2]. */
bool flk_fft_run (FlkFft *fft, void *data, bool inverse);
