/* jobs-page.h: what the conductor makes of trials and runs: states, reasons, attempts, logs; stop and retry.
 *
 * Actions: jobs.stop, jobs.retry (ask in place), jobs.confirm, jobs.cancel; jobs.filter-state (s: "all", "active",
 * "failed", "done"); jobs.show-weather, jobs.show-images. Thread: main. */
#pragma once

#include "gui/page.h"

#define FLG_TYPE_JOBS_PAGE (flg_jobs_page_get_type ())
G_DECLARE_FINAL_TYPE (FlgJobsPage, flg_jobs_page, FLG, JOBS_PAGE, FlgPage)

/* Selects the job, taking filters away that hide it. */
void flg_jobs_page_show (FlgJobsPage *self, gint64 job);
gint64 flg_jobs_page_shown (FlgJobsPage *self); /* 0: none */
/* Why the shown job failed or waits, one line; "" = nothing to say. Valid until the main loop runs again. */
const char *flg_jobs_page_reason (FlgJobsPage *self);
