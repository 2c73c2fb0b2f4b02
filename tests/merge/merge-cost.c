/* What a merge of made lattices costs, from the first lattice to the statistics. From rank 0: a line of seconds, memory and figures
 * of merit, and a hash of the intensities, which no number of ranks changes.
 *
 *   merge-cost LATTICES [FOLDER OF THE SPOOL [MEMORY, MiB A RANK [RESOLUTION, Å]]] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/merge/cycles.h"
#include "engine/merge/trend.h"
#include "tests/merge/made-lattices.h"

#define SHELLS 10

/* Seconds since it was last asked, on the slowest rank. */
static double
lap (FlParallel *parallel, guint64 *at)
{
  fl_parallel_barrier (parallel);
  guint64 before = *at;
  *at = fl_tick_ns ();
  return 1e-9 * (double) (*at - before);
}

/* MiB, of all ranks together: memory that is the process's own and not a mapped file's cannot be told apart, so this is all. */
static double
peak (FlParallel *parallel)
{
  struct rusage usage;
  getrusage (RUSAGE_SELF, &usage);
  guint64 kilobytes = (guint64) usage.ru_maxrss;
  fl_parallel_sum_u64 (parallel, &kilobytes, 1);
  return (double) kilobytes / 1024;
}

int
main (int argc, char **argv)
{
  g_autoptr (FlParallel) parallel = fl_parallel_start (&argc, &argv);
  guint64 n = argc > 1 ? g_ascii_strtoull (argv[1], NULL, 10) : 1000;
  FlMergeInputOptions options = { argc > 2 ? argv[2] : NULL,
                                  argc > 3 ? g_ascii_strtoull (argv[3], NULL, 10) << 20 : 0 };
  gsize memory = options.memory / 2;
  guint64 at = fl_tick_ns ();
  double cc[SHELLS], low = 1;
  g_autoptr (MadeLattices) made = made_lattices_new (argc > 4 ? g_ascii_strtod (argv[4], NULL) : 2.4);
  const FlUniqueList *list = made->list;
  g_autoptr (FlMergeSet) set = made_set (made, 0, n, parallel, &options);
  fl_merge_set_index (set, list, NULL);
  double making = lap (parallel, &at);
  FlMergeCycles cycles = { .scaling = { .b = TRUE, .width = TRUE, .rotation = TRUE, .min_cc = 0.1 },
                           .most = 20 };
  fl_merge_cycles (set, list, &cycles);
  g_clear_pointer (&cycles.last, fl_merge_reference_free);
  double scaling = lap (parallel, &at);
  FlMergingOptions merging = { fl_error_model_fit (FL_ERROR_MODEL_EV11, set, list, memory), 0, 2, TRUE };
  g_autoptr (GArray) shells = fl_merge_shells_new (list, SHELLS);
  g_autoptr (GArray) trend = g_array_new (FALSE, TRUE, sizeof (FlTrendRow));
  g_autoptr (FlMergeResult) result = fl_merge_trend (set, list, &merging, shells, memory, trend);
  fl_merge_statistics (result, list, NULL, shells);
  double rest = lap (parallel, &at), all_memory = peak (parallel);
  guint64 observations = set->n_observations;
  fl_parallel_sum_u64 (parallel, &observations, 1);
  g_autofree double *intensities = g_new (double, result->n);
  for (guint u = 0; u < result->n; u++)
    intensities[u] = (double) result->all[u].intensity;
  made_correlations (list, intensities, made->truth, SHELLS, cc);
  for (guint i = 0; i < SHELLS; i++)
    low = MIN (low, cc[i]);
  if (fl_parallel_rank (parallel) == 0)
    printf ("%" G_GUINT64_FORMAT " lattices, %u ranks: %" G_GUINT64_FORMAT
            " observations; made in %.2f s; %u cycles in %.2f s; error model, merging, statistics in %.2f s; "
            "%.0f MiB; CC1/2 %.4f, to the truth %.4f in the worst shell; %016" G_GINT64_MODIFIER "x\n",
            n, fl_parallel_ranks (parallel), observations, making, cycles.done, scaling, rest, all_memory,
            (double) g_array_index (shells, FlShellRow, 0).cc_half, low,
            fl_hash64 (result->all, result->n * sizeof (FlMerged), 0));
  return 0;
}
