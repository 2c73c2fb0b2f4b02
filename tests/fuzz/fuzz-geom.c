/* CrystFEL geometries, and what is written of them. */

#include "tests/fuzz/fuzz-geometry.h"
#include "tests/fuzz/fuzz-words.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlGeom) geom = fl_geom_parse ("fuzz.geom", (const char *) data, size, &error);
  fuzz_error (geom != NULL, error, "fuzz.geom");
  fuzz_geometry_write (geom);
  return 0;
}
