/* Particles of random Gaussians, turned, shifted, mirrored: found again. */
#include <math.h>

#include "engine/base/hash.h"
#include "engine/spi/alignment.h"
#include "engine/spi/fsc.h"
#include "engine/spi/point-group.h"
#include "engine/spi/rotations.h"
#include "engine/spi/transform.h"

#define DIAMETER 160.0
#define VOXEL    11.5
#define M        41
#define BLOBS    60

typedef struct
{
  guint n;
  FlVec3 at[BLOBS];
} Particle;

static FlQuat
random_rotation (FlRandom *random)
{
  FlQuat q = { fl_random_normal (random), fl_random_normal (random), fl_random_normal (random),
               fl_random_normal (random) };
  double norm = sqrt (fl_quat_dot (q, q));
  return (FlQuat){ q.w / norm, q.x / norm, q.y / norm, q.z / norm };
}

static Particle
particle (guint64 seed)
{
  Particle p = { .n = BLOBS };
  FlRandom random = fl_random (seed);
  for (guint i = 0; i < BLOBS; i++)
    {
      FlMat3 r = fl_mat3_from_quat (random_rotation (&random));
      p.at[i] = fl_vec3_scale (fl_vec3 (r.m[0][0], 0.8 * r.m[0][1], 0.6 * r.m[0][2]),
                               0.42 * DIAMETER * cbrt (fl_random_unit (&random)));
    }
  return p;
}

/* Gaussians that end before 1 / (2 VOXEL), moved. */
static FlVolume *
density (const Particle *p, const FlMotion *motion)
{
  FlVolume *v = fl_volume_new (M, VOXEL);
  FlMat3 r = fl_mat3_from_quat (motion->rotation);
  double width = 0.85 * VOXEL;
  for (guint i = 0; i < p->n; i++)
    {
      FlVec3 c =
          fl_vec3_add (fl_mat3_apply (&r, fl_vec3_scale (p->at[i], motion->hand ? -1 : 1)), motion->shift);
      float *value = v->data;
      for (int z = -(M / 2); z <= M / 2; z++)
        for (int y = -(M / 2); y <= M / 2; y++)
          for (int x = -(M / 2); x <= M / 2; x++, value++)
            {
              FlVec3 d = fl_vec3_sub (fl_vec3_scale (fl_vec3 (x, y, z), VOXEL), c);
              *value += (float) exp (-fl_vec3_dot (d, d) / (2 * width * width));
            }
    }
  return v;
}

static FlVolume *
autocorrelation (const FlVolume *rho)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlTransform) t = fl_transform_new (2 * rho->m, &error);
  g_assert_no_error (error);
  fl_transform_put (t, rho, NULL);
  fl_transform_run (t, FALSE);
  for (gsize i = 0; i < fl_transform_points (t); i++)
    t->grid[i] *= conjf (t->grid[i]);
  fl_transform_run (t, TRUE);
  FlVolume *a = fl_volume_new (rho->m, rho->voxel);
  fl_transform_take (t, 1 / (float) fl_transform_points (t), a, NULL);
  return a;
}

static void
add_noise (FlVolume *v, double part, guint64 seed)
{
  FlRandom random = fl_random (seed);
  double square = 0;
  for (gsize i = 0; i < fl_volume_points (v); i++)
    square += v->data[i] * v->data[i];
  double sigma = part * sqrt (square / (double) fl_volume_points (v));
  for (gsize i = 0; i < fl_volume_points (v); i++)
    v->data[i] += (float) (sigma * fl_random_normal (&random));
}

static const FlAlignmentRange range = { 0.4 / DIAMETER, 0.9 / (2 * VOXEL), DIAMETER };

static void
test_autocorrelations (void)
{
  Particle p = particle (1);
  FlRandom random = fl_random (2);
  FlMotion none = { .rotation = { 1, 0, 0, 0 } };
  g_autoptr (FlVolume) still = density (&p, &none);
  g_autoptr (FlVolume) a = autocorrelation (still);
  add_noise (a, 0.05, 3);
  double limit = 0.2 * fl_rotations_spacing ((guint) ceil (range.s_high * DIAMETER));
  for (guint i = 0; i < 3; i++)
    {
      FlMotion motion = { .rotation = random_rotation (&random) };
      g_autoptr (FlVolume) moved = density (&p, &motion);
      g_autoptr (FlVolume) b = autocorrelation (moved);
      g_autoptr (GError) error = NULL;
      FlAlignment found;
      g_test_timer_start ();
      fl_align_autocorrelations (b, a, &range, &found, &error);
      double seconds = g_test_timer_elapsed ();
      g_assert_no_error (error);
      double angle = fl_quat_angle (found.motion.rotation, motion.rotation);
      g_test_message ("off by %.2f°, limit %.2f°, correlation %.3f, %.2f s", angle * 180 / G_PI,
                      limit * 180 / G_PI, found.correlation, seconds);
      g_assert_cmpfloat (angle, <, limit);
    }
}

static void
test_densities (void)
{
  Particle p = particle (4);
  FlRandom random = fl_random (5);
  FlMotion none = { .rotation = { 1, 0, 0, 0 } };
  g_autoptr (FlVolume) a = density (&p, &none);
  for (guint i = 0; i < 4; i++)
    {
      FlMotion motion = { random_rotation (&random), { 10.0 * i, -7.3 * i, 3.1 }, i % 2 };
      g_autoptr (FlVolume) b = density (&p, &motion);
      g_autoptr (GError) error = NULL;
      FlAlignment found;
      add_noise (b, 0.05 * i, i);
      g_test_timer_start ();
      fl_align_densities (b, a, &range, &found, &error);
      double seconds = g_test_timer_elapsed ();
      g_assert_no_error (error);
      double angle = fl_quat_angle (found.motion.rotation, motion.rotation),
             shift = fl_vec3_norm (fl_vec3_sub (found.motion.shift, motion.shift));
      g_test_message ("off by %.2f° and %.2f Å, correlation %.3f, %.2f s", angle * 180 / G_PI, shift,
                      found.correlation, seconds);
      g_assert_cmpint (found.motion.hand, ==, motion.hand);
      g_assert_cmpfloat (angle * range.s_high * DIAMETER, <, 0.1);
      g_assert_cmpfloat (shift, <, 0.1 * VOXEL);
    }
}

/* A copy turned and mirrored by the resampler against the particle made so. */
static void
test_resampler (void)
{
  Particle p = particle (6);
  FlRandom random = fl_random (7);
  FlMotion none = { .rotation = { 1, 0, 0, 0 } },
           motion = { random_rotation (&random), { 13.7, 5, -21.1 }, TRUE };
  g_autoptr (FlVolume) a = density (&p, &none);
  g_autoptr (FlVolume) b = density (&p, &motion);
  g_autoptr (FlVolume) moved = fl_volume_new (M, VOXEL);
  g_autoptr (GError) error = NULL;
  g_autoptr (FlResampler) resampler = fl_resampler_new (a, &error);
  g_assert_no_error (error);
  fl_resampler_move (resampler, &motion, moved);
  g_autoptr (FlFsc) fsc = fl_fsc_new (b, moved, FL_FSC_DENSITY, 0, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < fsc->n * 9 / 10; i++)
    g_assert_cmpfloat (fsc->value[i], >, 0.98);
  g_test_message ("FSC at 0.9 of Nyquist %.4f", fsc->value[fsc->n * 9 / 10 - 1]);
}

static void
test_orders (void)
{
  static const struct
  {
    const char *name;
    guint order;
  } groups[] = { { "C1", 1 }, { "c7", 7 }, { "D1", 2 }, { "D2", 4 },   { "D7", 14 },
                 { "T", 12 }, { "O", 24 }, { "I", 60 }, { "d60", 120 } };
  for (guint i = 0; i < G_N_ELEMENTS (groups); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (FlPointGroup) group = fl_point_group_new (groups[i].name, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (group->n, ==, groups[i].order);
    }
  static const char *const wrong[] = { "", "C", "C0", "C61", "D7x", "T2", "X", "C-1" };
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (fl_point_group_new (wrong[i], &error));
      g_assert_nonnull (error);
    }
}

/* A particle of a group in some frame: the frame found, and its mean unlike its noise. */
static void
test_group (gconstpointer name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlPointGroup) group = fl_point_group_new (name, &error);
  g_assert_no_error (error);
  FlRandom random = fl_random (8);
  FlQuat frame = random_rotation (&random);
  g_autoptr (FlVolume) rho = fl_volume_new (M, VOXEL);
  Particle p = particle (9);
  p.n = BLOBS / group->n;
  for (guint k = 0; k < group->n; k++)
    {
      FlMotion motion = { .rotation = fl_quat_multiply (frame, group->rotations[k]) };
      g_autoptr (FlVolume) copy = density (&p, &motion);
      for (gsize i = 0; i < fl_volume_points (rho); i++)
        rho->data[i] += copy->data[i];
    }
  g_autoptr (FlVolume) clean = autocorrelation (rho);
  g_autoptr (FlVolume) noisy = fl_volume_copy (clean);
  add_noise (noisy, 0.01, 10);
  FlQuat found;
  double correlation;
  g_assert_true (fl_point_group_find (group, noisy, &range, &found, &correlation, &error));
  double worst = 0;
  for (guint k = 0; k < group->n_generators; k++)
    {
      FlQuat g = fl_quat_multiply (fl_quat_multiply (found, group->generators[k]), fl_quat_conjugate (found));
      worst = MAX (worst, fl_point_group_angle (group, frame, g, (FlQuat){ 1, 0, 0, 0 }));
    }
  g_autoptr (FlVolume) mean = fl_point_group_mean (group, found, noisy, &error);
  g_assert_no_error (error);
  g_autoptr (FlFsc) before = fl_fsc_new (clean, noisy, FL_FSC_INTENSITY, 0, &error);
  g_autoptr (FlFsc) after = fl_fsc_new (clean, mean, FL_FSC_INTENSITY, 0, &error);
  guint shell = before->n * 8 / 10;
  g_test_message ("generators off by %.2f°, correlation %.3f; with the clean one %.3f, mean %.3f",
                  worst * 180 / G_PI, correlation, before->value[shell], after->value[shell]);
  g_assert_cmpfloat (worst * range.s_high * DIAMETER, <, 0.4); /* twice the axes' error */
  g_assert_cmpfloat (after->value[shell], >, before->value[shell]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/spi/alignment/resampler", test_resampler);
  g_test_add_func ("/spi/alignment/autocorrelations", test_autocorrelations);
  g_test_add_func ("/spi/alignment/densities", test_densities);
  g_test_add_func ("/spi/point-group/orders", test_orders);
  g_test_add_data_func ("/spi/point-group/d7", "D7", test_group);
  g_test_add_data_func ("/spi/point-group/o", "O", test_group);
  return g_test_run ();
}
