/* job-detail.h: one job: what it is doing and why in plain words, and of one of its attempts the log, of all the table, and
 * what it ran with. Its buttons activate jobs.stop, jobs.retry, jobs.approve, jobs.undo, jobs.show-weather and
 * jobs.show-images of the page. Own actions: jobs.copy-script, job.part (s: "log", "attempts", "parameters"), job.attempt
 * (x: number). Thread: main. */
#pragma once

#include "gui/job-index.h"
#include "gui/job-log.h"
#include "gui/job-params.h"

#define FLG_TYPE_JOB_DETAIL (flg_job_detail_get_type ())
G_DECLARE_FINAL_TYPE (FlgJobDetail, flg_job_detail, FLG, JOB_DETAIL, GtkBox)

/* Once, before anything else. `index` must outlive it. */
void flg_job_detail_set_context (FlgJobDetail *self, FlgContext *context, FlgJobIndex *index);
/* NULL: no job. Another job than before begins with its newest attempt. `selected`: how many are, for the title. */
void flg_job_detail_show (FlgJobDetail *self, FlgRecord *job, guint selected);
gint64 flg_job_detail_shown (FlgJobDetail *self); /* 0: none */
/* Valid until another is shown. */
const char *flg_job_detail_reason (FlgJobDetail *self);
FlgJobLog *flg_job_detail_log (FlgJobDetail *self);
FlgJobParams *flg_job_detail_params (FlgJobDetail *self);
/* What is known of the log has been read. */
gboolean flg_job_detail_is_settled (FlgJobDetail *self);
