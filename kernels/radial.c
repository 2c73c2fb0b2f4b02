/* radial.c: radial profile of a tile in shared memory as whole numbers, then added to the shot's. */
#include "kernels/radial.h"

#include "kernels/pixel-load.h"

typedef struct
{
  uint64_t sq[FLK_RADIAL_BINS_MAX];
  int64_t sum[FLK_RADIAL_BINS_MAX];
  uint32_t n[FLK_RADIAL_BINS_MAX];
  float value[FLK_TILE_FS];
  int32_t whole[FLK_TILE_FS];
  uint8_t good[FLK_TILE_FS];
} RadialShared;

/* (2^23)² times a CPU tile's 2^17 pixels is 2^63: no sum of a tile overflows. */
#define RADIAL_LIMIT 8388607.0f

DEVICE_FN void
radial_body (Team t, RadialShared *sh, const FlkRadialArgs *a)
{
  Tile tile = tile_of_team (t.index, a->panels, a->n_panels, a->tile_ss);
  int n = tile.fs1 - tile.fs0;
  TEAM_LOOP (b, a->n_bins, t)
    {
      sh->sum[b] = 0;
      sh->sq[b] = 0;
      sh->n[b] = 0;
    }
  team_barrier (t);
  for (int ss = tile.ss0; ss < tile.ss1; ss++)
    {
      uint64_t first = tile.panel->offset + (uint64_t) ss * tile.panel->stride + (uint64_t) tile.fs0;
      const uint16_t *RESTRICT bin = a->bin + first;
      pixels_row (t, &a->pixels, tile.panel, first, n, sh->value, sh->good);
      VECTOR_LOOP
      TEAM_LOOP (i, n, t)
        {
          float v = sh->value[i] * a->scale;
          v = v < RADIAL_LIMIT ? v : RADIAL_LIMIT;
          v = v > -RADIAL_LIMIT ? v : -RADIAL_LIMIT;
          sh->whole[i] = (int32_t) (v + (v < 0 ? -0.5f : 0.5f));
        }
      TEAM_LOOP (i, n, t)
        if (sh->good[i] && bin[i] < a->n_bins)
          {
            int64_t v = sh->whole[i];
            team_add_i64 (&sh->sum[bin[i]], v);
            team_add_u64 (&sh->sq[bin[i]], (uint64_t) (v * v));
            team_add_u32 (&sh->n[bin[i]], 1);
          }
    }
  team_barrier (t);
  TEAM_LOOP (b, a->n_bins, t)
    if (sh->n[b])
      {
        atomic_add_i64 (&a->bins[b].sum, sh->sum[b]);
        atomic_add_u64 (&a->bins[b].sq_low, sh->sq[b] & 0xffffffff);
        atomic_add_u64 (&a->bins[b].sq_high, sh->sq[b] >> 32);
        atomic_add_u64 (&a->bins[b].n, sh->n[b]);
      }
}

KERNEL (radial, FlkRadialArgs, RadialShared, 256)
