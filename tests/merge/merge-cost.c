/* What a merge of made lattices costs. From rank 0, a line of wall seconds, CPU seconds of all ranks without the making, memory, figures
 * of merit (correlation with the truth in the worst shell), and a hash of the intensities, which no number of ranks changes.
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

/* Of all ranks together: CPU seconds, and MiB at most, in which the pages of mapped files that happen to be in memory count, too. */
static void
used (FlParallel *parallel, double *cpu, double *memory)
{
  struct rusage u;
  getrusage (RUSAGE_SELF, &u);
  guint64 sums[2] = { (guint64) (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * G_USEC_PER_SEC
                          + (guint64) (u.ru_utime.tv_usec + u.ru_stime.tv_usec),
                      (guint64) u.ru_maxrss };
  fl_parallel_sum_u64 (parallel, sums, 2);
  *cpu = (double) sums[0] / G_USEC_PER_SEC;
  *memory = (double) sums[1] / 1024;
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
  double making = lap (parallel, &at), making_cpu, unused;
  used (parallel, &making_cpu, &unused);
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
  double rest = lap (parallel, &at), cpu, peak;
  used (parallel, &cpu, &peak);
  guint64 observations = set->n_observations;
  fl_parallel_sum_u64 (parallel, &observations, 1);
  g_autofree double *intensities = g_new (double, result->n);
  for (guint u = 0; u < result->n; u++)
    intensities[u] = (double) result->all[u].intensity;
  made_correlations (list, intensities, made->truth, SHELLS, cc);
  for (guint i = 0; i < SHELLS; i++)
    low = MIN (low, cc[i]);
  if (fl_parallel_rank (parallel) == 0)
    printf ("%" G_GUINT64_FORMAT
            " observations; %u ranks; made in %.2f s; %u cycles in %.2f s; the rest in %.2f s; "
            "CPU %.2f s; %.0f MiB; CC1/2 %.4f, to the truth %.4f; %016" G_GINT64_MODIFIER "x\n",
            observations, fl_parallel_ranks (parallel), making, cycles.done, scaling, rest, cpu - making_cpu,
            peak, (double) g_array_index (shells, FlShellRow, 0).cc_half, low,
            fl_hash64 (result->all, result->n * sizeof (FlMerged), 0));
  return 0;
}
