/* made-lattices.h: stills of crystals that never were, each a function of its number alone: what was predicted from an orientation
 * that is known nearly, and what a crystal in its true orientation gave. */
#pragma once

#include "engine/merge/input.h"

typedef struct
{
  FlUniqueList *list;
  double *truth; /* of each unique reflection */
  FlMat3 star;   /* rows a*, b*, c* in the crystal frame */
  int limits[2]; /* of h and k */
  double k;      /* 1/λ */
  /* to be changed */
  double width;      /* 1/Å, half-width of reflections */
  double turn;       /* rad: standard deviation of the orientation's error about each axis */
  double background; /* counts: standard deviation */
  double model;      /* of ln p: how far true partialities are from any model's */
} MadeLattices;

/* Lysozyme's cell in P 4/mmm, 9300 eV. */
MadeLattices *made_lattices_new (double d_min);
void made_lattices_free (MadeLattices *made);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MadeLattices, made_lattices_free)

/* Observations are appended to `observations`, which is emptied first. Predicted is what lies within 3 half-widths. */
FlMergeLattice made_lattice (const MadeLattices *made, guint64 number, GArray *observations);
/* Those with numbers from `begin` to `end` − 1, every rank its share; with a start for scaling. */
FlMergeSet *made_set (const MadeLattices *made, guint64 begin, guint64 end, FlParallel *parallel,
                      const FlMergeInputOptions *options);
/* Correlation of two lists of intensities, NaN where there is none, in each of `n` shells of equal volume. */
void made_correlations (const FlUniqueList *list, const double *a, const double *b, guint n, double *cc);
