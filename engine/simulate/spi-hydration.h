/* spi-hydration.h: the water that a molecule takes with it into the vacuum.
 *
 * Cubes of 2 Å whose middles are between 1 Å (so that no water stands in the gaps between atoms) and 1 Å + thickness
 * off the nearest atom's van der Waals sphere, each the electrons of its volume in a Gaussian as wide as the cube.
 * Thread: any. */
#pragma once

#include "engine/crystal/pdb.h"

typedef struct
{
  double thickness; /* Å; 0: none */
  double density;   /* e/Å³ */
} FlHydration;

/* Appends the cubes to `atoms` (of FlAtom); `water`, filled here, is their form factor and must outlive them. */
void fl_spi_hydration_add (FlHydration hydration, FlFormFactor *water, GArray *atoms);
