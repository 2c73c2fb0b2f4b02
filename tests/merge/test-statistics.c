/* Statistics against closed forms: noise, Poisson counts, Wilson's distribution and its twins. */
#include "engine/merge/statistics.h"

#include "engine/crystal/wilson.h"
#include "engine/merge/twinning.h"
#include "tests/merge/simulated.h"

static FlParallel *parallel;
static const FlMergingOptions plain = { { FL_ERROR_MODEL_NONE, 1, { 0 }, 0 }, 0, 1, TRUE };

static FlMergeResult *
merge (const Simulation *s, GArray *shells)
{
  FlMergeSet set = simulated_set (s, parallel);
  FlMergeResult *result = fl_merging_final (&set, s->list, &plain, 0);
  fl_merge_statistics_lattices (&set, s->list, shells);
  fl_merge_statistics (result, s->list, NULL, shells);
  simulated_clear (&set);
  return result;
}

/* Nothing but noise: the halves have nothing in common. */
static void
test_noise (void)
{
  g_autoptr (FlUniqueList) list = simulated_list ("P 43 21 2", 60, 2.5);
  g_autoptr (GArray) shells = fl_merge_shells_new (list, 10);
  Simulation s = { list, 400, 300, 4, 1e6, 1, { 0 }, FALSE };
  g_autoptr (FlMergeResult) result = merge (&s, shells);
  guint possible = 0;
  for (guint i = 0; i < shells->len; i++)
    {
      const FlShellRow *row = &g_array_index (shells, FlShellRow, i);
      double error = 1 / sqrt (row->pairs);
      g_test_message ("%u: CC1/2 %.4f ± %.4f, CCano %.4f", i, (double) row->cc_half, error,
                      (double) row->cc_ano);
      g_assert_cmpuint (row->pairs, >, 100);
      g_assert_cmpfloat (fabs ((double) row->cc_half), <, 4 * error);
      g_assert_cmpfloat (fabs ((double) row->cc_ano), <, 5 * error);
      g_assert_cmpuint (row->lattices, ==, 400);
      possible += i > 0 ? row->possible : 0;
    }
  g_assert_cmpuint (possible, ==, fl_unique_list_n (list));
}

/* Shells of the same volume hold about as many reflections. */
static void
test_shells (void)
{
  g_autoptr (FlUniqueList) list = simulated_list ("P 1", 60, 2.5);
  g_autoptr (GArray) shells = fl_merge_shells_new (list, 8);
  for (guint i = 1; i < shells->len; i++)
    {
      const FlShellRow *row = &g_array_index (shells, FlShellRow, i);
      g_assert_cmpfloat (fabs (row->possible * 8.0 / fl_unique_list_n (list) - 1), <, 0.05);
      g_assert_cmpuint (fl_merge_shell_of (shells, ((double) row->d_max + (double) row->d_min) / 2), ==, i);
    }
}

/* Halves with Poisson counts of mean μ in each observation: ⟨|I1 − I2|⟩ = √(2/π) √(μ/n1 + μ/n2) for large μ. */
static void
test_poisson (void)
{
  g_autoptr (FlUniqueList) list = simulated_list ("P 43 21 2", 60, 2.5);
  g_autoptr (GArray) shells = fl_merge_shells_new (list, 5);
  Simulation s = { list, 1000, 300, 4, 0, 1, { 0 }, TRUE };
  g_autoptr (FlMergeResult) result = merge (&s, shells);
  double difference = 0, sum = 0;
  for (guint u = 0; u < result->n; u++)
    if (result->half[0][u].n > 0 && result->half[1][u].n > 0)
      {
        double mean = simulated_truth (&s, u);
        difference += sqrt (2 / G_PI * mean * (1.0 / result->half[0][u].n + 1.0 / result->half[1][u].n));
        sum += 2 * mean;
      }
  double wanted = G_SQRT2 * difference / sum, got = (double) g_array_index (shells, FlShellRow, 0).r_split;
  g_test_message ("R_split %.5f, expected %.5f", got, wanted);
  g_assert_cmpfloat (fabs (got / wanted - 1), <, 0.03);
  const FlShellRow *all = &g_array_index (shells, FlShellRow, 0);
  g_assert_cmpfloat (
      fabs ((double) all->cc_star - sqrt (2 * (double) all->cc_half / (1 + (double) all->cc_half))), <, 1e-6);
}

/* A merge that has these intensities, sure to 1 %. */
static FlMergeResult *
result_of (const FlUniqueList *list, const double *intensities)
{
  guint n = fl_unique_list_n (list);
  FlMergeResult *r = g_new0 (FlMergeResult, 1);
  *r = (FlMergeResult){ .n = n,
                        .all = g_new (FlMerged, n),
                        .half = { g_new (FlMerged, n), g_new (FlMerged, n) } };
  for (guint i = 0; i < n; i++)
    r->all[i] = r->half[0][i] = r->half[1][i] =
        (FlMerged){ (float) intensities[i], 0.01f * (float) intensities[i] + 1e-6f, 4 };
  return r;
}

static double *
wilson (const FlUniqueList *list, double scale, double b, guint64 seed)
{
  guint n = fl_unique_list_n (list);
  double *values = g_new (double, n), volume = fl_cell_volume (fl_unique_list_cell (list));
  Simulation s = { .list = list, .seed = seed };
  for (guint i = 0; i < n; i++)
    {
      double d = (double) fl_unique_list_at (list, i)->d;
      values[i] = scale * fl_wilson_level (volume, 1 / (d * d), b) * simulated_truth (&s, i) / 100;
    }
  return values;
}

static void
test_wilson (void)
{
  g_autoptr (FlUniqueList) list = simulated_list ("P 43 21 2", 80, 2);
  g_autoptr (GArray) shells = fl_merge_shells_new (list, 20);
  g_autofree double *values = wilson (list, 3, 25, 1);
  g_autoptr (FlMergeResult) result = result_of (list, values);
  FlMergeRow row = { 0 };
  FlErrorModel none = plain.error_model;
  fl_merge_statistics (result, list, NULL, shells);
  fl_merge_statistics_row (result, list, shells, &none, &row);
  g_test_message ("B %.2f, ln k %.3f, |L| %.4f, L² %.4f", (double) row.wilson_b, (double) row.wilson_scale,
                  (double) row.l_abs, (double) row.l_square);
  g_assert_cmpfloat (fabs ((double) row.wilson_b - 25), <, 1.5);
  g_assert_cmpfloat (fabs ((double) row.wilson_scale - log (3)), <, 0.1);
  g_assert_cmpfloat (fabs ((double) row.l_abs - 0.5), <, 0.01);
  g_assert_cmpfloat (fabs ((double) row.l_square - 1.0 / 3), <, 0.01);
  g_assert_cmpfloat ((double) row.completeness, ==, 1);
  g_assert_cmpfloat (fabs ((double) row.cc_half - 1), <, 1e-6);
  g_assert_cmpuint (row.possible, ==, fl_unique_list_n (list));
}

/* A perfect twin: the mean of two that know nothing of each other. */
static void
test_twin (void)
{
  g_autoptr (FlUniqueList) list = simulated_list ("P 21 21 21", 80, 2.5);
  g_autofree double *a = wilson (list, 1, 10, 1), *b = wilson (list, 1, 10, 2);
  for (guint i = 0; i < fl_unique_list_n (list); i++)
    a[i] = (a[i] + b[i]) / 2;
  g_autoptr (FlMergeResult) result = result_of (list, a);
  FlLTest l = fl_l_test (result->all, list, INFINITY, 0);
  g_test_message ("twin: |L| %.4f, L² %.4f of %u", l.abs, l.square, (guint) l.pairs);
  g_assert_cmpfloat (fabs (l.abs - 0.375), <, 0.01);
  g_assert_cmpfloat (fabs (l.square - 0.2), <, 0.01);
}

/* Against a reference that is the same on another scale. */
static void
test_reference (void)
{
  g_autoptr (FlUniqueList) list = simulated_list ("P 21 21 21", 40, 3);
  g_autoptr (GArray) shells = fl_merge_shells_new (list, 4);
  g_autofree double *values = wilson (list, 1, 10, 1);
  g_autoptr (FlMergeResult) result = result_of (list, values);
  g_autoptr (FlMergeReference) reference = fl_merge_reference_new (result->n);
  for (guint i = 0; i < result->n; i += 2)
    reference->intensity[i] = (float) (values[i] * 17);
  fl_merge_statistics (result, list, reference, shells);
  for (guint i = 0; i < shells->len; i++)
    {
      g_assert_cmpfloat (fabs ((double) g_array_index (shells, FlShellRow, i).cc_iso - 1), <, 1e-6);
      g_assert_cmpfloat ((double) g_array_index (shells, FlShellRow, i).r_iso, <, 1e-5);
    }
}

int
main (int argc, char **argv)
{
  parallel = fl_parallel_start (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/statistics/noise", test_noise);
  g_test_add_func ("/statistics/shells", test_shells);
  g_test_add_func ("/statistics/poisson", test_poisson);
  g_test_add_func ("/statistics/wilson", test_wilson);
  g_test_add_func ("/statistics/twin", test_twin);
  g_test_add_func ("/statistics/reference", test_reference);
  int status = g_test_run ();
  fl_parallel_finish (parallel);
  return status;
}
