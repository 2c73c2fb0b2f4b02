/* nufft-window.h: the window of the non-uniform transform, on the host. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernels/nufft.h"

typedef struct
{
  uint32_t width, degree;
  double beta;
  double coefficient[FLK_NUFFT_DEGREE + 1][FLK_NUFFT_LANES];
} NufftWindow;

/* False: wider than FLK_NUFFT_WIDTH. */
bool nufft_window_init (NufftWindow *window, double tolerance, double upsampling);
/* What mode k is multiplied by: one over the window's transform at k of a grid of n cells. */
double nufft_window_factor (const NufftWindow *window, int k, uint32_t n);
