/* made-spots.h: spots of crystals that were never measured, and spots without a crystal, for tests of indexing. */
#pragma once

#include <glib.h>

#include "engine/base/hash.h"
#include "engine/crystal/lattice.h"

#define MADE_WAVELENGTH 1.3 /* Å */

/* A known cell from lengths and angles in degrees; type tetragonal or hexagonal by gamma. */
FlKnownCell made_cell (double a, double b, double c, double alpha, double beta, double gamma,
                       FlLatticeType type);

/* A random orientation: rows a*, b*, c* in the laboratory. */
FlMat3 made_star (const FlKnownCell *known, FlRandom *random);

/* Adds the still's spots (FlVec3 on the Ewald sphere, in random order) of a lattice with excitation errors of `along` and
 * positions wrong by `across` (1/Å, standard deviations), up to |q| = q_max, at most `most`. */
void made_still (GArray *q, const FlMat3 *star, double q_max, double along, double across, guint most,
                 FlRandom *random);

/* Adds n spots anywhere on the detector. */
void made_noise (GArray *q, guint n, double q_max, FlRandom *random);

/* Spots without a crystal: uniform, on six rings, those of `like` at other azimuths, crowded round the beam. */
enum
{
  MADE_FORCED_KINDS = 4
};
void made_forced (GArray *q, guint kind, guint n, const FlVec3 *like, guint n_like, FlRandom *random);
