/* store.h: the experiment database (design §7): control records with a change feed, and slices of journals; in SQLite or
 * in MySQL (database.h).
 *
 * One handle belongs to one thread at a time; open another for another thread or process (they work side by side). Every writing call is one transaction, unless bracketed. All calls may wait for the disk: never
 * on a main loop. Every value goes through a prepared statement.
 * Errors: FL_ERROR_INPUT (a value is not allowed, a damaged or too new database), FL_ERROR_BUSY (another program held
 * the database for a minute, or the lease has gone to somebody else), FL_ERROR_LOST (the database does not answer: what
 * was asked has not happened, a commit may have; later calls try again), FL_ERROR_DENIED and FL_ERROR_CONFLICT (people.h),
 * FL_ERROR_MISSING, FL_ERROR_FAILED. */
#pragma once

#include <glib.h>

#include "engine/store/database.h"
#include "engine/store/records.h"

typedef enum
{
  FL_STORE_CREATE,   /* make it if it is not there, migrate if it is old */
  FL_STORE_WRITE,    /* must be there; migrate if it is old */
  FL_STORE_READ_ONLY /* never writes, works on a read-only copy without its -wal */
} FlStoreMode;

typedef struct FlStore FlStore;

/* `where`: as of fl_database_find() (database.h): the experiment's folder, the SQLite file, or a database's URL. */
FlStore *fl_store_open (const char *where, FlStoreMode mode, GError **error);
/* The same; takes `where` over. */
FlStore *fl_store_open_database (FlDatabase *where, FlStoreMode mode, GError **error);
void fl_store_close (FlStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlStore, fl_store_close)
const char *fl_store_path (FlStore *store); /* of the file, absolute; or the database's URL without secrets */
const char *fl_store_folder (FlStore *store); /* the experiment's, absolute */
gboolean fl_store_is_read_only (FlStore *store);
/* Open for reading, of an older schema: what is read is a copy of it, brought up to date. */
gboolean fl_store_is_older (FlStore *store);

/* --- change feed --- */

/* A number that differs from the last one if anything at all was committed by another handle since: a poll that costs
 * microseconds. Ask for changes, stats and shots only when it has moved (or after a write of your own). */
guint fl_store_pulse (FlStore *store);

/* All control records that changed after `since` (0: all there are, without tombstones), in order of revision, each
 * once, as it is now; *revision becomes the newest revision seen. GPtrArray of FlChange, which frees them.
 * Removals come as tombstones. One consistent snapshot. */
GPtrArray *fl_store_changes (FlStore *store, gint64 since, gint64 *revision, GError **error);

/* --- control records: insert with id 0, else update. On success id and revision are filled in --- */

/* Strings may be NULL for "". Saving a record that somebody has removed is FL_ERROR_MISSING; a second record of the same
 * name (or identity, or number) FL_ERROR_INPUT; so is another parameter set in a trial or block that has jobs. */
gboolean fl_store_save (FlStore *store, FlTable table, gpointer record, GError **error);
/* Removing a tag or a run takes its run_tags along, a site its roots and workers, a dataset its steps; what is still used elsewhere is FL_ERROR_INPUT. */
gboolean fl_store_remove (FlStore *store, FlTable table, gint64 id, GError **error);
gpointer fl_store_get (FlStore *store, FlTable table, gint64 id,
                       GError **error);                                   /* NULL with FL_ERROR_MISSING */
GPtrArray *fl_store_list (FlStore *store, FlTable table, GError **error); /* by id; frees its records */
/* The record of that name (tables with one: all but run_tag, dataset_version, dataset_task, version_job, site_root, job, attempt). NULL without error when
 * there is none. */
gpointer fl_store_find (FlStore *store, FlTable table, const char *name, GError **error);
/* Finds the job of that identity; else makes it (planned), with root and path as given. *made tells, may be NULL. */
FlJob *fl_store_ensure_job (FlStore *store, const FlJob *identity, gboolean *made, GError **error);
/* Changes one column of one record, whatever happens to the others meanwhile (a comment, while the run finder counts
 * bytes). The column's name is the struct's field's (a site's user: user_name). */
gboolean fl_store_set_text (FlStore *store, FlTable table, gint64 id, const char *column, const char *value,
                            GError **error);
gboolean fl_store_set_int (FlStore *store, FlTable table, gint64 id, const char *column, gint64 value,
                           GError **error);
/* What a person may ask of a job, without overwriting what the conductor writes at the same time: */
gboolean fl_store_want_stop (FlStore *store, gint64 job, GError **error);
gboolean fl_store_want_retry (FlStore *store, gint64 job, GError **error);

/* A job's attempts, by number. Frees its records. */
GPtrArray *fl_store_list_attempts (FlStore *store, gint64 job, GError **error);

/* Absolute path of (root, relative path). NULL with FL_ERROR_MISSING when there is no such root. */
char *fl_store_resolve (FlStore *store, const char *root, const char *path, GError **error);
/* The same at a site, which may keep the root elsewhere (FlSiteRoot). */
char *fl_store_resolve_at (FlStore *store, gint64 site, const char *root, const char *path, GError **error);
/* Absolute path here of an attempt's folder (of a far site: its mirror): journals, results, script, stdout, stderr. */
char *fl_store_attempt_folder (FlStore *store, gint64 attempt, GError **error);

/* --- journals --- */

/* Appends a frame's batch as a slice, keyed (attempt, writer, sequence): sending it twice does no harm, before or after
 * compaction (*inserted tells, may be NULL). Shot frames are opened and summed up; frames of other kinds are kept packed;
 * FL_KIND_SPOT, _REFLECTION and _SCHEMA are not kept (results are beside the journal). A frame that is not a whole batch is
 * FL_ERROR_INPUT and leaves the store as it was. */
gboolean fl_store_add_slice (FlStore *store, gint64 attempt, guint32 writer, guint64 sequence, int kind,
                             gconstpointer payload, gsize length, gboolean *inserted, GError **error);
/* Brackets many calls in one transaction (all of them or none). After an error inside: fl_store_rollback. */
gboolean fl_store_begin (FlStore *store, GError **error);
gboolean fl_store_commit (FlStore *store, GError **error);
void fl_store_rollback (FlStore *store);

/* Slices with row > `after`, oldest first, at most `limit` (0 = all), of a kind other than FL_KIND_SHOT, of one job or of
 * all (job 0). GPtrArray of FlSlice, which frees them. */
GPtrArray *fl_store_slices (FlStore *store, int kind, gint64 job, gint64 after, guint limit, GError **error);

/* --- leases --- */

/* Takes or renews the named lease for `seconds`; *fencing is the number that the holder's writes carry. FALSE without
 * error when somebody else holds it (*holder then names them). */
gboolean fl_store_lease (FlStore *store, const char *name, const char *who, guint seconds, gint64 *fencing,
                         char **holder, GError **error);
gboolean fl_store_release (FlStore *store, const char *name, const char *who, GError **error);
/* Who holds it now; NULL without error when nobody does. */
char *fl_store_lease_holder (FlStore *store, const char *name, GError **error);
/* From now on every transaction of this handle fails with FL_ERROR_BUSY once the lease has another fencing number. */
void fl_store_fence (FlStore *store, const char *name, gint64 fencing);
