/* indexing-spots.h: the spots of a shot as indexing sees them. Thread: any. */
#pragma once

#include "engine/sfx/indexing-cell.h"

typedef struct
{
  FlVec3 q, normal; /* 1/Å; unit, of the Ewald sphere */
  gboolean
      still; /* q lies on the Ewald sphere; FALSE: `normal` means nothing, errors alike in all directions */
  float
      weight; /* 0–1: one over the spots that crowd nearer than lattice points of one crystal can lie. Side maxima of
                       a strong spot together say no more than one spot */
} FlIndexSpot;

/* `intensity`: [n] or NULL. Spots that are no numbers or in the beam are left out; the ones to prefer come first: the
 * strongest, or those of lowest order. The wavelength is what most spots say. Returns how many; `spots`: [n]. */
guint fl_index_spots (const FlIndexCell *cell, const FlVec3 *q, const float *intensity, guint n,
                      FlIndexSpot *spots);
