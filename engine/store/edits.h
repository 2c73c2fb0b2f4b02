/* edits.h: what the store's own files need of edits (people.h). Inside the store only. */
#pragma once

#include "engine/store/store-private.h"

/* Of a query of EDIT_COLUMNS, which is taken (NULL: with error, that gives NULL). GPtrArray of FlEdit, which frees them. */
GPtrArray *fl_edits_read (FlQuery *query, GError **error);

/* Edits of the person that the handle acts for, in the transaction of the change; nothing when there is none. */
gboolean fl_edit_wanted (const FlStore *store);
gboolean fl_edit_made (FlStore *store, FlTable table, gint64 id, gconstpointer record, GError **error);
gboolean fl_edit_removed (FlStore *store, FlTable table, gint64 id, GError **error); /* before it is */
gboolean fl_edit_changed (FlStore *store, FlTable table, gconstpointer before, gconstpointer after,
                          GError **error);
gboolean fl_edit_set (FlStore *store, FlTable table, gconstpointer before, const char *column,
                      const char *after, GError **error);

/* Inside a transaction: makes a record again with the id that it had; its parts are not looked at. */
gboolean fl_store_put_back (FlStore *store, FlTable table, gconstpointer record, GError **error);
