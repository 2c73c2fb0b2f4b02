/* radial.h: mean intensity of patterns by |s|: what a particle would scatter in all orientations at once. Thread: one. */
#pragma once

#include "engine/parallel/parallel.h"
#include "engine/spi/patterns.h"

typedef struct
{
  guint n;        /* rings */
  double step;    /* Å⁻¹: ring i is from i step to (i + 1) step */
  double *log_of; /* [n] ln of photons a pattern, divided by the pixels' factors, less background */
} FlRadial;

/* Collective, of all good pixels with |s| ≤ s_max in rings of `step`. Rings without pixels (a beam stop) go on as those beside
 * them. */
FlRadial *fl_radial_new (FlParallel *parallel, const FlPatterns *mine, double step, double s_max);
void fl_radial_free (FlRadial *radial);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlRadial, fl_radial_free)

/* Photons a pattern for a pixel of factor 1; above 0. */
double fl_radial_at (const FlRadial *radial, double s);
