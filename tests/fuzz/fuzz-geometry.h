/* fuzz-geometry.h: a geometry that was read, written in the other forms. */
#pragma once

#include "engine/shots/geometry-private.h"
#include "tests/fuzz/fuzz-file.h"

#define FUZZ_MOST_PANELS 64 /* writers look at panels in pairs */

/* What is written of it is read, and has as many panels. */
static inline void
fuzz_geometry_write (const FlGeom *geom)
{
  if (geom == NULL || geom->panels->len > FUZZ_MOST_PANELS)
    return;
  g_autoptr (GError) error = NULL;
  g_autofree char *crystfel = fl_geometry_write_crystfel (geom, NULL, NULL),
                  *imgcif = fl_geometry_write_imgcif (geom, NULL),
                  *psana = fl_geometry_write_psana (geom, NULL),
                  *dials = fl_geometry_write_dials (geom, NULL);
  g_autoptr (FlGeom) of_crystfel = fl_geom_parse ("back.geom", crystfel, strlen (crystfel), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (of_crystfel->panels->len, ==, geom->panels->len);
  g_assert_true (g_utf8_validate (imgcif, -1, NULL) && g_utf8_validate (psana, -1, NULL));
  /* A detector without a place, or of places that a table's digits do not hold, is not read back from these. */
  g_autoptr (FlGeom) of_psana = fl_geometry_read_psana ("back.data", psana, strlen (psana), NULL);
  g_autoptr (FlGeom) of_dials =
      dials != NULL ? fl_geometry_read_dials ("back.expt", dials, strlen (dials), NULL) : NULL;
  g_assert_true (of_psana == NULL || of_psana->panels->len == geom->panels->len);
  g_assert_true (of_dials == NULL || of_dials->panels->len == geom->panels->len);
}
