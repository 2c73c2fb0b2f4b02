/* form-factors.h: X-ray scattering factors of the elements of proteins: four Gaussians and a constant
 * (Cromer and Mann 1968; International Tables C 6.1.1.4), f(s) = Σ aᵢ exp(−bᵢ s²) + c with s = sin θ/λ = 1/2d, good to
 * s = 2 Å⁻¹. No anomalous part. Thread: any. */
#pragma once

#include <glib.h>

typedef struct
{
  const char *symbol;   /* "C", "ZN" */
  double a[4], b[4], c; /* electrons, Å², electrons */
  double radius;        /* Å, van der Waals (the ion's for metals): for solvent masks */
} FlFormFactor;

/* NULL when the element is not in the table. Case does not matter. */
const FlFormFactor *fl_form_factor (const char *symbol);
/* f at s² = 1/4d² (Å⁻²), electrons. */
double fl_form_factor_at (const FlFormFactor *factor, double s_squared);
