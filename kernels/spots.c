/* spots.c: strong pixels of a panel to spots. One team a panel.
 *
 * Components: union–find over the list of strong pixels; a root is always the component's first pixel, so the result
 * does not depend on which thread joined what first. Sums over a spot are made by one thread in raster order, so they
 * are equal to the last bit whatever the team size. */
#include "kernels/spots.h"

#include "kernels/pixel-load.h"
#include "kernels/spot-lists.h"

enum
{
  BORDER = 3 /* px around a spot where its background is measured */
};

typedef struct
{
  TeamSlots slots;
} SpotsShared;

/* One panel's share of the launch. */
typedef struct
{
  const FlkSpotsArgs *a;
  const FlkPanel *panel;
  uint32_t *list, *label; /* label: index of the component's first pixel */
  uint32_t *size;         /* at that index: pixels of the component, then its spot number */
  FlkSpot *spots;
} PanelWork;

/* The thread's share of n things in one piece, so that what it numbers comes in order. */
DEVICE_FN void
team_piece (Team t, uint32_t n, uint32_t *begin, uint32_t *end)
{
  *begin = (uint32_t) ((uint64_t) n * t.rank / t.size);
  *end = (uint32_t) ((uint64_t) n * (t.rank + 1) / t.size);
}

/* Strong pixels of rows [begin, end): counts them, and writes the first `room` to `list` when it is not NULL. */
DEVICE_FN uint32_t
gather_rows (const PanelWork *w, uint32_t begin, uint32_t end, uint32_t *list, uint32_t room)
{
  uint32_t n = 0, n_fs = w->panel->n_fs;
  for (uint32_t ss = begin; ss < end; ss++)
    {
      const uint8_t *row = w->a->strong + w->panel->offset + ss * w->panel->stride;
      for (uint32_t fs = 0; fs < n_fs; fs += 8)
        {
          uint64_t word = 0;
          if (n_fs - fs >= 8)
            memcpy (&word, row + fs, 8);
          else
            memcpy (&word, row + fs, n_fs - fs);
          if (word == 0)
            continue;
          for (uint32_t i = fs; i < n_fs && i < fs + 8; i++)
            if (row[i])
              {
                if (list && n < room)
                  list[n] = ss * n_fs + i;
                n++;
              }
        }
    }
  return n;
}

/* The list of strong pixels; returns how many there are, which may be more than fit. */
DEVICE_FN uint32_t
gather (Team t, SpotsShared *sh, const PanelWork *w)
{
  uint32_t begin, end, total, capacity = w->a->list_capacity;
  team_piece (t, w->panel->n_ss, &begin, &end);
  if (TEAM_IS_ONE)
    return gather_rows (w, begin, end, w->list, capacity);
  uint32_t mine = gather_rows (w, begin, end, NULL, 0);
  uint32_t before = team_scan_u32 (t, &sh->slots, mine, &total);
  if (mine && before < capacity)
    gather_rows (w, begin, end, w->list + before, capacity - before);
  return total;
}

DEVICE_FN uint32_t
find_root (uint32_t *label, uint32_t i)
{
  uint32_t parent;
  while ((parent = team_load_u32 (&label[i])) != i)
    i = parent;
  return i;
}

/* Joins the components of i and j: the later root is hung under the earlier (Jaiganesh & Burtscher 2018). */
DEVICE_FN void
unite (uint32_t *label, uint32_t i, uint32_t j)
{
  i = find_root (label, i);
  j = find_root (label, j);
  while (i != j)
    {
      uint32_t early = i < j ? i : j, late = i < j ? j : i;
      uint32_t seen = team_cas_u32 (&label[late], late, early);
      if (seen == late)
        return;
      i = early;
      j = find_root (label, seen);
    }
}

/* Joins entry i with the pixels below it to the left and right. */
DEVICE_FN void
unite_corners (const PanelWork *w, uint32_t i, uint32_t end)
{
  uint32_t n_fs = w->panel->n_fs, pixel = w->list[i], fs = pixel % n_fs;
  uint32_t left = fs > 0 ? find_pixel (w->list, i + 1, end, pixel + n_fs - 1) : end;
  uint32_t right = fs + 1 < n_fs ? find_pixel (w->list, i + 1, end, pixel + n_fs + 1) : end;
  if (left < end)
    unite (w->label, i, left);
  if (right < end)
    unite (w->label, i, right);
}

DEVICE_FN void
connect (Team t, const PanelWork *w, uint32_t n)
{
  uint32_t n_fs = w->panel->n_fs;
  TEAM_LOOP (i, n, t)
    {
      w->label[i] = (uint32_t) i;
      w->size[i] = 0;
    }
  team_barrier (t);
  TEAM_LOOP (i, n, t)
    {
      uint32_t pixel = w->list[i], next = (uint32_t) i + 1;
      if (next < n && w->list[next] == pixel + 1 && (pixel + 1) % n_fs != 0)
        unite (w->label, (uint32_t) i, next);
      uint32_t end = n - next <= n_fs ? n : next + n_fs + 1; /* as far as below and to the right */
      uint32_t below = find_pixel (w->list, next, end, pixel + n_fs);
      if (below < end)
        unite (w->label, (uint32_t) i, below);
      else if (w->a->connected == 8) /* a pixel below would have joined its neighbours itself */
        unite_corners (w, (uint32_t) i, end);
    }
  team_barrier (t);
  TEAM_LOOP (i, n, t)
    {
      uint32_t root = find_root (w->label, (uint32_t) i);
      team_store_u32 (&w->label[i], root);
      team_add_u32 (&w->size[root], 1);
    }
  team_barrier (t);
}

/* Turns sizes of roots into spot numbers, in order of the roots; returns how many spots there are. */
DEVICE_FN uint32_t
number_spots (Team t, SpotsShared *sh, const PanelWork *w, uint32_t n)
{
  uint32_t begin, end, total, mine = 0;
  team_piece (t, n, &begin, &end);
  for (uint32_t i = begin; i < end; i++)
    mine += w->label[i] == i && w->size[i] >= w->a->min_pixels;
  uint32_t number = team_scan_u32 (t, &sh->slots, mine, &total);
  for (uint32_t i = begin; i < end; i++)
    if (w->label[i] == i)
      w->size[i] = w->size[i] >= w->a->min_pixels ? number++ : FLK_SPOTS_DROPPED;
  team_barrier (t);
  return total;
}

/* The spot of list entry i when this thread is the one to sum it, else NULL. */
DEVICE_FN FlkSpot *
own_spot (Team t, const PanelWork *w, uint32_t i)
{
  uint32_t number = w->size[w->label[i]];
  bool own = number != FLK_SPOTS_DROPPED && number < w->a->spot_capacity && number % t.size == t.rank;
  return own ? &w->spots[number] : NULL;
}

DEVICE_FN void
spot_start (FlkSpot *spot, uint32_t fs, uint32_t ss, float p)
{
  memset (spot, 0, sizeof *spot);
  spot->peak = p;
  spot->peak_fs = spot->min_fs = spot->max_fs = fs;
  spot->peak_ss = spot->min_ss = spot->max_ss = ss;
}

DEVICE_FN void
spot_add (FlkSpot *spot, uint32_t fs, uint32_t ss, float p)
{
  double v = p;
  spot->n_pixels++;
  spot->min_fs = fs < spot->min_fs ? fs : spot->min_fs;
  spot->max_fs = fs > spot->max_fs ? fs : spot->max_fs;
  spot->max_ss = ss;
  if (p > spot->peak)
    {
      spot->peak = p;
      spot->peak_fs = fs;
      spot->peak_ss = ss;
    }
  spot->intensity += v;
  spot->sum_sq += v * v;
  spot->fs += v * (fs + 0.5);
  spot->ss += v * (ss + 0.5);
}

/* Sums to centroid; a spot without intensity gets the middle of its box. */
DEVICE_FN void
spot_centre (FlkSpot *spot)
{
  bool weighted = spot->intensity > 0;
  spot->fs = weighted ? spot->fs / spot->intensity : 0.5 * (spot->min_fs + spot->max_fs + 1);
  spot->ss = weighted ? spot->ss / spot->intensity : 0.5 * (spot->min_ss + spot->max_ss + 1);
}

DEVICE_FN void
spot_background (const PanelWork *w, FlkSpot *spot)
{
  const FlkPanel *panel = w->panel;
  uint32_t fs0 = spot->min_fs > BORDER ? spot->min_fs - BORDER : 0, fs1 = spot->max_fs + BORDER + 1;
  uint32_t ss0 = spot->min_ss > BORDER ? spot->min_ss - BORDER : 0, ss1 = spot->max_ss + BORDER + 1;
  double sum = 0;
  for (uint32_t ss = ss0; ss < ss1 && ss < panel->n_ss; ss++)
    for (uint32_t fs = fs0; fs < fs1 && fs < panel->n_fs; fs++)
      {
        uint64_t index = pixel_index (panel, fs, ss);
        float v;
        if (!w->a->strong[index] && pixel_at (&w->a->pixels, panel, index, &v))
          {
            sum += (double) v;
            spot->n_background++;
          }
      }
  spot->background = spot->n_background ? (float) (sum / spot->n_background) : 0;
}

/* Sums to variance, and the background. */
DEVICE_FN void
spot_finish (const PanelWork *w, FlkSpot *spot)
{
  double scale = spot->intensity * spot->intensity - spot->sum_sq;
  spot->var_fs = (scale > 0 ? spot->var_fs / scale : 0) + 1.0 / 12;
  spot->var_ss = (scale > 0 ? spot->var_ss / scale : 0) + 1.0 / 12;
  spot_background (w, spot);
}

DEVICE_FN void
measure (Team t, const PanelWork *w, uint32_t n, uint32_t n_spots)
{
  const FlkPanel *panel = w->panel;
  uint32_t n_kept = n_spots < w->a->spot_capacity ? n_spots : w->a->spot_capacity;
  for (int pass = 0; pass < 2; pass++)
    {
      for (uint32_t i = 0; i < n; i++)
        {
          FlkSpot *spot = own_spot (t, w, i);
          if (!spot)
            continue;
          uint32_t fs = w->list[i] % panel->n_fs, ss = w->list[i] / panel->n_fs;
          float p;
          pixel_at (&w->a->pixels, panel, pixel_index (panel, fs, ss), &p);
          if (pass == 0)
            {
              if (w->label[i] == i)
                spot_start (spot, fs, ss, p);
              spot_add (spot, fs, ss, p);
            }
          else
            {
              double d_fs = fs + 0.5 - spot->fs, d_ss = ss + 0.5 - spot->ss;
              spot->var_fs += (double) p * d_fs * d_fs;
              spot->var_ss += (double) p * d_ss * d_ss;
            }
        }
      TEAM_LOOP (s, n_kept, t)
        {
          if (pass == 0)
            spot_centre (&w->spots[s]);
          else
            spot_finish (w, &w->spots[s]);
        }
    }
}

DEVICE_FN void
spots_body (Team t, SpotsShared *sh, const FlkSpotsArgs *a)
{
  if (a->only && !a->only[t.index])
    return;
  uint64_t first = (uint64_t) t.index * a->list_capacity;
  PanelWork w;
  w.a = a;
  w.panel = &a->panels[t.index];
  w.list = a->list + first;
  w.label = a->scratch + 2 * first;
  w.size = w.label + a->list_capacity;
  w.spots = a->spots + (uint64_t) t.index * a->spot_capacity;

  uint32_t n = gather (t, sh, &w), n_spots = 0;
  team_barrier (t);
  if (n <= a->list_capacity)
    {
      connect (t, &w, n);
      n_spots = number_spots (t, sh, &w, n);
      measure (t, &w, n, n_spots);
    }
  if (t.rank == 0)
    {
      a->n_strong[t.index] = n;
      a->n_spots[t.index] = n_spots;
    }
}

KERNEL (spots, FlkSpotsArgs, SpotsShared, 256)
