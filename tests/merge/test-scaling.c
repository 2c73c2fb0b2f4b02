#include <glib.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/merge/partiality.h"
#include "engine/merge/polarisation.h"
#include "engine/merge/scaling-fit.h"

/* --- a lattice of a known model, without noise --- */

#define N 300

static FlObservation observations[N];
static FlScalingRow rows[N];

static FlMergeLattice
make_lattice (FlRandom *random)
{
  FlMergeLattice lattice = { .energy = 9000, .n = N, .scale = 1, .width = 0.001f };
  for (int i = 0; i < 9; i++)
    lattice.a_star[i] = (i % 4 == 0 ? 0.014f : 0) + 0.002f * (float) fl_random_normal (random);
  for (guint i = 0; i < N; i++)
    {
      FlObservation *o = &observations[i];
      *o = (FlObservation){ .sigma = 1, .excitation = 0.001f * (float) fl_random_normal (random) };
      o->h = (gint16) (fl_random_u64 (random) % 41) - 20;
      o->k = (gint16) (fl_random_u64 (random) % 41) - 20;
      o->l = (gint16) (fl_random_u64 (random) % 41) - 20;
      double q = fl_vec3_norm (fl_merge_q (&lattice, o));
      rows[i] = (FlScalingRow){ o, -1000 * log (1 - fl_random_unit (random)), 1 / MAX (q, 0.02), 1 };
    }
  return lattice;
}

static void
test_derivatives (void)
{
  FlRandom random = fl_random (7);
  FlMergeLattice lattice = make_lattice (&random);
  lattice.scale = 2;
  lattice.b = 5;
  lattice.width_slope = 0.002f;
  for (guint i = 0; i < N; i++)
    {
      double gradient[FL_SCALING_LAST], other[FL_SCALING_LAST];
      double m = fl_scaling_model (&lattice, &rows[i], gradient);
      for (int k = 0; k < FL_SCALING_LAST; k++)
        {
          double values[2], steps[2];
          for (int side = 0; side < 2; side++)
            {
              FlMergeLattice moved = lattice;
              float h = (side == 0 ? -1 : 1) * 0x1p-8f;
              float *what[] = { &moved.scale, &moved.b, &moved.width, &moved.rotation[0],
                                &moved.rotation[1] };
              *what[k] += k == FL_SCALING_LN_G || k == FL_SCALING_LN_W ? h * *what[k]
                          : k >= FL_SCALING_X                          ? h / 64
                                                                       : h;
              if (k == FL_SCALING_LN_W)
                moved.width_slope += h * moved.width_slope;
              double from[] = { (double) lattice.scale, (double) lattice.b, (double) lattice.width, 0, 0 };
              steps[side] = k == FL_SCALING_LN_G || k == FL_SCALING_LN_W ? log ((double) *what[k] / from[k])
                                                                         : (double) *what[k] - from[k];
              values[side] = fl_scaling_model (&moved, &rows[i], other);
            }
          double slope = (values[1] - values[0]) / (steps[1] - steps[0]);
          g_assert_cmpfloat (fabs (slope - gradient[k]), <=,
                             2e-3 * (fabs (gradient[k]) + m * (k >= FL_SCALING_X ? 1000 : 1)));
        }
    }
}

/* From a wrong start, exact data lead back to what made them. */
static void
test_exact (void)
{
  for (guint seed = 1; seed <= 10; seed++)
    {
      FlRandom random = fl_random (seed);
      FlMergeLattice lattice = make_lattice (&random), truth = lattice;
      truth.scale = (float) exp (fl_random_normal (&random));
      truth.b = 10 * (float) fl_random_normal (&random);
      truth.width *= (float) exp (0.3 * fl_random_normal (&random));
      truth.rotation[0] = 5e-4f * (float) fl_random_normal (&random);
      truth.rotation[1] = 5e-4f * (float) fl_random_normal (&random);
      for (guint i = 0; i < N; i++)
        {
          double gradient[FL_SCALING_LAST];
          observations[i].intensity = (float) fl_scaling_model (&truth, &rows[i], gradient);
        }
      FlScalingOptions options = { .b = TRUE, .width = TRUE, .rotation = TRUE, .min_cc = -1 };
      g_assert_true (fl_scaling_fit (&lattice, rows, N, &options));
      g_assert_cmpfloat_with_epsilon (lattice.scale / truth.scale, 1, 2e-6);
      g_assert_cmpfloat_with_epsilon (lattice.b, truth.b, 2e-5);
      g_assert_cmpfloat_with_epsilon (lattice.width / truth.width, 1, 2e-6);
      g_assert_cmpfloat_with_epsilon (lattice.rotation[0], truth.rotation[0], 1e-6);
      g_assert_cmpfloat_with_epsilon (lattice.rotation[1], truth.rotation[1], 1e-6);
      g_assert_cmpfloat_with_epsilon (fl_scaling_correlation (&lattice, rows, N), 1, 1e-5);
    }
}

/* A few wild observations do not move it. */
static void
test_outliers (void)
{
  FlRandom random = fl_random (3);
  FlMergeLattice lattice = make_lattice (&random);
  for (guint i = 0; i < N; i++)
    {
      double gradient[FL_SCALING_LAST];
      observations[i].intensity =
          (float) (3 * fl_scaling_model (&lattice, &rows[i], gradient) + 5 * fl_random_normal (&random));
      observations[i].sigma = 5;
      if (i % 30 == 0)
        observations[i].intensity += 20000;
    }
  FlScalingOptions options = { .min_cc = -1 };
  g_assert_true (fl_scaling_fit (&lattice, rows, N, &options));
  g_assert_cmpfloat_with_epsilon (lattice.scale, 3, 0.1);
}

/* Noise with no signal below nothing is turned down. */
static void
test_no_scale (void)
{
  FlRandom random = fl_random (3);
  FlMergeLattice lattice = make_lattice (&random);
  for (guint i = 0; i < N; i++)
    observations[i].intensity = -1;
  FlScalingOptions options = { .min_cc = -1 };
  g_assert_false (fl_scaling_fit (&lattice, rows, N, &options));
}

/* Along the polarisation nothing is scattered at a right angle, across it all; unpolarised, the half of the sum. */
static void
test_polarisation (void)
{
  double k = 0.7;
  FlVec3 x = fl_vec3 (k, 0, -k), y = fl_vec3 (0, k, -k);
  g_assert_cmpfloat_with_epsilon (fl_polarisation (fl_vec3 (0, 0, 0), k, 1), 1, 1e-12);
  g_assert_cmpfloat_with_epsilon (fl_polarisation (x, k, 1), 0, 1e-12);
  g_assert_cmpfloat_with_epsilon (fl_polarisation (y, k, 1), 1, 1e-12);
  g_assert_cmpfloat_with_epsilon (fl_polarisation (x, k, 0), 0.5, 1e-12);
  g_assert_cmpfloat_with_epsilon (fl_polarisation (x, k, -1), 1, 1e-12);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scaling/derivatives", test_derivatives);
  g_test_add_func ("/scaling/exact", test_exact);
  g_test_add_func ("/scaling/outliers", test_outliers);
  g_test_add_func ("/scaling/no-scale", test_no_scale);
  g_test_add_func ("/scaling/polarisation", test_polarisation);
  return g_test_run ();
}
