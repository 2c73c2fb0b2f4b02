/* cell-search.h: the cell when nobody knows it.
 *
 * One shot: 1-D Fourier transforms of the spots projected on directions (Steller, Bolotovsky and Rossmann 1997; Duisenberg
 * 1992) give candidate real-space vectors, triples of them candidate cells (primitive, Niggli-reduced), each with the spots
 * that it explains. Many shots: candidates of single shots are clustered (consensus), the most popular cell is brought to
 * its conventional setting and refined over the members. Deterministic; independent of the order of shots.
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

FlCellSearch *fl_cell_search_new (const FlParams *params, FlkDevice *device, GError **error);
void fl_cell_search_free (FlCellSearch *search);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlCellSearch, fl_cell_search_free)

/* Candidates of one shot, best first, at most `most`; G_MAXUINT with error. Arguments as in indexing.h. */
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

/* `shots`: [n_shots] ids, `candidates`: those of shot i at [first[i], first[i + 1]). Proposals, the best first. */
GArray *fl_cell_consensus (const FlCellCandidate *candidates, const guint *first, guint n_shots, guint most);
