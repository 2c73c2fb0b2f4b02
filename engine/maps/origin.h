/* origin.h: ways to look at one crystal that give the same amplitudes or spots, and the one that agrees with what is known. Thread: any. */
#pragma once

#include "engine/crystal/pdb.h"
#include "engine/maps/reflections.h"

/* How far amplitudes follow a model: correlation of F²/⟨F²⟩ with the same of the model, by shells, free of scales. */
double fl_origin_agreement (const FlReflections *reflections, const double complex *f_model);

typedef struct
{
  double shift[3];  /* fractional, to be added to the model's coordinates */
  double agreement; /* mean cosine of the phase difference after it, weighted by |F|: 1 when they agree */
  double agreement_here; /* the same without a shift */
  guint n;               /* phases compared */
} FlOriginChoice;

/* The origin, of those that the space group allows, at which the model's phases agree best with the file's. Polar axes are searched
 * along their length. */
FlOriginChoice fl_origin_find (const FlReflections *reflections, const double complex *f_model);
/* Is x → x + shift allowed: does it take every operator to itself? */
gboolean fl_origin_allowed (const FlSymmetry *symmetry, const double shift[3], double tolerance);
