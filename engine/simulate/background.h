/* background.h: photons that are not Bragg's: water ring, air, low angles; Poisson, 1 Mpx in a few ms.
 *
 * The mean image is made once: (0.15 + 0.85 ring + 1.3 low-angle) with the ring of water at 0.31 Å⁻¹ (d = 3.2 Å),
 * times polarisation and solid angle. Its values are cut into 256 geometric levels; a pixel between two levels takes
 * one of them, once and for all, by a coin that keeps its mean exact, so averages over pixels are exact and no pixel's
 * own mean is off by more than a level (below 2 %). For a shot's scale, each level gets Walker's (1974) alias table of
 * its Poisson distribution, cut where a tail has less than 10⁻⁹; a pixel then costs half a 64-bit random number and a
 * look-up. Probabilities are exact to 2⁻²⁴ of a table's column. Thread: the drawer's own. */
#pragma once

#include "engine/base/hash.h"
#include "engine/simulate/bragg-spots.h"
#include "engine/simulate/detector-layout.h"

typedef struct FlBackground FlBackground;

/* `level`: photons a pixel at the water ring's peak for a pixel square to the beam at the camera length. */
FlBackground *fl_background_new (const FlDetectorLayout *layout, double wavelength, double level,
                                 FlPolarisation polarisation, guint64 seed);
void fl_background_free (FlBackground *background);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlBackground, fl_background_free)

/* The mean at scale 1, photons, [n_pixels]: what was asked for, before levels. */
void fl_background_mean (const FlBackground *background, float *mean);
/* Fills photons[n_pixels] for a shot whose background is `scale` times the mean. */
void fl_background_draw (FlBackground *background, double scale, FlRandom *random, guint16 *photons);
