/* slurm-text.h: what Slurm prints, understood. What it prints is not trusted: rows that are none are passed over, texts are cut and
 * made harmless. Thread: any. */
#pragma once

#include "engine/control/site.h"

/* A job as squeue or sacct has it. */
typedef struct
{
  char *id; /* "123" or, of an array, "123_4" */
  char *state, *reason, *nodes, *name;
  guint64 start, end; /* s since 1970 by the site's clock; 0 = not known */
  int n_nodes;
  int exit_code; /* -1 = not known; 128 + n: ended by signal n */
} FlSlurmRow;

void fl_slurm_row_free (FlSlurmRow *row);

/* With SLURM_TIME_FORMAT=%s. GPtrArray of FlSlurmRow. */
#define FL_SQUEUE_FORMAT "%i|%T|%S|%D|%N|%r|%j"
#define FL_SACCT_FORMAT  "JobID,State,ExitCode,Start,End,NNodes,NodeList,JobName"
GPtrArray *fl_slurm_parse_queue (GBytes *text);
/* "ID STATUS" lines: id to exit code + 1, as a pointer. */
#define FL_SQUEUE_CODES "JobArrayID:40,exit_code:12"
GHashTable *fl_slurm_parse_codes (GBytes *text);
GPtrArray *fl_slurm_parse_accounting (GBytes *text);

/* Slurm's word for a state. ENDED only for those after which nothing happens any more; a word that nobody has heard of is RUNNING,
 * so that nothing is submitted a second time on its account. */
FlSiteState fl_slurm_state (const char *word);
/* A reason for which a waiting job never starts. */
gboolean fl_slurm_never_starts (const char *reason);
/* Why it ended. `warned`: it was told that its time is over soon. `errors`: the end of what it printed. */
FlSiteCause fl_slurm_cause (const char *state, const char *reason, int exit_code, gboolean warned,
                            const char *errors);
/* Why it was requeued last, as Slurm has written into its error output. */
FlSiteCause fl_slurm_requeue_cause (const char *errors);

typedef enum
{
  FL_SBATCH_DONE,
  FL_SBATCH_REFUSED,
  FL_SBATCH_BUSY /* whether it has taken it is not known, or it takes nothing now */
} FlSbatchAnswer;

/* *id (DONE) or *message (else) is one line; free it. */
FlSbatchAnswer fl_slurm_sbatch_answer (int status, const char *text, char **id, char **message);
/* Words of a client that did not reach its daemon. */
gboolean fl_slurm_is_unreachable (const char *text);

/* --- files beside an attempt (resources/jobs/slurm.sh) --- */

/* STEM.pid: who runs it. */
typedef struct
{
  char id[64]; /* "" = nobody yet; "withdrawn" = nobody ever */
  guint64 begun;
  int restarts;
} FlSlurmMark;

#define FL_SLURM_WITHDRAWN "withdrawn"
#define FL_SLURM_BY_HAND   "hand-" /* and a process: outside Slurm */

/* STEM.exit: how it ended. */
typedef struct
{
  int status;
  guint64 ended;
  char id[64];
  int restarts;
  gboolean warned;
} FlSlurmEnd;

void fl_slurm_parse_mark (GBytes *bytes, FlSlurmMark *mark); /* NULL: no file */
gboolean fl_slurm_parse_end (GBytes *bytes, FlSlurmEnd *end);
