/* bench-kernels.c: CPU time of every kernel on one device: bench-kernels [DEVICE [THREADS]]. `meson test --benchmark`.
 *
 * A CSPAD-like shot (64 panels of 194 × 185, 2.3 Mpx of i32: background of some ten counts, 150 spots), an AGIPD-like one
 * (128 of 128 × 64 of u16), a Jungfrau-like one (8 of 1024 × 512) and an Eiger-like one (one of 4148 × 4362, 18 Mpx). On a GPU the figures are of waiting, in wall time. */
#include <glib.h>
#include <math.h>
#include <time.h>

#include "kernels/adaptive.h"
#include "kernels/calibrate.h"
#include "kernels/colour.h"
#include "kernels/device.h"
#include "kernels/dispersion.h"
#include "kernels/gain-modes.h"
#include "kernels/pyramid.h"
#include "kernels/profile.h"
#include "kernels/radial.h"
#include "kernels/ring-peaks.h"
#include "kernels/rings.h"
#include "kernels/spots.h"

static double
seconds (FlkDevice *device)
{
  struct timespec t;
  clock_gettime (!device || flk_device_is_host (device) ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

typedef struct
{
  const char *name;
  FlkDevice *device;
  FlkPanel panels[128];
  guint32 n_panels, teams;
  gsize n_pixels;
  FlkPixelType type;
  FlkBuffer data, mask, panels_there, strong, scratch, counts, bin, bins, list, labels, spots, n_strong,
      n_spots, colours, ring, first, tiles, all, out, rings, around, extremes, again, profile_bin, place,
      start, value, by_bin, limit;
  guint32 n_rings;
  FlkPixels pixels;
} Bench;

enum
{
  PROFILE_BINS = 100
};

static void bench_profile (Bench *b, const guint16 *ring, gsize panel);

/* Rings about the middle of a square of panels. */
static void
bench_rings (Bench *b, guint32 n_fs, guint32 n_ss)
{
  guint32 tile_ss = flk_device_tile_ss (b->device);
  guint across = (guint) ceil (sqrt ((double) b->n_panels * n_ss / n_fs));
  gsize chunks = flk_ring_chunk (b->teams, tile_ss, 0, 0);
  g_autofree guint16 *ring = g_new (guint16, b->n_pixels), *first = g_new (guint16, chunks);
  g_autofree FlkRingTile *tiles = g_new (FlkRingTile, b->teams);
  double middle_fs = across * n_fs / 2.0, middle_ss = (b->n_panels / across) * n_ss / 2.0;
  for (guint32 p = 0; p < b->n_panels; p++)
    for (guint32 i = 0; i < n_fs * n_ss; i++)
      ring[(gsize) p * n_fs * n_ss + i] = (guint16) rint (
          hypot (p % across * n_fs + i % n_fs - middle_fs, p / across * n_ss + i / n_fs - middle_ss));
  b->n_rings = flk_rings_plan (b->panels, b->n_panels, b->teams, tile_ss, ring, first, tiles);
  flk_upload (b->device, flk_buffer_need (b->device, &b->ring, b->n_pixels * 2), ring, b->n_pixels * 2);
  flk_upload (b->device, flk_buffer_need (b->device, &b->first, chunks * 2), first, chunks * 2);
  flk_upload (b->device, flk_buffer_need (b->device, &b->tiles, b->teams * sizeof *tiles), tiles,
              b->teams * sizeof *tiles);
  flk_sync (b->device);
  bench_profile (b, ring, (gsize) n_fs * n_ss);
}

/* Rings of each panel to PROFILE_BINS bins of it. */
static void
bench_profile (Bench *b, const guint16 *ring, gsize panel)
{
  g_autofree guint16 *bin = g_new (guint16, b->n_pixels);
  g_autofree guint32 *place = g_new (guint32, b->n_pixels);
  g_autofree guint32 *start = g_new0 (guint32, b->n_panels * PROFILE_BINS + 1);
  for (guint32 p = 0; p < b->n_panels; p++)
    {
      const guint16 *own = ring + p * panel;
      guint16 least = own[0], most = own[0];
      for (gsize i = 0; i < panel; i++)
        least = MIN (least, own[i]), most = MAX (most, own[i]);
      for (gsize i = 0; i < panel; i++)
        {
          bin[p * panel + i] = (guint16) ((own[i] - least) * PROFILE_BINS / (most - least + 1));
          start[p * PROFILE_BINS + bin[p * panel + i] + 1]++;
        }
    }
  for (guint32 i = 0; i < b->n_panels * PROFILE_BINS; i++)
    start[i + 1] += start[i];
  g_autofree guint32 *next = g_memdup2 (start, b->n_panels * PROFILE_BINS * sizeof *next);
  for (gsize i = 0; i < b->n_pixels; i++)
    place[i] = next[i / panel * PROFILE_BINS + bin[i]]++;
  gsize size = (b->n_panels * PROFILE_BINS + 1) * sizeof *start;
  flk_upload (b->device, flk_buffer_need (b->device, &b->profile_bin, b->n_pixels * 2), bin, b->n_pixels * 2);
  flk_upload (b->device, flk_buffer_need (b->device, &b->place, b->n_pixels * 4), place, b->n_pixels * 4);
  flk_upload (b->device, flk_buffer_need (b->device, &b->start, size), start, size);
  flk_sync (b->device);
}

static void
bench_init (Bench *b, guint32 n_panels, guint32 n_fs, guint32 n_ss, FlkPixelType type)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  gsize panel = (gsize) n_fs * n_ss, n = n_panels * panel;
  b->n_panels = n_panels;
  b->n_pixels = n;
  b->type = type;
  for (guint32 i = 0; i < n_panels; i++)
    b->panels[i] = (FlkPanel){ i * panel, n_fs, n_fs, n_ss, -INFINITY, INFINITY, 0, 0 };
  b->teams = flk_panels_tile (b->panels, n_panels, flk_device_tile_ss (b->device));
  g_autofree gint32 *values = g_new (gint32, n);
  for (gsize i = 0; i < n; i++)
    {
      double u = g_rand_double (random) + g_rand_double (random) + g_rand_double (random) - 1.5;
      values[i] = (gint32) (12 + 7 * u);
    }
  for (guint s = 0; s < 150; s++)
    {
      gsize at = (gsize) g_rand_int_range (random, 2, (gint32) (n / n_fs) - 2) * n_fs
                 + (gsize) g_rand_int_range (random, 2, (gint32) n_fs - 2);
      for (int j = -1; j <= 1; j++)
        for (int i = -1; i <= 1; i++)
          values[(gssize) at + j * (gssize) n_fs + i] += 400 / (1 + 3 * (i * i + j * j));
    }
  g_autofree guint16 *small = g_new (guint16, n), *bin = g_new (guint16, n);
  g_autofree guint8 *mask = g_malloc0 (n);
  for (gsize i = 0; i < n; i++)
    {
      small[i] = (guint16) values[i];
      mask[i] = i % 997 == 0;
      double fs = (double) (i % n_fs) - n_fs / 2.0, ss = (double) (i / n_fs % n_ss) - n_ss / 2.0;
      bin[i] = (guint16) (sqrt (fs * fs + ss * ss) / hypot (n_fs, n_ss) * 1000);
    }
  gboolean wide = type == FLK_PIXEL_I32;
  gsize bytes = n * (wide ? 4 : 2);
  flk_upload (b->device, flk_buffer_need (b->device, &b->data, bytes), wide ? (gconstpointer) values : small,
              bytes);
  flk_upload (b->device, flk_buffer_need (b->device, &b->mask, n), mask, n);
  flk_upload (b->device, flk_buffer_need (b->device, &b->bin, n * 2), bin, n * 2);
  flk_upload (b->device, flk_buffer_need (b->device, &b->panels_there, sizeof b->panels), b->panels,
              sizeof b->panels);
  flk_sync (b->device);
  bench_rings (b, n_fs, n_ss);
  b->pixels =
      (FlkPixels){ .data = b->data.memory, .mask = b->mask.memory, .factor_all = 1, .type = (gint32) type };
}

static void
launch (Bench *b, const char *kernel, guint32 teams, gconstpointer args, gsize size)
{
  if (!flk_launch (b->device, kernel, teams, 0, args, size))
    g_error ("%s", flk_error (b->device));
}

static void
run_calibrate (Bench *b)
{
  FlkCalibrateArgs args = { .pixels = b->pixels,
                            .panels = b->panels_there.memory,
                            .n_panels = b->n_panels,
                            .tile_ss = flk_device_tile_ss (b->device),
                            .counts = flk_buffer_need (b->device, &b->counts, b->n_pixels * 4),
                            .bad = flk_buffer_need (b->device, &b->strong, b->n_pixels) };
  launch (b, "calibrate", b->teams, &args, sizeof args);
}

static void
run_gain_modes (Bench *b)
{
  const float *g0 = b->spots.memory, *f0 = b->labels.memory;
  FlkGainModesArgs args = { .raw = b->list.memory,
                            .pedestal = { g0, b->bins.memory, NULL, b->colours.memory },
                            .factor = { f0, b->scratch.memory, NULL, b->bin.memory },
                            .mask = b->mask.memory,
                            .n = b->n_pixels,
                            .scale = 0.11f,
                            .value_bits = 0x3fff,
                            .values = flk_buffer_need (b->device, &b->counts, b->n_pixels * 4),
                            .bad = flk_buffer_need (b->device, &b->strong, b->n_pixels) };
  launch (b, "gain_modes", flk_gain_modes_teams (b->n_pixels), &args, sizeof args);
}

static void
dispersion (Bench *b, gboolean extended, double global)
{
  FlkDispersionArgs args = { .pixels = b->pixels,
                             .panels = b->panels_there.memory,
                             .n_panels = b->n_panels,
                             .tile_ss = flk_device_tile_ss (b->device),
                             .half_fs = 3,
                             .half_ss = 3,
                             .min_local = 2,
                             .sigma_background = 6,
                             .sigma_strong = 3,
                             .global_threshold = global,
                             .gain = 1,
                             .strong = flk_buffer_need (b->device, &b->strong, b->n_pixels),
                             .scratch = flk_buffer_need (b->device, &b->scratch, b->n_pixels) };
  launch (b, extended ? "dispersion_halo" : "dispersion", b->teams, &args, sizeof args);
  if (extended)
    {
      launch (b, "dispersion_erode", b->teams, &args, sizeof args);
      launch (b, "dispersion_extended", b->teams, &args, sizeof args);
    }
}

static void
run_adaptive (Bench *b)
{
  guint32 first[G_N_ELEMENTS (b->panels)];
  guint32 n = flk_adaptive_blocks (b->panels, b->n_panels, first);
  gsize size = n * sizeof (FlkAdaptiveBlock);
  FlkAdaptiveArgs args = { .pixels = b->pixels,
                           .panels = b->panels_there.memory,
                           .first_block = flk_buffer_need (b->device, &b->list, sizeof first),
                           .n_panels = b->n_panels,
                           .tile_ss = flk_device_tile_ss (b->device),
                           .blocks = flk_buffer_need (b->device, &b->counts, size),
                           .strong = flk_buffer_need (b->device, &b->strong, b->n_pixels) };
  flk_upload (b->device, b->list.memory, first, sizeof first);
  launch (b, "adaptive_blocks", b->teams, &args, sizeof args);
  g_autofree FlkAdaptiveBlock *host = g_new (FlkAdaptiveBlock, n);
  flk_adaptive_noise (flk_fetch (b->device, host, args.blocks, size), n, 0.1, (double) b->n_pixels,
                      &args.noise);
  launch (b, "adaptive_spots", b->teams, &args, sizeof args);
}

static void
run_dispersion (Bench *b)
{
  dispersion (b, FALSE, 0);
}

static void
run_dispersion_100 (Bench *b)
{
  dispersion (b, FALSE, 100);
}

static void
run_extended (Bench *b)
{
  dispersion (b, TRUE, 0);
}

/* Of the strong pixels that the run before left. */
static FlkSpotsArgs
run_spots_of (Bench *b, guint32 connected)
{
  enum
  {
    LIST = 65536,
    SPOTS = 8192
  };
  gsize n = b->n_panels;
  FlkSpotsArgs args = { .pixels = b->pixels,
                        .panels = b->panels_there.memory,
                        .n_panels = b->n_panels,
                        .list_capacity = LIST,
                        .spot_capacity = SPOTS,
                        .min_pixels = connected == 8 ? 2 : 3,
                        .connected = connected,
                        .strong = b->strong.memory,
                        .list = flk_buffer_need (b->device, &b->list, n * LIST * 4),
                        .scratch = flk_buffer_need (b->device, &b->labels, n * LIST * 8),
                        .spots = flk_buffer_need (b->device, &b->spots, n * SPOTS * sizeof (FlkSpot)),
                        .n_strong = flk_buffer_need (b->device, &b->n_strong, n * 4),
                        .n_spots = flk_buffer_need (b->device, &b->n_spots, n * 4) };
  launch (b, "spots", b->n_panels, &args, sizeof args);
  return args;
}

static void
run_spots (Bench *b)
{
  run_spots_of (b, 4);
}

static void
run_radial (Bench *b)
{
  FlkRadialArgs args = { .pixels = b->pixels,
                         .panels = b->panels_there.memory,
                         .n_panels = b->n_panels,
                         .tile_ss = flk_device_tile_ss (b->device),
                         .bin = b->bin.memory,
                         .n_bins = 512,
                         .scale = 16,
                         .bins = flk_buffer_need (b->device, &b->bins, 512 * sizeof (FlkRadialBin)) };
  flk_zero (b->device, args.bins, 512 * sizeof (FlkRadialBin));
  launch (b, "radial", b->teams, &args, sizeof args);
}

static FlkRingsArgs
run_rings_to (Bench *b, gboolean sums_only)
{
  gsize chunks = flk_ring_chunk (b->teams, flk_device_tile_ss (b->device), 0, 0), n = b->n_rings;
  FlkRingsArgs args = { .pixels = b->pixels,
                        .panels = b->panels_there.memory,
                        .n_panels = b->n_panels,
                        .tile_ss = flk_device_tile_ss (b->device),
                        .ring = b->ring.memory,
                        .first = b->first.memory,
                        .tiles = b->tiles.memory,
                        .n_rings = b->n_rings,
                        .scale = 1,
                        .min_snr = 5,
                        .threshold = 6,
                        .alone = flk_device_threads (b->device) == 1,
                        .all = flk_buffer_need (b->device, &b->all, n * sizeof (FlkRadialBin)),
                        .out = flk_buffer_need (b->device, &b->out, n * sizeof (FlkRadialBin)),
                        .rings = flk_buffer_need (b->device, &b->rings, n * sizeof (FlkRing)),
                        .around = flk_buffer_need (b->device, &b->around, n * sizeof (FlkRingAround)),
                        .extremes =
                            flk_buffer_need (b->device, &b->extremes, chunks * sizeof (FlkRingExtremes)),
                        .strong = flk_buffer_need (b->device, &b->strong, b->n_pixels) };
  flk_zero (b->device, args.all, n * sizeof (FlkRadialBin));
  flk_zero (b->device, args.out, n * sizeof (FlkRadialBin));
  launch (b, "ring_sums", b->teams, &args, sizeof args);
  for (guint round = 0; round < FLK_RING_ROUNDS && !sums_only; round++)
    {
      if (round > 0)
        launch (b, "ring_outliers", b->teams, &args, sizeof args);
      launch (b, "ring_limits", 1, &args, sizeof args);
    }
  if (!sums_only)
    launch (b, "ring_strong", b->teams, &args, sizeof args);
  return args;
}

static void
run_ring_sums (Bench *b)
{
  run_rings_to (b, TRUE);
}

static void
run_rings (Bench *b)
{
  run_rings_to (b, FALSE);
}

/* Strong pixels, components, splits and peaks. */
static void
run_peakfinder8 (Bench *b)
{
  FlkRingsArgs rings = run_rings_to (b, FALSE);
  FlkRingPeaksArgs args = { .spots = run_spots_of (b, 8),
                            .ring = rings.ring,
                            .rings = rings.rings,
                            .strong = rings.strong,
                            .again = flk_buffer_need (b->device, &b->again, b->n_panels * 4),
                            .gain = 1,
                            .max_pixels = 200,
                            .radius = 6,
                            .min_snr = 5 };
  FlkSpotsArgs spots = args.spots;
  spots.only = args.again;
  for (guint i = 0; i < 2; i++)
    {
      launch (b, "ring_split", b->n_panels, &args, sizeof args);
      launch (b, "spots", b->n_panels, &spots, sizeof spots);
    }
  launch (b, "ring_peaks", b->n_panels, &args, sizeof args);
}

static void
run_profile (Bench *b)
{
  gsize n = b->n_pixels, n_limits = b->n_panels * PROFILE_BINS;
  FlkProfileArgs args = { .pixels = b->pixels,
                          .panels = b->panels_there.memory,
                          .n_panels = b->n_panels,
                          .tile_ss = flk_device_tile_ss (b->device),
                          .bin = b->profile_bin.memory,
                          .place = b->place.memory,
                          .start = b->start.memory,
                          .n_bins = PROFILE_BINS,
                          .n_iqr = 6,
                          .gain = 1,
                          .value = flk_buffer_need (b->device, &b->value, n * 4),
                          .by_bin = flk_buffer_need (b->device, &b->by_bin, n * 4),
                          .limit = flk_buffer_need (b->device, &b->limit, n_limits * 8),
                          .strong = flk_buffer_need (b->device, &b->strong, n) };
  launch (b, "profile_values", b->teams, &args, sizeof args);
  launch (b, "profile_limits", (guint32) n_limits, &args, sizeof args);
  launch (b, "profile_strong", b->teams, &args, sizeof args);
}

static void
run_colour (Bench *b)
{
  FlkColourArgs args = { .values = b->counts.memory,
                         .out = flk_buffer_need (b->device, &b->colours, b->n_pixels * 4),
                         .n = b->n_pixels,
                         .low = 0,
                         .high = 50,
                         .scale = FLK_SCALE_LOG };
  flk_palette_lut (FLK_PALETTE_VIRIDIS, args.lut);
  launch (b, "colour", flk_colour_teams (b->n_pixels), &args, sizeof args);
}

/* A detector of three gains; in 40 of 20,000 pixels, beside each other, the second. */
static void
bench_gain_modes (Bench *b, void (*time_it) (Bench *, const char *, void (*) (Bench *), guint), guint repeat)
{
  gsize n = b->n_pixels;
  g_autofree guint16 *raw = g_new (guint16, n);
  g_autofree float *pedestal = g_new (float, n), *factor = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    {
      raw[i] = (guint16) ((2400 + i * 7919 % 200) | (i % 20000 < 40 ? 0x4000 : 0));
      pedestal[i] = 2400 + (float) (i % 91);
      factor[i] = 1.0f / (500 + (float) (i % 17));
    }
  flk_upload (b->device, flk_buffer_need (b->device, &b->list, 2 * n), raw, 2 * n);
  FlkBuffer *tables[] = { &b->spots, &b->labels, &b->bins, &b->scratch, &b->colours, &b->bin };
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    flk_upload (b->device, flk_buffer_need (b->device, tables[i], 4 * n), i % 2 == 0 ? pedestal : factor,
                4 * n);
  flk_sync (b->device);
  time_it (b, "gain modes", run_gain_modes, repeat);
}

static void
bench_run (Bench *b, const char *what, void (*run) (Bench *), guint repeat)
{
  double best = INFINITY, total = 0;
  run (b);
  flk_sync (b->device);
  for (guint i = 0; i < repeat; i++)
    {
      double before = seconds (b->device);
      run (b);
      flk_sync (b->device);
      double took = seconds (b->device) - before;
      best = MIN (best, took);
      total += took;
    }
  g_print ("%-28s %-28s best %8.3f ms  mean %8.3f ms  %6.2f ns/px\n", b->name, what, best * 1e3,
           total / repeat * 1e3, best * 1e9 / (double) b->n_pixels);
}

static void
bench_shot (FlkDevice *device, const char *name, guint32 n_panels, guint32 n_fs, guint32 n_ss,
            FlkPixelType type, guint repeat)
{
  Bench b = { .name = name, .device = device };
  bench_init (&b, n_panels, n_fs, n_ss, type);
  bench_run (&b, "calibrate", run_calibrate, repeat);
  bench_run (&b, "colour, log", run_colour, repeat);
  bench_run (&b, "dispersion, global 100", run_dispersion_100, repeat);
  bench_run (&b, "dispersion", run_dispersion, repeat);
  bench_run (&b, "adaptive", run_adaptive, repeat);
  bench_run (&b, "dispersion extended", run_extended, repeat);
  bench_run (&b, "spots of these", run_spots, repeat);
  bench_run (&b, "radial, 512 bins", run_radial, repeat);
  bench_run (&b, "rings, the sums", run_ring_sums, repeat);
  bench_run (&b, "rings, all", run_rings, repeat);
  bench_run (&b, "peakfinder8", run_peakfinder8, repeat);
  bench_run (&b, "radial_profile", run_profile, repeat);
  if (type == FLK_PIXEL_U16)
    bench_gain_modes (&b, bench_run, repeat); /* last: takes the others' buffers */
  FlkBuffer *buffers[] = { &b.ring,   &b.first,    &b.tiles,    &b.all,         &b.out,    &b.rings,
                           &b.around, &b.extremes, &b.again,    &b.profile_bin, &b.place,  &b.start,
                           &b.value,  &b.by_bin,   &b.limit,    &b.data,        &b.mask,   &b.panels_there,
                           &b.strong, &b.scratch,  &b.counts,   &b.bin,         &b.bins,   &b.list,
                           &b.labels, &b.spots,    &b.n_strong, &b.n_spots,     &b.colours };
  for (guint i = 0; i < G_N_ELEMENTS (buffers); i++)
    flk_buffer_clear (device, buffers[i]);
}

static double
timed (double *before)
{
  double now = seconds (NULL), took = now - *before;
  *before = now;
  return took * 1e3;
}

/* 10^7 events of 1024 ranks over eight hours. */
static void
bench_pyramid (void)
{
  enum
  {
    N = 10000000,
    BATCH = 10000,
    ROWS = 1024,
    WIDTH = 1600,
    HEIGHT = 900
  };
  g_autoptr (GRand) random = g_rand_new_with_seed (2);
  g_autofree FlkEvent *events = g_new (FlkEvent, N);
  guint64 span = G_GUINT64_CONSTANT (8) * 3600 * 1000000000, start = G_GUINT64_CONSTANT (1800000000000000000);
  for (guint i = 0; i < N; i++)
    events[i] =
        (FlkEvent){ g_rand_int (random) % ROWS, g_rand_int (random) % 1000 ? g_rand_int (random) % 3 : 3,
                    start + (guint64) ((double) span * i / N), i };
  FlkPyramid *pyramid = flk_pyramid_new ();
  double worst = 0, sum = 0, before = seconds (NULL);
  for (guint i = 0; i < N; i += BATCH)
    {
      flk_pyramid_append (pyramid, events + i, BATCH);
      double took = timed (&before);
      sum += took;
      worst = MAX (worst, took);
    }
  g_print ("pyramid, 10^7 events: append of 10^4 mean %.3f ms, worst %.3f ms; %.0f MB\n", sum / (N / BATCH),
           worst, (double) flk_pyramid_memory (pyramid) / 1e6);
  g_autofree guint8 *klass = g_malloc (WIDTH * HEIGHT);
  g_autofree guint32 *count = g_new (guint32, WIDTH * HEIGHT), *out = g_new (guint32, WIDTH * HEIGHT);
  FlkView view = { start, start + span, 0, ROWS, WIDTH, HEIGHT };
  timed (&before);
  guint32 max = flk_pyramid_raster (pyramid, &view, FLK_RASTER_AUTO, klass, count);
  g_print ("pyramid, whole 1600 x 900 raster: %.2f ms from counts", timed (&before));
  flk_pyramid_raster (pyramid, &view, FLK_RASTER_EXACT, klass, count);
  g_print (", %.2f ms from all events", timed (&before));
  view.t1 = start + span / 10;
  flk_pyramid_raster (pyramid, &view, FLK_RASTER_EXACT, klass, count);
  g_print (", %.2f ms from 10^6\n", timed (&before));
  FlkBrightness brightness;
  flk_brightness_log (&brightness, max);
  guint32 colours[FLK_PYRAMID_CLASSES] = { 0xff8a8a8a, 0xff56b4e9, 0xfff0e442, 0xffd55e00, 0xffffffff };
  timed (&before);
  flk_pyramid_shade (klass, count, WIDTH * HEIGHT, &brightness, colours, out);
  g_print ("pyramid, shading it: %.2f ms", timed (&before));
  guint64 counts[FLK_PYRAMID_CLASSES];
  for (guint i = 0; i < 1000; i++)
    flk_pyramid_count (pyramid, start + i * (span / 1600), start + (i + 1) * (span / 1600), i, i + 2, counts);
  g_print ("; hover (two ranks, one pixel): %.4f ms\n", timed (&before) / 1000);
  flk_pyramid_free (pyramid);
}

int
main (int argc, char **argv)
{
  char message[1024];
  FlkDevice *device = flk_device_open (argc > 1 ? argv[1] : "auto", 0,
                                       argc > 2 ? (unsigned) atoi (argv[2]) : 1, message, sizeof message);
  g_print ("%s\n", message);
  if (!device)
    return 77;
  bench_shot (device, "CSPAD 2.3 Mpx i32", 64, 194, 185, FLK_PIXEL_I32, 20);
  bench_shot (device, "AGIPD 1 Mpx u16", 128, 128, 64, FLK_PIXEL_U16, 40);
  bench_shot (device, "Jungfrau 4 Mpx u16", 8, 1024, 512, FLK_PIXEL_U16, 10);
  bench_shot (device, "Eiger 18 Mpx u16", 1, 4148, 4362, FLK_PIXEL_U16, 5);
  flk_device_close (device);
  bench_pyramid ();
  return 0;
}
