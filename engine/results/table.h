/* table.h: a batch as an HDF5 group, one dataset a column, so that anything that reads HDF5 reads our results.
 *
 * Column NAME of kind "spot" is the 1-D dataset GROUP/NAME in its own type (texts: variable-length UTF-8) with the
 * attribute `unit`. Errors are FL_ERROR_FAILED (writing) and FL_ERROR_INPUT (reading), without the file's name: the
 * caller puts it in front. Thread: any one at a time (HDF5 has one lock). */
#pragma once

#include <hdf5.h>

#include "engine/base/batch.h"

/* HDF5 reports through its return values from now on, not on stderr; for the calling thread. */
void fl_hdf5_quiet (void);

/* HDF5's memory type of a column, not to be closed; texts: a new type each time, to be closed. */
hid_t fl_column_hdf5_type (FlColumnType type);

gboolean fl_table_write (hid_t parent, const char *group, const FlBatch *batch, GError **error);
/* One more column of a group that is there. */
gboolean fl_table_write_u64 (hid_t parent, const char *dataset, const guint64 *values, gsize n,
                             GError **error);
/* A column that lies in other files. */
gboolean fl_column_write_unit (hid_t dataset, const char *unit);

/* Rows of the group's first column; -1 with error. */
gint64 fl_table_rows (hid_t parent, const char *group, FlKind kind, GError **error);
/* Rows first … first + n − 1; columns that are absent are zero. */
FlBatch *fl_table_read (hid_t parent, const char *group, FlKind kind, guint64 first, gsize n, GError **error);
guint64 *fl_table_read_u64 (hid_t parent, const char *dataset, guint64 first, gsize n, GError **error);

gboolean fl_attribute_write_u64 (hid_t object, const char *name, guint64 value);
gboolean fl_attribute_write_text (hid_t object, const char *name, const char *value);
gboolean fl_attribute_read_u64 (hid_t object, const char *name, guint64 *value);

/* Files appear whole or not at all: write to the temporary path, close it, then seal it (fsync, rename). */
char *fl_seal_begin (const char *path);
gboolean fl_seal (const char *temporary, const char *path, GError **error);
