/* calibrate.c: raw pixels to counts and a mask, one tile a team. */
#include "kernels/calibrate.h"

#include "kernels/pixel-load.h"

typedef struct
{
  float value[FLK_TILE_FS];
  uint8_t good[FLK_TILE_FS];
} CalibrateShared;

DEVICE_FN void
calibrate_body (Team t, CalibrateShared *sh, const FlkCalibrateArgs *a)
{
  Tile tile = tile_of_team (t.index, a->panels, a->n_panels, a->tile_ss);
  int n = tile.fs1 - tile.fs0;
  for (int ss = tile.ss0; ss < tile.ss1; ss++)
    {
      uint64_t first = tile.panel->offset + (uint64_t) ss * tile.panel->stride + (uint64_t) tile.fs0;
      pixels_row (t, &a->pixels, tile.panel, first, n, sh->value, sh->good);
      /* No barrier: each thread writes out what it loaded itself. */
      float *RESTRICT counts = a->counts + first;
      VECTOR_LOOP
      TEAM_LOOP (i, n, t)
        counts[i] = sh->value[i];
      if (a->bad)
        {
          uint8_t *RESTRICT bad = a->bad + first;
          VECTOR_LOOP
          TEAM_LOOP (i, n, t)
            bad[i] = (uint8_t) !sh->good[i];
        }
      if (a->picture)
        {
          float *RESTRICT picture = a->picture + first;
          VECTOR_LOOP
          TEAM_LOOP (i, n, t)
            picture[i] = sh->good[i] ? sh->value[i] : -INFINITY;
        }
    }
}

KERNEL (calibrate, FlkCalibrateArgs, CalibrateShared, 256)
