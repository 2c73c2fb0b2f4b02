/* test-profile.c: the radial profile of medians and quartiles against a naive form that sorts; few pixels a bin and many,
 * each blur, the same bits for any tiling. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/profile.h"
#include "tests/kernels/on-devices.h"

typedef struct
{
  Shot *shot;
  guint16 *bin;
  guint32 *place, *start;
  guint32 n_bins;
  gint32 blur;
} Case;

static gsize
index_of (const FlkPanel *panel, guint fs, guint ss)
{
  return panel->offset + ss * panel->stride + fs;
}

#define FOR_PIXELS(panel, fs, ss)                                                                            \
  for (guint ss = 0; ss < (panel)->n_ss; ss++)                                                               \
    for (guint fs = 0; fs < (panel)->n_fs; fs++)

/* Bins across each panel; the first column has none. */
static Case
case_new (FlkPixelType type, gboolean calibrated, guint32 n_bins, FlkBlur blur)
{
  Case c = { .shot = shot_new (type, calibrated, 23), .n_bins = n_bins, .blur = (gint32) blur };
  Shot *shot = c.shot;
  c.bin = g_new (guint16, shot->n_pixels);
  c.place = g_new0 (guint32, shot->n_pixels);
  c.start = g_new0 (guint32, shot->n_panels * n_bins + 1);
  memset (c.bin, 0xff, shot->n_pixels * sizeof *c.bin);
  guint32 n = 0;
  for (guint p = 0; p < shot->n_panels; p++)
    {
      const FlkPanel *panel = &shot->panels[p];
      FOR_PIXELS (panel, fs, ss)
      if (fs > 0)
        c.bin[index_of (panel, fs, ss)] = (guint16) ((fs + ss) * n_bins / (panel->n_fs + panel->n_ss));
      for (guint b = 0; b < n_bins; b++)
        {
          c.start[p * n_bins + b] = n;
          FOR_PIXELS (panel, fs, ss)
          if (c.bin[index_of (panel, fs, ss)] == b)
            c.place[index_of (panel, fs, ss)] = n++;
        }
    }
  c.start[shot->n_panels * n_bins] = n;
  return c;
}

static void
case_clear (Case *c)
{
  shot_free (c->shot);
  g_free (c->bin);
  g_free (c->place);
  g_free (c->start);
}

static guint8 *
kernel_strong (FlkDevice *device, Case *c, guint32 tile_ss)
{
  Staged staged;
  staged_init (&staged, device, c->shot, tile_ss);
  gsize n = c->shot->n_pixels, n_limits = c->shot->n_panels * c->n_bins;
  FlkBuffer b[7] = { 0 };
  FlkProfileArgs args = {
    .pixels = staged.pixels,
    .panels = staged.panels,
    .n_panels = c->shot->n_panels,
    .tile_ss = tile_ss,
    .bin = flk_stage (device, &b[0], c->bin, n * sizeof *c->bin),
    .place = flk_stage (device, &b[1], c->place, n * sizeof *c->place),
    .start = flk_stage (device, &b[2], c->start, (n_limits + 1) * sizeof *c->start),
    .n_bins = c->n_bins,
    .blur = c->blur,
    .n_iqr = 3,
    .gain = 1.5,
    .value = flk_buffer_need (device, &b[3], n * sizeof (float)),
    .by_bin = flk_buffer_need (device, &b[4], n * sizeof (guint32)),
    .limit = flk_buffer_need (device, &b[5], n_limits * sizeof (double)),
    .strong = flk_buffer_need (device, &b[6], n),
  };
  flk_zero (device, args.strong, n);
  launch (device, "profile_values", staged.teams, &args, sizeof args);
  launch (device, "profile_limits", (guint32) n_limits, &args, sizeof args);
  launch (device, "profile_strong", staged.teams, &args, sizeof args);
  guint8 *strong = fetched (device, args.strong, n);
  for (guint i = 0; i < G_N_ELEMENTS (b); i++)
    flk_buffer_clear (device, &b[i]);
  staged_clear (&staged);
  return strong;
}

/* The value after the blur, over the good pixels; FALSE: the pixel itself is bad. */
static gboolean
blurred (const Case *c, guint p, guint fs, guint ss, float *value)
{
  static const float weights[3][3] = { { 41, 26, 7 }, { 26, 16, 4 }, { 7, 4, 1 } };
  const FlkPanel *panel = &c->shot->panels[p];
  float sum = 0, all = 0;
  if (!shot_pixel (c->shot, p, index_of (panel, fs, ss), value))
    return FALSE;
  for (int y = -c->blur; y <= c->blur && c->blur > 0; y++)
    for (int x = -c->blur; x <= c->blur; x++)
      {
        guint at_fs = (guint) CLAMP ((int) fs + x, 0, (int) panel->n_fs - 1);
        guint at_ss = (guint) CLAMP ((int) ss + y, 0, (int) panel->n_ss - 1);
        float v, weight = c->blur == 1 ? (float) ((2 - abs (x)) * (2 - abs (y))) : weights[abs (y)][abs (x)];
        if (!shot_pixel (c->shot, p, index_of (panel, at_fs, at_ss), &v))
          continue;
        sum += weight * v;
        all += weight;
      }
  if (c->blur > 0)
    *value = sum / all;
  return TRUE;
}

static int
by_size (const void *a, const void *b)
{
  float x = *(const float *) a, y = *(const float *) b;
  return (x > y) - (x < y);
}

static double
quantile (const float *sorted, guint n, double part)
{
  double at = (n - 1) * part, h = at - floor (at);
  return (1 - h) * (double) sorted[(guint) floor (at)] + h * (double) sorted[(guint) ceil (at)];
}

static guint
check_panel (const Case *c, guint p, const guint8 *strong)
{
  const FlkPanel *panel = &c->shot->panels[p];
  guint found = 0;
  g_autofree float *values = g_new (float, panel->n_fs * panel->n_ss),
                   *sorted = g_new (float, panel->n_fs * panel->n_ss);
  FOR_PIXELS (panel, fs, ss)
  if (!blurred (c, p, fs, ss, &values[ss * panel->n_fs + fs]))
    values[ss * panel->n_fs + fs] = NAN;
  for (guint b = 0; b < c->n_bins; b++)
    {
      guint n = 0;
      FOR_PIXELS (panel, fs, ss)
      if (c->bin[index_of (panel, fs, ss)] == b && !isnan (values[ss * panel->n_fs + fs]))
        sorted[n++] = values[ss * panel->n_fs + fs];
      qsort (sorted, n, sizeof *sorted, by_size);
      double range = n ? quantile (sorted, n, 0.75) - quantile (sorted, n, 0.25) : 0;
      double limit = (n ? quantile (sorted, n, 0.5) : 0) + (3 * range <= 1.5 ? 3 : 3 * range);
      FOR_PIXELS (panel, fs, ss)
      if (c->bin[index_of (panel, fs, ss)] == b)
        {
          gboolean want = (double) values[ss * panel->n_fs + fs] > limit;
          g_assert_cmpint (strong[index_of (panel, fs, ss)], ==, want);
          found += want;
        }
    }
  return found;
}

static void
check (FlkDevice *device, FlkPixelType type, gboolean calibrated, guint32 n_bins, FlkBlur blur)
{
  Case c = case_new (type, calibrated, n_bins, blur);
  g_autofree guint8 *strong = kernel_strong (device, &c, flk_device_tile_ss (device));
  g_autofree guint8 *other = kernel_strong (device, &c, 32);
  assert_same (strong, c.shot->n_pixels, other, c.shot->n_pixels);
  guint n = 0;
  for (guint p = 0; p < c.shot->n_panels; p++)
    n += check_panel (&c, p, strong);
  g_assert_cmpuint (n, >, 50);
  case_clear (&c);
}

static void
test_naive (FlkDevice *device)
{
  check (device, FLK_PIXEL_U16, FALSE, 100, FLK_BLUR_NONE); /* few pixels a bin */
  check (device, FLK_PIXEL_I32, FALSE, 5, FLK_BLUR_NONE);   /* many */
  check (device, FLK_PIXEL_F32, TRUE, 40, FLK_BLUR_NONE);
  check (device, FLK_PIXEL_F64, FALSE, 5, FLK_BLUR_NARROW);
  check (device, FLK_PIXEL_U16, FALSE, 20, FLK_BLUR_WIDE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  on_devices ("/profile/naive", test_naive);
  on_devices_launched ("profile_values profile_limits profile_strong");
  return g_test_run ();
}
