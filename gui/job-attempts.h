/* job-attempts.h: the attempts of a job as a table: where, with what, how long it waited and ran, how it ended; the command of
 * the chosen one. Signal: "chosen" (gint64 attempt). Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/experiment.h"

#define FLG_TYPE_JOB_ATTEMPTS (flg_job_attempts_get_type ())
G_DECLARE_FINAL_TYPE (FlgJobAttempts, flg_job_attempts, FLG, JOB_ATTEMPTS, GtkBox)

void flg_job_attempts_set_experiment (FlgJobAttempts *self, FlgExperiment *experiment);
/* FlgRecord of attempts, oldest first; `chosen`: id of the one that is shown elsewhere. */
void flg_job_attempts_show (FlgJobAttempts *self, GPtrArray *attempts, gint64 chosen);
/* "2", "signal 9", "–". g_free. */
char *flg_attempt_exit (const FlAttempt *attempt);
