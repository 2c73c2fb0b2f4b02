/* job-detail.h: one job: what it is doing, why, its attempts, and the log of one of them; a line that asks before
 * something is done to it. Its buttons activate jobs.stop, jobs.retry, jobs.confirm, jobs.cancel, jobs.show-weather and
 * jobs.show-images. Thread: main. */
#pragma once

#include "gui/context.h"

#define FLG_TYPE_JOB_DETAIL (flg_job_detail_get_type ())
G_DECLARE_FINAL_TYPE (FlgJobDetail, flg_job_detail, FLG, JOB_DETAIL, GtkBox)

/* Once, before anything else. */
void flg_job_detail_set_context (FlgJobDetail *self, FlgContext *context);
/* NULL: no job. `reason`: why it failed or waits, one line; "" = nothing to say. Another job than before takes the
 * question away and begins with its newest attempt. */
void flg_job_detail_show (FlgJobDetail *self, FlgRecord *job, const char *reason);
gint64 flg_job_detail_shown (FlgJobDetail *self); /* 0: none */
/* Valid until another is shown. */
const char *flg_job_detail_reason (FlgJobDetail *self);
/* A question with Yes (jobs.confirm) and No (jobs.cancel); NULL takes it away. */
void flg_job_detail_ask (FlgJobDetail *self, const char *question);
/* What is known of the log has been read. */
gboolean flg_job_detail_is_settled (FlgJobDetail *self);
