/* job-model.h: the jobs that the page shows, in the order that it shows them, as a GListModel of FlgJobSlot.
 *
 * Filtering and sorting 10,000 jobs is one pass over an array of keys (a few ms), so that a key typed into the filter
 * is answered in the same frame. For the same reason the items are slots that stay when all of their jobs change: GTK makes
 * the widgets of 200 rows anew for new items, which takes longer than a frame; and many new lines are announced in
 * steps. A few new or gone jobs are announced as such, so that what is looked at stays in its place. Signal:
 * "changed" (), after the jobs or their order have. Thread: main. */
#pragma once

#include "gui/job-columns.h"
#include "gui/job-slot.h"

typedef enum
{
  FLG_JOBS_ALL,
  FLG_JOBS_ACTIVE, /* not ended */
  FLG_JOBS_HELD,   /* wait for approval */
  FLG_JOBS_FAILED,
  FLG_JOBS_DONE
} FlgJobStates;

typedef struct
{
  const char
      *words; /* each is somewhere in the job's number, run, tags, trial, task, site, state or reason */
  FlgJobStates states;
  gint64 site;    /* 0 = all */
  gint64 dataset; /* 0 = all; else its versions' jobs and those that are their inputs */
} FlgJobFilter;

#define FLG_TYPE_JOB_MODEL (flg_job_model_get_type ())
G_DECLARE_FINAL_TYPE (FlgJobModel, flg_job_model, FLG, JOB_MODEL, GObject)

/* `index` must outlive it. */
FlgJobModel *flg_job_model_new (FlgJobIndex *index);
void flg_job_model_set_filter (FlgJobModel *self, const FlgJobFilter *filter);
gboolean flg_job_model_is_filtered (FlgJobModel *self);
void flg_job_model_set_order (FlgJobModel *self, FlgJobColumn column, gboolean descending);
FlgJobColumn flg_job_model_order (FlgJobModel *self, gboolean *descending);
/* The index, or what it is made from, has changed. */
void flg_job_model_refresh (FlgJobModel *self);
/* While nobody looks at the list it has no lines: the jobs are known all the same. */
void flg_job_model_set_listed (FlgJobModel *self, gboolean listed);
/* Announces at once the lines that would come with the next frames. */
void flg_job_model_complete (FlgJobModel *self);
/* What is shown, borrowed; valid until it is refreshed. */
FlgRecord *const *flg_job_model_jobs (FlgJobModel *self, guint *n);
/* G_MAXUINT: it is not shown. */
guint flg_job_model_position (FlgJobModel *self, gint64 job);
gboolean flg_job_model_matches (FlgJobModel *self, const FlJob *job);
