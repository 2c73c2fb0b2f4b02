/* plan.h: what is wanted, and the command of a job. Thread: the store's. */
#pragma once

#include "engine/store/store.h"

/* Makes the jobs that are wanted and not there. *made is added to. */
gboolean fl_plan_jobs (FlStore *store, guint *made, GError **error);

/* Number of the attempt's folder and the stem of its files: "attempt-0001". */
char *fl_plan_stem (int number);

typedef struct
{
  char *folder;    /* of the job, absolute */
  char *key;       /* "t3-b1-r0012-spots" */
  char *program;   /* firstlight-engine at the site */
  char *arguments; /* of it, quoted */
  char *params;    /* trial text: block < trial < task */
  int ranks;
} FlPlannedJob;

void fl_planned_job_clear (FlPlannedJob *planned);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FlPlannedJob, fl_planned_job_clear)

/* What attempt `number` of the job is to run on the site. `cores`: of the site. */
gboolean fl_plan_command (FlStore *store, const FlJob *job, int number, const FlSite *site, int cores,
                          const char *engine, FlPlannedJob *planned, GError **error);
/* Ranks that the job will take. */
int fl_plan_ranks (const FlTask *task, int cores);
