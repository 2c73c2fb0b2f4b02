#include "engine/spi/pair-power.h"

#include <stdlib.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"

#define PHOTONS_MOST 1500 /* of a pattern: pairs cost their square */
#define STEP_LEAST   1e-6 /* Å⁻¹ */
#define CELLS        104  /* a side at most, for the mean's pairs */
#define WEIGHT_MOST  4096
#define COVERED      0.7  /* a shell that is whole enough */
#define STOP_TAPER   4    /* shells */
#define EDGE_TAPER   0.3  /* of the rim's radius */
#define LEVEL        0.01 /* of the maximum: where it ends */
#define SIGMA        5.0
#define MEDIAN_SIGMA 0.6745
#define LEVEL_MOST   0.1 /* noise that would need more than this tells nothing */
#define STEPS        4   /* of x in 1 / (2 s_most) */

/* --- the detector --- */

/* About the distance of neighbouring pixels, from their number and the area that they cover. */
static double
pixel_step (const FlPatternPixels *pixels, double *most)
{
  double low[2] = { INFINITY, INFINITY }, high[2] = { -INFINITY, -INFINITY };
  *most = 0;
  for (guint i = 0; i < pixels->n; i++)
    {
      if (pixels->mask[i] == FL_PATTERN_BAD)
        continue;
      FlVec3 s = pixels->s[i];
      low[0] = MIN (low[0], s.x);
      high[0] = MAX (high[0], s.x);
      low[1] = MIN (low[1], s.y);
      high[1] = MAX (high[1], s.y);
      *most = MAX (*most, hypot (s.x, s.y));
    }
  return MAX (sqrt (MAX (high[0] - low[0], 0) * MAX (high[1] - low[1], 0) / pixels->n), STEP_LEAST);
}

static gboolean
is_used (const FlPatternPixels *pixels, guint i)
{
  return pixels->mask[i] != FL_PATTERN_BAD;
}

/* The window is open from the first shell that is covered well to the last one. */
static void
find_window (FlPairPower *power)
{
  g_autofree guint *n = g_new0 (guint, power->n_shells);
  double best = 0;
  for (guint i = 0; i < power->pixels->n; i++)
    if (is_used (power->pixels, i))
      n[power->shell[i]]++;
  for (guint r = 2; r < power->n_shells; r++)
    best = MAX (best, n[r] / (2 * r + 1.0));
  power->inner = power->outer = 0;
  for (guint r = 0; r < power->n_shells; r++)
    if (n[r] >= COVERED * best * (2 * r + 1))
      {
        power->inner = power->outer == 0 ? r * power->step : power->inner;
        power->outer = (r + 1) * power->step;
      }
}

FlPairPower *
fl_pair_power_new (const FlPatternPixels *pixels)
{
  double most;
  FlPairPower *power = g_new0 (FlPairPower, 1);
  power->pixels = pixels;
  power->step = pixel_step (pixels, &most);
  power->n_shells = (guint) (most / power->step) + 1;
  power->cell = pixels->n <= CELLS * CELLS ? power->step : MAX (power->step, 2 * most / CELLS);
  power->bin = 2 * most / (FL_PAIR_BINS - 1);
  power->shell = g_new0 (guint32, pixels->n);
  power->area = g_new0 (double, power->n_shells);
  power->sums = g_new0 (guint64, 2 * power->n_shells + 2);
  power->weight = g_new0 (guint32, pixels->n);
  for (guint i = 0; i < pixels->n; i++)
    if (is_used (pixels, i))
      {
        power->shell[i] =
            MIN ((guint) (hypot (pixels->s[i].x, pixels->s[i].y) / power->step), power->n_shells - 1);
        power->area[power->shell[i]] += (double) pixels->factor[i];
      }
  find_window (power);
  return power;
}

void
fl_pair_power_free (FlPairPower *power)
{
  if (power == NULL)
    return;
  g_free (power->shell);
  g_free (power->area);
  g_free (power->sums);
  g_free (power->weight);
  g_free (power);
}

static double
smooth_step (double x)
{
  x = CLAMP (x, 0, 1);
  return x * x * (3 - 2 * x);
}

static double
window (const FlPairPower *power, double s)
{
  return smooth_step ((s - power->inner) / (STOP_TAPER * power->step))
         * smooth_step ((power->outer - s) / (EDGE_TAPER * power->outer));
}

/* --- patterns --- */

/* The pattern's photons, thinned out where they are too many: a fair sample of Poisson's counts is one. */
guint
fl_pair_power_take (const FlPatterns *patterns, guint i, guint32 *pixel, guint32 *count, guint64 *total)
{
  guint64 all = fl_patterns_photons (patterns, i);
  double share = all > PHOTONS_MOST ? (double) PHOTONS_MOST / (double) all : 1;
  FlRandom random = fl_random (patterns->id[i] ^ 0x7468696eull);
  guint n = 0;
  *total = 0;
  for (guint64 k = patterns->start[i]; k < patterns->start[i + 1]; k++)
    {
      guint32 kept = share < 1 ? 0 : patterns->count[k];
      if (share < 1)
        for (guint32 c = 0; c < patterns->count[k]; c++)
          kept += fl_random_unit (&random) < share;
      if (kept == 0)
        continue;
      pixel[n] = patterns->pixel[k];
      count[n++] = kept;
      *total += kept;
    }
  return n;
}

void
fl_pair_power_add_mean (FlPairPower *power, guint n, const guint32 *pixel, const guint32 *count,
                        guint64 total)
{
  guint64 *once = power->sums, *scaled = once + power->n_shells, *totals = scaled + power->n_shells;
  for (guint k = 0; k < n; k++)
    {
      once[power->shell[pixel[k]]] += count[k];
      scaled[power->shell[pixel[k]]] += count[k] * total;
    }
  totals[0] += total;
  totals[1] += total * total;
}

/* The same for photons and for their mean: pixels lie on a lattice, so few distances are very common, and what is
 * rounded differently would not cancel. */
static inline guint
pair_bin (float dx, float dy)
{
  return MIN ((guint) (sqrtf (dx * dx + dy * dy) + 0.5f), FL_PAIR_BINS - 1);
}

void
fl_pair_power_add_pairs (const FlPairPower *power, guint n, const guint32 *pixel, const guint32 *count,
                         guint64 *pairs)
{
  g_autofree float *x = g_new (float, n), *y = g_new (float, n);
  g_autofree guint64 *w = g_new (guint64, n);
  float per_bin = (float) (1 / power->bin);
  guint lit = 0;
  for (guint k = 0; k < n; k++)
    {
      guint64 weight = power->weight[pixel[k]];
      if (weight == 0)
        continue;
      x[lit] = (float) power->pixels->s[pixel[k]].x * per_bin;
      y[lit] = (float) power->pixels->s[pixel[k]].y * per_bin;
      w[lit++] = weight * count[k];
      pairs[0] += weight * weight * count[k] * (count[k] - 1) / 2;
    }
  for (guint i = 1; i < lit; i++)
    for (guint j = 0; j < i; j++)
      {
        guint bin = pair_bin (x[i] - x[j], y[i] - y[j]);
        pairs[bin] += w[i] * w[j];
      }
}

/* A photon's share of one at a pixel of factor 1 in a shell. */
static double
shell_mean (const FlPairPower *power, guint shell)
{
  double total = (double) power->sums[2 * power->n_shells];
  return power->area[shell] > 0 && total > 0 ? (double) power->sums[shell] / power->area[shell] / total : 0;
}

void
fl_pair_power_weigh (FlPairPower *power)
{
  double most = 0;
  g_autofree double *weight = g_new0 (double, power->pixels->n);
  for (guint i = 0; i < power->pixels->n; i++)
    {
      FlVec3 s = power->pixels->s[i];
      double mean = is_used (power->pixels, i) ? shell_mean (power, power->shell[i]) : 0;
      weight[i] = mean > 0 ? window (power, hypot (s.x, s.y)) / sqrt (mean) : 0;
      most = MAX (most, weight[i]);
    }
  double scale = most > 0 ? WEIGHT_MOST / most : 0;
  for (guint i = 0; i < power->pixels->n; i++)
    power->weight[i] = (guint32) lrint (weight[i] * scale);
}

/* --- the mean's own pairs --- */

typedef struct
{
  double x, y;         /* in bins */
  double mean, scaled; /* Σ over pixels of weight · μ, weight · Σ K k */
} Cell;

/* Pixels, or squares of them where they are too many. */
static GArray *
make_cells (const FlPairPower *power)
{
  double reach = power->n_shells * power->step, side = power->cell;
  guint across = (guint) ceil (2 * reach / side) + 1;
  gboolean each = side <= power->step;
  gsize n = each ? power->pixels->n : (gsize) across * across;
  g_autofree Cell *cells = g_new0 (Cell, n);
  GArray *used = g_array_new (FALSE, FALSE, sizeof (Cell));
  for (guint i = 0; i < power->pixels->n; i++)
    {
      FlVec3 s = power->pixels->s[i];
      double w = power->weight[i] * (double) power->pixels->factor[i];
      guint shell = power->shell[i];
      if (power->weight[i] == 0)
        continue;
      Cell *cell =
          &cells[each ? i : (gsize) ((s.y + reach) / side) * across + (gsize) ((s.x + reach) / side)];
      double m = w * shell_mean (power, shell);
      cell->mean += m;
      cell->scaled += w * (double) power->sums[power->n_shells + shell] / power->area[shell];
      cell->x += m * s.x / power->bin;
      cell->y += m * s.y / power->bin;
    }
  for (gsize c = 0; c < n; c++)
    if (cells[c].mean > 0)
      {
        cells[c].x /= cells[c].mean;
        cells[c].y /= cells[c].mean;
        g_array_append_val (used, cells[c]);
      }
  return used;
}

void
fl_pair_power_mean_pairs (const FlPairPower *power, double *mean, double *scaled)
{
  g_autoptr (GArray) cells = make_cells (power);
  const Cell *c = (const Cell *) (void *) cells->data;
  for (guint b = 0; b < FL_PAIR_BINS; b++)
    mean[b] = 0;
  for (guint b = 0; scaled != NULL && b < FL_PAIR_BINS; b++)
    scaled[b] = 0;
  for (guint i = 0; i < cells->len; i++)
    for (guint j = 0; j <= i; j++)
      {
        guint bin = pair_bin ((float) c[i].x - (float) c[j].x, (float) c[i].y - (float) c[j].y);
        double once = i == j ? 0.5 : 1; /* unordered, as photons are */
        mean[bin] += once * c[i].mean * c[j].mean;
        if (scaled != NULL)
          scaled[bin] += once * (c[i].scaled * c[j].mean + c[j].scaled * c[i].mean);
      }
}

/* --- where it ends --- */

/* The mean power at the distance x (Å) in the transforms. */
double
fl_pair_power_at (const FlPairPower *power, const double *correlation, double x)
{
  double sum = 0;
  for (guint b = 0; b < FL_PAIR_BINS; b++)
    sum += correlation[b] * j0 (2 * FL_PI * b * power->bin * x);
  return sum;
}

static int
by_size (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* The last place above the level and the noise; 0: none. Noise is what there is further out than a particle could be
 * resolved (a median: pixels leave marks there); it falls with the square root of the number of directions. */
double
fl_pair_power_end (const FlPairPower *pairs, const double *correlation)
{
  double dx = 1 / (2 * STEPS * pairs->outer), most = 0, noise;
  guint n = (guint) (1 / (2 * pairs->cell) / dx);
  if (n < 4 * STEPS)
    return 0;
  g_autofree double *power = g_new (double, n), *far = g_new (double, n);
  for (guint i = 0; i < n; i++)
    {
      power[i] = fl_pair_power_at (pairs, correlation, i * dx);
      most = MAX (most, power[i]);
    }
  for (guint i = n / 2; i < n; i++)
    far[i - n / 2] = fabs (power[i]) * sqrt (i);
  qsort (far, n - n / 2, sizeof *far, by_size);
  noise = SIGMA * far[(n - n / 2) / 2] / MEDIAN_SIGMA;
  for (guint i = n / 2; i-- > STEPS;)
    {
      double level = MAX (LEVEL * most, noise / sqrt (i));
      if (power[i] < level)
        continue;
      if (level > LEVEL_MOST * most)
        return 0;
      double next = power[i + 1];
      return dx * (i + CLAMP ((power[i] - level) / (power[i] - next), 0, 1));
    }
  return 0;
}
