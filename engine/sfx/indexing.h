/* indexing.h: spots → lattices, with a known cell.
 *
 * Directions × lengths, then rotation about the vector, as batched kernels (kernels/index-*.h), refined by robust least
 * squares; sparse patterns by matching low-order spots; several lattices a shot, one after the other over the spots left.
 * Every lattice is checked (fraction of spots explained against chance, volume of reciprocal space predicted, cell
 * tolerance) and carries a calibrated confidence. The same spots give the same lattices on every device and rank.
 * Thread: an indexer belongs to one. */
#pragma once

#include "engine/base/params.h"
#include "engine/crystal/lattice.h"
#include "kernels/device.h"

typedef struct
{
  FlMat3 star;       /* rows a*, b*, c*, 1/Å, laboratory; conventional, in the known cell's setting */
  guint n_explained; /* spots within tolerance of a lattice point */
  double fraction;   /* of the spots that it was offered */
  double confidence; /* 0–1 */
} FlIndexed;

typedef struct FlIndexer FlIndexer;

/* Parameters of the stage "index". `known` is copied. `device` is borrowed. */
FlIndexer *fl_indexer_new (const FlParams *params, const FlKnownCell *known, FlkDevice *device,
                           GError **error);
void fl_indexer_free (FlIndexer *indexer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlIndexer, fl_indexer_free)

/* `q`: [n] spots in 1/Å, laboratory frame, any order; `intensity`: [n] or NULL (which spots to prefer when there are many).
 * Returns the number of lattices, at most `most`, the surest first; 0 is no error. G_MAXUINT with error: the device. */
guint fl_indexer_index (FlIndexer *indexer, const FlVec3 *q, const float *intensity, guint n,
                        FlIndexed *lattices, guint most, GError **error);
