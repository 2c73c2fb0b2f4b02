/* fft.c: the transform's kernels, of both precisions. */
#include "kernels/fft.h"

#include "kernels/kernel.h"

/* Unrolled first, the lanes would not be taken together. */
#ifdef BACKEND_CPU
#define LANE_LOOP _Pragma ("GCC ivdep") _Pragma ("GCC unroll 1")
#else
#define LANE_LOOP
#endif

#define REAL   float
#define LANES  FLK_FFT_LANES_F32
#define FFT(x) fft_f32_##x
#include "kernels/fft-body.h"
#undef REAL
#undef LANES
#undef FFT

#define REAL   double
#define LANES  FLK_FFT_LANES_F64
#define FFT(x) fft_f64_##x
#include "kernels/fft-body.h"

KERNEL (fft_f32, FlkFftArgs, fft_f32_Shared, 256)
KERNEL (fft_f64, FlkFftArgs, fft_f64_Shared, 256)
