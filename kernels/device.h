/* device.h: open a back end, give it memory, launch kernels. The one header that a host program needs, beside the
 * argument structs (dispersion.h, spots.h, radial.h, calibrate.h, colour.h).
 *
 * A back end is a module opened at run time (flk-cpu.so, flk-cpu-v3.so, flk-cpu-v4.so, flk-cuda.so, flk-hip.so and
 * flk-teams.so, the test double of a GPU). Modules are looked for in $FIRSTLIGHT_KERNELS (folders, colon-separated;
 * when set, only there), beside the program, in the build tree around it, in ../LIBDIR/firstlight, and where meson
 * installed them.
 *
 * A FlkDevice is one ordered stream of work on one device: everything is asynchronous and happens in the order of the
 * calls; flk_sync() waits. One thread at a time may use it. Open a second one for a second stream.
 * Errors: functions return false or NULL, flk_error() says in one line what went wrong. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct FlkDevice FlkDevice;

/* `which`: "auto" (the first of cuda, hip, cpu that opens), "cpu" (the highest instruction level this machine has),
 * "cuda", "hip", or one exact module: "cpu-v4", "cpu-v3", "cpu-baseline", "teams".
 * `index`: which GPU, counted modulo their number, so that ranks of a node spread; ignored by CPUs.
 * `threads`: how many a CPU device uses; 1 under MPI.
 * `message` (may be NULL): one line. On success what was opened and, for each back end that was passed over, why; on
 * failure why none could be. */
FlkDevice *flk_device_open (const char *which, unsigned index, unsigned threads, char *message,
                            size_t message_size);
void flk_device_close (FlkDevice *device);

/* "cpu x86-64-v4, 1 thread", "cuda NVIDIA H200", "teams 4 threads". Lives as long as the device. */
const char *flk_device_description (const FlkDevice *device);
/* "cpu", "cuda", "hip", "teams". */
const char *flk_device_kind (const FlkDevice *device);
/* True where device memory is host memory: host pointers go into argument structs as they are. */
bool flk_device_is_host (const FlkDevice *device);
/* Threads of a CPU; 0: a GPU, which has teams run at once by the hundred. */
unsigned flk_device_threads (const FlkDevice *device);
/* FLK_TILE_SS_CPU or FLK_TILE_SS_GPU, for flk_panels_tile(). */
uint32_t flk_device_tile_ss (const FlkDevice *device);
const char *flk_error (const FlkDevice *device); /* the last one; "" when there was none */

/* Of the node's ranks 0 … ranks − 1, opened with their number as `index`, those on this device get equal parts of its memory
 * that is free now; flk_alloc() then refuses more than this rank's. Nothing on a CPU. */
void flk_device_share (FlkDevice *device, unsigned index, unsigned ranks);
/* True when the last error was that there is no memory. */
bool flk_device_is_full (const FlkDevice *device);

/* Memory. Device memory is aligned to 64 bytes and not zeroed. */
void *flk_alloc (FlkDevice *device, size_t size);
void flk_free (FlkDevice *device, void *memory);
bool flk_upload (FlkDevice *device, void *to, const void *from_host, size_t size);
bool flk_download (FlkDevice *device, void *to_host, const void *from,
                   size_t size);                                            /* complete after flk_sync() */
bool flk_copy (FlkDevice *device, void *to, const void *from, size_t size); /* both on the device */
bool flk_zero (FlkDevice *device, void *memory, size_t size);
/* Host memory from and to which copies go while the host goes on (page-locked). Where there is none left, NULL. */
void *flk_host_alloc (FlkDevice *device, size_t size);
void flk_host_free (FlkDevice *device, void *memory);

/* A grow-only piece of device memory; start with { 0 }. */
typedef struct
{
  void *memory;
  size_t size;
} FlkBuffer;

/* At least `size` bytes; the contents are lost when it grows. NULL on error. */
void *flk_buffer_need (FlkDevice *device, FlkBuffer *buffer, size_t size);
void flk_buffer_clear (FlkDevice *device, FlkBuffer *buffer);

/* The same of host memory, page-locked where there is any left. */
typedef struct
{
  void *memory;
  size_t size;
  bool locked;
} FlkHostBuffer;

void *flk_host_buffer_need (FlkDevice *device, FlkHostBuffer *buffer, size_t size);
void flk_host_buffer_clear (FlkDevice *device, FlkHostBuffer *buffer);

/* A device pointer to the host's data: `host` itself where flk_device_is_host(), else a copy in `buffer`. The host's
 * data must stay until flk_sync(). NULL on error. */
const void *flk_stage (FlkDevice *device, FlkBuffer *buffer, const void *host, size_t size);
/* Like flk_stage(), copied into `by` at once, so that the host goes on while that travels. Not again before flk_sync(). */
const void *flk_stage_by (FlkDevice *device, FlkBuffer *buffer, FlkHostBuffer *by, const void *host,
                          size_t size);
/* Like flk_fetch() without waiting: what it points to is there after flk_sync(). */
const void *flk_fetch_later (FlkDevice *device, FlkHostBuffer *by, const void *from, size_t size);
/* A host pointer to device data, after waiting for it: `from` itself where flk_device_is_host(), else a copy in
 * `host` (which must hold `size`). NULL on error. */
const void *flk_fetch (FlkDevice *device, void *host, const void *from, size_t size);

/* Launches kernel `name` with `teams` teams. `args` is the kernel's struct, copied at once; args_size guards against a
 * module of another version. team_size: 0 = the kernel's own. */
bool flk_launch (FlkDevice *device, const char *name, uint32_t teams, uint32_t team_size, const void *args,
                 size_t args_size);
bool flk_sync (FlkDevice *device);

/* What the device has done; times are its own (events of a GPU; CPU time of the calling thread, where that is the device). */
typedef struct
{
  const char *name;
  uint64_t launches, ns;
} FlkKernelUse;

typedef struct
{
  size_t used, most;             /* bytes of this FlkDevice: now, and the most since the last call */
  size_t left, total;            /* bytes of the device, whoever uses it */
  uint64_t launches, ns;         /* of all kernels, since the last call, like the rest */
  uint64_t uploaded, downloaded; /* bytes */
  const FlkKernelUse
      *kernels; /* those that were launched; the device's, until it is next asked to do anything */
  uint32_t n_kernels;
} FlkUse;

/* Waits for what was launched. */
bool flk_device_use (FlkDevice *device, FlkUse *use);
