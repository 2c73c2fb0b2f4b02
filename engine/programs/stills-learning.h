/* stills-learning.h: the learning pass of a job: from some hits, chosen by content, the cell (when nobody has told it),
 * the mosaic model that steadies single lattices, and the profiles of spots.
 *
 * Shots are taken in the order of a hash of their ids until enough of them are hits, so that the choice depends on
 * nothing but the shots; what is found is kept in `JOB/learning-0001/` and is the same for all attempts of
 * the job and any number of ranks. Collective. */
#pragma once

#include "engine/programs/stills-learned.h"
#include "engine/programs/stills-rank.h"

/* `shots`, `suspects` (at rank 0): FlShotRef of those that may be learned from; suspects were in flight when an earlier
 * attempt died. On success the rank is ready to index as far as
 * `until`. *stopped: asked to stop meanwhile; then nothing is kept. */
gboolean fl_stills_learn (FlParallel *parallel, FlStillsRank *rank, const FlParams *params,
                          const GPtrArray *inputs, const GArray *shots, const GArray *suspects,
                          const char *job_dir, guint attempt, FlUntil until, FlLearned *learned,
                          gboolean *stopped, GError **error);
