/* indexing-pairs.h: orientations from pairs of low-order spots, for shots with few.
 *
 * Two spots whose lengths and angle are those of two lattice vectors fix the orientation; each such pair is a guess, scored
 * by how many spots it explains. The idea of DIALS' low_res_spot_match, with all pairs. Thread: any. */
#pragma once

#include "engine/sfx/indexing-search.h"

/* The best orientations, best first, at most `most`. Cost grows with the spots: for n up to some dozens. */
guint fl_index_pairs (const FlIndexCell *cell, const FlIndexSpot *spots, guint n, FlOrientation *best,
                      guint most);
