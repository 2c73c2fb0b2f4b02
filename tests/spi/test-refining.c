/* Orientations off the grid: patterns of a made-up particle, drawn in any orientation, from the nearest ones of a grid on. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/spi/refining.h"

#define DIAMETER 100.0 /* Å */
#define SPECKLES 5.0
#define FINENESS 4
#define PHOTONS  600.0
#define SIDE     33 /* pixels */

enum
{
  ATOMS = 12,
  N = 400,
  MERGED = 350
};

static FlParallel *parallel;

/* Points, each a Gaussian: I(s) = |Σ exp (2πi s·x)|² exp (−fall s²) */
typedef struct
{
  FlVec3 atom[ATOMS];
  double fall, scale;
} Particle;

static Particle
make_particle (guint64 seed)
{
  FlRandom random = fl_random (seed);
  double s_max = SPECKLES / DIAMETER;
  Particle particle = { .fall = 4.6 / (s_max * s_max), .scale = 1 };
  for (guint i = 0; i < ATOMS; i++)
    do
      particle.atom[i] = fl_vec3 ((fl_random_unit (&random) - 0.5) * 0.8 * DIAMETER,
                                  (fl_random_unit (&random) - 0.5) * 0.8 * DIAMETER,
                                  (fl_random_unit (&random) - 0.5) * 0.8 * DIAMETER);
    while (fl_vec3_norm (particle.atom[i]) > 0.4 * DIAMETER);
  return particle;
}

static double
intensity (const Particle *particle, FlVec3 s)
{
  double re = 0, im = 0;
  for (guint i = 0; i < ATOMS; i++)
    {
      double phase = 2 * G_PI * fl_vec3_dot (s, particle->atom[i]);
      re += cos (phase);
      im += sin (phase);
    }
  return particle->scale * (re * re + im * im) * exp (-particle->fall * fl_vec3_dot (s, s));
}

/* The transform of that, in closed form. */
static FlVolume *
autocorrelation (const Particle *particle, guint m, double voxel)
{
  FlVolume *volume = fl_volume_new (m, voxel);
  double height = particle->scale * pow (G_PI / particle->fall, 1.5) * voxel * voxel * voxel;
  int h = (int) (m - 1) / 2;
  gsize at = 0;
  for (int z = -h; z <= h; z++)
    for (int y = -h; y <= h; y++)
      for (int x = -h; x <= h; x++, at++)
        for (guint i = 0; i < ATOMS; i++)
          for (guint k = 0; k < ATOMS; k++)
            {
              FlVec3 far = fl_vec3_sub (fl_vec3 (x * voxel, y * voxel, z * voxel),
                                        fl_vec3_sub (particle->atom[i], particle->atom[k]));
              volume->data[at] +=
                  (float) (height * exp (-G_PI * G_PI / particle->fall * fl_vec3_dot (far, far)));
            }
  return volume;
}

static FlPatternPixels *
make_pixels (void)
{
  FlPatternPixels *pixels = fl_pattern_pixels_new (SIDE * SIDE);
  pixels->wavelength = 2;
  for (guint i = 0; i < pixels->n; i++)
    {
      double half = (SIDE - 1) / 2.0, pitch = SPECKLES / DIAMETER / half, x = (i % SIDE - half) * pitch,
             y = (i / SIDE - half) * pitch;
      pixels->s[i] = fl_vec3 (x, y, -(x * x + y * y) * pixels->wavelength / 2);
      pixels->factor[i] = 1;
      pixels->mask[i] = FL_PATTERN_GOOD;
    }
  return pixels;
}

static FlQuat
any_rotation (FlRandom *random)
{
  FlQuat q = { fl_random_normal (random), fl_random_normal (random), fl_random_normal (random),
               fl_random_normal (random) };
  double norm = sqrt (fl_quat_dot (q, q));
  return (FlQuat){ q.w / norm, q.x / norm, q.y / norm, q.z / norm };
}

static double
seen (const Particle *particle, FlQuat orientation, FlVec3 s)
{
  FlMat3 back = fl_mat3_from_quat (fl_quat_conjugate (orientation));
  return intensity (particle, fl_mat3_apply (&back, s));
}

/* Sets the particle's scale, so that patterns have PHOTONS on the average. */
static FlPatterns *
draw_patterns (Particle *particle, FlQuat truth[N])
{
  FlPatterns *patterns = fl_patterns_new (make_pixels ());
  FlPatternPixels *pixels = patterns->pixels;
  FlRandom random = fl_random (3);
  double sum = 0;
  for (guint d = 0; d < N; d++)
    {
      truth[d] = any_rotation (&random);
      for (guint i = 0; i < pixels->n; i++)
        sum += seen (particle, truth[d], pixels->s[i]);
    }
  particle->scale *= PHOTONS * N / sum;
  guint32 pixel[SIDE * SIDE], count[SIDE * SIDE];
  for (guint d = 0; d < N; d++)
    {
      guint n = 0;
      for (guint i = 0; i < pixels->n; i++)
        {
          pixel[n] = i;
          count[n] = (guint32) fl_random_poisson (&random, seen (particle, truth[d], pixels->s[i]));
          n += count[n] > 0;
        }
      fl_patterns_add (patterns, d, d, n, pixel, count);
    }
  return patterns;
}

static int
by_value (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return x < y ? -1 : x > y;
}

/* Modulo the half turn about the beam. */
static double
median_error (const FlQuat *truth, const FlRefined *refined, guint first, guint last)
{
  double errors[N];
  const FlQuat half = { 0, 0, 0, 1 };
  for (guint d = first; d < last; d++)
    errors[d - first] = fmin (fl_quat_angle (truth[d], refined[d].orientation),
                              fl_quat_angle (fl_quat_multiply (half, truth[d]), refined[d].orientation));
  qsort (errors, last - first, sizeof *errors, by_value);
  return errors[(last - first) / 2];
}

static void
start_on_grid (const FlRotations *grid, const FlQuat *truth, guint conformation, FlRefined *refined)
{
  for (guint d = 0; d < N; d++)
    {
      refined[d] = (FlRefined){ .conformation = conformation, .scale = 1 };
      double nearest = -1;
      for (guint r = 0; r < grid->n; r++)
        {
          double near = fabs (fl_quat_dot (truth[d], grid->rotations[r]));
          if (near > nearest)
            refined[d].orientation = grid->rotations[r];
          nearest = fmax (near, nearest);
        }
    }
}

static double
correlation (const FlVolume *a, const FlVolume *b)
{
  double ab = 0, aa = 0, bb = 0;
  for (gsize i = 0; i < fl_volume_points (a); i++)
    {
      ab += (double) a->data[i] * (double) b->data[i];
      aa += (double) a->data[i] * (double) a->data[i];
      bb += (double) b->data[i] * (double) b->data[i];
    }
  return ab / sqrt (aa * bb);
}

static double
mean_likelihood (const FlRefined *refined)
{
  double sum = 0;
  for (guint d = 0; d < N; d++)
    sum += (double) refined[d].likelihood / N;
  return sum;
}

typedef struct
{
  Particle particle;
  FlQuat truth[N];
  FlPatterns *patterns;
  FlRadial *radial;
  FlSpiStage *stage;
  FlkDevice *device;
  FlRefining *refining;
  FlMatchGroup group;
  guint pattern[N];
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr (GError) error = NULL;
  const FlSpiStagePlan plan = { SPECKLES, FINENESS, FALSE, FALSE };
  f->particle = make_particle (7);
  f->patterns = draw_patterns (&f->particle, f->truth);
  f->radial = fl_radial_new (parallel, f->patterns, 1 / (3 * DIAMETER), 1.1 * SPECKLES / DIAMETER);
  f->stage = fl_stage_new (&plan, DIAMETER, f->patterns->pixels, f->radial);
  f->device = flk_device_open ("cpu", 0, 1, NULL, 0);
  f->refining = fl_refining_new (parallel, f->device, f->patterns, f->stage, f->radial, &error);
  g_assert_no_error (error);
  f->group = (FlMatchGroup){ N, MERGED, f->pattern };
  for (guint d = 0; d < N; d++)
    f->pattern[d] = d;
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  (void) data;
  fl_refining_free (f->refining);
  flk_device_close (f->device);
  fl_stage_free (f->stage);
  fl_radial_free (f->radial);
  fl_patterns_free (f->patterns);
}

static void
run (Fixture *f, guint n, FlVolume *const *models, double radius, FlRefined *refined)
{
  g_autoptr (GError) error = NULL;
  float seconds[3] = { 0 };
  fl_refining_run (f->refining, n, models, &f->group, radius, refined, seconds, &error);
  g_assert_no_error (error);
  g_assert_true (seconds[0] > 0 && seconds[1] > 0 && seconds[2] > 0);
}

/* Three rounds as a reconstruction has them: nearer to the truth, the model too, and patterns that are held back no less. */
static void
test_off_the_grid (Fixture *f, gconstpointer data)
{
  (void) data;
  double spacing = fl_rotations_spacing (FINENESS), told = -INFINITY;
  g_autofree FlRefined *refined = g_new (FlRefined, N);
  g_autoptr (FlVolume) truth = autocorrelation (&f->particle, f->stage->m, f->stage->voxel);
  g_autoptr (FlVolume) model = fl_volume_copy (truth);
  start_on_grid (f->stage->rotations, f->truth, 0, refined);
  double before = median_error (f->truth, refined, 0, N);
  for (guint k = 0; k < 3; k++)
    {
      run (f, 1, &model, 0.8 * spacing / (1 << k), refined);
      g_test_message ("round %u: median error %.4f rad, spacing %.4f, likelihood %.3f, information %.2f", k,
                      median_error (f->truth, refined, 0, N), spacing, mean_likelihood (refined),
                      (double) refined[0].information);
      told = mean_likelihood (refined);
    }
  double after = median_error (f->truth, refined, 0, MERGED),
         held = median_error (f->truth, refined, MERGED, N);
  g_test_message ("before %.4f, after %.4f, held back %.4f, model %.4f, likelihood %.2f", before, after, held,
                  correlation (model, truth), told);
  g_assert_cmpfloat (before, >, 0.3 * spacing);
  g_assert_cmpfloat (after, <, 0.2 * spacing);
  g_assert_cmpfloat (held, <, 0.2 * spacing);
  g_assert_cmpfloat (correlation (model, truth), >, 0.99);
  for (guint d = 0; d < N; d++)
    g_assert_cmpfloat (fabs (fl_quat_dot (refined[d].orientation, refined[d].orientation) - 1), <, 1e-6);
}

/* Patterns of one conformation see no other's model, and do not change it. */
static void
test_conformations (Fixture *f, gconstpointer data)
{
  (void) data;
  double radius = 0.6 * fl_rotations_spacing (FINENESS);
  g_autofree FlRefined *refined = g_new (FlRefined, N), *alone = g_new (FlRefined, N);
  g_autoptr (FlVolume) truth = autocorrelation (&f->particle, f->stage->m, f->stage->voxel);
  g_autoptr (FlVolume) model = fl_volume_copy (truth), other = fl_volume_copy (truth),
                       single = fl_volume_copy (truth);
  start_on_grid (f->stage->rotations, f->truth, 1, refined);
  start_on_grid (f->stage->rotations, f->truth, 0, alone);
  FlVolume *both[2] = { other, model };
  run (f, 2, both, radius, refined);
  run (f, 1, &single, radius, alone);
  g_assert_true (memcmp (model->data, single->data, fl_volume_points (model) * sizeof (float)) == 0);
  for (guint d = 0; d < N; d++)
    {
      g_assert_cmpuint (refined[d].conformation, ==, 1);
      g_assert_true (memcmp (&refined[d].orientation, &alone[d].orientation, sizeof (FlQuat)) == 0);
      g_assert_true (refined[d].likelihood == alone[d].likelihood && refined[d].scale == alone[d].scale);
    }
  g_assert_cmpfloat (correlation (other, truth), <, 0.99); /* no pattern: the radial mean */
}

/* Patterns that are held back are judged, and change nothing. */
static void
test_held_back (Fixture *f, gconstpointer data)
{
  (void) data;
  double radius = 0.6 * fl_rotations_spacing (FINENESS);
  g_autofree FlRefined *all = g_new (FlRefined, N), *merged = g_new (FlRefined, N);
  g_autoptr (FlVolume) truth = autocorrelation (&f->particle, f->stage->m, f->stage->voxel);
  g_autoptr (FlVolume) with = fl_volume_copy (truth), without = fl_volume_copy (truth);
  start_on_grid (f->stage->rotations, f->truth, 0, all);
  memcpy (merged, all, N * sizeof *all);
  run (f, 1, &with, radius, all);
  f->group.n = MERGED;
  run (f, 1, &without, radius, merged);
  g_assert_cmpfloat (correlation (with, without), >, 1 - 1e-6);
  g_assert_cmpfloat (correlation (with, truth), <, 1 - 1e-5);
  g_assert_true (all[N - 1].information > 0 && merged[N - 1].information == 0);
}

int
main (int argc, char **argv)
{
  parallel = fl_parallel_start (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/refining/off-the-grid", Fixture, NULL, set_up, test_off_the_grid, tear_down);
  g_test_add ("/refining/conformations", Fixture, NULL, set_up, test_conformations, tear_down);
  g_test_add ("/refining/held-back", Fixture, NULL, set_up, test_held_back, tear_down);
  int status = g_test_run ();
  fl_parallel_finish (parallel);
  return status;
}
