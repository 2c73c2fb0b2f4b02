/* job-params.h: the parameters of an attempt beside those of another attempt, of a trial, or the defaults: what differs, what
 * was added, what was taken back. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/experiment.h"

#define FLG_TYPE_JOB_PARAMS (flg_job_params_get_type ())
G_DECLARE_FINAL_TYPE (FlgJobParams, flg_job_params, FLG, JOB_PARAMS, GtkBox)

void flg_job_params_set_experiment (FlgJobParams *self, FlgExperiment *experiment);
/* `attempt` NULL: none yet; what the job would run with is shown. */
void flg_job_params_show (FlgJobParams *self, const FlJob *job, const FlAttempt *attempt);
/* What it is compared with, as the drop-down names it: "defaults", "attempt 1", "trial 2"; FALSE: there is no such thing. */
gboolean flg_job_params_compare (FlgJobParams *self, const char *with);
/* The differences, a line each: "spots.sigma_strong: 4 (3)". g_free. */
char *flg_job_params_text (FlgJobParams *self);
