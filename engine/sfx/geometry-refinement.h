/* geometry-refinement.h: a detector refined against the spots of many lattices, and the lattices with it.
 *
 * Spots are paired with the nearest reflection of their lattice; residuals are fs and ss (px) and the excitation error, under
 * Cauchy's weights (an outlier pulls less the farther it is); pairs beyond four widths are left out. Gauss and Newton's
 * steps, damped (Levenberg–Marquardt), of the detector's levels (geometry-levels.h) and of each lattice's orientation and
 * cell, whose blocks are eliminated (geometry-sums.h). Cells are held about the known one by `cell_spread`: that is what
 * the distance is told by. Ensemble refinement after Brewster et al. (2018), Acta Cryst. D74, 877.
 * Several processes share the work: lattices are summed in blocks of their content, block by block in one order, so that what
 * comes out does not depend on how many there are. Panels and groups with too few spots have no motion of their own.
 * Memory: 5 MB a hundred panels, and 2 kB a lattice beside the spots. Thread: one. */
#pragma once

#include "engine/base/batch.h"
#include "engine/crystal/lattice.h"
#include "engine/sfx/geometry-levels.h"

#define FL_GEOMETRY_BLOCKS 64

/* The processes that refine together; all functions are collective. */
typedef struct
{
  gpointer data;
  guint rank, ranks;
  /* At rank 0: total += the first rank's values, then the second's … */
  void (*add) (gpointer data, double *total, const double *values, gsize n);
  /* In place, at all. `sum` of values that are 0 at all ranks but one. */
  void (*sum) (gpointer data, double *values, guint n);
  void (*count) (gpointer data, guint64 *values, guint n);
} FlGeometryTeam;

/* The median of all processes' values (`team` NULL: of these), to 2⁻⁵⁰ of high − low; 0 of nothing. */
double fl_geometry_median (const FlGeometryTeam *team, const double *values, guint n, double low,
                           double high);

typedef struct
{
  FlMat3 star; /* in: as it was indexed; out: refined */
  FlVec3
      shift; /* mm, of the detector when it was (FlLatticeRow.shift); the median of all is where the detector starts */
  double wavelength;      /* Å */
  const FlSpotRow *spots; /* of its shot; borrowed */
  guint n_spots;
  guint block;  /* below FL_GEOMETRY_BLOCKS, by content; its rank is block % ranks */
  guint window; /* below freedom.n_windows; G_MAXUINT: none */
} FlGeometryLattice;

typedef struct
{
  FlGeometryFreedom freedom;
  double max_offset;                /* px: pairs at the start */
  guint min_spots;                  /* lattices with fewer pairs are left out */
  double cell_spread;               /* relative, of lengths about the known cell */
  guint min_panel;                  /* panels and groups with fewer pairs do not move by themselves */
  const FlGeometryTeam *team;       /* NULL: one process */
  gboolean (*stop) (gpointer data); /* collective, asked after each round; NULL: never */
  gpointer stop_data;
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
  GArray *pairs;      /* of FlGeometryPair: of this process */
  guint64 n_pairs;    /* of all */
  guint64 n_lattices; /* used, of all */
  double rmsd;        /* px, 2-D, over the pairs */
  double sigma;       /* px, one direction, from the median distance */
} FlGeometryFit;

typedef struct
{
  FlDetector *detector; /* refined; places only */
  FlGeometryFit before,
      after; /* `before`: the lattices refined as well, in the detector as it was (with the median shift) */
  FlVec3 shift;             /* mm, that median */
  FlGeometryLevels *levels; /* what moved */
  double *value, *sigma;    /* of its parameters, mm and rad: how far they came, and standard deviations */
  /* How far things came from `detector`, 6 numbers each (mm and rad), and standard deviations: the whole (mean shift, turn),
   * groups relative to it, panels in all. The turn of the whole about the beam is nobody's to know: sigmas are without it. */
  double *moved, *moved_sigma; /* 1 + n_groups + n_panels */
  guint *panel_pairs;          /* n_panels, of `before` */
  guint rounds, steps;
  gboolean converged, stopped;
} FlGeometryResult;

/* `lattices`: GArray of FlGeometryLattice of this process, by block, and within a block in an order that does not depend on how
 * many processes there are. `start` (NULL: `detector`): places where an earlier attempt had come to.
 * FL_ERROR_INPUT: too few lattices with spots. */
gboolean fl_geometry_refine (const FlGeometryOptions *options, const FlDetector *detector,
                             const FlDetector *start, const guint *group, const FlKnownCell *known,
                             GArray *lattices, FlGeometryResult *result, GError **error);
void fl_geometry_result_clear (FlGeometryResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FlGeometryResult, fl_geometry_result_clear)
