#include "engine/crystal/wilson.h"

#include <math.h>

#include "engine/base/hash.h"
#include "engine/crystal/form-factors.h"

/* Of the non-hydrogen atoms of an average protein, and what one of them weighs with its hydrogens (Da). */
static const struct
{
  const char *symbol;
  double fraction;
} composition[] = { { "C", 0.63 }, { "N", 0.17 }, { "O", 0.193 }, { "S", 0.007 } };
#define ATOM_WEIGHT      13.9
#define MATTHEWS         2.4   /* Å³/Da (Matthews 1968) */
#define SOLVENT_CONTRAST 0.85  /* how much of the protein's density solvent matches */
#define SOLVENT_B        200.0 /* Å² */

double
fl_wilson_level (double volume, double inverse_d_squared, double b_factor)
{
  double f2 = 0, s2 = inverse_d_squared / 4;
  for (guint i = 0; i < G_N_ELEMENTS (composition); i++)
    {
      double f = fl_form_factor_at (fl_form_factor (composition[i].symbol), s2);
      f2 += composition[i].fraction * f * f;
    }
  double contrast = 1 - SOLVENT_CONTRAST * exp (-SOLVENT_B * s2);
  return volume / (MATTHEWS * ATOM_WEIGHT) * f2 * exp (-2 * b_factor * s2) * contrast * contrast;
}

static double
draw (FlReflectionClass class, guint64 seed)
{
  int hkl[3] = { class.representative.h, class.representative.k, class.representative.l };
  FlRandom random = fl_random (fl_hash64 (hkl, sizeof hkl, seed));
  double normal = fl_random_normal (&random);
  return class.centric ? normal * normal : -log (1 - fl_random_unit (&random));
}

void
fl_wilson_fill (FlIntensities *intensities, const FlSymmetry *symmetry, double b_factor, guint64 seed)
{
  FlMat3 metric = fl_cell_reciprocal_metric (&intensities->cell);
  double volume = fl_cell_volume (&intensities->cell), limit = 1 / (intensities->d_min * intensities->d_min);
  const int *m = intensities->limits;
  for (int h = -m[0]; h <= m[0]; h++)
    for (int k = -m[1]; k <= m[1]; k++)
      for (int l = -m[2]; l <= m[2]; l++)
        {
          double d2 = fl_inverse_d_squared (&metric, h, k, l);
          if (d2 > limit || d2 == 0)
            continue;
          FlReflectionClass class = fl_symmetry_classify (symmetry, (FlMiller){ h, k, l });
          double value =
              class.absent ? 0 : class.epsilon * fl_wilson_level (volume, d2, b_factor) * draw (class, seed);
          *fl_intensities_at (intensities, h, k, l) = (float) value;
        }
}
