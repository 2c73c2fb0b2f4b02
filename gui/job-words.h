/* job-words.h: why a job is as it is, and how the jobs are doing together, in plain words. Strings are the caller's
 * (g_free). Thread: main. */
#pragma once

#include "gui/job-index.h"

/* How a job appears: its state, with the planned ones told apart. In the order of the legend. */
typedef enum
{
  FLG_SHOWN_PLANNED,
  FLG_SHOWN_HELD, /* waits for approval */
  FLG_SHOWN_UNDO, /* begins in a moment, may be taken back */
  FLG_SHOWN_SUBMITTING,
  FLG_SHOWN_QUEUED,
  FLG_SHOWN_RUNNING,
  FLG_SHOWN_DONE,
  FLG_SHOWN_FAILED,
  FLG_SHOWN_TIMED_OUT,
  FLG_SHOWN_PREEMPTED,
  FLG_SHOWN_CANCELLED,
  FLG_SHOWN_LAST
} FlgShownState;

FlgShownState flg_job_shown_state (const FlJob *job, guint64 now);
const char *flg_shown_state_name (FlgShownState state); /* translated */

/* One line for a row: what has been asked for, why it waits, why it failed. "" = nothing to say. */
char *flg_job_reason (FlgJobIndex *index, const FlJob *job);
/* The same at length for the job's own view: what it waits for and until when, where it runs and how far it is, how it ended
 * and what the scheduler said. "" = nothing to say. */
char *flg_job_explain (FlgJobIndex *index, const FlJob *job);
/* The scheduler's reason for people: "nodes are not free yet (Resources)". */
char *flg_batch_reason (const char *reason);
/* Of `n` jobs that are shown: "37 jobs: 12 running, 20 queued (next in ≈ 4 min), 5 to approve · ≈ 12 node-hours
 * planned". */
char *flg_jobs_headline (FlgJobIndex *index, FlgRecord *const *jobs, guint n, guint all);
/* "4 min"; "40 s"; "2 h 10 min". */
char *flg_format_span (guint64 ns);
/* Text of others' making as one line: no control characters, not endless. */
char *flg_text_line (const char *text);
