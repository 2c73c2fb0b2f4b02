/* walk.h: goes through a journal shot batch by shot batch, knowing where what belongs to each batch lies.
 *
 * Can be asked again when the journal has grown. Spots, lattices and reflections are loaded only when wanted.
 * Thread: one. */
#pragma once

#include "engine/results/part.h"

/* A frame of the journal; 0 bytes: there is none. */
typedef struct
{
  guint64 at;
  gsize bytes; /* header and payload */
} FlWalkFrame;

typedef struct
{
  FlBatch *shots;                  /* of the walk, until the next step */
  FlWalkFrame frame;               /* theirs */
  FlWalkFrame parts[FL_PART_LAST]; /* written with them */
} FlWalkStep;

typedef struct FlWalk FlWalk;

FlWalk *fl_walk_open (const char *journal, GError **error);
void fl_walk_free (FlWalk *walk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlWalk, fl_walk_free)
const char *fl_walk_path (const FlWalk *walk);
guint64 fl_walk_skipped (const FlWalk *walk); /* damaged bytes so far */
/* FALSE without error: no more at present. Damaged frames are stepped over, and so are shots of which a part is
 * damaged: they count as not written. */
gboolean fl_walk_next (FlWalk *walk, FlWalkStep *step, GError **error);

FlBatch *fl_walk_load (const char *journal, const FlWalkFrame *frame, GError **error);
