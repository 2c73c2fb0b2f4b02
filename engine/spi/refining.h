/* refining.h: orientations off the grid: one round of expectation maximisation in which a pattern is compared in a few turns
 * about its own orientation alone.
 *
 * The likelihood is matching.h's. A pattern has 32 candidates, evenly spread over a ball of rotations about what is
 * known of it, and of its own conformation; P ∝ exp (L) over them. Its new orientation is their mean under P, and the model is
 * fitted with a few of them, drawn from P in equal shares. What comes out of patterns is each rank's own; the fit's sums are
 * over all ranks. Thread: one. */
#pragma once

#include "engine/spi/fitting.h"
#include "engine/spi/matching.h"

/* Of one pattern: what is known, and what is made of it. */
typedef struct
{
  FlQuat orientation; /* particle's frame → laboratory */
  guint conformation;
  float scale;       /* φ */
  float likelihood;  /* out: L of the best candidate */
  float information; /* out: nats, of the assignment, against all rotations */
} FlRefined;

typedef struct FlRefining FlRefining;

/* What is given must stay. */
FlRefining *fl_refining_new (FlParallel *parallel, FlkDevice *device, const FlPatterns *patterns,
                             const FlSpiStage *stage, const FlRadial *radial, GError **error);
void fl_refining_free (FlRefining *refining);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlRefining, fl_refining_free)

/* Collective. `radius` (rad) of the ball, below 1. `models`: [n_conformations], of the stage's grid, replaced by better ones.
 * `refined`: [n] of the group's patterns. seconds: slice, match, merge; added to. */
gboolean fl_refining_run (FlRefining *refining, guint n_conformations, FlVolume *const *models,
                          const FlMatchGroup *group, double radius, FlRefined *refined, float seconds[3],
                          GError **error);

/* Rotations of a set that is everywhere as fine as a ball's candidates. */
double fl_refining_rotations (double radius);
