/* matching.h: in which orientations, of which conformation, patterns are seen, and models of what they show there: one
 * round of expectation maximisation for one group of patterns.
 *
 * The likelihood is Poisson's with the pattern's scale maximised out, against a radially symmetric particle:
 *   L(d, c, r) = Σ_t k ln (I / radial) − K ln (Σ_t factor I / Σ_t factor radial)
 * and the assignment P ∝ weight(r) exp (β L) over all conformations c and rotations r. With a background b, I stands for
 * I + b / factor. Slices of the models are made once a node, each of its ranks a part, and what the patterns show is summed
 * over ranks, each of which then fits a part of the rotations. Thread: one. */
#pragma once

#include "engine/spi/fitting.h"

/* This rank's patterns of a group; the last ones are judged, but not merged. */
typedef struct
{
  guint n, n_merged;
  guint *pattern; /* [n] number in FlPatterns */
} FlMatchGroup;

/* Of one pattern. */
typedef struct
{
  guint conformation, rotation; /* the most probable */
  float likelihood;             /* L of it */
  float information;            /* nats: of the assignment */
  float share;                  /* 0–1: probability of its conformation */
  float scale;                  /* φ */
} FlMatched;

typedef struct FlMatching FlMatching;

/* Collective. What is given must stay. */
FlMatching *fl_matching_new (FlParallel *parallel, FlkDevice *device, const FlPatterns *patterns,
                             const FlSpiStage *stage, const FlRadial *radial, guint n_conformations,
                             GError **error);
void fl_matching_free (FlMatching *matching);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlMatching, fl_matching_free)

/* Collective. `models`: [n_conformations], of the stage's grid, replaced by better ones. `scale`: [n] φ of the group's patterns
 * so far. `matched`: [n]. seconds: slice, match, merge; added to. */
gboolean fl_matching_run (FlMatching *matching, FlVolume *const *models, const FlMatchGroup *group,
                          const float *scale, double beta, FlMatched *matched, float seconds[3],
                          GError **error);
