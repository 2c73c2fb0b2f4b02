/* prediction.h: which reflections of a lattice a shot shows, and where.
 *
 * Walks the lattice along the Ewald sphere (for each pair of indices the short range of the third within the points'
 * half-width), so that the cost follows the number of reflections found. Systematic absences of the centring are left out.
 * Places are those of the pulse's mean energy. Thread: any. */
#pragma once

#include "engine/base/batch.h"
#include "engine/sfx/mosaic.h"
#include "engine/sfx/shot-geometry.h"

/* Appends FlReflectionRow to `rows`, sorted by (h, k, l): indices, panel, fs, ss, excitation, partiality, d; sigma −1; the
 * rest 0. d_min in Å. */
void fl_predict (const FlShotGeometry *geometry, const FlMat3 *star, char centring, const FlMosaic *mosaic,
                 double d_min, GArray *rows);
