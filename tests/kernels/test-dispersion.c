/* test-dispersion.c: both thresholds against the formulas of dispersion.h written down naively. (Against DIALS itself:
 * dials-threshold.py.) */
#include <math.h>
#include <string.h>

#include "kernels/dispersion.h"
#include "tests/kernels/on-devices.h"

typedef struct
{
  const Shot *shot;
  FlkDispersionArgs args;
  gboolean gain_map;
  guint32 panel;
  const float *value; /* of every pixel, as shot_pixel() reads it */
  const guint8 *good;
} Naive;

static gsize
at (const Naive *n, int fs, int ss)
{
  const FlkPanel *panel = &n->shot->panels[n->panel];
  return panel->offset + (gsize) ss * panel->stride + (gsize) fs;
}

/* Sums over the good pixels below 2^24 that `excluded` (may be NULL) does not name. */
static void
window (const Naive *n, int fs, int ss, int half_fs, int half_ss, const guint8 *excluded, double sums[3])
{
  const FlkPanel *panel = &n->shot->panels[n->panel];
  memset (sums, 0, 3 * sizeof *sums);
  for (int j = MAX (ss - half_ss, 0); j <= MIN (ss + half_ss, (int) panel->n_ss - 1); j++)
    for (int i = MAX (fs - half_fs, 0); i <= MIN (fs + half_fs, (int) panel->n_fs - 1); i++)
      {
        gsize index = at (n, i, j);
        float v = n->value[index];
        if (n->good[index] && v < 16777216 && !(excluded && excluded[index]))
          {
            sums[0] += 1;
            sums[1] += v;
            sums[2] += (double) v * v;
          }
      }
}

static gboolean
dispersed (const Naive *n, int fs, int ss, double gain, double sums[3])
{
  window (n, fs, ss, n->args.half_fs, n->args.half_ss, NULL, sums);
  double m = sums[0], x = sums[1], y = sums[2];
  return n->good[at (n, fs, ss)] && m >= n->args.min_local && x >= 0
         && m * y - x * x > gain * x * (m - 1 + n->args.sigma_background * sqrt (2 * (m - 1)));
}

static void
naive_plain (const Naive *n, guint8 *strong)
{
  const FlkPanel *panel = &n->shot->panels[n->panel];
  for (int ss = 0; ss < (int) panel->n_ss; ss++)
    for (int fs = 0; fs < (int) panel->n_fs; fs++)
      {
        gsize i = at (n, fs, ss);
        double gain = n->gain_map ? (double) n->shot->gain[i] : n->args.gain, sums[3];
        float p = n->value[i];
        gboolean yes = dispersed (n, fs, ss, gain, sums);
        strong[i] = yes && p > n->args.global_threshold
                    && sums[0] * p - sums[1] > n->args.sigma_strong * sqrt (gain * sums[1] * sums[0]);
      }
}

static void
naive_extended (const Naive *n, guint8 *strong)
{
  const FlkPanel *panel = &n->shot->panels[n->panel];
  g_autofree guint8 *halo = g_malloc0 (n->shot->n_pixels), *kept = g_malloc0 (n->shot->n_pixels);
  int reach = MIN (n->args.half_fs, n->args.half_ss) - 1;
  double sums[3];
  for (int ss = 0; ss < (int) panel->n_ss; ss++)
    for (int fs = 0; fs < (int) panel->n_fs; fs++)
      {
        double gain = n->gain_map ? (double) n->shot->gain[at (n, fs, ss)] : n->args.gain;
        halo[at (n, fs, ss)] = dispersed (n, fs, ss, gain, sums) ? 1 : 0;
      }
  for (int ss = 0; ss < (int) panel->n_ss; ss++)
    for (int fs = 0; fs < (int) panel->n_fs; fs++)
      {
        guint8 all = 1;
        for (int j = MAX (ss - reach, 0); j <= MIN (ss + reach, (int) panel->n_ss - 1); j++)
          for (int i = MAX (fs - reach, 0); i <= MIN (fs + reach, (int) panel->n_fs - 1); i++)
            all &= halo[at (n, i, j)];
        kept[at (n, fs, ss)] = all;
      }
  for (int ss = 0; ss < (int) panel->n_ss; ss++)
    for (int fs = 0; fs < (int) panel->n_fs; fs++)
      {
        gsize i = at (n, fs, ss);
        double gain = n->gain_map ? (double) n->shot->gain[i] : n->args.gain;
        float p = n->value[i];
        window (n, fs, ss, n->args.half_fs + 2, n->args.half_ss + 2, kept, sums);
        double mean = sums[0] >= 2 ? sums[1] / sums[0] : 0;
        strong[i] = kept[i] && p > n->args.global_threshold && sums[1] >= 0
                    && p >= mean + n->args.sigma_strong * sqrt (gain * mean);
      }
}

static guint8 *
kernel_strong (FlkDevice *device, Shot *shot, FlkDispersionArgs args, gboolean extended, gboolean gain_map,
               guint32 tile_ss)
{
  Staged staged;
  staged_init (&staged, device, shot, tile_ss);
  FlkBuffer strong = { 0 }, scratch = { 0 };
  args.pixels = staged.pixels;
  args.panels = staged.panels;
  args.n_panels = shot->n_panels;
  args.tile_ss = tile_ss;
  args.gain_map = gain_map ? staged.gain : NULL;
  args.strong = flk_buffer_need (device, &strong, shot->n_pixels);
  args.scratch = flk_buffer_need (device, &scratch, shot->n_pixels);
  flk_zero (device, args.strong, shot->n_pixels);
  if (extended)
    {
      launch (device, "dispersion_halo", staged.teams, &args, sizeof args);
      launch (device, "dispersion_erode", staged.teams, &args, sizeof args);
      launch (device, "dispersion_extended", staged.teams, &args, sizeof args);
    }
  else
    launch (device, "dispersion", staged.teams, &args, sizeof args);
  guint8 *got = fetched (device, args.strong, shot->n_pixels);
  flk_buffer_clear (device, &strong);
  flk_buffer_clear (device, &scratch);
  staged_clear (&staged);
  return got;
}

/* Counts around which sums of squares leave 32 bits, come and go down a narrow panel and a wide one; and one so far below
 * zero, in a panel of its own, that its square leaves the exact numbers. */
static void
store_extremes (Shot *shot)
{
  gint32 *data = (gint32 *) shot->data;
  const FlkPanel *wide = &shot->panels[2], *tall = &shot->panels[4], *below = &shot->panels[1];
  for (guint i = 0; i < 9; i++)
    {
      data[tall->offset + (3 + 13 * i) * tall->stride + i] = 1000 << i;
      data[wide->offset + 3 * i * wide->stride + 11 + 27 * i] = 6000 + 300 * (gint32) i;
    }
  data[below->offset + 20 * below->stride + 30] = -(1 << 30) - 64;
}

static void
check (FlkDevice *device, FlkPixelType type, gboolean calibrated, int half_fs, int half_ss, gboolean gain_map)
{
  g_autoptr (Shot) shot = shot_new (type, calibrated, 40 + type);
  if (type == FLK_PIXEL_I32)
    {
      shot->panels[1].trusted_min = -INFINITY;
      store_extremes (shot);
    }
  FlkDispersionArgs args = { .half_fs = half_fs,
                             .half_ss = half_ss,
                             .min_local = 4,
                             .sigma_background = 5,
                             .sigma_strong = 2.5,
                             .global_threshold = type % 2 ? 0 : 20.25,
                             .gain = 1.5 };
  g_autofree float *value = g_new0 (float, shot->n_pixels);
  g_autofree guint8 *good = g_malloc0 (shot->n_pixels);
  for (guint32 p = 0; p < shot->n_panels; p++)
    for (guint ss = 0; ss < shot->panels[p].n_ss; ss++)
      for (guint fs = 0; fs < shot->panels[p].n_fs; fs++)
        {
          gsize i = shot->panels[p].offset + ss * shot->panels[p].stride + fs;
          good[i] = shot_pixel (shot, p, i, &value[i]) ? 1 : 0;
        }
  for (gboolean extended = FALSE; extended <= TRUE; extended++)
    {
      g_autofree guint8 *expected = g_malloc0 (shot->n_pixels);
      guint n = 0;
      for (guint32 p = 0; p < shot->n_panels; p++)
        {
          Naive naive = { shot, args, gain_map, p, value, good };
          if (extended)
            naive_extended (&naive, expected);
          else
            naive_plain (&naive, expected);
        }
      for (gsize i = 0; i < shot->n_pixels; i++)
        n += expected[i];
      g_assert_cmpint (n, >, 5);
      /* Twice as high tiles give the same bits, for numbers that are not whole too. */
      guint32 tile_ss = flk_device_tile_ss (device);
      g_autofree guint8 *got = kernel_strong (device, shot, args, extended, gain_map, tile_ss);
      assert_same (got, shot->n_pixels, expected, shot->n_pixels);
      g_autofree guint8 *again =
          kernel_strong (device, shot, args, extended, gain_map, tile_ss == 32 ? 64 : 32);
      assert_same (again, shot->n_pixels, expected, shot->n_pixels);
    }
}

static void
test_types (FlkDevice *device)
{
#ifdef __SANITIZE_THREAD__
  const int step = 5; /* the naive sums take long there */
#else
  const int step = 1;
#endif
  for (int type = FLK_PIXEL_U8; type <= FLK_PIXEL_F64; type += step)
    check (device, (FlkPixelType) type, FALSE, 3, 3, FALSE);
}

static void
test_windows (FlkDevice *device)
{
  check (device, FLK_PIXEL_I16, FALSE, 1, 1, FALSE);
  check (device, FLK_PIXEL_I16, FALSE, 2, 5, FALSE);
  check (device, FLK_PIXEL_I32, FALSE, 7, 4, FALSE);
#ifndef __SANITIZE_THREAD__
  check (device, FLK_PIXEL_I32, FALSE, 7, 7, TRUE);
#endif
}

static void
test_calibrated (FlkDevice *device)
{
  check (device, FLK_PIXEL_U16, TRUE, 3, 3, FALSE);
  check (device, FLK_PIXEL_F32, TRUE, 3, 3, TRUE);
  check (device, FLK_PIXEL_F64, TRUE, 2, 2, TRUE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  on_devices ("/dispersion/types", test_types);
  on_devices ("/dispersion/windows", test_windows);
  on_devices ("/dispersion/calibrated", test_calibrated);
  on_devices_launched ("dispersion dispersion_halo dispersion_erode dispersion_extended");
  return g_test_run ();
}
