#include "engine/merge/polarisation.h"

#include "engine/base/units.h"
#include "engine/merge/partiality.h"

double
fl_polarisation (FlVec3 q, double k, double fraction)
{
  FlVec3 s = fl_vec3_unit (fl_vec3 (q.x, q.y, q.z + k));
  /* sin² 2θ cos 2φ = x² − y² of the unit vector. */
  return 0.5 * (1 + s.z * s.z) - 0.5 * fraction * (s.x * s.x - s.y * s.y);
}

void
fl_merge_polarisation (FlMergeSet *set, double fraction)
{
  if (fpclassify (fraction) == FP_ZERO)
    return;
  for (guint i = 0; i < set->lattices->len; i++)
    {
      const FlMergeLattice *lattice = &g_array_index (set->lattices, FlMergeLattice, i);
      if (!(lattice->energy > 0))
        continue;
      double k = 1 / fl_wavelength_from_energy ((double) lattice->energy);
      for (guint64 o = lattice->first; o < lattice->first + lattice->n; o++)
        {
          FlObservation *observation = &set->observations[o];
          float p = (float) fl_polarisation (fl_merge_q (lattice, observation), k, fraction);
          observation->intensity /= p;
          observation->sigma /= p;
        }
    }
}
