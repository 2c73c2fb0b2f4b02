/* made-jobs.h: a beamtime seen from its jobs: two sites (processes of this machine; Slurm far away), three trials, tasks, a
 * dataset with versions, jobs in every state with attempts of every cause, and words that were chosen to do harm. */
#pragma once

#include "engine/store/store.h"

/* In run 1 of a made store, trial 1's and 2's jobs of task "stills": see made_jobs_write(). */
typedef struct
{
  gint64 running, queued, held, undo, retried, memory, hostile, exported; /* jobs to look at */
  gint64 slurm, dataset;                                                  /* site and dataset */
} MadeJobs;

/* `folder` is made; `runs` (≥ 8) with three trials' jobs of two tasks each. `now`: ns UTC. `retried` has three attempts: time
 * limit, node failure, done, with different limits, nodes and parameters; `hostile` failed with words full of SQL, shell,
 * markup and escapes, and its log (FOLDER/…/attempt-0001.err) holds them, a line of 1 MB and an error in the middle. */
void made_jobs_write (const char *folder, guint runs, guint64 now, MadeJobs *made);
