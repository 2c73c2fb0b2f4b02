/* nufft-plan.c: the host's side of the non-uniform transform: sizes, sorting of points, order of the launches. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/nufft-grid.h"
#include "kernels/nufft.h"

struct FlkNufft
{
  FlkDevice *device;
  FlkNufftOptions options;
  FlkNufftArgs args; /* grid, sizes and window; the rest is given at each launch */
  NufftGrid grid;
  FlkBuffer place, order, first;
};

static bool
failed (char *message, size_t message_size, const char *why)
{
  snprintf (message, message_size, "%s", why);
  return false;
}

static size_t
real_size (const FlkNufft *nufft)
{
  return nufft->options.precision == FLK_F32 ? sizeof (float) : sizeof (double);
}

/* Tiles of at most `target` cells along an axis, and colours: as few as keep tiles of one colour a window apart. */
static bool
tile_axis (FlkNufftArgs *args, int axis, uint32_t target)
{
  uint32_t n = args->n[axis];
  for (uint32_t colours = 2; colours <= args->width; colours++)
    {
      uint32_t tiles = (n + target - 1) / target;
      tiles = (tiles + colours - 1) / colours * colours;
      if (tiles <= n && (colours - 1) * (n / tiles) >= args->width - 1)
        {
          args->tiles[axis] = tiles;
          args->colours[axis] = colours;
          return true;
        }
    }
  return false;
}

/* Bytes of a number, complex or real. */
static size_t
number_size (const FlkNufft *nufft)
{
  return real_size (nufft) * (nufft->options.real ? 1 : 2);
}

/* The largest tiles that fit a team's shared memory with their margins. */
static bool
choose_tiles (FlkNufftArgs *args, uint32_t cells)
{
  static const uint32_t targets[][3] = { { 16, 16, 8 }, { 16, 8, 8 }, { 8, 8, 8 }, { 8, 6, 6 }, { 6, 6, 6 },
                                         { 8, 4, 4 },   { 4, 4, 4 },  { 4, 3, 3 }, { 4, 2, 2 } };
  uint32_t lanes = args->width <= 4 ? 4 : args->width <= 8 ? 8 : 16, margin = args->width - 1;
  for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++)
    {
      uint32_t room = 1;
      bool fits = true;
      for (int d = 0; d < 3 && fits; d++)
        {
          fits = tile_axis (args, d, targets[i][d]);
          room *=
              (args->n[d] + args->tiles[d] - 1) / (fits ? args->tiles[d] : 1) + (d == 0 ? lanes - 1 : margin);
        }
      if (fits && room <= cells)
        return true;
    }
  return false;
}

static bool
plan (FlkNufft *nufft, char *message, size_t message_size)
{
  const FlkNufftOptions *o = &nufft->options;
  FlkNufftArgs *args = &nufft->args;
  NufftWindow window;
  if (!(o->tolerance >= (o->precision == FLK_F32 ? 1e-6 : 1e-9)) || !(o->tolerance <= 0.1))
    return failed (message, message_size,
                   "the tolerance of a non-uniform transform is 1e-6 (double 1e-9) to 0.1");
  if ((o->upsampling != 2 && o->upsampling != 1.25)
      || (o->upsampling == 1.25 && o->precision == FLK_F32 && o->tolerance < 1e-4)
      || !nufft_window_init (&window, o->tolerance, o->upsampling))
    return failed (message, message_size,
                   "the upsampling is 2, or 1.25 for tolerances from 1e-4 (double 1e-5)");
  args->width = window.width;
  args->degree = window.degree;
  for (uint32_t d = 0; d <= FLK_NUFFT_DEGREE; d++)
    for (uint32_t l = 0; l < FLK_NUFFT_LANES; l++)
      if (o->precision == FLK_F32)
        args->window.f32[d][l] = (float) window.coefficient[d][l];
      else
        args->window.f64[d][l] = window.coefficient[d][l];
  NufftGrid *grid = &nufft->grid;
  grid->device = nufft->device;
  grid->precision = o->precision;
  grid->real = o->real;
  memcpy (grid->modes, o->modes, sizeof grid->modes);
  if (!nufft_grid_size (grid, &window, o->upsampling, message, message_size))
    return false;
  memcpy (args->n, grid->n, sizeof args->n);
  if (!choose_tiles (args, (uint32_t) (FLK_NUFFT_TILE / number_size (nufft))))
    return failed (message, message_size, "no tiles of the grid fit a team's memory");
  if (!nufft_grid_plan (grid, &window))
    return failed (message, message_size, flk_error (nufft->device));
  args->grid = grid->grid;
  return true;
}

FlkNufft *
flk_nufft_new (FlkDevice *device, const FlkNufftOptions *options, char *message, size_t message_size)
{
  FlkNufft *nufft = calloc (1, sizeof *nufft);
  if (!nufft)
    {
      failed (message, message_size, "out of memory");
      return NULL;
    }
  nufft->device = device;
  nufft->options = *options;
  if (plan (nufft, message, message_size))
    return nufft;
  flk_nufft_free (nufft);
  return NULL;
}

void
flk_nufft_free (FlkNufft *nufft)
{
  if (!nufft)
    return;
  nufft->grid.device = nufft->device;
  nufft_grid_clear (&nufft->grid);
  FlkBuffer *buffers[] = { &nufft->place, &nufft->order, &nufft->first };
  for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++)
    flk_buffer_clear (nufft->device, buffers[i]);
  free (nufft);
}

/* What sorting needs, on the host. */
typedef struct
{
  const FlkNufft *nufft;
  const void *x;
  uint32_t n, n_tiles;
  uint16_t tile_of[3][FLK_FFT_MAX], start_of[3][FLK_FFT_MAX]; /* of a cell */
  uint32_t *tile, *first, *order;
  void *place;
} Sorting;

/* The cell before the window's first one, and the fraction of a cell beyond; cell < 0: not finite, or too far. */
static inline double
point_cell (const Sorting *s, int axis, uint32_t i, int *cell)
{
  size_t at = (size_t) axis * s->n + i;
  double x = s->nufft->options.precision == FLK_F32 ? (double) ((const float *) s->x)[at]
                                                    : ((const double *) s->x)[at];
  double n = s->nufft->args.n[axis];
  if (!(fabs (x) < 1 << 20))
    {
      *cell = -1;
      return 0;
    }
  double u = (x - floor (x)) * n - 0.5 * s->nufft->args.width;
  u = u < 0 ? u + n : u;
  int whole = (int) u;
  double fraction = u - whole;
  *cell = whole < (int) n ? whole : 0;
  return fraction;
}

static bool
sort_count (Sorting *s)
{
  const uint32_t *tiles = s->nufft->args.tiles;
  for (uint32_t i = 0; i < s->n; i++)
    {
      uint32_t tile = 0;
      for (int d = 2; d >= 0; d--)
        {
          int cell;
          point_cell (s, d, i, &cell);
          if (cell < 0)
            return false;
          tile = tile * tiles[d] + s->tile_of[d][cell];
        }
      s->tile[i] = tile;
      s->first[tile + 1]++;
    }
  for (uint32_t i = 0; i < s->n_tiles; i++)
    s->first[i + 1] += s->first[i];
  return true;
}

/* Stable, so that a tile's points are in the caller's order. first[] ends one tile further on. */
static void
sort_fill (Sorting *s)
{
  for (uint32_t i = 0; i < s->n; i++)
    {
      uint32_t to = s->first[s->tile[i]]++;
      s->order[to] = i;
      for (int d = 0; d < 3; d++)
        {
          int cell;
          double fraction = point_cell (s, d, i, &cell);
          int from_start = cell - s->start_of[d][cell];
          /* Rounding must not carry a point into the next cell. */
          size_t at = (size_t) d * s->n + to;
          if (s->nufft->options.precision == FLK_F32)
            {
              float place = (float) (from_start + fraction), end = (float) (from_start + 1);
              ((float *) s->place)[at] = place < end ? place : nextafterf (end, 0);
            }
          else
            ((double *) s->place)[at] = from_start + fraction;
        }
    }
  memmove (s->first + 1, s->first, s->n_tiles * sizeof *s->first);
  s->first[0] = 0;
}

static bool
sort_upload (FlkNufft *nufft, const Sorting *s)
{
  FlkDevice *device = nufft->device;
  size_t place = 3 * (size_t) s->n * real_size (nufft), order = (size_t) s->n * 4,
         first = ((size_t) s->n_tiles + 1) * 4;
  return flk_buffer_need (device, &nufft->place, place) && flk_buffer_need (device, &nufft->order, order)
         && flk_buffer_need (device, &nufft->first, first)
         && flk_upload (device, nufft->place.memory, s->place, place)
         && flk_upload (device, nufft->order.memory, s->order, order)
         && flk_upload (device, nufft->first.memory, s->first, first) && flk_sync (device);
}

bool
flk_nufft_points (FlkNufft *nufft, const void *x, uint32_t n, char *message, size_t message_size)
{
  const FlkNufftArgs *args = &nufft->args;
  Sorting *s = calloc (1, sizeof *s);
  nufft->args.n_points = 0;
  if (!s)
    return failed (message, message_size, "out of memory");
  s->nufft = nufft;
  s->x = x;
  s->n = n;
  s->n_tiles = args->tiles[0] * args->tiles[1] * args->tiles[2];
  for (int d = 0; d < 3; d++)
    for (uint32_t cell = 0; cell < args->n[d]; cell++)
      {
        uint32_t tile = ((cell + 1) * args->tiles[d] - 1) / args->n[d];
        s->tile_of[d][cell] = (uint16_t) tile;
        s->start_of[d][cell] = (uint16_t) (tile * args->n[d] / args->tiles[d]);
      }
  s->tile = malloc (((size_t) n + 1) * sizeof *s->tile);
  s->order = malloc (((size_t) n + 1) * sizeof *s->order);
  s->place = malloc (3 * ((size_t) n + 1) * real_size (nufft));
  s->first = calloc ((size_t) s->n_tiles + 1, sizeof *s->first);
  bool good = s->tile && s->order && s->place && s->first;
  if (!good)
    failed (message, message_size, "out of memory");
  else if (!(good = sort_count (s)))
    failed (message, message_size, "a point is not finite or beyond 2^20 turns");
  else if (n > 0)
    {
      sort_fill (s);
      good = sort_upload (nufft, s) || failed (message, message_size, flk_error (nufft->device));
    }
  if (good)
    nufft->args.n_points = n;
  free (s->tile);
  free (s->order);
  free (s->place);
  free (s->first);
  free (s);
  return good;
}

static bool
launch_points (FlkNufft *nufft, bool spread, FlkNufftArgs *args)
{
  static const char *const names[2][2][2] = {
    { { "nufft_c32_gather", "nufft_c32_spread" }, { "nufft_r32_gather", "nufft_r32_spread" } },
    { { "nufft_c64_gather", "nufft_c64_spread" }, { "nufft_r64_gather", "nufft_r64_spread" } }
  };
  const char *name = names[nufft->options.precision == FLK_F64][nufft->options.real][spread];
  uint32_t teams = 1;
  for (int d = 0; d < 3; d++)
    teams *= args->tiles[d] / args->colours[d];
  return flk_launch (nufft->device, name, teams, 0, args, sizeof *args);
}

/* The arguments with the points' memory as it is now. */
static FlkNufftArgs
arguments (const FlkNufft *nufft, void *values)
{
  FlkNufftArgs args = nufft->args;
  args.values = values;
  args.place = nufft->place.memory;
  args.order = nufft->order.memory;
  args.first = nufft->first.memory;
  return args;
}

bool
flk_nufft_type2 (FlkNufft *nufft, const void *modes, void *values, bool inverse)
{
  if (nufft->args.n_points == 0)
    return true;
  FlkNufftArgs args = arguments (nufft, values);
  for (int d = 0; d < 3; d++)
    args.colours[d] = 1;
  return nufft_grid_from_modes (&nufft->grid, modes, inverse) && launch_points (nufft, false, &args);
}

bool
flk_nufft_type1 (FlkNufft *nufft, const void *values, void *modes, bool inverse)
{
  FlkNufftArgs args = arguments (nufft, (void *) (uintptr_t) values);
  const uint32_t *c = args.colours;
  bool good = flk_zero (nufft->device, args.grid, nufft_grid_bytes (&nufft->grid));
  for (uint32_t i = 0; i < c[0] * c[1] * c[2] && args.n_points > 0 && good; i++)
    {
      args.colour[0] = i % c[0];
      args.colour[1] = i / c[0] % c[1];
      args.colour[2] = i / (c[0] * c[1]);
      good = launch_points (nufft, true, &args);
    }
  return good && nufft_grid_to_modes (&nufft->grid, modes, inverse);
}
