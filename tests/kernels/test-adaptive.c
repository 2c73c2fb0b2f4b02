/* test-adaptive.c: the kernels against adaptive.h written down naively, in double precision; and that they find what is
 * there and nothing else, whatever gain, pedestal and noise. */
#include <math.h>
#include <string.h>

#include "kernels/adaptive.h"
#include "tests/kernels/on-devices.h"

/* --- naive --- */

typedef struct
{
  const FlkPanel *panel;
  const float *value; /* of every pixel, as shot_pixel() reads it */
  const guint8 *good;
  const FlkAdaptiveNoise *noise;
  int down, along;
  float *mean, *variance, *of_sums; /* of blocks */
  guint8 *strong;
} Naive;

static gsize
at (const Naive *n, int fs, int ss)
{
  return n->panel->offset + (gsize) ss * n->panel->stride + (gsize) fs;
}

static gboolean
inside (const Naive *n, int fs, int ss)
{
  return fs >= 0 && ss >= 0 && fs < (int) n->panel->n_fs && ss < (int) n->panel->n_ss;
}

static gboolean
is_good (const Naive *n, int fs, int ss)
{
  return inside (n, fs, ss) && n->good[at (n, fs, ss)];
}

static void
naive_blocks (Naive *n)
{
  for (int by = 0; by < n->down; by++)
    for (int bx = 0; bx < n->along; bx++)
      {
        double x = 0, y = 0, m = 0;
        for (int ss = 8 * by; ss < 8 * by + 8; ss++)
          for (int fs = 8 * bx; fs < 8 * bx + 8; fs++)
            if (is_good (n, fs, ss))
              {
                double v = (double) n->value[at (n, fs, ss)];
                x += v;
                y += v * v;
                m++;
              }
        double sums = 0, squares = 0;
        for (int k = 0; k < 16 && m == 64; k++)
          {
            int fs = 8 * bx + k % 4 * 2, ss = 8 * by + k / 4 * 2;
            double sum = (double) n->value[at (n, fs, ss)] + (double) n->value[at (n, fs + 1, ss)]
                         + (double) n->value[at (n, fs, ss + 1)] + (double) n->value[at (n, fs + 1, ss + 1)];
            sums += sum;
            squares += sum * sum;
          }
        n->of_sums[by * n->along + bx] = m == 64 ? (float) fmax ((squares - sums * sums / 16) / 60, 0) : -1;
        n->mean[by * n->along + bx] = m > 0 ? (float) (x / m) : 0;
        n->variance[by * n->along + bx] = m >= 16 ? (float) fmax ((y - x * x / m) / (m - 1), 0) : -1;
      }
}

static int
by_size (const void *a, const void *b)
{
  float x = *(const float *) a, y = *(const float *) b;
  return (x > y) - (x < y);
}

static gboolean
naive_median (const Naive *n, int bx, int by, const float *from, float *median)
{
  float found[9];
  guint k = 0;
  *median = 0;
  for (int y = MAX (by - 1, 0); y <= MIN (by + 1, n->down - 1); y++)
    for (int x = MAX (bx - 1, 0); x <= MIN (bx + 1, n->along - 1); x++)
      if (n->variance[y * n->along + x] >= 0)
        found[k++] = from[y * n->along + x];
  qsort (found, k, sizeof *found, by_size);
  if (k > 0)
    *median = found[(k - 1) / 2];
  return k > 0;
}

/* A pixel of the panel; the background where there is none. Columns of blocks go on beyond the panel. */
static float
filled (const Naive *n, int fs, int ss)
{
  float median;
  int row = CLAMP (ss, 0, (int) n->panel->n_ss - 1);
  if (is_good (n, fs, ss))
    return n->value[at (n, fs, ss)];
  naive_median (n, (fs + 8) / 8 - 1, row / 8, n->mean, &median);
  return median;
}

static float
sum_of_nine (const Naive *n, int fs, int ss)
{
  float column[3];
  for (int i = 0; i < 3; i++)
    column[i] = filled (n, fs + i - 1, ss - 1) + filled (n, fs + i - 1, ss) + filled (n, fs + i - 1, ss + 1);
  return column[0] + column[1] + column[2];
}

static double
excess (const Naive *n, double variance, double z)
{
  return z * sqrt (variance) + (double) n->noise->gain * z * z / 6;
}

static gboolean
is_seed (const Naive *n, int fs, int ss)
{
  float mean, variance, sum = sum_of_nine (n, fs, ss);
  naive_median (n, fs / 8, ss / 8, n->mean, &mean);
  if (!naive_median (n, fs / 8, ss / 8, n->variance, &variance)
      || !((double) sum > 9 * (double) mean + excess (n, 9 * (double) (n->noise->spread * variance), 3.5)))
    return FALSE;
  for (int k = 0; k < 9; k++)
    {
      float other = sum_of_nine (n, fs + k % 3 - 1, ss + k / 3 - 1);
      if (k < 4 ? !(sum > other) : !(sum >= other))
        return FALSE;
    }
  return TRUE;
}

typedef struct
{
  double m, background, variance;
} Background;

static Background
naive_background (const Naive *n, int fs, int ss, double from, double cut)
{
  Background b = { 0, 0, 0 };
  double x = 0, y = 0;
  for (int j = -7; j <= 7; j++)
    for (int i = -7; i <= 7; i++)
      {
        if ((abs (i) <= 3 && abs (j) <= 3) || !is_good (n, fs + i, ss + j))
          continue;
        double v = (double) n->value[at (n, fs + i, ss + j)] - from;
        if (v > cut)
          continue;
        b.m++;
        x += v;
        y += v * v;
      }
  b.background = b.m > 0 ? x / b.m : 0;
  b.variance = b.m > 1 ? (double) n->noise->spread * (y - x * x / b.m) / (b.m - 1) : 0;
  return b;
}

static double
half_z_sq (const Naive *n, const Background *b, double pixels, double sum, double light)
{
  double variance = pixels * (b->variance + (double) n->noise->gain * light) * (1 + pixels / b->m);
  double gain = fmax ((double) n->noise->gain, 0.01 * sqrt (b->variance));
  double expected = variance / (gain * gain), x = expected + sum / gain - 0.5;
  return x > expected ? x * log (x / expected) - (x - expected) : 0;
}

static double
naive_flank (const Naive *n, int fs, int ss, int direction, int side)
{
  static const double steps[8][2] = { { 1, 0 }, { 1, 0.5 },  { 1, 1 },  { 0.5, 1 },
                                      { 0, 1 }, { 0.5, -1 }, { 1, -1 }, { 1, -0.5 } };
  double sum[2] = { 0, 0 }, m[2] = { 0, 0 };
  for (int k = 3; k <= 7; k++)
    for (int w = -1; w <= 1; w++)
      {
        int i = side * (int) round (k * steps[direction][0]),
            j = side * (int) round (k * steps[direction][1]);
        *(fabs (steps[direction][1]) == 1 ? &i : &j) += w;
        if (abs (i) <= 7 && abs (j) <= 7 && is_good (n, fs + i, ss + j))
          {
            sum[k > 4] += (double) n->value[at (n, fs + i, ss + j)];
            m[k > 4]++;
          }
      }
  return m[0] >= 3 && m[1] >= 3 ? fmin (sum[0] / m[0], sum[1] / m[1]) : -1e30;
}

static gboolean
naive_ridge (const Naive *n, int fs, int ss, const Background *b, double level, double pixels, double sum)
{
  double above = 0;
  for (int d = 0; d < 8; d++)
    above = fmax (above, fmin (naive_flank (n, fs, ss, d, 1), naive_flank (n, fs, ss, d, -1)) - level);
  double left = sum - above * pixels;
  double asked = left < 0.6 * sum ? 1 : 0.6;
  return half_z_sq (n, b, pixels, left, above) < asked * (double) n->noise->half_z_sq;
}

static const int boxes[7][3] = { { 0, 0, 2 },   { -1, 0, 2 },  { 0, -1, 2 }, { -1, -1, 2 },
                                 { -1, -1, 3 }, { -2, -2, 5 }, { -3, -3, 7 } };

/* The box of the highest significance, or −1. */
static int
naive_judge (const Naive *n, int fs, int ss, const Background *b, double from)
{
  double highest = 0, rest = 0, share = 0, best_sum = 0, best_pixels = 0, level = from + b->background;
  int best = -1;
  for (int k = 0; k < 7; k++)
    {
      double pixels = 0, sum = 0, peak = -1e30;
      for (int j = boxes[k][1]; j < boxes[k][1] + boxes[k][2]; j++)
        for (int i = boxes[k][0]; i < boxes[k][0] + boxes[k][2]; i++)
          if (is_good (n, fs + i, ss + j))
            {
              double v = (double) n->value[at (n, fs + i, ss + j)] - level;
              pixels++;
              sum += v;
              peak = fmax (peak, v);
            }
      if (pixels < 3)
        continue;
      double s = half_z_sq (n, b, pixels, sum, 0), left = half_z_sq (n, b, pixels - 1, sum - peak, 0);
      if (left > rest)
        {
          rest = left;
          share = (sum - peak) / peak;
        }
      if (s > highest)
        {
          highest = s;
          best = k;
          best_sum = sum;
          best_pixels = pixels;
        }
    }
  gboolean yes = highest > (double) n->noise->half_z_sq && rest > 3.125 && share > 0.05
                 && !naive_ridge (n, fs, ss, b, level, best_pixels, best_sum);
  return yes ? best : -1;
}

/* Marks the pixel and what hangs on it within the neighbourhood; returns how many. */
static guint
naive_grow (const Naive *n, int fs, int ss, int i, int j, const Background *b, double from, const int box[3])
{
  static const int steps[4][2] = { { 1, 0 }, { -1, 0 }, { 0, 1 }, { 0, -1 } };
  guint8 done[15][15] = { { 0 } };
  int list[225][2], n_list = 1;
  list[0][0] = i;
  list[0][1] = j;
  done[j + 7][i + 7] = 1;
  for (int k = 0; k < n_list; k++)
    {
      n->strong[at (n, fs + list[k][0], ss + list[k][1])] = 1;
      for (int s = 0; s < 4; s++)
        {
          int x = list[k][0] + steps[s][0], y = list[k][1] + steps[s][1];
          if (abs (x) > 7 || abs (y) > 7 || done[y + 7][x + 7] || !is_good (n, fs + x, ss + y))
            continue;
          gboolean in = x >= box[0] && x < box[0] + box[2] && y >= box[1] && y < box[1] + box[2];
          double more = in ? sqrt (b->variance) : excess (n, b->variance, 3);
          if ((double) n->value[at (n, fs + x, ss + y)] - from <= b->background + more)
            continue;
          done[y + 7][x + 7] = 1;
          list[n_list][0] = x;
          list[n_list++][1] = y;
        }
    }
  /* At least three pixels. */
  for (int more = n_list; more < 3; more++)
    {
      int best = -1;
      for (int s = 0; s < 4; s++)
        {
          int x = i + steps[s][0], y = j + steps[s][1];
          if (is_good (n, fs + x, ss + y) && !done[y + 7][x + 7]
              && (best < 0
                  || n->value[at (n, fs + x, ss + y)]
                         > n->value[at (n, fs + i + steps[best][0], ss + j + steps[best][1])]))
            best = s;
        }
      if (best < 0)
        break;
      done[j + steps[best][1] + 7][i + steps[best][0] + 7] = 1;
      n->strong[at (n, fs + i + steps[best][0], ss + j + steps[best][1])] = 1;
    }
  return (guint) n_list;
}

static void
naive_place (const Naive *n, int fs, int ss)
{
  float from, blocks;
  naive_median (n, fs / 8, ss / 8, n->mean, &from);
  naive_median (n, fs / 8, ss / 8, n->variance, &blocks);
  blocks *= n->noise->spread;
  Background b = { 0, 0, (double) blocks };
  for (int k = 0; k < 2; k++)
    {
      b = naive_background (n, fs, ss, (double) from, b.background + excess (n, b.variance, 3.3));
      double gain = (double) n->noise->gain;
      double model = 0.5 * ((double) n->noise->variance + gain * ((double) from + b.background));
      b.variance = fmax (fmax (b.variance, (double) blocks), fmax (model, b.m > 0 ? gain * gain / b.m : 0));
    }
  if (b.m < 16 || !(b.variance > 0))
    return;
  int box = naive_judge (n, fs, ss, &b, (double) from);
  if (box < 0)
    return;
  int top_i = 0, top_j = 0;
  float top = is_good (n, fs, ss) ? n->value[at (n, fs, ss)] : from;
  for (int j = -1; j <= 1; j++)
    for (int i = -1; i <= 1; i++)
      if (is_good (n, fs + i, ss + j) && n->value[at (n, fs + i, ss + j)] > top)
        {
          top = n->value[at (n, fs + i, ss + j)];
          top_i = i;
          top_j = j;
        }
  naive_grow (n, fs, ss, top_i, top_j, &b, (double) from, boxes[MAX (box, 4)]);
}

/* --- the kernels --- */

typedef struct
{
  guint32 first[8], n_blocks;
  float *mean, *variance, *of_sums;
  guint8 *strong;
  FlkAdaptiveNoise noise;
} Found;

static void
found_clear (Found *found)
{
  g_free (found->mean);
  g_free (found->variance);
  g_free (found->of_sums);
  g_free (found->strong);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Found, found_clear)

static void
find (FlkDevice *device, Shot *shot, guint32 tile_ss, double false_spots, Found *found)
{
  Staged staged;
  FlkBuffer first = { 0 }, mean = { 0 }, variance = { 0 }, of_sums = { 0 }, strong = { 0 };
  staged_init (&staged, device, shot, tile_ss);
  found->n_blocks = flk_adaptive_blocks (shot->panels, shot->n_panels, found->first);
  gsize size = found->n_blocks * sizeof (float);
  FlkAdaptiveArgs args = { .pixels = staged.pixels,
                           .panels = staged.panels,
                           .first_block = flk_stage (device, &first, found->first, sizeof found->first),
                           .n_panels = shot->n_panels,
                           .tile_ss = tile_ss,
                           .mean = flk_buffer_need (device, &mean, size),
                           .variance = flk_buffer_need (device, &variance, size),
                           .of_sums = flk_buffer_need (device, &of_sums, size),
                           .strong = flk_buffer_need (device, &strong, shot->n_pixels) };
  g_assert_true (flk_zero (device, args.strong, shot->n_pixels));
  launch (device, "adaptive_blocks", staged.teams, &args, sizeof args);
  found->mean = fetched (device, args.mean, size);
  found->variance = fetched (device, args.variance, size);
  found->of_sums = fetched (device, args.of_sums, size);
  flk_adaptive_noise (found->mean, found->variance, found->of_sums, found->n_blocks, false_spots,
                      (double) shot->n_pixels, &found->noise);
  args.noise = found->noise;
  launch (device, "adaptive_spots", staged.teams, &args, sizeof args);
  found->strong = fetched (device, args.strong, shot->n_pixels);
  flk_buffer_clear (device, &first);
  flk_buffer_clear (device, &mean);
  flk_buffer_clear (device, &variance);
  flk_buffer_clear (device, &of_sums);
  flk_buffer_clear (device, &strong);
  staged_clear (&staged);
}

static void
check (FlkDevice *device, FlkPixelType type, gboolean calibrated)
{
  g_autoptr (Shot) shot = shot_new (type, calibrated, 70 + type);
  guint32 tile_ss = flk_device_tile_ss (device);
  g_auto (Found) found = { 0 }, again = { 0 };
  find (device, shot, tile_ss, 100, &found);
  find (device, shot, tile_ss == 32 ? 64 : 32, 100, &again);
  assert_same (again.strong, shot->n_pixels, found.strong, shot->n_pixels);
  assert_same (again.mean, found.n_blocks * sizeof (float), found.mean, found.n_blocks * sizeof (float));

  g_autofree float *value = g_new0 (float, shot->n_pixels), *mean = g_new0 (float, found.n_blocks),
                   *variance = g_new0 (float, found.n_blocks), *of_sums = g_new0 (float, found.n_blocks);
  g_autofree guint8 *good = g_malloc0 (shot->n_pixels), *strong = g_malloc0 (shot->n_pixels);
  for (guint32 p = 0; p < shot->n_panels; p++)
    {
      const FlkPanel *panel = &shot->panels[p];
      for (guint ss = 0; ss < panel->n_ss; ss++)
        for (guint fs = 0; fs < panel->n_fs; fs++)
          {
            gsize i = panel->offset + ss * panel->stride + fs;
            good[i] = shot_pixel (shot, p, i, &value[i]) ? 1 : 0;
          }
      Naive n = { panel,
                  value,
                  good,
                  &found.noise,
                  ((int) panel->n_ss + 7) / 8,
                  ((int) panel->n_fs + 7) / 8,
                  mean + found.first[p],
                  variance + found.first[p],
                  of_sums + found.first[p],
                  strong };
      naive_blocks (&n);
      for (int ss = 0; ss < (int) panel->n_ss; ss++)
        for (int fs = 0; fs < (int) panel->n_fs; fs++)
          if (is_seed (&n, fs, ss))
            naive_place (&n, fs, ss);
    }
  for (guint i = 0; i < found.n_blocks; i++)
    {
      g_assert_cmpfloat (fabsf (found.mean[i] - mean[i]), <=, 1e-6f * fabsf (mean[i]));
      g_assert_cmpfloat (fabsf (found.variance[i] - variance[i]), <=, 1e-4f * fabsf (variance[i]));
      g_assert_cmpfloat (fabsf (found.of_sums[i] - of_sums[i]), <=, 1e-4f * fabsf (of_sums[i]));
    }
  guint n_strong = 0;
  for (gsize i = 0; i < shot->n_pixels; i++)
    n_strong += strong[i];
  g_assert_cmpint (n_strong, >, 20);
  assert_same (found.strong, shot->n_pixels, strong, shot->n_pixels);
}

static void
test_types (FlkDevice *device)
{
#ifdef __SANITIZE_THREAD__
  const int step = 5;
#else
  const int step = 1;
#endif
  for (int type = FLK_PIXEL_U8; type <= FLK_PIXEL_F64; type += step)
    check (device, (FlkPixelType) type, FALSE);
}

static void
test_calibrated (FlkDevice *device)
{
  check (device, FLK_PIXEL_U16, TRUE);
  check (device, FLK_PIXEL_F32, TRUE);
}

/* --- what it finds --- */

typedef struct
{
  double gain, pedestal, readout, background; /* counts a photon, counts, photons, photons a pixel */
} Detector;

enum
{
  SIZE = 512,
  SPOTS = 64
};

static double
normal (GRand *random)
{
  return sqrt (-2 * log (1 - g_rand_double (random))) * cos (2 * G_PI * g_rand_double (random));
}

static double
poisson (GRand *random, double mean)
{
  double product = g_rand_double (random), limit = exp (-mean);
  int n = 0;
  for (; product > limit; n++)
    product *= g_rand_double (random);
  return n;
}

static void
spot_place (guint k, double *fs, double *ss)
{
  *fs = 40.3 + 60 * (k % 8) + 0.13 * k;
  *ss = 35.6 + 59 * (k / 8) - 0.07 * k;
}

/* 64 spots of `photons`, on a background that falls from the middle, with a ring of twice the light, hot pixels and a
 * bright row. */
static Shot *
scene (const Detector *detector, double photons, guint32 seed)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  gsize n = (gsize) SIZE * SIZE;
  g_autofree double *mean = g_new (double, n);
  for (int i = 0; i < (int) n; i++)
    {
      double r = hypot (i % SIZE - 200.0, (double) (i / SIZE) - 260.0);
      mean[i] = detector->background * (0.4 + exp (-r / 200) + exp (-0.5 * (r - 170) * (r - 170) / 6));
    }
  for (guint k = 0; k < SPOTS; k++)
    {
      double fs, ss;
      spot_place (k, &fs, &ss);
      for (int j = -4; j <= 4; j++)
        for (int i = -4; i <= 4; i++)
          {
            int x = (int) fs + i, y = (int) ss + j;
            double d = (x + 0.5 - fs) * (x + 0.5 - fs) + (y + 0.5 - ss) * (y + 0.5 - ss);
            mean[y * SIZE + x] += photons * exp (-d / 2) / (2 * G_PI);
          }
    }
  Shot *shot = g_new0 (Shot, 1);
  shot->type = FLK_PIXEL_I32;
  shot->pixel_size = 4;
  shot->n_panels = 1;
  shot->n_pixels = n;
  shot->panels[0] = (FlkPanel){ 0, SIZE, SIZE, SIZE, -INFINITY, INFINITY, 0, 0 };
  shot->data = g_malloc (4 * n);
  shot->mask = g_malloc0 (n);
  shot->pedestal = g_new0 (float, n);
  shot->factor = g_new0 (float, n);
  shot->gain = g_new0 (float, n);
  shot->factor_all = 1;
  for (gsize i = 0; i < n; i++)
    {
      double counts = poisson (random, mean[i]) + detector->readout * normal (random);
      if (i % 9973 == 5000 || (i / SIZE == 500 && i % SIZE > 60 && i % SIZE < 400))
        counts += 200; /* hot, or the row */
      ((gint32 *) (void *) shot->data)[i] = (gint32) lrint (detector->pedestal + detector->gain * counts);
    }
  return shot;
}

static FlkDevice *
any_device (void)
{
  char why[1024];
  FlkDevice *device = flk_device_open ("cpu", 0, 1, why, sizeof why);
  if (device == NULL)
    g_error ("%s", why);
  return device;
}

/* Spots found, and strong pixels that belong to none; the row's ends are spots to it. */
static void
count (const guint8 *strong, guint *n_found, guint *n_false)
{
  gboolean found[SPOTS] = { FALSE };
  *n_found = *n_false = 0;
  for (int i = 0; i < SIZE * SIZE; i++)
    {
      gboolean near = i / SIZE > 490 && (i % SIZE < 80 || i % SIZE > 380);
      for (guint k = 0; strong[i] && k < SPOTS; k++)
        {
          double fs, ss;
          spot_place (k, &fs, &ss);
          double d = hypot (i % SIZE + 0.5 - fs, (double) (i / SIZE) + 0.5 - ss);
          found[k] = found[k] || d < 1.5;
          near = near || d < 6;
        }
      *n_false += strong[i] && !near;
    }
  for (guint k = 0; k < SPOTS; k++)
    *n_found += found[k];
}

static void
test_any_detector (void)
{
  static const Detector detectors[] = { { 1, 0, 0, 0.02 },  { 1, 0, 0, 1 },     { 1, 0, 0, 20 },
                                        { 0.5, 3, 0.3, 1 }, { 7, -40, 0.5, 2 }, { 40, 1000, 0.1, 0.3 },
                                        { 40, 500, 2, 1 } };
  FlkDevice *device = any_device ();
  for (guint i = 0; i < G_N_ELEMENTS (detectors); i++)
    {
      const Detector *d = &detectors[i];
      double noise = 3 * sqrt (1.4 * d->background + d->readout * d->readout);
      guint n_found, n_false, n_blank;
      g_autoptr (Shot) shot = scene (d, 16 + 11 * noise, 7 + i), blank = scene (d, 0, 107 + i);
      g_auto (Found) found = { 0 }, none = { 0 };
      find (device, shot, flk_device_tile_ss (device), 0.1, &found);
      find (device, blank, flk_device_tile_ss (device), 0.1, &none);
      count (found.strong, &n_found, &n_false);
      count (none.strong, &n_blank, &n_blank);
      g_test_message (
          "gain %g pedestal %g noise %g background %g: gain %g, variance %g; %u of %d found, %u and %u "
          "pixels too many",
          d->gain, d->pedestal, d->readout, d->background, (double) found.noise.gain,
          (double) found.noise.variance, n_found, SPOTS, n_false, n_blank);
      g_assert_cmpint (n_found, >=, SPOTS - 4);
      g_assert_cmpint (n_false, <=, 32);
      g_assert_cmpint (n_blank, <=, 32);
    }
  flk_device_close (device);
}

/* The line of variance over mean, with spots in it. */
static void
test_noise (void)
{
  static const Detector detectors[] = { { 1, 0, 0, 2 }, { 7, -40, 0.5, 8 }, { 30, 200, 0, 0.5 } };
  FlkDevice *device = any_device ();
  for (guint i = 0; i < G_N_ELEMENTS (detectors); i++)
    {
      const Detector *d = &detectors[i];
      g_autoptr (Shot) shot = scene (d, 300, 31 + i);
      g_auto (Found) found = { 0 };
      find (device, shot, flk_device_tile_ss (device), 0.1, &found);
      double readout = d->gain * d->gain * d->readout * d->readout - d->gain * d->pedestal;
      double typical = d->gain * d->gain * d->background;
      g_assert_cmpfloat (fabs ((double) found.noise.gain / d->gain - 1), <, 0.3);
      g_assert_cmpfloat (fabs ((double) found.noise.variance - readout) / (typical + fabs (readout)), <, 0.5);
      g_assert_cmpfloat ((double) found.noise.spread, <, 1.05);
    }
  flk_device_close (device);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  on_devices ("/adaptive/types", test_types);
  on_devices ("/adaptive/calibrated", test_calibrated);
#ifndef __SANITIZE_THREAD__
  g_test_add_func ("/adaptive/any-detector", test_any_detector);
  g_test_add_func ("/adaptive/noise", test_noise);
#endif
  on_devices_launched ("adaptive_blocks adaptive_spots");
  return g_test_run ();
}
