/* ice.h: spots of ice: crystallites in the jet, turned at random, each of which shows one reflection of hexagonal ice now and then.
 *
 * A spot lies on one of its nine inner rings (3.90 … 1.88 Å), drawn roughly by the rings' intensities in a powder pattern,
 * anywhere around the beam; its photons are exponentially distributed. Thread: any. */
#pragma once

#include "engine/base/hash.h"
#include "engine/simulate/bragg-spots.h"

/* Poisson of `mean` spots, drawn as photons. `wavelength` Å. Those that miss the panels are not drawn. */
void fl_ice_spots (const FlDetector *detector, double wavelength, double mean, FlRandom *random,
                   FlPatchFunc draw, gpointer data);
