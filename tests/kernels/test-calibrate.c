/* test-calibrate.c: calibration and masks against the naive reading of every pixel, for every pixel type. */
#include <math.h>

#include "kernels/calibrate.h"
#include "tests/kernels/on-devices.h"

static void
check_shot (FlkDevice *device, FlkPixelType type, gboolean calibrated)
{
  g_autoptr (Shot) shot = shot_new (type, calibrated, 7 + type);
  gsize n = shot->n_pixels;
  Staged staged;
  staged_init (&staged, device, shot, flk_device_tile_ss (device));
  FlkBuffer counts = { 0 }, bad = { 0 }, picture = { 0 };
  FlkCalibrateArgs args = { .pixels = staged.pixels,
                            .panels = staged.panels,
                            .n_panels = shot->n_panels,
                            .tile_ss = staged.tile_ss,
                            .counts = flk_buffer_need (device, &counts, n * sizeof (float)),
                            .bad = flk_buffer_need (device, &bad, n),
                            .picture = flk_buffer_need (device, &picture, n * sizeof (float)) };
  launch (device, "calibrate", staged.teams, &args, sizeof args);
  g_autofree float *got = fetched (device, args.counts, n * sizeof (float));
  g_autofree guint8 *got_bad = fetched (device, args.bad, n);
  g_autofree float *got_picture = fetched (device, args.picture, n * sizeof (float));
  guint n_bad = 0;
  for (guint p = 0; p < shot->n_panels; p++)
    for (guint ss = 0; ss < shot->panels[p].n_ss; ss++)
      for (guint fs = 0; fs < shot->panels[p].n_fs; fs++)
        {
          gsize i = shot->panels[p].offset + ss * shot->panels[p].stride + fs;
          float value;
          gboolean good = shot_pixel (shot, p, i, &value);
          g_assert_cmpint (got_bad[i], ==, !good);
          g_assert_true (got[i] == (good ? value : 0));
          g_assert_true (got_picture[i] == (good ? value : -INFINITY));
          n_bad += !good;
        }
  g_assert_cmpint (n_bad, >, 500);

  args.bad = NULL;
  args.picture = NULL;
  launch (device, "calibrate", staged.teams, &args, sizeof args);
  flk_buffer_clear (device, &counts);
  flk_buffer_clear (device, &bad);
  flk_buffer_clear (device, &picture);
  staged_clear (&staged);
}

static void
test_types (FlkDevice *device)
{
  for (int type = FLK_PIXEL_U8; type <= FLK_PIXEL_F64; type++)
    {
      check_shot (device, (FlkPixelType) type, FALSE);
      check_shot (device, (FlkPixelType) type, TRUE);
    }
}

/* Scalars do what maps of one value do. */
static void
test_scalars (FlkDevice *device)
{
  g_autoptr (Shot) shot = shot_new (FLK_PIXEL_I16, TRUE, 3);
  gsize n = shot->n_pixels;
  for (gsize i = 0; i < n; i++)
    {
      shot->pedestal[i] = 1.25f;
      shot->factor[i] = 0.3f;
    }
  Staged staged;
  staged_init (&staged, device, shot, flk_device_tile_ss (device));
  FlkBuffer counts = { 0 };
  FlkCalibrateArgs args = { .pixels = staged.pixels,
                            .panels = staged.panels,
                            .n_panels = shot->n_panels,
                            .tile_ss = staged.tile_ss,
                            .counts = flk_buffer_need (device, &counts, n * sizeof (float)) };
  flk_zero (device, args.counts, n * sizeof (float));
  launch (device, "calibrate", staged.teams, &args, sizeof args);
  g_autofree float *maps = fetched (device, args.counts, n * sizeof (float));
  args.pixels.pedestal = args.pixels.factor = NULL;
  args.pixels.pedestal_all = 1.25f;
  args.pixels.factor_all = 0.3f;
  launch (device, "calibrate", staged.teams, &args, sizeof args);
  g_autofree float *scalars = fetched (device, args.counts, n * sizeof (float));
  assert_same (maps, n * sizeof (float), scalars, n * sizeof (float));
  flk_buffer_clear (device, &counts);
  staged_clear (&staged);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  on_devices ("/calibrate/types", test_types);
  on_devices ("/calibrate/scalars", test_scalars);
  on_devices_launched ("calibrate");
  return g_test_run ();
}
