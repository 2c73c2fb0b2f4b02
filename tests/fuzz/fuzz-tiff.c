/* TIFF images of every byte order and packing, MarCCD headers, through the source that reads them. */

#include "tests/fuzz/fuzz-source.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const char magics[4][5] = { "II*\0", "MM\0*", "II+\0", "MM\0+" };
  return size == 0 ? 0 : fuzz_source (magics[data[0] & 3], 4, data + 1, size - 1);
}
