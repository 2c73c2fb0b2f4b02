/* rings-plan.c: which rings tiles and chunks touch. */
#include "kernels/rings.h"

/* Of a team's tile; returns one more than its last ring. */
static uint32_t
plan_tile (const FlkPanel *panel, uint32_t team, uint32_t tile_ss, const uint16_t *ring, uint16_t *first,
           FlkRingTile *tile)
{
  uint32_t i = team - panel->first_tile, least = FLK_RING_NONE, most = 0;
  uint32_t fs0 = i % panel->tiles_fs * FLK_TILE_FS, ss0 = i / panel->tiles_fs * tile_ss;
  for (uint32_t ss = ss0; ss < ss0 + tile_ss && ss < panel->n_ss; ss++)
    for (uint32_t fs = fs0; fs < fs0 + FLK_TILE_FS && fs < panel->n_fs; fs++)
      {
        uint16_t r = ring[panel->offset + ss * panel->stride + fs];
        uint16_t *chunk = &first[flk_ring_chunk (team, tile_ss, ss - ss0, fs - fs0)];
        if ((fs - fs0) % FLK_RING_CHUNK == 0 || r < *chunk)
          *chunk = r;
        if (r == FLK_RING_NONE)
          continue;
        least = r < least ? r : least;
        most = r > most ? r : most;
      }
  bool none = least == FLK_RING_NONE;
  tile->first = none ? 0 : (uint16_t) least;
  tile->count = none ? 0 : (uint16_t) (most - least + 1);
  return none ? 0 : most + 1;
}

uint32_t
flk_rings_plan (const FlkPanel *panels, uint32_t n_panels, uint32_t teams, uint32_t tile_ss,
                const uint16_t *ring, uint16_t *first, FlkRingTile *tiles)
{
  uint32_t n_rings = 1;
  for (uint32_t team = 0, p = 0; team < teams; team++)
    {
      while (p + 1 < n_panels && panels[p + 1].first_tile <= team)
        p++;
      uint32_t n = plan_tile (&panels[p], team, tile_ss, ring, first, &tiles[team]);
      n_rings = n > n_rings ? n : n_rings;
    }
  return n_rings;
}
