/* lattice-check.c: evidence against the number of trials. */
#include "engine/sfx/lattice-check.h"

#define ERROR       6e-4 /* 1/Å: orientations that move a spot at q_max by less are one */
#define SLOPE       0.8  /* a nat */
#define OFFSET      0.8
#define UNEXPLAINED 3.0 /* times ln (1 + unexplained / FEW) */
#define FURTHER     2.0
#define FEW         8.0

double
fl_lattice_confidence (const FlIndexCell *cell, const FlLatticeFit *fit, guint n, double q_max, guint found)
{
  double orientations = 8 * G_PI * G_PI / cell->n_rotations * pow (q_max / ERROR, 3);
  double unexplained = n * (1 - fit->share);
  double logit = SLOPE * (fit->evidence - log (orientations)) + OFFSET
                 - UNEXPLAINED * log1p (unexplained / FEW) - FURTHER * found;
  return 1 / (1 + exp (-logit));
}
