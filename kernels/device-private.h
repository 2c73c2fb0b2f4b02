/* device-private.h: what device.c (modules) and device-work.c (memory, copies, launches, times) share. */
#pragma once

#include "kernels/device.h"
#include "kernels/module.h"

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
