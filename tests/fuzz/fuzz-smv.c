/* SMV images, header and pixels, through the source that reads them. */

#include "tests/fuzz/fuzz-source.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const char magic[] = "{\nHEADER_BYTES";
  return fuzz_source (magic, sizeof magic - 1, data, size);
}
