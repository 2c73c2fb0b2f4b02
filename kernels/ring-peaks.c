/* ring-peaks.c: components above their rings to peaks; ring-peaks.h tells how. One thread sums a component, in raster
 * order: the same bits for any team size. */
#include "kernels/ring-peaks.h"

#include "kernels/pixel-load.h"
#include "kernels/spot-lists.h"

typedef struct
{
  uint32_t any;
} PeaksShared;

/* One panel's lists. */
typedef struct
{
  const FlkRingPeaksArgs *a;
  const FlkPanel *panel;
  const uint32_t *list, *label, *number;
  FlkSpot *spots;
  uint32_t n_list, n_spots;
} Lists;

DEVICE_FN Lists
lists_of_panel (const FlkRingPeaksArgs *a, uint32_t panel)
{
  const FlkSpotsArgs *s = &a->spots;
  uint64_t first = (uint64_t) panel * s->list_capacity;
  Lists l;
  l.a = a;
  l.panel = &s->panels[panel];
  l.list = s->list + first;
  l.label = s->scratch + 2 * first;
  l.number = l.label + s->list_capacity;
  l.spots = s->spots + (uint64_t) panel * s->spot_capacity;
  l.n_list = s->n_strong[panel];
  /* With a list or room too short all is done again. */
  bool whole = l.n_list <= s->list_capacity && s->n_spots[panel] <= s->spot_capacity;
  l.n_spots = whole ? s->n_spots[panel] : 0;
  return l;
}

/* A component's pixels in raster order: begin with `next` = 0; false when there are no more. */
typedef struct
{
  uint32_t next, fs, ss;
  uint64_t index;
  float value;
} Member;

DEVICE_FN bool
next_member (const Lists *l, uint32_t spot, Member *member)
{
  const FlkSpot *s = &l->spots[spot];
  uint32_t n_fs = l->panel->n_fs, last = s->max_ss * n_fs + s->max_fs;
  if (member->next == 0)
    member->next = first_not_before (l->list, 0, l->n_list, s->min_ss * n_fs + s->min_fs);
  for (; member->next < l->n_list && l->list[member->next] <= last; member->next++)
    if (l->number[l->label[member->next]] == spot)
      {
        uint32_t pixel = l->list[member->next++];
        member->fs = pixel % n_fs;
        member->ss = pixel / n_fs;
        member->index = pixel_index (l->panel, member->fs, member->ss);
        pixel_at (&l->a->spots.pixels, l->panel, member->index, &member->value);
        return true;
      }
  return false;
}

/* --- components that are too large --- */

DEVICE_FN void
split (const Lists *l, uint32_t spot)
{
  double low = -INFINITY, high = INFINITY, snr = l->a->min_snr;
  for (int round = 0; round < FLK_RING_ROUNDS; round++)
    {
      double sum = 0, sq = 0, n = 0;
      Member member = { 0, 0, 0, 0, 0 };
      while (next_member (l, spot, &member))
        {
          double v = member.value;
          if (v < low || v > high)
            continue;
          sum += v;
          sq += v * v;
          n++;
        }
      if (n < 1)
        break;
      double mean = sum / n, variance = sq / n - mean * mean, sigma = variance > 0 ? sqrt (variance) : 0;
      low = mean - snr * sigma;
      high = mean + snr * sigma;
    }
  Member member = { 0, 0, 0, 0, 0 };
  while (next_member (l, spot, &member))
    if (!((double) member.value > high))
      l->a->strong[member.index] = 0;
}

DEVICE_FN void
ring_split_body (Team t, PeaksShared *sh, const FlkRingPeaksArgs *a)
{
  Lists l = lists_of_panel (a, t.index);
  if (t.rank == 0)
    sh->any = 0;
  team_barrier (t);
  TEAM_LOOP (s, l.n_spots, t)
    if (l.spots[s].n_pixels > a->max_pixels)
      {
        team_store_u32 (&sh->any, 1);
        split (&l, (uint32_t) s);
      }
  team_barrier (t);
  if (t.rank == 0)
    a->again[t.index] = sh->any;
}

/* --- acceptance --- */

/* What a component is before its background is known; coordinates of pixel centres, first pixel 0. */
typedef struct
{
  double fs, ss;         /* centre by v − μ */
  double sum_fs, sum_ss; /* of coordinates */
  bool inside;           /* some pixel is not in the outermost rows and columns */
} Component;

DEVICE_FN bool
component_of (const Lists *l, uint32_t spot, Component *c)
{
  double sum = 0, fs = 0, ss = 0;
  Member member = { 0, 0, 0, 0, 0 };
  memset (c, 0, sizeof *c);
  while (next_member (l, spot, &member))
    {
      double v = (double) (member.value - l->a->rings[l->a->ring[member.index]].mean);
      sum += v;
      fs += v * member.fs;
      ss += v * member.ss;
      c->sum_fs += member.fs;
      c->sum_ss += member.ss;
      c->inside |=
          member.fs > 0 && member.ss > 0 && member.fs + 1 < l->panel->n_fs && member.ss + 1 < l->panel->n_ss;
    }
  if (!(fabs (sum) >= 1e-10))
    return false;
  c->fs = fs / fabs (sum);
  c->ss = ss / fabs (sum);
  return c->inside;
}

typedef struct
{
  double sum, sq, max;
  uint32_t n;
} Disc;

DEVICE_FN void
disc_row (const FlkRingPeaksArgs *a, const FlkPanel *panel, Disc *disc, int ss, int fs0, int fs1)
{
  Team alone = { 0, 0, 1 };
  float value[2 * FLK_RING_DISC_MAX + 1];
  uint8_t good[2 * FLK_RING_DISC_MAX + 1];
  uint64_t first = pixel_index (panel, (uint32_t) fs0, (uint32_t) ss);
  int n = fs1 - fs0;
  if (n <= 0)
    return;
  pixels_row (alone, &a->spots.pixels, panel, first, n, value, good);
  for (int i = 0; i < n; i++)
    {
      uint32_t ring = a->ring[first + (uint64_t) i];
      if (!good[i] || ring == FLK_RING_NONE || a->strong[first + (uint64_t) i]
          || (a->compatible && !(value[i] < a->rings[ring].high)))
        continue;
      double v = value[i];
      disc->n++;
      disc->sum += v;
      disc->sq += v * v;
      disc->max = v > disc->max ? v : disc->max;
    }
}

/* Of the disc about pixel (fs, ss). */
DEVICE_FN Disc
disc_about (const FlkRingPeaksArgs *a, const FlkPanel *panel, int fs, int ss)
{
  int radius = a->radius, last = a->compatible ? radius - 1 : radius;
  Disc disc = { 0, 0, a->compatible ? 0 : -INFINITY, 0 };
  for (int dy = -radius; dy <= last; dy++)
    {
      int half = radius;
      while (half * half + dy * dy > radius * radius)
        half--;
      int right = half < last ? half : last, fs0 = fs - half > 0 ? fs - half : 0;
      int fs1 = fs + right + 1 < (int) panel->n_fs ? fs + right + 1 : (int) panel->n_fs;
      if (ss + dy >= 0 && ss + dy < (int) panel->n_ss)
        disc_row (a, panel, &disc, ss + dy, fs0, fs1);
    }
  return disc;
}

typedef struct
{
  double mean, sigma, max, n; /* n: pixels that the mean is of */
} Background;

DEVICE_FN Background
background_compatible (const Disc *disc, const FlkRing *ring)
{
  Background b = { (double) ring->mean, 0.01, disc->max, 0 };
  if (disc->n == 0)
    return b;
  b.n = disc->n;
  b.mean = disc->sum / b.n;
  double variance = disc->sq / b.n - b.mean * b.mean;
  b.sigma = variance >= 0 ? sqrt (variance) : 0.01;
  return b;
}

DEVICE_FN Background
background_mended (const Disc *disc, const FlkRing *ring, double gain)
{
  enum
  {
    FEW = 5
  };
  Background b = { (double) ring->mean, (double) ring->sigma, disc->max, INFINITY };
  double variance = b.sigma * b.sigma, least = gain * gain;
  if (disc->n >= FEW)
    {
      b.n = disc->n;
      b.mean = disc->sum / b.n;
      variance = (disc->sq - b.n * b.mean * b.mean) / (b.n - 1);
      least /= b.n;
    }
  b.sigma = sqrt (variance > least ? variance : least);
  return b;
}

DEVICE_FN bool
is_peak (const FlkRingPeaksArgs *a, const FlkPanel *panel, const FlkSpot *spot, const Background *b,
         double total)
{
  double n = spot->n_pixels;
  double noise = a->compatible ? b->sigma : b->sigma * sqrt (n + n * n / b->n);
  return noise > 1e-10 && total / noise >= (double) a->min_snr
         && (double) spot->peak - b->mean >= b->max - b->mean && spot->fs >= 0.5
         && spot->fs <= panel->n_fs - 0.5 && spot->ss >= 0.5 && spot->ss <= panel->n_ss - 0.5;
}

/* False: it is none. */
DEVICE_FN bool
judge (const Lists *l, uint32_t number, FlkSpot *spot)
{
  const FlkRingPeaksArgs *a = l->a;
  Component c;
  if (spot->n_pixels > a->max_pixels || !component_of (l, number, &c))
    return false;
  int fs = (int) rint (c.fs), ss = (int) rint (c.ss);
  if (fs < 0 || fs >= (int) l->panel->n_fs || ss < 0 || ss >= (int) l->panel->n_ss)
    return false;
  uint64_t centre = pixel_index (l->panel, (uint32_t) fs, (uint32_t) ss);
  /* A component may bend around a pixel without a ring. */
  FlkRing nothing = { 0, 0, 0, 0 },
          ring = a->ring[centre] == FLK_RING_NONE ? nothing : a->rings[a->ring[centre]];
  Disc disc = disc_about (a, l->panel, fs, ss);
  double gain = a->gain_map ? (double) a->gain_map[centre] : a->gain, n = spot->n_pixels;
  Background b =
      a->compatible ? background_compatible (&disc, &ring) : background_mended (&disc, &ring, gain);
  double total = spot->intensity - n * b.mean;
  if (!is_peak (a, l->panel, spot, &b, total))
    return false;
  if (!a->compatible)
    {
      spot->fs = (spot->fs * spot->intensity - b.mean * (c.sum_fs + 0.5 * n)) / total;
      spot->ss = (spot->ss * spot->intensity - b.mean * (c.sum_ss + 0.5 * n)) / total;
    }
  spot->background = (float) b.mean;
  spot->n_background = disc.n;
  return true;
}

DEVICE_FN void
ring_peaks_body (Team t, PeaksShared *sh, const FlkRingPeaksArgs *a)
{
  (void) sh;
  Lists l = lists_of_panel (a, t.index);
  TEAM_LOOP (s, l.n_spots, t)
    if (!judge (&l, (uint32_t) s, &l.spots[s]))
      l.spots[s].n_pixels = 0;
}

KERNEL (ring_split, FlkRingPeaksArgs, PeaksShared, 256)
KERNEL (ring_peaks, FlkRingPeaksArgs, PeaksShared, 256)
