/* firstlight-control job: lists an experiment's jobs; asks the conductor to stop or retry one. */

#include <stdio.h>

#include "engine/base/error.h"
#include "engine/programs/programs.h"
#include "engine/store/people.h"
#include "engine/programs/program.h"
#include "engine/store/stats.h"
#include "engine/store/store.h"

static gboolean
list_jobs (FlStore *store, GError **error)
{
  g_autoptr (GPtrArray) jobs = fl_store_list (store, FL_TABLE_JOB, error);
  g_autoptr (FlStats) stats = fl_stats_new ();
  if (jobs == NULL || !fl_stats_update (stats, store, NULL, error))
    return FALSE;
  for (guint i = 0; i < jobs->len; i++)
    {
      const FlJob *job = g_ptr_array_index (jobs, i);
      const FlJobStats *counts = fl_stats_job (stats, job->id);
      g_autoptr (GError) missing = NULL;
      FlRun *run = fl_store_get (store, FL_TABLE_RUN, job->run, &missing);
      printf ("%" G_GINT64_FORMAT "\t%s\t%s\t%d attempts\t%" G_GINT64_FORMAT " shots\t%" G_GINT64_FORMAT
              " hits\t%s\n",
              job->id, run != NULL ? run->name : "-", fl_job_state_name (job->state), job->attempts,
              counts != NULL ? counts->shots : 0, counts != NULL ? counts->hits : 0, job->reason);
      if (run != NULL)
        fl_record_free (FL_TABLE_RUN, run);
    }
  return TRUE;
}

int
fl_program_job (int argc, char **argv)
{
  g_autofree char *where = NULL;
  gint64 stop = 0, retry = 0;
  const GOptionEntry entries[] = {
    { "store", 's', 0, G_OPTION_ARG_FILENAME, &where, "The experiment's folder or database", "PATH" },
    { "stop", 0, 0, G_OPTION_ARG_INT64, &stop, "Ask for this job to be stopped", "JOB" },
    { "retry", 0, 0, G_OPTION_ARG_INT64, &retry, "Ask for another attempt of this job", "JOB" },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  g_option_context_set_summary (context, "Lists the jobs, or asks the conductor to stop or retry one.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    return fl_program_fail ("job", error);
  if (where == NULL || argc != 1)
    {
      fputs ("job: expected --store PATH\n", stderr);
      return 2;
    }
  gboolean asks = stop != 0 || retry != 0;
  g_autoptr (FlStore) store = fl_store_open (where, asks ? FL_STORE_WRITE : FL_STORE_READ_ONLY, &error);
  if (store != NULL)
    fl_store_act_for_person (store, g_get_host_name ());
  if (store == NULL || (stop != 0 && !fl_store_want_stop (store, stop, &error))
      || (retry != 0 && !fl_store_want_retry (store, retry, &error)) || (!asks && !list_jobs (store, &error)))
    return fl_program_fail ("job", error);
  return 0;
}
