/* test-rings.c: limits of rings and the pixels above them, components that are split, and peaks, each against a naive
 * form; the same bits whatever the tiling and the number of threads. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "kernels/ring-peaks.h"
#include "kernels/rings.h"
#include "tests/kernels/on-devices.h"

#define SCALE 16.0f

typedef struct
{
  Shot *shot;
  guint16 *ring;
  guint32 n_rings;
  gboolean compatible;
  float min_snr, threshold;
} Case;

static gsize
index_of (const FlkPanel *panel, guint fs, guint ss)
{
  return panel->offset + ss * panel->stride + fs;
}

/* Rings about a point of the array of panels laid one under the other; a corner has none. */
static Case
case_new (FlkPixelType type, gboolean calibrated, gboolean compatible)
{
  Case c = { shot_new (type, calibrated, 17), NULL, 0, compatible, 3, 20 };
  c.ring = g_new (guint16, c.shot->n_pixels);
  memset (c.ring, 0xff, c.shot->n_pixels * sizeof *c.ring);
  guint down = 0;
  for (guint p = 0; p < c.shot->n_panels; p++)
    {
      const FlkPanel *panel = &c.shot->panels[p];
      for (guint ss = 0; ss < panel->n_ss; ss++)
        for (guint fs = 0; fs < panel->n_fs; fs++)
          if (fs + ss > 8)
            {
              double r = hypot (fs - 100.0, ss + down - 130.0);
              c.ring[index_of (panel, fs, ss)] =
                  (guint16) rint (compatible ? hypot (trunc (fs - 99.7), trunc (ss + down - 129.6)) : r);
            }
      down += panel->n_ss;
    }
  return c;
}

static void
case_clear (Case *c)
{
  shot_free (c->shot);
  g_free (c->ring);
}

#define FOR_PIXELS(c, p, fs, ss)                                                                             \
  for (guint p = 0; p < (c)->shot->n_panels; p++)                                                            \
    for (guint ss = 0; ss < (c)->shot->panels[p].n_ss; ss++)                                                 \
      for (guint fs = 0; fs < (c)->shot->panels[p].n_fs; fs++)

static gint64
whole (float value)
{
  return (gint64) round (CLAMP ((double) (value * SCALE), -8388607.0, 8388607.0));
}

/* The limits by the definition, one whole pass over the pixels a round. */
static FlkRing *
naive_rings (const Case *c)
{
  FlkRing *rings = g_new (FlkRing, c->n_rings);
  for (guint round = 0; round < FLK_RING_ROUNDS; round++)
    {
      g_autofree gint64 *sum = g_new0 (gint64, c->n_rings), *n = g_new0 (gint64, c->n_rings),
                        *sq = g_new0 (gint64, c->n_rings);
      FOR_PIXELS (c, p, fs, ss)
      {
        gsize i = index_of (&c->shot->panels[p], fs, ss);
        float v;
        if (c->ring[i] == FLK_RING_NONE || !shot_pixel (c->shot, p, i, &v))
          continue;
        const FlkRing *ring = &rings[c->ring[i]];
        gboolean in = c->compatible ? v > ring->low && v < ring->high : v >= ring->low && v <= ring->high;
        if (round > 0 && !in)
          continue;
        sum[c->ring[i]] += whole (v);
        sq[c->ring[i]] += whole (v) * whole (v);
        n[c->ring[i]]++;
      }
      for (guint r = 0; r < c->n_rings; r++)
        {
          rings[r] = (FlkRing){ 0, 0, c->compatible ? FLT_MIN : -FLT_MAX, FLT_MAX };
          if (n[r] == 0)
            continue;
          double mean = (double) sum[r] / (double) n[r] / (double) SCALE;
          double variance = (double) sq[r] / (double) n[r] / (double) (SCALE * SCALE) - mean * mean;
          double width = (double) c->min_snr * sqrt (MAX (variance, 0));
          rings[r] = (FlkRing){ (float) mean, (float) sqrt (MAX (variance, 0)), (float) (mean - width),
                                (float) MAX (mean + width, (double) c->threshold) };
        }
    }
  return rings;
}

typedef struct
{
  FlkRing *rings;
  guint8 *strong;
} Found;

static void
found_clear (Found *found)
{
  g_free (found->rings);
  g_free (found->strong);
}

/* By the kernels; `after` (may be NULL) goes on with what is still on the device. */
static Found
kernel_rings (FlkDevice *device, Case *c, guint32 tile_ss,
              void (*after) (FlkDevice *, Case *, const Staged *, const FlkRingsArgs *))
{
  Staged staged;
  staged_init (&staged, device, c->shot, tile_ss);
  gsize chunks = flk_ring_chunk (staged.teams, tile_ss, 0, 0), n = c->shot->n_pixels;
  g_autofree guint16 *first = g_new (guint16, chunks);
  g_autofree FlkRingTile *tiles = g_new (FlkRingTile, staged.teams);
  c->n_rings =
      flk_rings_plan (c->shot->panels, c->shot->n_panels, staged.teams, tile_ss, c->ring, first, tiles);
  FlkBuffer b[9] = { 0 };
  gsize bins = c->n_rings * sizeof (FlkRadialBin);
  FlkRingsArgs args = {
    .pixels = staged.pixels,
    .panels = staged.panels,
    .n_panels = c->shot->n_panels,
    .tile_ss = tile_ss,
    .ring = flk_stage (device, &b[0], c->ring, n * sizeof *c->ring),
    .first = flk_stage (device, &b[1], first, chunks * sizeof *first),
    .tiles = flk_stage (device, &b[2], tiles, staged.teams * sizeof *tiles),
    .n_rings = c->n_rings,
    .compatible = (guint32) c->compatible,
    .scale = SCALE,
    .min_snr = c->min_snr,
    .threshold = c->threshold,
    .all = flk_buffer_need (device, &b[3], bins),
    .out = flk_buffer_need (device, &b[4], bins),
    .rings = flk_buffer_need (device, &b[5], c->n_rings * sizeof (FlkRing)),
    .around = flk_buffer_need (device, &b[6], c->n_rings * sizeof (FlkRingAround)),
    .extremes = flk_buffer_need (device, &b[7], chunks * sizeof (FlkRingExtremes)),
    .strong = flk_buffer_need (device, &b[8], n),
  };
  flk_zero (device, args.all, bins);
  flk_zero (device, args.out, bins);
  flk_zero (device, args.strong, n);
  launch (device, "ring_sums", staged.teams, &args, sizeof args);
  for (guint round = 0; round < FLK_RING_ROUNDS; round++)
    {
      if (round > 0)
        launch (device, "ring_outliers", staged.teams, &args, sizeof args);
      launch (device, "ring_limits", 1, &args, sizeof args);
    }
  launch (device, "ring_strong", staged.teams, &args, sizeof args);
  Found found = { fetched (device, args.rings, c->n_rings * sizeof (FlkRing)),
                  fetched (device, args.strong, n) };
  if (after != NULL)
    after (device, c, &staged, &args);
  for (guint i = 0; i < G_N_ELEMENTS (b); i++)
    flk_buffer_clear (device, &b[i]);
  staged_clear (&staged);
  return found;
}

static void
check_limits (FlkDevice *device, FlkPixelType type, gboolean calibrated, gboolean compatible)
{
  Case c = case_new (type, calibrated, compatible);
  Found got = kernel_rings (device, &c, flk_device_tile_ss (device), NULL);
  Found other = kernel_rings (device, &c, 32, NULL);
  g_autofree FlkRing *rings = naive_rings (&c);
  assert_same (got.rings, c.n_rings * sizeof (FlkRing), other.rings, c.n_rings * sizeof (FlkRing));
  assert_same (got.strong, c.shot->n_pixels, other.strong, c.shot->n_pixels);
  assert_same (got.rings, c.n_rings * sizeof (FlkRing), rings, c.n_rings * sizeof (FlkRing));
  guint n = 0;
  FOR_PIXELS (&c, p, fs, ss)
  {
    gsize i = index_of (&c.shot->panels[p], fs, ss);
    float v;
    gboolean strong =
        c.ring[i] != FLK_RING_NONE && shot_pixel (c.shot, p, i, &v) && v > rings[c.ring[i]].high;
    g_assert_cmpint (got.strong[i], ==, strong);
    n += strong;
  }
  g_assert_cmpuint (n, >, 100);
  found_clear (&got);
  found_clear (&other);
  case_clear (&c);
}

static void
test_limits (FlkDevice *device)
{
  for (guint compatible = 0; compatible < 2; compatible++)
    {
      check_limits (device, FLK_PIXEL_U16, FALSE, compatible);
      check_limits (device, FLK_PIXEL_I32, TRUE, compatible);
      check_limits (device, FLK_PIXEL_F32, TRUE, compatible);
      check_limits (device, FLK_PIXEL_F64, FALSE, compatible);
    }
}

/* --- peaks --- */

enum
{
  RADIUS = 6,
  MAX_PIXELS = 10,
  LIST = 40000,
  SPOTS = 20000
};

/* 8-connected component of a panel, taken out of `left`; pixels in raster order. */
static GArray *
component (const FlkPanel *panel, guint8 *left, guint fs, guint ss)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (guint32));
  guint32 start = ss * panel->n_fs + fs;
  g_array_append_val (found, start);
  left[index_of (panel, fs, ss)] = 0;
  for (guint i = 0; i < found->len; i++)
    for (int k = 0; k < 9; k++)
      {
        guint x = g_array_index (found, guint32, i) % panel->n_fs + (guint) (k % 3 - 1);
        guint y = g_array_index (found, guint32, i) / panel->n_fs + (guint) (k / 3 - 1);
        if (x >= panel->n_fs || y >= panel->n_ss || !left[index_of (panel, x, y)])
          continue;
        left[index_of (panel, x, y)] = 0;
        guint32 next = y * panel->n_fs + x;
        g_array_append_val (found, next);
      }
  for (guint i = 1; i < found->len; i++) /* few enough */
    for (guint k = i; k > 0 && g_array_index (found, guint32, k) < g_array_index (found, guint32, k - 1); k--)
      {
        guint32 *a = &g_array_index (found, guint32, k), *b = a - 1, swap = *a;
        *a = *b;
        *b = swap;
      }
  return found;
}

static float
value_at (const Case *c, guint p, guint32 pixel)
{
  const FlkPanel *panel = &c->shot->panels[p];
  float v = 0;
  shot_pixel (c->shot, p, index_of (panel, pixel % panel->n_fs, pixel / panel->n_fs), &v);
  return v;
}

static void
naive_split (const Case *c, guint p, const GArray *pixels, guint8 *strong)
{
  const FlkPanel *panel = &c->shot->panels[p];
  double low = -INFINITY, high = INFINITY;
  for (guint round = 0; round < FLK_RING_ROUNDS; round++)
    {
      double sum = 0, sq = 0, n = 0;
      for (guint i = 0; i < pixels->len; i++)
        {
          double v = value_at (c, p, g_array_index (pixels, guint32, i));
          if (v >= low && v <= high)
            sum += v, sq += v * v, n++;
        }
      double sigma = sqrt (MAX (sq / n - sum / n * (sum / n), 0));
      low = sum / n - (double) c->min_snr * sigma;
      high = sum / n + (double) c->min_snr * sigma;
    }
  for (guint i = 0; i < pixels->len; i++)
    {
      guint32 pixel = g_array_index (pixels, guint32, i);
      if ((double) value_at (c, p, pixel) <= high)
        strong[index_of (panel, pixel % panel->n_fs, pixel / panel->n_fs)] = 0;
    }
}

/* Calls `each` for every component of `strong`. */
static void
components (const Case *c, const guint8 *strong, void (*each) (const Case *, guint, const GArray *, gpointer),
            gpointer data)
{
  g_autofree guint8 *left = g_memdup2 (strong, c->shot->n_pixels);
  FOR_PIXELS (c, p, fs, ss)
  if (left[index_of (&c->shot->panels[p], fs, ss)])
    {
      g_autoptr (GArray) pixels = component (&c->shot->panels[p], left, fs, ss);
      each (c, p, pixels, data);
    }
}

static void
split_large (const Case *c, guint p, const GArray *pixels, gpointer strong)
{
  if (pixels->len > MAX_PIXELS)
    naive_split (c, p, pixels, strong);
}

typedef struct
{
  const FlkRing *rings;
  const guint8 *strong;
  GArray *peaks; /* FlkSpot: n_pixels, fs, ss, background, n_background; peak_fs: panel */
} Naive;

static void
naive_disc (const Case *c, const Naive *naive, guint p, int fs0, int ss0, double *sum, double *sq,
            double *max, guint *n)
{
  const FlkPanel *panel = &c->shot->panels[p];
  int last = c->compatible ? RADIUS - 1 : RADIUS;
  for (int dy = -RADIUS; dy <= last; dy++)
    for (int dx = -RADIUS; dx <= last; dx++)
      {
        int fs = fs0 + dx, ss = ss0 + dy;
        float v;
        if (dx * dx + dy * dy > RADIUS * RADIUS || fs < 0 || fs >= (int) panel->n_fs || ss < 0
            || ss >= (int) panel->n_ss)
          continue;
        gsize i = index_of (panel, (guint) fs, (guint) ss);
        if (c->ring[i] == FLK_RING_NONE || naive->strong[i] || !shot_pixel (c->shot, p, i, &v)
            || (c->compatible && v >= naive->rings[c->ring[i]].high))
          continue;
        *sum += v;
        *sq += (double) v * v;
        *max = MAX (*max, v);
        (*n)++;
      }
}

static void
judge (const Case *c, guint p, const GArray *pixels, gpointer data)
{
  const Naive *naive = data;
  const FlkPanel *panel = &c->shot->panels[p];
  double above = 0, fs = 0, ss = 0, raw = 0, raw_fs = 0, raw_ss = 0, all_fs = 0, all_ss = 0, most = -INFINITY;
  gboolean inside = FALSE;
  guint n = pixels->len, n_disc = 0;
  if (n < 2 || n > MAX_PIXELS)
    return;
  for (guint i = 0; i < n; i++)
    {
      guint32 pixel = g_array_index (pixels, guint32, i), x = pixel % panel->n_fs, y = pixel / panel->n_fs;
      double v = value_at (c, p, pixel),
             over = (double) ((float) v - naive->rings[c->ring[index_of (panel, x, y)]].mean);
      above += over, fs += over * x, ss += over * y;
      raw += v, raw_fs += v * x, raw_ss += v * y, all_fs += x, all_ss += y;
      most = MAX (most, v);
      inside |= x > 0 && x + 1 < panel->n_fs && y > 0 && y + 1 < panel->n_ss;
    }
  int centre_fs = (int) rint (fs / above), centre_ss = (int) rint (ss / above);
  double sum = 0, sq = 0, max = c->compatible ? 0 : -INFINITY;
  naive_disc (c, naive, p, centre_fs, centre_ss, &sum, &sq, &max, &n_disc);
  gsize centre = index_of (panel, (guint) centre_fs, (guint) centre_ss);
  FlkRing none = { 0 }, ring = c->ring[centre] == FLK_RING_NONE ? none : naive->rings[c->ring[centre]];
  double mean = n_disc ? sum / n_disc : ring.mean, noise;
  if (c->compatible)
    noise = n_disc ? sqrt (sq / n_disc - mean * mean) : 0.01;
  else
    {
      gboolean few = n_disc < 5;
      mean = few ? ring.mean : mean;
      double variance = few ? (double) ring.sigma * ring.sigma : (sq - n_disc * mean * mean) / (n_disc - 1);
      variance = MAX (variance, few ? 1 : 1.0 / n_disc);
      noise = sqrt (variance * (few ? n : n + (double) n * n / n_disc));
    }
  if (!inside || (raw - n * mean) / noise < (double) c->min_snr || most < max)
    return;
  double weight = c->compatible ? raw : raw - n * mean, back = c->compatible ? 0 : mean;
  FlkSpot spot = { .n_pixels = n, .peak_fs = p, .background = (float) mean, .n_background = n_disc };
  spot.fs = (raw_fs - back * all_fs) / weight + 0.5;
  spot.ss = (raw_ss - back * all_ss) / weight + 0.5;
  g_array_append_val (naive->peaks, spot);
}

static void
check_same_peaks (const GArray *peaks, const FlkSpot *spots, const guint32 *n_spots, guint32 n_panels)
{
  guint k = 0;
  for (guint p = 0; p < n_panels; p++)
    for (guint s = 0; s < n_spots[p]; s++)
      {
        const FlkSpot *got = &spots[p * SPOTS + s];
        if (got->n_pixels == 0)
          continue;
        g_assert_cmpuint (k, <, peaks->len);
        const FlkSpot *want = &g_array_index (peaks, FlkSpot, k++);
        g_assert_cmpuint (p, ==, want->peak_fs);
        g_assert_cmpuint (got->n_pixels, ==, want->n_pixels);
        g_assert_cmpuint (got->n_background, ==, want->n_background);
        g_assert_cmpfloat_with_epsilon (got->background, want->background,
                                        1e-4f * fabsf (want->background) + 1e-6f);
        g_assert_cmpfloat_with_epsilon (got->fs, want->fs, 1e-6);
        g_assert_cmpfloat_with_epsilon (got->ss, want->ss, 1e-6);
      }
  g_assert_cmpuint (k, ==, peaks->len);
  g_assert_cmpuint (k, >, 10);
}

static guint n_split; /* components of the shot that were too large */

static void
count_large (const Case *c, guint p, const GArray *pixels, gpointer data)
{
  (void) c, (void) p, (void) data;
  n_split += pixels->len > MAX_PIXELS;
}

static void
peaks_after (FlkDevice *device, Case *c, const Staged *staged, const FlkRingsArgs *rings)
{
  guint32 n = c->shot->n_panels;
  FlkBuffer b[6] = { 0 };
  FlkSpotsArgs spots = {
    .pixels = staged->pixels,
    .panels = staged->panels,
    .n_panels = n,
    .list_capacity = LIST,
    .spot_capacity = SPOTS,
    .min_pixels = 2,
    .connected = 8,
    .strong = rings->strong,
    .list = flk_buffer_need (device, &b[0], (gsize) n * LIST * sizeof (guint32)),
    .scratch = flk_buffer_need (device, &b[1], (gsize) n * LIST * 2 * sizeof (guint32)),
    .spots = flk_buffer_need (device, &b[2], (gsize) n * SPOTS * sizeof (FlkSpot)),
    .n_strong = flk_buffer_need (device, &b[3], n * sizeof (guint32)),
    .n_spots = flk_buffer_need (device, &b[4], n * sizeof (guint32)),
  };
  g_autofree guint8 *strong = fetched (device, rings->strong, c->shot->n_pixels);
  launch (device, "spots", n, &spots, sizeof spots);
  FlkRingPeaksArgs peaks = { .spots = spots,
                             .ring = rings->ring,
                             .rings = rings->rings,
                             .strong = rings->strong,
                             .again = flk_buffer_need (device, &b[5], n * sizeof (guint32)),
                             .gain = 1,
                             .max_pixels = MAX_PIXELS,
                             .compatible = (guint32) c->compatible,
                             .radius = RADIUS,
                             .min_snr = c->min_snr };
  spots.only = peaks.again;
  for (guint i = 0; i < 2 && !c->compatible; i++)
    {
      launch (device, "ring_split", n, &peaks, sizeof peaks);
      launch (device, "spots", n, &spots, sizeof spots);
      components (c, strong, count_large, NULL);
      g_autofree guint8 *before = g_memdup2 (strong, c->shot->n_pixels);
      components (c, before, split_large, strong);
      g_autofree guint8 *left = fetched (device, rings->strong, c->shot->n_pixels);
      for (guint p = 0; p < n; p++)
        for (guint ss = 0; ss < c->shot->panels[p].n_ss; ss++)
          assert_same (left + index_of (&c->shot->panels[p], 0, ss), c->shot->panels[p].n_fs,
                       strong + index_of (&c->shot->panels[p], 0, ss), c->shot->panels[p].n_fs);
    }
  launch (device, "ring_peaks", n, &peaks, sizeof peaks);
  g_autofree FlkSpot *got = fetched (device, spots.spots, (gsize) n * SPOTS * sizeof (FlkSpot));
  g_autofree guint32 *n_spots = fetched (device, spots.n_spots, n * sizeof (guint32));
  g_autofree FlkRing *limits = fetched (device, rings->rings, c->n_rings * sizeof (FlkRing));
  Naive naive = { limits, strong, g_array_new (FALSE, FALSE, sizeof (FlkSpot)) };
  components (c, strong, judge, &naive);
  check_same_peaks (naive.peaks, got, n_spots, n);
  g_array_unref (naive.peaks);
  for (guint i = 0; i < G_N_ELEMENTS (b); i++)
    flk_buffer_clear (device, &b[i]);
}

static void
test_peaks (FlkDevice *device)
{
  n_split = 0;
  for (guint compatible = 0; compatible < 2; compatible++)
    for (guint type = 0; type < 2; type++)
      {
        Case c = case_new (type ? FLK_PIXEL_F32 : FLK_PIXEL_U16, FALSE, compatible);
        Found found = kernel_rings (device, &c, flk_device_tile_ss (device), peaks_after);
        found_clear (&found);
        case_clear (&c);
      }
  g_assert_cmpuint (n_split, >, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  on_devices ("/rings/limits", test_limits);
  on_devices ("/rings/peaks", test_peaks);
  on_devices_launched ("ring_sums ring_limits ring_outliers ring_strong ring_split ring_peaks");
  return g_test_run ();
}
