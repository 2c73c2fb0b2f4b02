/* live-plots.h: the Live page's strips, for crystals and for single particles, and what a job's shots add to them and to the line of
 * facts. Thread: main. */
#pragma once

#include "engine/store/particles.h"
#include "engine/store/shots.h"
#include "widgets/strip-plot.h"

/* Of crystals: strong spots, hits and indexed, resolution. Of particles: photons, classes, diameter. */
FlwStripPlot *flg_live_plot_new (gboolean particles);

/* What the shots of a job, or of several, have come to beyond the store's counts. */
typedef struct
{
  guint64 lattices, indexed; /* lattices, and shots that have any */
  guint64 resolved;          /* indexed shots with a resolution, and the sum of their 1/d², Å⁻² */
  double squares;
  guint64 classes[FL_PARTICLE_LAST], unclassified; /* shots: processed, but nothing is said of them */
  double photons;                                  /* sum over single particles */
} FlgLiveTally;

void flg_live_tally_add (FlgLiveTally *to, const FlgLiveTally *from);
/* " · 67.0 % of hits indexed, 1.13 lattices each, to 2.30 Å"; "" without lattices. */
char *flg_live_crystal_words (const FlgLiveTally *tally, gint64 hits, gint64 indexed);
/* " of 1,040 photons · 120 several · 80 junk": goes on from the number of hits, which are the single ones. */
char *flg_live_particle_words (const FlgLiveTally *tally);

/* What is known of a job's shots, by their id, until they are drawn. */
GHashTable *flg_particle_table_new (void);
void flg_particle_table_add (GHashTable *table, const FlParticleBlock *block);

/* Appends the block's shots to the run of the plot and to the tally. `particles` NULL: of crystals; else a table, from which what
 * has been drawn is taken out. */
void flg_live_plot_append (FlwStripPlot *plot, guint run, const FlShotBlock *block, GHashTable *particles,
                           FlgLiveTally *tally);
