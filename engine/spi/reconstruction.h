/* reconstruction.h: from patterns in unknown orientations to the particle's autocorrelation, generation by generation.
 *
 * Expectation maximisation over orientations (Loh and Elser, Phys. Rev. E 80, 026705, 2009) with the pattern's scale
 * profiled out of Poisson's likelihood, on a model that is a real autocorrelation inside a ball of the particle's
 * diameter (as in M-TIP: Donatelli, Sethian and Zwart, PNAS 114, 7222, 2017), solved by the normal equations with all
 * patterns of all ranks. Resolution and orientations grow by stages; then orientations are refined off the grid. The
 * patterns are two half sets from the first generation on, each with a model of its own, until the last stage, which
 * joins them. Everything random is drawn from (seed, pattern's id): results do not depend on the number of ranks but for
 * the rounding of sums.
 *
 * Functions marked collective are called by every rank in the same order. Thread: one. */
#pragma once

#include "engine/base/batch.h"
#include "engine/base/params.h"
#include "engine/parallel/parallel.h"
#include "engine/spi/patterns.h"
#include "engine/spi/volume.h"
#include "kernels/device.h"

typedef struct FlReconstruction FlReconstruction;

/* What is known of one pattern after a generation. */
typedef struct
{
  FlQuat orientation; /* most probable: particle's frame → laboratory, so that it shows I(R⁻¹ s) */
  guint conformation;
  float confidence; /* probability of that conformation, 0–1 */
  float scale;      /* φ, mean of all 1 */
  guint8 half;      /* 0 or 1 */
  guint8 held_back; /* judged by it, not merged */
} FlAssignment;

/* Collective. `params`: the reconstruct table. `mine`: this rank's patterns; both must stay. */
FlReconstruction *fl_reconstruction_new (FlParallel *parallel, FlkDevice *device, const FlPatterns *mine,
                                         const FlParams *params, GError **error);
void fl_reconstruction_free (FlReconstruction *reconstruction);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlReconstruction, fl_reconstruction_free)

/* Collective: one generation. `row` is filled, the same at all ranks. */
gboolean fl_reconstruction_step (FlReconstruction *reconstruction, FlGenerationRow *row, GError **error);
gboolean fl_reconstruction_done (const FlReconstruction *reconstruction);

guint fl_reconstruction_conformations (const FlReconstruction *reconstruction);
/* half 0, 1, or 2: both together (from the joining on; before it half 0's). NULL before the first generation. */
const FlVolume *fl_reconstruction_autocorrelation (const FlReconstruction *reconstruction, guint conformation,
                                                   guint half);
double fl_reconstruction_diameter (const FlReconstruction *reconstruction); /* Å, given or found */
void fl_reconstruction_assignment (const FlReconstruction *reconstruction, guint pattern,
                                   FlAssignment *assignment);

/* Everything that the next generation depends on, beside the patterns: the same at all ranks (collective) but for the
 * patterns' own part, which comes in order of FlPatterns.row from all ranks. Rank 0 gets the bytes, the others NULL. */
GBytes *fl_reconstruction_save (FlReconstruction *reconstruction);
/* Collective: rank 0's bytes are shared; any number of ranks. FL_ERROR_INPUT: not of these patterns or parameters. */
gboolean fl_reconstruction_restore (FlReconstruction *reconstruction, GBytes *bytes, GError **error);

/* Collective, in place of a beginning at nothing: the half sets' models, the stage and what was known of patterns, from what an
 * earlier reconstruction of fewer patterns has saved (rank 0's bytes). Patterns are told by their ids; halves are drawn by them,
 * so that no pattern comes to the other half's model. Where the diameter is not given, the earlier one's holds. It goes on at the
 * stage that was reached, the half sets apart. FL_ERROR_INPUT: another seed, resolution, symmetry, diameter or number of
 * conformations, not far enough or damaged: nothing is taken. */
gboolean fl_reconstruction_start_from (FlReconstruction *reconstruction, GBytes *former, GError **error);
