/* orientation-score.h: for tests: how far orientations are from the true ones. */
#pragma once

#include "engine/spi/point-group.h"

typedef struct
{
  guint n;
  FlQuat gauge;           /* estimate ≈ truth · gauge */
  double median;          /* rad, modulo the group and the half turn about the beam */
  double median_direct;   /* rad, modulo the group alone */
  double within, partner; /* share nearer than `spacing`; share that is the half turn's */
} OrientationScore;

/* Of truth[n] and estimate[n], particle → laboratory, the beam along z. `frame`: the group's in the true particle. */
OrientationScore orientation_score (const FlPointGroup *group, FlQuat frame, const FlQuat *truth,
                                    const FlQuat *estimate, guint n, double spacing);
