/* experiment.h: the experiment as the main loop knows it: the records as list models, the counts, and what joins them.
 *
 * Fed by the store's thread; nothing here waits. Signals:
 *   opened (const GError *error)
 *   changed (guint what): after each poll that brought anything; a mask of 1 << FlTable and FLG_CHANGED_…
 * Thread: main. */
#pragma once

#include "engine/base/params.h"
#include "engine/control/archive-folder.h"
#include "gui/record-model.h"
#include "gui/store-thread.h"

#define FLG_CHANGED(table)   (1u << (table))
#define FLG_CHANGED_BACK     (1u << 27) /* what could not be read a while ago can be asked for again */
#define FLG_CHANGED_PEOPLE   (1u << 28) /* who is here */
#define FLG_CHANGED_FINDINGS (1u << 29)
#define FLG_CHANGED_COUNTS   (1u << 30)
#define FLG_CHANGED_HEALTH   (1u << 31)

/* How the experiment is doing as a whole. */
typedef struct
{
  FlOverview overview;
  gint64 recent_shots, recent_hits, recent_indexed;
  const char *conductor; /* NULL: nobody conducts */
  const char *problem;   /* the store does not answer: why; NULL: it does */
  GPtrArray *findings;   /* FlFinding: what is broken; NULL: not judged yet */
  guint64 heard;         /* ns UTC of the last good poll, by the experiment's clock; 0 = never */
  gboolean lost;         /* the database does not answer … */
  gint64 retry;          /* … and is asked again then: monotonic µs */
  FlRole role;           /* of the person at the screen; an owner as long as it is not known */
  const char *account;   /* NULL: not known yet */
  GPtrArray *present;    /* FlPresence: who is here; NULL: not known */
} FlgGlance;

#define FLG_TYPE_EXPERIMENT (flg_experiment_get_type ())
G_DECLARE_FINAL_TYPE (FlgExperiment, flg_experiment, FLG, EXPERIMENT, GObject)

/* ns UTC */
typedef guint64 (*FlgClock) (gpointer data);

/* `clock` NULL: the machine's. */
FlgExperiment *flg_experiment_new (const char *folder, FlStoreMode mode, FlgClock clock, gpointer clock_data);
void flg_experiment_close (FlgExperiment *self);

FlgStoreThread *flg_experiment_store (FlgExperiment *self);
/* Of this window, among those who are present; and the page that it looks at, for them. */
const char *flg_experiment_session (FlgExperiment *self);
void flg_experiment_look_at (FlgExperiment *self, const char *page);
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
/* Of a far attempt: its mirror here, with journals, tables in flight and the end of what it printed. */
char *flg_experiment_attempt_folder (FlgExperiment *self, const FlAttempt *attempt);

/* --- where things lie --- */

/* NULL: there is no such site, or 0. */
const FlSite *flg_experiment_site (FlgExperiment *self, gint64 id);
/* Reached over SSH: its files are not here. (FALSE in a copy, where all is behind one link.) */
gboolean flg_experiment_site_is_far (FlgExperiment *self, gint64 site);
/* The same path at a site, which may keep the root elsewhere. Absolute; NULL when there is no such root. */
char *flg_experiment_resolve_at (FlgExperiment *self, gint64 site, const char *root, const char *path);
/* FOLDER/STEM + suffix (".out", "" …) at the attempt's own site. */
char *flg_experiment_attempt_path (FlgExperiment *self, const FlAttempt *attempt, const char *suffix);
/* Where a job's files are: at the site of its newest attempt, else where it is to run; 0: here. */
gint64 flg_experiment_job_site (FlgExperiment *self, const FlJob *job);
/* Where a run's files are: at the far site whose watch has found it, or that maps its root when the root is not here; 0: here. */
gint64 flg_experiment_run_site (FlgExperiment *self, const FlRun *run);
/* A path at one site as it is at another (by the roots); a copy of `path` when no root holds it. */
char *flg_experiment_move_path (FlgExperiment *self, const char *path, gint64 from, gint64 to);
gboolean flg_experiment_root_is_absent (FlgExperiment *self,
                                        const char *root); /* as far as is known by now */
/* The folder that relative paths begin in: the experiment's; or, of a store that is a copy of one on another machine,
 * that one's folder there. */
const char *flg_experiment_home (FlgExperiment *self);
void flg_experiment_set_home (FlgExperiment *self, const char *folder);
gboolean flg_experiment_is_copy (FlgExperiment *self);
/* What it says of itself when it is an archive, opened read-only; NULL: it is none. Taken over. */
void flg_experiment_set_archive (FlgExperiment *self, FlArchive *archive);
const FlArchive *flg_experiment_archive (FlgExperiment *self);
/* The store holds only what has passed the reader; a text of a newer table that does not is left out whole. */
void flg_params_overlay (FlParams *params, const char *text);
/* What a job runs with, in the order of precedence block < trial < task. */
FlParams *flg_experiment_job_params (FlgExperiment *self, const FlJob *job);
/* Geometry and mask for looking at a run's images: absolute paths where its best job runs, "" = none. */
void flg_experiment_run_detector (FlgExperiment *self, const FlRun *run, char **geometry, char **mask);
/* How its raw pixels are calibrated, as FlViewSourceRequest has it; "" = they are no raw pixels. */
char *flg_experiment_run_calibration (FlgExperiment *self, const FlRun *run);
/* The same of the blocks that hold for the run now, whatever its jobs ran with; paths here. */
void flg_experiment_block_detector (FlgExperiment *self, const FlRun *run, char **geometry, char **mask);
