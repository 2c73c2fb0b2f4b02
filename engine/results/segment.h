/* segment.h: a closed HDF5 file with some shots and their spots.
 *
 *   /shots/COLUMN   one row a shot (batch.h, kind shot)
 *   /shots/first_spot u64: the shot's first row in /spots; its others follow
 *   /spots/COLUMN   one row a spot
 *   attributes: format "firstlight spots", version 1, attempt (whose shots these are), engine
 *
 * Thread: any one at a time. */
#pragma once

#include "engine/base/batch.h"

/* `spots`: all rows of the first shot, then of the second … Written under another name, flushed, then renamed. */
gboolean fl_segment_write (const char *path, guint attempt, const FlBatch *shots, const FlBatch *spots,
                           GError **error);
/* The shots' rows, *first_spot (one a row) and the attempt; n_spots is the table's length. Outputs may be NULL. */
FlBatch *fl_segment_read_shots (const char *path, guint64 **first_spot, guint64 *n_spots, guint *attempt,
                                GError **error);
FlBatch *fl_segment_read_spots (const char *path, guint64 first, gsize n, GError **error);
/* Of all attempts of a job, as paths relative to its folder, sorted. */
GPtrArray *fl_segment_list (const char *job_dir);
