/* pattern-detector.h: pixels of patterns from whatever describes a detector (private to the room). Errors: one line with
 * the file's name. Thread: one (HDF5). */
#pragma once

#include "engine/shots/detector.h"
#include "engine/shots/skopi.h"
#include "engine/spi/pattern-source.h"

/* Dragonfly's: HDF5 (.h5) or text: `pixels detd ewald_rad`, then qx qy qz corr mask a line, q in voxels. The wavelength: what
 * our own HDF5 says, or `wavelength` (Å; 0: then the other must be there). */
FlPatternPixels *fl_pattern_detector_read (const char *path, double wavelength, GError **error);
/* A geometry's, its panels moved by `shift` (mm). */
FlPatternPixels *fl_pattern_detector_from_panels (const FlDetector *detector, FlVec3 shift, double wavelength,
                                                  FlPolarised polarised);
/* skopi's; the wavelength from the curvature of its pixels, or as given where they are flat. NULL: neither. */
FlPatternPixels *fl_pattern_detector_from_skopi (const FlSkopi *skopi, double wavelength);

/* Masks pixels whose numbers are no good; factors to mean 1 over the others. FALSE: none is left. */
gboolean fl_pattern_pixels_normalise (FlPatternPixels *pixels);
