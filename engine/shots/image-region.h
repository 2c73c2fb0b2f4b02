/* image-region.h: a CrystFEL geometry given with an image that is no HDF5: which part of it the panels show (private to the
 * room). The geometry's detector replaces the one of the image's own header, whose wavelength, camera length and limits of
 * trust are taken where the geometry leaves them to the data. */
#pragma once

#include "engine/shots/source.h"

typedef struct FlImageRegion FlImageRegion;

/* `path`: the image, for messages; `columns`: px a row of it (0: rows of several lengths, an error here). *detector, the
 * header's, of all its pixels, is replaced. NULL: *error. */
FlImageRegion *fl_image_region_new (const char *path, FlDetector **detector, gsize columns,
                                    const char *geometry, GError **error);
void fl_image_region_free (FlImageRegion *region);

/* Where the whole image is to be read, and what then cuts `shot` out of it. */
FlShot *fl_image_region_whole (FlImageRegion *region);
void fl_image_region_cut (const FlImageRegion *region, FlShot *shot);
