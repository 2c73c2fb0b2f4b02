/* slices-plan.c: the host's side of slices: grid, window and launches. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/nufft-grid.h"
#include "kernels/slices.h"

struct FlkSlices
{
  FlkDevice *device;
  NufftGrid grid;
  FlkSlicesArgs args; /* grid, window and pixels; the rest is given at each launch */
  FlkBuffer s, chunk_sum;
};

static bool
failed (char *message, size_t message_size, const char *why)
{
  snprintf (message, message_size, "%s", why);
  return false;
}

static bool
plan (FlkSlices *slices, uint32_t size, double tolerance, double upsampling, char *message,
      size_t message_size)
{
  FlkSlicesArgs *args = &slices->args;
  NufftGrid *grid = &slices->grid;
  NufftWindow window;
  if (!(tolerance >= 1e-6 && tolerance <= 0.1))
    return failed (message, message_size, "the tolerance of slices is 1e-6 to 0.1");
  if ((upsampling != 2 && (upsampling != 1.25 || tolerance < 1e-4))
      || !nufft_window_init (&window, tolerance, upsampling) || window.width > FLK_SLICES_WIDTH)
    return failed (message, message_size, "the upsampling of slices is 2, or 1.25 for tolerances from 1e-4");
  grid->device = slices->device;
  grid->precision = FLK_F32;
  grid->real = grid->shifted = true;
  for (int d = 0; d < 3; d++)
    grid->modes[d] = size;
  if (!nufft_grid_size (grid, &window, upsampling, message, message_size))
    return false;
  if (!nufft_grid_plan (grid, &window))
    return failed (message, message_size, flk_error (slices->device));
  args->grid = grid->grid;
  args->n = grid->n[0];
  args->width = window.width;
  args->degree = window.degree;
  args->lanes = window.width <= 4 ? 4 : 8;
  for (uint32_t k = 0; k <= window.degree; k++)
    for (uint32_t l = 0; l < FLK_SLICES_WIDTH; l++)
      args->window[k][l] = (float) window.coefficient[k][l];
  return true;
}

FlkSlices *
flk_slices_new (FlkDevice *device, uint32_t size, double tolerance, double upsampling, char *message,
                size_t message_size)
{
  FlkSlices *slices = calloc (1, sizeof *slices);
  if (!slices)
    {
      failed (message, message_size, "out of memory");
      return NULL;
    }
  slices->device = device;
  if (plan (slices, size, tolerance, upsampling, message, message_size))
    return slices;
  flk_slices_free (slices);
  return NULL;
}

void
flk_slices_free (FlkSlices *slices)
{
  if (!slices)
    return;
  slices->grid.device = slices->device;
  nufft_grid_clear (&slices->grid);
  flk_buffer_clear (slices->device, &slices->s);
  flk_buffer_clear (slices->device, &slices->chunk_sum);
  free (slices);
}

bool
flk_slices_pixels (FlkSlices *slices, const float *s, uint32_t n)
{
  /* Pixels are worked on by many: what is read beyond the last one must be numbers. */
  size_t size = (3 * (size_t) n + FLK_SLICES_CHUNK) * sizeof (float);
  float *turned = calloc (1, size);
  slices->args.n_pixels = 0;
  for (size_t i = 0; turned && i < n; i++)
    for (size_t d = 0; d < 3; d++)
      turned[d * n + i] = s[3 * i + d];
  bool good = turned && flk_buffer_need (slices->device, &slices->s, size)
              && flk_upload (slices->device, slices->s.memory, turned, size) && flk_sync (slices->device);
  free (turned);
  slices->args.s = slices->s.memory;
  slices->args.n_pixels = good ? n : 0;
  return good;
}

bool
flk_slices_model (FlkSlices *slices, const float *volume)
{
  return nufft_grid_from_modes (&slices->grid, volume, false);
}

bool
flk_slices_run (FlkSlices *slices, const float *rotations, uint32_t n, const FlkSlicesOut *out)
{
  FlkSlicesArgs args = slices->args;
  uint32_t chunks = (args.n_pixels + FLK_SLICES_CHUNK - 1) / FLK_SLICES_CHUNK, blocks = flk_orient_blocks (n);
  if (chunks == 0 || blocks == 0)
    return true;
  args.rotations = rotations;
  args.n_rotations = n;
  args.out = *out;
  args.chunk_sum = flk_buffer_need (slices->device, &slices->chunk_sum,
                                    (size_t) chunks * blocks * FLK_ORIENT_BLOCK * sizeof (float));
  return args.chunk_sum
         && flk_launch (slices->device, "slices_gather", chunks * blocks, 0, &args, sizeof args)
         && ((!out->sum && !out->log_sum)
             || flk_launch (slices->device, "slices_total", blocks, 0, &args, sizeof args));
}

bool
flk_slices_begin (FlkSlices *slices)
{
  return flk_zero (slices->device, slices->args.grid, nufft_grid_bytes (&slices->grid));
}

bool
flk_slices_add (FlkSlices *slices, const float *rotations, uint32_t n, const float *values,
                const float *of_rotation, const float *of_pixel)
{
  FlkSlicesArgs args = slices->args;
  if (n == 0 || args.n_pixels == 0)
    return true;
  args.rotations = rotations;
  args.n_rotations = n;
  args.values = values;
  args.of_rotation = of_rotation;
  args.of_pixel = of_pixel;
  /* Slabs near the middle have more points: some for each thread, but every one looks at all points. */
  unsigned threads = flk_device_threads (slices->device);
  args.slabs = threads == 0 ? args.n : threads == 1 ? 1 : 3 * threads < args.n ? 3 * threads : args.n;
  return flk_launch (slices->device, "slices_spread", args.slabs, 0, &args, sizeof args);
}

bool
flk_slices_end (FlkSlices *slices, float *volume)
{
  return nufft_grid_to_modes (&slices->grid, volume, false);
}
