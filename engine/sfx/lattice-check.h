/* lattice-check.h: is a lattice real? From what its spots say for it to a probability.
 *
 * The evidence of a fit (indexing-fit.h) weighs how many spots lie on the lattice, how near, and how much of reciprocal
 * space lies as near to a lattice point by chance: a lattice so fine that it explains everything gains nothing. Taken is
 * the best of very many orientations, so that spots without a crystal reach some evidence, too: about the logarithm of
 * the number of orientations that can be told apart. The more spots a lattice leaves unexplained, the more evidence it
 * needs. Thread: any. */
#pragma once

#include "engine/sfx/indexing-fit.h"

/* 0–1: a logistic function, its coefficients fitted to simulated shots of two cells (6 to 30 spots, half of them noise) and
 * to spots without a crystal (uniform, rings, shuffled azimuths), the latter counting for more than their part.
 * `q_max`: the largest |q| (1/Å) among the n spots that the fit was made on. `found`: lattices that the shot has already;
 * one more is less to be expected among what they left. */
double fl_lattice_confidence (const FlIndexCell *cell, const FlLatticeFit *fit, guint n, double q_max,
                              guint found);
