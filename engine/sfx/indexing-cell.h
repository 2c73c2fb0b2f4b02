/* indexing-cell.h: what indexing needs of a known cell, worked out once. Thread: any; immutable once made. */
#pragma once

#include "engine/crystal/lattice.h"

typedef struct
{
  FlKnownCell known;
  FlMat3 real; /* shortest primitive basis, rows in Å, crystal frame, shortest first; right-handed */
  FlMat3 star; /* its reciprocal basis */
  FlMat3 to_conventional; /* conventional star = to_conventional · primitive star */
  double length[3];       /* Å, of the rows of `real` */
  double shortest_star;   /* 1/Å: the shortest vector of the reciprocal lattice */
  double star_volume;     /* Å⁻³, of the primitive reciprocal cell */
  int rotations[24][3]
               [3]; /* proper rotations of the lattice, the identity first: on rows of `real`, on hkl */
  int star_rotations[24][3][3]; /* the same on rows of `star`: transposed, in the same order */
  guint n_rotations;
} FlIndexCell;

/* FALSE: the cell is none (no volume). */
gboolean fl_index_cell_init (FlIndexCell *cell, const FlKnownCell *known);

/* How many rotations of the lattice leave row `axis` where it is (at least 1), and whether one turns it about. */
guint fl_index_cell_fold (const FlIndexCell *cell, guint axis, gboolean *flips);

static inline FlVec3
fl_mat3_row (const FlMat3 *m, guint row)
{
  return fl_vec3 (m->m[row][0], m->m[row][1], m->m[row][2]);
}
