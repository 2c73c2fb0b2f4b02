/* speckles.h: intensities without their radial means, every shell scaled to variance 1, and the correlation of two of them
 * in any relative rotation. Thread: one. */
#pragma once

#include "engine/base/vec.h"
#include "engine/spi/volume.h"

/* Finely sampled, the origin at n / 2. */
typedef struct
{
  int n;
  double per; /* points an Å⁻¹ */
  float *data;
} FlSpeckles;

/* `density`: |F|² of its transform F, else F's real part, as of an autocorrelation. Free data. */
gboolean fl_speckles_init (FlSpeckles *speckles, const FlVolume *volume, gboolean density, GError **error);

/* Points of the one in the half space from s_low to s_high (Å⁻¹), about `most`, to be compared with the other. */
typedef struct
{
  const FlSpeckles *speckles; /* the other */
  guint n;
  FlVec3 *s;
  float *value;
} FlComparison;

void fl_comparison_init (FlComparison *comparison, const FlSpeckles *one, const FlSpeckles *other,
                         double s_low, double s_high, guint most);
void fl_comparison_clear (FlComparison *comparison);
/* one(s) with other(R⁻¹ s). `data`: a FlComparison. */
double fl_comparison_score (FlQuat rotation, gpointer data);
