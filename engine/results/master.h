/* master.h: `spots.h5` in the job's folder, which joins all sealed segments of all attempts.
 *
 *   /shots/COLUMN              every shot once (its latest attempt), sorted by (source, frame): real data, the same
 *                              whatever the number of ranks
 *   /shots/first_spot, n_spots and so on (segment.h)   point into the tables
 *   /spots/COLUMN, /lattices/COLUMN, /reflections/COLUMN   virtual datasets over the segments
 *   /sources/COLUMN            the files
 *   attributes: format "firstlight spots master", version 1, attempt (the newest that it covers), engine
 *
 * Thread: one (rank 0 of the attempt that finishes the job). */
#pragma once

#include "engine/base/batch.h"

/* Seals what is left in journals of attempts that died (into `attempt_dir`, of attempt number `attempt`), in pieces of
 * `segment_shots`. */
gboolean fl_master_seal_leftovers (const char *job_dir, guint attempt, guint segment_shots, GError **error);
gboolean fl_master_write (const char *job_dir, guint attempt, const FlBatch *sources, GError **error);
char *fl_master_path (const char *job_dir);
