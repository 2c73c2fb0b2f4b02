/* chunk-encode.h: stacks of frames in HDF5 with the compressions that detectors use: bitshuffle with LZ4 (Masui et al.
 * 2015; filter 32008) and LZ4 (32004) are packed here and written as whole chunks, so that no plug-in is needed and a
 * frame costs what the packing costs; deflate is HDF5's own. chunk-codec.h undoes them. Thread: HDF5's. */
#pragma once

#include <glib.h>
#include <hdf5.h>

typedef enum
{
  FL_COMPRESSION_NONE,
  FL_COMPRESSION_DEFLATE, /* level 1 behind HDF5's shuffle */
  FL_COMPRESSION_BITSHUFFLE,
  FL_COMPRESSION_LZ4
} FlCompression;

/* Declares the compression in a dataset's creation list. */
void fl_chunk_set_filter (hid_t create_list, FlCompression compression, gsize element);

/* The most bytes that a chunk of `n` elements may take, and its packing into `out` of that size: the bytes written. For
 * BITSHUFFLE and LZ4. */
gsize fl_chunk_bound (FlCompression compression, gsize n, gsize element);
gsize fl_chunk_pack (FlCompression compression, const void *in, gsize n, gsize element, guint8 *out);

/* Appends frame number `frame` to [frames][height][width], a chunk a frame. `type`: the pixels', the dataset's own;
 * `packed`: fl_chunk_bound() bytes, NULL for NONE and DEFLATE. */
gboolean fl_chunk_append_frame (hid_t dataset, FlCompression compression, hid_t type, guint64 frame,
                                gsize height, gsize width, const void *pixels, guint8 *packed);
