/* simulated-shift.h: a shift's merges without pictures: unique reflections with Wilson's intensities, lattices that see a random and
 * uneven part of them with wrong scales, partialities and noise, merged by the mean in two halves, at nested subsets and further. */
#pragma once

#include "engine/control/forecast.h"

#define SHIFT_SHELLS  3
#define SHIFT_SUBSETS 5
#define SHIFT_LADDER  17 /* 2^(i/4) times the lattices that the forecast knows */

typedef struct
{
  FlForecastVersion versions[2]; /* an earlier one, and that which the forecast is made at */
  FlTrendRow trend[SHIFT_SUBSETS * (SHIFT_SHELLS + 1)];
  FlShellRow shells[2][SHIFT_SHELLS + 1];
  double d_min; /* Å, of one of the shells */
  gboolean ceiling;
  double lattices[SHIFT_LADDER];
  double value[FL_METRIC_LAST][SHIFT_LADDER]; /* to d_min: what came of it */
} SimulatedShift;

void simulated_shift_make (guint64 seed, SimulatedShift *shift);
