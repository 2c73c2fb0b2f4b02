#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/merge/input.h"
#include "engine/merge/merging.h"
#include "engine/merge/partiality.h"
#include "engine/merge/polarisation.h"
#include "engine/merge/scaling-fit.h"

static FlParallel *parallel;

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

/* --- simulated images with truth --- */

static FlUniqueList *
lysozyme (void)
{
  const double degrees[] = { 79.1, 79.1, 37.9, 90, 90, 90 };
  FlCell cell;
  g_autoptr (GError) error = NULL;
  g_assert_true (fl_cell_from_degrees (degrees, &cell, &error));
  g_autoptr (FlSymmetry) symmetry = fl_symmetry_from_symbol ("P 4 2 2", &error);
  FlUniqueList *list = fl_unique_list_new (&cell, symmetry, 2.4, 30, &error);
  g_assert_no_error (error);
  return list;
}

/* I of a list in CrystFEL's format, by number; NaN where it has none. */
static float *
read_truth (const char *path, const FlUniqueList *list)
{
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  guint n = fl_unique_list_n (list);
  float *truth = g_new (float, n);
  for (guint i = 0; i < n; i++)
    truth[i] = NAN;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      int h, k, l;
      double intensity;
      if (sscanf (*line, "%d %d %d %lf", &h, &k, &l, &intensity) != 4)
        continue;
      guint32 unique = fl_unique_list_find (list, (FlMiller){ h, k, l }, NULL);
      if (unique != FL_UNIQUE_NONE)
        truth[unique] = (float) intensity;
    }
  return truth;
}

static double
correlate (const FlMergeReference *reference, const float *truth, double *completeness)
{
  double n = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0, all = 0;
  for (guint i = 0; i < reference->n; i++)
    {
      double a = (double) reference->intensity[i], b = (double) truth[i];
      all += isfinite (b);
      if (!isfinite (a) || !isfinite (b))
        continue;
      n++;
      x += a;
      y += b;
      xx += a * a;
      xy += a * b;
      yy += b * b;
    }
  *completeness = n / all;
  return (n * xy - x * y) / sqrt ((n * xx - x * x) * (n * yy - y * y));
}

/* CrystFEL's own merge of this stream correlates to 0.67 at 98 % completeness, or to 0.906 at 43 %. */
static void
test_simulated (void)
{
  const char *data = g_getenv ("FIRSTLIGHT_TEST_DATA");
  g_autofree char *packed =
      g_build_filename (data != NULL ? data : "", "crystfel-sim", "A-xgandalf-fast.stream.gz", NULL);
  g_autofree char *list_path = g_build_filename (data != NULL ? data : "", "crystfel-sim", "lyso.hkl", NULL);
  if (!g_file_test (packed, G_FILE_TEST_EXISTS))
    {
      g_test_skip ("no test data");
      return;
    }
  g_autofree char *dir = g_dir_make_tmp ("merge-XXXXXX", NULL);
  g_autofree char *stream = g_build_filename (dir, "A.stream", NULL);
  g_autofree char *quoted = g_shell_quote (packed);
  g_autofree char *command = g_strdup_printf ("sh -c 'gzip -dc \"$0\" > \"$1\"' %s %s", quoted, stream);
  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
  g_autoptr (GError) error = NULL;
  g_autoptr (FlUniqueList) list = lysozyme ();
  g_autofree float *truth = read_truth (list_path, list);
  const char *const inputs[] = { stream, NULL };
  g_autoptr (FlMergeSet) set = fl_merge_input_read (parallel, inputs, &(FlMergeInputOptions){ 0 }, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (set->n_lattices, ==, 240);
  fl_merge_set_index (set, list, NULL);
  fl_merge_scale_start (set, 0.7);
  double completeness, cc = 0;
  FlMergeReference *reference = fl_merging_reference (set, list, 1, 0);
  for (int cycle = 0; cycle < 3; cycle++)
    {
      fl_merge_scale (set, list, reference,
                      &(FlScalingOptions){ .width = TRUE, .rotation = TRUE, .min_cc = 0.1 });
      fl_merge_reference_free (reference);
      reference = fl_merging_reference (set, list, 1, 0);
      cc = correlate (reference, truth, &completeness);
      g_test_message ("cycle %d: correlation with truth %.4f at %.3f completeness", cycle, cc, completeness);
    }
  fl_merge_reference_free (reference);
  g_assert_cmpfloat (cc, >, 0.915);
  g_assert_cmpfloat (completeness, >, 0.97);
  g_remove (stream);
  g_rmdir (dir);
}

int
main (int argc, char **argv)
{
  parallel = fl_parallel_start (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scaling/derivatives", test_derivatives);
  g_test_add_func ("/scaling/exact", test_exact);
  g_test_add_func ("/scaling/outliers", test_outliers);
  g_test_add_func ("/scaling/no-scale", test_no_scale);
  g_test_add_func ("/scaling/polarisation", test_polarisation);
  g_test_add_func ("/scaling/simulated", test_simulated);
  int status = g_test_run ();
  fl_parallel_finish (parallel);
  return status;
}
