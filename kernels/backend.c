/* backend.c: a module's memory, streams and table of kernels; compiled once for each back end. */
#include "kernels/kernel.h"

#include <stdio.h>
#include <stdlib.h>

#define EXPORT __attribute__ ((visibility ("default")))

#ifdef BACKEND_GPU

/* CUDA and HIP share the names of their runtime calls. */
#ifdef BACKEND_CUDA
#define KIND        "cuda"
#define DEVICE_PROP cudaDeviceProp
#define HOST_ALLOC  cudaHostAlloc
#define HOST_FREE   cudaFreeHost
#else
#define KIND        "hip"
#define DEVICE_PROP hipDeviceProp_t
#define HOST_ALLOC  hipHostMalloc
#define HOST_FREE   hipHostFree
#endif
#define HOST_MEMORY false

static const char *
backend_error (int number)
{
  return GPU (GetErrorString) ((GPU (Error_t)) number);
}

static int
backend_count (int *n_devices)
{
  *n_devices = 0;
  GPU (Error_t) result = GPU (GetDeviceCount) (n_devices);
  return result == GPU (ErrorNoDevice) ? 0 : (int) result;
}

static int
backend_name (int device, char *text, size_t size)
{
  DEVICE_PROP properties;
  int result = (int) GPU (GetDeviceProperties) (&properties, device);
  snprintf (text, size, KIND " %s", result == 0 ? properties.name : "?");
  return result;
}

static int
backend_open (int device, void **stream)
{
  GpuStream *s = (GpuStream *) calloc (1, sizeof *s);
  if (!s)
    return (int) GPU (ErrorMemoryAllocation);
  s->device = device;
  int result = (int) GPU (SetDevice) (device);
  if (result == 0)
    result = (int) GPU (StreamCreateWithFlags) (&s->stream, GPU (StreamNonBlocking));
  if (result != 0)
    {
      free (s);
      s = NULL;
    }
  *stream = s;
  return result;
}

/* The thread may have used another device in between. */
static GPU (Stream_t) enter (void *stream)
{
  GpuStream *s = (GpuStream *) stream;
  (void) GPU (SetDevice) (s->device);
  return s->stream;
}

static void
backend_close (void *stream)
{
  (void) GPU (StreamDestroy) (enter (stream));
  free (stream);
}

static int
backend_alloc (void *stream, void **memory, size_t size)
{
  enter (stream);
  return (int) GPU (Malloc) (memory, size);
}

static int
backend_release (void *stream, void *memory)
{
  enter (stream);
  return (int) GPU (Free) (memory);
}

static int
backend_upload (void *stream, void *to, const void *from, size_t size)
{
  return (int) GPU (MemcpyAsync) (to, from, size, GPU (MemcpyHostToDevice), enter (stream));
}

static int
backend_download (void *stream, void *to, const void *from, size_t size)
{
  return (int) GPU (MemcpyAsync) (to, from, size, GPU (MemcpyDeviceToHost), enter (stream));
}

static int
backend_copy (void *stream, void *to, const void *from, size_t size)
{
  return (int) GPU (MemcpyAsync) (to, from, size, GPU (MemcpyDeviceToDevice), enter (stream));
}

static int
backend_zero (void *stream, void *memory, size_t size)
{
  return (int) GPU (MemsetAsync) (memory, 0, size, enter (stream));
}

static int
backend_sync (void *stream)
{
  return (int) GPU (StreamSynchronize) (enter (stream));
}

static int
backend_host_alloc (void *stream, void **memory, size_t size)
{
  enter (stream);
  return (int) HOST_ALLOC (memory, size, 0);
}

static int
backend_host_release (void *stream, void *memory)
{
  enter (stream);
  return (int) HOST_FREE (memory);
}

static int
backend_memory (void *stream, size_t *left, size_t *total)
{
  enter (stream);
  return (int) GPU (MemGetInfo) (left, total);
}

static int
backend_mark_new (void *stream, void **mark)
{
  GPU (Event_t) event = NULL;
  enter (stream);
  int result = (int) GPU (EventCreate) (&event);
  *mark = (void *) event;
  return result;
}

static void
backend_mark_free (void *stream, void *mark)
{
  enter (stream);
  (void) GPU (EventDestroy) ((GPU (Event_t)) mark);
}

static int
backend_mark_set (void *stream, void *mark)
{
  return (int) GPU (EventRecord) ((GPU (Event_t)) mark, enter (stream));
}

static int
backend_mark_between (void *stream, void *from, void *to, double *seconds)
{
  float milliseconds = 0;
  enter (stream);
  int result = (int) GPU (EventSynchronize) ((GPU (Event_t)) to);
  if (result == 0)
    result = (int) GPU (EventElapsedTime) (&milliseconds, (GPU (Event_t)) from, (GPU (Event_t)) to);
  *seconds = 1e-3 * (double) milliseconds;
  return result;
}

#else /* CPU: memory is the host's, work is done when a call returns; or the double's (teams.c) */

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE ((size_t) 2 << 20)

#if TEAM_IS_ONE
#define KIND        "cpu"
#define HOST_MEMORY true
#else
#define KIND        "teams"
#define HOST_MEMORY false /* as a GPU, so that callers' copies are tested */
#endif
#ifndef KERNEL_LEVEL
#define KERNEL_LEVEL ""
#endif

static const char *
backend_error (int number)
{
  return strerror (number);
}

static int
backend_count (int *n_devices)
{
  *n_devices = 1;
  return 0;
}

static int
backend_name (int device, char *text, size_t size)
{
  (void) device;
  snprintf (text, size, "%s%s", KIND, KERNEL_LEVEL);
  return 0;
}

static int
plain_alloc (void *stream, void **memory, size_t size)
{
  (void) stream;
  /* Grids are read all over: huge pages, where the system has them for the asking. */
  size_t align = size >= 2 * HUGE_PAGE ? HUGE_PAGE : 64;
  *memory = size > SIZE_MAX - align ? NULL : aligned_alloc (align, (size + align - 1) / align * align);
#ifdef MADV_HUGEPAGE
  if (*memory && align == HUGE_PAGE)
    (void) madvise (*memory, size, MADV_HUGEPAGE);
#endif
  return *memory ? 0 : ENOMEM;
}

static int
plain_release (void *stream, void *memory)
{
  (void) stream;
  free (memory);
  return 0;
}

#define backend_host_alloc   plain_alloc
#define backend_host_release plain_release

#if TEAM_IS_ONE

#define backend_alloc        plain_alloc
#define backend_release      plain_release
#define backend_mark_new     NULL
#define backend_mark_free    NULL
#define backend_mark_set     NULL
#define backend_mark_between NULL

static int
backend_open (int device, void **stream)
{
  (void) device;
  *stream = NULL;
  return 0;
}

static void
backend_close (void *stream)
{
  (void) stream;
}

static int
backend_memory (void *stream, size_t *left, size_t *total)
{
  (void) stream;
  size_t page = (size_t) sysconf (_SC_PAGESIZE);
  *left = (size_t) sysconf (_SC_AVPHYS_PAGES) * page;
  *total = (size_t) sysconf (_SC_PHYS_PAGES) * page;
  return 0;
}

static int
backend_copy (void *stream, void *to, const void *from, size_t size)
{
  (void) stream;
  memmove (to, from, size);
  return 0;
}

static int
backend_zero (void *stream, void *memory, size_t size)
{
  (void) stream;
  memset (memory, 0, size);
  return 0;
}

static int
backend_sync (void *stream)
{
  (void) stream;
  return 0;
}

#else

#define backend_close        teams_close
#define backend_release      teams_release
#define backend_copy         teams_copy
#define backend_zero         teams_zero
#define backend_mark_new     teams_mark_new
#define backend_mark_free    teams_mark_free
#define backend_mark_set     teams_mark_set
#define backend_mark_between teams_mark_between
#define backend_sync         teams_wait

static int
backend_open (int device, void **stream)
{
  (void) device;
  return teams_open (stream);
}

static int
backend_alloc (void *stream, void **memory, size_t size)
{
  (void) stream;
  return teams_alloc (memory, size);
}

static int
backend_memory (void *stream, size_t *left, size_t *total)
{
  (void) stream;
  return teams_memory (left, total);
}

#endif

#define backend_upload   backend_copy
#define backend_download backend_copy

#endif

#define FLK_ADDRESS(name) &flk_kernel_##name,

EXPORT const FlkModule *
flk_module (void)
{
  /* Made here and not const: clang emits constant tables on the device too, where these functions are not. */
  static FlkKernel *kernels[] = { FLK_KERNELS (FLK_ADDRESS) };
  static FlkModule module = { FLK_ABI,
                              KIND,
                              HOST_MEMORY,
                              sizeof kernels / sizeof kernels[0],
                              kernels,
                              backend_count,
                              backend_name,
                              backend_open,
                              backend_close,
                              backend_alloc,
                              backend_release,
                              backend_upload,
                              backend_download,
                              backend_copy,
                              backend_zero,
                              backend_host_alloc,
                              backend_host_release,
                              backend_memory,
                              backend_mark_new,
                              backend_mark_free,
                              backend_mark_set,
                              backend_mark_between,
                              backend_sync,
                              backend_error };
  return &module;
}
