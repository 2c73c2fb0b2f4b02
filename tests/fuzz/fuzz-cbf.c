/* CBF files, header, geometry and both compressions, through the source that reads them. */

#include "tests/fuzz/fuzz-source.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const char magic[] = "###CBF: VERSION 1.5\r\n";
  return fuzz_source (magic, sizeof magic - 1, data, size);
}
