/* refinement.h: one lattice refined against the spots of its shot.
 *
 * Parameters: orientation (3), cell under the lattice type's constraints (1–6), beam shift (2), distance (0 or 1); the cell
 * held weakly to the known one and the shift to the shot's own, so that few spots do for a lattice.
 * Residuals of a spot and its nearest lattice point: fs and ss on its panel, and the excitation error; each against
 * widths that are learned from the spots themselves, as is how many of them are the lattice's, side maxima of its spots,
 * or chance; Levenberg–Marquardt with analytic derivatives. Of several spots at a lattice point the brightest counts.
 * Starts that are off by 1° or more come home. The same spots in any order give the same lattice. Thread: any. */
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

/* What spot i was taken for: FALSE in `used` when it is no pair (then the nearest lattice point, or 0 0 0): side maxima are
 * not, nor the weaker of two spots at one lattice point. */
typedef struct
{
  gint16 h, k, l;
  gboolean used;
  float excitation; /* 1/Å */
} FlPair;

/* Parameters of the stage "refine". `pairs` (may be NULL) gets one a spot. FALSE: not refined (too few pairs, ran away):
 * *refined is as it came, `why` (may be NULL) a static string. */
gboolean fl_refine (const FlParams *params, const FlShotGeometry *geometry, const FlSpotRow *spots,
                    guint n_spots, const FlKnownCell *known, FlRefined *refined, FlPair *pairs,
                    const char **why);
