/* scaling.h: scale, B factor, width of partiality and orientation of each lattice, against a reference.
 *
 * Least squares of I_obs − G e^(−B/2d²) p(ε, w) I_ref over a lattice's observations, all alike but for outliers (Huber's weights on
 * the residuals' own spread): counting errors are no weights, for they favour what was by chance weak. p = 1/(1 + (ε/w)²). Damped
 * Gauss and Newton with analytic derivatives; Gaussian priors keep what the data do not determine where it starts.
 * Lattices do not see each other: no call here is collective. */
#pragma once

#include "engine/merge/merge.h"
#include "engine/merge/unique.h"

typedef struct
{
  gboolean b, width, rotation; /* which are refined beside the scale */
  double width_factor;         /* where w starts: so many half-widths of the lattice's own model; 0 = 0.7 */
  double b_sigma;              /* Å², of the prior about 0; 0 = 50 */
  double width_sigma;          /* of ln w, about its start; 0 = 0.3 */
  double rotation_sigma;       /* rad, about 0; 0 = 0.001 */
  double min_cc;               /* −1: none is rejected for it */
  double most_b;               /* |B| beyond is out of range, Å²; 0 = 150 */
  double most_scale;           /* times more or less than the median of its rank's; 0: any */
} FlScalingOptions;

/* Before there is a reference: scale 1, B 0, no rotation, width from the lattice's domain size and mosaicity. `factor` as above;
 * negative: no partiality (width 0 means p = 1). */
void fl_merge_scale_start (FlMergeSet *set, double factor);
/* One cycle. Fills scale, b, width, rotation, correlation, common; sets and lifts the reasons FEW_COMMON, CORRELATION, SCALE and
 * DIVERGED. */
void fl_merge_scale (FlMergeSet *set, const FlUniqueList *list, const FlMergeReference *reference,
                     const FlScalingOptions *options);
