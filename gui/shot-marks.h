/* shot-marks.h: what the answers about one shot look like over its image, and their sums. Pure; thread: any. */
#pragma once

#include "engine/view/messages.h"
#include "widgets/image-view.h"

typedef struct
{
  guint spots, unexplained; /* found; of those, explained by no lattice (0 when there is none) */
  guint lattices, predicted, integrated;
  double rmsd;       /* px, over all lattices, weighted by their spots; 0: none */
  double resolution; /* Å, the best lattice's, else that of the spots; 0: none */
} FlgShotCounts;

/* FlwImageSpot. How many spots the lattices explain the engine has counted (it indexes them; predictions end sooner, at the
 * half-width of the points); which, is told by how near they lie to predictions. `lattices` may be NULL. */
GArray *flg_shot_spot_marks (const FlViewSpots *spots, const FlViewLattices *lattices);
/* FlwImagePrediction, one a reflection. `lattices` may be NULL. */
GArray *flg_shot_prediction_marks (const FlViewLattices *lattices);
/* `marks`: of the spots. */
FlgShotCounts flg_shot_count (const FlViewSpots *spots, const FlViewLattices *lattices, const GArray *marks);
