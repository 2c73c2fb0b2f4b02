/* slices.c: windows worked out for each pixel of each rotation, gathered from the grid or spread on it. */
#include "kernels/slices.h"

#include "kernels/kernel.h"
#include "kernels/kernel_lanes.h"

enum
{
  BLOCK = FLK_ORIENT_BLOCK,
  CHUNK = FLK_SLICES_CHUNK,
  WIDTH = FLK_SLICES_WIDTH,
  PITCH = TEAM_IS_ONE ? BLOCK : BLOCK + 1, /* rows begin in different banks */
  TOGETHER = TEAM_IS_ONE ? 16 : 1          /* pixels whose places are worked out at once */
};

/* Of TOGETHER pixels, those beyond the last one included: where their windows begin and how. */
typedef struct
{
  uint32_t cell[3][TOGETHER]; /* the first one; may be up to the grid's size */
  float t[3][TOGETHER];       /* what the polynomials are of */
} Place;

DEVICE_FN void
slices_place (const FlkSlicesArgs *a, uint32_t rotation, uint32_t pixel, Place *p)
{
  const float *m = a->rotations + (size_t) rotation * 9;
  const float *RESTRICT s = a->s + pixel;
  float cells = (float) a->n, reach = 0.5f * (float) a->width;
  for (int d = 0; d < 3; d++)
    {
      float mx = m[d], my = m[3 + d], mz = m[6 + d];
      float *RESTRICT t = p->t[d];
      uint32_t *RESTRICT cell = p->cell[d];
      VECTOR_LOOP
      for (uint32_t i = 0; i < TOGETHER; i++)
        {
          float x = mx * s[i] + my * s[a->n_pixels + i] + mz * s[2 * a->n_pixels + i];
          x = (x - round_even (x) + 0.5f) * cells - reach;
          x = x < 0 ? x + cells : x;
          x = x >= 0 ? x : 0; /* what is no number must not be an address */
          x = x <= cells ? x : 0;
          int32_t whole = (int32_t) x;
          t[i] = 2 * (x - (float) whole) - 1;
          cell[i] = (uint32_t) whole + 1;
        }
    }
}

typedef struct
{
  float window[3 * WIDTH]; /* axis d from d · lanes on */
  uint32_t cell[3];
  bool inside; /* no part of it, lanes of weight 0 included, is beyond the end */
} Point;

#ifdef BACKEND_CPU
#define ROW    Row4
#define ACROSS 4
#define S(x)   slices4_##x
#include "kernels/slices-row.h"
#undef ROW
#undef ACROSS
#undef S
#define ROW    Row8
#define ACROSS 6
#define S(x)   slices6_##x
#include "kernels/slices-row.h"
#undef ACROSS
#undef S
#define ACROSS 8
#define S(x)   slices8_##x
#include "kernels/slices-row.h"
#endif

DEVICE_FN void
slices_windows (const FlkSlicesArgs *a, const Place *place, uint32_t i, Point *p, const int lanes)
{
  p->inside = true;
  for (int d = 0; d < 3; d++)
    {
      p->cell[d] = place->cell[d][i];
      p->inside = p->inside && p->cell[d] + (uint32_t) lanes <= a->n;
#ifdef BACKEND_CPU
      if (lanes == 4)
        slices4_window (a, place->t[d][i], p->window + d * 4);
      else
        slices8_window (a, place->t[d][i], p->window + d * 8);
#else
      for (int l = 0; l < lanes; l++)
        {
          float w = a->window[a->degree][l];
          for (int k = (int) a->degree - 1; k >= 0; k--)
            w = w * place->t[d][i] + a->window[k][l];
          p->window[d * lanes + l] = w;
        }
#endif
    }
}

DEVICE_FN uint32_t
slices_wrap (uint32_t cell, uint32_t n)
{
  return cell < n ? cell : cell - n;
}

DEVICE_FN float
slices_value (const FlkSlicesArgs *a, const Point *p, const int lanes)
{
  uint32_t n = a->n;
  const float *wx = p->window, *wy = wx + lanes, *wz = wy + lanes;
  float sum[WIDTH];
#ifdef BACKEND_CPU
  if (p->inside)
    {
      const float *from = a->grid + ((size_t) p->cell[2] * n + p->cell[1]) * n + p->cell[0];
      return lanes == 4      ? slices4_sum (a, p->window, from)
             : a->width <= 6 ? slices6_sum (a, p->window, from)
                             : slices8_sum (a, p->window, from);
    }
#endif
  for (int l = 0; l < lanes; l++)
    sum[l] = 0;
  for (uint32_t z = 0; z < a->width; z++)
    for (uint32_t y = 0; y < a->width; y++)
      {
        float by = wy[y] * wz[z];
        const float *row =
            a->grid + ((size_t) slices_wrap (p->cell[2] + z, n) * n + slices_wrap (p->cell[1] + y, n)) * n;
        for (uint32_t l = 0; l < a->width; l++)
          sum[l] += by * row[slices_wrap (p->cell[0] + l, n)];
      }
  for (int l = 0; l < lanes; l++)
    sum[l] *= wx[l];
  for (int half = lanes / 2; half >= 1; half /= 2)
    for (int l = 0; l < half; l++)
      sum[l] += sum[l + half];
  return sum[0];
}

/* Values of a block's rotations at a chunk of pixels. */
typedef struct
{
  float tile[CHUNK][PITCH];
} GatherShared;

DEVICE_FN void
gather_tile (Team t, GatherShared *sh, const FlkSlicesArgs *a, uint32_t block, uint32_t first, uint32_t n,
             const int lanes)
{
  uint32_t parts = (n + TOGETHER - 1) / TOGETHER;
  TEAM_LOOP (own, parts * BLOCK, t)
    {
      uint32_t lane = (uint32_t) own / parts, at = (uint32_t) own % parts * TOGETHER;
      uint32_t rotation = block * BLOCK + lane, count = n - at < TOGETHER ? n - at : (uint32_t) TOGETHER;
      if (rotation >= a->n_rotations)
        {
          for (uint32_t i = 0; i < count; i++)
            sh->tile[at + i][lane] = 0;
          continue;
        }
      Place place;
      Point p;
      slices_place (a, rotation, first + at, &place);
      for (uint32_t i = 0; i < count; i++)
        {
          slices_windows (a, &place, i, &p, lanes);
          sh->tile[at + i][lane] = slices_value (a, &p, lanes);
        }
    }
  team_barrier (t);
}

/* Writes what is asked of the tile; a thread has some lanes. */
DEVICE_FN void
gather_finish (Team t, GatherShared *sh, const FlkSlicesArgs *a, uint32_t block, uint32_t first, uint32_t n)
{
  const FlkSlicesOut *o = &a->out;
  uint32_t chunk = first / CHUNK, blocks = (a->n_rotations + BLOCK - 1) / BLOCK;
  float *sum = a->chunk_sum + ((size_t) chunk * blocks + block) * BLOCK;
  TEAM_LOOP (part, BLOCK / 16, t)
    {
      uint32_t from = (uint32_t) part * 16;
      float total[16] = { 0 };
      for (uint32_t i = 0; i < n; i++)
        {
          uint32_t pixel = first + i;
          size_t at = ((size_t) block * a->n_pixels + pixel) * BLOCK + from;
          float *RESTRICT v = sh->tile[i] + from;
          if (o->values)
            for (int l = 0; l < 16; l++)
              o->values[at + (uint32_t) l] = v[l];
          float scale = o->scale * (o->factor ? o->factor[pixel] : 1),
                background = o->background ? o->background[pixel] : 0,
                counted = o->counted ? o->counted[pixel] : 1;
          float w[16];
          for (int l = 0; l < 16; l++)
            {
              w[l] = scale * v[l] + background;
              w[l] = w[l] > o->floor ? w[l] : o->floor;
              total[l] += counted * w[l];
            }
          if (o->model)
            for (int l = 0; l < 16; l++)
              o->model[at + (uint32_t) l] = w[l];
          if (o->log_model)
            for (int l = 0; l < 16; l++)
              o->log_model[at + (uint32_t) l] = 0.69314718f * log2_f32 (w[l]);
        }
      for (int l = 0; l < 16; l++)
        sum[from + (uint32_t) l] = total[l];
    }
  team_barrier (t);
}

DEVICE_FN void
slices_gather_body (Team t, GatherShared *sh, const FlkSlicesArgs *a)
{
  uint32_t chunks = (a->n_pixels + CHUNK - 1) / CHUNK;
  uint32_t block = t.index / chunks, first = t.index % chunks * CHUNK;
  uint32_t n = a->n_pixels - first < CHUNK ? a->n_pixels - first : (uint32_t) CHUNK;
  if (a->lanes == 4)
    gather_tile (t, sh, a, block, first, n, 4);
  else
    gather_tile (t, sh, a, block, first, n, 8);
  gather_finish (t, sh, a, block, first, n);
}

/* Sums of the chunks, in their order. */
DEVICE_FN void
slices_total_body (Team t, uint32_t *sh, const FlkSlicesArgs *a)
{
  (void) sh;
  uint32_t chunks = (a->n_pixels + CHUNK - 1) / CHUNK, blocks = (a->n_rotations + BLOCK - 1) / BLOCK;
  uint32_t first = t.index * BLOCK,
           n = a->n_rotations - first < BLOCK ? a->n_rotations - first : (uint32_t) BLOCK;
  TEAM_LOOP (lane, n, t)
    {
      uint32_t rotation = first + (uint32_t) lane;
      float sum = 0;
      for (uint32_t c = 0; c < chunks; c++)
        sum += a->chunk_sum[(size_t) c * blocks * BLOCK + rotation];
      if (a->out.sum)
        a->out.sum[rotation] = sum;
      if (a->out.log_sum)
        a->out.log_sum[rotation] = 0.69314718f * log2_f32 (sum > FLT_MIN ? sum : FLT_MIN);
    }
}

/* A value onto the planes z0 … z1 − 1. With `share` (threads of a team) only onto the cells whose x and y leave that
 * remainder of 16 times 16. */
DEVICE_FN void
slices_add (const FlkSlicesArgs *a, const Point *p, float value, uint32_t z0, uint32_t z1, uint32_t share,
            const int lanes)
{
  uint32_t n = a->n;
#ifdef BACKEND_CPU
  if (TEAM_IS_ONE && p->inside && p->cell[2] >= z0 && p->cell[2] + (uint32_t) lanes <= z1)
    {
      float *to = a->grid + ((size_t) p->cell[2] * n + p->cell[1]) * n + p->cell[0];
      if (lanes == 4)
        slices4_add (a, p->window, value, to);
      else if (a->width <= 6)
        slices6_add (a, p->window, value, to);
      else
        slices8_add (a, p->window, value, to);
      return;
    }
#endif
  const float *wx = p->window, *wy = wx + lanes, *wz = wy + lanes;
  for (uint32_t z = 0; z < a->width; z++)
    {
      uint32_t at_z = slices_wrap (p->cell[2] + z, n);
      if (at_z < z0 || at_z >= z1)
        continue;
      float bz = value * wz[z];
      for (uint32_t y = 0; y < a->width; y++)
        {
          uint32_t at_y = slices_wrap (p->cell[1] + y, n);
          if (!TEAM_IS_ONE && at_y % 16 != share / 16)
            continue;
          float by = bz * wy[y];
          float *RESTRICT row = a->grid + ((size_t) at_z * n + at_y) * n;
          for (uint32_t l = 0; l < a->width; l++)
            {
              uint32_t at_x = slices_wrap (p->cell[0] + l, n);
              if (TEAM_IS_ONE || at_x % 16 == share % 16)
                row[at_x] += by * wx[l];
            }
        }
    }
}

/* Whether a window from cell `first` on meets the slab. */
DEVICE_FN bool
slices_meets (const FlkSlicesArgs *a, uint32_t first, uint32_t z0, uint32_t z1)
{
  uint32_t last = first + a->width - 1;
  bool here = first < z1 && last >= z0;
  return here || (last >= a->n && last - a->n >= z0) || (first >= a->n && first - a->n < z1);
}

DEVICE_FN float
spread_value (const FlkSlicesArgs *a, uint32_t block, uint32_t lane, uint32_t pixel)
{
  float value = a->of_rotation ? a->of_rotation[block * BLOCK + lane] : 1;
  if (a->values)
    value *= a->values[((size_t) block * a->n_pixels + pixel) * BLOCK + lane];
  return a->of_pixel ? value * a->of_pixel[pixel] : value;
}

#if TEAM_IS_ONE

typedef uint32_t SpreadShared;

DEVICE_FN void
spread_rotation (Team t, SpreadShared *sh, const FlkSlicesArgs *a, uint32_t block, uint32_t lane,
                 uint32_t first, uint32_t n, uint32_t z0, uint32_t z1, const int lanes)
{
  (void) t;
  (void) sh;
  Place place;
  Point p;
  for (uint32_t at = 0; at < n; at += TOGETHER)
    {
      uint32_t count = n - at < TOGETHER ? n - at : (uint32_t) TOGETHER;
      slices_place (a, block * BLOCK + lane, first + at, &place);
      for (uint32_t i = 0; i < count; i++)
        {
          float value = spread_value (a, block, lane, first + at + i);
          if (value == 0 || (a->slabs > 1 && !slices_meets (a, place.cell[2][i], z0, z1)))
            continue;
          slices_windows (a, &place, i, &p, lanes);
          slices_add (a, &p, value, z0, z1, 0, lanes);
        }
    }
}

#else

/* The chunk's points that meet the slab are collected in their order, then each thread takes its cells. */
typedef struct
{
  TeamSlots slots;
  Point point[CHUNK];
  float value[CHUNK];
} SpreadShared;

/* Place and value of a pixel that the slab must take. */
DEVICE_FN bool
spread_meets (const FlkSlicesArgs *a, uint32_t block, uint32_t lane, uint32_t pixel, uint32_t z0, uint32_t z1,
              Place *place, float *value)
{
  *value = spread_value (a, block, lane, pixel);
  if (*value == 0)
    return false;
  slices_place (a, block * BLOCK + lane, pixel, place);
  return slices_meets (a, place->cell[2][0], z0, z1);
}

DEVICE_FN void
spread_rotation (Team t, SpreadShared *sh, const FlkSlicesArgs *a, uint32_t block, uint32_t lane,
                 uint32_t first, uint32_t n, uint32_t z0, uint32_t z1, const int lanes)
{
  /* A run of pixels a thread: how many of them, then which. */
  uint32_t each = (n + t.size - 1) / t.size, from = t.rank * each < n ? t.rank * each : n;
  uint32_t to = from + each < n ? from + each : n, mine = 0, found;
  Place place;
  float value;
  for (uint32_t i = from; i < to; i++)
    mine += spread_meets (a, block, lane, first + i, z0, z1, &place, &value);
  uint32_t at = team_scan_u32 (t, &sh->slots, mine, &found);
  for (uint32_t i = from; i < to && mine > 0; i++)
    if (spread_meets (a, block, lane, first + i, z0, z1, &place, &value))
      {
        slices_windows (a, &place, 0, &sh->point[at], lanes);
        sh->value[at++] = value;
      }
  team_barrier (t);
  TEAM_LOOP (share, found > 0 ? 256 : 0, t)
    for (uint32_t i = 0; i < found; i++)
      slices_add (a, &sh->point[i], sh->value[i], z0, z1, (uint32_t) share, lanes);
  team_barrier (t);
}

#endif

DEVICE_FN void
spread_slab (Team t, SpreadShared *sh, const FlkSlicesArgs *a, const int lanes)
{
  uint32_t z0 = t.index * a->n / a->slabs, z1 = (t.index + 1) * a->n / a->slabs;
  uint32_t blocks = (a->n_rotations + BLOCK - 1) / BLOCK;
  for (uint32_t block = 0; block < blocks; block++)
    for (uint32_t first = 0; first < a->n_pixels; first += CHUNK)
      for (uint32_t lane = 0; lane < BLOCK && block * BLOCK + lane < a->n_rotations; lane++)
        {
          uint32_t n = a->n_pixels - first < CHUNK ? a->n_pixels - first : (uint32_t) CHUNK;
          if (!a->of_rotation || a->of_rotation[block * BLOCK + lane] != 0)
            spread_rotation (t, sh, a, block, lane, first, n, z0, z1, lanes);
        }
}

DEVICE_FN void
slices_spread_body (Team t, SpreadShared *sh, const FlkSlicesArgs *a)
{
  if (a->lanes == 4)
    spread_slab (t, sh, a, 4);
  else
    spread_slab (t, sh, a, 8);
}

KERNEL (slices_gather, FlkSlicesArgs, GatherShared, 256)
KERNEL (slices_total, FlkSlicesArgs, uint32_t, 64)
KERNEL (slices_spread, FlkSlicesArgs, SpreadShared, 256)
