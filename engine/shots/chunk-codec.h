/* chunk-codec.h: undoes the HDF5 filters that detectors use, on raw chunks (private to the room).
 *
 * shuffle (2), deflate (1), LZ4 (32004) and bitshuffle with or without LZ4 (32008; Masui et al. 2015), in any order.
 * Every length is checked against the bytes that are there. Thread: an FlChunkCodec belongs to one thread. */
#pragma once

#include <glib.h>
#include <hdf5.h>

#define FL_CHUNK_FILTERS 4

typedef struct
{
  guint n;
  struct
  {
    int id;
    guint element; /* bytes an element, for the shuffles */
    gboolean lz4;  /* bitshuffle: LZ4 inside */
  } filters[FL_CHUNK_FILTERS];
  guint8 *scratch[3]; /* chunk size each, made when first needed: two between the steps, one for bitshuffle */
  gsize size;
} FlChunkCodec;

/* FALSE: the pipeline has a filter that is not ours; leave the chunks to HDF5. */
gboolean fl_chunk_codec_init (FlChunkCodec *codec, hid_t create_list, gsize chunk_size);
void fl_chunk_codec_clear (FlChunkCodec *codec);

/* Decodes one stored chunk into `out` (the chunk's size). `skipped` has bit i set when filter i was not applied.
 * Returns NULL, or what is wrong with it. */
const char *fl_chunk_decode (FlChunkCodec *codec, guint32 skipped, const guint8 *in, gsize length,
                             guint8 *out);
