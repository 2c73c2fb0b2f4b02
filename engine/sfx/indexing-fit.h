/* indexing-fit.h: an orientation of a known cell, fitted to the spots of a shot, and how much the spots speak for it.
 *
 * Model: a spot is, with probability `share`, a lattice point with Gaussian error, of standard deviation `along` in the
 * direction of the Ewald sphere's normal (the excitation error of a still) and `across` in the two others (position on the
 * detector); else it lies anywhere, uniformly. Orientation, cell and the three numbers are found by expectation
 * maximisation (Dempster, Laird and Rubin 1977), the cell held softly to the known one. `evidence` is the logarithm of
 * the likelihood ratio against all spots lying anywhere. Thread: any. */
#pragma once

#include "engine/sfx/indexing-spots.h"

typedef struct
{
  FlMat3 real;          /* primitive basis, laboratory; as FlIndexCell.real */
  double along, across; /* 1/Å */
  double share;         /* 0–1 */
  double evidence;      /* nats */
} FlLatticeFit;

/* Turns and scales `real`, by least squares in shrinking windows. Returns a score to rank orientations by. */
double fl_lattice_turn (const FlIndexCell *cell, const FlIndexSpot *spots, guint n, FlMat3 *real);

/* The whole fit from fit->real; obeys the lattice type's constraints at the end. FALSE: the cell collapsed. */
gboolean fl_lattice_fit (const FlIndexCell *cell, const FlIndexSpot *spots, guint n, FlLatticeFit *fit);

/* Probability that a spot belongs to the lattice. `off` (may be NULL): 1/Å from the nearest lattice point. */
double fl_lattice_belongs (const FlIndexCell *cell, const FlLatticeFit *fit, const FlIndexSpot *spot,
                           double *off);
