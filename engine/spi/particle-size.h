/* particle-size.h: how large the particle is, from patterns in unknown orientations.
 *
 * A pattern's Fourier transform is a projection of the particle's autocorrelation: nothing of it lies beyond the longest
 * dimension. Its square, without the photons' noise, is the transform of the correlation between pairs of photons, which
 * is summed over patterns, weighted by the square root of their mean's inverse, the mean's own pairs (beam stop, rim)
 * taken off. It falls to a hundredth of its maximum at 0.82 to 0.92 of the longest dimension of compact proteins (0.7 of rods);
 * the answer is that place times 1.24. */
#pragma once

#include "engine/parallel/parallel.h"
#include "engine/spi/patterns.h"

/* Collective. `mine`: this rank's patterns; of all of them a sample of at most some thousands is looked at. *diameter: Å, the
 * longest dimension of the particle, rather a little more than less; the same at all ranks, whatever their number.
 * FL_ERROR_INPUT (at all ranks): too few photons to tell. */
gboolean fl_particle_size (FlParallel *parallel, const FlPatterns *mine, double *diameter, GError **error);
