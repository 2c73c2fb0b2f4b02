/* finder.h: finds runs in watched folders (FlWatch) and registers them in the store.
 *
 * A file is complete when it is not called *.inprogress and its size and time have not moved for `quiet` seconds. With
 * kind "files" each such file is a run, called as the file without its ending; with "folders" a run is a folder, complete
 * when all of its files are and nothing in it has moved for `quiet_run` seconds. New runs get the persistent tags. A
 * run that grows again goes back to recording; jobs of it that were done are asked to go on when it is complete again.
 * Thread: the store's. */
#pragma once

#include "engine/store/store.h"

#define FL_FINDER_PATTERN "*"
#define FL_FINDER_FILES   "*.cxi *.h5 *.hdf5 *.nxs *.cbf"

typedef struct FlFinder FlFinder;

FlFinder *fl_finder_new (FlStore *store);
void fl_finder_free (FlFinder *finder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlFinder, fl_finder_free)

/* Looks once at all active watches. A folder that cannot be read is no error: `message` (free it) says so in one line,
 * NULL when all is well. `now`: ns UTC. */
gboolean fl_finder_scan (FlFinder *finder, guint64 now, char **message, GError **error);

/* The complete data files of a run as they lie there now, sorted by name (numbers as numbers): absolute paths. */
GPtrArray *fl_finder_files (FlStore *store, const FlRun *run, GError **error);
