/* walk.h: goes through a journal shot batch by shot batch, knowing where each batch's spots lie.
 *
 * Can be asked again when the journal has grown. Spots are loaded only when wanted. Thread: one. */
#pragma once

#include "engine/base/batch.h"

typedef struct
{
  FlBatch *shots;    /* of the walk, until the next step */
  guint64 shots_at;  /* where its frame begins in the file */
  guint64 spots_at;  /* frame of the spots written with them; 0 with spots_bytes 0: they have none */
  gsize spots_bytes; /* header and payload */
  gsize shots_bytes;
} FlWalkStep;

typedef struct FlWalk FlWalk;

FlWalk *fl_walk_open (const char *journal, GError **error);
void fl_walk_free (FlWalk *walk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlWalk, fl_walk_free)
const char *fl_walk_path (const FlWalk *walk);
guint64 fl_walk_skipped (const FlWalk *walk); /* damaged bytes so far */
/* FALSE without error: no more at present. Damaged frames are stepped over, and so are shots whose
 * spots are damaged: they count as not written. */
gboolean fl_walk_next (FlWalk *walk, FlWalkStep *step, GError **error);

/* The batch of the frame that begins at `at`. */
FlBatch *fl_walk_load (const char *journal, guint64 at, gsize bytes, GError **error);

/* The rows first … first + n − 1 of a spot batch that belong to `shot`; spots of a shot lie together. */
void fl_walk_find (const FlBatch *spots, guint64 shot, guint *first, guint *n);
