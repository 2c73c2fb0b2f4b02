#include "engine/spi/phasing.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/spi/phasing-private.h"
#include "engine/spi/support.h"
#include "kernels/fft.h"

#define MARGIN     1.15 /* diameters are never quite right, and too small is worse than too large */
#define BETA       0.87
#define LAST_ER    0.15 /* of the iterations */
#define CYCLE      20   /* iterations between two supports */
#define FIRST_BLUR 3.0  /* points */
#define LAST_BLUR  1.0
#define FIRST_PART 0.12 /* of the largest blurred density */
#define LAST_PART  0.15

/* Of the ball of the diameter: the support is not larger in the end. Molecules fill their balls more or less. */
static const double last_filled[FL_PHASING_TIGHTNESSES] = { 0.4, 0.25, 0.6, 0.3 };

static int
in_half (int x, int y, int z)
{
  return z > 0 || (z == 0 && (y > 0 || (y == 0 && x > 0)));
}

/* Amplitudes between s_low and s_edge, each pair of opposites once. */
static void
list_moduli (FlPhasing *p)
{
  const FlTransform *t = p->transform;
  int h = (int) t->n / 2;
  double per = t->n * p->voxel, low = p->options.s_low * per, high = MIN (p->options.s_edge * per, h - 1);
  p->moduli = g_new (FlkModulus, fl_transform_points (t) / 2);
  for (int z = 0; z < h; z++)
    for (int y = 1 - h; y < h; y++)
      for (int x = 1 - h; x < h; x++)
        {
          double s = sqrt (x * x + y * y + z * z);
          if (!in_half (x, y, z) || s < low || s > high)
            continue;
          gsize at = fl_transform_at (t, x, y, z);
          float intensity = crealf (t->grid[at]);
          p->moduli[p->n_moduli++] = (FlkModulus){ (guint32) at, (guint32) fl_transform_at (t, -x, -y, -z),
                                                   intensity > 0 ? sqrtf (intensity) : 0 };
          p->sum += p->moduli[p->n_moduli - 1].amplitude;
        }
}

FlPhasing *
fl_phasing_new (const FlVolume *autocorrelation, const FlPhasingOptions *options, GError **error)
{
  g_autoptr (FlPhasing) p = g_new0 (FlPhasing, 1);
  p->options = *options;
  p->m = autocorrelation->m;
  p->voxel = autocorrelation->voxel;
  if (!(p->options.s_edge > 0))
    p->options.s_edge = 1 / (2 * p->voxel);
  guint needed = (guint) ceil (2 * MARGIN * options->diameter / p->voxel);
  p->transform = fl_transform_new (options->diameter > 0 ? MIN (needed, p->m) : p->m, error);
  if (p->transform == NULL)
    return NULL;
  p->factor = g_new (float, p->transform->n);
  p->blurred = flk_alloc (p->transform->device, 2 * fl_transform_points (p->transform) * sizeof *p->blurred);
  if (p->blurred == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "phases of %u³ points: %s", p->transform->n,
                   flk_error (p->transform->device));
      return NULL;
    }
  fl_transform_put (p->transform, autocorrelation, NULL);
  fl_transform_run (p->transform, FALSE);
  list_moduli (p);
  if (!(p->sum > 0))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "an autocorrelation without positive intensities from %g to %g Å⁻¹ cannot be phased",
                   options->s_low, p->options.s_edge);
      return NULL;
    }
  return g_steal_pointer (&p);
}

void
fl_phasing_free (FlPhasing *p)
{
  if (p == NULL)
    return;
  if (p->transform != NULL)
    {
      flk_free (p->transform->device, p->blurred);
      flk_buffer_clear (p->transform->device, &p->scratch);
    }
  fl_transform_free (p->transform);
  g_free (p->factor);
  g_free (p->moduli);
  g_free (p);
}

/* Two starts under way: even places of the arrays are the one's, odd ones the other's. */
typedef struct
{
  FlPhasing *p;
  gsize points;
  float *density; /* [2 points] */
  float *grid;    /* the transform's: where the known amplitudes have put it */
  float *mask;    /* [2 points] 1 or 0 */
  gsize ball;     /* points in the ball of the diameter */
  double last_filled;
  guint64 filled[2];
} Pair;

static void
pair_init (Pair *pair, FlPhasing *p, guint number)
{
  gsize points = fl_transform_points (p->transform);
  int h = (int) p->transform->n / 2;
  double radius = MARGIN * p->options.diameter / (2 * p->voxel);
  *pair = (Pair){ .p = p,
                  .points = points,
                  .grid = (float *) p->transform->grid,
                  .last_filled = last_filled[number % FL_PHASING_TIGHTNESSES] };
  pair->density = g_new0 (float, 2 * points);
  pair->mask = g_new0 (float, 2 * points);
  for (guint k = 0; k < 2; k++)
    {
      guint64 content[2] = { p->options.seed, 2 * number + k };
      FlRandom random = fl_random (fl_hash64 (content, sizeof content, 0));
      pair->ball = 0;
      for (int z = -h; z < h; z++)
        for (int y = -h; y < h; y++)
          for (int x = -h; x < h; x++)
            {
              gsize at = fl_transform_at (p->transform, x, y, z);
              if (x * x + y * y + z * z > radius * radius)
                continue;
              pair->mask[2 * at + k] = 1;
              pair->density[2 * at + k] = (float) fl_random_unit (&random);
              pair->ball++;
            }
      pair->filled[k] = pair->ball;
    }
}

static void
pair_clear (Pair *pair)
{
  g_free (pair->density);
  g_free (pair->mask);
}

/* On host memory, by modules that are there: nothing is left that could fail. */
static void
launch (FlPhasing *p, const char *kernel, gsize items, const void *args, gsize size)
{
  FlkDevice *device = p->transform->device;
  if (!flk_launch (device, kernel, flk_phasing_teams (items), 0, args, size) || !flk_sync (device))
    g_error ("%s: %s", kernel, flk_error (device));
}

/* `sums` NULL: imposed, else of the grid as it is, [teams][2]. */
static void
impose_amplitudes (FlPhasing *p, double *sums)
{
  const FlkAmplitudesArgs args = { (float *) p->transform->grid, p->moduli, p->n_moduli, sums != NULL, sums };
  launch (p, "phasing_amplitudes", p->n_moduli, &args, sizeof args);
}

/* The densities with the known amplitudes, in the grid, times `points`. */
static void
project_amplitudes (Pair *pair)
{
  memcpy (pair->grid, pair->density, 2 * pair->points * sizeof *pair->grid);
  fl_transform_run (pair->p->transform, FALSE);
  impose_amplitudes (pair->p, NULL);
  fl_transform_run (pair->p->transform, TRUE);
}

static void
step (Pair *pair, FlkPhasingStep which)
{
  const FlkUpdateArgs args = { .old = pair->density,
                               .now = pair->density,
                               .projected = pair->grid,
                               .mask = pair->mask,
                               .n = 2 * pair->points,
                               .scale = 1 / (float) pair->points,
                               .beta = (float) BETA,
                               .step = (int32_t) which };
  launch (pair->p, "phasing_update", args.n, &args, sizeof args);
}

/* New supports, at a fraction of the schedule. */
static void
draw_supports (Pair *pair, double at)
{
  FlPhasing *p = pair->p;
  FlTransform *t = p->transform;
  double part = FIRST_PART + at * (LAST_PART - FIRST_PART), most = 1 + at * (pair->last_filled - 1);
  const guint64 at_most[2] = { (guint64) (most * (double) pair->ball),
                               (guint64) (most * (double) pair->ball) };
  const FlkBlurArgs args = { p->blurred, p->factor, t->n };
  flk_phasing_gaussian (p->factor, t->n, FIRST_BLUR * pow (LAST_BLUR / FIRST_BLUR, at));
  for (gsize i = 0; i < 2 * pair->points; i++)
    p->blurred[i] = MAX (pair->grid[i], 0);
  flk_fft_run (t->fft, p->blurred, FALSE);
  launch (p, "phasing_blur", pair->points, &args, sizeof args);
  flk_fft_run (t->fft, p->blurred, TRUE);
  if (!flk_support_draw (t->device, &p->scratch, p->blurred, pair->points, part, at_most, pair->mask,
                         pair->filled))
    g_error ("supports: %s", flk_error (t->device));
}

/* Of the densities as they are; leaves their transforms in the grid. */
static void
find_errors (Pair *pair, double errors[2])
{
  FlPhasing *p = pair->p;
  guint teams = flk_phasing_teams (p->n_moduli);
  g_autofree double *sums = g_new (double, 2 * teams);
  errors[0] = errors[1] = 0;
  memcpy (pair->grid, pair->density, 2 * pair->points * sizeof *pair->grid);
  fl_transform_run (p->transform, FALSE);
  impose_amplitudes (p, sums);
  for (guint i = 0; i < 2 * teams; i++)
    errors[i % 2] += sums[i] / p->sum;
}

/* Into starts, so shifted that the centre of mass is in the middle, without frequencies beyond s_edge. */
static void
hand_over (Pair *pair, FlPhasingStart starts[2])
{
  FlPhasing *p = pair->p;
  FlTransform *t = p->transform;
  int h = (int) t->n / 2;
  double limit = MIN (p->options.s_edge * t->n * p->voxel, h - 1);
  for (guint k = 0; k < 2; k++)
    {
      for (gsize i = 0; i < pair->points; i++)
        t->grid[i] = pair->density[2 * i + k];
      fl_transform_run (t, FALSE);
      /* The angle of the lowest frequency is where the centre lies on the circle. */
      double turn[3] = { cargf (t->grid[1]), cargf (t->grid[t->n]), cargf (t->grid[t->n * t->n]) };
      for (int z = -h; z < h; z++)
        for (int y = -h; y < h; y++)
          for (int x = -h; x < h; x++)
            {
              float complex *f = &t->grid[fl_transform_at (t, x, y, z)];
              double angle = -(x * turn[0] + y * turn[1] + z * turn[2]);
              if (x * x + y * y + z * z > limit * limit)
                *f = 0;
              else
                *f *= (float complex) (cos (angle) + I * sin (angle));
            }
      fl_transform_run (t, TRUE);
      starts[k].density = fl_volume_new (p->m, p->voxel);
      fl_transform_take (t, 1 / (float) pair->points, starts[k].density, NULL);
      starts[k].filled = (double) pair->filled[k] / (double) pair->ball;
    }
}

void
fl_phasing_run (FlPhasing *p, guint number, FlPhasingStart starts[2])
{
  Pair pair;
  pair_init (&pair, p, number);
  guint n_er = (guint) (LAST_ER * p->options.iterations), n_raar = p->options.iterations - n_er;
  for (guint i = 0; i < p->options.iterations; i++)
    {
      project_amplitudes (&pair);
      if (i > 0 && i <= n_raar && i % CYCLE == 0)
        draw_supports (&pair, (double) i / n_raar);
      if (i < n_raar)
        step (&pair, FLK_PHASING_RAAR);
      else
        step (&pair, FLK_PHASING_ER);
    }
  double errors[2];
  find_errors (&pair, errors);
  hand_over (&pair, starts);
  starts[0].error = errors[0];
  starts[1].error = errors[1];
  pair_clear (&pair);
}

void
fl_phasing_start_clear (FlPhasingStart *start)
{
  fl_volume_free (start->density);
  start->density = NULL;
}

FlVolume *
fl_phasing_support (const FlPhasing *p, const FlVolume *density, double filled)
{
  gsize points = fl_volume_points (density);
  double ball = G_PI / 6 * pow (MARGIN * p->options.diameter / p->voxel, 3);
  g_autoptr (FlVolume) blurred = fl_volume_copy (density);
  FlVolume *support = fl_volume_new (density->m, density->voxel);
  for (gsize i = 0; i < points; i++)
    blurred->data[i] = MAX (blurred->data[i], 0);
  fl_support_blur (blurred->data, support->data, density->m, LAST_BLUR);
  fl_support_draw (blurred->data, points, LAST_PART, (gsize) (filled * ball), support->data);
  return support;
}
