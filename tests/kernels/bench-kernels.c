/* bench-kernels.c: CPU time of every kernel on one device: bench-kernels [DEVICE [THREADS]]. `meson test --benchmark`.
 *
 * A CSPAD-like shot (64 panels of 194 × 185, 2.3 Mpx of i32: background of some ten counts, 150 spots) and an
 * Eiger-like one (one panel 4148 × 4362 of u16, 18 Mpx). On a GPU the figures are of waiting, in wall time. */
#include <glib.h>
#include <math.h>
#include <time.h>

#include "kernels/calibrate.h"
#include "kernels/colour.h"
#include "kernels/device.h"
#include "kernels/dispersion.h"
#include "kernels/pyramid.h"
#include "kernels/radial.h"
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
  FlkPanel panels[64];
  guint32 n_panels, teams;
  gsize n_pixels;
  FlkPixelType type;
  FlkBuffer data, mask, panels_there, strong, scratch, counts, bin, bins, list, labels, spots, n_strong,
      n_spots, colours;
  FlkPixels pixels;
} Bench;

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
static void
run_spots (Bench *b)
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
                        .min_pixels = 3,
                        .strong = b->strong.memory,
                        .list = flk_buffer_need (b->device, &b->list, n * LIST * 4),
                        .scratch = flk_buffer_need (b->device, &b->labels, n * LIST * 8),
                        .spots = flk_buffer_need (b->device, &b->spots, n * SPOTS * sizeof (FlkSpot)),
                        .n_strong = flk_buffer_need (b->device, &b->n_strong, n * 4),
                        .n_spots = flk_buffer_need (b->device, &b->n_spots, n * 4) };
  launch (b, "spots", b->n_panels, &args, sizeof args);
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
  bench_run (&b, "dispersion extended", run_extended, repeat);
  bench_run (&b, "spots of these", run_spots, repeat);
  bench_run (&b, "radial, 512 bins", run_radial, repeat);
  FlkBuffer *buffers[] = {
    &b.data, &b.mask, &b.panels_there, &b.strong, &b.scratch,  &b.counts,  &b.bin,
    &b.bins, &b.list, &b.labels,       &b.spots,  &b.n_strong, &b.n_spots, &b.colours
  };
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
  bench_shot (device, "Eiger 18 Mpx u16", 1, 4148, 4362, FLK_PIXEL_U16, 5);
  flk_device_close (device);
  bench_pyramid ();
  return 0;
}
