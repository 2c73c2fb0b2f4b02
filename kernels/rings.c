/* rings.c: statistics and limits of rings, and what stands above them; rings.h tells how. */
#include "kernels/rings.h"

#include "kernels/pixel-load.h"

/* (2^23)² times a CPU tile's 2^17 pixels is 2^63: no sum of a tile overflows. */
#define RING_LIMIT 8388607.0f

enum
{
  RING_BANKS =
      TEAM_IS_ONE ? 2 : 1,  /* neighbours are added to different ones: no addition waits for the one before */
  RING_SHIFT = 44,          /* a tile's sum lies below, its number of pixels above */
  RING_DUMP = FLK_RING_SPAN /* where bad pixels are added */
};

typedef struct
{
#if TEAM_IS_ONE
  _Alignas(16)
#endif
      uint64_t packed; /* n << RING_SHIFT plus the sum */
  uint64_t sq;
} RingSlot;

typedef struct
{
  RingSlot slots[FLK_RING_SPAN + 1][RING_BANKS];
  RingSlot word[TEAM_IS_ONE ? FLK_TILE_FS : 1]; /* what a pixel adds */
  float value[FLK_TILE_FS];
  int32_t whole[FLK_TILE_FS];
  int32_t low[FLK_TILE_FS],
      high[FLK_TILE_FS]; /* in_order(); INT32_MAX and INT32_MIN of pixels without a ring */
  uint16_t slot[FLK_TILE_FS];
  uint8_t good[FLK_TILE_FS];
} RingsShared;

DEVICE_FN int32_t
ring_whole (float value, float scale)
{
  float v = value * scale;
  v = v < RING_LIMIT ? v : RING_LIMIT;
  v = v > -RING_LIMIT ? v : -RING_LIMIT;
  return (int32_t) (v + (v < 0 ? -0.5f : 0.5f));
}

DEVICE_FN void
slots_clear (Team t, RingsShared *sh, FlkRingTile rings)
{
  TEAM_LOOP (r, rings.count, t)
    for (int bank = 0; bank < RING_BANKS; bank++)
      sh->slots[r][bank].packed = sh->slots[r][bank].sq = 0;
  team_barrier (t);
}

DEVICE_FN void
slot_add (RingSlot *slot, int32_t whole)
{
  int64_t v = whole;
  team_add_u64 (&slot->packed, ((uint64_t) 1 << RING_SHIFT) + (uint64_t) v);
  team_add_u64 (&slot->sq, (uint64_t) (v * v));
}

/* Adds the tile's sums to the shot's. */
DEVICE_FN void
slots_flush (Team t, const RingsShared *sh, FlkRadialBin *bins, FlkRingTile rings, bool alone)
{
  team_barrier (t);
  TEAM_LOOP (r, rings.count, t)
    {
      uint64_t packed = 0, sq = 0;
      for (int bank = 0; bank < RING_BANKS; bank++)
        {
          packed += sh->slots[r][bank].packed;
          sq += sh->slots[r][bank].sq;
        }
      if (!packed)
        continue;
      int64_t sum = (int64_t) (packed << (64 - RING_SHIFT)) >> (64 - RING_SHIFT);
      FlkRadialBin *bin = &bins[rings.first + r];
      if (TEAM_IS_ONE && alone)
        {
          bin->sum += sum;
          bin->sq_low += sq & 0xffffffff;
          bin->sq_high += sq >> 32;
          bin->n += (packed - (uint64_t) sum) >> RING_SHIFT;
          continue;
        }
      atomic_add_i64 (&bin->sum, sum);
      atomic_add_u64 (&bin->sq_low, sq & 0xffffffff);
      atomic_add_u64 (&bin->sq_high, sq >> 32);
      atomic_add_u64 (&bin->n, (packed - (uint64_t) sum) >> RING_SHIFT);
    }
}

/* --- the first round: all pixels, and the extremes of chunks --- */

/* Floats as whole numbers of the same order, whose extremes vectorise; and back. */
DEVICE_FN int32_t
in_order (float value)
{
  int32_t bits;
  memcpy (&bits, &value, sizeof bits);
  return bits ^ ((bits >> 31) & INT32_MAX);
}

DEVICE_FN float
out_of_order (int32_t bits)
{
  float value;
  bits ^= (bits >> 31) & INT32_MAX;
  memcpy (&value, &bits, sizeof value);
  return value;
}

DEVICE_FN FlkRingExtremes
chunk_extremes (const int32_t *RESTRICT low, const int32_t *RESTRICT high)
{
  int32_t least = INT32_MAX, most = INT32_MIN;
  for (int i = 0; i < FLK_RING_CHUNK; i++)
    least = low[i] < least ? low[i] : least;
  for (int i = 0; i < FLK_RING_CHUNK; i++)
    most = high[i] > most ? high[i] : most;
  FlkRingExtremes extremes = { least == INT32_MAX ? INFINITY : out_of_order (least),
                               most == INT32_MIN ? -INFINITY : out_of_order (most) };
  return extremes;
}

/* Adds a row to the tile's sums. */
DEVICE_FN void
row_add (Team t, RingsShared *sh, int n)
{
#if TEAM_IS_ONE
  typedef uint64_t Pair __attribute__ ((vector_size (16), may_alias));
  (void) t;
  for (int i = 0; i < n; i++)
    {
      uint32_t size = (uint32_t) (sh->whole[i] < 0 ? -sh->whole[i] : sh->whole[i]);
      sh->word[i].packed = ((uint64_t) 1 << RING_SHIFT) + (uint64_t) (int64_t) sh->whole[i];
      sh->word[i].sq = (uint64_t) size * size;
    }
  for (int i = 0; i < n; i += RING_BANKS) /* pixels beyond the row's end go to the dump */
    for (int bank = 0; bank < RING_BANKS; bank++)
      *(Pair *) &sh->slots[sh->slot[i + bank]][bank] +=
          *(const Pair *) &sh->word[i + bank]; /* both at once */
#else
  TEAM_LOOP (i, n, t)
    if (sh->slot[i] != RING_DUMP)
      slot_add (&sh->slots[sh->slot[i]][0], sh->whole[i]);
#endif
}

DEVICE_FN void
ring_sums_body (Team t, RingsShared *sh, const FlkRingsArgs *a)
{
  Tile tile = tile_of_team (t.index, a->panels, a->n_panels, a->tile_ss);
  int n = tile.fs1 - tile.fs0, n_chunks = (n + FLK_RING_CHUNK - 1) / FLK_RING_CHUNK;
  FlkRingTile rings = a->tiles[t.index];
  uint16_t base = rings.first, count = rings.count;
  float scale = a->scale;
  slots_clear (t, sh, rings);
  TEAM_LOOP (i, FLK_TILE_FS, t)
    {
      /* Beyond the row's end. */
      sh->whole[i] = 0;
      sh->slot[i] = RING_DUMP;
      sh->low[i] = INT32_MAX;
      sh->high[i] = INT32_MIN;
    }
  team_barrier (t);
  for (int ss = tile.ss0; ss < tile.ss1; ss++)
    {
      uint64_t first = tile.panel->offset + (uint64_t) ss * tile.panel->stride + (uint64_t) tile.fs0;
      const uint16_t *RESTRICT ring = a->ring + first;
      pixels_row (t, &a->pixels, tile.panel, first, n, sh->value, sh->good);
      VECTOR_LOOP
      TEAM_LOOP (i, n, t)
        {
          uint16_t slot = (uint16_t) (ring[i] - base);
          sh->whole[i] = ring_whole (sh->value[i], scale);
          bool none = (sh->good[i] == 0) | (slot >= count);
          int32_t v = in_order (sh->value[i]);
          sh->slot[i] = none ? (uint16_t) RING_DUMP : slot;
          sh->low[i] = none ? INT32_MAX : v;
          sh->high[i] = none ? INT32_MIN : v;
        }
      row_add (t, sh, n);
      team_barrier (t);
      uint64_t chunk = flk_ring_chunk (t.index, a->tile_ss, (uint32_t) (ss - tile.ss0), 0);
      TEAM_LOOP (c, n_chunks, t)
        a->extremes[chunk + (uint32_t) c] =
            chunk_extremes (sh->low + c * FLK_RING_CHUNK, sh->high + c * FLK_RING_CHUNK);
      team_barrier (t); /* before the next row's values */
    }
  slots_flush (t, sh, a->all, rings, a->alone);
}

/* --- limits --- */

typedef struct
{
  TeamSlots unused;
} LimitsShared;

DEVICE_FN double
bin_sum_sq (const FlkRadialBin *all, const FlkRadialBin *out)
{
  /* Low parts may be less than those taken away: the difference counts as a whole. */
  double high = (double) (int64_t) (all->sq_high - out->sq_high);
  return high * 4294967296.0 + (double) (int64_t) (all->sq_low - out->sq_low);
}

DEVICE_FN FlkRing
ring_of_sums (const FlkRingsArgs *a, const FlkRadialBin *all, const FlkRadialBin *out)
{
  uint64_t n = all->n - out->n;
  FlkRing empty = { 0, 0, a->compatible ? FLT_MIN : -FLT_MAX, FLT_MAX };
  if (n == 0)
    return empty;
  double scale = a->scale, mean = (double) (all->sum - out->sum) / (double) n / scale;
  double variance = bin_sum_sq (all, out) / (double) n / (scale * scale) - mean * mean;
  double sigma = variance > 0 ? sqrt (variance) : 0, high = mean + (double) a->min_snr * sigma;
  FlkRing ring = { (float) mean, (float) sigma, (float) (mean - (double) a->min_snr * sigma),
                   high > (double) a->threshold ? (float) high : a->threshold };
  return ring;
}

enum
{
  AROUND_BLOCK = 16
};

/* The tightest limits from each ring of a block on. */
DEVICE_FN void
rings_around (const FlkRingsArgs *a, uint32_t first)
{
  float low[AROUND_BLOCK + FLK_RING_AROUND], high[AROUND_BLOCK + FLK_RING_AROUND];
  float most[AROUND_BLOCK], least[AROUND_BLOCK];
  for (uint32_t i = 0; i < AROUND_BLOCK + FLK_RING_AROUND; i++)
    {
      bool there = first + i < a->n_rings;
      low[i] = there ? a->rings[first + i].low : -FLT_MAX;
      high[i] = there ? a->rings[first + i].high : FLT_MAX;
    }
  for (int i = 0; i < AROUND_BLOCK; i++)
    {
      most[i] = low[i];
      least[i] = high[i];
    }
  for (int k = 1; k < FLK_RING_AROUND; k++)
    for (int i = 0; i < AROUND_BLOCK; i++)
      {
        most[i] = low[i + k] > most[i] ? low[i + k] : most[i];
        least[i] = high[i + k] < least[i] ? high[i + k] : least[i];
      }
  for (uint32_t i = 0; i < AROUND_BLOCK && first + i < a->n_rings; i++)
    {
      FlkRingAround around = { most[i], least[i] };
      a->around[first + i] = around;
    }
}

DEVICE_FN void
ring_limits_body (Team t, LimitsShared *sh, const FlkRingsArgs *a)
{
  (void) sh;
  TEAM_LOOP (r, a->n_rings, t)
    {
      a->rings[r] = ring_of_sums (a, &a->all[r], &a->out[r]);
      memset (&a->out[r], 0, sizeof a->out[r]);
    }
  team_barrier (t);
  TEAM_LOOP (block, (a->n_rings + AROUND_BLOCK - 1) / AROUND_BLOCK, t)
    rings_around (a, (uint32_t) block * AROUND_BLOCK);
}

/* --- later rounds, and the mask --- */

/* A chunk's place in the shot. */
typedef struct
{
  uint64_t index, pixel;
  int width;
} Chunk;

DEVICE_FN Chunk
tile_chunk (Team t, const Tile *tile, uint32_t tile_ss, int number)
{
  int row = number / FLK_RING_CHUNKS, fs = number % FLK_RING_CHUNKS * FLK_RING_CHUNK;
  int left = tile->fs1 - tile->fs0 - fs;
  Chunk chunk;
  chunk.index = flk_ring_chunk (t.index, tile_ss, (uint32_t) row, (uint32_t) fs);
  chunk.pixel =
      tile->panel->offset + (uint64_t) (tile->ss0 + row) * tile->panel->stride + (uint64_t) (tile->fs0 + fs);
  chunk.width = left < FLK_RING_CHUNK ? left : FLK_RING_CHUNK; /* <= 0: beyond the row's end */
  return chunk;
}

DEVICE_FN bool
is_outlier (const FlkRing *ring, float v, bool compatible)
{
  return compatible ? !(v > ring->low && v < ring->high) : !(v >= ring->low && v <= ring->high);
}

/* Adds a chunk's outliers to the tile's sums. */
LARGE_FN void
chunk_outliers (RingsShared *sh, const FlkRingsArgs *a, const Tile *tile, const Chunk *chunk,
                FlkRingTile rings)
{
  Team alone = { 0, 0, 1 };
  float value[FLK_RING_CHUNK];
  uint8_t good[FLK_RING_CHUNK];
  pixels_row (alone, &a->pixels, tile->panel, chunk->pixel, chunk->width, value, good);
  for (int i = 0; i < chunk->width; i++)
    {
      uint32_t ring = a->ring[chunk->pixel + (uint64_t) i], slot = ring - rings.first;
      if (good[i] && slot < rings.count && is_outlier (&a->rings[ring], value[i], a->compatible))
        slot_add (&sh->slots[slot][0], ring_whole (value[i], a->scale));
    }
}

DEVICE_FN void
ring_outliers_body (Team t, RingsShared *sh, const FlkRingsArgs *a)
{
  Tile tile = tile_of_team (t.index, a->panels, a->n_panels, a->tile_ss);
  FlkRingTile rings = a->tiles[t.index];
  slots_clear (t, sh, rings);
  TEAM_LOOP (number, (tile.ss1 - tile.ss0) * FLK_RING_CHUNKS, t)
    {
      Chunk chunk = tile_chunk (t, &tile, a->tile_ss, number);
      if (chunk.width <= 0 || a->first[chunk.index] == FLK_RING_NONE)
        continue;
      FlkRingExtremes have = a->extremes[chunk.index];
      FlkRingAround allowed = a->around[a->first[chunk.index]];
      if (!(have.min > allowed.low && have.max < allowed.high))
        chunk_outliers (sh, a, &tile, &chunk, rings);
    }
  slots_flush (t, sh, a->out, rings, a->alone);
}

LARGE_FN void
chunk_strong (const FlkRingsArgs *a, const Tile *tile, const Chunk *chunk)
{
  Team alone = { 0, 0, 1 };
  float value[FLK_RING_CHUNK];
  uint8_t good[FLK_RING_CHUNK];
  pixels_row (alone, &a->pixels, tile->panel, chunk->pixel, chunk->width, value, good);
  for (int i = 0; i < chunk->width; i++)
    {
      uint32_t ring = a->ring[chunk->pixel + (uint64_t) i];
      a->strong[chunk->pixel + (uint64_t) i] =
          (uint8_t) (good[i] && ring != FLK_RING_NONE && value[i] > a->rings[ring].high);
    }
}

typedef struct
{
  TeamSlots unused;
} StrongShared;

DEVICE_FN void
ring_strong_body (Team t, StrongShared *sh, const FlkRingsArgs *a)
{
  (void) sh;
  Tile tile = tile_of_team (t.index, a->panels, a->n_panels, a->tile_ss);
  TEAM_LOOP (number, (tile.ss1 - tile.ss0) * FLK_RING_CHUNKS, t)
    {
      Chunk chunk = tile_chunk (t, &tile, a->tile_ss, number);
      if (chunk.width <= 0)
        continue;
      uint32_t first = a->first[chunk.index];
      if (first != FLK_RING_NONE && a->extremes[chunk.index].max > a->around[first].high)
        chunk_strong (a, &tile, &chunk);
      else if (chunk.width == FLK_RING_CHUNK)
        memset (a->strong + chunk.pixel, 0, FLK_RING_CHUNK);
      else
        memset (a->strong + chunk.pixel, 0, (size_t) chunk.width);
    }
}

KERNEL (ring_sums, FlkRingsArgs, RingsShared, 256)
KERNEL (ring_limits, FlkRingsArgs, LimitsShared, 256)
KERNEL (ring_outliers, FlkRingsArgs, RingsShared, 256)
KERNEL (ring_strong, FlkRingsArgs, StrongShared, 256)
