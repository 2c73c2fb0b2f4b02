/* map-view.h: densities and models as `serve` answers them. Thread: any. */
#pragma once

#include "engine/view/messages-maps.h"

/* A CCP4 or MRC file of `most` voxels at most: of a larger one every point is the mean of a block of the file's. */
FlViewMap *fl_map_view (const char *path, guint32 most, GError **error);
/* The atoms of a PDB or mmCIF file. */
FlViewModel *fl_model_view (const char *path, GError **error);
