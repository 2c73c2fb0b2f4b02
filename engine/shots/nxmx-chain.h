/* nxmx-chain.h: NeXus' chains of transformations (private to the room).
 *
 * An axis is a dataset with the attributes transformation_type, vector, units, offset, offset_units and depends_on; it
 * turns by, or moves along, its value and then by its offset; the axis that it depends on comes after it. NeXus'
 * (McStas') laboratory frame is ours: z along the beam, y up. Thread: HDF5's. */
#pragma once

#include <glib.h>

#include "engine/base/vec.h"
#include "engine/shots/hdf5-util.h"

/* An axis whose value differs from frame to frame; it moves what hangs on it without turning it. */
typedef struct
{
  char *path;   /* its dataset */
  FlVec3 step;  /* mm in the laboratory, a unit of its values */
  double first; /* value that the place was taken at: that of the first frame */
} FlNxmxMove;

typedef struct
{
  FlMat3 turn;
  FlVec3 place;  /* mm: r → turn r + place */
  GArray *moves; /* of FlNxmxMove */
} FlNxmxFrame;

void fl_nxmx_frame_clear (FlNxmxFrame *frame);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FlNxmxFrame, fl_nxmx_frame_clear)

/* Where the chain that begins with the axis `path` ("." or NULL: no axis) puts things, at the first frame. FALSE: *error
 * says which axis is missing or cannot be used. */
gboolean fl_nxmx_chain (hid_t file, const char *file_path, const char *path, FlNxmxFrame *frame,
                        GError **error);

/* What the attribute or dataset `depends_on` of an object in the group `group` means: an absolute path; NULL for ".". */
char *fl_nxmx_resolve (const char *group, const char *depends_on);
