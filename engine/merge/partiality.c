#include "engine/merge/partiality.h"

#include <math.h>

#include "engine/base/units.h"

FlVec3
fl_merge_q (const FlMergeLattice *lattice, const FlObservation *observation)
{
  const float *a = lattice->a_star;
  double q[3];
  for (int i = 0; i < 3; i++)
    q[i] = observation->h * (double) a[i] + observation->k * (double) a[3 + i]
           + observation->l * (double) a[6 + i];
  return fl_vec3 (q[0], q[1], q[2]);
}

double
fl_merge_excitation (const FlMergeLattice *lattice, const FlObservation *observation, double slope[2])
{
  double excitation = (double) observation->excitation;
  if (slope != NULL)
    slope[0] = slope[1] = 0;
  if (!(lattice->energy > 0))
    return excitation;
  /* |s0 + q|² = k² + q² + 2 k q_z: of a turn only the change of q_z counts. */
  FlVec3 q = fl_merge_q (lattice, observation);
  double k = 1 / fl_wavelength_from_energy ((double) lattice->energy);
  double square = k * k + fl_vec3_dot (q, q) + 2 * k * q.z;
  double change = (double) lattice->rotation[0] * q.y - (double) lattice->rotation[1] * q.x;
  double turned = sqrt (square + 2 * k * change);
  if (slope != NULL)
    {
      slope[0] = k * q.y / turned;
      slope[1] = -k * q.x / turned;
    }
  return excitation + turned - sqrt (square);
}

double
fl_merge_partiality (const FlMergeLattice *lattice, double excitation, double d)
{
  double width = (double) lattice->width + (double) lattice->width_slope / (2 * d);
  if (!(width > 0))
    return 1;
  double x = excitation / width;
  return 1 / (1 + x * x);
}

double
fl_merge_share (double partiality)
{
  double x = CLAMP (partiality / FL_PARTIALITY_LEAST - 1, 0, 1);
  return x * x * (3 - 2 * x);
}

gboolean
fl_merge_contribution (const FlMergeLattice *lattice, const FlObservation *observation, double d,
                       FlContribution *out)
{
  if (lattice->reason != FL_MERGE_ACCEPTED || observation->unique == FL_UNIQUE_NONE
      || !(observation->sigma >= 0) || (observation->flags & FL_OBSERVATION_SATURATED) != 0)
    return FALSE;
  double p = fl_merge_partiality (lattice, fl_merge_excitation (lattice, observation, NULL), d);
  double weight = (double) lattice->scale * exp (-(double) lattice->b / (2 * d * d)) * p;
  guint16 share = (guint16) lrint (G_MAXUINT16 * fl_merge_share (p));
  if (!(share > 0 && weight > 0))
    return FALSE;
  *out = (FlContribution){ .lattice = lattice->number,
                           .half = lattice->key & 1,
                           .minus = (observation->flags & FL_OBSERVATION_MINUS) != 0,
                           .share = share,
                           .intensity = (float) ((double) observation->intensity / weight),
                           .sigma = (float) ((double) observation->sigma / weight),
                           .weight = (float) (weight * share / G_MAXUINT16),
                           .correlation = lattice->correlation };
  return TRUE;
}
