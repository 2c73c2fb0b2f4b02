/* hdf5-virtual.h: virtual datasets read through their mappings (private to the room).
 *
 * HDF5 fills what a missing file should give with a fill value and cannot undo detectors' filters without plug-ins: so the
 * mappings are followed here, a source dataset being one more FlH5Slab. Mappings between regular hyperslabs are known
 * (frames after each other or dealt out in turns, modules of a frame, or both); others are left to HDF5.
 * Thread: the source's. */
#pragma once

#include "engine/shots/hdf5-slab.h"

typedef struct FlH5Virtual FlH5Virtual;

/* NULL without an error: not virtual, or mapped in a way that is not known here. `depth`: how many virtual datasets led to
 * this one; too many are an error. */
FlH5Virtual *fl_h5_virtual_new (hid_t dataset, guint depth, GError **error);
void fl_h5_virtual_free (FlH5Virtual *virtual);

/* Reads the box of `slab` (whose dataset is the virtual one) at these indices of its frame dimensions into `pixels`, in
 * slab->type. Adds to *t_decode. */
gboolean fl_h5_virtual_read (FlH5Virtual *virtual, const FlH5Slab *slab, const hsize_t *frame_index,
                             void *pixels, guint64 *t_decode, GError **error);
/* The one type that the pixels behind it have; FALSE: several, or no source is there. */
gboolean fl_h5_virtual_type (FlH5Virtual *virtual, FlPixelType *type);
/* A file that a mapping needs and that is not there; NULL: all are. g_free. */
char *fl_h5_virtual_missing (const FlH5Virtual *virtual);
