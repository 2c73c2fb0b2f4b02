/* scaling.h: scale, B factor, width of partiality and orientation of each lattice, against a reference.
 *
 * Least squares of I_obs − G e^(−B/2d²) p(ε, w) I_ref over a lattice's observations. A residual's variance is the lattice's median
 * counting variance plus a part of the model squared, for partialities are never better known than that; it is not the
 * observation's own counting error, which favours what was weak by chance. Huber's weights on the residuals' own spread.
 * p = 1/(1 + (ε/w)²). A lattice is fitted to what the others make of the reference: its own observations, which agree with it
 * whatever its parameters, are taken out. Gauss and Newton's method, damped (Levenberg 1944, Marquardt 1963), with analytic derivatives; Gaussian priors
 * keep what the data do not determine where it starts. */
#pragma once

#include "engine/merge/merge.h"
#include "engine/merge/unique.h"

typedef struct
{
  gboolean b, width, rotation; /* which are refined beside the scale */
  double b_sigma;              /* Å², of the prior about 0; 0 = 20 */
  double
      width_centre; /* width + width_slope that ln w is drawn to; 0: what it is. fl_merge_scale() fills it */
  double width_sigma;    /* of ln w; 0 = 0.6 */
  double rotation_sigma; /* rad, about 0; 0 = 0.001 */
  gboolean fall_known;   /* the reference comes from outside: B is the difference to its fall-off and stays */
  double min_cc;         /* −1: none is rejected for it */
  double most_b;         /* |B| beyond is out of range, Å²; 0 = 150 */
  double most_scale;     /* so many times more or less than the median is; 0 = 1000 */
} FlScalingOptions;

/* Before there is a reference: scale 1, B 0, no rotation; w = factor (1/D + η/2d), of the medians of domain size D and mosaicity η:
 * a single still's own are too uncertain to start from; lattices stay drawn to it. Factor 0: no partiality (width 0 means p = 1).
 * Collective. */
void fl_merge_scale_start (FlMergeSet *set, double factor);
/* One cycle, collective. Fills scale (its median becomes 1), b (its median 0, unless
 * fall_known), width, rotation, correlation, common; sets and lifts
 * the reasons FEW_COMMON, CORRELATION, SCALE and DIVERGED. A reference with weights must have been merged from this set as it is. */
void fl_merge_scale (FlMergeSet *set, const FlUniqueList *list, const FlMergeReference *reference,
                     const FlScalingOptions *options);
