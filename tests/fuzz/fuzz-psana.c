/* psana's tables of detector geometry, and what is written of them. */

#include "engine/shots/geometry-private.h"
#include "tests/fuzz/fuzz-file.h"
#include "tests/fuzz/fuzz-words.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strndup ((const char *) data, size);
  (void) fl_geometry_is_psana (text, size);
  g_autoptr (FlGeom) geom = fl_geometry_read_psana ("fuzz.data", text, size, &error);
  fuzz_error (geom != NULL, error, "fuzz.data");
  if (geom == NULL)
    return 0;
  /* Writers look at panels in pairs. */
  if (geom->panels->len > 64)
    return 0;
  g_autoptr (GError) again = NULL;
  g_autofree char *table = fl_geometry_write_psana (geom, NULL);
  g_autoptr (FlGeom) back = fl_geometry_read_psana ("back.data", table, strlen (table), &again);
  g_assert_no_error (again);
  g_assert_cmpuint (back->panels->len, ==, geom->panels->len);
  g_autofree char *crystfel = fl_geometry_write_crystfel (geom, NULL, NULL);
  g_autoptr (FlGeom) from_crystfel = fl_geom_parse ("back.geom", crystfel, strlen (crystfel), &again);
  g_assert_true (from_crystfel != NULL && again == NULL);
  g_autofree char *imgcif = fl_geometry_write_imgcif (geom, NULL);
  g_assert_true (g_utf8_validate (imgcif, -1, NULL));
  return 0;
}
