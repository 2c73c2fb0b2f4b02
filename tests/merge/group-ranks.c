/* Groups, merges, fits and judges a simulated set; prints hashes of what came of it, from rank 0. Argument: bytes of memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/merge/error-model.h"
#include "engine/merge/group.h"
#include "engine/merge/trend.h"
#include "engine/parallel/exchange.h"
#include "tests/merge/simulated.h"

typedef struct
{
  guint32 unique, n;
  guint64 hash;
} Seen;

static void
see (guint32 unique, FlContribution *contributions, guint n, gpointer data)
{
  for (guint i = 1; i < n; i++)
    g_assert_cmpuint (contributions[i - 1].lattice, <=, contributions[i].lattice);
  Seen seen = { unique, n, fl_hash64 (contributions, n * sizeof *contributions, unique) };
  g_array_append_val (data, seen);
}

static int
compare (const void *a, const void *b)
{
  guint32 x = ((const Seen *) a)->unique, y = ((const Seen *) b)->unique;
  return (x > y) - (x < y);
}

/* Of all groups in order of reflections, each of which must have come once. */
static guint64
hash_groups (const FlMergeSet *set, const FlUniqueList *list, gsize memory)
{
  g_autoptr (GArray) mine = g_array_new (FALSE, FALSE, sizeof (Seen));
  guint64 length, n = 0;
  fl_merge_group (set, list, memory, see, mine);
  g_autofree Seen *all =
      (Seen *) fl_parallel_gather_all (set->parallel, mine->data, mine->len * sizeof (Seen), &length);
  qsort (all, length / sizeof *all, sizeof *all, compare);
  for (guint64 i = 0; i < length / sizeof *all; i++)
    {
      g_assert_true (i == 0 || all[i].unique > all[i - 1].unique);
      n += all[i].n;
    }
  guint64 there = set->n_observations;
  fl_parallel_sum_u64 (set->parallel, &there, 1);
  g_assert_cmpuint (n, ==, there);
  return fl_hash64 (all, length, 1);
}

int
main (int argc, char **argv)
{
  g_autoptr (FlParallel) parallel = fl_parallel_start (&argc, &argv);
  gsize memory = argc > 1 ? (gsize) atol (argv[1]) : 0;
  g_autoptr (FlUniqueList) list = simulated_list ("P 43 21 2", 50, 3);
  Simulation s = { list, 501, 300, 5, 4, 1.3, { 0.4, 2, 0.1 }, FALSE };
  FlMergeSet set = simulated_set (&s, parallel);
  guint64 groups = hash_groups (&set, list, memory);
  g_autoptr (FlMergeReference) reference = fl_merging_reference (&set, list, 1);
  FlMergingOptions options = { fl_error_model_fit (FL_ERROR_MODEL_MM24, &set, list, memory), 6, 2, TRUE };
  FlErrorModel ev11 = fl_error_model_fit (FL_ERROR_MODEL_EV11, &set, list, memory);
  g_autoptr (GArray) shells = fl_merge_shells_new (list, 8);
  g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (FlTrendRow));
  g_autoptr (FlMergeResult) result = fl_merge_trend (&set, list, &options, shells, memory, rows);
  g_autoptr (FlMergeResult) final = fl_merging_final (&set, list, &options, memory);
  g_assert_true (memcmp (final->all, result->all, result->n * sizeof (FlMerged)) == 0);
  fl_merge_statistics (final, list, reference, shells);
  fl_merge_statistics_lattices (&set, list, shells);
  g_assert_cmpuint (rows->len, ==, 5 * shells->len);
  if (fl_parallel_rank (parallel) == 0)
    {
      printf ("%016" G_GINT64_MODIFIER "x", groups);
      printf (" %016" G_GINT64_MODIFIER "x",
              fl_hash64 (reference->intensity, reference->n * sizeof (float), 1));
      printf (" %016" G_GINT64_MODIFIER "x",
              fl_hash64 (final->half_mate[1][1], final->n * sizeof (FlMerged), 1));
      printf (" %a %a %a %a %a", options.error_model.sfac, options.error_model.sadd[0],
              options.error_model.sadd[1], ev11.sfac, ev11.sadd[0]);
      for (guint i = 0; i < rows->len; i++)
        printf (" %a", (double) g_array_index (rows, FlTrendRow, i).cc_half);
      for (guint i = 0; i < shells->len; i++)
        printf (" %u/%a", g_array_index (shells, FlShellRow, i).lattices,
                (double) g_array_index (shells, FlShellRow, i).r_iso);
      printf ("\n");
    }
  simulated_clear (&set);
  return 0;
}
