/* adaptive-place.h: one place of a shot, its neighbourhood, and whether it is a spot; adaptive.h tells how. */
#pragma once

#include "kernels/adaptive.h"
#include "kernels/pixel-load.h"

enum
{
  HALF = 7, /* px: the neighbourhood of a spot */
  SIDE = 2 * HALF + 1,
  CORE = 3,    /* px: what is not background */
  FEWEST = 16, /* good pixels that give a background */
  BOXES = 7
};

#define CUT       3.3f  /* σ: a background pixel is not so bright */
#define HOT_SHARE 0.02f /* of the brightest pixel: what a hot one may leak */
#define RIDGE     0.6f
#define NOTHING   3.0e38f

DEVICE_FN float
least (float a, float b)
{
  return a < b ? a : b;
}

DEVICE_FN float
most (float a, float b)
{
  return a > b ? a : b;
}

/* Counts above λ photons' mean that noise reaches with significance z: √(n V) z + g z²/6. */
DEVICE_FN float
excess (const FlkAdaptiveNoise *noise, float n_variance, float z)
{
  return z * sqrtf (n_variance) + noise->gain * (z * z / 6);
}

/* Its neighbourhood, less the background of the blocks. */
typedef struct
{
  const FlkAdaptiveNoise *noise;
  float value[SIDE * SIDE];
  uint8_t good[SIDE * SIDE]; /* 0 also outside the panel */
  int m;                     /* pixels that gave the background */
  float background, variance;
  int best; /* box */
} Place;

DEVICE_FN void
place_read (Place *p, const FlkAdaptiveArgs *a, const FlkPanel *panel, int fs, int ss, float mean)
{
  Team alone = { 0, 0, 1 };
  int left = fs < HALF ? HALF - fs : 0;
  int right = fs + HALF >= (int) panel->n_fs ? (int) panel->n_fs - fs + HALF : SIDE;
  for (int j = 0; j < SIDE; j++)
    {
      float *value = p->value + j * SIDE;
      uint8_t *good = p->good + j * SIDE;
      int y = ss + j - HALF;
      memset (good, 0, SIDE);
      if (y < 0 || y >= (int) panel->n_ss)
        continue;
      uint64_t first = panel->offset + (uint64_t) y * panel->stride + (uint64_t) (fs + left - HALF);
      pixels_row (alone, &a->pixels, panel, first, right - left, value + left, good + left);
    }
  for (int i = 0; i < SIDE * SIDE; i++)
    p->value[i] = p->good[i] ? p->value[i] - mean : 0.0f;
}

/* Mean and variance of the pixels outside the core that are not above `cut`. */
DEVICE_FN void
place_background (Place *p, float cut)
{
  float column_x[SIDE] = { 0 }, column_y[SIDE] = { 0 }, x = 0, y = 0;
  int32_t column_m[SIDE] = { 0 }, m = 0;
  for (int j = 0; j < SIDE; j++)
    {
      const float *RESTRICT value = p->value + j * SIDE;
      const uint8_t *RESTRICT good = p->good + j * SIDE;
      int core = j >= HALF - CORE && j <= HALF + CORE ? HALF - CORE : SIDE; /* its first column */
      for (int i = 0; i < SIDE; i++)
        {
          bool take = (good[i] != 0) & (value[i] <= cut) & ((i < core) | (i > HALF + CORE));
          float v = take ? value[i] : 0.0f;
          column_x[i] += v;
          column_y[i] += v * v;
          column_m[i] += take;
        }
    }
  for (int i = 0; i < SIDE; i++)
    {
      x += column_x[i];
      y += column_y[i];
      m += column_m[i];
    }
  p->m = m;
  p->background = m > 0 ? x / (float) m : 0;
  p->variance = m > 1 ? p->noise->spread * (y - x * p->background) / (float) (m - 1) : 0;
}

/* False: too few pixels. */
DEVICE_FN bool
place_noise (Place *p, float mean, float variance)
{
  const FlkAdaptiveNoise *noise = p->noise;
  float start = variance;
  p->background = 0;
  for (int k = 0; k < 2; k++)
    {
      place_background (p, p->background + excess (noise, start, CUT));
      float model = 0.5f * (noise->variance + noise->gain * (mean + p->background));
      float photon = p->m > 0 ? noise->gain * noise->gain / (float) p->m : 0;
      start = most (most (p->variance, variance), most (model, photon));
    }
  p->variance = start;
  return p->m >= FEWEST && start > 0;
}

/* Brings the line of pixels from `first` on in steps of `step` to the mean and variance of the others, where it has more. */
DEVICE_FN void
flatten_line (Place *p, int first, int step)
{
  float x = 0, y = 0, cut = p->background + excess (p->noise, 4 * p->variance, CUT);
  int m = 0;
  for (int k = 0; k < SIDE; k++)
    {
      float v = p->value[first + k * step];
      if ((k < HALF - CORE || k > HALF + CORE) && p->good[first + k * step] && v <= cut)
        {
          x += v;
          y += v * v;
          m++;
        }
    }
  if (m < 2)
    return;
  float mean = x / (float) m, ratio = (y - x * mean) / (float) (m - 1) / p->variance;
  float shrink = ratio > 1 ? 1 / sqrtf (ratio) : 1, level = most (mean, p->background);
  for (int k = 0; k < SIDE; k++)
    if (p->good[first + k * step])
      {
        float *v = &p->value[first + k * step];
        *v = p->background + (*v - level) * shrink;
      }
}

/* Pixels at a panel's edge are often larger than others, and collect what leaks from beside the panel. */
DEVICE_FN void
flatten_edges (Place *p, const FlkPanel *panel, int fs, int ss)
{
  int right = (int) panel->n_fs - 1 - fs, below = (int) panel->n_ss - 1 - ss;
  if (fs <= HALF)
    flatten_line (p, HALF - fs, SIDE);
  if (right <= HALF)
    flatten_line (p, HALF + right, SIDE);
  if (ss <= HALF)
    flatten_line (p, (HALF - ss) * SIDE, 1);
  if (below <= HALF)
    flatten_line (p, (HALF + below) * SIDE, 1);
}

/* Sums over a box. */
typedef struct
{
  int n;
  float sum, peak; /* above background */
} Box;

/* Boxes 0 to 3: 2 × 2 with the place in one corner; then 3, 5, 7. */
DEVICE_FN void
box_edges (int number, int *i0, int *j0, int *size)
{
  *size = number < 4 ? 2 : 2 * number - 5;
  *i0 = HALF - (number < 4 ? number & 1 : (*size - 1) / 2);
  *j0 = HALF - (number < 4 ? number >> 1 : (*size - 1) / 2);
}

DEVICE_FN Box
box_sum (const Place *p, int number)
{
  Box box = { 0, 0, -NOTHING };
  int i0, j0, size;
  box_edges (number, &i0, &j0, &size);
  for (int j = j0; j < j0 + size; j++)
    for (int i = i0; i < i0 + size; i++)
      if (p->good[j * SIDE + i])
        {
          float v = p->value[j * SIDE + i] - p->background;
          box.n++;
          box.sum += v;
          box.peak = most (box.peak, v);
        }
  return box;
}

/* z²/2 of a sum over n pixels, on `light` above the background; 0 when it is negative. */
DEVICE_FN float
significance (const Place *p, int n, float sum, float light)
{
  float pixel = p->variance + p->noise->gain * light;
  float variance = (float) n * pixel * (1 + (float) n / (float) p->m);
  float gain = most (p->noise->gain, 0.01f * sqrtf (p->variance));
  float expected = variance / (gain * gain), more = sum / gain - 0.5f;
  if (!(more > 0))
    return 0;
  float d = more / expected;
  if (d < 0.1f)
    return 0.5f * more * d * (1 - d * (1.0f / 3 - d * (1.0f / 6 - d * 0.1f)));
  return 0.693147181f * (expected + more) * log2_f32 (1 + d) - more;
}

/* What lies `side` (1, −1) of the place in direction `d`: the lower of the means at 3 to 4 and at 5 to 7 px, so that
 * what has a gap before it is no ridge. */
DEVICE_FN float
flank (const Place *p, int d, int side)
{
  /* In half pixels, at every 22.5°, about. */
  const int8_t fs[8] = { 2, 2, 2, 1, 0, 1, 2, 2 }, ss[8] = { 0, 1, 2, 2, 2, -2, -2, -1 };
  bool steep = fs[d] < 2 || fs[d] == ss[d] || fs[d] == -ss[d];
  float sum[2] = { 0, 0 };
  int n[2] = { 0, 0 };
  for (int k = CORE; k <= HALF; k++)
    for (int w = -1; w <= 1; w++)
      {
        int di = (k * fs[d] + 1) / 2, dj = ss[d] < 0 ? -((1 - k * ss[d]) / 2) : (k * ss[d] + 1) / 2;
        int i = HALF + side * di + (steep ? w : 0), j = HALF + side * dj + (steep ? 0 : w);
        if (i >= 0 && i < SIDE && j >= 0 && j < SIDE && p->good[j * SIDE + i])
          {
            sum[k > 4] += p->value[j * SIDE + i];
            n[k > 4]++;
          }
      }
  return n[0] >= 3 && n[1] >= 3 ? least (sum[0] / (float) n[0], sum[1] / (float) n[1]) : -NOTHING;
}

/* The brightest pixel that a flank may hold, above background. */
DEVICE_FN float
brightest_around (const Place *p)
{
  float top[SIDE], most_of_all = 0;
  for (int i = 0; i < SIDE; i++)
    top[i] = -NOTHING;
  for (int j = 0; j < SIDE; j++)
    {
      const float *RESTRICT value = p->value + j * SIDE;
      const uint8_t *RESTRICT good = p->good + j * SIDE;
      int within =
          j > HALF - CORE && j < HALF + CORE ? HALF - CORE : SIDE; /* columns after it do not count */
      for (int i = 0; i < SIDE; i++)
        {
          bool take = (good[i] != 0) & ((i <= within) | (i >= HALF + CORE));
          float v = take ? value[i] : -NOTHING;
          top[i] = v > top[i] ? v : top[i];
        }
    }
  for (int i = 0; i < SIDE; i++)
    most_of_all = most (most_of_all, top[i] - p->background);
  return most_of_all;
}

/* Whether the place is not much more than what goes on through it in some direction. */
DEVICE_FN bool
is_ridge (const Place *p, const Box *box)
{
  float above = brightest_around (p), asked = p->noise->half_z_sq;
  if (significance (p, box->n, box->sum - above * (float) box->n, above) >= asked)
    return false; /* no flank is brighter */
  above = 0;
  for (int d = 0; d < 8; d++)
    above = most (above, least (flank (p, d, 1), flank (p, d, -1)) - p->background);
  float left = box->sum - above * (float) box->n;
  return significance (p, box->n, left, above) < (left < RIDGE * box->sum ? asked : RIDGE * asked);
}

DEVICE_FN bool
is_spot (Place *p)
{
  float highest = 0, rest = 0, share = 0;
  Box best = { 0, 0, 0 };
  for (int k = 0; k < BOXES; k++)
    {
      Box box = box_sum (p, k);
      if (box.n < 3)
        continue;
      float s = significance (p, box.n, box.sum, 0),
            left = significance (p, box.n - 1, box.sum - box.peak, 0);
      if (left > rest)
        {
          rest = left;
          share = (box.sum - box.peak) / box.peak;
        }
      if (s > highest)
        {
          highest = s;
          best = box;
          p->best = k;
        }
    }
  return highest > p->noise->half_z_sq && rest > p->noise->half_rest_sq && share > HOT_SHARE
         && !is_ridge (p, &best);
}

DEVICE_FN void
mark (uint8_t *strong)
{
#ifdef BACKEND_GPU
  *(volatile uint8_t *) strong = 1;
#else
  __atomic_store_n (strong, 1, __ATOMIC_RELAXED);
#endif
}

/* Which pixels of the neighbourhood are bright enough to belong to the spot. */
DEVICE_FN void
find_bright (const Place *p, uint8_t *bright)
{
  float sigma = sqrtf (p->variance), within = p->background + sigma,
        around = p->background + excess (p->noise, p->variance, 3);
  int i0, j0, size;
  box_edges (p->best < 4 ? 4 : p->best, &i0, &j0, &size);
  for (int j = 0; j < SIDE; j++)
    for (int i = 0; i < SIDE; i++)
      {
        bool in = i >= i0 && i < i0 + size && j >= j0 && j < j0 + size;
        bright[j * SIDE + i] =
            (uint8_t) (p->good[j * SIDE + i] && p->value[j * SIDE + i] > (in ? within : around));
      }
}

enum
{
  TAKEN = 2 /* in `bright`: marked, or to be */
};

/* A spot of less than three pixels: the brightest neighbours of its top too, which the rest of the box stands for. */
DEVICE_FN void
mark_neighbours (const Place *p, uint8_t *bright, uint8_t *strong, uint64_t stride, int top, int marked)
{
  for (; marked < 3; marked++)
    {
      int best = -1;
      for (int k = 0; k < 4; k++)
        {
          int at = top + (k == 0) - (k == 1) + SIDE * ((k == 2) - (k == 3));
          if (p->good[at] && bright[at] != TAKEN && (best < 0 || p->value[at] > p->value[best]))
            best = at;
        }
      if (best < 0)
        return;
      mark (strong + (int64_t) (best / SIDE - HALF) * (int64_t) stride + (best % SIDE - HALF));
      bright[best] = TAKEN;
    }
}

/* The brightest pixel of the best box, then what hangs on it. */
DEVICE_FN void
place_mark (const Place *p, uint8_t *strong, uint64_t stride)
{
  uint8_t bright[SIDE * SIDE];
  uint16_t stack[SIDE * SIDE];
  int n = 0, marked = 0, top = HALF * SIDE + HALF;
  find_bright (p, bright);
  for (int j = HALF - 1; j <= HALF + 1; j++)
    for (int i = HALF - 1; i <= HALF + 1; i++)
      if (p->good[j * SIDE + i] && p->value[j * SIDE + i] > p->value[top])
        top = j * SIDE + i;
  bright[top] = TAKEN;
  stack[n++] = (uint16_t) top;
  while (n > 0)
    {
      int at = stack[--n], i = at % SIDE, j = at / SIDE;
      marked++;
      mark (strong + (int64_t) (j - HALF) * (int64_t) stride + (i - HALF));
      for (int k = 0; k < 4; k++)
        {
          int x = i + (k == 0) - (k == 1), y = j + (k == 2) - (k == 3);
          if (x < 0 || x >= SIDE || y < 0 || y >= SIDE || bright[y * SIDE + x] != 1)
            continue;
          bright[y * SIDE + x] = TAKEN;
          stack[n++] = (uint16_t) (y * SIDE + x);
        }
    }
  mark_neighbours (p, bright, strong, stride, top, marked);
}

LARGE_FN void
judge_place (const FlkAdaptiveArgs *a, const FlkPanel *panel, int fs, int ss, float mean, float variance)
{
  Place p;
  p.noise = &a->noise;
  p.best = 0;
  place_read (&p, a, panel, fs, ss, mean);
  if (!place_noise (&p, mean, variance))
    return;
  flatten_edges (&p, panel, fs, ss);
  if (is_spot (&p))
    place_mark (&p, a->strong + panel->offset + (uint64_t) ss * panel->stride + (uint64_t) fs, panel->stride);
}
