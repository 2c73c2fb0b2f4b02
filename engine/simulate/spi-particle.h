/* spi-particle.h: the scattered amplitude of one molecule alone in the beam, anywhere in reciprocal space.
 *
 * F(s) = Σ occupancy · f(|s|) · exp(2πi s·r), s = (k_out − k_in)/λ in Å⁻¹ without 2π, electrons; atoms stand still
 * (no B factors) and the origin is the middle of their bounding box. Summed once on a grid of twice the molecule's
 * size by density.h, atoms weighted by the inverse transform of an exponential-of-semicircle kernel (Barnett,
 * Magland and af Klinteberg, SIAM J. Sci. Comput. 41, C479, 2019); that kernel, six points wide, then gives F
 * between the points, to 10⁻⁴ of its size thereabouts. Thread: any, once made. */
#pragma once

#include <complex.h>

#include "engine/simulate/spi-hydration.h"

typedef struct FlSpiParticle FlSpiParticle;

/* `s_most`: the largest |s| (Å⁻¹) that will be asked for. FL_ERROR_UNSUPPORTED when the grid would be absurd. */
FlSpiParticle *fl_spi_particle_new (const FlModel *model, FlHydration hydration, double s_most,
                                    GError **error);
void fl_spi_particle_free (FlSpiParticle *particle);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlSpiParticle, fl_spi_particle_free)

/* f[n] of the molecule turned by `rotation` about its origin: F(R⁻¹ s). 0 beyond s_most. */
void fl_spi_particle_amplitudes (const FlSpiParticle *particle, const FlMat3 *rotation, const FlVec3 *s,
                                 gsize n, float complex *f);
/* F(0), electrons. */
double fl_spi_particle_electrons (const FlSpiParticle *particle);
