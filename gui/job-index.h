/* job-index.h: what the Jobs page asks of many jobs at once, found in one pass after each change: the newest attempt of
 * each job, how long attempts have waited at each site, how many jobs are where, what they are going to cost.
 * Thread: main. */
#pragma once

#include "gui/experiment.h"

typedef struct FlgJobIndex FlgJobIndex;

/* How long the newest attempts at a site (20 at most) waited between submission and start; ns. */
typedef struct
{
  guint n; /* 0: none has begun yet */
  guint64 median, shortest, longest;
} FlgWaits;

/* Of the jobs of one site that have not ended. */
typedef struct
{
  guint planned, held, queued, running; /* queued: submitting, queued, preempted */
  double node_hours;                    /* that those which are not running yet may take */
} FlgSiteLoad;

FlgJobIndex *flg_job_index_new (FlgExperiment *experiment);
void flg_job_index_free (FlgJobIndex *index);
FlgExperiment *flg_job_index_experiment (FlgJobIndex *index);
/* `what` as in FlgExperiment::changed. */
void flg_job_index_update (FlgJobIndex *index, guint what);

/* Newest; NULL: none. All that is returned is valid until the main loop runs again. */
const FlAttempt *flg_job_index_attempt (FlgJobIndex *index, gint64 job);
const FlSite *flg_job_index_site (FlgJobIndex *index, const FlJob *job); /* NULL: not decided */
const FlTask *flg_job_index_task (FlgJobIndex *index, const FlJob *job); /* NULL: gone */
const FlgWaits *flg_job_index_waits (FlgJobIndex *index, gint64 site);
const FlgSiteLoad *flg_job_index_load (FlgJobIndex *index, gint64 site);
/* Place among our own waiting jobs at its site, from 1 (newest submitted last); 0: it is not in a queue. */
guint flg_job_index_place (FlgJobIndex *index, const FlJob *job, guint *of);
/* Nodes × time limit; 0 at a local site and where no limit is known. */
double flg_job_index_node_hours (FlgJobIndex *index, const FlJob *job);
/* When it is likely to begin, ns UTC, 0 = not known: what the scheduler expects, else by the usual wait there, else by
 * the longest; never in the past. */
guint64 flg_job_index_expected (FlgJobIndex *index, const FlJob *job);
/* Shots that the job is to process; 0 = not known yet. */
guint64 flg_job_index_shots (FlgJobIndex *index, const FlJob *job);
/* "lysozyme v3"; "" for a job of a run. Free with g_free. */
char *flg_job_index_version_name (FlgJobIndex *index, const FlJob *job);
