/* shot-marks.h: what the answers about one shot look like over its image, and their sums. Pure; thread: any. */
#pragma once

#include "engine/view/messages.h"
#include "widgets/image-view.h"

typedef struct
{
  guint spots, unexplained; /* found; of those, near no prediction (0 when there is no lattice) */
  guint lattices, predicted, integrated;
  double rmsd;       /* px, over all lattices, weighted by their spots; 0: none */
  double resolution; /* Å, the best lattice's, else that of the spots; 0: none */
} FlgShotCounts;

/* FlwImageSpot. A lattice explains a spot that lies on the same panel within three times its r.m.s.d. (2 px at least,
 * 5 px at most) of a prediction. `lattices` may be NULL. */
GArray *flg_shot_spot_marks (const FlViewSpots *spots, const FlViewLattices *lattices);
/* FlwImagePrediction, one a reflection. `lattices` may be NULL. */
GArray *flg_shot_prediction_marks (const FlViewLattices *lattices);
/* `marks`: of the spots. */
FlgShotCounts flg_shot_count (const FlViewSpots *spots, const FlViewLattices *lattices, const GArray *marks);
