/* What a control room knows, without its window: a line whenever that changes, and at least every half second:
 *   SECONDS ok|lost RUNS JOBS DONE SHOTS HITS CONDUCTOR
 * until it is ended. */
#include <stdio.h>
#include <string.h>

#include "gui/experiment.h"

static gboolean
tell (gpointer data)
{
  FlgExperiment *experiment = data;
  const FlgGlance *glance = flg_experiment_glance (experiment);
  FlgRecordModel *runs = flg_experiment_table (experiment, FL_TABLE_RUN),
                 *jobs = flg_experiment_table (experiment, FL_TABLE_JOB);
  gint64 shots = 0, hits = 0;
  guint done = 0;
  for (guint i = 0; i < flg_record_model_count (jobs); i++)
    {
      const FlJob *job = flg_record_any (flg_record_model_at (jobs, i));
      const FlJobStats *stats = flg_experiment_job_stats (experiment, job->id);
      done += job->state == FL_JOB_DONE;
      shots += stats != NULL ? stats->shots : 0;
      hits += stats != NULL ? stats->hits : 0;
    }
  printf ("%.2f %s %u %u %u %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %s\n",
          (double) g_get_monotonic_time () / 1e6, glance->problem != NULL ? "lost" : "ok",
          flg_record_model_count (runs), flg_record_model_count (jobs), done, shots, hits,
          glance->conductor != NULL ? glance->conductor : "-");
  fflush (stdout);
  return G_SOURCE_CONTINUE;
}

static void
changed (FlgExperiment *experiment, guint what, gpointer data)
{
  (void) what;
  (void) data;
  tell (experiment);
}

static void
opened (FlgExperiment *experiment, const GError *error, gpointer data)
{
  (void) experiment;
  (void) data;
  if (error != NULL)
    fprintf (stderr, "%s\n", error->message);
}

int
main (int argc, char **argv)
{
  if (argc != 2)
    return 2;
  FlgExperiment *experiment = flg_experiment_new (argv[1], FL_STORE_WRITE, NULL, NULL);
  g_signal_connect (experiment, "opened", G_CALLBACK (opened), NULL);
  g_signal_connect (experiment, "changed", G_CALLBACK (changed), NULL);
  g_timeout_add (500, tell, experiment);
  g_main_loop_run (g_main_loop_new (NULL, FALSE));
  return 0;
}
