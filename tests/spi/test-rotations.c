/* The refined 600-cell: numbers, spacing, weights. */
#include "engine/base/hash.h"
#include "engine/spi/rotations.h"

static FlQuat
random_rotation (FlRandom *random)
{
  double q[4], norm = 0;
  for (guint i = 0; i < 4; i++)
    {
      q[i] = fl_random_normal (random);
      norm += q[i] * q[i];
    }
  norm = sqrt (norm);
  return (FlQuat){ q[0] / norm, q[1] / norm, q[2] / norm, q[3] / norm };
}

static void
test_numbers (void)
{
  for (guint n = 1; n <= 6; n++)
    {
      g_autoptr (FlRotations) all = fl_rotations_new (n);
      double sum = 0;
      g_assert_cmpuint (all->n, ==, 10 * (5 * n * n * n + n));
      for (guint i = 0; i < all->n; i++)
        {
          sum += all->weights[i];
          g_assert_cmpfloat (fabs (fl_quat_dot (all->rotations[i], all->rotations[i]) - 1), <, 1e-12);
        }
      g_assert_cmpfloat (fabs (sum - 1), <, 1e-12);
    }
}

/* No two are one; each has a neighbour about as far away as told; none is far from all. */
static void
test_spacing (void)
{
  FlRandom random = fl_random (3);
  for (guint n = 2; n <= 4; n++)
    {
      g_autoptr (FlRotations) all = fl_rotations_new (n);
      double least = G_PI, mean = 0, farthest = 0;
      for (guint i = 0; i < all->n; i++)
        {
          double nearest = G_PI;
          for (guint k = 0; k < all->n; k++)
            if (k != i)
              nearest = fmin (nearest, fl_quat_angle (all->rotations[i], all->rotations[k]));
          least = fmin (least, nearest);
          mean += nearest / all->n;
        }
      for (guint i = 0; i < 2000; i++)
        {
          FlQuat q = random_rotation (&random);
          double nearest = G_PI;
          for (guint k = 0; k < all->n; k++)
            nearest = fmin (nearest, fl_quat_angle (q, all->rotations[k]));
          farthest = fmax (farthest, nearest);
        }
      double told = fl_rotations_spacing (n);
      g_assert_cmpfloat (least, >, 0.6 * told);
      g_assert_cmpfloat (fabs (mean / told - 1), <, 0.15);
      g_assert_cmpfloat (farthest, <, told);
    }
}

/* Weights are shares of all rotations: those of random ones that are nearest to each. */
static void
test_weights (void)
{
  enum
  {
    DRAWN = 300000
  };
  FlRandom random = fl_random (5);
  g_autoptr (FlRotations) all = fl_rotations_new (2);
  g_autofree double *nearest_to = g_new0 (double, all->n);
  double told = 0, flat = 0;
  for (guint i = 0; i < DRAWN; i++)
    {
      FlQuat q = random_rotation (&random);
      guint best = 0;
      for (guint k = 1; k < all->n; k++)
        if (fabs (fl_quat_dot (q, all->rotations[k])) > fabs (fl_quat_dot (q, all->rotations[best])))
          best = k;
      nearest_to[best]++;
    }
  for (guint k = 0; k < all->n; k++)
    {
      double expected = DRAWN * all->weights[k], even = (double) DRAWN / all->n;
      told += (nearest_to[k] - expected) * (nearest_to[k] - expected) / expected;
      flat += (nearest_to[k] - even) * (nearest_to[k] - even) / even;
    }
  /* χ² of 420 numbers: the weights explain most of what is uneven. */
  g_assert_cmpfloat (told - all->n, <, 0.5 * (flat - all->n));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/spi/rotations/numbers", test_numbers);
  g_test_add_func ("/spi/rotations/spacing", test_spacing);
  g_test_add_func ("/spi/rotations/weights", test_weights);
  return g_test_run ();
}
