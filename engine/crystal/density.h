/* density.h: structure factors of many atoms by way of their density on a grid.
 *
 * Each atom is painted as its Gaussians, widened by a common B so that the grid, d_min/3 apart, shows them without aliasing; the
 * transform takes the widening back (Ten Eyck, Acta Cryst. A33, 486, 1977). Vector R against the direct sum 10⁻⁵. */
#pragma once

#include <complex.h>

#include "engine/crystal/pdb.h"

/* As fl_fourier_coefficients(), in electrons: the atoms of the asymmetric unit alone, without the symmetry. */
double complex *fl_density_transform (const FlModel *model, const int limits[3], double d_min);
