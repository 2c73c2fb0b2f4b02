/* synthesis.h: maps from Fourier coefficients, ρ(x) = 1/V Σ F(h) exp(−2πi h·x). Thread: any. */
#pragma once

#include "engine/crystal/ccp4-map.h"
#include "engine/maps/reflections.h"

/* Points along the axes, `rate` or more a d_min, that obey the symmetry and that fl_fourier_size() likes. */
void fl_synthesis_grid (const FlCell *cell, const FlSymmetry *symmetry, double d_min, double rate,
                        int sampling[3]);
/* The whole cell, in the coefficients' units a Å³, without F(000): the mean is 0. `sampling` as fl_synthesis_grid() makes it. */
FlMap *fl_synthesis_new (const FlReflections *reflections, const double complex *coefficients,
                         const int sampling[3]);
