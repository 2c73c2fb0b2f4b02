/* geometry-sums.h: the normal equations of many lattices and one detector. A lattice's own parameters are eliminated as soon
 * as its spots are in (the Schur complement of its block), so that only the panels' motions remain: six a panel, dense.
 * Lattices are added in a fixed order, so that the sums are always the same. Thread: one. */
#pragma once

#include "engine/sfx/geometry-levels.h"
#include "engine/sfx/refinement-model.h"

/* One spot's residuals (fs, ss in px, excitation in 1/Å), their weights, and their gradients in the lattice's parameters and
 * in the motion of its panel. */
typedef struct
{
  guint panel;
  double residual[3], weight[3];
  double of_lattice[3][FL_REFINEMENT_MOST];
  double of_panel[2][FL_GEOMETRY_AXES];
} FlGeometryRow;

typedef struct
{
  guint n_panels, size; /* size: 6 n_panels */
  double *matrix;       /* size × size, lower triangle */
  double *right;
} FlGeometrySums;

FlGeometrySums *fl_geometry_sums_new (guint n_panels);
void fl_geometry_sums_free (FlGeometrySums *sums);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlGeometrySums, fl_geometry_sums_free)
void fl_geometry_sums_clear (FlGeometrySums *sums);

/* Adds a lattice of n parameters; `prior` and `pull` (n each): what its restraints add to the normal matrix and the right
 * side. `damping` raises its own block (relative). FALSE: its parameters are not determined; nothing was added. */
gboolean fl_geometry_sums_add (FlGeometrySums *sums, const FlGeometryRow *rows, guint n_rows, guint n,
                               const double *prior, const double *pull, double damping);
/* That lattice's own step when the panels move by `motion` (6 a panel; NULL: not). */
gboolean fl_geometry_lattice_step (const FlGeometryRow *rows, guint n_rows, guint n, const double *prior,
                                   const double *pull, double damping, const double *motion, double *step);

/* The step of the levels' parameters, which have come `gone` so far (their restraints pull back), and `motion`, what it does
 * to the panels. FALSE: not positive definite. */
gboolean fl_geometry_sums_solve (const FlGeometrySums *sums, const FlGeometryLevels *levels,
                                 const double *gone, double damping, double *step, double *motion);
