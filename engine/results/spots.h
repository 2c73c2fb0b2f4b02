/* spots.h: what a job found in its shots – sealed HDF5 segments and the virtual master that joins them.
 *
 * A job's folder (--out) holds `attempt-NNNN/` folders. A rank's spots, lattices and reflections go to the journal in
 * the same write as their shots (engine/base/journal.h), so that every journalled shot's can be read at once; every N
 * shots they are sealed into `attempt-NNNN/spots-RANK-NNNN.h5`, a closed file that anyone can open; at the end
 * `spots.h5` in the job's folder joins the segments by virtual datasets, with an index sorted by (source, frame), the
 * same whatever the number of ranks. What a killed attempt left only in its journal is sealed by the attempt that
 * finishes the job. */
#pragma once

#include <glib.h>

#include "engine/results/part.h"

/* The spots of one shot: GArray of FlSpotRow, in the finder's order; its lattices: of FlLatticeRow, by number; their
 * reflections: of FlReflectionRow, lattice by lattice. Empty when it has none. Looks in the master and in the journals
 * of attempts newer than it; the newest attempt that has the shot wins. What was read of a job (where each shot lies)
 * is remembered, so that the next question costs milliseconds while the job runs on. FL_ERROR_MISSING when no attempt
 * has it. `shot_row` (may be NULL) gets the shot's own row (message is owned by the caller: g_free). Thread: any. */
GArray *fl_results_spots (const char *job_dir, guint64 shot, FlShotRow *shot_row, GError **error);
GArray *fl_results_lattices (const char *job_dir, guint64 shot, FlShotRow *shot_row, GError **error);
GArray *fl_results_reflections (const char *job_dir, guint64 shot, FlShotRow *shot_row, GError **error);

typedef struct
{
  guint64 id;
  guint32 source, frame;
} FlResultsShot;

/* All shots of a job, each once, by (source, frame): GArray of FlResultsShot. Empty when there are none. */
GArray *fl_results_list (const char *job_dir);
/* All rows of `n` shots, in their order; for going through many (a few hundred at a time) tens of times faster than one by
 * one. */
FlShotSet *fl_results_load (const char *job_dir, const FlResultsShot *shots, guint n, GError **error);
/* The files that the job reads (kind source). FL_ERROR_MISSING when the folder has no results. */
FlBatch *fl_results_sources (const char *job_dir, GError **error);
