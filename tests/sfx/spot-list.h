/* spot-list.h: real spot lists of the test data (data/spots: the cell's vectors in Å, then q in 1/Å). */
#pragma once

#include <glib.h>

#include "engine/crystal/lattice.h"
#include "tests/sfx/sets.h"

typedef struct
{
  char *name;
  FlKnownCell known; /* the file's, in its conventional setting */
  GArray *q;         /* of FlVec3, at most the first 300 */
} SpotList;

/* All files of the folder, in order of their names: array of SpotList. */
GArray *spot_lists_read (void);
void spot_lists_free (GArray *lists);

/* The spots of a simulated frame, and their intensities. */
void frame_spots (const Set *set, const SetFrame *frame, GArray *q, GArray *intensity);
