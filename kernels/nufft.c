/* nufft.c: gathering and spreading, of both precisions. */
#include "kernels/nufft.h"

#include "kernels/kernel.h"

/* Unrolled first, the lanes would not be taken together. */
#ifdef BACKEND_CPU
#define LANE_LOOP _Pragma ("GCC ivdep") _Pragma ("GCC unroll 1")
#else
#define LANE_LOOP
#endif

#define REAL    float
#define COMPLEX c32
#define CELLS   FLK_NUFFT_CELLS_F32
#define MEMBER  f32
#define NU(x)   nufft_f32_##x
#include "kernels/nufft-body.h"
#undef REAL
#undef COMPLEX
#undef CELLS
#undef MEMBER
#undef NU

#define REAL    double
#define COMPLEX c64
#define CELLS   (FLK_NUFFT_CELLS_F32 / 2)
#define MEMBER  f64
#define NU(x)   nufft_f64_##x
#include "kernels/nufft-body.h"

#define nufft_gather_f32_body nufft_f32_gather_body
#define nufft_spread_f32_body nufft_f32_spread_body
#define nufft_gather_f64_body nufft_f64_gather_body
#define nufft_spread_f64_body nufft_f64_spread_body
KERNEL (nufft_gather_f32, FlkNufftArgs, nufft_f32_Shared, 256)
KERNEL (nufft_spread_f32, FlkNufftArgs, nufft_f32_Shared, 256)
KERNEL (nufft_gather_f64, FlkNufftArgs, nufft_f64_Shared, 256)
KERNEL (nufft_spread_f64, FlkNufftArgs, nufft_f64_Shared, 256)
