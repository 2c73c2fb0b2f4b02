/* profile.c: medians and quartiles of 2θ bins, and what stands above them; profile.h tells how. */
#include "kernels/profile.h"

#include "kernels/pixel-load.h"

enum
{
  HALF_MAX = 2, /* px, of the blur */
  ROWS = 2 * HALF_MAX + 1,
  WIDE = FLK_TILE_FS + 2 * HALF_MAX
};

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
    for (int m = 0; m < all - n; m++)
      {
        int i = m < left ? m : n + m, from = m < left ? left : left + n - 1;
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
      const uint16_t *RESTRICT bin = a->bin + first;
      float *RESTRICT value = a->value + first;
      VECTOR_LOOP
      TEAM_LOOP (i, n, t)
        value[i] = sh->good[half][half + i] && bin[i] != FLK_PROFILE_NO_BIN ? sh->value[half][half + i] : NAN;
      TEAM_LOOP (i, half > 0 ? n : 0, t)
        if (value[i] == value[i])
          value[i] = blurred (sh, half, i);
      const uint32_t *RESTRICT place = a->place + first;
      TEAM_LOOP (i, n, t)
        if (bin[i] != FLK_PROFILE_NO_BIN)
          a->by_bin[place[i]] = value[i] == value[i] ? value[i] : INFINITY;
      team_barrier (t); /* before the next row's values */
    }
}

/* --- limits: order statistics --- */

enum
{
  LEVEL_BITS = 11,
  LEVEL_SIZE = 1 << LEVEL_BITS,
  BUCKETS = 256, /* of a team of one thread */
  CHUNK = 64,
  FEW = 64 /* values of a bucket that are put in order */
};

typedef struct
{
  uint32_t count[LEVEL_SIZE];
  uint32_t bucket, before; /* where a rank lies, and how many values come before its bucket */
  uint32_t n_good;
  /* A team of one thread: bucket of value v is (v − least) × scale; bucket `known` − 1 is in `few`. */
  float least, scale;
  uint32_t known;
  float few[FEW];
  float last[BUCKETS];      /* the last value that came to each bucket */
  uint32_t differ[BUCKETS]; /* how often it was not that before it, the first included */
} LimitsShared;

/* Floats as whole numbers of the same order, and back. */
DEVICE_FN uint32_t
key_of (float value)
{
  uint32_t bits;
  memcpy (&bits, &value, sizeof bits);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

DEVICE_FN float
value_of (uint32_t key)
{
  uint32_t bits = key & 0x80000000u ? key & 0x7fffffffu : ~key;
  float value;
  memcpy (&value, &bits, sizeof value);
  return value;
}

/* The value of rank `rank` (from 0) of n: 11, 11 and 10 bits at a time, from the top (radix selection). */
DEVICE_FN float
select_by_counting (Team t, LimitsShared *sh, const float *values, uint32_t n, uint32_t rank)
{
  uint32_t found = 0, known = 0; /* bits known so far */
  for (int level = 0; level < 3; level++)
    {
      int shift = level == 0 ? 21 : level == 1 ? 10 : 0, size = level == 2 ? LEVEL_SIZE / 2 : LEVEL_SIZE;
      TEAM_LOOP (b, size, t)
        sh->count[b] = 0;
      team_barrier (t);
      TEAM_LOOP (i, n, t)
        {
          uint32_t key = key_of (values[i]);
          if ((key & known) == found)
            team_add_u32 (&sh->count[key >> shift & (uint32_t) (size - 1)], 1);
        }
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
  return value_of (found);
}

/* The same by partitions (Hoare 1961): the value comes to its place. */
LARGE_FN float
select_in_place (float *values, int n, int rank)
{
  int low = 0, high = n - 1;
  while (low < high)
    {
      float pivot = values[(low + high) / 2];
      int i = low, j = high;
      while (i <= j)
        {
          while (values[i] < pivot)
            i++;
          while (values[j] > pivot)
            j--;
          if (i > j)
            break;
          float swap = values[i];
          values[i++] = values[j];
          values[j--] = swap;
        }
      if (rank <= j)
        high = j;
      else if (rank >= i)
        low = i;
      else
        break;
    }
  return values[rank];
}

/* Buckets of values that are in the same order; what lies beside the range goes to the first and last. */
DEVICE_FN void
find_buckets (const LimitsShared *sh, const float *RESTRICT values, uint32_t n, uint8_t *RESTRICT bucket)
{
  float least = sh->least, scale = sh->scale;
  VECTOR_LOOP
  for (uint32_t i = 0; i < n; i++)
    {
      float at = (values[i] - least) * scale;
      at = at < BUCKETS - 1 ? at : BUCKETS - 1;
      at = at > 0 ? at : 0;
      bucket[i] = (uint8_t) (int32_t) at;
    }
}

/* Counts the buckets of values between those of a sample. */
DEVICE_FN void
count_buckets (LimitsShared *sh, const float *values, uint32_t n)
{
  float least = INFINITY, most = -INFINITY;
  uint32_t step = n / CHUNK + 1;
  for (uint32_t i = 0; i < n; i += step)
    {
      least = values[i] < least ? values[i] : least;
      most = values[i] > most && values[i] < INFINITY ? values[i] : most;
    }
  sh->least = least < INFINITY ? least : 0;
  sh->scale = most > least && (BUCKETS - 1) / (most - least) < INFINITY ? (BUCKETS - 1) / (most - least) : 1;
  sh->bucket = sh->before = sh->known = 0;
  for (int b = 0; b < BUCKETS; b++)
    {
      sh->count[b] = sh->differ[b] = 0;
      sh->last[b] = NAN;
    }
  for (uint32_t begin = 0; begin < n; begin += CHUNK)
    {
      uint8_t bucket[CHUNK];
      uint32_t width = n - begin < CHUNK ? n - begin : CHUNK;
      find_buckets (sh, values + begin, width, bucket);
      for (uint32_t i = 0; i < width; i++)
        {
          float v = values[begin + i];
          sh->count[bucket[i]]++;
          sh->differ[bucket[i]] += sh->last[bucket[i]] != v;
          sh->last[bucket[i]] = v;
        }
    }
}

DEVICE_FN void
put_in_order (float *values, uint32_t n)
{
  for (uint32_t i = 1; i < n; i++)
    {
      float v = values[i];
      uint32_t k = i;
      for (; k > 0 && values[k - 1] > v; k--)
        values[k] = values[k - 1];
      values[k] = v;
    }
}

/* The few values of the bucket that the rank lies in, in order. */
DEVICE_FN void
know_bucket (LimitsShared *sh, const float *values, uint32_t n)
{
  uint32_t there = 0;
  for (uint32_t begin = 0; begin < n; begin += CHUNK)
    {
      uint8_t bucket[CHUNK] = { 0 }, any = 0;
      uint32_t width = n - begin < CHUNK ? n - begin : CHUNK;
      uint8_t wanted = (uint8_t) sh->bucket;
      find_buckets (sh, values + begin, width, bucket);
      for (int i = 0; i < CHUNK; i++)
        any |= bucket[i] == wanted;
      for (uint32_t i = 0; any && i < width; i++)
        if (bucket[i] == wanted)
          sh->few[there++] = values[begin + i];
    }
  put_in_order (sh->few, there);
  sh->known = sh->bucket + 1;
}

/* By buckets; ranks in ascending order. */
DEVICE_FN float
select_by_buckets (LimitsShared *sh, float *values, uint32_t n, uint32_t rank)
{
  while (sh->before + sh->count[sh->bucket] <= rank)
    sh->before += sh->count[sh->bucket++];
  if (sh->differ[sh->bucket] == 1)
    return sh->last[sh->bucket];
  if (sh->count[sh->bucket] > FEW)
    return select_in_place (values, (int) n, (int) rank);
  if (sh->known != sh->bucket + 1)
    know_bucket (sh, values, n);
  return sh->few[rank - sh->before];
}

/* Ranks in ascending order. */
DEVICE_FN double
order_statistic (Team t, LimitsShared *sh, float *values, uint32_t n, uint32_t rank)
{
  return (double) (TEAM_IS_ONE ? select_by_buckets (sh, values, n, rank)
                               : select_by_counting (t, sh, values, n, rank));
}

/* Between the statistics about (n_good - 1) part. */
DEVICE_FN double
quartile (Team t, LimitsShared *sh, float *values, uint32_t n, uint32_t n_good, double part)
{
  double at = (n_good - 1) * part, h = at - floor (at);
  double low = order_statistic (t, sh, values, n, (uint32_t) floor (at));
  double high = h > 0 ? order_statistic (t, sh, values, n, (uint32_t) floor (at) + 1) : low;
  return (1 - h) * low + h * high;
}

DEVICE_FN double
bin_limit (Team t, LimitsShared *sh, float *values, uint32_t n, uint32_t n_good, const FlkProfileArgs *a,
           double gain)
{
  double median = 0, iqr = 0;
  if (n_good > 0)
    {
      if (TEAM_IS_ONE)
        count_buckets (sh, values, n);
      double first = quartile (t, sh, values, n, n_good, 0.25);
      median = quartile (t, sh, values, n, n_good, 0.5);
      iqr = quartile (t, sh, values, n, n_good, 0.75) - first;
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
    mine += a->by_bin[first + (uint32_t) i] < INFINITY;
  team_add_u32 (&sh->n_good, mine);
  team_barrier (t);
  double gain = a->gain_map ? (double) a->gain_map[panel->offset] : a->gain;
  double limit = bin_limit (t, sh, a->by_bin + first, n, sh->n_good, a, gain);
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
