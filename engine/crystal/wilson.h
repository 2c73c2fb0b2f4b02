/* wilson.h: intensities of a protein that nobody has solved: amplitudes drawn by Wilson's statistics (1949).
 *
 * Each class of equivalent reflections draws once, seeded by `seed` and its representative, so that the list does not
 * depend on order: acentric I ~ εΣ Exp(1), centric I ~ εΣ χ²₁, absences 0; Σ = Σ f² exp(−B/2d²) over the atoms that a
 * protein crystal of that volume holds (2.4 Å³/Da). Below 8 Å, where bulk solvent hides the protein, Σ falls off.
 * Friedel's law holds. */
#pragma once

#include "engine/crystal/intensities.h"
#include "engine/crystal/symmetry.h"

void fl_wilson_fill (FlIntensities *intensities, const FlSymmetry *symmetry, double b_factor, guint64 seed);
/* Σ at 1/d² (Å⁻²) for a cell of that volume (Å³): the mean of I/ε. */
double fl_wilson_level (double volume, double inverse_d_squared, double b_factor);
