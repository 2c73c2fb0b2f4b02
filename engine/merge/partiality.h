/* partiality.h: how much of a reflection a still has seen. */
#pragma once

#include "engine/merge/merge.h"
#include "engine/merge/unique.h"

/* The observation on the common scale. FALSE: it takes no part (lattice rejected, no unique reflection, not integrated, saturated,
 * too partial). `d`: Å. */
gboolean fl_merge_contribution (const FlMergeLattice *lattice, const FlObservation *observation, double d,
                                FlContribution *out);
