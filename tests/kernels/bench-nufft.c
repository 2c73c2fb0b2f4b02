/* bench-nufft.c: CPU time of transforms on one device: bench-nufft [DEVICE [THREADS [POINTS]]]. `meson test --benchmark`.
 *
 * Uniformly random points; million points a second of sorting and one execution together, as libraries' own benchmarks
 * count, and of the execution alone. On a GPU the figures are of waiting, in wall time. */
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include <glib.h>

#include "kernels/nufft.h"

static double
seconds (FlkDevice *device)
{
  struct timespec t;
  clock_gettime (flk_device_is_host (device) ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

static void
bench_fft (FlkDevice *device, guint32 size, FlkPrecision precision)
{
  guint32 n[3] = { size, size, size };
  gsize bytes = (gsize) size * size * size * (precision == FLK_F32 ? 8 : 16);
  FlkFft *fft = flk_fft_new (device, n, precision);
  gpointer data = flk_alloc (device, bytes);
  double best = INFINITY;
  flk_zero (device, data, bytes);
  for (guint i = 0; i < 5; i++)
    {
      double before = seconds (device);
      flk_fft_run (fft, data, FALSE);
      flk_sync (device);
      best = MIN (best, seconds (device) - before);
    }
  g_print ("FFT %u^3 %s: %.2f ms\n", size, precision == FLK_F32 ? "f32" : "f64", best * 1e3);
  flk_free (device, data);
  flk_fft_free (fft);
}

static void
bench_nufft (FlkDevice *device, const FlkNufftOptions *options, guint32 n)
{
  gboolean f32 = options->precision == FLK_F32;
  gsize one = f32 ? 4 : 8, modes = (gsize) options->modes[0] * options->modes[1] * options->modes[2];
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  gpointer x = g_malloc (3 * one * n);
  for (gsize i = 0; i < 3 * (gsize) n; i++)
    if (f32)
      ((float *) x)[i] = (float) g_rand_double_range (random, -0.5, 0.5);
    else
      ((double *) x)[i] = g_rand_double_range (random, -0.5, 0.5);
  char message[256];
  FlkNufft *nufft = flk_nufft_new (device, options, message, sizeof message);
  if (!nufft)
    g_error ("%s", message);
  gpointer volume = flk_alloc (device, 2 * one * modes), values = flk_alloc (device, 2 * one * n);
  flk_zero (device, volume, 2 * one * modes);
  flk_zero (device, values, 2 * one * n);
  double best[3] = { INFINITY, INFINITY, INFINITY };
  for (guint i = 0; i < 4; i++)
    {
      double t0 = seconds (device);
      flk_nufft_points (nufft, x, n, message, sizeof message);
      double t1 = seconds (device);
      flk_nufft_type1 (nufft, values, volume, FALSE);
      flk_sync (device);
      double t2 = seconds (device);
      flk_nufft_type2 (nufft, volume, values, FALSE);
      flk_sync (device);
      double took[3] = { t1 - t0, t2 - t1, seconds (device) - t2 };
      for (guint k = 0; k < 3; k++)
        best[k] = MIN (best[k], took[k]);
    }
  g_print ("%u^3, %u points, %s %g, upsampled %g: with sorting %.1f / %.1f, alone %.1f / %.1f Mpt/s (type 1 "
           "/ 2); sort "
           "%.0f ns/pt\n",
           options->modes[0], n,
           options->real ? "real f32"
           : f32         ? "f32"
                         : "f64",
           options->tolerance, options->upsampling, 1e-6 * n / (best[0] + best[1]),
           1e-6 * n / (best[0] + best[2]), 1e-6 * n / best[1], 1e-6 * n / best[2], best[0] / n * 1e9);
  g_free (x);
  flk_free (device, volume);
  flk_free (device, values);
  flk_nufft_free (nufft);
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
  static const guint32 sizes[] = { 64, 81, 128 }, grids[] = { 128, 162, 256 };
  guint32 n = argc > 3 ? (guint32) atoi (argv[3]) : 1000000;
  for (guint i = 0; i < G_N_ELEMENTS (grids); i++)
    for (FlkPrecision p = FLK_F32; p <= FLK_F64; p++)
      bench_fft (device, grids[i], p);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint k = 0; k < 6; k++)
      {
        FlkNufftOptions options = { { sizes[i], sizes[i], sizes[i] },
                                    k == 1 || k == 3 ? 1e-6 : 1e-3,
                                    k == 4 ? 1.25 : 2,
                                    k == 2 || k == 3 ? FLK_F64 : FLK_F32,
                                    k == 5 };
        bench_nufft (device, &options, n);
      }
  flk_device_close (device);
  return 0;
}
