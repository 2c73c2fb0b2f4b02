/* segment.h: a closed HDF5 file with some shots and all that belongs to them.
 *
 *   /shots/COLUMN   one row a shot (batch.h, kind shot)
 *   /spots/COLUMN, /lattices/COLUMN, /reflections/COLUMN   one row a spot, a lattice, a reflection
 *   /shots/first_spot, n_spots, first_lattice, n_lattices, first_reflection, n_reflections   u64: which rows of those
 *                   tables are the shot's; a lattice's reflections are those with its number, in one run
 *   attributes: format "firstlight spots", version 1, attempt (whose shots these are), engine
 *
 * Older files lack tables, and columns of counts: then the shot's own row says how many spots there are. Thread: any
 * one at a time. */
#pragma once

#include "engine/results/part.h"

/* The shots of a segment, or of the master, and where in its tables their parts lie. */
typedef struct
{
  FlBatch *shots;
  guint64 *first[FL_PART_LAST], *count[FL_PART_LAST]; /* one a shot */
  guint64 rows[FL_PART_LAST];                         /* of the whole tables */
  guint attempt;
} FlShotIndex;

void fl_shot_index_clear (FlShotIndex *index);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FlShotIndex, fl_shot_index_clear)

/* All rows of a part of the first shot, then of the second … Written under another name, flushed, then renamed. */
gboolean fl_segment_write (const char *path, guint attempt, const FlShotSet *set, GError **error);
gboolean fl_segment_read_index (const char *path, FlShotIndex *index, GError **error);
/* Of all attempts of a job, as paths relative to its folder, sorted. */
GPtrArray *fl_segment_list (const char *job_dir);
