/* pyramid-raster.c: pictures of a pyramid. */
#include "kernels/pyramid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/pyramid-private.h"

enum
{
  EXACT_EVENTS = 1000000, /* as many are binned from the events themselves */
  COUNTS = 65536          /* a histogram of counts ends here */
};

/* One line of the raster, while the rows that fall on it are added up. */
typedef struct
{
  const FlkPyramid *pyramid;
  const FlkView *view;
  double pixels_per_ns;
  int level;              /* -1: exact */
  uint32_t *first_bucket; /* level: first bucket (of level_first + i) of each pixel; width + 1 */
  uint8_t *klass;         /* width; 0 none, else class + 1 */
  uint32_t *count;        /* width */
} Raster;

static uint32_t
pixel_of_time (const Raster *raster, uint64_t time)
{
  uint32_t x = (uint32_t) ((double) (time - raster->view->t0) * raster->pixels_per_ns);
  return x < raster->view->width ? x : raster->view->width - 1;
}

static void
line_add_events (Raster *raster, const Row *row)
{
  const FlkPyramid *pyramid = raster->pyramid;
  size_t end = flk_row_find (pyramid, row, raster->view->t1);
  for (size_t i = flk_row_find (pyramid, row, raster->view->t0); i < end; i++)
    {
      uint32_t x = pixel_of_time (raster, key_time (pyramid, row->keys[i]));
      uint8_t klass = (uint8_t) (key_class (row->keys[i]) + 1);
      raster->klass[x] = klass > raster->klass[x] ? klass : raster->klass[x];
      raster->count[x]++;
    }
}

static void
line_add_level (Raster *raster, const Row *row)
{
  const Level *level = &row->levels[raster->level];
  for (uint32_t x = 0; x < raster->view->width; x++)
    {
      uint32_t begin = raster->first_bucket[x], end = raster->first_bucket[x + 1];
      if (begin >= level->n)
        break;
      end = end < level->n ? end : level->n;
      uint32_t sum = 0, worst = raster->klass[x];
      for (uint32_t b = begin; b < end; b++)
        for (uint32_t k = 0; k < FLK_PYRAMID_CLASSES; k++)
          {
            uint32_t n = level->buckets[b][k];
            sum += n;
            worst = n && k + 1 > worst ? k + 1 : worst;
          }
      raster->klass[x] = (uint8_t) worst;
      raster->count[x] += sum;
    }
}

/* Pixels of one or two buckets side by side would look striped: counts as if all had the same time. */
static void
line_scale (Raster *raster)
{
  double buckets = ldexp (1.0 / raster->pixels_per_ns, -(raster->pyramid->shift + raster->level));
  for (uint32_t x = 0; x < raster->view->width; x++)
    if (raster->count[x])
      {
        uint32_t n = raster->first_bucket[x + 1] - raster->first_bucket[x];
        double scaled = raster->count[x] * buckets / (n ? n : 1) + 0.5;
        raster->count[x] = scaled < 1 ? 1 : scaled < 4e9 ? (uint32_t) scaled : 4000000000u;
      }
}

/* The buckets whose middle lies on each pixel; those that reach over an end of the view belong to its last pixel there. */
static void
raster_map_buckets (Raster *raster)
{
  const FlkPyramid *pyramid = raster->pyramid;
  int shift = pyramid->shift + raster->level;
  uint64_t first = pyramid->first >> raster->level;
  double bucket_ns = ldexp (1.0, shift), pixel_ns = 1.0 / raster->pixels_per_ns;
  double start =
      (double) (int64_t) (raster->view->t0 - (first << shift)); /* may lie before the first bucket */
  for (uint32_t x = 0; x <= raster->view->width; x++)
    {
      double at = (start + x * pixel_ns) / bucket_ns;
      double bucket = x == 0 ? floor (at) : x == raster->view->width ? ceil (at) : ceil (at - 0.5);
      raster->first_bucket[x] = bucket < 0 ? 0 : bucket > 4 * BUCKETS ? 4 * BUCKETS : (uint32_t) bucket;
    }
}

static uint64_t
visible_events (const FlkPyramid *pyramid, const FlkView *view, uint32_t row1)
{
  uint64_t n = 0;
  for (uint32_t r = view->row0; r < row1; r++)
    n += flk_row_find (pyramid, &pyramid->rows[r], view->t1)
         - flk_row_find (pyramid, &pyramid->rows[r], view->t0);
  return n;
}

/* The coarsest level whose buckets are not wider than a pixel; -1 when all are, or the events are few. */
static int
raster_choose_level (const Raster *raster, FlkRasterPath path, uint32_t row1)
{
  int level = -1;
  while (level + 1 < LEVELS && ldexp (raster->pixels_per_ns, raster->pyramid->shift + level + 1) <= 1.0)
    level++;
  if (path == FLK_RASTER_EXACT
      || (path == FLK_RASTER_AUTO && level >= 0
          && visible_events (raster->pyramid, raster->view, row1) <= EXACT_EVENTS))
    return -1;
  return level;
}

uint32_t
flk_pyramid_raster (const FlkPyramid *pyramid, const FlkView *view, FlkRasterPath path, uint8_t *klass,
                    uint32_t *count)
{
  size_t size = (size_t) view->width * view->height;
  memset (klass, FLK_PYRAMID_NONE, size);
  memset (count, 0, size * sizeof *count);
  uint32_t row1 = view->row1 < pyramid->n_rows ? view->row1 : pyramid->n_rows, max = 0;
  if (size == 0 || view->t1 <= view->t0 || row1 <= view->row0 || pyramid->size == 0)
    return 0;

  uint8_t *line_klass = calloc (view->width, sizeof *line_klass);
  uint32_t *line_count = calloc (view->width, sizeof *line_count);
  uint32_t *first_bucket = calloc ((size_t) view->width + 1, sizeof *first_bucket);
  Raster raster = { pyramid,   view,         (double) view->width / (double) (view->t1 - view->t0),
                    -1,        first_bucket, line_klass,
                    line_count };
  if (!line_klass || !line_count || !first_bucket)
    abort ();
  raster.level = raster_choose_level (&raster, path, row1);
  if (raster.level >= 0)
    raster_map_buckets (&raster);

  uint64_t n_rows = view->row1 - view->row0;
  for (uint32_t r = view->row0; r < row1; r++)
    {
      if (raster.level >= 0)
        line_add_level (&raster, &pyramid->rows[r]);
      else
        line_add_events (&raster, &pyramid->rows[r]);
      uint32_t y0 = (uint32_t) ((r - view->row0) * (uint64_t) view->height / n_rows);
      uint32_t y1 = (uint32_t) ((r + 1 - view->row0) * (uint64_t) view->height / n_rows);
      if (y0 == y1 && r + 1 < row1)
        continue; /* the next row falls on the same line */
      if (raster.level >= 0)
        line_scale (&raster);
      uint32_t y = y0;
      do
        for (uint32_t x = 0; x < view->width; x++)
          {
            klass[(size_t) y * view->width + x] =
                line_klass[x] ? (uint8_t) (line_klass[x] - 1) : FLK_PYRAMID_NONE;
            count[(size_t) y * view->width + x] = line_count[x];
            max = line_count[x] > max ? line_count[x] : max;
          }
      while (++y < y1);
      memset (line_klass, 0, view->width * sizeof *line_klass);
      memset (line_count, 0, view->width * sizeof *line_count);
    }
  free (line_klass);
  free (line_count);
  free (first_bucket);
  return max;
}

void
flk_brightness_log (FlkBrightness *brightness, uint32_t max)
{
  brightness->max = max;
  double range = log1p (max > 1 ? max : 1);
  for (int i = 0; i < 256; i++)
    {
      double edge = expm1 ((i + 0.5) / 255 * range);
      brightness->edges[i] = i == 255 || edge >= max ? max : (uint32_t) edge;
    }
}

void
flk_brightness_equalised (FlkBrightness *brightness, const uint32_t *count, size_t n)
{
  uint64_t *histogram = calloc (COUNTS, sizeof *histogram), total = 0, below = 0;
  if (!histogram)
    abort ();
  brightness->max = 0;
  for (size_t i = 0; i < n; i++)
    if (count[i])
      {
        histogram[count[i] < COUNTS ? count[i] : COUNTS - 1]++;
        total++;
        brightness->max = count[i] > brightness->max ? count[i] : brightness->max;
      }
  /* Count c is as bright as the fraction of pixels that have c or fewer. */
  uint32_t step = 0;
  for (uint32_t c = 1; c < COUNTS; c++)
    {
      below += histogram[c];
      uint32_t bright = total ? (uint32_t) (255 * below / total) : 0;
      while (step < bright)
        brightness->edges[step++] = c - 1;
    }
  while (step < 256)
    brightness->edges[step++] = brightness->max;
  free (histogram);
}

/* Smallest i with n <= edges[i]; 255 when n is beyond all. */
static uint32_t
brightness_step (const FlkBrightness *brightness, uint32_t n)
{
  uint32_t low = 0, high = 255;
  while (low < high)
    {
      uint32_t middle = (low + high) / 2;
      if (brightness->edges[middle] < n)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

void
flk_pyramid_shade (const uint8_t *klass, const uint32_t *count, size_t n, const FlkBrightness *brightness,
                   const uint32_t colours[FLK_PYRAMID_CLASSES], uint32_t *out)
{
  enum
  {
    SMALL = 1024
  };
  uint8_t small[SMALL]; /* most counts are */
  uint32_t shades[FLK_PYRAMID_CLASSES][256];
  for (uint32_t i = 0; i < SMALL; i++)
    small[i] = (uint8_t) brightness_step (brightness, i);
  for (int k = 0; k < FLK_PYRAMID_CLASSES; k++)
    for (uint32_t i = 0; i < 256; i++)
      {
        uint32_t factor = 85 + i * 170 / 255, colour = 0xff000000u;
        for (int shift = 0; shift < 24; shift += 8)
          colour |= (colours[k] >> shift & 0xff) * factor / 255 << shift;
        shades[k][i] = colour;
      }
  for (size_t i = 0; i < n; i++)
    {
      uint32_t step = count[i] < SMALL ? small[count[i]] : brightness_step (brightness, count[i]);
      out[i] = klass[i] < FLK_PYRAMID_CLASSES ? shades[klass[i]][step] : 0;
    }
}
