/* device.c: finds and opens back ends' modules. What is done with them: device-work.c. */
#include <dlfcn.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/device-private.h"
#include "kernels/pixels.h"

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
