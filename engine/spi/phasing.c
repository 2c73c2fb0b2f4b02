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

/* Amplitudes between s_low and s_edge, each pair of opposites once: [p->n_moduli], g_free. */
static FlkModulus *
list_moduli (FlPhasing *p)
{
  const FlTransform *t = p->transform;
  int h = (int) t->n / 2;
  double per = t->n * p->voxel, low = p->options.s_low * per, high = MIN (p->options.s_edge * per, h - 1);
  FlkModulus *moduli = g_new (FlkModulus, fl_transform_points (t) / 2);
  for (int z = 0; z < h; z++)
    for (int y = 1 - h; y < h; y++)
      for (int x = 1 - h; x < h; x++)
        {
          double s = sqrt (x * x + y * y + z * z);
          if (!in_half (x, y, z) || s < low || s > high)
            continue;
          gsize at = fl_transform_at (t, x, y, z);
          float intensity = crealf (t->grid[at]);
          moduli[p->n_moduli++] = (FlkModulus){ (guint32) at, (guint32) fl_transform_at (t, -x, -y, -z),
                                                intensity > 0 ? sqrtf (intensity) : 0 };
          p->sum += moduli[p->n_moduli - 1].amplitude;
        }
  return moduli;
}

static gboolean
fail (const FlPhasing *p, GError **error)
{
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "phases of %u³ points: %s", p->transform->n,
               flk_error (p->device));
  return FALSE;
}

static gboolean
allocate (FlPhasing *p, const FlkModulus *moduli, GError **error)
{
  const guint n = p->transform->n;
  FlkDevice *device = p->device;
  gsize numbers = 2 * fl_transform_points (p->transform), size = numbers * sizeof (float),
        known = p->n_moduli * sizeof *moduli;
  float **const all[] = { &p->density, &p->grid, &p->blurred, &p->mask, &p->whole };
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    if ((*all[i] = flk_alloc (device, size)) == NULL)
      return fail (p, error);
  p->fft = flk_fft_new (device, (const uint32_t[3]){ n, n, n }, FLK_F32);
  p->moduli = flk_alloc (device, known);
  p->sums = flk_alloc (device, 2 * flk_phasing_teams (p->n_moduli) * sizeof *p->sums);
  p->factor_at = flk_alloc (device, n * sizeof *p->factor_at);
  g_autofree float *ones = g_new (float, numbers);
  for (gsize i = 0; i < numbers; i++)
    ones[i] = 1;
  return (p->fft != NULL && p->moduli != NULL && p->sums != NULL && p->factor_at != NULL
          && flk_upload (device, p->moduli, moduli, known) && flk_upload (device, p->whole, ones, size)
          && flk_sync (device))
         || fail (p, error);
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
  p->device = options->device != NULL ? options->device : p->transform->device;
  p->factor = g_new (float, p->transform->n);
  fl_transform_put (p->transform, autocorrelation, NULL);
  fl_transform_run (p->transform, FALSE);
  g_autofree FlkModulus *moduli = list_moduli (p);
  if (!(p->sum > 0))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "an autocorrelation without positive intensities from %g to %g Å⁻¹ cannot be phased",
                   options->s_low, p->options.s_edge);
      return NULL;
    }
  return allocate (p, moduli, error) ? g_steal_pointer (&p) : NULL;
}

void
fl_phasing_free (FlPhasing *p)
{
  if (p == NULL)
    return;
  void *const memory[] = { p->density, p->grid,   p->blurred, p->mask,
                           p->whole,   p->moduli, p->sums,    p->factor_at };
  for (guint i = 0; i < G_N_ELEMENTS (memory) && p->device != NULL; i++)
    flk_free (p->device, memory[i]);
  if (p->fft != NULL)
    flk_fft_free (p->fft);
  if (p->device != NULL)
    flk_buffer_clear (p->device, &p->scratch);
  fl_transform_free (p->transform);
  g_free (p->factor);
  g_free (p);
}

/* Two starts under way: even places of the arrays are the one's, odd ones the other's. */
typedef struct
{
  FlPhasing *p;
  gsize points;
  gsize ball;
  double last_filled;
  guint64 filled[2];
} Pair;

/* Random densities in the ball of the diameter. */
static gboolean
pair_init (Pair *pair, FlPhasing *p, guint number)
{
  gsize points = fl_transform_points (p->transform);
  int h = (int) p->transform->n / 2;
  double radius = MARGIN * p->options.diameter / (2 * p->voxel);
  *pair = (Pair){ .p = p, .points = points, .last_filled = last_filled[number % FL_PHASING_TIGHTNESSES] };
  g_autofree float *density = g_new0 (float, 2 * points), *mask = g_new0 (float, 2 * points);
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
              mask[2 * at + k] = 1;
              density[2 * at + k] = (float) fl_random_unit (&random);
              pair->ball++;
            }
      pair->filled[k] = pair->ball;
    }
  return flk_upload (p->device, p->density, density, 2 * points * sizeof *density)
         && flk_upload (p->device, p->mask, mask, 2 * points * sizeof *mask) && flk_sync (p->device);
}

/* --- on the device; all of these: FALSE is flk_error() --- */

static gboolean
launch (FlPhasing *p, const char *kernel, gsize items, const void *args, gsize size)
{
  return flk_launch (p->device, kernel, flk_phasing_teams (items), 0, args, size);
}

/* `sums`: not imposed, but added up of the grid as it is. */
static gboolean
impose_amplitudes (FlPhasing *p, gboolean sums)
{
  const FlkAmplitudesArgs args = { p->grid, p->moduli, p->n_moduli, sums, sums ? p->sums : NULL };
  return launch (p, "phasing_amplitudes", p->n_moduli, &args, sizeof args);
}

/* The densities' transforms, in the grid. */
static gboolean
transform_densities (Pair *pair)
{
  FlPhasing *p = pair->p;
  return flk_copy (p->device, p->grid, p->density, 2 * pair->points * sizeof *p->grid)
         && flk_fft_run (p->fft, p->grid, false);
}

/* The densities with the known amplitudes, in the grid, times `points`. */
static gboolean
project_amplitudes (Pair *pair)
{
  FlPhasing *p = pair->p;
  return transform_densities (pair) && impose_amplitudes (p, FALSE) && flk_fft_run (p->fft, p->grid, true);
}

static gboolean
step (Pair *pair, FlkPhasingStep which)
{
  FlPhasing *p = pair->p;
  const FlkUpdateArgs args = { .old = p->density,
                               .now = p->density,
                               .projected = p->grid,
                               .mask = p->mask,
                               .n = 2 * pair->points,
                               .scale = 1 / (float) pair->points,
                               .beta = (float) BETA,
                               .step = (int32_t) which };
  return launch (p, "phasing_update", args.n, &args, sizeof args);
}

/* New supports, at a fraction of the schedule. */
static gboolean
draw_supports (Pair *pair, double at)
{
  FlPhasing *p = pair->p;
  guint n = p->transform->n;
  double part = FIRST_PART + at * (LAST_PART - FIRST_PART), most = 1 + at * (pair->last_filled - 1);
  const guint64 at_most[2] = { (guint64) (most * (double) pair->ball),
                               (guint64) (most * (double) pair->ball) };
  const FlkBlurArgs args = { p->blurred, p->factor_at, n };
  /* What is positive. */
  const FlkUpdateArgs positive = { .old = p->grid,
                                   .now = p->blurred,
                                   .projected = p->grid,
                                   .mask = p->whole,
                                   .n = 2 * pair->points,
                                   .scale = 1,
                                   .step = FLK_PHASING_ER };
  flk_phasing_gaussian (p->factor, n, FIRST_BLUR * pow (LAST_BLUR / FIRST_BLUR, at));
  return flk_upload (p->device, p->factor_at, p->factor, n * sizeof *p->factor)
         && launch (p, "phasing_update", positive.n, &positive, sizeof positive)
         && flk_fft_run (p->fft, p->blurred, false)
         && launch (p, "phasing_blur", pair->points, &args, sizeof args)
         && flk_fft_run (p->fft, p->blurred, true)
         && flk_support_draw (p->device, &p->scratch, p->blurred, pair->points, part, at_most, p->mask,
                              pair->filled);
}

/* Of the densities as they are; leaves their transforms in the grid. */
static gboolean
find_errors (Pair *pair, double errors[2])
{
  FlPhasing *p = pair->p;
  guint teams = flk_phasing_teams (p->n_moduli);
  g_autofree double *own = g_new (double, 2 * teams);
  errors[0] = errors[1] = 0;
  if (!transform_densities (pair) || !impose_amplitudes (p, TRUE))
    return FALSE;
  const double *sums = flk_fetch (p->device, own, p->sums, 2 * teams * sizeof *own);
  for (guint i = 0; sums != NULL && i < 2 * teams; i++)
    errors[i % 2] += sums[i] / p->sum;
  return sums != NULL;
}

/* Into starts, so shifted that the centre of mass is in the middle, without frequencies beyond s_edge. */
static void
hand_over (Pair *pair, const float *density, FlPhasingStart starts[2])
{
  FlPhasing *p = pair->p;
  FlTransform *t = p->transform;
  int h = (int) t->n / 2;
  double limit = MIN (p->options.s_edge * t->n * p->voxel, h - 1);
  for (guint k = 0; k < 2; k++)
    {
      for (gsize i = 0; i < pair->points; i++)
        t->grid[i] = density[2 * i + k];
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

static gboolean
iterate (Pair *pair, guint iterations)
{
  guint n_er = (guint) (LAST_ER * iterations), n_raar = iterations - n_er;
  gboolean ok = TRUE;
  for (guint i = 0; i < iterations && ok; i++)
    {
      ok = project_amplitudes (pair);
      if (i > 0 && i <= n_raar && i % CYCLE == 0)
        ok = ok && draw_supports (pair, (double) i / n_raar);
      ok = ok && step (pair, i < n_raar ? FLK_PHASING_RAAR : FLK_PHASING_ER);
    }
  return ok;
}

gboolean
fl_phasing_run (FlPhasing *p, guint number, FlPhasingStart starts[2], GError **error)
{
  Pair pair;
  double errors[2];
  if (!pair_init (&pair, p, number) || !iterate (&pair, p->options.iterations)
      || !find_errors (&pair, errors))
    return fail (p, error);
  gsize size = 2 * pair.points * sizeof (float);
  g_autofree float *own = flk_device_is_host (p->device) ? NULL : g_malloc (size);
  const float *density = flk_fetch (p->device, own, p->density, size);
  if (density == NULL)
    return fail (p, error);
  hand_over (&pair, density, starts);
  starts[0].error = errors[0];
  starts[1].error = errors[1];
  return TRUE;
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
