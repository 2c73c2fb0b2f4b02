/* shift.h: the shift and the hand between two densities by phase correlation. Of grids of one FlTransform; shifts in its
 * points. Thread: one. */
#pragma once

#include "engine/base/vec.h"
#include "engine/spi/transform.h"

typedef struct
{
  FlVec3 by;          /* a(x) ≈ b(h (x − by)) */
  gboolean hand;      /* h = −1 */
  double correlation; /* of what is compared */
} FlShift;

/* Leaves the frequencies of length `low` to `high` (1 / (n voxel)) in the transform's grid, every shell's mean |F|² 1. */
void fl_shift_whiten (FlTransform *transform, double low, double high);
/* Of whitened a and b, to half a point. The transform's grid is overwritten. */
FlShift fl_shift_find (FlTransform *transform, const float complex *a, const float complex *b);
/* To a hundredth of a point. */
void fl_shift_refine (const FlTransform *transform, const float complex *a, const float complex *b,
                      FlShift *shift);
