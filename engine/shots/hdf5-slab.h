/* hdf5-slab.h: reads a slab (geom-layout.h) of one frame from an HDF5 dataset, in one piece (private to the room).
 *
 * Where each chunk belongs to one frame and its filters are known here, chunks are fetched raw and decoded by us (about
 * twice as fast as HDF5's pipeline, and each chunk is touched once whatever its shape); else one H5Dread with a chunk
 * cache that holds a frame's chunks. Thread: the source's. */
#pragma once

#include "engine/shots/chunk-codec.h"
#include "engine/shots/geom-layout.h"
#include "engine/shots/hdf5-util.h"

typedef struct
{
  const FlGeomSlab *layout;
  const char *file_path; /* for messages; the source's */
  char *path;
  hid_t dataset, space;
  hsize_t dims[FL_GEOM_DIMS], chunk[FL_GEOM_DIMS];
  guint64 n_frames;      /* product of the frame dimensions */
  FlPixelType type;
  gboolean filtered;
  gboolean direct;       /* chunks are decoded by us */
  gboolean dense;        /* a chunk inside the box is one run of the shot's array */
  FlChunkCodec codec;
  gsize chunk_pixels;
  GArray *stored;        /* the frame's chunks, as read */
  guint8 *raw, *decoded, *fill;
  gsize raw_allocated;
} FlH5Slab;

FlH5Slab *fl_h5_slab_open (hid_t file, const char *file_path, const char *path, const FlGeomSlab *layout,
                           GError **error);
/* FALSE: the geometry needs pixels that the dataset does not have. Asked before the first read. */
gboolean fl_h5_slab_fits (const FlH5Slab *slab, GError **error);
void fl_h5_slab_close (FlH5Slab *slab);

/* Reads the slab of `frame` (counted through the frame dimensions) into `pixels`, layout->n_pixels of `type`. Adds to
 * *t_decode. */
gboolean fl_h5_slab_read (FlH5Slab *slab, guint64 frame, FlPixelType type, void *pixels, guint64 *t_decode,
                          GError **error);

/* Reads the same box of a companion of the data (a mask, a saturation map): the dataset has the data's dimensions, with
 * or without the frame's. `values` gets layout->n_pixels items of 8 bytes of `memory_type`. *per_frame (may be NULL)
 * says whether it has one for each frame. */
gboolean fl_h5_companion_read (hid_t file, const char *file_path, const char *path, const FlGeomSlab *layout,
                               guint64 frame, hid_t memory_type, void *values, gboolean *per_frame, GError **error);
