/* geometry-data.h: a geometry of any form for the images of an HDF5 file (private to the room). */
#pragma once

#include "engine/shots/geometry.h"
#include "engine/shots/hdf5-util.h"

/* What CrystFEL's files say of paths and dimensions holds. Other forms tell a stack of panels; it is looked for in the file: rows
 * of all segments one upon the other, or segment by segment, a frame or many. `file_path`: for messages. */
FlGeom *fl_geometry_for_data (const char *geometry, hid_t file, const char *file_path, GError **error);
