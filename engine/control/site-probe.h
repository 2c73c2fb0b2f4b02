/* site-probe.h: does this site work, step by step, and what to do where it does not: what the wizard shows.
 *
 * Steps, in order; those after a failure that they need are skipped: "reach" (the machine answers), "host-key", "login" – told
 * by the link, not here –; "scheduler" (sbatch, squeue, sacct, their version), "account" (account, partition, qos, reservation are
 * accepted: sbatch --test-only), "scratch" (can be made and written, free space, the nodes see it), "engine" (is there, which
 * build; pushed when it is not and `push` says so), "mpi" (a job of two ranks on two nodes, if there are, says hello through
 * MPI and names its hosts), "gpu" (which devices a node sees; skipped where none is asked for). */
#pragma once

#include "engine/control/site.h"

typedef enum
{
  FL_STEP_WAITING,
  FL_STEP_RUNNING,
  FL_STEP_OK,
  FL_STEP_FAILED,
  FL_STEP_SKIPPED
} FlStepState;

const char *fl_step_state_name (FlStepState state); /* "waiting", "running", "ok", "failed", "skipped" */

typedef struct
{
  const char *name; /* as above */
  FlStepState state;
  char *message;  /* what was found: one line, made harmless */
  char *advice;   /* of a failed one: what to do, one or two sentences; "" */
  double seconds; /* that it took */
} FlProbeStep;

void fl_probe_step_free (FlProbeStep *step);

typedef struct
{
  char *scratch;     /* absolute path there */
  char *push;        /* firstlight-engine of this machine to put there; NULL: none */
  guint mpi_timeout; /* s that the MPI job may wait in the queue; 0 = 120 */
} FlProbeOptions;

/* Called on the site's thread as each step begins and ends. */
typedef void (*FlProbeProgress) (const FlProbeStep *step, gpointer data);

/* Runs all steps from "scheduler" on; waits. GPtrArray of FlProbeStep, all of them. *engine (free it): the engine's path there. */
GPtrArray *fl_site_probe (const FlSiteContext *context, const FlProbeOptions *options,
                          GCancellable *cancellable, FlProbeProgress progress, gpointer data, char **engine);
/* "step<TAB>state<TAB>message" lines, for FlSite.probe. */
char *fl_probe_steps_text (GPtrArray *steps);
