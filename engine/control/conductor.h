/* conductor.h: makes happen what the store says is wanted (design §3, §8).
 *
 * A process of its own that holds the lease "conductor". It only ever computes wanted minus existing – active trials ×
 * active tasks × complete runs × the active blocks that cover them (block 0 where the experiment has no blocks), and what
 * active datasets mean (dataset-plan.h) – makes jobs of it, submits attempts in groups, watches them, takes in their journals.
 * Everything that it knows is in the store and in the attempts' folders, so that it may be killed at any moment; the next one
 * adopts what still runs. What becomes of a job whose attempt ended: policy.h.
 *
 * Its workers ("runs", "plan", "ingest", "dataset:…", and of each site "link:", "submit:", "poll:", "journals:") fail, pause and
 * go on each by itself; nothing but the loss of the lease or of the store ends it. A site that does not answer leaves all as it
 * was: nothing is counted as a failure, nothing is submitted a second time.
 *
 * Newest runs first. A site is behind while more jobs wait for it than it can take in two rounds (of as many as it holds at a
 * time: its cores, or its limit of jobs, or 32), or a complete run has waited FL_LAG_MINUTES. With the experiment's backlog
 * "thin", what begins then takes only a fraction of its shots, and is filled up, newest first, when nothing waits any more.
 *
 * Jobs that a person causes – a trial, a dataset, a retry; not a run that arrives – wait `undo_seconds` before their first
 * submission, and for approval where there are more than `approve_above` of them; at a site on hold all wait for it.
 * Thread: one, with its main context. */
#pragma once

#include "engine/store/store.h"

#define FL_CONDUCTOR_LEASE "conductor"
#define FL_LAG_MINUTES     10

typedef struct FlConductor FlConductor;

/* `engine`: path of firstlight-engine where a site does not say; may be NULL: beside this program, else in the PATH.
 * Takes the lease; FL_ERROR_BUSY when another conductor lives. */
FlConductor *fl_conductor_new (FlStore *store, const char *engine, GError **error);
/* Gives the lease back. Jobs go on. */
void fl_conductor_free (FlConductor *conductor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlConductor, fl_conductor_free)

/* One round: lease, runs, plan, wishes, submissions, polls, journals. Requests to sites that it makes are answered on
 * the main context. After FALSE: fl_conductor_has_lease() tells whether to try again. */
gboolean fl_conductor_round (FlConductor *conductor, GError **error);
/* What has happened since the last round lets something else begin: a round now rather than at the next beat. */
gboolean fl_conductor_is_in_hurry (FlConductor *conductor);
/* FALSE: somebody has taken over; nothing of this one's may be written any more. */
gboolean fl_conductor_has_lease (FlConductor *conductor);
/* Requests to sites that wait for their answer. */
guint fl_conductor_pending (FlConductor *conductor);
/* Nothing is running, queued or planned, and every run is complete. */
gboolean fl_conductor_is_idle (FlConductor *conductor);
