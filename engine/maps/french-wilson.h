/* french-wilson.h: amplitudes from intensities that noise may have made negative: the mean of what Wilson's distribution and the
 * measurement together leave (French and Wilson, Acta Cryst. A34, 517, 1978). Thread: any. */
#pragma once

#include <glib.h>

typedef struct
{
  double inverse_d2;       /* Å⁻² */
  double intensity, sigma; /* sigma > 0 */
  guint epsilon;
  gboolean centric;
} FlFrenchWilsonInput;

/* f[n], sigma[n]: NaN for intensities that are more negative than chance allows (below −4 sigma). How many those are. */
guint fl_french_wilson (const FlFrenchWilsonInput *in, guint n, double *f, double *sigma);

/* E[√J] and E[J], in units where sigma is 1, of J ≥ 0 with density ∝ J^power · exp(−(J − h)²/2); power 0 (acentric) or −1/2. */
void fl_french_wilson_moments (double h, gboolean centric, double *f, double *j);
