/* indexing-fit-solve.h: the least squares inside indexing-fit.c. Thread: any. */
#pragma once

#include "engine/sfx/indexing-cell.h"

/* Of the map G → (1 + F) G that brings lattice points nearer to their spots: Σ w W ⊗ G Gᵀ (the unique elements xx xy xz yy yz
 * zz of both) and Σ w (W d) Gᵀ. */
typedef struct
{
  double matrix[6][6], right[3][3];
} FlFitNormal;

/* Adds a spot at g + d of weight `weight`, W = isotropic · 1 + extra · normal normalᵀ. */
void fl_fit_add (FlFitNormal *sums, FlVec3 g, FlVec3 d, double weight, double isotropic, double extra,
                 FlVec3 normal);

/* Changes `real` by the least-squares F; the deviation from the known cell (reciprocal basis `known`, any orientation)
 * counts with standard deviations `strain` (of its shape) and `scale` (of its size; both relative). 0: turned only. */
void fl_fit_step (const FlMat3 *known, const FlFitNormal *sums, double strain, double scale, FlMat3 *real);

/* Deviation of the lattice `real` from the known one, in squares of these. */
double fl_fit_strain (const FlMat3 *known, const FlMat3 *real, double strain, double scale);

/* Turns the rows of `real` by the small rotation vector (rad). */
void fl_fit_rotate (FlMat3 *real, FlVec3 rotation);
/* Solves for the symmetric matrix of which the upper half is given; zero when it is singular. */
FlVec3 fl_fit_solve3 (const FlMat3 *upper, FlVec3 right);
