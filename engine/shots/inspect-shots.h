/* inspect-shots.h: what `inspect` asks of this room beside sources: geometries by themselves, HDF5 of any layout. */
#pragma once

#include "engine/shots/detector.h"

/* The detector of a geometry of any form (geometry.h), as far as it is known without data (no mask files; camera length 0
 * when it comes from the data). *form gets its name, *text "key: value" lines about the rest. NULL: *error. */
FlDetector *fl_inspect_geometry (const char *path, const char **form, char **text, GError **error);

/* "format: …" and the datasets of an HDF5 file that is no source of shots. NULL: *error. */
char *fl_inspect_hdf5 (const char *path, GError **error);

/* Whether a file that begins so is LCLS-II's raw data. */
gboolean fl_inspect_is_xtc2 (const guint8 *head, gsize length);
/* How many datagrams of each kind it has and which records, images or not; *whole: it does not end within a datagram.
 * NULL: *error. */
char *fl_inspect_xtc2 (const char *path, gboolean *whole, GError **error);
