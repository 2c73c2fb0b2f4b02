/* structure-factors.h: F(h) of a model by direct summation or by the density on a grid, and its bulk solvent.
 *
 * F(h) = Σ over atoms and operators of occupancy · f(s) · exp(−B s²) · exp(2πi h·x), s² = 1/4d². The phases of a row of
 * reflections that differ in l follow from tables of exp(2πi l z), so an atom costs a few multiplications a
 * reflection. Flat solvent (Jiang and Brünger 1994): + density · exp(−B s²) · F_mask, the mask being 1 farther than
 * van der Waals radius + 1.0 Å from every atom, grown back by 1.1 Å.
 * Thread: any. */
#pragma once

#include <complex.h>

#include "engine/crystal/intensities.h"
#include "engine/crystal/pdb.h"

typedef struct
{
  double density; /* e/Å³; 0: none */
  double b;       /* Å² */
} FlSolvent;

/* One value for each reflection class of the model's symmetry within d_min. */
typedef struct
{
  guint n;
  FlMiller *hkl;     /* representatives, by h, k, then l */
  double complex *f; /* electrons */
} FlStructureFactors;

typedef enum
{
  FL_SUMMATION_DIRECT, /* exact: atoms × operators × reflections */
  FL_SUMMATION_GRID    /* density.h: vector R 10⁻⁵; for 50,000 atoms some thirty times faster */
} FlSummationMethod;

/* Few atoms are summed directly, many on a grid. */
FlStructureFactors *fl_structure_factors_new (const FlModel *model, double d_min, FlSolvent solvent);
FlStructureFactors *fl_structure_factors_new_by (const FlModel *model, double d_min, FlSolvent solvent,
                                                 FlSummationMethod method);
/* F_mask alone, of solvent of density 1 e/Å³ and B = 0, for the reflections of `factors`. Beyond `mask_d_min` (Å), where no
 * solvent scatters, it is 0: a coarser mask costs less. Free with g_free. */
double complex *fl_structure_factors_solvent (const FlStructureFactors *factors, const FlModel *model,
                                              double mask_d_min);
void fl_structure_factors_free (FlStructureFactors *factors);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlStructureFactors, fl_structure_factors_free)

/* |F|² of every reflection of `intensities`, whose cell is the model's. */
void fl_structure_factors_fill (const FlStructureFactors *factors, const FlModel *model,
                                FlIntensities *intensities);
