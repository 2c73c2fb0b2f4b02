/* point-group.h: point groups of particles: Cn, Dn, T, O, I. Main axis (Dn: and a twofold one along x) along z; T, O and I with
 * twofold axes along x, y, z. Thread: any. */
#pragma once

#include "engine/spi/alignment.h"

typedef struct
{
  guint n;
  FlQuat *rotations; /* [n] the identity first */
  guint n_generators;
  FlQuat generators[3];
} FlPointGroup;

/* "C1", "c7", "D7", "T", "O", "I"; n up to 60. FL_ERROR_INPUT. */
FlPointGroup *fl_point_group_new (const char *name, GError **error);
void fl_point_group_free (FlPointGroup *group);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlPointGroup, fl_point_group_free)

/* Where an autocorrelation has the group: the rotation from the group's frame to the volume's, and the correlation of
 * intensities with their copies by the generators. FALSE: `error`. */
gboolean fl_point_group_find (const FlPointGroup *group, const FlVolume *autocorrelation,
                              const FlAlignmentRange *range, FlQuat *frame, double *correlation,
                              GError **error);
/* The mean over the group, in that frame. */
FlVolume *fl_point_group_mean (const FlPointGroup *group, FlQuat frame, const FlVolume *volume,
                               GError **error);
/* rad: the least angle between b and a · g over the group in its frame. */
double fl_point_group_angle (const FlPointGroup *group, FlQuat frame, FlQuat a, FlQuat b);
