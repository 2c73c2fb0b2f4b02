/* NXmx, Dectris, CXI and plain images in whole HDF5 files (fuzz-h5.h): found, described, shown, read. */

#include "engine/shots/inspect-shots.h"
#include "tests/fuzz/fuzz-geometry.h"
#include "tests/fuzz/fuzz-h5.h"
#include "tests/fuzz/fuzz-source.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *path = fuzz_h5_write (data, size);
  if (size % 3 == 0)
    g_free (fl_inspect_hdf5 (path, NULL));
  if (size % 3 == 1)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (FlGeom) geom = fl_geometry_read (path, NULL, &error);
      fuzz_error (geom != NULL, error, path);
      fuzz_geometry_write (geom);
    }
  return fuzz_source_path (path, 1 << 22);
}
