/* toeplitz.h: the normal operator of slices, as a convolution: y(k) = Re Σ_k' K(k − k') x(k') for real volumes on size³.
 *
 * With the kernel K(k) = Σ_j w_j cos (2π k·x_j), on (2 size − 1)³, this is Aᴴ W A of slices.h without points, for even x
 * (x(−k) = x(k), size odd): x is padded, transformed, multiplied and cut, at a cost that does not know how many patterns
 * there were (Fessler et al., IEEE Trans. Signal Process. 53, 3393, 2005). Volumes are [size][size][size] float in device
 * memory, x fastest, origin at size/2. One thread at a time. False: flk_error() of the device. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/fft.h"

typedef struct FlkToeplitz FlkToeplitz;

/* NULL: `message` (one line) says why. The device must outlive it. */
FlkToeplitz *flk_toeplitz_new (FlkDevice *device, uint32_t size, char *message, size_t message_size);
void flk_toeplitz_free (FlkToeplitz *toeplitz);
/* The kernel's size along an axis: 2 size − 1; what FlkSlices for it is made with. */
uint32_t flk_toeplitz_kernel_size (uint32_t size);
/* [2 size − 1]³, even. Used only during the call. */
bool flk_toeplitz_kernel (FlkToeplitz *toeplitz, const float *kernel);
/* y may be x. */
bool flk_toeplitz_apply (FlkToeplitz *toeplitz, const float *x, float *y);

/* Kernel "toeplitz_multiply": number i of `data` (complex) times factor[i] scale; teams of 4096 numbers. With `take` set
 * factor[i] becomes the real part of number i instead. */
typedef struct
{
  float *data;   /* [n][2] */
  float *factor; /* [n] */
  float scale;
  uint64_t n;
  bool take;
} FlkToeplitzArgs;
