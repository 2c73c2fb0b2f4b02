/* alignment.h: the motion that lays one particle upon another.
 *
 * Rotations are found with intensities without their radial means, every shell scaled to variance 1: all rotations of a
 * refined 600-cell at low resolution, the best of them followed to s_high. Thread: one. */
#pragma once

#include "engine/spi/resample.h"

typedef struct
{
  double s_low, s_high; /* Å⁻¹: what is compared */
  double diameter;      /* Å, of the particle */
} FlAlignmentRange;

typedef struct
{
  FlMotion motion;    /* moves b onto a */
  double correlation; /* in the range, every shell scaled to variance 1 */
} FlAlignment;

/* Autocorrelations, or anything else whose transform is real: a rotation alone. Both of the same m and voxel. */
gboolean fl_align_autocorrelations (const FlVolume *a, const FlVolume *b, const FlAlignmentRange *range,
                                    FlAlignment *alignment, GError **error);
/* Densities: rotation, shift and hand. Both of the same m and voxel. */
gboolean fl_align_densities (const FlVolume *a, const FlVolume *b, const FlAlignmentRange *range,
                             FlAlignment *alignment, GError **error);
