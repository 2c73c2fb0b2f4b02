#include "widgets/density-cast.h"

#include <math.h>
#include <string.h>

#include "widgets/density-ray.h"
#include "widgets/density-sticks.h"

enum
{
  BAND = 8,  /* rows that a thread takes at a time */
  PIECE = 16 /* rays of a row that are cast before those of the next row */
};

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
  FlwDensityLight light;
  GArray *sticks;
  guint width, height, stride, oversample;
  guint32 *pixels;
  float *depths; /* or NULL */
  const gint *cancel;
  gint next_row;
} Frame;

/* --- bands of rows --- */

/* Sticks into a row of walls; `y` in samples. */
static void
draw_sticks (const Frame *frame, guint row, guint samples, FlwDensityWall *walls)
{
  float y = (float) row + 0.5f, scale = frame->light.pixel;

  for (guint s = 0; s < frame->sticks->len; s++)
    {
      const FlwDensityStick *stick = &g_array_index (frame->sticks, FlwDensityStick, s);
      float low = MIN (stick->from[1], stick->to[1]) - stick->radius,
            high = MAX (stick->from[1], stick->to[1]) + stick->radius;
      int first, last;

      if (y < low || y > high)
        continue;
      first = (int) floorf (MIN (stick->from[0], stick->to[0]) - stick->radius);
      last = (int) ceilf (MAX (stick->from[0], stick->to[0]) + stick->radius);
      for (int i = MAX (first, 0); i <= MIN (last, (int) samples - 1); i++)
        {
          float depth, normal[3];
          const float *rgb;
          if (!flw_density_stick_hit (stick, (float) i + 0.5f, y, &depth, normal, &rgb)
              || depth * scale <= walls[i].depth)
            continue;
          walls[i].depth = depth * scale;
          flw_density_shade (&frame->light, normal, walls[i].depth, rgb, walls[i].rgb);
        }
    }
}

/* What a thread makes at a time: rows of the picture. */
typedef struct
{
  FlwDensityWall *walls; /* of each ray */
  float *sums;           /* of each pixel's rays: red, green, blue */
  float *depths;         /* of each pixel */
} Band;

/* Rays of columns [left, right) of a row of rays that is number `sub` of the band, from picture row `first` on. */
static void
cast_piece (const Frame *frame, const Band *band, guint first, guint sub, guint left, guint right)
{
  guint factor = frame->oversample, rays = frame->width * factor;
  float split = (float) frame->scene->split * (float) rays;
  float y =
      (0.5f * (float) (frame->height * factor) - (float) (first * factor + sub) - 0.5f) * frame->light.pixel;

  for (guint i = left; i < right; i++)
    {
      const FlwDensityLane *lanes = frame->light.lanes->lanes[(float) i + 0.5f > split];
      float x = ((float) i + 0.5f - 0.5f * (float) rays) * frame->light.pixel, out[3], depth;
      FlwDensityWall *wall = &band->walls[sub * rays + i];
      gsize pixel = (gsize) (sub / factor) * frame->width + i / factor;

      flw_density_find_slice (&frame->light, &lanes[0], x, y, wall);
      flw_density_cast_ray (&frame->light, lanes, x, y, wall, out, &depth);
      for (int c = 0; c < 3; c++)
        band->sums[3 * pixel + (gsize) c] += out[c];
      band->depths[pixel] = MAX (band->depths[pixel], depth);
    }
}

/* Piece by piece, so that neighbouring rays find the volume's values in the cache. */
static void
cast_band (const Frame *frame, const Band *band, guint first, guint n_rows)
{
  guint factor = frame->oversample, rays = frame->width * factor;

  memset (band->sums, 0, 3 * n_rows * frame->width * sizeof *band->sums);
  for (guint i = 0; i < n_rows * frame->width; i++)
    band->depths[i] = -INFINITY;
  for (guint i = 0; i < n_rows * factor * rays; i++)
    band->walls[i].depth = -INFINITY;
  for (guint sub = 0; sub < n_rows * factor; sub++)
    draw_sticks (frame, first * factor + sub, rays, band->walls + sub * rays);
  for (guint left = 0; left < rays; left += PIECE)
    for (guint sub = 0; sub < n_rows * factor; sub++)
      cast_piece (frame, band, first, sub, left, MIN (left + PIECE, rays));
}

static void
store_band (const Frame *frame, const Band *band, guint first, guint n_rows)
{
  float weight = 255.0f / (float) (frame->oversample * frame->oversample);

  for (guint row = 0; row < n_rows; row++)
    {
      guint32 *out = frame->pixels + (gsize) (first + row) * frame->stride;
      const float *sums = band->sums + 3 * row * frame->width;

      for (guint i = 0; i < frame->width; i++)
        {
          guint32 word = 0xff;
          for (guint c = 0; c < 3; c++)
            word = word << 8 | (guint32) (CLAMP (sums[3 * i + c] * weight, 0.0f, 255.0f) + 0.5f);
          out[i] = word;
        }
    }
  if (frame->depths != NULL)
    memcpy (frame->depths + (gsize) first * frame->width, band->depths,
            n_rows * frame->width * sizeof *band->depths);
}

static void
cast_bands (gpointer data, gpointer user_data)
{
  Frame *frame = data;
  gsize pixels = BAND * (gsize) frame->width;
  g_autofree FlwDensityWall *walls = g_new (FlwDensityWall, pixels * frame->oversample * frame->oversample);
  g_autofree float *sums = g_new (float, 3 * pixels), *depths = g_new (float, pixels);
  Band band = { walls, sums, depths };

  (void) user_data;
  while (frame->cancel == NULL || !g_atomic_int_get (frame->cancel))
    {
      guint first = (guint) g_atomic_int_add (&frame->next_row, BAND), n_rows;

      if (first >= frame->height)
        break;
      n_rows = MIN (BAND, frame->height - first);
      cast_band (frame, &band, first, n_rows);
      store_band (frame, &band, first, n_rows);
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
  caster->pool = g_thread_pool_new (cast_bands, NULL, (int) caster->threads, FALSE, NULL);
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
                  .light = { .lanes = &caster->lanes, .style = scene->style },
                  .width = width,
                  .height = height,
                  .stride = stride,
                  .oversample = MAX (oversample, 1),
                  .pixels = pixels,
                  .depths = depths,
                  .cancel = cancel };
  guint n = (height + BAND - 1) / BAND;

  fine.dots *= frame.oversample;
  frame.light.pixel =
      (float) flw_density_camera_scale (camera, width * frame.oversample, height * frame.oversample);
  for (int c = 0; c < 3; c++)
    frame.light.ground[c] = (float) (scene->ground >> (16 - 8 * c) & 0xff) / 255.0f;
  flw_density_lanes_prepare (&caster->lanes, &fine, camera, (double) frame.light.pixel);
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
