/* kernel.h: the words that a kernel is written in. One source, compiled as C for CPUs and as CUDA or HIP for GPUs.
 *
 * A launch is teams × team size. A kernel's body does the work of one team: body (Team t, Shared *sh, const Args *a).
 *  - It is right for every team size, 1 included; loops over the team's work use TEAM_LOOP.
 *  - What threads of a team share lives in its own shared struct (at most 48 kB, not initialised); between writing and
 *    reading it stands team_barrier (t), reached by every thread of the team: never inside a branch on the rank.
 *  - Teams never wait for each other; results across teams meet in atomic_* or in a second launch.
 *  - Arguments are one plain struct of scalars and device pointers below 4 kB (NAME.h, also read by the host).
 * Back ends: CPU (a team is one thread: barriers are nothing, loops are plain and vectorise), CPU with KERNEL_TEAMS (a
 * team is 4 pthreads: the test double of a GPU, seen by ThreadSanitizer), CUDA, HIP.
 * Kernels are compiled without fused multiply-add contraction, so that all back ends agree to the last bit where a
 * kernel's arithmetic is in a fixed order. The C subset that nvcc takes: no `restrict`, VLA, _Generic, _Complex or
 * implicit void * conversions; designators in order. */
/* Columns and macros that it would tear apart. */
/* clang-format off */
#pragma once

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernels/kernel-list.h"
#include "kernels/module.h"

#if defined __CUDACC__
#define BACKEND_CUDA 1
#elif defined __HIP__
#include <hip/hip_runtime.h>
#define BACKEND_HIP 1
#else
#define BACKEND_CPU 1
#endif

#if defined BACKEND_CUDA || defined BACKEND_HIP
#define BACKEND_GPU 1
#endif
#if defined BACKEND_CPU && !defined KERNEL_TEAMS
#define TEAM_IS_ONE 1 /* a team is one thread */
#else
#define TEAM_IS_ONE 0
#endif

#ifdef __cplusplus
#define FLK_C extern "C"
#else
#define FLK_C extern
#endif
#define FLK_DECLARE(name) FLK_C FlkKernel flk_kernel_##name;
FLK_KERNELS (FLK_DECLARE)

enum
{
  TEAM_MAX = 256 /* threads in a team */
};

#ifdef BACKEND_GPU

#define DEVICE_FN   static __device__ __forceinline__
#define LARGE_FN    DEVICE_FN
#define RESTRICT    __restrict__
#define VECTOR_LOOP
#ifdef BACKEND_CUDA
#define GRID_CONSTANT __grid_constant__
#else
#define GRID_CONSTANT
#endif
#define SM_AT_LEAST(n) (defined __CUDA_ARCH__ && __CUDA_ARCH__ >= (n) * 10)

typedef struct
{
  uint32_t index, rank, size; /* which team; which of its threads; how many */
} Team;

#define TEAM_LOOP(i, n, t) for (int i = (int) (t).rank, i##_end = (int) (n); i < i##_end; i += (int) (t).size)
#define team_barrier(t)    ((void) (t), __syncthreads ())

#define KERNEL(name, args_type, shared_type, threads_max)                                                             \
  __global__ void __launch_bounds__ (threads_max) name##_global (const GRID_CONSTANT args_type args)                  \
  {                                                                                                                   \
    __shared__ shared_type shared;                                                                                    \
    Team t = { blockIdx.x, threadIdx.x, blockDim.x };                                                                 \
    name##_body (t, &shared, &args);                                                                                  \
  }                                                                                                                   \
  static int name##_launch (const FlkLaunch *launch, const void *args)                                                \
  {                                                                                                                   \
    name##_global<<<launch->teams, launch->team_size, 0, gpu_stream (launch)>>> (*(const args_type *) args);          \
    return gpu_last_error ();                                                                                         \
  }                                                                                                                   \
  FlkKernel flk_kernel_##name = { #name, sizeof (args_type), threads_max, name##_launch };

#ifdef BACKEND_CUDA
#define GPU(name) cuda##name
#else
#define GPU(name) hip##name
#endif

/* What FlkLaunch.stream points to. */
typedef struct
{
  int device;
  GPU (Stream_t) stream;
} GpuStream;

static inline GPU (Stream_t)
gpu_stream (const FlkLaunch *launch)
{
  return ((const GpuStream *) launch->stream)->stream;
}

static inline int
gpu_last_error (void)
{
  return (int) GPU (GetLastError) ();
}

#else /* CPU */

#define DEVICE_FN      static inline __attribute__ ((always_inline, unused))
#define LARGE_FN       static __attribute__ ((noinline, unused)) /* a call a row, where copies cost the compiler minutes */
#define RESTRICT       __restrict__
#define VECTOR_LOOP    _Pragma ("GCC ivdep")
#define SM_AT_LEAST(n) 0

#if TEAM_IS_ONE

typedef struct
{
  uint32_t index, rank, size;
} Team;

#define TEAM_LOOP(i, n, t) for (int i = ((void) (t), 0), i##_end = (int) (n); i < i##_end; i++)
#define team_barrier(t)    ((void) (t))

#define KERNEL(name, args_type, shared_type, threads_max)                                                             \
  static int name##_launch (const FlkLaunch *launch, const void *args_)                                               \
  {                                                                                                                   \
    const args_type *args = (const args_type *) args_;                                                                \
    _Pragma ("omp parallel for schedule(dynamic, 1) num_threads(launch->threads) if (launch->threads > 1)")           \
    for (uint32_t i = 0; i < launch->teams; i++)                                                                      \
      {                                                                                                               \
        shared_type shared;                                                                                           \
        Team t = { i, 0, 1 };                                                                                         \
        name##_body (t, &shared, args);                                                                               \
      }                                                                                                               \
    return 0;                                                                                                         \
  }                                                                                                                   \
  FlkKernel flk_kernel_##name = { #name, sizeof (args_type), threads_max, name##_launch };

#else /* KERNEL_TEAMS */

#include <pthread.h>

typedef struct
{
  uint32_t index, rank, size;
  pthread_barrier_t *barrier;
} Team;

#define TEAM_LOOP(i, n, t) for (int i = (int) (t).rank, i##_end = (int) (n); i < i##_end; i += (int) (t).size)
#define team_barrier(t)    ((void) pthread_barrier_wait ((t).barrier))

/* teams.c: runs `body` as `size` threads that step through the teams together; its own memory, which only it may touch; all
 * of it when it is waited for. As the functions of FlkModule (module.h). */
typedef void (*TeamsBody) (Team t, void *shared, const void *args);
int teams_launch (const FlkLaunch *launch, const char *name, size_t shared_size, TeamsBody body, const void *args, size_t args_size);
int teams_open (void **stream);
void teams_close (void *stream);
int teams_wait (void *stream);
int teams_memory (size_t *left, size_t *total);
int teams_alloc (void **memory, size_t size);
int teams_release (void *stream, void *memory);
int teams_copy (void *stream, void *to, const void *from, size_t size);
int teams_zero (void *stream, void *memory, size_t size);
int teams_mark_new (void *stream, void **mark);
void teams_mark_free (void *stream, void *mark);
int teams_mark_set (void *stream, void *mark);
int teams_mark_between (void *stream, void *from, void *to, double *seconds);

#define KERNEL(name, args_type, shared_type, threads_max)                                                             \
  static void name##_teams (Team t, void *shared, const void *args)                                                   \
  {                                                                                                                   \
    name##_body (t, (shared_type *) shared, (const args_type *) args);                                                \
  }                                                                                                                   \
  static int name##_launch (const FlkLaunch *launch, const void *args)                                                \
  {                                                                                                                   \
    return teams_launch (launch, #name, sizeof (shared_type), name##_teams, args, sizeof (args_type));                \
  }                                                                                                                   \
  FlkKernel flk_kernel_##name = { #name, sizeof (args_type), threads_max, name##_launch };

#endif
#endif

#include "kernels/kernel_team.h"
#include "kernels/kernel_math.h"
