/* threshold-tool.c: runs our thresholds on arrays written by dials-threshold.py.
 *
 * threshold-tool DEVICE REPEAT < in > out. In: u32 n_panels, extended; then u32 n_fs, n_ss of each panel; f64
 * trusted_min, trusted_max, sigma_background, sigma_strong, global_threshold, gain; i32 half, min_local; then the
 * panels' pixels (i32, one after the other) and masks (u8, 0 good). Out: the strong mask (u8); on stderr the CPU seconds
 * of one pass. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/device.h"
#include "kernels/dispersion.h"

static void
read_all (void *to, size_t size)
{
  if (fread (to, 1, size, stdin) != size)
    {
      fprintf (stderr, "threshold-tool: input too short\n");
      exit (2);
    }
}

static double
cpu_seconds (void)
{
  struct timespec t;
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

static void
run (FlkDevice *device, bool extended, uint32_t teams, const FlkDispersionArgs *args)
{
  static const char *const steps[] = { "dispersion_halo", "dispersion_erode", "dispersion_extended" };
  bool ok = true;
  if (extended)
    for (int i = 0; i < 3 && ok; i++)
      ok = flk_launch (device, steps[i], teams, 0, args, sizeof *args);
  else
    ok = flk_launch (device, "dispersion", teams, 0, args, sizeof *args);
  if (!ok || !flk_sync (device))
    {
      fprintf (stderr, "threshold-tool: %s\n", flk_error (device));
      exit (1);
    }
}

int
main (int argc, char **argv)
{
  char message[1024];
  uint32_t head[2];
  double real[6];
  int32_t whole[2];
  FlkDevice *device = argc == 3 ? flk_device_open (argv[1], 0, 1, message, sizeof message) : NULL;
  if (!device)
    {
      fprintf (stderr, "threshold-tool: %s\n", argc == 3 ? message : "DEVICE REPEAT");
      return 77;
    }
  read_all (head, sizeof head);
  uint32_t n_panels = head[0], (*size)[2] = calloc (n_panels, sizeof *size);
  read_all (size, n_panels * sizeof *size);
  read_all (real, sizeof real);
  read_all (whole, sizeof whole);

  FlkPanel *panels = calloc (n_panels, sizeof *panels);
  uint64_t n_pixels = 0;
  for (uint32_t i = 0; i < n_panels; i++)
    {
      panels[i] = (FlkPanel){ n_pixels, size[i][0], size[i][0], size[i][1], real[0], real[1], 0, 0 };
      n_pixels += (uint64_t) size[i][0] * size[i][1];
    }
  uint32_t tile_ss = flk_device_tile_ss (device), teams = flk_panels_tile (panels, n_panels, tile_ss);
  int32_t *pixels = malloc (n_pixels * sizeof *pixels);
  uint8_t *mask = malloc (n_pixels), *strong = malloc (n_pixels);
  read_all (pixels, n_pixels * sizeof *pixels);
  read_all (mask, n_pixels);

  FlkBuffer buffers[5] = { { 0 } };
  FlkDispersionArgs args = { .pixels = { .data = flk_stage (device, &buffers[0], pixels,
                                                            n_pixels * sizeof *pixels),
                                         .mask = flk_stage (device, &buffers[1], mask, n_pixels),
                                         .factor_all = 1,
                                         .type = FLK_PIXEL_I32 },
                             .panels = flk_stage (device, &buffers[2], panels, n_panels * sizeof *panels),
                             .n_panels = n_panels,
                             .tile_ss = tile_ss,
                             .half_fs = whole[0],
                             .half_ss = whole[0],
                             .min_local = whole[1],
                             .sigma_background = real[2],
                             .sigma_strong = real[3],
                             .global_threshold = real[4],
                             .gain = real[5],
                             .strong = flk_buffer_need (device, &buffers[3], n_pixels),
                             .scratch = flk_buffer_need (device, &buffers[4], n_pixels) };
  run (device, head[1], teams, &args);
  int repeat = atoi (argv[2]);
  double before = cpu_seconds ();
  for (int i = 0; i < repeat; i++)
    run (device, head[1], teams, &args);
  fprintf (stderr, "%.9f\n", (cpu_seconds () - before) / repeat);

  const uint8_t *result = flk_fetch (device, strong, args.strong, n_pixels);
  fwrite (result, 1, n_pixels, stdout);
  for (int i = 0; i < 5; i++)
    flk_buffer_clear (device, &buffers[i]);
  flk_device_close (device);
  free (panels);
  free (size);
  free (pixels);
  free (mask);
  free (strong);
  return 0;
}
