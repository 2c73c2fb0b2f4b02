/* store.h: the experiment database (design §7): control records with a change feed, and slices of journals.
 *
 * One handle belongs to one thread; open another for another thread or process (SQLite in WAL mode lets them work side
 * by side). Every writing call is one transaction. All calls may wait for the disk: never on a main loop.
 * Errors: FL_ERROR_INPUT (a value is not allowed, FL's own words), FL_ERROR_BUSY, FL_ERROR_MISSING, FL_ERROR_FAILED. */
#pragma once

#include <glib.h>

#include "engine/store/records.h"

typedef enum
{
  FL_STORE_CREATE,   /* make it if it is not there, migrate if it is old */
  FL_STORE_WRITE,    /* must be there; migrate if it is old */
  FL_STORE_READ_ONLY /* never writes, works on a read-only copy without its -wal */
} FlStoreMode;

typedef struct FlStore FlStore;

/* `where`: path of the SQLite file, or of the experiment's folder that holds `firstlight.sqlite`. */
FlStore *fl_store_open (const char *where, FlStoreMode mode, GError **error);
void fl_store_close (FlStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlStore, fl_store_close)
const char *fl_store_path (FlStore *store);
const char *fl_store_folder (FlStore *store);
gboolean fl_store_is_read_only (FlStore *store);

/* --- change feed --- */

/* All control records that changed after `since` (0: all there are), with tombstones, in order of revision; *revision
 * becomes the newest revision seen. GPtrArray of FlChange. */
GPtrArray *fl_store_changes (FlStore *store, gint64 since, gint64 *revision, GError **error);

/* --- control records: insert with id 0, else update. On success id (and revision) are filled in --- */

gboolean fl_store_save (FlStore *store, FlTable table, gpointer record, GError **error);
gboolean fl_store_remove (FlStore *store, FlTable table, gint64 id, GError **error);
gpointer fl_store_get (FlStore *store, FlTable table, gint64 id, GError **error); /* NULL with FL_ERROR_MISSING */
GPtrArray *fl_store_list (FlStore *store, FlTable table, GError **error);         /* by id; frees its records */

/* Absolute path of (root, relative path). NULL with FL_ERROR_MISSING when there is no such root. */
char *fl_store_resolve (FlStore *store, const char *root, const char *path, GError **error);

/* --- journals --- */

/* Appends a frame's batch as a slice, keyed (attempt, writer, sequence): sending it twice does no harm
 * (*inserted tells, may be NULL). Shot frames get summary columns; frames of other kinds are kept packed;
 * FL_KIND_SPOT is not kept (results are beside the journal). */
gboolean fl_store_add_slice (FlStore *store, gint64 attempt, guint32 writer, guint64 sequence, int kind,
                             gconstpointer payload, gsize length, gboolean *inserted, GError **error);
/* Brackets many fl_store_add_slice calls in one transaction. */
gboolean fl_store_begin (FlStore *store, GError **error);
gboolean fl_store_commit (FlStore *store, GError **error);
void fl_store_rollback (FlStore *store);

/* Slices with row > `after`, oldest first, at most `limit` (0 = all), of a kind, of one job or of all (job 0).
 * GPtrArray of FlSlice. When an attempt has ended its slices are compacted: `after` stays valid, the compacted
 * slice comes with a new row and replaces all earlier ones of its attempt (FlSlice.replaces_attempt… see slices.h). */
GPtrArray *fl_store_slices (FlStore *store, int kind, gint64 job, gint64 after, guint limit, gboolean packed,
                            GError **error);

/* --- lease and audit --- */

/* Takes or renews the named lease for `seconds`; *fencing is the number that a holder's writes carry. FALSE without
 * error when somebody else holds it (*holder then names them). */
gboolean fl_store_lease (FlStore *store, const char *name, const char *who, guint seconds, gint64 *fencing,
                         char **holder, GError **error);
gboolean fl_store_release (FlStore *store, const char *name, const char *who, GError **error);
/* Who did what, for the log: every change that a person asks for. */
gboolean fl_store_audit (FlStore *store, const char *who, const char *what, GError **error);
