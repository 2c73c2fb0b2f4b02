/* dataset-plan.h: what a dataset means: from records alone to runs, jobs and the next version; nothing is written. The
 * conductor does what it says, the control room shows it while the expression is typed.
 *
 * Tasks of runs ("spots", "index", "all", "hits") become jobs of (trial × block × run), the same ones that another dataset or an active
 * trial wants; a task waits until its predecessors' jobs of that run are done. Tasks of all runs ("export") become one job a
 * trial of each version. The next version takes the done jobs of their predecessors. It is made when there is something new –
 * a job that was not in the last one or has gone on since, or one in it whose run is not meant any more –, `min_interval` s
 * have passed since the last, and `min_lattices` new lattices are there (not asked for where a run was taken out). Where they are
 * reconstructed from, hits of `hits` count in the place of lattices, and the last version's reconstruction is waited for.
 *
 * Everything is borrowed from the records: they must outlive the plan. Thread: any. */
#pragma once

#include "engine/store/records.h"

/* GPtrArrays of the tables' structs, in any order, as fl_store_list() gives them. None may be NULL. */
typedef struct
{
  GPtrArray *runs, *tags, *run_tags, *blocks, *trials, *tasks, *sites, *jobs, *attempts;
  GPtrArray *versions, *version_jobs; /* FlDatasetVersion, FlVersionJob; others' are passed over */
} FlPlanRecords;

/* A job of a run that is meant. */
typedef struct
{
  const FlTrial *trial;
  const FlBlock *block; /* NULL: the experiment has none */
  const FlRun *run;
  const FlTask *task;
  const FlJob *job; /* NULL: new */
  gboolean ready;   /* its predecessors are done */
} FlMeantJob;

typedef struct
{
  GPtrArray
      *runs;    /* const FlRun: all that the expression takes, by name; those that are being recorded, too */
  GArray *jobs; /* FlMeantJob, in the graph's order, of complete runs */
  GPtrArray *globals;                    /* const FlTask: of all runs, in the graph's order */
  guint64 shots;                         /* of the runs, as far as they are counted */
  guint n_new, n_open, n_done, n_failed; /* of `jobs`; open: there and not ended */
  double
      node_minutes; /* of the new and the open ones: from what ended ones of that task took for so many bytes; where there
                          are none, their time limit */
  gboolean guessed; /* some of them are their time limit */

  /* The next version. */
  GPtrArray *inputs;     /* const FlJob: done jobs that it would take, by id */
  gint64 lattices, news; /* of them; in those that are new */
  char *note;            /* why there would be one: "12 new jobs"; NULL: nothing is new */
  char *waits;           /* why it is not made yet: "37 of 100 new lattices"; NULL with `note`: make it now */
  guint64 due;           /* ns UTC: `min_interval` over; 0 = is over */
} FlDatasetPlan;

/* `dataset`: saved or not. `steps`: GPtrArray of FlDatasetTask: its own; those of other datasets are passed over. `now`: ns UTC.
 * FL_ERROR_INPUT: one line that says what is wrong in the expression or the graph. */
FlDatasetPlan *fl_dataset_plan (const FlPlanRecords *records, const FlDataset *dataset, GPtrArray *steps,
                                guint64 now, GError **error);
void fl_dataset_plan_free (FlDatasetPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlDatasetPlan, fl_dataset_plan_free)

gboolean fl_task_is_global (const FlTask *task); /* "export", "geometry", "merge", "map", "reconstruct" */
/* "hits" finds patterns of single particles, "reconstruct" takes them; all others find and take lattices. */
gboolean fl_task_finds_patterns (const FlTask *task);
gboolean fl_task_takes_patterns (const FlTask *task);
/* The task `after` must be done before `step`. */
gboolean fl_step_waits_for (const FlDatasetTask *step, gint64 after);
gboolean fl_block_covers (const FlBlock *block, const FlRun *run); /* it is active and of that run */

/* Jobs of runs by identity: const FlJob, borrowed. Free with g_hash_table_unref(). */
GHashTable *fl_job_index_new (GPtrArray *jobs);
const FlJob *fl_job_index_find (GHashTable *index, gint64 trial, gint64 block, gint64 run, gint64 task);

/* "… N lattices", as the last line of `stills` has it, or the hits of `hits`; 0 where it is something else. */
gint64 fl_count_lattices (const char *last_line);
