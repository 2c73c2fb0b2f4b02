/* profile.c: medians and quartiles of 2θ bins, and what stands above them; profile.h tells how. */
#include "kernels/profile.h"

#include "kernels/pixel-load.h"

#define NO_KEY UINT32_MAX /* of a bad pixel: after all values */

enum
{
  HALF_MAX = 2, /* px, of the blur */
  ROWS = 2 * HALF_MAX + 1,
  WIDE = FLK_TILE_FS + 2 * HALF_MAX
};

DEVICE_FN uint32_t
key_of (float value)
{
  uint32_t bits;
  memcpy (&bits, &value, sizeof bits);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

DEVICE_FN double
value_of (uint32_t key)
{
  uint32_t bits = key & 0x80000000u ? key & 0x7fffffffu : ~key;
  float value;
  memcpy (&value, &bits, sizeof value);
  return (double) value;
}

/* --- values --- */

typedef struct
{
  float value[ROWS][WIDE]; /* column 0 is that before the tile by the blur's half-width */
  uint8_t good[ROWS][WIDE];
} ValuesShared;

/* Rows ss - half … ss + half with `half` columns on either side, the panel's edges repeated. */
DEVICE_FN void
load_rows (Team t, ValuesShared *sh, const FlkProfileArgs *a, const Tile *tile, int ss, int half)
{
  const FlkPanel *panel = tile->panel;
  int fs0 = tile->fs0 - half > 0 ? tile->fs0 - half : 0;
  int fs1 = tile->fs1 + half < (int) panel->n_fs ? tile->fs1 + half : (int) panel->n_fs;
  int left = fs0 - (tile->fs0 - half), n = fs1 - fs0, all = tile->fs1 - tile->fs0 + 2 * half;
  for (int k = 0; k <= 2 * half; k++)
    {
      int row = ss + k - half;
      row = row < 0 ? 0 : row >= (int) panel->n_ss ? (int) panel->n_ss - 1 : row;
      uint64_t first = panel->offset + (uint64_t) row * panel->stride + (uint64_t) fs0;
      pixels_row (t, &a->pixels, panel, first, n, sh->value[k] + left, sh->good[k] + left);
    }
  team_barrier (t);
  TEAM_LOOP (k, 2 * half + 1, t)
    for (int i = 0; i < all; i++)
      if (i < left || i >= left + n)
        {
          int from = i < left ? left : left + n - 1;
          sh->value[k][i] = sh->value[k][from];
          sh->good[k][i] = sh->good[k][from];
        }
  team_barrier (t);
}

/* The blurred value of column `i`; exact in single precision for whole numbers up to 2^16. */
DEVICE_FN float
blurred (const ValuesShared *sh, int half, int i)
{
  const float narrow[2][2] = { { 4, 2 }, { 2, 1 } };
  const float wide[3][3] = { { 41, 26, 7 }, { 26, 16, 4 }, { 7, 4, 1 } };
  float sum = 0, weights = 0;
  for (int k = -half; k <= half; k++)
    for (int m = -half; m <= half; m++)
      {
        int y = k < 0 ? -k : k, x = m < 0 ? -m : m;
        float weight = half == 1 ? narrow[y][x] : wide[y][x];
        weight = sh->good[half + k][half + i + m] ? weight : 0;
        sum += weight * sh->value[half + k][half + i + m];
        weights += weight;
      }
  return sum / weights;
}

DEVICE_FN void
profile_values_body (Team t, ValuesShared *sh, const FlkProfileArgs *a)
{
  Tile tile = tile_of_team (t.index, a->panels, a->n_panels, a->tile_ss);
  int n = tile.fs1 - tile.fs0, half = a->blur;
  for (int ss = tile.ss0; ss < tile.ss1; ss++)
    {
      uint64_t first = tile.panel->offset + (uint64_t) ss * tile.panel->stride + (uint64_t) tile.fs0;
      load_rows (t, sh, a, &tile, ss, half);
      TEAM_LOOP (i, n, t)
        {
          bool good = sh->good[half][half + i] && a->bin[first + (uint64_t) i] != FLK_PROFILE_NO_BIN;
          float v = half ? good ? blurred (sh, half, i) : 0 : sh->value[0][i];
          a->value[first + (uint64_t) i] = good ? v : NAN;
          if (a->bin[first + (uint64_t) i] != FLK_PROFILE_NO_BIN)
            a->keys[a->place[first + (uint64_t) i]] = good ? key_of (v) : NO_KEY;
        }
      team_barrier (t); /* before the next row's values */
    }
}

/* --- limits: order statistics --- */

enum
{
  LEVEL_BITS = 11,
  LEVEL_SIZE = 1 << LEVEL_BITS,
  FEW = 1024 /* keys that one thread puts in order faster than it counts them */
};

typedef struct
{
  uint32_t count[LEVEL_SIZE];
  uint32_t bucket, before; /* where a rank lies, and how many keys come before its bucket */
  uint32_t n_good;
  TeamSlots slots;
} LimitsShared;

/* The key of rank `rank` (from 0) of n keys: 11, 11 and 10 bits at a time, from the top (radix selection). */
DEVICE_FN uint32_t
select_by_counting (Team t, LimitsShared *sh, const uint32_t *keys, uint32_t n, uint32_t rank)
{
  uint32_t found = 0, known = 0; /* bits known so far */
  for (int level = 0; level < 3; level++)
    {
      int shift = level == 0 ? 21 : level == 1 ? 10 : 0, size = level == 2 ? LEVEL_SIZE / 2 : LEVEL_SIZE;
      TEAM_LOOP (b, size, t)
        sh->count[b] = 0;
      team_barrier (t);
      TEAM_LOOP (i, n, t)
        if ((keys[i] & known) == found)
          team_add_u32 (&sh->count[keys[i] >> shift & (uint32_t) (size - 1)], 1);
      team_barrier (t);
      if (t.rank == 0)
        {
          uint32_t before = 0, b = 0;
          while (before + sh->count[b] <= rank)
            before += sh->count[b++];
          sh->bucket = b;
          sh->before = before;
        }
      team_barrier (t);
      found |= sh->bucket << shift;
      known |= (uint32_t) (size - 1) << shift;
      rank -= sh->before;
      team_barrier (t);
    }
  return found;
}

/* The same by partitions (Hoare 1961), on keys[begin … n): the key of rank `rank` comes to its place. */
DEVICE_FN uint32_t
select_in_place (uint32_t *keys, int begin, int n, int rank)
{
  int low = begin, high = n - 1;
  while (low < high)
    {
      uint32_t pivot = keys[(low + high) / 2];
      int i = low, j = high;
      while (i <= j)
        {
          while (keys[i] < pivot)
            i++;
          while (keys[j] > pivot)
            j--;
          if (i > j)
            break;
          uint32_t swap = keys[i];
          keys[i++] = keys[j];
          keys[j--] = swap;
        }
      if (rank <= j)
        high = j;
      else if (rank >= i)
        low = i;
      else
        break;
    }
  return keys[rank];
}

/* Ranks in ascending order. */
DEVICE_FN double
order_statistic (Team t, LimitsShared *sh, uint32_t *keys, uint32_t n, uint32_t *done, uint32_t rank)
{
  if (!TEAM_IS_ONE || n > FEW)
    return value_of (select_by_counting (t, sh, keys, n, rank));
  uint32_t key = select_in_place (keys, (int) *done, (int) n, (int) rank);
  *done = rank;
  return value_of (key);
}

/* Between the statistics about (n_good - 1) part. */
DEVICE_FN double
quartile (Team t, LimitsShared *sh, uint32_t *keys, uint32_t n, uint32_t n_good, uint32_t *done, double part)
{
  double at = (n_good - 1) * part, h = at - floor (at);
  double low = order_statistic (t, sh, keys, n, done, (uint32_t) floor (at));
  double high = h > 0 ? order_statistic (t, sh, keys, n, done, (uint32_t) floor (at) + 1) : low;
  return (1 - h) * low + h * high;
}

DEVICE_FN double
bin_limit (Team t, LimitsShared *sh, uint32_t *keys, uint32_t n, uint32_t n_good, const FlkProfileArgs *a,
           double gain)
{
  double median = 0, iqr = 0;
  uint32_t done = 0;
  if (n_good > 0)
    {
      double first = quartile (t, sh, keys, n, n_good, &done, 0.25);
      median = quartile (t, sh, keys, n, n_good, &done, 0.5);
      iqr = quartile (t, sh, keys, n, n_good, &done, 0.75) - first;
    }
  double above = a->n_iqr * iqr;
  return median + (above <= gain ? 2 * gain : above);
}

DEVICE_FN void
profile_limits_body (Team t, LimitsShared *sh, const FlkProfileArgs *a)
{
  uint32_t first = a->start[t.index], n = a->start[t.index + 1] - first;
  const FlkPanel *panel = &a->panels[t.index / a->n_bins];
  if (t.rank == 0)
    sh->n_good = 0;
  team_barrier (t);
  uint32_t mine = 0;
  TEAM_LOOP (i, n, t)
    mine += a->keys[first + (uint32_t) i] != NO_KEY;
  team_add_u32 (&sh->n_good, mine);
  team_barrier (t);
  double gain = a->gain_map ? (double) a->gain_map[panel->offset] : a->gain;
  double limit = bin_limit (t, sh, a->keys + first, n, sh->n_good, a, gain);
  if (t.rank == 0)
    a->limit[t.index] = limit;
}

/* --- the mask --- */

typedef struct
{
  TeamSlots unused;
} StrongShared;

DEVICE_FN void
profile_strong_body (Team t, StrongShared *sh, const FlkProfileArgs *a)
{
  (void) sh;
  Tile tile = tile_of_team (t.index, a->panels, a->n_panels, a->tile_ss);
  const double *RESTRICT limit = a->limit + (uint64_t) tile.panel_index * a->n_bins;
  for (int ss = tile.ss0; ss < tile.ss1; ss++)
    {
      uint64_t first = tile.panel->offset + (uint64_t) ss * tile.panel->stride + (uint64_t) tile.fs0;
      const uint16_t *RESTRICT bin = a->bin + first;
      const float *RESTRICT value = a->value + first;
      uint8_t *RESTRICT strong = a->strong + first;
      VECTOR_LOOP
      TEAM_LOOP (i, tile.fs1 - tile.fs0, t)
        {
          uint32_t b = bin[i] == FLK_PROFILE_NO_BIN ? 0 : bin[i]; /* then the value is no number */
          strong[i] = (uint8_t) ((double) value[i] > limit[b]);
        }
    }
}

KERNEL (profile_values, FlkProfileArgs, ValuesShared, 256)
KERNEL (profile_limits, FlkProfileArgs, LimitsShared, 256)
KERNEL (profile_strong, FlkProfileArgs, StrongShared, 256)
