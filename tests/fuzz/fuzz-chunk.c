/* Packed chunks of HDF5 by the filters that detectors use. The first four bytes choose one or two of them, and the size. */

#include "engine/shots/chunk-codec.h"
#include "tests/fuzz/fuzz-file.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const struct
  {
    int id;
    guint inside;
  } kinds[] = { { H5Z_FILTER_DEFLATE, 0 },
                { H5Z_FILTER_SHUFFLE, 0 },
                { 32000, 0 },
                { 32004, 0 },
                { 32015, 0 },
                { 32008, FL_BITSHUFFLE_PLAIN },
                { 32008, FL_BITSHUFFLE_LZ4 },
                { 32008, FL_BITSHUFFLE_ZSTD } };
  if (size < 4)
    return 0;
  guint element = 1u << (data[0] >> 6);
  gsize length = (gsize) element * ((gsize) data[2] * 37 + data[3] + 1);
  FlChunkCodec codec = { .n = 1 + (data[1] & 1), .size = length };
  for (guint i = 0; i < codec.n; i++)
    {
      guint kind = data[0] >> (3 * i) & 7;
      codec.filters[i].id = kinds[kind].id;
      codec.filters[i].element = element;
      codec.filters[i].inside = kinds[kind].inside;
    }
  g_autofree guint8 *in = g_memdup2 (data + 4, size - 4), *out = g_malloc0 (length);
  (void) fl_chunk_decode (&codec, 0, in, size - 4, out);
  fl_chunk_codec_clear (&codec);
  return 0;
}
