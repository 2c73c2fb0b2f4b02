/* device.c: finds and opens back ends' modules; memory and launches on them. */
#include "kernels/device.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernels/module.h"
#include "kernels/pixels.h"

enum
{
  MARKS = 64 /* launches whose times are not yet known */
};

typedef struct
{
  void *memory;
  size_t size;
} Piece;

typedef struct
{
  uint32_t kernel; /* number in the module */
  void *from, *to;
} Timing;

struct FlkDevice
{
  const FlkModule *module;
  void *stream;
  unsigned threads, n_devices;
  Piece *pieces; /* memory that is out */
  size_t n_pieces, budget;
  bool full;
  FlkUse use;
  FlkKernelUse *kernels, *told; /* of all kernels of the module; what flk_device_use() hands out */
  Timing timings[MARKS];
  uint32_t n_timings;
  char description[256];
  char error[512];
};

/* What can be asked for, best first. `family` is what `which` may also say. */
typedef struct
{
  const char *name, *family;
} Candidate;

static const Candidate candidates[] = {
  { "cuda", "cuda" },  { "hip", "hip" },          { "cpu-v4", "cpu" },
  { "cpu-v3", "cpu" }, { "cpu-baseline", "cpu" }, { "teams", "teams" },
};

/* Text that is cut, never overrun. */
typedef struct
{
  char *text;
  size_t size, length;
} Line;

static void __attribute__ ((format (printf, 2, 3))) line_add (Line *line, const char *format, ...)
{
  if (line->length + 1 >= line->size)
    return;
  va_list arguments;
  va_start (arguments, format);
  int n = vsnprintf (line->text + line->length, line->size - line->length, format, arguments);
  va_end (arguments);
  if (n > 0)
    line->length += (size_t) n;
  if (line->length >= line->size)
    line->length = line->size - 1;
}

static bool
machine_can (const char *name)
{
#if defined __x86_64__
  __builtin_cpu_init ();
  if (strcmp (name, "cpu-v3") == 0)
    return __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma")
           && __builtin_cpu_supports ("bmi2");
  if (strcmp (name, "cpu-v4") == 0)
    return __builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512bw")
           && __builtin_cpu_supports ("avx512cd") && __builtin_cpu_supports ("avx512dq")
           && __builtin_cpu_supports ("avx512vl");
#endif
  return strcmp (name, "cpu-v3") != 0 && strcmp (name, "cpu-v4") != 0;
}

/* Opens FOLDER/flk-NAME.so where it is found in one of the folders (colon-separated, each relative to `base`); NULL
 * with the reason of the first that was there but could not be opened in `why`, else `why` unchanged. */
static void *
open_in (const char *base, const char *folders, const char *name, Line *why)
{
  while (*folders)
    {
      size_t length = strcspn (folders, ":");
      char path[PATH_MAX];
      int n = snprintf (path, sizeof path, "%s%.*s/flk-%s.so", *folders == '/' ? "" : base, (int) length,
                        folders, name);
      folders += length + (folders[length] == ':');
      if (length == 0 || n < 0 || (size_t) n >= sizeof path || access (path, F_OK) != 0)
        continue;
      void *handle = dlopen (path, RTLD_NOW | RTLD_LOCAL);
      if (handle)
        return handle;
      if (why->length == 0)
        line_add (why, "%s", dlerror ());
    }
  return NULL;
}

static void *
open_module (const char *name, Line *why)
{
  const char *asked = getenv ("FIRSTLIGHT_KERNELS");
  void *handle = NULL;
  if (asked && *asked)
    handle = open_in ("", asked, name, why);
  else
    {
      /* Beside the program; in the build tree, where programs lie up to two folders below the top; installed. */
      char here[PATH_MAX];
      ssize_t n = readlink ("/proc/self/exe", here, sizeof here - 1);
      here[n > 0 ? n : 0] = 0;
      char *slash = strrchr (here, '/');
      if (slash)
        {
          slash[1] = 0;
          handle = open_in (here, ".:kernels:../kernels:../../kernels:" FLK_MODULE_NEAR, name, why);
        }
      if (!handle)
        handle = open_in ("", FLK_MODULE_DIR, name, why);
    }
  if (!handle && why->length == 0)
    line_add (why, "no module flk-%s.so%s%s", name, asked && *asked ? " in " : "",
              asked && *asked ? asked : "");
  return handle;
}

/* A module that is there, of our version, with a device; its handle is never closed (OpenMP's threads live in it). */
static const FlkModule *
load_module (const char *name, int *n_devices, Line *why)
{
  if (!machine_can (name))
    {
      line_add (why, "this machine lacks its instructions");
      return NULL;
    }
  void *handle = open_module (name, why);
  if (!handle)
    return NULL;
  void *symbol = dlsym (handle, "flk_module");
  const FlkModule *(*get) (void) = NULL;
  memcpy (&get, &symbol, sizeof get); /* ISO C has no cast between them */
  const FlkModule *module = get ? get () : NULL;
  if (!module || module->abi != FLK_ABI)
    {
      line_add (why, "module of another version (%u, expected %u)", module ? module->abi : 0,
                (unsigned) FLK_ABI);
      return NULL;
    }
  int result = module->count (n_devices);
  if (result != 0 || *n_devices < 1)
    {
      line_add (why, "%s", result != 0 ? module->error (result) : "no device");
      return NULL;
    }
  return module;
}

static void
device_free (FlkDevice *device)
{
  free (device->pieces);
  free (device->kernels);
  free (device->told);
  free (device);
}

static FlkDevice *
device_new (const FlkModule *module, unsigned index, unsigned threads, int n_devices, Line *why)
{
  FlkDevice *device = calloc (1, sizeof *device);
  if (!device)
    {
      line_add (why, "out of memory");
      return NULL;
    }
  int number = (int) (index % (unsigned) n_devices);
  device->module = module;
  device->threads = threads < 1 ? 1 : threads;
  device->n_devices = (unsigned) n_devices;
  device->budget = SIZE_MAX;
  device->kernels = calloc (module->n_kernels, sizeof *device->kernels);
  device->told = calloc (module->n_kernels, sizeof *device->told);
  int result = module->open (number, &device->stream);
  if (result != 0 || !device->kernels || !device->told)
    {
      line_add (why, "%s", result != 0 ? module->error (result) : "out of memory");
      if (result == 0)
        module->close (device->stream);
      device_free (device);
      return NULL;
    }
  module->name (number, device->description, sizeof device->description);
  if (module->host_memory)
    {
      Line line = { device->description, sizeof device->description, strlen (device->description) };
      line_add (&line, ", %u thread%s", device->threads, device->threads == 1 ? "" : "s");
    }
  return device;
}

FlkDevice *
flk_device_open (const char *which, unsigned index, unsigned threads, char *message, size_t message_size)
{
  char passed_over[1024] = "", reason[512];
  Line passed = { passed_over, sizeof passed_over, 0 };
  FlkDevice *device = NULL;
  bool known = false;

  for (size_t i = 0; i < sizeof candidates / sizeof candidates[0] && !device; i++)
    {
      const Candidate *c = &candidates[i];
      bool automatic = strcmp (which, "auto") == 0 && strcmp (c->family, "teams") != 0;
      if (!automatic && strcmp (which, c->name) != 0 && strcmp (which, c->family) != 0)
        continue;
      known = true;
      Line why = { reason, sizeof reason, 0 };
      reason[0] = 0;
      int n_devices = 0;
      const FlkModule *module = load_module (c->name, &n_devices, &why);
      if (module)
        device = device_new (module, index, threads, n_devices, &why);
      if (!device)
        line_add (&passed, "%s%s: %s", passed.length ? "; " : "", c->name, reason);
    }
  if (message && message_size)
    {
      if (!known)
        snprintf (message, message_size,
                  "unknown device \"%s\": expected auto, cpu, cuda, hip, cpu-v4, cpu-v3, "
                  "cpu-baseline or teams",
                  which);
      else if (!device)
        snprintf (message, message_size, "no device \"%s\" (%s)", which, passed_over);
      else if (passed.length)
        snprintf (message, message_size, "%s (passed over %s)", device->description, passed_over);
      else
        snprintf (message, message_size, "%s", device->description);
    }
  return device;
}

void
flk_device_close (FlkDevice *device)
{
  if (!device)
    return;
  for (uint32_t i = 0; i < MARKS; i++)
    {
      Timing *timing = &device->timings[i];
      if (timing->from)
        device->module->mark_free (device->stream, timing->from);
      if (timing->to)
        device->module->mark_free (device->stream, timing->to);
    }
  device->module->close (device->stream);
  device_free (device);
}

const char *
flk_device_description (const FlkDevice *device)
{
  return device->description;
}

const char *
flk_device_kind (const FlkDevice *device)
{
  return device->module->kind;
}

bool
flk_device_is_host (const FlkDevice *device)
{
  return device->module->host_memory;
}

unsigned
flk_device_threads (const FlkDevice *device)
{
  return device->module->host_memory ? device->threads : 0;
}

uint32_t
flk_device_tile_ss (const FlkDevice *device)
{
  return device->module->host_memory ? FLK_TILE_SS_CPU : FLK_TILE_SS_GPU;
}

const char *
flk_error (const FlkDevice *device)
{
  return device->error;
}

/* True when `result` is 0, else keeps "WHAT: reason". */
static bool
check (FlkDevice *device, int result, const char *what)
{
  if (result != 0)
    snprintf (device->error, sizeof device->error, "%s: %s: %s", device->description, what,
              device->module->error (result));
  return result == 0;
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
  device->full = device->budget - device->use.used < size;
  if (device->full)
    {
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
  buffer->memory = NULL;
  buffer->size = 0;
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
  return check (device, device->module->sync (device->stream), "compute");
}
