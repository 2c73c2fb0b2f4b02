/* partiality.h: how much of a reflection a still has seen. */
#pragma once

#include "engine/merge/merge.h"
#include "engine/merge/unique.h"

/* Where the reflection is in reciprocal space, 1/Å, the lattice not turned. */
FlVec3 fl_merge_q (const FlMergeLattice *lattice, const FlObservation *observation);
/* Excitation error, 1/Å, after the lattice's small turn. `slope` (may be NULL): its derivatives by the turns about x and y, 1/Å a
 * rad; about the beam there is none. */
double fl_merge_excitation (const FlMergeLattice *lattice, const FlObservation *observation, double slope[2]);
/* p = 1/(1 + (ε/w)²) with w = width + width_slope/2d; 1 where w is 0. */
double fl_merge_partiality (const FlMergeLattice *lattice, double excitation, double d);

#define FL_PARTIALITY_LEAST 0.001 /* less takes no part */

/* How much an observation counts: nothing at FL_PARTIALITY_LEAST, wholly from twice that on, and smoothly between. At an edge, a
 * turn by a hair would change what there is to agree with. */
double fl_merge_share (double partiality);

/* The observation on the common scale. FALSE: it takes no part (lattice rejected, no unique reflection, not integrated, saturated,
 * too partial). `d`: Å. */
gboolean fl_merge_contribution (const FlMergeLattice *lattice, const FlObservation *observation, double d,
                                FlContribution *out);
