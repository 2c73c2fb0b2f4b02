/* What a merge says on its standard output: shells, what was turned down, and one line of all, which stands last. */
#include <math.h>
#include <stdio.h>

#include "engine/programs/merge-job.h"

/* "-" where there is none. */
static void
print_number (int width, int decimals, double value)
{
  if (isfinite (value))
    printf (" %*.*f", width, decimals, value);
  else
    printf (" %*s", width, "-");
}

static void
print_shell (const FlMergeJob *job, const char *name, const FlShellRow *shell)
{
  printf ("%5s %7.2f %6.2f %8u", name, (double) shell->d_max, (double) shell->d_min, shell->unique);
  print_number (9, 1, 100 * (double) shell->completeness);
  print_number (6, 1, (double) shell->multiplicity);
  print_number (6, 1, (double) shell->i_sigma);
  print_number (6, 3, (double) shell->cc_half);
  print_number (6, 3, (double) shell->r_split);
  if (job->outside != NULL)
    print_number (6, 3, (double) shell->cc_iso);
  printf ("\n");
}

static void
print_shells (const FlMergeJob *job)
{
  printf ("shell d_max/A  d_min   unique compl./%%  mult.  I/sig  CC1/2 Rsplit%s\n",
          job->outside != NULL ? "  CCiso" : "");
  for (guint i = 1; i < job->shells->len; i++)
    {
      char name[8];
      g_snprintf (name, sizeof name, "%u", i);
      print_shell (job, name, &g_array_index (job->shells, FlShellRow, i));
    }
  print_shell (job, "all", &g_array_index (job->shells, FlShellRow, 0));
}

static void
print_rejected (const FlMergeJob *job)
{
  for (guint i = FL_MERGE_ACCEPTED + 1; i < FL_MERGE_REASON_LAST; i++)
    if (job->counts[i] > 0)
      printf ("%" G_GUINT64_FORMAT " lattices left out: %s\n", job->counts[i], fl_merge_reason_words (i));
  if (job->result->outliers > 0)
    printf ("%" G_GUINT64_FORMAT " observations left out: far from the median of their reflection\n",
            job->result->outliers);
}

void
fl_merge_job_print (const FlMergeJob *job, const char *parent)
{
  guint n = 0;
  for (guint i = 0; i < job->result->n; i++)
    n += job->result->all[i].n > 0;
  print_shells (job);
  print_rejected (job);
  if (job->parent != NULL)
    printf ("started from %s\n", parent);
  printf ("%u cycles on %u ranks, %.2f s\n", job->cycles, fl_parallel_ranks (job->parallel),
          (double) job->row.seconds);
  printf ("%" G_GUINT64_FORMAT " lattices, %" G_GUINT64_FORMAT
          " used, %u reflections, CC1/2 %.4f, completeness %.2f %%\n",
          job->row.lattices, job->row.used, n, (double) job->row.cc_half,
          100 * (double) job->row.completeness);
}
