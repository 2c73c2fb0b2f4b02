/* stills-learned.h: what a learning pass has found, and its text: numbers as they are in memory, so that what is read back
 * is the same to the last bit. */
#pragma once

#include "engine/base/batch.h"
#include "engine/crystal/lattice.h"
#include "engine/sfx/mosaic.h"
#include "engine/sfx/profiles.h"

typedef struct
{
  gboolean has_cell; /* FALSE: not told and not found; nothing can be indexed */
  gboolean told;     /* by the parameters; else proposed by the pass */
  FlKnownCell cell;
  gboolean has_mosaic;
  FlMosaic mosaic;
  FlProfiles *profiles;          /* NULL: not learned */
  guint32 shots, hits, lattices; /* that were looked at; hits among them; of those, lattices */
  FlBatch *cells;                /* FlCellRow, the job's own first; rank 0, for its journal */
} FlLearned;

void fl_learned_clear (FlLearned *learned);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FlLearned, fl_learned_clear)

/* Everything but the profiles. */
char *fl_learned_write (const FlLearned *learned, guint attempt);
/* `path` is for the message. */
gboolean fl_learned_parse (const char *text, const char *path, FlLearned *learned, GError **error);
