/* difference.h: what changed between two data sets of one crystal form: w (F₁ − F₂) exp(iφ_model). Thread: any. */
#pragma once

#include "engine/maps/model-scale.h"

typedef enum
{
  FL_DIFFERENCE_PLAIN, /* w = 1 */
  FL_DIFFERENCE_BAYES /* w = S/(S + σ²): the expected difference, S its variance without noise in the shell (Ursby and Bourgeois, Acta
                        * Cryst. A53, 564, 1997) */
} FlDifferenceWeight;

typedef struct
{
  double complex *coefficients; /* [n]; 0 unless both are measured */
  double *weight;               /* [n]; NaN likewise */
  guint n;                      /* pairs */
  double r_iso;                 /* 2 Σ|F₁ − F₂| / Σ(F₁ + F₂) */
  double mean_weight;
} FlDifference;

/* Brings F₁ to F₂'s scale, anisotropically. `first` changes. */
FlModelScale fl_difference_scale (FlReflections *first, const FlReflections *second);
/* Both lists are of the same crystal and resolution, on one scale. */
FlDifference *fl_difference_new (const FlReflections *first, const FlReflections *second,
                                 const double complex *f_model, FlDifferenceWeight weight);
void fl_difference_free (FlDifference *difference);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlDifference, fl_difference_free)
