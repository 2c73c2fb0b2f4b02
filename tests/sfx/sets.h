/* sets.h: the simulated sets of the test data, for tests of single rooms: geometry, truth, spots. */
#pragma once

#include <glib.h>
#include <stdlib.h>
#include <time.h>

#include "engine/shots/geom-layout.h"

/* Skips the test and says so where the folder of the test data is absent. */
static inline gboolean
have_test_data (const char *folder)
{
  const char *root = g_getenv ("FIRSTLIGHT_TEST_DATA");
  g_autofree char *path = g_build_filename (root != NULL ? root : "", folder, NULL);
  if (root != NULL && g_file_test (path, G_FILE_TEST_IS_DIR))
    return TRUE;
  g_test_skip ("no test data: FIRSTLIGHT_TEST_DATA");
  return FALSE;
}

/* `name` in the test data, without ".geom"; camera length 100 mm where the data would tell. */
static inline FlDetector *
detector_of_geom (const char *name)
{
  GError *error = NULL;
  g_autofree char *file = g_strconcat (name, ".geom", NULL);
  g_autofree char *path = g_build_filename (g_getenv ("FIRSTLIGHT_TEST_DATA"), file, NULL);
  FlGeom *geom = fl_geom_read (path, &error);
  g_assert_no_error (error);
  FlGeomLayout *layout = fl_geom_layout_new (geom, &error);
  g_assert_no_error (error);
  FlDetector *detector =
      fl_geom_detector (geom, layout, geom->clen.path == NULL ? geom->clen.value : 100, 9300);
  fl_geom_layout_free (layout);
  fl_geom_free (geom);
  return detector;
}

static inline double
cpu_seconds (void)
{
  struct timespec t;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t);
  return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}
