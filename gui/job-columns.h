/* job-columns.h: the columns of the table of jobs, and the line that says why a job is as it is. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/experiment.h"

typedef struct
{
  FlgExperiment *experiment; /* borrowed */
  gboolean busy;             /* some job holds cores */
} FlgJobColumns;

/* As flg_columns_set_up(). `self` must outlive the view. */
GListModel *flg_job_columns_set_up (FlgJobColumns *self, GtkColumnView *view, GListModel *jobs);
/* To be told of changes to jobs, sites and the conductor: what planned jobs wait for hangs on these, not on their own
 * records. */
void flg_job_columns_note_waiting (FlgJobColumns *self);
/* Why it failed or waits, one line; "" = nothing to say. The job's, or static. */
const char *flg_job_columns_reason (const FlgJobColumns *self, const FlJob *job);
/* "–": the run is not known. */
const char *flg_job_run_name (FlgExperiment *experiment, const FlJob *job);
