/* CrystFEL geometries, and what is written of them. */

#include "engine/shots/geometry-private.h"
#include "tests/fuzz/fuzz-file.h"
#include "tests/fuzz/fuzz-words.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlGeom) geom = fl_geom_parse ("fuzz.geom", (const char *) data, size, &error);
  fuzz_error (geom != NULL, error, "fuzz.geom");
  /* Writers look at panels in pairs. */
  if (geom == NULL || geom->panels->len > 64)
    return 0;
  g_autofree char *crystfel = fl_geometry_write_crystfel (geom, NULL, NULL);
  g_autoptr (FlGeom) back = fl_geom_parse ("back.geom", crystfel, strlen (crystfel), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (back->panels->len, ==, geom->panels->len);
  g_autofree char *imgcif = fl_geometry_write_imgcif (geom, NULL),
                  *psana = fl_geometry_write_psana (geom, NULL),
                  *dials = fl_geometry_write_dials (geom, NULL);
  g_assert_true (g_utf8_validate (imgcif, -1, NULL) && g_utf8_validate (psana, -1, NULL));
  /* An .expt has a JSON's numbers only: one without a place has none. */
  g_autoptr (FlGeom) models =
      dials != NULL ? fl_geometry_read_dials ("back.expt", dials, strlen (dials), NULL) : NULL;
  g_assert_true (models == NULL || models->panels->len == geom->panels->len);
  return 0;
}
