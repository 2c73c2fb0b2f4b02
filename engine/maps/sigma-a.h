/* sigma-a.h: how much of the truth a model tells, by resolution (Read, Acta Cryst. A42, 140, 1986).
 *
 * In each shell σ_A maximises the likelihood of normalised amplitudes E_o given E_c; values of neighbouring shells are smoothed and
 * joined by straight lines. Figure of merit m = I₁(X)/I₀(X), X = 2 σ_A E_o E_c/(1 − σ_A²), centric tanh(X/2);
 * D = σ_A √(⟨F_o²/ε⟩/⟨F_c²/ε⟩). Thread: any. */
#pragma once

#include "engine/maps/reflections.h"
#include "engine/maps/shells.h"

typedef struct
{
  FlShells shells; /* of all measured reflections */
  double sigma_a[FL_SHELLS_MOST];
  double ln_fo2[FL_SHELLS_MOST], ln_fc2[FL_SHELLS_MOST]; /* ln of the means of F²/ε */
  gboolean from_free;
  guint n; /* reflections that σ_A was estimated from */
} FlSigmaA;

/* `f_model` [n] on the amplitudes' scale. `free_only`: from the free set. */
FlSigmaA fl_sigma_a_fit (const FlReflections *reflections, const double complex *f_model, gboolean free_only);

/* Figure of merit of a measured reflection, and D. */
double fl_sigma_a_merit (const FlSigmaA *sigma_a, const FlReflection *reflection, double f_model, double *d);

/* The likeliest σ_A of n pairs. */
double fl_sigma_a_of_pairs (const double *eo, const double *ec, const guint8 *centric, guint n);
