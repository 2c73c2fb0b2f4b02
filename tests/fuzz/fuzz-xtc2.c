/* LCLS-II's raw data through the source that reads it. */

#include "tests/fuzz/fuzz-source.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  /* A configure's header. */
  static const guint8 magic[] = { 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0 };
  return fuzz_source (magic, sizeof magic, data, size);
}
