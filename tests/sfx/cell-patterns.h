/* cell-patterns.h: made-up cells and the spots of their stills, for the tests of the cell search. */
#pragma once

#include "engine/base/hash.h"
#include "engine/sfx/cell-search.h"

typedef struct
{
  double wavelength; /* Å */
  double d_min;      /* Å */
  double excitation; /* 1/Å: half-width; lattice points within it of the sphere are seen */
  double
      noise; /* mm at 100 mm, standard deviation; negative: the lattice points themselves, off the sphere */
  double false_fraction; /* of all spots */
  guint most;            /* spots */
} PatternOptions;

typedef struct
{
  guint n;
  FlVec3 *q;
  float *intensity;
} Pattern;

/* A cell of that type and centring, `volume` (Å³) that of its primitive cell, far from every higher symmetry. */
FlKnownCell pattern_cell (FlLatticeType type, char centring, double volume, FlRandom *random);
/* Rows a*, b*, c* of the conventional cell in an orientation drawn at random. */
FlMat3 pattern_orient (const FlCell *cell, FlRandom *random);
Pattern pattern_new (const FlKnownCell *cell, const FlMat3 *star, const PatternOptions *options,
                     FlRandom *random);
void pattern_clear (Pattern *pattern);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Pattern, pattern_clear)
