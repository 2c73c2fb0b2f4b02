/* psana's tables of detector geometry, and what is written of them. */

#include "tests/fuzz/fuzz-geometry.h"
#include "tests/fuzz/fuzz-words.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strndup ((const char *) data, size);
  (void) fl_geometry_is_psana (text, size);
  g_autoptr (FlGeom) geom = fl_geometry_read_psana ("fuzz.data", text, size, &error);
  fuzz_error (geom != NULL, error, "fuzz.data");
  fuzz_geometry_write (geom);
  if (geom == NULL || geom->panels->len > FUZZ_MOST_PANELS)
    return 0;
  g_autoptr (GError) again = NULL;
  g_autofree char *table = fl_geometry_write_psana (geom, NULL);
  g_autoptr (FlGeom) back = fl_geometry_read_psana ("back.data", table, strlen (table), &again);
  g_assert_no_error (again);
  g_assert_cmpuint (back->panels->len, ==, geom->panels->len);
  return 0;
}
