/* nufft-grid.c: sizes and tables of the fine grid; its transform, with correction for the window, in three passes. */
#include "kernels/nufft-grid.h"

#include <math.h>
#include <stdio.h>

static size_t
real_size (const NufftGrid *grid)
{
  return grid->precision == FLK_F32 ? sizeof (float) : sizeof (double);
}

static size_t
number_size (const NufftGrid *grid)
{
  return real_size (grid) * (grid->real ? 1 : 2);
}

size_t
nufft_grid_bytes (const NufftGrid *grid)
{
  return (size_t) grid->n[0] * grid->n[1] * grid->n[2] * number_size (grid);
}

bool
nufft_grid_size (NufftGrid *grid, const NufftWindow *window, double upsampling, char *message,
                 size_t message_size)
{
  for (int d = 0; d < 3; d++)
    {
      double least = fmax (ceil (upsampling * grid->modes[d]), 2 * window->width);
      grid->n[d] = grid->modes[d] == 0 || least > FLK_FFT_MAX ? 0 : flk_fft_good_size ((uint32_t) least);
      if (grid->n[d] == 0)
        {
          snprintf (message, message_size, "too many modes or none");
          return false;
        }
    }
  return true;
}

static bool
plan_axis (NufftGrid *grid, const NufftWindow *window, int axis)
{
  uint32_t modes = grid->modes[axis], n = grid->n[axis];
  double factor[FLK_FFT_MAX];
  float narrow[FLK_FFT_MAX];
  for (uint32_t i = 0; i < modes; i++)
    {
      int k = (int) i - (int) (modes / 2);
      factor[i] = nufft_window_factor (window, k, n) * (grid->shifted && k % 2 ? -1 : 1);
      narrow[i] = (float) factor[i];
    }
  size_t size = modes * real_size (grid);
  return flk_fft_line_init (grid->device, &grid->lines[axis], n, grid->precision)
         && flk_buffer_need (grid->device, &grid->factor[axis], size)
         && flk_upload (grid->device, grid->factor[axis].memory,
                        grid->precision == FLK_F32 ? (void *) narrow : (void *) factor, size)
         && flk_sync (grid->device);
}

bool
nufft_grid_plan (NufftGrid *grid, const NufftWindow *window)
{
  for (int d = 0; d < 3; d++)
    if (!plan_axis (grid, window, d))
      return false;
  size_t bytes = nufft_grid_bytes (grid), beyond = NUFFT_GRID_BEYOND * number_size (grid);
  grid->grid = flk_buffer_need (grid->device, &grid->memory, bytes + beyond);
  if (!grid->grid || !flk_zero (grid->device, (char *) grid->grid + bytes, beyond))
    return false;
  grid->work = grid->grid;
  if (grid->real)
    grid->work = flk_buffer_need (grid->device, &grid->beside,
                                  (size_t) grid->n[0] * grid->n[1] * grid->modes[2] * 2 * real_size (grid));
  return grid->work;
}

void
nufft_grid_clear (NufftGrid *grid)
{
  for (int d = 0; d < 3; d++)
    {
      flk_fft_line_clear (grid->device, &grid->lines[d]);
      flk_buffer_clear (grid->device, &grid->factor[d]);
    }
  flk_buffer_clear (grid->device, &grid->memory);
  flk_buffer_clear (grid->device, &grid->beside);
}

/* One axis of the transform within the grid, of which the other axes hold `lines` and `groups` lines. */
static bool
transform_axis (NufftGrid *grid, int axis, const FlkFftSide *in, const FlkFftSide *out, bool inverse)
{
  const uint32_t *n = grid->n, *m = grid->modes;
  uint32_t lines = axis == 0 ? m[1] : n[0] * (axis == 2 ? n[1] : 1), groups = axis == 2 ? 1 : m[2];
  return flk_fft_pass (grid->device, &grid->lines[axis], grid->precision, in, out, lines, groups, inverse);
}

/* The grid's side of an axis, and the same with modes kept and corrected. */
static FlkFftSide
side (const NufftGrid *grid, int axis, bool modes)
{
  uint64_t nx = grid->n[0], plane = nx * grid->n[1];
  bool whole = axis == 2 && !modes; /* all others lie in `work` */
  FlkFftSide s = { .data = whole ? grid->grid : grid->work, .real = whole && grid->real };
  s.stride = axis == 0 ? 1 : axis == 1 ? nx : plane;
  s.step = axis == 0 ? nx : 1;
  s.group = axis == 2 ? 0 : plane;
  if (modes)
    {
      s.modes = grid->modes[axis];
      s.factor = grid->factor[axis].memory;
    }
  return s;
}

/* The caller's side along x. */
static FlkFftSide
outer_side (const NufftGrid *grid, void *data)
{
  FlkFftSide s = side (grid, 0, true);
  s.data = data;
  s.real = grid->real;
  s.step = grid->modes[0];
  s.group = (uint64_t) grid->modes[0] * grid->modes[1];
  return s;
}

bool
nufft_grid_from_modes (NufftGrid *grid, const void *modes, bool inverse)
{
  /* The modes are read only. */
  FlkFftSide from = outer_side (grid, (void *) (uintptr_t) modes), to = side (grid, 0, false);
  bool good = transform_axis (grid, 0, &from, &to, inverse);
  for (int axis = 1; axis < 3; axis++)
    {
      from = side (grid, axis, true);
      to = side (grid, axis, false);
      good = good && transform_axis (grid, axis, &from, &to, inverse);
    }
  return good;
}

bool
nufft_grid_to_modes (NufftGrid *grid, void *modes, bool inverse)
{
  bool good = true;
  for (int axis = 2; axis >= 0; axis--)
    {
      FlkFftSide from = side (grid, axis, false);
      FlkFftSide to = axis == 0 ? outer_side (grid, modes) : side (grid, axis, true);
      good = good && transform_axis (grid, axis, &from, &to, inverse);
    }
  return good;
}
