/* Image messages of DECTRIS' stream as files; behind a mark, the message that started their series, beside them. */

#include <string.h>

#include "tests/fuzz/fuzz-source.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  /* A map of eight that begins with "type": "image", one of nine that begins with "type": "start". */
  static const guint8 image[] = { 0xb8, 8, 0x64, 0x74, 0x79, 0x70, 0x65, 0x65, 0x69, 0x6d, 0x61, 0x67, 0x65 },
                      start[] = { 0xb8, 9, 0x64, 0x74, 0x79, 0x70, 0x65, 0x65, 0x73, 0x74, 0x61, 0x72, 0x74 };
  static const char mark[] = "\xff\xff=start";
  const guint8 *at = memmem (data, size, mark, sizeof mark - 1);
  gsize length = at != NULL ? (gsize) (at - data) : size, skipped = MIN (length + sizeof mark - 1, size);
  g_autofree char *path = fuzz_named ("image.cbor", image, sizeof image, data, length);
  g_free (fuzz_named ("start.cbor", start, at != NULL ? sizeof start : 0, data + skipped, size - skipped));
  return fuzz_source_path (path, 1 << 22);
}
