/* test-adaptive.c: the kernels against adaptive.h written down naively, in double precision. */
#include <math.h>
#include <string.h>

#include "tests/kernels/adaptive-find.h"

/* --- naive --- */

typedef struct
{
  const FlkPanel *panel;
  gsize n_pixels;
  const float *value; /* of every pixel, as shot_pixel() reads it */
  const guint8 *good;
  const FlkAdaptiveNoise *noise;
  int down, along;
  float *mean, *variance, *of_sums, *top; /* of blocks */
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
        float top = -3e38f;
        for (int ss = 8 * by; ss < 8 * by + 8; ss++)
          for (int fs = 8 * bx; fs < 8 * bx + 8; fs++)
            if (is_good (n, fs, ss))
              {
                double v = (double) n->value[at (n, fs, ss)];
                x += v;
                y += v * v;
                m++;
                top = fmaxf (top, (float) v);
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
        n->top[by * n->along + bx] = top;
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
  gboolean yes = highest > (double) n->noise->half_z_sq && rest > (double) n->noise->half_rest_sq
                 && share > 0.02 && !naive_ridge (n, fs, ss, b, level, best_pixels, best_sum);
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

/* The outermost lines of the panel that the neighbourhood meets: their pixels beside the core, and all brought to the others'
 * mean and variance. */
static void
naive_flatten (const Naive *n, int fs, int ss, const Background *b, double from, float *value)
{
  const FlkPanel *panel = n->panel;
  const int lines[4][2] = { { 1, 0 }, { 1, (int) panel->n_fs - 1 }, { 0, 0 }, { 0, (int) panel->n_ss - 1 } };
  double level = from + b->background;
  for (int line = 0; line < 4; line++)
    {
      gboolean column = lines[line][0] == 1;
      int where = lines[line][1];
      double x = 0, y = 0, m = 0;
      if (abs (where - (column ? fs : ss)) > 7)
        continue;
      for (int twice = 0; twice < 2; twice++)
        {
          double mean = m > 0 ? x / m : 0, ratio = m > 1 ? (y - x * mean) / (m - 1) / b->variance : 1;
          if (twice && m < 2)
            break;
          for (int k = -7; k <= 7; k++)
            {
              int i = column ? where : fs + k, j = column ? ss + k : where;
              if (!is_good (n, i, j))
                continue;
              double v = (double) value[at (n, i, j)] - level;
              if (twice)
                value[at (n, i, j)] = (float) (level + (v - fmax (mean, 0)) / sqrt (fmax (ratio, 1)));
              else if (abs (k) > 3 && v <= excess (n, 4 * b->variance, 3.3))
                {
                  x += v;
                  y += v * v;
                  m++;
                }
            }
        }
    }
}

static void
naive_place (const Naive *shot, int fs, int ss)
{
  const Naive *n = shot;
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
  g_autofree float *value = g_memdup2 (n->value, n->n_pixels * sizeof *value);
  Naive flat = *n;
  flat.value = value;
  n = &flat;
  naive_flatten (n, fs, ss, &b, (double) from, value);
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

/* --- the kernels beside it --- */

static void
check (FlkDevice *device, FlkPixelType type, gboolean calibrated)
{
  g_autoptr (Shot) shot = shot_new (type, calibrated, 70 + type);
  guint32 tile_ss = flk_device_tile_ss (device);
  g_auto (Found) found = { 0 }, again = { 0 };
  find (device, shot, tile_ss, 100, &found);
  find (device, shot, tile_ss == 32 ? 64 : 32, 100, &again);
  assert_same (again.strong, shot->n_pixels, found.strong, shot->n_pixels);
  gsize blocks = found.n_blocks * sizeof *found.blocks;
  assert_same (again.blocks, blocks, found.blocks, blocks);

  g_autofree float *value = g_new0 (float, shot->n_pixels), *mean = g_new0 (float, found.n_blocks),
                   *variance = g_new0 (float, found.n_blocks), *of_sums = g_new0 (float, found.n_blocks),
                   *top = g_new0 (float, found.n_blocks);
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
                  shot->n_pixels,
                  value,
                  good,
                  &found.noise,
                  ((int) panel->n_ss + 7) / 8,
                  ((int) panel->n_fs + 7) / 8,
                  mean + found.first[p],
                  variance + found.first[p],
                  of_sums + found.first[p],
                  top + found.first[p],
                  strong };
      naive_blocks (&n);
      for (int ss = 0; ss < (int) panel->n_ss; ss++)
        for (int fs = 0; fs < (int) panel->n_fs; fs++)
          if (is_seed (&n, fs, ss))
            naive_place (&n, fs, ss);
    }
  for (guint i = 0; i < found.n_blocks; i++)
    {
      g_assert_cmpfloat (found.blocks[i].top, ==, top[i]);
      g_assert_cmpfloat (fabsf (found.blocks[i].mean - mean[i]), <=, 1e-6f * fabsf (mean[i]));
      g_assert_cmpfloat (fabsf (found.blocks[i].variance - variance[i]), <=, 1e-4f * fabsf (variance[i]));
      g_assert_cmpfloat (fabsf (found.blocks[i].of_sums - of_sums[i]), <=, 1e-4f * fabsf (of_sums[i]));
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  on_devices ("/adaptive/types", test_types);
  on_devices ("/adaptive/calibrated", test_calibrated);
  on_devices_launched ("adaptive_blocks adaptive_spots");
  return g_test_run ();
}
