/* pair-power.h: the pairs of photons in patterns, and what their distances tell of the particle's autocorrelation (private
 * to the room; particle-size.h says why).
 *
 * First the means of some patterns, then fl_pair_power_weigh(), then pairs. Sums are whole numbers, so that they are the
 * same whatever their order. Thread: one. */
#pragma once

#include "engine/spi/patterns.h"

#define FL_PAIR_BEYOND 1.24 /* how much further a particle reaches than fl_pair_power_end() */
/* Of the distance between two photons: fewer blur what the lattice of pixels does to it. */
#define FL_PAIR_BINS 8192

typedef struct
{
  const FlPatternPixels *pixels;
  double step; /* Å⁻¹, about a pixel; of shells */
  double cell; /* Å⁻¹, of the mean's cells: step, or more where pixels are many */
  guint n_shells;
  guint32 *shell;      /* [pixels] */
  double *area;        /* [shells] Σ factor of good pixels */
  double inner, outer; /* Å⁻¹, where the window opens and closes */
  guint64 *sums;       /* [2 · shells + 2]: Σ k, Σ K k; Σ K, Σ K² (K: a pattern's photons) */
  guint32 *weight;     /* [pixels] ∝ window / √mean */
  double bin;          /* Å⁻¹ */
} FlPairPower;

/* Of these pixels, which must stay. */
FlPairPower *fl_pair_power_new (const FlPatternPixels *pixels);
void fl_pair_power_free (FlPairPower *power);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlPairPower, fl_pair_power_free)

/* A pattern's lit pixels into `pixel` and `count` (room for all of them), thinned out at random (seeded by its id) where it
 * has too many photons, which leaves them Poisson's; how many pixels. *total: photons left. */
guint fl_pair_power_take (const FlPatterns *patterns, guint i, guint32 *pixel, guint32 *count,
                          guint64 *total);
void fl_pair_power_add_mean (FlPairPower *power, guint n, const guint32 *pixel, const guint32 *count,
                             guint64 total);
/* Weights from the sums. */
void fl_pair_power_weigh (FlPairPower *power);
/* pairs[FL_PAIR_BINS] += products of weights of every two photons. */
void fl_pair_power_add_pairs (const FlPairPower *power, guint n, const guint32 *pixel, const guint32 *count,
                              guint64 *pairs);
/* What the mean μ (of all photons together 1) has of them: mean[FL_PAIR_BINS] those of μ with itself, scaled[] those of
 * Σ K k with it, both ways (NULL: not wanted). */
void fl_pair_power_mean_pairs (const FlPairPower *power, double *mean, double *scaled);
/* Of a correlation (pairs less the mean's), [FL_PAIR_BINS]: the power at the distance x (Å) in the transforms, mean over
 * directions; */
double fl_pair_power_at (const FlPairPower *power, const double *correlation, double x);
/* the last x (Å) where it is above a hundredth of its maximum and the noise; 0: none. */
double fl_pair_power_end (const FlPairPower *power, const double *correlation);
