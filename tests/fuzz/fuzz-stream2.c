/* Image messages of DECTRIS' stream as files. */

#include "tests/fuzz/fuzz-source.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  /* A map of eight that begins with "type": "image". */
  static const guint8 magic[] = { 0xb8, 8, 0x64, 0x74, 0x79, 0x70, 0x65, 0x65, 0x69, 0x6d, 0x61, 0x67, 0x65 };
  return fuzz_source (magic, sizeof magic, data, size);
}
