/* Means against sums over all observations, one reflection at a time. */
#include "engine/merge/merging.h"

#include "tests/merge/simulated.h"

static FlParallel *parallel;

/* Σ w I and Σ w of a reflection with w = 1/σ², over those in `half` (or 2: both) and of mate `minus` (or 2: both). */
static FlMerged
naive (const FlMergeSet *set, guint unique, guint half, guint minus)
{
  double weight = 0, sum = 0;
  guint n = 0;
  for (guint i = 0; i < set->lattices->len; i++)
    {
      const FlMergeLattice *lattice = &g_array_index (set->lattices, FlMergeLattice, i);
      for (guint64 j = lattice->first; j < lattice->first + lattice->n; j++)
        {
          const FlObservation *o = &set->observations[j];
          guint mate = (o->flags & FL_OBSERVATION_MINUS) != 0;
          if (o->unique != unique || lattice->reason != FL_MERGE_ACCEPTED
              || (half != 2 && half != (lattice->key & 1)) || (minus != 2 && minus != mate))
            continue;
          double sigma = (double) o->sigma / (double) lattice->scale, w = 1 / (sigma * sigma);
          weight += w;
          sum += w * (double) o->intensity / (double) lattice->scale;
          n++;
        }
    }
  return (FlMerged){ (float) (sum / weight), (float) (1 / sqrt (weight)), n };
}

static void
same (const FlMerged *got, FlMerged wanted, guint least)
{
  if (wanted.n < MAX (least, 1))
    {
      g_assert_cmpuint (got->n, ==, 0);
      g_assert_true (isnan (got->intensity) && isnan (got->sigma));
      return;
    }
  g_assert_cmpuint (got->n, ==, wanted.n);
  g_assert_cmpfloat (fabsf (got->intensity - wanted.intensity), <, 1e-4f * (1 + fabsf (wanted.intensity)));
  g_assert_cmpfloat (fabsf (got->sigma / wanted.sigma - 1), <, 1e-5f);
}

static FlMergeSet
scaled_set (const Simulation *s)
{
  FlMergeSet set = simulated_set (s, parallel);
  for (guint i = 0; i < set.lattices->len; i++)
    {
      FlMergeLattice *lattice = &g_array_index (set.lattices, FlMergeLattice, i);
      lattice->scale = 0.5f + (float) (i % 7) / 4;
      lattice->reason = i % 11 == 0 ? FL_MERGE_CELL : FL_MERGE_ACCEPTED;
      for (guint64 j = lattice->first; j < lattice->first + lattice->n; j++)
        {
          set.observations[j].intensity *= lattice->scale;
          set.observations[j].sigma *= lattice->scale;
        }
    }
  return set;
}

static void
test_final (void)
{
  g_autoptr (FlUniqueList) list = simulated_list ("P 21 21 21", 30, 4);
  Simulation s = { list, 60, 20, 5, 4, 1, { 0 }, FALSE };
  FlMergeSet set = scaled_set (&s);
  FlMergingOptions options = { { FL_ERROR_MODEL_NONE, 1, { 0 }, 0 }, 0, 2, TRUE };
  g_autoptr (FlMergeResult) result = fl_merging_final (&set, list, &options, 0);
  guint64 observations = 0;
  for (guint u = 0; u < fl_unique_list_n (list); u++)
    {
      same (&result->all[u], naive (&set, u, 2, 2), 2);
      observations += result->all[u].n;
      for (guint i = 0; i < 2; i++)
        {
          same (&result->half[i][u], naive (&set, u, i, 2), 2);
          same (&result->mate[i][u], naive (&set, u, 2, i), 1);
          same (&result->half_mate[i][0][u], naive (&set, u, i, 0), 1);
          same (&result->half_mate[i][1][u], naive (&set, u, i, 1), 1);
        }
    }
  g_assert_cmpuint (result->lattices, ==, 54);
  g_assert_cmpuint (result->observations, ==, observations);
  g_assert_cmpuint (observations, >, 500);
  simulated_clear (&set);
}

/* Without noise the reference is the truth. */
static void
test_reference (void)
{
  g_autoptr (FlUniqueList) list = simulated_list ("P 21 21 21", 30, 4);
  Simulation s = { list, 60, 200, 5, 1e-6, 1, { 0 }, FALSE };
  FlMergeSet set = scaled_set (&s);
  g_autoptr (FlMergeReference) reference = fl_merging_reference (&set, list, 1);
  guint there = 0;
  for (guint u = 0; u < reference->n; u++)
    if (reference->count[u] > 0)
      {
        g_assert_cmpfloat (fabs ((double) reference->intensity[u] - simulated_truth (&s, u)), <, 1e-3);
        there++;
      }
  g_assert_cmpuint (there, >, reference->n / 2);
  simulated_clear (&set);
}

/* σ of the reference, from scatter, is how far it is from the truth. */
static void
test_reference_sigma (void)
{
  g_autoptr (FlUniqueList) list = simulated_list ("P 21 21 21", 30, 4);
  Simulation s = { list, 400, 100, 5, 5, 1, { 0 }, FALSE };
  FlMergeSet set = simulated_set (&s, parallel);
  g_autoptr (FlMergeReference) reference = fl_merging_reference (&set, list, 30);
  double chi2 = 0, n = 0;
  for (guint u = 0; u < reference->n; u++)
    if (reference->count[u] > 0)
      {
        chi2 += pow (
            ((double) reference->intensity[u] - simulated_truth (&s, u)) / (double) reference->sigma[u], 2);
        n++;
      }
  g_test_message ("chi² %g of %g", chi2 / n, n);
  g_assert_cmpfloat (fabs (chi2 / n - 1), <, 4 * sqrt (2 / n) + 0.05);
  simulated_clear (&set);
}

static void
test_outliers (void)
{
  g_autoptr (FlUniqueList) list = simulated_list ("P 21 21 21", 30, 4);
  Simulation s = { list, 100, 100, 5, 4, 1, { 0 }, FALSE };
  FlMergeSet set = simulated_set (&s, parallel);
  guint64 wrong = 0;
  for (guint64 j = 0; j < set.n_observations; j += 50, wrong++)
    set.observations[j].intensity += 1e5f;
  FlMergingOptions options = { { FL_ERROR_MODEL_NONE, 1, { 0 }, 0 }, 8, 5, FALSE };
  g_autoptr (FlMergeResult) result = fl_merging_final (&set, list, &options, 0);
  g_assert_null (result->mate[0]);
  g_test_message ("%u of %u outliers found", (guint) result->outliers, (guint) wrong);
  g_assert_cmpuint (result->outliers, >=, wrong * 9 / 10);
  g_assert_cmpuint (result->outliers, <=, wrong + wrong / 10);
  for (guint u = 0; u < result->n; u++)
    if (result->all[u].n >= 10)
      g_assert_cmpfloat (fabs ((double) result->all[u].intensity - simulated_truth (&s, u)), <,
                         6 * (double) result->all[u].sigma);
  simulated_clear (&set);
}

int
main (int argc, char **argv)
{
  parallel = fl_parallel_start (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/merging/final", test_final);
  g_test_add_func ("/merging/reference", test_reference);
  g_test_add_func ("/merging/reference sigma", test_reference_sigma);
  g_test_add_func ("/merging/outliers", test_outliers);
  int status = g_test_run ();
  fl_parallel_finish (parallel);
  return status;
}
