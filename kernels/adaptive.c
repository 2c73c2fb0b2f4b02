/* adaptive.c: blocks, and spots that stand out from them; what is computed is in adaptive.h. */
#include "kernels/adaptive.h"

#include "kernels/pixel-load.h"

enum
{
  BLOCK = FLK_ADAPTIVE_BLOCK,
  BLOCKS = FLK_TILE_FS / BLOCK,
  PIXELS = BLOCK * BLOCK,
  FEWEST = 16,         /* good pixels of a block */
  AROUND = BLOCKS + 2, /* columns of blocks of a tile and one on either side */
  CHUNK = TEAM_IS_ONE ? 64 : 1,
  HALF = 7, /* px: the neighbourhood of a spot */
  SIDE = 2 * HALF + 1,
  CORE = 3, /* px: what is not background */
  BOXES = 7
};

#define CUT       3.3f   /* σ: a background pixel is not so bright */
#define SEED      3.5f   /* σ of the 3 × 3 sum, for a place to be judged */
#define HOT       3.125f /* 2.5²/2: what is left without the brightest pixel */
#define HOT_SHARE 0.05f
#define RIDGE     0.6f
#define NOTHING   3.0e38f

/* --- blocks --- */

typedef struct
{
  double x[BLOCK / 2][FLK_TILE_FS], y[FLK_TILE_FS]; /* x: of two rows each */
  int32_t m[FLK_TILE_FS];
  float value[FLK_TILE_FS];
  uint8_t good[FLK_TILE_FS];
} BlocksShared;

DEVICE_FN uint32_t
blocks_along (uint32_t n)
{
  return (n + BLOCK - 1) / BLOCK;
}

DEVICE_FN void
block_rows (Team t, BlocksShared *sh, const FlkAdaptiveArgs *a, const Tile *tile, int begin, int end)
{
  int n = tile->fs1 - tile->fs0;
  TEAM_LOOP (i, FLK_TILE_FS, t)
    {
      for (int k = 0; k < BLOCK / 2; k++)
        sh->x[k][i] = 0;
      sh->y[i] = 0;
      sh->m[i] = 0;
    }
  for (int ss = begin; ss < end; ss++)
    {
      uint64_t first = tile->panel->offset + (uint64_t) ss * tile->panel->stride + (uint64_t) tile->fs0;
      double *RESTRICT x = sh->x[(ss - begin) / 2];
      pixels_row (t, &a->pixels, tile->panel, first, n, sh->value, sh->good);
      VECTOR_LOOP
      TEAM_LOOP (i, n, t)
        {
          double v = (double) sh->value[i];
          x[i] += v;
          sh->y[i] += v * v;
          sh->m[i] += sh->good[i];
        }
      uint8_t *RESTRICT strong = a->strong + first;
      TEAM_LOOP (i, n, t)
        strong[i] = 0;
    }
}

/* The block from column `first` on: its pixels, and its sums of 2 × 2 pixels. */
DEVICE_FN void
block_finish (const BlocksShared *sh, const FlkAdaptiveArgs *a, int first, uint64_t out)
{
  double x = 0, y = 0, squares = 0;
  int m = 0;
  for (int i = first; i < first + BLOCK; i += 2)
    {
      for (int k = 0; k < BLOCK / 2; k++)
        {
          double sum = sh->x[k][i] + sh->x[k][i + 1];
          x += sum;
          squares += sum * sum;
        }
      y += sh->y[i] + sh->y[i + 1];
      m += sh->m[i] + sh->m[i + 1];
    }
  double spread = m >= FEWEST ? (y - x * x / m) / (m - 1) : -1;
  double of_sums = (squares - x * x / (PIXELS / 4)) / (4 * (PIXELS / 4 - 1));
  a->mean[out] = m > 0 ? (float) (x / m) : 0.0f;
  a->variance[out] = m >= FEWEST && spread < 0 ? 0.0f : (float) spread;
  a->of_sums[out] = m < PIXELS ? -1.0f : of_sums < 0 ? 0.0f : (float) of_sums;
}

DEVICE_FN void
adaptive_blocks_body (Team t, BlocksShared *sh, const FlkAdaptiveArgs *a)
{
  Tile tile = tile_of_team (t.index, a->panels, a->n_panels, a->tile_ss);
  uint32_t along = blocks_along (tile.panel->n_fs);
  for (int ss = tile.ss0; ss < tile.ss1; ss += BLOCK)
    {
      uint64_t out =
          a->first_block[tile.panel_index] + (uint64_t) (ss / BLOCK) * along + (uint64_t) (tile.fs0 / BLOCK);
      block_rows (t, sh, a, &tile, ss, ss + BLOCK < tile.ss1 ? ss + BLOCK : tile.ss1);
      team_barrier (t);
      TEAM_LOOP (b, blocks_along ((uint32_t) (tile.fs1 - tile.fs0)), t)
        block_finish (sh, a, b * BLOCK, out + (uint64_t) b);
      team_barrier (t);
    }
}

/* --- medians of 3 × 3 blocks --- */

typedef struct
{
  float value[3][FLK_TILE_FS + 4]; /* rows, from column −2 on; the background where a pixel is bad */
  float sum[3][FLK_TILE_FS + 2];   /* over 3 × 3, from column −1 on */
  float row[FLK_TILE_FS + 4];
  uint8_t good[FLK_TILE_FS + 4];
  /* Of two rows of blocks, the even one first. */
  float mean[2][AROUND], variance[2][AROUND];
  float fill[2][FLK_TILE_FS + 4], limit[2][FLK_TILE_FS];
  float row_mean[3][AROUND + 2], row_variance[3][AROUND + 2]; /* three rows of blocks */
  float sort[9][AROUND];
} SpotsShared;

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

/* Orders sort[0…8] of every column, by the network of 25 comparators. */
DEVICE_FN void
sort_columns (Team t, SpotsShared *sh)
{
  const uint8_t pairs[25][2] = { { 0, 3 }, { 1, 7 }, { 2, 5 }, { 4, 8 }, { 0, 7 }, { 2, 4 }, { 3, 8 },
                                 { 5, 6 }, { 0, 2 }, { 1, 3 }, { 4, 5 }, { 7, 8 }, { 1, 4 }, { 3, 6 },
                                 { 5, 7 }, { 0, 1 }, { 2, 4 }, { 3, 5 }, { 6, 8 }, { 2, 3 }, { 4, 5 },
                                 { 6, 7 }, { 1, 2 }, { 3, 4 }, { 5, 6 } };
  for (int k = 0; k < 25; k++)
    {
      float *RESTRICT a = sh->sort[pairs[k][0]], *RESTRICT b = sh->sort[pairs[k][1]];
      VECTOR_LOOP
      TEAM_LOOP (c, AROUND, t)
        {
          float low = least (a[c], b[c]), high = most (a[c], b[c]);
          a[c] = low;
          b[c] = high;
        }
    }
}

/* Means and variances of row `row` of blocks, from one block left of AROUND on; NOTHING where there is none. */
DEVICE_FN void
block_row (Team t, SpotsShared *sh, const FlkAdaptiveArgs *a, const Tile *tile, int row)
{
  int along = (int) blocks_along (tile->panel->n_fs), down = (int) blocks_along (tile->panel->n_ss);
  int begin = tile->fs0 / BLOCK - 2, slot = (row + 3) % 3;
  uint64_t first = a->first_block[tile->panel_index];
  TEAM_LOOP (c, AROUND + 2, t)
    {
      int x = begin + c;
      bool there = x >= 0 && x < along && row >= 0 && row < down;
      uint64_t at = there ? first + (uint64_t) (row * along + x) : first;
      there = there && a->variance[at] >= 0;
      sh->row_mean[slot][c] = there ? a->mean[at] : NOTHING;
      sh->row_variance[slot][c] = there ? a->variance[at] * a->noise.spread : NOTHING;
    }
}

/* The (lower) median of what is there of the 3 × 3 blocks around each; `none` where there is nothing. */
DEVICE_FN void
block_medians (Team t, SpotsShared *sh, float rows[3][AROUND + 2], float none, float *out)
{
  for (int k = 0; k < 9; k++)
    {
      const float *RESTRICT from = rows[k / 3] + k % 3;
      float *RESTRICT to = sh->sort[k];
      VECTOR_LOOP
      TEAM_LOOP (c, AROUND, t)
        to[c] = from[c];
    }
  sort_columns (t, sh);
  TEAM_LOOP (c, AROUND, t)
    {
      int n = 0;
      for (int k = 0; k < 9; k++)
        n += sh->sort[k][c] < NOTHING;
      out[c] = n > 0 ? sh->sort[(n - 1) / 2][c] : none;
    }
}

/* Counts above λ photons' mean that noise reaches with significance z: √(n V) z + g z²/6. */
DEVICE_FN float
excess (const FlkAdaptiveNoise *noise, float n_variance, float z)
{
  return z * sqrtf (n_variance) + noise->gain * (z * z / 6);
}

/* Background and limit of the sum for each column, of a row of blocks; `fresh`: the rows around are not known yet. */
DEVICE_FN void
look_around (Team t, SpotsShared *sh, const FlkAdaptiveArgs *a, const Tile *tile, int row, bool fresh)
{
  int slot = row & 1;
  float *mean = sh->mean[slot], *variance = sh->variance[slot];
  for (int k = fresh ? row - 1 : row + 1; k <= row + 1; k++)
    block_row (t, sh, a, tile, k);
  team_barrier (t);
  block_medians (t, sh, sh->row_mean, 0, mean);
  block_medians (t, sh, sh->row_variance, NOTHING, variance);
  team_barrier (t);
  TEAM_LOOP (c, AROUND, t)
    {
      float limit = variance[c] < NOTHING ? 9 * mean[c] + excess (&a->noise, 9 * variance[c], SEED) : NOTHING;
      for (int i = c * BLOCK - BLOCK; i < c * BLOCK; i++)
        {
          if (i >= -2 && i < FLK_TILE_FS + 2)
            sh->fill[slot][i + 2] = mean[c];
          if (i >= 0 && i < FLK_TILE_FS)
            sh->limit[slot][i] = limit;
        }
    }
  team_barrier (t);
}

/* --- one place --- */

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
  float x = 0, y = 0;
  int m = 0;
  for (int j = 0; j < SIDE; j++)
    for (int i = 0; i < SIDE; i++)
      {
        bool core = i >= HALF - CORE && i <= HALF + CORE && j >= HALF - CORE && j <= HALF + CORE;
        float v = p->value[j * SIDE + i];
        if (!core && p->good[j * SIDE + i] && v <= cut)
          {
            x += v;
            y += v * v;
            m++;
          }
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

/* Whether the place is not much more than what goes on through it in some direction. */
DEVICE_FN bool
is_ridge (const Place *p, const Box *box)
{
  float above = 0;
  for (int d = 0; d < 8; d++)
    above = most (above, least (flank (p, d, 1), flank (p, d, -1)) - p->background);
  float left = box->sum - above * (float) box->n;
  float asked = left < RIDGE * box->sum ? 1 : RIDGE;
  return significance (p, box->n, left, above) < asked * p->noise->half_z_sq;
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
  return highest > p->noise->half_z_sq && rest > HOT && share > HOT_SHARE && !is_ridge (p, &best);
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
  if (place_noise (&p, mean, variance) && is_spot (&p))
    place_mark (&p, a->strong + panel->offset + (uint64_t) ss * panel->stride + (uint64_t) fs, panel->stride);
}

/* --- rows --- */

/* Row `row` of the panel, with the background where there is no good pixel. */
DEVICE_FN void
load_row (Team t, SpotsShared *sh, const FlkAdaptiveArgs *a, const Tile *tile, int row, int slot)
{
  const FlkPanel *panel = tile->panel;
  int width = tile->fs1 - tile->fs0 + 4, left = tile->fs0 == 0 ? 2 : 0;
  int end = tile->fs1 + 2 < (int) panel->n_fs ? tile->fs1 + 2 : (int) panel->n_fs;
  int n = row >= 0 && row < (int) panel->n_ss ? end - (tile->fs0 - 2 + left) : 0;
  float *RESTRICT value = sh->value[(row + 3) % 3] + left;
  const float *RESTRICT fill = sh->fill[slot] + left;
  if (n > 0)
    {
      uint64_t first = panel->offset + (uint64_t) row * panel->stride + (uint64_t) (tile->fs0 - 2 + left);
      pixels_row (t, &a->pixels, panel, first, n, sh->row, sh->good);
      const float *RESTRICT from = sh->row;
      const uint8_t *RESTRICT good = sh->good;
      VECTOR_LOOP
      TEAM_LOOP (i, n, t)
        value[i] = good[i] ? from[i] : fill[i];
    }
  TEAM_LOOP (i, width - n, t) /* beside the panel */
    {
      int at = i < left ? i - left : n + i - left;
      value[at] = fill[at];
    }
  team_barrier (t);
}

/* Sums of the row before `row`. */
DEVICE_FN void
sum_row (Team t, SpotsShared *sh, int row, int n)
{
  const float *RESTRICT above = sh->value[(row + 1) % 3], *RESTRICT here = sh->value[(row + 2) % 3],
                        *RESTRICT below = sh->value[(row + 3) % 3];
  float *RESTRICT column = sh->row, *RESTRICT sum = sh->sum[(row + 2) % 3];
  VECTOR_LOOP
  TEAM_LOOP (i, n + 4, t)
    column[i] = above[i] + here[i] + below[i];
  team_barrier (t);
  VECTOR_LOOP
  TEAM_LOOP (i, n + 2, t)
    sum[i] = column[i] + column[i + 1] + column[i + 2];
  team_barrier (t);
}

/* Whether the sum at column i is the highest of its neighbours'; of equals the first. */
DEVICE_FN bool
is_highest (const SpotsShared *sh, int row, int i)
{
  const float *above = sh->sum[(row + 2) % 3] + i + 1, *here = sh->sum[(row + 3) % 3] + i + 1,
              *below = sh->sum[(row + 4) % 3] + i + 1;
  float s = here[0];
  return s > above[-1] && s > above[0] && s > above[1] && s > here[-1] && s >= here[1] && s >= below[-1]
         && s >= below[0] && s >= below[1];
}

DEVICE_FN void
judge_row (Team t, const SpotsShared *sh, const FlkAdaptiveArgs *a, const Tile *tile, int row)
{
  const float *RESTRICT sum = sh->sum[(row + 3) % 3] + 1;
  int slot = row / BLOCK & 1, n = tile->fs1 - tile->fs0;
  const float *RESTRICT limit = sh->limit[slot];
  TEAM_LOOP (chunk, (n + CHUNK - 1) / CHUNK, t)
    {
      int begin = chunk * CHUNK, end = begin + CHUNK < n ? begin + CHUNK : n, any = 0;
      VECTOR_LOOP
      for (int i = begin; i < end; i++)
        any |= sum[i] > limit[i];
      for (int i = begin; any && i < end; i++)
        if (sum[i] > limit[i] && is_highest (sh, row, i))
          judge_place (a, tile->panel, tile->fs0 + i, row, sh->mean[slot][i / BLOCK + 1],
                       sh->variance[slot][i / BLOCK + 1]);
    }
}

DEVICE_FN void
adaptive_spots_body (Team t, SpotsShared *sh, const FlkAdaptiveArgs *a)
{
  Tile tile = tile_of_team (t.index, a->panels, a->n_panels, a->tile_ss);
  int last = -1;
  for (int row = tile.ss0 - 2; row < tile.ss1 + 2; row++)
    {
      int inside = row < 0 ? 0 : row < (int) tile.panel->n_ss ? row : (int) tile.panel->n_ss - 1;
      if (inside / BLOCK != last)
        {
          look_around (t, sh, a, &tile, inside / BLOCK, last < 0);
          last = inside / BLOCK;
        }
      load_row (t, sh, a, &tile, row, last & 1);
      if (row >= tile.ss0)
        sum_row (t, sh, row, tile.fs1 - tile.fs0);
      if (row >= tile.ss0 + 2)
        judge_row (t, sh, a, &tile, row - 2);
    }
}

KERNEL (adaptive_blocks, FlkAdaptiveArgs, BlocksShared, 256)
KERNEL (adaptive_spots, FlkAdaptiveArgs, SpotsShared, 256)
