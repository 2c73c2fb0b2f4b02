/* scaling-fit.h: one lattice against the reference (scaling.h). Thread: any. */
#pragma once

#include "engine/merge/scaling.h"

enum
{
  FL_SCALING_LN_G,
  FL_SCALING_B,
  FL_SCALING_LN_W, /* ln of what width and width_slope are multiplied by */
  FL_SCALING_X,    /* turns, rad */
  FL_SCALING_Y,
  FL_SCALING_LAST
};

/* What the fit needs of one observation. */
typedef struct
{
  const FlObservation *observation;
  double reference; /* full intensity */
  double d;         /* Å */
  double share;     /* fl_merge_share() */
} FlScalingRow;

/* G e^(−B/2d²) p I_ref, and its derivatives. */
double fl_scaling_model (const FlMergeLattice *lattice, const FlScalingRow *row,
                         double gradient[FL_SCALING_LAST]);
/* Refines the lattice's scale, b, width, rotation, from what they are; its scale is found from
 * the data. FALSE: went nowhere. */
gboolean fl_scaling_fit (FlMergeLattice *lattice, const FlScalingRow *rows, guint n,
                         const FlScalingOptions *options);
/* Correlation of what the full intensities would be with the reference, weighted by p². NaN: n < 3, or none. */
double fl_scaling_correlation (const FlMergeLattice *lattice, const FlScalingRow *rows, guint n);
