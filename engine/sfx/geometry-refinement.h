/* geometry-refinement.h: a detector refined against the spots of many lattices, and the lattices with it.
 *
 * Spots are paired with the nearest reflection of their lattice; residuals are fs and ss (px) and the excitation error, under
 * Cauchy's weights (an outlier pulls less the farther it is); pairs beyond four widths are left out. Gauss and Newton's
 * steps, damped (Levenberg–Marquardt), of the detector's levels (geometry-levels.h) and of each lattice's orientation and
 * cell, whose blocks are eliminated (geometry-sums.h). Cells are held about the known one by `cell_spread`: that is what
 * the distance is told by. Ensemble refinement after Brewster et al. (2018), Acta Cryst. D74, 877.
 * Memory: 5 MB a hundred panels and 2 kB a lattice beside the spots. The same lattices in the same order give the same detector.
 * Thread: one. */
#pragma once

#include "engine/base/batch.h"
#include "engine/crystal/lattice.h"
#include "engine/sfx/geometry-levels.h"

typedef struct
{
  FlMat3 star; /* in: as it was indexed; out: refined */
  FlVec3
      shift; /* mm, of the detector when it was (FlLatticeRow.shift); the median of all is where the detector starts */
  double wavelength;      /* Å */
  const FlSpotRow *spots; /* of its shot; borrowed */
  guint n_spots;
} FlGeometryLattice;

typedef struct
{
  FlGeometryFreedom freedom;
  double max_offset;  /* px: pairs at the start */
  guint min_spots;    /* lattices with fewer pairs are left out */
  double cell_spread; /* relative, of lengths about the known cell */
} FlGeometryOptions;

/* One spot that was used, with where it should be. */
typedef struct
{
  guint lattice;
  guint16 panel;
  gint16 h, k, l;
  float fs, ss;     /* px, seen */
  float dfs, dss;   /* px, seen less predicted */
  float excitation; /* 1/Å */
} FlGeometryPair;

typedef struct
{
  GArray *pairs;    /* of FlGeometryPair */
  guint n_lattices; /* used */
  double rmsd;      /* px, 2-D, over the pairs */
  double sigma;     /* px, one direction, from the median distance */
} FlGeometryFit;

typedef struct
{
  FlDetector *detector; /* refined; places only */
  FlGeometryFit before,
      after; /* `before`: the lattices refined as well, in the detector as it was (with the median shift) */
  guint rounds, steps;
  gboolean converged;
} FlGeometryResult;

/* FL_ERROR_INPUT: too few lattices with spots. */
gboolean fl_geometry_refine (const FlGeometryOptions *options, const FlDetector *detector, const guint *group,
                             const FlKnownCell *known, GArray *lattices, FlGeometryResult *result,
                             GError **error);
void fl_geometry_result_clear (FlGeometryResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FlGeometryResult, fl_geometry_result_clear)
