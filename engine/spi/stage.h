/* stage.h: one stage of a reconstruction's schedule: how far out patterns are compared, in which orientations, on which grid.
 *
 * A particle of diameter D has speckles 1/D wide. A stage to c speckles uses |s| ≤ c/D, cells of about half of a speckle,
 * rotations that move its rim by about a speckle, and a grid of the autocorrelation that holds no more. Thread: one. */
#pragma once

#include "engine/spi/binning.h"
#include "engine/spi/radial.h"
#include "engine/spi/rotations.h"
#include "kernels/orient.h"

typedef struct
{
  double speckles; /* to the rim */
  guint fineness;  /* of the rotations */
  gboolean anneal; /* the assignment is sharpened from generation to generation */
  gboolean choose; /* the last stage that is gone through from several starts */
} FlSpiStagePlan;

/* All stages for a particle of this diameter and patterns to s_max; free with g_array_unref. FlSpiStagePlan. */
GArray *fl_stage_plans (double diameter, double s_max);

typedef struct
{
  double s_max;  /* Å⁻¹ */
  double radius; /* Å, of the ball that holds the autocorrelation */
  double voxel;  /* Å */
  guint m;       /* points a side of the autocorrelation, odd */
  FlBinning *binning;
  FlRotations *rotations;
  float *matrices; /* [rotations][9] */
  float *x;        /* [cells][3] turns a voxel */
  float *radial;   /* [cells] mean photons of factor 1 */
  float *
      weight; /* [cells] of a cell's misfit when models are fitted: between 1/radial, which is Poisson's, and 1 */
} FlSpiStage;

FlSpiStage *fl_stage_new (const FlSpiStagePlan *plan, double diameter, const FlPatternPixels *pixels,
                          const FlRadial *radial);
void fl_stage_free (FlSpiStage *stage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlSpiStage, fl_stage_free)
