/* dealt-job.h: what programs have in common whose ranks are dealt shots (`stills`, `hits`). */
#pragma once

#include "engine/base/params.h"
#include "engine/parallel/parallel.h"
#include "engine/results/history.h"

/* Collective. A rank's error becomes everybody's: printed once by rank 0, the worst status for all. TRUE when there was none. */
gboolean fl_job_all_well (FlParallel *parallel, const char *program, const GError *error, int *status);
/* Rank 0: attempts of a job that has results must not differ in what decides about them (FL_ERROR_INPUT); writes
 * params.txt into the attempt's folder and, of the first, the job's. */
gboolean fl_job_params (FlParallel *parallel, const char *out, const char *attempt_dir,
                        const FlHistory *history, const FlParams *params, GError **error);
