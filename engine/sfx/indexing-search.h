/* indexing-search.h: orientations of a known cell that a shot's spots suggest: directions, vectors, turns, on the device.
 *
 * A half sphere of directions is tried with the length of one vector of the cell; the best vectors are refined by least
 * squares; about each the cell is turned step by step (kernels/index-directions.h, index-vectors.h, index-rotations.h).
 * The grids are as fine as the spots demand: a step moves a spot of the middling |q| by a quarter of a plane. Symmetry of
 * the lattice shortens the turn. Thread: a search belongs to one. */
#pragma once

#include "engine/sfx/indexing-spots.h"
#include "kernels/device.h"

typedef struct
{
  FlMat3 real; /* primitive basis as FlIndexCell.real, turned into the laboratory */
  double score;
} FlOrientation;

typedef struct FlIndexSearch FlIndexSearch;

FlIndexSearch *fl_index_search_new (const FlIndexCell *cell, FlkDevice *device); /* both borrowed */
void fl_index_search_free (FlIndexSearch *search);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlIndexSearch, fl_index_search_free)

/* With vector `axis` of the cell (0: the shortest). The best orientations, best first, at most `most`; G_MAXUINT with
 * error. */
guint fl_index_search_run (FlIndexSearch *search, guint axis, const FlIndexSpot *spots, guint n,
                           FlOrientation *best, guint most, GError **error);
