/* bench-spi.c: CPU time of the steps of single-particle imaging on one device: bench-spi [DEVICE [THREADS]].
 * `meson test --benchmark`. Set-up: 3,000 patterns, 2,000 pixels, a thousand photons each or `lit` of the pixels; orientations
 * in batches of 512. On a GPU the figures are of waiting, in wall time. */
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include <glib.h>

#include "kernels/device.h"
#include "kernels/means.h"
#include "kernels/slices.h"
#include "kernels/toeplitz.h"

enum
{
  PATTERNS = 3000,
  PIXELS = 2000,
  BATCH = 512
};

static double
seconds (FlkDevice *device)
{
  struct timespec t;
  clock_gettime (flk_device_is_host (device) ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

/* Multiply-adds a second of this program's own core, with chains enough: what a product can reach. Wider than the level
 * that this file is compiled for where the processor is. */
#ifdef __x86_64__
#define CHAINS 20
typedef float Wide __attribute__ ((vector_size (64)));
__attribute__ ((target ("avx512f"), noinline)) static double
peak_512 (void)
{
  double best = INFINITY;
  for (int round = 0; round < 5; round++)
    {
      struct timespec t0, t1;
      Wide x[CHAINS] = { { 0 } };
      clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t0);
      for (int i = 0; i < 2000000; i++)
        {
#pragma GCC unroll 20
          for (int k = 0; k < CHAINS; k++)
            __asm__ volatile("vfmadd231ps %0, %0, %0" : "+v"(x[k]));
        }
      clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t1);
      best = MIN (best, (double) (t1.tv_sec - t0.tv_sec) + 1e-9 * (double) (t1.tv_nsec - t0.tv_nsec));
    }
  return 2000000.0 * CHAINS * 16 / best;
}
#endif

static void
bench_orient (FlkDevice *device, const char *kernel, double lit_fraction, double peak)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  g_autofree float *model = g_new (float, BATCH *PIXELS), *dense = g_new0 (float, PATTERNS *PIXELS);
  g_autofree FlkLit *lit = g_new (FlkLit, PATTERNS * PIXELS);
  g_autofree guint32 *start = g_new (guint32, PATTERNS + 1);
  g_autofree float *total = g_new0 (float, PATTERNS);
  guint32 n = 0;
  for (guint i = 0; i < BATCH * PIXELS; i++)
    model[i] = (float) g_rand_double_range (random, -3, 0);
  for (guint d = 0; d < PATTERNS; d++)
    {
      start[d] = n;
      for (guint t = 0; t < PIXELS; t++)
        if (g_rand_double (random) < lit_fraction)
          {
            lit[n++] = (FlkLit){ t, 1 };
            dense[d * PIXELS + t] = 1;
            total[d]++;
          }
    }
  start[PATTERNS] = n;
  FlkBuffer b[8] = { { 0 } };
  FlkOrientArgs args = { .model = flk_stage (device, &b[0], model, BATCH * PIXELS * 4),
                         .n_rotations = BATCH,
                         .n_pixels = PIXELS,
                         .n_patterns = PATTERNS,
                         .start = flk_stage (device, &b[1], start, (PATTERNS + 1) * 4),
                         .lit = flk_stage (device, &b[2], lit, n * sizeof *lit),
                         .dense = flk_stage (device, &b[3], dense, PATTERNS * PIXELS * 4),
                         .total = flk_stage (device, &b[4], total, PATTERNS * 4),
                         .start_over = true,
                         .n_best = 8,
                         .best_score = flk_buffer_need (device, &b[5], PATTERNS * 8 * 4),
                         .best = flk_buffer_need (device, &b[6], PATTERNS * 8 * 4),
                         .log_sum = flk_buffer_need (device, &b[7], PATTERNS * sizeof (FlkLogSum)),
                         .beta = 1 };
  double best = INFINITY;
  for (guint i = 0; i < 4; i++)
    {
      double before = seconds (device);
      if (!flk_launch (device, kernel, flk_orient_teams (PATTERNS), 0, &args, sizeof args))
        g_error ("%s", flk_error (device));
      flk_sync (device);
      best = MIN (best, seconds (device) - before);
    }
  double dense_work = (double) BATCH * PATTERNS * PIXELS, work = (double) BATCH * n;
  g_print ("%s, %2.0f %% lit: 10^4 orientations in %.2f s; as dense %.0f GFMA/s (%.0f %% of the peak), of "
           "lit pixels %.0f "
           "GFMA/s\n",
           kernel, 100 * lit_fraction, best * 1e4 / BATCH, 1e-9 * dense_work / best,
           100 * dense_work / best / peak, 1e-9 * work / best);
  for (guint i = 0; i < G_N_ELEMENTS (b); i++)
    flk_buffer_clear (device, &b[i]);
}

/* The share of orientations that a pattern keeps. */
static void
bench_means (FlkDevice *device, double kept)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (3);
  g_autofree float *probability = g_new0 (float, PATTERNS *BATCH);
  g_autofree FlkLit *lit = g_new (FlkLit, PATTERNS * PIXELS);
  g_autofree guint32 *start = g_new (guint32, PATTERNS + 1);
  guint32 n = 0;
  for (guint i = 0; i < PATTERNS * BATCH; i++)
    if (g_rand_double (random) < kept)
      probability[i] = (float) g_rand_double (random);
  for (guint d = 0; d < PATTERNS; d++)
    {
      start[d] = n;
      for (guint t = 0; t < PIXELS; t++)
        if (g_rand_double (random) < 0.3)
          lit[n++] = (FlkLit){ t, 1 };
    }
  start[PATTERNS] = n;
  FlkBuffer b[5] = { { 0 } };
  FlkMeansArgs args = { .probability = flk_stage (device, &b[0], probability, PATTERNS * BATCH * 4),
                        .n_rotations = BATCH,
                        .n_pixels = PIXELS,
                        .n_patterns = PATTERNS,
                        .start = flk_stage (device, &b[1], start, (PATTERNS + 1) * 4),
                        .lit = flk_stage (device, &b[2], lit, n * sizeof *lit),
                        .means = flk_buffer_need (device, &b[3], BATCH * PIXELS * 4),
                        .weight = flk_buffer_need (device, &b[4], BATCH * 4) };
  double best = INFINITY;
  for (guint i = 0; i < 3; i++)
    {
      double before = seconds (device);
      if (!flk_launch (device, "means", flk_orient_blocks (BATCH), 0, &args, sizeof args))
        g_error ("%s", flk_error (device));
      flk_sync (device);
      best = MIN (best, seconds (device) - before);
    }
  g_print ("means, 30 %% lit, %g %% of the orientations kept: 10^4 orientations in %.2f s\n", 100 * kept,
           best * 1e4 / BATCH);
  for (guint i = 0; i < G_N_ELEMENTS (b); i++)
    flk_buffer_clear (device, &b[i]);
}

static void
bench_toeplitz (FlkDevice *device, guint32 size)
{
  char message[256];
  gsize voxels = (gsize) size * size * size;
  FlkToeplitz *toeplitz = flk_toeplitz_new (device, size, message, sizeof message);
  FlkBuffer b = { 0 };
  float *x = flk_buffer_need (device, &b, voxels * 4);
  double best = INFINITY;
  flk_zero (device, x, voxels * 4);
  for (guint i = 0; i < 5; i++)
    {
      double before = seconds (device);
      if (!toeplitz || !flk_toeplitz_apply (toeplitz, x, x))
        g_error ("%s", message);
      flk_sync (device);
      best = MIN (best, seconds (device) - before);
    }
  g_print ("normal operator on %u^3: %.1f ms\n", size, best * 1e3);
  flk_buffer_clear (device, &b);
  flk_toeplitz_free (toeplitz);
}

/* Rotations about random axes; pixels of a detector's disc, rows in order, to `edge` of the band. */
static void
bench_slices (FlkDevice *device, guint32 size, double tolerance, double upsampling, gboolean near)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (2);
  g_autofree float *rotation = g_new (float, BATCH * 9), *s = g_new0 (float, 3 * 101 * 101);
  double q[4] = { 1, 0, 0, 0 };
  for (guint i = 0; i < BATCH; i++)
    {
      double norm = 0;
      gboolean anew = !near || i % FLK_ORIENT_BLOCK == 0;
      for (guint k = 0; k < 4; k++)
        {
          q[k] = (anew ? 0 : q[k]) + (anew ? 1 : 0.05) * g_rand_double_range (random, -1, 1);
          norm += q[k] * q[k];
        }
      double f = 2 / norm, w = q[0], x = q[1], y = q[2], z = q[3];
      const double m[9] = { 1 - f * (y * y + z * z), f * (x * y - w * z),     f * (x * z + w * y),
                            f * (x * y + w * z),     1 - f * (x * x + z * z), f * (y * z - w * x),
                            f * (x * z - w * y),     f * (y * z + w * x),     1 - f * (x * x + y * y) };
      for (guint k = 0; k < 9; k++)
        rotation[9 * i + k] = (float) m[k];
    }
  guint n = 0;
  for (int y = -50; y <= 50; y++)
    for (int x = -50; x <= 50; x++)
      if (x * x + y * y <= 50 * 50)
        {
          s[3 * n] = 0.48f * (float) x / 50;
          s[3 * n + 1] = 0.48f * (float) y / 50;
          s[3 * n++ + 2] = 0.05f * (float) (x * x + y * y) / 2500;
        }
  char message[256];
  FlkSlices *slices = flk_slices_new (device, size, tolerance, upsampling, message, sizeof message);
  if (!slices || !flk_slices_pixels (slices, s, n))
    g_error ("%s", message);
  gsize voxels = (gsize) size * size * size, values = (gsize) BATCH * n;
  FlkBuffer b[5] = { { 0 } };
  float *volume = flk_buffer_need (device, &b[0], voxels * 4);
  flk_zero (device, volume, voxels * 4);
  const float *on_device = flk_stage (device, &b[1], rotation, BATCH * 9 * 4);
  FlkSlicesOut out = { .scale = 1,
                       .floor = 1,
                       .log_model = flk_buffer_need (device, &b[2], values * 4),
                       .log_sum = flk_buffer_need (device, &b[3], BATCH * 4) };
  double best[4] = { INFINITY, INFINITY, INFINITY, INFINITY };
  for (guint i = 0; i < 4; i++)
    {
      double t[5];
      t[0] = seconds (device);
      flk_slices_model (slices, volume);
      flk_sync (device);
      t[1] = seconds (device);
      if (!flk_slices_run (slices, on_device, BATCH, &out))
        g_error ("%s", flk_error (device));
      flk_sync (device);
      t[2] = seconds (device);
      flk_slices_begin (slices);
      flk_slices_end (slices, volume);
      flk_sync (device);
      t[3] = seconds (device);
      flk_slices_begin (slices);
      if (!flk_slices_add (slices, on_device, BATCH, NULL, NULL, NULL))
        g_error ("%s", flk_error (device));
      flk_sync (device);
      t[4] = seconds (device);
      for (guint k = 0; k < 4; k++)
        best[k] = MIN (best[k], t[k + 1] - t[k]);
    }
  g_print (
      "slices of %u^3, %s, %g upsampled %g: %.1f Mpt/s with logarithm, spread %.1f Mpt/s; to the grid %.1f "
      "ms, from it "
      "%.1f ms\n",
      size, near ? "blocks of neighbours" : "random", tolerance, upsampling, 1e-6 * (double) values / best[1],
      1e-6 * (double) values / best[3], best[0] * 1e3, best[2] * 1e3);
  flk_slices_free (slices);
  for (guint i = 0; i < G_N_ELEMENTS (b); i++)
    flk_buffer_clear (device, &b[i]);
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
  double peak = INFINITY;
#ifdef __x86_64__
  if (__builtin_cpu_supports ("avx512f"))
    g_print ("one core: %.0f GFMA/s in single precision at most\n", 1e-9 * (peak = peak_512 ()));
#endif
  bench_orient (device, "orient_dense", 0.3, peak);
  static const double lit[] = { 0.05, 0.1, 0.3, 0.5 };
  for (guint i = 0; i < G_N_ELEMENTS (lit); i++)
    bench_orient (device, "orient_sparse", lit[i], peak);
  static const double kept[] = { 0.2, 0.01, 0.001 };
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    bench_means (device, kept[i]);
  bench_toeplitz (device, 81);
  bench_slices (device, 81, 1e-3, 2, FALSE);
  bench_slices (device, 81, 1e-3, 2, TRUE);
  bench_slices (device, 81, 1e-3, 1.25, TRUE);
  bench_slices (device, 161, 1e-3, 1.25, TRUE);
  bench_slices (device, 81, 1e-3, 1.25, FALSE);
  bench_slices (device, 161, 1e-3, 2, FALSE);
  bench_slices (device, 161, 1e-3, 1.25, FALSE);
  flk_device_close (device);
  return 0;
}
