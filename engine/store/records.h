/* records.h: the control records, as plain structs (design §3). Each has an id (> 0) and the revision at which it last
 * changed. Strings are never NULL once read from the store. Times are ns UTC, 0 = not yet. A record is immutable after
 * it has been read, owned by whoever asked, freed with fl_record_free(); safe to hand between threads. */
#pragma once

#include <glib.h>

typedef enum
{
  FL_JOB_PLANNED,
  FL_JOB_SUBMITTING,
  FL_JOB_QUEUED,
  FL_JOB_RUNNING,
  FL_JOB_DONE,
  FL_JOB_FAILED,
  FL_JOB_CANCELLED,
  FL_JOB_TIMED_OUT,
  FL_JOB_PREEMPTED,
  FL_JOB_STATE_LAST
} FlJobState;

const char *fl_job_state_name (FlJobState state);
gboolean fl_job_state_is_final (FlJobState state); /* done, failed, cancelled, timed-out */

typedef enum
{
  FL_TABLE_EXPERIMENT,
  FL_TABLE_ROOT,
  FL_TABLE_SITE,
  FL_TABLE_RUN,
  FL_TABLE_TAG,
  FL_TABLE_RUN_TAG,
  FL_TABLE_BLOCK,
  FL_TABLE_TRIAL,
  FL_TABLE_TASK,
  FL_TABLE_DATASET,
  FL_TABLE_DATASET_VERSION,
  FL_TABLE_JOB,
  FL_TABLE_ATTEMPT,
  FL_TABLE_WATCH,
  FL_TABLE_LAST
} FlTable;

const char *fl_table_name (FlTable table); /* "run", "run_tag" … */

typedef struct
{
  gint64 id, revision;
  char *name, *comment;
  guint64 created;
} FlExperiment;

/* A named place. Paths in the store are (root, relative path); `path` is absolute, or relative to the store's folder
 * (so that a copied experiment opens anywhere). */
typedef struct
{
  gint64 id, revision;
  char *name, *path;
} FlRoot;

typedef struct
{
  gint64 id, revision;
  char *name, *kind; /* kind: local | slurm | ssh */
  char *host, *user;
  char *engine;      /* path of firstlight-engine there; "" = beside firstlight-control */
  char *scratch;     /* name of the root that holds the jobs' folders */
  char *launcher;    /* how ranks are started; "" = "mpirun -n {ranks}" */
  char *environment; /* shell lines put before the command */
  int cores;         /* local: how many may be used at a time, 0 = all */
} FlSite;

/* Where the run finder looks for runs: in `path` under the root (design: files complete by size and time). */
typedef struct
{
  gint64 id, revision;
  char *name, *root, *path;
  char *kind;       /* "folders": a run is a folder; "files": a run is a file */
  char *pattern;    /* glob of the runs' names: "r*", "*.cxi"; several with spaces between */
  char *files;      /* glob of the files in a run's folder that are data; several with spaces between */
  double quiet;     /* s without growth, then a file is complete */
  double quiet_run; /* folders: s without any change, then the run is complete */
  gboolean active;
} FlWatch;

typedef struct
{
  gint64 id, revision;
  char *name; /* "r0012": unique */
  char *root; /* root's name */
  char *path; /* file or folder under it */
  guint64 first_seen, completed;
  guint64 bytes;
  guint32 files;
  guint64 shots; /* frames in its files as the engine counted them; 0 = not known yet */
  char *state;   /* "recording" | "complete" | "damaged" */
  char *problem; /* what is wrong with it, one line; "" = nothing known */
  char *comment;
} FlRun;

typedef struct
{
  gint64 id, revision;
  char *name, *comment, *colour; /* colour: "#rrggbb" or "" */
  gboolean persistent;           /* put on every new run */
} FlTag;

typedef struct
{
  gint64 id, revision;
  gint64 run, tag;
} FlRunTag;

/* Conditions under which a span of runs was taken. */
typedef struct
{
  gint64 id, revision;
  char *name, *first_run, *last_run; /* run names, inclusive (fl_run_name_compare); "" = open */
  char *params;                      /* trial text: detector.geometry, detector.mask … */
  gboolean active;
} FlBlock;

typedef struct
{
  gint64 id, revision;
  int number; /* trial 1, 2, …: unique */
  char *name, *comment;
  char *params; /* full resolved set */
  char *params_version, *engine_build;
  gboolean active; /* the conductor makes jobs of it */
  guint64 created;
} FlTrial;

typedef struct
{
  gint64 id, revision;
  char *name, *type; /* type: "spots", "index", "all": stills --stages TYPE */
  char *params;      /* trial text on top of the trial's */
  gint64 trial;      /* 0 = any */
  int ranks;         /* 0 = as many as the site has cores */
  gboolean active;
} FlTask;

typedef struct
{
  gint64 id, revision;
  char *name, *expression, *comment;
  gboolean active;
} FlDataset;

typedef struct
{
  gint64 id, revision;
  gint64 dataset;
  int number;
  guint64 created;
} FlDatasetVersion;

/* Identity: (trial, block, run, task, dataset, version), 0 for none; unique. */
typedef struct
{
  gint64 id, revision;
  gint64 trial, block, run, task, dataset, version;
  FlJobState state;
  char *reason;      /* why it failed or waits, one line */
  char *root, *path; /* its folder */
  int attempts;
  guint64 created, started, ended;
  gboolean stop_wanted, retry_wanted; /* asked for by a person, taken up by the conductor */
} FlJob;

typedef struct
{
  gint64 id, revision;
  gint64 job, site;
  int number; /* of the job, from 1 */
  FlJobState state;
  char *path; /* its folder, under the job's root */
  char *reason, *remote_id, *nodes, *script, *stderr_tail;
  char *command;
  gboolean compacted; /* its slices have been put in order (shots.h) */
  int exit_code;      /* -1 = not ended, 128 + n = ended by signal n */
  guint64 submitted, started, ended;
} FlAttempt;

/* A change: one record of one table, or its removal. */
typedef struct
{
  FlTable table;
  gint64 id;
  gboolean removed;
  gpointer record; /* the table's struct; NULL when removed. Owned. */
} FlChange;

void fl_record_free (FlTable table, gpointer record);
/* Order of runs' names: numbers in them count as numbers, so that run9 comes before run10 and r0009 equals r9. */
int fl_run_name_compare (const char *a, const char *b);
void fl_change_free (FlChange *change);

/* One journal frame in the store, of a kind other than shots (those: shots.h). */
typedef struct
{
  gint64 row; /* cursor: only grows */
  gint64 job, attempt, run;
  guint32 writer; /* rank */
  guint64 sequence;
  int kind; /* FlKind */
  guint32 rows;
  GBytes *packed; /* for fl_batch_decode() */
} FlSlice;

void fl_slice_free (FlSlice *slice);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlSlice, fl_slice_free)
