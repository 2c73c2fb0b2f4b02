#include "engine/programs/picture.h"

#include <math.h>
#include <string.h>

#include "engine/base/units.h"

/* Which detector pixels make which raster pixels. */
typedef struct
{
  FlDetector *detector; /* NULL: not made yet */
  FlVec3 shift;
  FlViewRect rect;
  guint32 width, height;
  gboolean with_forward;
  gint32 *
      forward; /* of each detector pixel: the raster pixel that covers its centre, or −1; NULL when not needed */
  gint32 *inverse; /* of each raster pixel: the detector pixel under its centre, or −1 */
} Map;

struct FlPicture
{
  FlDetector *detector;
  float *values; /* n_pixels of the detector; NaN = bad */
  guint8 *mask;  /* room to flag bad values */
  gsize n_values;
  double percentiles[6];
  guint64 id;
  char *event;
  double energy;
  FlVec3 shift;
  Map map;
  guint32 *counts; /* of the raster */
  gsize n_counts;
};

FlPicture *
fl_picture_new (void)
{
  return g_new0 (FlPicture, 1);
}

static void
map_clear (Map *map)
{
  g_clear_pointer (&map->detector, fl_detector_unref);
  g_clear_pointer (&map->forward, g_free);
  g_clear_pointer (&map->inverse, g_free);
}

void
fl_picture_free (FlPicture *picture)
{
  if (picture == NULL)
    return;
  map_clear (&picture->map);
  g_clear_pointer (&picture->detector, fl_detector_unref);
  g_free (picture->values);
  g_free (picture->mask);
  g_free (picture->counts);
  g_free (picture->event);
  g_free (picture);
}

FlVec3
fl_picture_shift (const FlPicture *picture)
{
  return picture->shift;
}

/* --- where things are --- */

FlViewPanel
fl_picture_panel (const FlDetector *detector, guint panel, FlVec3 shift)
{
  const FlPanel *p = &detector->panels[panel];
  double s = 1 / detector->panels[0].pixel_size;
  return (FlViewPanel){ .x = s * (p->origin.x + shift.x),
                        .y = -s * (p->origin.y + shift.y),
                        .fs_x = s * p->fs.x,
                        .fs_y = -s * p->fs.y,
                        .ss_x = s * p->ss.x,
                        .ss_y = -s * p->ss.y,
                        .n_fs = p->n_fs,
                        .n_ss = p->n_ss };
}

static FlViewRect
panel_bounds (const FlViewPanel *p)
{
  double fx = p->fs_x * p->n_fs, fy = p->fs_y * p->n_fs, sx = p->ss_x * p->n_ss, sy = p->ss_y * p->n_ss;
  return (FlViewRect){ p->x + fmin (0, fx) + fmin (0, sx), p->y + fmin (0, fy) + fmin (0, sy),
                       p->x + fmax (0, fx) + fmax (0, sx), p->y + fmax (0, fy) + fmax (0, sy) };
}

FlViewRect
fl_picture_whole (const FlDetector *detector, FlVec3 shift)
{
  FlViewRect whole = { INFINITY, INFINITY, -INFINITY, -INFINITY };
  for (guint i = 0; i < detector->n_panels; i++)
    {
      FlViewPanel panel = fl_picture_panel (detector, i, shift);
      FlViewRect b = panel_bounds (&panel);
      whole = (FlViewRect){ fmin (whole.x0, b.x0), fmin (whole.y0, b.y0), fmax (whole.x1, b.x1),
                            fmax (whole.y1, b.y1) };
    }
  return whole;
}

/* The whole in the middle of the raster, with square pixels. */
static FlViewRect
fitted (FlViewRect whole, guint32 width, guint32 height)
{
  double x = (whole.x0 + whole.x1) / 2, y = (whole.y0 + whole.y1) / 2;
  double scale = fmax ((whole.x1 - whole.x0) / width, (whole.y1 - whole.y0) / height);
  return (FlViewRect){ x - scale * width / 2, y - scale * height / 2, x + scale * width / 2,
                       y + scale * height / 2 };
}

/* --- a shot --- */

/* Percentiles by counting the upper half of each value's bits, ordered as the values are: bins 1/128 of a power of two
 * wide, so that whole numbers up to 256 have bins of their own. */
typedef struct
{
  guint32 counts[1 << 16];
  guint64 n;
  float min, max;
} Levels;

static inline guint32
ordered (guint32 bits)
{
  return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

static void
levels_add (Levels *levels, const float *values, gsize n)
{
  float min = levels->min, max = levels->max;
  for (gsize i = 0; i < n; i++)
    {
      guint32 bits;
      float v = values[i] + 0.0f; /* −0 and 0 are one value */
      if (isnan (v))
        continue;
      memcpy (&bits, &v, sizeof bits);
      levels->counts[ordered (bits) >> 16]++;
      levels->n++;
      min = v < min ? v : min;
      max = v > max ? v : max;
    }
  levels->min = min;
  levels->max = max;
}

static double
levels_at (const Levels *levels, double fraction)
{
  double wanted = fraction * (double) levels->n;
  guint64 sum = 0;
  for (guint32 bin = 0; bin < 1 << 16; bin++)
    {
      sum += levels->counts[bin];
      if (levels->counts[bin] == 0 || (double) sum < wanted)
        continue;
      float value;
      guint32 key = bin << 16, bits = (key & 0x80000000u) != 0 ? key & 0x7fffffffu : ~key & 0xffff0000u;
      memcpy (&value, &bits, sizeof value);
      return fmin (fmax ((double) value, (double) levels->min), (double) levels->max);
    }
  return levels->max;
}

#define CONVERT(Type)                                                                                        \
  for (gsize i = 0; i < n; i++)                                                                              \
    out[i] = mask[i] != 0 ? NAN : (float) ((const Type *) in)[i];                                            \
  break

static void
convert (FlPixelType type, const void *in, const guint8 *mask, float *out, gsize n)
{
  switch (type)
    {
    case FL_PIXEL_U8:
      CONVERT (guint8);
    case FL_PIXEL_U16:
      CONVERT (guint16);
    case FL_PIXEL_U32:
      CONVERT (guint32);
    case FL_PIXEL_I8:
      CONVERT (gint8);
    case FL_PIXEL_I16:
      CONVERT (gint16);
    case FL_PIXEL_I32:
      CONVERT (gint32);
    case FL_PIXEL_F32:
      CONVERT (float);
    case FL_PIXEL_F64:
      CONVERT (double);
    default:
      g_assert_not_reached ();
    }
}

/* Values as floats, panel row by panel row (what lies between panels in the array is nobody's), counted on the way while
 * they are in the cache. */
static void
load_values (FlPicture *picture, const FlShot *shot, const guint8 *mask)
{
  static const double fractions[] = { 0, 0.01, 0.5, 0.99, 0.999, 1 };
  g_autofree Levels *levels = g_new0 (Levels, 1);
  gsize size = fl_pixel_size (shot->type);
  levels->min = INFINITY;
  levels->max = -INFINITY;
  for (guint p = 0; p < picture->detector->n_panels; p++)
    {
      const FlPanel *panel = &picture->detector->panels[p];
      for (guint row = 0; row < panel->n_ss; row++)
        {
          gsize at = panel->offset + row * panel->stride;
          convert (shot->type, (const char *) shot->pixels + at * size, mask + at, picture->values + at,
                   panel->n_fs);
          levels_add (levels, picture->values + at, panel->n_fs);
        }
    }
  for (guint i = 0; i < G_N_ELEMENTS (fractions); i++)
    picture->percentiles[i] = levels->n == 0 ? NAN
                              : i == 0       ? (double) levels->min
                              : i == 5       ? (double) levels->max
                                             : levels_at (levels, fractions[i]);
}

void
fl_picture_load (FlPicture *picture, FlDetector *detector, const FlShot *shot)
{
  gsize n = detector->n_pixels;
  fl_detector_ref (detector);
  g_clear_pointer (&picture->detector, fl_detector_unref);
  picture->detector = detector;
  if (picture->n_values != n)
    {
      g_free (picture->values);
      g_free (picture->mask);
      picture->values = g_new (float, n);
      picture->mask = g_new (guint8, n);
      picture->n_values = n;
    }
  const guint8 *mask = shot->mask != NULL ? shot->mask : detector->mask;
  memcpy (picture->mask, mask, n);
  fl_shot_flag_pixels (shot, detector, picture->mask);
  load_values (picture, shot, picture->mask);
  picture->id = shot->id;
  g_free (picture->event);
  picture->event = g_strdup (shot->event);
  picture->energy = shot->energy;
  picture->shift = shot->shift;
}

/* --- the map --- */

static void
map_panel_forward (Map *map, const FlPanel *panel, const FlViewPanel *p)
{
  double sx = map->width / (map->rect.x1 - map->rect.x0), sy = map->height / (map->rect.y1 - map->rect.y0);
  double width = map->width, height = map->height;
  for (guint row = 0; row < panel->n_ss; row++)
    {
      gint32 *out = map->forward + panel->offset + row * panel->stride;
      double x = sx * (p->x + p->fs_x * 0.5 + p->ss_x * (row + 0.5) - map->rect.x0);
      double y = sy * (p->y + p->fs_y * 0.5 + p->ss_y * (row + 0.5) - map->rect.y0);
      double dx = sx * p->fs_x, dy = sy * p->fs_y;
      for (guint i = 0; i < panel->n_fs; i++)
        {
          double cx = x + dx * i, cy = y + dy * i;
          gboolean inside = cx >= 0 && cx < width && cy >= 0 && cy < height;
          out[i] = inside ? (gint32) cy * (gint32) map->width + (gint32) cx : -1;
        }
    }
}

static void
map_panel_inverse (Map *map, const FlPanel *panel, const FlViewPanel *p)
{
  double det = p->fs_x * p->ss_y - p->fs_y * p->ss_x;
  if (fabs (det) < 1e-9)
    return; /* seen edge-on */
  double wx = (map->rect.x1 - map->rect.x0) / map->width, wy = (map->rect.y1 - map->rect.y0) / map->height;
  FlViewRect b = panel_bounds (p);
  int x0 = (int) CLAMP (floor ((b.x0 - map->rect.x0) / wx), 0, map->width);
  int x1 = (int) CLAMP (ceil ((b.x1 - map->rect.x0) / wx), 0, map->width);
  int y0 = (int) CLAMP (floor ((b.y0 - map->rect.y0) / wy), 0, map->height);
  int y1 = (int) CLAMP (ceil ((b.y1 - map->rect.y0) / wy), 0, map->height);
  double n_fs = panel->n_fs, n_ss = panel->n_ss;
  for (int j = y0; j < y1; j++)
    for (int i = x0; i < x1; i++)
      {
        double x = map->rect.x0 + (i + 0.5) * wx - p->x, y = map->rect.y0 + (j + 0.5) * wy - p->y;
        double fs = (x * p->ss_y - y * p->ss_x) / det, ss = (y * p->fs_x - x * p->fs_y) / det;
        gint32 *out = &map->inverse[(gsize) j * map->width + (gsize) i];
        if (fs >= 0 && fs < n_fs && ss >= 0 && ss < n_ss && *out < 0)
          *out = (gint32) (panel->offset + (gsize) ss * panel->stride + (gsize) fs);
      }
}

/* Makes the map of this view, unless it is the last one's. */
static void
map_prepare (Map *map, FlDetector *detector, FlVec3 shift, FlViewRect rect, const FlViewImageRequest *request)
{
  double step = fmin ((rect.x1 - rect.x0) / request->width, (rect.y1 - rect.y0) / request->height);
  gboolean with_forward = request->reduce != FL_VIEW_NEAREST && step >= 1;
  if (map->detector == detector && map->shift.x == shift.x && map->shift.y == shift.y
      && memcmp (&map->rect, &rect, sizeof rect) == 0 && map->width == request->width
      && map->height == request->height && map->with_forward == with_forward)
    return;
  fl_detector_ref (detector);
  map_clear (map);
  *map = (Map){ .detector = detector,
                .shift = shift,
                .rect = rect,
                .width = request->width,
                .height = request->height,
                .with_forward = with_forward };
  gsize n = (gsize) map->width * map->height;
  map->inverse = g_new (gint32, n);
  memset (map->inverse, 0xff, n * sizeof *map->inverse);
  if (with_forward)
    map->forward = g_new (gint32, detector->n_pixels);
  for (guint i = 0; i < detector->n_panels; i++)
    {
      FlViewPanel panel = fl_picture_panel (detector, i, shift);
      map_panel_inverse (map, &detector->panels[i], &panel);
      if (with_forward)
        map_panel_forward (map, &detector->panels[i], &panel);
    }
}

/* --- drawing --- */

/* Sums, or maxima, of the good pixels in `raster`, their numbers in `counts`. */
static void
gather (const FlPicture *picture, gboolean maximum, float *raster, guint32 *counts)
{
  for (guint p = 0; p < picture->detector->n_panels; p++)
    {
      const FlPanel *panel = &picture->detector->panels[p];
      for (guint row = 0; row < panel->n_ss; row++)
        {
          const float *values = picture->values + panel->offset + row * panel->stride;
          const gint32 *forward = picture->map.forward + panel->offset + row * panel->stride;
          for (guint i = 0; i < panel->n_fs; i++)
            {
              gint32 at = forward[i];
              float v = values[i];
              if (at < 0 || isnan (v))
                continue;
              if (!maximum)
                raster[at] += v;
              else if (counts[at] == 0 || v > raster[at])
                raster[at] = v;
              counts[at]++;
            }
        }
    }
}

static float
under_centre (const FlPicture *picture, gsize at)
{
  gint32 pixel = picture->map.inverse[at];
  if (pixel < 0)
    return NAN;
  return isnan (picture->values[pixel]) ? -INFINITY : picture->values[pixel];
}

static void
draw (FlPicture *picture, gboolean maximum, float *raster)
{
  gsize n = (gsize) picture->map.width * picture->map.height;
  if (!picture->map.with_forward)
    {
      for (gsize i = 0; i < n; i++)
        raster[i] = under_centre (picture, i);
      return;
    }
  if (picture->n_counts != n)
    {
      g_free (picture->counts);
      picture->counts = g_new (guint32, n);
      picture->n_counts = n;
    }
  memset (picture->counts, 0, n * sizeof *picture->counts);
  memset (raster, 0, n * sizeof *raster);
  gather (picture, maximum, raster, picture->counts);
  for (gsize i = 0; i < n; i++)
    if (picture->counts[i] == 0)
      raster[i] = under_centre (picture, i);
    else if (!maximum)
      raster[i] /= (float) picture->counts[i];
}

/* Distance along the beam to the panels' middles, mm. */
static double
camera_length (const FlDetector *detector, FlVec3 shift)
{
  double sum = 0;
  for (guint i = 0; i < detector->n_panels; i++)
    {
      const FlPanel *p = &detector->panels[i];
      sum += fl_panel_position (p, p->n_fs * 0.5, p->n_ss * 0.5).z + shift.z;
    }
  return detector->placed ? sum / detector->n_panels : 0;
}

/* Detector pixels of which a raster pixel is the mean: as many as its area has; the largest of some is one of them. */
static double
pixels_a_pixel (const FlViewImage *image, const FlViewImageRequest *request)
{
  const FlViewRect *r = &image->rect;
  double area = (r->x1 - r->x0) / request->width * (r->y1 - r->y0) / request->height;
  return request->reduce == FL_VIEW_MEAN ? fmax (area, 1) : 1;
}

FlViewImage *
fl_picture_draw (FlPicture *picture, const FlViewImageRequest *request)
{
  float *raster;
  FlDetector *detector = picture->detector;
  FlViewImage *image = fl_view_image_new (request->width, request->height, &raster);
  image->shot = picture->id;
  image->event = g_strdup (picture->event);
  image->energy = picture->energy;
  image->wavelength =
      picture->energy > 0 ? fl_wavelength_from_energy (picture->energy) : detector->wavelength;
  image->camera_length = camera_length (detector, picture->shift);
  image->pixel_size = detector->panels[0].pixel_size;
  image->saturation = detector->panels[0].saturation;
  image->whole = fl_picture_whole (detector, picture->shift);
  image->rect = fl_view_rect_is_whole (&request->rect)
                    ? fitted (image->whole, request->width, request->height)
                    : request->rect;
  memcpy (image->percentiles, picture->percentiles, sizeof image->percentiles);
  map_prepare (&picture->map, detector, picture->shift, image->rect, request);
  image->photon = detector->panels[0].gain;
  image->pixels = picture->map.with_forward ? pixels_a_pixel (image, request) : 0;
  draw (picture, request->reduce == FL_VIEW_MAXIMUM, raster);
  return image;
}

/* --- masks --- */

static void
gather_shares (const FlPicture *picture, const FlDetector *detector, const guint8 *mask, guint32 *all,
               guint32 *masked)
{
  for (guint p = 0; p < detector->n_panels; p++)
    for (guint row = 0; row < detector->panels[p].n_ss; row++)
      {
        gsize first = detector->panels[p].offset + row * detector->panels[p].stride;
        for (gsize at = first; at < first + detector->panels[p].n_fs; at++)
          if (picture->map.forward[at] >= 0)
            {
              all[picture->map.forward[at]]++;
              masked[picture->map.forward[at]] += mask[at] != 0;
            }
      }
}

void
fl_picture_shade (FlPicture *picture, FlDetector *detector, FlVec3 shift, const guint8 *mask,
                  const FlViewRect *rect, guint32 width, guint32 height, guint8 *shade)
{
  const FlViewImageRequest request = { .width = width, .height = height, .reduce = FL_VIEW_MEAN };
  gsize n = (gsize) width * height;
  map_prepare (&picture->map, detector, shift, *rect, &request);
  g_autofree guint32 *all = g_new0 (guint32, n), *masked = g_new0 (guint32, n);
  if (picture->map.with_forward)
    gather_shares (picture, detector, mask, all, masked);
  for (gsize i = 0; i < n; i++)
    {
      gint32 under = picture->map.inverse[i];
      if (all[i] > 0)
        shade[i] = (guint8) ((masked[i] * (guint64) 255 + all[i] - 1) / all[i]);
      else
        shade[i] = under >= 0 && mask[under] != 0 ? 255 : 0;
    }
}
