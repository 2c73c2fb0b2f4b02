/* conductor.h: makes happen what the store says is wanted (design §3, §8).
 *
 * A process of its own that holds the lease "conductor". It only ever computes wanted minus existing – active trials ×
 * active tasks × complete runs × the active blocks that cover them (block 0 where the experiment has no blocks) – makes
 * jobs of it, submits attempts, watches them, takes in their journals. Everything that it knows is in the store and in
 * the attempts' folders, so that it may be killed at any moment; the next one adopts what still runs. Newest runs first.
 *
 * How an attempt ends:
 *   exit 0            done
 *   exit 75           it saved and stopped: a new attempt goes on (at most FL_MAX_PAUSES in a row)
 *   exit 1, 2, 126, 127  failed, the reason is what it said; a person may ask for a retry
 *   anything else, or no exit status at all: something killed it; a new attempt goes on as long as attempts get somewhere
 *                     (at most FL_MAX_FRUITLESS in a row that add no shot)
 *   asked for by a person: cancelled
 * Thread: one, with its main context. */
#pragma once

#include "engine/store/store.h"

#define FL_CONDUCTOR_LEASE "conductor"
#define FL_MAX_PAUSES      20
#define FL_MAX_FRUITLESS   3

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
/* FALSE: somebody has taken over; nothing of this one's may be written any more. */
gboolean fl_conductor_has_lease (FlConductor *conductor);
/* Requests to sites that wait for their answer. */
guint fl_conductor_pending (FlConductor *conductor);
/* Nothing is running, queued or planned, and every run is complete. */
gboolean fl_conductor_is_idle (FlConductor *conductor);
/* The first error met in an answer since the last call; NULL when there was none. Free it. */
GError *fl_conductor_take_error (FlConductor *conductor);
