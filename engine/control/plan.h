/* plan.h: what is wanted, and the command of a job. Thread: the store's. */
#pragma once

#include "engine/control/dataset-plan.h"
#include "engine/control/finder.h"
#include "engine/control/policy.h"
#include "engine/store/store.h"

/* --- wanted minus existing --- */

/* All that a plan is made of, kept up to date from the change feed: with ten thousand jobs nobody reads them all for each plan.
 * Attempts are without their longer texts (command, params, stderr_tail). */
typedef struct
{
  FlPlanRecords records;
  GPtrArray *experiments, *datasets, *steps;
  GHashTable *where; /* table and id -> place in its list */
} FlPlanBasis;

void fl_plan_basis_init (FlPlanBasis *basis);
/* Takes the records of GPtrArray of FlChange over. */
void fl_plan_basis_take (FlPlanBasis *basis, GPtrArray *changes);
void fl_plan_basis_clear (FlPlanBasis *basis);
const FlExperiment *fl_plan_experiment (const FlPlanBasis *basis);
gpointer fl_plan_find (GPtrArray *records, gint64 id); /* NULL: none */
/* Where jobs of the task go: its own site, else the first active one; NULL: there is none. */
const FlSite *fl_plan_site (const FlPlanBasis *basis, const FlTask *task);

/* A job that is wanted and not there. Borrowed from the basis. */
typedef struct
{
  const FlTrial *trial;
  const FlBlock *block; /* NULL: none */
  const FlRun *run;     /* NULL: of a dataset's version */
  const FlTask *task;
  const FlDataset *dataset;
  const FlDatasetVersion *version;
  const FlSite *site;
} FlWantedJob;

/* Adds what active trials × active tasks × complete runs want: GArray of FlWantedJob. */
void fl_plan_want_active (const FlPlanBasis *basis, GArray *wanted);
/* Makes them, each once, held or with a while to undo them where a person has caused them: where the run is in `known` (ids as
 * GINT64; NULL: none is). *made is added to. */
gboolean fl_plan_make (FlStore *store, const FlPlanBasis *basis, GArray *wanted, GHashTable *known,
                       guint *made, GError **error);

/* --- what a job runs --- */

/* Number of the attempt's folder and the stem of its files: "attempt-0001". */
char *fl_plan_stem (int number);

typedef struct
{
  char *folder;       /* of the job, at the site */
  char *mirror;       /* the same here */
  char *key;          /* "t3-b1-r0012-spots" */
  char *program;      /* firstlight-engine at the site */
  char *arguments;    /* of it, quoted */
  char *params;       /* trial text: block < trial < task; "" = it has none */
  GPtrArray *uploads; /* FlUpload; NULL: none */
  FlResources resources;
  int ranks;
} FlPlannedJob;

void fl_planned_job_clear (FlPlannedJob *planned);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FlPlannedJob, fl_planned_job_clear)

/* What attempt `number` of the job is to run on the site. `cores`: of this machine. Writes the parameters beside the job here,
 * and keeps a copy of files that the site needs. FL_ERROR_BUSY: not known yet. */
gboolean fl_plan_command (FlFinder *finder, FlStore *store, const FlJob *job, int number, const FlSite *site,
                          int cores, const char *engine, FlPlannedJob *planned, GError **error);
/* Files of a far attempt that must be there first, as planned before. NULL without error: none. */
gboolean fl_plan_uploads (FlStore *store, const FlSite *site, const char *folder, const char *mirror,
                          int number, const char *params, GPtrArray **uploads, GError **error);
/* What the job may take and how many ranks that is, given how its last attempt ended (NULL: none). */
FlResources fl_plan_resources (const FlTask *task, const FlSite *site, const FlAttempt *last);
int fl_plan_ranks (const FlTask *task, const FlSite *site, const FlResources *resources, int cores);
