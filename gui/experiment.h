/* experiment.h: the experiment as the main loop knows it: the records as list models, the counts, and what joins them.
 *
 * Fed by the store's thread; nothing here waits. Signals:
 *   opened (const GError *error)
 *   changed (guint what): after each poll that brought anything; a mask of 1 << FlTable and FLG_CHANGED_…
 * Thread: main. */
#pragma once

#include "engine/base/params.h"
#include "gui/record-model.h"
#include "gui/store-thread.h"

#define FLG_CHANGED(table) (1u << (table))
#define FLG_CHANGED_COUNTS (1u << 30)
#define FLG_CHANGED_HEALTH (1u << 31)

/* How the experiment is doing as a whole. */
typedef struct
{
  FlOverview overview;
  gint64 recent_shots, recent_hits, recent_indexed;
  const char *conductor; /* NULL: nobody conducts */
  const char *problem;   /* the store does not answer: why; NULL: it does */
  guint64 heard;         /* ns UTC of the last good poll, by the experiment's clock; 0 = never */
} FlgGlance;

#define FLG_TYPE_EXPERIMENT (flg_experiment_get_type ())
G_DECLARE_FINAL_TYPE (FlgExperiment, flg_experiment, FLG, EXPERIMENT, GObject)

/* ns UTC */
typedef guint64 (*FlgClock) (gpointer data);

/* `clock` NULL: the machine's. */
FlgExperiment *flg_experiment_new (const char *folder, FlStoreMode mode, FlgClock clock, gpointer clock_data);
void flg_experiment_close (FlgExperiment *self);

FlgStoreThread *flg_experiment_store (FlgExperiment *self);
const char *flg_experiment_folder (FlgExperiment *self);
guint64 flg_experiment_now (FlgExperiment *self);
gboolean flg_experiment_is_open (FlgExperiment *self);
gboolean flg_experiment_is_read_only (FlgExperiment *self);
/* The first poll has been heard: the models hold what the store holds. */
gboolean flg_experiment_is_filled (FlgExperiment *self);
const FlgGlance *flg_experiment_glance (FlgExperiment *self);

FlgRecordModel *flg_experiment_table (FlgExperiment *self, FlTable table);
/* NULL: no shots yet. Valid until the main loop runs again. */
const FlJobStats *flg_experiment_job_stats (FlgExperiment *self, gint64 job);
const FlJobStats *flg_experiment_run_stats (FlgExperiment *self, gint64 run);

/* Names, sorted; free with g_strfreev. */
GStrv flg_experiment_run_tags (FlgExperiment *self, gint64 run);
gboolean flg_experiment_run_has_tag (FlgExperiment *self, gint64 run, gint64 tag);
GStrv flg_experiment_tag_names (FlgExperiment *self);
/* NULL: no such run, or none. */
const FlRun *flg_experiment_run (FlgExperiment *self, gint64 id);
const FlTrial *flg_experiment_trial (FlgExperiment *self, gint64 id);
const FlJob *flg_experiment_job (FlgExperiment *self, gint64 id);
/* FlgRecord of the job's attempts, oldest first; borrowed; free the array. */
GPtrArray *flg_experiment_attempts (FlgExperiment *self, gint64 job);
GPtrArray *flg_experiment_run_jobs (FlgExperiment *self, gint64 run);
/* The job of that run to look at: of the newest trial that has one. NULL: none. */
const FlJob *flg_experiment_best_job (FlgExperiment *self, gint64 run);

/* Absolute path; NULL when there is no such root. */
char *flg_experiment_resolve (FlgExperiment *self, const char *root, const char *path);
char *flg_experiment_job_folder (FlgExperiment *self, const FlJob *job);
char *flg_experiment_attempt_folder (FlgExperiment *self, const FlAttempt *attempt);
/* What a job runs with, in the order of precedence block < trial < task. */
FlParams *flg_experiment_job_params (FlgExperiment *self, const FlJob *job);
/* Geometry and mask for looking at a run's images: absolute paths, "" = none. */
void flg_experiment_run_detector (FlgExperiment *self, const FlRun *run, char **geometry, char **mask);
