/* HDF5 files whole: NXmx, Dectris masters, CXI and plain ones, as a source that describes itself. What the file names
 * (external and virtual data) it does not find. Most of these bytes are for HDF5 itself, whose own faults are passed over
 * (others.supp); who reads what it gives is fuzzed by fuzz-nxmx. */

#include <fcntl.h>

#include "engine/shots/inspect-shots.h"
#include "tests/fuzz/fuzz-source.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const char magic[] = "\x89HDF\r\n\x1a\n";
  gsize head = MIN (size, 8);
  /* HDF5 asks for the real path of what it opens: a file without a name will not do. */
  g_autofree char *path = g_strdup_printf ("%s/fuzz-%d.h5", g_get_tmp_dir (), (int) getpid ());
  int fd = open (path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  /* The signature is kept whole, that no input is wasted. */
  if (write (fd, magic, 8) < 0 || (size > head && write (fd, data + head, size - head) < 0))
    g_error ("no room for a test file");
  close (fd);
  g_free (fl_inspect_hdf5 (path, NULL));
  fuzz_source_path (path, 1 << 22);
  unlink (path);
  return 0;
}
