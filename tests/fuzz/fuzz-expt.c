/* Detectors out of DIALS' models of experiments. */

#include "tests/fuzz/fuzz-geometry.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (FlGeom) geom = fl_geometry_read_dials ("fuzz.expt", text, strlen (text), &error);
  fuzz_error (geom != NULL, error, "fuzz.expt");
  fuzz_geometry_write (geom);
  return 0;
}
