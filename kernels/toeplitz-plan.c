/* toeplitz-plan.c: the host's side: padding and cutting in the transform's own passes. */
#include "kernels/toeplitz.h"

#include <stdio.h>
#include <stdlib.h>

struct FlkToeplitz
{
  FlkDevice *device;
  uint32_t size, n; /* of the volume and of the padded grid, along an axis */
  FlkFftLine line;
  FlkBuffer grid, factor; /* complex and real, [n][n][n] */
};

uint32_t
flk_toeplitz_kernel_size (uint32_t size)
{
  return 2 * size - 1;
}

FlkToeplitz *
flk_toeplitz_new (FlkDevice *device, uint32_t size, char *message, size_t message_size)
{
  FlkToeplitz *t = calloc (1, sizeof *t);
  uint32_t n = size == 0 || size > FLK_FFT_MAX / 2 ? 0 : flk_fft_good_size (flk_toeplitz_kernel_size (size));
  size_t cells = (size_t) n * n * n;
  if (t)
    {
      t->device = device;
      t->size = size;
      t->n = n;
    }
  if (t && n > 0 && flk_fft_line_init (device, &t->line, n, FLK_F32)
      && flk_buffer_need (device, &t->grid, cells * 2 * sizeof (float))
      && flk_buffer_need (device, &t->factor, cells * sizeof (float)))
    return t;
  snprintf (message, message_size, "%s",
            !t       ? "out of memory"
            : n == 0 ? "a volume's size is 1 to 320"
                     : flk_error (device));
  flk_toeplitz_free (t);
  return NULL;
}

void
flk_toeplitz_free (FlkToeplitz *t)
{
  if (!t)
    return;
  flk_fft_line_clear (t->device, &t->line);
  flk_buffer_clear (t->device, &t->grid);
  flk_buffer_clear (t->device, &t->factor);
  free (t);
}

/* The grid's side of a pass along an axis; with modes: of them the first axes hold no more than that. */
static FlkFftSide
side (const FlkToeplitz *t, int axis, uint32_t modes)
{
  uint64_t n = t->n;
  FlkFftSide s = { .data = t->grid.memory, .modes = modes };
  s.stride = axis == 0 ? 1 : axis == 1 ? n : n * n;
  s.step = axis == 0 ? n : 1;
  s.group = axis == 2 ? 0 : n * n;
  return s;
}

static FlkFftSide
outer_side (const FlkToeplitz *t, float *data, uint32_t modes)
{
  FlkFftSide s = side (t, 0, modes);
  s.data = data;
  s.real = true;
  s.step = modes;
  s.group = (uint64_t) modes * modes;
  return s;
}

/* Between `modes`³ real numbers and the grid's transform, in either direction. */
static bool
transform (FlkToeplitz *t, float *volume, uint32_t modes, bool back)
{
  bool good = true;
  for (int pass = 0; pass < 3; pass++)
    {
      int axis = back ? 2 - pass : pass;
      FlkFftSide small = axis == 0 ? outer_side (t, volume, modes) : side (t, axis, modes),
                 whole = side (t, axis, 0);
      uint32_t lines = axis == 0 ? modes : t->n * (axis == 2 ? t->n : 1), groups = axis == 2 ? 1 : modes;
      good = good
             && flk_fft_pass (t->device, &t->line, FLK_F32, back ? &whole : &small, back ? &small : &whole,
                              lines, groups, back);
    }
  return good;
}

static bool
multiply (FlkToeplitz *t, bool take)
{
  size_t cells = (size_t) t->n * t->n * t->n;
  FlkToeplitzArgs args = { .data = t->grid.memory,
                           .factor = t->factor.memory,
                           .scale = 1.0f / (float) cells,
                           .n = cells,
                           .take = take };
  return flk_launch (t->device, "toeplitz_multiply", (uint32_t) ((cells + 4095) / 4096), 0, &args,
                     sizeof args);
}

bool
flk_toeplitz_kernel (FlkToeplitz *t, const float *kernel)
{
  /* It is only read. */
  return transform (t, (float *) (uintptr_t) kernel, flk_toeplitz_kernel_size (t->size), false)
         && multiply (t, true);
}

bool
flk_toeplitz_apply (FlkToeplitz *t, const float *x, float *y)
{
  return transform (t, (float *) (uintptr_t) x, t->size, false) && multiply (t, false)
         && transform (t, y, t->size, true);
}
