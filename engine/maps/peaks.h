/* peaks.h: the highest and the deepest places of a map of a whole cell, and what is near them. Thread: any. */
#pragma once

#include "engine/crystal/ccp4-map.h"
#include "engine/crystal/pdb.h"

typedef struct
{
  double sigmas;  /* height over the mean in the map's sigmas, below 0 in a hole */
  double density; /* the same in the map's units */
  FlVec3
      position; /* Å, crystal frame: of the equivalents the one beside the nearest atom, where there is a model */
  double fractional[3];
  gint64 atom;     /* nearest, in the model; −1: no model */
  double distance; /* Å, from it */
} FlPeak;

/* Local extremes beyond ±`sigmas`, one of each set that symmetry makes, placed between grid points by parabolas, the highest (by
 * magnitude) first, `most` at most. FlPeak. `model` may be NULL. */
GArray *fl_peaks_find (const FlMap *map, const FlModel *model, double sigmas, guint most);
