/* indexing.h: spots → lattices, with a known cell.
 *
 * Directions × the length of a short vector of the cell, then turns about it, as kernels (kernels/index-*.h); shots with
 * few spots also by pairs of low-order spots (indexing-pairs.h). The best orientations are fitted with cell and errors by
 * expectation maximisation (indexing-fit.h); the cell's size is free to some 3 %, for the detector's distance may be wrong.
 * Several lattices a shot, one after the other over the spots left; spots near a found lattice's points and on the streaks
 * through them are set aside. Every lattice is checked and carries a calibrated confidence (lattice-check.h). The same
 * spots in any order give the same lattices on every device and rank.
 * Thread: an indexer belongs to one. */
#pragma once

#include "engine/base/params.h"
#include "engine/crystal/lattice.h"
#include "kernels/device.h"

typedef struct
{
  FlMat3 star;       /* rows a*, b*, c*, 1/Å, laboratory; conventional, in the known cell's setting */
  guint n_explained; /* spots that more probably lie on the lattice than not */
  double fraction;   /* of the spots that it was offered */
  double confidence; /* 0–1 */
} FlIndexed;

typedef struct FlIndexer FlIndexer;

/* Parameters of the stage "index". `known` is copied. `device` is borrowed and outlives the indexer. FL_ERROR_INPUT: a
 * cell without volume. */
FlIndexer *fl_indexer_new (const FlParams *params, const FlKnownCell *known, FlkDevice *device,
                           GError **error);
void fl_indexer_free (FlIndexer *indexer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlIndexer, fl_indexer_free)

/* `q`: [n] spots in 1/Å, laboratory frame, any order; `intensity`: [n] or NULL (which spots to prefer when there are many).
 * Returns the number of lattices, at most `most`, the surest first; 0 is no error. G_MAXUINT with error: the device. */
guint fl_indexer_index (FlIndexer *indexer, const FlVec3 *q, const float *intensity, guint n,
                        FlIndexed *lattices, guint most, GError **error);
