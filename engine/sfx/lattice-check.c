/* lattice-check.c: evidence against the number of trials. */
#include "engine/sfx/lattice-check.h"

#define SLOPE  0.5
#define OFFSET 4.0

double
fl_lattice_confidence (const FlIndexCell *cell, const FlLatticeFit *fit, guint n, double q_max)
{
  /* Orientations that differ by an error at q_max. */
  double step = fit->across / q_max,
         orientations = 8 * G_PI * G_PI / (step * step * step * cell->n_rotations);
  double odds = SLOPE * (fit->evidence - log (orientations) - OFFSET);
  (void) n;
  return 1 / (1 + exp (-odds));
}
