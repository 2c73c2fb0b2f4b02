/* dispersion-extended.c: the second and third step of the extended threshold; formulas in dispersion.h.
 *
 * "dispersion_halo" left the halo in `strong`. Erosion writes the eroded region to `scratch`; the last step judges its
 * pixels, few as a rule, one by one against the background around them and writes `strong`. */
#include "kernels/dispersion.h"

#include "kernels/pixel-load.h"

typedef struct
{
  int unused;
} Nothing;

/* Rows [ss0, ss1) and columns [fs0, fs1) of a panel within `reach` of a pixel. */
typedef struct
{
  int fs0, fs1, ss0, ss1;
} Patch;

DEVICE_FN Patch
patch_around (const FlkPanel *panel, int fs, int ss, int reach_fs, int reach_ss)
{
  Patch patch;
  patch.fs0 = fs - reach_fs > 0 ? fs - reach_fs : 0;
  patch.ss0 = ss - reach_ss > 0 ? ss - reach_ss : 0;
  patch.fs1 = fs + reach_fs + 1 < (int) panel->n_fs ? fs + reach_fs + 1 : (int) panel->n_fs;
  patch.ss1 = ss + reach_ss + 1 < (int) panel->n_ss ? ss + reach_ss + 1 : (int) panel->n_ss;
  return patch;
}

DEVICE_FN bool
eight_zeros (const uint8_t *bytes)
{
  uint64_t word;
  memcpy (&word, bytes, 8);
  return word == 0;
}

DEVICE_FN uint8_t
eroded (const uint8_t *halo, const FlkPanel *panel, int fs, int ss, int reach)
{
  Patch patch = patch_around (panel, fs, ss, reach, reach);
  for (int j = patch.ss0; j < patch.ss1; j++)
    for (int i = patch.fs0; i < patch.fs1; i++)
      if (!halo[panel->offset + (uint64_t) j * panel->stride + (uint64_t) i])
        return 0;
  return 1;
}

DEVICE_FN void
dispersion_erode_body (Team t, Nothing *sh, const FlkDispersionArgs *a)
{
  (void) sh;
  Tile tile = tile_of_team (t.index, a->panels, a->n_panels, a->tile_ss);
  int n = tile.fs1 - tile.fs0, groups = (n + 7) / 8;
  int reach = (a->half_fs < a->half_ss ? a->half_fs : a->half_ss) - 1;
  TEAM_LOOP (g, groups * (tile.ss1 - tile.ss0), t)
    {
      int ss = tile.ss0 + g / groups, fs = tile.fs0 + g % groups * 8;
      int width = tile.fs1 - fs < 8 ? tile.fs1 - fs : 8;
      uint64_t first = tile.panel->offset + (uint64_t) ss * tile.panel->stride + (uint64_t) fs;
      if (width == 8 && eight_zeros (a->strong + first))
        memset (a->scratch + first, 0, 8);
      else
        for (int i = 0; i < width; i++)
          a->scratch[first + (uint64_t) i]
            = a->strong[first + (uint64_t) i] && eroded (a->strong, tile.panel, fs + i, ss, reach);
    }
}

DEVICE_FN uint8_t
stands_out (const FlkDispersionArgs *a, const FlkPanel *panel, int fs, int ss)
{
  uint64_t index = panel->offset + (uint64_t) ss * panel->stride + (uint64_t) fs;
  float p;
  if (!a->scratch[index] || !pixel_at (&a->pixels, panel, index, &p) || !((double) p > a->global_threshold))
    return 0;
  Patch patch = patch_around (panel, fs, ss, a->half_fs + 2, a->half_ss + 2);
  double m = 0, x = 0;
  for (int j = patch.ss0; j < patch.ss1; j++)
    for (int i = patch.fs0; i < patch.fs1; i++)
      {
        uint64_t other = panel->offset + (uint64_t) j * panel->stride + (uint64_t) i;
        float v;
        if (!a->scratch[other] && pixel_at (&a->pixels, panel, other, &v) && v < 16777216.0f)
          {
            m += 1;
            x += (double) v;
          }
      }
  double mean = m >= 2 ? x / m : 0, gain = a->gain_map ? (double) a->gain_map[index] : a->gain;
  return x >= 0 && (double) p >= mean + a->sigma_strong * sqrt (gain * mean);
}

DEVICE_FN void
dispersion_extended_body (Team t, Nothing *sh, const FlkDispersionArgs *a)
{
  (void) sh;
  Tile tile = tile_of_team (t.index, a->panels, a->n_panels, a->tile_ss);
  int n = tile.fs1 - tile.fs0, groups = (n + 7) / 8;
  TEAM_LOOP (g, groups * (tile.ss1 - tile.ss0), t)
    {
      int ss = tile.ss0 + g / groups, fs = tile.fs0 + g % groups * 8;
      int width = tile.fs1 - fs < 8 ? tile.fs1 - fs : 8;
      uint64_t first = tile.panel->offset + (uint64_t) ss * tile.panel->stride + (uint64_t) fs;
      if (width == 8 && eight_zeros (a->scratch + first))
        memset (a->strong + first, 0, 8);
      else
        for (int i = 0; i < width; i++)
          a->strong[first + (uint64_t) i] = stands_out (a, tile.panel, fs + i, ss);
    }
}

KERNEL (dispersion_erode, FlkDispersionArgs, Nothing, 256)
KERNEL (dispersion_extended, FlkDispersionArgs, Nothing, 256)
