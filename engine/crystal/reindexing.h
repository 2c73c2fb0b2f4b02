/* reindexing.h: the other ways to index the same spots.
 *
 * Where the lattice is more symmetric than the crystal, spots alone cannot tell a setting from those that the lattice's extra
 * rotations make of it; intensities can. Thread: any. */
#pragma once

#include "engine/crystal/lattice.h"
#include "engine/crystal/symmetry.h"

/* h' = h r / divisor (row vector). */
typedef struct
{
  int r[3][3];
  int divisor; /* 1 but for centred lattices that look like another one */
} FlReindexing;

/* One of each coset of the Laue group in the lattice's rotations, the lattice being taken for as symmetric as the tolerances
 * (relative; rad) allow; the identity is not among them. None: `*n` is 0. Free with g_free. */
FlReindexing *fl_reindexing_ambiguities (const FlCell *cell, const FlSymmetry *symmetry,
                                         double length_tolerance, double angle_tolerance, guint *n);
/* The cell of the same lattice when it is taken in the setting that `r` leads to. */
FlCell fl_reindexing_cell (const FlReindexing *r, const FlCell *cell);
/* What each index becomes: "k,h,-l", "(h+k)/2,…". Free with g_free. */
char *fl_reindexing_words (const FlReindexing *r);
