/* nufft.c: gathering and spreading: complex and real numbers of both precisions. */
#include "kernels/nufft.h"

#include "kernels/kernel.h"

#define CELLS (FLK_NUFFT_TILE / sizeof (REAL) / PARTS)

#define REAL   float
#define MEMBER f32
#define PARTS  2
#define NU(x)  nufft_c32_##x
#include "kernels/nufft-body.h"
#undef PARTS
#undef NU
#define PARTS 1
#define NU(x) nufft_r32_##x
#include "kernels/nufft-body.h"
#undef REAL
#undef MEMBER
#undef PARTS
#undef NU

#define REAL   double
#define MEMBER f64
#define PARTS  2
#define NU(x)  nufft_c64_##x
#include "kernels/nufft-body.h"
#undef PARTS
#undef NU
#define PARTS 1
#define NU(x) nufft_r64_##x
#include "kernels/nufft-body.h"

#define NUFFT_KERNELS(type)                                                                                  \
  KERNEL (nufft_##type##_gather, FlkNufftArgs, nufft_##type##_Shared, 256)                                   \
  KERNEL (nufft_##type##_spread, FlkNufftArgs, nufft_##type##_Shared, 256)
NUFFT_KERNELS (c32)
NUFFT_KERNELS (r32)
NUFFT_KERNELS (c64)
NUFFT_KERNELS (r64)
