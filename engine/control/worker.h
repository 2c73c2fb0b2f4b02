/* worker.h: the conductor's workers, as the control room shows them (FlWorker): each has a state, its last error and success,
 * and when it tries again; one that fails pauses (1, 2, 4 … 60 s) and never stops another. Rows are written only when they
 * mean something new; times of success at most once a minute. Thread: the store's. */
#pragma once

#include "engine/store/store.h"

typedef struct FlWorkers FlWorkers;

/* Takes over the rows that are there. */
FlWorkers *fl_workers_new (FlStore *store, GError **error);
void fl_workers_free (FlWorkers *workers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlWorkers, fl_workers_free)

/* It may try now: it does not pause after a failure. */
gboolean fl_workers_is_due (FlWorkers *workers, const char *name);
/* It has done what it had to. `message`: what it does; "". */
void fl_workers_well (FlWorkers *workers, const char *name, gint64 site, const char *message);
/* It can do nothing before something else has happened; no failure. */
void fl_workers_waiting (FlWorkers *workers, const char *name, gint64 site, const char *message);
void fl_workers_failed (FlWorkers *workers, const char *name, gint64 site, const char *message);
/* A link's state in its own words; `round_trip` µs is written at most every 10 s. */
void fl_workers_link (FlWorkers *workers, const char *name, gint64 site, const char *state,
                      const char *message, gint64 round_trip, guint64 next_try);
/* Its pause ends: what it failed for may be over. */
void fl_workers_hurry (FlWorkers *workers, const char *name);
void fl_workers_forget (FlWorkers *workers, const char *name);
/* Those whose name begins with `prefix` and that nothing was said of since the last sweep of it are forgotten. */
void fl_workers_sweep (FlWorkers *workers, const char *prefix);
/* Obeys a wish for a restart: pauses end. Names of the restarted ones; free with g_ptr_array_unref(). */
GPtrArray *fl_workers_restart (FlWorkers *workers, GError **error);
/* All is done that was wished for. */
gboolean fl_workers_restarted (FlWorkers *workers, GError **error);
/* They end with their conductor: says so. */
void fl_workers_stop (FlWorkers *workers);
/* Writes what is new. */
gboolean fl_workers_write (FlWorkers *workers, GError **error);
