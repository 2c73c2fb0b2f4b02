/* integration-fit.h: intensity and background plane together, by weighted least squares with a known profile. Private to
 * integration.
 *
 * Unknown: I, b, b_x, b_y; a pixel of the peak is I p + b + b_x x + b_y y with the variance that the model gives, found
 * anew in each of a few rounds (so the result is that of maximum likelihood for photon counts, unbiased by the pixels' own
 * fluctuations); the ring enters by the sums of its plane. Thread: any. */
#pragma once

#include "engine/sfx/integration-plane.h"

typedef struct
{
  double intensity, sigma; /* counts */
  double background;       /* counts a pixel, at the place */
  double misfit;           /* χ² a pixel of the peak */
} FlProfileFit;

/* `profile`: p of each peak pixel; `skip`: 1 = leave that pixel out. FALSE: no information about I. */
gboolean fl_profile_fit (const FlBoxPixels *peak, const float *profile, const guint8 *skip,
                         const FlPlane *plane, const FlNoise *noise, double start, FlProfileFit *fit);
