/* asu.h: the asymmetric unit of reciprocal space that CCP4 and the files of its format use. Thread: any. */
#pragma once

#include "engine/crystal/symmetry.h"

typedef struct
{
  int laue; /* index of the rule; −1: none for this setting */
} FlAsu;

/* Of a symmetry in a setting of space-group.h with unique axis b, c or none; of any other, the representative of
 * fl_symmetry_classify() serves. */
FlAsu fl_asu_new (const FlSymmetry *symmetry);
gboolean fl_asu_contains (const FlAsu *asu, const FlSymmetry *symmetry, FlMiller m);
/* The one of ±hR in the asymmetric unit. `isym` (may be NULL): 2n + 1 when it is h R of operator n, 2n + 2 when −h R. */
FlMiller fl_asu_map (const FlAsu *asu, const FlSymmetry *symmetry, FlMiller m, guint *isym);
