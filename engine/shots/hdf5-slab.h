/* hdf5-slab.h: reads a slab (geom-layout.h) of one frame from an HDF5 dataset, in one piece (private to the room).
 *
 * Where the filters are known here, chunks are fetched raw and decoded by us: about twice as fast as HDF5's pipeline,
 * each chunk touched once whatever its shape, and damage noticed (HDF5 1.10 reads past its buffers when a chunk unpacks
 * to less than it should). Chunks of several frames are kept for the next ones. Else one H5Dread. Thread: the source's. */
#pragma once

#include "engine/shots/chunk-codec.h"
#include "engine/shots/geom-layout.h"
#include "engine/shots/hdf5-util.h"

typedef struct
{
  const FlGeomSlab *layout;
  const char *file_path; /* for messages; the source's */
  char *path;
  hid_t dataset, space, file_type;
  hsize_t dims[FL_GEOM_DIMS], chunk[FL_GEOM_DIMS];
  guint64 n_frames; /* product of the frame dimensions */
  FlPixelType type; /* delivered */
  gboolean filtered;
  gboolean direct;             /* chunks are decoded by us */
  gboolean convert;            /* …and turned from the file's type into `type` */
  gboolean dense;              /* a chunk inside the box is one run of the shot's array */
  gboolean keep;               /* chunks hold several frames: decoded ones are kept */
  gboolean strewn;             /* the box is not one run of the shot's array (it is a piece of another one) */
  struct FlH5Virtual *virtual; /* NULL: the dataset has its pixels itself */
  FlChunkCodec codec;
  gsize chunk_pixels;
  GArray *chunks; /* of the frame being read */
  guint8 *raw, *decoded;
  guint8 fill[8];
  gsize raw_allocated;
} FlH5Slab;

FlH5Slab *fl_h5_slab_open (hid_t file, const char *file_path, const char *path, const FlGeomSlab *layout,
                           GError **error);
/* The same for a dataset that `depth` virtual ones led to. */
FlH5Slab *fl_h5_slab_open_source (hid_t file, const char *file_path, const char *path,
                                  const FlGeomSlab *layout, guint depth, GError **error);
/* FALSE: the geometry needs pixels that the dataset does not have. Asked before the first read. */
gboolean fl_h5_slab_fits (const FlH5Slab *slab, GError **error);
void fl_h5_slab_close (FlH5Slab *slab);

/* Makes reads deliver another type than the file's own. */
void fl_h5_slab_deliver (FlH5Slab *slab, FlPixelType type);

/* Reads the slab of `frame` (counted through the frame dimensions) into `pixels`, layout->n_pixels of slab->type.
 * Adds to *t_decode. */
gboolean fl_h5_slab_read (FlH5Slab *slab, guint64 frame, void *pixels, guint64 *t_decode, GError **error);

/* The same at given indices of the frame dimensions. */
gboolean fl_h5_slab_read_at (FlH5Slab *slab, const hsize_t *frame_index, void *pixels, guint64 *t_decode,
                             GError **error);

/* The index in each frame dimension (of `dims`) of the frame-th; 0 in others. */
void fl_h5_frame_indices (const FlGeomSlab *layout, const hsize_t *dims, guint64 frame, hsize_t *index);
/* Selects a frame's box in `space`; returns the memory that it goes to, to be closed. That has the same dimensions:
 * between different ones HDF5 copies element by element. */
hid_t fl_h5_select_box (hid_t space, const FlGeomSlab *layout, const hsize_t *frame_index);

/* The same box of a companion of the data (a mask, a saturation map): the dataset has the data's dimensions, with or
 * without the frame's, or the same rows in other planes ([module][ss][fs] for [rows][fs], and the reverse). */
typedef struct
{
  gboolean bytes;     /* values are guint8, as in the file (masks mostly are: no conversion of millions) */
  gboolean per_frame; /* it has one for each frame */
  void *values;       /* layout->n_pixels: guint8, gint64, or double when reals were asked for */
} FlH5Companion;

/* `dims`: of the data; NULL: rows in other planes are not looked for. The caller frees values. (hdf5-companion.c) */
gboolean fl_h5_companion_read (hid_t file, const char *file_path, const char *path, const FlGeomSlab *layout,
                               const hsize_t *dims, guint64 frame, gboolean reals, FlH5Companion *companion,
                               GError **error);

static inline guint64
fl_h5_companion_bits (const FlH5Companion *companion, gsize i)
{
  return companion->bytes ? ((const guint8 *) companion->values)[i]
                          : (guint64) ((const gint64 *) companion->values)[i];
}
