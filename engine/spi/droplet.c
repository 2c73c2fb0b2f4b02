#include "engine/spi/droplet.h"

#include <string.h>

#include "engine/base/units.h"

#define NONE         G_MAXUINT32
#define CELL         0.2 /* of a speckle */
#define REACH        7.0 /* speckles */
#define LEAST        0.3 /* particle's diameters, */
#define MOST         4.0
#define SIZE_STEP    0.02 /* of the logarithm */
#define BLUR         0.08 /* of a sphere, for what is none */
#define BLUR_STEPS   4
#define WAVE_STEP    0.05
#define FLOOR        0.02 /* of the mean cell: drops are not as smooth as that */
#define STARTS       2
#define ITERATIONS   12
#define ENOUGH       0.002 /* nats a photon */
#define NEAR         0.1   /* so much a photon may the second sphere be worse */
#define STRIDE       0.2   /* of a number, at most, at a time */
#define LEAST_OBLONG 0.2
#define TABLE        200 /* of Poisson's deviance, */
#define TABLE_LOW    -14.0
#define TABLE_STEP   0.1 /* of the mean's logarithm */

typedef struct
{
  float xx, xy, yy; /* s_x², 2 s_x s_y, s_y² */
  float area;       /* Σ factor */
  float background;
  guint32 shell, judged; /* number of its shell, of what it is judged with */
} Cell;

typedef struct
{
  float intensity, slope; /* the second: the first's derivative by the argument's square */
} Wave;

struct FlDroplets
{
  guint n_shells, n_judged, n_sizes, n_waves;
  guint32 *cell; /* [pixels], NONE */
  GArray *cells; /* Cell */
  double diameter, all_background;
  double *shell_background;               /* [shells] */
  float *spheres;                         /* [sizes][shells] */
  Wave *wave;                             /* [waves] intensity of a sphere at 2π R s = i · WAVE_STEP */
  float expected[TABLE], variance[TABLE]; /* of Poisson's deviance, by the mean */
};

/* What is fitted: strength · wave (√(xx s_x² + 2 xy s_x s_y + yy s_y²)). */
typedef struct
{
  double strength, xx, xy, yy;
} Ellipse;

typedef struct
{
  double likelihood;
  FlMat3 normal; /* of the ellipse, the strength profiled out */
  FlVec3 right;
  FlVec3 cross; /* of both */
  double up, down;
} Equations;

void
fl_droplets_free (FlDroplets *droplets)
{
  if (droplets == NULL)
    return;
  g_free (droplets->cell);
  g_array_unref (droplets->cells);
  g_free (droplets->shell_background);
  g_free (droplets->spheres);
  g_free (droplets->wave);
  g_free (droplets);
}

/* --- what is known of all shots --- */

static double
sphere (double x)
{
  double f = x < 1e-2 ? 1 : 3 * (sin (x) - x * cos (x)) / (x * x * x);
  return f * f + 1e-9;
}

/* Cells on a square lattice, each where its pixels are in the mean. */
static void
gather (FlDroplets *to, const FlPatternPixels *pixels, const float *background)
{
  double reach = REACH / to->diameter, side = CELL / to->diameter;
  guint across = (guint) ceil (2 * reach / side / 2) * 2, half = across / 2;
  g_autofree guint32 *at = g_new (guint32, (gsize) across * across),
                     *judged = g_new (guint32, (gsize) half * half);
  memset (at, 0xff, (gsize) across * across * sizeof *at);
  memset (judged, 0xff, (gsize) half * half * sizeof *judged);
  g_autoptr (GArray) sums = g_array_new (FALSE, FALSE, sizeof (FlVec3));
  for (guint i = 0; i < pixels->n; i++)
    {
      FlVec3 s = pixels->s[i];
      to->cell[i] = NONE;
      if (pixels->mask[i] == FL_PATTERN_BAD || hypot (s.x, s.y) >= reach || pixels->factor[i] <= 0)
        continue;
      guint x = (guint) ((s.x + reach) / side), y = (guint) ((s.y + reach) / side);
      guint32 *mine = &at[MIN (y, across - 1) * across + MIN (x, across - 1)],
              *its = &judged[MIN (y / 2, half - 1) * half + MIN (x / 2, half - 1)];
      if (*its == NONE)
        *its = to->n_judged++;
      if (*mine == NONE)
        {
          const Cell cell = { .judged = *its };
          const FlVec3 none = { 0, 0, 0 };
          *mine = to->cells->len;
          g_array_append_val (to->cells, cell);
          g_array_append_val (sums, none);
        }
      Cell *cell = &g_array_index (to->cells, Cell, *mine);
      FlVec3 *sum = &g_array_index (sums, FlVec3, *mine);
      to->cell[i] = *mine;
      cell->area += pixels->factor[i];
      cell->background += background[i];
      *sum = fl_vec3_add (*sum, fl_vec3_scale (fl_vec3 (s.x, s.y, 0), (double) pixels->factor[i]));
    }
  for (guint c = 0; c < to->cells->len; c++)
    {
      Cell *cell = &g_array_index (to->cells, Cell, c);
      FlVec3 s = fl_vec3_scale (g_array_index (sums, FlVec3, c), 1 / (double) cell->area);
      cell->xx = (float) (s.x * s.x);
      cell->xy = (float) (2 * s.x * s.y);
      cell->yy = (float) (s.y * s.y);
      cell->shell = (guint32) (hypot (s.x, s.y) / side);
      to->n_shells = MAX (to->n_shells, cell->shell + 1);
      to->all_background += (double) cell->background;
    }
}

/* What spheres, somewhat blurred, leave in shells. */
static void
make_spheres (FlDroplets *to)
{
  double side = CELL / to->diameter;
  g_autofree double *area = g_new0 (double, to->n_shells);
  to->shell_background = g_new0 (double, to->n_shells);
  for (guint c = 0; c < to->cells->len; c++)
    {
      const Cell *cell = &g_array_index (to->cells, Cell, c);
      area[cell->shell] += (double) cell->area;
      to->shell_background[cell->shell] += (double) cell->background;
    }
  to->n_sizes = (guint) (log (MOST / LEAST) / SIZE_STEP) + 1;
  to->spheres = g_new (float, (gsize) to->n_sizes * to->n_shells);
  for (guint k = 0; k < to->n_sizes; k++)
    for (guint r = 0; r < to->n_shells; r++)
      {
        double x = FL_PI * LEAST * exp (k * SIZE_STEP) * to->diameter * (r + 0.5) * side, sum = 0;
        for (int b = -BLUR_STEPS; b <= BLUR_STEPS; b++)
          sum += sphere (x * (1 + b * BLUR / BLUR_STEPS));
        to->spheres[k * to->n_shells + r] = (float) (sum * area[r] / (2 * BLUR_STEPS + 1));
      }
}

/* Mean and variance of 2 (k ln k/μ − k + μ) for Poisson's k. */
static void
tabulate_deviance (FlDroplets *to)
{
  for (guint t = 0; t < TABLE; t++)
    {
      double l = TABLE_LOW + t * TABLE_STEP, mean = exp (l), up = 0, square = 0;
      guint last = (guint) (mean + 12 * sqrt (mean) + 30);
      if (mean > 300)
        {
          to->expected[t] = 1;
          to->variance[t] = 2;
          continue;
        }
      for (guint k = 0; k <= last; k++)
        {
          double p = exp (k * l - mean - lgamma (k + 1.0));
          double deviance = 2 * ((k > 0 ? k * log (k / mean) : 0) - k + mean);
          up += p * deviance;
          square += p * deviance * deviance;
        }
      to->expected[t] = (float) up;
      to->variance[t] = (float) (square - up * up);
    }
}

FlDroplets *
fl_droplets_new (const FlPatternPixels *pixels, const float *background, double diameter)
{
  FlDroplets *to = g_new0 (FlDroplets, 1);
  to->diameter = diameter;
  to->cell = g_new (guint32, pixels->n);
  to->cells = g_array_new (FALSE, TRUE, sizeof (Cell));
  gather (to, pixels, background);
  make_spheres (to);
  /* Twice the largest sphere: ellipses are oblong. */
  to->n_waves = (guint) (2 * FL_PI * MOST * REACH / WAVE_STEP);
  to->wave = g_new (Wave, to->n_waves);
  for (guint i = 0; i < to->n_waves; i++)
    {
      double x = MAX (i * WAVE_STEP, WAVE_STEP / 2);
      to->wave[i] = (Wave){ (float) sphere (i * WAVE_STEP),
                            (float) ((sphere (x * 1.001) - sphere (x * 0.999)) / (0.004 * x * x)) };
    }
  tabulate_deviance (to);
  return to;
}

/* --- fitting --- */

/* The model, *slope: its derivative by the argument's square. */
static inline double
intensity (const FlDroplets *of, double square, double *slope)
{
  double at = sqrt (square) * (1 / WAVE_STEP);
  guint i = MIN ((guint) at, of->n_waves - 2);
  const Wave *w = of->wave + i;
  double share = MIN (at - i, 1);
  *slope = (double) w[0].slope + share * (double) (w[1].slope - w[0].slope);
  return (double) w[0].intensity + share * (double) (w[1].intensity - w[0].intensity);
}

static inline double
section (const Ellipse *e, const Cell *cell)
{
  return MAX (e->xx * (double) cell->xx + e->xy * (double) cell->xy + e->yy * (double) cell->yy, 1e-12);
}

/* Likelihood and, for the next step, the normal equations of relative changes. */
static Equations
compare (const FlDroplets *of, const double *photons, const Ellipse *e)
{
  Equations to = { 0 };
  double scale = 0.5 * (e->xx + e->yy), *h = &to.normal.m[0][0];
  for (guint c = 0; c < of->cells->len; c++)
    {
      const Cell *cell = &g_array_index (of->cells, Cell, c);
      double slope, square = section (e, cell), f = intensity (of, square, &slope), k = photons[c];
      double sample = e->strength * (double) cell->area, mean = sample * f + (double) cell->background,
             off = k - mean;
      to.likelihood += (k > 0 ? k * log (mean) : 0) - mean;
      sample /= mean;
      double share = sample * f, d = sample * slope * scale;
      double x = d * (double) cell->xx, y = d * (double) cell->xy, z = d * (double) cell->yy;
      to.right = fl_vec3_add (to.right, fl_vec3 (x * off, y * off, z * off));
      to.cross = fl_vec3_add (to.cross, fl_vec3_scale (fl_vec3 (x, y, z), share * mean));
      to.up += share * off;
      to.down += share * share * mean;
      h[0] += x * x * mean;
      h[1] += x * y * mean;
      h[2] += x * z * mean;
      h[4] += y * y * mean;
      h[5] += y * z * mean;
      h[8] += z * z * mean;
    }
  h[3] = h[1];
  h[6] = h[2];
  h[7] = h[5];
  return to;
}

/* By at most STRIDE of what it is, and to an ellipse. */
static Ellipse
moved (const Ellipse *e, FlVec3 by, double strength, double share)
{
  double scale = 0.5 * (e->xx + e->yy), most = MAX (MAX (fabs (by.x), fabs (by.y)), fabs (by.z));
  share *= MIN (1, STRIDE / MAX (most, 1e-12));
  Ellipse to = { e->strength * exp (CLAMP (share * strength, -1, 1)), e->xx + share * scale * by.x,
                 e->xy + share * scale * by.y, e->yy + share * scale * by.z };
  if (to.xx <= 0 || to.yy <= 0 || to.xx * to.yy - to.xy * to.xy < LEAST_OBLONG * to.xx * to.yy)
    return *e;
  return to;
}

/* Returns the likelihood. */
static double
refine (const FlDroplets *of, const double *photons, double above, Ellipse *e)
{
  Equations at = compare (of, photons, e);
  double share = 1;
  for (guint step = 0; step < ITERATIONS && share > 0.05; step++)
    {
      FlMat3 normal = at.normal;
      double *cross = &at.cross.x, down = MAX (at.down, 1e-12);
      for (guint i = 0; i < 3; i++)
        for (guint j = 0; j < 3; j++)
          normal.m[i][j] -= cross[i] * cross[j] / down;
      for (guint i = 0; i < 3; i++)
        normal.m[i][i] *= 1 + 1e-6;
      if (fl_mat3_determinant (&normal) <= 0)
        break;
      FlMat3 inverse = fl_mat3_inverse (&normal);
      FlVec3 by = fl_mat3_apply (&inverse, fl_vec3_sub (at.right, fl_vec3_scale (at.cross, at.up / down)));
      Ellipse next = moved (e, by, (at.up - fl_vec3_dot (at.cross, by)) / down, share);
      Equations there = compare (of, photons, &next);
      if (there.likelihood <= at.likelihood)
        {
          share *= 0.4;
          continue;
        }
      gboolean enough = there.likelihood < at.likelihood + ENOUGH * above;
      *e = next;
      at = there;
      share = MIN (1, 2 * share);
      if (enough)
        break;
    }
  return at.likelihood;
}

/* The likelihoods of spheres, by shells; strengths are what is left of the background. */
static void
try_spheres (const FlDroplets *of, const double *photons, double above, double *likelihood, double *strength)
{
  g_autofree double *radial = g_new0 (double, of->n_shells);
  for (guint c = 0; c < of->cells->len; c++)
    radial[g_array_index (of->cells, Cell, c).shell] += photons[c];
  for (guint k = 0; k < of->n_sizes; k++)
    {
      const float *model = of->spheres + (gsize) k * of->n_shells;
      double all = 0;
      for (guint r = 0; r < of->n_shells; r++)
        all += (double) model[r];
      strength[k] = above / all;
      likelihood[k] = 0;
      for (guint r = 0; r < of->n_shells; r++)
        if (radial[r] > 0)
          likelihood[k] += radial[r] * log (strength[k] * (double) model[r] + of->shell_background[r]);
    }
}

/* The best maximum below a likelihood; n_sizes: none. */
static guint
next_peak (const FlDroplets *of, const double *likelihood, double below)
{
  guint top = of->n_sizes;
  for (guint k = 0; k < of->n_sizes; k++)
    if (likelihood[k] < below && (top == of->n_sizes || likelihood[k] > likelihood[top])
        && (k == 0 || likelihood[k] >= likelihood[k - 1])
        && (k + 1 == of->n_sizes || likelihood[k] >= likelihood[k + 1]))
      top = k;
  return top;
}

/* --- judging --- */

static inline double
between (const float *of, double share)
{
  return (1 - share) * (double) of[0] + share * (double) of[1];
}

static void
judge (const FlDroplets *of, const double *photons, const Ellipse *e, double above, FlDropletFit *fit)
{
  g_autofree double *counts = g_new0 (double, of->n_judged), *means = g_new0 (double, of->n_judged);
  double floor = FLOOR * above / of->n_judged, total = 0, all = 0, excess = 0, variance = 0;
  for (guint c = 0; c < of->cells->len; c++)
    {
      const Cell *cell = &g_array_index (of->cells, Cell, c);
      double slope, f = intensity (of, section (e, cell), &slope);
      counts[cell->judged] += photons[c];
      means[cell->judged] += e->strength * (double) cell->area * f + (double) cell->background;
    }
  for (guint j = 0; j < of->n_judged; j++)
    {
      total += means[j] + floor;
      all += counts[j];
    }
  for (guint j = 0; j < of->n_judged; j++)
    {
      double mean = (means[j] + floor) * all / total, k = counts[j], l = log (mean);
      double at = CLAMP ((l - TABLE_LOW) / TABLE_STEP, 0, TABLE - 2);
      guint t = (guint) at;
      excess += 2 * ((k > 0 ? k * (log (k) - l) : 0) - k + mean) - between (of->expected + t, at - t);
      variance += between (of->variance + t, at - t);
    }
  fit->excess = excess / 2 / above;
  fit->sigma = sqrt (variance) / 2 / above;
}

gboolean
fl_droplets_fit (const FlDroplets *of, const FlPatterns *patterns, guint i, FlDropletFit *fit)
{
  g_autofree double *photons = g_new0 (double, of->cells->len), *likelihood = g_new (double, of->n_sizes),
                    *strength = g_new (double, of->n_sizes);
  double above = -of->all_background, best = -INFINITY, last = INFINITY;
  Ellipse found = { 0 };
  for (guint64 k = patterns->start[i]; k < patterns->start[i + 1]; k++)
    if (of->cell[patterns->pixel[k]] != NONE)
      {
        photons[of->cell[patterns->pixel[k]]] += patterns->count[k];
        above += patterns->count[k];
      }
  if (above < 1)
    return FALSE;
  try_spheres (of, photons, above, likelihood, strength);
  for (guint start = 0, top; start < STARTS && (top = next_peak (of, likelihood, last)) < of->n_sizes;
       start++)
    {
      double wave = FL_PI * LEAST * exp (top * SIZE_STEP) * of->diameter;
      Ellipse e = { strength[top], wave * wave, 0, wave * wave };
      if (likelihood[top] < last - NEAR * above && start > 0)
        break;
      double its = refine (of, photons, above, &e);
      if (its > best)
        found = e;
      best = MAX (best, its);
      last = likelihood[top];
    }
  fit->photons = above;
  fit->diameter = (sqrt (found.xx) + sqrt (found.yy)) / 2 / FL_PI;
  judge (of, photons, &found, above, fit);
  return TRUE;
}
