/* shells.h: means in shells of resolution with as many values each, and a smooth line through them. Thread: any. */
#pragma once

#include <glib.h>

#define FL_SHELLS_MOST 60

typedef struct
{
  guint n;
  double centre[FL_SHELLS_MOST]; /* mean 1/d² of the values, Å⁻² */
  guint count[FL_SHELLS_MOST];
  double edge[FL_SHELLS_MOST]; /* its highest 1/d²; of the last: without end */
} FlShells;

/* Of `n` values at `inverse_d2` (Å⁻², any order): `per_shell` or more in each. At least one shell, which may be empty. */
FlShells fl_shells_new (const double *inverse_d2, guint n, guint per_shell);
guint fl_shells_find (const FlShells *shells, double inverse_d2);
/* On the broken line through values[shell] at the centres, level outside. */
double fl_shells_at (const FlShells *shells, const double *values, double inverse_d2);
