/* strong-peakfinder8.c: peakfinder8, as CrystFEL and Cheetah have it or mended; kernels/rings.h and ring-peaks.h tell what
 * is computed. What `compatible` keeps and the mended form does not: the radius of a pixel from its corner's coordinates,
 * truncated to whole pixels (here its centre's, in double precision); S/N that grows with the number of pixels; noise of
 * the local background that has not enough pixels; rings of equal values that lose them all; peaks on an arc of diffuse
 * scattering that are lost with it, as one peak too large; centroids drawn to the middle by the background. Of both: no
 * limit to the number of peaks. */
#include "engine/sfx/strong-pixels.h"
#include "kernels/ring-peaks.h"
#include "kernels/rings.h"

#include <math.h>
#include <string.h>

typedef struct
{
  gboolean compatible, again;
  float threshold, min_snr;
  guint min_pixels, max_pixels;
  gint radius;                   /* px, of the background's disc */
  double min_radius, max_radius; /* px; 0 = none */

  guint version; /* of the layout that the rings were made for */
  guint n_rings;
  guint16 *ring, *first;
  FlkRingTile *tiles;
  FlkRingsArgs rings; /* of the last shot */
  FlkBuffer ring_at, first_at, tiles_at, all_at, out_at, rings_at, around_at, extremes_at, again_at;
} Peakfinder8;

static gpointer
make (const FlParams *params)
{
  Peakfinder8 *self = g_new0 (Peakfinder8, 1);
  self->compatible = fl_params_bool (params, "peakfinder8.compatible");
  self->threshold = (float) fl_params_real (params, "peakfinder8.threshold");
  self->min_snr = (float) fl_params_real (params, "peakfinder8.min_snr");
  self->min_pixels = (guint) fl_params_int (params, "peakfinder8.min_pix_count");
  self->max_pixels = (guint) fl_params_int (params, "peakfinder8.max_pix_count");
  self->radius = 2 * (gint) fl_params_int (params, "peakfinder8.local_bg_radius");
  self->min_radius = fl_params_real (params, "peakfinder8.min_res");
  self->max_radius = fl_params_real (params, "peakfinder8.max_res");
  return self;
}

static void
destroy (gpointer state, FlkDevice *device)
{
  Peakfinder8 *self = state;
  FlkBuffer *buffers[] = { &self->ring_at,   &self->first_at,    &self->tiles_at,
                           &self->all_at,    &self->out_at,      &self->rings_at,
                           &self->around_at, &self->extremes_at, &self->again_at };
  for (guint i = 0; i < G_N_ELEMENTS (buffers); i++)
    flk_buffer_clear (device, buffers[i]);
  g_free (self->ring);
  g_free (self->first);
  g_free (self->tiles);
  g_free (self);
}

/* --- rings of a detector --- */

/* Pixels that a ring is wide: 1, more where a step on a panel is longer than its unit. */
static double
ring_width (const FlDetector *detector)
{
  double longest = 1;
  for (guint i = 0; i < detector->n_panels; i++)
    {
      const FlPanel *panel = &detector->panels[i];
      double step =
          MAX (hypot (panel->fs.x, panel->fs.y), hypot (panel->ss.x, panel->ss.y)) / panel->pixel_size;
      longest = MAX (longest, step);
    }
  return longest > 1.001 ? longest : 1; /* vectors are written with few digits */
}

static guint16
ring_of_radius (const Peakfinder8 *self, double radius, double width)
{
  if (self->min_radius > 0 || self->compatible ? radius <= self->min_radius : FALSE)
    return FLK_RING_NONE;
  if (self->max_radius > 0 && radius >= self->max_radius)
    return FLK_RING_NONE;
  double ring = rint (radius / width);
  return ring < FLK_RING_NONE ? (guint16) ring : FLK_RING_NONE;
}

static void
fill_panel (const Peakfinder8 *self, const FlLayout *layout, const FlPanel *panel, double width)
{
  double unit = 1 / panel->pixel_size, centre = self->compatible ? 0 : 0.5;
  double x0 = (panel->origin.x + layout->shift.x) * unit, y0 = (panel->origin.y + layout->shift.y) * unit;
  for (guint ss = 0; ss < panel->n_ss; ss++)
    {
      guint16 *row = self->ring + panel->offset + ss * panel->stride;
      for (guint fs = 0; fs < panel->n_fs; fs++)
        {
          double x = x0 + ((fs + centre) * panel->fs.x + (ss + centre) * panel->ss.x) * unit;
          double y = y0 + ((fs + centre) * panel->fs.y + (ss + centre) * panel->ss.y) * unit;
          if (self->compatible)
            {
              x = trunc (x);
              y = trunc (y);
            }
          row[fs] = ring_of_radius (self, sqrt (x * x + y * y), width);
        }
    }
}

static void
fill_rings (Peakfinder8 *self, const FlLayout *layout)
{
  const FlDetector *detector = layout->detector;
  double width = ring_width (detector);
  self->ring = g_renew (guint16, self->ring, detector->n_pixels);
  memset (self->ring, 0xff, detector->n_pixels * sizeof *self->ring); /* FLK_RING_NONE */
  for (guint i = 0; i < detector->n_panels; i++)
    fill_panel (self, layout, &detector->panels[i], width);
  self->first = g_renew (guint16, self->first, flk_ring_chunk (layout->teams, layout->tile_ss, 0, 0));
  self->tiles = g_renew (FlkRingTile, self->tiles, layout->teams);
  self->n_rings = flk_rings_plan (layout->host_panels, layout->n_panels, layout->teams, layout->tile_ss,
                                  self->ring, self->first, self->tiles);
}

/* The detector's part of the arguments. */
static gboolean
stage_rings (Peakfinder8 *self, const FlStrongShot *shot)
{
  const FlLayout *layout = shot->layout;
  FlkDevice *device = shot->device;
  FlkRingsArgs *a = &self->rings;
  gsize chunks = flk_ring_chunk (layout->teams, layout->tile_ss, 0, 0);
  fill_rings (self, layout);
  gsize n = self->n_rings;
  *a = (FlkRingsArgs){
    .panels = layout->panels,
    .n_panels = layout->n_panels,
    .tile_ss = layout->tile_ss,
    .ring = flk_stage (device, &self->ring_at, self->ring, shot->n_pixels * sizeof *self->ring),
    .first = flk_stage (device, &self->first_at, self->first, chunks * sizeof *self->first),
    .tiles = flk_stage (device, &self->tiles_at, self->tiles, layout->teams * sizeof *self->tiles),
    .n_rings = self->n_rings,
    .compatible = (guint32) self->compatible,
    .min_snr = self->min_snr,
    .threshold = self->threshold,
    .alone = flk_device_threads (device) == 1,
    .all = flk_buffer_need (device, &self->all_at, n * sizeof *a->all),
    .out = flk_buffer_need (device, &self->out_at, n * sizeof *a->out),
    .rings = flk_buffer_need (device, &self->rings_at, n * sizeof *a->rings),
    .around = flk_buffer_need (device, &self->around_at, n * sizeof *a->around),
    .extremes = flk_buffer_need (device, &self->extremes_at, chunks * sizeof *a->extremes),
  };
  return a->ring != NULL && a->first != NULL && a->tiles != NULL && a->all != NULL && a->out != NULL
         && a->rings != NULL && a->around != NULL && a->extremes != NULL && flk_sync (device);
}

/* --- a shot --- */

/* Whole numbers stay so; others are summed in 64ths of a photon or so. */
static float
sum_scale (const FlStrongShot *shot)
{
  gboolean whole = shot->pixels.type != FLK_PIXEL_F32 && shot->pixels.type != FLK_PIXEL_F64;
  return whole ? 1 : (float) exp2 (round (log2 (64 / shot->layout->gain)));
}

static gboolean
launch (const Peakfinder8 *self, const FlStrongShot *shot, const char *kernel)
{
  guint32 teams = strcmp (kernel, "ring_limits") == 0 ? 1 : shot->layout->teams;
  return flk_launch (shot->device, kernel, teams, 0, &self->rings, sizeof self->rings);
}

static gboolean
find (gpointer state, const FlStrongShot *shot)
{
  Peakfinder8 *self = state;
  FlkRingsArgs *a = &self->rings;
  if (self->version != shot->layout->version && !stage_rings (self, shot))
    return FALSE;
  self->version = shot->layout->version;
  self->again = FALSE;
  a->pixels = shot->pixels;
  a->strong = shot->strong;
  a->scale = sum_scale (shot);
  gsize size = a->n_rings * sizeof (FlkRadialBin);
  if (!flk_zero (shot->device, a->all, size) || !flk_zero (shot->device, a->out, size)
      || !launch (self, shot, "ring_sums") || !launch (self, shot, "ring_limits"))
    return FALSE;
  for (guint round = 1; round < FLK_RING_ROUNDS; round++)
    if (!launch (self, shot, "ring_outliers") || !launch (self, shot, "ring_limits"))
      return FALSE;
  return launch (self, shot, "ring_strong");
}

static void
connect_spots (gconstpointer state, FlkSpotsArgs *spots)
{
  const Peakfinder8 *self = state;
  spots->connected = 8;
  spots->min_pixels = self->min_pixels;
}

/* Components that are too large are split, twice at most. */
static gboolean
split (const Peakfinder8 *self, const FlStrongShot *shot, const FlkRingPeaksArgs *peaks)
{
  FlkSpotsArgs spots = peaks->spots;
  guint32 n = spots.n_panels;
  /* Not the first time, because the lists were too short: from the beginning. */
  if (self->again
      && (!launch (self, shot, "ring_strong")
          || !flk_launch (shot->device, "spots", n, 0, &spots, sizeof spots)))
    return FALSE;
  spots.only = peaks->again;
  for (guint i = 0; i < 2; i++)
    if (!flk_launch (shot->device, "ring_split", n, 0, peaks, sizeof *peaks)
        || !flk_launch (shot->device, "spots", n, 0, &spots, sizeof spots))
      return FALSE;
  return TRUE;
}

static gboolean
judge (gpointer state, const FlStrongShot *shot, const FlkSpotsArgs *spots)
{
  Peakfinder8 *self = state;
  FlkRingPeaksArgs peaks = {
    .spots = *spots,
    .ring = self->rings.ring,
    .rings = self->rings.rings,
    .strong = shot->strong,
    .again = flk_buffer_need (shot->device, &self->again_at, spots->n_panels * sizeof (guint32)),
    .gain_map = shot->layout->gain_map,
    .gain = shot->layout->gain,
    .max_pixels = self->max_pixels,
    .compatible = (guint32) self->compatible,
    .radius = self->radius,
    .min_snr = self->min_snr,
  };
  if (peaks.again == NULL || (!self->compatible && !split (self, shot, &peaks)))
    return FALSE;
  self->again = TRUE;
  return flk_launch (shot->device, "ring_peaks", spots->n_panels, 0, &peaks, sizeof peaks);
}

const FlStrongAlgorithm fl_strong_peakfinder8 = { "peakfinder8", make,          destroy, find,
                                                  NULL,          connect_spots, judge };
