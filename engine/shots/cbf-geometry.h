/* cbf-geometry.h: the detector that a CBF header describes (private to the room).
 *
 * Full imgCIF: panels are the array sections (or whole arrays), placed by the axes that their fast and slow directions
 * depend on, each a rotation or translation by its setting, positioned by its offset (Bernstein & Hammersley 2005).
 * miniCBF: the comment header of DECTRIS' Pilatus and Eiger.
 * imgCIF's frame has z from the sample to the source and, at XFELs, y up; ours is that turned by half a turn about y:
 * (x, y, z) → (−x, y, −z). Thread: any. */
#pragma once

#include "engine/shots/cbf-header.h"
#include "engine/shots/detector.h"

/* NULL: *error says what the header lacks. */
FlDetector *fl_cbf_detector (const FlCbf *cbf, const char *path, GError **error);
/* Å; 0 = the header does not tell. */
double fl_cbf_wavelength (const FlCbf *cbf);
