/* droplet.h: whether a shot shows no more than a drop: how much its photons tell beyond the uniform ellipsoid that explains
 * them best (its section by the detector is an ellipse: three numbers and a strength, by Fisher's scoring of Poisson's
 * likelihood, from the best spheres). What is left is Poisson's for a drop, whatever its size and shape; a molecule's speckles
 * leave tenths of a nat a photon.
 *
 * Pixels are gathered into cells, fine ones for the fit and, of four each, those that are judged by: two fifths of a
 * speckle of the particle. Further out than seven of its speckles nothing is looked at. Of drops beyond twice its size not
 * all fringes are found: they look like no particle of that size anyway. Thread: one. */
#pragma once

#include "engine/spi/patterns.h"

typedef struct FlDroplets FlDroplets;

typedef struct
{
  double diameter; /* Å, mean of the section's axes */
  double photons;  /* above background, of those that were looked at */
  double excess;   /* nats a photon above background, less what Poisson's noise makes */
  double sigma;    /* of it, by Poisson's noise */
} FlDropletFit;

/* `background` [pixels] photons a pattern that are no sample's; `diameter` of the particle, Å, above 0. */
FlDroplets *fl_droplets_new (const FlPatternPixels *pixels, const float *background, double diameter);
void fl_droplets_free (FlDroplets *droplets);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlDroplets, fl_droplets_free)

/* FALSE: no photons above background. */
gboolean fl_droplets_fit (const FlDroplets *droplets, const FlPatterns *patterns, guint i, FlDropletFit *fit);
