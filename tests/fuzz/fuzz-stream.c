/* Streams: whatever the bytes, reading ends, and reflections belong to lattices that are there. */

#include "engine/results/stream.h"
#include "tests/fuzz/fuzz-file.h"
#include "tests/fuzz/fuzz-words.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_auto (FuzzFile) file = fuzz_file (NULL, 0, data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (FlStreamReader) reader = fl_stream_reader_open (file.path, &error);
  fuzz_error (reader != NULL, error, file.path);
  g_autoptr (FlPattern) pattern = fl_pattern_new ();
  while (reader != NULL && fl_stream_reader_next (reader, pattern))
    for (guint i = 0; i < pattern->reflections->len; i++)
      g_assert_cmpuint (g_array_index (pattern->reflections, FlReflectionRow, i).lattice, <,
                        pattern->lattices->len);
  return 0;
}
