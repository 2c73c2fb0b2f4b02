/* simplex.h: the minimum of a function of a few parameters, by the downhill simplex (Nelder and Mead 1965). Deterministic. */
#pragma once

#include <glib.h>

#define FL_SIMPLEX_MOST 8 /* parameters */

typedef double (*FlSimplexFunc) (const double *x, gpointer data);

/* From `x` (changed to the place of the minimum) with first steps `steps`, until the function's values at the corners differ by less
 * than `tolerance` (of their size), or `most` evaluations. Returns the minimum. */
double fl_simplex_minimise (FlSimplexFunc function, gpointer data, guint n, double *x, const double *steps,
                            double tolerance, guint most);
