/* alignment-private.h: what the two kinds of alignment have in common. */
#pragma once

#include "engine/spi/alignment.h"
#include "engine/spi/transform.h"

enum
{
  FL_ALIGNMENT_CANDIDATES = 12
};

typedef struct
{
  FlQuat rotation;
  double score;
} FlCandidate;

/* Local maxima of the correlation of intensities, best first: at most FL_ALIGNMENT_CANDIDATES. `density`: intensities are
 * the squares of the transforms of a and b, else their real parts. 0 on error. */
guint fl_alignment_candidates (const FlVolume *a, const FlVolume *b, gboolean density,
                               const FlAlignmentRange *range, FlCandidate candidates[FL_ALIGNMENT_CANDIDATES],
                               GError **error);

typedef double (*FlScoreFunc) (FlQuat rotation, gpointer data);

/* Climbs by turns about three axes of `step`, halved to `least` (rad). */
void fl_alignment_climb (FlCandidate *candidate, double step, double least, FlScoreFunc score, gpointer data);
