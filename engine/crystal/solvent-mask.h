/* solvent-mask.h: where the solvent is, and its Fourier transform. Internal to crystal/. */
#pragma once

#include <complex.h>

#include "engine/crystal/pdb.h"

/* [2 limits[0] + 1][2 limits[1] + 1][limits[2] + 1] (l ≥ 0): ∫ over one cell of mask · exp(2πi h·x), in Å³. Free with
 * g_free. */
double complex *fl_solvent_transform (const FlModel *model, const int limits[3], double d_min);
