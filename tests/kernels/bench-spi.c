/* bench-spi.c: CPU time of the steps of single-particle imaging on one device: bench-spi [DEVICE [THREADS]].
 * `meson test --benchmark`. Set-up: 3,000 patterns, 2,000 pixels, a thousand photons each or `lit` of the pixels; orientations
 * in batches of 512. On a GPU the figures are of waiting, in wall time. */
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include <glib.h>

#include "kernels/device.h"
#include "kernels/orient.h"

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
  flk_device_close (device);
  return 0;
}
