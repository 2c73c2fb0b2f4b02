/* Packed chunks of HDF5 by the filters that detectors use. The first three bytes choose them and the size. */

#include "engine/shots/chunk-codec.h"
#include "tests/fuzz/fuzz-file.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const int ids[] = { H5Z_FILTER_DEFLATE, 32004, 32008, H5Z_FILTER_SHUFFLE };
  if (size < 3)
    return 0;
  guint element = 1u << (data[0] >> 6);
  gsize length = (gsize) element * ((gsize) data[1] * 37 + data[2] + 1);
  FlChunkCodec codec = { .n = 1 + (data[0] >> 4 & 1), .size = length };
  for (guint i = 0; i < codec.n; i++)
    {
      codec.filters[i].id = ids[data[0] >> (2 * i) & 3];
      codec.filters[i].element = element;
      codec.filters[i].lz4 = data[0] >> 5 & 1;
    }
  g_autofree guint8 *in = g_memdup2 (data + 3, size - 3), *out = g_malloc0 (length);
  (void) fl_chunk_decode (&codec, 0, in, size - 3, out);
  fl_chunk_codec_clear (&codec);
  return 0;
}
