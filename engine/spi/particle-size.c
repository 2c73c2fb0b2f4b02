#include "engine/spi/particle-size.h"

#include <stdlib.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"

#define SAMPLE       3000 /* patterns */
#define PHOTONS_MOST 1500 /* of a pattern: more are thinned out; pairs cost their square */
#define BINS         8192 /* of the distance between two photons: fewer blur what the pixels' lattice does to it */
#define CELLS        96   /* a side, for the mean */
#define WEIGHT_MOST  4096 /* weights are whole numbers, so that sums are the same whatever their order */
#define LEVEL        0.01 /* of the maximum: where the particle is said to end … */
#define BEYOND       1.28 /* … and how much further it reaches */
#define SIGMA        5.0
#define MEDIAN_SIGMA 0.6745
#define LEVEL_MOST   0.1 /* noise that would need more than this tells nothing */
#define COVERED      0.7 /* a shell that is whole enough */
#define STOP_TAPER   4   /* shells */
#define EDGE_TAPER   0.3 /* of the rim's radius */
#define STEPS        4   /* of x in 1 / (2 s_most) */

typedef struct
{
  const FlPatternPixels *pixels;
  double step; /* Å⁻¹, about a pixel; of shells */
  double cell; /* Å⁻¹, of the mean's cells: step, or more where pixels are many */
  guint n_shells;
  guint32 *shell;      /* [pixels] */
  double *area;        /* [shells] Σ factor of good pixels */
  double inner, outer; /* Å⁻¹ where the window opens and closes */
  guint64 *sums;       /* [2 · shells + 2]: Σ k, Σ K k; Σ K, Σ K² (K: a pattern's photons) */
  guint32 *weight;     /* [pixels] 0 … WEIGHT_MOST */
  double scale;        /* weight = scale · window / √mean */
  guint64 pairs[BINS]; /* Σ of products of weights */
  double bin;          /* Å⁻¹ */
} Size;

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
  return sqrt ((high[0] - low[0]) * (high[1] - low[1]) / pixels->n);
}

static gboolean
is_used (const FlPatternPixels *pixels, guint i)
{
  return pixels->mask[i] != FL_PATTERN_BAD;
}

/* The window is open from the first shell that is covered well to the last one. */
static void
find_window (Size *size)
{
  g_autofree guint *n = g_new0 (guint, size->n_shells);
  double best = 0;
  for (guint i = 0; i < size->pixels->n; i++)
    if (is_used (size->pixels, i))
      n[size->shell[i]]++;
  for (guint r = 2; r < size->n_shells; r++)
    best = MAX (best, n[r] / (2 * r + 1.0));
  size->inner = size->outer = 0;
  for (guint r = 0; r < size->n_shells; r++)
    if (n[r] >= COVERED * best * (2 * r + 1))
      {
        size->inner = size->outer == 0 ? r * size->step : size->inner;
        size->outer = (r + 1) * size->step;
      }
}

static void
lay_out (Size *size, const FlPatternPixels *pixels)
{
  double most;
  size->pixels = pixels;
  size->step = pixel_step (pixels, &most);
  size->n_shells = (guint) (most / size->step) + 1;
  size->cell = pixels->n <= CELLS * CELLS ? size->step : MAX (size->step, 2 * most / CELLS);
  size->bin = 2 * most / (BINS - 1);
  size->shell = g_new0 (guint32, pixels->n);
  size->area = g_new0 (double, size->n_shells);
  size->sums = g_new0 (guint64, 2 * size->n_shells + 2);
  size->weight = g_new0 (guint32, pixels->n);
  for (guint i = 0; i < pixels->n; i++)
    if (is_used (pixels, i))
      {
        size->shell[i] =
            MIN ((guint) (hypot (pixels->s[i].x, pixels->s[i].y) / size->step), size->n_shells - 1);
        size->area[size->shell[i]] += (double) pixels->factor[i];
      }
  find_window (size);
}

static double
smooth_step (double x)
{
  x = CLAMP (x, 0, 1);
  return x * x * (3 - 2 * x);
}

static double
window (const Size *size, double s)
{
  return smooth_step ((s - size->inner) / (STOP_TAPER * size->step))
         * smooth_step ((size->outer - s) / (EDGE_TAPER * size->outer));
}

/* --- the sample --- */

/* The same patterns whatever the number of ranks. */
static gboolean
is_chosen (guint64 id, double share)
{
  FlRandom random = fl_random (id ^ 0x73697a65ull);
  return share >= 1 || fl_random_unit (&random) < share;
}

/* The pattern's photons, thinned out where they are too many: a fair sample of Poisson's counts is one. */
static guint
take (const FlPatterns *patterns, guint i, guint32 *pixel, guint32 *count, guint64 *total)
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

static void
add_means (Size *size, guint n, const guint32 *pixel, const guint32 *count, guint64 total)
{
  guint64 *once = size->sums, *scaled = once + size->n_shells, *totals = scaled + size->n_shells;
  for (guint k = 0; k < n; k++)
    {
      once[size->shell[pixel[k]]] += count[k];
      scaled[size->shell[pixel[k]]] += count[k] * total;
    }
  totals[0] += total;
  totals[1] += total * total;
}

static void
add_pairs (Size *size, guint n, const guint32 *pixel, const guint32 *count)
{
  g_autofree float *x = g_new (float, n), *y = g_new (float, n);
  g_autofree guint64 *w = g_new (guint64, n);
  float per_bin = (float) (1 / size->bin);
  guint lit = 0;
  for (guint k = 0; k < n; k++)
    {
      guint64 weight = size->weight[pixel[k]];
      if (weight == 0)
        continue;
      x[lit] = (float) size->pixels->s[pixel[k]].x * per_bin;
      y[lit] = (float) size->pixels->s[pixel[k]].y * per_bin;
      w[lit++] = weight * count[k];
      size->pairs[0] += weight * weight * count[k] * (count[k] - 1) / 2;
    }
  for (guint i = 1; i < lit; i++)
    for (guint j = 0; j < i; j++)
      {
        float dx = x[i] - x[j], dy = y[i] - y[j];
        guint bin = (guint) (sqrtf (dx * dx + dy * dy) + 0.5f);
        size->pairs[MIN (bin, BINS - 1)] += w[i] * w[j];
      }
}

/* `pairs`: the second time, with weights. */
static void
add_sample (Size *size, const FlPatterns *patterns, double share, gboolean pairs)
{
  guint64 longest = 1;
  for (guint i = 0; i < patterns->n; i++)
    longest = MAX (longest, patterns->start[i + 1] - patterns->start[i]);
  g_autofree guint32 *pixel = g_new (guint32, longest), *count = g_new (guint32, longest);
  for (guint i = 0; i < patterns->n; i++)
    {
      guint64 total;
      if (!is_chosen (patterns->id[i], share))
        continue;
      guint n = take (patterns, i, pixel, count, &total);
      if (pairs)
        add_pairs (size, n, pixel, count);
      else
        add_means (size, n, pixel, count, total);
    }
}

/* A photon's share of one at a pixel of factor 1 in a shell. */
static double
shell_mean (const Size *size, guint shell)
{
  double total = (double) size->sums[2 * size->n_shells];
  return size->area[shell] > 0 && total > 0 ? (double) size->sums[shell] / size->area[shell] / total : 0;
}

static void
weigh (Size *size)
{
  double most = 0;
  g_autofree double *weight = g_new0 (double, size->pixels->n);
  for (guint i = 0; i < size->pixels->n; i++)
    {
      FlVec3 s = size->pixels->s[i];
      double mean = is_used (size->pixels, i) ? shell_mean (size, size->shell[i]) : 0;
      weight[i] = mean > 0 ? window (size, hypot (s.x, s.y)) / sqrt (mean) : 0;
      most = MAX (most, weight[i]);
    }
  size->scale = most > 0 ? WEIGHT_MOST / most : 0;
  for (guint i = 0; i < size->pixels->n; i++)
    size->weight[i] = (guint32) lrint (weight[i] * size->scale);
}

/* --- the mean's own pairs --- */

typedef struct
{
  double x, y;         /* in bins */
  double mean, scaled; /* Σ over pixels of weight · μ, weight · Σ K k */
} Cell;

/* Pixels, or squares of them where they are too many. */
static GArray *
make_cells (const Size *size)
{
  double reach = size->n_shells * size->step, side = size->cell;
  guint across = (guint) ceil (2 * reach / side) + 1;
  gboolean each = side <= size->step;
  gsize n = each ? size->pixels->n : (gsize) across * across;
  g_autofree Cell *cells = g_new0 (Cell, n);
  GArray *used = g_array_new (FALSE, FALSE, sizeof (Cell));
  for (guint i = 0; i < size->pixels->n; i++)
    {
      FlVec3 s = size->pixels->s[i];
      double w = size->weight[i] * (double) size->pixels->factor[i];
      guint shell = size->shell[i];
      if (size->weight[i] == 0)
        continue;
      Cell *cell =
          &cells[each ? i : (gsize) ((s.y + reach) / side) * across + (gsize) ((s.x + reach) / side)];
      double m = w * shell_mean (size, shell);
      cell->mean += m;
      cell->scaled += w * (double) size->sums[size->n_shells + shell] / size->area[shell];
      cell->x += m * s.x / size->bin;
      cell->y += m * s.y / size->bin;
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

/* pairs − those of the mean, unordered, [BINS]. */
static void
correlate (const Size *size, double *correlation)
{
  g_autoptr (GArray) cells = make_cells (size);
  const Cell *c = (const Cell *) (void *) cells->data;
  double square = (double) size->sums[2 * size->n_shells + 1];
  for (guint b = 0; b < BINS; b++)
    correlation[b] = (double) size->pairs[b];
  for (guint i = 0; i < cells->len; i++)
    {
      correlation[0] -= c[i].mean * (c[i].scaled - 0.5 * square * c[i].mean);
      for (guint j = 0; j < i; j++)
        {
          guint bin = (guint) (hypot (c[i].x - c[j].x, c[i].y - c[j].y) + 0.5);
          correlation[MIN (bin, BINS - 1)] -=
              c[i].scaled * c[j].mean + c[j].scaled * c[i].mean - square * c[i].mean * c[j].mean;
        }
    }
}

/* --- where it ends --- */

/* The mean power at the distance x (Å) in the transforms. */
static double
power_at (const Size *size, const double *correlation, double x)
{
  double sum = 0;
  for (guint b = 0; b < BINS; b++)
    sum += correlation[b] * j0 (2 * FL_PI * b * size->bin * x);
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
static double
find_end (const Size *size, const double *correlation)
{
  double dx = 1 / (2 * STEPS * size->outer), most = 0, noise;
  guint n = (guint) (1 / (2 * size->cell) / dx);
  if (n < 4 * STEPS)
    return 0;
  g_autofree double *power = g_new (double, n), *far = g_new (double, n);
  for (guint i = 0; i < n; i++)
    {
      power[i] = power_at (size, correlation, i * dx);
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

gboolean
fl_particle_size (FlParallel *parallel, const FlPatterns *mine, double *diameter, GError **error)
{
  guint64 n = mine->n;
  g_autofree Size *size = g_new0 (Size, 1);
  g_autofree double *correlation = g_new (double, BINS);
  fl_parallel_sum_u64 (parallel, &n, 1);
  double share = n > SAMPLE ? SAMPLE / (double) n : 1;
  lay_out (size, mine->pixels);
  add_sample (size, mine, share, FALSE);
  fl_parallel_sum_u64 (parallel, size->sums, 2 * size->n_shells + 2);
  weigh (size);
  add_sample (size, mine, share, TRUE);
  fl_parallel_sum_u64 (parallel, size->pairs, BINS);
  correlate (size, correlation);
  *diameter = BEYOND * find_end (size, correlation);
  g_free (size->shell);
  g_free (size->area);
  g_free (size->sums);
  g_free (size->weight);
  if (*diameter > 0)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "%" G_GUINT64_FORMAT
               " patterns do not tell the particle's size: too few photons, or speckles finer than pixels; "
               "expected it as a parameter",
               n);
  return FALSE;
}
