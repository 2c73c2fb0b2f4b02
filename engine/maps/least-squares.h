/* least-squares.h: normal equations of a few parameters. Thread: any. */
#pragma once

#include <glib.h>

/* Solves (A + damping · diag A) x = b, A [n][n] symmetric (the lower half is read), by Cholesky's method. Parameters that nothing
 * depends on (A[i][i] is 0 but for rounding) stay 0. FALSE when it is not positive definite. */
gboolean fl_solve_damped (const double *a, const double *b, guint n, double damping, double *x);
