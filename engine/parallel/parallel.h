/* parallel.h: the ranks of one engine job. The only room that knows MPI; built without it there is one rank, number 0.
 *
 * "Collective" calls are made by every rank in the same order. Waiting is gentle: a rank that waits sleeps between looks
 * instead of taking a core from one that works. An MPI error ends the job (MPI's own default), so none is returned.
 * Thread: the main one. */
#pragma once

#include <glib.h>

typedef struct FlParallel FlParallel;

/* MPI_Init. Once a process, before any option is read. */
FlParallel *fl_parallel_start (int *argc, char ***argv);
/* MPI_Finalize; collective. */
void fl_parallel_finish (FlParallel *parallel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlParallel, fl_parallel_finish)
/* Ends all ranks at once with this exit status: when one rank cannot go on (a full disk). */
void fl_parallel_abort (FlParallel *parallel, int status) G_GNUC_NORETURN;

guint fl_parallel_rank (const FlParallel *parallel);
guint fl_parallel_ranks (const FlParallel *parallel);
/* Of the ranks that share this node's memory. */
guint fl_parallel_node_rank (const FlParallel *parallel);
guint fl_parallel_node_ranks (const FlParallel *parallel);
/* "MPICH Version: 4.0.2", "Open MPI v4.1.4", or "one rank, built without MPI". */
char *fl_parallel_library (void);

/* --- collective --- */

void fl_parallel_barrier (FlParallel *parallel);
/* Rank 0's text for all; the others' `text` is ignored. NULL travels as NULL. */
char *fl_parallel_share_text (FlParallel *parallel, const char *text);
guint64 fl_parallel_share_u64 (FlParallel *parallel, guint64 value);
/* In place; every rank gets the sums. */
void fl_parallel_sum_u64 (FlParallel *parallel, guint64 *values, guint n_values);
void fl_parallel_sum_f64 (FlParallel *parallel, double *values, guint n_values);
/* Every rank's bytes at rank 0, in order of rank: GPtrArray of GBytes; NULL at the other ranks. */
GPtrArray *fl_parallel_gather (FlParallel *parallel, const void *data, gsize length);

/* --- messages, for the rooms' protocols (deal.h) --- */

void fl_parallel_send (FlParallel *parallel, guint to, const void *data, gsize length);
/* The next message for this rank, appended to `message` (emptied first), and its sender; FALSE when none is there.
 * Messages of one sender come in the order in which they were sent. */
gboolean fl_parallel_poll (FlParallel *parallel, guint *from, GByteArray *message);

/* --- being asked to stop --- */

/* SIGTERM and SIGUSR1 of this process only set a flag from now on. To be called before fl_parallel_start(): no rank is
 * past that before all are in it, so what one does afterwards means that none dies of them. */
void fl_parallel_catch_signals (void);
gboolean fl_parallel_stop_asked (void);
