#include "widgets/density-cast.h"

#include <math.h>
#include <string.h>

#include "widgets/density-sticks.h"

enum
{
  TILE = 8, /* rows that a thread takes at a time */
  BISECTIONS = 2,
  SECANTS = 2,
  MAX_CROSSED = FLW_DENSITY_MAPS * FLW_DENSITY_LEVELS
};

#define OPAQUE 0.985f /* what is behind so much is not looked for */

struct _FlwDensityCaster
{
  guint threads;
  GThreadPool *pool;
  FlwDensityLanes lanes;
  GMutex lock;
  GCond done;
  guint running;
};

typedef struct
{
  FlwDensityCaster *caster;
  const FlwDensityScene *scene;
  const FlwDensityLanes *lanes;
  GArray *sticks;
  guint width, height, stride, oversample;
  guint32 *pixels;
  float *depths; /* or NULL */
  const gint *cancel;
  float pixel; /* Å */
  float ground[3];
  gint next_row;
} Frame;

typedef struct
{
  float place[3]; /* in grid cells */
  float depth;    /* Å */
  float rgb[3], alpha;
} Crossing;

/* A ray, and how far each of its maps is. */
typedef struct
{
  float base[FLW_DENSITY_MAPS][3];
  int at[FLW_DENSITY_MAPS], end[FLW_DENSITY_MAPS]; /* next sample, last sample */
  float near, far;                                 /* Å: what lies outside is cut away */
  float value[FLW_DENSITY_MAPS];
  gboolean known[FLW_DENSITY_MAPS]; /* value is that of sample at − 1 */
} Ray;

/* --- values --- */

static inline int
wrap (int i, int n)
{
  if ((guint) i < (guint) n)
    return i;
  i %= n;
  return i < 0 ? i + n : i;
}

/* Cell and place in it; a grid that does not repeat ends at its edge. */
static inline void
find_cell (const FlwDensityLane *lane, const float place[3], int cell[3], float f[3])
{
  for (int a = 0; a < 3; a++)
    {
      float low = floorf (place[a]);
      f[a] = place[a] - low;
      if (lane->periodic)
        cell[a] = wrap ((int) low, lane->store->cells[a]);
      else
        {
          cell[a] = CLAMP ((int) low, 0, lane->store->cells[a] - 1);
          f[a] = CLAMP (place[a] - (float) cell[a], 0.0f, 1.0f);
        }
    }
}

static inline float
value_in (const FlwDensityStore *store, const int cell[3], const float f[3])
{
  gsize row = (gsize) store->points[0], plane = row * (gsize) store->points[1];
  const float *p = store->values + (gsize) cell[2] * plane + (gsize) cell[1] * row + (gsize) cell[0];
  float a = p[0] + f[0] * (p[1] - p[0]), b = p[row] + f[0] * (p[row + 1] - p[row]);
  float c = p[plane] + f[0] * (p[plane + 1] - p[plane]),
        d = p[plane + row] + f[0] * (p[plane + row + 1] - p[plane + row]);

  a += f[1] * (b - a);
  c += f[1] * (d - c);
  return a + f[2] * (c - a);
}

static float
value_at (const FlwDensityLane *lane, const float place[3])
{
  int cell[3];
  float f[3];

  find_cell (lane, place, cell, f);
  return value_in (lane->store, cell, f);
}

/* Gradient in the camera's axes, not normalised. */
static void
gradient_at (const FlwDensityLane *lane, const float place[3], float gradient[3])
{
  gradient[0] = gradient[1] = gradient[2] = 0;
  for (int a = 0; a < 3; a++)
    {
      float to[3] = { place[0], place[1], place[2] }, difference;
      to[a] += 1;
      difference = value_at (lane, to);
      to[a] -= 2;
      difference -= value_at (lane, to);
      for (int i = 0; i < 3; i++)
        gradient[i] += difference * lane->slope[a][i];
    }
}

/* --- light --- */

static void
shade (const FlwDensityLanes *lanes, const float normal[3], float depth, const float rgb[3],
       const float ground[3], float out[3])
{
  /* Lamp and half-way vector: (0.3, 0.4, 0.866) and that + (0, 0, 1), normalised. */
  float lit = fmaxf (0.3f * normal[0] + 0.4f * normal[1] + 0.866f * normal[2], 0);
  float half = fmaxf (0.1553f * normal[0] + 0.2071f * normal[1] + 0.9659f * normal[2], 0);
  float shine = half * half, fog;

  shine *= shine;
  shine *= shine;
  shine *= shine;
  shine *= FLW_DENSITY_SPECULAR * shine; /* to the 32nd */
  fog = FLW_DENSITY_FOG * CLAMP (0.5f - 0.5f * depth / lanes->fog, 0.0f, 1.0f);
  for (int c = 0; c < 3; c++)
    {
      float colour = rgb[c] * (FLW_DENSITY_AMBIENT + (1 - FLW_DENSITY_AMBIENT) * lit) + shine;
      out[c] = colour + fog * (ground[c] - colour);
    }
}

/* How much of the pixel the mesh's lines cover. */
static float
mesh_cover (const Frame *frame, const FlwDensityLane *lane, const float place[3], const float normal[3])
{
  float facing = fmaxf (fabsf (normal[2]), 0.05f), cover = 0;
  /* Moving a pixel on the screen moves along the surface also in depth. */
  float right = normal[0] / (normal[2] < 0 ? -facing : facing),
        up = normal[1] / (normal[2] < 0 ? -facing : facing);

  for (int a = 0; a < 3; a++)
    {
      const float *slope = lane->slope[a];
      float along_x = slope[0] - right * slope[2], along_y = slope[1] - up * slope[2];
      float speed = sqrtf (along_x * along_x + along_y * along_y) * frame->pixel; /* cells a pixel */
      float lines = place[a] / frame->lanes->mesh;
      float off = fabsf (lines - rintf (lines)) * frame->lanes->mesh;
      cover =
          fmaxf (cover, CLAMP (0.5f * frame->lanes->line + 0.5f - off / fmaxf (speed, 1e-9f), 0.0f, 1.0f));
    }
  return cover;
}

/* --- crossings --- */

static void
meet (const Frame *frame, const FlwDensityLane *lane, guint level, const float base[3], int k, float before,
      float after, Crossing *crossing)
{
  float low = (float) (k - 1), high = (float) k, target = lane->level[level], t = low;
  float low_value = before - target, high_value = after - target, gradient[3], length, alpha = 1;

  for (int i = 0; i < BISECTIONS + SECANTS; i++)
    {
      float value;
      t = i < BISECTIONS ? 0.5f * (low + high) : low + (high - low) * low_value / (low_value - high_value);
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
  crossing->depth = frame->lanes->front - t * frame->lanes->step;
  gradient_at (lane, crossing->place, gradient);
  length = sqrtf (gradient[0] * gradient[0] + gradient[1] * gradient[1] + gradient[2] * gradient[2]);
  if (length <= 0)
    gradient[2] = length = 1;
  if (gradient[2] < 0)
    length = -length; /* both sides are lit */
  for (int i = 0; i < 3; i++)
    gradient[i] /= length;
  if (frame->scene->style == FLW_DENSITY_MESH)
    alpha = mesh_cover (frame, lane, crossing->place, gradient);
  else if (frame->scene->style == FLW_DENSITY_GLASS)
    alpha = 0.14f + 0.66f * (1 - gradient[2]) * (1 - gradient[2]);
  crossing->alpha = alpha;
  if (alpha > 0)
    shade (frame->lanes, gradient, crossing->depth, lane->rgb[level], frame->ground, crossing->rgb);
}

/* Samples until the ray is out of the cube of bricks at `cell` that holds no level. */
static int
leap (const FlwDensityLane *lane, const int cell[3], const float f[3], int number)
{
  int shift = 2 * number; /* log2 of the cube's edge in cells: 4, 16, 64 */
  float samples = 1e9f;

  for (int a = 0; a < 3; a++)
    {
      float step = lane->away[a], room;
      if (step > 0)
        room = ((float) (MIN ((cell[a] >> shift << shift) + (1 << shift), lane->store->cells[a]) - cell[a])
                - f[a])
               / step;
      else if (step < 0)
        room = ((float) ((cell[a] >> shift << shift) - cell[a]) - f[a]) / step;
      else
        continue;
      samples = fminf (samples, room);
    }
  return 1 + (int) fmaxf (samples - 1e-3f, 0);
}

/* Sample ray->at[m] of a map; returns how many crossings were added to `crossed`. */
static guint
sample (const Frame *frame, const FlwDensityLane *lane, Ray *ray, guint m, Crossing *crossed)
{
  const FlwDensityStore *store = lane->store;
  int k = ray->at[m], cell[3];
  float place[3], f[3], value;
  guint n = 0;
  guint8 number;

  for (int a = 0; a < 3; a++)
    place[a] = ray->base[m][a] + (float) k * lane->away[a];
  find_cell (lane, place, cell, f);
  number = lane->skip[((cell[2] / FLW_DENSITY_BRICK) * store->bricks[1] + cell[1] / FLW_DENSITY_BRICK)
                          * store->bricks[0]
                      + cell[0] / FLW_DENSITY_BRICK];
  if (number > 0)
    {
      ray->at[m] = k + leap (lane, cell, f, number);
      ray->known[m] = FALSE;
      return 0;
    }
  value = value_in (store, cell, f);
  if (ray->known[m])
    for (guint l = 0; l < lane->n_levels; l++)
      if ((ray->value[m] < lane->level[l]) != (value < lane->level[l]))
        meet (frame, lane, l, ray->base[m], k, ray->value[m], value, &crossed[n++]);
  ray->value[m] = value;
  ray->known[m] = TRUE;
  ray->at[m] = k + 1;
  return n;
}

/* --- one ray --- */

typedef struct
{
  float depth; /* Å; −INFINITY: nothing */
  float rgb[3];
} Wall; /* what light does not pass */

static void
find_slice (const Frame *frame, const FlwDensityLane *lane, float x, float y, Wall *wall)
{
  const FlwDensityLanes *lanes = frame->lanes;
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
      from = fmaxf (from, step > 0 ? -base[a] / step : (room - base[a]) / step);
      to = fminf (to, step > 0 ? (room - base[a]) / step : -base[a] / step);
    }
  *first = to < from ? 0 : (int) floorf (from); /* a sample just outside has the value of the edge */
  *last = to < from ? -1 : (int) ceilf (to);
}

static void
start_ray (const Frame *frame, const FlwDensityLane *lanes, float x, float y, float wall, Ray *ray)
{
  const FlwDensityLanes *all = frame->lanes;
  float ball = all->radius * all->radius - x * x - y * y, reach = sqrtf (fmaxf (ball, 0));
  int first, last; /* from just before to just behind */

  ray->near = fminf (all->front, reach);
  ray->far = fmaxf (fmaxf (-all->back, -reach), wall);
  first = (int) floorf ((all->front - ray->near) / all->step);
  last = (int) ceilf ((all->front - ray->far) / all->step);
  for (guint m = 0; m < FLW_DENSITY_MAPS; m++)
    {
      const FlwDensityLane *lane = &lanes[m];

      ray->known[m] = FALSE;
      ray->at[m] = first;
      ray->end[m] = ball > 0 && lane->skip != NULL ? last : -1;
      if (lane->skip == NULL)
        continue;
      for (int a = 0; a < 3; a++)
        ray->base[m][a] = lane->origin[a] + x * lane->right[a] + y * lane->up[a];
      if (!lane->periodic && ray->end[m] >= first)
        cut_to_grid (lane, ray->base[m], &ray->at[m], &ray->end[m]);
    }
}

/* (x, y): Å from the centre. Colour and depth of what is seen. */
static void
cast_ray (const Frame *frame, const FlwDensityLane *lanes, float x, float y, const Wall *wall, float out[3],
          float *depth)
{
  float clear = 1;
  Ray ray;

  *depth = -INFINITY;
  out[0] = out[1] = out[2] = 0;
  start_ray (frame, lanes, x, y, wall->depth, &ray);
  for (;;)
    {
      Crossing crossed[MAX_CROSSED];
      guint n = 0;
      int k = G_MAXINT;

      for (guint m = 0; m < FLW_DENSITY_MAPS; m++)
        if (ray.at[m] <= ray.end[m])
          k = MIN (k, ray.at[m]);
      if (k == G_MAXINT)
        break;
      for (guint m = 0; m < FLW_DENSITY_MAPS; m++)
        if (ray.at[m] == k && k <= ray.end[m])
          n += sample (frame, &lanes[m], &ray, m, crossed + n);
      for (; n > 0; n--) /* the nearest first */
        {
          guint first = 0;
          for (guint i = 1; i < n; i++)
            if (crossed[i].depth > crossed[first].depth)
              first = i;
          if (crossed[first].alpha > 0 && crossed[first].depth <= ray.near && crossed[first].depth >= ray.far)
            {
              for (int c = 0; c < 3; c++)
                out[c] += clear * crossed[first].alpha * crossed[first].rgb[c];
              clear *= 1 - crossed[first].alpha;
              if (*depth < crossed[first].depth)
                *depth = crossed[first].depth;
            }
          crossed[first] = crossed[n - 1];
        }
      if (clear < 1 - OPAQUE)
        return;
    }
  if (*depth < wall->depth)
    *depth = wall->depth;
  for (int c = 0; c < 3; c++)
    out[c] += clear * (isfinite (wall->depth) ? wall->rgb[c] : frame->ground[c]);
}

/* --- rows --- */

/* Sticks into a row of walls; `y` in samples. */
static void
draw_sticks (const Frame *frame, guint row, guint samples, Wall *walls)
{
  float y = (float) row + 0.5f, scale = frame->pixel;

  for (guint s = 0; s < frame->sticks->len; s++)
    {
      const FlwDensityStick *stick = &g_array_index (frame->sticks, FlwDensityStick, s);
      float low = fminf (stick->from[1], stick->to[1]) - stick->radius,
            high = fmaxf (stick->from[1], stick->to[1]) + stick->radius;
      int first, last;

      if (y < low || y > high)
        continue;
      first = (int) floorf (fminf (stick->from[0], stick->to[0]) - stick->radius);
      last = (int) ceilf (fmaxf (stick->from[0], stick->to[0]) + stick->radius);
      for (int i = MAX (first, 0); i <= MIN (last, (int) samples - 1); i++)
        {
          float depth, normal[3];
          const float *rgb;
          if (!flw_density_stick_hit (stick, (float) i + 0.5f, y, &depth, normal, &rgb)
              || depth * scale <= walls[i].depth)
            continue;
          walls[i].depth = depth * scale;
          shade (frame->lanes, normal, walls[i].depth, rgb, frame->ground, walls[i].rgb);
        }
    }
}

static void
cast_row (const Frame *frame, guint row, Wall *walls, float *sums, float *depths)
{
  guint factor = frame->oversample, samples = frame->width * factor;
  float split = (float) frame->scene->split * (float) samples;

  memset (sums, 0, 3 * frame->width * sizeof *sums);
  for (guint i = 0; i < frame->width; i++)
    depths[i] = -INFINITY;
  for (guint sub = 0; sub < factor; sub++)
    {
      guint at = row * factor + sub;
      float y = (0.5f * (float) (frame->height * factor) - (float) at - 0.5f) * frame->pixel;

      for (guint i = 0; i < samples; i++)
        walls[i].depth = -INFINITY;
      draw_sticks (frame, at, samples, walls);
      for (guint i = 0; i < samples; i++)
        {
          const FlwDensityLane *lanes = frame->lanes->lanes[(float) i + 0.5f > split];
          float x = ((float) i + 0.5f - 0.5f * (float) samples) * frame->pixel, out[3], depth;

          find_slice (frame, &lanes[0], x, y, &walls[i]);
          cast_ray (frame, lanes, x, y, &walls[i], out, &depth);
          for (int c = 0; c < 3; c++)
            sums[3 * (i / factor) + (guint) c] += out[c];
          depths[i / factor] = fmaxf (depths[i / factor], depth);
        }
    }
}

static void
cast_rows (gpointer data, gpointer user_data)
{
  Frame *frame = data;
  guint samples = frame->width * frame->oversample;
  g_autofree Wall *walls = g_new (Wall, samples);
  g_autofree float *sums = g_new (float, 3 * frame->width), *depths = g_new (float, frame->width);
  float weight = 255.0f / (float) (frame->oversample * frame->oversample);

  (void) user_data;
  while (frame->cancel == NULL || !g_atomic_int_get (frame->cancel))
    {
      guint first = (guint) g_atomic_int_add (&frame->next_row, TILE);

      if (first >= frame->height)
        break;
      for (guint row = first; row < MIN (first + TILE, frame->height); row++)
        {
          guint32 *out = frame->pixels + (gsize) row * frame->stride;

          cast_row (frame, row, walls, sums, depths);
          for (guint i = 0; i < frame->width; i++)
            {
              guint32 word = 0xff;
              for (guint c = 0; c < 3; c++)
                word = word << 8 | (guint32) (CLAMP (sums[3 * i + c] * weight, 0.0f, 255.0f) + 0.5f);
              out[i] = word;
            }
          if (frame->depths != NULL)
            memcpy (frame->depths + (gsize) row * frame->width, depths, frame->width * sizeof *depths);
        }
    }
  g_mutex_lock (&frame->caster->lock);
  if (--frame->caster->running == 0)
    g_cond_signal (&frame->caster->done);
  g_mutex_unlock (&frame->caster->lock);
}

FlwDensityCaster *
flw_density_caster_new (guint threads)
{
  FlwDensityCaster *caster = g_new0 (FlwDensityCaster, 1);

  caster->threads = threads > 0 ? threads : g_get_num_processors ();
  caster->pool = g_thread_pool_new (cast_rows, NULL, (int) caster->threads, FALSE, NULL);
  g_mutex_init (&caster->lock);
  g_cond_init (&caster->done);
  return caster;
}

void
flw_density_caster_free (FlwDensityCaster *caster)
{
  g_thread_pool_free (caster->pool, FALSE, TRUE);
  flw_density_lanes_clear (&caster->lanes);
  g_mutex_clear (&caster->lock);
  g_cond_clear (&caster->done);
  g_free (caster);
}

guint
flw_density_caster_threads (const FlwDensityCaster *caster)
{
  return caster->threads;
}

gboolean
flw_density_cast (FlwDensityCaster *caster, const FlwDensityScene *scene, const FlwDensityCamera *camera,
                  guint width, guint height, guint stride, guint32 *pixels, float *depths, guint oversample,
                  const gint *cancel)
{
  FlwDensityScene fine = *scene;
  Frame frame = { .caster = caster,
                  .scene = &fine,
                  .lanes = &caster->lanes,
                  .width = width,
                  .height = height,
                  .stride = stride,
                  .oversample = MAX (oversample, 1),
                  .pixels = pixels,
                  .depths = depths,
                  .cancel = cancel };
  guint n = (height + TILE - 1) / TILE;

  fine.dots *= frame.oversample;
  frame.pixel =
      (float) flw_density_camera_scale (camera, width * frame.oversample, height * frame.oversample);
  for (int c = 0; c < 3; c++)
    frame.ground[c] = (float) (scene->ground >> (16 - 8 * c) & 0xff) / 255.0f;
  flw_density_lanes_prepare (&caster->lanes, &fine, camera, (double) frame.pixel);
  frame.sticks = flw_density_sticks_find (&fine, camera, width * frame.oversample, height * frame.oversample);
  caster->running = MIN (caster->threads, n);
  for (guint i = caster->running; i > 0; i--)
    g_thread_pool_push (caster->pool, &frame, NULL);
  g_mutex_lock (&caster->lock);
  while (caster->running > 0)
    g_cond_wait (&caster->done, &caster->lock);
  g_mutex_unlock (&caster->lock);
  g_array_unref (frame.sticks);
  return cancel == NULL || !g_atomic_int_get (cancel);
}
