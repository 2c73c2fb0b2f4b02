/* refinement.h: one lattice refined against the spots of its shot.
 *
 * Parameters: orientation (3), cell under the lattice type's constraints (1–6), beam shift (2), distance (0 or 1).
 * Residuals of a paired spot: x and y on its panel in units of its error (not below a floor), and the excitation error;
 * robust loss; Levenberg–Marquardt with analytic derivatives. Thread: any. */
#pragma once

#include "engine/base/batch.h"
#include "engine/base/params.h"
#include "engine/crystal/lattice.h"
#include "engine/sfx/shot-geometry.h"

typedef struct
{
  FlMat3 star;  /* in: from the indexer; out: refined */
  FlVec3 shift; /* mm; in: the shot's own (FlShot.shift); out: with the refined beam shift and distance */
  double rmsd;  /* px, over the pairs kept, 2-D: √⟨Δx² + Δy²⟩ */
  guint n_pairs;
  double excitation; /* 1/Å, r.m.s. of the pairs' excitation errors */
} FlRefined;

/* What spot i was taken for: FALSE in `used` when it is no pair. */
typedef struct
{
  gint16 h, k, l;
  gboolean used;
  float excitation; /* 1/Å */
} FlPair;

/* Parameters of the stage "refine". `pairs` (may be NULL) gets one a spot. FALSE: not refined (too few pairs, ran away):
 * *refined is as it came, `why` (may be NULL) a static string. */
gboolean fl_refine (const FlParams *params, const FlShotGeometry *geometry, const FlSpotRow *spots, guint n_spots,
                    const FlKnownCell *known, FlRefined *refined, FlPair *pairs, const char **why);
