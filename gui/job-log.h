/* job-log.h: what one attempt printed, or its script: which file, the log, search in what is loaded and in the whole file,
 * the first error. Actions: log-file.search, log-file.search-for (s) open the search bar; log-file.find (the next match in
 * the whole file), log-file.first-error, log-file.end, log-file.show (s: "errors", "output", "script"). Thread: main. */
#pragma once

#include "gui/context.h"

#define FLG_TYPE_JOB_LOG (flg_job_log_get_type ())
G_DECLARE_FINAL_TYPE (FlgJobLog, flg_job_log, FLG, JOB_LOG, GtkBox)

/* Once, before anything else. */
void flg_job_log_set_context (FlgJobLog *self, FlgContext *context);
/* NULL: none. */
void flg_job_log_show (FlgJobLog *self, const FlJob *job, const FlAttempt *attempt);
/* The text as shown (g_free), what is selected of it (g_free), and what is said of the file. */
char *flg_job_log_text (FlgJobLog *self);
char *flg_job_log_selected (FlgJobLog *self);
const char *flg_job_log_note (FlgJobLog *self);
gboolean flg_job_log_is_settled (FlgJobLog *self);
