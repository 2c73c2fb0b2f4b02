/* hits.h: what a shot of single particles shows, told without any truth: nothing, one particle, several, or junk.
 *
 * Learned from a sample of the run's own shots: the background (of those at whose photons a particle explains nothing: two
 * components of Poisson's radial counts, Lee and Seung 2001), the single particle's radial profile and how much it varies
 * from shot to shot beyond Poisson, and, from pairs of photons, the particle's size and how strong its speckles are. All by
 * medians, and without droplets, which may outshine all else. A shot is then
 *   blank    where a particle explains too little: photons above background, and their likelihood ratio,
 *   junk     where an ellipsoid explains it down to Poisson's noise (droplets; where the particle does not look like one
 *            itself), where its radial profile is none that the particle shows, the more so where its speckles are
 *            faint, or where its speckles tell of a diameter outside hits.min_diameter … hits.max_diameter,
 *   several  where pairs of photons tell of distances beyond the particle's (fringes between particles near each other).
 * Several particles far apart add up their patterns: they look like one in a stronger pulse, and cannot be told from it by
 * a shot alone.
 * Thread: one; shots are judged one by one, so that results do not depend on who judges which. */
#pragma once

#include "engine/base/batch.h"
#include "engine/base/params.h"
#include "engine/spi/patterns.h"

typedef struct FlHits FlHits;

/* From a sample (some hundreds of shots; the order does not matter where they are sorted alike). `sample`'s pixels and
 * `params` must stay. Without any photons every shot is blank. */
FlHits *fl_hits_learn (const FlPatterns *sample, const FlParams *params);
void fl_hits_free (FlHits *hits);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlHits, fl_hits_free)

/* What was learned, and from it the same again; FL_ERROR_INPUT: not of these pixels, or damaged. */
GBytes *fl_hits_save (const FlHits *hits);
FlHits *fl_hits_restore (GBytes *bytes, const FlPatternPixels *pixels, const FlParams *params,
                         GError **error);

/* Fills all but `shot`. */
void fl_hits_judge (const FlHits *hits, const FlPatterns *patterns, guint i, FlParticleRow *row);
/* [pixels] photons a pattern that are not the particle's: smooth; the hits'. */
const float *fl_hits_background (const FlHits *hits);
/* One line for the log: what was learned. */
char *fl_hits_describe (const FlHits *hits);
