/* stats.h: counts for every job and run, kept up to date from the summaries of shots: what the header strip, the Runs
 * page and the sparklines show. A reader keeps one FlStats beside its store handle (same thread) and updates it when the
 * store's pulse has moved; an update costs only what is new. */
#pragma once

#include "engine/store/shots.h"

#define FL_SPARKLINE_BINS 32

typedef struct
{
  gint64 job, trial, run;
  gint64 shots, hits, indexed, failed, set_aside; /* indexed shots are hits too */
  gint64 spots;                                   /* sum over hits */
  guint64 first, last;           /* ns UTC: first shot taken up, newest shot finished; 0 = none */
  guint n_bins;                  /* 0 … FL_SPARKLINE_BINS, oldest first, of about equally many shots */
  float bins[FL_SPARKLINE_BINS]; /* hit rate, 0–1; NaN where there are no shots */
} FlJobStats;

/* The whole experiment at a glance. */
typedef struct
{
  gint64 shots, hits, indexed; /* of the newest trial that has shots */
  gint64 trial;
  guint64 newest;             /* ns UTC, newest shot finished; 0 = none */
  gint64 acquired, processed; /* shots: in the runs that are counted, and of them done by that trial */
  guint runs_waiting;         /* complete runs that are not wholly done by that trial */
  guint64 lag;                /* ns since the oldest of them was complete; 0 = none waits */
  guint jobs_running, jobs_failed;
  char *failed_reason; /* of the newest failed job; "" = none */
  gint64 failed_job;
} FlOverview;

typedef struct FlStats FlStats;

FlStats *fl_stats_new (void);
void fl_stats_free (FlStats *stats);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlStats, fl_stats_free)
/* Reads what is new; *changed (may be NULL) tells whether anything was. */
gboolean fl_stats_update (FlStats *stats, FlStore *store, gboolean *changed, GError **error);

/* NULL when the job has no shots yet. Valid until the next update; copy the struct to hand it on. */
const FlJobStats *fl_stats_job (FlStats *stats, gint64 job);
/* Of one run: the jobs of `trial` together (0 = the newest trial with shots of that run). FALSE: no shots. */
gboolean fl_stats_run (FlStats *stats, gint64 run, gint64 trial, FlJobStats *out);
/* Of one trial, all runs (run 0 in the result; bins over the runs as they came). FALSE: no shots. */
gboolean fl_stats_trial (FlStats *stats, gint64 trial, FlJobStats *out);
/* `now`: ns UTC. Free with fl_overview_clear. */
void fl_stats_overview (FlStats *stats, guint64 now, FlOverview *out);
void fl_overview_clear (FlOverview *overview);
