/* polarisation.h: how much less a polarised beam scatters where it does (Kahn et al. 1982, J. Appl. Cryst. 15, 330). */
#pragma once

#include "engine/merge/merge.h"

/* P = ½ (1 + cos² 2θ) − ½ F cos 2φ sin² 2θ, φ from the horizontal x axis; F: 1 horizontal … −1 vertical. `q`: 1/Å, `k`: 1/λ. */
double fl_polarisation (FlVec3 q, double k, double fraction);
/* Divides intensities and their sigmas by it, once a set. 0: leaves them. */
void fl_merge_polarisation (FlMergeSet *set, double fraction);
