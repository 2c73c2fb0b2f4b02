/* copy.h: a whole store into another database, with nothing changed on the way: a beamtime moves from SQLite to MySQL and
 * back, or into an archive. Every table that there is, every row, ids and revisions and counters included; leases and
 * presences stay behind. Inside one snapshot of the source, so that it may be in use; a move should still be made while
 * nobody writes (the caller holds the conductor's lease). Thread: the stores'. */
#pragma once

#include "engine/store/store.h"

typedef void (*FlCopyFunc) (const char *table, guint64 rows, guint64 of, gpointer data);

/* `to` must hold no experiment yet; a copy that was killed on the way is known as such (counter "copying") and begun anew.
 * `func` (may be NULL) hears how far it is. */
gboolean fl_store_copy (FlStore *from, const FlDatabase *to, FlCopyFunc func, gpointer data, GError **error);
/* The same, but the counter stays until it is taken away: whoever is to be told of the copy is told before that. Until then
 * the same experiment may be copied there again. */
gboolean fl_store_copy_marked (FlStore *from, const FlDatabase *to, FlCopyFunc func, gpointer data,
                               GError **error);
gboolean fl_store_copy_unmark (const FlDatabase *to, GError **error);
/* Of the content, equal for equal content whatever the driver and the order in which it keeps rows. Text, 32 hex
 * digits; free it. */
char *fl_store_fingerprint (FlStore *store, GError **error);
