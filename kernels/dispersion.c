/* dispersion.c: strong pixels by the index of dispersion, and the first step of the extended form; formulas and paper
 * in dispersion.h. */
#include "kernels/dispersion.h"

#include "kernels/dispersion-window.h"

enum
{
  CHUNK = 64 /* columns that a CPU tests together: skipped when no pixel is above the global threshold */
};

/* What of the formulas the tile's columns from `i0` on fulfil, as bytes: for "halo" the first condition; else all but
 * the peak condition, of which b > 0 alone is asked. Returns whether any does. */
DEVICE_FN bool
dispersion_candidates (const Window *w, const FlkDispersionArgs *a, const float *RESTRICT centre,
                       const uint8_t *RESTRICT counted, const float *RESTRICT gain, int i0, int n, int half_fs, bool halo,
                       uint8_t *RESTRICT out)
{
  const double *RESTRICT column_x = w->x + i0, *RESTRICT column_y = w->y + i0;
  const double *RESTRICT window_m = w->window_m + i0, *RESTRICT window_k = w->window_k + i0;
  double min_local = a->min_local, global = a->global_threshold, one_gain = a->gain;
  uint8_t any = 0;
  VECTOR_LOOP
  for (int i = 0; i < n; i++)
    {
      double x = 0, y = 0;
      for (int k = 0; k < 2 * half_fs + 1; k++)
        {
          x += column_x[i + k];
          y += column_y[i + k];
        }
      double m = window_m[i], g = gain ? (double) gain[i] : one_gain, p = centre[i];
      double c = g * x * window_k[i];
      bool first = (m * y - x * x > c) & (m >= min_local) & (x >= 0);
      bool second = halo ? counted[i] | (centre[i] >= WINDOW_BIG) : (p > global) & (m * p - x > 0);
      uint8_t yes = (uint8_t) (first & second);
      out[i] = yes;
      any |= yes;
    }
  return any != 0;
}

/* The peak condition, for the few that are left. */
DEVICE_FN void
dispersion_peaks (const Window *w, const FlkDispersionArgs *a, const float *centre, const float *gain, int i0, int n,
                  int half_fs, uint8_t *out)
{
  for (int i = 0; i < n; i++)
    if (out[i])
      {
        double x = 0;
        for (int k = 0; k < 2 * half_fs + 1; k++)
          x += w->x[i0 + i + k];
        double m = w->window_m[i0 + i], g = gain ? (double) gain[i] : a->gain;
        out[i] = m * (double) centre[i] - x > a->sigma_strong * sqrt (g * x * m);
      }
}

DEVICE_FN void
dispersion_test (const Window *w, const FlkDispersionArgs *a, const float *centre, const uint8_t *counted,
                 const float *gain, int i0, int n, int half_fs, bool halo, uint8_t *out)
{
  if (dispersion_candidates (w, a, centre, counted, gain, i0, n, half_fs, halo, out) && !halo)
    dispersion_peaks (w, a, centre, gain, i0, n, half_fs, out);
}

DEVICE_FN bool
dispersion_any_above (const float *RESTRICT value, int n, float threshold)
{
  bool any = false;
  VECTOR_LOOP
  for (int i = 0; i < n; i++)
    any |= value[i] > threshold;
  return any;
}

/* One row of the tile, columns dealt to the team. */
DEVICE_FN void
dispersion_row (Team t, const Window *w, const FlkDispersionArgs *a, const Tile *tile, int row, int half_fs, bool halo)
{
  uint64_t first = tile->panel->offset + (uint64_t) row * tile->panel->stride + (uint64_t) tile->fs0;
  int n = tile->fs1 - tile->fs0, slot = row % (2 * a->half_ss + 1);
  const float *centre = w->value[slot] + half_fs;
  const uint8_t *counted = w->counted[slot] + half_fs;
  const float *gain = a->gain_map ? a->gain_map + first : NULL;
  uint8_t *out = a->strong + first;
  const int step = TEAM_IS_ONE ? CHUNK : 1;
  /* The greatest float that is not above the threshold separates floats as the threshold itself does. */
  float threshold = (float) a->global_threshold;
  if ((double) threshold > a->global_threshold)
    threshold = nextafterf (threshold, -INFINITY);

  TEAM_LOOP (chunk, (n + step - 1) / step, t)
    {
      int i0 = chunk * step, width = n - i0 < step ? n - i0 : step;
      if (!halo && !dispersion_any_above (centre + i0, width, threshold))
        memset (out + i0, 0, (size_t) width);
      else if (gain)
        dispersion_test (w, a, centre + i0, counted + i0, gain + i0, i0, width, half_fs, halo, out + i0);
      else
        dispersion_test (w, a, centre + i0, counted + i0, NULL, i0, width, half_fs, halo, out + i0);
    }
}

DEVICE_FN void
dispersion_tile (Team t, Window *w, const FlkDispersionArgs *a, int half_fs, bool halo)
{
  Tile tile = tile_of_team (t.index, a->panels, a->n_panels, a->tile_ss);
  int ring = 2 * a->half_ss + 1, n = tile.fs1 - tile.fs0;
  int above = tile.ss0 - a->half_ss > 0 ? tile.ss0 - a->half_ss : 0;

  window_clear (t, w, ring);
  team_barrier (t);
  for (int row = above; row < tile.ss0 + a->half_ss; row++)
    window_push (t, w, &a->pixels, &tile, half_fs, ring, row);
  for (int row = tile.ss0; row < tile.ss1; row++)
    {
      bool changed = window_push (t, w, &a->pixels, &tile, half_fs, ring, row + a->half_ss);
      if (row % WINDOW_FRESH == 0)
        {
          team_barrier (t); /* it reads other threads' columns */
          window_refresh (t, w, ring, row - a->half_ss);
        }
      team_barrier (t);
      if (changed || row == tile.ss0)
        window_count (t, w, n, half_fs, a->sigma_background);
      dispersion_row (t, w, a, &tile, row, half_fs, halo);
      team_barrier (t);
    }
}

/* The usual window has its own, unrolled body. */
DEVICE_FN void
dispersion_body (Team t, Window *w, const FlkDispersionArgs *a)
{
  if (a->half_fs == 3)
    dispersion_tile (t, w, a, 3, false);
  else
    dispersion_tile (t, w, a, a->half_fs, false);
}

DEVICE_FN void
dispersion_halo_body (Team t, Window *w, const FlkDispersionArgs *a)
{
  if (a->half_fs == 3)
    dispersion_tile (t, w, a, 3, true);
  else
    dispersion_tile (t, w, a, a->half_fs, true);
}

KERNEL (dispersion, FlkDispersionArgs, Window, 256)
KERNEL (dispersion_halo, FlkDispersionArgs, Window, 256)
