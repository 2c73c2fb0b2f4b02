/* refl-table.h: DIALS' reflection tables (.refl): named columns of equal length, in MessagePack.
 *
 * File: array of "dials::af::reflection_table", version 1, map { "identifiers": { int: text }, "nrows": int,
 * "data": { column: [type, [rows, bytes]] } }; numbers in the bytes are little-endian. Thread: one. */
#pragma once

#include <glib.h>

typedef struct FlReflTable FlReflTable;

/* NULL with FL_ERROR_INPUT when it is not a whole table; never trusts a count. */
FlReflTable *fl_refl_table_read (const char *path, GError **error);
FlReflTable *fl_refl_table_new (void);
void fl_refl_table_free (FlReflTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlReflTable, fl_refl_table_free)

guint64 fl_refl_table_rows (const FlReflTable *table);
/* Bytes of a column of exactly that type, `rows` × size of the type (not aligned); NULL: there is none. */
const guint8 *fl_refl_table_column (const FlReflTable *table, const char *name, const char *type);
/* Names of the columns of types that are known here; NULL behind the last one. */
const char *fl_refl_table_name (const FlReflTable *table, guint i);
/* Experiments that the table names. */
guint fl_refl_table_n_identifiers (const FlReflTable *table);
/* The experiment's identifier that rows with this `id` belong to; NULL when the table does not say. */
const char *fl_refl_table_identifier (const FlReflTable *table, gint64 id);

/* Appends to a column of a new table, which is made of the type at the first call. */
void fl_refl_table_append (FlReflTable *table, const char *name, const char *type, const void *values,
                           gsize bytes);
void fl_refl_table_identify (FlReflTable *table, gint64 id, const char *identifier);
/* All columns must be of the same number of rows; FL_ERROR_UNSUPPORTED when one is of 2 GB or more. */
gboolean fl_refl_table_write (const FlReflTable *table, const char *path, GError **error);
