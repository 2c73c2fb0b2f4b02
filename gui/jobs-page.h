/* jobs-page.h: what the conductor makes of trials and runs: as a list, or as a matrix of runs (or datasets' versions) by trial
 * and task; why each is as it is; attempts, logs, parameters; what may be asked of one, of the selected, of all shown.
 *
 * Actions: jobs.view (s: "list", "runs", "datasets"); jobs.sort (s: a column, again: the other way); jobs.filter-state (s:
 * "all", "active", "held", "failed", "done"), jobs.filter-site, jobs.filter-dataset (x: id, 0 = all), jobs.filter (s);
 * jobs.select-all; of the selected jobs.stop, jobs.retry (ask in place), jobs.approve, jobs.undo; of all shown
 * jobs.approve-all, jobs.hold-all, jobs.stop-all (asks); jobs.confirm, jobs.cancel; jobs.show-weather, jobs.show-images.
 * Thread: main. */
#pragma once

#include "gui/job-list.h"
#include "gui/job-log.h"
#include "gui/job-matrix.h"
#include "gui/job-params.h"
#include "gui/page.h"

#define FLG_TYPE_JOBS_PAGE (flg_jobs_page_get_type ())
G_DECLARE_FINAL_TYPE (FlgJobsPage, flg_jobs_page, FLG, JOBS_PAGE, FlgPage)

/* Drops filters that hide it; waits for it when it is not there yet. */
void flg_jobs_page_show (FlgJobsPage *self, gint64 job);
gint64 flg_jobs_page_shown (FlgJobsPage *self);       /* 0: none */
const char *flg_jobs_page_reason (FlgJobsPage *self); /* as the detail explains it */
const char *flg_jobs_page_headline (FlgJobsPage *self);
/* "": nothing is asked. */
const char *flg_jobs_page_question (FlgJobsPage *self);
FlgJobModel *flg_jobs_page_model (FlgJobsPage *self);
FlgJobList *flg_jobs_page_list (FlgJobsPage *self);
FlgJobMatrix *flg_jobs_page_matrix (FlgJobsPage *self);
FlgJobLog *flg_jobs_page_log (FlgJobsPage *self);
FlgJobParams *flg_jobs_page_params (FlgJobsPage *self);
