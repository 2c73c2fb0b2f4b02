/* geometry-private.h: an ensemble of lattices on its way (geometry-refinement.c, geometry-pairs.c). */
#pragma once

#include "engine/sfx/geometry-refinement.h"
#include "engine/sfx/geometry-sums.h"

#define FL_GEOMETRY_CUT 4.0 /* widths: pairs beyond are left out */

/* A lattice on its way; models' shift is that of its window. */
typedef struct
{
  FlRefinementModel model, trial;
  GArray *pairs; /* of FlGeometryPair */
  double width;  /* 1/Å, of its excitation errors */
  gboolean used;
} FlGeometryCrystal;

typedef struct
{
  const FlGeometryOptions *options;
  const FlKnownCell *known;
  FlGeometryLattice *lattices;
  FlGeometryCrystal *crystals;
  guint n;
  guint first[FL_GEOMETRY_BLOCKS + 1]; /* of a block's lattices */
  double sigma;                        /* px */
  double cut;                          /* px */
  FlGeometryLevels *levels;
  FlDetector *detector;
  FlPanelFrame *frames, *trial_frames;
  double *gone; /* of the levels' parameters */
  GArray *rows; /* of FlGeometryRow */
  guint steps;
} FlGeometryEnsemble;

/* Pairs all spots anew and sets widths: of the excitation errors of each lattice, of the distances of all. Number of lattices
 * used, of all processes. */
guint64 fl_geometry_pair (FlGeometryEnsemble *e);
gboolean fl_geometry_predict (const FlGeometryEnsemble *e, const FlPanelFrame *frames, guint lattice,
                              const FlRefinementModel *model, const FlGeometryPair *pair, FlSpotModel *at);

/* With one process they do what is to be done alone. */
void fl_geometry_team_count (const FlGeometryOptions *options, guint64 *values, guint n);
void fl_geometry_team_sum (const FlGeometryOptions *options, double *values, guint n);

/* geometry-members.c: rows of weights on the panels' motions (6 a panel) that give 6 numbers a member – the whole, groups, panels,
 * as FlGeometryResult.moved – and these numbers. Caller frees. */
double *fl_geometry_member_weights (const FlGeometryLevels *levels);
double *fl_geometry_members_moved (const FlGeometryLevels *levels, const double *weights,
                                   const FlDetector *from, const FlDetector *to);
