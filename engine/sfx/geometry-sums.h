/* geometry-sums.h: the normal equations of many lattices and one detector. A lattice's own parameters are eliminated as soon
 * as its spots are in (the Schur complement of its block), so that only the panels' motions and the windows' shifts remain,
 * dense: of a panel's six those axes that the levels move at all, of a window three.
 * Lattices are added in a fixed order, so that the sums are always the same. Thread: one. */
#pragma once

#include "engine/sfx/geometry-levels.h"
#include "engine/sfx/refinement-model.h"

#define FL_GEOMETRY_WINDOW_AXES 3 /* x, y, z (mm) */

/* One spot's residuals (fs, ss in px, excitation in 1/Å), their weights, and their gradients in the lattice's parameters and
 * in the motion of its panel (of which the first three are those in the window's shift). */
typedef struct
{
  guint panel;
  double residual[3], weight[3];
  double of_lattice[3][FL_REFINEMENT_MOST];
  double of_panel[2][FL_GEOMETRY_AXES];
} FlGeometryRow;

/* A lattice's spots and what is known of its n parameters: `prior` and `pull` (n each), what its restraints add to the normal
 * matrix and the right side. `damping` raises its own block (relative). */
typedef struct
{
  const FlGeometryRow *rows;
  guint n_rows, n;
  guint window; /* G_MAXUINT: none */
  const double *prior, *pull;
  double damping;
} FlGeometryBlock;

typedef struct
{
  guint n_panels, n_axes, n_windows;
  guint axes[FL_GEOMETRY_AXES]; /* n_axes: of a panel */
  guint size;                   /* n_axes n_panels + 3 n_windows */
  double *matrix;               /* size × size, lower triangle */
  double *right;
  guint *column, *of_panel; /* of the lattice that is being added */
  double *own, *own_right, *cross;
} FlGeometrySums;

FlGeometrySums *fl_geometry_sums_new (const FlGeometryLevels *levels);
void fl_geometry_sums_free (FlGeometrySums *sums);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlGeometrySums, fl_geometry_sums_free)
void fl_geometry_sums_clear (FlGeometrySums *sums);

/* FALSE: the lattice's parameters are not determined; nothing was added. */
gboolean fl_geometry_sums_add (FlGeometrySums *sums, const FlGeometryBlock *block);
/* That lattice's own step when panels (6 a panel) and then windows (3 a window) move by `motion` (NULL: not). */
gboolean fl_geometry_lattice_step (const FlGeometryBlock *block, guint n_panels, const double *motion,
                                   double *step);

/* The step of the levels' parameters, which have come `gone` so far (their restraints pull back), and `motion`, what it does
 * to panels and windows, as above. FALSE: not positive definite. */
gboolean fl_geometry_sums_solve (const FlGeometrySums *sums, const FlGeometryLevels *levels,
                                 const double *gone, double damping, double *step, double *motion);
/* Standard deviations of what is linear in the panels' motions: n sums over 6 a panel with these weights (n × 6 n_panels), and of
 * the levels' parameters. The restraints are included; the turn of the whole about the beam, which nobody knows, is held, and so is what all windows share. */
gboolean fl_geometry_sums_errors (const FlGeometrySums *sums, const FlGeometryLevels *levels,
                                  const double *weights, guint n, double *sigma, double *parameter_sigma);
