#include "widgets/density-ray.h"

#include <math.h>

#define OPAQUE 0.985f /* what is behind so much is not looked for */

typedef struct
{
  float place[3]; /* in grid cells */
  float depth;    /* Å */
  float rgb[3], alpha;
} Crossing;

/* How far a ray is through one map. */
typedef struct
{
  float base[3]; /* in grid cells: where sample 0 would be */
  int at, end;   /* next sample, last sample */
  float value;
  gboolean known;                     /* value is that of sample at − 1 */
  guint n;                            /* crossings found and not drawn yet, */
  Crossing found[FLW_DENSITY_LEVELS]; /* all between samples at − 2 and at − 1 */
} Track;

/* --- values --- */

static inline int
wrap (int i, int n)
{
  if ((guint) i < (guint) n)
    return i;
  i %= n;
  return i < 0 ? i + n : i;
}

/* What libm's floorf() is, without a call where the processor's own is not assumed. */
static inline int
whole_below (float x)
{
  int i = (int) x;
  return i - ((float) i > x);
}

/* Cell and place in it; a grid that does not repeat ends at its edge. */
static inline void
find_cell (const FlwDensityLane *lane, const float place[3], int cell[3], float f[3])
{
  for (int a = 0; a < 3; a++)
    {
      int low = whole_below (place[a]);
      f[a] = place[a] - (float) low;
      if (lane->periodic)
        cell[a] = wrap (low, lane->store->cells[a]);
      else
        {
          cell[a] = CLAMP (low, 0, lane->store->cells[a] - 1);
          f[a] = CLAMP (place[a] - (float) cell[a], 0.0f, 1.0f);
        }
    }
}

/* Trilinear, from the eight corners of a cell whose first one is at `p`. */
static inline float
mix_corners (const float *p, gsize row, gsize plane, float x, float y, float z)
{
  const float *q = p + plane;
  float a = p[0] + x * (p[1] - p[0]), b = p[row] + x * (p[row + 1] - p[row]);
  float c = q[0] + x * (q[1] - q[0]), d = q[row] + x * (q[row + 1] - q[row]);

  a += y * (b - a);
  c += y * (d - c);
  return a + z * (c - a);
}

static inline float
value_in (const FlwDensityStore *store, const int cell[3], const float f[3])
{
  gsize row = (gsize) store->points[0], plane = row * (gsize) store->points[1];
  const float *p = store->values + (gsize) cell[2] * plane + (gsize) cell[1] * row + (gsize) cell[0];
  return mix_corners (p, row, plane, f[0], f[1], f[2]);
}

static float
value_at (const FlwDensityLane *lane, const float place[3])
{
  int cell[3];
  float f[3];

  find_cell (lane, place, cell, f);
  return value_in (lane->store, cell, f);
}

/* Gradient in the camera's axes, not normalised: of central differences at the grid's points, interpolated. */
static void
gradient_at (const FlwDensityLane *lane, const float place[3], float gradient[3])
{
  const FlwDensityStore *store = lane->store;
  int cell[3], last;
  float f[3];

  find_cell (lane, place, cell, f);
  gradient[0] = gradient[1] = gradient[2] = 0;
  for (int a = 0; a < 3; a++)
    {
      int here = cell[a];
      float difference;

      last = store->cells[a] - 1;
      cell[a] = here < last ? here + 1 : lane->periodic ? 0 : last;
      difference = value_in (store, cell, f);
      cell[a] = here > 0 ? here - 1 : lane->periodic ? last : 0;
      difference -= value_in (store, cell, f);
      cell[a] = here;
      for (int i = 0; i < 3; i++)
        gradient[i] += difference * lane->slope[a][i];
    }
}

/* --- light --- */

void
flw_density_shade (const FlwDensityLight *light, const float normal[3], float depth, const float rgb[3],
                   float out[3])
{
  /* Lamp and half-way vector: (0.3, 0.4, 0.866) and that + (0, 0, 1), normalised. */
  float lit = MAX (0.3f * normal[0] + 0.4f * normal[1] + 0.866f * normal[2], 0);
  float half = MAX (0.1553f * normal[0] + 0.2071f * normal[1] + 0.9659f * normal[2], 0);
  float shine = half * half, fog;

  shine *= shine;
  shine *= shine;
  shine *= shine;
  shine *= FLW_DENSITY_SPECULAR * shine; /* to the 32nd */
  fog = FLW_DENSITY_FOG * CLAMP (0.5f - 0.5f * depth / light->lanes->fog, 0.0f, 1.0f);
  for (int c = 0; c < 3; c++)
    {
      float colour = rgb[c] * (FLW_DENSITY_AMBIENT + (1 - FLW_DENSITY_AMBIENT) * lit) + shine;
      out[c] = colour + fog * (light->ground[c] - colour);
    }
}

/* How much of the pixel the mesh's lines cover. */
static float
mesh_cover (const FlwDensityLight *light, const FlwDensityLane *lane, const float place[3],
            const float normal[3])
{
  float facing = MAX (fabsf (normal[2]), 0.05f), cover = 0;
  /* Moving a pixel on the screen moves along the surface also in depth. */
  float right = normal[0] / (normal[2] < 0 ? -facing : facing),
        up = normal[1] / (normal[2] < 0 ? -facing : facing);

  for (int a = 0; a < 3; a++)
    {
      const float *slope = lane->slope[a];
      float along_x = slope[0] - right * slope[2], along_y = slope[1] - up * slope[2];
      float speed = sqrtf (along_x * along_x + along_y * along_y) * light->pixel; /* cells a pixel */
      float lines = place[a] / light->lanes->mesh;
      float off = fabsf (lines - (float) whole_below (lines + 0.5f)) * light->lanes->mesh;
      cover = MAX (cover, CLAMP (0.5f * light->lanes->line + 0.5f - off / MAX (speed, 1e-9f), 0.0f, 1.0f));
    }
  return cover;
}

/* --- crossings --- */

static void
meet (const FlwDensityLight *light, const FlwDensityLane *lane, guint level, const float base[3], int k,
      float before, float after, Crossing *crossing)
{
  float low = (float) (k - 1), high = (float) k, target = lane->level[level], t = low;
  float low_value = before - target, high_value = after - target, gradient[3], length, alpha = 1;

  for (int i = 0; i < light->lanes->refinements; i++)
    {
      float value;
      t = low + (high - low) * low_value / (low_value - high_value);
      for (int a = 0; a < 3; a++)
        crossing->place[a] = base[a] + t * lane->away[a];
      value = value_at (lane, crossing->place) - target;
      if ((value < 0) == (low_value < 0))
        {
          low = t;
          low_value = value;
        }
      else
        {
          high = t;
          high_value = value;
        }
    }
  t = low + (high - low) * low_value / (low_value - high_value);
  for (int a = 0; a < 3; a++)
    crossing->place[a] = base[a] + t * lane->away[a];
  crossing->depth = light->lanes->front - t * light->lanes->step;
  gradient_at (lane, crossing->place, gradient);
  length = sqrtf (gradient[0] * gradient[0] + gradient[1] * gradient[1] + gradient[2] * gradient[2]);
  if (length <= 0)
    gradient[2] = length = 1;
  if (gradient[2] < 0)
    length = -length; /* both sides are lit */
  for (int i = 0; i < 3; i++)
    gradient[i] /= length;
  if (light->style == FLW_DENSITY_MESH)
    alpha = mesh_cover (light, lane, crossing->place, gradient);
  else if (light->style == FLW_DENSITY_GLASS)
    alpha = 0.14f + 0.66f * (1 - gradient[2]) * (1 - gradient[2]);
  crossing->alpha = alpha;
  if (alpha > 0)
    flw_density_shade (light, gradient, crossing->depth, lane->rgb[level], crossing->rgb);
}

/* Between samples k − 1 and k. */
static void
meet_levels (const FlwDensityLight *light, const FlwDensityLane *lane, Track *track, int k, float before,
             float after)
{
  for (guint l = 0; l < lane->n_levels; l++)
    if ((before < lane->level[l]) != (after < lane->level[l]))
      meet (light, lane, l, track->base, k, before, after, &track->found[track->n++]);
}

/* Samples until the ray is out of the cube of bricks at `cell` that holds no level. */
static int
leap (const FlwDensityLane *lane, const int cell[3], const float f[3], int number)
{
  int shift = 1 + number; /* log2 of the cube's edge in cells: 4, 8, 16, 32, 64 */
  float samples = 1e9f;

  for (int a = 0; a < 3; a++)
    {
      int low = cell[a] >> shift << shift;
      float pace = lane->pace[a], room;
      if (pace > 0)
        room = (float) (MIN (low + (1 << shift), lane->store->cells[a]) - cell[a]) - f[a];
      else if (pace < 0)
        room = (float) (low - cell[a]) - f[a];
      else
        continue;
      room *= pace;
      samples = MIN (samples, room);
    }
  return 1 + (int) MAX (samples - 1e-3f, 0);
}

/* Samples from `k` to `last`, which lie in one cube of bricks, up to the first that is behind a crossing; `shift`: from the ray's
 * places to the stored ones. */
static void
march_brick (const FlwDensityLight *light, const FlwDensityLane *lane, Track *track, const float shift[3],
             int k, int last)
{
  const FlwDensityStore *store = lane->store;
  const float *values = store->values, *away = lane->away, inside = 1 - 1e-6f;
  const gsize row = (gsize) store->points[0], plane = row * (gsize) store->points[1];
  const float most_x = (float) store->cells[0] * inside, most_y = (float) store->cells[1] * inside,
              most_z = (float) store->cells[2] * inside;
  const float first_level = lane->level[0], last_level = lane->level[lane->n_levels - 1];
  float before = track->value;
  gboolean known = track->known;

  /* Written out: this is where the time goes. */
  for (; k <= last && track->n == 0; k++)
    {
      float x = shift[0] + (float) k * away[0], y = shift[1] + (float) k * away[1],
            z = shift[2] + (float) k * away[2];
      int i, j, l;
      float value;

      x = CLAMP (x, 0.0f, most_x);
      y = CLAMP (y, 0.0f, most_y);
      z = CLAMP (z, 0.0f, most_z);
      i = (int) x;
      j = (int) y;
      l = (int) z;
      value = mix_corners (values + (gsize) l * plane + (gsize) j * row + (gsize) i, row, plane,
                           x - (float) i, y - (float) j, z - (float) l);
      if (known
          && ((before < first_level) != (value < first_level)
              || (before < last_level) != (value < last_level)))
        meet_levels (light, lane, track, k, before, value);
      before = value;
      known = TRUE;
    }
  track->value = before;
  track->known = known;
  track->at = k;
}

G_STATIC_ASSERT (FLW_DENSITY_BRICK == 1 << 2);

/* On to the next crossing, or past sample `limit`. */
static void
march (const FlwDensityLight *light, const FlwDensityLane *lane, Track *track, int limit)
{
  const FlwDensityStore *store = lane->store;

  limit = MIN (limit, track->end);
  while (track->at <= limit && track->n == 0)
    {
      float place[3], f[3], shift[3];
      int cell[3], samples;
      guint8 number;
      gboolean dense;

      for (int a = 0; a < 3; a++)
        place[a] = track->base[a] + (float) track->at * lane->away[a];
      find_cell (lane, place, cell, f);
      number = lane->skip[((cell[2] >> 2) * store->bricks[1] + (cell[1] >> 2)) * store->bricks[0]
                          + (cell[0] >> 2)];
      dense = number > FLW_DENSITY_DENSE;
      samples = leap (lane, cell, f, dense ? number - FLW_DENSITY_DENSE : MAX (number, 1));
      if (number > 0 && !dense)
        {
          track->at += samples;
          track->known = FALSE;
          continue;
        }
      for (int a = 0; a < 3; a++)
        shift[a] = lane->periodic ? track->base[a] - (place[a] - ((float) cell[a] + f[a])) : track->base[a];
      march_brick (light, lane, track, shift, track->at, MIN (track->at + samples - 1, limit));
    }
}

/* --- one ray --- */

void
flw_density_find_slice (const FlwDensityLight *light, const FlwDensityLane *lane, float x, float y,
                        FlwDensityWall *wall)
{
  const FlwDensityLanes *lanes = light->lanes;
  const float *n = lanes->slice;
  float depth, sigmas, place[3], bright;

  if (lane->volume == NULL || fabsf (n[2]) < 0.02f * sqrtf (n[0] * n[0] + n[1] * n[1] + n[2] * n[2])
      || n[2] == 0)
    return;
  depth = -(n[0] * x + n[1] * y) / n[2];
  if (x * x + y * y + depth * depth > lanes->radius * lanes->radius || depth > lanes->front
      || depth < -lanes->back || depth <= wall->depth)
    return;
  for (int a = 0; a < 3; a++)
    {
      place[a] = lane->origin[a] + x * lane->right[a] + y * lane->up[a]
                 + (lanes->front - depth) / lanes->step * lane->away[a];
      if (!lane->periodic && (place[a] < 0 || place[a] > (float) lane->store->cells[a]))
        return;
    }
  sigmas = CLAMP ((value_at (lane, place) - lane->mean) / (lane->sigma * lanes->slice_range), -1.0f, 1.0f);
  bright = fabsf (sigmas);
  wall->depth = depth;
  for (int c = 0; c < 3; c++)
    {
      static const float above[3] = { 0.27f, 0.55f, 1.0f }, below[3] = { 1.0f, 0.36f, 0.27f };
      float full = sigmas < 0 ? below[c] : above[c];
      wall->rgb[c] =
          bright < 0.5f ? 0.04f + 2 * bright * (full - 0.04f) : full + (2 * bright - 1) * (1 - full);
    }
}

/* Cuts [first, last] to where the ray is inside a grid that does not repeat. */
static void
cut_to_grid (const FlwDensityLane *lane, const float base[3], int *first, int *last)
{
  float from = (float) *first, to = (float) *last;

  for (int a = 0; a < 3; a++)
    {
      float step = lane->away[a], room = (float) lane->store->cells[a];
      if (fabsf (step) < 1e-9f)
        {
          if (base[a] < 0 || base[a] > room)
            to = from - 1;
          continue;
        }
      from = MAX (from, step > 0 ? -base[a] / step : (room - base[a]) / step);
      to = MIN (to, step > 0 ? (room - base[a]) / step : -base[a] / step);
    }
  *first = to < from ? 0 : (int) floorf (from); /* a sample just outside has the value of the edge */
  *last = to < from ? -1 : (int) ceilf (to);
}

/* Where a ray is in sight, Å; FALSE: nowhere. */
static gboolean
find_reach (const FlwDensityLanes *lanes, float x, float y, float wall, float *near, float *far)
{
  float ball = lanes->radius * lanes->radius - x * x - y * y, reach;

  if (ball <= 0)
    return FALSE;
  reach = sqrtf (ball);
  *near = MIN (lanes->front, reach);
  *far = MAX (MAX (-lanes->back, -reach), wall);
  return *near > *far;
}

/* From the sample just before what is in sight to the one just behind. */
static void
start_track (const FlwDensityLanes *lanes, const FlwDensityLane *lane, float x, float y, float near,
             float far, Track *track)
{
  track->known = FALSE;
  track->n = 0;
  track->at = 0;
  track->end = -1;
  if (lane->skip == NULL)
    return;
  track->at = (int) floorf ((lanes->front - near) / lanes->step);
  track->end = (int) ceilf ((lanes->front - far) / lanes->step);
  for (int a = 0; a < 3; a++)
    track->base[a] = lane->origin[a] + x * lane->right[a] + y * lane->up[a];
  if (!lane->periodic)
    cut_to_grid (lane, track->base, &track->at, &track->end);
}

/* The track whose next crossing is the nearest, none of the others having one before it; NULL: there is none. */
static Track *
next_track (const FlwDensityLight *light, const FlwDensityLane *lanes, Track tracks[FLW_DENSITY_MAPS])
{
  Track *first = NULL;
  int limit = G_MAXINT;

  for (guint m = 0; m < FLW_DENSITY_MAPS; m++)
    {
      march (light, &lanes[m], &tracks[m], limit);
      if (tracks[m].n > 0 && tracks[m].at <= limit)
        limit = tracks[m].at;
    }
  for (guint m = 0; m < FLW_DENSITY_MAPS; m++)
    {
      if (tracks[m].n == 2 && tracks[m].found[0].depth < tracks[m].found[1].depth)
        {
          Crossing nearer = tracks[m].found[1];
          tracks[m].found[1] = tracks[m].found[0];
          tracks[m].found[0] = nearer;
        }
      if (tracks[m].n > 0 && (first == NULL || tracks[m].found[0].depth > first->found[0].depth))
        first = &tracks[m];
    }
  return first;
}

/* (x, y): Å from the centre. Colour and depth of what is seen. */
void
flw_density_cast_ray (const FlwDensityLight *light, const FlwDensityLane *lanes, float x, float y,
                      const FlwDensityWall *wall, float out[3], float *depth)
{
  float clear = 1, near, far;
  Track tracks[FLW_DENSITY_MAPS], *track;

  *depth = -INFINITY;
  out[0] = out[1] = out[2] = 0;
  if (find_reach (light->lanes, x, y, wall->depth, &near, &far))
    {
      for (guint m = 0; m < FLW_DENSITY_MAPS; m++)
        start_track (light->lanes, &lanes[m], x, y, near, far, &tracks[m]);
      while (clear > 1 - OPAQUE && (track = next_track (light, lanes, tracks)) != NULL)
        {
          const Crossing *crossing = &track->found[0];
          if (crossing->alpha > 0 && crossing->depth <= near && crossing->depth >= far)
            {
              for (int c = 0; c < 3; c++)
                out[c] += clear * crossing->alpha * crossing->rgb[c];
              clear *= 1 - crossing->alpha;
              *depth = MAX (*depth, crossing->depth);
            }
          if (--track->n > 0)
            track->found[0] = track->found[1];
        }
    }
  *depth = clear > 1 - OPAQUE ? MAX (*depth, wall->depth) : *depth;
  for (int c = 0; clear > 1 - OPAQUE && c < 3; c++)
    out[c] += clear * (isfinite (wall->depth) ? wall->rgb[c] : light->ground[c]);
}
