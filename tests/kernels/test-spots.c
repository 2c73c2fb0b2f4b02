/* test-spots.c: spots against a flood fill, and what happens when they do not fit. */
#include <math.h>
#include <string.h>

#include "kernels/spots.h"
#include "tests/kernels/on-devices.h"

typedef struct
{
  FlkBuffer strong, list, scratch, spots, n_strong, n_spots;
  FlkSpotsArgs args;
} Spots;

static void
spots_run (Spots *s, FlkDevice *device, Shot *shot, const guint8 *strong, guint32 list_capacity,
           guint32 spot_capacity, guint32 min_pixels, guint32 connected)
{
  Staged staged;
  guint32 n = shot->n_panels;
  memset (s, 0, sizeof *s);
  staged_init (&staged, device, shot, flk_device_tile_ss (device));
  s->args = (FlkSpotsArgs){
    .pixels = staged.pixels,
    .panels = staged.panels,
    .n_panels = n,
    .list_capacity = list_capacity,
    .spot_capacity = spot_capacity,
    .min_pixels = min_pixels,
    .connected = connected,
    .strong = flk_stage (device, &s->strong, strong, shot->n_pixels),
    .list = flk_buffer_need (device, &s->list, (gsize) n * list_capacity * sizeof (guint32)),
    .scratch = flk_buffer_need (device, &s->scratch, (gsize) n * list_capacity * 2 * sizeof (guint32)),
    .spots = flk_buffer_need (device, &s->spots, (gsize) n * spot_capacity * sizeof (FlkSpot)),
    .n_strong = flk_buffer_need (device, &s->n_strong, n * sizeof (guint32)),
    .n_spots = flk_buffer_need (device, &s->n_spots, n * sizeof (guint32)),
  };
  launch (device, "spots", n, &s->args, sizeof s->args);
  staged_clear (&staged);
}

static void
spots_clear (Spots *s, FlkDevice *device)
{
  FlkBuffer *buffers[] = { &s->strong, &s->list, &s->scratch, &s->spots, &s->n_strong, &s->n_spots };
  for (guint i = 0; i < G_N_ELEMENTS (buffers); i++)
    flk_buffer_clear (device, buffers[i]);
}

/* One component by flood fill: its pixels (ss * n_fs + fs) in raster order. */
static GArray *
flood (const FlkPanel *panel, guint8 *left, guint32 start, guint connected)
{
  GArray *pixels = g_array_new (FALSE, FALSE, sizeof (guint32));
  GArray *found = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_array_append_val (pixels, start);
  left[start] = 0;
  for (guint i = 0; i < pixels->len; i++)
    {
      guint32 pixel = g_array_index (pixels, guint32, i), fs = pixel % panel->n_fs, ss = pixel / panel->n_fs;
      for (int y = -1; y <= 1; y++)
        for (int x = -1; x <= 1; x++)
          {
            guint32 at_fs = fs + (guint32) x, at_ss = ss + (guint32) y, next = at_ss * panel->n_fs + at_fs;
            if ((connected == 4 && x != 0 && y != 0) || at_fs >= panel->n_fs || at_ss >= panel->n_ss
                || !left[next])
              continue;
            left[next] = 0;
            g_array_append_val (pixels, next);
          }
    }
  guint32 last = panel->n_fs * panel->n_ss;
  g_autofree guint8 *member = g_malloc0 (last);
  for (guint i = 0; i < pixels->len; i++)
    member[g_array_index (pixels, guint32, i)] = 1;
  for (guint32 pixel = 0; pixel < last; pixel++)
    if (member[pixel])
      g_array_append_val (found, pixel);
  g_array_unref (pixels);
  return found;
}

static void
check_background (const Shot *shot, guint32 p, const guint8 *strong, const FlkSpot *spot)
{
  const FlkPanel *panel = &shot->panels[p];
  double sum = 0;
  guint n = 0;
  for (int ss = MAX ((int) spot->min_ss - 3, 0); ss <= (int) MIN (spot->max_ss + 3, panel->n_ss - 1); ss++)
    for (int fs = MAX ((int) spot->min_fs - 3, 0); fs <= (int) MIN (spot->max_fs + 3, panel->n_fs - 1); fs++)
      {
        gsize i = panel->offset + (gsize) ss * panel->stride + (gsize) fs;
        float v;
        if (!strong[i] && shot_pixel (shot, p, i, &v))
          {
            sum += v;
            n++;
          }
      }
  g_assert_cmpint (spot->n_background, ==, n);
  g_assert_cmpfloat_with_epsilon (spot->background, n ? sum / n : 0, 1e-5 * fabs (sum) + 1e-6);
}

static void
check_spot (const Shot *shot, guint32 p, const guint8 *strong, GArray *pixels, const FlkSpot *spot)
{
  const FlkPanel *panel = &shot->panels[p];
  double sum = 0, sum_fs = 0, sum_ss = 0, sum_sq = 0, var_fs = 0, var_ss = 0;
  guint32 min_fs = G_MAXUINT, max_fs = 0, min_ss = G_MAXUINT, max_ss = 0, peak_fs = 0, peak_ss = 0;
  float peak = -INFINITY;
  g_assert_cmpint (spot->n_pixels, ==, pixels->len);
  for (int pass = 0; pass < 2; pass++)
    for (guint i = 0; i < pixels->len; i++)
      {
        guint32 fs = g_array_index (pixels, guint32, i) % panel->n_fs,
                ss = g_array_index (pixels, guint32, i) / panel->n_fs;
        float v;
        if (!shot_pixel (shot, p, panel->offset + ss * panel->stride + fs, &v))
          v = 0;
        if (pass == 1)
          {
            var_fs += v * (fs + 0.5 - sum_fs / sum) * (fs + 0.5 - sum_fs / sum);
            var_ss += v * (ss + 0.5 - sum_ss / sum) * (ss + 0.5 - sum_ss / sum);
            continue;
          }
        sum += v;
        sum_sq += (double) v * v;
        sum_fs += v * (fs + 0.5);
        sum_ss += v * (ss + 0.5);
        min_fs = MIN (min_fs, fs), max_fs = MAX (max_fs, fs);
        min_ss = MIN (min_ss, ss), max_ss = MAX (max_ss, ss);
        if (v > peak)
          peak = v, peak_fs = fs, peak_ss = ss;
      }
  g_assert_cmpfloat_with_epsilon (spot->intensity, sum, 1e-9 * sum);
  g_assert_cmpfloat_with_epsilon (spot->sum_sq, sum_sq, 1e-9 * sum_sq);
  g_assert_true (spot->peak == peak && spot->peak_fs == peak_fs && spot->peak_ss == peak_ss);
  g_assert_true (spot->min_fs == min_fs && spot->max_fs == max_fs && spot->min_ss == min_ss
                 && spot->max_ss == max_ss);
  double scale = sum * sum - sum_sq;
  g_assert_cmpfloat_with_epsilon (spot->fs, sum > 0 ? sum_fs / sum : (min_fs + max_fs + 1) / 2.0, 1e-9);
  g_assert_cmpfloat_with_epsilon (spot->ss, sum > 0 ? sum_ss / sum : (min_ss + max_ss + 1) / 2.0, 1e-9);
  if (sum > 0)
    {
      g_assert_cmpfloat_with_epsilon (spot->var_fs, (pixels->len > 1 ? var_fs / scale : 0) + 1 / 12.0, 1e-6);
      g_assert_cmpfloat_with_epsilon (spot->var_ss, (pixels->len > 1 ? var_ss / scale : 0) + 1 / 12.0, 1e-6);
    }
  check_background (shot, p, strong, spot);
}

static guint8 *
strong_mask (const Shot *shot, guint density)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (density);
  guint8 *strong = g_malloc0 (shot->n_pixels);
  for (guint32 p = 0; p < shot->n_panels; p++)
    for (guint ss = 0; ss < shot->panels[p].n_ss; ss++)
      for (guint fs = 0; fs < shot->panels[p].n_fs; fs++)
        {
          gsize i = shot->panels[p].offset + ss * shot->panels[p].stride + fs;
          float v;
          strong[i] =
              g_rand_int_range (random, 0, 100) < (int) density && shot_pixel (shot, p, i, &v) && v > 0;
        }
  return strong;
}

/* Sparse, near the percolation threshold where components wind and merge, and nearly full. */
static void
test_flood (FlkDevice *device)
{
  static const struct
  {
    guint density;
    guint32 min_pixels, connected;
  } cases[] = { { 0, 1, 4 },  { 3, 1, 4 },  { 30, 2, 4 }, { 58, 1, 4 },
                { 62, 3, 4 }, { 97, 1, 4 }, { 10, 2, 8 }, { 40, 1, 8 } };
  for (guint c = 0; c < G_N_ELEMENTS (cases); c++)
    {
      g_autoptr (Shot) shot = shot_new (FLK_PIXEL_I32, FALSE, c);
      g_autofree guint8 *strong = strong_mask (shot, cases[c].density);
      enum
      {
        LIST = 40000,
        SPOTS = 20000
      };
      Spots s;
      spots_run (&s, device, shot, strong, LIST, SPOTS, cases[c].min_pixels, cases[c].connected);
      g_autofree guint32 *n_spots = fetched (device, s.args.n_spots, shot->n_panels * sizeof (guint32));
      g_autofree guint32 *n_strong = fetched (device, s.args.n_strong, shot->n_panels * sizeof (guint32));
      g_autofree FlkSpot *spots =
          fetched (device, s.args.spots, (gsize) shot->n_panels * SPOTS * sizeof (FlkSpot));
      g_autofree guint32 *list =
          fetched (device, s.args.list, (gsize) shot->n_panels * LIST * sizeof (guint32));
      for (guint32 p = 0; p < shot->n_panels; p++)
        {
          const FlkPanel *panel = &shot->panels[p];
          guint32 n = panel->n_fs * panel->n_ss, found = 0, listed = 0;
          g_autofree guint8 *left = g_malloc (n);
          for (guint32 i = 0; i < n; i++)
            {
              left[i] = strong[panel->offset + i / panel->n_fs * panel->stride + i % panel->n_fs];
              if (left[i])
                g_assert_cmpint (list[(gsize) p * LIST + listed++], ==, i);
            }
          g_assert_cmpint (n_strong[p], ==, listed);
          for (guint32 i = 0; i < n; i++)
            if (left[i])
              {
                g_autoptr (GArray) pixels = flood (panel, left, i, cases[c].connected);
                if (pixels->len >= cases[c].min_pixels)
                  check_spot (shot, p, strong, pixels, &spots[(gsize) p * SPOTS + found++]);
              }
          g_assert_cmpint (n_spots[p], ==, found);
        }
      spots_clear (&s, device);
    }
}

static void
test_capacity (FlkDevice *device)
{
  g_autoptr (Shot) shot = shot_new (FLK_PIXEL_U16, FALSE, 1);
  g_autofree guint8 *strong = strong_mask (shot, 10);
  Spots all, few, none;
  spots_run (&all, device, shot, strong, 10000, 10000, 1, 4);
  spots_run (&few, device, shot, strong, 10000, 5, 1, 4);
  spots_run (&none, device, shot, strong, 7, 5, 1, 4);
  g_autofree guint32 *n_all = fetched (device, all.args.n_spots, shot->n_panels * sizeof (guint32));
  g_autofree guint32 *n_few = fetched (device, few.args.n_spots, shot->n_panels * sizeof (guint32));
  g_autofree guint32 *n_none = fetched (device, none.args.n_spots, shot->n_panels * sizeof (guint32));
  g_autofree guint32 *n_strong = fetched (device, all.args.n_strong, shot->n_panels * sizeof (guint32));
  g_autofree guint32 *n_strong_none = fetched (device, none.args.n_strong, shot->n_panels * sizeof (guint32));
  g_autofree FlkSpot *spots = fetched (device, all.args.spots, shot->n_panels * 10000 * sizeof (FlkSpot));
  g_autofree FlkSpot *first = fetched (device, few.args.spots, shot->n_panels * 5 * sizeof (FlkSpot));
  for (guint32 p = 0; p < shot->n_panels; p++)
    {
      g_assert_cmpint (n_few[p], ==, n_all[p]);
      g_assert_cmpint (n_strong_none[p], ==, n_strong[p]);
      g_assert_cmpint (n_none[p], ==, n_strong[p] > 7 ? 0 : n_all[p]);
      gsize kept = MIN (n_all[p], 5) * sizeof (FlkSpot);
      assert_same (&first[p * 5], kept, &spots[p * 10000], kept);
    }
  g_assert_cmpint (n_all[3], >, 100);
  spots_clear (&all, device);
  spots_clear (&few, device);
  spots_clear (&none, device);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  on_devices ("/spots/flood", test_flood);
  on_devices ("/spots/capacity", test_capacity);
  on_devices_launched ("spots");
  return g_test_run ();
}
