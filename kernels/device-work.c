/* device-work.c: memory, copies, launches and their times on a device. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/device-private.h"

/* True when `result` is 0, else keeps "WHAT: reason". */
static bool
check (FlkDevice *device, int result, const char *what)
{
  if (result == 0)
    return true;
  device->full = false;
  snprintf (device->error, sizeof device->error, "%s: %s: %s", device->description, what,
            device->module->error (result));
  return false;
}

void
flk_device_share (FlkDevice *device, unsigned index, unsigned ranks)
{
  size_t left = 0, total = 0;
  unsigned first = index % device->n_devices,
           sharers = ranks > first ? (ranks - first + device->n_devices - 1) / device->n_devices : 1;
  if (!device->module->host_memory && device->module->memory (device->stream, &left, &total) == 0)
    device->budget = left / sharers;
}

bool
flk_device_is_full (const FlkDevice *device)
{
  return device->full;
}

/* Keeps the piece's size; false: no memory for that. */
static bool
piece_add (FlkDevice *device, void *memory, size_t size)
{
  Piece *more = realloc (device->pieces, (device->n_pieces + 1) * sizeof *more);
  if (!more)
    return false;
  device->pieces = more;
  device->pieces[device->n_pieces++] = (Piece){ memory, size };
  device->use.used += size;
  if (device->use.most < device->use.used)
    device->use.most = device->use.used;
  return true;
}

void *
flk_alloc (FlkDevice *device, size_t size)
{
  void *memory = NULL;
  if (device->budget - device->use.used < size)
    {
      device->full = true;
      snprintf (device->error, sizeof device->error,
                "%s: cannot allocate %zu bytes: this rank's part of its memory is %zu, of which %zu are used",
                device->description, size, device->budget, device->use.used);
      return NULL;
    }
  int result = device->module->alloc (device->stream, &memory, size > 0 ? size : 1);
  if (result == 0 && piece_add (device, memory, size))
    return memory;
  if (result == 0)
    device->module->release (device->stream, memory);
  device->full = true;
  snprintf (device->error, sizeof device->error, "%s: cannot allocate %zu bytes: %s", device->description,
            size, result != 0 ? device->module->error (result) : "out of memory");
  return NULL;
}

void
flk_free (FlkDevice *device, void *memory)
{
  if (!memory)
    return;
  for (size_t i = device->n_pieces; i > 0; i--)
    if (device->pieces[i - 1].memory == memory)
      {
        device->use.used -= device->pieces[i - 1].size;
        device->pieces[i - 1] = device->pieces[--device->n_pieces];
        break;
      }
  check (device, device->module->release (device->stream, memory), "free");
}

void *
flk_host_alloc (FlkDevice *device, size_t size)
{
  void *memory = NULL;
  return device->module->host_alloc (device->stream, &memory, size > 0 ? size : 1) == 0 ? memory : NULL;
}

void
flk_host_free (FlkDevice *device, void *memory)
{
  if (memory)
    check (device, device->module->host_release (device->stream, memory), "free of host memory");
}

bool
flk_upload (FlkDevice *device, void *to, const void *from_host, size_t size)
{
  device->use.uploaded += size;
  return check (device, device->module->upload (device->stream, to, from_host, size), "copy to the device");
}

bool
flk_download (FlkDevice *device, void *to_host, const void *from, size_t size)
{
  device->use.downloaded += size;
  return check (device, device->module->download (device->stream, to_host, from, size),
                "copy from the device");
}

bool
flk_copy (FlkDevice *device, void *to, const void *from, size_t size)
{
  return check (device, device->module->copy (device->stream, to, from, size), "copy on the device");
}

bool
flk_zero (FlkDevice *device, void *memory, size_t size)
{
  return check (device, device->module->zero (device->stream, memory, size), "zero");
}

void *
flk_buffer_need (FlkDevice *device, FlkBuffer *buffer, size_t size)
{
  if (buffer->memory && buffer->size >= size)
    return buffer->memory;
  flk_buffer_clear (device, buffer);
  buffer->memory = flk_alloc (device, size);
  buffer->size = buffer->memory ? size : 0;
  return buffer->memory;
}

void
flk_buffer_clear (FlkDevice *device, FlkBuffer *buffer)
{
  /* What was launched may still use it. */
  if (buffer->memory)
    flk_sync (device);
  flk_free (device, buffer->memory);
  *buffer = (FlkBuffer){ 0 };
}

void *
flk_host_buffer_need (FlkDevice *device, FlkHostBuffer *buffer, size_t size)
{
  if (buffer->memory && buffer->size >= size)
    return buffer->memory;
  flk_host_buffer_clear (device, buffer);
  buffer->memory = flk_host_alloc (device, size);
  buffer->locked = buffer->memory != NULL;
  if (!buffer->memory)
    buffer->memory = malloc (size > 0 ? size : 1);
  if (!buffer->memory)
    snprintf (device->error, sizeof device->error, "%s: cannot allocate %zu bytes of the host's memory",
              device->description, size);
  buffer->size = buffer->memory ? size : 0;
  return buffer->memory;
}

void
flk_host_buffer_clear (FlkDevice *device, FlkHostBuffer *buffer)
{
  /* What was launched may still use it. */
  if (buffer->memory)
    flk_sync (device);
  if (buffer->locked)
    flk_host_free (device, buffer->memory);
  else
    free (buffer->memory);
  *buffer = (FlkHostBuffer){ 0 };
}

const void *
flk_stage (FlkDevice *device, FlkBuffer *buffer, const void *host, size_t size)
{
  if (device->module->host_memory)
    return host;
  void *memory = flk_buffer_need (device, buffer, size);
  return memory && flk_upload (device, memory, host, size) ? memory : NULL;
}

const void *
flk_stage_by (FlkDevice *device, FlkBuffer *buffer, FlkHostBuffer *by, const void *host, size_t size)
{
  if (device->module->host_memory)
    return host;
  void *locked = flk_host_buffer_need (device, by, size);
  if (!locked)
    return NULL;
  memcpy (locked, host, size);
  return flk_stage (device, buffer, locked, size);
}

const void *
flk_fetch_later (FlkDevice *device, FlkHostBuffer *by, const void *from, size_t size)
{
  if (device->module->host_memory)
    return from;
  void *locked = flk_host_buffer_need (device, by, size);
  return locked && flk_download (device, locked, from, size) ? locked : NULL;
}

const void *
flk_fetch (FlkDevice *device, void *host, const void *from, size_t size)
{
  if (device->module->host_memory)
    return flk_sync (device) ? from : NULL;
  return flk_download (device, host, from, size) && flk_sync (device) ? host : NULL;
}

/* --- times --- */

static uint64_t
cpu_ns (void)
{
  struct timespec t;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t);
  return (uint64_t) t.tv_sec * 1000000000u + (uint64_t) t.tv_nsec;
}

static void
count_launch (FlkDevice *device, uint32_t kernel, uint64_t ns)
{
  device->kernels[kernel].ns += ns;
  device->use.ns += ns;
}

/* Reads all marks; false: the device has failed. */
static bool
collect_timings (FlkDevice *device)
{
  bool good = true;
  for (uint32_t i = 0; i < device->n_timings && good; i++)
    {
      const Timing *timing = &device->timings[i];
      double seconds = 0;
      good = check (device, device->module->mark_between (device->stream, timing->from, timing->to, &seconds),
                    "compute");
      if (good)
        count_launch (device, timing->kernel, (uint64_t) (1e9 * seconds));
    }
  device->n_timings = 0;
  return good;
}

/* The next pair of marks; NULL with an error. */
static Timing *
next_timing (FlkDevice *device, uint32_t kernel)
{
  const FlkModule *module = device->module;
  if (device->n_timings == MARKS && !collect_timings (device))
    return NULL;
  Timing *timing = &device->timings[device->n_timings];
  if ((!timing->from && !check (device, module->mark_new (device->stream, &timing->from), "timing"))
      || (!timing->to && !check (device, module->mark_new (device->stream, &timing->to), "timing")))
    return NULL;
  timing->kernel = kernel;
  device->n_timings++;
  return timing;
}

static bool
launch_timed (FlkDevice *device, uint32_t number, const FlkLaunch *launch, const void *args)
{
  const FlkModule *module = device->module;
  const FlkKernel *kernel = module->kernels[number];
  device->use.launches++;
  device->kernels[number].launches++;
  if (module->mark_new)
    {
      Timing *timing = next_timing (device, number);
      return timing && check (device, module->mark_set (device->stream, timing->from), kernel->name)
             && check (device, kernel->launch (launch, args), kernel->name)
             && check (device, module->mark_set (device->stream, timing->to), kernel->name);
    }
  uint64_t before = cpu_ns ();
  bool good = check (device, kernel->launch (launch, args), kernel->name);
  count_launch (device, number, cpu_ns () - before);
  return good;
}

bool
flk_device_use (FlkDevice *device, FlkUse *use)
{
  const FlkModule *module = device->module;
  bool good = collect_timings (device);
  *use = device->use;
  use->kernels = device->told;
  for (uint32_t i = 0; i < module->n_kernels; i++)
    if (device->kernels[i].launches > 0)
      {
        FlkKernelUse *told = &device->told[use->n_kernels++];
        *told = device->kernels[i];
        told->name = module->kernels[i]->name;
        device->kernels[i] = (FlkKernelUse){ 0 };
      }
  device->use = (FlkUse){ .used = use->used, .most = use->used };
  return check (device, module->memory (device->stream, &use->left, &use->total), "memory") && good;
}

bool
flk_launch (FlkDevice *device, const char *name, uint32_t teams, uint32_t team_size, const void *args,
            size_t args_size)
{
  const FlkModule *module = device->module;
  uint32_t number = 0;
  while (number < module->n_kernels && strcmp (module->kernels[number]->name, name) != 0)
    number++;
  const FlkKernel *kernel = number < module->n_kernels ? module->kernels[number] : NULL;
  if (!kernel || kernel->args_size != args_size || team_size > kernel->team_size)
    {
      device->full = false;
      snprintf (device->error, sizeof device->error, "%s: kernel %s: %s", device->description, name,
                !kernel                          ? "the module has none of that name"
                : kernel->args_size != args_size ? "arguments of another size than the module's"
                                                 : "team size larger than the kernel's");
      return false;
    }
  if (teams == 0)
    return true;
  FlkLaunch launch = { teams, team_size ? team_size : kernel->team_size, device->threads, device->stream };
  if (strcmp (module->kind, "teams") == 0 && team_size == 0)
    launch.team_size = FLK_TEAMS_SIZE;
  return launch_timed (device, number, &launch, args);
}

bool
flk_sync (FlkDevice *device)
{
  /* All times are known now: later, asking for them might mean waiting. */
  return check (device, device->module->sync (device->stream), "compute")
         && (device->n_timings < MARKS / 2 || collect_timings (device));
}
