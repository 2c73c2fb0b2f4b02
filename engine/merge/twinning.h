/* twinning.h: the L-test (Padilla and Yeates 2003): L = (I1 − I2)/(I1 + I2) of reflections that are near in reciprocal space.
 *
 * Acentric ones only, indices apart by even numbers, |Δh| + |Δk| + |Δl| ≤ 4, so that neither anisotropy nor translational
 * pseudosymmetry matters. Untwinned: ⟨|L|⟩ = ½, ⟨L²⟩ = ⅓; perfect twin: ⅜, 1/5. */
#pragma once

#include "engine/merge/merging.h"

typedef struct
{
  double abs, square; /* means; NaN without pairs */
  guint64 pairs;
} FlLTest;

/* Reflections with d_max ≥ d ≥ d_min and all of their neighbours. Choose a range where intensities are well measured, not
 * reflections: that would leave out the weak ones. Negative intensities count as 0. */
FlLTest fl_l_test (const FlMerged *merged, const FlUniqueList *list, double d_max, double d_min);
