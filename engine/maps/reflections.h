/* reflections.h: all reflections that a crystal has to some resolution, with what was measured of them. Thread: any; one writer. */
#pragma once

#include <complex.h>

#include "engine/crystal/reindexing.h"
#include "engine/crystal/structure-factors.h"
#include "engine/maps/observations.h"

typedef struct
{
  FlMiller hkl;      /* the representative of its class, as in FlStructureFactors */
  double inverse_d2; /* Å⁻² */
  double f, sigma;   /* amplitude, in the file's units; NaN: not measured, or left out */
  guint8 epsilon, centric, free;
  float flag; /* the file's free flag; NaN: none */
} FlReflection;

typedef struct
{
  FlCell cell;
  const FlSymmetry *symmetry; /* the model's; not owned */
  guint n, n_measured, n_rejected, n_free;
  FlReflection *all;      /* [n], by h, k, l; none that is systematically absent */
  double complex *phased; /* [n]: a model's F from the file, 0: none; NULL: the file has none */
} FlReflections;

/* The reflections of `list` that are not absent, measured as `observed` says between d_max and d_min (Å; 0: no limit), which is
 * indexed as `setting` (NULL: as it is; h' = h r). Intensities become amplitudes by French and Wilson's way when `wilson`, else by
 * the root, negative ones 0. Observations of one class are averaged. */
FlReflections *fl_reflections_new (const FlStructureFactors *list, const FlCell *cell,
                                   const FlSymmetry *symmetry, const FlObservations *observed,
                                   const FlReindexing *setting, gboolean wilson, double d_min, double d_max);
void fl_reflections_free (FlReflections *reflections);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlReflections, fl_reflections_free)

/* F of `list` for each of `reflections`. Free with g_free. */
double complex *fl_reflections_factors (const FlReflections *reflections, const FlStructureFactors *list,
                                        const double complex *f);
/* The number of a representative; −1: none. */
gint64 fl_reflections_find (const FlReflections *reflections, FlMiller hkl);

/* The phase of h R from that of h: F(hR) = F(h) exp(−2πi h·t); and of the Friedel mate its conjugate. `to` is the representative of
 * `from`'s class. */
double complex fl_reflections_carry (const FlSymmetry *symmetry, FlMiller from, FlMiller to,
                                     double complex f);
