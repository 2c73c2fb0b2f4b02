/* finder.h: finds runs in watched folders (FlWatch) and registers them in the store.
 *
 * A file is complete when it is not called *.inprogress and its size and time have not moved for `quiet` seconds. With
 * kind "files" each such file is a run, called as the file without its ending; with "folders" a run is a folder, complete
 * when all of its files are and nothing in it has moved for `quiet_run` seconds. Of single particles' files detector.h5 and
 * truth.h5 are no data, nor is NAME.emc beside NAME.cxi; a folder `truth` is no run. New runs get the persistent tags. A
 * run that grows again goes back to recording; jobs of it that were done are asked to go on when it is complete again.
 * Folders at a far site are looked at by whoever may wait (fl_finder_look() on the site's thread) and taken in by the
 * store's thread (fl_finder_take()); the clock there is not believed: what counts is since when nothing has moved as seen
 * from here. Thread: the store's, but for fl_finder_look(). */
#pragma once

#include "engine/remote/host.h"
#include "engine/store/store.h"

#define FL_FINDER_PATTERN "*"
#define FL_FINDER_FILES   "*.cxi *.emc *.h5 *.hdf5 *.nxs *.cbf *.cbf.gz *.img *.mccd"

typedef struct FlFinder FlFinder;

FlFinder *fl_finder_new (FlStore *store);
void fl_finder_free (FlFinder *finder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlFinder, fl_finder_free)

/* Looks once at all active watches of this machine. A folder that cannot be read is no error: `message` (free it) says so
 * in one line, NULL when all is well. `now`: ns UTC. */
gboolean fl_finder_scan (FlFinder *finder, guint64 now, char **message, GError **error);

/* What lies in a watched folder. */
typedef struct
{
  char *name;
  guint64 size, modified; /* bytes, ns UTC by the clock there */
  gboolean folder;
  GPtrArray *files; /* of a folder: FlFound; NULL: nothing has moved there since (`settled`) */
} FlFound;

void fl_found_free (FlFound *found);

/* Any thread; waits. `settled` (may be NULL): names of folders that need no look while they have not been changed: from
 * fl_finder_settled(). GPtrArray of FlFound. */
GPtrArray *fl_finder_look (FlHost *host, const char *folder, const FlWatch *watch, GHashTable *settled,
                           GError **error);
/* Any thread: whether a file of that name (in a run's folder; with kind "files" in the watched one) is data. */
gboolean fl_finder_is_data (const FlWatch *watch, const char *name);
/* Registers what was found; `message` as above. */
gboolean fl_finder_take (FlFinder *finder, const FlWatch *watch, GPtrArray *entries, guint64 now,
                         char **message, GError **error);
/* A copy for the thread that looks; free with g_hash_table_unref(). */
GHashTable *fl_finder_settled (FlFinder *finder, const FlWatch *watch);
/* Somebody has asked for files of runs of this watch, which has not been looked at. */
gboolean fl_finder_is_asked (FlFinder *finder, const FlWatch *watch);

/* The complete data files of a run as they lie there now, sorted by name (numbers as numbers): absolute paths at `site`
 * (as fl_store_resolve_at() has it; 0: here). FL_ERROR_BUSY: they lie far away and are not known yet. */
GPtrArray *fl_finder_files (FlFinder *finder, const FlRun *run, gint64 site, GError **error);
