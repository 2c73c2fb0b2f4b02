/* test-radial.c: the radial profile is exact, whatever the tiling and the number of threads. */
#include <math.h>

#include "kernels/radial.h"
#include "tests/kernels/on-devices.h"

enum
{
  N_BINS = 300
};

static FlkRadialBin *
kernel_bins (FlkDevice *device, Shot *shot, const guint16 *bin, float scale, guint32 tile_ss)
{
  Staged staged;
  staged_init (&staged, device, shot, tile_ss);
  FlkBuffer map = { 0 }, bins = { 0 };
  FlkRadialArgs args = { .pixels = staged.pixels,
                         .panels = staged.panels,
                         .n_panels = shot->n_panels,
                         .tile_ss = tile_ss,
                         .bin = flk_stage (device, &map, bin, shot->n_pixels * sizeof *bin),
                         .n_bins = N_BINS,
                         .scale = scale,
                         .bins = flk_buffer_need (device, &bins, N_BINS * sizeof (FlkRadialBin)) };
  flk_zero (device, args.bins, N_BINS * sizeof (FlkRadialBin));
  launch (device, "radial", staged.teams, &args, sizeof args);
  FlkRadialBin *got = fetched (device, args.bins, N_BINS * sizeof (FlkRadialBin));
  flk_buffer_clear (device, &map);
  flk_buffer_clear (device, &bins);
  staged_clear (&staged);
  return got;
}

static void
check (FlkDevice *device, FlkPixelType type, gboolean calibrated, float scale)
{
  g_autoptr (Shot) shot = shot_new (type, calibrated, 90);
  g_autofree guint16 *bin = g_new (guint16, shot->n_pixels);
  for (gsize i = 0; i < shot->n_pixels; i++)
    bin[i] = i % 17 == 0 ? FLK_RADIAL_NO_BIN : (guint16) (sqrt ((double) i) * 1.8);
  g_autofree FlkRadialBin *got = kernel_bins (device, shot, bin, scale, flk_device_tile_ss (device));
  g_autofree FlkRadialBin *other = kernel_bins (device, shot, bin, scale, 32);
  for (guint b = 0; b < N_BINS; b++)
    g_assert_true (got[b].sum == other[b].sum && got[b].n == other[b].n
                   && flk_radial_sum_sq (&got[b], scale) == flk_radial_sum_sq (&other[b], scale));

  double sum[N_BINS] = { 0 }, sum_sq[N_BINS] = { 0 };
  guint64 n[N_BINS] = { 0 };
  for (guint p = 0; p < shot->n_panels; p++)
    for (guint ss = 0; ss < shot->panels[p].n_ss; ss++)
      for (guint fs = 0; fs < shot->panels[p].n_fs; fs++)
        {
          gsize i = shot->panels[p].offset + ss * shot->panels[p].stride + fs;
          float value;
          if (bin[i] >= N_BINS || !shot_pixel (shot, p, i, &value))
            continue;
          double v = CLAMP (round ((double) (value * scale)), -8388607.0, 8388607.0) / scale;
          sum[bin[i]] += v;
          sum_sq[bin[i]] += v * v;
          n[bin[i]]++;
        }
  for (guint b = 0; b < N_BINS; b++)
    {
      g_assert_cmpuint (got[b].n, ==, n[b]);
      g_assert_true (flk_radial_sum (&got[b], scale) == sum[b]);
      g_assert_cmpfloat_with_epsilon (flk_radial_sum_sq (&got[b], scale), sum_sq[b],
                                      1e-12 * sum_sq[b] + 1e-300);
    }
}

static void
test_naive (FlkDevice *device)
{
  check (device, FLK_PIXEL_U16, FALSE, 16);
  check (device, FLK_PIXEL_U32, FALSE, 16); /* one pixel is beyond the limit */
  check (device, FLK_PIXEL_F32, TRUE, 1024);
  check (device, FLK_PIXEL_I8, FALSE, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  on_devices ("/radial/naive", test_naive);
  on_devices_launched ("radial");
  return g_test_run ();
}
