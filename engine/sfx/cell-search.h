/* cell-search.h: the cell when nobody knows it.
 *
 * One shot: 1-D Fourier transforms of the spots projected on directions (Steller, Bolotovsky and Rossmann 1997; Duisenberg
 * 1992) give candidate real-space vectors, triples of them candidate cells (primitive, reduced). They are judged by a
 * likelihood ratio per spot, in which a larger cell pays for its denser points. Confidence is calibrated on lists without a
 * crystal: 300 of 16–300 spots, uniform, on rings, crowded and in clusters, stay below 0.5. It says that there is such a
 * lattice; of a large cell seen by few-celled crystals the axis along the beam may still be wrong in one shot.
 *
 * Many shots: candidates of single shots are clustered (consensus), the most popular cell is brought to its conventional
 * setting and refined over the members. Deterministic; independent of the order of spots and of shots, and of the device.
 * Thread: a search belongs to one. */
#pragma once

#include "engine/base/params.h"
#include "engine/crystal/lattice.h"
#include "kernels/device.h"

typedef struct
{
  FlMat3 star; /* rows a*, b*, c*, 1/Å, laboratory; primitive, reduced */
  guint n_explained;
  double fraction;   /* of the spots */
  double confidence; /* 0–1 */
} FlCellCandidate;

typedef struct FlCellSearch FlCellSearch;

/* Parameters of the stage "index". `device` is borrowed. */
FlCellSearch *fl_cell_search_new (const FlParams *params, FlkDevice *device, GError **error);
void fl_cell_search_free (FlCellSearch *search);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlCellSearch, fl_cell_search_free)

/* Candidates of one shot, best first, at most `most`; G_MAXUINT with error. Arguments as in indexing.h. Fewer spots than
 * indexing.min_spots: none; of more than indexing.max_spots the strongest are used. */
guint fl_cell_search_shot (FlCellSearch *search, const FlVec3 *q, const float *intensity, guint n,
                           FlCellCandidate *candidates, guint most, GError **error);

/* What a learning pass proposes. */
typedef struct
{
  FlKnownCell cell; /* conventional, refined over the members */
  double spread[6]; /* standard deviations of a, b, c (Å), angles (rad) over the members */
  guint members;    /* shots whose candidates it took */
  guint shots;      /* shots that had candidates */
  double confidence;
} FlCellProposal;

/* `candidates`: those of shot i, best first, at [first[i], first[i + 1]); `first`: [n_shots + 1]. FlCellProposal, the best
 * first, at most `most`; lattices related to a better proposal (sub- and superlattices up to index 4) are left out. */
GArray *fl_cell_consensus (const FlCellCandidate *candidates, const guint *first, guint n_shots, guint most);
