/* Geometries in the headers of CBF files without pixels, and what is written of them. */

#include "tests/fuzz/fuzz-geometry.h"
#include "tests/fuzz/fuzz-words.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const char magic[] = "###CBF: VERSION 1.5\r\n";
  g_auto (FuzzFile) file = fuzz_file (magic, sizeof magic - 1, data, size);
  g_autoptr (GError) error = NULL;
  (void) fl_geometry_stands_alone (file.path);
  g_autoptr (FlGeom) geom = fl_geometry_read (file.path, NULL, &error);
  fuzz_error (geom != NULL, error, file.path);
  fuzz_geometry_write (geom);
  return 0;
}
