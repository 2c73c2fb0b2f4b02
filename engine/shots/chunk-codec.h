/* chunk-codec.h: undoes the HDF5 filters that detectors use, on raw chunks (private to the room).
 *
 * shuffle (2), deflate (1), LZF (32000), LZ4 (32004), zstd (32015) and bitshuffle alone or with LZ4 or zstd (32008; Masui
 * et al. 2015), in any order; zstd where the library is there.
 * Every length is checked against the bytes that are there. Thread: an FlChunkCodec belongs to one thread. */
#pragma once

#include <glib.h>
#include <hdf5.h>

#define FL_CHUNK_FILTERS 4

/* What packs bitshuffle's blocks, as the filter's parameters number it. */
enum
{
  FL_BITSHUFFLE_PLAIN = 0,
  FL_BITSHUFFLE_LZ4 = 2,
  FL_BITSHUFFLE_ZSTD = 3
};

typedef struct
{
  guint n;
  struct
  {
    int id;
    guint element; /* bytes an element, for the shuffles */
    guint inside;  /* bitshuffle: FL_BITSHUFFLE_… */
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
