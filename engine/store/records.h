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
  FL_TABLE_SITE_ROOT,
  FL_TABLE_DATASET_TASK,
  FL_TABLE_VERSION_JOB,
  FL_TABLE_WORKER,
  FL_TABLE_PERSON,
  FL_TABLE_LAST /* numbers are for ever: tombstones hold them */
} FlTable;

const char *fl_table_name (FlTable table); /* "run", "run_tag" … */

typedef struct
{
  gint64 id, revision;
  char *name, *comment;
  guint64 created;
  /* What is done while processing lags behind acquisition: "newest": newest run first; "thin": newest first, and only
   * `thin_fraction` of each run's shots until there is room again. */
  char *backlog;
  double thin_fraction; /* 0–1 */
  int undo_seconds;     /* between the wish for a new plan and its first submission */
  int approve_above;    /* a plan of more new jobs than this waits for a person; 0 = never */
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
  char *name,
      *kind; /* kind: "local": processes of this machine; "slurm": Slurm of this machine; "ssh": Slurm over SSH */
  char *host, *user;
  char *
      engine; /* path of firstlight-engine there; "" = beside firstlight-control (local), found in the PATH (else) */
  char *scratch; /* name of the root that holds the jobs' folders */
  char *
      launcher; /* how ranks are started; "" = "mpirun -n {ranks}" (local), "srun" with what Slurm can (else) */
  char *environment; /* shell lines put before the command */
  int cores;         /* local: how many may be used at a time, 0 = all; Slurm: of a node, 0 = not known */
  /* ssh */
  int port;         /* 0 = 22, or what ~/.ssh/config says */
  char *transport;  /* "auto", "libssh2", "openssh" */
  char *identity;   /* key file; "" = agent and the usual ones */
  char *ssh_config; /* file; "" = the usual ones, "none" */
  /* Slurm; "" and 0 = the cluster's default */
  char *partition, *account, *qos, *reservation;
  char *features;     /* --constraint */
  char *container;    /* put before the engine's command on the nodes: "apptainer exec --nv image.sif" */
  int nodes;          /* of a job */
  int ranks_per_node; /* 0 = the cores of a node */
  int gpus_per_rank;
  int minutes;        /* time limit of a job */
  gboolean broadcast; /* sbcast the engine to the nodes first */
  char *
      ingest; /* URL of the database as it is reached there: jobs take their journals in themselves; "" = off */
  int max_jobs;          /* queued and running at a time; 0 = no limit */
  double max_node_hours; /* planned in all; 0 = no limit */
  gboolean hold;         /* new jobs wait for a person's approval */
  gboolean active;       /* gets new jobs */
  char *probe;           /* what the wizard found: lines "step<TAB>ok|failed|skipped<TAB>message" */
  guint64 probed;
} FlSite;

/* Where a root lies at a site. Without such a record it lies where it lies here (a shared file system). */
typedef struct
{
  gint64 id, revision;
  gint64 site;
  char *root, *path; /* path: absolute there */
} FlSiteRoot;

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
  gint64 site; /* where to look; 0 = this machine */
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
  char *name;
  /* Of a run: "spots", "index", "all": stills --stages TYPE; "hits": patterns of single particles; of a dataset version:
   * "export": one stream of its lattices; "merge": one list of their intensities; "geometry": the detector refined against
   * them; "map": densities of what was merged; "reconstruct": densities from its patterns. */
  char *type;
  char *params;    /* trial text on top of the trial's */
  gint64 trial;    /* 0 = any */
  int ranks;       /* local: 0 = as many as the site has cores */
  gboolean active; /* of a run: wanted for every run of an active trial, without any dataset */
  gint64 site;     /* 0 = the first active one */
  int nodes, ranks_per_node, gpus_per_rank, minutes; /* Slurm; 0 = the site's */
} FlTask;

typedef struct
{
  gint64 id, revision;
  char *name;
  char *expression; /* of tags and runs: engine/control/tag-expression.h; "" = nothing */
  char *comment;
  gboolean active;
  gint64 trial;        /* whose parameters; 0 = every active trial */
  double min_interval; /* s from one version to the next, */
  int min_lattices; /* and new lattices (patterns where they are reconstructed from), before there is another */
  guint64 created;
  /* What is enough (engine/control/forecast.h); 0 = not asked for. To `goal_d_min`: */
  double goal_d_min;        /* Å */
  double goal_completeness; /* 0–1, overall */
  double goal_multiplicity; /* overall */
  double goal_cc_half;      /* 0–1, in the shell that ends there */
  double goal_cc_ano;       /* 0–1, overall: anomalous signal */
} FlDataset;

/* A step of a dataset's graph. */
typedef struct
{
  gint64 id, revision;
  gint64 dataset, task;
  int number;  /* order on the screen, from 1 */
  char *after; /* ids of the tasks that must be done before, with spaces between; "" = none */
} FlDatasetTask;

typedef struct
{
  gint64 id, revision;
  gint64 dataset;
  int number; /* from 1, never used again */
  guint64 created;
  gint64 lattices; /* of its inputs */
  char *note;      /* why it was made: "12 new jobs", "r0007 is no longer tagged" */
} FlDatasetVersion;

/* An input of a version. */
typedef struct
{
  gint64 id, revision;
  gint64 version, job;
} FlVersionJob;

/* Identity: (trial, block, run, task, dataset, version), 0 for none; unique. A job of a run belongs to no dataset: two datasets
 * share it; a job of a version has no run and no block. */
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
  gint64 site;                        /* where it is to run; 0 = not decided */
  gboolean held;                      /* planned, and waits for a person's approval */
  guint64 not_before;                 /* planned, and waits until then: undo, or a pause between attempts */
  double fraction;                    /* of the run's shots that it is to take; 0 or 1 = all */
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
  char *job_name; /* as the scheduler knows it: it is looked for before it is submitted again */
  char *cause;    /* of its end: fl_site_cause_name(); "" = none */
  char *batch_state, *batch_reason;            /* the scheduler's own words */
  int n_nodes, ranks, ranks_per_node, minutes; /* that it got or asked for; 0 = not known */
  guint64 expected; /* ns UTC: when the scheduler thinks that it begins; 0 = not known */
  guint64 pulled;   /* ns UTC: its journals were asked for last (far sites) */
  char *params;     /* trial text that it ran with */
} FlAttempt;

/* One of the conductor's workers, as it is doing: what the control room shows and can restart. */
typedef struct
{
  gint64 id, revision;
  char *
      name; /* "runs", "plan", "ingest", "dataset:lysozyme"; of a site "link:NAME", "submit:NAME", "poll:NAME", "journals:NAME" */
  gint64 site;   /* 0 = none */
  char *state;   /* "ok", "waiting", "failing", "stopped"; of a link fl_remote_state_name() */
  char *message; /* the last error, or what it does; one line */
  guint64 last_success, last_failure; /* ns UTC */
  guint64 next_try;                   /* ns UTC; 0 = none */
  int failures;                       /* in a row */
  gint64 round_trip;                  /* µs, of a link; -1 = not measured */
  gboolean restart_wanted;            /* asked for by a person */
} FlWorker;

/* Who may do what (people.h). */
typedef struct
{
  gint64 id, revision;
  char *name; /* of the account */
  int role;   /* FlRole */
  char *comment;
} FlPerson;

/* A change: one record of one table, or its removal. */
typedef struct
{
  FlTable table;
  gint64 id;
  gboolean removed;
  gpointer record; /* the table's struct; NULL when removed. Owned. */
} FlChange;

void fl_record_free (FlTable table, gpointer record);
gpointer fl_record_copy (FlTable table, gconstpointer record);
/* Into one record of the table the value that another has in a column. */
void fl_record_take_column (FlTable table, gpointer to, gconstpointer from, const char *column);
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
