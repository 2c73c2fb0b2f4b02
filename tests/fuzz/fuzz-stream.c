/* Streams: whatever the bytes, reading ends, and reflections belong to lattices that are there. */

#include <sys/mman.h>
#include <unistd.h>

#include "engine/results/stream.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  int fd = memfd_create ("stream", MFD_CLOEXEC);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_assert_cmpint (write (fd, data, size), ==, (gssize) size);
  g_autoptr (FlStreamReader) reader = fl_stream_reader_open (path, NULL);
  g_autoptr (FlPattern) pattern = fl_pattern_new ();
  while (reader != NULL && fl_stream_reader_next (reader, pattern))
    for (guint i = 0; i < pattern->reflections->len; i++)
      g_assert_cmpuint (g_array_index (pattern->reflections, FlReflectionRow, i).lattice, <,
                        pattern->lattices->len);
  close (fd);
  return 0;
}
