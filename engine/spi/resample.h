/* resample.h: a density turned, shifted and mirrored: Fourier interpolation to half the voxel (frequencies beyond
 * 1 / (2 voxel) in any direction are cut off), then Keys' cubic convolution (IEEE Trans. ASSP 29, 1153, 1981). Thread: one. */
#pragma once

#include "engine/base/vec.h"
#include "engine/spi/volume.h"

/* Makes b(h R⁻¹ (x − shift)) of b(x). */
typedef struct
{
  FlQuat rotation;
  FlVec3 shift;  /* Å */
  gboolean hand; /* h = −1: mirrored through the origin */
} FlMotion;

typedef struct FlResampler FlResampler;

FlResampler *fl_resampler_new (const FlVolume *volume, GError **error);
void fl_resampler_free (FlResampler *resampler);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlResampler, fl_resampler_free)

/* Over `moved`, of any size and voxel; 0 where the volume has no values. */
void fl_resampler_move (const FlResampler *resampler, const FlMotion *motion, FlVolume *moved);
