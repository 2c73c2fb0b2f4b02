/* refinement-model.h: where a lattice's spots should lie, and how that changes with its parameters (private to
 * refinement.c and its tests).
 *
 * Parameters, in this order: rotations about the laboratory's x, y, z (rad); the free entries of the reciprocal metric
 * under the lattice type's constraints, each relative to the known cell's (lengths count twice, angles about once); the
 * shift of the detector in x, y, and in z (mm). The lattice is strained without turning it: a change dM of the metric
 * moves q by E q, E = ½ Rᵀ dM R with R the real basis (rows), so that orientation and cell stay apart. */
#pragma once

#include "engine/base/batch.h"
#include "engine/crystal/lattice.h"
#include "engine/sfx/shot-geometry.h"

#define FL_REFINEMENT_MOST 12

typedef struct
{
  FlLatticeType type;
  gboolean beam, distance; /* refined? */
  guint n_cell, n;         /* parameters of the cell; in all */
  FlMat3 known;            /* reciprocal metric of the known cell */
  FlMat3 star;             /* obeys the constraints */
  FlVec3 shift;
  FlMat3 strain[6]; /* E of each parameter of the cell, for `star` */
} FlRefinementModel;

/* What a panel does to a ray; made once a spot. */
typedef struct
{
  FlVec3 origin, normal, per_fs,
      per_ss; /* mm; unit; 1/mm, so that fs = per_fs · (place on the panel − origin) */
} FlPanelFrame;

/* One spot's prediction, and how fs, ss (px) and the excitation error (1/Å) change with it. */
typedef struct
{
  FlVec3 q;
  double fs, ss, excitation;
  FlVec3 of_q[3], of_shift[2]; /* gradients in q and, of fs and ss alone, in the shift */
  double jacobian;             /* |∂(fs, ss, excitation)/∂q| */
} FlSpotModel;

FlPanelFrame fl_panel_frame (const FlPanel *panel);

/* `star` near the known cell, in its setting; it is made to obey the constraints. */
void fl_refinement_model_begin (FlRefinementModel *model, const FlKnownCell *known, const FlMat3 *star,
                                FlVec3 shift, gboolean beam, gboolean distance);
/* FALSE: the ray of q does not meet the panel's plane. `wavelength` in Å. */
gboolean fl_refinement_model_spot (const FlRefinementModel *model, const FlPanelFrame *frame,
                                   double wavelength, FlVec3 hkl, FlSpotModel *spot);
/* Gradients of fs, ss and the excitation error in the model's parameters. */
void fl_refinement_model_gradient (const FlRefinementModel *model, const FlSpotModel *spot,
                                   double gradient[3][FL_REFINEMENT_MOST]);
/* The model with its parameters changed by `delta`. */
FlRefinementModel fl_refinement_model_step (const FlRefinementModel *model, const double *delta);
/* The cell's parameters less the known cell's. */
void fl_refinement_model_cell (const FlRefinementModel *model, double *difference);
