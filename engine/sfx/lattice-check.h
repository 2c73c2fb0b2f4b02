/* lattice-check.h: is a lattice real? From what its spots say for it to a probability.
 *
 * The evidence of a fit (indexing-fit.h) weighs how many spots lie on the lattice, how near, and how much of reciprocal
 * space lies as near to a lattice point by chance: a lattice so fine that it explains everything gains nothing. An
 * indexer takes the best of very many orientations, so that spots without a crystal reach some evidence, too; what they
 * reach grows with the number of orientations that can be told apart. Thread: any. */
#pragma once

#include "engine/sfx/indexing-fit.h"

/* 0–1. `q_max`: the largest |q| (1/Å) among the n spots that the fit was made on. */
double fl_lattice_confidence (const FlIndexCell *cell, const FlLatticeFit *fit, guint n, double q_max);
