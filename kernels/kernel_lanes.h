/* kernel_lanes.h: vectors of the CPU's own width, for loops whose sums must stay in registers. CPU only. */
#pragma once

#include "kernels/kernel.h"

#ifdef BACKEND_CPU

#ifdef __FMA__
#include <immintrin.h>
#endif

#if defined __AVX512F__
#define NATIVE 16
#elif defined __AVX2__
#define NATIVE 8
#else
#define NATIVE 4
#endif

typedef float Lanes __attribute__ ((vector_size (4 * NATIVE), aligned (4), may_alias));

/* Short rows, whatever the level. */
typedef float Row4 __attribute__ ((vector_size (16), aligned (4), may_alias));
typedef float Row8 __attribute__ ((vector_size (32), aligned (4), may_alias));

/* a b + c, rounded once where the level has it. */
DEVICE_FN Lanes
lanes_fma (Lanes a, Lanes b, Lanes c)
{
#if defined __AVX512F__
  return (Lanes) _mm512_fmadd_ps ((__m512) a, (__m512) b, (__m512) c);
#elif defined __FMA__ && defined __AVX2__
  return (Lanes) _mm256_fmadd_ps ((__m256) a, (__m256) b, (__m256) c);
#else
  return a * b + c;
#endif
}

#endif
