/* coefficients.h: Fourier coefficients of maps. Thread: any. */
#pragma once

#include "engine/maps/sigma-a.h"

/* [n] each, on the amplitudes' scale. */
typedef struct
{
  double complex *best; /* 2mFo − DFc; centric: mFo. Not measured: 0, or DFc where it was asked for */
  double complex *
      difference; /* 2 (mFo − DFc); centric: mFo − DFc (Read 1986): an atom that is missing appears at full height */
  double *merit; /* NaN where not measured */
  guint n_filled;
} FlCoefficients;

FlCoefficients *fl_coefficients_new (const FlReflections *reflections, const double complex *f_model,
                                     const FlSigmaA *sigma_a, gboolean fill);
void fl_coefficients_free (FlCoefficients *coefficients);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlCoefficients, fl_coefficients_free)
